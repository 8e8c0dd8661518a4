"""Measure how good the layout of the figure is: lines that cross, lines behind boxes, length.

    python -m bench.layout

The same boxes and lines are placed by rtgraph, by a plain layered layout and, where Graphviz is
there, by `dot`. The plain one stands the boxes of each layer on rows in the order of their UIDs,
centred, as wide as rtgraph's rows: it is what layers alone give. `dot` chooses its own layers.
"""

import argparse
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from time import process_time
from typing import Any

from bench.patients import TYPICAL, generated
from bench.results import keep, show
from rtgraph.graphmodel.references import locating_roles
from rtgraph.graphmodel.tables import Tables
from rtgraph.viz.collapse import Drawn, collapse
from rtgraph.viz.crossings import Points, crossings, hidden, length
from rtgraph.viz.exports import render_dot
from rtgraph.viz.figure import Figure
from rtgraph.viz.layout import layout
from rtgraph.viz.ordering import BEND, BOX_HEIGHT, BOX_WIDTH, LAYER_GAP, PER_ROW, PITCH, ROW
from rtgraph.viz.picture import Material, Options, compose
from rtgraph.viz.subgraph import fold

SIZES = (50, 190, 500, 5000)
DOT_POINTS = 72.0  # Graphviz measures in inches
DOT_LARGEST = 1500  # boxes that dot places in a time one waits for
Links = list[tuple[str, str]]
Row = dict[str, Any]


def plain_layers(drawn: Sequence[Drawn]) -> Points:
    """Place boxes in layers by modality, in the order of their UIDs, without looking at lines."""
    layers: dict[int, list[str]] = defaultdict(list)
    for d in sorted(drawn, key=lambda d: d.id):
        layers[d.first.layer].append(d.id)
    # one row a layer would be endless for thousands of boxes
    per_row = max(PER_ROW, round(len(drawn) ** 0.5))
    points: dict[str, tuple[float, float]] = {}
    y = 0.0
    for layer in sorted(layers):
        rows = [layers[layer][i:i + per_row] for i in range(0, len(layers[layer]), per_row)]
        for row in rows:
            for i, uid in enumerate(row):
                points[uid] = (i - (len(row) - 1) / 2) * PITCH, -y
            y += ROW
        y += LAYER_GAP
    return points


def by_dot(text: str) -> Points | None:
    """Return where Graphviz places the boxes of a text in its language, None without it."""
    program = shutil.which("dot")
    if program is None:
        return None
    ran = subprocess.run([program, "-Tplain"], input=text, text=True, capture_output=True,
                         encoding="utf-8", check=True, timeout=600)
    places: dict[str, tuple[float, float]] = {}
    for line in ran.stdout.splitlines():
        words = line.replace('"group ', '"group_').split()
        if words and words[0] == "node":
            uid = words[1].strip('"').replace("group_", "group ")
            places[uid] = float(words[2]) * DOT_POINTS, -float(words[3]) * DOT_POINTS
    return places


def measure(name: str, tables: Tables) -> Row:
    """Return a row: sizes, and the measures of each layout."""
    subgraph = fold(tables, locating_roles())
    drawn, lines = collapse(subgraph, lambda box: box.status != "present")
    started = process_time()
    own = layout(drawn, lines).points
    seconds = process_time() - started
    links = [(line.source, line.target) for line in lines if line.kind == "REFERENCES"]
    row: Row = {
        "patient": name, "series": len(tables["series"]), "boxes": len(drawn),
        "lines": len(links), "s CPU": seconds,
        **_measures("", own, links), **_measures("plain ", plain_layers(drawn), links),
    }
    about = Material(str(tables["patients"][0]["patient_key"]), tables)
    if len(drawn) <= DOT_LARGEST and (places := by_dot(render_dot(compose(about, Options())))):
        row |= {"dot crossings": crossings(places, links),
                "dot length": round(length(places, links))}
    return row | {"page MB": len(Figure(about).html.encode()) / 1e6}


def _measures(prefix: str, points: Points, links: Links) -> Row:
    return {
        f"{prefix}crossings": crossings(points, links),
        f"{prefix}behind": hidden(points, links, BOX_WIDTH, BOX_HEIGHT, BEND),
        f"{prefix}length": round(length(points, links)),
    }


def main() -> int:
    """Measure all patients, print and keep the table; 1 when a plain layout is better."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.layout")
    parser.add_argument("--no-keep", action="store_true", help="add no line to results.jsonl")
    given = parser.parse_args()
    patients = {name: made().tables for name, made in TYPICAL.items()}
    patients |= {f"{n:,} series": generated(n, broken=3 if n > 100 else 0) for n in SIZES}
    rows = [measure(name, tables) for name, tables in patients.items()]
    title = "Layout of the figure against plain layers"
    show(title, rows)
    if not given.no_keep:
        keep("layout", title, rows, [
            "behind: how often a line runs behind a box that it does not belong to",
            "length: of the straight lines from centre to centre, in pixels at full size",
            "dot chooses its own layers and draws no lanes, so its lengths are of another figure",
        ])
    worse = [r["patient"] for r in rows if r["crossings"] > r["plain crossings"]
             or r["behind"] > r["plain behind"]]
    if worse:
        print(f"Worse than plain layers: {', '.join(worse)}.", file=sys.stderr)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())

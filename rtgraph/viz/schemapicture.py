"""The picture of the graph as a whole: labels and relationship types with their counts."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rtgraph.graphmodel.families import FAMILY_LABELS
from rtgraph.graphmodel.modalities import series_type
from rtgraph.graphmodel.nodes import NODE_TYPES
from rtgraph.graphmodel.tables import Row
from rtgraph.viz.boxes import Box, modality_of_family
from rtgraph.viz.collapse import Drawn, Line
from rtgraph.viz.layout import layout
from rtgraph.viz.picture import Heading, Options, Picture
from rtgraph.viz.routes import label_places
from rtgraph.viz.subgraph import Edge, Subgraph
from rtgraph.viz.timeline import timeline

# Instances stand by family, from images upwards; these above them.
ABOVE = {"Series": 6, "Study": 7, "Patient": 8}
BELOW = 5  # whatever is no part of the hierarchy
_GENERAL = frozenset({"Instance", "Image", "Missing"})


def schema_picture(nodes: Iterable[Row], relationships: Iterable[Row], options: Options) -> Picture:
    """Return the picture of rows of the queries `label-counts` and `relationship-counts`.

    A node stands under its family when it is an object, else under its own label; Missing ones
    are counted in the tally.
    """
    n: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    for row in nodes:
        n[label_of(row["labels"])] += row["n"]
        missing[label_of(row["labels"])] += row["n"] if "Missing" in row["labels"] else 0
    edges: Counter[tuple[str, str, str]] = Counter()
    for row in relationships:
        edges[label_of(row["from_labels"]), label_of(row["to_labels"]), row["type"]] += row["n"]
    boxes = [_box(label, n[label], missing[label]) for label in sorted(n)]
    subgraph = Subgraph((), tuple(boxes), tuple(
        Edge(a, b, f"{kind} {count:,}", "REFERENCES", count, None)
        for (a, b, kind), count in sorted(edges.items())))
    drawn = [Drawn(box.id, (box,)) for box in boxes]
    lines = _lines(subgraph.edges)
    placed = layout(drawn, lines, up=options.up)
    return Picture(
        heading=Heading("of the graph", {"nodes": n.total(), "relationships": edges.total()},
                        what="Schema"),
        options=options, subgraph=subgraph, drawn=tuple(drawn), lines=tuple(lines), layout=placed,
        label_at=label_places(placed.points, lines), studies={}, findings={}, others=(),
        validation=None, timeline=timeline((), ()), browser=None, from_graph=False,
    )


def label_of(labels: Sequence[str]) -> str:
    """Return the label that says most about a node."""
    families = [label for label in FAMILY_LABELS if label in labels and label not in _GENERAL]
    if "Instance" in labels:
        return families[-1] if families else "Image" if "Image" in labels else "Instance"
    known = [t.label for t in NODE_TYPES if t.label in labels]
    return known[0] if known else next(iter(sorted(labels)), "no label")


def _box(label: str, n: int, n_missing: int) -> Box:
    family = modality_of_family().get(label)
    layer = series_type(family).layer if family else ABOVE.get(label, BELOW)
    return Box(
        id=label, kind="object", modality=family or label,
        layer=layer, caption=label, tally=f"{n:,}", title=label, status="present",
        ambiguous=False, study_uid=None, series_uid=None, when=None, n_instances=n, n_missing=0,
        n_fractions_planned=None, fractions=(), summation="",
        details=(("nodes", f"{n:,}"), ("of them missing", f"{n_missing:,}")),
    )


def _lines(edges: Iterable[Edge]) -> list[Line]:
    together: dict[tuple[str, str], list[str]] = {}
    for edge in edges:
        if edge.source != edge.target:
            together.setdefault((edge.source, edge.target), []).append(edge.role)
    return [Line(a, b, "REFERENCES", tuple(sorted(roles)), len(roles), False)
            for (a, b), roles in sorted(together.items())]

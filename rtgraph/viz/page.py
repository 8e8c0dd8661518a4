"""Render the figure of a patient as one HTML file that needs no network.

pyvis gives the node and edge lists and the vis-network library it bundles. Its own template is
not used: it loads from a CDN, and text from files could inject scripts there.
"""

import os
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from unicodedata import east_asian_width

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rtgraph.errors import OutputError
from rtgraph.graphmodel.modalities import series_type
from rtgraph.graphmodel.tables import IDENTIFYING
from rtgraph.text import json_for_script, plain
from rtgraph.viz.layout import BOX_HEIGHT, BOX_WIDTH, positions
from rtgraph.viz.subgraph import Box, Subgraph

LABEL_COLUMNS = 24


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the figure; `identifiers` are attributes of the patient."""

    patient_key: str
    counts: Mapping[str, int]
    version: str
    identifiers: Mapping[str, str] = field(default_factory=dict)


def render(subgraph: Subgraph, heading: Heading, *, identifiers: bool) -> str:
    """Return the page; without `identifiers` it shows no PatientID, birth date or path."""
    templates = files("rtgraph.viz") / "templates"
    vis = files("pyvis") / "templates" / "lib" / "vis-9.1.2" / "vis-network.min.js"
    library, _, _ = vis.read_text(encoding="utf-8").partition("//# sourceMappingURL")
    parts = {
        "style": (templates / "patient.css").read_text(encoding="utf-8"),
        "library": library,
        "script": (templates / "patient.js").read_text(encoding="utf-8"),
    }
    environment = Environment(
        loader=PackageLoader("rtgraph.viz"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("patient.html").render(
        patient_key=plain(heading.patient_key),
        counts={plain(name): n for name, n in heading.counts.items()},
        version=plain(heading.version),
        patient={plain(k): plain(v) for k, v in heading.identifiers.items()} if identifiers else {},
        identifiers=identifiers,
        figure=Markup(json_for_script(_figure(subgraph, identifiers=identifiers))),
        hashes={name: _csp_hash(text) for name, text in parts.items()},
        **{name: Markup(text) for name, text in parts.items()},
    )


def _figure(subgraph: Subgraph, *, identifiers: bool) -> dict[str, object]:
    """Return what the script of the page draws, in the form of vis-network."""
    from pyvis.edge import Edge
    from pyvis.node import Node

    points = positions(subgraph.boxes, subgraph.edges)
    nodes = [
        Node(
            box.id, "box", _short_label(box.label), x=round(points[box.id][0]),
            y=round(points[box.id][1]), modality=box.modality, name=box.title, kind=box.kind,
            status=box.status, n_instances=box.n_instances, n_missing=box.n_missing,
            details=[d for d in box.details if identifiers or d[0] not in IDENTIFYING],
        ).options
        for box in subgraph.boxes
    ]
    edges = [
        Edge(
            e.source, e.target, directed=e.kind == "REFERENCES", role=e.role, kind=e.kind,
            n_targets=e.n_targets, n_missing=e.n_missing,
        ).options
        for e in subgraph.edges
    ]
    return {
        "nodes": nodes, "edges": edges, "size": [BOX_WIDTH, BOX_HEIGHT],
        "modalities": _modalities(subgraph.boxes),
    }


def _modalities(boxes: Sequence[Box]) -> list[dict[str, str]]:
    """Return the rows of the legend, from images upwards."""
    layers = {box.modality: box.layer for box in sorted(boxes, key=lambda b: -b.layer)}
    rows = [(m, series_type(m)) for m in sorted(layers, key=lambda m: (layers[m], m))]
    return [{"modality": m, "fill": row.fill, "text": row.text} for m, row in rows]


def _short_label(label: str) -> str:
    return "\n".join(short(line) for line in label.split("\n"))


def short(text: str, columns: int = LABEL_COLUMNS) -> str:
    """Cut text that is too long for a box; wide characters take two columns."""
    used = 0
    for i, character in enumerate(text):
        used += 2 if east_asian_width(character) in "WF" else 1
        if used > columns:
            return f"{text[:i - 1].rstrip()}…"
    return text


def _csp_hash(text: str) -> str:
    """Return the source expression that lets exactly this inline text run."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def write_page(text: str, path: Path, *, force: bool) -> None:
    """Write a page whole or not at all; the message of an error does not repeat the path.

    Paths can hold names of patients.
    """
    part = path.parent / f".{path.name}.{os.getpid()}.part"
    try:
        if path.exists() and not force:
            raise OutputError("The page exists already.", "Overwrite it with --force.")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_text(text, encoding="utf-8", newline="\n")
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        hint = "Is the folder writable? Choose another one with --output."
        raise OutputError(f"The page cannot be written: {reason}.", hint) from error

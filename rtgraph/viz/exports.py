"""The figure as data: JSON, GraphML and the DOT language of Graphviz.

JSON and GraphML hold every box and edge; groups are an attribute. DOT draws what the figure draws.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rtgraph.graphmodel.modalities import series_type
from rtgraph.graphmodel.tables import IDENTIFYING
from rtgraph.text import dot_text, plain, xml_text
from rtgraph.viz.boxes import Box
from rtgraph.viz.findings import Finding
from rtgraph.viz.palette import PALETTE
from rtgraph.viz.picture import Picture
from rtgraph.viz.subgraph import Edge

SCHEMA_VERSION = 1
NODE_KEYS = {
    "kind": "string", "modality": "string", "layer": "int", "caption": "string",
    "status": "string", "ambiguous": "boolean", "study": "string", "series": "string",
    "when": "string", "n_instances": "int", "n_missing": "int", "findings": "string",
    "group": "string",
}
EDGE_KEYS = {"kind": "string", "role": "string", "n_targets": "int", "n_missing": "int"}


def render_json(picture: Picture) -> str:
    """Return the picture as JSON with sorted keys; `schema_version` names its form."""
    line, groups = picture.timeline, picture.group_of
    document = {
        "schema_version": SCHEMA_VERSION,
        "patient_key": picture.heading.patient_key,
        "patient": dict(picture.heading.identifiers) if picture.options.identifiers else {},
        "counts": dict(picture.heading.counts),
        "boxes": [
            {"id": plain(b.id), **_box(b, groups),
             "findings": [_finding(f) for f in picture.findings.get(b.id, ())],
             "details": {n: v for n, v in b.details
                         if picture.options.identifiers or n not in IDENTIFYING}}
            for b in picture.subgraph.boxes
        ],
        "edges": [{"source": plain(e.source), "target": plain(e.target), **_edge(e)}
                  for e in picture.subgraph.edges],
        "groups": [{"id": plain(d.id), "modality": d.first.modality, "caption": d.caption,
                    "members": [plain(b.id) for b in d.members]}
                   for d in picture.drawn if d.is_group],
        "fractions": [
            {"plan": row.plan, "planned": row.planned, "delivered": list(row.fractions),
             "n_records": row.n_records}
            for row in line.rows if row.n_records
        ],
    }
    return json.dumps(document, sort_keys=True, indent=1, ensure_ascii=True) + "\n"


def render_graphml(picture: Picture) -> str:
    """Return all boxes and edges as GraphML."""
    return "\n".join(_graphml(picture)) + "\n"


def render_dot(picture: Picture) -> str:
    """Return what is drawn in the language of Graphviz, a cluster for each study."""
    return "\n".join(_dot(picture)) + "\n"


def _box(box: Box, groups: Mapping[str, str]) -> dict[str, Any]:
    return {
        "kind": box.kind, "modality": box.modality, "layer": box.layer, "caption": box.caption,
        "status": box.status, "ambiguous": box.ambiguous,
        "study": _plain(box.study_uid), "series": _plain(box.series_uid),
        "when": box.when.isoformat() if box.when is not None else None,
        "n_instances": box.n_instances, "n_missing": box.n_missing,
        "group": _plain(groups.get(box.id)),
    }


def _edge(edge: Edge) -> dict[str, Any]:
    return {"kind": edge.kind, "role": edge.role, "n_targets": edge.n_targets,
            "n_missing": edge.n_missing}


def _finding(found: Finding) -> dict[str, Any]:
    return {"rule": found.rule, "severity": found.severity, "waived": found.waived,
            "title": found.title, "target": found.target, "since": found.since}


def _plain(text: str | None) -> str | None:
    return None if text is None else plain(text)


def _graphml(picture: Picture) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    for what, keys in (("node", NODE_KEYS), ("edge", EDGE_KEYS)):
        for name, kind in keys.items():
            yield (f'<key id="{what}_{name}" for="{what}" attr.name="{name}" '
                   f'attr.type="{kind}"/>')
    yield f'<graph id="{xml_text(picture.heading.patient_key)}" edgedefault="directed">'
    groups = picture.group_of
    for box in picture.subgraph.boxes:
        found = ", ".join(f.rule for f in picture.findings.get(box.id, ()) if not f.waived)
        yield f'<node id="{xml_text(box.id)}">'
        yield from _data("node", _box(box, groups) | {"findings": found or None})
        yield "</node>"
    for i, edge in enumerate(picture.subgraph.edges):
        yield (f'<edge id="e{i}" source="{xml_text(edge.source)}" '
               f'target="{xml_text(edge.target)}">')
        yield from _data("edge", _edge(edge))
        yield "</edge>"
    yield "</graph>"
    yield "</graphml>"


def _data(what: str, values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if value is not None and value != "":
            text = str(value).lower() if isinstance(value, bool) else xml_text(value)
            yield f'<data key="{what}_{name}">{text}</data>'


def _dot(picture: Picture) -> Iterator[str]:
    yield "digraph rtgraph {"
    yield (f"  graph [rankdir={'BT' if picture.options.up else 'TB'}, fontname=sans, "
           f"label={dot_text(f'Patient {picture.heading.patient_key}')}];")
    yield '  node [shape=box, style="filled,rounded", fontname=sans, fontsize=11];'
    yield "  edge [fontname=sans, fontsize=9];"
    by_study: dict[tuple[str, ...], list[str]] = {}
    for d in picture.drawn:
        box, row = d.first, series_type(d.first.modality)
        missing = box.status == "missing"
        wrong = PALETTE.ambiguous if box.ambiguous else PALETTE.problem
        border = (f', color="{wrong}", penwidth=2, style="filled,rounded,dashed"'
                  if box.status != "present" or box.ambiguous else "")
        label = f"{box.modality} {d.tally}\n{picture.caption_of(d)}".strip()
        node = (f"{dot_text(d.id)} [label={dot_text(label)}, "
                f'fillcolor="{PALETTE.paper if missing else row.fill}", '
                f'fontcolor="{wrong if missing else row.text}"{border}];')
        by_study.setdefault(tuple(sorted(d.studies)), []).append(node)
    for i, (study, nodes) in enumerate(by_study.items()):
        if not study:
            yield from (f"  {node}" for node in nodes)
            continue
        title = " ".join(filter(None, picture.title_of(study)))
        yield f"  subgraph cluster_{i} {{"
        yield (f"    label={dot_text(title)}; style=filled; "
               f'color="{PALETTE.study_line}"; fillcolor="{PALETTE.study}";')
        yield from (f"    {node}" for node in nodes)
        yield "  }"
    for line in picture.lines:
        if line.kind == "SHARES_FOR":
            continue
        style = (f', color="{PALETTE.problem}", style=dashed' if line.unresolved else
                 f', color="{PALETTE.inferred}", style=dashed' if line.kind == "INFERRED_LINK"
                 else "")
        text = "\n".join(line.roles)
        yield (f"  {dot_text(line.source)} -> {dot_text(line.target)} "
               f"[label={dot_text(text)}{style}];")
    yield "}"

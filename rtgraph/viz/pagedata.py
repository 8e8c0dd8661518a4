"""The picture as data for the script of the page: short, since thousands of boxes are in it.

Boxes and lines are numbered; values that stand often are kept once, in `texts`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from rtgraph.cypher.links import file_link, subject_link
from rtgraph.graphmodel.tables import IDENTIFYING
from rtgraph.text import plain
from rtgraph.viz.boxes import Box
from rtgraph.viz.collapse import Drawn
from rtgraph.viz.findings import SEVERITIES, Finding
from rtgraph.viz.links import browser_template
from rtgraph.viz.ordering import PITCH, ROW
from rtgraph.viz.palette import style
from rtgraph.viz.picture import Picture

Item = dict[str, Any]
AsNode = Callable[[int, str, Item], Item]
AsEdge = Callable[[int, int, Item], Item]


class Texts:
    """Numbers for texts: each is kept once."""

    def __init__(self) -> None:
        self.number: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.number.setdefault(text, len(self.number))

    @property
    def all(self) -> list[str]:
        """The texts by their numbers."""
        return list(self.number)


def page_data(picture: Picture, as_node: AsNode, as_edge: AsEdge) -> Item:
    """Return what the page draws; `as_node` and `as_edge` make the entries of vis-network."""
    texts = Texts()
    boxes = picture.subgraph.boxes
    number = {box.id: i for i, box in enumerate(boxes)}
    groups = {d.id: len(boxes) + i
              for i, d in enumerate(d for d in picture.drawn if d.is_group)}
    drawn = {d.id: groups.get(d.id, number.get(d.id, -1)) for d in picture.drawn}
    in_group = {b.id: groups[d.id] for d in picture.drawn if d.is_group for b in d.members}
    findings = _Findings(picture)
    nodes = [
        as_node(i, picture.caption_of(Drawn(box.id, (box,))), _clean({
            **_box(box, texts, identifiers=picture.options.identifiers),
            "group": in_group.get(box.id),
            "findings": findings.of(box.id),
            **_place(picture, box.id),
        }))
        for i, box in enumerate(boxes)
    ]
    nodes += [
        as_node(groups[d.id], d.caption, _clean({
            "modality": d.first.modality, "tally": d.tally,
            "members": [number[b.id] for b in d.members], **_place(picture, d.id),
        }))
        for d in picture.drawn if d.is_group
    ]
    edges = [
        as_edge(number[e.source], number[e.target], _clean({
            "role": texts(plain(e.role)) if e.role else None,
            "kind": None if e.kind == "REFERENCES" else e.kind,
            "targets": e.n_targets, "lost": e.n_missing or None,
        }))
        for e in picture.subgraph.edges
    ]
    layers = {b.modality: b.layer for b in sorted(boxes, key=lambda b: -b.layer)}
    return {
        "nodes": nodes, "edges": edges, "texts": texts.all,
        "labels": [[drawn[a], drawn[b], kind, t]
                   for (a, b, kind), t in sorted(picture.label_at.items())],
        "frames": [
            {"title": picture.title_of(f.study), "rect": [round(v) for v in
                                                          (f.left, f.top, f.right, f.bottom)]}
            for f in picture.layout.frames
        ],
        "findings": findings.all, "others": findings.others, "rules": findings.rules,
        "validated": picture.validation is not None,
        "pitch": [PITCH, ROW], "up": picture.options.up,
        "timeline": _timeline(picture, number),
        "links": _links(picture),
        **style(sorted(layers, key=lambda m: (layers[m], m))),
    }


def page_heading(picture: Picture) -> Item:
    """Return what stands above the figure, for the template."""
    heading, validation = picture.heading, picture.validation
    counted = Counter(f.severity for f in validation.findings if not f.waived) if validation else {}
    validated = "no validation is stored" if picture.from_graph else ""
    if validation:
        validated = f"validated on {validation.started:%Y-%m-%d %H:%M} UTC"
    return {
        "title": f"{heading.what} {plain(heading.patient_key)}", "what": heading.what,
        "name": plain(heading.patient_key), "file_name": plain(heading.patient_key),
        "counts": {plain(name): n for name, n in heading.counts.items()},
        "findings": {s: n for s in SEVERITIES if (n := counted.get(s, 0))},
        "identifiers": {plain(k): plain(v) for k, v in heading.identifiers.items()}
        if picture.options.identifiers else None,
        "note": heading.note, "validated": validated,
    }


def _clean(item: Item) -> Item:
    """Leave out what says nothing."""
    return {k: v for k, v in item.items() if v is not None and v != "" and v != []}


def _place(picture: Picture, box_id: str) -> Item:
    place = picture.layout.points.get(box_id)
    return {} if place is None else {"x": round(place[0]), "y": round(place[1])}


def _box(box: Box, texts: Texts, *, identifiers: bool) -> Item:
    """Return what is told about a box; what is usual is left out."""
    return {
        "uid": texts(plain(box.id)), "modality": box.modality, "tally": box.tally,
        "name": None if box.title == box.caption else box.title,
        "kind": None if box.kind == "object" else box.kind,
        "status": None if box.status == "present" else box.status,
        "ambiguous": box.ambiguous or None,
        "n": box.n_instances, "lost": box.n_missing or None,
        "details": [texts(text) for name, value in box.details
                    if identifiers or name not in IDENTIFYING for text in (name, value)],
    }


class _Findings:
    """Findings by number, so that one about several boxes stands once."""

    def __init__(self, picture: Picture) -> None:
        self._by_box = picture.findings
        listed = dict.fromkeys([f for found in picture.findings.values() for f in found])
        self._number = {f: i for i, f in enumerate((*listed, *picture.others))}
        self.all = [_finding(f, picture.browser) for f in self._number]
        self.others = [self._number[f] for f in picture.others]
        checks = picture.validation.checks if picture.validation else {}
        self.rules = {
            f.rule: _clean({"title": plain(f.title), "fix": plain(f.fix),
                            "link": file_link(picture.browser, checks[f.rule])
                            if picture.browser and f.rule in checks else None})
            for f in self._number
        }

    def of(self, box_id: str) -> list[int]:
        return [self._number[f] for f in self._by_box.get(box_id, ())]


def _finding(finding: Finding, browser: str | None) -> Item:
    """Return what is told about a finding; the page makes the links of UIDs itself."""
    is_part = "#" in finding.about
    return _clean({
        "rule": finding.rule, "severity": finding.severity, "waived": finding.waived or None,
        "about": plain(finding.about), "target": finding.target, "since": finding.since,
        "link": subject_link(browser, finding.about) if browser and is_part else None,
    })


def _timeline(picture: Picture, number: dict[str, int]) -> Item:
    line = picture.timeline
    return {
        "width": line.width,
        "rows": [_clean({
            "name": row.name, "plan": number.get(row.plan or ""), "planned": row.planned,
            "fractions": list(row.fractions), "records": row.n_records or None,
        }) for row in line.rows],
        "marks": [[number[m.box], m.row, round(m.x, 3)] for m in line.marks],
        "ticks": [[x, text] for x, text in line.ticks],
        "cuts": [[x, text] for x, text in line.cuts],
        "chains": _numbers(line.chains, number),
        "undated": [number[uid] for uid in line.undated],
    }


def _numbers(pairs: Sequence[tuple[str, str]], number: dict[str, int]) -> list[list[int]]:
    return [[number[a], number[b]] for a, b in pairs]


def _links(picture: Picture) -> Item:
    """Return what the page makes links of; without a graph there is no Browser."""
    heading = picture.heading
    values = {"patient_key": plain(heading.patient_key)}
    if picture.options.identifiers:
        values |= {k: plain(v) for k, v in heading.identifiers.items() if k == "PatientID"}
    return _clean({
        "template": picture.options.link_template, "values": values,
        "browser": browser_template(picture.browser),
    })

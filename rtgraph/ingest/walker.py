"""Every reference of an object, by one generic walk along the reference table.

The path gives the role: the walk follows the prefix tree of the SOP class through the items. What
the table does not know, private sequences included, becomes OTHER_REFERENCE with its path, so that
completeness never depends on the table.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from rtgraph.graphmodel.nodes import STORAGE, family
from rtgraph.graphmodel.references import (
    OTHER_REFERENCE,
    Branch,
    Reference,
    refinements,
    tree,
)
from rtgraph.ingest.items import CODES, Item, codes, first_text, numbers
from rtgraph.ingest.normalise import LONGEST_RAW, LONGEST_UID
from rtgraph.ingest.records import Target

EDGES = {  # and the attribute that names their targets
    "REFERENCES": "ReferencedSOPInstanceUID", "REFERENCES_SERIES": "SeriesInstanceUID",
    "REFERENCES_STUDY": "StudyInstanceUID", "REFERENCES_FRAME": "FrameOfReferenceUID",
}
OTHER_SERIES_REFERENCE = "OTHER_SERIES_REFERENCE"
SHORT = 8  # items of a sequence that slices of a series may share
KEPT = 1024
# Standard classes outside composite storage that are archived as objects all the same.
_STORED = (STORAGE, "1.2.840.10008.5.1.4.34.7", "1.2.840.10008.5.1.4.34.10",
           "1.2.840.10008.5.1.4.38.", "1.2.840.10008.5.1.4.39.", "1.2.840.10008.5.1.4.4")


@dataclass(slots=True)
class References:
    """What one object refers to; `placements` names the series of targets, where stated.

    `too_long` names attributes that held a UID whose length field must be wrong.
    """

    targets: list[Target] = field(default_factory=list)
    placements: dict[str, tuple[str, ...]] = field(default_factory=dict)
    too_long: set[str] = field(default_factory=set)


def is_stored(sop_class: str) -> bool:
    """Tell whether objects of a class are archived; steps and management objects are not."""
    return not sop_class.startswith("1.2.840.10008.") or sop_class.startswith(_STORED)


class _Facts(NamedTuple):
    """What one item says about its reference."""

    path_id: str
    stated_sop_class: str | None = None
    frames: tuple[int, ...] = ()
    segments: tuple[int, ...] = ()
    purpose: tuple[str, ...] = ()
    relationship: str | None = None
    path: str | None = None


@dataclass(slots=True)
class _Found:
    """What the walk gathers: facts by (edge, role, target), and series by target."""

    facts: dict[tuple[str, str, str], Counter[_Facts]] = field(default_factory=dict)
    placements: dict[str, set[str]] = field(default_factory=dict)

    def add(self, edge: str, role: str, uid: str, facts: _Facts) -> None:
        """Count an item that refers."""
        key = (edge, role, uid)
        if key in self.facts:
            self.facts[key][facts] += 1
        else:
            self.facts[key] = Counter({facts: 1})


def walk_image(item: Item, sop_class: str) -> References:
    """Find the references of an image; slices of a series mostly hold the very same ones.

    Small sequences with equal bytes are one list (`plan.Node.kept`), so equal lists of equal names
    are known by their identity; they are kept with the result, which nobody changes.
    """
    lists = [(name, v) for name, v in item.items() if isinstance(v, list)]
    if any(len(v) > SHORT for _, v in lists):
        return walk(item, sop_class)
    key = (sop_class, *((name, id(v)) for name, v in lists),
           *(str(item.get(keyword)) for keyword in tree(sop_class).leaves))
    if (known := _walked.get(key)) is None:
        if len(_walked) >= KEPT:
            _walked.clear()
        known = _walked[key] = walk(item, sop_class), lists
    return known[0]


_walked: dict[tuple[object, ...], tuple[References, object]] = {}


def walk(item: Item, sop_class: str) -> References:
    """Find all references of an object.

    Equal (edge, role, target) are one reference with the number of items and merged qualifiers.
    An image that only contours name keeps its CONTOUR_IMAGE; one that the header list of the
    structure set has does not get a second edge.
    """
    found = _Found()
    _visit(found, item, tree(sop_class), (), None)
    listed = {uid for _, role, uid in found.facts if role == "STRUCTURE_SET_IMAGE"}
    result = References()
    is_key_object = "KeyObject" in family(sop_class).labels
    for (edge, role, uid), facts in sorted(found.facts.items(), key=_key):
        if len(uid) > LONGEST_UID:
            result.too_long.add(EDGES[edge])
        elif not (role == "CONTOUR_IMAGE" and uid in listed):
            is_key = is_key_object and role == "SR_CONTENT"
            result.targets.append(_target(edge, "KEY_OBJECT" if is_key else role, uid, facts))
    for uid, stated in found.placements.items():
        series = tuple(sorted(s for s in stated if len(s) <= LONGEST_UID))
        if series and len(uid) <= LONGEST_UID:
            result.placements[uid] = series
    return result


def _key(found: tuple[tuple[str, str, str], Counter[_Facts]]) -> tuple[str, str, str]:
    return found[0]


def _visit(
    found: _Found, item: Item, branch: Branch, path: tuple[str, ...], series: str | None
) -> None:
    if path:
        if "SeriesInstanceUID" in item:
            series = first_text(item, "SeriesInstanceUID") or series
        if series and (uid := first_text(item, "ReferencedSOPInstanceUID")):
            found.placements.setdefault(uid, set()).add(series)
        _unknown(found, item, branch, path)
    for keyword, rows in branch.leaves.items():
        if keyword in item and (uid := first_text(item, keyword)):
            row = _row(rows, item)
            if row and row.edge in EDGES:
                _stated(found, item, row, uid)
    for name, children in item.items():
        if isinstance(children, list) and name not in CODES:
            below = branch.below.get(name, _NOWHERE)
            way = (*path, name)
            for child in children:
                if child:
                    _visit(found, child, below, way, series)


_NOWHERE = Branch()


def _row(rows: list[Reference], item: Item) -> Reference | None:
    """Choose the row; content items with a UID are told apart by the code of their concept."""
    if len(rows) == 1:
        return rows[0]
    concepts = {c.partition("^")[2] for c in codes(item, "ConceptNameCodeSequence")}
    return next((r for r in rows if r.path_id.rpartition(".")[2] in concepts), None)


def _stated(found: _Found, item: Item, row: Reference, uid: str) -> None:
    sop_class = _stated_class(item)
    if row.target_level == "instance" and sop_class and not is_stored(sop_class):
        return
    role, relationship = row.role, None
    if row.role_from in refinements():
        relationship = first_text(item, row.role_from or "")[:LONGEST_RAW].upper() or None
        refined = refinements()[row.role_from or ""]
        role = refined.get(relationship or "", refined["other"])
    found.add(row.edge, role, uid, _Facts(
        row.path_id, sop_class, numbers(item, "ReferencedFrameNumber"),
        numbers(item, "ReferencedSegmentNumber"), codes(item, "PurposeOfReferenceCodeSequence"),
        relationship))


def _stated_class(item: Item) -> str | None:
    return first_text(item, "ReferencedSOPClassUID")[:LONGEST_UID] or None


def _unknown(found: _Found, item: Item, branch: Branch, path: tuple[str, ...]) -> None:
    uid = series = ""
    if "ReferencedSOPInstanceUID" not in branch.leaves:
        uid = first_text(item, "ReferencedSOPInstanceUID")
    if "SeriesInstanceUID" not in branch.leaves:
        series = first_text(item, "SeriesInstanceUID")
    if uid:
        sop_class = _stated_class(item)
        if sop_class is None or is_stored(sop_class):
            found.add("REFERENCES", OTHER_REFERENCE, uid, _Facts(
                "FALLBACK_INSTANCE", sop_class, numbers(item, "ReferencedFrameNumber"),
                path=">".join(path)))
    if series:
        found.add("REFERENCES_SERIES", OTHER_SERIES_REFERENCE, series, _Facts("FALLBACK_SERIES"))


def _target(edge: str, role: str, uid: str, facts: Counter[_Facts]) -> Target:
    if len(facts) == 1:
        ((one, n),) = facts.items()
        return Target(edge, role, uid, one.path_id, one.stated_sop_class, n, one.frames,
                      one.segments, one.purpose, one.relationship, one.path)
    return Target(
        edge, role, uid,
        path_id=min(f.path_id for f in facts),
        stated_sop_class=min((f.stated_sop_class for f in facts if f.stated_sop_class),
                             default=None),
        n=facts.total(),
        frames=tuple(sorted({n for f in facts for n in f.frames})),
        segments=tuple(sorted({n for f in facts for n in f.segments})),
        purpose=tuple(sorted({p for f in facts for p in f.purpose})),
        relationship=min((f.relationship for f in facts if f.relationship), default=None),
        path="|".join(sorted({f.path for f in facts if f.path})) or None,
    )

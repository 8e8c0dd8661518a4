"""Every reference of an object, by one generic walk along the reference table.

The path gives the role: the walk follows the prefix tree of the SOP class through the items. What
the table does not know, private sequences included, becomes OTHER_REFERENCE with its path, so that
completeness never depends on the table.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pydicom.dataset import Dataset

from rtgraph.graphmodel.nodes import STORAGE, family
from rtgraph.graphmodel.references import (
    OTHER_REFERENCE,
    Branch,
    Reference,
    refinements,
    tree,
)
from rtgraph.ingest.elements import codes, first_text, numbers, sequences
from rtgraph.ingest.normalise import LONGEST_RAW, LONGEST_UID
from rtgraph.ingest.records import Target

EDGES = {  # and the attribute that names their targets
    "REFERENCES": "ReferencedSOPInstanceUID", "REFERENCES_SERIES": "SeriesInstanceUID",
    "REFERENCES_STUDY": "StudyInstanceUID", "REFERENCES_FRAME": "FrameOfReferenceUID",
}
OTHER_SERIES_REFERENCE = "OTHER_SERIES_REFERENCE"
# Standard classes outside composite storage that are archived as objects all the same.
_STORED = (STORAGE, "1.2.840.10008.5.1.4.34.7", "1.2.840.10008.5.1.4.34.10",
           "1.2.840.10008.5.1.4.38.", "1.2.840.10008.5.1.4.39.", "1.2.840.10008.5.1.4.4")


@dataclass(slots=True)
class References:
    """What one object refers to; `placements` names the series of targets, where stated.

    `too_long` names attributes that held a UID whose length field must be wrong.
    """

    targets: list[Target] = field(default_factory=list)
    placements: dict[str, str] = field(default_factory=dict)
    too_long: set[str] = field(default_factory=set)


def is_stored(sop_class: str) -> bool:
    """Tell whether objects of a class are archived; steps and management objects are not."""
    return not sop_class.startswith("1.2.840.10008.") or sop_class.startswith(_STORED)


def walk(ds: Dataset, sop_class: str) -> References:
    """Find all references of an object.

    Equal (edge, role, target) are one reference with the number of items and merged qualifiers.
    An image that only contours name keeps its CONTOUR_IMAGE; one that the header list of the
    structure set has does not get a second edge.
    """
    found: dict[tuple[str, str, str], Target] = {}
    result = References()
    placements: dict[str, str] = {}
    is_key_object = "KeyObject" in family(sop_class).labels
    for target in _visit(ds, tree(sop_class), "", None, placements):
        if len(target.uid) > LONGEST_UID:
            result.too_long.add(EDGES[target.edge])
            continue
        if is_key_object and target.role == "SR_CONTENT":
            target = replace(target, role="KEY_OBJECT")
        key = (target.edge, target.role, target.uid)
        found[key] = _merged(found[key], target) if key in found else target
    listed = {uid for _, role, uid in found if role == "STRUCTURE_SET_IMAGE"}
    result.targets = [
        t for (_, role, uid), t in sorted(found.items())
        if not (role == "CONTOUR_IMAGE" and uid in listed)
    ]
    result.placements = {uid: series for uid, series in placements.items()
                         if max(len(uid), len(series)) <= LONGEST_UID}
    return result


def _visit(
    item: Dataset, branch: Branch, path: str, series: str | None, placements: dict[str, str]
) -> Iterator[Target]:
    if path:
        series = first_text(item, "SeriesInstanceUID") or series
        target_uid = first_text(item, "ReferencedSOPInstanceUID")
        if target_uid and series:
            placements[target_uid] = min(series, placements.get(target_uid, series))
        yield from _unknown(item, branch, path)
    for keyword, rows in branch.leaves.items():
        uid = first_text(item, keyword)
        row = _row(rows, item)
        if uid and row and row.edge in EDGES:
            yield from _stated(item, row, uid)
    for name, children in sequences(item):
        below = branch.below.get(name, _NOWHERE)
        for child in children:
            yield from _visit(child, below, f"{path}>{name}" if path else name, series, placements)


_NOWHERE = Branch()


def _row(rows: list[Reference], item: Dataset) -> Reference | None:
    """Choose the row; content items with a UID are told apart by the code of their concept."""
    if len(rows) == 1:
        return rows[0]
    concepts = {c.partition("^")[2] for c in codes(item, "ConceptNameCodeSequence")}
    return next((r for r in rows if r.path_id.rpartition(".")[2] in concepts), None)


def _stated(item: Dataset, row: Reference, uid: str) -> Iterator[Target]:
    sop_class = _stated_class(item)
    if row.target_level == "instance" and sop_class and not is_stored(sop_class):
        return
    role, relationship = row.role, None
    if row.role_from in refinements():
        relationship = first_text(item, row.role_from or "")[:LONGEST_RAW].upper() or None
        refined = refinements()[row.role_from or ""]
        role = refined.get(relationship or "", refined["other"])
    yield Target(
        row.edge, role, uid, row.path_id, sop_class,
        frames=numbers(item, "ReferencedFrameNumber"),
        segments=numbers(item, "ReferencedSegmentNumber"),
        purpose=codes(item, "PurposeOfReferenceCodeSequence"),
        relationship=relationship,
    )


def _stated_class(item: Dataset) -> str | None:
    return first_text(item, "ReferencedSOPClassUID")[:LONGEST_UID] or None


def _unknown(item: Dataset, branch: Branch, path: str) -> Iterator[Target]:
    uid = first_text(item, "ReferencedSOPInstanceUID")
    if uid and "ReferencedSOPInstanceUID" not in branch.leaves:
        sop_class = _stated_class(item)
        if sop_class is None or is_stored(sop_class):
            yield Target("REFERENCES", OTHER_REFERENCE, uid, "FALLBACK_INSTANCE", sop_class,
                         frames=numbers(item, "ReferencedFrameNumber"), path=path)
    series = first_text(item, "SeriesInstanceUID")
    if series and "SeriesInstanceUID" not in branch.leaves:
        yield Target("REFERENCES_SERIES", OTHER_SERIES_REFERENCE, series, "FALLBACK_SERIES")


def _merged(a: Target, b: Target) -> Target:
    paths = sorted({*(a.path or "").split("|"), *(b.path or "").split("|")} - {""})
    return replace(
        a,
        n=a.n + b.n,
        path_id=min(a.path_id, b.path_id),
        stated_sop_class=min(filter(None, (a.stated_sop_class, b.stated_sop_class)), default=None),
        frames=tuple(sorted({*a.frames, *b.frames})),
        segments=tuple(sorted({*a.segments, *b.segments})),
        purpose=tuple(sorted({*a.purpose, *b.purpose})),
        relationship=min(filter(None, (a.relationship, b.relationship)), default=None),
        path="|".join(paths) or None,
    )

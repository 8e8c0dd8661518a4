"""Every reference of an object, by one generic walk along the reference table.

The path gives the role: the walk follows the prefix tree of the SOP class through the items. What
the table does not know, private sequences included, becomes OTHER_REFERENCE with its path, so that
completeness never depends on the table.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rtgraph.graphmodel.families import STORAGE, family
from rtgraph.graphmodel.references import (
    CODES,
    OTHER_REFERENCE,
    Branch,
    Reference,
    refinements,
    tree,
)
from rtgraph.graphmodel.relationships import QUALIFIERS
from rtgraph.graphmodel.shared import HUBS
from rtgraph.ingest.items import Item, codes, first_text, text_of
from rtgraph.ingest.normalise import LONGEST_RAW, LONGEST_UID
from rtgraph.ingest.qualifiers import Pairs, merged, of_item
from rtgraph.ingest.records import Link, Target

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
_STARTS = frozenset({"instance", "series", "by_source"})


@dataclass(slots=True)
class References:
    """What one object refers to; `placements` names the series of targets, where stated.

    `links` lead to shared nodes. `common` are the objects that its Common Instance Reference
    lists, None when it has none. `noted` are the roles and UIDs of rows that are kept as text.
    `too_long` names attributes that held a UID whose length field must be wrong.
    """

    targets: list[Target] = field(default_factory=list)
    placements: dict[str, tuple[str, ...]] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    common: frozenset[str] | None = None
    noted: list[tuple[str, str]] = field(default_factory=list)
    too_long: set[str] = field(default_factory=set)


def is_stored(sop_class: str) -> bool:
    """Tell whether objects of a class are archived; steps and management objects are not."""
    return not sop_class.startswith("1.2.840.10008.") or sop_class.startswith(_STORED)


class _Facts(NamedTuple):
    """What one item says about its reference."""

    path_id: str
    stated_sop_class: str | None = None
    qualifiers: Pairs = ()


@dataclass(slots=True)
class _Found:
    """What the walk gathers: facts by (edge, role, target), series by target, shared nodes."""

    facts: dict[tuple[str, str, str], Counter[_Facts]] = field(default_factory=dict)
    placements: dict[str, set[str]] = field(default_factory=dict)
    links: set[Link] = field(default_factory=set)
    common: dict[str, _Facts] = field(default_factory=dict)
    noted: set[tuple[str, str]] = field(default_factory=set)
    too_long: set[str] = field(default_factory=set)

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
    key = (sop_class, *[(name, id(v)) for name, v in lists],
           *[str(item.get(keyword)) for keyword in tree(sop_class).leaves])
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
    structure set has does not get a second edge. The same holds for evidence that the content of a
    report cites. What the Common Instance Reference alone names is an OTHER_REFERENCE.
    """
    found = _Found()
    _visit(found, (item,), tree(sop_class), (), None)
    result = References(too_long=found.too_long)
    _settle_common(found, result, first_text(item, "SOPInstanceUID"))
    by_role: dict[str, set[str]] = {}
    for _, role, uid in found.facts:
        by_role.setdefault(role, set()).add(uid)
    listed = by_role.get("STRUCTURE_SET_IMAGE", set())
    cited, evidence = by_role.get("SR_CONTENT", set()), by_role.get("EVIDENCE", set())
    is_key_object = "KeyObject" in family(sop_class).labels
    for (edge, role, uid), facts in sorted(found.facts.items(), key=_key):
        if len(uid) > LONGEST_UID:
            result.too_long.add(EDGES[edge])
        elif not ((role == "CONTOUR_IMAGE" and uid in listed)
                  or (role == "EVIDENCE" and uid in cited)):
            of_content = role == "SR_CONTENT"
            named = "KEY_OBJECT" if is_key_object and of_content else role
            more = (("in_evidence", True),) if of_content and uid in evidence else ()
            result.targets.append(_target(edge, named, uid, facts, more))
    for uid, stated in found.placements.items():
        series = tuple(sorted(s for s in stated if len(s) <= LONGEST_UID))
        if series and len(uid) <= LONGEST_UID:
            result.placements[uid] = series
    result.links = sorted(found.links, key=repr)
    result.noted = sorted(found.noted)
    return result


def _key(found: tuple[tuple[str, str, str], Counter[_Facts]]) -> tuple[str, str, str]:
    return found[0]


def _settle_common(found: _Found, result: References, own: str) -> None:
    """Keep the index of references; what stands nowhere else is a reference all the same."""
    if not found.common:
        return
    result.common = frozenset(found.common.keys() - {own})
    elsewhere = {uid for edge, _, uid in found.facts if edge == "REFERENCES"}
    for uid in sorted(result.common - elsewhere):
        found.add("REFERENCES", OTHER_REFERENCE, uid, found.common[uid])


def _visit(
    found: _Found, stack: tuple[Item, ...], branch: Branch, path: tuple[str, ...],
    series: str | None, number: int = 0,
) -> None:
    """Look at the item on top of the stack; `number` is that of the outermost one, from 1."""
    item = stack[-1]
    if path:
        if "SeriesInstanceUID" in item:
            series = first_text(item, "SeriesInstanceUID") or series
        if series and (uid := first_text(item, "ReferencedSOPInstanceUID")):
            found.placements.setdefault(uid, set()).add(series)
        _unknown(found, stack, branch, path)
    for keyword, rows in branch.leaves.items():
        if keyword in item and (row := _row(rows, item)):
            if row.missing == "hub_node":
                _shared(found, item, row, keyword)
            elif row.missing == "property":
                _note(found, row, first_text(item, keyword))
            elif (row.edge in EDGES or row.role == "COMMON_REFERENCE") and (
                    uid := first_text(item, keyword)):
                _stated(found, stack, row, uid, path, number)
    for name, children in item.items():
        if isinstance(children, list) and name not in CODES:
            below = branch.below.get(name, _NOWHERE)
            way = (*path, name)
            for at, child in enumerate(children, 1):
                if below is not _NOWHERE or _may_refer(child):
                    _visit(found, (*stack, child), below, way, series, number or at)


_NOWHERE = Branch()


def _may_refer(item: Item) -> bool:
    """Tell whether an item that the table does not know holds a reference, or items that may."""
    return "ReferencedSOPInstanceUID" in item or "SeriesInstanceUID" in item or any(
        type(v) is list for v in item.values())


def _row(rows: list[Reference], item: Item) -> Reference | None:
    """Choose the row; content items with a UID are told apart by the code of their concept."""
    if len(rows) == 1:
        return rows[0]
    concepts = {c.partition("^")[2] for c in codes(item, "ConceptNameCodeSequence")}
    return next((r for r in rows if r.path_id.rpartition(".")[2] in concepts), None)


def _note(found: _Found, row: Reference, uid: str) -> None:
    if len(uid) > LONGEST_UID:
        found.too_long.add(row.path[-1])
    elif uid:
        found.noted.add((row.role, uid))


def _shared(found: _Found, item: Item, row: Reference, keyword: str) -> None:
    """Note the shared nodes of an attribute; those that a part states are for its own rule."""
    if row.start not in _STARTS:
        return
    for uid in filter(None, text_of(item, keyword).split("\\")):
        uid = uid.strip()
        if len(uid) > LONGEST_UID:
            found.too_long.add(keyword)
        elif uid:
            found.links.add(shared_link(row, "", "", uid))


def shared_link(row: Reference, label: str, source: str, uid: str) -> Link:
    """Return the edge of a row to a shared node, from a part or, with "", from the object."""
    values = (("role", row.role),) if row.edge in ("STATES_UID", "PART_OF_STEP") else ()
    start = label or ("Series" if row.start == "series" else "")
    return Link(row.edge, start, source, HUBS[row.target_level].label, uid, values)


def _stated(
    found: _Found, stack: tuple[Item, ...], row: Reference, uid: str, path: tuple[str, ...],
    number: int,
) -> None:
    item = stack[-1]
    sop_class = _stated_class(item)
    if row.target_level == "instance" and sop_class and not is_stored(sop_class):
        return
    if row.role == "COMMON_REFERENCE":
        found.common.setdefault(uid, _Facts(
            "FALLBACK_INSTANCE", sop_class, (("path", ">".join(path)),)))
        return
    role = row.role
    qualifiers = of_item(stack, row, number)
    if row.edge != "REFERENCES":
        qualifiers = tuple(pair for pair in qualifiers if pair[0] == "purpose")
    if row.role_from in refinements():
        relationship = first_text(item, row.role_from or "")[:LONGEST_RAW].upper() or None
        refined = refinements()[row.role_from or ""]
        role = refined.get(relationship or "", refined["other"])
        if relationship:
            qualifiers = (*qualifiers, ("relationship", relationship))
    found.add(row.edge, role, uid, _Facts(row.path_id, sop_class, qualifiers))


def _stated_class(item: Item) -> str | None:
    return first_text(item, "ReferencedSOPClassUID")[:LONGEST_UID] or None


def _unknown(
    found: _Found, stack: tuple[Item, ...], branch: Branch, path: tuple[str, ...]
) -> None:
    item = stack[-1]
    uid = series = ""
    if "ReferencedSOPInstanceUID" not in branch.leaves:
        uid = first_text(item, "ReferencedSOPInstanceUID")
    if "SeriesInstanceUID" not in branch.leaves:
        series = first_text(item, "SeriesInstanceUID")
    if uid:
        sop_class = _stated_class(item)
        if sop_class is None or is_stored(sop_class):
            found.add("REFERENCES", OTHER_REFERENCE, uid, _Facts(
                "FALLBACK_INSTANCE", sop_class,
                (*of_item(stack, None, 0), ("path", ">".join(path)))))
    if series:
        found.add("REFERENCES_SERIES", OTHER_SERIES_REFERENCE, series, _Facts("FALLBACK_SERIES"))


def _target(
    edge: str, role: str, uid: str, facts: Counter[_Facts], more: Pairs
) -> Target:
    if len(facts) == 1:
        ((one, n),) = facts.items()
        pairs = _ordered((*one.qualifiers, *more)) if more else one.qualifiers
        return Target(edge, role, uid, one.path_id, one.stated_sop_class, n, pairs)
    return Target(
        edge, role, uid,
        path_id=min(f.path_id for f in facts),
        stated_sop_class=min((f.stated_sop_class for f in facts if f.stated_sop_class),
                             default=None),
        n=facts.total(),
        qualifiers=_ordered((*merged(f.qualifiers for f in facts), *more)),
    )


_ORDER = {p.name: i for i, p in enumerate(QUALIFIERS)}


def _ordered(pairs: Pairs) -> Pairs:
    return tuple(sorted(pairs, key=_by_place))


def _by_place(pair: tuple[str, Any]) -> int:
    return _ORDER[pair[0]]

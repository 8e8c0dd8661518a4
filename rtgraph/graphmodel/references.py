"""The reference table: every way one DICOM object points at another, as frozen rows.

`references.json` is the single declaration. The walker of `ingest`, the roles in the graph and
the docs are made from it; nobody writes extraction code for a reference.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

OTHER_REFERENCE = "OTHER_REFERENCE"
NESTED_CONTENT = "ContentSequence*"
# Attributes of an item that narrow its reference, and the property of the edge that keeps them.
NUMBERS = {
    "ReferencedFrameNumber": "frames",
    "ReferencedSegmentNumber": "segments",
    "ReferencedROINumber": "roi_numbers",
    "ReferencedBeamNumber": "beam_numbers",
    "BeamNumber": "beam_numbers",
    "ReferencedBrachyApplicationSetupNumber": "setup_numbers",
    "ApplicationSetupNumber": "setup_numbers",
    "ReferencedFractionGroupNumber": "fraction_groups",
    "FractionGroupNumber": "fraction_groups",
    "ReferencedStartControlPointIndex": "control_points",
    "ReferencedStopControlPointIndex": "control_points",
}
CODES = {
    "PurposeOfReferenceCodeSequence": "purpose",
    "DerivationCodeSequence": "derivation",
    "ConceptNameCodeSequence": "concept",
}
TEXTS = {"DoseSummationType": "summation"}
# Sequences below an item that holds such numbers.
_GROUPS = {
    "ReferencedBeamSequence": ("ReferencedBeamNumber",),
    "ReferencedBrachyApplicationSetupSequence": ("ReferencedBrachyApplicationSetupNumber",),
    "ReferencedFractionGroupSequence": (
        "ReferencedFractionGroupNumber", "ReferencedBeamSequence>ReferencedBeamNumber",
        "ReferencedBeamSequence>ReferencedControlPointSequence>ReferencedStartControlPointIndex",
        "ReferencedBeamSequence>ReferencedControlPointSequence>ReferencedStopControlPointIndex",
        "ReferencedBrachyApplicationSetupSequence>ReferencedBrachyApplicationSetupNumber"),
}
# Where the items are numbered on the edge: those of a registration.
ITEMIZED = frozenset({"RegistrationSequence", "DeformableRegistrationSequence"})


@dataclass(frozen=True, slots=True)
class Qualifier:
    """Where a property of an edge stands: so many items up, then down to an attribute."""

    name: str
    up: int
    below: tuple[str, ...]
    keyword: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One way a DICOM object points at another: a row of `paths` in `references.json`.

    `narrowed_by` is what the edge keeps of `qualifiers`; attributes without a property are left
    out. `is_itemized` tells whether it keeps the numbers of the items that refer.
    """

    path_id: str
    role: str
    role_from: str | None
    path: tuple[str, ...]
    qualifiers: tuple[str, ...]
    source_sop_classes: frozenset[str]
    expected_targets: tuple[str, ...]
    target_level: str
    edge: str
    start: str | None
    lift: str
    missing: str
    tier: int
    narrowed_by: tuple[Qualifier, ...]
    is_itemized: bool


def _narrowed_by(qualifiers: Iterable[str]) -> tuple[Qualifier, ...]:
    known = NUMBERS | CODES | TEXTS
    found = []
    for text in qualifiers:
        *ups, keyword = text.split("/")
        for way in _GROUPS.get(keyword, ("",)):
            *below, leaf = (keyword, *way.split(">")) if way else (keyword,)
            if leaf in known:
                found.append(Qualifier(known[leaf], len(ups), tuple(below), leaf))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Role:
    """The policy of a role: severity and silence when its target is missing, allowed targets."""

    role: str
    severity: str
    quiet: bool
    targets: tuple[str, ...]


@dataclass(slots=True)
class Branch:
    """A node of the prefix tree of paths: sequences below it and UIDs that refer."""

    below: dict[str, "Branch"] = field(default_factory=dict)
    leaves: dict[str, list[Reference]] = field(default_factory=dict)


def table_text() -> str:
    """Return the table as it stands in the package."""
    return files("rtgraph.graphmodel").joinpath("references.json").read_text(encoding="utf-8")


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(table_text())
    return document


@cache
def references() -> tuple[Reference, ...]:
    """Return all rows of the table."""
    return tuple(
        Reference(
            path_id=p["id"],
            role=p["role"],
            role_from=p["role_from"],
            path=tuple(p["path"]),
            qualifiers=tuple(p["qualifiers"]),
            source_sop_classes=frozenset(p["source_sop_classes"]),
            expected_targets=tuple(p["expected_targets"]),
            target_level=p["target_level"],
            edge=p["edge"],
            start=p["from"],
            lift=p["lift"],
            missing=p["missing"],
            tier=p["tier"],
            narrowed_by=_narrowed_by(p["qualifiers"]),
            is_itemized=p["path"][0] in ITEMIZED,
        )
        for p in _document()["paths"]
    )


@cache
def roles() -> tuple[Role, ...]:
    """Return the policy of each role that an edge can carry."""
    return tuple(
        Role(r["role"], r["severity"], r["quiet"], tuple(r["targets"]))
        for r in _document()["roles"]
    )


@cache
def refinements() -> dict[str, dict[str, str]]:
    """Return, by refining attribute, which value makes which role; `other` is the rest."""
    refined: dict[str, dict[str, str]] = _document()["meta"]["relation_refinement"]
    return {"RTPlanRelationship": refined["RTPlanRelationship"]}


@cache
def paths() -> dict[str, tuple[str, ...]]:
    """Return the path of each row of the table by its id: keywords from the root to the UID."""
    return {r.path_id: r.path for r in references()}


@cache
def _modules() -> dict[str, tuple[str, ...]]:
    return {p["id"]: tuple(p["modules"]) for p in _document()["paths"]}


def modules(path_id: str) -> tuple[str, ...]:
    """Return the modules of the Standard that hold a path; none for an id that is not known."""
    return _modules().get(path_id, ())


@cache
def locating_roles() -> frozenset[str]:
    """Return the roles that only locate images: lifted when nothing else links the series."""
    return frozenset(r.role for r in references() if r.lift == "if_alone")


@lru_cache(512)  # a file may state any class
def tree(sop_class: str) -> Branch:
    """Return the prefix tree of the paths that objects of `sop_class` may hold.

    A `ContentSequence*` step is a branch that has itself as its own ContentSequence, so that one
    branch stands for any depth of content items. A class that the table does not know gets the
    paths that mean the same in every class; what else it refers to becomes OTHER_REFERENCE.
    """
    root = Branch()
    for row in [r for r in references() if sop_class in r.source_sop_classes] or _unambiguous():
        _plant(root, row)
    return root


def _unambiguous() -> list[Reference]:
    by_path: dict[tuple[str, ...], list[Reference]] = {}
    for row in references():
        if row.source_sop_classes:
            by_path.setdefault(row.path, []).append(row)
    return [rows[0] for rows in by_path.values() if len({r.role for r in rows}) == 1]


def _plant(root: Branch, row: Reference) -> None:
    branch = root
    for step in row.path[:-1]:
        nested = step == NESTED_CONTENT
        branch = branch.below.setdefault("ContentSequence" if nested else step, Branch())
        if nested:
            branch.below.setdefault("ContentSequence", branch)
    branch.leaves.setdefault(row.path[-1], []).append(row)

"""The graph schema as a graph: labels in groups, and what each relationship type joins.

All of it comes from the declarations of `rtgraph.graphmodel`; here stands only which objects and
sequences the parts come from, which no declaration says.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from rtgraph.graphmodel.families import FAMILIES, FAMILY_LABELS
from rtgraph.graphmodel.nodes import NODE_TYPES, NodeType
from rtgraph.graphmodel.parts import PARTS
from rtgraph.graphmodel.references import Reference, references
from rtgraph.graphmodel.relationships import OF_PARTS, RELATIONSHIP_TYPES, RelationshipType
from rtgraph.graphmodel.shared import HUBS, SHARED

# Families whose objects hold the parts, and the sequences with one item for each part.
PART_ITEMS = {
    "ROI": ("RTStruct", "StructureSetROISequence"),
    "Beam": ("RTPlan", "BeamSequence IonBeamSequence"),
    "FractionGroup": ("RTPlan", "FractionGroupSequence"),
    "DoseReference": ("RTPlan", "DoseReferenceSequence"),
    "ApplicationSetup": ("RTPlan", "ApplicationSetupSequence"),
    "DVH": ("RTDose", "DVHSequence"),
    "BeamDelivery": ("RTRecord", "TreatmentSessionBeamSequence TreatmentSessionIonBeamSequence "
                                 "TreatmentSessionApplicationSetupSequence"),
    "Transform": ("Registration RTStruct",
                  "RegistrationSequence DeformableRegistrationSequence "
                  "ReferencedFrameOfReferenceSequence>FrameOfReferenceRelationshipSequence"),
    "Segment": ("Segmentation", "SegmentSequence"),
    "Prescription": ("RTIntent", "RTPrescriptionSequence"),
}
# Where the edge of a row of the reference table starts, by its word for it.
STARTS = {"instance": "Instance", "by_source": "Instance", "series": "Series", "roi": "ROI",
          "segment": "Segment", "dose_reference": "DoseReference",
          "frame_of_reference": "FrameOfReference"}
SERIES_OF_IMAGES = "Series of image objects"
_HIERARCHY = ("Patient", "Study", "Series", "Instance")
_FRAMES = ("FrameOfReference",)
_SHARED_TOO = ("Equipment", "StandardName")
_LABEL = re.compile(r"\b[A-Z]\w+")


def groups() -> dict[str, list[NodeType]]:
    """Return the node types by group; what is in no other is administration."""
    of = dict.fromkeys(_HIERARCHY, "hierarchy")
    of |= dict.fromkeys(_FRAMES, "frames")
    of |= {part.label: "parts" for part in PARTS}
    of |= dict.fromkeys((*(s.label for s in SHARED), *_SHARED_TOO), "shared")
    found: dict[str, list[NodeType]] = {
        name: [] for name in ("hierarchy", "parts", "frames", "shared", "administration")}
    for kind in NODE_TYPES:
        found[of.get(kind.label, "administration")].append(kind)
    return found


def owners(part: str) -> list[str]:
    """Return the families whose objects hold a kind of part."""
    return PART_ITEMS[part][0].split()


def item_sequences(part: str) -> list[tuple[str, ...]]:
    """Return the paths of the sequences with one item for each part."""
    return [tuple(path.split(">")) for path in PART_ITEMS[part][1].split()]


@dataclass(frozen=True)
class Net:
    """What a relationship type joins: any of the sources to any of the targets.

    `by_series` tells that series stand for their image objects as sources.
    """

    name: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    derived: bool = False
    by_series: bool = False


def nets() -> list[Net]:
    """Return what each relationship type joins, one net a type; those between any are left out.

    Raises
    ------
    ValueError
        The ends of a type are not `labels to labels` with known labels.
    """
    return [_net(kind) for kind in RELATIONSHIP_TYPES if kind not in loose()]


def loose() -> list[RelationshipType]:
    """Return the relationship types that join any nodes."""
    return [kind for kind in RELATIONSHIP_TYPES if re.search(r"\bany\b", kind.ends)]


def _net(kind: RelationshipType) -> Net:
    sources: list[str] = []
    targets: list[str] = []
    for clause in kind.ends.replace(SERIES_OF_IMAGES, "").split(";"):
        start, to, end = clause.partition(" to ")
        if not to:
            raise ValueError(f"{kind.name}: {kind.ends!r} is no `labels to labels`")
        sources += _labels(kind, start)
        targets += _labels(kind, end)
    if kind.name in OF_PARTS:
        sources = owners(targets[0])
    if rows := shared_rows(kind.name):
        sources = [STARTS[row.start or ""] for row in rows]
        targets = [HUBS[row.target_level].label for row in rows]
    return Net(kind.name, tuple(dict.fromkeys(sources)), tuple(dict.fromkeys(targets)),
               kind.derived, SERIES_OF_IMAGES in kind.ends)


def _labels(kind: RelationshipType, text: str) -> list[str]:
    known = {n.label for n in NODE_TYPES} | set(FAMILY_LABELS)
    found = _LABEL.findall(text)
    if unknown := [label for label in found if label not in known]:
        raise ValueError(f"{kind.name}: there is no label {unknown[0]}")
    return found


def shared_rows(edge: str | None = None) -> list[Reference]:
    """Return the rows of the reference table that lead to shared nodes, by an edge or by any."""
    return [row for row in references()
            if row.missing == "hub_node" and edge in (None, row.edge)]


def family_boxes() -> dict[str, list[str]]:
    """Return the further labels of each family by the label that all of its kind have.

    CTImage stands below Image, RTIonPlan below RTPlan.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for family in FAMILIES:
        if family.labels:
            first, *more = family.labels
            found[first] += [label for label in more if label not in found[first]]
    return dict(found)


def used(names: Iterable[Net]) -> set[str]:
    """Return the labels that some net joins."""
    return {label for net in names for label in (*net.sources, *net.targets)}

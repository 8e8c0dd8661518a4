"""RT Structure Set: ROIs with their contours and observations (PS3.3 C.8.8.5, C.8.8.6, C.8.8.8)."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from rtgraph.graphmodel.parts import ROI
from rtgraph.graphmodel.properties import stated
from rtgraph.ingest.draft import Draft
from rtgraph.ingest.families.registration import legacy_transforms
from rtgraph.ingest.items import CODE, Item, cached_read, first_text, items, number
from rtgraph.ingest.moments import combined
from rtgraph.ingest.normalise import LONGEST_TEXT, LONGEST_UID
from rtgraph.ingest.segments import SOURCES, sources
from rtgraph.text import file_name

_SET, _CONTOURS, _OBSERVATIONS = (
    "StructureSetROISequence", "ROIContourSequence", "RTROIObservationsSequence")
_TARGETS = frozenset({"GTV", "CTV", "PTV"})
_CODES = ("RTROIIdentificationCodeSequence", "SegmentedPropertyCategoryCodeSequence",
          "AnatomicRegionSequence", "PrimaryAnatomicStructureSequence",
          "TherapeuticRoleCategoryCodeSequence", "TherapeuticRoleTypeCodeSequence")
# A density that overrides that of the image, the preferred one first (PS3.3 C.8.8.8.1).
_DENSITIES = ("REL_ELEC_DENSITY", "REL_MASS_DENSITY")
(_VALUE,) = stated("ROIPhysicalPropertyValue")
(_POINTS,) = stated("NumberOfContourPoints")
NEEDED: tuple[tuple[str, ...], ...] = (
    (_CONTOURS, "ReferencedROINumber"),
    (_CONTOURS, "ContourSequence", "ContourGeometricType"),
    (_CONTOURS, "ContourSequence", "NumberOfContourPoints"),
    *((_SET, "DefinitionSourceSequence", name) for name in SOURCES),
    (_OBSERVATIONS, "ReferencedROINumber"),
    (_OBSERVATIONS, "ROIPhysicalPropertiesSequence", "ROIPhysicalProperty"),
    (_OBSERVATIONS, "ROIPhysicalPropertiesSequence", "ROIPhysicalPropertyValue"),
    (_OBSERVATIONS, "RTRelatedROISequence", "ReferencedROINumber"),
    (_OBSERVATIONS, "RTRelatedROISequence", "RTROIRelationship"),
    *((_OBSERVATIONS, sequence, leaf) for sequence in _CODES for leaf in CODE),
)


def structure_set(draft: Draft) -> None:
    """Add the ROIs and what the set says as a whole."""
    item = draft.item
    rois = items(item, _SET)
    numbers = [number(roi, "ROINumber") for roi in rois]
    contours, observations = (
        _by_number(items(item, name)) for name in (_CONTOURS, _OBSERVATIONS))
    known = {n for n in numbers if n is not None}
    names = [draft.text(roi, "ROIName")[:LONGEST_TEXT] for roi in rois]
    kinds = [_kind(observations.get(n, ())) if n is not None else "" for n in numbers]
    drawn = _Drawn.of_all(contours, draft)
    suffixes: dict[int, str] = {}
    for index, (roi, named) in enumerate(zip(rois, numbers, strict=True), 1):
        # of several ROIs with one number the first has the contours, so that none is counted twice
        if named is None or named in suffixes:
            _roi(draft, roi, index, (), _Drawn())
        else:
            suffixes[named] = _roi(draft, roi, index, observations.get(named, ()),
                                   drawn.get(named, _Drawn()))
    _relations(draft, observations, suffixes)
    legacy_transforms(draft)
    draft.facts |= {
        "n_rois": len(rois),
        "n_rois_with_contours": sum(
            1 for n in known if any(items(c, "ContourSequence") for c in contours.get(n, ()))),
        "roi_names": names or None,
        "target_names": [n for n, kind in zip(names, kinds, strict=True) if kind in _TARGETS],
        "duplicate_roi_numbers": sorted(
            n for n, times in Counter(numbers).items() if times > 1 and n is not None),
        "orphan_observations": sorted(observations.keys() - known),
        "orphan_contours": sorted(contours.keys() - known),
        "listed_series": _listed_series(item),
        "n_frames_of_reference": len({
            f for r in items(item, "ReferencedFrameOfReferenceSequence")
            if (f := first_text(r, "FrameOfReferenceUID"))}),
        "structure_set_datetime": combined(
            draft.facts.get("StructureSetDate"), draft.facts.get("StructureSetTime")),
    }


def _by_number(found: Sequence[Item]) -> dict[int, list[Item]]:
    grouped: dict[int, list[Item]] = defaultdict(list)
    for one in found:
        named = number(one, "ReferencedROINumber")
        if named is not None:
            grouped[named].append(one)
    return grouped


def _kind(observations: Sequence[Item]) -> str:
    return next((k for o in observations
                 if (k := first_text(o, "RTROIInterpretedType").upper())), "")


@dataclass(slots=True)
class _Drawn:
    """What the contours of one ROI are, without their points."""

    contours: int = 0
    points: int = 0
    kinds: set[str] = field(default_factory=set)
    images: set[str] = field(default_factory=set)
    by_series: Counter[str] = field(default_factory=Counter)
    images_by_series: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of_all(cls, contours: Mapping[int, Sequence[Item]], draft: Draft) -> "dict[int, _Drawn]":
        """Count the contours of every ROI."""
        found: dict[int, _Drawn] = {}
        for named, sequences in contours.items():
            one = found[named] = cls()
            for contour in (c for s in sequences for c in items(s, "ContourSequence")):
                one._add(contour, draft)
        return found

    def _add(self, contour: Item, draft: Draft) -> None:
        self.contours += 1
        points = contour.get("NumberOfContourPoints")
        self.points += _points(*points) if isinstance(points, tuple) else 0
        if kind := first_text(contour, "ContourGeometricType").upper():
            self.kinds.add(kind)
        series = set()
        for image in items(contour, "ContourImageSequence"):
            if uid := first_text(image, "ReferencedSOPInstanceUID"):
                self.images.add(uid)
                for placed in draft.references.placements.get(uid, ()):
                    self.images_by_series[placed].add(uid)
                    series.add(placed)
        self.by_series.update(series)


@lru_cache(4096)
def _points(vr: str, raw: bytes) -> int:
    value = cached_read(raw, vr or _POINTS.vr, _POINTS, ()).value
    return max(value, 0) if isinstance(value, int) else 0


def _roi(draft: Draft, roi: Item, index: int, observations: Sequence[Item], drawn: _Drawn) -> str:
    name = draft.text(roi, "ROIName")
    observed = [draft.stated(ROI, o, _OBSERVATIONS) for o in observations]
    codes = draft.codes(observations, *_CODES)
    suffix = draft.part(
        ROI, roi, index, (_SET,),
        **{name: value for o in reversed(observed) for name, value in o.items()},
        name_norm=normalised(name), name_file=file_name(name) or None,
        n_observations=len(observations), n_contours=drawn.contours,
        n_images=len(drawn.images), n_points=drawn.points,
        contour_types=sorted(drawn.kinds), physical_density=_density(draft, observations),
        codes=sorted({key for _, key in codes}), derived_from=sources(roi) or None)
    draft.link_codes(("ROI", suffix), codes)
    frame = first_text(roi, "ReferencedFrameOfReferenceUID")
    if frame and len(frame) <= LONGEST_UID and frame != draft.facts.get("frame_uid"):
        draft.link("DEFINED_IN", ("ROI", suffix), ("FrameOfReference", frame))
    for series, n in sorted(drawn.by_series.items()):
        draft.link("CONTOURED_ON", ("ROI", suffix), ("Series", series), n_contours=n,
                   n_images=len(drawn.images_by_series[series]))
    return suffix


def _density(draft: Draft, observations: Sequence[Item]) -> float | None:
    found: dict[str, float] = {}
    for observation in observations:
        for one in items(observation, "ROIPhysicalPropertiesSequence"):
            value = draft.value(one, _VALUE)
            if isinstance(value, float):
                found.setdefault(first_text(one, "ROIPhysicalProperty").upper(), value)
    return next((found[name] for name in _DENSITIES if name in found), None)


def _relations(
    draft: Draft, observations: Mapping[int, Sequence[Item]], suffixes: Mapping[int, str]
) -> None:
    """Link the ROIs that observations call related."""
    for named, found in observations.items():
        for related in (r for o in found for r in items(o, "RTRelatedROISequence")):
            other = number(related, "ReferencedROINumber")
            if named in suffixes and other is not None and other in suffixes:
                kind = first_text(related, "RTROIRelationship").upper()
                draft.link("RELATED_ROI", ("ROI", suffixes[named]), ("ROI", suffixes[other]),
                           relationship=kind or "UNKNOWN")


def _listed_series(item: Item) -> list[str]:
    found = {
        uid for frame in items(item, "ReferencedFrameOfReferenceSequence")
        for study in items(frame, "RTReferencedStudySequence")
        for series in items(study, "RTReferencedSeriesSequence")
        if (uid := first_text(series, "SeriesInstanceUID")) and len(uid) <= LONGEST_UID}
    return sorted(found)


def normalised(name: str) -> str | None:
    """Return a ROI name for lookups: without case, blanks collapsed; None when it is empty."""
    return " ".join(name.casefold().split()) or None

"""ROIs of a structure set (PS3.3 C.8.8.5, C.8.8.6, C.8.8.8): names, contours, sources."""

import unicodedata
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from tests.data.items import code, item, ref
from tests.data.rt import SEG, STRUCT, links, made, parts, read, the_part
from tests.data.small import uid

SEEDED = settings(max_examples=100, deadline=None, derandomize=True, database=None)
SERIES, OTHER = uid("images"), uid("other images")
FRAME = uid("frame")


def roi(number: object, name: object = "PTV", **elements: Any) -> Dataset:
    return item(ROINumber=number, ROIName=name, **elements)


def contour(*images: str, points: object = 4, kind: str | None = "CLOSED_PLANAR") -> Dataset:
    return item(ContourGeometricType=kind, NumberOfContourPoints=points,
                ContourImageSequence=[ref(i) for i in images] or None,
                ContourData=["1", "2", "3"])


def contours(number: object, *drawn: Dataset) -> Dataset:
    return item(ReferencedROINumber=number, ContourSequence=list(drawn) or None)


def observation(number: object, kind: str | None = None, **elements: Any) -> Dataset:
    return item(ObservationNumber=1, ReferencedROINumber=number, RTROIInterpretedType=kind,
                **elements)


def listed(**series: Sequence[str]) -> list[Dataset]:
    """Return ReferencedFrameOfReferenceSequence with the images of some series."""
    found = [item(SeriesInstanceUID=uid(name), ContourImageSequence=[ref(i) for i in images])
             for name, images in series.items()]
    study = ref(uid("study"), "1.2.840.10008.3.1.2.3.1", RTReferencedSeriesSequence=found)
    return [item(FrameOfReferenceUID=FRAME, RTReferencedStudySequence=[study])]


def structure_set(
    rois: Sequence[Dataset] = (), drawn: Sequence[Dataset] = (),
    observed: Sequence[Dataset] = (), **elements: Any,
) -> Dataset:
    return made(STRUCT, "structures", StructureSetROISequence=list(rois),
                ROIContourSequence=list(drawn), RTROIObservationsSequence=list(observed),
                **elements)


# --- names ---------------------------------------------------------------------------------------

NAMES: list[tuple[str, object, str | None, str | None]] = [
    # name                    ROIName                normalised           for a file
    ("plain",                 "Bladder",             "bladder",           "bladder"),
    ("blanks",                " Spinal  Cord ",      "spinal cord",       "spinal__cord"),
    ("as TG-263",             "Femur_Head_L",        "femur_head_l",      "femur_head_l"),
    ("minus and point",       "PTV-54.5",            "ptv-54.5",          "ptv-54.5"),
    ("signs of a path",       "PTV/CTV:1*",          "ptv/ctv:1*",        "ptv_ctv_1_"),
    ("backslash",             b"a\\b",               "a",                 "a"),
    ("plus and brackets",     "GTV+5mm (old)",       "gtv+5mm (old)",     "gtv_5mm__old_"),
    ("ends in points",        "Bolus...",            "bolus...",          "bolus"),
    ("points alone",          "...",                 "...",               None),
    ("letters of Europe",     "Müller-Größe",        "müller-grösse",     "müller-grösse"),
    ("parts of a letter",     "Mu\u0308ll",          "m\u00fcll",         "m\u00fcll"),
    ("Greek",                 "Σ",                   "σ",                 "σ"),
    ("Chinese",               "膀胱 1",               "膀胱 1",             "膀胱_1"),
    ("too long for a file",   "x" * 63 + ".yz",      "x" * 63 + ".yz",    "x" * 63),
    ("64 characters",         "y" * 64,              "y" * 64,            "y" * 64),
    ("empty",                 "",                    None,                None),
    ("not stated",            None,                  None,                None),
]


@pytest.mark.parametrize(
    ("name", "normalised", "file"), [n[1:] for n in NAMES], ids=[n[0] for n in NAMES])
def test_names(name: object, normalised: str | None, file: str | None) -> None:
    found = the_part(read(structure_set([roi(1, name)])), "ROI").values
    assert (found.get("name_norm"), found.get("name_file")) == (normalised, file)


@SEEDED
@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\\"),
               min_size=1, max_size=40))
def test_any_name_may_stand_in_a_file_name(name: str) -> None:
    found = the_part(read(structure_set([roi(1, name)])), "ROI").values
    file = found.get("name_file")
    if file is not None:
        assert 0 < len(file) <= 64
        assert not file.endswith(".")
        assert not set(file) & set('/\\:*?"<>| \t\n')
        assert unicodedata.normalize("NFC", file).casefold() == file.casefold()
    if (norm := found.get("name_norm")) is not None:
        assert norm == " ".join(norm.split())


# --- contours ------------------------------------------------------------------------------------

def test_contours_are_counted() -> None:
    found = read(structure_set(
        [roi(1), roi(2, "Marker"), roi(3, "Empty"), roi(4, "Nothing")],
        [contours(1, contour("1.2.1", points=10), contour("1.2.1", points=6),
                  contour("1.2.2", points=5)),
         contours(2, contour(points=1, kind="POINT"), contour("1.2.9", points=b"x", kind=None),
                  contour(points=-3, kind="OPEN_PLANAR")),
         contours(3)],
        ReferencedFrameOfReferenceSequence=listed(images=["1.2.1", "1.2.2", "1.2.3"])))
    names = ("n_contours", "n_images", "n_points", "contour_types")
    assert {s: tuple(v[n] for n in names) for s, v in parts(found, "ROI").items()} == {
        "#1": (3, 2, 21, ["CLOSED_PLANAR"]), "#2": (3, 1, 1, ["OPEN_PLANAR", "POINT"]),
        "#3": (0, 0, 0, []), "#4": (0, 0, 0, [])}
    assert links(found, "CONTOURED_ON") == {("#1", SERIES, 3, 2)}
    of_set = found.values["Instance"]
    assert (of_set["n_rois"], of_set["n_rois_with_contours"]) == (4, 2)


def test_contours_on_two_series() -> None:
    found = read(structure_set(
        [roi(1)],
        [contours(1, contour("1.2.1"), contour("1.2.1"), contour("1.3.1"),
                  contour("1.2.2", "1.3.2"))],
        ReferencedFrameOfReferenceSequence=listed(
            **{"images": ["1.2.1", "1.2.2"], "other images": ["1.3.1", "1.3.2"]})))
    assert links(found, "CONTOURED_ON") == {("#1", SERIES, 3, 2), ("#1", OTHER, 2, 2)}
    assert found.values["Instance"]["listed_series"] == sorted([SERIES, OTHER])


@SEEDED
@given(st.permutations(range(8)))
def test_the_order_of_contours_does_not_matter(order: list[int]) -> None:
    drawn = [contour(f"1.2.{n % 5}", points=3 + n) for n in range(8)]
    images = listed(images=[f"1.2.{n}" for n in range(5)])
    straight, mixed = (
        read(structure_set([roi(1)], [contours(1, *(drawn[n] for n in numbers))],
                           ReferencedFrameOfReferenceSequence=images))
        for numbers in (range(8), order))
    assert parts(mixed, "ROI") == parts(straight, "ROI")
    assert links(mixed, "CONTOURED_ON") == links(straight, "CONTOURED_ON") == {
        ("#1", SERIES, 8, 5)}
    assert parts(mixed, "ROI")["#1"]["n_points"] == sum(range(3, 11))


# --- numbers that do not fit ---------------------------------------------------------------------

def test_numbers_that_are_repeated_or_name_nothing() -> None:
    found = read(structure_set(
        [roi(1, "a"), roi(1, "b"), roi(2, "c"), roi(None, "d")],
        [contours(1, contour()), contours(7, contour()), contours(None, contour())],
        [observation(1, "PTV"), observation(8), observation(8), observation(None)]))
    rois = parts(found, "ROI")
    assert {s: (v["ROIName"], v["n_contours"], v["n_observations"]) for s, v in rois.items()} == {
        "#1": ("a", 1, 1), "#1.2": ("b", 0, 0), "#2": ("c", 0, 0), "#?4": ("d", 0, 0)}
    of_set = found.values["Instance"]
    assert {n: of_set[n] for n in (
        "duplicate_roi_numbers", "orphan_contours", "orphan_observations", "n_rois",
        "roi_names", "n_rois_with_contours")} == {
        "duplicate_roi_numbers": [1], "orphan_contours": [7], "orphan_observations": [8],
        "n_rois": 4, "roi_names": ["a", "b", "c", "d"], "n_rois_with_contours": 1}


# --- observations --------------------------------------------------------------------------------

def test_what_observations_say() -> None:
    found = read(structure_set(
        [roi(1, "PTV 60"), roi(2, "Liver"), roi(3, "GTV"), roi(4, "Ring")],
        observed=[
            observation(1, "PTV", ROIObservationLabel="first"),
            observation(1, "CTV", ROIObservationLabel="second"), observation(2, "ORGAN"),
            observation(3, None), observation(3, "GTV"),
            observation(4, None, ROIObservationLabel="made")]))
    assert {s: (v.get("RTROIInterpretedType"), v.get("ROIObservationLabel"), v["n_observations"])
            for s, v in parts(found, "ROI").items()} == {
        "#1": ("PTV", "first", 2), "#2": ("ORGAN", None, 1), "#3": ("GTV", None, 2),
        "#4": (None, "made", 1)}
    assert found.values["Instance"]["target_names"] == ["PTV 60", "GTV"]


def density(*properties: tuple[str, object]) -> Dataset:
    return observation(1, ROIPhysicalPropertiesSequence=[
        item(ROIPhysicalProperty=name, ROIPhysicalPropertyValue=value)
        for name, value in properties])


DENSITIES: list[tuple[str, float | None, list[Dataset]]] = [
    # name                          density     observations
    ("of electrons",                1.1,   [density(("REL_ELEC_DENSITY", "1.1"))]),
    ("of mass",                     0.9,   [density(("REL_MASS_DENSITY", "0.9"))]),
    ("electrons before mass",       1.1,   [density(("REL_MASS_DENSITY", "0.9"),
                                                    ("REL_ELEC_DENSITY", "1.1"))]),
    ("in two observations",         1.1,   [density(("REL_MASS_DENSITY", "0.9")),
                                            density(("REL_ELEC_DENSITY", "1.1"))]),
    ("the first of two",            1.1,   [density(("REL_ELEC_DENSITY", "1.1"),
                                                    ("REL_ELEC_DENSITY", "1.2"))]),
    ("air",                         0.0,   [density(("REL_ELEC_DENSITY", "0"))]),
    ("another property",            None,  [density(("EFFECTIVE_Z", "7.4"))]),
    ("no number",                   None,  [density(("REL_ELEC_DENSITY", b"water"))]),
    ("none",                        None,  [observation(1)]),
]


@pytest.mark.parametrize(
    ("expected", "observed"), [d[1:] for d in DENSITIES], ids=[d[0] for d in DENSITIES])
def test_density(expected: float | None, observed: list[Dataset]) -> None:
    found = the_part(read(structure_set([roi(1)], observed=observed)), "ROI").values
    assert found.get("physical_density") == expected


def test_codes_and_related_rois() -> None:
    found = read(structure_set(
        [roi(1), roi(2, "CTV"), roi(3, "Liver")],
        observed=[
            observation(1, RTROIIdentificationCodeSequence=[code("10200004", "SCT", "Liver")],
                        RTRelatedROISequence=[
                            item(ReferencedROINumber=2, RTROIRelationship="ENCLOSED"),
                            item(ReferencedROINumber=3), item(ReferencedROINumber=9)]),
            observation(1, AnatomicRegionSequence=[
                code("10200004", "SCT", "Liver"), code("T-D4000", "SRT")])]))
    assert parts(found, "ROI")["#1"]["codes"] == ["SCT^10200004", "SRT^T-D4000"]
    assert links(found, "CODED_AS") == {
        ("#1", "SCT^10200004", "RTROIIdentificationCodeSequence", "Liver"),
        ("#1", "SCT^10200004", "AnatomicRegionSequence", "Liver"),
        ("#1", "SRT^T-D4000", "AnatomicRegionSequence", "meaning")}
    assert links(found, "RELATED_ROI") == {("#1", "#2", "ENCLOSED"), ("#1", "#3", "UNKNOWN")}


# --- frames and sources --------------------------------------------------------------------------

FRAMES: list[tuple[str, set[str], str | None, Dataset]] = [
    # name                          defined in              frame of the set     ROI
    ("the frame of the set",        set(),                  "frame",  roi(
        1, ReferencedFrameOfReferenceUID=FRAME)),
    ("another frame",               {uid("second")},        "frame",  roi(
        1, ReferencedFrameOfReferenceUID=uid("second"))),
    ("the set states none",         {FRAME},                None,     roi(
        1, ReferencedFrameOfReferenceUID=FRAME)),
    ("not stated",                  set(),                  "frame",  roi(1)),
    ("far too long",                set(),                  "frame",  roi(
        1, ReferencedFrameOfReferenceUID="1." * 200)),
]


@pytest.mark.parametrize(
    ("expected", "frame", "one"), [f[1:] for f in FRAMES], ids=[f[0] for f in FRAMES])
def test_defined_in(expected: set[str], frame: str | None, one: Dataset) -> None:
    ds = made(STRUCT, "structures", of={"frame": frame}, StructureSetROISequence=[one])
    assert {target for _, target in links(read(ds), "DEFINED_IN")} == expected


SOURCES: list[tuple[str, Any, list[Dataset]]] = [
    # name                       keys                      DefinitionSourceSequence
    ("segments",                 ["1.2.7#S1", "1.2.7#S2"],  [
        ref("1.2.7", SEG, ReferencedSegmentNumber=[2, 1])]),
    ("a ROI",                    ["1.2.8#5"],               [
        ref("1.2.8", STRUCT, ReferencedROINumber=5)]),
    ("a fiducial",               ["1.2.9.1"],               [
        ref("1.2.9", "1.2.840.10008.5.1.4.1.1.66.2", ReferencedFiducialUID="1.2.9.1")]),
    ("several, one twice",       ["1.2.7#S1", "1.2.8#5"],   [
        ref("1.2.8", STRUCT, ReferencedROINumber=5), ref("1.2.7", SEG, ReferencedSegmentNumber=1),
        ref("1.2.8", STRUCT, ReferencedROINumber=5)]),
    ("an object as a whole",     None,                      [ref("1.2.7", SEG)]),
    ("a number without object",  None,                      [item(ReferencedROINumber=5)]),
    ("none",                     None,                      []),
]


@pytest.mark.parametrize(
    ("expected", "sources"), [s[1:] for s in SOURCES], ids=[s[0] for s in SOURCES])
@pytest.mark.parametrize("kind", ["ROI", "Segment"])
def test_sources(expected: Any, sources: list[Dataset], kind: str) -> None:
    ds = structure_set([roi(1, DefinitionSourceSequence=sources)]) if kind == "ROI" else made(
        SEG, "segments", SegmentSequence=[
            item(SegmentNumber=1, DefinitionSourceSequence=sources)])
    assert the_part(read(ds), kind).values.get("derived_from") == expected


def test_the_set_as_a_whole() -> None:
    frames = [*listed(images=["1.2.1"]), item(FrameOfReferenceUID=uid("second")),
              item(FrameOfReferenceUID=FRAME), item()]
    found = read(structure_set(
        ReferencedFrameOfReferenceSequence=frames, StructureSetLabel="Pelvis",
        StructureSetDate="20240205")).values["Instance"]
    assert (found["n_rois"], found["n_frames_of_reference"], found["listed_series"]) == (
        0, 2, [SERIES])
    assert found["structure_set_datetime"].isoformat() == "2024-02-05T00:00:00"
    assert found.get("frame_uid") is None  # of several frames none is chosen

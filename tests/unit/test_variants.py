"""What the slices of a series state alike, free text that may name a patient, age in years."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from tests.data.items import item
from tests.data.rt import CT, DOSE, PLAN, PT, STRUCT, facts, made, read
from tests.data.small import encoded, with_value

SEEDED = settings(max_examples=60, deadline=None, derandomize=True, database=None)
SLICE: Mapping[str, Any] = {
    "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"], "Rows": 512, "Columns": 512,
    "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "AcquisitionNumber": 1,
    "RescaleSlope": "1", "RescaleIntercept": "-1024", "RescaleType": "HU",
    "PatientBirthDate": "19500102", "PatientSex": "O", "InstanceNumber": 1,
    "ImagePositionPatient": ["0", "0", "0"]}


IMAGE = encoded(made(CT, "image", **SLICE))


def variant(sop_class: str = CT, **changed: Any) -> str:
    return read(made(sop_class, "image", **{**SLICE, **changed})).variant


# --- variants ------------------------------------------------------------------------------------

CHANGES: list[tuple[str, bool, dict[str, Any]]] = [
    # name                         alike    what the second slice states otherwise
    ("nothing",                    True,    {}),
    ("the place of the slice",     True,    {"ImagePositionPatient": ["0", "0", "3"],
                                             "InstanceNumber": 2}),
    ("more digits",                True,    {
        "RescaleSlope": "1.000", "RescaleIntercept": "-1.024e3",
        "ImageOrientationPatient": ["1.0000", "0", "0", "0", "1.0", "0"]}),
    ("noise of orientation",       True,    {"ImageOrientationPatient": [
        "1", "0.0001", "0", "0", "1", "0"]}),
    ("orientation",                False,   {"ImageOrientationPatient": [
        "1", "0", "0", "0", "0", "-1"]}),
    ("rows",                       False,   {"Rows": 256}),
    ("columns",                    False,   {"Columns": 256}),
    ("a localizer",                False,   {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}),
    ("the acquisition",            False,   {"AcquisitionNumber": 2}),
    ("the slope",                  False,   {"RescaleSlope": "2"}),
    ("the intercept",              False,   {"RescaleIntercept": "0"}),
    ("the type of rescale",        False,   {"RescaleType": "US"}),
    ("no rescale",                 False,   {"RescaleSlope": None}),
    ("birth date",                 False,   {"PatientBirthDate": "19500103"}),
    ("sex",                        False,   {"PatientSex": "F"}),
    ("name",                       False,   {"PatientName": "OTHER^ONE"}),
    ("the case of a name",         True,    {"PatientName": "small^one"}),
]


@pytest.mark.parametrize(
    ("alike", "changed"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_slices_that_are_alike_are_one_variant(alike: bool, changed: dict[str, Any]) -> None:
    assert (variant(**changed) == variant()) is alike


def test_the_slope_of_pt_varies_from_slice_to_slice() -> None:
    assert variant(PT, RescaleSlope="0.5") == variant(PT, RescaleSlope="0.7")
    assert variant(PT, RescaleSlope="0.5") != variant(PT, RescaleSlope=None)


def test_private_elements_are_counted() -> None:
    ds = made(CT, "image", **SLICE)
    block = ds.private_block(0x0029, "RTGRAPH TEST", create=True)
    block.add_new(1, "LO", "a")
    block.add_new(2, "LO", "b")
    fields = read(ds).variant.split("|")
    assert fields[4] == "3"  # and the creator
    assert variant().split("|")[4] == "0"


def test_a_variant_is_fields_behind_their_hash() -> None:
    fields = variant(PatientName="BAR|BAR^ONE", PatientSex="a|b").split("|")
    assert len(fields) == 10
    assert len(fields[0]) == 8
    assert fields[1:3] == ["1950-01-02", "A B"]
    assert fields[4:] == ["0", "1.000,0.000,0.000,0.000,1.000,0.000", "512x512", "", "1",
                          "1,-1024,HU"]


def test_names_are_digests_unless_they_are_kept() -> None:
    ds = made(CT, "image", PatientName="CANARY^ANNE")
    hidden, kept = read(ds), read(ds, names=True)
    assert "canary" not in repr((hidden.variant, hidden.values))
    assert kept.variant.split("|")[3] == "canary^anne"
    assert len(hidden.variant.split("|")[3]) == 16


@SEEDED
@given(st.dictionaries(st.sampled_from((
    "ImageType", "AcquisitionNumber", "RescaleSlope", "RescaleIntercept", "RescaleType",
    "PatientSex", "PatientBirthDate", "PatientName", "ImageOrientationPatient")),
    st.binary(max_size=12)))
def test_any_bytes_make_ten_fields(elements: dict[str, bytes]) -> None:
    raw = IMAGE
    for keyword, value in elements.items():
        raw = with_value(raw, keyword, value)
    assert len(read(raw).variant.split("|")) == 10


# --- suspect text --------------------------------------------------------------------------------

TEXTS: list[tuple[str, bool, str]] = [
    # name                            suspect   text
    ("date",                          True,     "20231231"),
    ("date in words",                 True,     "Plan 20231231 new"),
    ("date behind letters",           True,     "CT20231231"),
    ("date and time",                 True,     "export 20231231123045"),
    ("date_time",                     True,     "20231231_1230"),
    ("with hyphens",                  True,     "2023-12-31"),
    ("with points",                   True,     "31.12.2023"),
    ("without zeros",                 True,     "CT 1.2.2023"),
    ("American",                      True,     "12/31/2023"),
    ("short year",                    True,     "CT 31.12.23"),
    ("American, short year",          True,     "12-31-23"),
    ("at the end of a sentence",      True,     "seen on 31.12.2023."),
    ("name of a month",               True,     "12 JAN 2024"),
    ("month without blanks",          True,     "CT_12Jan24"),
    ("month in full",                 True,     "3-september-2023"),
    ("family name",                   True,     "Plan Mustermann"),
    ("in lower case",                 True,     "mustermann_boost"),
    ("given name",                    True,     "for Anneliese"),
    ("with an accent",                True,     "Müstermánn"),
    ("dose",                          False,    "PTV 54.0"),
    ("dose levels",                   False,    "PTV 66/60/54"),
    ("dose levels in Gy",             False,    "25/10/12 Gy"),
    ("dose with fractions",           False,    "70.0/2.0/35"),
    ("dose in cGy",                   False,    "PTV_5040"),
    ("version",                       False,    "Eclipse v15.6.05"),
    ("version of a plan",             False,    "V10.02.12"),
    ("version in four parts",         False,    "16.01.10.3"),
    ("a UID",                         False,    "1.2.840.10008.12.01.2020.7"),
    ("a year",                        False,    "Protocol 2023"),
    ("month and year",                False,    "12/2023"),
    ("no month",                      False,    "20231331"),
    ("no day",                        False,    "31.32.2023"),
    ("eight digits",                  False,    "12345678"),
    ("a longer number",               False,    "120231231"),
    ("a word like a month",           False,    "3 separate 10"),
    ("part of a longer word",         False,    "Mustermanns"),
    ("a short part of the name",      False,    "Max dose"),
    ("empty",                         False,    ""),
]


@pytest.mark.parametrize(("expected", "text"), [t[1:] for t in TEXTS], ids=[t[0] for t in TEXTS])
def test_suspect_text(expected: bool, text: str) -> None:
    found = facts(made(
        PLAN, "plan", PatientName="Mustermann^Max Anneliese", RTPlanLabel=text))
    assert found["suspect_text"] == (["RTPlanLabel"] if expected else [])


DATE = "20231231"
PLACES: list[tuple[str, list[str] | None, Dataset]] = [
    # name                        keywords                      object
    ("series and study",          ["SeriesDescription", "StudyDescription"],
     made(PLAN, SeriesDescription=DATE, StudyDescription=DATE)),
    ("a comment",                 ["DoseComment"],              made(DOSE, DoseComment=DATE)),
    ("the name of a ROI",         ["ROIName"],                  made(
        STRUCT, StructureSetROISequence=[item(ROINumber=1, ROIName="PTV"),
                                         item(ROINumber=2, ROIName=f"PTV {DATE}")])),
    ("several in parts",          ["ROIDescription", "ROIObservationLabel"],  made(
        STRUCT, StructureSetROISequence=[item(ROINumber=1, ROIDescription=DATE)],
        RTROIObservationsSequence=[item(ReferencedROINumber=1, ROIObservationLabel=DATE)])),
    ("a beam",                    ["BeamName"],                 made(
        PLAN, BeamSequence=[item(BeamNumber=1, BeamName=DATE, TreatmentMachineName=DATE)])),
    ("an image",                  ["SeriesDescription"],        made(CT, SeriesDescription=DATE)),
    ("an image with none",        None,                         made(CT)),
    ("identifiers, equipment",    [],                           made(
        PLAN, StudyID=DATE, AccessionNumber=DATE, PatientID=DATE, StationName=DATE,
        SoftwareVersions=DATE)),
    ("dates where they belong",   [],                           made(PLAN, RTPlanDate=DATE)),
]


@pytest.mark.parametrize(
    ("expected", "ds"), [p[1:] for p in PLACES], ids=[p[0] for p in PLACES])
def test_where_text_is_looked_at(expected: list[str] | None, ds: Dataset) -> None:
    assert facts(ds).get("suspect_text") == expected


# --- age -----------------------------------------------------------------------------------------

AGES: list[tuple[str, float | None, object, object, object]] = [
    # name                          years     birth date   study date   PatientAge
    ("on a birthday",               18,       "20060205",  "20240205",  None),
    ("the day before",              17.997,   "20060205",  "20240204",  None),
    ("half a year later",           18.5,     "20060205",  "20240806",  None),
    ("newborn",                     0,        "20240205",  "20240205",  None),
    ("a week old",                  0.019,    "20240129",  "20240205",  None),
    ("born on 29 February",         23.997,   "20000229",  "20240228",  None),
    ("its day in a leap year",      24,       "20000229",  "20240229",  None),
    ("its day in another year",     23,       "20000229",  "20230301",  None),
    ("dates go before PatientAge",  18,       "20060205",  "20240205",  "045Y"),
    ("years",                       45,       None,        "20240205",  "045Y"),
    ("months",                      1.5,      None,        "20240205",  "018M"),
    ("weeks",                       1.916,    None,        "20240205",  "100W"),
    ("days",                        0.027,    None,        None,        "010D"),
    ("born after the study",        45,       "20300101",  "20240205",  "045Y"),
    ("no study date",               45,       "19790101",  None,        "045Y"),
    ("a placeholder of birth",      45,       "19000101",  "20240205",  "045Y"),
    ("the end of all dates",        8039.997, "19600101",  "99991231",  None),
    ("an age that is none",         None,     None,        "20240205",  b"45Y"),
    ("nothing",                     None,     None,        None,        None),
]


@pytest.mark.parametrize(("expected", "birth", "day", "age"), [a[1:] for a in AGES],
                         ids=[a[0] for a in AGES])
def test_age(expected: float | None, birth: object, day: object, age: object) -> None:
    ds = made(CT, "image")
    for keyword in ("PatientBirthDate", "StudyDate"):
        delattr(ds, keyword)
    stated: dict[str, Any] = {"PatientBirthDate": birth, "StudyDate": day, "PatientAge": age}
    ds.update(item(**stated))
    found = read(ds).values["Study"].get("patient_age_years")
    assert found == (expected if expected is None else pytest.approx(expected, abs=0.0011))
    assert found is None or isinstance(found, float)

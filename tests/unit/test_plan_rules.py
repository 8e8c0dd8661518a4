"""What a plan says as a whole, its parts and the links between them: made by hand."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from tests.data.items import item
from tests.data.rt import (
    beam,
    dose_reference,
    facts,
    group,
    ion_beam,
    ion_plan,
    links,
    parts,
    plan,
    point,
    read,
    the_part,
)

SEEDED = settings(max_examples=40, deadline=None, derandomize=True, database=None)
TARGET, ORGAN = "TARGET", "ORGAN_AT_RISK"
ALL_TWO = ((1, 1.2, 100), (2, 0.8, 80))


# --- prescription --------------------------------------------------------------------------------

PRESCRIPTIONS: list[tuple[str, tuple[Any, ...], Sequence[Dataset], Sequence[Dataset]]] = [
    # name                         dose, source, a fraction     dose references, fraction groups
    ("one target",                 (60, "DOSE_REFERENCE", 2),   [dose_reference(TARGET, 60)],
     [group(30, *ALL_TWO)]),
    ("the largest of two targets", (70, "DOSE_REFERENCE", 2),
     [dose_reference(TARGET, 56), dose_reference(TARGET, 70, 2)], [group(35)]),
    ("an organ does not count",    (56, "DOSE_REFERENCE", 2),
     [dose_reference(ORGAN, 70), dose_reference(TARGET, 56, 2)], [group(28)]),
    ("beams alone",                (50, "BEAM_DOSE", 2),        [],  [group(25, *ALL_TWO)]),
    ("a target without a dose",    (50, "BEAM_DOSE", 2),        [dose_reference(TARGET)],
     [group(25, *ALL_TWO)]),
    ("a target of 0 Gy",           (50, "BEAM_DOSE", 2),        [dose_reference(TARGET, 0)],
     [group(25, *ALL_TWO)]),
    ("a dose that is no number",   (50, "BEAM_DOSE", 2),        [dose_reference(TARGET, b"60Gy")],
     [group(25, *ALL_TWO)]),
    ("beams of two groups",        (60, "BEAM_DOSE", None),     [],
     [group(25, *ALL_TWO), group(5, (1, 2, 150), number=2)]),
    ("target and two groups",      (66, "DOSE_REFERENCE", None), [dose_reference(TARGET, 66)],
     [group(25), group(8, number=2)]),
    ("fractions not stated",       (60, "DOSE_REFERENCE", None), [dose_reference(TARGET, 60)],
     [group(None, *ALL_TWO)]),
    ("no fractions planned",       (60, "DOSE_REFERENCE", None), [dose_reference(TARGET, 60)],
     [group(0, *ALL_TWO)]),
    ("beams, fractions not stated", (None, "NONE", None),       [],  [group(None, *ALL_TWO)]),
    ("beams without a dose",       (None, "NONE", None),        [],  [group(25, (1, None, 100))]),
    ("no groups",                  (20, "DOSE_REFERENCE", None), [dose_reference(TARGET, 20)], []),
    ("nothing",                    (None, "NONE", None),        [],  []),
]


@pytest.mark.parametrize(("expected", "references", "groups"), [p[1:] for p in PRESCRIPTIONS],
                         ids=[p[0] for p in PRESCRIPTIONS])
def test_prescription(
    expected: tuple[Any, ...], references: Sequence[Dataset], groups: Sequence[Dataset]
) -> None:
    found = facts(plan(beam(number=1), beam(number=2), DoseReferenceSequence=list(references),
                       FractionGroupSequence=list(groups)))
    dose, source, each = (found.get(n) for n in (
        "prescription_dose_gy", "prescription_source", "dose_per_fraction_gy"))
    assert source == expected[1]
    assert (dose, each) == (pytest.approx(expected[0]), pytest.approx(expected[2]))


# --- meterset ------------------------------------------------------------------------------------

UNITS = {1: "MU", 2: "MU", 3: "MINUTE", 4: "NP", 5: None}
METERSETS: list[tuple[str, float | None, Sequence[Dataset]]] = [
    # name                          MU     fraction groups
    ("monitor units",               180.5, [group(25, (1, None, 100), (2, None, 80.5))]),
    ("minutes do not count",        100,   [group(25, (1, None, 100), (3, None, 2))]),
    ("particles do not count",      100,   [group(25, (1, None, 100), (4, None, 9e6))]),
    ("no unit, no monitor units",   100,   [group(25, (1, None, 100), (5, None, 70))]),
    ("other units alone",           None,  [group(25, (3, None, 2))]),
    ("no meterset",                 None,  [group(25, (1, 2, None))]),
    ("a beam that is not there",    100,   [group(25, (1, None, 100), (9, None, 50))]),
    ("two groups",                  250,   [group(25, (1, None, 100)), group(5, (2, None, 150))]),
]


@pytest.mark.parametrize(
    ("expected", "groups"), [m[1:] for m in METERSETS], ids=[m[0] for m in METERSETS])
def test_total_mu(expected: float | None, groups: Sequence[Dataset]) -> None:
    beams = [beam(number=n, PrimaryDosimeterUnit=unit) for n, unit in UNITS.items()]
    found = facts(plan(*beams, FractionGroupSequence=list(groups)))
    assert found.get("total_mu") == pytest.approx(expected)


# --- what the beams say together -----------------------------------------------------------------

def test_beams_together() -> None:
    found = facts(plan(
        beam(point(NominalBeamEnergy="6", IsocenterPosition=["0", "-10.5", "20"]), point(),
             number=1, TreatmentMachineName="LINAC2",
             PrimaryFluenceModeSequence=[item(FluenceMode="NON_STANDARD", FluenceModeID="FFF")]),
        beam(point(), point(NominalBeamEnergy="15", IsocenterPosition=["0", "-10.5", "20"]),
             number=2, TreatmentMachineName="LINAC1",
             PrimaryFluenceModeSequence=[item(FluenceMode="STANDARD")]),
        beam(point(NominalBeamEnergy="9", IsocenterPosition=["5", "0", "0"]), number=3,
             radiation="ELECTRON", TreatmentDeliveryType="TREATMENT"),
        beam(point(NominalBeamEnergy="2.5", IsocenterPosition=["1", "1", "1"]), number=4,
             TreatmentDeliveryType="SETUP", TreatmentMachineName="LINAC3"),
        beam(number=5, TreatmentDeliveryType="OPEN_PORTFILM"),
        PatientSetupSequence=[item(PatientSetupNumber=n, PatientPosition=p)
                              for n, p in ((1, "HFS"), (2, "FFS"), (3, "HFS"), (4, None))],
        FractionGroupSequence=[group(20), group(5, number=2)],
        RTPlanDate="20240205", RTPlanTime="0930"))
    assert {n: found.get(n) for n in (
        "n_beams", "n_treatment_beams", "n_setup_beams", "n_fraction_groups",
        "n_fractions_planned", "n_application_setups")} == {
        "n_beams": 5, "n_treatment_beams": 3, "n_setup_beams": 1, "n_fraction_groups": 2,
        "n_fractions_planned": 25, "n_application_setups": 0}
    assert found["radiation_types"] == ["ELECTRON", "PHOTON"]
    assert found["nominal_energies"] == [6, 9, 15]
    assert found["fluence_modes"] == ["NON_STANDARD FFF", "STANDARD"]
    assert found["machines"] == ["LINAC1", "LINAC2", "LINAC3"]
    assert found["patient_positions"] == ["FFS", "HFS"]
    assert found["isocenters"] == [0, -10.5, 20, 5, 0, 0]
    assert found["plan_datetime"].isoformat() == "2024-02-05T09:30:00"
    assert found["duplicate_numbers"] == []


ENERGIES: list[tuple[str, tuple[Any, ...], list[Any]]] = [
    # name                              of the beam, of the plan   at each control point
    ("one energy",                      (6, [6]),                  [6, None, None]),
    ("from the second point",           (10, [10]),                [None, 10]),
    ("it changes",                      (6, [6, 10]),              [6, None, 10, 6]),
    ("none",                            (None, []),                [None, None]),
    ("one that is no number",           (6, [6]),                  [b"6X", 6]),
]


@pytest.mark.parametrize(
    ("expected", "energies"), [e[1:] for e in ENERGIES], ids=[e[0] for e in ENERGIES])
def test_energies(expected: tuple[Any, ...], energies: list[Any]) -> None:
    found = read(plan(beam(*(point(NominalBeamEnergy=e) for e in energies))))
    of_beam = the_part(found, "Beam").values
    assert of_beam.get("NominalBeamEnergy") == expected[0]
    assert found.values["Instance"]["nominal_energies"] == expected[1]
    assert "beam_energy_min" not in of_beam


def test_energies_of_ions() -> None:
    layers = [point(NominalBeamEnergy=e) for e in ("178.25", None, "90.5", "120")]
    found = read(ion_plan(ion_beam(*layers, ScanMode="MODULATED")))
    of_beam = the_part(found, "Beam").values
    assert [of_beam[n] for n in ("NominalBeamEnergy", "beam_energy_min", "beam_energy_max")] == [
        178.25, 90.5, 178.25]
    assert found.values["Instance"]["nominal_energies"] == [90.5, 120, 178.25]
    assert found.values["Instance"]["radiation_types"] == ["PROTON"]


# --- parts and links -----------------------------------------------------------------------------

def test_beam_states_the_first_value_of_its_control_points() -> None:
    first = point(BeamLimitingDeviceAngle="10", PatientSupportAngle=b"x")
    later = point(BeamLimitingDeviceAngle="20", PatientSupportAngle="350",
                  IsocenterPosition=["1", "2", "3"])
    found = the_part(read(plan(beam(
        first, later, number=7, BeamName="Arc", NumberOfWedges=0, SourceAxisDistance="1000",
        FinalCumulativeMetersetWeight="1",
        ReferencedBolusSequence=[item(ReferencedROINumber=n) for n in (9, 4, 9, None)]))), "Beam")
    assert found.suffix == "#B7"
    assert {n: found.values.get(n) for n in (
        "BeamNumber", "BeamName", "BeamLimitingDeviceAngle", "PatientSupportAngle",
        "IsocenterPosition", "NumberOfWedges", "SourceAxisDistance", "roi_refs")} == {
        "BeamNumber": 7, "BeamName": "Arc", "BeamLimitingDeviceAngle": 10,
        "PatientSupportAngle": 350, "IsocenterPosition": [1, 2, 3], "NumberOfWedges": 0,
        "SourceAxisDistance": 1000, "roi_refs": ["BOLUS:4", "BOLUS:9"]}


def test_fraction_groups_include_beams_and_name_dose_references() -> None:
    found = read(plan(
        beam(number=1, ReferencedDoseReferenceSequence=[item(ReferencedDoseReferenceNumber=2)]),
        beam(number=2, ReferencedDoseReferenceSequence=[item(ReferencedDoseReferenceNumber=9)]),
        DoseReferenceSequence=[
            dose_reference(TARGET, 60, 1, DoseReferenceUID="1.2.77"),
            dose_reference(ORGAN, None, 2)],
        FractionGroupSequence=[
            group(30, *ALL_TWO, (8, 1, 1), (6, 1, 1)),
            item(FractionGroupNumber=2, ReferencedBeamSequence=[
                item(ReferencedBeamNumber=1, ReferencedDoseReferenceUID="1.2.77")],
                 ReferencedDoseReferenceSequence=[item(ReferencedDoseReferenceNumber=2)])]))
    assert links(found, "INCLUDES_BEAM") == {
        ("#F1", "#B1", 1.2, 100), ("#F1", "#B2", 0.8, 80), ("#F2", "#B1")}
    assert links(found, "FOR_DOSE_REFERENCE") == {("#B1", "#D2"), ("#F2", "#D1"), ("#F2", "#D2")}
    groups = parts(found, "FractionGroup")
    assert [groups[g]["unresolved_beam_numbers"] for g in ("#F1", "#F2")] == [[6, 8], []]
    assert groups["#F1"]["unresolved_setup_numbers"] == []


def test_application_setups() -> None:
    channels = [
        item(ChannelNumber=1, ReferencedSourceNumber=2, ReferencedROINumber=11,
             ChannelShieldSequence=[item(ReferencedROINumber=12)]),
        item(ChannelNumber=2, ReferencedSourceNumber=1, ReferencedROINumber=11)]
    found = read(plan(
        BrachyTreatmentType="HDR", BrachyTreatmentTechnique="INTRACAVITARY",
        SourceSequence=[item(SourceNumber=n, SourceIsotopeName=isotope) for n, isotope in (
            (1, "Ir-192"), (2, "Co-60"), (3, "Cs-137"))],
        ApplicationSetupSequence=[item(
            ApplicationSetupNumber=3, ApplicationSetupType="FLETCHER_SUIT",
            TotalReferenceAirKerma="4500", ChannelSequence=channels,
            BrachyAccessoryDeviceSequence=[item(ReferencedROINumber=13)])],
        FractionGroupSequence=[item(
            FractionGroupNumber=1, ReferencedBrachyApplicationSetupSequence=[
                item(ReferencedBrachyApplicationSetupNumber=3, BrachyApplicationSetupDose="7"),
                item(ReferencedBrachyApplicationSetupNumber=4)])]))
    setup = the_part(found, "ApplicationSetup")
    assert setup.suffix == "#A3"
    assert setup.values == {
        "ApplicationSetupNumber": 3, "ApplicationSetupType": "FLETCHER_SUIT",
        "TotalReferenceAirKerma": 4500, "BrachyTreatmentType": "HDR",
        "BrachyTreatmentTechnique": "INTRACAVITARY", "n_channels": 2,
        "source_isotopes": ["Co-60", "Ir-192"],
        "roi_refs": ["ACCESSORY:13", "CHANNEL:11", "SHIELD:12"]}
    assert links(found, "INCLUDES_SETUP") == {("#F1", "#A3", 7)}
    assert the_part(found, "FractionGroup").values["unresolved_setup_numbers"] == [4]
    assert found.values["Instance"]["n_application_setups"] == 1


def test_numbers_that_are_repeated_or_missing_lose_nothing() -> None:
    found = read(plan(
        beam(number=1, BeamName="a"), beam(number=1, BeamName="b"), beam(number=None, BeamName="c"),
        DoseReferenceSequence=[dose_reference(TARGET, 60, 5), dose_reference(TARGET, 50, 5)],
        FractionGroupSequence=[group(30, (1, 2, 100))]))
    assert {s: v["BeamName"] for s, v in parts(found, "Beam").items()} == {
        "#B1": "a", "#B1.2": "b", "#B?3": "c"}
    assert parts(found, "DoseReference").keys() == {"#D5", "#D5.2"}
    assert found.values["Instance"]["duplicate_numbers"] == ["Beam:1", "DoseReference:5"]
    assert links(found, "INCLUDES_BEAM") == {("#F1", "#B1", 2, 100)}


@SEEDED
@given(st.permutations(range(1, 6)))
def test_the_order_of_beams_changes_nothing_but_their_place(order: list[int]) -> None:
    def of(numbers: Sequence[int]) -> Dataset:
        return plan(
            *(beam(point(n, NominalBeamEnergy=str(n)), number=n, PrimaryDosimeterUnit="MU",
                   TreatmentMachineName=f"LINAC{n % 2}") for n in numbers),
            FractionGroupSequence=[group(10, *((n, n, 10 * n) for n in numbers))])

    straight, mixed = read(of(range(1, 6))), read(of(order))
    of_plan = mixed.values["Instance"]
    assert of_plan == straight.values["Instance"]
    assert (of_plan["total_mu"], of_plan["prescription_dose_gy"]) == (150, 150)
    assert parts(mixed, "Beam") == parts(straight, "Beam")
    assert links(mixed, "INCLUDES_BEAM") == links(straight, "INCLUDES_BEAM")
    assert [p.index for p in mixed.parts if p.label == "Beam"] == [1, 2, 3, 4, 5]

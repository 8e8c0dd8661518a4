"""Conditions on files: paths into sequences, private elements, and what is opened."""

from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence

from rtgraph.demo.objects import save
from rtgraph.errors import UnknownName, UsageError
from rtgraph.ingest.discover import Roots
from rtgraph.ingest.wherefile import filter_files, fits, parse_condition
from tests.data.small import new


def item(**elements: object) -> Dataset:
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def plan() -> Dataset:
    """A plan with two beams of 6 and 10 MV, the second with another gantry angle later."""
    ds = item(Modality="RTPLAN", RTPlanDate="20240301", RTPlanTime="083000")
    ds.BeamSequence = Sequence([
        item(BeamNumber=1, BeamName="AP", ControlPointSequence=Sequence([
            item(NominalBeamEnergy="6", GantryAngle="0"), item(GantryAngle="179.9")])),
        item(BeamNumber=2, BeamName="PA", ControlPointSequence=Sequence([
            item(NominalBeamEnergy="10", GantryAngle="180.1")])),
    ])
    ds.DoseReferenceSequence = Sequence([])
    block = ds.private_block(0x0029, "VENDOR", create=True)
    block.add_new(0x10, "DS", "5.5")
    return ds


BEAM = "BeamSequence[{}].ControlPointSequence[{}].{}"
CASES = [
    # condition                                          fits
    (BEAM.format("*", "0", "NominalBeamEnergy>=10"),     True),
    (BEAM.format("all", "0", "NominalBeamEnergy>=10"),   False),
    (BEAM.format("all", "0", "NominalBeamEnergy>=6"),    True),
    (BEAM.format("0", "0", "NominalBeamEnergy>=10"),     False),
    (BEAM.format("1", "0", "NominalBeamEnergy>=10"),     True),
    (BEAM.format("7", "0", "NominalBeamEnergy>=10"),     False),
    (BEAM.format("*", "*", "GantryAngle>180"),           True),
    (BEAM.format("*", "all", "GantryAngle<180"),         True),
    (BEAM.format("all", "all", "GantryAngle<180"),       False),
    (BEAM.format("*", "1", "NominalBeamEnergy"),         False),
    ("!" + BEAM.format("0", "1", "NominalBeamEnergy"),   True),
    ("BeamSequence.BeamName=A?",                         True),
    ("BeamSequence.BeamName~=pa",                        True),
    ("BeamSequence[all].BeamName~/^.A|A.$/",             True),
    ("BeamSequence[all].BeamName!=AP",                   False),
    ("BeamSequence.BeamName!=AP",                        True),
    ("BeamSequence.BeamNumber=1,2",                      True),
    ("BeamSequence",                                     True),
    ("!BeamSequence",                                    False),
    ("DoseReferenceSequence",                            False),
    ("!DoseReferenceSequence",                           True),
    ("DoseReferenceSequence[all].DoseReferenceNumber=1", False),
    ("!ToleranceTableSequence",                          True),
    ("!ToleranceTableSequence[0].ToleranceTableNumber",  True),
    ("RTPlanDate=2024",                                  True),
    ("RTPlanDate>2024-03-01",                            False),
    ("RTPlanTime=08:00..09:00",                          True),
    ("(300A,0006)=20240301",                             True),
    ('(0029,xx10 "VENDOR")>5',                           True),
    ('(0029,xx10"VENDOR")>6',                            False),
    ('(0029,xx10 "OTHER")',                              False),
    ('!(0029,xx10 "OTHER")',                             True),
    ('(0029,xx10 "VENDOR")=abc',                         False),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[c[0] for c in CASES])
def test_conditions_on_a_data_set(text: str, expected: bool) -> None:
    assert fits(plan(), parse_condition(text)) is expected


@pytest.mark.parametrize(("text", "hint"), [
    ("BeamSequenc[*].BeamName=A", "Did you mean BeamSequence?"), ("[0]=1", "Example"),
    ("BeamSequence=1", "in its items"), ("BeamSequence.BeamNumber=x", "Examples"),
    ("(0029,1010)=1", "CREATOR"), ("(3333,0000)=1", "CREATOR"), ("(0008,9999)=1", "Example"),
    ("BeamSequence[first].BeamName=A", "Examples"), ("!BeamSequence.BeamName=A", "Example"),
    ("", "Example"),
])
def test_mistakes(text: str, hint: str) -> None:
    with pytest.raises((UsageError, UnknownName)) as raised:
        parse_condition(text)
    assert hint in raised.value.hint


def test_files_are_opened_once_and_bad_ones_counted(tmp_path: Path) -> None:
    for k in range(40):
        save(new(f"o{k}", InstanceNumber=k), tmp_path / f"{k}.dcm")
    (tmp_path / "bad.dcm").write_bytes(b"")
    paths = [f"r:{k}.dcm" for k in range(40)] + ["r:1.dcm", "r:bad.dcm", "r:gone.dcm", "x:1.dcm"]
    told: list[tuple[int, int]] = []
    for jobs in (1, 2):
        found = filter_files(paths, Roots({"r": str(tmp_path)}),
                             [parse_condition("InstanceNumber>=38")], jobs=jobs,
                             progress=lambda done, of: told.append((done, of)))
        assert found.fitting == {"r:38.dcm", "r:39.dcm"}
        assert found.opened == 42
        assert found.unreadable == 2
    assert told[-1] == (42, 42)

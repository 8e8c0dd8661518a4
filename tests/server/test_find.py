"""`find` on a real server against plain Python: every operator, for both of its truth values."""

import json
from collections.abc import Callable, Iterator
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest

from rtgraph.cypher.find import search
from rtgraph.demo.manifest import Manifest
from rtgraph.ingest.derive import derive
from tests.server.conftest import Call, TestGraph
from tests.server.test_queries import COHORT

pytestmark = pytest.mark.server
LEVELS = {"patient": ("Patient", "patient_key"), "study": ("Study", "StudyInstanceUID"),
          "series": ("Series", "SeriesInstanceUID"), "instance": ("Instance", "SOPInstanceUID")}
TODAY = date(2024, 3, 10)
Value = Any


@pytest.fixture(scope="module")
def cohort(session_graph: TestGraph) -> Iterator[TestGraph]:
    session_graph.wipe()
    session_graph.write(COHORT)
    session_graph.run(derive(session_graph.store))
    yield session_graph
    session_graph.wipe()


@pytest.fixture
def graph(cohort: TestGraph) -> TestGraph:
    return cohort


def found(graph: TestGraph, level: str, *conditions: str, without: tuple[str, ...] = ()
          ) -> list[str]:
    asked = search(level, conditions, without, today=TODAY)
    return [r[LEVELS[level][1]] for r in graph.read(asked.statement, **asked.parameters)]


def values(graph: TestGraph, level: str, attribute: str) -> dict[str, Value]:
    """The value of each node that is there, read without any condition."""
    label, key = LEVELS[level]
    rows = graph.read(f"MATCH (n:{label}) WHERE NOT n:Missing RETURN n.{key} AS k, "
                      f"n.{attribute} AS v")
    return {r["k"]: r["v"] for r in rows}


OPERATORS: list[tuple[str, str, str, str | None, Callable[[Value], bool]]] = [
    # level, attribute, condition after the attribute, its negation, the same in Python
    ("series", "Modality", "=CT", "!=CT", lambda v: v == "CT"),
    ("series", "Modality", "=CT,MR", "!=CT,MR", lambda v: v in ("CT", "MR")),
    ("series", "Modality", "=RT*", "!=RT*", lambda v: v.startswith("RT")),
    ("series", "Modality", "=RTD???,MR", "!=RTD???,MR", lambda v: v in ("RTDOSE", "MR")),
    ("series", "Modality", "=RT*,CT", "!=RT*,CT", lambda v: v[:2] in ("RT", "CT")),
    ("series", "SeriesDescription", "~=CT PELVIS", "!~=CT PELVIS",
     lambda v: v is not None and v.lower() == "ct pelvis"),
    ("series", "SeriesDescription", "~=ct*", "!~=ct*",
     lambda v: v is not None and v.lower().startswith("ct")),
    ("series", "SeriesDescription", "*=pel", "!*=pel", lambda v: v is not None and "pel" in v),
    ("series", "SeriesDescription", "~/^ct .*s$/i", "!~/^ct .*s$/i",
     lambda v: v is not None and v.lower() == "ct pelvis"),
    ("series", "SeriesDescription", "~T2", "!~T2", lambda v: v is not None and "T2" in v),
    ("series", "SeriesDescription", "", None, lambda v: v is not None),
    ("study", "StudyDescription", "=Pelvis^(+)", "!=Pelvis^(+)", lambda v: v == "Pelvis^(+)"),
    ("study", "StudyDescription", "=Pelvis^(*", "!=Pelvis^(*", lambda v: v.startswith("Pelvis^(")),
    ("study", "StudyDate", "=2024", "!=2024", lambda v: v is not None and v.year == 2024),
    ("study", "StudyDate", "=2024-03-01", "!=2024-03-01", lambda v: v == date(2024, 3, 1)),
    ("study", "StudyDate", "=2024-03-02..2025", "!=2024-03-02..2025",
     lambda v: v is not None and date(2024, 3, 2) <= v <= date(2025, 12, 31)),
    ("study", "StudyDate", "=2025..", "!=2025..", lambda v: v is not None and v.year >= 2025),
    ("study", "StudyDate", "=..2024-03-01", None,
     lambda v: v is not None and v <= date(2024, 3, 1)),
    ("study", "StudyDate", "=last:10d", "!=last:10d",
     lambda v: v is not None and date(2024, 2, 29) <= v <= TODAY),
    ("study", "StudyDate", ">2024-03-01", None, lambda v: v is not None and v > date(2024, 3, 1)),
    ("study", "StudyDate", "<=2024-03-01", None, lambda v: v is not None and v <= date(2024, 3, 1)),
    ("study", "StudyTime", "=22:00..06:00", "!=22:00..06:00",
     lambda v: v is not None and (v >= time(22) or v <= time(6))),
    ("study", "StudyTime", "=08:00..12:00", None,
     lambda v: v is not None and time(8) <= v <= time(12)),
    ("series", "SeriesTime", "=22:00..06:00", None,
     lambda v: v is not None and (v >= time(22) or v <= time(6))),
    ("series", "SliceThickness", "=1,2", "!=1,2", lambda v: v in (1.0, 2.0)),
    ("series", "SliceThickness", "=2+-0.6", "!=2+-0.6", 
     lambda v: v is not None and 1.4 <= v <= 2.6),
    ("series", "SliceThickness", "<2", None, lambda v: v is not None and v < 2),
    ("series", "SliceThickness", ">=3", None, lambda v: v is not None and v >= 3),
    ("series", "SliceThickness", "=1.5..3", "!=1.5..3", lambda v: v is not None and 1.5 <= v <= 3),
    ("series", "ImageType", "=PRIMARY", "!=PRIMARY", lambda v: "PRIMARY" in (v or [])),
    ("series", "ImageType", "=ORIG*", "!=ORIG*",
     lambda v: any(x.startswith("ORIG") for x in v or [])),
    ("series", "ImageType", "~=derived", None, lambda v: "DERIVED" in (v or [])),
    ("instance", "SOPInstanceUID", "=2.4,2.5", "!=2.4,2.5", lambda v: v in ("2.4", "2.5")),
    ("instance", "plan_datetime", ">2024-03-10", None,
     lambda v: v is not None and v.date() > date(2024, 3, 10)),
    ("patient", "PatientSex", "~=m", "!~=m", lambda v: v == "M"),
]


@pytest.mark.parametrize(("level", "attribute", "right", "wrong", "python"), OPERATORS,
                         ids=[f"{c[1]}{c[2]}" for c in OPERATORS])
def test_operators(
    cohort: TestGraph, level: str, attribute: str, right: str, wrong: str | None,
    python: Callable[[Value], bool],
) -> None:
    known = values(cohort, level, attribute)
    expected = {key for key, value in known.items() if python(value)}
    rest = set(known) - expected
    assert rest
    assert expected
    assert set(found(cohort, level, attribute + right)) == expected
    if right == "":
        assert set(found(cohort, level, f"!{attribute}")) == rest
    if wrong:
        assert set(found(cohort, level, attribute + wrong)) == rest
    assert set(found(cohort, level, without=(attribute + right,))) == rest


JOINED = [
    # level       conditions                                       without            keys
    ("patient",  ["Modality=RTPLAN"],                              [],                "ab"),
    ("patient",  ["Modality=MR", "SliceThickness<2"],              [],                "c"),
    ("patient",  ["Modality=CT", "SliceThickness=3"],              [],                ""),
    ("patient",  ["StudyDate=2024-03-20", "Modality=MR"],          [],                ""),
    ("patient",  ["StudyDate=2024-03-01", "Modality=MR"],          [],                "a"),
    ("patient",  [],                                               ["Modality=CT"],   "c"),
    ("patient",  ["Modality=CT"],                                  ["Modality=MR"],   "b"),
    ("patient",  [],              ["Modality=CT", "SliceThickness<3"],                "bc"),
    ("patient",  ["DoseSummationType=PLAN"],                       [],                "ab"),
    ("patient",  ["Modality=RTDOSE", "DoseType=EFFECTIVE"],        [],                "b"),
    ("series",   ["Modality=CT", "StudyDate=2025"],                [],                ["1.2.1.1"]),
    ("series",   ["PatientSex=M", "Modality=REG"],                 [],                ["1.1.2.4"]),
    ("series",   ["RTPlanLabel=P1"],                               [],                ["1.1.1.4"]),
    ("instance", ["Modality=RTDOSE", "StudyDescription=Pel*"],     [],         ["2.17", "2.18"]),
    ("instance", ["Series.SeriesDescription=CT replan"],           [],         ["2.9"]),
    ("instance", ["SOPInstanceUID=2.14"],                          [],         []),
]


@pytest.mark.parametrize(("level", "conditions", "without", "keys"), JOINED,
                         ids=[f"{c[0]} {c[1]} {c[2]}" for c in JOINED])
def test_conditions_about_one_path(
    cohort: TestGraph, level: str, conditions: list[str], without: list[str], keys: Any
) -> None:
    expected = [k * 16 for k in keys] if level == "patient" else keys
    assert found(cohort, level, *conditions, without=tuple(without)) == expected


PARTS = [
    # level       conditions                                       without            keys
    ("patient",  ["ROIName~/ptv/i"],                               [],                "a"),
    ("patient",  [],                                               ["ROIName~/ptv/i"], "bc"),
    ("series",   ["ROIName~/ptv.*/i"],              [],            ["1.1.1.3", "1.1.2.2"]),
    ("series",   ["ROIName=PTV 60", "n_contours>0"], [],           ["1.1.1.3"]),
    ("instance", ["ROIName=ptv 60", "n_contours>0"], [],           []),
    ("instance", ["NominalBeamEnergy>=10", "TreatmentMachineName=LinacOne"], [], ["2.5"]),
    ("instance", ["NominalBeamEnergy>=18", "TreatmentMachineName=LinacOne"], [], []),
    ("patient",  ["ROIName=Blase", "NominalBeamEnergy=6"],         [],                ""),
    ("patient",  ["ROIName=Bladder", "NominalBeamEnergy=6"],       [],                "a"),
    ("study",    ["StudyDate=2024", "ROIName=Bladder"],            [],                ["1.1.1"]),
    ("instance", ["BeamDelivery.CurrentFractionNumber=2"],         [],                ["2.8"]),
    ("patient",  ["RTROIInterpretedType=PTV", "TargetPrescriptionDose>=60"], [],      "a"),
]


@pytest.mark.parametrize(("level", "conditions", "without", "keys"), PARTS,
                         ids=[f"{c[0]} {c[1]} {c[2]}" for c in PARTS])
def test_conditions_about_parts(
    cohort: TestGraph, level: str, conditions: list[str], without: list[str], keys: Any
) -> None:
    expected = [k * 16 for k in keys] if level == "patient" else keys
    assert found(cohort, level, *conditions, without=tuple(without)) == expected


def test_the_command(call: Call, folder: Path) -> None:
    words = ("find", "--level", "series", "Modality=RT*", "StudyDate=2024..2025")
    rows = json.loads(call(*words, "-f", "json", "--columns", "StudyDescription").stdout)["rows"]
    assert len(rows) == 9
    assert rows[0]["StudyDescription"] == "Planning"
    assert set(rows[0]) >= {"patient_key", "SeriesInstanceUID", "Modality"}
    text = call("find", "-l", "patient", "--without", "Modality=CT", "-f", "csv").stdout
    assert text.splitlines()[1].startswith("cccccccccccccccc")
    shown = call("find", "-l", "patient", "PatientID=ID-A", "--columns", "PatientID").stdout
    assert "aaaaaaaaaaaaaaaa" in shown
    assert "ID-A" not in shown
    assert "ID-A" in call("find", "-l", "patient", "--columns", "PatientID", "--identifiers").stdout


@pytest.mark.parametrize(("words", "message"), [
    (["Modalty=CT"], "Did you mean Modality?"),
    (["-l", "serie"], "serie"),
    (["SliceThickness=thick"], "is not of type FLOAT"),
    (["SeriesDescription~/(/"], "no regular expression"),
    (["SeriesDescription~/(?P<name>x)/"], "refuses the statement"),
    (["=CT"], "ATTRIBUTE=VALUE"),
    (["--columns", "Nothing"], "no attribute"),
])
def test_mistakes_are_one_clear_sentence(
    call: Call, words: list[str], message: str
) -> None:
    done = call("find", *words, code=2)
    assert message in done.stderr
    assert done.stdout == ""


def test_only_the_shortlist_is_opened(
    session_graph: TestGraph, synthetic: tuple[Path, Manifest], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from rtgraph.search import find_rows

    folder, manifest = synthetic
    session_graph.wipe()
    session_graph.ingest(folder)
    told: list[str] = []
    plans = {i.uid for i in manifest.instances if i.modality == "RTPLAN"}
    rows = session_graph.run(find_rows(
        session_graph.store, "instance", ["Modality=RTPLAN"], report=told.append,
        where_file=["BeamSequence[*].ControlPointSequence[0].NominalBeamEnergy>=1"]))
    assert {r["SOPInstanceUID"] for r in rows} == plans
    assert told == [f"{len(plans)} files opened"]
    none = session_graph.run(find_rows(
        session_graph.store, "patient", ["Modality=RTPLAN"], jobs=2,
        where_file=["BeamSequence[all].ControlPointSequence[0].NominalBeamEnergy>=1000"]))
    assert none == []
    gone = session_graph.run(find_rows(
        session_graph.store, "series", ["Modality=RTDOSE"], report=told.append,
        where_file=["DoseUnits=GY"], roots={"dicom": str(folder / "nowhere")}))
    assert gone == []
    assert told[-1].endswith("could not be read")


def test_all_files_are_opened_only_when_it_is_said(call: Call) -> None:
    words = ("find", "--where-file", "RTPlanLabel=x")
    assert "--yes" in call(*words, code=2).stderr
    assert "Did you mean RTPlanLabel?" in call(
        "find", "Modality=RTPLAN", "--where-file", "RTPlanLable=x", code=2).stderr

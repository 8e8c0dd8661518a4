"""Guesses by request, and the timeline of courses: small objects made for each rule.

A guess is an INFERRED_LINK and nothing else; the cases beside each one lack one of its conditions.
"""

from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from rtgraph.cypher.library import bind, query
from rtgraph.demo.objects import save
from rtgraph.ingest.derive import derive, rebuild
from tests.data.items import item, ref
from tests.data.rt import CT, DOSE, PLAN, RECORD, STRUCT, made
from tests.data.small import uid
from tests.server.conftest import TestGraph

pytestmark = pytest.mark.server
LINKS = """\
MATCH (a)-[e:INFERRED_LINK]->(b)
RETURN coalesce(a.SOPInstanceUID, a.SeriesInstanceUID, a.ROIName) AS source, e.method AS method,
       coalesce(b.SOPInstanceUID, b.SeriesInstanceUID, b.uid, b.name) AS target,
       e.confidence AS confidence
ORDER BY source, method"""


def of(name: str, modality: str, **more: Any) -> dict[str, Any]:
    return {"study": f"study {name}", "series": f"{modality} {name}", "modality": modality, **more}


def plan(name: str, *, label: str = "Pelvis", beams: tuple[int, ...] = (1, 2),
         machine: str = "LINAC1", hour: str = "100000", **more: Any) -> Dataset:
    return made(PLAN, f"plan {name}", of=of(name, "RTPLAN", **more), RTPlanLabel=label,
                ContentDate="20240205", ContentTime=hour,
                BeamSequence=[item(BeamNumber=b, TreatmentMachineName=machine) for b in beams])


def record(name: str, of_plan: str, *, label: str | None = "Pelvis", beam: int = 1,
           machine: str = "LINAC1", **more: Any) -> Dataset:
    return made(RECORD, f"record {name}", of=of(name, "RTRECORD"), RTPlanLabel=label,
                ReferencedRTPlanSequence=[ref(uid(of_plan), PLAN)],
                TreatmentDate="20240206", TreatmentTime="090000",
                TreatmentMachineSequence=[item(TreatmentMachineName=machine)],
                TreatmentSessionBeamSequence=[
                    item(ReferencedBeamNumber=beam, CurrentFractionNumber=1)], **more)


def dose(name: str, hour: str, frame: str = "frame", **more: Any) -> Dataset:
    return made(DOSE, f"dose {name}", of=of(name, "RTDOSE", frame=frame),
                ContentDate="20240205", ContentTime=hour, **more)


def structures(name: str, study: str, frame: str, *, roi: str = "Blader") -> Dataset:
    return made(STRUCT, f"set {name}", of={**of(name, "RTSTRUCT", frame=frame), "study": study},
                StructureSetROISequence=[item(ROINumber=1, ROIName=roi)],
                ReferencedFrameOfReferenceSequence=[item(
                    FrameOfReferenceUID=uid(frame), RTReferencedStudySequence=[ref(
                        uid(study), "1.2.840.10008.3.1.2.3.1", RTReferencedSeriesSequence=[item(
                            SeriesInstanceUID=uid("lost series"),
                            ContourImageSequence=[ref(uid("lost image"))])])])])


CASES: list[tuple[str, list[Dataset], list[tuple[str, str, str, float]]]] = [
    ("record by label", [plan("p"), record("r", "lost")],
     [(uid("record r"), "PLAN_BY_LABEL", uid("plan p"), 0.8)]),
    ("another label", [plan("p"), record("r", "lost", label="Breast")], []),
    ("no label", [plan("p"), record("r", "lost", label=None)], []),
    ("another machine", [plan("p"), record("r", "lost", machine="LINAC2")], []),
    ("another beam", [plan("p"), record("r", "lost", beam=9)], []),
    ("the plan is there", [plan("p"), plan("q"), record("r", "plan q")], []),
    ("dose by frame", [plan("p", frame="frame"), dose("d", "103000")],
     [(uid("dose d"), "DOSE_BY_FRAME", uid("plan p"), 0.5)]),
    ("dose of the next day", [plan("p", frame="frame"), dose("d", "113000")], []),
    ("dose in another frame", [plan("p", frame="frame"), dose("d", "103000", "other")], []),
    ("dose that names its plan", [plan("p", frame="frame"), dose(
        "d", "103000", ReferencedRTPlanSequence=[ref(uid("elsewhere"), PLAN)])], []),
    ("structure set by frame", [
        made(CT, "slice", of={"study": "s", "series": "ct", "frame": "f"}),
        structures("a", "s", "f", roi="Bladder")],
     [(uid("set a"), "STRUCT_BY_FRAME", uid("ct"), 0.6)]),
    ("two candidates", [
        made(CT, "slice", of={"study": "s", "series": "ct", "frame": "f"}),
        made(CT, "other", of={"study": "s", "series": "ct 2", "frame": "f"}),
        structures("a", "s", "f", roi="Bladder")], []),
    ("another study", [
        made(CT, "slice", of={"study": "t", "series": "ct", "frame": "f"}),
        structures("a", "s", "f", roi="Bladder")], []),
]


def ingest(graph: TestGraph, folder: Path, objects: list[Dataset]) -> None:
    folder.mkdir(exist_ok=True)
    for n, ds in enumerate(objects):
        save(ds, folder / f"{n}.dcm")
    graph.ingest(folder)


def links(graph: TestGraph) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in graph.read(LINKS)]


@pytest.mark.parametrize(("objects", "wanted"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_guesses(
    graph: TestGraph, tmp_path: Path, objects: list[Dataset],
    wanted: list[tuple[str, str, str, float]],
) -> None:
    ingest(graph, tmp_path / "files", objects)
    assert links(graph) == []
    graph.run(rebuild(graph.store, infer=True))
    assert links(graph) == wanted
    graph.run(rebuild(graph.store))
    assert links(graph) == []


def test_a_cone_beam_and_its_session(graph: TestGraph, tmp_path: Path) -> None:
    scan = made(CT, "slice", of={"study": "t", "series": "cbct"}, SeriesDescription="CBCT",
                SeriesDate="20240206", SeriesTime="085500", StationName="LINAC1",
                DeviceSerialNumber=None)
    ingest(graph, tmp_path / "files", [
        scan, plan("p"), record("r", "plan p", TreatmentSessionUID=uid("session"))])
    graph.run(rebuild(graph.store, infer=True))
    assert links(graph) == [(uid("cbct"), "CBCT_TO_FRACTION", uid("session"), 0.7)]
    graph.run(rebuild(graph.store))


def test_a_name_that_is_like_a_standard_name(graph: TestGraph, tmp_path: Path) -> None:
    ingest(graph, tmp_path / "files", [structures("a", "s", "f", roi="Blader")])
    assert graph.read("MATCH (:ROI)-[e:NAMED_AS]->() RETURN e") == []
    graph.run(rebuild(graph.store, infer=True))
    ((source, method, target, confidence),) = links(graph)
    assert (source, method, target) == ("Blader", "NAME_BY_LIKENESS", "Bladder")
    assert 0 < confidence <= 0.7
    graph.run(rebuild(graph.store))
    assert graph.read("MATCH (n:StandardName) RETURN n") == []


def test_a_guess_goes_when_what_it_rested_on_is_touched(
    graph: TestGraph, tmp_path: Path
) -> None:
    ingest(graph, tmp_path / "files", [plan("p"), record("r", "lost")])
    graph.run(rebuild(graph.store, infer=True))
    assert len(links(graph)) == 1
    graph.write("MATCH (s:Series)-[:HAS_INSTANCE]->(:RTRecord) SET s.dirty = true")
    graph.run(derive(graph.store))
    assert links(graph) == []


# --- courses -------------------------------------------------------------------------------------

def related(name: str, other: str, relationship: str, *, label: str) -> Dataset:
    return made(PLAN, f"plan {name}", of=of(name, "RTPLAN"), RTPlanLabel=label,
                RTPlanDate="20240301", RTPlanTime="120000", ApprovalStatus="APPROVED",
                FractionGroupSequence=[item(FractionGroupNumber=1, NumberOfFractionsPlanned=5)],
                ReferencedRTPlanSequence=[
                    ref(uid(other), PLAN, RTPlanRelationship=relationship)])


def fraction(name: str, of_plan: str, number: int, day: str, kind: str = "TREATMENT") -> Dataset:
    return made(RECORD, f"record {name}", of=of(name, "RTRECORD"),
                ReferencedRTPlanSequence=[ref(uid(of_plan), PLAN)],
                TreatmentDate=day, TreatmentTime="080000",
                TreatmentSessionBeamSequence=[item(
                    ReferencedBeamNumber=1, CurrentFractionNumber=number,
                    TreatmentDeliveryType=kind)])


def test_timeline_of_courses(graph: TestGraph, tmp_path: Path) -> None:
    first = made(PLAN, "plan first", of=of("first", "RTPLAN"), RTPlanLabel="First",
                 RTPlanDate="20240101", RTPlanTime="120000",
                 FractionGroupSequence=[item(FractionGroupNumber=1, NumberOfFractionsPlanned=20)])
    other = made(PLAN, "plan other", of=of("other", "RTPLAN"), RTPlanLabel="Other",
                 RTPlanDate="20250101", RTPlanTime="120000")
    ingest(graph, tmp_path / "files", [
        first, other, related("adapted", "plan first", "PREDECESSOR", label="Adapted"),
        related("boost", "plan lost", "PRIOR", label="Boost"),
        fraction("1", "plan first", 1, "20240201"), fraction("2", "plan first", 2, "20240202"),
        fraction("2b", "plan first", 2, "20240202"),
        fraction("3", "plan first", 3, "20240205", "SETUP"),
        fraction("4", "plan adapted", 1, "20240310")])
    patient = graph.one("MATCH (p:Patient) RETURN p.patient_key")
    timeline = query("course-timeline")
    rows = graph.read(timeline.statement, **bind(timeline, {"patient": patient}))
    assert [list(r) for r in rows] == [list(timeline.returns)] * len(rows)
    by_label = {r["label"]: r for r in rows}
    assert set(by_label) == {"First", "Adapted", "Boost", "Other", None}
    facts = {label: (r["fractions_planned"], r["fractions_delivered"], r["n_records"],
                     r["plan_missing"]) for label, r in by_label.items()}
    assert facts == {"First": (20, 2, 4, False), "Adapted": (5, 1, 1, False),
                     "Boost": (5, 0, 0, False), "Other": (None, 0, 0, False),
                     None: (None, 0, 0, True)}
    course = {label: r["course"] for label, r in by_label.items()}
    assert course["First"] == course["Adapted"]
    assert course["Boost"] == course[None]
    assert len(set(course.values())) == 3
    assert by_label["Adapted"]["predecessors"] == [uid("plan first")]
    assert by_label["Boost"]["priors"] == [uid("plan lost")]
    assert str(by_label["First"]["first_treatment"]) == "2024-02-01 08:00:00"
    assert str(by_label["First"]["last_treatment"]) == "2024-02-05 08:00:00"

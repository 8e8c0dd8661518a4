"""The geometry and pixel passes on real contours and pixels, and the checks that look at them.

All cases stand in one graph, a patient each; what a case declares is all that the checks of these
levels may find in it. The truth is that of the formulas the courses are made by.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rtgraph.cypher.header import Level
from rtgraph.cypher.library import checks
from rtgraph.graphmodel.measured import Measure
from rtgraph.preprocess import measuring
from rtgraph.preprocess.masks import make_mask
from rtgraph.preprocess.passes import Measured, measure
from rtgraph.preprocess.workers import Workers
from rtgraph.store.bolt import Row
from tests.data import measured
from tests.data.checks.course import BLADDER
from tests.data.checks.steps import Found, Step, edit, key, part
from tests.data.measured import CASES, SQUARE_CC, course_of, draw, square
from tests.data.small import encoded
from tests.server.conftest import Call, TestGraph

pytestmark = pytest.mark.server
CHECKS = [c for c in checks() if c.level is not Level.header]
ROI = "MATCH (r:ROI {key: $key}) RETURN r {.*} AS r"


def run_passes(graph: TestGraph, folder: Path, *wanted: Measure, patient: str | None = None
               ) -> Measured:
    """Measure in this process."""
    from rtgraph.ingest.wherefile import roots_of

    async def work() -> Measured:
        located = (await roots_of(graph.store, {})).location
        with ThreadPoolExecutor(1) as executor:
            return await measure(graph.store, wanted or tuple(Measure), located, patient=patient,
                                 executor=executor)

    return graph.run(work())


@dataclass
class Outcome:
    """What was measured, and what the checks found by patient."""

    measured: Measured
    rows: dict[str, dict[str, list[Row]]]


@pytest.fixture(scope="module")
def outcome(session_graph: TestGraph, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    graph, folder = session_graph, tmp_path_factory.mktemp("levels")
    for number, case in enumerate(CASES):
        measured.write(course_of(number, case.steps), folder)
    graph.wipe()
    graph.ingest(folder)
    done = run_passes(graph, folder)
    patients = {r["key"]: r["id"] for r in graph.read(
        "MATCH (p:Patient) RETURN p.patient_key AS key, p.PatientID AS id")}
    rows: dict[str, dict[str, list[Row]]] = {}
    for check in CHECKS:
        for row in graph.read(check.statement):
            rows.setdefault(patients[row["patient_key"]], {}).setdefault(check.id, []).append(row)
    return Outcome(done, rows)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[str(c) for c in CASES])
def test_case(outcome: Outcome, number: int) -> None:
    case, course = CASES[number], course_of(number)
    wanted = {_name(case.check, course, f): f.detail for f in case.found}
    severity = {c.id: str(c.severity) for c in CHECKS}
    have = {(check, row["subject"], row["target"],
             str(row.get("severity", severity[check])).lower()): row["detail"]
            for check, rows in outcome.rows.get(course.patient_id, {}).items() for row in rows}
    assert have.keys() == wanted.keys(), have
    for name, detail in wanted.items():
        told = {k: have[name][k] for k in detail}
        assert told == {k: pytest.approx(v, abs=2e-3) if _is_number(v) else v
                        for k, v in detail.items()}


def _name(check: str, course: Any, f: Found) -> tuple[str, str, str | None, str]:
    check = f.check or check
    severity = f.severity or str(next(c.severity for c in CHECKS if c.id == check))
    return check, key(course, f.subject), key(course, f.target) if f.target else None, severity


def _is_number(value: object) -> bool:
    return isinstance(value, float) or (
        isinstance(value, list) and all(isinstance(v, float) for v in value))


def test_everything_is_measured(outcome: Outcome) -> None:
    assert outcome.measured.troubles == []
    assert outcome.measured.done == outcome.measured.total == sum(outcome.measured.made.values())
    assert {c.check for c in CASES if c.found} == {c.id for c in CHECKS}
    silent = {c.check for c in CASES if c.check not in {f.check or c.check for f in c.found}}
    assert silent == {c.id for c in CHECKS} - {"DOS-14"}  # silent in all others


# --- facts ---------------------------------------------------------------------------------------

@pytest.fixture
def sound(graph: TestGraph, tmp_path: Path) -> tuple[TestGraph, Path]:
    """Ingest a sound course; nothing is measured."""
    folder = measured.write(course_of(900), tmp_path / "dicom")
    graph.ingest(folder)
    return graph, folder


def uid(name: str) -> str:
    return course_of(900).uid(name)


def test_properties_are_those_of_the_formulas(sound: tuple[TestGraph, Path]) -> None:
    graph, folder = sound
    run_passes(graph, folder)
    roi = graph.one(ROI, key=f"{uid('structures')}#{BLADDER}")
    facts = {
        "n_contour_planes": 5, "n_gap_planes": 0, "max_plane_distance_mm": 0.0, "n_off_plane": 0,
        "n_between_planes": 0, "n_outside_image": 0, "n_malformed": 0, "malformed_reasons": [],
        "n_self_intersecting": 0, "n_offset_vectors": 0, "n_nested_planes": 0,
        "volume_xor_cc": pytest.approx(SQUARE_CC), "volume_union_cc": pytest.approx(SQUARE_CC)}
    assert {k: roi[k] for k in facts} == facts
    assert "side_in_space" not in roi
    dose = graph.one("MATCH (d:RTDose) RETURN d {.max_dose_gy, .beam_sum_max_diff_gy} AS d")
    assert dose == {"max_dose_gy": pytest.approx(54.4, abs=1e-3), "beam_sum_max_diff_gy": None}
    dvhs = graph.read("MATCH (v:DVH) RETURN v.computed_max_gy AS max, v.computed_mean_gy AS mean, "
                      "v.computed_volume_cc AS cc ORDER BY v.key")
    assert [r["mean"] for r in dvhs] == pytest.approx([50.0] * 3, abs=1e-2)
    assert [r["max"] for r in dvhs] == pytest.approx([54.0, 50.8, 50.8], abs=0.1)
    assert [r["cc"] for r in dvhs] == pytest.approx([172.8, SQUARE_CC, SQUARE_CC])
    covered = graph.read("MATCH (:RTDose)-[c:COVERS]->(r) RETURN c.fraction AS f")
    assert [r["f"] for r in covered] == [1.0] * 3


# --- resuming ------------------------------------------------------------------------------------

ALL = {Measure.contours: 1, Measure.coverage: 1, Measure.values: 1}


def test_what_is_measured_is_not_measured_again(
    sound: tuple[TestGraph, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, folder = sound
    assert dict(run_passes(graph, folder).made) == ALL
    content = graph.content()
    again = run_passes(graph, folder)
    assert (dict(again.made), dict(again.kept)) == ({}, ALL)
    assert graph.content() == content

    graph.ingest(folder, full=True)  # parts are made anew
    assert "n_malformed" not in graph.one(ROI, key=f"{uid('structures')}#{BLADDER}")
    assert dict(run_passes(graph, folder).made) == ALL
    assert graph.content() == content

    monkeypatch.setattr("rtgraph.preprocess.units.MEASURE_VERSION", 0)
    assert dict(run_passes(graph, folder).made) == ALL


def rewrite(graph: TestGraph, folder: Path, name: str, *steps: Step) -> None:
    """Write one object of the course anew and read it."""
    course = course_of(900, steps)
    (folder / f"{name}.dcm").write_bytes(encoded(course.objects[name]))
    graph.ingest(folder)


def test_only_what_changed_is_measured_again(sound: tuple[TestGraph, Path]) -> None:
    graph, folder = sound
    run_passes(graph, folder)
    n_edges = len(graph.content()[1])
    rewrite(graph, folder, "dose", edit("dose", DoseComment="new"))
    done = run_passes(graph, folder)
    assert (dict(done.made), dict(done.kept)) == (
        {Measure.coverage: 1, Measure.values: 1}, {Measure.contours: 1})
    assert len(graph.content()[1]) == n_edges

    rewrite(graph, folder, "structures", draw(BLADDER, [(0.0, square(8))]))
    assert dict(run_passes(graph, folder).made) == ALL
    assert graph.one(ROI, key=f"{uid('structures')}#{BLADDER}")["n_contour_planes"] == 1


def test_rois_that_were_made_anew_are_covered_again(sound: tuple[TestGraph, Path]) -> None:
    graph, folder = sound
    run_passes(graph, folder)
    content = graph.content()
    graph.ingest(folder / "structures.dcm", full=True)
    assert graph.read("MATCH (:RTDose)-[c:COVERS]->() RETURN c") == []
    done = run_passes(graph, folder)
    assert (dict(done.made), dict(done.kept)) == (
        {Measure.contours: 1, Measure.coverage: 1}, {Measure.values: 1})
    assert graph.content() == content


def test_progress_ends_at_its_total(graph: TestGraph, tmp_path: Path) -> None:
    def of_no_plan(course: Any) -> None:
        del part(course, "dose").ReferencedRTPlanSequence

    folder = measured.write(course_of(900, [of_no_plan]), tmp_path)
    graph.ingest(folder)
    done = run_passes(graph, folder)
    assert dict(done.made) == {Measure.contours: 1, Measure.values: 1}
    assert done.done == done.total == 2


def test_only_what_is_asked_for_is_measured(sound: tuple[TestGraph, Path]) -> None:
    graph, folder = sound
    graph.ingest(measured.write(course_of(901), folder.parent))
    patient = graph.one("MATCH (p:Patient {PatientID: $id}) RETURN p.patient_key",
                        id=course_of(900).patient_id)
    assert dict(run_passes(graph, folder, Measure.values, patient=patient).made) == {
        Measure.values: 1}
    assert graph.one("MATCH (d:RTDose) WHERE d.max_dose_gy IS NOT NULL RETURN count(d)") == 1
    assert graph.one("MATCH (r:ROI) WHERE r.n_malformed IS NOT NULL RETURN count(r)") == 0


# --- what cannot be measured ---------------------------------------------------------------------

def test_an_roi_that_cannot_be_measured_takes_no_other_with_it(
    sound: tuple[TestGraph, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, folder = sound
    whole = make_mask

    def broken(roi: Any, *arguments: Any, **more: Any) -> Any:
        if roi.number == BLADDER:
            raise MemoryError
        return whole(roi, *arguments, **more)

    monkeypatch.setattr(measuring, "make_mask", broken)
    done = run_passes(graph, folder, Measure.contours)
    assert [(t.code, t.lost) for t in done.troubles] == [("MEMORY", True)]
    rows = graph.read("MATCH (r:ROI) RETURN r.ROINumber AS number, "
                      "r.volume_xor_cc IS NOT NULL AS there ORDER BY number")
    assert {r["number"] for r in rows if not r["there"]} == {BLADDER}
    assert len(rows) == 3
    monkeypatch.undo()
    assert dict(run_passes(graph, folder, Measure.contours).made) == {Measure.contours: 1}


def test_what_cannot_be_read_is_told_apart(sound: tuple[TestGraph, Path]) -> None:
    graph, folder = sound
    (folder / "dose.dcm").unlink()
    done = run_passes(graph, folder)
    assert {(t.measure, t.uid, t.code, t.lost) for t in done.troubles} == {
        (m, uid("dose"), "FILE_MISSING", True) for m in (Measure.coverage, Measure.values)}
    assert dict(done.made) == {Measure.contours: 1}
    assert done.said() == [f"{m}: 1 could not be read: 1 FILE_MISSING ({uid('dose')})"
                           for m in ("coverage", "values")]


def test_an_image_that_is_not_there_loses_no_file(graph: TestGraph, tmp_path: Path) -> None:
    course = course_of(900, [measured.long_number(b"-8.00000000000001")])
    for k in range(1, 10):
        course.objects.drop(f"ct{k}")
    folder = measured.write(course, tmp_path)
    graph.ingest(folder)
    done = run_passes(graph, folder)
    assert {(t.code, t.lost) for t in done.troubles} == {("NO_IMAGE", False)}
    assert graph.one("MATCH (d:RTDose) RETURN d.max_dose_gy") == pytest.approx(54.4, abs=1e-3)
    assert graph.one("MATCH (s:RTStruct) RETURN s.n_long_decimals") == 1


def test_a_slice_that_is_gone_takes_back_what_was_measured(sound: tuple[TestGraph, Path]) -> None:
    graph, folder = sound
    run_passes(graph, folder)
    rewrite(graph, folder, "ct1", edit("ct1", ImageComments="again"))
    (folder / "ct2.dcm").unlink()
    done = run_passes(graph, folder)
    assert {t.code for t in done.lost(tuple(Measure))} == {"FILE_MISSING"}
    assert "volume_xor_cc" not in graph.one(ROI, key=f"{uid('structures')}#{BLADDER}")
    assert graph.read("MATCH (:RTDose)-[c:COVERS]->() RETURN c") == []


def test_a_worker_that_dies_takes_only_its_unit(
    sound: tuple[TestGraph, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, folder = sound

    async def dead(self: Workers, work: object, *arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Workers, "run", dead)
    done = run_passes(graph, folder)
    assert {(t.code, t.detail, t.lost) for t in done.troubles} == {("WORKER", "MemoryError", True)}
    assert len(done.troubles) == 3


# --- the command ---------------------------------------------------------------------------------

def results(text: str) -> dict[str, dict[str, Any]]:
    return {c["id"]: c for c in json.loads(text)["checks"]}


def test_validate_measures_and_says_so(
    graph: TestGraph, tmp_path: Path, call: Call
) -> None:
    folder = measured.write(course_of(900, [measured.volume("20")]), tmp_path / "dicom")
    graph.ingest(folder)
    done = call("validate", "--select", "GEO", "--select", "DOS-15", "-f", "json")
    assert {c["status"] for c in results(done.stdout).values()} == {"skipped"}
    done = call("validate", "--select", "GEO", "--level", "pixel", "-f", "json", "--store")
    assert "measured  2 made, 0 known" in done.stderr  # no dose is opened for these checks
    assert {i: c["status"] for i, c in results(done.stdout).items()} == dict.fromkeys(
        (f"GEO-0{n}" for n in (1, 2, 3, 4, 5, 7, 8)), "passed") | {"GEO-06": "warned"}
    issue = graph.read("MATCH (i:Issue {rule: 'GEO-06'})-[:ABOUT]->(r:ROI) "
                       "RETURN i.status AS status, i.subject_label AS label, r.ROIName AS name")
    assert issue == [{"status": "OPEN", "label": "ROI", "name": "Bladder"}]
    done = call("validate", "--select", "GEO", "--select", "DOS-15", "--level", "pixel",
                "-f", "json")
    assert "measured  1 made, 2 known" in done.stderr

    rewrite(graph, folder, "structures", draw(BLADDER, [(0.0, square(8))]))  # and then lost
    (folder / "structures.dcm").unlink()
    done = call("validate", "--select", "GEO", "--level", "geometry", "-f", "json", "--store",
                code=3)
    geo = results(done.stdout)["GEO-06"]
    assert (geo["status"], geo["partial"]) == ("errored", True)
    assert geo["message"] == "2 objects could not be measured in the geometry pass."
    assert "FILE_MISSING" in done.stderr
    assert str(tmp_path) not in done.stderr
    assert graph.one("MATCH (i:Issue {rule: 'GEO-06'}) RETURN i.status") == "OPEN"

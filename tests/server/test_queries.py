"""Every named query on a graph that was written down by hand, with the rows that it must give."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from rtgraph.cypher.library import bind, queries, query
from rtgraph.ingest.derive import derive
from tests.server.conftest import Call, TestGraph

pytestmark = pytest.mark.server
COHORT = (Path(__file__).parents[1] / "data" / "cohort.cypher").read_text(encoding="utf-8")
A, B, C = "a" * 16, "b" * 16, "c" * 16
Case = tuple[str, dict[str, object], list[str], list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def cohort(session_graph: TestGraph) -> Iterator[TestGraph]:
    session_graph.wipe()
    session_graph.write(COHORT)
    session_graph.run(derive(session_graph.store))
    yield session_graph
    session_graph.wipe()


CASES: list[Case] = [
    # name, parameters, columns that are compared, rows in order
    ("adaptive-courses", {}, ["patient_key", "plans", "labels", "n_image_series", "n_registrations",
                              "stated"],
     [(A, ["2.5", "2.11"], ["P1", "P2"], 2, 1, True)]),
    ("adaptive-courses", {"at_least": 3}, ["patient_key"], []),
    ("changed-since", {"run": "run-1"}, ["patient_key", "series", "n_written", "runs"],
     [(A, "1.1.1.6", 1, ["run-2"]), (A, "1.1.2.1", 1, ["run-2"]), (A, "1.1.2.2", 1, ["run-2"]),
      (A, "1.1.2.3", 1, ["run-2"]), (A, "1.1.2.4", 1, ["run-2"])]),
    ("changed-since", {"run": "run-2"}, ["series"], []),
    ("complete-chains", {}, ["patient_key", "plan", "n_ct_images", "n_doses"], [(A, "2.5", 2, 1)]),
    ("complete-chains", {"site": "prostate"}, ["plan"], [("2.5",)]),
    ("complete-chains", {"site": "pelvis"}, ["plan"], [("2.5",)]),
    ("complete-chains", {"site": "lung"}, ["plan"], []),
    ("timeline", {"patient": A}, ["kind", "object", "refers_to", "n_fractions"],
     [("CT", "1.1.1.1", [], None), ("MR", "1.1.1.2", [], None), ("RTSTRUCT", "2.4", [], None),
      ("RTPLAN", "2.5", ["2.4"], 30), ("RTDOSE", "2.6", ["2.5"], None),
      ("RTRECORD", "2.7", ["2.5"], None), ("RTRECORD", "2.8", ["2.5"], None),
      ("CT", "1.1.2.1", [], None), ("REG", "2.12", [], None), ("RTSTRUCT", "2.10", [], None),
      ("RTPLAN", "2.11", ["2.10", "2.5"], 5)]),
    ("timeline", {"patient": "nobody"}, ["kind"], []),
    ("course-timeline", {"patient": A}, ["course", "plan", "fractions_planned",
                                         "fractions_delivered", "n_records", "predecessors"],
     [("2.11", "2.5", 30, 2, 2, []), ("2.11", "2.11", 5, 0, 0, ["2.5"])]),
    ("dangling", {}, ["patient_key", "role", "severity", "source", "target", "in_archive"],
     [(B, "DOSE_PLAN", "ERROR", "2.17", "2.99", False),
      (B, "PLAN_STRUCTURE_SET", "ERROR", "2.16", "2.98", True),
      (B, "STRUCTURE_SET_IMAGE", "ERROR", "2.15", "2.14", False)]),
    ("delivered", {}, ["patient_key", "plan", "n_fractions_planned", "n_fractions_delivered",
                       "n_records", "first_treatment", "last_treatment", "complete"],
     [(A, "2.5", 30, 2, 2, date(2024, 3, 5), date(2024, 3, 6), False)]),
    ("delivered", {"at_least": 0}, ["plan", "n_fractions_delivered"],
     [("2.5", 2), ("2.11", 0), ("2.16", 0)]),
    ("doses-by-type", {}, ["patient_key", "dose", "type", "plans", "n_dvh"],
     [(A, "2.6", "PHYSICAL", ["2.5"], 3), (B, "2.18", "EFFECTIVE", [], 0)]),
    ("doses-by-type", {"summations": "beam,plan", "type": "physical"}, ["dose", "summation"],
     [("2.6", "PLAN"), ("2.17", "BEAM")]),
    ("duplicates", {}, ["patient_key", "object", "n_copies", "differs", "first", "others"],
     [(A, "2.3", 1, False, None, ["a:copy/mr.dcm"]),
      (B, "2.13", 1, True, "b:ct/1.dcm", ["b:copy/1.dcm"])]),
    ("duplicates", {"only_different": "yes"}, ["object"], [("2.13",)]),
    ("frame-clusters", {}, ["patient_key", "frame", "n_series", "modalities", "n_registrations"],
     [(A, "1.9.1", 6, ["CT", "MR", "REG", "RTDOSE", "RTPLAN", "RTSTRUCT"], 1),
      (A, "1.9.2", 3, ["CT", "RTPLAN", "RTSTRUCT"], 1),
      (B, "1.9.3", 3, ["CT", "RTDOSE", "RTSTRUCT"], 0)]),
    ("frame-members", {"series": "1.1.2.1"}, ["patient_key", "frame", "series"],
     [(A, "1.9.2", "1.1.2.3"), (A, "1.9.2", "1.1.2.2")]),
    ("inventory", {}, ["label", "n"], None),  # type: ignore[list-item]
    ("missing-for-course", {}, ["plan", "role", "source", "target", "family", "in_archive"],
     [("2.16", "PLAN_STRUCTURE_SET", "2.16", "2.98", "RTStruct", True)]),
    ("missing-for-course", {"plan": "2.5"}, ["plan"], []),
    ("missing-targets", {}, ["role", "severity", "level", "label", "n_targets", "n_patients"],
     [("DOSE_PLAN", "ERROR", "instance", "RTPlan", 1, 1),
      ("PLAN_STRUCTURE_SET", "ERROR", "instance", "RTStruct", 1, 1),
      ("STRUCTURE_SET_IMAGE", "ERROR", "instance", "CTImage", 1, 1)]),
    ("modality-distribution", {}, ["modality", "n_series", "n_instances", "n_missing_instances"],
     [("CT", 3, 4, 1), ("RTDOSE", 2, 3, 0), ("RTPLAN", 3, 3, 0), ("RTSTRUCT", 3, 3, 0),
      ("MR", 2, 2, 0), ("RTRECORD", 1, 2, 0), ("REG", 1, 1, 0)]),
    ("open-issues", {}, ["rule", "severity", "subject", "patient_key"],
     [("REF-01", "ERROR", "2.16", B)]),
    ("orphans", {}, ["patient_key", "object", "modality", "in_frame"],
     [(B, "2.18", "RTDOSE", True)]),
    ("orphans", {"without_frame": True}, ["object"], []),
    ("orphans", {"modalities": ["RTPLAN"]}, ["object"], []),
    ("patient-series", {"patient": B}, ["series", "modality", "n_instances", "n_missing"],
     [("1.2.1.1", "CT", 1, 1), ("1.2.1.2", "RTSTRUCT", 1, 0), ("1.2.1.3", "RTPLAN", 1, 0),
      ("1.2.1.4", "RTDOSE", 2, 0)]),
    ("patient-summary", {}, ["patient_key", "n_studies", "first_study", "last_study", "modalities",
                             "n_series", "n_plans", "n_doses", "n_records", "n_unresolved"],
     [(A, 2, date(2024, 3, 1), date(2024, 3, 20),
       ["CT", "MR", "REG", "RTDOSE", "RTPLAN", "RTRECORD", "RTSTRUCT"], 10, 2, 1, 2, 0),
      (B, 1, date(2025, 6, 1), date(2025, 6, 1), ["CT", "RTDOSE", "RTPLAN", "RTSTRUCT"],
       4, 1, 2, 0, 3),
      (C, 1, None, None, ["MR"], 1, 0, 0, 0, 0)]),
    ("patients-by-modality", {"modalities": "ct,rtplan"}, ["patient_key", "n_series"],
     [(A, 10), (B, 4)]),
    ("plans-by-approval", {}, ["plan", "approval", "review_date", "structure_set_approval",
                               "n_doses"],
     [("2.5", "APPROVED", date(2024, 3, 4), ["APPROVED"], 1)]),
    ("plans-by-approval", {"status": "none,unapproved"}, ["plan", "approval"],
     [("2.16", "NONE"), ("2.11", "UNAPPROVED")]),
    ("plans-by-machine", {"machine": "linacone"}, ["patient_key", "plan", "machines", "energies"],
     [(A, "2.5", ["LinacOne"], [6.0, 10.0])]),
    ("plans-by-machine", {"machine": "linac"}, ["plan"], [("2.11",), ("2.5",)]),
    ("plans-by-prescription", {"at_least": "40", "at_most": 60}, ["plan", "prescription_dose_gy"],
     [("2.5", 60.0), ("2.16", 45.0)]),
    ("plans-by-prescription", {"fractions": 5}, ["plan", "dose_per_fraction_gy"], [("2.11", 4.0)]),
    ("plans-by-technique", {}, ["plan", "technique"],
     [("2.5", "VMAT"), ("2.16", "VMAT+STEREO")]),
    ("plans-by-technique", {"techniques": ["conformal_3d"]}, ["plan"], [("2.11",)]),
    ("plans-with-organs", {"organs": ["BLADDER"]}, ["plan", "organs"], [("2.5", ["Bladder"])]),
    ("plans-with-organs", {"organs": ["bladder", "ptv 60"]}, ["plan", "organs"],
     [("2.5", ["Bladder", "PTV 60"])]),
    ("plans-with-organs", {"organs": ["bladder", "rectum"]}, ["plan"], []),
    ("plans-with-target", {}, ["plan", "structure_set", "targets", "prescribed"],
     [("2.11", "2.10", ["PTV 20"], []), ("2.5", "2.4", ["PTV 60"], ["PTV 60"])]),
    ("plans-with-target", {"types": "ctv"}, ["plan"], []),
    ("reach", {"object": "2.6"}, ["object", "family", "steps", "roles", "missing"],
     [("2.5", "RTPlan", 1, ["DOSE_PLAN"], 0),
      ("2.4", "RTStruct", 2, ["DOSE_PLAN", "PLAN_STRUCTURE_SET"], 0),
      ("1.1.1.1", "CTImage", 3, ["DOSE_PLAN", "PLAN_STRUCTURE_SET", "STRUCTURE_SET_IMAGE"], 0)]),
    ("reach", {"object": "2.17"}, ["object", "missing"], [("2.99", 1)]),
    ("reach-summary", {}, ["patient_key", "modality", "n_objects", "n_reaching", "share"],
     [(A, "REG", 1, 1, 1.0), (A, "RTDOSE", 1, 1, 1.0), (A, "RTPLAN", 2, 2, 1.0),
      (A, "RTRECORD", 2, 2, 1.0), (A, "RTSTRUCT", 2, 2, 1.0), (B, "RTDOSE", 2, 0, 0.0),
      (B, "RTPLAN", 1, 0, 0.0), (B, "RTSTRUCT", 1, 1, 1.0)]),
    ("reachable-scans", {"series": "1.1.2.1"}, ["series", "n_registrations", "kinds", "deformable"],
     [("1.1.1.1", 1, ["RIGID"], False), ("1.1.1.2", 1, ["RIGID"], False)]),
    ("reachable-scans", {"series": "1.1.1.1"}, ["series", "n_registrations"],
     [("1.1.1.2", 0), ("1.1.2.1", 1)]),
    ("referenced-by", {"object": "2.5"}, ["role", "object", "modality", "missing"],
     [("DOSE_PLAN", "2.6", "RTDOSE", False), ("PREDECESSOR_PLAN", "2.11", "RTPLAN", False),
      ("RECORD_PLAN", "2.7", "RTRECORD", False), ("RECORD_PLAN", "2.8", "RTRECORD", False)]),
    ("references-of", {"object": "2.16"}, ["role", "object", "series", "missing"],
     [("PLAN_STRUCTURE_SET", "2.98", None, True)]),
    ("registrations", {}, ["patient_key", "registration", "deformable", "source_frame",
                           "registered_frame", "matrix_type", "source_modalities",
                           "registered_modalities"],
     [(A, "2.12", False, "1.9.2", "1.9.1", "RIGID", ["CT"], ["CT", "MR"])]),
    ("rois-by-name", {"name": "PTV"}, ["structure_set", "roi_number", "roi_name"],
     [("2.10", 1, "PTV 20"), ("2.4", 1, "PTV 60")]),
    ("rois-by-name", {"name": "ptv"}, ["roi_number"], []),
    ("rois-by-name", {"name": "ptv", "with_contours": "no"}, ["structure_set", "roi_number"],
     [("2.4", 3)]),
    ("rois-by-normalised-name", {"names": "PTV 60", "with_contours": False}, ["roi_number"],
     [(1,), (3,)]),
    ("rois-by-standard-name", {"names": "Bladder"}, ["structure_set", "roi_name", "method"],
     [("2.4", "Bladder", "EXACT"), ("2.15", "Blase", "SYNONYM")]),
    ("rois-by-standard-name", {"names": "Bladder", "score": 1}, ["roi_name"], [("Bladder",)]),
    ("runs", {}, ["run", "n_instances"], [("run-2", 5), ("run-1", 13)]),
    ("series-by-slice-thickness", {"modalities": "ct", "at_most": 2}, ["series",
                                                                        "slice_thickness_mm"],
     [("1.1.2.1", 1.0), ("1.1.1.1", 2.0)]),
    ("series-summary", {"patient": B}, ["series", "refers_to", "referred_by", "n_in_frame"],
     [("1.2.1.1", [], ["STRUCTURE_SET_IMAGE"], 2), ("1.2.1.2", ["STRUCTURE_SET_IMAGE"], [], 2),
      ("1.2.1.3", [], [], 0), ("1.2.1.4", [], [], 2)]),
    ("studies-by-date", {}, ["study"], [("1.1.1",), ("1.1.2",), ("1.2.1",), ("1.3.1",)]),
    ("studies-by-date", {"since": "2024-03-02", "until": date(2024, 12, 31)},
     ["patient_key", "study", "modalities", "n_series", "n_instances"],
     [(A, "1.1.2", ["CT", "REG", "RTPLAN", "RTSTRUCT"], 4, 4)]),
    ("study-summary", {"patient": B}, ["study", "n_series", "n_instances", "n_missing"],
     [("1.2.1", 4, 5, 1)]),
    ("with-reach", {}, ["patient_key", "object", "n_reached", "steps"], [(A, "2.6", 2, 3)]),
    ("with-reach", {"depth": 2}, ["object"], []),
    ("with-reach", {"source": "rtrecord", "target": "rtstruct"}, ["object", "steps"],
     [("2.7", 2), ("2.8", 2)]),
    ("without-reach", {}, ["patient_key", "object"], [(B, "2.17"), (B, "2.18")]),
]
# Tested below: those that return graphs, and the one that needs a saved cohort. Tested with
# exports, which they are about: those of samples, and of names that a person has decided.
OTHERS = {"patient-graph", "show-patient", "cohort-members", "samples-of-object",
          "samples-to-remake", "samples-in-two-splits", "doses-rejected", "exports-outdated",
          "cases-between-exports", "roi-names"}


@pytest.mark.parametrize(("name", "given", "columns", "expected"), CASES,
                         ids=[f"{c[0]} {json.dumps(c[1], default=str)}" for c in CASES])
def test_query(
    cohort: TestGraph, name: str, given: dict[str, object], columns: list[str],
    expected: list[tuple[object, ...]] | None,
) -> None:
    wanted = query(name)
    rows = cohort.read(wanted.statement, **bind(wanted, given))
    assert all(list(r) == list(wanted.returns) for r in rows)
    if expected is None:
        counted = {r["label"]: r["n"] for r in rows}
        assert counted["Patient"] == 3
        assert counted["Image"] == 7
        return
    assert [tuple(r[c] for c in columns) for r in rows] == expected


def test_every_query_has_a_case() -> None:
    assert {c[0] for c in CASES} | OTHERS == {q.name for q in queries()}
    assert len(queries()) >= 25


def test_times_of_a_course_are_in_order(cohort: TestGraph) -> None:
    wanted = query("timeline")
    times = [r["time"] for r in cohort.read(wanted.statement, patient=A)]
    assert times == sorted(times)
    assert times[0] == datetime(2024, 3, 1, 8, 30)


def test_graphs_of_a_patient_hold_series_and_references(cohort: TestGraph) -> None:
    shown = cohort.read(query("show-patient").statement, patient=A)
    nodes = {tuple(n["labels"]) for r in shown for n in r["p"]["nodes"]}
    assert {("Patient",), ("Study",), ("CTSeries", "Series"), ("RTPlanSeries", "Series")} <= nodes
    kinds = {e["type"] for r in shown for e in r["p"]["relationships"]}
    assert kinds == {"HAS_STUDY", "HAS_SERIES", "REFERENCES", "SHARES_FOR"}
    rows = cohort.read(query("patient-graph").statement, patient=A)
    assert {r["a"]["properties"]["SeriesInstanceUID"] for r in rows} >= {"1.1.1.1", "1.1.2.4"}


# --- the commands --------------------------------------------------------------------------------

@pytest.fixture
def graph(cohort: TestGraph) -> TestGraph:
    """The commands of this module ask the cohort; nothing here writes."""
    return cohort


def test_formats_of_rows(call: Call, folder: Path) -> None:
    words = ("query", "run", "plans-by-technique")
    assert json.loads(call(*words, "-f", "json").stdout)["rows"][0]["plan"] == "2.5"
    assert [json.loads(x)["plan"] for x in call(*words, "-f", "jsonl").stdout.splitlines()] == [
        "2.5", "2.16"]
    assert call(*words, "-f", "csv").stdout.startswith("patient_key,plan,label,technique")
    assert "VMAT+STEREO" in call(*words).stdout
    call(*words, "-f", "csv", "-o", "rows.csv")
    assert "exists" in call(*words, "-o", "rows.csv", code=3).stderr
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    from pyarrow.parquet import read_table

    assert "Name a file" in call(*words, "-f", "parquet", code=2).stderr
    call(*words, "-f", "parquet", "-o", "rows.parquet")
    assert read_table(folder / "rows.parquet").column("plan").to_pylist() == ["2.5", "2.16"]


def test_identifying_columns_are_hidden(call: Call) -> None:
    hidden = json.loads(call("query", "run", "duplicates", "-f", "json").stdout)["rows"]
    assert {r["others"] for r in hidden} == {"hidden"}
    shown = call("query", "run", "duplicates", "-f", "json", "--identifiers").stdout
    assert "b:copy/1.dcm" in shown
    assert "ID-A" not in call("query", "run", "show-patient", "-p", f"patient={A}").stdout


def test_list_and_show(call: Call, folder: Path) -> None:
    rows = json.loads(call("query", "list", "-f", "json").stdout)["rows"]
    assert {r["name"] for r in rows} >= {c[0] for c in CASES}
    (folder / "queries").mkdir()
    (folder / "queries" / "mine.cypher").write_text("RETURN 1;", encoding="utf-8")
    listed = call("query", "list")
    assert "mine.cypher" in listed.stderr
    assert "orphans" in listed.stdout
    text = call("query", "show", "orphans").stdout
    assert text.startswith("// Objects that refer to nothing")
    assert "browser_url" in call("query", "show", "orphans", "--link", code=2).stderr
    link = call("query", "show", "orphans", "--link",
                RTGRAPH_BROWSER_URL="http://127.0.0.1:7474/browser/").stdout
    assert link.startswith("http://127.0.0.1:7474/browser/?dbms=")
    assert "&cmd=edit&arg=%2F%2F%20Objects" in link


@pytest.mark.parametrize(("words", "message"), [
    (["orphan"], "Did you mean orphans?"),
    (["orphans", "-p", "modality=CT"], "Did you mean modalities?"),
    (["doses-by-type", "-p", "type="], "of type string"),
    (["delivered", "-p", "at_least=two"], "of type integer"),
    (["delivered", "-p", "at_least=1", "-p", "at_least=2"], "given twice"),
    (["delivered", "-p", "at_least"], "NAME=VALUE"),
    (["studies-by-date", "-p", "since=01.02.2024"], "of type date"),
    (["reach"], "needs the parameter object"),
    (["MATCH (n) DETACH DELETE n"], "refuses the statement"),
    (["CALL db.labels() YIELD label CREATE (n:X) RETURN n"], "refuses the statement"),
])
def test_mistakes_are_one_clear_sentence(
    call: Call, cohort: TestGraph, words: list[str], message: str
) -> None:
    done = call("query", "run", *words, code=2)
    assert message in done.stderr
    assert done.stdout == ""
    assert cohort.one("MATCH (p:Patient) RETURN count(p)") == 3


# --- show ----------------------------------------------------------------------------------------

def test_show_tells_roles_paths_and_files(call: Call) -> None:
    shown = json.loads(call("show", "2.5", "-f", "json").stdout)
    assert (shown["level"], shown["kind"], shown["label"]) == ("instance", "RTPlan", "P1")
    assert (shown["patients"], shown["study"], shown["series"]) == ([A], "1.1.1", "1.1.1.4")
    (to,) = shown["refers_to"]
    assert (to["role"], to["kind"], to["other"]) == ("PLAN_STRUCTURE_SET", "RTStruct", "2.4")
    assert to["path"] == "ReferencedStructureSetSequence › ReferencedSOPInstanceUID"
    assert to["defined_in"] == "PS3.3 C.8.8.9"
    assert {(r["role"], r["other"]) for r in shown["referred_by"]} == {
        ("DOSE_PLAN", "2.6"), ("RECORD_PLAN", "2.7"), ("RECORD_PLAN", "2.8"),
        ("PREDECESSOR_PLAN", "2.11")}
    assert shown["frames"] == ["1.9.1"]

    structures = json.loads(call("show", "2.15", "-f", "json").stdout)
    (images,) = structures["refers_to"]
    assert (images["other"], images["n"], images["n_missing"]) == ("1.2.1.1", 2, 1)
    text = call("show", "2.16").stdout
    assert text.startswith("RTPlan 2.16 BP\n")
    assert "MISSING" in text
    assert "REF-01 error open 2.98" in text
    assert "missing" in call("show", "2.99").stdout.splitlines()[0]
    assert "study" in call("show", "1.1.1.1").stdout
    assert "Study 1.3.1 Brain" in call("show", "1.3.1").stdout
    assert "bytes, changed" in call("show", "2.1").stdout
    assert "ct/1.dcm" not in call("show", "2.1").stdout
    assert "a:ct/1.dcm" in call("show", "2.1", "--identifiers").stdout
    assert "Nothing in the graph" in call("show", "9.9.9", code=2).stderr


# --- cohorts -------------------------------------------------------------------------------------

@pytest.fixture
def no_cohorts(cohort: TestGraph) -> Iterator[TestGraph]:
    yield cohort
    cohort.write("MATCH (c:Cohort) DETACH DELETE c")
    cohort.write("MATCH (r:RTPlan {SOPInstanceUID: '2.16'}) SET r.technique = 'VMAT+STEREO'")


def test_cohorts_are_frozen_and_asked_again(
    no_cohorts: TestGraph, call: Call, folder: Path
) -> None:
    saved = call("cohort", "save", "vmat", "--query", "plans-by-technique", "-p",
                 "techniques=VMAT")
    assert "2 members of level instance" in saved.stderr
    assert "already" in call("cohort", "save", "vmat", "--query", "runs", code=2).stderr
    shown = json.loads(call("cohort", "show", "vmat", "-f", "json").stdout)
    assert (shown["query"], shown["n_members"], shown["n_now"]) == ("plans-by-technique", 2, 2)
    assert json.loads(shown["parameters"]) == {"parameters": {"techniques": "VMAT"}}
    assert json.loads(shown["graph_state"])["patients"] == 3
    assert len(shown["member_digest"]) == 32
    assert "0 entered, 0 left, 2 unchanged" in call("cohort", "diff", "vmat").stderr

    no_cohorts.write("MATCH (p:RTPlan {SOPInstanceUID: '2.16'}) SET p.technique = 'HDR'")
    no_cohorts.write("MATCH (p:RTPlan {SOPInstanceUID: '2.11'}) SET p.technique = 'VMAT'")
    try:
        changed = call("cohort", "diff", "vmat", "-f", "json")
        assert {(r["change"], r["key"]) for r in json.loads(changed.stdout)["rows"]} == {
            ("entered", "2.11"), ("left", "2.16")}
        # what was frozen stays, whatever the question answers now
        rows = call("cohort", "export", "vmat").stdout.splitlines()
        assert rows[1:] == [f"{A},INSTANCE,2.5,RTPLAN,P1,false",
                            f"{B},INSTANCE,2.16,RTPLAN,BP,false"]
    finally:
        no_cohorts.write("MATCH (p:RTPlan {SOPInstanceUID: '2.11'}) "
                         "SET p.technique = 'CONFORMAL_3D'")
    call("cohort", "export", "vmat", "-f", "json", "-o", "vmat.json")
    assert len(json.loads((folder / "vmat.json").read_text(encoding="utf-8"))["rows"]) == 2
    assert json.loads(call("cohort", "list", "-f", "json").stdout)["rows"][0]["name"] == "vmat"
    members = json.loads(call("query", "run", "cohort-members", "-p", "cohort=vmat", "-f",
                              "json").stdout)["rows"]
    assert [r["key"] for r in members] == ["2.5", "2.16"]
    assert "--yes" in call("cohort", "delete", "vmat", code=2).stderr
    call("cohort", "delete", "vmat", "--yes")
    assert no_cohorts.one("MATCH (p:Patient) RETURN count(p)") == 3


def test_cohorts_of_conditions(no_cohorts: TestGraph, call: Call) -> None:
    call("cohort", "save", "no ct", "--without", "Modality=CT")
    found = json.loads(call("cohort", "export", "no ct", "-f", "json").stdout)["rows"]
    assert [(r["level"], r["key"]) for r in found] == [("PATIENT", C)]
    call("cohort", "save", "scans", "--find", "Modality=CT", "--find", "StudyDate=2024",
         "--level", "series")
    rows = json.loads(call("cohort", "export", "scans", "-f", "json").stdout)["rows"]
    assert [r["key"] for r in rows] == ["1.1.1.1", "1.1.2.1"]
    call("cohort", "save", "one", "--find", "PatientID=ID-A")
    assert "ID-A" not in call("cohort", "show", "one").stdout
    call("cohort", "save", "one", "--find", "PatientSex=F", "--force")
    assert call("cohort", "export", "one").stdout.splitlines()[1].startswith(B)


@pytest.mark.parametrize(("words", "message"), [
    (["show", "nothing"], "no cohort named"),
    (["save", "x"], "a query or by conditions"),
    (["save", "x", "--query", "orphans", "--find", "Modality=CT"], "a query or by conditions"),
    (["save", "x", "--query", "orphan"], "Did you mean orphans?"),
    (["save", "x", "--query", "orphans", "-p", "modality=CT"], "Did you mean modalities?"),
    (["save", "x", "--query", "inventory"], "name no patient"),
    (["save", "x", "--query", "orphans", "--column", "label"], "no column"),
    (["save", "x", "--find", "Modalty=CT"], "Did you mean Modality?"),
    (["save", "/x", "--find", "Modality=CT"], "letters, digits"),
    (["diff", "nothing"], "no cohort"),
])
def test_mistakes_with_cohorts(
    no_cohorts: TestGraph, call: Call, words: list[str], message: str
) -> None:
    done = call("cohort", *words, code=2)
    assert message in done.stderr + done.stdout

"""The figure from the graph: stored findings, inferred links, cohorts, schema, the command."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rtgraph.cypher.graph import holders
from rtgraph.demo.manifest import Manifest
from rtgraph.errors import UnknownName, UsageError
from rtgraph.viz import gather
from rtgraph.viz.figure import Figure
from rtgraph.viz.picture import Material, Options, chosen, compose
from tests.server.conftest import Call, TestGraph

pytestmark = pytest.mark.server
# Nodes as `validate --store` writes them (graph model 2.4 and 2.6).
STORE_RUN = """\
CREATE (:ValidationRun {id: $id, started: datetime($at), finished: datetime($at),
                        tool_version: '0', level: 'header', checks: ['REF-01'], counts: '{}'})"""
STORE_ISSUE = """\
MATCH (v:ValidationRun {id: $run})
CREATE (i:Issue {key: $key, rule: $rule, severity: $severity, confidence: 1.0, status: $status,
                 patient_key: $patient, subject: $subject, target: $target,
                 first_seen: datetime('2025-03-01T10:00:00Z')})
CREATE (i)-[:FOUND_IN]->(v)
WITH i
MATCH (n {SOPInstanceUID: $subject})
CREATE (i)-[:ABOUT]->(n)"""
CLEAN_UP = "MATCH (n:Issue|ValidationRun|Cohort) DETACH DELETE n"
INFER = """\
MATCH (a:Instance {SOPInstanceUID: $a}), (b:Instance {SOPInstanceUID: $b})
CREATE (a)-[:INFERRED_LINK {method: 'BY_DATE', confidence: 0.5, rule_version: 1}]->(b)"""


@pytest.fixture
def cohort(graph: TestGraph, synthetic: tuple[Path, Manifest]) -> Manifest:
    """Three patients in the graph; what tests add is taken away again."""
    folder, manifest = synthetic
    graph.ingest(folder)
    return manifest


def key_of(graph: TestGraph, patient_id: str) -> str:
    return str(graph.one("MATCH (p:Patient {PatientID: $id}) RETURN p.patient_key", id=patient_id))


def material(graph: TestGraph, patient_id: str) -> Material:
    return graph.run(gather.material(graph.store, key_of(graph, patient_id), "http://b/?x"))


def plan_of(graph: TestGraph, patient_id: str) -> str:
    return str(graph.one("""\
        MATCH (k:Patient {PatientID: $id})-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s:Series)
        MATCH (s)-[:HAS_INSTANCE]->(p:RTPlan)
        RETURN p.SOPInstanceUID ORDER BY p.SOPInstanceUID LIMIT 1""", id=patient_id))


def test_stored_findings_are_on_their_boxes(graph: TestGraph, cohort: Manifest) -> None:
    assert material(graph, "DEMO-1").validation is None
    plan = plan_of(graph, "DEMO-1")
    key = key_of(graph, "DEMO-1")
    for run_id, at in (("old", "2025-01-01T00:00:00Z"), ("new", "2025-03-01T09:30:00Z")):
        graph.write(STORE_RUN, id=run_id, at=at)
    for i, (rule, status, patient) in enumerate((
        ("REF-01", "OPEN", key), ("FOR-01", "WAIVED", key), ("PLN-07", "CLOSED", key),
        ("NEW-99", "OPEN", key), ("REF-01", "OPEN", "another"),
    )):
        graph.write(STORE_ISSUE, run="old", key=f"{i}", rule=rule, severity="error",
                    status=status, patient=patient, subject=plan, target="1.2.3")
    shown = compose(material(graph, "DEMO-1"), Options())
    assert [(f.rule, f.waived, f.target, f.since) for f in shown.findings[plan]] == [
        ("NEW-99", False, "1.2.3", "2025-03-01"), ("REF-01", False, "1.2.3", "2025-03-01"),
        ("FOR-01", True, "1.2.3", "2025-03-01")]
    (title,) = {f.title for f in shown.findings[plan] if f.rule == "REF-01"}
    assert title == "Every reference resolves to an object that was ingested"
    assert shown.others == ()
    assert shown.validation is not None
    page = Figure(material(graph, "DEMO-1")).html
    assert "validated on 2025-03-01 09:30 UTC" in page
    graph.write(CLEAN_UP)


def test_inferred_links_are_read(graph: TestGraph, cohort: Manifest) -> None:
    plan = plan_of(graph, "DEMO-1")
    dose = str(graph.one("""\
        MATCH (d:RTDose)-[:REFERENCES]->(:RTPlan {SOPInstanceUID: $plan})
        RETURN min(d.SOPInstanceUID)""", plan=plan))
    graph.write(INFER, a=dose, b=plan)
    edges = compose(material(graph, "DEMO-1"), Options()).subgraph.edges
    assert [(e.source, e.target, e.role) for e in edges if e.kind == "INFERRED_LINK"] == [
        (dose, plan, "BY_DATE (0.5)")]
    graph.write("MATCH ()-[r:INFERRED_LINK]->() DELETE r")


def test_delivered_fractions_come_from_the_graph(graph: TestGraph, cohort: Manifest) -> None:
    rows = compose(material(graph, "DEMO-2"), Options()).timeline.rows
    found = [(r.planned, r.fractions, r.n_records) for r in rows if r.plan]
    assert found == [(10, (1, 2, 3, 4), 4), (6, (1, 2, 3, 4), 4)]  # four fractions of each plan


def test_a_study_or_series_leads_to_its_patient(graph: TestGraph, cohort: Manifest) -> None:
    for instance in cohort.instances[:3]:
        key = key_of(graph, instance.patient_id)
        for uid in (instance.study_uid, instance.series_uid, instance.uid):
            found = graph.run(holders(graph.store, uid, "study", "series", "instance"))
            assert found == [key]
        assert graph.run(gather.patient_of(graph.store, None, instance.series_uid)) == key
        assert graph.run(holders(graph.store, instance.series_uid, "study")) == []
    with pytest.raises(UsageError, match="No patient holds"):
        graph.run(gather.patient_of(graph.store, None, "1.2.3"))


@pytest.mark.parametrize("level", ["Patient", "Study", "Series", "Instance"])
def test_patients_of_a_cohort(graph: TestGraph, cohort: Manifest, level: str) -> None:
    property_name = {"Patient": "patient_key", "Study": "StudyInstanceUID",
                     "Series": "SeriesInstanceUID", "Instance": "SOPInstanceUID"}[level]
    one = next(i for i in cohort.instances if i.patient_id == "DEMO-2")
    value = {"Patient": key_of(graph, "DEMO-2"), "Study": one.study_uid,
             "Series": one.series_uid, "Instance": one.uid}[level]
    graph.write(f"MATCH (n:{level} {{{property_name}: $value}}) "
                "CREATE (:Cohort {name: 'two', level: 'X', n_members: 1})-[:HAS_MEMBER]->(n)",
                value=value)
    graph.write("CREATE (:Cohort {name: 'empty', n_members: 0})")
    assert graph.run(gather.cohort_patients(graph.store, "two")) == [key_of(graph, "DEMO-2")]
    with pytest.raises(UnknownName, match="no cohort") as unknown:
        graph.run(gather.cohort_patients(graph.store, "tow"))
    assert "two" in unknown.value.hint
    with pytest.raises(UsageError, match="no member"):
        graph.run(gather.cohort_patients(graph.store, "empty"))
    graph.write(CLEAN_UP)


def test_the_command_draws_in_every_format(
    call: Call, graph: TestGraph, cohort: Manifest, tmp_path: Path
) -> None:
    key = key_of(graph, "DEMO-3")
    for name in ("html", "svg", "json", "dot", "graphml"):
        call("graph", key, "-f", name)
    work = tmp_path / "work"
    assert {p.name for p in work.iterdir()} == {
        f"{key}.{name}" for name in ("html", "svg", "json", "dot", "graphml")}
    document = json.loads((work / f"{key}.json").read_text(encoding="utf-8"))
    loaded = ElementTree.fromstring((work / f"{key}.graphml").read_text(encoding="utf-8"))
    assert len(loaded.findall(".//{*}node")) == len(document["boxes"])
    assert json.loads(call("graph", key, "-f", "json", "-o", "-").stdout) == document
    for path in work.iterdir():
        text = path.read_text(encoding="utf-8")
        assert "DEMO-3" not in text


def test_the_command_draws_a_part(call: Call, graph: TestGraph, cohort: Manifest) -> None:
    study = next(i.study_uid for i in cohort.instances if i.patient_id == "DEMO-2")
    series = next(i.series_uid for i in cohort.instances
                  if i.patient_id == "DEMO-2" and i.modality == "RTSTRUCT")

    def boxes(*words: object) -> int:
        done = call("graph", *words, "-f", "json", "-o", "-")
        return len(json.loads(done.stdout)["boxes"])

    everything = boxes("DEMO-2")
    assert boxes("--study", study, "--hops", "0") < boxes("--study", study) < everything
    assert boxes("--series", series, "--hops", "0") == 1
    assert boxes("DEMO-2", "--modality", "rtplan") == 2
    assert boxes("DEMO-2", "--role", "PREDECESSOR_PLAN") == 2
    assert 0 < boxes("DEMO-3", "--problems-only") < boxes("DEMO-3")
    assert "Did you mean RTPLAN?" in call("graph", "DEMO-2", "--modality", "RTPLON", code=2).stderr
    assert "more than 3" in call("graph", "DEMO-2", "--max-nodes", "3", code=2).stderr
    assert "nothing to draw" in call("graph", code=2).stderr
    assert "One thing" in call("graph", "DEMO-1", "--all", "-o", "x", code=2).stderr
    template = ("--link-template", "x:{PatientID}")
    assert "no address" in call("graph", "DEMO-1", *template, code=2).stderr


def test_unknown_patients_are_one_sentence(call: Call, graph: TestGraph, cohort: Manifest) -> None:
    unknown = call("graph", "DEMO-11", code=2)
    assert "--identifiers shows it" in unknown.stderr
    assert not any(f"DEMO-{i}" in unknown.stderr for i in (1, 2, 3))
    assert "Did you mean" in call("graph", "DEMO-11", "--identifiers", code=2).stderr
    key = key_of(graph, "DEMO-1")
    assert key in call("graph", key[:-1], code=2).stderr


def test_all_patients_and_a_cohort_get_pages_and_an_index(
    call: Call, graph: TestGraph, cohort: Manifest, tmp_path: Path
) -> None:
    keys = [key_of(graph, f"DEMO-{i}") for i in (1, 2, 3)]
    pages = tmp_path / "pages"
    done = call("graph", "--all", "-o", pages, "-j", "2")
    assert "index.html and 3 pages" in done.stderr
    assert {p.name for p in pages.iterdir()} == {"index.html", *(f"{k}.html" for k in keys)}
    index = (pages / "index.html").read_text(encoding="utf-8")
    assert all(key in index for key in keys)
    assert "DEMO-1" not in index
    assert "holds an index already" in call("graph", "--all", "-o", pages, code=2).stderr
    call("graph", "--all", "-o", pages, "--force", "-j", "1")
    assert "folder" in call("graph", "--all", code=2).stderr

    graph.write("MATCH (p:Patient {PatientID: 'DEMO-2'}) "
                "CREATE (:Cohort {name: 'two', level: 'PATIENT', n_members: 1})-[:HAS_MEMBER]->(p)")
    some = tmp_path / "some"
    call("graph", "--cohort", "two", "-o", some)
    assert {p.name for p in some.iterdir()} == {"index.html", f"{keys[1]}.html"}
    new = tmp_path / "new"
    assert "Did you mean two?" in call("graph", "--cohort", "tow", "-o", new, code=2).stderr
    assert not new.exists()
    small = tmp_path / "small"
    assert "too large" in call("graph", "--all", "-o", small, "--max-nodes", "3", code=1).stderr
    assert [p.name for p in small.iterdir()] == ["index.html"]
    graph.write(CLEAN_UP)


def test_the_schema_counts_labels_and_types(
    call: Call, graph: TestGraph, cohort: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = json.loads(call("graph", "--schema", "-f", "json", "-o", "-").stdout)
    boxes = {b["id"]: int(b["details"]["nodes"].replace(",", "")) for b in document["boxes"]}
    counts = cohort.counts
    assert (boxes["Patient"], boxes["Study"], boxes["Series"]) == (3, counts.studies, counts.series)
    plans = sum(i.modality == "RTPLAN" for i in cohort.instances)
    lost = graph.one("MATCH (p:RTPlan:Missing) RETURN count(p)")
    assert boxes["RTPlan"] == plans + lost
    assert document["counts"]["relationships"] == graph.one("MATCH ()-[r]->() RETURN count(r)")
    opened: list[str] = []

    def note(address: str) -> bool:
        opened.append(address)
        return True

    monkeypatch.setattr("webbrowser.open", note)
    call("graph", "--schema", "-o", "schema.svg", "--open")
    assert opened == [Path("schema.svg").resolve().as_uri()]
    assert "cannot be opened" in call("graph", "--schema", "-o", "-", "--open", code=2).stderr


def test_options_work_in_python_too(graph: TestGraph, cohort: Manifest) -> None:
    about = material(graph, "DEMO-2")
    assert "<iframe" in Figure(about, chosen(expand=["RTRECORD"]))._repr_html_()


def test_a_folder_that_cannot_be_written_is_one_sentence(
    call: Call, graph: TestGraph, cohort: Manifest, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    done = call("graph", "DEMO-1", "-o", blocked / "page.html", code=3)
    assert "cannot be written" in done.stderr
    assert str(tmp_path) not in done.stderr
    assert "folder" in call("graph", "--all", "-o", blocked, code=2).stderr

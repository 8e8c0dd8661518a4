"""Reports of checks on a real graph: formats, stored issues, waivers, profiles, protocols."""

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rtgraph.demo.manifest import Manifest
from rtgraph.ingest.derive import derive
from tests.data.small import encoded, new, with_value
from tests.server.conftest import Call, TestGraph

pytestmark = pytest.mark.server
CHECKS = ("FOR-01", "REF-01", "REF-02", "PLN-07")


@pytest.fixture
def filled(graph: TestGraph, cohort: tuple[Path, Manifest]) -> TestGraph:
    graph.ingest(cohort[0])
    return graph


def planted(manifest: Manifest, *checks: str) -> set[tuple[str, str]]:
    return {(f.check, f.subject) for f in manifest.faults if f.check in (checks or CHECKS)}


def test_every_format_tells_the_same_findings(
    filled: TestGraph, cohort: tuple[Path, Manifest], call: Call, tmp_path: Path
) -> None:
    chosen = [w for c in CHECKS for w in ("--select", c)]
    expected = planted(cohort[1])
    document = json.loads(call("validate", *chosen, "-f", "json", code=1).stdout)
    assert {(c["id"], f["subject"]) for c in document["checks"] for f in c["findings"]} == expected
    lines = [json.loads(row) for row in
             call("validate", *chosen, "-f", "jsonl", code=1).stdout.splitlines()]
    assert {(r["check"], r["subject"]) for r in lines if r["kind"] == "finding"} == expected
    rows = csv.DictReader(io.StringIO(call("validate", *chosen, "-f", "csv", code=1).stdout))
    assert {(r["check"], r["subject"]) for r in rows} == expected
    concise = call("validate", *chosen, "-f", "concise", code=1).stdout.splitlines()
    assert {(w[0], w[3]) for w in map(str.split, concise)} == expected
    junit = ElementTree.fromstring(call("validate", *chosen, "-f", "junit", code=1).stdout)
    assert junit.get("tests") == "4"
    assert {str(c.get("name")).split()[0] for c in junit[0] if c.find("failure") is not None} == {
        c for c, _ in expected if c != "PLN-07"}  # a warning does not fail the run

    page = tmp_path / "out" / "report.html"
    (tmp_path / "figures").mkdir()
    key = str(filled.one("MATCH (p:Patient) RETURN min(p.patient_key)"))
    keys = {f["patient_key"] for c in document["checks"] for f in c["findings"]}
    for name in keys | {key}:
        (tmp_path / "figures" / f"{name}.html").touch()
    done = call("validate", *chosen, "-f", "html", "-o", page, "--figures", tmp_path / "figures",
                code=1, RTGRAPH_BROWSER_URL="http://127.0.0.1:7474/browser/")
    assert done.stdout.startswith("FOR-01 error")  # the table still goes to the terminal
    assert "4 checks: " in done.stdout
    text = page.read_text(encoding="utf-8")
    assert all(subject in text for _, subject in expected)
    assert all(f'href="../figures/{name}.html"' in text for name in keys)
    assert "cmd=edit" in text
    markdown = call("validate", *chosen, "-f", "markdown", code=1).stdout
    assert all(f"`{subject}`" in markdown for _, subject in expected)


def test_one_patient_and_one_study(
    filled: TestGraph, cohort: tuple[Path, Manifest], call: Call
) -> None:
    (bad,) = {f["k"] for f in filled.read(
        "MATCH (p:Patient)-[:HAS_STUDY]->()-[:HAS_SERIES]->()-[:HAS_INSTANCE]->(i) "
        "WHERE i.SOPInstanceUID IN $uids RETURN DISTINCT p.patient_key AS k",
        uids=[s for _, s in planted(cohort[1])])}
    good = filled.one("MATCH (p:Patient) WHERE p.patient_key <> $bad RETURN min(p.patient_key)",
                      bad=bad)
    study = filled.one("MATCH (:Patient {patient_key: $k})-[:HAS_STUDY]->(t) "
                       "RETURN min(t.StudyInstanceUID)", k=bad)
    call("validate", "--select", "FOR-01", "--patient", good)
    for words in (["--patient", bad], ["--study", study]):
        found = json.loads(call("validate", "--select", "FOR-01", *words, "-f", "json",
                                code=1).stdout)
        assert found["patient"] == bad
        assert found["checks"][0]["population"] > len(found["checks"][0]["findings"])
    assert "No patient has a study" in call("validate", "--study", "1.2.3", code=2).stderr
    assert "twice" in call("validate", "--study", study, "--patient", bad, code=2).stderr


def test_baseline_and_settings_of_the_project(
    filled: TestGraph, cohort: tuple[Path, Manifest], call: Call, folder: Path
) -> None:
    base = ("validate", "--select", "FOR-01", "--select", "REF-01")
    call(*base, "--write-baseline", "baseline.json", code=1)
    # the keys of the store survive a wipe, and with them the baseline
    filled.wipe()
    filled.ingest(cohort[0])
    known = call(*base, "--baseline", "baseline.json")
    assert "in the baseline" in known.stdout
    assert "exists" in call(*base, "--write-baseline", "baseline.json", code=3).stderr

    (folder / "rtgraph.toml").write_text("""
[validate.checks.FOR-01]
severity = "warning"
[[validate.suppress]]
check = "REF-01"
reason = "the plan was never exported"
author = "A. Physicist"
[[validate.suppress]]
check = "REF-01"
subject = "1.2.3"
reason = "long gone"
author = "A. Physicist"
""", encoding="utf-8")
    done = call(*base)
    assert "FOR-01 warning" in done.stdout
    assert "REF-01 accepted" in done.stdout
    assert "Nothing needs this suppression: REF-01 1.2.3" in done.stderr
    (folder / "rtgraph.toml").write_text("[validate.checks.FOR-011]\n", encoding="utf-8")
    assert "Did you mean FOR-01?" in call(*base, code=2).stderr


def test_issues_live_in_the_graph(
    filled: TestGraph, cohort: tuple[Path, Manifest], call: Call
) -> None:
    base = ("validate", "--select", "FOR-01", "--select", "REF-01")
    first = call(*base, "--store", code=1).stderr.split("stored as run ")[1].split()[0]
    issues = filled.read("MATCH (x:Issue)-[:FOUND_IN]->(v:ValidationRun) RETURN x.rule AS rule, "
                         "x.subject AS subject, x.status AS status, v.id AS run")
    assert {(r["rule"], r["subject"]) for r in issues} == planted(cohort[1], "FOR-01", "REF-01")
    assert {(r["status"], r["run"]) for r in issues} == {("OPEN", first)}
    about = filled.read("MATCH (x:Issue {rule: 'FOR-01'})-[:ABOUT]->(n) RETURN "
                        "n.SOPInstanceUID = x.subject AS same, x.subject_label AS label")
    assert about == [{"same": True, "label": "Instance"}]

    ((_, subject),) = planted(cohort[1], "FOR-01")
    asked = ("waive", "for-01", subject)
    assert "a reason and an author" in call(*asked, code=2).stderr
    call(*asked, "--reason", "phantom", "--author", "A. Physicist", "--until", "2199-12-31")
    shown = json.loads(call("waive", "--list", "-f", "json").stdout)["rows"]
    assert [(r["rule"], r["author"], r["until"]) for r in shown] == [
        ("FOR-01", "A. Physicist", "2199-12-31")]
    # a waiver counts in every later run, stored or not, and survives them
    waived = json.loads(call(*base, "-f", "json", code=1).stdout)
    assert waived["states"]["waived"] == 1
    call("validate", "--select", "FOR-01", "--store")
    call("validate", "--select", "FOR-01", "--store")
    assert filled.one("MATCH (x:Issue {rule: 'FOR-01'}) RETURN x.status") == "WAIVED"
    call(*asked, "--undo")
    call("validate", "--select", "FOR-01", code=1)
    assert "is not waived" in call(*asked, "--undo", code=2).stderr
    assert "no stored issue" in call("waive", "FOR-01", "1.2.3", "--undo", code=2).stderr


def test_runs_are_compared_and_repaired_findings_close(
    filled: TestGraph, cohort: tuple[Path, Manifest], call: Call
) -> None:
    ((_, subject),) = planted(cohort[1], "FOR-01")
    chosen = ("validate", "--select", "FOR-01", "--select", "REF-02")

    def run() -> str:
        return call(*chosen, "--store", code=1).stderr.split("stored as run ")[1].split()[0]

    first = run()
    assert "newest one" in call("validate", "--since", first, code=2).stderr
    assert "no stored run" in call("validate", "--since", "nothing", code=2).stderr
    frame = filled.one("MATCH (i:Instance {SOPInstanceUID: $uid}) RETURN i.frame_uid", uid=subject)
    other = "MATCH (i:Instance {SOPInstanceUID: $uid})-[r:REFERENCES]->(:CTImage)<--(b:Series) " \
            "SET i.frame_uid = b.frame_uids[0]"
    filled.write(other, uid=subject)  # repaired
    second = run()
    assert filled.one("MATCH (x:Issue {rule: 'FOR-01'}) RETURN x.status") == "CLOSED"
    found = json.loads(call("validate", "--since", first, "-f", "json").stdout)["rows"]
    assert {(r["change"], r["rule"]) for r in found} == {("closed", "FOR-01"),
                                                         ("unchanged", "REF-02")}
    filled.write("MATCH (i:Instance {SOPInstanceUID: $uid}) SET i.frame_uid = $frame",
                 uid=subject, frame=frame)
    done = call(*chosen, "--store", "--since", second, code=1)
    assert "1 opened, 0 closed, 1 unchanged" in done.stderr
    assert filled.one("MATCH (x:Issue {rule: 'FOR-01'}) RETURN x.status") == "OPEN"
    # a run that looks at less closes nothing of the rest
    call("validate", "--select", "HIE", "--store")
    assert filled.one("MATCH (x:Issue {status: 'OPEN'}) RETURN count(x)") == 2


def test_values_that_a_person_waived_stay_waived_when_the_series_is_derived_again(
    graph: TestGraph, call: Call, tmp_path: Path
) -> None:
    raw = encoded(new("a", SliceThickness="2.5"))
    source = tmp_path / "dicom"
    source.mkdir()
    (source / "a.dcm").write_bytes(with_value(raw, "SliceThickness", b"2,5 "))
    graph.ingest(source)
    call("validate", "--select", "VAL-01", "--store", "--fail-on", "info", code=1)
    (issue,) = graph.read("MATCH (x:Issue) RETURN x.subject AS subject, x.keyword AS keyword")
    call("waive", "VAL-01", issue["subject"], issue["keyword"],
         "--reason", "harmless", "--author", "A")
    call("validate", "--select", "VAL-01", "--store", "--fail-on", "info")
    graph.ingest(source, full=True)
    assert graph.read("MATCH (x:Issue)-[:ABOUT]->(:Series) RETURN x.status AS s, x.waived_by AS by"
                      ) == [{"s": "WAIVED", "by": "A"}]


def test_a_copy_is_held_against_the_profile_of_its_source(
    filled: TestGraph, cohort: tuple[Path, Manifest], call: Call, folder: Path
) -> None:
    done = call("validate", "--reference-profile", "profile.jsonl")
    assert "--against" in done.stderr
    text = (folder / "profile.jsonl").read_text(encoding="utf-8")
    manifest = cohort[1]
    assert not any(i.uid in text or i.series_uid in text or i.patient_id in text
                   for i in manifest.instances)
    lines = [json.loads(row) for row in text.splitlines()][1:]
    assert sum(r["missing"] for r in lines) >= len(manifest.missing) > 0
    call("validate", "--against", "profile.jsonl")

    filled.write("MATCH (d:RTDose)-[r:REFERENCES {role: 'DOSE_PLAN'}]->() WITH r LIMIT 1 DELETE r")
    filled.write("MATCH (s:Series) SET s.dirty = true")
    filled.run(derive(filled.store))
    found = json.loads(call("validate", "--against", "profile.jsonl", "-f", "json", code=1).stdout)
    (check,) = found["checks"]
    assert check["id"] == "DEI-01"
    (finding,) = check["findings"]
    assert finding["subject"] == "RTDOSE DOSE_PLAN"
    assert finding["detail"]["edges"] == finding["detail"]["source"]["edges"] - 1


def test_a_protocol_asks_for_objects(
    filled: TestGraph, cohort: tuple[Path, Manifest], call: Call, folder: Path
) -> None:
    (folder / "protocol.toml").write_text(
        "title = 'Trial'\n[[objects]]\nmodality = 'RTSTRUCT'\nseverity = 'error'\n"
        "[[objects]]\nmodality = 'CT'\n[[objects]]\nmodality = 'PT'\nseverity = 'info'\n",
        encoding="utf-8")
    plans = {r["uid"] for r in filled.read(
        "MATCH (p:RTPlan) WHERE NOT p:Missing RETURN p.SOPInstanceUID AS uid")}
    with_set = {r.source for r in cohort[1].references if r.role == "PLAN_STRUCTURE_SET"
                and r.target not in cohort[1].missing}
    found = json.loads(call("validate", "--select", "PRT", "--protocol", "protocol.toml",
                            "-f", "json", code=1 if plans - with_set else 0).stdout)
    (check,) = found["checks"]
    assert check["population"] == len(plans)
    by_target = {t: {f["subject"] for f in check["findings"] if f["target"] == t}
                 for t in ("RTSTRUCT", "CT", "PT")}
    assert by_target["RTSTRUCT"] == plans - with_set
    assert by_target["CT"] == plans - with_set
    assert by_target["PT"] == plans
    assert {f["severity"] for f in check["findings"] if f["target"] == "PT"} == {"info"}


def test_checks_and_explain(call: Call, graph: TestGraph) -> None:
    rows = json.loads(call("checks", "-f", "json").stdout)["rows"]
    assert {r["id"] for r in rows} >= {"REF-01", "PRT-01"}
    assert set(rows[0]) == {"id", "severity", "confidence", "level", "title"}
    text = call("explain", "prt-01").stdout
    assert "A trial or a site decides" in text
    assert "MATCH (p:RTPlan)" in text
    told = json.loads(call("explain", "REF-01", "-f", "json").stdout)
    assert told["severity"] == "by finding, at most error"
    assert told["cypher"].startswith("// Every reference")
    assert "Did you mean REF-01?" in call("explain", "REF-1", code=2).stderr


# --- bad input -----------------------------------------------------------------------------------

OWN = """// Own
// id: OWN-01
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: {population}
// identifying: none
// fix: none
// source: house rule
{statement};
"""
NO_ROWS = "UNWIND [] AS x RETURN null AS patient_key, x AS subject, null AS target, {} AS detail"
BROKEN = [
    # name          text of the file                                                 message
    ("header",      "// Own\n// id: OWN-01\nRETURN 1;\n",                             "is missing"),
    ("syntax",      OWN.format(population="RETURN 1 AS n", statement="MATCH (x RETURN x"),
     "refuses the statement"),
    ("writes",      OWN.format(population="RETURN 1 AS n", statement="CREATE (x:Intruder) RETURN "
                               "null AS patient_key, 1 AS subject, 1 AS target, {} AS detail"),
     "refuses the statement"),
    ("columns",     OWN.format(population="RETURN 1 AS n", statement="RETURN 1 AS subject"),
     "does not return what a check returns"),
    ("population",  OWN.format(population="MATCH (x RETURN x", statement=NO_ROWS),
     "refuses the statement"),
]


@pytest.mark.parametrize(("text", "message"), [c[1:] for c in BROKEN], ids=[c[0] for c in BROKEN])
def test_a_check_that_cannot_run_is_named_and_the_others_run(
    graph: TestGraph, call: Call, folder: Path, text: str, message: str
) -> None:
    (folder / "checks").mkdir()
    (folder / "checks" / "OWN-01.cypher").write_text(text, encoding="utf-8")
    done = call("validate", "--select", "OWN", "--select", "HIE-01", code=3)
    assert "OWN-01 errored" in done.stdout
    assert message in done.stdout
    assert "2 checks: 1 not checked (nothing to look at), 1 errored" in done.stdout
    assert graph.one("MATCH (x:Intruder) RETURN count(x)") == 0
    call("validate", "--ignore", "OWN")


def test_a_check_that_takes_too_long_errored(graph: TestGraph, call: Call, folder: Path) -> None:
    (folder / "checks").mkdir()
    slow = ("UNWIND range(1, 100000000) AS x WITH x WHERE x % 7 = 8 "
            "RETURN null AS patient_key, x AS subject, null AS target, {} AS detail")
    (folder / "checks" / "OWN-01.cypher").write_text(
        OWN.format(population="RETURN 1 AS n", statement=slow), encoding="utf-8")
    done = call("validate", "--select", "OWN-01", "--timeout", "0.2", code=3)
    assert "OWN-01 errored  It took longer than 0.2 s." in done.stdout


def test_own_checks_are_checks(graph: TestGraph, call: Call, folder: Path) -> None:
    (folder / "checks").mkdir()
    (folder / "checks" / "OWN-01.cypher").write_text(OWN.format(
        population="RETURN 5 AS n", statement="RETURN 'a' AS patient_key, '1.2' AS subject, "
        "null AS target, {k: 1} AS detail"), encoding="utf-8")
    assert "OWN-01 error    Own   1 of 5" in call("validate", "--select", "OWN", code=1).stdout
    assert "house rule" in call("explain", "OWN-01").stdout


def test_an_empty_graph_is_said_and_claims_nothing(graph: TestGraph, call: Call) -> None:
    done = call("validate")
    assert "The graph is empty" in done.stderr
    assert " passed" not in done.stdout


def test_a_graph_of_another_version_is_refused(graph: TestGraph, call: Call) -> None:
    version = graph.one("MATCH (s:Schema) RETURN s.version")
    try:
        graph.write("MATCH (s:Schema) SET s.version = 99")
        assert "has schema version 99" in call("validate", code=3).stderr
        assert "has schema version 99" in call(
            "query", "run", "modality-distribution", code=3).stderr
        graph.write("MATCH (s:Schema) SET s.version = 0")
        assert "Read the files once more" in call("validate", code=3).stderr
    finally:
        graph.write("MATCH (s:Schema) SET s.version = $v", v=version)


def test_a_database_of_something_else_is_refused(graph: TestGraph, call: Call) -> None:
    key, version = graph.read("MATCH (s:Schema) RETURN s.key AS k, s.version AS v")[0].values()
    try:
        graph.write("MATCH (s:Schema) DELETE s")
        graph.write("CREATE (:Film {title: 'x'})")
        assert "no graph of rtgraph" in call("validate", code=3).stderr
    finally:
        graph.write("MATCH (f:Film) DELETE f")
        graph.write("MERGE (s:Schema) SET s.key = $k, s.version = $v", k=key, v=version)


@pytest.mark.parametrize(("words", "message"), [
    (["validate", "--select", "REF-99"], "no check"),
    (["validate", "--level", "voxel"], "voxel"),
    (["validate", "--fail-on", "bad"], "bad"),
    (["validate", "--baseline", "nowhere.json"], "baseline cannot be read"),
    (["validate", "--against", "nowhere.jsonl"], "profile cannot be read"),
    (["validate", "--protocol", "nowhere.toml"], "protocol file cannot be read"),
    (["validate", "--since", "x", "-f", "junit"], "no stored run"),
    (["waive"], "named by the id"),
    (["explain", "nothing"], "no check"),
])
def test_mistakes_are_one_clear_sentence(
    graph: TestGraph, call: Call, words: list[str], message: str
) -> None:
    done = call(*words, code=2)
    assert message in done.stderr
    assert done.stdout == ""


def test_severities_are_read_in_any_case(graph: TestGraph, call: Call) -> None:
    call("validate", "--select", "HIE", "--fail-on", "WARNING")


CANARY = "KANARIENVOGEL"


def test_no_command_shows_a_patient_value_unless_asked_for(
    graph: TestGraph, call: Call, folder: Path, tmp_path: Path
) -> None:
    source = tmp_path / f"{CANARY}^PATH"
    source.mkdir()
    ds = new("a", SliceThickness="2.5")
    ds.PatientName, ds.PatientID = f"{CANARY}^NAME", f"{CANARY}-ID"
    ds.IssuerOfPatientID, ds.AccessionNumber = f"{CANARY}-ISSUER", CANARY
    raw = with_value(encoded(ds), "SliceThickness", b"2,5 ")
    (source / f"{CANARY}.dcm").write_bytes(raw)
    ds.SliceThickness = "3"
    (source / f"{CANARY}-2.dcm").write_bytes(encoded(ds))  # the same UID, another data set
    graph.ingest(source)
    key = graph.one("MATCH (p:Patient) RETURN p.patient_key")
    uids = graph.read("MATCH (n:Instance|Series|Study) RETURN coalesce(n.SOPInstanceUID, "
                      "n.SeriesInstanceUID, n.StudyInstanceUID) AS uid")
    said = []
    for kind in ("table", "concise", "json", "jsonl", "csv", "junit", "html", "markdown"):
        done = call("validate", "-f", kind, "--fail-on", "info", code=1,
                    RTGRAPH_BROWSER_URL="http://127.0.0.1:7474/browser/")
        said.append(done.stdout + done.stderr)
    assert "HIE-03" in said[0]
    commands = [
        ("validate", "--patient", f"{CANARY}-ID", "--select", "REF"),
        ("validate", "--store", "--select", "REF"),
        ("validate", "--write-baseline", "baseline.json", "--select", "REF"),
        ("validate", "--reference-profile", "profile.jsonl"),
        *(("query", "run", name) for name in (
            "duplicates", "patient-summary", "study-summary", "series-summary", "studies-by-date")),
        ("query", "run", "show-patient", "-p", f"patient={key}", "-f", "json"),
        ("query", "run", "timeline", "-p", f"patient={key}"),
        ("find", f"PatientID={CANARY}-ID", "--columns", "PatientID"),
        ("find", "-l", "study", "--columns", "AccessionNumber"),
        ("find", "-l", "instance", "--columns", "file_path", "-f", "json"),
        ("find", "Modality=CT", "--where-file", "PatientID=x"),
        *(("show", row["uid"]) for row in uids), ("show", uids[0]["uid"], "-f", "json"),
        ("cohort", "save", "one", "--find", f"PatientID={CANARY}-ID"),
        ("cohort", "show", "one"), ("cohort", "list"), ("cohort", "export", "one"),
        ("waive", "--list"),
    ]
    for words in commands:
        done = call(*words)
        said.append(done.stdout + done.stderr)
    said += [f.read_text(encoding="utf-8") for f in folder.iterdir()]
    assert [text for text in said if CANARY in text] == []
    assert CANARY in call("query", "run", "duplicates", "--identifiers").stdout
    assert CANARY in call("validate", "--identifiers", "--fail-on", "error", code=1).stdout

"""The commands as a user types them, in processes of their own, against a real Neo4j."""

import csv
import io
import json
import os
import signal
import stat
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from rtgraph.demo.manifest import Manifest
from tests.server.conftest import Call, TestGraph

pytestmark = pytest.mark.server
CANARY = "KANARIENVOGEL"


def test_derive_makes_everything_anew(
    call: Call, graph: TestGraph, cohort: tuple[Path, Manifest]
) -> None:
    folder, _ = cohort
    call("ingest", folder)
    before = graph.content()
    graph.write("MATCH (:Series)-[r:REFERENCES|SHARES_FOR]->(:Series) DELETE r")
    graph.write(
        "MATCH ()-[r:TARGETS|DELIVERY_OF|OF_ROI|REGISTERED_TO|NAMED_AS|ACQUIRED_ON]->() DELETE r")
    n = graph.one("MATCH (s:Series) RETURN count(s)")
    done = call("derive", "--log-format", "json")
    assert done.stdout == f"derived {n} series, 0 guesses\n"
    assert json.loads(done.stderr.splitlines()[-1])["series"] == n
    assert graph.content() == before


def test_ingest_validate_query_and_graph(
    call: Call, cohort: tuple[Path, Manifest], tmp_path: Path
) -> None:
    folder, manifest = cohort
    first = call("ingest", folder)
    assert f"{manifest.counts.instances} indexed" in first.stdout
    assert f"+{manifest.counts.series} series" in first.stdout
    assert f"({len(manifest.missing)} unresolved)" in first.stdout
    assert "server  " in first.stderr
    again = call("ingest", folder)
    assert "0 changes" in again.stdout
    assert f"{manifest.counts.instances} unchanged" in again.stdout

    report = json.loads(call("validate", "-f", "json", code=1).stdout)
    assert report["schema_version"] == 1
    assert report["exit_code"] == 1
    found = {(c["id"], f["subject"]) for c in report["checks"] for f in c["findings"]}
    stated = (*manifest.faults, *manifest.side_findings)
    assert found == {(f.check, f.subject) for f in stated}
    assert "REF-01" in call("validate", "--select", "REF", code=1).stdout
    assert call("validate", "--select", "HIE").stdout.startswith("9 checks: ")
    call("validate", "--select", "PLN-07")
    call("validate", "--select", "PLN-07", "--fail-on", "warning", code=1)
    assert "Did you mean REF-01?" in call("validate", "--select", "REF-011", code=2).stderr

    rows = json.loads(call("query", "run", "complete-chains", "-f", "json").stdout)["rows"]
    assert rows
    text = call("query", "run", "patients-by-modality", "-p", "modalities=CT,RTPLAN", "-f", "csv")
    patients = list(csv.DictReader(io.StringIO(text.stdout)))
    assert len(patients) == manifest.counts.patients
    counted = call("query", "run", "MATCH (p:Patient) RETURN count(p) AS n", "-f", "json")
    assert json.loads(counted.stdout)["rows"] == [{"n": manifest.counts.patients}]

    key = patients[0]["patient_key"]
    drawn = call("graph", key, "-o", tmp_path / "a.html")
    assert "a.html" in drawn.stderr
    assert key in (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "exists" in call("graph", key, "-o", tmp_path / "a.html", code=3).stderr
    call("graph", key, "-o", tmp_path / "a.html", "--force")
    call("graph", key)
    assert (tmp_path / "work" / f"{key}.html").exists()
    unknown = call("graph", "nobody", code=2)
    assert "No patient" in unknown.stderr
    assert "nobody" not in unknown.stderr


def test_a_figure_from_a_folder_needs_no_server(
    call: Call, cohort: tuple[Path, Manifest], tmp_path: Path
) -> None:
    folder, manifest = cohort
    call("graph", manifest.instances[0].patient_id, "--from-folder", folder,
        "-o", tmp_path / "b.html", RTGRAPH_URI="bolt://127.0.0.1:1")
    page = (tmp_path / "b.html").read_text(encoding="utf-8")
    assert manifest.instances[0].patient_id not in page


def test_scan_prints_what_an_ingest_prints_and_writes_tables(
    call: Call, cohort: tuple[Path, Manifest], tmp_path: Path
) -> None:
    folder, manifest = cohort
    out = tmp_path / "tables"
    scanned = call("scan", folder, "-o", out, RTGRAPH_URI="bolt://127.0.0.1:1").stdout
    ingested = call("ingest", folder).stdout
    assert scanned.split("\n")[1:] == ingested.split("\n")[1:]
    tables = {f.stem: list(csv.DictReader(io.StringIO(f.read_text(encoding="utf-8"))))
              for f in out.glob("*.csv")}
    assert set(tables) == {"patients", "studies", "series", "instances", "references", "frames"}
    assert len(tables["series"]) == manifest.counts.series
    present = [r for r in tables["instances"] if r["missing"] == "false"]
    assert len(present) == manifest.counts.instances
    assert {r["PatientID"] for r in tables["patients"]} == {"hidden"}
    call("scan", folder, "-o", tmp_path / "open", "--identifiers")
    assert "DEMO" in (tmp_path / "open" / "patients.csv").read_text(encoding="utf-8")
    assert "exists" in call("scan", folder, "-o", out, code=3).stderr


def test_status_counts_and_exit_codes(call: Call, cohort: tuple[Path, Manifest]) -> None:
    folder, manifest = cohort
    call("ingest", folder)
    state = json.loads(call("status", "--format", "json").stdout)
    assert set(state) >= {
        "schema_version", "managed", "running", "uri", "user", "password_file", "database",
        "edition", "version", "browser_url", "data_dir", "log_file", "counts"}
    assert state["running"] is True
    assert state["edition"] == "community"
    assert state["version"].startswith("5.26")
    assert state["counts"]["instances"] == manifest.counts.instances
    assert "running" in call("status").stdout
    away = call("status", "-f", "json", RTGRAPH_URI="bolt://127.0.0.1:1", code=3)
    assert json.loads(away.stdout)["running"] is False
    home = call("status", "-f", "json", "--data", "nothing-here", code=3)
    assert json.loads(home.stdout)["managed"] is True


def test_a_server_that_does_not_answer_or_refuses_is_one_sentence(
    call: Call, cohort: tuple[Path, Manifest]
) -> None:
    away = call("validate", code=3, RTGRAPH_URI="bolt://127.0.0.1:1")
    assert away.stderr.startswith("No Neo4j server answers at the address.")
    refused = call("validate", code=3, RTGRAPH_PASSWORD="wrong-password")
    assert "refuses the user name or the password" in refused.stderr
    assert "wrong-password" not in refused.stderr
    assert "not understood" in call("validate", "--uri", "http://x", code=2).stderr
    nothing = call("validate", code=2, RTGRAPH_PASSWORD="", NEO4J_PASSWORD="")
    assert "no password" in nothing.stderr


def test_a_server_is_named_by_uri_user_password_file_and_database(
    call: Call, graph: TestGraph, tmp_path: Path
) -> None:
    secret = tmp_path / "password"
    secret.write_text(f"{graph.server.password}\n", encoding="utf-8")
    unnamed = partial(call, RTGRAPH_URI="", RTGRAPH_USER="", RTGRAPH_PASSWORD="")
    host = graph.server.uri.partition("://")[2]
    for scheme in ("bolt", "neo4j"):
        state = json.loads(unnamed(
            "status", "-f", "json", NEO4J_URI=f"{scheme}://{host}",
            NEO4J_USERNAME=graph.server.user, RTGRAPH_PASSWORD_FILE=str(secret),
            NEO4J_DATABASE="neo4j").stdout)
        assert (state["running"], state["managed"]) == (True, False)
    (tmp_path / "work" / "rtgraph.toml").write_text(
        f"[server]\nuri = '{graph.server.uri}'\npassword_file = '{secret}'\n", encoding="utf-8")
    assert "from rtgraph.toml" in unnamed("ingest", tmp_path / "work").stderr
    refused = call("validate", "--uri", graph.server.uri, NEO4J_DATABASE="nowhere", code=3)
    assert "no database of that name" in refused.stderr
    # nothing here speaks TLS: an encrypted address must not fall back to an open one
    away = call("validate", "--uri", f"bolt+ssc://{host}", code=3)
    assert "No Neo4j server answers" in away.stderr


@pytest.mark.parametrize(("words", "code", "expected"), [
    (["query", "run", "CREATE (n:X) RETURN n"], 2, "refuses the statement"),
    (["query", "run", "MATCH (p RETURN p"], 2, "refuses the statement"),
    (["query", "run", "complete-chain"], 2, "Did you mean complete-chains?"),
    (["query", "run", "patient-graph"], 2, "needs the parameter patient"),
    (["query", "run", "patients-by-modality", "-p", "modality=CT"], 2, "Did you mean modalities?"),
    (["query", "run", "patients-by-modality", "-p", "modalities"], 2, "NAME=VALUE"),
    (["query", "show", "nothing"], 2, "no query named"),
    (["query", "run", "MATCH (p:Patient) RETURN p.PatientID AS x"], 2, "Add --identifiers"),
    (["validate", "--uri", "bolt://me:secret@127.0.0.1:1"], 2, "holds a login"),
    (["ingest", "no/such/folder"], 2, "does not exist"),
    (["ingest"], 2, "No path is given"),
    (["bogus"], 2, "No such command"),
    (["ingest", ".", "--uri", "bolt://x", "--data", "y"], 2, "name two servers"),
])
def test_mistakes_are_one_clear_sentence(
    call: Call, words: list[str], code: int, expected: str
) -> None:
    done = call(*words, code=code)
    assert expected in done.stderr
    assert "secret" not in done.stderr
    assert done.stdout == ""


def test_the_graph_is_unchanged_by_a_refused_statement(call: Call, graph: TestGraph) -> None:
    call("query", "run", "CREATE (n:Intruder) RETURN n", code=2)
    assert graph.one("MATCH (n:Intruder) RETURN count(n)") == 0


def test_nodes_of_a_text_hide_identifiers(call: Call, cohort: tuple[Path, Manifest]) -> None:
    call("ingest", cohort[0])
    text = ("query", "run", "MATCH (p:Patient) RETURN p, 1 AS statement", "-f", "json")
    assert "DEMO-" not in call(*text).stdout
    assert "DEMO-1" in call(*text, "--identifiers").stdout
    given = call("query", "run", "RETURN $statement AS x", "-p", "statement=kept")
    assert "kept" in given.stdout


def test_queries_of_the_project_are_named_queries(call: Call, tmp_path: Path) -> None:
    own = tmp_path / "work" / "queries"
    own.mkdir()
    text = call("query", "show", "modality-distribution").stdout
    (own / "mine.cypher").write_text(text, encoding="utf-8")
    assert "mine" in call("query", "list").stdout
    call("query", "run", "mine")


def test_the_reject_list_takes_no_file_of_another_kind(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "a.txt").write_text("no DICOM", encoding="utf-8")
    notes = tmp_path / "notes.txt"
    notes.write_text("mine", encoding="utf-8")
    assert "something else" in call("ingest", folder, "--rejects", notes, code=3).stderr
    assert notes.read_text(encoding="utf-8") == "mine"
    kept = tmp_path / "kept.jsonl"
    call("scan", folder, "--rejects", kept)
    (folder / "b.txt").write_text("no DICOM either", encoding="utf-8")
    call("scan", folder, "--rejects", kept)
    assert len(kept.read_text(encoding="utf-8").splitlines()) == 3


def test_browser_prints_a_link_with_server_user_and_database(call: Call, graph: TestGraph) -> None:
    done = call("browser", "--print", RTGRAPH_BROWSER_URL="http://127.0.0.1:7474/browser/")
    host = graph.server.uri.partition("://")[2]
    assert done.stdout.strip() == (
        f"http://127.0.0.1:7474/browser/?dbms=bolt://neo4j@{host}&db=neo4j")
    assert "browser_url" in call("browser", "--print", code=2).stderr


def test_a_patient_name_never_appears_unless_asked_for(
    call: Call, graph: TestGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "rtgraph.log"
    monkeypatch.setenv("RTGRAPH_LOG", str(log))
    folder = tmp_path / f"{CANARY}^PATH"
    folder.mkdir()
    _write_canary(folder)
    (folder / f"{CANARY}.txt").write_text("no DICOM", encoding="utf-8")
    out, page = tmp_path / "tables", tmp_path / "page.html"
    outputs = [call("ingest", folder, "-j", 1), call("ingest", folder, "--full"),
               call("scan", folder, "-o", out), call("validate", code=0),
               call("validate", "-f", "json"), call("status"), call("status", "-f", "json")]
    key = str(graph.one("MATCH (p:Patient) RETURN p.patient_key"))
    call("graph", f"{CANARY}-ID", "-o", tmp_path / f"{CANARY}.html")  # a name that the user chose
    outputs += [call("graph", f"{CANARY}-ID", "-o", page), call("graph", key, code=0),
                call("query", "run", "modality-distribution"),
                call("query", "run", "missing-targets"),
                call("graph", f"{CANARY}-ID", "--from-folder", folder, "-o", page, "--force")]
    said = "".join(o.stdout + o.stderr for o in outputs)
    said += page.read_text(encoding="utf-8")
    said += "".join(f.read_text(encoding="utf-8") for f in out.iterdir())
    said += " ".join(p.name for p in (tmp_path / "work").iterdir())
    logged = log.read_text(encoding="utf-8")
    assert {json.loads(line)["command"] for line in logged.splitlines()} == {
        "ingest", "scan", "validate", "status", "graph", "query"}
    said += logged
    assert CANARY not in said
    assert graph.read("MATCH (p:Patient) WHERE p.PatientName IS NOT NULL RETURN p") == []
    rejects = tmp_path / "work" / "rejects.jsonl"
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    assert CANARY in rejects.read_text(encoding="utf-8")  # the path, for its owner only

    call("graph", key, "-o", page, "--force", "--identifiers")
    assert f"{CANARY}-ID" in page.read_text(encoding="utf-8")
    call("ingest", folder, "--full", RTGRAPH_NAMES="true")
    assert graph.one("MATCH (p:Patient) RETURN p.PatientName") == f"{CANARY}^NAME"


def _write_canary(folder: Path) -> None:
    from pydicom import dcmread, dcmwrite
    from pydicom.data import get_testdata_file

    path = get_testdata_file("CT_small.dcm", download=False)
    assert isinstance(path, str)
    ds = dcmread(path)
    ds.PatientName, ds.PatientID = f"{CANARY}^NAME", f"{CANARY}-ID"
    ds.ReferringPhysicianName = f"{CANARY}^DOCTOR"
    ds.OperatorsName = f"{CANARY}^OPERATOR"
    dcmwrite(folder / f"{CANARY}.dcm", ds)


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a child")
def test_ctrl_c_ends_cleanly_and_the_same_command_goes_on(
    call: Call, graph: TestGraph, cohort: tuple[Path, Manifest]
) -> None:
    folder, manifest = cohort
    with subprocess.Popen(
        [sys.executable, "-m", "rtgraph", "ingest", str(folder)], stderr=subprocess.PIPE,
        stdout=subprocess.PIPE, encoding="utf-8", env=os.environ | graph.server.environment,
        cwd=folder.parent,
    ) as running:
        while not graph.read("MATCH (r:IngestRun {state: 'RUNNING'}) RETURN r.id"):
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said.endswith("Stopped. What was finished stays; the same command goes on.\n")
    assert "Traceback" not in said
    assert graph.one("MATCH (r:IngestRun) RETURN r.state") == "INTERRUPTED"
    call("ingest", folder)
    assert graph.one("MATCH (i:Instance) WHERE NOT i:Missing RETURN count(i)") == (
        manifest.counts.instances)


def test_help_answers_at_once_and_loads_nothing_heavy() -> None:
    code = ("import sys; sys.argv = ['rtgraph', '--help']\n"
            "from rtgraph.cli import main\n"
            "try: main()\nexcept SystemExit: pass\n"
            "heavy = {'neo4j', 'pydicom', 'numpy', 'pandas', 'rich', 'jinja2'} & set(sys.modules)\n"
            "sys.exit(str(heavy) if heavy else 0)")
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)



"""The demo: exactly the planted faults, a home of its own, nothing left behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rtgraph.demo.cohort import write_cohort
from tests.server.conftest import TestGraph

pytestmark = pytest.mark.server


def _rtgraph(folder: Path, *words: object, code: int = 0,
             environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "rtgraph", *map(str, words)], cwd=folder, encoding="utf-8",
        capture_output=True, timeout=600, env=os.environ | (environment or {}))
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_demo_shows_the_planted_faults_and_leaves_nothing(
    graph: TestGraph, tmp_path: Path
) -> None:
    manifest = write_cohort(tmp_path / "truth")
    graph.write("MERGE (n:Patient {patient_key: 'somebody else'})")
    work = tmp_path / "work"
    work.mkdir()
    home = work / "rtgraph-demo" / "home"

    shown = _rtgraph(work, "demo", environment=graph.server.environment).stdout
    assert f"{manifest.counts.instances} indexed" in shown
    assert f"{len(manifest.references)} references, {len(manifest.missing)} unresolved" in shown
    (page,) = (work / "rtgraph-demo").glob("patient-*.html")
    assert page.name in shown
    assert "validated on" in page.read_text(encoding="utf-8")  # with the findings as badges
    assert "/browser/?dbms=bolt://neo4j@127.0.0.1:" in shown
    assert str(home / "password") in shown

    report = json.loads(_rtgraph(work, "validate", "--data", home, "-f", "json", code=1,
                                 environment=graph.server.environment).stdout)
    found = {(c["id"], f["subject"]) for c in report["checks"] for f in c["findings"]}
    stated = (*manifest.faults, *manifest.side_findings)
    assert found == {(f.check, f.subject) for f in stated}
    status = json.loads(_rtgraph(work, "status", "--data", home, "-f", "json").stdout)
    assert status["managed"]
    assert status["counts"]["instances"] == manifest.counts.instances

    own = tmp_path / "own"
    write_cohort(own, patients=1, seed=7)
    again = _rtgraph(work, "demo", own).stdout
    assert "synthesise" not in again
    assert "REF-01" not in again
    assert len(list((work / "rtgraph-demo").glob("patient-*.html"))) == 1

    _rtgraph(work, "demo", "--clean")
    assert list(work.iterdir()) == []
    _rtgraph(work, "status", "--data", home, code=3)
    # the graph of the configured server was never touched
    assert graph.read("MATCH (n:Patient) RETURN n.patient_key AS k") == [{"k": "somebody else"}]
    graph.wipe()


def test_demo_without_a_server(tmp_path: Path) -> None:
    shown = _rtgraph(tmp_path, "demo", "--no-server", environment={"RTGRAPH_OFFLINE": "1"}).stdout
    assert "342 files" in shown
    assert len(list((tmp_path / "rtgraph-demo").glob("patient-*.html"))) == 1
    _rtgraph(tmp_path, "demo", "--clean")


def test_demo_never_takes_a_folder_of_somebody_else(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work", encoding="utf-8")
    for words in (("--no-server",), ("--clean",)):
        done = _rtgraph(tmp_path, "demo", "--out", mine, *words, code=2)
        assert "Traceback" not in done.stderr
    assert (mine / "thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_demo_never_takes_the_files_it_shall_show(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_cohort(out / "dicom", patients=1)
    (out / ".rtgraph-demo").touch()
    before = sorted(out.rglob("*.dcm"))
    for data in (out, out / "dicom"):
        done = _rtgraph(tmp_path, "demo", data, "--out", out, "--no-server", code=2)
        assert "inside the folder of the demo" in done.stderr
    assert sorted(out.rglob("*.dcm")) == before != []
    assert "does not exist" in _rtgraph(tmp_path, "demo", "nowhere", code=2).stderr
    assert "nothing to remove" in _rtgraph(tmp_path, "demo", "--clean", "--out", "none").stdout


def test_a_folder_without_dicom_is_told(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    done = _rtgraph(tmp_path, "demo", empty, "--no-server", code=2)
    assert "No DICOM object was found" in done.stderr

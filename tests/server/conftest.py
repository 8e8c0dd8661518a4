"""A real Neo4j for the tests: the one of RTGRAPH_TEST_URI, else a managed server of this run.

The database is emptied before each test; after each, invariants of the graph are asserted.
"""

import asyncio
import json
import os
import shutil
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from rtgraph import config
from rtgraph.demo.cohort import write_cohort
from rtgraph.demo.manifest import Manifest
from rtgraph.errors import LocalServerError
from rtgraph.graphmodel.schema import schema
from rtgraph.ingest.derive import derive
from rtgraph.ingest.pipeline import Options, Progress
from rtgraph.ingest.records import State
from rtgraph.ingest.runs import Summary, run_ingest
from rtgraph.store import launch
from rtgraph.store.bolt import Row, Store
from tests.command import Ended, ended
from tests.conftest import QUICK
from tests.server import newer

T = TypeVar("T")
DIALECTS = {
    "5.26": ("session_graph", ""),
    "2026.08 Cypher 5": ("newer_graph", "CYPHER 5 "),
    "2026.08 Cypher 25": ("newer_graph", "CYPHER 25 "),
}
# Properties that may differ between two runs over the same input.
PER_RUN = {"run_id", "first_seen_run"}
_EMPTY = """\
MATCH (n) WHERE NOT n:Schema AND NOT n:ReferenceRole
CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS"""
_NODES = """\
MATCH (n)
WHERE none(l IN labels(n)
           WHERE l IN ['Schema', 'ReferenceRole', 'IngestRun', 'RetrieveRun', 'Root'])
RETURN collect([labels(n), properties(n)]) AS rows"""
_EDGES = """\
MATCH (a)-[r]->(b)
WHERE NOT a:IngestRun AND NOT a:RetrieveRun
RETURN collect([labels(a), {a}, type(r), labels(b), {b}, properties(r)]) AS rows""".format(**{
    n: f"coalesce({n}.SOPInstanceUID, {n}.SeriesInstanceUID, {n}.StudyInstanceUID, "
       f"{n}.patient_key, {n}.FrameOfReferenceUID, {n}.path, {n}.key, properties({n}))"
    for n in "ab"})
_UNREFERRED = """\
MATCH (b:Missing)
WHERE b.in_archive IS NULL
  AND NOT EXISTS { (b)<-[:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY]-() }
  AND NOT EXISTS { (b)-[:HAS_INSTANCE]->(:Missing) }
RETURN b"""
_DONE = "MATCH (r:IngestRun {state: 'DONE'}) RETURN r.counts AS counts, r.n_files AS n"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that let a server forget its plans come before those that use them."""
    items.sort(key=lambda item: item.get_closest_marker("schema") is None)


class TestGraph:
    """The store, synchronous, with what tests ask for most."""

    __test__ = False

    def __init__(self, runner: asyncio.Runner, store: Store, server: "TestServer") -> None:
        self.runner, self.store, self.server = runner, store, server

    def run(self, work: Awaitable[T]) -> T:
        async def wrapped() -> T:
            return await work

        return self.runner.run(wrapped())

    def read(self, statement: str, **parameters: object) -> list[Row]:
        return self.run(self.store.read(statement, **parameters))

    def write(self, statement: str, **parameters: object) -> None:
        self.run(self.store.write(statement, **parameters))

    def explain(self, statement: str) -> list[str]:
        """Let the server plan a statement; return its columns."""
        return self.run(self.store.columns(statement))

    def plan(self, statement: str, **parameters: object) -> str:
        """Return how the server would run a statement."""
        async def planned() -> str:
            async with self.store._driver.session() as session:
                result = await session.run("EXPLAIN " + statement, parameters)
                return str((await result.consume()).plan)

        return self.run(planned())

    def one(self, statement: str, **parameters: object) -> Any:
        """Return the only value of the only row."""
        (row,) = self.read(statement, **parameters)
        (value,) = row.values()
        return value

    def ingest(self, *paths: Path, rejects_file: Path | None = None, jobs: int = 1,
               settings: config.Settings | None = None, **options: Any) -> Summary:
        progress = Progress()
        return self.run(run_ingest(
            self.store, paths, settings or config.Settings(), options=Options(**options),
            progress=progress, rejects_file=rejects_file, jobs=jobs))

    def wipe(self) -> None:
        self.write(_EMPTY)

    def content(self, without: Collection[str] = ()) -> tuple[list[str], list[str]]:
        """Nodes and edges as sorted text, without what may differ between runs, and `without`."""
        nodes = [_text(sorted(labels), properties, without)
                 for labels, properties in self.one(_NODES)]
        edges = [_text([*sorted(from_labels), str(a), type_, *sorted(to_labels), str(b)],
                       properties)
                 for from_labels, a, type_, to_labels, b, properties in self.one(_EDGES)]
        return sorted(nodes), sorted(edges)


def _text(head: Sequence[str], properties: dict[str, Any], without: Collection[str] = ()) -> str:
    kept = {k: v for k, v in properties.items() if k not in PER_RUN and k not in without}
    return json.dumps([*head, kept], sort_keys=True, default=str)


class TestServer:
    """Where the tests' Neo4j is."""

    __test__ = False

    def __init__(self, uri: str, user: str, password: str, home: Path | None) -> None:
        self.uri, self.user, self.password, self.home = uri, user, password, home

    @property
    def environment(self) -> dict[str, str]:
        """Variables that point a command at this server."""
        return {"RTGRAPH_URI": self.uri, "RTGRAPH_USER": self.user,
                "RTGRAPH_PASSWORD": self.password}


@contextmanager
def _lasting() -> Iterator[None]:
    """Start a server for many tests: it keeps its plans, and the thorough compiler of Java pays.

    Planning is most of what Neo4j does for graphs as small as those of the tests, and each test
    fills an empty one, for which all would be planned again.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "PLANS_LAST", "1h")
        patch.setenv("JAVA_TOOL_OPTIONS", os.environ["JAVA_TOOL_OPTIONS"].replace(QUICK, ""))
        yield


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestServer]:
    if uri := os.environ.get("RTGRAPH_TEST_URI"):
        if int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > 1:
            pytest.fail("each process would empty RTGRAPH_TEST_URI under the others: take JOBS=1")
        yield TestServer(uri, os.environ.get("RTGRAPH_TEST_USER", "neo4j"),
                         os.environ["RTGRAPH_TEST_PASSWORD"], None)
        return
    from rtgraph.store import jars, local

    home = tmp_path_factory.mktemp("neo4j")
    settings = config.load({"home": home}, environment={}, folder=home)
    try:
        jars.ensure(jars.locked(), jars.default_folder(), offline=False, report=lambda line: None)
    except LocalServerError as error:  # only what cannot be fetched is a reason to skip
        pytest.skip(f"no Neo4j: {error} {error.hint}")
    with _lasting():
        running = local.start(settings, lambda line: None)
    yield TestServer(running.uri, running.user, running.password(), home)
    local.stop(home)


@pytest.fixture(scope="session")
def session_graph(server: TestServer) -> Iterator[TestGraph]:
    with _connected(server) as graph:
        yield graph


@contextmanager
def _connected(server: TestServer) -> Iterator[TestGraph]:
    with asyncio.Runner() as runner:
        store = Store(server.uri, server.user, server.password)
        runner.run(store.connect())
        runner.run(store.prepare(schema()))
        yield TestGraph(runner, store, server)
        runner.run(store.close())


@pytest.fixture(scope="session")
def newer_graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestGraph]:
    """The graph of a Neo4j 2026.08, which speaks Cypher 25 too."""
    try:
        java, needed = newer.fetch()
    except LocalServerError as error:  # only what cannot be fetched is a reason to skip
        pytest.skip(f"no Neo4j 2026.08: {error} {error.hint}")
    home = tmp_path_factory.mktemp("newer")
    with _lasting():
        uri, password, process = newer.start(home, java, needed)
    with _connected(TestServer(uri, "neo4j", password, home)) as graph:
        yield graph
    process.terminate()
    process.wait(30)


@pytest.fixture(scope="module", params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> tuple[TestGraph, str]:
    """Return a server, and what stands before a statement to choose the language."""
    fixture, prefix = DIALECTS[request.param]
    return request.getfixturevalue(fixture), prefix


@pytest.fixture
def graph(session_graph: TestGraph) -> Iterator[TestGraph]:
    session_graph.wipe()
    yield session_graph
    check_invariants(session_graph)


Run = Callable[..., Ended]


class Call(Protocol):
    """Run a command of rtgraph and expect an exit code."""

    def __call__(self, *words: object, code: int = 0, **environment: str) -> Ended: ...


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def inside(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], unlogged: None
) -> Run:
    """Run rtgraph inside this process, however it ends."""
    def ran(*words: object, **environment: str) -> Ended:
        return ended(monkeypatch, capsys, words, environment)

    return ran


@pytest.fixture
def run(inside: Run, graph: TestGraph) -> Run:
    """Run rtgraph with the server of the tests, however it ends."""
    return partial(inside, **graph.server.environment)


@pytest.fixture
def call(run: Run, folder: Path) -> Call:
    """Run rtgraph in an empty folder and expect an exit code."""
    def called(*words: object, code: int = 0, **environment: str) -> Ended:
        done = run(*words, **environment)
        assert done.code == code, done.stdout + done.stderr
        return done

    return called


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """The synthetic cohort; who changes files takes the copy `cohort`."""
    folder = tmp_path_factory.mktemp("synthetic") / "dicom"
    return folder, write_cohort(folder)


@pytest.fixture
def cohort(synthetic: tuple[Path, Manifest], tmp_path: Path) -> tuple[Path, Manifest]:
    folder, manifest = synthetic
    return shutil.copytree(folder, tmp_path / "dicom"), manifest


def check_invariants(graph: TestGraph) -> None:
    """Assert what holds after every test that wrote through the product."""
    assert graph.read("MATCH (n:Series|FrameOfReference) WHERE n.dirty IS NOT NULL RETURN n") == []
    assert graph.read(_UNREFERRED) == []
    assert graph.read("MATCH (r:IngestRun {state: 'RUNNING'}) RETURN r") == []
    for row in graph.read(_DONE):
        assert sum(json.loads(row["counts"]).values()) == row["n"]
    derived = graph.content()
    graph.write("MATCH (s:Series) SET s.dirty = true")
    graph.write("MATCH (f:FrameOfReference) SET f.dirty = true")
    graph.run(derive(graph.store))
    assert graph.content() == derived


__all__ = ["Call", "Run", "State", "TestGraph", "TestServer"]

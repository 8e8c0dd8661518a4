"""A real Neo4j for the tests: the one of RTGRAPH_TEST_URI, else a managed server of this run.

The database is emptied before each test; after each, invariants of the graph are asserted.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from rtgraph import config
from rtgraph.errors import LocalServerError
from rtgraph.graphmodel.schema import schema
from rtgraph.ingest.derive import derive
from rtgraph.ingest.pipeline import Options, Progress
from rtgraph.ingest.records import State
from rtgraph.ingest.runs import Summary, run_ingest
from rtgraph.store.bolt import Row, Store

T = TypeVar("T")
# Properties that may differ between two runs over the same input.
PER_RUN = {"run_id", "first_seen_run"}
_EMPTY = """\
MATCH (n) WHERE NOT n:Schema AND NOT n:ReferenceRole
CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS"""
_NODES = """\
MATCH (n)
WHERE none(l IN labels(n)
           WHERE l IN ['Schema', 'ReferenceRole', 'IngestRun', 'RetrieveRun', 'Root'])
RETURN labels(n) AS labels, properties(n) AS properties"""
_EDGES = """\
MATCH (a)-[r]->(b)
RETURN labels(a) AS from_labels, properties(a) AS a, type(r) AS type, properties(r) AS properties,
       labels(b) AS to_labels, properties(b) AS b"""
_UNREFERRED = """\
MATCH (b:Missing)
WHERE b.in_archive IS NULL
  AND NOT EXISTS { (b)<-[:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY]-() }
  AND NOT EXISTS { (b)-[:HAS_INSTANCE]->(:Missing) }
RETURN b"""
_DONE = "MATCH (r:IngestRun {state: 'DONE'}) RETURN r.counts AS counts, r.n_files AS n"
_KEYS = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "patient_key",
         "FrameOfReferenceUID", "path", "key")


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
        nodes = [_text(sorted(r["labels"]), r["properties"], without) for r in self.read(_NODES)]
        edges = [
            _text([*sorted(r["from_labels"]), _key(r["a"]), r["type"], *sorted(r["to_labels"]),
                   _key(r["b"])], r["properties"])
            for r in self.read(_EDGES) if not {"IngestRun", "RetrieveRun"} & set(r["from_labels"])
        ]
        return sorted(nodes), sorted(edges)


def _key(properties: dict[str, Any]) -> str:
    return str(next((properties[k] for k in _KEYS if k in properties), properties))


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


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestServer]:
    if uri := os.environ.get("RTGRAPH_TEST_URI"):
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
    running = local.start(settings, lambda line: None)
    yield TestServer(running.uri, running.user, running.password(), home)
    local.stop(home)


@pytest.fixture(scope="session")
def session_graph(server: TestServer) -> Iterator[TestGraph]:
    with asyncio.Runner() as runner:
        store = Store(server.uri, server.user, server.password)
        runner.run(store.connect())
        runner.run(store.prepare(schema()))
        yield TestGraph(runner, store, server)
        runner.run(store.close())


@pytest.fixture
def graph(session_graph: TestGraph) -> Iterator[TestGraph]:
    session_graph.wipe()
    yield session_graph
    check_invariants(session_graph)


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


__all__ = ["State", "TestGraph", "TestServer"]

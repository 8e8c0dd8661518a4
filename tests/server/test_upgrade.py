"""Graphs of former schema versions: refused until their files are read again, then like new."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rtgraph.graphmodel.schema import SCHEMA_VERSION, schema
from rtgraph.ingest.parse import PARSER_VERSION
from tests.data import stored
from tests.data.small import write_course
from tests.server.conftest import Call, TestGraph
from tests.server.test_ingest import assert_same

pytestmark = [pytest.mark.server, pytest.mark.schema]

OLD = [v for v in sorted(stored.versions()) if v < SCHEMA_VERSION]
RULES = ("SHOW CONSTRAINTS YIELD name, labelsOrTypes, properties RETURN *",
         "SHOW INDEXES YIELD name, type, labelsOrTypes, properties RETURN *")


def without_rules(graph: TestGraph) -> None:
    """Drop every constraint and index, and every node."""
    graph.write("MATCH (n) DETACH DELETE n")
    for kind in ("CONSTRAINT", "INDEX"):
        for row in graph.read(
                f"SHOW {kind}{'S' if kind == 'CONSTRAINT' else 'ES'} YIELD * RETURN name, type"):
            if row["type"] != "LOOKUP":
                graph.write(f"DROP {kind} {row['name']}")


def rules(graph: TestGraph) -> list[str]:
    """Return every constraint and index as text."""
    return sorted(str(sorted(row.items())) for rule in RULES for row in graph.read(rule))


@pytest.fixture
def course(tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    write_course(folder)
    return folder


@pytest.fixture(scope="module")
def ruled(session_graph: TestGraph) -> Iterator[None]:
    """At the end the server has the constraints and indexes of this version again."""
    yield
    without_rules(session_graph)
    session_graph.run(session_graph.store.prepare(schema()))


@pytest.fixture(params=OLD, ids=lambda v: f"schema {v}")
def version(
    request: pytest.FixtureRequest, ruled: None, graph: TestGraph, course: Path
) -> Iterator[int]:
    """The version of the graph of the course that the server holds; its files have moved."""
    without_rules(graph)
    graph.run(stored.put_back(
        graph.store, stored.versions()[request.param].read_text(encoding="utf-8")))
    graph.write("MATCH (r:Root) SET r.path = $path", path=str(course))
    yield request.param
    graph.write("MATCH (n) DETACH DELETE n")


def test_nothing_but_an_ingest_touches_an_old_graph(
    version: int, graph: TestGraph, call: Call
) -> None:
    before = graph.content()
    for words in (["validate"], ["derive"], ["cohort", "save", "a", "--query", "complete-chains"]):
        said = call(*words, code=3).stderr
        assert f"has schema version {version}" in said
        assert "Read the files once more with this version: rtgraph ingest PATH" in said
    assert graph.one("MATCH (s:Schema) RETURN s.version") == version
    assert graph.content() == before


def test_an_ingest_makes_it_a_graph_of_this_version(
    version: int, graph: TestGraph, call: Call, course: Path
) -> None:
    key = graph.one("MATCH (s:Schema) RETURN s.key")
    cohorts = graph.read("MATCH (c:Cohort)-[:HAS_MEMBER]->(m) "
                         "RETURN c.name AS name, m.SOPInstanceUID AS member ORDER BY name, member")
    call("ingest", course, "-j", 1, "--modality", "CT")
    half = call("query", "run", "modality-distribution").stderr
    assert f"The graph was one of schema version {version}, and not all of its files" in half

    call("ingest", course, "-j", 1)
    (now,) = graph.read("MATCH (s:Schema) RETURN s.key AS key, s.version AS version, "
                        "s.upgraded_from AS upgraded_from")
    assert now == {"key": key, "version": SCHEMA_VERSION, "upgraded_from": None}
    assert "schema version" not in call("query", "run", "modality-distribution").stderr
    assert graph.one("MATCH (i:Instance) RETURN min(i.parser_version)") == PARSER_VERSION
    assert graph.read("MATCH (c:Cohort)-[:HAS_MEMBER]->(m) RETURN c.name AS name, "
                      "m.SOPInstanceUID AS member ORDER BY name, member") == cohorts

    graph.write("MATCH (n:Cohort|ValidationRun) DETACH DELETE n")
    upgraded, upgraded_rules = graph.content(), rules(graph)
    without_rules(graph)
    graph.write("CREATE (:Schema {key: $key, version: 0})", key=key)
    call("ingest", course, "-j", 1)
    assert upgraded_rules == rules(graph)
    assert_same(upgraded, graph.content())

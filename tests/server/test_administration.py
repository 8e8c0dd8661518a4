"""db schema and db wipe, doctor, cohort names, and a user who may not create constraints."""

import json
import time
from pathlib import Path

import platformdirs
import pytest
from neo4j.exceptions import Neo4jError

from rtgraph import config
from rtgraph.cli import completing
from rtgraph.errors import NotPermitted, ServerRefused
from rtgraph.graphmodel.questions import KNOWN_OBJECTS
from rtgraph.graphmodel.schema import schema
from rtgraph.ingest.pipeline import Options, Progress
from rtgraph.ingest.runs import run_ingest
from rtgraph.store.bolt import Counters, Store
from rtgraph.store.failures import translated
from tests.data.small import write_course
from tests.server.conftest import Call, TestGraph
from tests.server.test_upgrade import rules, without_rules

pytestmark = [pytest.mark.server, pytest.mark.schema]


@pytest.fixture
def course(tmp_path: Path) -> Path:
    write_course(tmp_path / "course")
    return tmp_path / "course"


# --- schema --------------------------------------------------------------------------------------

def test_what_is_printed_is_what_is_created(graph: TestGraph, call: Call) -> None:
    expected = rules(graph)
    without_rules(graph)
    printed = call("db", "schema", "--print", RTGRAPH_URI="bolt://127.0.0.1:1").stdout
    for statement in printed.strip().split("\n"):
        graph.write(statement.removesuffix(";"))
    graph.write("CALL db.awaitIndexes(300)")
    assert rules(graph) == expected

    n = len(schema().constraints)
    assert call("db", "schema").stdout == f"{n} constraints and indexes, 0 of them new\n"
    graph.write("DROP CONSTRAINT series_key")
    graph.write("DROP INDEX series_dirty")
    assert call("db", "schema").stdout == f"{n} constraints and indexes, 2 of them new\n"
    assert rules(graph) == expected
    graph.run(graph.store.prepare(schema()))


# --- a new graph ---------------------------------------------------------------------------------

@pytest.fixture
def filled(graph: TestGraph) -> TestGraph:
    """A graph that has just been filled: for seconds the server takes its indexes for empty."""
    graph.write("DROP CONSTRAINT instance_key")
    graph.run(graph.store.constrain(schema()))
    graph.write("UNWIND range(1, 2000) AS i CREATE (:Instance {SOPInstanceUID: toString(i)})")
    return graph


def test_objects_are_looked_up_in_an_index_that_seems_empty(filled: TestGraph) -> None:
    text = filled.plan(KNOWN_OBJECTS, rows=["1"])
    assert "NodeUniqueIndexSeek" in text
    assert "Scan" not in text


def test_the_server_is_told_to_look_at_its_indexes(filled: TestGraph) -> None:
    """By itself it does so every ten seconds."""
    assert unseen(filled) == 2000
    filled.run(filled.store.resample())
    until = time.monotonic() + 5
    while unseen(filled) and time.monotonic() < until:
        time.sleep(0.02)
    assert unseen(filled) == 0


def unseen(graph: TestGraph) -> int:
    """Return how many entries an index has got since the server looked at it."""
    counts = graph.one("CALL db.stats.retrieve('GRAPH COUNTS') YIELD data RETURN data")
    (found,) = (i for i in counts["indexes"] if i["properties"] == ["SOPInstanceUID"])
    return int(found["updatesSinceEstimation"])


class Told(Store):
    """Notes how many objects the graph has whenever the server is told to look."""

    objects: tuple[int, ...] = ()

    async def resample(self) -> None:
        (row,) = await self.read("MATCH (i:Instance) WHERE NOT i:Missing RETURN count(i) AS n")
        self.objects += (row["n"],)
        await super().resample()


def test_an_ingest_tells_it_after_the_first_batch_and_before_the_derived_pass(
    graph: TestGraph, course: Path
) -> None:
    async def work() -> tuple[int, ...]:
        store = Told(graph.server.uri, graph.server.user, graph.server.password)
        async with store:
            await run_ingest(store, [course], config.Settings(),
                             options=Options(writers=1, batch=2),
                             progress=Progress(), jobs=1)
            return store.objects

    n = len(list(course.rglob("*.dcm")))
    assert graph.run(work()) == (2, n)


def test_a_user_who_may_not_ask_for_it_goes_on(graph: TestGraph) -> None:
    async def work() -> None:
        async with Unprivileged(
                graph.server.uri, graph.server.user, graph.server.password) as store:
            with pytest.raises(NotPermitted):
                await store.write("CALL db.resampleOutdatedIndexes()")
            await store.resample()

    graph.run(work())


# --- a user without rights -----------------------------------------------------------------------

class Unprivileged(Store):
    """A user who may change data and no more: Community has no such roles."""

    async def write(self, statement: str, /, **parameters: object) -> Counters:
        if statement.startswith(("CREATE", "CALL db.resample")):
            raise translated(Neo4jError._hydrate_neo4j(
                code="Neo.ClientError.Security.Forbidden",
                message="Schema operation 'create_constraint' is not allowed for user 'reader'."))
        return await super().write(statement, **parameters)


def ingest(graph: TestGraph, folder: Path) -> None:
    async def work() -> None:
        async with Unprivileged(
                graph.server.uri, graph.server.user, graph.server.password) as store:
            await run_ingest(store, [folder], config.Settings(), options=Options(),
                             progress=Progress(), jobs=1)

    graph.run(work())


def test_without_the_constraints_the_message_says_whom_to_ask(
    graph: TestGraph, course: Path
) -> None:
    without_rules(graph)
    try:
        with pytest.raises(NotPermitted) as refused:
            ingest(graph, course)
        n = len(schema().constraints)
        assert str(refused.value) == ("The server does not permit this to the user. "
                                      f"{n} constraints and indexes are missing.")
        assert "an administrator" in refused.value.hint
        assert "rtgraph db schema --print" in refused.value.hint
        assert graph.read("MATCH (n) RETURN n") == []
    finally:
        graph.run(graph.store.prepare(schema()))


def test_a_database_prepared_by_an_administrator_needs_no_right_to_create_constraints(
    graph: TestGraph, course: Path
) -> None:
    without_rules(graph)
    for statement in schema().constraints:  # as db schema --print gives them
        graph.write(statement)
    ingest(graph, course)
    assert graph.one("MATCH (s:Schema) RETURN s.version") == schema().version
    assert graph.one("MATCH (i:Instance) RETURN count(i)") == 12


# --- wipe ----------------------------------------------------------------------------------------

def test_wipe_keeps_the_key_so_that_patients_keep_theirs(
    graph: TestGraph, call: Call, course: Path
) -> None:
    call("ingest", course, "-j", 1)
    before, key = graph.content(), graph.one("MATCH (s:Schema) RETURN s.key")
    patient = graph.one("MATCH (p:Patient) RETURN p.patient_key")
    n = graph.one("MATCH (n) WHERE NOT n:Schema AND NOT n:ReferenceRole RETURN count(n)")

    refused = call("db", "wipe", code=2)
    assert "Add --yes" in refused.stderr
    assert graph.content() == before

    done = call("db", "wipe", "--yes")
    assert done.stdout.startswith(f"deleted {n:,} nodes, ")
    assert "server  " in done.stderr
    assert graph.one("MATCH (n) WHERE NOT n:ReferenceRole RETURN count(n)") == 1
    assert graph.one("MATCH (s:Schema) RETURN s.key") == key
    assert graph.one("MATCH (r:ReferenceRole) RETURN count(r)") == len(schema().roles)
    call("ingest", course, "-j", 1)
    assert graph.content() == before

    call("db", "wipe", "--yes", "--new-key")
    assert graph.one("MATCH (s:Schema) RETURN s.key") != key
    call("ingest", course, "-j", 1, "--modality", "RTPLAN")
    assert graph.one("MATCH (p:Patient) RETURN p.patient_key") != patient


def test_wipe_refuses_what_rtgraph_did_not_set_up(graph: TestGraph, call: Call) -> None:
    graph.write("MATCH (s:Schema) DELETE s")
    graph.write("CREATE (:Film {title: 'x'})<-[:SAW]-(:Person), (:Schema {name: 'foreign'})")
    refused = call("db", "wipe", "--yes", code=3)
    assert "holds no graph of rtgraph" in refused.stderr
    assert "--force" in refused.stderr
    assert graph.one("MATCH (f:Film) RETURN count(f)") == 1
    call("db", "wipe", "--yes", "--force")
    (schema_node,) = graph.read("MATCH (n) WHERE NOT n:ReferenceRole RETURN properties(n) AS p")
    assert set(schema_node["p"]) == {"key", "version"}
    assert schema_node["p"]["version"] == schema().version


@pytest.mark.parametrize("kind", ["IngestRun", "RetrieveRun"])
def test_wipe_waits_for_no_run(graph: TestGraph, call: Call, kind: str) -> None:
    graph.write(f"CREATE (:{kind} {{id: 'elsewhere', state: 'RUNNING', process: 'host:1:2'}})")
    assert "An ingest or a retrieval is running" in call("db", "wipe", "--yes", code=3).stderr
    graph.write("MATCH (r {id: 'elsewhere'}) SET r.state = 'DONE', r.counts = '{}', r.n_files = 0")
    call("db", "wipe", "--yes")


def test_wipe_of_a_newer_graph_is_refused(graph: TestGraph, call: Call) -> None:
    try:
        graph.write("MATCH (s:Schema) SET s.version = 99")
        assert "newer rtgraph" in call("db", "wipe", "--yes", "--force", code=3).stderr
    finally:
        graph.write("MATCH (s:Schema) SET s.version = $v", v=schema().version)


# --- doctor --------------------------------------------------------------------------------------

def test_doctor_looks_at_the_graph(graph: TestGraph, call: Call, course: Path) -> None:
    def of_graph(code: int = 0) -> list[tuple[str, str]]:
        report = json.loads(call("doctor", "-f", "json", code=code).stdout)
        server = [f for f in report["findings"] if f["examination"] == "server"]
        assert [f["state"] for f in server] == ["ok"]
        assert "community answers at 127.0.0.1" in server[0]["text"]
        return [(f["state"], f["text"]) for f in report["findings"] if f["examination"] == "graph"]

    assert of_graph() == [("note", "The graph is empty.")]
    call("ingest", course, "-j", 1)
    sound = ("ok", f"schema version {schema().version}, 12 instances")
    assert of_graph() == [sound]

    graph.write("DROP INDEX study_date")
    assert of_graph(1) == [("fault", "1 constraints and indexes are missing."), sound]
    call("db", "schema")
    graph.write("MATCH (i:CTImage) SET i.parser_version = 0")
    n = graph.one("MATCH (i:CTImage) RETURN count(i)")
    assert of_graph() == [sound, ("note", f"{n} instances were read by an earlier version.")]
    graph.write("MATCH (s:Schema) SET s.version = 1")
    try:
        ((state, text),) = of_graph(1)
        assert (state, text) == (
            "fault", f"The graph has schema version 1, this rtgraph reads {schema().version}.")
    finally:
        graph.write("MATCH (s:Schema) SET s.version = $v", v=schema().version)
    wrong = call("doctor", code=1, RTGRAPH_PASSWORD="wrong").stdout
    assert "fault server    The server refuses the user name or the password." in wrong


# --- names of cohorts ----------------------------------------------------------------------------

def test_commands_about_cohorts_leave_their_names_for_the_shell(
    graph: TestGraph, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *a, **k: str(tmp_path / "cache"))

    def kept() -> list[str]:
        return completing._kept()[graph.server.uri]

    call("cohort", "save", "all", "--find", "Modality=CT", "--level", "series")
    call("cohort", "save", "other", "--find", "Modality=MR", "--level", "series")
    assert kept() == ["all", "other"]
    call("cohort", "delete", "all", "--yes")
    assert kept() == ["other"]
    graph.write("MATCH (c:Cohort) DETACH DELETE c")
    call("cohort", "list")
    assert kept() == []


# --- what the server says ------------------------------------------------------------------------

@pytest.mark.parametrize(("code", "message"), [
    ("Neo.ClientError.Security.Forbidden", "does not permit this"),
    ("Neo.ClientError.General.ForbiddenOnReadOnlyDatabase", "read-only"),
    ("Neo.ClientError.General.WriteOnReadOnlyAccessDatabase", "read-only"),
])
def test_refusals_of_the_server_are_told_apart(code: str, message: str) -> None:
    error = translated(Neo4jError._hydrate_neo4j(code=code, message="Denied."))
    assert isinstance(error, NotPermitted)
    assert isinstance(error, ServerRefused)
    assert message in str(error)
    assert error.exit_code == 3

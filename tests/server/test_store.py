"""The store: schema and its version, one retry policy, read-only reads, plans that use indexes."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import TypeVar

import pytest
from neo4j import WRITE_ACCESS, AsyncSession
from neo4j.exceptions import ServiceUnavailable, TransientError

from rtgraph.errors import OlderGraph, ServerRefused, ServerUnreachable, StatementRefused
from rtgraph.graphmodel import statements
from rtgraph.graphmodel.families import FAMILIES, family
from rtgraph.graphmodel.nodes import NODE_TYPES
from rtgraph.graphmodel.schema import derivations, schema
from rtgraph.store.bolt import Counters, Store, Transaction
from rtgraph.store.failures import is_retryable
from tests.server.conftest import TestGraph

pytestmark = pytest.mark.server
T = TypeVar("T")
PLAN = family("1.2.840.10008.5.1.4.1.1.481.5")


def test_every_key_has_a_constraint_and_every_role_a_node(graph: TestGraph) -> None:
    unique = {(r["labelsOrTypes"][0], r["properties"][0]) for r in graph.read(
        "SHOW CONSTRAINTS YIELD labelsOrTypes, properties, type "
        "WHERE type IN ['UNIQUENESS', 'NODE_PROPERTY_UNIQUENESS'] "
        "RETURN labelsOrTypes, properties")}
    assert unique >= {(t.label, t.key) for t in NODE_TYPES}
    assert graph.one("MATCH (r:ReferenceRole) RETURN count(r)") == len(schema().roles)
    assert graph.one("MATCH (r:ReferenceRole {role: 'DOSE_PLAN'}) RETURN r.severity") == "ERROR"


def test_prepare_keeps_the_key_and_knows_versions(graph: TestGraph) -> None:
    key = graph.run(graph.store.prepare(schema()))
    assert len(bytes.fromhex(key)) == 32
    assert graph.run(graph.store.prepare(schema())) == key
    newer = replace(schema(), version=schema().version + 1)
    with pytest.raises(OlderGraph, match="schema version"):
        graph.run(graph.store.prepare(newer))
    # an older graph is brought up to date by what reads its files
    assert graph.run(graph.store.prepare(newer, upgrade=True)) == key
    assert graph.one("MATCH (s:Schema) RETURN s.upgraded_from") == schema().version
    assert graph.one("MATCH (s:Schema) RETURN s.version") == newer.version
    with pytest.raises(ServerRefused, match="schema version") as refused:
        graph.run(graph.store.prepare(schema()))
    assert "Upgrade rtgraph" in refused.value.hint
    graph.write("MATCH (s:Schema) SET s.version = $version REMOVE s.upgraded_from",
                version=schema().version)


@pytest.mark.parametrize("statement", [
    "CREATE (n:Intruder)",
    "UNWIND [1] AS x CALL (x) { CREATE (:Intruder) } IN TRANSACTIONS",
    "CREATE INDEX intruder FOR (n:Intruder) ON (n.x)",
    "CREATE USER intruder SET PASSWORD 'intruder-1'",
    "CALL db.createLabel('Intruder')",
], ids=["node", "transactions of its own", "index", "user", "label"])
def test_a_read_cannot_write(graph: TestGraph, statement: str) -> None:
    with pytest.raises(StatementRefused):
        graph.read(statement)
    assert graph.one("MATCH (n:Intruder) RETURN count(n)") == 0


WRITES = {
    "hierarchy": statements.HIERARCHY,
    "instances": statements.instances(PLAN),
    "instances again": statements.instances_again(PLAN),
    "references": statements.reference_edges("Instance", PLAN, False),
    "qualified references": statements.reference_edges("Instance", PLAN, True),
    "references of images": statements.reference_edges("Series", PLAN, False),
    "qualified references of images": statements.reference_edges("Series", PLAN, True),
    "frames": statements.other_edges("Instance", "REFERENCES_FRAME"),
    "placements": statements.PLACEMENTS,
    "copies": statements.COPIES,
}


@pytest.mark.parametrize("name", WRITES)
def test_merges_use_the_unique_index(graph: TestGraph, name: str) -> None:
    text = graph.plan(WRITES[name], rows=[], run="r", parser=1)
    assert "NodeUniqueIndexSeek" in text
    assert "NodeByLabelScan" not in text
    assert "AllNodesScan" not in text


@pytest.mark.parametrize("kind", [f for f in FAMILIES if f.labels], ids=lambda f: f.labels[-1])
def test_the_server_plans_every_family(graph: TestGraph, kind: object) -> None:
    assert isinstance(kind, type(PLAN))
    for statement in (statements.instances(kind), statements.instances_again(kind),
                      statements.settle(kind), *(
                          statements.reference_edges(source, kind, qualified)
                          for source in ("Instance", "Series") for qualified in (False, True))):
        graph.run(_explain(graph.store, statement))


@pytest.mark.parametrize("name", derivations())
def test_the_server_plans_every_derivation(graph: TestGraph, name: str) -> None:
    graph.run(_explain(graph.store, derivations()[name]))


async def _explain(store: Store, statement: str) -> None:
    await store.write("EXPLAIN " + statement, rows=[], dirty=[], frames=[], run="r", parser=1,
                      max_clique=32, if_alone=[], well_known="x")


class Failing(Store):
    """A store whose work fails `times` times before it is done."""

    times = 0
    error: Exception = TransientError()

    async def _patiently(
        self, work: Callable[[AsyncSession], Awaitable[T]], access: str = WRITE_ACCESS
    ) -> T:
        async def sometimes(session: AsyncSession) -> T:
            if self.times:
                self.times -= 1
                raise self.error
            return await work(session)

        return await super()._patiently(sometimes, access)


TRIED = "CREATE (n:Tried) RETURN n.x AS x"
WAYS: dict[str, Callable[[Store], Awaitable[object]]] = {
    "change": lambda store: store.change(TRIED),
    "transact": lambda store: store.transact(lambda transaction: transaction.run(TRIED)),
    "read": lambda store: store.read("RETURN 1 AS x"),
}


@pytest.fixture
def failing(graph: TestGraph) -> Iterator[Failing]:
    store = Failing(graph.server.uri, graph.server.user, graph.server.password, patience=5)
    yield store
    graph.run(store.close())


@pytest.mark.parametrize("error", [ServiceUnavailable("away"), TransientError()],
                         ids=["away", "lost"])
@pytest.mark.parametrize("way", WAYS)
def test_what_fails_twice_is_done_once(
    graph: TestGraph, failing: Failing, way: str, error: Exception
) -> None:
    failing.times, failing.error = 2, error
    done = graph.run(WAYS[way](failing))
    if isinstance(done, Counters):
        assert done.nodes_created == 1
    assert graph.one("MATCH (n:Tried) RETURN count(n)") == (way != "read")
    assert failing.retries == 2


@pytest.mark.parametrize("way", WAYS)
def test_an_outage_longer_than_patience_is_told(
    graph: TestGraph, failing: Failing, way: str
) -> None:
    failing.times, failing.error, failing.patience = 10_000, ServiceUnavailable("away"), 1
    with pytest.raises(ServerUnreachable):
        graph.run(WAYS[way](failing))
    assert failing.retries == 9_999 - failing.times > 0


def test_a_transaction_that_loses_is_repeated_as_a_whole(graph: TestGraph) -> None:
    left = [TransientError(), TransientError()]

    async def work(transaction: Transaction) -> None:
        await transaction.run(TRIED)
        if left:
            raise left.pop()
        await transaction.run(TRIED)

    before = graph.store.retries
    graph.run(graph.store.transact(work))
    assert graph.one("MATCH (n:Tried) RETURN count(n)") == 2
    assert graph.store.retries == before + 2


def test_only_what_the_driver_calls_retryable_is_tried_again() -> None:
    assert is_retryable(ServiceUnavailable("away"))
    assert not is_retryable(ValueError("a defect"))


def test_the_driver_is_quiet(graph: TestGraph, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        graph.read("MATCH (n:NoSuchLabel) WHERE n.no_such_property = 1 RETURN n")
    assert [r for r in caplog.records if r.name.startswith("neo4j")] == []

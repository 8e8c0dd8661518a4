"""A connection that is lost in the middle of a question: one sentence, exit code 3."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from rtgraph.cypher.library import checks, select
from rtgraph.cypher.report import Report, Result, Status
from rtgraph.cypher.validate import run_checks
from rtgraph.errors import ExitCode, ServerUnreachable
from rtgraph.store.bolt import Store
from tests.server.conftest import TestGraph
from tests.server.test_robust import cabled

pytestmark = pytest.mark.server
SLOW = "UNWIND range(1, 100000000) AS x WITH x WHERE x % 7 = 8 RETURN x"


def over_cable(graph: TestGraph, work: Callable[[Store, Callable[[], None]], Awaitable[Report]]
               ) -> Report:
    """Do work over a connection that the work can have cut."""

    async def whole() -> Report:
        server = graph.server
        async with (cabled(graph) as (cable, uri),
                    Store(uri, server.user, server.password, patience=1) as store):
            return await work(store, cable.cut)

    return graph.run(whole())


def test_checks_after_the_loss_errored_and_the_run_is_incomplete(session_graph: TestGraph) -> None:
    chosen = select(checks(), ["HIE", "REF"])

    async def work(store: Store, cut: Callable[[], None]) -> Report:
        def lose(result: Result) -> None:
            if result.check.id == "HIE-02":
                cut()

        return await run_checks(store, chosen, done=lose)

    report = over_cable(session_graph, work)
    ended = {r.check.id: r.status for r in report.results}
    assert Status.errored not in (ended["HIE-01"], ended["HIE-02"])
    assert {s for i, s in ended.items() if i > "HIE-02"} == {Status.errored}
    assert {r.message for r in report.results if r.status is Status.errored} == {
        "No Neo4j server answers at the address."}
    assert report.exit_code() is ExitCode.incomplete


def test_a_question_that_loses_its_server_says_so(session_graph: TestGraph) -> None:
    async def work(store: Store, cut: Callable[[], None]) -> Report:
        asked = asyncio.create_task(store.read(SLOW))
        await asyncio.sleep(1)
        cut()
        await asked
        return Report(())

    with pytest.raises(ServerUnreachable, match="No Neo4j server answers") as raised:
        over_cable(session_graph, work)
    assert raised.value.exit_code is ExitCode.incomplete

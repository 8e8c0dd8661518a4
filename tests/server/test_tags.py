"""Attributes of users in the graph: remembered, written, gone when the file has them no more."""

import asyncio
from collections.abc import Iterator
from datetime import date

import pytest

from rtgraph.errors import UsageError
from rtgraph.graphmodel.usertags import user_values
from rtgraph.ingest.records import Found, Instance
from rtgraph.ingest.tags import LABEL, parse_line, remember, user_rows
from tests.server.conftest import TestGraph

pytestmark = pytest.mark.server
KEYWORD = "RescaleType"
PRIVATE = '(0029,xx10) "SIEMENS CSA HEADER" DS[] Values'


@pytest.fixture(autouse=True)
def forget(graph: TestGraph) -> Iterator[None]:
    yield
    graph.write("MATCH (s:Schema) REMOVE s.user_tags")


def names(graph: TestGraph, *lines: str) -> tuple[list[str], tuple[str, ...]]:
    """All attributes, and the fresh ones, after a run with these."""
    found = graph.run(remember(graph.store, [parse_line(line, 1) for line in lines]))
    assert all(parse_line(t.line, 1) == t for t in found.tags)
    return [t.name for t in found.tags], found.fresh


def test_attributes_are_remembered(graph: TestGraph) -> None:
    private = "priv_SIEMENS_CSA_HEADER_Values"
    assert names(graph) == ([], ())
    assert names(graph, KEYWORD, PRIVATE) == ([KEYWORD, private], (KEYWORD, private))
    assert names(graph) == ([KEYWORD, private], ())
    assert names(graph, "CTDIvol", KEYWORD) == (["CTDIvol", KEYWORD, private], ("CTDIvol",))


def test_a_name_means_one_attribute(graph: TestGraph) -> None:
    names(graph, PRIVATE)
    with pytest.raises(UsageError, match="another tag or VR"):
        names(graph, PRIVATE.replace("DS[]", "DS"))
    assert names(graph)[0] == ["priv_SIEMENS_CSA_HEADER_Values"]


def test_runs_that_begin_together_remember_all(graph: TestGraph) -> None:
    lines = [f'(0029,xx{n:02}) "A" LO n{n}' for n in range(8)]

    async def all_at_once() -> None:
        await asyncio.gather(*(
            remember(graph.store, [parse_line(line, 1)]) for line in lines))

    graph.run(all_at_once())
    assert len(names(graph)[0]) == 8


def test_an_attribute_that_the_model_has_now_is_left_out(graph: TestGraph) -> None:
    graph.write("MATCH (s:Schema) SET s.user_tags = ['SliceThickness', $line]", line=KEYWORD)
    assert names(graph) == ([KEYWORD], ())


def test_values_are_written_and_go_again(graph: TestGraph) -> None:
    tags = [parse_line(line, 1) for line in ("AcquisitionDate", KEYWORD, PRIVATE)]
    graph.write("UNWIND ['1', '2'] AS uid MERGE (i:Instance {SOPInstanceUID: uid})")

    def write(**of: dict[str, object]) -> list[dict[str, object]]:
        objects = [Instance(Found("", ""), uid, "", "", "", "", {LABEL: values})
                   for uid, values in (("1", of["one"]), ("2", of["two"]))]
        graph.write(user_values(tuple(t.name for t in tags)), rows=user_rows(objects, tags))
        return [r["i"] for r in graph.read(
            "MATCH (i:Instance) RETURN i {.*} AS i ORDER BY i.SOPInstanceUID")]

    day = date(2024, 2, 29)
    values = {"AcquisitionDate": day, "priv_SIEMENS_CSA_HEADER_Values": [1.5, 2.0]}
    assert write(one=values, two={KEYWORD: "HU"}) == [
        {"SOPInstanceUID": "1", **values}, {"SOPInstanceUID": "2", KEYWORD: "HU"}]
    assert write(one={KEYWORD: "US"}, two={}) == [
        {"SOPInstanceUID": "1", KEYWORD: "US"}, {"SOPInstanceUID": "2"}]
    graph.wipe()

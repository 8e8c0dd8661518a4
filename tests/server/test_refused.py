"""Objects that the server or the driver refuses: each costs itself, never its batch."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rtgraph.ingest.derive import derive
from rtgraph.ingest.discover import Roots, walk
from rtgraph.ingest.parse import Plan, parse_many
from rtgraph.ingest.records import Found, Instance, Reason, State
from rtgraph.ingest.revise import Run
from rtgraph.ingest.write import write_batch, write_rejects
from tests.data.small import write_course
from tests.server.conftest import TestGraph, check_invariants

pytestmark = pytest.mark.server

REFUSED: list[tuple[str, Any]] = [
    ("a list of two types, which no property holds", [1, "a"]),  # by the server
    ("a number beyond 64 bit",                       2**70),     # by the driver
    ("a map, which no property holds",               {"a": 1}),
]


@pytest.mark.parametrize("value", [v for _, v in REFUSED], ids=[n for n, _ in REFUSED])
@pytest.mark.parametrize("bad", [{0}, {11}, {3, 4, 9}], ids=["first", "last", "three"])
def test_only_the_object_that_is_refused_is_lost(
    graph: TestGraph, tmp_path: Path, bad: set[int], value: Any
) -> None:
    graph.wipe()
    write_course(tmp_path)
    roots = Roots({"r": str(tmp_path)})
    plan = Plan("00" * 32)
    files = [f for f in walk([str(tmp_path)], roots) if isinstance(f, Found)]
    objects = [o for o in parse_many(files, plan) if isinstance(o, Instance)]
    assert len(objects) == 12
    for n in bad:
        objects[n].values["Instance"]["InstanceNumber"] = value

    written = graph.run(write_batch(graph.store, objects, Run("run", roots, plan)))
    graph.run(write_rejects(graph.store, written.refused))
    graph.run(derive(graph.store))

    assert written.states == Counter({State.INDEXED: 12 - len(bad), State.REJECTED: len(bad)})
    assert {r.reason for r in written.refused} == {Reason.WRITE_REFUSED}
    assert {r.file.path for r in written.refused} == {objects[n].file.path for n in bad}
    there = graph.read("MATCH (i:Instance) WHERE NOT i:Missing RETURN i.SOPInstanceUID AS uid")
    assert {r["uid"] for r in there} == {o.sop_uid for n, o in enumerate(objects) if n not in bad}
    check_invariants(graph)

"""Every Cypher file is accepted by a real server and returns what its header says."""

import os
from pathlib import Path

import pytest

from rtgraph.cypher import library
from rtgraph.cypher.library import Check, Query, checks, lookup, queries, table
from rtgraph.graphmodel.tables import TABLES, Tables
from tests.server.conftest import TestGraph

DATA = Path(os.environ.get("RTGRAPH_TEST_DATA", Path(__file__).parents[2].parent / "shared/data"))
LOOKUPS = sorted(p.stem for p in Path(library.__file__).parent.glob("lookups/*.cypher"))
FILES = [*queries(), *map(table, TABLES), *map(lookup, LOOKUPS)]

pytestmark = pytest.mark.server


@pytest.mark.parametrize("check", checks(), ids=lambda c: c.id)
def test_check(dialect: tuple[TestGraph, str], check: Check) -> None:
    graph, prefix = dialect
    assert graph.explain(prefix + check.statement) == list(check.returns)
    assert graph.explain(prefix + check.population) == ["n"]


@pytest.mark.parametrize("query", FILES, ids=lambda q: q.name)
def test_query(dialect: tuple[TestGraph, str], query: Query) -> None:
    graph, prefix = dialect
    assert graph.explain(prefix + query.statement) == list(query.returns)


def tables_of(graph: TestGraph, patient: str | None) -> Tables:
    return {name: graph.read(table(name).statement, patient=patient) for name in TABLES}


@pytest.mark.skipif(not DATA.is_dir(), reason="no folder of real files beside the repository")
def test_tables_of_one_patient_hold_every_end_of_their_references(graph: TestGraph) -> None:
    graph.ingest(DATA)
    everything = tables_of(graph, None)
    rows = {name: set(map(repr, rows)) for name, rows in everything.items()}
    shown: dict[str, set[str]] = {name: set() for name in TABLES}
    for patient in everything["patients"]:
        own = tables_of(graph, patient["patient_key"])
        assert own["patients"] == [patient]
        assert [s for s in everything["series"] if s["patient_key"] == patient["patient_key"]] == [
            s for s in own["series"] if s["patient_key"] == patient["patient_key"]]
        known = {
            "study": {r["StudyInstanceUID"] for r in own["studies"]},
            "series": {r["SeriesInstanceUID"] for r in own["series"]},
            "instance": {r["SOPInstanceUID"] for r in own["instances"]},
        }
        for r in own["references"]:
            assert r["source_uid"] in known[r["source_level"]]
            assert r["target_uid"] in known[r["target_level"]]
        assert {r["SeriesInstanceUID"] for r in own["instances"]} <= known["series"] | {None}
        for name, found in own.items():
            assert len(found) == len(set(map(repr, found)))
            shown[name] |= set(map(repr, found))
    assert shown == rows

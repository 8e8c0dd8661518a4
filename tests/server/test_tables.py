"""Rows from files equal rows from the graph, and so do the edges that are folded from them."""

import asyncio
from pathlib import Path

import pytest

from rtgraph.api import counted
from rtgraph.demo.cohort import write_cohort
from rtgraph.graphmodel.references import locating_roles
from rtgraph.graphmodel.tables import TABLES, Row, Tables, of_patient
from rtgraph.ingest.pipeline import Progress
from rtgraph.ingest.tables import read_folder, tables
from rtgraph.viz.gather import graph_tables
from rtgraph.viz.subgraph import fold
from tests.server.conftest import TestGraph
from tests.server.test_real_files import DATA, SETS

pytestmark = pytest.mark.server
_DERIVED = """\
MATCH (a:Series)-[r:REFERENCES]->(b:Series)
RETURN a.SeriesInstanceUID AS source, b.SeriesInstanceUID AS target, r.role AS role,
       r.n_sources AS n_sources, r.n_targets AS n_targets, r.n_present AS n_present,
       r.n_missing AS n_missing, r.complete AS complete"""


def _in_memory(graph: TestGraph, folder: Path) -> tuple[Tables, Progress]:
    progress = Progress()
    key = str(graph.one("MATCH (s:Schema) RETURN s.key"))
    objects = asyncio.run(read_folder([folder], None, key=key, roots={}, progress=progress,
                                      rejected=lambda rejected: None))
    return tables(objects), progress


def _sorted(rows: list[Row]) -> list[str]:
    return sorted(repr(sorted(r.items())) for r in rows)


@pytest.mark.parametrize("name", ["demo", *SETS])
def test_tables_and_edges_are_the_same(graph: TestGraph, tmp_path: Path, name: str) -> None:
    folder = DATA / name
    if name == "demo":
        folder = tmp_path / "dicom"
        write_cohort(folder)
    summary = graph.ingest(folder)
    read, progress = _in_memory(graph, folder)
    stored = graph.run(graph_tables(graph.store))

    for table in TABLES:
        assert _sorted(read[table]) == _sorted(stored[table]), table
    folded = fold(read, locating_roles())
    assert {
        (e.source, e.target, e.role, e.n_sources, e.n_targets, e.n_present, e.n_missing, e.complete)
        for e in folded.series_edges
    } == {tuple(r.values()) for r in graph.read(_DERIVED)}
    assert progress.states == summary.progress.states
    assert progress.reasons == summary.progress.reasons
    assert counted(read).items() <= summary.after.items()

    for patient in stored["patients"]:
        key = patient["patient_key"]
        own = graph.run(graph_tables(graph.store, key))
        assert fold(of_patient(read, key), locating_roles()).boxes == fold(
            own, locating_roles()).boxes
        assert fold(of_patient(read, key), locating_roles()).edges == fold(
            own, locating_roles()).edges

"""Rows from files equal rows from the graph, and so do the edges that are folded from them."""

import asyncio
from pathlib import Path

import pytest

from rtgraph.api import counted
from rtgraph.cypher.library import table
from rtgraph.demo.manifest import Manifest
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
def test_tables_and_edges_are_the_same(
    graph: TestGraph, synthetic: tuple[Path, Manifest], name: str
) -> None:
    folder = synthetic[0] if name == "demo" else DATA / name
    summary = graph.ingest(folder)
    read, progress = _in_memory(graph, folder)
    stored = graph.run(graph_tables(graph.store))

    for kind in TABLES:
        assert _sorted(read[kind]) == _sorted(stored[kind]), kind
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

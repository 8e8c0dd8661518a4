"""The Python objects: the same methods with and without a server, inside a running loop too."""

import asyncio
import inspect
from pathlib import Path

import pandas
import pytest

import rtgraph
import rtgraph.errors
from rtgraph.api import Folder, Graph
from rtgraph.demo.manifest import Manifest
from rtgraph.errors import StatementRefused, UnknownName, UsageError
from rtgraph.graphmodel.tables import TABLES
from tests.server.conftest import TestGraph

pytestmark = pytest.mark.server


@pytest.fixture
def ingested(
    graph: TestGraph, cohort: tuple[Path, Manifest], monkeypatch: pytest.MonkeyPatch
) -> Path:
    for name, value in graph.server.environment.items():
        monkeypatch.setenv(name, value)
    graph.ingest(cohort[0])
    return cohort[0]


def _use(folder: Path) -> None:
    read = rtgraph.read(folder)
    with rtgraph.connect() as graph:
        for name, columns in TABLES.items():
            for frame in (read.tables[name], graph.tables[name]):
                assert isinstance(frame, pandas.DataFrame)
                assert tuple(frame.columns) == columns
            assert len(read.tables[name]) == len(graph.tables[name])
        rows = graph.query("complete-chains")
        assert list(rows.to_pandas().columns) == rows.columns
        assert len(rows.to_pandas()) == len(rows) > 0
        (row,) = graph.query("MATCH (p:Patient) RETURN count(p) AS n")
        assert row == {"n": 3}
        for figure in (graph.figure("DEMO-1"), read.figure("DEMO-1")):
            assert "<iframe" in figure._repr_html_()
            assert "DEMO-1" not in figure.html
        plans = graph.find(level="instance", Modality="RTPLAN")
        assert set(plans.to_pandas()["Modality"]) == {"RTPLAN"}
        both = graph.find("SliceThickness>0", Modality=["CT", "MR"], columns=["SliceThickness"])
        assert {r["Modality"] for r in both} == {"CT", "MR"}
        assert both.columns[-1] == "SliceThickness"
        with pytest.raises(UnknownName, match="no attribute"):
            graph.find(Modalty="CT")
        with pytest.raises(UnknownName, match="no query named"):
            graph.query("complete-chain")
        with pytest.raises(StatementRefused):
            graph.query("CREATE (n:X) RETURN n")
        with pytest.raises(UsageError, match="No patient"):
            graph.figure("nobody")
        with pytest.raises(UnknownName):
            read.tables["patient"]


def test_both_objects_work(ingested: Path) -> None:
    _use(ingested)


def test_both_objects_work_inside_a_running_event_loop(ingested: Path) -> None:
    async def notebook_cell() -> None:
        _use(ingested)

    asyncio.run(notebook_cell())


def test_both_objects_have_the_same_methods() -> None:
    shared = {"tables", "figure"}
    for kind in (Graph, Folder):
        assert shared <= {n for n, _ in inspect.getmembers(kind)}
    assert inspect.signature(Graph.figure) == inspect.signature(Folder.figure)


def test_a_closed_graph_and_a_wrong_address_leave_no_thread(
    graph: TestGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    before = threading.active_count()
    monkeypatch.setenv("RTGRAPH_PASSWORD", "wrong")
    with pytest.raises(rtgraph.errors.RtgraphError):
        rtgraph.connect(graph.server.uri)
    with pytest.raises(rtgraph.errors.RtgraphError):
        rtgraph.connect("bolt://127.0.0.1:1")
    assert threading.active_count() <= before

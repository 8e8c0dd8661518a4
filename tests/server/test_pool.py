"""Reading elsewhere: processes that die during an ingest, and a Dask cluster."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from rtgraph import config
from rtgraph.errors import RtgraphError
from rtgraph.ingest.known import claim_roots
from rtgraph.ingest.parse import Plan, parse_many
from rtgraph.ingest.pipeline import Options, Progress, ingest
from rtgraph.ingest.pool import workers
from rtgraph.ingest.records import Found, Instance, Rejected, State
from rtgraph.ingest.revise import Run
from rtgraph.ingest.runs import run_ingest
from tests.data.small import write_course
from tests.server.conftest import TestGraph
from tests.server.test_ingest import assert_same, in_one_run
from tests.server.test_robust import write_many

pytestmark = pytest.mark.server
DEADLY = "deadly.dcm"


def read(files: Sequence[Found], plan: Plan) -> list[Instance | Rejected]:
    """Read files as ever, but for one that ends the process."""
    if any(f.location.endswith(DEADLY) for f in files):
        os._exit(3)
    return parse_many(files, plan)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_course(tmp_path / "dicom")
    write_many(tmp_path / "dicom/many", 300)
    return tmp_path / "dicom"


def ingest_with_deadly_file(
    graph: TestGraph, folder: Path, address: str | None = None
) -> tuple[Progress, list[Rejected]]:
    """Read a folder with one more file, which ends the process that reads it."""
    (folder / "many" / DEADLY).write_bytes((folder / "many/00007.dcm").read_bytes())
    progress, rejected = Progress(), list[Rejected]()

    async def work() -> None:
        start = await claim_roots(graph.store, [folder], {"r": str(folder.resolve())})
        (schema,) = await graph.store.read("MATCH (s:Schema) RETURN s.key AS key")
        with workers(2, address, read) as readers:
            assert await ingest(
                graph.store, start, readers, run=Run("run", start.roots, Plan(schema["key"])),
                options=Options(), progress=progress, rejected=rejected.append,
                stop=asyncio.Event())

    graph.run(work())
    return progress, rejected


def check_deadly(graph: TestGraph, folder: Path, outcome: tuple[Progress, list[Rejected]]) -> None:
    progress, (rejected,) = outcome
    assert progress.states[State.REJECTED] == 1
    assert progress.states[State.INDEXED] == 312
    assert (rejected.file.path, rejected.reason, rejected.detail) == (
        f"r:many/{DEADLY}", "BAD_HEADER", "the reader ended on this file")
    assert graph.one("MATCH (f:File {status: 'REJECTED'}) RETURN f.path") == f"r:many/{DEADLY}"
    graph.write("MATCH (f:File {status: 'REJECTED'}) DELETE f")
    found = graph.content()
    (folder / "many" / DEADLY).unlink()
    assert_same(found, in_one_run(graph, folder))


def test_a_reader_that_dies_costs_one_file(graph: TestGraph, folder: Path) -> None:
    check_deadly(graph, folder, ingest_with_deadly_file(graph, folder))


# --- Dask ----------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler and two worker processes on this machine."""
    distributed: Any = pytest.importorskip("distributed", reason="needs the extra dask")
    import dask

    with (dask.config.set({"distributed.scheduler.allowed-failures": 0}),
          distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True,
                                   host="127.0.0.1", dashboard_address=None,
                                   local_directory=str(tmp_path_factory.mktemp("dask"))
                                   ) as found):
        yield found.scheduler_address.replace("tcp://", "dask://")


def test_a_cluster_gives_the_same_graph(graph: TestGraph, folder: Path, cluster: str) -> None:
    expected = in_one_run(graph, folder)
    graph.wipe()
    summary = graph.run(run_ingest(
        graph.store, [folder], config.Settings(roots={"r": folder}), options=Options(),
        progress=Progress(), executor=cluster))
    assert summary.progress.states == {State.INDEXED: 312}
    assert_same(graph.content(), expected)


def test_a_worker_of_a_cluster_that_dies_costs_one_file(
    graph: TestGraph, folder: Path, cluster: str
) -> None:
    check_deadly(graph, folder, ingest_with_deadly_file(graph, folder, cluster))


def test_a_cluster_that_is_not_there_is_told(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="needs the extra dask")
    with (pytest.raises(RtgraphError, match="No Dask scheduler answers") as told,
          workers(2, "dask://127.0.0.1:9")):
        pass
    assert told.value.exit_code == 3

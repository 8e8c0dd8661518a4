"""What goes wrong between an archive and the graph: the counts agree, and nothing is claimed."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread

from rtgraph.config import Node, Settings
from rtgraph.cypher.library import check
from rtgraph.errors import (
    ExitCode,
    PeerError,
    PeerRefused,
    PeerUnreachable,
    ReceiverError,
)
from rtgraph.pacs.query import Level
from rtgraph.pacs.retrieve import Retrieval, retrieve
from rtgraph.pacs.wanted import Target
from tests.data import peers
from tests.data.odd_archive import FAILURE, NOT_SENT, OddArchive, cannot_be_sent
from tests.data.small import new, uid
from tests.server.conftest import TestGraph
from tests.server.pacs.conftest import until

N = 9
Odd = Callable[[int, list[Dataset]], Iterator[Any]]


@pytest.fixture(scope="module")
def held() -> list[Dataset]:
    """A series of objects."""
    return [new(f"o{i}", patient="CANARY-ID", modality="CT") for i in range(N)]


class Fetched:
    """A retrieval that was done, and what it left."""

    def __init__(self, graph: TestGraph, folder: Path, done: Retrieval, said: list[str]) -> None:
        self.graph, self.folder, self.done, self.said = graph, folder, done, said
        (self.delivery,) = done.deliveries

    @property
    def files(self) -> list[str]:
        return sorted(str(dcmread(p).SOPInstanceUID) for p in self.folder.rglob("*.dcm"))

    @property
    def in_graph(self) -> list[str]:
        return sorted(r["uid"] for r in self.graph.read(
            "MATCH (i:Instance) WHERE NOT i:Missing RETURN i.SOPInstanceUID AS uid"))

    @property
    def announced_only(self) -> list[str]:
        return sorted(r["uid"] for r in self.graph.read(
            "MATCH (i:Instance:Missing) WHERE i.in_archive RETURN i.SOPInstanceUID AS uid"))

    @property
    def run(self) -> dict[str, Any]:
        (row,) = self.graph.read(
            "MATCH (r:RetrieveRun) RETURN r.state AS state, r.n_announced AS announced, "
            "r.n_received AS received, r.n_failed AS failed")
        return row

    def agree(self, exit_code: ExitCode, state: str, n: int) -> None:
        """Assert that `n` of the objects are there, and that everything says so."""
        assert self.done.exit_code == exit_code, self.said
        assert len(self.files) == len(self.in_graph) == n
        assert self.files == self.in_graph
        assert self.run == {"state": state, "announced": N, "received": n, "failed": N - n}
        (result,) = self.delivery.results
        assert (result.announced, result.received, result.in_graph, result.short) == (
            N, n, n, N - n)
        assert sorted(result.failed) == self.announced_only
        assert len(self.announced_only) == N - n
        assert not set(self.announced_only) & set(self.in_graph)
        assert "CANARY" not in " ".join(self.said)


Fetch = Callable[..., Fetched]


@pytest.fixture
def fetch(graph: TestGraph, tmp_path: Path) -> Fetch:
    def do(at: int, way: str = "get", *, node: Node | None = None, **settings: Any) -> Fetched:
        said: list[str] = []
        options: dict[str, Any] = {"received": tmp_path / "received", "port": peers.free_port(),
                                   "silence": 5.0, "connect": 2.0, "retry": 1.0, "rounds": 3,
                                   "jobs": 1, "min_free": 0}
        made = Settings(**(options | settings))
        asked = node or Node("odd", "ODD", "127.0.0.1", at, retrieve=way, associations=1)
        done = graph.run(retrieve(
            graph.store, made, [asked], [Target(Level.study, uid("study"))],
            stop=asyncio.Event(), say=said.append, retrieval=Retrieval()))
        return Fetched(graph, tmp_path / "received", done, said)

    return do


def run_odd(fetch: Fetch, held: list[Dataset], odd: Odd, way: str = "get", **settings: Any
            ) -> tuple[Fetched, OddArchive]:
    port = peers.free_port()
    archive = OddArchive(held, odd, destination=("127.0.0.1", port))
    with archive.running() as at:
        return fetch(at, way, **({"port": port} | settings)), archive


# --- what an archive does ------------------------------------------------------------------------

def well(number: int, asked: list[Dataset]) -> Iterator[Any]:
    yield from asked


def every_third_fails_at_first(number: int, asked: list[Dataset]) -> Iterator[Any]:
    for i, ds in enumerate(asked):
        yield cannot_be_sent(ds) if number == 0 and i % 3 == 2 else ds


def every_third_fails(number: int, asked: list[Dataset]) -> Iterator[Any]:
    lost = {uid(f"o{i}") for i in (2, 5, 8)}
    for ds in asked:
        yield cannot_be_sent(ds) if str(ds.SOPInstanceUID) in lost else ds


def out_of_resources_at_first(number: int, asked: list[Dataset]) -> Iterator[Any]:
    if number == 0:
        yield from asked[:2]
        yield NOT_SENT
    yield from asked


def out_of_resources(number: int, asked: list[Dataset]) -> Iterator[Any]:
    yield NOT_SENT


def aborts_at_first(number: int, asked: list[Dataset]) -> Iterator[Any]:
    yield from asked[:4]
    if number == 0:
        yield "abort"
    yield from asked[4:]


def aborts(number: int, asked: list[Dataset]) -> Iterator[Any]:
    if number == 0:
        yield from asked[:1]
    yield "abort"


def fails(number: int, asked: list[Dataset]) -> Iterator[Any]:
    yield asked[0]
    yield FAILURE


def sends_twice(number: int, asked: list[Dataset]) -> Iterator[Any]:
    for ds in asked:
        yield ds
        yield ds


def forgets_some(number: int, asked: list[Dataset]) -> Iterator[Any]:
    """Says that all was sent."""
    yield from asked[: len(asked) - 2 * (number == 0)]


CASES: list[tuple[str, Odd, ExitCode, str, int]] = [
    # name                          archive                      exit code             state   n
    ("all is well",                 well,                        ExitCode.done,        "DONE",  N),
    ("every third fails at first",  every_third_fails_at_first,  ExitCode.done,        "DONE",  N),
    ("every third fails",           every_third_fails,           ExitCode.findings,    "SHORT", 6),
    ("A702 at first",               out_of_resources_at_first,   ExitCode.done,        "DONE",  N),
    ("A702 always",                 out_of_resources,            ExitCode.findings,    "SHORT", 0),
    ("aborted once",                aborts_at_first,             ExitCode.done,        "DONE",  N),
    ("fails with C001",             fails,                       ExitCode.findings,    "SHORT", 3),
    ("sent twice",                  sends_twice,                 ExitCode.done,        "DONE",  N),
    ("forgets some",                forgets_some,                ExitCode.done,        "DONE",  N),
]  # fmt: skip


@pytest.mark.parametrize("way", ["get", "move"])
@pytest.mark.parametrize(("odd", "code", "state", "n"), [c[1:] for c in CASES],
                         ids=[c[0] for c in CASES])
def test_an_archive_that(
    fetch: Fetch, held: list[Dataset], odd: Odd, code: ExitCode, state: str, n: int, way: str
) -> None:
    fetched, archive = run_odd(fetch, held, odd, way)
    fetched.agree(code, state, n)
    # only what was missing was asked for again
    for before, after in zip(archive.requests, archive.requests[1:], strict=False):
        assert set(after) <= set(before)
    if odd in (every_third_fails_at_first, forgets_some):
        assert [len(r) for r in archive.requests] == [N, 3 if odd is not forgets_some else 2]
    # who is to blame is known by UID
    (result,) = fetched.delivery.results
    lost = sorted(uid(f"o{i}") for i in (2, 5, 8)) if odd is every_third_fails else []
    assert list(result.refused) == lost
    assert result.missing == fetched.announced_only
    # and a shortfall is a finding
    assert bool(fetched.graph.read(check("HIE-09").statement)) is (n < N)


@pytest.mark.parametrize("way", ["get", "move"])
def test_an_archive_that_aborts_each_time(
    fetch: Fetch, held: list[Dataset], way: str
) -> None:
    fetched, _ = run_odd(fetch, held, aborts, way, retry=0.2)
    assert isinstance(fetched.delivery.error, PeerUnreachable)
    assert fetched.done.exit_code == ExitCode.incomplete
    fetched.agree(ExitCode.incomplete, "FAILED", 1)


@pytest.mark.parametrize("way", ["get", "move"])
def test_an_archive_that_falls_silent(fetch: Fetch, held: list[Dataset], way: str) -> None:
    def silent(number: int, asked: list[Dataset]) -> Iterator[Any]:
        yield from asked[:3]
        yield "silent"

    began = time.monotonic()
    fetched, _ = run_odd(fetch, held, silent, way, silence=1.0, retry=0.0)
    assert time.monotonic() - began < 25
    assert isinstance(fetched.delivery.error, PeerUnreachable)
    fetched.agree(ExitCode.incomplete, "FAILED", 3)


@pytest.mark.parametrize("way", ["get", "move"])
@pytest.mark.parametrize(("associations", "pause"), [(1, 0.5), (3, 0.0)])
def test_an_archive_is_not_asked_for_more_than_its_settings_say(
    fetch: Fetch, way: str, associations: int, pause: float
) -> None:
    series = [new(f"o{i}", series=f"s{i}", modality="CT") for i in range(N)]
    port = peers.free_port()
    archive = OddArchive(series, well, destination=("127.0.0.1", port))
    with archive.running() as at:
        node = Node("odd", "ODD", "127.0.0.1", at, retrieve=way, associations=associations,
                    pause=pause)
        fetched = fetch(at, node=node, port=port)
    assert fetched.done.exit_code == ExitCode.done
    assert len(fetched.files) == N
    # an association a worker, kept for all its series, and a pause after each request on it
    assert len(archive.times) == associations
    assert sum(map(len, archive.times.values())) == N
    assert all(after - before >= pause for times in archive.times.values()
               for before, after in pairwise(times))


def test_an_archive_that_does_not_list_objects(fetch: Fetch, held: list[Dataset]) -> None:
    archive = OddArchive(held, forgets_some, lists_objects=False)
    with archive.running() as port:
        fetched = fetch(port, keep="header")
        assert fetched.done.exit_code == ExitCode.done
        assert len(fetched.files) == len(fetched.in_graph) == N
        assert [len(r) for r in archive.requests] == [N, N]
        whole, enough = fetch(port), fetch(port)
    # with its bulk once more, and then not again
    assert [len(r) for r in archive.requests] == [N, N, N]
    for again, there, received in ((whole, 0, N), (enough, N, 0)):
        (result,) = again.delivery.results
        assert again.done.exit_code == ExitCode.done
        assert (result.there, result.received, result.in_graph, result.short) == (
            there, received, N, 0)


def test_an_archive_that_neither_lists_nor_counts_objects_is_asked(
    fetch: Fetch, held: list[Dataset]
) -> None:
    archive = OddArchive(held, well, lists_objects=False, counts_objects=False)
    with archive.running() as port:
        fetched = fetch(port)
    assert [len(r) for r in archive.requests] == [N]
    assert fetched.done.exit_code == ExitCode.done
    assert len(fetched.files) == len(fetched.in_graph) == N


# --- the way there -------------------------------------------------------------------------------

def test_an_archive_that_refuses_us(fetch: Fetch, held: list[Dataset]) -> None:
    archive = OddArchive(held, well)
    with archive.running(callers=["OTHER"]) as port:
        fetched = fetch(port)
    assert isinstance(fetched.delivery.error, PeerRefused)
    assert "does not know our AE title" in str(fetched.delivery.error)
    assert "RTGRAPH" in fetched.delivery.error.hint
    assert (fetched.done.exit_code, fetched.run["state"]) == (ExitCode.incomplete, "FAILED")


def test_an_archive_that_is_not_there(fetch: Fetch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        fetched = fetch(taken.getsockname()[1])
    assert isinstance(fetched.delivery.error, PeerUnreachable)
    assert (fetched.done.exit_code, fetched.run["state"]) == (ExitCode.incomplete, "FAILED")


def test_an_address_that_no_route_leads_to(fetch: Fetch) -> None:
    # TEST-NET-1 of RFC 5737: no machine has it
    fetched = fetch(0, node=Node("far", "FAR", "192.0.2.1", 104, associations=1))
    assert isinstance(fetched.delivery.error, PeerUnreachable)
    assert (fetched.done.exit_code, fetched.run["state"]) == (ExitCode.incomplete, "FAILED")


def test_an_archive_that_comes_back_is_waited_for(fetch: Fetch, held: list[Dataset]) -> None:
    port = peers.free_port()
    archive = OddArchive(held, well)

    def later() -> None:
        time.sleep(3)
        stack.enter_context(archive.running(port=port))

    with ExitStack() as stack:
        thread = threading.Thread(target=later)
        thread.start()
        fetched = fetch(port, retry=60.0)
        thread.join()
    fetched.agree(ExitCode.done, "DONE", N)


def test_a_destination_that_the_archive_does_not_know(
    fetch: Fetch, held: list[Dataset], tmp_path: Path
) -> None:
    file = tmp_path / "one.dcm"
    held[0].save_as(file, enforce_file_format=True)
    with peers.orthanc(tmp_path) as archive:
        archive.add(file)
        archive.knows("us", "RTGRAPH", 1)
        node = Node("orthanc", "ORTHANC", "127.0.0.1", archive.port, retrieve="move")
        # nothing listens where it would send to
        fetched = fetch(0, node=node, rounds=2)
        assert fetched.done.exit_code in (ExitCode.findings, ExitCode.incomplete)
        assert fetched.files == []
        fetched.graph.wipe()
        auto = fetch(0, node=replace(node, retrieve="auto"), rounds=2)
        assert auto.done.exit_code == ExitCode.done
        assert len(auto.files) == 1
        assert any("C-GET is used" in line for line in auto.said)
        auto.graph.wipe()
        stranger = fetch(0, node=node, ae_title="STRANGER")
        assert isinstance(stranger.delivery.error, PeerError)
        assert stranger.done.exit_code == ExitCode.incomplete


def test_a_port_that_is_taken(fetch: Fetch, held: list[Dataset]) -> None:
    archive = OddArchive(held, well)
    with archive.running() as at, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ReceiverError, match="cannot be listened at"):
            fetch(at, "move", port=port)
        fetch(at, "auto", port=port).agree(ExitCode.done, "DONE", N)


# --- on this side --------------------------------------------------------------------------------

@pytest.mark.parametrize("way", ["get", "move"])
def test_a_full_disk_ends_the_retrieval(fetch: Fetch, held: list[Dataset], way: str) -> None:
    fetched, _ = run_odd(fetch, held, well, way, min_free=1 << 60)
    assert isinstance(fetched.delivery.error, ReceiverError)
    assert "No space left" in str(fetched.delivery.error)
    fetched.agree(ExitCode.incomplete, "FAILED", 0)


@pytest.mark.parametrize("way", ["get", "move"])
def test_two_contents_of_one_object_are_kept_apart(
    fetch: Fetch, held: list[Dataset], way: str
) -> None:
    def sends_two(number: int, asked: list[Dataset]) -> Iterator[Any]:
        for i, ds in enumerate(asked):
            yield ds
            yield new(f"o{i}", patient="CANARY-ID", PatientComments="changed")

    fetched, _ = run_odd(fetch, held, sends_two, way)
    assert fetched.done.exit_code == ExitCode.done
    assert fetched.delivery.conflicts == N
    assert len(fetched.files) == 2 * N
    assert fetched.graph.one(
        "MATCH (:Instance)-[:STORED_AS]->(f:File) WHERE f.differs RETURN count(f) AS n") == N


def test_an_archive_that_dies_and_comes_back(
    fetch: Fetch, graph: TestGraph, tmp_path: Path
) -> None:
    storage = tmp_path / "archive"
    storage.mkdir()
    port = peers.free_port()
    with peers.orthanc(storage) as archive:
        for i in range(N):
            file = tmp_path / "object.dcm"
            new(f"o{i}", series=f"s{i}", modality="CT").save_as(file, enforce_file_format=True)
            archive.add(file)
        archive.knows("us", "RTGRAPH", port)
        node = Node("orthanc", "ORTHANC", "127.0.0.1", archive.port, retrieve="move",
                    associations=1, pause=0.5)
        killer = threading.Thread(target=_kill_after, args=(archive, tmp_path / "received", 3))
        killer.start()
        fetched = fetch(0, node=node, port=port, retry=0.5)
        killer.join()
    came = len(fetched.files)
    assert 3 <= came < N
    assert fetched.done.exit_code == ExitCode.incomplete
    assert fetched.in_graph == fetched.files
    assert (fetched.run["state"], fetched.run["received"]) == ("FAILED", came)
    graph.write("MATCH (r:RetrieveRun) DETACH DELETE r")
    with peers.orthanc(storage) as archive:
        archive.knows("us", "RTGRAPH", port)
        again = fetch(0, node=replace(node, port=archive.port, pause=0.0), port=port)
    assert again.done.exit_code == ExitCode.done
    assert len(again.in_graph) == len(again.files) == N
    assert (again.run["state"], again.run["received"]) == ("DONE", N - came)


def _kill_after(archive: peers.Orthanc, folder: Path, files: int) -> None:
    until(lambda: len(list(folder.rglob("*.dcm"))) >= files, 60)
    archive.process.kill()

"""What goes wrong between an archive and the graph: the counts agree, and nothing is claimed."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread

from rtgraph.config import Node, Settings
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


def test_an_archive_that_does_not_list_objects(fetch: Fetch, held: list[Dataset]) -> None:
    archive = OddArchive(held, forgets_some, lists_objects=False)
    with archive.running() as port:
        fetched = fetch(port)
    assert fetched.done.exit_code == ExitCode.done
    assert len(fetched.files) == len(fetched.in_graph) == N
    assert [len(r) for r in archive.requests] == [N, N]


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
    assert fetched.done.exit_code == ExitCode.incomplete


def test_an_archive_that_comes_back_is_waited_for(fetch: Fetch, held: list[Dataset]) -> None:
    port = peers.free_port()
    archive = OddArchive(held, well)

    def later() -> None:
        time.sleep(3)
        stack.enter_context(moved(archive, port))

    from contextlib import ExitStack

    with ExitStack() as stack:
        thread = threading.Thread(target=later)
        thread.start()
        fetched = fetch(port, retry=60.0)
        thread.join()
    fetched.agree(ExitCode.done, "DONE", N)


def moved(archive: OddArchive, port: int) -> Any:
    """The archive at a port that is given."""
    from contextlib import contextmanager

    from pynetdicom import AE

    @contextmanager
    def at() -> Iterator[int]:
        started = AE.start_server

        def there(self: AE, address: Any, **options: Any) -> Any:
            return started(self, ("127.0.0.1", port), **options)

        AE.start_server = there  # type: ignore[method-assign, assignment]
        try:
            with archive.running() as found:
                yield found
        finally:
            AE.start_server = started  # type: ignore[method-assign]

    return at()


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
    fetch: Fetch, graph: TestGraph, held: list[Dataset], tmp_path: Path
) -> None:
    storage = tmp_path / "archive"
    storage.mkdir()
    port = peers.free_port()
    with peers.orthanc(storage) as archive:
        for ds in held:
            file = tmp_path / "object.dcm"
            ds.save_as(file, enforce_file_format=True)
            archive.add(file)
        archive.knows("us", "RTGRAPH", port)
        node = Node("orthanc", "ORTHANC", "127.0.0.1", archive.port, retrieve="move",
                    associations=1, pause=0.5)
        targets = [Target(Level.image, str(ds.SOPInstanceUID), uid("study"), uid("series"))
                   for ds in held]
        made = Settings(received=tmp_path / "received", port=port, silence=5.0, connect=2.0,
                        retry=1.0, rounds=2, jobs=1, min_free=0)
        done = Retrieval()
        killer = threading.Timer(0.0, archive.process.kill)

        def first_came(line: str) -> None:
            pass

        graph.run(one_by_one(graph, made, node, targets, done, killer, first_came))
        killer.join()
    assert done.exit_code == ExitCode.incomplete
    came = len(list((tmp_path / "received").rglob("*.dcm")))
    assert came < N
    assert graph.one("MATCH (i:Instance) WHERE NOT i:Missing RETURN count(i) AS n") == came
    with peers.orthanc(storage) as archive:
        archive.knows("us", "RTGRAPH", port)
        again = graph.run(retrieve(
            graph.store, made, [replace(node, port=archive.port, pause=0.0)], targets,
            stop=asyncio.Event(), say=print, retrieval=Retrieval()))
    assert again.exit_code == ExitCode.done
    assert graph.one("MATCH (i:Instance) WHERE NOT i:Missing RETURN count(i) AS n") == N


async def one_by_one(
    graph: TestGraph, settings: Settings, node: Node, targets: list[Target], done: Retrieval,
    killer: threading.Timer, say: Callable[[str], None],
) -> None:
    """Fetch half of the objects, end the archive, and fetch the others."""
    await retrieve(graph.store, settings, [node], targets[:4], stop=asyncio.Event(), say=say,
                   retrieval=Retrieval())
    killer.start()
    await asyncio.sleep(0.5)
    await retrieve(graph.store, settings, [node], targets[4:], stop=asyncio.Event(), say=say,
                   retrieval=done)



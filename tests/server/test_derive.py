"""The derived pass while others write, in batches, and after marks were left by a killed run."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from rtgraph.graphmodel.schema import derivations
from rtgraph.ingest import derive as derived
from rtgraph.ingest.derive import derive
from rtgraph.store.bolt import Row, Store, Transaction
from tests.data.small import uid, write_course, write_object
from tests.server.conftest import TestGraph

pytestmark = pytest.mark.server

T = TypeVar("T")
COUNT = "MATCH (s:Series {SeriesInstanceUID: $uid}) RETURN s.n_instances"
ADD = ("MATCH (s:Series {SeriesInstanceUID: $uid}) SET s.dirty = true "
       "CREATE (s)-[:HAS_INSTANCE]->(:Instance {SOPInstanceUID: $new})")
DIRTY = "MATCH (s:Series) WHERE s.dirty RETURN count(s)"


class Watched(Store):
    """A store that tells before which statement a transaction is."""

    def __init__(self, store: Store, before: str, then: Callable[[], Awaitable[None]]) -> None:
        vars(self).update(vars(store))
        self._before, self._then = before, then

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        async def watched(transaction: Transaction) -> T:
            run = transaction.run

            async def told(statement: str, /, **parameters: object) -> list[Row]:
                if statement == derivations()[self._before]:
                    await self._then()
                return await run(statement, **parameters)

            transaction.run = told  # type: ignore[method-assign]
            return await work(transaction)

        return await super().transact(watched)


@pytest.fixture
def series(graph: TestGraph, tmp_path: Path) -> str:
    """A series of two objects that waits for the derived pass."""
    for n in range(2):
        write_object(tmp_path / f"{n}.dcm", f"image {n}")
    graph.ingest(tmp_path)
    graph.write("MATCH (s:Series) SET s.dirty = true")
    return str(graph.one("MATCH (s:Series) RETURN s.SeriesInstanceUID"))


def test_what_is_written_before_the_lock_is_counted(graph: TestGraph, series: str) -> None:
    async def write() -> None:
        await graph.store.write(ADD, uid=series, new=uid("new"))

    graph.run(derive(Watched(graph.store, "hold", write)))
    assert graph.one(COUNT, uid=series) == 3
    assert graph.one(DIRTY) == 0


@pytest.mark.parametrize("before", ["labels", "almost_done"])
def test_what_is_written_after_the_lock_marks_the_series_again(
    graph: TestGraph, series: str, before: str
) -> None:
    writers: list[asyncio.Task[object]] = []

    async def write() -> None:
        writers.append(asyncio.create_task(
            graph.store.write(ADD, uid=series, new=uid("new"))))
        done, _ = await asyncio.wait(writers, timeout=0.5)
        assert not done  # the series is locked

    async def both() -> None:
        await derive(Watched(graph.store, before, write))
        await asyncio.gather(*writers)

    graph.run(both())
    assert graph.one(COUNT, uid=series) == 2
    assert graph.one(DIRTY) == 1
    graph.run(derive(graph.store))
    assert graph.one(COUNT, uid=series) == 3


def test_what_is_written_before_the_last_step_keeps_its_mark(
    graph: TestGraph, series: str
) -> None:
    async def write() -> None:
        await graph.store.write(ADD, uid=series, new=uid("new"))

    graph.run(derive(Watched(graph.store, "series_done", write)))
    assert graph.one(COUNT, uid=series) == 2
    assert graph.one(DIRTY) == 1
    graph.run(derive(graph.store))
    assert graph.one(COUNT, uid=series) == 3


async def _commit_while(
    store: Store, statement: str, waits: Awaitable[object], **parameters: object
) -> None:
    """Run a statement of a writer, and commit it when `waits` has begun to wait for its locks."""
    begun: list[asyncio.Future[object]] = []

    async def writer(transaction: Transaction) -> None:
        await transaction.run(statement, **parameters)
        begun.append(asyncio.ensure_future(waits))
        done, _ = await asyncio.wait(begun, timeout=2.0)
        assert not done

    await store.transact(writer)
    await asyncio.gather(*begun)


def test_the_last_step_waits_for_a_mark_that_is_not_committed_yet(
    graph: TestGraph, series: str
) -> None:
    graph.write("MATCH (s:Series) SET s.dirty = false")
    graph.run(_commit_while(
        graph.store, ADD, graph.store.write(derivations()["series_done"], dirty=[series]),
        uid=series, new=uid("new")))
    assert graph.one(DIRTY) == 1
    graph.run(derive(graph.store))
    assert graph.one(COUNT, uid=series) == 3


def test_a_frame_is_counted_when_its_writer_has_committed(
    graph: TestGraph, tmp_path: Path
) -> None:
    write_object(tmp_path / "1.dcm", "image", FrameOfReferenceUID=uid("frame"))
    graph.ingest(tmp_path)
    graph.write("MATCH (f:FrameOfReference) SET f.dirty = true")
    graph.run(_commit_while(
        graph.store, "MATCH (f:FrameOfReference) SET f.dirty = true "
        "CREATE (:Series {SeriesInstanceUID: $new})-[:IN_FRAME]->(f)", derive(graph.store),
        new=uid("other")))
    assert graph.one("MATCH (f:FrameOfReference) RETURN f.n_series") == 2
    graph.write("MATCH (s:Series {SeriesInstanceUID: $new}) DETACH DELETE s", new=uid("other"))
    graph.write("MATCH (f:FrameOfReference) SET f.dirty = true")
    graph.run(derive(graph.store))


def test_a_pass_that_was_killed_before_its_last_step_is_finished(
    graph: TestGraph, series: str
) -> None:
    graph.write("MATCH (s:Series) SET s.dirty = false")
    graph.run(derive(graph.store))
    assert graph.one("MATCH (s:Series) WHERE s.dirty IS NOT NULL RETURN count(s)") == 0


def test_batches_do_not_matter(
    graph: TestGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_course(tmp_path)
    graph.ingest(tmp_path)
    expected = graph.content()
    monkeypatch.setattr(derived, "BATCH", 1)
    for unmarked in (False, True):  # what is not marked is found by spreading
        graph.write("MATCH (s:Series) SET s.dirty = true")
        if unmarked:
            graph.write("MATCH (s:RTPlanSeries|RTStructSeries) REMOVE s.dirty")
        done: list[tuple[int, int]] = []
        graph.run(derive(graph.store, lambda *n, done=done: done.append(n)))
        assert graph.content() == expected
        assert done == [(n + 1, len(done)) for n in range(len(done))]


def test_spreading_is_left_out_only_when_all_are_marked(
    graph: TestGraph, tmp_path: Path
) -> None:
    """A series that is not marked counts what it refers to in one that is."""
    write_course(tmp_path)
    graph.ingest(tmp_path)
    (edge,) = graph.read(
        "MATCH (:RTStructSeries)-[e:REFERENCES]->(s:CTSeries) WHERE e.complete "
        "RETURN s.SeriesInstanceUID AS uid")
    graph.write(ADD, uid=edge["uid"], new=uid("new"))
    graph.run(derive(graph.store))
    assert graph.one("MATCH (:RTStructSeries)-[e:REFERENCES]->(:CTSeries) "
                     "RETURN collect(e.complete)") == [False]


def test_lists_of_a_mixed_series_are_sorted(graph: TestGraph, tmp_path: Path) -> None:
    """Classes, modalities and frames that sort differently from each other."""
    mr, ct = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.2"
    frames = sorted(uid(f"frame {n}") for n in range(3))
    for n, (sop_class, modality, frame) in enumerate(
            [(ct, "MR", frames[2]), (ct, "OT", frames[0]), (mr, "CT", frames[1])]):
        write_object(tmp_path / f"{n}.dcm", f"image {n}", modality=modality, sop_class=sop_class,
                     FrameOfReferenceUID=frame)
    graph.ingest(tmp_path)
    (row,) = graph.read("MATCH (s:Series) RETURN s.sop_classes AS classes, "
                        "s.modalities_seen AS modalities, s.frame_uids AS frames")
    assert row == {"classes": [ct, mr], "modalities": ["CT", "MR", "OT"], "frames": frames}


def test_an_object_is_found_in_a_series_that_was_not_asked_about(
    graph: TestGraph, tmp_path: Path
) -> None:
    """Writing finds out that a new series holds a known object, and decides again."""
    write_object(tmp_path / "b.dcm", "image", series="one")
    graph.ingest(tmp_path)
    write_object(tmp_path / "a.dcm", "image", series="other")
    graph.ingest(tmp_path)
    assert graph.one("MATCH (s:Series)-[:HAS_INSTANCE]->(:Instance) "
                     "RETURN collect(s.SeriesInstanceUID)") == [uid("other")]
    assert graph.one("MATCH (:Instance)-[:STORED_AS]->(f:File) RETURN f.differs")

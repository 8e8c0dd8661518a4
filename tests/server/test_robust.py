"""Runs that are stopped, killed, cut off, disturbed by another: the graph is that of a calm run."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from neo4j.exceptions import IncompleteCommit

from rtgraph import config
from rtgraph.ingest.known import changed, claim_roots
from rtgraph.ingest.lifetime import mark_killed, this_process
from rtgraph.ingest.parse import PARSER_VERSION
from rtgraph.ingest.pipeline import Options, Progress
from rtgraph.ingest.records import Found, State
from rtgraph.ingest.runs import run_ingest, stopping
from rtgraph.store.bolt import Store
from rtgraph.store.failures import is_retryable
from tests.data.small import encoded, new, uid, write_course, write_object
from tests.server.conftest import TestGraph
from tests.server.test_ingest import assert_same, in_one_run, read_in

pytestmark = pytest.mark.server
posix_only = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
KILLS = 5
_TEMPLATE = "1.2.3.1000000000"
_OBJECTS = "MATCH (i:Instance) WHERE NOT i:Missing RETURN count(i)"


# --- helpers -------------------------------------------------------------------------------------

def write_many(folder: Path, n: int, first: int = 0) -> None:
    """Write small images fast: of 7 patients, 21 series and 5 frames."""
    for k in range(first, first + n):
        if k < first + 105:
            raw = encoded(new("one", patient=f"PAT-{k % 7}", study=f"study {k % 7}",
                              series=f"series {k % 21}", frame=f"frame {k % 5}",
                              SOPInstanceUID=_TEMPLATE))
            (folder / f"{k % 105}.template").parent.mkdir(parents=True, exist_ok=True)
            templates[k % 105] = raw.replace(uid("one").encode(), _TEMPLATE.encode())
        number = f"1.2.3.{2_000_000_000 + k}".encode()
        (folder / f"{k:05}.dcm").write_bytes(
            templates[k % 105].replace(_TEMPLATE.encode(), number))


templates: dict[int, bytes] = {}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A course with references, and 600 images beside it."""
    folder = tmp_path / "dicom"
    write_course(folder)
    write_many(folder / "many", 600)
    return folder


def settings_of(folder: Path) -> config.Settings:
    """Settings whose only root is always `r`."""
    return config.Settings(roots={"r": folder})


@contextmanager
def ingesting(graph: TestGraph, folder: Path, *paths: Path, uri: str | None = None, **settings: Any
              ) -> Iterator[subprocess.Popen[str]]:
    """Run the command in a process group of its own; the group is ended at the end."""
    work = folder.parent / "work"
    work.mkdir(exist_ok=True)
    (work / "rtgraph.toml").write_text(f"[roots]\nr = '{folder}'\n")
    given = {f"RTGRAPH_{k.upper()}": str(v) for k, v in settings.items()}
    environment = os.environ | graph.server.environment | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-m", "rtgraph", "ingest", *map(str, paths or (folder,))], cwd=work,
        encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env=environment | given | ({"RTGRAPH_URI": uri} if uri else {}),
    ) as running:
        try:
            yield running
        finally:
            kill(running)


def kill(running: subprocess.Popen[str]) -> None:
    """End a command and its workers as nothing else can."""
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()


def ingested(graph: TestGraph, folder: Path, *paths: Path, **settings: Any) -> None:
    with ingesting(graph, folder, *paths, **settings) as running:
        said = running.communicate(timeout=300)
        assert running.returncode == 0, said


def wait_for_run(graph: TestGraph, running: subprocess.Popen[str]) -> None:
    """Wait until a run of the process is noted."""
    while not graph.read("MATCH (r:IngestRun {state: 'RUNNING'}) "
                         "WHERE split(r.process, ':')[1] = $pid RETURN r.id",
                         pid=str(running.pid)):
        assert running.poll() is None, running.communicate()


# --- kill -9 -------------------------------------------------------------------------------------

@posix_only
def test_a_killed_run_is_finished_by_the_same_command(graph: TestGraph, folder: Path) -> None:
    how: dict[str, Any] = {"jobs": 2, "batch": 10}
    with ingesting(graph, folder, **how) as running:
        wait_for_run(graph, running)
        started = time.monotonic()
        assert running.wait(300) == 0
        lasts = time.monotonic() - started
    expected = graph.content()
    graph.wipe()

    moments = random.Random(20_240_205)
    killed = 0
    while killed < KILLS:
        with ingesting(graph, folder, **how) as running:
            wait_for_run(graph, running)
            time.sleep(moments.uniform(0.02, 0.18) * lasts)
            killed += (alive := running.poll() is None)
        if not alive:  # it was done sooner: begin anew
            graph.wipe()
    ingested(graph, folder, **how)
    assert_same(graph.content(), expected)
    states = graph.one("MATCH (r:IngestRun) RETURN collect(DISTINCT r.state)")
    assert {"DONE"} <= set(states) <= {"DONE", "KILLED"}


@pytest.mark.parametrize(("process", "state"), [
    ("{host}:{gone}:1", "KILLED"), ("{host}:{pid}:1", "KILLED"), ("{me}", "RUNNING"),
    ("0000000000000000:{gone}:1", "RUNNING"), (None, "RUNNING"),
], ids=["ended", "number used again", "runs", "other machine", "not known"])
def test_runs_whose_process_has_ended_are_told(
    graph: TestGraph, process: str | None, state: str
) -> None:
    key = graph.one("MATCH (s:Schema) RETURN s.key")
    me = this_process(key)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        gone = ended.pid
    text = process and process.format(host=me.split(":")[0], me=me, gone=gone, pid=os.getpid())
    graph.write("MERGE (r:IngestRun {id: 'x'}) SET r.state = 'RUNNING', r.process = $process",
                process=text)
    graph.run(mark_killed(graph.store, key))
    assert graph.one("MATCH (r:IngestRun) RETURN r.state") == state
    graph.write("MATCH (r:IngestRun) DELETE r")


def test_this_process_names_neither_host_nor_user(graph: TestGraph) -> None:
    key = graph.one("MATCH (s:Schema) RETURN s.key")
    host, number, started = this_process(key).split(":")
    assert (len(host), int(number)) == (16, os.getpid())
    assert host != this_process("00" * 32).split(":")[0]
    assert abs(float(started) - psutil.Process().create_time()) <= 1


# --- Ctrl-C --------------------------------------------------------------------------------------

async def until(progress: Progress, task: asyncio.Task[Any]) -> None:
    """Wait until something has been written."""
    while not progress.written and not task.done():
        await asyncio.sleep(0.001)


@posix_only
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_stopped_run_writes_what_it_has_read(
    graph: TestGraph, folder: Path, number: signal.Signals
) -> None:
    write_many(folder / "more", 700, first=1000)
    expected = in_one_run(graph, folder)
    graph.wipe()
    progress = Progress()

    async def stopped() -> str:
        with stopping() as stop:
            task = asyncio.create_task(run_ingest(
                graph.store, [folder], settings_of(folder), options=Options(batch=5),
                progress=progress, jobs=1, stop=stop))
            await until(progress, task)
            os.kill(os.getpid(), number)
            return (await task).state

    before = signal.getsignal(number)
    assert graph.run(stopped()) == "INTERRUPTED"
    assert signal.getsignal(number) == before
    assert 0 < progress.seen < 1312
    assert progress.seen == progress.read == progress.states.total()
    assert progress.queued == 0
    assert graph.one(_OBJECTS) == progress.states[State.INDEXED] == progress.written
    assert graph.one("MATCH (r:IngestRun) RETURN r.state") == "INTERRUPTED"
    assert graph.one("MATCH (s:Series) WHERE s.dirty RETURN count(s)") > 0  # left to the next run
    read_in(graph, folder)
    assert_same(graph.content(), expected)


def test_a_derived_pass_that_is_stopped_is_done_by_the_next_run(
    graph: TestGraph, folder: Path
) -> None:
    expected = in_one_run(graph, folder)
    graph.wipe()
    progress, stop = Progress(), asyncio.Event()

    async def stopped() -> str:
        task = asyncio.create_task(run_ingest(
            graph.store, [folder], settings_of(folder), options=Options(), progress=progress,
            jobs=1, stop=stop))
        while progress.phase != "derive" and not task.done():
            await asyncio.sleep(0.001)
        stop.set()
        return (await task).state

    assert graph.run(stopped()) == "INTERRUPTED"
    assert graph.one(_OBJECTS) == 612
    assert graph.one("MATCH (s:Series) WHERE s.dirty RETURN count(s)") > 0
    assert read_in(graph, folder).progress.states == {State.UNCHANGED: 612}
    assert_same(graph.content(), expected)


@posix_only
def test_a_second_ctrl_c_ends_at_once(graph: TestGraph, folder: Path) -> None:
    progress = Progress()

    async def stopped() -> None:
        async def work() -> None:
            with stopping() as stop:
                await run_ingest(graph.store, [folder], settings_of(folder),
                                 options=Options(batch=5), progress=progress, jobs=1, stop=stop)

        task = asyncio.create_task(work())
        await until(progress, task)
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        await task

    with pytest.raises(asyncio.CancelledError):
        graph.run(stopped())
    assert graph.one("MATCH (r:IngestRun) RETURN r.state") == "INTERRUPTED"
    assert graph.one(_OBJECTS) < 612
    read_in(graph, folder)
    assert graph.one(_OBJECTS) == 612


# --- a lost server -------------------------------------------------------------------------------

class Cable:
    """The way to the server; it can be cut and mended."""

    def __init__(self, uri: str) -> None:
        place = urlsplit(uri)
        self._there = (place.hostname, place.port)
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for end in self._open:
            end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._there)
        self._open |= {writer, far_writer}
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        self._open -= {writer, far_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def cabled(graph: TestGraph) -> AsyncIterator[tuple[Cable, str]]:
    cable = Cable(graph.server.uri)
    await cable.mend()
    try:
        yield cable, f"bolt://127.0.0.1:{cable.port}"
    finally:
        cable.cut()


def test_a_server_that_comes_back_is_waited_for(graph: TestGraph, folder: Path) -> None:
    expected = in_one_run(graph, folder)
    graph.wipe()
    progress = Progress()

    async def work() -> str:
        async with cabled(graph) as (cable, uri):
            store = Store(uri, graph.server.user, graph.server.password, patience=60)
            task = asyncio.create_task(run_ingest(
                store, [folder], settings_of(folder), options=Options(batch=5),
                progress=progress, jobs=1))
            for _ in range(3):
                done = progress.written
                while progress.written == done and not task.done():
                    await asyncio.sleep(0.001)
                cable.cut()
                await asyncio.sleep(0.5)
                await cable.mend()
            try:
                return (await task).state
            finally:
                await store.close()

    assert graph.run(work()) == "DONE"
    assert progress.states == {State.INDEXED: 612}
    assert progress.total == 612
    assert progress.derived == progress.to_derive > 0
    assert_same(graph.content(), expected)


@posix_only
def test_a_server_that_stays_away_ends_the_run_with_3(graph: TestGraph, folder: Path) -> None:
    expected = in_one_run(graph, folder)
    graph.wipe()

    async def work() -> tuple[int, str]:
        async with cabled(graph) as (cable, uri):
            with ingesting(graph, folder, uri=uri, patience=1, batch=5) as running:
                while not (await graph.store.read(_OBJECTS + " AS n"))[0]["n"]:
                    assert running.poll() is None
                    await asyncio.sleep(0.01)
                cable.cut()
                said = await asyncio.to_thread(running.communicate, timeout=120)
                return running.returncode, said[1]

    code, said = graph.run(work())
    assert code == 3, said
    assert "Traceback" not in said
    assert 0 < graph.one(_OBJECTS) < 612
    ingested(graph, folder)
    assert_same(graph.content(), expected)
    states = graph.one("MATCH (r:IngestRun) WITH r ORDER BY r.started RETURN collect(r.state)")
    assert states == ["KILLED", "DONE"]


def test_a_commit_whose_end_is_not_known_is_repeated() -> None:
    assert is_retryable(IncompleteCommit())


# --- two at once ---------------------------------------------------------------------------------

@posix_only
def test_two_runs_at_once_are_like_one(graph: TestGraph, folder: Path) -> None:
    write_many(folder / "more", 200, first=1000)
    for n in range(5):
        write_object(folder / f"copies/{n}.dcm", f"copied {n}", frame="frame 1")
        write_object(folder / f"more/copies/{n}.dcm", f"copied {n}", frame="frame 2")
    expected = in_one_run(graph, folder)
    graph.wipe()
    parts = (("copies", "many", "patient-1"), ("patient-1", "many", "more"))
    first, second = ([folder / name for name in part] for part in parts)
    with (ingesting(graph, folder, *first, jobs=1, batch=20) as one,
          ingesting(graph, folder, *second, jobs=1, batch=30) as two):
        said = [running.communicate(timeout=300) for running in (one, two)]
        assert (one.returncode, two.returncode) == (0, 0), said
    assert_same(graph.content(), expected)


def test_two_runs_that_start_together_share_no_name_of_a_root(
    graph: TestGraph, tmp_path: Path
) -> None:
    folders = [tmp_path / name / "ct" for name in "abcdef"]
    for folder in folders:
        folder.mkdir(parents=True)

    async def work() -> None:
        await asyncio.gather(*(claim_roots(graph.store, [f], {}) for f in folders))

    graph.run(work())
    rows = graph.read("MATCH (r:Root) RETURN r.name AS name, r.path AS path")
    assert {r["path"] for r in rows} == {str(f.resolve()) for f in folders}
    assert len({r["name"] for r in rows}) == len(folders)


# --- which files are known -----------------------------------------------------------------------

def test_only_changed_files_are_named_with_what_they_held(graph: TestGraph, tmp_path: Path) -> None:
    write_object(tmp_path / "a.dcm", "a")
    write_object(tmp_path / "b.dcm", "a")  # a copy
    (tmp_path / "c.txt").write_text("no DICOM")
    (tmp_path / "d.txt").write_text("no DICOM either")
    read_in(graph, tmp_path)
    graph.write("MATCH (f:File {path: 'r:d.txt'}) SET f.reason = 'UNREADABLE'")
    files = []
    for name in "a.dcm", "b.dcm", "c.txt", "d.txt":
        status = (tmp_path / name).stat()
        files.append(Found("", f"r:{name}", status.st_size, status.st_mtime_ns))
    files.append(Found("", "r:e.dcm"))

    def ask(given: list[Found], fresh: frozenset[str] = frozenset(), full: bool = False
            ) -> tuple[list[str], dict[str, list[str]]]:
        found = graph.run(changed(graph.store, given, fresh, full=full))
        return [f.path for f in found.files], {k: list(v) for k, v in found.held.items() if v}

    held = {"r:a.dcm": [uid("a")]}
    paths = [f.path for f in files]
    assert ask(files) == (["r:d.txt", "r:e.dcm"], {})
    assert ask([replace(f, size=f.size + 1) for f in files]) == (paths, held)
    assert ask([replace(f, mtime=f.mtime + 1) for f in files]) == (paths, held)
    assert ask(files, full=True) == (paths, held)
    assert ask(files, fresh=frozenset({"r"})) == (paths, {})
    other = [Found("", "s:x"), *files]
    assert ask(other, fresh=frozenset({"s"})) == (["s:x", "r:d.txt", "r:e.dcm"], {})
    graph.write("MATCH (n:Instance|File) SET n.parser_version = $old", old=PARSER_VERSION - 1)
    assert ask(files) == (paths, held)


def other_object(path: Path) -> None:
    write_object(path, "other", series="other series", frame="other frame")


def no_object(path: Path) -> None:
    path.write_text("no DICOM any more")


@pytest.mark.parametrize("change", [other_object, no_object])
@pytest.mark.parametrize("full", [False, True])
def test_an_object_whose_file_holds_something_else_leaves(
    graph: TestGraph, tmp_path: Path, change: Callable[[Path], None], full: bool
) -> None:
    write_course(tmp_path)
    (ct, *_) = sorted(tmp_path.rglob("*.dcm"))
    read_in(graph, tmp_path)
    change(ct)
    read_in(graph, tmp_path, full=full)
    found = graph.content()
    assert_same(found, in_one_run(graph, tmp_path))

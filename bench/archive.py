"""Rates of fetching and receiving, beside the programs of DCMTK with the same Orthanc.

    python -m bench.archive FOLDER --objects 800

Writes CT slices of 512 × 512 into FOLDER/slices, fills an Orthanc with them and fetches all of them
again and again: by C-MOVE, by C-GET, and by C-STORE from `storescu`, at 1, 4 and 10 associations,
with files synced and not. rtgraph stores files only, as DCMTK does; then `rtgraph pacs retrieve`
is measured as a whole, with a graph. Every run must bring every object. Needs Debian's packages
orthanc, orthanc-dicomweb and dcmtk.
"""

import argparse
import asyncio
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from pydicom import Dataset
from pydicom.uid import UID

from bench import objects
from bench.encode import EXPLICIT, file_bytes
from bench.ingest import Row, rtgraph
from bench.objects import ROOT, Identity
from bench.results import LINES, keep, show
from bench.watch import cpu_seconds
from rtgraph import config
from rtgraph.config import Node, Settings
from rtgraph.pacs.answer import Answers
from rtgraph.pacs.request import Request
from rtgraph.pacs.scp import Scp
from rtgraph.pacs.storing import Folder, Stored
from rtgraph.pacs.worker import Ways, Worker
from rtgraph.store import local
from rtgraph.store.bolt import Store
from tests.data import peers
from tests.data.peers import Orthanc

IN_SERIES, ROWS = 40, 512
ASSOCIATIONS = (1, 4, 10)
STUDY = ROOT + "7.1"
PDU = "131072"
CT = "1.2.840.10008.5.1.4.1.1.2"


@dataclass(frozen=True)
class Slices:
    """The objects: files by series."""

    series: dict[str, list[Path]]

    @property
    def files(self) -> list[Path]:
        """All files."""
        return [f for found in self.series.values() for f in found]

    @property
    def megabytes(self) -> float:
        """What all files take."""
        return sum(f.stat().st_size for f in self.files) / 1e6

    def shares(self, n: int) -> list[list[str]]:
        """Return the series in `n` parts."""
        return [part for i in range(n) if (part := list(self.series)[i::n])]


def slices(folder: Path, n: int) -> Slices:
    """Write a study of CT series unless it is there."""
    made: dict[str, list[Path]] = {}
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        series = f"{STUDY}.{i // IN_SERIES}"
        file = folder / f"{i:05d}.dcm"
        made.setdefault(series, []).append(file)
        if file.exists():
            continue
        who = Identity(
            sop=f"{series}.{i}", series=series, study=STUDY, patient="BARCHIVE",
            name="Bench^Archive", frame=f"{series}.0", birth="19500101", date="20250102",
            study_time="080000", time="081500", series_number=str(i // IN_SERIES),
            number=str(i % IN_SERIES), description="Planning")
        file.write_bytes(file_bytes(objects.ct(who, str(2.5 * (i % IN_SERIES)), rows=ROWS),
                                    EXPLICIT))
    return Slices(made)


# --- rtgraph, files only -------------------------------------------------------------------------

def _taken(stored: Stored) -> None:
    """Nothing more is done with a file."""


async def _fetch(node: Node, settings: Settings, folder: Folder, shares: Sequence[list[str]],
                 scp: Scp | None) -> None:
    ways = Ways(node, settings, folder, Answers(_taken, print), scp, print)
    with ThreadPoolExecutor(len(shares)) as pool:

        async def work(series: list[str]) -> None:
            worker = Worker(ways, pool, asyncio.Event(), lambda: False)
            try:
                for uid in series:
                    await worker.fetch(Request(STUDY, uid, (), frozenset({CT})))
            finally:
                await worker.close()

        async with asyncio.TaskGroup() as group:
            for share in shares:
                group.create_task(work(share))


@dataclass
class Bench:
    """What is measured with; each way stores into an empty folder and returns what came."""

    folder: Path
    found: Slices
    archive: Orthanc
    rows: list[Row] = field(default_factory=list)

    def settings(self, sync: str) -> Settings:
        """Settings of a receiver at a free port."""
        return Settings(port=peers.free_port(), sync=sync, min_free=0)

    def ours(self, way: str, n: int, sync: str, into: Path) -> None:
        """Fetch by C-MOVE or C-GET."""
        settings, folder = self.settings(sync), Folder(into, sync=sync)
        folder.prepare()
        node = Node("orthanc", "ORTHANC", "127.0.0.1", self.archive.port, retrieve=way,
                    associations=n)
        scp = Scp(settings, folder, _taken, say=print) if way == "move" else None
        self.archive.knows("bench", settings.ae_title, settings.port)
        if scp is not None:
            scp.start()
        try:
            asyncio.run(_fetch(node, settings, folder, self.found.shares(n), scp))
        finally:
            if scp is not None:
                scp.stop(30.0)

    def our_receiver(self, n: int, sync: str, into: Path) -> None:
        """Receive what `storescu` sends."""
        settings = self.settings(sync)
        scp = Scp(settings, Folder(into, sync=sync), _taken, say=print)
        scp.start()
        try:
            self._send(settings.port, settings.ae_title, n)
        finally:
            scp.stop(30.0)

    def _send(self, port: int, called: str, n: int) -> None:
        _at_once([["storescu", "-aec", called, "-pdu", PDU, "127.0.0.1", str(port),
                   *(str(f) for uid in part for f in self.found.series[uid])]
                  for part in self.found.shares(n)])

    # --- DCMTK -----------------------------------------------------------------------------------

    @contextmanager
    def _storescp(self, into: Path) -> Iterator[int]:
        port, where = peers.free_port(), peers.program("storescp")
        assert where is not None
        with peers.running([where, "--fork", "+B", "-pdu", PDU, "-od", into, str(port)],
                           self.folder / "storescp.log",
                           env=os.environ | {"TCP_NODELAY": "1"}) as process:
            peers.wait_for(port, process)
            yield port

    def movescu(self, n: int, into: Path) -> None:
        """Fetch with `movescu` into `storescp --fork`."""
        with self._storescp(into) as port:
            self.archive.knows("bench", "STORESCP", port)
            _at_once([self._asking("movescu", "-aem", "STORESCP", part=part)
                      for part in self.found.shares(n)])

    def getscu(self, n: int, into: Path) -> None:
        """Fetch with `getscu`."""
        self.archive.knows("bench", "STORESCP", peers.free_port())
        _at_once([self._asking("getscu", "+B", "-pdu", PDU, "-od", str(into), part=part)
                  for part in self.found.shares(n)])

    def storescp(self, n: int, into: Path) -> None:
        """Receive with `storescp --fork`."""
        with self._storescp(into) as port:
            self._send(port, "STORESCP", n)

    def _asking(self, *command: str, part: Sequence[str]) -> list[str]:
        """A request for each series, on one association."""
        queries = []
        for uid in part:
            query = self.folder / f"{uid}.query"
            if not query.exists():
                _write_query(query, uid)
            queries.append(str(query))
        return [command[0], "-S", "-aet", "STORESCP", "-aec", "ORTHANC", *command[1:], "127.0.0.1",
                str(self.archive.port), *queries]

    # --- all of it -------------------------------------------------------------------------------

    def measure(self, label: str, program: str, n: int, sync: str,
                work: Callable[[Path], None], rounds: int) -> float:
        """Do it some times; keep and return the median rate."""
        seconds, ours, theirs = [], [], []
        for _ in range(rounds):
            into = self.folder / "into"
            shutil.rmtree(into, ignore_errors=True)
            into.mkdir()
            began, used, served = time.perf_counter(), _cpu(), cpu_seconds(self.archive.process.pid)
            work(into)
            seconds.append(time.perf_counter() - began)
            ours.append(_cpu() - used)
            theirs.append(cpu_seconds(self.archive.process.pid) - served)
            came = sum(f.is_file() and f.stat().st_size > ROWS * ROWS for f in into.rglob("*"))
            if came != len(self.found.files):
                raise SystemExit(f"{label}, {program}: {came} of {len(self.found.files)} came")
        rate = len(self.found.files) / median(seconds)
        per = 1e6 / len(self.found.files)
        row: Row = {
            "way": label, "program": program, "associations": n, "sync": sync,
            "objects/s": round(rate), "MB/s": round(self.found.megabytes / median(seconds)),
            "client CPU us": round(median(ours) * per),
            "Orthanc CPU us": round(median(theirs) * per)}
        self.rows.append(row)
        show(label, [row])
        return rate

    def beside(self, rate: float, theirs: float) -> None:
        """Note the rate of the last row as a part of DCMTK's."""
        self.rows[-1] = {**self.rows[-1], "of DCMTK": round(rate / theirs, 2)}


def _cpu() -> float:
    """User and system seconds of this process and of children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def _write_query(file: Path, series: str) -> None:
    ds = Dataset()
    ds.QueryRetrieveLevel, ds.StudyInstanceUID, ds.SeriesInstanceUID = "SERIES", STUDY, series
    ds.ensure_file_meta()
    ds.file_meta.MediaStorageSOPClassUID = UID(CT)
    ds.file_meta.MediaStorageSOPInstanceUID = UID(series)
    ds.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    ds.save_as(file, enforce_file_format=True)


def _at_once(commands: Sequence[Sequence[str]]) -> None:
    """Run programs of DCMTK beside each other; exit codes say little, so what came is counted."""
    environment = os.environ | {"TCP_NODELAY": "1"}
    with ExitStack() as stack:
        for command in commands:
            stack.enter_context(subprocess.Popen(
                [str(peers.program(command[0])), *command[1:]], env=environment,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))


def files_only(bench: Bench, rounds: int) -> list[Row]:
    """Measure all ways without a graph."""
    ways: list[tuple[str, str, Callable[[int, Path], None], Callable[[int, str, Path], None]]] = [
        ("C-MOVE", "movescu", bench.movescu, partial(bench.ours, "move")),
        ("C-GET", "getscu", bench.getscu, partial(bench.ours, "get")),
        ("C-STORE in", "storescp", bench.storescp, bench.our_receiver)]
    for label, program, theirs, ours in ways:
        for n in ASSOCIATIONS:
            at = bench.measure(label, program, n, "none", partial(theirs, n), rounds)
            for sync in ("none", "association", "file"):
                rate = bench.measure(label, "rtgraph", n, sync, partial(ours, n, sync), rounds)
                if sync == "none":
                    bench.beside(rate, at)
    return bench.rows


def with_graph(bench: Bench) -> list[Row]:
    """Measure `rtgraph pacs retrieve` as a whole, into an empty graph each time."""
    home, rows = bench.folder / "home", list[Row]()
    shutil.rmtree(home, ignore_errors=True)
    environment = os.environ | {"RTGRAPH_HOME": str(home)}
    server = local.start(config.load(environment=environment), print)
    try:
        _retrieved(bench, environment, server, "get", 4)  # a server that has just started is slow
        for way in ("move", "get", "DICOMweb"):
            for n in ASSOCIATIONS:
                rows.append(_retrieved(bench, environment, server, way, n))
                show("with a graph", rows[-1:])
    finally:
        local.stop(home)
        shutil.rmtree(home, ignore_errors=True)
    return rows


async def _empty(server: local.LocalServer) -> None:
    async with Store(server.uri, server.user, server.password()) as store:
        await store.write("MATCH (n) DETACH DELETE n")


def _retrieved(bench: Bench, environment: dict[str, str], server: local.LocalServer, way: str,
               n: int) -> Row:
    work, port = bench.folder / "work", peers.free_port()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    bench.archive.knows("bench", "RTGRAPH", port)
    (work / "rtgraph.toml").write_text(
        f'[pacs]\nport = {port}\nsync = "none"\nmin_free = "1M"\n'
        f'[nodes.move]\nae_title = "ORTHANC"\nhost = "127.0.0.1"\nport = {bench.archive.port}\n'
        f'[nodes.DICOMweb]\nurl = "{bench.archive.url}/dicom-web"\n', encoding="utf-8")
    asyncio.run(_empty(server))
    node = way if way == "DICOMweb" else "move"
    transport = [] if way == "DICOMweb" else ["--transport", way]
    used, served = _cpu(), cpu_seconds(server.pid)
    began = time.perf_counter()
    ran = subprocess.run(
        rtgraph("pacs", "retrieve", "--node", node, *transport, "--study", STUDY,
                "--max-associations", str(n)),
        cwd=work, env=environment, capture_output=True, text=True, encoding="utf-8")
    seconds = time.perf_counter() - began
    if ran.returncode != 0:
        raise SystemExit(ran.stderr)
    files = len(bench.found.files)
    return {"way": way, "associations": n, "seconds": round(seconds, 1),
            "objects/s": round(files / seconds, 1),
            "client CPU us": round((_cpu() - used) / files * 1e6),
            "Neo4j CPU us": round((cpu_seconds(server.pid) - served) / files * 1e6)}


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.archive")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--objects", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", type=Path, default=LINES)
    given = parser.parse_args()
    if names := peers.missing():
        sys.exit(f"not installed: {', '.join(names)}")
    folder = given.folder.resolve()
    found = slices(folder / "slices", given.objects)
    storage = folder / "archive"
    shutil.rmtree(storage, ignore_errors=True)
    storage.mkdir()
    settings: dict[str, Any] = {"DicomThreadsCount": 2 * max(ASSOCIATIONS)}
    with peers.orthanc(storage, **settings) as archive:
        archive.add(*found.files)
        bench = Bench(folder, found, archive)
        of = f"{given.objects:,} CT slices of {found.megabytes / given.objects:.2f} MB"
        title = f"Fetching and receiving {of}, files only"
        rows = files_only(bench, given.rounds)
        show(title, rows)
        keep("archive files", title, rows, [
            f"median of {given.rounds} rounds; Orthanc 1.10.1 and DCMTK 3.6.7 on the same machine; "
            "the CPU of the client is that of all programs that fetch, send or store",
            f"load average of the machine {os.getloadavg()[0]:.0f}"], given.lines)
        title = f"`rtgraph pacs retrieve` of {of}, with the graph"
        rows = with_graph(bench)
        show(title, rows)
        keep("archive graph", title, rows, [
            "the whole command, from its start to its end: questions, transfer, reading, writing, "
            "derived facts; files not synced",
            f"load average of the machine {os.getloadavg()[0]:.0f}"], given.lines)
    for left in ("into", "work", "archive"):
        shutil.rmtree(folder / left, ignore_errors=True)


if __name__ == "__main__":
    main()

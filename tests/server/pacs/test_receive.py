"""`rtgraph pacs receive`: what is sent to it is in the graph, whatever ends it."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from tests.data import peers
from tests.data.small import new, write_object
from tests.server.conftest import TestGraph
from tests.server.pacs.conftest import until

# What depends on the file that an object is in, and not on the object.
OF_FILES = ("file_path", "file_size", "file_mtime", "header_digest")
CANARY = "CANARY^JANE"


class Service:
    """The command in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], port: int, folder: Path) -> None:
        self.process, self.port, self.folder = process, port, folder

    def files(self) -> list[Path]:
        return sorted(p for p in self.folder.rglob("*.dcm") if p.is_file())

    def end(self, how: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Stop it; return exit code, stdout and stderr."""
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=300)
        return self.process.returncode, out, err


@contextmanager
def service(graph: TestGraph, folder: Path, *options: str, setup: Any = None
            ) -> Iterator[Service]:
    port = peers.free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "rtgraph", "pacs", "receive", "--port", str(port),
         "--folder", str(folder / "received"), "--rejects", str(folder / "rejects.jsonl"),
         "--jobs", "1", *options],
        env=os.environ | graph.server.environment, cwd=folder, preexec_fn=setup,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    try:
        peers.wait_for(port)
        yield Service(process, port, folder / "received")
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def count(graph: TestGraph) -> int:
    return int(graph.one("MATCH (i:Instance) WHERE NOT i:Missing RETURN count(i) AS n"))


def send_at_once(port: int, files: Sequence[Path], associations: int) -> list[int]:
    parts = [files[n::associations] for n in range(associations)]
    with ThreadPoolExecutor(associations) as pool:
        return list(pool.map(lambda part: peers.store(port, part).returncode, parts))


def test_the_graph_is_that_of_the_folder(
    graph: TestGraph, cohort: list[Path], tmp_path: Path
) -> None:
    with service(graph, tmp_path) as running:
        assert send_at_once(running.port, cohort, 4) == [0] * 4
        code, out, err = running.end()
        assert code == 0, err
        assert f"received {len(cohort):,}: stored {len(cohort):,}" in out
        assert len(running.files()) == len(cohort)
    received = graph.content(OF_FILES)
    graph.wipe()
    graph.ingest(cohort[0].parents[2])
    assert graph.content(OF_FILES) == received


def test_what_arrives_is_in_the_graph_while_it_listens(
    graph: TestGraph, cohort: list[Path], tmp_path: Path
) -> None:
    with service(graph, tmp_path) as running:
        assert peers.store(running.port, cohort[:5]).returncode == 0
        until(lambda: count(graph) == 5, 180)
        assert peers.store(running.port, cohort[5:8]).returncode == 0
        until(lambda: count(graph) == 8, 180)
        assert running.process.poll() is None
        assert running.end(signal.SIGINT)[0] == 0


def test_killed_and_started_again_it_misses_nothing(
    graph: TestGraph, cohort: list[Path], tmp_path: Path
) -> None:
    with service(graph, tmp_path) as running:
        assert peers.store(running.port, cohort[:40]).returncode == 0
        running.process.kill()
        running.process.wait()
    left = tmp_path / "received" / ".incoming" / "half.dcm"
    left.write_bytes(cohort[50].read_bytes()[:5000])
    assert count(graph) < 40
    with service(graph, tmp_path) as running:
        until(lambda: count(graph) == 40, 180)
        assert running.end()[0] == 0
    assert not (tmp_path / "rejects.jsonl").exists()


def test_no_value_of_a_patient_is_said(graph: TestGraph, tmp_path: Path) -> None:
    ds = new("one", patient="CANARY-ID", PatientComments="CANARY")
    ds.PatientName = CANARY
    file = tmp_path / "one.dcm"
    ds.save_as(file, enforce_file_format=True)
    other = write_object(tmp_path / "two.dcm", "one", PatientName=CANARY)
    private = write_object(tmp_path / "three.dcm", "three", sop_class="1.2.3.4",
                           PatientName=CANARY)
    with service(graph, tmp_path, "--log-format", "json") as running:
        peers.store(running.port, [file, other], calling="CANARY")
        peers.store(running.port, [private])
        until(lambda: len(running.files()) == 2)
        code, out, err = running.end()
    assert code == 0
    assert "CANARY" not in out + err + "".join(p.as_posix() for p in running.files())
    for line in err.splitlines():
        if line.startswith("{"):
            assert json.loads(line)["schema_version"] == 1


def test_other_content_with_one_uid_is_kept_apart_and_reported(
    graph: TestGraph, tmp_path: Path
) -> None:
    files = [write_object(tmp_path / f"{text}.dcm", "one", PatientComments=text)
             for text in ("first", "second", "first")]
    with service(graph, tmp_path) as running:
        for file in files:
            assert peers.store(running.port, [file]).returncode == 0
        code, out, _ = running.end()
    assert code == 0
    assert "conflict 1" in out
    assert graph.read("MATCH (:Instance)-[:STORED_AS]->(f:File) RETURN f.differs AS differs") == [
        {"differs": True}]


def small_files() -> None:
    """No file may be larger than 20 kB, as on a disk that is full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_what_cannot_be_written_is_not_claimed(graph: TestGraph, tmp_path: Path) -> None:
    small = write_object(tmp_path / "small.dcm", "small")
    large = write_object(tmp_path / "large.dcm", "large", PixelData=b"\0" * 200_000,
                         BitsAllocated=8)
    with service(graph, tmp_path, setup=small_files) as running:
        assert peers.store(running.port, [large]).returncode != 0
        assert peers.store(running.port, [small]).returncode == 0
        code, out, _ = running.end()
    assert code == 0
    assert "failed 1: File too large 1" in out
    assert [dcmread(p).SOPInstanceUID for p in running.files()] == [
        dcmread(small).SOPInstanceUID]
    assert count(graph) == 1


KEPT = "MATCH (i:Instance) RETURN i.kept AS kept, i.Rows AS rows, count(*) AS n"


def test_without_bulk_and_without_files(
    graph: TestGraph, cohort: list[Path], tmp_path: Path
) -> None:
    image = next(f for f in cohort if dcmread(f, stop_before_pixels=True).Modality == "CT")
    marks = {}
    for keep in ("none", "header", "full"):
        with service(graph, tmp_path, "--keep", keep) as running:
            assert peers.store(running.port, [image]).returncode == 0
            assert running.end()[0] == 0
        (row,) = graph.read("MATCH (i:Instance) WHERE NOT i:Missing RETURN i.kept AS kept")
        marks[keep] = row["kept"]
        pixels = ["PixelData" in dcmread(p) for p in running.files()]
        if keep == "none":
            assert pixels == []
            assert not list((tmp_path / "received" / ".graph-only").rglob("*.dcm"))
            graph.ingest(tmp_path / "received", prune=True)  # there is no file that could be gone
            assert count(graph) == 1
        else:
            assert pixels == [keep == "full"]
    assert marks == {"none": "NONE", "header": "HEADER", "full": None}
    assert graph.read("MATCH (f:File) RETURN f.path AS path") == []


@pytest.mark.parametrize("taken", [True, False], ids=["port", "folder"])
def test_what_cannot_be_used_is_said_at_once(
    graph: TestGraph, tmp_path: Path, taken: bool
) -> None:
    import socket

    (tmp_path / "file").touch()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1] if taken else peers.free_port()
        ran = subprocess.run(
            [sys.executable, "-m", "rtgraph", "pacs", "receive", "--port", str(port), "--folder",
             str(tmp_path / ("received" if taken else "file"))],
            env=os.environ | graph.server.environment, cwd=tmp_path, capture_output=True,
            encoding="utf-8", timeout=120)
    assert ran.returncode == 3
    assert ("cannot be listened at" if taken else "cannot be used") in ran.stderr

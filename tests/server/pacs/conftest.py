"""Peers: one Orthanc for a module, and a receiver in this process."""

import gc
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from rtgraph.config import Settings
from rtgraph.demo.cohort import write_cohort
from rtgraph.pacs.scp import Scp
from rtgraph.pacs.storing import Folder, Stored
from tests.command import Ended
from tests.conftest import DATA
from tests.data import peers
from tests.data.peers import Orthanc
from tests.server.conftest import Run, TestGraph


@pytest.fixture(scope="session", autouse=True)
def _installed() -> None:
    if names := peers.missing():
        pytest.skip(f"not installed: {', '.join(names)}")
    gc.freeze()  # what is there already holds no socket, and need not be looked at after each test


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """pynetdicom leaves a socket that did not connect to the garbage collector."""
    for item in items:
        if "/pacs/" in item.nodeid:
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <:ResourceWarning"))


@pytest.fixture(autouse=True)
def _no_socket_is_left() -> Iterator[None]:
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """An empty Orthanc; tests of a module share what they put into it."""
    with peers.orthanc(tmp_path_factory.mktemp("orthanc")) as found:
        yield found


def real_files() -> list[Path]:
    """The files of all real sets, one for each UID: an archive holds an object once.

    Without the sets whose objects clash, or are damaged on purpose.
    """
    sets = [f for f in DATA.iterdir() if f.name not in ("clashing-uids", "odd-files")]
    files = sorted((f for folder in sets for f in folder.rglob("*.dcm")), reverse=True)
    return sorted({str(dcmread(f, stop_before_pixels=True, force=True).SOPInstanceUID): f
                   for f in files}.values())


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files of a clean and an adaptive course."""
    folder = tmp_path_factory.mktemp("cohort")
    write_cohort(folder, 2)
    return sorted(folder.rglob("*.dcm"))


def until(true: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@dataclass
class Receiver:
    """A storage SCP that runs in this process, and what has come."""

    scp: Scp
    folder: Folder
    port: int
    stored: list[Stored] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def files(self) -> list[Path]:
        return sorted(p for p in self.folder.base.rglob("*") if p.is_file())


class Project:
    """The working directory, with settings of archives, in which commands are run."""

    def __init__(self, graph: TestGraph, archive: Orthanc, run: Run) -> None:
        self.folder, self.graph, self.archive, self._run = Path.cwd(), graph, archive, run
        self.port = peers.free_port()
        archive.knows("rtgraph", "RTGRAPH", self.port)
        self.received = self.folder / "received"
        self.settings("")

    def settings(self, more: str, associations: int = 2) -> None:
        (self.folder / "rtgraph.toml").write_text(
            f'[pacs]\nport = {self.port}\nretry = 2\nsilence = 20\nmin_free = "1M"\n'
            f'[nodes.clinic]\nae_title = "ORTHANC"\nhost = "127.0.0.1"\n'
            f'port = {self.archive.port}\nassociations = {associations}\n'
            f'[nodes.web]\nurl = "{self.archive.url}/dicom-web"\n{more}', encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        return {"RTGRAPH_JOBS": "1", "XDG_CONFIG_HOME": str(self.folder)}

    def rtgraph(self, *words: str) -> Ended:
        """Run any command."""
        return self._run(*words, **self.environment)

    def run(self, *words: str) -> Ended:
        """Run `pacs retrieve`."""
        return self.rtgraph("pacs", "retrieve", *words)

    def begun(self, *words: str) -> subprocess.Popen[str]:
        """Run `pacs retrieve` as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "rtgraph", "pacs", "retrieve", *words],
            cwd=self.folder, env=os.environ | self.graph.server.environment | self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")

    def over(self, way: str, *words: str) -> Ended:
        if way == "DICOMweb":
            return self.run("--node", "web", *words)
        return self.run("--node", "clinic", "--transport", way, *words)

    def files(self) -> list[Path]:
        return sorted(p for p in self.received.rglob("*.dcm") if p.is_file())


Receive = Callable[..., Receiver]


@pytest.fixture
def receive(tmp_path: Path) -> Iterator[Receive]:
    """Start receivers with settings of one's own; they are stopped after the test."""
    with ExitStack() as stack:

        def start(folder: Folder | None = None, **settings: Any) -> Receiver:
            stored: list[Stored] = []
            said: list[str] = []
            base = folder or Folder(tmp_path / "received")
            scp = Scp(Settings(**({"port": 0} | settings)), base, stored.append, say=said.append)
            _, port = scp.start()
            stack.callback(scp.stop)
            return Receiver(scp, base, port, stored, said)

        yield start

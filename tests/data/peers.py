"""Real peers for tests: Orthanc and the programs of DCMTK, on 127.0.0.1 and free ports.

Each has its own folder, and is ended by its process id when the test is over.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

SEARCHED = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin"))
DICOMWEB = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
TIMEOUT = 60


def program(name: str) -> str | None:
    """Where a program is; None when it is not installed."""
    return shutil.which(name, path=SEARCHED)


def missing() -> list[str]:
    """Names of what is not installed."""
    names = ["Orthanc", "storescu", "storescp", "echoscu", "dcmqrscp", "movescu", "getscu",
             "dcmodify"]
    return [n for n in names if program(n) is None] + (
        [] if DICOMWEB.exists() else ["orthanc-dicomweb"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def dcmtk(name: str, *arguments: str | Path, check: bool = False
          ) -> subprocess.CompletedProcess[str]:
    """Run a program of DCMTK to its end."""
    where = program(name)
    assert where is not None
    # without delay: small packets would wait 40 ms each for an acknowledgement
    return subprocess.run([where, *map(str, arguments)], capture_output=True, encoding="utf-8",
                          timeout=TIMEOUT, check=check, env=os.environ | {"TCP_NODELAY": "1"})


def store(port: int, files: Iterable[Path], *options: str, called: str = "RTGRAPH",
          calling: str = "TESTER") -> subprocess.CompletedProcess[str]:
    """Send files by C-STORE; every failure shows in the exit code."""
    return dcmtk("storescu", "-v", "-aec", called, "-aet", calling, *options, "127.0.0.1",
                 str(port), *files)


@contextmanager
def running(command: Sequence[str | Path], log: Path, **options: Any
            ) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server; it is ended, and killed when it does not want to."""
    with open(log, "ab") as out:
        process = subprocess.Popen([str(c) for c in command], stdout=out,
                                   stderr=subprocess.STDOUT, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def wait_for(port: int, process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait until something listens at a port."""
    until = time.monotonic() + TIMEOUT
    while time.monotonic() < until:
        assert process is None or process.poll() is None, "the server ended at once"
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens at port {port}")


@dataclass
class Orthanc:
    """An Orthanc that runs; `rest` asks it over HTTP."""

    port: int
    http_port: int
    process: subprocess.Popen[bytes] = field(repr=False)
    aet: str = "ORTHANC"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def rest(self, path: str, body: bytes | None = None, method: str = "GET") -> Any:
        request = Request(f"{self.url}{path}", data=body, method=method)
        with urlopen(request, timeout=TIMEOUT) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def add(self, *files: Path) -> None:
        """Put files into the archive over HTTP."""
        for file in files:
            self.rest("/instances", file.read_bytes(), "POST")

    def empty(self) -> None:
        """Take everything out."""
        for patient in self.rest("/patients"):
            self.rest(f"/patients/{patient}", method="DELETE")

    def knows(self, name: str, aet: str, port: int) -> None:
        """Tell the archive where an application entity is: who asks, and where it moves to."""
        modality = {"AET": aet, "Host": "127.0.0.1", "Port": port, "AllowEcho": True,
                    "AllowFind": True, "AllowMove": True, "AllowGet": True, "AllowStore": True}
        self.rest(f"/modalities/{name}", json.dumps(modality).encode(), "PUT")


@contextmanager
def orthanc(folder: Path, modalities: Mapping[str, Sequence[Any]] | None = None,
            **settings: object) -> Iterator[Orthanc]:
    """Run an Orthanc with its storage in a folder."""
    port, http_port = free_port(), free_port()
    configuration = {
        "Name": "test", "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"), "Plugins": [str(DICOMWEB)],
        "HttpPort": http_port, "DicomPort": port, "DicomAet": "ORTHANC",
        "DicomCheckCalledAet": True, "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
        "DicomModalities": dict(modalities or {}), "OverwriteInstances": True,
        "UnknownSopClassAccepted": True, "SyncStorageArea": False, "SaveJobs": False,
        "StableAge": 3600, "DicomScuTimeout": 10, "DicomAssociationCloseDelay": 0,
        "MaximumPduLength": 131072,
        **settings,
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration), encoding="utf-8")
    where = program("Orthanc")
    assert where is not None
    with running([where, folder / "orthanc.json"], folder / "orthanc.log",
                 cwd=folder) as process:
        wait_for(port, process)
        found = Orthanc(port, http_port, process)
        _wait_for_http(found)
        yield found


def _wait_for_http(found: Orthanc) -> None:
    until = time.monotonic() + TIMEOUT
    while True:
        try:
            found.rest("/system")
            return
        except (URLError, OSError):
            assert time.monotonic() < until
            time.sleep(0.05)


def certificates(folder: Path) -> dict[str, Path]:
    """Make an authority and certificates for `localhost` of a server and of a client."""
    made = {name: folder / name for name in (
        "ca.key", "ca.crt", "server.key", "server.crt", "client.key", "client.crt",
        "other.key", "other.crt")}
    for authority in ("ca", "other"):
        _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                 f"/CN={authority}", "-keyout", made[f"{authority}.key"], "-out",
                 made[f"{authority}.crt"])
    names = folder / "names"
    names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n", encoding="utf-8")
    for name in ("server", "client"):
        request = folder / f"{name}.csr"
        _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout",
                 made[f"{name}.key"], "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", made["ca.crt"], "-CAkey", made["ca.key"],
                 "-CAcreateserial", "-days", "2", "-extfile", names, "-out", made[f"{name}.crt"])
    return made


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)

"""The managed server without a server: fetch, Java, ports, state and what goes wrong."""

import errno
import hashlib
import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from filelock import FileLock

from rtgraph.config import Settings
from rtgraph.errors import LocalServerError
from rtgraph.store import jars, launch, local
from rtgraph.store.jars import Jar

CONTENT = {"neo4j": b"database " * 100, "jna": b"native " * 100, "netty": b"net " * 100}


def jar(name: str, group: str = "org.neo4j", classifier: str = "") -> Jar:
    content = CONTENT[name]
    sha256 = hashlib.sha256(content).hexdigest()
    return Jar(group, name, "5.26.30", classifier, sha256, len(content))


JARS = [jar("jna"), jar("neo4j"), jar("netty", "io.netty", "linux-x86_64")]
NAMES = ["jna-5.26.30.jar", "neo4j-5.26.30.jar", "netty-5.26.30-linux-x86_64.jar"]


class Mirror(ThreadingHTTPServer):
    """A Maven repository of three jars; `wrong` holds answers that come before the right one."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[str] = []
        self.wrong: dict[str, list[bytes | int]] = {}

    def answer(self, name: str) -> bytes | int:
        self.asked.append(name)
        if self.wrong.get(name):
            return self.wrong[name].pop(0)
        return CONTENT.get(name.split("-")[0], 404) if name.endswith(".jar") else 404


class _Answer(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        answer = self.server.answer(self.path.rsplit("/", 1)[1])
        body = answer if isinstance(answer, bytes) else b""
        self.send_response(200 if body else int(answer))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test output clean."""


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A repository on this machine in place of the one that jgo asks."""
    from jgo.maven import _core

    with Mirror() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setitem(_core.DEFAULT_REMOTE_REPOS, "central", address)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield server
        server.shutdown()


def ensure(folder: Path, offline: bool = False) -> list[str]:
    """Return what was reported."""
    said: list[str] = []
    files = jars.ensure(JARS, folder, offline=offline, report=said.append)
    assert [file.name for file in files] == NAMES
    assert all(file.read_bytes() in CONTENT.values() for file in files)
    return said


def fill(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for one, name in zip(JARS, NAMES, strict=True):
        (folder / name).write_bytes(CONTENT[one.artifact])
    return folder


# The jars


def test_the_lock_file_holds_sums_and_no_host() -> None:
    locked = jars.locked()
    text = Path(jars.__file__).with_name("jars.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert len({one.file_name for one in locked}) == len(locked) > 200
    assert all(len(one.sha256) == 64 and one.size > 0 for one in locked)
    assert jars.neo4j_version().startswith("5.26.")
    assert {one.classifier for one in locked} == {
        "", "linux-x86_64", "linux-aarch_64", "osx-x86_64", "osx-aarch_64",
    }  # fmt: skip
    assert "neo4j-browser" in {one.artifact for one in locked}


def test_fetch_once(mirror: Mirror, tmp_path: Path) -> None:
    said = ensure(tmp_path / "jars")
    assert said[0] == (
        "Neo4j Community 5.26.30 (GPLv3, a separate program) is not here yet:"
        " fetching 3 files, 0 MB"
    ) or "GPLv3" in said[0]
    assert said[-1] == "fetch done, sha256 of every file as locked"
    assert not (tmp_path / "jars" / "staging").exists()
    mirror.asked.clear()
    assert ensure(tmp_path / "jars") == []
    assert mirror.asked == []

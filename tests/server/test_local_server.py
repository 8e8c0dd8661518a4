"""The managed server for real: found again, one for a home, durable, on the loopback only."""

import os
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from socket import create_server

import psutil
import pytest
from neo4j import GraphDatabase

from rtgraph.config import Settings
from rtgraph.errors import LocalServerError
from rtgraph.store import jars, local
from rtgraph.store.local import LocalServer

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif("RTGRAPH_TEST_URI" in os.environ, reason="the tests use another server"),
]

START = """\
import pathlib, sys
from rtgraph.config import Settings
from rtgraph.store import local
settings = Settings(home=pathlib.Path(sys.argv[1]), heap="512m")
print(local.start(settings, lambda line: None).pid)
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    try:
        jars.ensure(jars.locked(), jars.default_folder(), offline=False, report=print)
    except LocalServerError as error:
        pytest.skip(f"no Neo4j: {error} {error.hint}")
    home = tmp_path_factory.mktemp("managed") / "home"
    yield Settings(home=home, heap="512m")
    local.stop(home)


@pytest.fixture(scope="module")
def first(settings: Settings) -> list[int]:
    """The pids that two commands at the same time print in a new home."""
    commands = [
        subprocess.Popen(
            [sys.executable, "-c", START, str(settings.home)], stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        for _ in range(2)
    ]
    said = [command.communicate(timeout=180)[0] for command in commands]
    return [int(pid) for pid in said]


@pytest.fixture
def server(settings: Settings, first: list[int]) -> LocalServer:
    return local.start(settings, print)


def query(server: LocalServer, text: str) -> list[object]:
    with GraphDatabase.driver(server.uri, auth=(server.user, server.password())) as driver:
        return [record[0] for record in driver.execute_query(text).records]


def test_two_commands_at_once_start_one_server(
    settings: Settings, first: list[int], server: LocalServer
) -> None:
    assert first == [server.pid] * 2
    assert local.find(settings.home) == server
    assert query(server, "CALL dbms.components() YIELD edition RETURN edition") == ["community"]


def test_server_is_private(server: LocalServer) -> None:
    listening = {
        (connection.laddr.ip.removeprefix("::ffff:"), connection.laddr.port)
        for connection in psutil.Process(server.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    ports = (int(address.rsplit(":", 1)[1]) for address in (server.uri, server.http_url))
    assert listening == {("127.0.0.1", port) for port in ports}
    assert stat.S_IMODE(server.password_file.stat().st_mode) == 0o600
    open_to_others = [f for f in server.data_dir.glob("databases/**/*") if f.stat().st_mode & 0o077]
    assert open_to_others == []
    command = " ".join(psutil.Process(server.pid).cmdline())
    assert server.password() not in command


def test_one_plan_serves_lists_of_all_sizes(server: LocalServer) -> None:
    """The server says how long it planned; a plan that it kept takes a hundredth of a new one."""
    with GraphDatabase.driver(server.uri, auth=(server.user, server.password())) as driver:
        for n in (1, 10, 100, 1000, 10_000):
            driver.execute_query("UNWIND $rows AS r RETURN count(r) AS counted", rows=[0] * n)
        (runs,) = (r["data"]["invocations"] for r in driver.execute_query(
            "CALL db.stats.retrieve('QUERIES') YIELD data RETURN data").records
            if "counted" in r["data"]["query"])
    first, *later = (r["elapsedCompileTimeInUs"] for r in runs)
    assert len(later) == 4
    assert min(later) < first / 5


def test_browser_is_served(server: LocalServer) -> None:
    with urllib.request.urlopen(server.browser_url, timeout=10) as answer:
        assert answer.status == 200
        assert b"<html" in answer.read()


def test_down_then_up_keeps_data_ports_and_password(
    settings: Settings, server: LocalServer
) -> None:
    password = server.password()
    query(server, "MERGE (:Kept {value: 1})")
    began = time.monotonic()
    assert local.stop(settings.home)
    assert time.monotonic() - began < 2
    assert local.find(settings.home) is None
    assert not local.stop(settings.home)

    port = int(server.uri.rsplit(":", 1)[1])
    with create_server(("127.0.0.1", port)), pytest.raises(LocalServerError) as caught:
        local.start(settings, print)
    assert f"Port {port}, local.bolt_port" in str(caught.value)
    assert "RTGRAPH_BOLT_PORT" in caught.value.hint

    said: list[str] = []
    again = local.start(settings, said.append)
    assert replace(again, pid=server.pid) == server
    assert again.password() == password
    assert query(again, "MATCH (n:Kept) RETURN n.value") == [1]
    assert said[-1].startswith(f"start Neo4j {jars.neo4j_version()} on Java ")
    assert f" · {again.uri} · ready in " in said[-1]


def test_start_after_a_kill(settings: Settings, server: LocalServer) -> None:
    query(server, "MERGE (:Kept {value: 2})")
    os.kill(server.pid, signal.SIGKILL)
    assert local._ends(server)
    assert local.find(settings.home) is None
    again = local.start(settings, print)
    assert again.uri == server.uri
    assert query(again, "MATCH (n:Kept {value: 2}) RETURN count(n)") == [1]


@pytest.mark.usefixtures("first")
def test_crash_while_starting_shows_the_reason(settings: Settings) -> None:
    local.stop(settings.home)
    with pytest.raises(LocalServerError) as caught:
        local.start(replace(settings, pagecache="much"), print)
    text = str(caught.value)
    assert text.startswith("Neo4j ended before it was ready; it said last:\n")
    assert "'much' is not a valid size" in text
    assert "\tat " not in text
    assert "server.log" in caught.value.hint


@pytest.mark.usefixtures("first")
def test_damaged_graph_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_OPEN", 1.0)
    local.stop(settings.home)
    store = settings.home / "data" / "databases" / "neo4j" / "neostore"
    sound = store.read_bytes()
    store.write_bytes(b"damaged " * 500)
    with pytest.raises(LocalServerError, match="its graph does not answer"):
        local.start(settings, print)
    assert local.stop(settings.home)
    store.write_bytes(sound)

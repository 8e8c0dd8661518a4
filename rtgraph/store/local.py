"""The managed server: a Neo4j Community on the loopback address, one for each home.

A home is a folder: `data` (the graph), `conf`, `logs`, `password`, and `server.json` with the ports
and the pid. Who needs the server starts it and leaves it running; later commands find it again by
`server.json`. The ports stay those of the home, because Neo4j Browser keeps its style, favourites
and last login for each host and port.
"""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import sample
from socket import socket

from rtgraph.config import Settings
from rtgraph.errors import LocalServerError, ServerRefused
from rtgraph.store import jars, launch

Report = jars.Report

_START = 120.0  # s to wait; a start takes 10 s, the first after a crash of a large graph longer
_OPEN = 60.0  # s to wait for a query when Neo4j says it is started; 1 s, longer on a busy machine
_EXEC = 2.0  # s to wait for the command line of a process that has none
_STOP = 20.0  # s to wait; a stop takes 0.5 s
_ROOM = 100  # MB; an empty graph takes 3, its transaction logs grow to 16 each
# Below the ports that systems give to outgoing connections.
_FREE_PORTS = {"bolt_port": range(20_000, 26_000), "http_port": range(26_000, 32_000)}


@dataclass(frozen=True)
class LocalServer:
    """A managed server whose process runs."""

    home: Path
    uri: str
    http_url: str
    user: str
    password_file: Path
    log_file: Path
    data_dir: Path
    pid: int

    @property
    def browser_url(self) -> str:
        """The address of Neo4j Browser."""
        return f"{self.http_url}/browser/"

    def password(self) -> str:
        """Return the password from its file, which only the user can read."""
        try:
            return self.password_file.read_text(encoding="utf-8")
        except OSError as error:
            raise launch.password_lost(self.password_file, "cannot be read") from error


@dataclass(frozen=True)
class _State:
    """What `server.json` holds; the ports outlive the process."""

    bolt_port: int
    http_port: int
    pid: int


def find(home: Path) -> LocalServer | None:
    """Return the server of `home` if it answers a query; never start one."""
    server = _running(home.resolve())
    return server if server and _answers(server) else None


def start(settings: Settings, report: Report) -> LocalServer:
    """Return the server of `settings.home` when it answers; fetch and start what is missing.

    A server that runs is left as it is. Of two commands at a time one starts the server and the
    other waits for it.
    """
    home = settings.home.resolve()
    with jars.usable(home, "RTGRAPH_HOME"):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with jars.exclusive(home / "lock", "wait: another command starts this server", report):
            server = _running(home)
            if server is None:
                return _launch(home, settings, report)
            _wait_until_ready(server)
            return server


def stop(home: Path) -> bool:
    """Stop the server of `home`, after its open transactions; tell whether there was one."""
    import psutil

    server = _running(home.resolve())
    if server is None:
        return False
    try:
        process = psutil.Process(server.pid)
        process.terminate()
        if not _ends(server):
            process.kill()  # nothing that was acknowledged is lost
            _ends(server)
    except psutil.NoSuchProcess:
        pass  # it ended by itself meanwhile
    except psutil.AccessDenied as error:
        raise LocalServerError(
            f"The server of {server.home} (pid {server.pid}) belongs to another user.",
            "Let that user stop it, or name another home with RTGRAPH_HOME.",
        ) from error
    return True


@contextmanager
def stopped(settings: Settings, report: Report) -> Iterator[launch.Tool]:
    """Keep the server of a home stopped for Neo4j's own tool; one that ran is started again."""
    home = settings.home.resolve()
    ran = False
    try:
        with jars.usable(home, "RTGRAPH_HOME"):
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            with jars.exclusive(home / "lock", "wait: another command uses this home", report):
                ran = stop(home)
                yield _set_up(home, settings, report)[1]
    finally:
        if ran:
            start(settings, report)


def _ends(server: LocalServer) -> bool:
    """Wait for the end of the process, collected by its parent or not; tell whether it came."""
    deadline = time.monotonic() + _STOP
    while _is_server(server.home, server.pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _running(home: Path) -> LocalServer | None:
    """Return the server of `home` if its process is there, ready or not."""
    state = _read_state(home)
    return _server(home, state) if state and _is_server(home, state.pid) else None


def _server(home: Path, state: _State) -> LocalServer:
    return LocalServer(
        home=home,
        uri=f"bolt://{launch.HOST}:{state.bolt_port}",
        http_url=f"http://{launch.HOST}:{state.http_port}",
        user="neo4j",
        password_file=home / "password",
        log_file=home / "logs" / "server.log",
        data_dir=home / "data",
        pid=state.pid,
    )


def _is_server(home: Path, pid: int) -> bool:
    """Tell whether the process is the server of `home`: a pid is soon given to another program."""
    import psutil

    try:
        process = psutil.Process(pid)
        deadline = time.monotonic() + _EXEC
        while not (line := process.cmdline()) and time.monotonic() < deadline:
            time.sleep(0.05)  # one program takes the place of another (execve)
        return launch.home_option(home) in line
    except psutil.Error:  # ended, or ended and not yet collected
        return False


def _answers(server: LocalServer) -> bool:
    from rtgraph.store.bolt import answers

    try:
        return answers(server.uri, server.user, server.password())
    except ServerRefused as error:
        raise launch.password_lost(server.password_file, "is not that of the server") from error


def _read_state(home: Path) -> _State | None:
    file = home / "server.json"
    with jars.usable(home, "RTGRAPH_HOME"):
        if not file.exists():
            return None
        text = file.read_bytes()
    try:
        return _State(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise LocalServerError(
            f"{file} is damaged.",
            "Stop the Neo4j process of this home if there is one, then remove that file.",
        ) from error


def _write_state(home: Path, state: _State) -> None:
    fresh = home / "server.json.new"
    fresh.write_text(json.dumps(asdict(state)), encoding="utf-8")
    fresh.replace(home / "server.json")


def _launch(home: Path, settings: Settings, report: Report) -> LocalServer:
    """Start Neo4j in `home` and wait for it."""
    ports, tool = _set_up(home, settings, report)
    java = tool.java
    began = time.monotonic()
    state = _State(pid=launch.spawn(home, java, settings.heap, tool.environment), **ports)
    _write_state(home, state)
    server = _server(home, state)
    _wait_until_ready(server)
    report(
        f"start Neo4j {jars.neo4j_version()} on Java {java.version} · {server.uri}"
        f" · ready in {time.monotonic() - began:.0f} s"
    )
    return server


def would_listen(settings: Settings) -> tuple[int, ...]:
    """Return the ports that the server of a home would take.

    Raises
    ------
    LocalServerError
        Another program has one of them.
    """
    return tuple(_ports(_read_state(settings.home.resolve()), settings).values())


def _set_up(home: Path, settings: Settings, report: Report) -> tuple[dict[str, int], launch.Tool]:
    """Make a home ready for its server; what may be wrong is looked at before a fetch."""
    java = launch.find_java()
    ports = _ports(_read_state(home), settings)
    _check_disk(home)
    folder = settings.jars or jars.default_folder()
    needed = jars.ensure(jars.locked(), folder, offline=settings.offline, report=report)
    tool = launch.Tool(java, launch.configure(home, settings.pagecache, ports, needed))
    launch.set_password(home, tool)
    return ports, tool


def _ports(kept: _State | None, settings: Settings) -> dict[str, int]:
    """Return the ports that are set, else those of the home, else free ones."""
    wanted = {
        "bolt_port": settings.bolt_port or (kept and kept.bolt_port),
        "http_port": settings.http_port or (kept and kept.http_port),
    }
    for setting, port in wanted.items():
        if port and _is_taken(port):
            raise LocalServerError(
                f"Port {port}, local.{setting} of this home, is taken by another program.",
                f"Stop that program, or set another port as local.{setting} or"
                f" RTGRAPH_{setting.upper()}.",
            )
    return {setting: port or _free_port(setting) for setting, port in wanted.items()}


def _check_disk(home: Path) -> None:
    """Refuse a disk without room: Neo4j would neither start on it nor end."""
    free = shutil.disk_usage(home).free / 1e6
    if free < _ROOM:
        raise LocalServerError(
            f"The disk of {home} is full: {free:.0f} MB are free, Neo4j needs {_ROOM}.",
            "Free some space, or name a home on another disk with RTGRAPH_HOME.",
        )


def _free_port(setting: str) -> int:
    return next(p for p in sample(_FREE_PORTS[setting], 100) if not _is_taken(p))


def _is_taken(port: int) -> bool:
    """Tell whether somebody answers at the port; to bind it could fail just after a stop."""
    with socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((launch.HOST, port)) == 0


def _wait_until_ready(server: LocalServer) -> None:
    """Wait for the answer to a query: the port opens some seconds before the database does."""
    deadline = time.monotonic() + _START
    while not _answers(server):
        ended = not _is_server(server.home, server.pid)
        log = server.log_file.read_text(encoding="utf-8", errors="replace")
        if ended:
            raise launch.failure(
                "Neo4j ended before it was ready", log, f"The whole log is {server.log_file}."
            )
        if log.rstrip().endswith("Started."):
            deadline = min(deadline, time.monotonic() + _OPEN)
        if time.monotonic() > deadline:
            raise LocalServerError(
                "Neo4j runs, but its graph does not answer.",
                f"Is the machine busy? The next command waits again. Else"
                f" {server.log_file.with_name('debug.log')} holds the reason; a graph that it calls"
                f" damaged is made anew: `rtgraph down`, remove {server.home}, ingest again.",
            )
        time.sleep(0.1)

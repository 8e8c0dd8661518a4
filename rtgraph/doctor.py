"""What rtgraph needs of this machine and its server, looked at piece by piece.

An examination is a row of `EXAMINATIONS`: a name, and an async generator that yields what it finds.
An error that it raises is a finding too, since every error of rtgraph says what to do.
"""

import asyncio
import os
import platform
import re
import shutil
import stat
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata

from rtgraph import __version__
from rtgraph.config import Settings, settings_files
from rtgraph.errors import ExitCode, RtgraphError
from rtgraph.values import size

# MB of the disk of a home: with less a server is in danger, with less it will soon be.
_LITTLE, _ROOM = 1_000, 20_000
# The part of the memory that the server may take; the commands need some too.
_SHARE = 0.75


class State(StrEnum):
    """How it is."""

    ok = "ok"
    note = "note"  # worth knowing, nothing to repair
    fault = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and what to do when it is not as it should be."""

    state: State
    text: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Examination:
    """A row of the table: `managed` ones are of no interest when a server is given by URI."""

    name: str
    look: Callable[[Settings], AsyncIterator[Finding]]
    managed: bool = False


async def examine(settings: Settings) -> list[tuple[str, Finding]]:
    """Look at everything; return the findings with the names of their examinations."""
    found: list[tuple[str, Finding]] = []
    for one in EXAMINATIONS:
        if one.managed and settings.uri is not None:
            continue
        try:
            async for finding in one.look(settings):
                found.append((one.name, finding))
        except RtgraphError as error:
            found.append((one.name, Finding(State.fault, str(error), error.hint)))
    return found


def exit_code(found: list[tuple[str, Finding]]) -> ExitCode:
    """Return 1 when there is something to repair."""
    faults = any(finding.state is State.fault for _, finding in found)
    return ExitCode.findings if faults else ExitCode.done


async def _program(settings: Settings) -> AsyncIterator[Finding]:
    yield Finding(State.ok, f"rtgraph {__version__}, Python {platform.python_version()}, "
                            f"{platform.system()} {platform.machine()}")


async def _settings(settings: Settings) -> AsyncIterator[Finding]:
    for file in settings_files():
        yield Finding(State.ok, f"{file} is read")
    secret = settings.password_file
    if secret and secret.exists() and os.name != "nt":
        if secret.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Finding(State.fault, f"The password file {secret} is open to other users.",
                          f"chmod 600 {secret}")
        else:
            yield Finding(State.ok, f"the password file {secret} is readable by you only")


async def _server(settings: Settings) -> AsyncIterator[Finding]:
    from rtgraph.store import local
    from rtgraph.store.target import choose

    if settings.uri is None and local.find(settings.home) is None:
        yield Finding(State.note, f"No managed server runs in {settings.home}.",
                      "The first command that needs it starts it; rtgraph up does so now.")
        return
    target = choose(settings, lambda line: None, start=False)
    async with target.store(0) as store:
        (row,) = await store.read("CALL dbms.components() YIELD edition RETURN edition")
        yield Finding(State.ok, f"Neo4j {store.version} {row['edition']} answers at "
                                f"{target.uri.partition('://')[2]} (from {target.origin})")


async def _graph(settings: Settings) -> AsyncIterator[Finding]:
    from rtgraph.cypher.graph import recognise
    from rtgraph.graphmodel.schema import SCHEMA_VERSION, schema
    from rtgraph.ingest.parse import PARSER_VERSION
    from rtgraph.store.target import choose

    try:
        target = choose(settings, lambda line: None, start=False)
        store = target.store(0)
        await store.connect()
    except RtgraphError:  # told by the examination of the server
        return
    try:
        state = await recognise(store)
        missing = await store.missing(schema())
        if missing and not state.empty:
            yield Finding(State.fault, f"{len(missing)} constraints and indexes are missing.",
                          "Create them: rtgraph db schema; or let an administrator run what "
                          "rtgraph db schema --print prints.")
        if state.empty:
            yield Finding(State.note, "The graph is empty.", "Fill it: rtgraph ingest PATH")
            return
        (row,) = await store.read(
            "MATCH (i:Instance) RETURN count(i) AS n, "
            "count(CASE WHEN i.parser_version < $parser THEN 1 END) AS old",
            parser=PARSER_VERSION)
        yield Finding(State.ok, f"schema version {SCHEMA_VERSION}, {row['n']:,} instances")
        for notice in state.notices:
            yield Finding(State.fault, notice)
        if row["old"] and state.upgraded_from is None:
            yield Finding(State.note, f"{row['old']:,} instances were read by an earlier version.",
                          "The next rtgraph ingest of their folder reads them again.")
    finally:
        await store.close()


async def _java(settings: Settings) -> AsyncIterator[Finding]:
    from rtgraph.store import launch

    java = launch.find_java()
    yield Finding(State.ok, f"Java {java.version}: {java.command}")


async def _neo4j(settings: Settings) -> AsyncIterator[Finding]:
    from rtgraph.store import jars

    folder = settings.jars or jars.default_folder()
    absent = jars.absent(jars.locked(), folder)
    what = f"Neo4j {jars.neo4j_version()} in {folder}"
    if not absent:
        yield Finding(State.ok, f"{what}: {len(jars.locked())} files, sha256 as locked")
    elif settings.offline:
        yield Finding(State.fault, f"{what}: {len(absent)} files are absent or changed, and "
                                   "local.offline forbids to fetch them.",
                      "Copy the jar folder of another machine and name it with RTGRAPH_JARS.")
    else:
        yield Finding(State.note, f"{what}: {len(absent)} files are still to be fetched, "
                                  f"{sum(j.size for j in absent) / 1e6:.0f} MB.",
                      "rtgraph up fetches them; without a network, copy the jar folder of another "
                      "machine and name it with RTGRAPH_JARS.")


async def _ports(settings: Settings) -> AsyncIterator[Finding]:
    from rtgraph.store import local

    if local.find(settings.home) is None:
        local.would_listen(settings)
        yield Finding(State.ok, "the ports of the managed server are free")


async def _disk(settings: Settings) -> AsyncIterator[Finding]:
    folder = settings.home.resolve()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e6
    text = f"{free / 1e3:,.1f} GB are free for {settings.home}"
    if not os.access(folder, os.W_OK):
        yield Finding(State.fault, f"{folder} cannot be written.",
                      "Name another home with local.home or RTGRAPH_HOME.")
    elif free < _LITTLE:
        yield Finding(State.fault, f"{text}: too little.",
                      "Free some space, or name a home on another disk with RTGRAPH_HOME.")
    elif free < _ROOM:
        yield Finding(State.note, f"{text}.", "A graph of six million objects takes about 10 GB.")
    else:
        yield Finding(State.ok, text)


async def _memory(settings: Settings) -> AsyncIterator[Finding]:
    import psutil

    wanted = 0
    for name in ("heap", "pagecache"):
        try:
            wanted += size(getattr(settings, name))
        except ValueError:
            yield Finding(State.fault, f"local.{name} is {getattr(settings, name)!r}: no size.",
                          "Write it as 512m or 4g.")
            return
    total = psutil.virtual_memory().total
    text = (f"{total / 1e9:.1f} GB of memory; the server may take {wanted / 1e9:.1f} GB (heap "
            f"{settings.heap}, page cache {settings.pagecache})")
    if wanted > _SHARE * total:
        yield Finding(State.fault, f"{text}: too much.",
                      "Make local.heap and local.pagecache smaller.")
    else:
        yield Finding(State.ok, text)


async def _roots(settings: Settings) -> AsyncIterator[Finding]:
    for name, path in settings.roots.items():
        if path.is_dir() and os.access(path, os.R_OK | os.X_OK):
            yield Finding(State.ok, f"{name}: {path}")
        else:
            yield Finding(State.fault, f"{name}: {path} is no folder that can be read.",
                          "Mount it, or correct [roots]; nothing is retired meanwhile.")


async def _archives(settings: Settings) -> AsyncIterator[Finding]:
    from rtgraph.pacs.echo import echo

    for node in settings.nodes.values():
        echoed = await asyncio.to_thread(echo, node, settings)
        if echoed.error:
            yield Finding(State.fault, f"{node.name}: {echoed.error}",
                          f"Correct [nodes.{node.name}], or tell the archive about "
                          f"{settings.ae_title}: rtgraph pacs echo -n {node.name}")
        else:
            yield Finding(State.ok, f"{node.name}: {echoed.address} answers in "
                                    f"{echoed.seconds:.2f} s")


async def _extras(settings: Settings) -> AsyncIterator[Finding]:
    extras: dict[str, list[str]] = {}
    for line in metadata.requires("rtgraph") or ():
        if found := re.match(r"([\w.-]+).*extra == ['\"]([\w-]+)['\"]", line):
            extras.setdefault(found[2], []).append(found[1])
    for extra, packages in sorted(extras.items()):
        versions = {p: _version(p) for p in packages}
        if all(versions.values()):
            yield Finding(State.ok, f"{extra}: " + ", ".join(
                f"{p} {v}" for p, v in versions.items()))
        else:
            yield Finding(State.note, f"{extra} is not installed.",
                          f"pip install 'rtgraph[{extra}]'")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


EXAMINATIONS = (
    Examination("program", _program),
    Examination("settings", _settings),
    Examination("server", _server),
    Examination("graph", _graph),
    Examination("java", _java, managed=True),
    Examination("neo4j", _neo4j, managed=True),
    Examination("ports", _ports, managed=True),
    Examination("disk", _disk, managed=True),
    Examination("memory", _memory, managed=True),
    Examination("roots", _roots),
    Examination("archives", _archives),
    Examination("extras", _extras),
)

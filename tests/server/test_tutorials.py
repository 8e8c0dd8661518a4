"""The tutorials say what happens: their commands are run, and what is printed is compared.

A line of a `console` block that begins with `$ ` is run, what follows is its stdout; a line `…`
stands for what is left out. With RTGRAPH_WRITE_TUTORIALS=1 the pages get what was printed.

A `json` or `toml` block after "Write this to `NAME`" is that file. A page with `orthanc.json` has
an archive with these settings; its ports, and those of rtgraph, are free ones in the test.
"""

import os
import re
import shlex
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.data import peers
from tests.server.conftest import Run

pytestmark = pytest.mark.server
FOLDER = Path(__file__).parents[2] / "docs/tutorials"
PAGES = sorted(FOLDER.glob("*.md"))
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
FILE = re.compile(r"Write this to `([\w.]+)`[^`]*```(?:json|toml)\n(.*?)```", re.DOTALL)
ARCHIVE = "orthanc.json"
PORTS = ("4242", "11112")  # of the archive, of rtgraph
DCMTK = ("dcmodify", "storescu")
LEFT_OUT = "…"
# What differs from run to run, and what stands for it in the comparison.
VARYING = [
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?[.\d]*(Z|\+00:00)?(-\w{4})?", "TIME"),
    (r"\b[0-9a-f]{32}\b", "DIGEST"),
    (r"\b[0-9a-f]{16}-[0-9a-f]{8}\b", "CASE"),
    (r"\b[0-9a-f]{16}\b", "PATIENT"),
    (r"\b\d+(\.\d+)? (ms|s|min)\b( \d+ s)?", "TIME"),
    (r"@127\.0\.0\.1:\d+ +\d+", "ARCHIVE"),  # port, and milliseconds until it answered
    (r"\bOFFIS_DCMTK_\d+", "DCMTK"),
    (r"\b\d{8}T\d{6}Z-[0-9a-f]{6}\b", "RUN"),
    (r"─+", "─"),
    (r"  +", "  "),
]


class Step(NamedTuple):
    """A command and the lines that the page shows of what it prints."""

    command: str
    shown: list[str]


def steps(block: str) -> Iterator[Step]:
    for text in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *shown = text.splitlines()
        yield Step(command, shown)


def alike(line: str) -> str:
    for pattern, name in VARYING:
        line = re.sub(pattern, name, line)
    return line.rstrip()


def with_ports(text: str, ports: Mapping[str, int]) -> str:
    for shown, port in ports.items():
        text = re.sub(rf"\b{shown}\b", str(port), text)
    return text


@contextmanager
def archive_of(text: str, work: Path, ports: Mapping[str, int]) -> Iterator[None]:
    """Write the files of a page, and run the archive that it has."""
    files = dict(FILE.findall(text))
    for name, content in files.items():
        (work / name).write_text(with_ports(content, ports), encoding="utf-8")
    if ARCHIVE not in files:
        yield
        return
    where = peers.program("Orthanc")
    assert where is not None
    with peers.running([where, ARCHIVE], work / "orthanc.log", cwd=work) as process:
        peers.wait_for(ports[PORTS[0]], process)
        yield


def printed(command: str, run: Run) -> list[str]:
    """Run a command, one of rtgraph with the server of the tests; return its stdout."""
    program, *words = shlex.split(command)
    if program == "export":  # the home of a managed server; here the tests have another
        return []
    if program == "rtgraph":
        ran = run(*words)
        assert ran.code in (0, 1), ran.stdout + ran.stderr
        return ran.stdout.splitlines()
    assert program in ("ls", "mv", *DCMTK)
    return subprocess.run(
        [program, *words], check=True, capture_output=True, timeout=600, encoding="utf-8",
        env=os.environ | {"TCP_NODELAY": "1"}).stdout.splitlines()


def written(text: str, made: Iterator[list[str]]) -> str:
    """Return a page with what its commands have printed, in their order."""

    def block(found: re.Match[str]) -> str:
        lines = []
        for command, shown in steps(found[1]):
            new = next(made)
            if LEFT_OUT in shown:
                head = shown.index(LEFT_OUT)
                tail = len(shown) - head - 1
                new = [*new[:head], LEFT_OUT, *new[len(new) - tail :]]
            lines += [f"$ {command}", *new]
        return "```console\n" + "".join(f"{line.rstrip()}\n" for line in lines) + "```"

    return BLOCK.sub(block, text)


def same(found: list[str], shown: list[str]) -> bool:
    """Tell whether a page shows what was printed; patients may come in another order."""
    printed_lines, shown_lines = Counter(map(alike, found)), Counter(map(alike, shown))
    if LEFT_OUT in shown:
        return not shown_lines - printed_lines - Counter([LEFT_OUT])
    return printed_lines == shown_lines


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_print_what_the_page_shows(
    folder: Path, run: Run, page: Path
) -> None:
    text = page.read_text(encoding="utf-8")
    told = [step for block in BLOCK.findall(text) for step in steps(block)]
    if ARCHIVE in text and (names := peers.missing()):
        pytest.skip(f"not installed: {', '.join(names)}")
    ports = {shown: peers.free_port() for shown in PORTS}
    with archive_of(text, folder, ports):
        made = [printed(with_ports(step.command, ports), run) for step in told]
    if os.environ.get("RTGRAPH_WRITE_TUTORIALS"):
        page.write_text(written(text, iter(made)), encoding="utf-8", newline="\n")
    else:
        differ = [(step.command, found) for step, found in zip(told, made, strict=True)
                  if not same(found, step.shown)]
        assert (differ, bool(told)) == ([], True)

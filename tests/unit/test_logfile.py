"""The log file: lines of JSON, rotated under a lock that processes share, without identifiers."""

import json
import logging
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rtgraph.cli import logfile
from rtgraph.cli.logfile import SharedFile
from rtgraph.config import Settings
from rtgraph.errors import UsageError
from tests.command import Command

CANARY = "KANARIENVOGEL"
pytestmark = pytest.mark.usefixtures("unlogged")


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_command_leaves_what_it_said_and_how_it_ended(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "logs" / "rtgraph.log"
    command("doctor", "-f", "json", code=1, RTGRAPH_LOG=str(file), RTGRAPH_HEAP="much")
    command("down", RTGRAPH_LOG=str(file))
    said = lines(file)
    assert [(x["command"], x["message"], x.get("exit_code")) for x in said] == [
        ("doctor", "exit", 1), ("down", "No managed server is running.", None), ("down", "exit", 0)]
    assert {x["pid"] for x in said} == {os.getpid()}
    assert {x["level"] for x in said} == {"info"}
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("words", [
    ["explain", CANARY], ["query", "show", CANARY], ["find", f"PatientNam={CANARY}"],
    ["ingest", CANARY, "--uri", f"bolt://{CANARY}@x:1"], [CANARY], ["ingest", "--bogus", CANARY],
], ids=lambda words: words[0])
def test_of_a_mistake_only_its_kind_is_kept(
    command: Command, tmp_path: Path, words: list[str]
) -> None:
    file = tmp_path / "rtgraph.log"
    logfile.follow(Settings(log_file=file))
    command(*words, code=2, RTGRAPH_LOG=str(file))
    text = file.read_text(encoding="utf-8")
    if words[0] != CANARY:  # what was meant to be a command is one word of the program
        assert CANARY not in text
    assert [x["level"] for x in lines(file)] == ["error", "info"]


def test_no_file_without_the_setting(command: Command) -> None:
    command("down")
    assert list(command.work.iterdir()) == []


def test_a_file_that_cannot_be_written_is_told(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a-file").touch()
    said = command("down", code=2, RTGRAPH_LOG=str(tmp_path / "a-file" / "rtgraph.log"))
    assert "The log file cannot be written" in said.stderr
    with pytest.raises(UsageError):
        logfile.follow(Settings(log_file=tmp_path))


WRITER = """\
import logging, sys
from pathlib import Path
from rtgraph.cli.logfile import SharedFile
handler = SharedFile(Path(sys.argv[1]), 4_000, 50)
log = logging.getLogger("rtgraph.terminal")
log.addHandler(handler)
log.setLevel(logging.INFO)
for n in range(60):
    log.info("%s %d", sys.argv[2], n)
"""


def test_processes_share_a_file_that_rotates_and_no_line_is_lost(tmp_path: Path) -> None:
    file = tmp_path / "rtgraph.log"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(file), name])
               for name in ("a", "b", "c")]
    assert [w.wait(120) for w in writers] == [0, 0, 0]
    files = [f for f in tmp_path.iterdir() if f.suffix != ".lock"]
    assert len(files) > 3
    assert max(f.stat().st_size for f in files) <= 4_000
    told = sorted(x["message"] for f in files for x in lines(f))
    assert told == sorted(f"{name} {n}" for name in "abc" for n in range(60))


def test_the_oldest_files_go(tmp_path: Path) -> None:
    handler = SharedFile(tmp_path / "x.log", 300, 2)
    for n in range(40):
        handler.handle(logging.LogRecord("x", logging.INFO, "", 0, "line %d", (n,), None))
    assert {f.name for f in tmp_path.iterdir()} - {"x.log.lock"} == {
        "x.log", "x.log.1", "x.log.2"}
    assert lines(tmp_path / "x.log")[-1]["message"] == "line 39"


def test_a_full_disk_ends_no_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = SharedFile(tmp_path / "x.log", 300, 2)

    def full(self: SharedFile) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SharedFile, "_open", full)
    handler.handle(logging.LogRecord("x", logging.INFO, "", 0, "line", (), None))
    assert not (tmp_path / "x.log").exists()

"""Completion by the shell: names from files and from what was seen last, and no server is asked."""

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from socket import create_server, socket

import pytest

from rtgraph.cli import completing
from rtgraph.cypher.library import load_checks, queries
from rtgraph.store.target import Target

PROGRAM = ("import sys; sys.argv = ['rtgraph']\n"
           "from rtgraph.cli import main\nmain()\n")


class Server:
    """A port that counts who comes."""

    def __init__(self, listening: socket) -> None:
        self.uri = f"bolt://127.0.0.1:{listening.getsockname()[1]}"
        self.came = 0
        self._listening = listening
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                self._listening.accept()[0].close()
            except OSError:
                return
            self.came += 1


@pytest.fixture
def server() -> Iterator[Server]:
    with create_server(("127.0.0.1", 0)) as listening:
        yield Server(listening)


class Shell:
    """A bash that asks for the words that may come next."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder, self.server = folder, server

    def __call__(self, line: str, **environment: str) -> list[str]:
        words = line.split(" ")
        asked = {"_RTGRAPH_COMPLETE": "complete_bash", "COMP_WORDS": line,
                 "COMP_CWORD": str(len(words) - 1), "RTGRAPH_URI": self.server.uri,
                 "XDG_CACHE_HOME": str(self.folder / "cache"), "HOME": str(self.folder)}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=self.folder, capture_output=True, text=True,
            env=os.environ | asked | environment, encoding="utf-8", timeout=120)
        assert done.stderr == ""
        assert self.server.came == 0
        return [word for word in done.stdout.split("\n") if word]


@pytest.fixture
def shell(tmp_path: Path, server: Server) -> Shell:
    return Shell(tmp_path, server)


CHECKS = {c.id for c in load_checks().files}
QUERIES = {q.name for q in queries()}


def starting(names: set[str], text: str) -> list[str]:
    return sorted(n for n in names if n.startswith(text))


WORDS: list[tuple[str, list[str]]] = [
    # line                              completed to
    ("rtgraph explain REF-",            starting(CHECKS, "REF-")),
    ("rtgraph waive PLN-0",             starting(CHECKS, "PLN-0")),
    ("rtgraph validate --select FO",    ["FOR", *starting(CHECKS, "FOR-")]),
    ("rtgraph validate --ignore STR-1", starting(CHECKS, "STR-1")),
    ("rtgraph query show p",            starting(QUERIES, "p")),
    ("rtgraph query run complete",      ["complete-chains"]),
    ("rtgraph cohort save x --query p", starting(QUERIES, "p")),
    ("rtgraph preprocess export --query p", starting(QUERIES, "p")),
    ("rtgraph explain no-such",         []),
    ("rtgraph db ",                     ["schema", "wipe", "dump", "load"]),
]


@pytest.mark.parametrize(("line", "words"), WORDS, ids=[w[0] for w in WORDS])
def test_checks_and_queries(shell: Shell, line: str, words: list[str]) -> None:
    assert sorted(shell(line)) == sorted(words)


def test_the_files_of_the_project_count(shell: Shell) -> None:
    (shell.folder / "queries").mkdir()
    text = ("// Own\n// view: table\n// returns: n\n// identifying: none\n"
            "RETURN 1 AS n ORDER BY n;\n")
    (shell.folder / "queries" / "complete-own.cypher").write_text(text, encoding="utf-8")
    assert shell("rtgraph query run complete-") == ["complete-chains", "complete-own"]


def test_cohorts_are_those_seen_last_on_this_server(
    shell: Shell, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    target = Target(server.uri, "neo4j", "secret", None, "option")
    assert shell("rtgraph cohort show pro") == []
    completing.remember_cohorts(target, ["prostate", "lung"])
    assert shell("rtgraph cohort show pro") == ["prostate"]
    assert shell("rtgraph cohort delete ") == ["lung", "prostate"]
    for command in ("graph", "preprocess export", "pacs retrieve"):
        assert shell(f"rtgraph {command} --cohort pro") == ["prostate"]
    assert shell("rtgraph cohort show pro", RTGRAPH_URI="bolt://127.0.0.1:1") == []
    assert shell(f"rtgraph cohort show --data {tmp_path} pro") == []
    completing.remember_cohorts(target, ["lung"])
    assert shell("rtgraph cohort show pro") == []
    kept = completing._file()
    assert json.loads(kept.read_text(encoding="utf-8")) == {server.uri: ["lung"]}
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "[]", "no JSON"])
def test_what_was_kept_may_be_damaged(
    shell: Shell, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    completing._file().parent.mkdir(parents=True)
    completing._file().write_text(text, encoding="utf-8")
    assert shell("rtgraph cohort show pro") == []


def test_wrong_settings_are_no_message_inside_a_command_line(shell: Shell) -> None:
    (shell.folder / "rtgraph.toml").write_text("[sever]\n", encoding="utf-8")
    assert shell("rtgraph cohort show pro") == []

"""docs/coverage.md: a row for every requirement and command, and proofs that exist."""

import ast
import re
from pathlib import Path

import pytest

from rtgraph.cypher.library import checks, queries
from tools.make_docs import contexts

ROOT = Path(__file__).parents[2]
COUNTS = {"M": 29, "R": 62, "C": 15, "U": 27, "B": 26, "K": 12}
REQUIREMENTS = [f"{letter}{n}" for letter, count in COUNTS.items() for n in range(1, count + 1)]
# Covered in part: the row says what is missing. Who builds it takes the row out of here.
OPEN = {"M3"}
COMMANDS = [c.command_path for c in contexts() if not hasattr(c.command, "commands")]
ROWS = [[cell.strip() for cell in line.strip("| \n").split(" | ")]
        for line in (ROOT / "docs/coverage.md").read_text("utf-8").splitlines()
        if re.match(r"\| (`rtgraph|[MRCUBK]\d)", line)]
PROOFS = {row[0].strip("`"): row[2] for row in ROWS}
TARGETS = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def written_in(file: Path) -> set[str]:
    """Return the tests of a module as `function` or `Class::function`."""
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        before = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {before + f.name for f in inside
                  if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)
                  and f.name.startswith("test_")}
    return found


WRITTEN = {f"{file.relative_to(ROOT / 'tests').as_posix()}::{test}"
         for file in (ROOT / "tests").rglob("test_*.py") for test in written_in(file)}


def exists(proof: str) -> bool:
    """Tell whether there is such a test, target, command, named query or check."""
    program, _, rest = proof.partition(" ")
    if program == "make":
        return rest in TARGETS
    if program == "rtgraph":
        command = next((c for c in COMMANDS if f"{proof} ".startswith(f"{c} ")), None)
        word = proof.removeprefix(command or proof).strip()
        known = {"rtgraph query run": [q.name for q in queries()],
                 "rtgraph explain": [c.id for c in checks()]}.get(command or "", [])
        return command is not None and (not word or word in known)
    return proof in WRITTEN


def test_every_requirement_and_every_command_has_one_row() -> None:
    assert [row[0].strip("`") for row in ROWS] == [*REQUIREMENTS, *(
        c for c in dict.fromkeys(row[0].strip("`") for row in ROWS) if c in COMMANDS)]
    assert set(COMMANDS) <= set(PROOFS)
    assert {len(row) for row in ROWS} == {3}


@pytest.mark.parametrize("name", [*REQUIREMENTS, *COMMANDS])
def test_what_proves_it_exists(name: str) -> None:
    proofs = re.findall(r"`([^`]+)`", PROOFS[name])
    assert [p for p in proofs if not exists(p)] == []
    assert proofs or re.match(r"Not planned[\w ]*: \w+", PROOFS[name])


def test_what_is_open_is_known() -> None:
    assert {name for name, proof in PROOFS.items() if re.search(r"\bopen: \w+", proof)} == OPEN


@pytest.mark.parametrize("proof", [
    "unit/test_coverage.py::test_nothing", "unit/test_nothing.py::test_nothing", "make nothing",
    "rtgraph nothing", "rtgraph query run nothing", "rtgraph explain REF-99", "rtgraph query"])
def test_what_does_not_exist_is_noticed(proof: str) -> None:
    assert not exists(proof)

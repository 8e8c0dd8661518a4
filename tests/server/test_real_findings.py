"""What the checks find in the sets of real files is what the page about them lists, with a verdict.

The tables of the page are rewritten with RTGRAPH_WRITE_GOLDEN=1; verdicts stay, new rows have none
and fail until somebody has looked at them.
"""

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from rtgraph.cypher.header import Level
from rtgraph.cypher.library import checks, select
from tests.conftest import DATA
from tests.server.conftest import TestGraph

SETS = sorted(p.parent.name for p in DATA.glob("*/truth.json"))
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "findings-on-real-sets.md"
# Every link of the chain from image to dose is there, so an error would be one of the program.
COMPLETE = ("monaco-hn", "oncentra-phantom")
VERDICTS = ("right", "known", "wrong")
Row = tuple[str, str, int]  # check, severity, number of findings
_ROW = re.compile(r"^\| ([A-Z0-9]+-\d\d) \| (\w+) \| (\d+) \| (.*) \|$", re.MULTILINE)
_HEAD = "| check | severity | findings | verdict |\n| --- | --- | --- | --- |\n"

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(not SETS, reason="no folder of real files beside the repository"),
]


def listed() -> dict[str, dict[Row, str]]:
    """Return the verdicts of the page by set and row."""
    _, *parts = re.split(r"^## ([\w-]+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: {(c, s, int(n)): v.strip() for c, s, n, v in _ROW.findall(text)}
            for name, text in zip(parts[::2], parts[1::2], strict=True)}


def found(graph: TestGraph, name: str) -> list[Row]:
    """Return how many findings each check has in a set, by severity."""
    graph.ingest(DATA / name)
    counts: Counter[tuple[str, str]] = Counter()
    for check in select(checks()):
        if check.level is Level.header and not check.params:
            for row in graph.read(check.statement):
                counts[check.id, row.get("severity", str(check.severity)).lower()] += 1
    return [(c, s, n) for (c, s), n in sorted(counts.items())]


@pytest.mark.parametrize("name", SETS or ["none"])
def test_findings_are_those_of_the_page(graph: TestGraph, name: str) -> None:
    rows, known = found(graph, name), listed().get(name, {})
    if os.environ.get("RTGRAPH_WRITE_GOLDEN"):
        _rewrite(name, rows, known)
        known = listed()[name]
    assert list(known) == rows
    assert [r for r, v in known.items() if v.split(":")[0] not in VERDICTS] == []
    wrong = [r for r, v in known.items() if v.startswith("wrong")]
    assert [r for r in wrong if r[1] == "error"] == []
    if name in COMPLETE:
        assert [r for r in rows if r[1] == "error" and not known[r].startswith("right")] == []


def test_the_page_lists_every_set() -> None:
    assert sorted(listed()) == SETS


def _rewrite(name: str, rows: list[Row], known: dict[Row, str]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    verdicts = {(c, s): v for (c, s, _), v in known.items()}
    table = _HEAD + "".join(
        f"| {c} | {s} | {n} | {verdicts.get((c, s), '')} |\n" for c, s, n in rows)
    section = re.compile(rf"(^## {name}\n(?:(?!^## |^\|).*\n)*)((?:\|.*\n)*)", re.MULTILINE)
    PAGE.write_text(section.sub(lambda m: m[1] + table, text, count=1), encoding="utf-8")

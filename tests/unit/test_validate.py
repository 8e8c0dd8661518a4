"""The runner of checks: what it makes of rows, of errors, and which exit code follows."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from rtgraph.cypher.header import BrokenFile, Check, Confidence, Level, Severity
from rtgraph.cypher.library import check
from rtgraph.cypher.report import Finding, Report, Result, Status
from rtgraph.cypher.validate import broken, run_checks
from rtgraph.errors import ServerError, ServerUnreachable, StatementRefused
from rtgraph.store.bolt import Store

FACT = check("FOR-01")
HEURISTIC = replace(FACT, id="FOR-10", confidence=Confidence.heuristic)
MILD = replace(FACT, id="FOR-06", severity=Severity.warning)
GEOMETRY = replace(FACT, id="GEO-01", level=Level.geometry)
Answer = list[dict[str, Any]] | Exception | float


class Answers(Store):
    """A store that answers by statement: rows, an error to raise, or seconds to take."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers, self.asked = answers, list[str]()

    async def read(self, statement: str, /, **parameters: object) -> list[dict[str, Any]]:
        self.asked.append(statement)
        answer = self.answers[statement]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return []
        return answer


def row(subject: str, patient: str | None = "A", **more: object) -> dict[str, Any]:
    return {"patient_key": patient, "subject": subject, "target": None, "detail": {}} | more


def as_asked(check: Check, name: str) -> Check:
    return replace(check, statement=name, population=f"{name} population")


def run(check: Check, rows: Answer, n: Answer, **options: Any) -> Result:
    check = as_asked(check, "q")
    n = [{"n": n}] if isinstance(n, int) else n
    store = Answers({"q": rows, "q population": n})
    return asyncio.run(run_checks(store, [check], **options)).results[0]


OUTCOMES = [
    # name                 check      rows                            population  status
    ("nothing found",      FACT,      [],                             7, Status.passed),
    ("nothing to look at", FACT,      [],                             0, Status.not_checked),
    ("error",              FACT,      [row("s")],                     7, Status.failed),
    ("warning",            MILD,      [row("s")],                     7, Status.warned),
    ("heuristic",          HEURISTIC, [row("s")],                     7, Status.warned),
    ("row says info",      FACT,      [row("s", severity="INFO")],    7, Status.warned),
    ("row says error",     MILD,      [row("s", severity="ERROR")],   7, Status.failed),
    ("row says nonsense",  FACT,      [row("s", severity="HIGH")],    7, Status.failed),
    ("server error",       FACT,      ServerError("Out of memory."),  7, Status.errored),
    ("refused",            FACT,      StatementRefused("No.\n^"),     7, Status.errored),
    ("population refused", FACT,      [], StatementRefused("No."),       Status.errored),
]


@pytest.mark.parametrize(
    ("check", "rows", "n", "status"), [c[1:] for c in OUTCOMES], ids=[c[0] for c in OUTCOMES]
)
def test_status(check: Check, rows: Answer, n: Answer, status: Status) -> None:
    result = run(check, rows, n)
    assert result.status is status
    assert bool(result.message) == (status is Status.errored)
    assert "\n" not in result.message


def test_patient_keeps_rows_and_not_the_population() -> None:
    rows = [row("s1"), row("s2", "B"), row("s3", None)]
    kept = run(FACT, rows, 9, patient="B")
    assert [f.subject for f in kept.findings] == ["s2"]
    assert kept.population == 9
    assert run(FACT, rows, 9, patient="C").status is Status.passed


def test_findings_are_sorted_worst_first_whatever_the_order_of_rows() -> None:
    rows = [
        row("b", severity="INFO"), row("b", detail={"role": "Y"}), row("a", None), row("c", "B"),
        row("b", detail={"role": "X"}), row("b", target="t"),
    ]
    order = [("A", "b", "t"), ("A", "b", None), ("A", "b", None), ("B", "c", None),
             (None, "a", None), ("A", "b", None)]
    for given in (rows, rows[::-1]):
        found = run(FACT, given, 9).findings
        assert [(f.patient_key, f.subject, f.target) for f in found] == order
        assert [f.detail.get("role") for f in found[1:3]] == ["X", "Y"]
        assert found[-1].severity is Severity.info


def test_lists_of_a_detail_are_sets() -> None:
    detail = {"series": ["b", "a", "b"], "frames": [2, 1], "none": []}
    found = run(FACT, [row("s", detail=detail)], 1).findings[0]
    assert found.detail == {"series": ["a", "b"], "frames": [2, 1], "none": []}


def test_others_run_when_one_errors_or_takes_too_long() -> None:
    broken, slow, good = (as_asked(FACT, n) for n in ("broken", "slow", "good"))
    store = Answers({
        "broken": ServerError("Out of memory."),
        "slow": 60.0,
        "good": [row("s")], "good population": [{"n": 1}],
    })
    report = asyncio.run(run_checks(store, [broken, slow, good], timeout=0.05))
    assert [r.status for r in report.results] == [Status.errored, Status.errored, Status.failed]
    assert [r.message for r in report.results] == [
        "Out of memory.", "It took longer than 0.05 s.", "",
    ]
    assert report.exit_code() == 3


def test_a_lost_server_is_not_waited_for_twice() -> None:
    first, second = as_asked(FACT, "first"), as_asked(FACT, "second")
    store = Answers({"first": ServerUnreachable("No Neo4j server answers at the address.")})
    report = asyncio.run(run_checks(store, [first, second]))
    assert store.asked == ["first"]
    assert [r.status for r in report.results] == [Status.errored] * 2
    assert all("No Neo4j server" in r.message for r in report.results)


def test_a_check_of_a_later_level_is_skipped() -> None:
    skipped = run(GEOMETRY, [], 1)
    assert (skipped.status, skipped.message) == (Status.skipped, "needs --level geometry")
    assert run(GEOMETRY, [], 1, level=Level.pixel).status is Status.passed


@pytest.mark.parametrize(("name", "parameter", "option"), [
    ("STR-10", "protocol", "--protocol FILE with structures"),
    ("PRT-01", "objects", "--protocol FILE with objects"),
    ("DEI-01", "profile", "--against FILE"),
])
def test_a_check_with_a_parameter_needs_its_value(name: str, parameter: str, option: str) -> None:
    asking = check(name)
    store = Answers({asking.statement: [], asking.population: [{"n": 3}]})
    (result,) = asyncio.run(run_checks(store, [asking])).results
    assert store.asked == []
    assert (result.status, result.message) == (Status.skipped, f"needs {option}")
    (result,) = asyncio.run(run_checks(store, [asking], parameters={parameter: []})).results
    assert result.status is Status.passed


@pytest.mark.parametrize(("rows", "n"), [([{"subject": "s"}], 1), ([], [{"k": 1}]), ([], [])])
def test_a_check_that_returns_something_else_errored(rows: Answer, n: Answer) -> None:
    result = run(FACT, rows, n)
    assert result.status is Status.errored
    assert result.message == "It does not return what a check returns."


def test_a_broken_file_is_a_check_that_errored() -> None:
    result = broken(BrokenFile("MY-01", "the header line `tier` is missing"))
    assert (result.check.id, result.status) == ("MY-01", Status.errored)
    assert result.message == "MY-01.cypher: the header line `tier` is missing."
    assert Report((Result(FACT, Status.passed), result)).exit_code() == 3


def test_results_are_in_the_order_of_the_checks_however_many_run_at_once() -> None:
    checks = [as_asked(FACT, name) for name in ("slow", "quick", "last")]
    answers: dict[str, Answer] = {"slow": 0.05, "quick": [], "last": []}
    store = Answers(answers | {f"{n} population": [{"n": 1}] for n in ("slow", "quick", "last")})
    told: list[str] = []
    report = asyncio.run(run_checks(
        store, checks, jobs=3, done=lambda r: told.append(r.check.statement)))
    assert [r.check.statement for r in report.results] == ["slow", "quick", "last"]
    assert told[-1] == "slow"


def findings(*severities: Severity) -> tuple[Finding, ...]:
    return tuple(Finding("A", "s", None, s, {}) for s in severities)


INFO, WARNING, ERROR = Severity
EXIT_CODES = [
    # name               check      status          findings            info warning error
    ("clean",            FACT,      Status.passed,      (),             0, 0, 0),
    ("not checked",      FACT,      Status.not_checked, (),             0, 0, 0),
    ("skipped",          FACT,      Status.skipped,     (),             0, 0, 0),
    ("info",             FACT,      Status.warned,      (INFO,),        1, 0, 0),
    ("warning",          FACT,      Status.warned,      (WARNING,),     1, 1, 0),
    ("error",            FACT,      Status.failed,      (ERROR,),       1, 1, 1),
    ("mixed",            FACT,      Status.failed,      (ERROR, INFO),  1, 1, 1),
    ("never a count",    FACT,      Status.failed,      (ERROR,) * 300, 1, 1, 1),
    ("256 is not 0",     FACT,      Status.failed,      (ERROR,) * 256, 1, 1, 1),
    ("heuristic",        HEURISTIC, Status.warned,      (ERROR,),       0, 0, 0),
    ("errored",          FACT,      Status.errored,     (),             3, 3, 3),
]


@pytest.mark.parametrize(
    ("check", "status", "found", "codes"),
    [(*c[1:4], c[4:]) for c in EXIT_CODES], ids=[c[0] for c in EXIT_CODES],
)
def test_exit_code(
    check: Check, status: Status, found: tuple[Severity, ...], codes: tuple[int, ...]
) -> None:
    report = Report((Result(FACT, Status.passed), Result(check, status, findings(*found))))
    assert tuple(report.exit_code(s) for s in Severity) == codes


def test_an_errored_check_beats_findings() -> None:
    failed = Result(FACT, Status.failed, findings(ERROR))
    report = Report((failed, Result(MILD, Status.errored)))
    assert report.exit_code() == 3
    assert report.counts()[Status.failed] == 1
    assert report.severities() == {INFO: 0, WARNING: 0, ERROR: 1}

"""Every check finds its faults, and nothing else in any patient; every Cypher file is accepted.

All cases stand in one graph, a patient each. What a case declares is all that the checks may find
in its patient, so every check is silent on all the others. Checks that look for what a project or
a kind of data set wants (`ASKED`) are compared in their own cases only.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from rtgraph.cypher import library
from rtgraph.cypher.library import Check, Query, checks, lookup, queries, table
from rtgraph.cypher.library import check as check_of
from rtgraph.graphmodel.tables import TABLES
from rtgraph.store.bolt import Row
from tests.data.checks.course import FIRST, OTHERS, Course
from tests.data.checks.populations import ALL_KINDS, RICH, SOUND, course_of
from tests.data.checks.steps import Case, Found, Step, key, part
from tests.data.checks.structures import PROTOCOL
from tests.data.checks.tables import CASES, built
from tests.server.conftest import TestGraph, check_invariants

pytestmark = pytest.mark.server

COMPARE = check_of("DEI-01")  # which needs another graph to compare with
CHECKS = [c for c in checks() if c != COMPARE]
LOOKUPS = sorted(p.stem for p in Path(library.__file__).parent.glob("lookups/*.cypher"))
FILES = [*queries(), *map(table, TABLES), *map(lookup, LOOKUPS)]
ASKED = {"DEI-03", "DEI-04", "DEI-05", "STR-10"}
PARAMETERS: dict[str, dict[str, object]] = {"STR-10": {"protocol": PROTOCOL}}
_NUMBER = re.compile(r"(?:^CHECK-|\.8\.498\.)(\d{6})")


@dataclass
class Outcome:
    """What all checks found, and the patients that there are."""

    courses: Sequence[Course]
    keys: dict[int, set[str]]
    rows: dict[str, list[Row]]
    again: dict[str, list[Row]]

    def of(self, number: int) -> Iterator[tuple[Check, Row]]:
        """Yield the findings of a case."""
        for check in CHECKS:
            if check.id not in ASKED or CASES[number].check == check.id:
                for row in self.rows[check.id]:
                    if self.case(row) == number:
                        yield check, row

    def case(self, row: Row) -> int | None:
        """Return the number of the case that a finding is about."""
        if found := _NUMBER.search(row["subject"]):
            return _case(int(found[1]))
        return next((n for n, keys in self.keys.items() if row["patient_key"] in keys), None)


def _case(patient: int) -> int:
    return (patient - FIRST) % OTHERS - 1


def run(graph: TestGraph, prefix: str = "") -> dict[str, list[Row]]:
    """Run every check; `prefix` chooses the language."""
    return {c.id: graph.read(prefix + c.statement, **PARAMETERS.get(c.id, {})) for c in CHECKS}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Course]]:
    """All courses, as a folder of files."""
    folder = tmp_path_factory.mktemp("checks")
    courses = [built(number, case) for number, case in enumerate(CASES)]
    for course in courses:
        course.write(folder)
    return folder, courses


@pytest.fixture(scope="module")
def filled() -> list[TestGraph]:
    """The server that holds all courses: the languages of one server look at the same graph."""
    return []


@pytest.fixture(scope="module")
def outcome(
    dialect: tuple[TestGraph, str], written: tuple[Path, list[Course]], filled: list[TestGraph]
) -> Outcome:
    """Put all courses into the graph and let the checks look at them twice."""
    (graph, prefix), (folder, courses) = dialect, written
    if graph not in filled:
        graph.wipe()
        graph.ingest(folder)
        check_invariants(graph)
        for course in courses:
            for statement, parameters in course.after:
                graph.write(statement, **parameters)
        filled[:] = [graph]
    keys: dict[int, set[str]] = defaultdict(set)
    for row in graph.read("MATCH (p:Patient)-[:HAS_STUDY]->(t:Study) "
                          "RETURN t.StudyInstanceUID AS uid, p.patient_key AS key"):
        found = _NUMBER.search(row["uid"])
        assert found is not None
        keys[_case(int(found[1]))].add(row["key"])
    return Outcome(courses, keys, run(graph, prefix), run(graph, prefix))


@pytest.mark.parametrize(
    ("steps", "populations"), [((), SOUND), (ALL_KINDS, RICH)], ids=["sound", "all kinds"])
def test_nothing_is_found_in_what_is_sound(
    graph: TestGraph, tmp_path: Path, steps: tuple[Step, ...], populations: dict[str, int]
) -> None:
    course = course_of(steps)
    course.write(tmp_path)
    graph.ingest(tmp_path)
    for statement, parameters in course.after:
        graph.write(statement, **parameters)
    found = {c: rows for c, rows in run(graph).items() if rows and c != "DEI-04"}
    assert found == {}
    counted = {c.id: graph.one(c.population) for c in checks()}
    wanted = dict.fromkeys(counted, 0) | populations if populations is SOUND else populations
    assert {c: counted[c] for c in wanted} == wanted


def test_every_check_has_looked_at_something() -> None:
    assert SOUND.keys() | RICH.keys() == {c.id for c in checks()}
    assert not SOUND.keys() & RICH.keys()


def test_a_copy_is_compared_with_its_source(graph: TestGraph, tmp_path: Path) -> None:
    compare = COMPARE.statement
    course = course_of()
    course.write(tmp_path)
    graph.ingest(tmp_path)
    names = ("edges", "items", "missing", "same_frame")
    profile = [{"subject": r["subject"], **{n: r["detail"][n] for n in names}}
               for r in graph.read(compare, profile=[])]
    assert {r["subject"]: tuple(r[n] for n in names) for r in profile} == {
        "RTSTRUCT STRUCTURE_SET_IMAGE": (3, 3, 0, 3), "RTPLAN PLAN_STRUCTURE_SET": (1, 1, 0, 1),
        "RTDOSE DOSE_PLAN": (1, 1, 0, 1), "RTDOSE DVH_STRUCTURE_SET": (1, 1, 0, 1),
        "RTRECORD RECORD_PLAN": (1, 1, 0, 1), "series in frames": (4, 1, 0, 4)}
    assert graph.read(compare, profile=profile) == []

    part(course, "dose", "ReferencedRTPlanSequence", 0).ReferencedSOPInstanceUID = "1.2.3"
    del part(course, "record").ReferencedRTPlanSequence
    course.write(tmp_path)
    graph.ingest(tmp_path)
    rows = {r["subject"]: r["detail"] for r in graph.read(compare, profile=profile)}
    assert {s: (d["edges"], d["missing"], d["source"]["missing"]) for s, d in rows.items()} == {
        "RTDOSE DOSE_PLAN": (1, 1, 0), "RTRECORD RECORD_PLAN": (0, 0, 0)}


@pytest.mark.parametrize("number", range(len(CASES)), ids=[str(c) for c in CASES])
def test_case(outcome: Outcome, number: int) -> None:
    case, course = CASES[number], outcome.courses[number]
    left = list(outcome.of(number))
    for expected in case.found:
        fits = (x for x in left if _is(case, course, outcome.keys[number], expected, *x))
        match = next(fits, None)
        assert match is not None, (expected, [_told(c, r) for c, r in left])
        left.remove(match)
    assert not left, [_told(c, r) for c, r in left]


def _is(
    case: Case, course: Course, keys: set[str], expected: Found, check: Check, row: Row
) -> bool:
    """Tell whether a row is the finding that is expected."""
    severity = expected.severity or check.severity
    names = (expected.subject, expected.target)
    return (
        check.id == (expected.check or case.check)
        and row.get("severity", str(check.severity)).lower() == severity
        and row["patient_key"] in keys
        and all(_named(course, keys, want, row[column])
                for want, column in zip(names, ("subject", "target"), strict=True))
        and all(value == "*" or _plain(row["detail"][name]) == _plain(value)
                for name, value in expected.detail.items())
    )


def _named(course: Course, keys: set[str], want: str | None, have: str | None) -> bool:
    if want is None or want == "*":
        return have is None if want is None else have is not None
    return have in keys if want == "@" else have == key(course, want)


def _plain(value: object) -> object:
    """Return a list of texts as a set, and numbers rounded."""
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return sorted(value)
    return round(value, 4) if isinstance(value, float) else value


def _told(check: Check, row: Row) -> object:
    return (check.id, row.get("severity"), row["subject"], row["target"], row["detail"])


def test_nothing_is_found_outside_the_cases(outcome: Outcome) -> None:
    assert [(c, r) for c, rows in outcome.rows.items() for r in rows
            if outcome.case(r) not in range(len(CASES))] == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.id)
def test_rows_are_as_promised(outcome: Outcome, check: Check) -> None:
    rows = outcome.rows[check.id]
    assert rows, "no case breaks this check"
    assert all(tuple(r) == check.returns for r in rows)
    assert {str(r.get("severity", "")).lower() for r in rows} <= {"", "info", "warning", "error"}
    assert all(isinstance(r["subject"], str) and isinstance(r["detail"], dict) for r in rows)
    order = [tuple((v is None, v or "") for v in (r["patient_key"], r["subject"], r["target"]))
             for r in rows]
    assert order == sorted(order)
    identities = [tuple(str(r.get(n, r["detail"].get(n))) for n in check.identity) for r in rows]
    assert len(identities) == len(set(identities))
    assert set(check.identifying) <= {k for r in rows for k in r["detail"]}


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.id)
def test_two_runs_agree(outcome: Outcome, check: Check) -> None:
    first, second = ([{**r, "detail": {k: _plain(v) for k, v in r["detail"].items()}} for r in rows]
                     for rows in (outcome.rows[check.id], outcome.again[check.id]))
    assert first == second


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.id)
def test_a_case_of_the_check_is_silent(outcome: Outcome, check: Check) -> None:
    own = {n for n, case in enumerate(CASES) if case.check == check.id}
    broken = {outcome.case(r) for r in outcome.rows[check.id]}
    silent = own - broken if check.id in ASKED else set(range(len(CASES))) - broken
    assert own & broken, "no case of its own breaks it"
    assert silent


# --- what is not run above -----------------------------------------------------------------------

def test_every_server_can_be_told_to_look_at_its_indexes(dialect: tuple[TestGraph, str]) -> None:
    graph, _ = dialect
    graph.run(graph.store.resample())


def test_comparison(dialect: tuple[TestGraph, str]) -> None:
    graph, prefix = dialect
    assert graph.explain(prefix + COMPARE.statement) == list(COMPARE.returns)


@pytest.mark.parametrize("check", checks(), ids=lambda c: c.id)
def test_population(dialect: tuple[TestGraph, str], check: Check) -> None:
    graph, prefix = dialect
    assert graph.explain(prefix + check.population) == ["n"]


@pytest.mark.parametrize("query", FILES, ids=lambda q: q.name)
def test_query(dialect: tuple[TestGraph, str], query: Query) -> None:
    graph, prefix = dialect
    assert graph.explain(prefix + query.statement) == list(query.returns)

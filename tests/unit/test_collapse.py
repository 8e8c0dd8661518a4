"""Twins become one box; what has a problem never does."""

from collections.abc import Callable, Hashable
from datetime import date, timedelta

import pytest

from bench.patients import TYPICAL, generated
from bench.rows import Rows
from rtgraph.cypher.library import check
from rtgraph.errors import UnknownName, UsageError
from rtgraph.graphmodel.tables import Tables
from rtgraph.viz.boxes import Box
from rtgraph.viz.collapse import Drawn, Line, collapse, natural, twins
from rtgraph.viz.findings import placed, read_findings
from rtgraph.viz.narrow import Choice, narrow
from rtgraph.viz.subgraph import Subgraph, fold
from tests.page.example import finding

IF_ALONE = frozenset({"STRUCTURE_SET_SERIES"})
Link = tuple[str, str, str]

TWINS: list[tuple[str, dict[str, Hashable], list[Link], list[set[str]]]] = [
    ("same target",     {"p": "P", "a": "R", "b": "R"}, [("a", "p", "X"), ("b", "p", "X")],
     [{"p"}, {"a", "b"}]),
    ("other role",      {"p": "P", "a": "R", "b": "R"}, [("a", "p", "X"), ("b", "p", "Y")],
     [{"p"}, {"a"}, {"b"}]),
    ("other direction", {"p": "P", "a": "R", "b": "R"}, [("a", "p", "X"), ("p", "b", "X")],
     [{"p"}, {"a"}, {"b"}]),
    ("other kind",      {"p": "P", "a": "R", "b": "S"}, [("a", "p", "X"), ("b", "p", "X")],
     [{"p"}, {"a"}, {"b"}]),
    ("one more",        {"p": "P", "a": "R", "b": "R", "i": "I"},
     [("a", "p", "X"), ("b", "p", "X"), ("b", "i", "Z")], [{"p"}, {"a"}, {"b"}, {"i"}]),
    ("pairs",           {"c": "C", "r1": "R", "r2": "R", "i1": "I", "i2": "I"},
     [("r1", "c", "X"), ("r1", "i1", "X"), ("r2", "c", "X"), ("r2", "i2", "X")],
     [{"c"}, {"r1", "r2"}, {"i1", "i2"}]),
    ("two parts",       {"p": "P", "a": "R", "q": "P", "b": "R"},
     [("a", "p", "X"), ("b", "q", "X")], [{"p"}, {"a"}, {"q"}, {"b"}]),
]


@pytest.mark.parametrize(("kinds", "links", "expected"), [c[1:] for c in TWINS],
                         ids=[c[0] for c in TWINS])
def test_twins(kinds: dict[str, Hashable], links: list[Link], expected: list[set[str]]) -> None:
    found = [set(group) for group in twins(kinds, links)]
    assert sorted(map(sorted, found)) == sorted(map(sorted, expected))


def course(n_records: int = 6, plans: int = 1) -> Rows:
    """Return plans with records each, in one study."""
    rows = Rows()
    rows.study("1")
    rows.series("plans", "RTPLAN")
    rows.series("records", "RTRECORD", SeriesDescription="Records")
    before = None
    for p in range(plans):
        plan = rows.instance(f"plan{p}", "plans", "RTPLAN", title=f"Plan {p}")
        if before:
            rows.refer(plan, before, "PREDECESSOR_PLAN")
        before = plan
        for i in range(n_records):
            record = rows.instance(f"record{p}.{i}", "records", "RTRECORD", InstanceNumber=i,
                                   datetime=date(2025, 3, 1 + i))
            rows.refer(record, plan, "RECORD_PLAN")
    return rows


def drawn_of(
    tables: Tables, alone: Callable[[Box], bool] = lambda box: False, expand: tuple[str, ...] = ()
) -> tuple[list[Drawn], list[Line]]:
    return collapse(fold(tables, IF_ALONE), alone, expand)


def sizes(drawn: list[Drawn]) -> list[tuple[str, int]]:
    return sorted((d.first.modality, len(d.members)) for d in drawn)


def without_three() -> Rows:
    return course(n_records=3)


def lost_plan() -> Rows:
    rows = course()
    lost = rows.instance("lost", None, "RTPLAN", missing=True)
    for row in rows.tables["references"][:2]:
        row["target_uid"] = lost
    return rows


def partly_missing_target() -> Rows:
    rows = course(0)
    rows.series("ct", "CT")
    rows.images("ct", "CT", 4, missing=1)
    rows.series("sets", "RTSTRUCT")
    for i in range(5):
        uid = rows.instance(f"set{i}", "sets", "RTSTRUCT")
        rows.refer(uid, "ct.4" if i == 0 else "ct.1", "STRUCTURE_SET_IMAGE")
    return rows


def stubs() -> Rows:
    rows = course(1)
    for i in range(5):
        rows.refer("record0.0", rows.instance(f"lost{i}", None, "RTIMAGE", missing=True), "X")
    return rows


def unlinked() -> Rows:
    rows = Rows()
    for study in ("1", "2"):
        rows.study(study)
        for i in range(4):
            series = rows.series(f"{study}.{i}", "MR", study, SeriesDescription=f"T{i}")
            rows.images(series, "MR", 2)
    return rows


def fractions_in_their_own_studies() -> Rows:
    rows = course(0)
    for i in range(5):
        rows.study(f"day {i}")
        rows.series(f"r{i}", "RTRECORD", f"day {i}")
        rows.refer(rows.instance(f"r{i}.1", f"r{i}", "RTRECORD"), "plan0", "RECORD_PLAN")
    rows.series("other", "RTRECORD", "1")
    rows.refer(rows.instance("other.1", "other", "RTRECORD"), "plan0", "RECORD_PLAN")
    return rows


def doses_of_two_kinds() -> Rows:
    rows = course(0)
    rows.series("doses", "RTDOSE")
    for i in range(5):
        dose = rows.instance(f"dose{i}", "doses", "RTDOSE", title="PLAN" if i == 0 else "BEAM")
        rows.refer(dose, "plan0", "DOSE_PLAN")
    return rows


GROUPS: list[tuple[Callable[[], Rows], list[tuple[str, int]]]] = [
    (course, [("RTPLAN", 1), ("RTRECORD", 6)]),
    (lambda: course(plans=2), [("RTPLAN", 1), ("RTPLAN", 1), ("RTRECORD", 6), ("RTRECORD", 6)]),
    (without_three, [("RTPLAN", 1), *[("RTRECORD", 1)] * 3]),
    (lost_plan, [*[("RTPLAN", 1)] * 2, *[("RTRECORD", 1)] * 2, ("RTRECORD", 4)]),
    (partly_missing_target, [("CT", 1), ("RTPLAN", 1), ("RTSTRUCT", 1), ("RTSTRUCT", 4)]),
    (stubs, [*[("RTIMAGE", 1)] * 5, ("RTPLAN", 1), ("RTRECORD", 1)]),
    (unlinked, [("MR", 4), ("MR", 4)]),
    (fractions_in_their_own_studies, [("RTPLAN", 1), ("RTRECORD", 1), ("RTRECORD", 5)]),
    (doses_of_two_kinds, [("RTDOSE", 1), ("RTDOSE", 4), ("RTPLAN", 1)]),
]


@pytest.mark.parametrize(("rows", "expected"), GROUPS, ids=lambda v: getattr(v, "__name__", ""))
def test_groups(rows: Callable[[], Rows], expected: list[tuple[str, int]]) -> None:
    assert sizes(drawn_of(rows().tables)[0]) == expected


def test_a_box_that_must_stand_alone_does() -> None:
    drawn, _ = drawn_of(course().tables, lambda box: box.id == "record0.3")
    assert sizes(drawn) == [("RTPLAN", 1), ("RTRECORD", 1), ("RTRECORD", 5)]


@pytest.mark.parametrize("expand", ["RTRECORD", "all"])
def test_groups_can_be_opened(expand: str) -> None:
    assert sizes(drawn_of(course().tables, expand=(expand,))[0]) == [
        ("RTPLAN", 1), *[("RTRECORD", 1)] * 6]


def test_a_group_says_what_its_members_share() -> None:
    (group,) = [d for d in drawn_of(course().tables)[0] if d.is_group]
    assert (group.tally, group.caption) == ("×6", "Records")
    assert group.studies == {"1"}
    assert [b.caption for b in group.members][:2] == ["no. 0 · 2025-03-01", "no. 1 · 2025-03-02"]
    rows = course()
    rows.tables["series"][1]["SeriesDescription"] = None
    (group,) = [d for d in drawn_of(rows.tables)[0] if d.is_group]
    assert group.caption == "2025-03-01 to 2025-03-06"
    (first, _) = drawn_of(unlinked().tables)[0]
    assert first.caption == "T0, T1, T2, T3"


def test_lines_are_gathered() -> None:
    rows = course()
    rows.refer("record0.1", "plan0", "SECOND_ROLE")
    drawn, lines = drawn_of(rows.tables)
    (group,) = [d for d in drawn if d.is_group]
    found = {(line.source == group.id, line.roles, line.n_edges) for line in lines}
    assert found == {(True, ("RECORD_PLAN",), 5), (False, ("RECORD_PLAN", "SECOND_ROLE"), 2)}
    (shares,) = {line.unresolved for line in drawn_of(course().tables)[1]}
    assert shares is False
    assert any(line.unresolved for line in drawn_of(lost_plan().tables)[1])


@pytest.mark.parametrize(("n", "broken", "most"), [
    (50, 0, 20), (190, 0, 60), (190, 3, 60), (500, 0, 120), (5000, 3, 700)])
def test_generated_patients_become_legible(n: int, broken: int, most: int) -> None:
    tables = generated(n, broken=broken)
    assert len(tables["series"]) == n
    drawn, _ = drawn_of(tables)
    assert len(drawn) <= most
    assert sum(len(d.members) for d in drawn) == len(fold(tables, IF_ALONE).boxes)


def test_numbers_sort_as_numbers() -> None:
    assert sorted(["a10", "a2", "b", "", "10", "9x", "²"], key=natural) == [
        "", "9x", "10", "a2", "a10", "b", "²"]


# --- findings ------------------------------------------------------------------------------------

def planned() -> Subgraph:
    rows = course()
    rows.series("ct", "CT")
    rows.images("ct", "CT", 3)
    return fold(rows.tables, IF_ALONE)


ABOUT = [
    # name                 about            series      boxes
    ("an object",          "plan0",         "plans",    {"plan0"}),
    ("a part of it",       "plan0#B1",      None,       {"plan0"}),
    ("an image",           "ct.2",          "ct",       {"ct"}),
    ("an image series",    "ct",            None,       {"ct"}),
    ("a series of objects", "plans",        None,       {"plan0"}),
    ("a study",            "1",             None,       set()),
    ("something else",     "",              None,       set()),
]


@pytest.mark.parametrize(("about", "series", "expected"), [c[1:] for c in ABOUT],
                         ids=[c[0] for c in ABOUT])
def test_findings_are_placed(about: str, series: str | None, expected: set[str]) -> None:
    given = finding(about, series_uid=series)
    by_box, others = placed([given], planned().boxes)
    assert set(by_box) == expected
    assert others == ([] if expected else [given])


def test_findings_are_read_worst_first() -> None:
    row = {"rule": "REF-01", "severity": "ERROR", "status": "OPEN", "subject": "1", "about": "1",
           "series_uid": None, "target": None, "first_seen": date(2025, 3, 1), "until": None}
    rule = check("REF-01")
    over, yesterday = "the waiver is over", date.today() - timedelta(days=1)
    found = read_findings([
        row | {"status": "WAIVED"}, row | {"severity": "info", "rule": "NEW-99"}, row,
        row | {"severity": "warning", "about": None},
        row | {"status": "WAIVED", "until": date.today(), "about": "2"},
        row | {"status": "WAIVED", "until": yesterday, "about": "0", "target": over},
    ], {"REF-01": rule})
    assert [(f.rule, f.severity, f.waived) for f in found] == [
        ("REF-01", "error", False), ("REF-01", "error", False), ("REF-01", "warning", False),
        ("NEW-99", "info", False), ("REF-01", "error", True), ("REF-01", "error", True)]
    assert found[0].target == over
    assert (found[1].title, found[1].fix, found[1].since) == (rule.title, rule.fix, "2025-03-01")
    assert (found[2].about, found[3].title) == ("1", "")


# --- choosing a part -----------------------------------------------------------------------------

CHOICES = [
    # name               choice                                           boxes, of the adaptive one
    ("everything",       Choice(),                                        58),
    ("modality",         Choice(modalities=("RTPLAN", "RTSTRUCT")),       4),
    ("without modality", Choice(without_modalities=("RTRECORD",)),        27),
    ("role",             Choice(roles=("PREDECESSOR_PLAN",)),             2),
    ("two filters",      Choice(modalities=("RTPLAN",), problems_only=True), 2),
]


def plan_1_in_trouble(box: Box) -> bool:
    return box.title == "HN 35Fx" and box.modality == "RTPLAN"


@pytest.mark.parametrize(("choice", "n"), [c[1:] for c in CHOICES], ids=[c[0] for c in CHOICES])
def test_a_part_is_chosen(choice: Choice, n: int) -> None:
    whole = fold(TYPICAL["adaptive"]().tables, IF_ALONE)
    part = narrow(whole, choice, plan_1_in_trouble)
    assert len(part.boxes) == n
    known = {b.id for b in part.boxes}
    assert all(e.source in known and e.target in known for e in part.edges)


def test_problems_come_with_their_neighbours() -> None:
    whole = fold(TYPICAL["adaptive"]().tables, IF_ALONE)
    part = narrow(whole, Choice(problems_only=True), plan_1_in_trouble)
    assert sorted({b.modality for b in part.boxes}) == ["RTDOSE", "RTPLAN", "RTRECORD", "RTSTRUCT"]
    assert len(part.boxes) == 1 + 1 + 1 + 1 + 9  # itself, structures, dose, next plan, records


@pytest.mark.parametrize(("hops", "n"), [(0, 1), (1, 4), (2, 20)])
def test_what_is_around_a_series(hops: int, n: int) -> None:
    rows = TYPICAL["adaptive"]()
    (structures,) = {r["SeriesInstanceUID"] for r in rows.tables["instances"]
                     if r["title"] == "HN initial"}
    whole = fold(rows.tables, IF_ALONE)
    part = narrow(whole, Choice(series=(structures,), hops=hops), plan_1_in_trouble)
    # CT, plan, next structure set; then 4 registrations, dose, 9 records, next plan, second CT
    assert len(part.boxes) == n


@pytest.mark.parametrize(("choice", "kind"), [
    (Choice(modalities=("RTPLON",)), UnknownName),
    (Choice(without_modalities=("MR",)), UnknownName),
    (Choice(roles=("DOSE_PLANS",)), UnknownName),
    (Choice(studies=("1.2.3",)), UsageError),
    (Choice(without_series=("1.2.3",)), UsageError),
])
def test_names_that_are_not_there_are_refused(choice: Choice, kind: type[Exception]) -> None:
    whole = fold(TYPICAL["adaptive"]().tables, IF_ALONE)
    with pytest.raises(kind):
        narrow(whole, choice, plan_1_in_trouble)

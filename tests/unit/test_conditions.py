"""Conditions: how they are written, which types they fit, and what they mean for Python values."""

from datetime import date, datetime, time

import pytest

from rtgraph.cypher.find import search
from rtgraph.errors import UnknownName, UsageError
from rtgraph.graphmodel.conditions import Condition, holds, parse, typed

TODAY = date(2024, 3, 15)
FORMS = [
    # written             attribute   operator  text          negated
    ("Modality=CT",       "Modality", "=",      "CT",         False),
    (" Modality = CT ",   None,       "",       "",           False),
    ("Modality!=CT,MR",   "Modality", "=",      "CT,MR",      True),
    ("A~=x",              "A",        "~=",     "x",          False),
    ("A!~=x",             "A",        "~=",     "x",          True),
    ("A*=x",              "A",        "*=",     "x",          False),
    ("A!*=x",             "A",        "*=",     "x",          True),
    ("A~/x=y/i",          "A",        "~",      "/x=y/i",     False),
    ("A!~/x/",            "A",        "~",      "/x/",        True),
    ("A<=3",              "A",        "<=",     "3",          False),
    ("A>3",               "A",        ">",      "3",          False),
    ("A",                 "A",        "exists", "",           False),
    ("!A",                "A",        "exists", "",           True),
    ("ROI.ROIName=x",     "ROI.ROIName", "=",   "x",          False),
    ("A=a=b",             "A",        "=",      "a=b",        False),
    ("=CT",               None,       "",       "",           False),
    ("A=",                None,       "",       "",           False),
    ("!A=x",              None,       "",       "",           False),
    ("",                  None,       "",       "",           False),
]


@pytest.mark.parametrize(("text", "attribute", "operator", "value", "negated"), FORMS,
                         ids=[repr(c[0]) for c in FORMS])
def test_forms(text: str, attribute: str | None, operator: str, value: str, negated: bool) -> None:
    if attribute is None:
        with pytest.raises(UsageError):
            parse(text)
        return
    found = parse(text)
    assert found == Condition(attribute, operator, value, negated)
    assert parse(str(found)) == found


MEANINGS: list[tuple[str, str, list[object], list[object]]] = [
    # condition          type              holds for                            does not hold for
    ("A=CT",             "STRING",         ["CT"],                              ["ct", "X", None]),
    ("A=CT, MR",         "STRING",         ["CT", "MR"],                        ["CT, MR"]),
    ("A=RT*",            "STRING",         ["RT", "RTPLAN"],                    ["XRT", "rtplan"]),
    ("A=C?",             "STRING",         ["CT", "C\n"],                       ["C", "CTT"]),
    ("A=RT*,CT",         "STRING",         ["RTDOSE", "CT"],                    ["CTX"]),
    ("A=SYN^P*(+).",     "STRING",         ["SYN^PAT(+).", "SYN^P(+)."],        ["SYNPAT(+)."]),
    ("A=a\\*b",          "STRING",         ["a*b"],                             ["aab", "a\\*b"]),
    ("A=a\\,b",          "STRING",         ["a,b"],                             ["a", "b"]),
    ("A~=rt*",           "STRING",         ["RTPLAN", "rtplan"],                ["CT"]),
    ("A~=größe",         "STRING",         ["GRÖßE", "größe"],                  ["grosse"]),
    ("A*=(+)",           "STRING",         ["x(+)y", "(+)"],                    ["+"]),
    ("A~/^ptv/i",        "STRING",         ["PTV 60", "ptv"],                   ["xptv"]),
    ("A~ptv",            "STRING",         ["xptvx"],                           ["PTV"]),
    ("A=3",              "INTEGER",        [3],                                 [4, None]),
    ("A=1..3",           "INTEGER",        [1, 3],                              [0, 4]),
    ("A=..3",            "FLOAT",          [-9.0, 3.0],                         [3.1]),
    ("A=3+-0.1",         "FLOAT",          [3.1, 2.9, 3.0],                     [3.11, 2.88]),
    ("A=3 ± 0.1",        "FLOAT",          [3.1],                               [3.2]),
    ("A=-3+-1",          "FLOAT",          [-4.0, -2.0],                        [-5.0]),
    ("A<2",              "FLOAT",          [1.9],                               [2.0]),
    ("A<=2",             "FLOAT",          [2.0],                               [2.1]),
    ("A>2",              "FLOAT",          [2.1],                               [2.0]),
    ("A>=2",             "FLOAT",          [2.0],                               [1.9]),
    ("A=2024",           "DATE",           [date(2024, 1, 1), date(2024, 12, 31)],
     [date(2025, 1, 1)]),
    ("A=2024-02",        "DATE",           [date(2024, 2, 29)],                 [date(2024, 3, 1)]),
    ("A=20240229",       "DATE",           [date(2024, 2, 29)],                 [date(2024, 2, 1)]),
    ("A=2023..2024-02",  "DATE",           [date(2023, 1, 1), date(2024, 2, 29)],
     [date(2024, 3, 1)]),
    ("A>2024",           "DATE",           [date(2025, 1, 1)],
     [date(2024, 12, 31)]),
    ("A<2024",           "DATE",           [date(2023, 12, 31)],                [date(2024, 1, 1)]),
    ("A=last:30d",       "DATE",           [date(2024, 2, 14), TODAY],
     [date(2024, 2, 13), date(2024, 3, 16)]),
    ("A=last:1d",        "LOCAL DATETIME", [datetime(2024, 3, 14), datetime(2024, 3, 15, 23, 59)],
     [datetime(2024, 3, 13, 23, 59)]),
    ("A=2024-03-15T08",  "LOCAL DATETIME", [],                                  []),
    ("A=2024-03-15T08:30", "LOCAL DATETIME", [datetime(2024, 3, 15, 8, 30, 59)],
     [datetime(2024, 3, 15, 8, 31)]),
    ("A=08:00..09:00",   "LOCAL TIME",     [time(8), time(9, 0, 59)],           [time(9, 1)]),
    ("A=22:00..06:00",   "LOCAL TIME",     [time(23), time(0), time(6)],
     [time(12), time(21)]),
    ("A=22:00..",        "LOCAL TIME",     [time(23)],                          [time(6)]),
    ("A=true",           "BOOLEAN",        [True],                              [False]),
    ("A=PRIMARY",        "LIST<STRING>",   [["ORIGINAL", "PRIMARY"]],           [["ORIGINAL"], []]),
    ("A>2",              "LIST<FLOAT>",    [[1.0, 3.0]],                        [[1.0]]),
    ("A",                "STRING",         [""],                                [None]),
]


@pytest.mark.parametrize(("text", "kind", "right", "wrong"), MEANINGS,
                         ids=[f"{c[0]} {c[1]}" for c in MEANINGS])
def test_meanings(text: str, kind: str, right: list[object], wrong: list[object]) -> None:
    condition = parse(text)
    if not right:
        with pytest.raises(UsageError):
            typed(condition, kind, TODAY)
        return
    test = typed(condition, kind, TODAY)
    assert [holds(test, False, v) for v in right] == [True] * len(right)
    assert [holds(test, False, v) for v in wrong] == [False] * len(wrong)
    assert [holds(test, True, v) for v in [*right, *wrong]] == (
        [False] * len(right) + [True] * len(wrong))


@pytest.mark.parametrize(("text", "kind"), [
    ("A=x", "INTEGER"), ("A=1.5", "INTEGER"), ("A=nan", "FLOAT"), ("A=3+--1", "FLOAT"),
    ("A=2024-13", "DATE"), ("A=2024-02-30", "DATE"), ("A=25:00", "LOCAL TIME"),
    ("A=maybe", "BOOLEAN"), ("A*=1", "INTEGER"), ("A~1", "FLOAT"), ("A~/(/", "STRING"),
    ("A=..", "DATE"), ("A=last:5d", "FLOAT"), ("A=,", "INTEGER"),
])
def test_values_that_do_not_fit(text: str, kind: str) -> None:
    with pytest.raises(UsageError) as raised:
        typed(parse(text), kind, TODAY)
    assert "maybe" not in str(raised.value)


def test_values_never_stand_in_the_statement() -> None:
    hostile = "x' OR 1=1 //"
    found = search("series", [f"SeriesDescription={hostile}", f"StudyDescription*={hostile}"],
                   [f"Modality={hostile}"])
    assert hostile not in found.statement
    assert list(found.parameters) == ["c0", "c1", "c2"]
    assert found.parameters["c0"] == [hostile]


@pytest.mark.parametrize(("level", "condition", "hint"), [
    ("serie", "Modality=CT", "Did you mean series?"),
    ("series", "Modalty=CT", "Did you mean Modality?"),
    ("series", "Seriess.Modality=CT", "Did you mean Series?"),
    ("series", "Study.Modality=CT", None),
])
def test_unknown_names_get_a_suggestion(level: str, condition: str, hint: str | None) -> None:
    with pytest.raises(UnknownName) as raised:
        search(level, [condition])
    assert hint is None or raised.value.hint == hint


def test_columns_are_of_the_row_or_above() -> None:
    assert search("series", columns=["StudyDescription", "Modality"]).columns[-1] == (
        "StudyDescription")
    with pytest.raises(UnknownName):
        search("study", columns=["SeriesDescription"])

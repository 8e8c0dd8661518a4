"""Values by VR: what is read, what is kept with an issue, what is refused and why.

A case is the bytes of a file and what becomes of them. Properties are those of the data dictionary.
"""

import math
import struct
import unicodedata
import warnings
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom._dicom_dict import DicomDictionary
from pydicom.charset import convert_encodings, decode_bytes

from rtgraph.graphmodel.properties import Property, kept, stated
from rtgraph.ingest.normalise import LONGEST_RAW, LONGEST_TEXT, Reading, clean, read, text

UTF8, LATIN, KANJI = ("ISO_IR 192",), ("ISO_IR 100",), ("", "ISO 2022 IR 87")


def attributes() -> Iterator[tuple[tuple[str, bool], str]]:
    """VR and whether there may be several values, with a keyword; the first of them counts."""
    for vr, vm, _, retired, keyword in reversed(DicomDictionary.values()):
        if keyword and not retired:
            yield (vr, vm != "1"), keyword


KEYWORDS = dict(attributes())
KEYWORDS["UI", False] = "TreatmentSessionUID"
VRS = "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST SV TM UC UI UL UR US UT UV"


def declared(vr: str, many: bool = False) -> Property:
    (row,) = stated(KEYWORDS[vr, many])
    return row


def suffixed(reading: Reading, row: Property) -> dict[str, Any]:
    return {name.removeprefix(f"{row.name}_"): value for name, value in reading.also}


def check(
    reading: Reading, row: Property, value: object, issues: str = "",
    also: Mapping[str, object] | None = None,
) -> None:
    """Equal values have equal types too; `issues` are the reasons, in order."""
    assert reading.value == value
    assert type(reading.value) is type(value)
    assert " ".join(reason for reason, _ in reading.issues) == issues
    assert suffixed(reading, row) == (also or {})


ARABIC_12 = "\u0661\u0662"
HOUR, MINUTE = {"precision": "HOUR"}, {"precision": "MINUTE"}
ROWS: list[tuple[Any, ...]] = [
    # VR    name               text                value, reasons, companions
    ("AE", "title",            " PLANNING ",       "PLANNING"),
    ("AE", "16 characters",    "A" * 16,           "A" * 16),
    ("AE", "17 characters",    "A" * 17,           "A" * 17, "TOO_LONG"),

    ("AS", "days",             "010D",             "010D"),
    ("AS", "weeks",            "003W",             "003W"),
    ("AS", "months",           "018M",             "018M"),
    ("AS", "years",            "045Y",             "045Y"),
    ("AS", "45",               "45",               None, "NOT_AN_AGE"),
    ("AS", "45Y",              "45Y",              None, "NOT_AN_AGE"),
    ("AS", "lower case",       "045y",             None, "NOT_AN_AGE"),

    ("CS", "code",             "CT",               "CT"),
    ("CS", "lower case",       " ct ",             "CT"),
    ("CS", "underscore",       "MULTI_PLAN 2",     "MULTI_PLAN 2"),
    ("CS", "unknown term",     "NEW TERM",         "NEW TERM"),
    ("CS", "odd characters",   "a-b.c",            "A-B.C", "BAD_CHARACTERS"),
    ("CS", "16 characters",    "a" * 16,           "A" * 16),
    ("CS", "17 characters",    "a" * 17,           "A" * 17, "TOO_LONG"),
    ("CS", "grows",            "\u00df" * 3000,    "S" * LONGEST_TEXT, "TOO_LONG"),
    ("CS", "both",             "a-" * 9,           "A-" * 9, "BAD_CHARACTERS TOO_LONG"),

    ("DA", "day",              "20240131",         date(2024, 1, 31)),
    ("DA", "old form",         "2024.01.31",       date(2024, 1, 31)),
    ("DA", "dashes",           "2024-01-31",       date(2024, 1, 31), "DATE_WITH_DASHES"),
    ("DA", "padded",           "20240131 \0",      date(2024, 1, 31)),
    ("DA", "leap day",         "20240229",         date(2024, 2, 29)),
    ("DA", "no leap day",      "20230229",         None, "IMPOSSIBLE_DATE"),
    ("DA", "day 32",           "20240132",         None, "IMPOSSIBLE_DATE"),
    ("DA", "year 0",           "00000101",         None, "IMPOSSIBLE_DATE"),
    ("DA", "year alone",       "2024",             None, "PARTIAL_DATE"),
    ("DA", "year and month",   "202401",           None, "PARTIAL_DATE"),
    ("DA", "dashes, partial",  "2024-01",          None, "PARTIAL_DATE"),
    ("DA", "month 13",         "202413",           None, "NOT_A_DATE"),
    ("DA", "range",            "20240101-20240201", None, "NOT_A_DATE"),
    ("DA", "mixed signs",      "2024.01-31",       None, "NOT_A_DATE"),
    ("DA", "with time",        "20240131101112",   None, "NOT_A_DATE"),
    ("DA", "words",            "yesterday",        None, "NOT_A_DATE"),
    ("DA", "other digits",     f"20240{ARABIC_12}1", None, "NOT_A_DATE"),
    ("DA", "zeros",            "00000000",         None, "PLACEHOLDER"),
    ("DA", "first day",        "00010101",         None, "PLACEHOLDER"),
    ("DA", "1900",             "1900.01.01",       None, "PLACEHOLDER"),

    ("DS", "whole",            "12",               12.0),
    ("DS", "fraction",         "-0.5",             -0.5),
    ("DS", "sign",             "+1.25",            1.25),
    ("DS", "no zero",          ".5",               0.5),
    ("DS", "point at end",     "5.",               5.0),
    ("DS", "exponent",         "1.5E-3",           0.0015),
    ("DS", "padded",           " 1.5 ",            1.5),
    ("DS", "comma",            "0,9",              0.9, "DECIMAL_COMMA"),
    ("DS", "many digits",      "0." + "3" * 60,    0.3333333333333333),
    ("DS", "very many digits", "1" * 5000 + "e-5000", 0.1111111111111111),
    ("DS", "two commas",       "1,234,5",          None, "NOT_A_NUMBER"),
    ("DS", "comma, point",     "1,234.5",          None, "NOT_A_NUMBER"),
    ("DS", "NaN",              "NaN",              None, "NOT_A_NUMBER"),
    ("DS", "infinity",         "inf",              None, "NOT_A_NUMBER"),
    ("DS", "underscore",       "1_000",            None, "NOT_A_NUMBER"),
    ("DS", "hexadecimal",      "0x1F",             None, "NOT_A_NUMBER"),
    ("DS", "other digits",     ARABIC_12,          None, "NOT_A_NUMBER"),
    ("DS", "unit",             "12 mm",            None, "NOT_A_NUMBER"),
    ("DS", "sign alone",       "-",                None, "NOT_A_NUMBER"),
    ("DS", "overflow",         "1.5e400",          None, "NOT_FINITE"),
    ("DS", "minus overflow",   "-1e999",           None, "NOT_FINITE"),

    ("DT", "year",             "2024",             datetime(2024, 1, 1), "",
     {"precision": "YEAR"}),
    ("DT", "month",            "202402",           datetime(2024, 2, 1), "",
     {"precision": "MONTH"}),
    ("DT", "day",              "20240229",         datetime(2024, 2, 29), "",
     {"precision": "DAY"}),
    ("DT", "hour",             "2024022910",       datetime(2024, 2, 29, 10), "", HOUR),
    ("DT", "minute",           "202402291011",     datetime(2024, 2, 29, 10, 11), "", MINUTE),
    ("DT", "second",           "20240229101112",   datetime(2024, 2, 29, 10, 11, 12)),
    ("DT", "fraction",         "20240229101112.25", datetime(2024, 2, 29, 10, 11, 12, 250_000)),
    ("DT", "offset",           "20240229101112.25+0100",
     datetime(2024, 2, 29, 10, 11, 12, 250_000), "", {"utc_offset": "+0100"}),
    ("DT", "west",             "20240229101112-1200", datetime(2024, 2, 29, 10, 11, 12), "",
     {"utc_offset": "-1200"}),
    ("DT", "year, offset",     "2024+0930",        datetime(2024, 1, 1), "",
     {"utc_offset": "+0930", "precision": "YEAR"}),
    ("DT", "leap second",      "20161231235960",   datetime(2016, 12, 31, 23, 59, 59, 999_999)),
    ("DT", "garbage offset",   "20240131123045&0100", datetime(2024, 1, 31, 12, 30, 45),
     "BAD_OFFSET"),
    ("DT", "short offset",     "20240131123045+1", datetime(2024, 1, 31, 12, 30, 45),
     "BAD_OFFSET"),
    ("DT", "colon in offset",  "20240131123045+01:00", datetime(2024, 1, 31, 12, 30, 45),
     "BAD_OFFSET"),
    ("DT", "too far east",     "20240131123045+2500", datetime(2024, 1, 31, 12, 30, 45),
     "BAD_OFFSET"),
    ("DT", "Z",                "2024013112Z",      datetime(2024, 1, 31, 12), "BAD_OFFSET", HOUR),
    ("DT", "month 13",         "202413",           None, "IMPOSSIBLE_DATE"),
    ("DT", "24 hours",         "2024022924",       None, "IMPOSSIBLE_TIME"),
    ("DT", "range of days",    "20240101-20240201", None, "NOT_A_DATE_TIME"),
    ("DT", "range of years",   "2023-2024",        None, "NOT_A_DATE_TIME"),
    ("DT", "range to year",    "20230131-2024",    None, "NOT_A_DATE_TIME"),
    ("DT", "range of hours",   "2024022910-2024022911", None, "NOT_A_DATE_TIME"),
    ("DT", "range, offsets",   "2024022910+0100-2024022911+0100", None, "NOT_A_DATE_TIME"),
    ("DT", "open range",       "20240229101112-",  None, "NOT_A_DATE_TIME"),
    ("DT", "ISO",              "2024-02-29T10:11:12", None, "NOT_A_DATE_TIME"),
    ("DT", "seven digits",     "20240229101112.1234567", None, "NOT_A_DATE_TIME"),
    ("DT", "five digits",      "20242",            None, "NOT_A_DATE_TIME"),
    ("DT", "words",            "noon",             None, "NOT_A_DATE_TIME"),

    ("IS", "digits",           "12",               12),
    ("IS", "minus",            "-7",               -7),
    ("IS", "plus, zeros",      "+007",             7),
    ("IS", "zeros",            "000",              0),
    ("IS", "padded",           " 12 ",             12),
    ("IS", "12.0",             "12.0",             12, "NOT_WRITTEN_AS_INTEGER"),
    ("IS", "32 bit",           "2147483647",       2**31 - 1),
    ("IS", "beyond 32 bit",    "2147483648",       2**31, "BEYOND_32_BIT"),
    ("IS", "64 bit",           str(2**63 - 1),     2**63 - 1, "BEYOND_32_BIT"),
    ("IS", "least",            str(-(2**63)),      -(2**63), "BEYOND_32_BIT"),
    ("IS", "beyond 64 bit",    str(2**63),         None, "OUT_OF_RANGE"),
    ("IS", "20 digits",        "9" * 20,           None, "OUT_OF_RANGE"),
    ("IS", "very long",        "9" * 5000,         None, "OUT_OF_RANGE"),
    ("IS", "12.5",             "12.5",             None, "NOT_AN_INTEGER"),
    ("IS", "1e3",              "1e3",              None, "NOT_AN_INTEGER"),
    ("IS", "12A",              "12A",              None, "NOT_AN_INTEGER"),
    ("IS", "underscore",       "1_0",              None, "NOT_AN_INTEGER"),
    ("IS", "other digits",     ARABIC_12,          None, "NOT_AN_INTEGER"),

    ("LO", "inner blanks",     "  two  words ",    "two  words"),
    ("LO", "65 characters",    "x" * 65,           "x" * 65, "TOO_LONG"),
    ("LO", "very long",        "x" * 5000,         "x" * LONGEST_TEXT, "TOO_LONG"),
    ("LO", "control",          "a\x07\x7fb",       "ab"),
    ("LO", "lines",            "a\r\nb\tc",        "abc"),
    ("LO", "composed",         "Mu\u0308ller",     "M\u00fcller"),
    ("LO", "C1 control",       "c\x9bd",           "cd"),
    ("LO", "several",          "first\\second",    "first", "SEVERAL_VALUES"),
    ("LO", "first is empty",   "\\second",         None, "EMPTY_FIRST_VALUE"),
    ("LO", "empty",            "",                 None),
    ("LO", "blanks",           "  ",               None),
    ("LO", "empty values",     " \\\\ ",           None),

    ("LT", "lines",            "  a\r\nb\tc\x0b ", "  a\r\nb\tc"),
    ("LT", "backslash",        "a\\b",             "a\\b"),
    ("LT", "very long",        "x" * 5000,         "x" * LONGEST_TEXT, "", {"truncated": True}),

    ("PN", "name",             "Doe^John",         "Doe^John", "", {"norm": "doe^john"}),
    ("PN", "five components",  "Doe^J^Q^Dr^Jr",    "Doe^J^Q^Dr^Jr", "",
     {"norm": "doe^j^q^dr^jr"}),
    ("PN", "empty components", "Doe^John^^^",      "Doe^John", "", {"norm": "doe^john"}),
    ("PN", "many empty ones",  "Doe^John^^^^^^^",  "Doe^John", "", {"norm": "doe^john"}),
    ("PN", "inner component",  "Doe^^Paul",        "Doe^^Paul", "", {"norm": "doe^^paul"}),
    ("PN", "norm",             " M\u00dcLLER   von ^ Ren\u00e9", "M\u00dcLLER   von ^ Ren\u00e9",
     "", {"norm": "muller von^rene"}),
    ("PN", "groups",           "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce=\u3084\u307e\u3060^",
     "Yamada^Tarou", "", {"norm": "yamada^tarou", "ideographic": "\u5c71\u7530^\u592a\u90ce",
                          "phonetic": "\u3084\u307e\u3060"}),
    ("PN", "no alphabetic",    "=\u5c71\u7530",    None, "", {"ideographic": "\u5c71\u7530"}),
    ("PN", "phonetic only",    "==\u3084",         None, "", {"phonetic": "\u3084"}),
    ("PN", "four groups",      "A=B=C=D",          "A", "TOO_MANY_GROUPS",
     {"norm": "a", "ideographic": "B", "phonetic": "C"}),
    ("PN", "six components",   "A^B^C^D^E^F",      "A^B^C^D^E^F", "TOO_MANY_COMPONENTS",
     {"norm": "a^b^c^d^e^f"}),
    ("PN", "two names",        "A^B\\C^D",         "A^B", "SEVERAL_VALUES", {"norm": "a^b"}),
    ("PN", "very long",        "x" * 5000,         "x" * LONGEST_TEXT, "TOO_LONG",
     {"norm": "x" * LONGEST_TEXT}),
    ("PN", "norm grows",       "\ufdfa" * 300,     "\ufdfa" * 300, "",
     {"norm": ("\u0635\u0644\u0649 \u0627\u0644\u0644\u0647 \u0639\u0644\u064a\u0647 "
               "\u0648\u0633\u0644\u0645" * 300)[:LONGEST_TEXT]}),
    ("PN", "carets alone",     "^^^^",             None),

    ("SH", "text",             " a ",              "a"),
    ("SH", "17 characters",    "x" * 17,           "x" * 17, "TOO_LONG"),

    ("ST", "blanks",           "  a ",             "  a"),
    ("ST", "backslash",        "C:\\x",            "C:\\x"),
    ("ST", "1025 characters",  "x" * 1025,         "x" * 1025, "TOO_LONG"),
    ("ST", "very long",        "x" * 5000,         "x" * LONGEST_TEXT, "TOO_LONG"),

    ("TM", "hour",             "10",               time(10), "", HOUR),
    ("TM", "minute",           "1011",             time(10, 11), "", MINUTE),
    ("TM", "second",           "101112",           time(10, 11, 12)),
    ("TM", "tenths",           "101112.5",         time(10, 11, 12, 500_000)),
    ("TM", "microseconds",     "101112.000001",    time(10, 11, 12, 1)),
    ("TM", "old form",         "10:11:12",         time(10, 11, 12)),
    ("TM", "old form, part",   "10:11",            time(10, 11), "", MINUTE),
    ("TM", "padded",           "101112 ",          time(10, 11, 12)),
    ("TM", "leap second",      "235960",           time(23, 59, 59, 999_999)),
    ("TM", "not at midnight",  "123060",           time(12, 30, 59, 999_999)),
    ("TM", "leap, fraction",   "235960.5",         time(23, 59, 59, 999_999)),
    ("TM", "midnight",         "000000",           time(0)),
    ("TM", "24 hours",         "240000",           None, "IMPOSSIBLE_TIME"),
    ("TM", "minute 60",        "1060",             None, "IMPOSSIBLE_TIME"),
    ("TM", "second 61",        "101061",           None, "IMPOSSIBLE_TIME"),
    ("TM", "one colon",        "10:1112",          None, "NOT_A_TIME"),
    ("TM", "one digit",        "9",                None, "NOT_A_TIME"),
    ("TM", "seven digits",     "101112.1234567",   None, "NOT_A_TIME"),
    ("TM", "point alone",      "101112.",          None, "NOT_A_TIME"),
    ("TM", "range",            "1000-1100",        None, "NOT_A_TIME"),
    ("TM", "zone",             "101112+0100",      None, "NOT_A_TIME"),

    ("UC", "blanks",           "  a ",             "  a"),
    ("UC", "very long",        "x" * 5000,         "x" * LONGEST_TEXT, "", {"truncated": True}),

    ("UI", "padded",           "1.2.3\0",          "1.2.3"),
    ("UI", "more padding",     " 1.2.3 \0\0",      "1.2.3"),
    ("UI", "zero component",   "1.0.3",            "1.0.3"),
    ("UI", "leading zero",     "1.02.003",         "1.02.003", "BAD_UID"),
    ("UI", "letters",          "1.2.abc",          "1.2.abc", "BAD_UID"),
    ("UI", "dots",             "1..2.",            "1..2.", "BAD_UID"),
    ("UI", "64 characters",    "1." + "2" * 62,    "1." + "2" * 62),
    ("UI", "65 characters",    "1." + "2" * 63,    "1." + "2" * 63, "BAD_UID"),
    ("UI", "several",          "1.2\\1.3",         "1.2", "SEVERAL_VALUES"),
    ("UI", "NUL alone",        "\0\0",             None),

    ("UR", "address",          " http://x/a ",     "http://x/a"),
    ("UR", "backslash",        "http://x/\\b",     "http://x/\\b"),
    ("UR", "very long",        "x" * 5000,         "x" * LONGEST_TEXT, "", {"truncated": True}),

    ("UT", "backslash",        "a\\b",             "a\\b"),
    ("UT", "very long",        "x" * 5000,         "x" * LONGEST_TEXT, "", {"truncated": True}),
]


@pytest.mark.parametrize(("vr", "written", "wanted"), [(r[0], r[2], r[3:]) for r in ROWS],
                         ids=[f"{r[0]} {r[1]}" for r in ROWS])
def test_one_value(vr: str, written: str, wanted: tuple[Any, ...]) -> None:
    row = declared(vr)
    check(read(written.encode(), vr, row, UTF8), row, *wanted)


def test_every_vr_has_cases() -> None:
    assert {r[0] for r in ROWS} | {r[0] for r in BINARY} == set(VRS.split())


LISTS: list[tuple[Any, ...]] = [
    # name              VR    text             value, reasons, companions
    ("one value",       "DS", "1.5",           [1.5]),
    ("several",         "DS", "1.5\\-2\\3e1",  [1.5, -2.0, 30.0]),
    ("bad component",   "DS", "1.5\\NaN",      None, "NOT_A_NUMBER"),
    ("empty component", "DS", "0.9\\",         None, "NOT_A_NUMBER"),
    ("empty first",     "DS", "\\2",           None, "NOT_A_NUMBER"),
    ("commas",          "DS", "0.9\\0,9",      [0.9, 0.9], "DECIMAL_COMMA"),
    ("integers",        "IS", "1\\2",          [1, 2]),
    ("bad integer",     "IS", "1\\x",          None, "NOT_AN_INTEGER"),
    ("large integers",  "IS", "1\\4294967296\\4294967296", [1, 2**32, 2**32], "BEYOND_32_BIT"),
    ("dates",           "DA", "20240131\\20240201", [date(2024, 1, 31), date(2024, 2, 1)]),
    ("empty date",      "DA", "20240131\\",    None, "NOT_A_DATE"),
    ("times",           "TM", "10\\1011",      [time(10), time(10, 11)]),
    ("codes",           "CS", "ORIGINAL\\primary\\\\axial", ["ORIGINAL", "PRIMARY", "", "AXIAL"]),
    ("one text",        "LO", "a",             ["a"]),
    ("padded texts",    "LO", " a \\ b",       ["a", "b"]),
    ("empty first",     "LO", "\\b",           ["", "b"]),
    ("no value",        "LO", "",              None),
    ("only empty",      "DS", "\\\\",          None),
    ("long texts",      "UC", "x" * 5000 + "\\y", ["x" * LONGEST_TEXT, "y"], "",
     {"truncated": True}),
    ("UIDs",            "UI", "1.2\\\\1.x",    ["1.2", "", "1.x"], "BAD_UID"),
    ("names",           "PN", "A^B^\\C=D",     ["A^B", "C"]),
]


@pytest.mark.parametrize(("vr", "written", "wanted"), [(c[1], c[2], c[3:]) for c in LISTS],
                         ids=[f"{c[1]} {c[0]}" for c in LISTS])
def test_list(vr: str, written: str, wanted: tuple[Any, ...]) -> None:
    row = declared(vr, many=True)
    check(read(written.encode(), vr, row, UTF8), row, *wanted)


BINARY: list[tuple[Any, ...]] = [
    # VR    name            bytes                              several?  value, reasons
    ("AT", "tag",           b"\x18\x00\x5a\x11",               False, "0018115A"),
    ("AT", "tags",          b"\x18\x00\x10\x00\x18\x00\x11\x00", True, ["00180010", "00180011"]),
    ("AT", "odd length",    b"\x18\x00\x5a",                   False, None, "WRONG_LENGTH"),
    ("FD", "number",        struct.pack("<d", 0.1),            False, 0.1),
    ("FD", "NaN",           struct.pack("<d", math.nan),       False, None, "NOT_FINITE"),
    ("FD", "list",          struct.pack("<2d", 1, 2.5),        True,  [1.0, 2.5]),
    ("FD", "NaN in list",   struct.pack("<2d", 1, math.nan),   True,  None, "NOT_FINITE"),
    ("FL", "rounded",       struct.pack("<f", 0.1),            False, 0.1),
    ("FL", "seven digits",  struct.pack("<f", 1234567.8),      False, 1234568.0),
    ("FL", "large",         struct.pack("<f", 3.4e38),         False, 3.4e38),
    ("FL", "infinity",      struct.pack("<f", math.inf),       False, None, "NOT_FINITE"),
    ("SL", "least",         b"\x00\x00\x00\x80",               False, -(2**31)),
    ("SS", "minus",         b"\xff\xff",                       False, -1),
    ("SV", "minus",         b"\xff" * 8,                       True,  [-1]),
    ("UL", "largest",       b"\xff\xff\xff\xff",               False, 2**32 - 1),
    ("UL", "6 bytes",       b"\0" * 6,                         False, None, "WRONG_LENGTH"),
    ("US", "number",        b"\x01\x02",                       False, 0x0201),
    ("US", "list of one",   b"\x07\x00",                       True,  [7]),
    ("US", "several",       b"\x01\x00\x02\x00",               False, 1, "SEVERAL_VALUES"),
    ("US", "3 bytes",       b"\x01\x02\x03",                   False, None, "WRONG_LENGTH"),
    ("US", "empty",         b"",                               False, None),
    ("UV", "63 bit",        struct.pack("<Q", 2**63 - 1),      False, 2**63 - 1),
    ("UV", "64 bit",        struct.pack("<Q", 2**63),          False, None, "OUT_OF_RANGE"),
]


@pytest.mark.parametrize(("vr", "raw", "many", "wanted"), [(c[0], c[2], c[3], c[4:])
                                                           for c in BINARY],
                         ids=[f"{c[0]} {c[1]}" for c in BINARY])
def test_binary(vr: str, raw: bytes, many: bool, wanted: tuple[Any, ...]) -> None:
    row = declared(vr, many)
    check(read(raw, vr, row, ()), row, *wanted)


OTHER_VRS: list[tuple[Any, ...]] = [
    # name                  in file  keyword                  bytes                value, reasons
    ("not stated",          "UN",    "StudyTime",             b"1011",             time(10, 11),
     "", MINUTE),
    ("number, not stated",  "UN",    "Rows",                  b"\x00\x02",         512),
    ("a word that is none", "??",    "Rows",                  b"\x00\x02",         512),
    ("US or SS",            "SS",    "SmallestImagePixelValue", b"\xff\xff",       -1),
    ("US or SS, no more",   "US or SS", "SmallestImagePixelValue", b"\xff\xff",    65535),
    ("numbers as text",     "US",    "SoftwareVersions",      b"\x01\x00\x02\x00", ["1", "2"]),
    ("number as text",      "US",    "StudyID",               b"\x01\x00\x02\x00", "1",
     "SEVERAL_VALUES"),
    ("number for IS",       "US",    "SeriesNumber",          b"\x07\x00",         7),
    ("double for DS",       "FD",    "PatientWeight",         struct.pack("<d", 0.25), 0.25),
    ("double for US",       "FD",    "Rows",                  struct.pack("<d", 12), 12,
     "NOT_WRITTEN_AS_INTEGER"),
    ("no whole double",     "FD",    "Rows",                  struct.pack("<d", 12.5), None,
     "NOT_AN_INTEGER"),
    ("whole for FD",        "UL",    "DiffusionBValue",       struct.pack("<L", 1000), 1000.0),
    ("text for US",         "IS",    "Rows",                  b"512 ",             512),
    ("text for FD",         "DS",    "DiffusionBValue",       b"1000",             1000.0),
    ("words for US",        "LO",    "Rows",                  b"many",             None,
     "NOT_AN_INTEGER"),
    ("tag as text",         "AT",    "StudyID",               b"\x18\x00\x5a\x11", "0018115A"),
    ("text for AT",         "LO",    "DimensionIndexPointer", b"0018115a",         "0018115A"),
    ("words for AT",        "LO",    "DimensionIndexPointer", b"(0018,115A)",      None,
     "NOT_A_TAG"),
    ("another text",        "UT",    "StudyDescription",      b"a\\b",             "a",
     "SEVERAL_VALUES"),
    ("bytes",               "OB",    "StudyDescription",      b"ab",               None,
     "WRONG_VR"),
    ("sequence",            "SQ",    "StudyDescription",      b"ab",               None,
     "WRONG_VR"),
    ("declared as bytes",   "OB",    "ICCProfile",            b"ab",               None),
    ("a sequence",          "SQ",    "BeamSequence",          b"ab",               None),
]


@pytest.mark.parametrize(("vr", "keyword", "raw", "wanted"),
                         [(*c[1:4], c[4:]) for c in OTHER_VRS], ids=[c[0] for c in OTHER_VRS])
def test_vr_of_the_file(vr: str, keyword: str, raw: bytes, wanted: tuple[Any, ...]) -> None:
    (row,) = stated(keyword)
    check(read(raw, vr, row, ()), row, *wanted)


LONG = [
    # name              VR in file  keyword          text                     how many
    ("16 characters",   "DS", "PatientWeight",       "1.23456789012345",      0),
    ("17 characters",   "DS", "PatientWeight",       "1.234567890123456",     1),
    ("padded",          "DS", "PatientWeight",       " 1.23456789012345 ",    0),
    ("not stated",      "UN", "PatientWeight",       "1.234567890123456",     1),
    ("in a list",       "DS", "PixelSpacing",        f".{3:0>17}\\1\\.{6:0>16}",  2),
    ("not usable",      "DS", "PixelSpacing",        f".{3:0>17}\\x",         0),
    ("no decimal",      "LO", "StudyDescription",    "1.234567890123456789",  0),
]


@pytest.mark.parametrize(("vr", "keyword", "written", "n"), [c[1:] for c in LONG],
                         ids=[c[0] for c in LONG])
def test_long_decimals_are_counted(vr: str, keyword: str, written: str, n: int) -> None:
    (row,) = stated(keyword)
    assert read(written.encode(), vr, row, ()).long_decimals == n


def test_binary_numbers_are_no_long_decimals() -> None:
    (row,) = stated("PatientWeight")
    assert read(struct.pack("<d", 0.1 + 0.2), "FD", row, ()).long_decimals == 0


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID",
                                     "FrameOfReferenceUID"])
def test_malformed_keys_are_left_to_a_check(keyword: str) -> None:
    (row,) = stated(keyword)
    check(read(b"1.02.abc", "UI", row, ()), row, "1.02.abc")


# --- raw text of issues --------------------------------------------------------------------------

RAW = [
    # name              VR    bytes                    raw
    ("as written",      "DS", b" 12 mm ",              "12 mm"),
    ("cut",             "DS", b"x" * 1000,             "x" * LONGEST_RAW),
    ("kept value",      "CS", b"a-b",                  "a-b"),
    ("all values",      "LO", b"a\\b",                 "a\\b"),
    ("no control",      "DA", b"1\x07\x0a2",           "12"),
    ("numbers",         "US", b"\x01\x00\x02\x00",     "1\\2"),
    ("bytes",           "US", b"\x01\x02\x03",         "010203"),
    ("many bytes",      "US", b"\x01" * 101,           "01" * 32),
    ("names",           "PN", b"A^B^C^D^E^F",          ""),
]


@pytest.mark.parametrize(("vr", "raw", "shown"), [c[1:] for c in RAW], ids=[c[0] for c in RAW])
def test_raw_text_of_an_issue(vr: str, raw: bytes, shown: str) -> None:
    ((_, found),) = read(raw, vr, declared(vr), ()).issues
    assert found == shown


@pytest.mark.parametrize("vr", ["US", "AT"])
def test_a_name_in_a_wrong_vr_is_not_shown(vr: str) -> None:
    assert read(b"Doe^John^", vr, declared("PN"), ()).issues == (("WRONG_LENGTH", ""),)


# --- character sets ------------------------------------------------------------------------------

KOREAN = ("", "ISO 2022 IR 149")
CHARSETS: list[tuple[Any, ...]] = [
    # name              charset       bytes                           value, reasons
    ("default",         (),           b"plain",                       "plain"),
    ("UTF-8",           UTF8,         "Mu\u0308ller".encode(),        "M\u00fcller"),
    ("Latin-1",         LATIN,        b"M\xfcller",                   "M\xfcller"),
    ("default, 8 bit",  (),           b"M\xfcller",                   "M\xfcller"),
    ("empty term",      ("",),        b"M\xfcller",                   "M\xfcller"),
    ("Cyrillic",        ("ISO_IR 144",), b"\xbb\xee\xda",             "\u041b\u044e\u043a"),
    ("Kanji",           KANJI,        b"\x1b$B;3ED\x1b(B",            "\u5c71\u7530"),
    ("0x5C in Kanji",   KANJI,        b"\x1b$B0\\\x1b(B",             "\u79fb"),
    ("0x5C in GBK",     ("GBK",),     b"\x95\\a",                     "\u661ea"),
    ("0x5C in GB18030", ("GB18030",), b"\x95\\",                      "\u661e"),
    ("Korean",          KOREAN,       b"\x1b$)C\xb1\xe8",             "\uae40"),
    ("misspelt",        ("ISO-IR 192",), "\u00fc".encode(),           "\u00fc"),
    ("Python's name",   ("utf-8",),   "\u00fc".encode(),              "\u00fc"),
    ("not UTF-8",       UTF8,         b"M\xfcller",                   "M\ufffdller", "UNDECODABLE"),
    ("damaged before",  UTF8,         "M\ufffdller".encode(),         "M\ufffdller", "UNDECODABLE"),
    ("no escape at all", (),          b"a\x1b[31mb",                  "a[31mb"),
    ("Kanji, not said", (),           b"\x1b$B;3ED\x1b(B",            "\ufffd;3ED",
     "UNDECODABLE"),
    ("cut Kanji",       KANJI,        b"\x1b$B;3E",                   "\u5c71\ufffd",
     "UNDECODABLE"),
    ("unknown",         ("KLINGON",), b"M\xfcller",                   "M\xfcller",
     "UNKNOWN_CHARACTER_SET"),
    ("unknown second",  ("", "X"),    b"M\xfcller",                   "M\xfcller",
     "UNKNOWN_CHARACTER_SET"),
    ("unknown, ASCII",  ("KLINGON",), b"Mueller",                     "Mueller"),
    ("no text codec",   ("hex",),     b"\xff",                        "\xff",
     "UNKNOWN_CHARACTER_SET"),
    ("alone",           ("ISO_IR 192", "ISO 2022 IR 87"), "\u00fc".encode(), "\u00fc"),
    ("not alone",       ("", "ISO_IR 192"), b"M\xfcller",             "M\xfcller"),
]


@pytest.mark.parametrize(("charset", "raw", "wanted"), [(*c[1:3], c[3:]) for c in CHARSETS],
                         ids=[c[0] for c in CHARSETS])
def test_character_set(charset: tuple[str, ...], raw: bytes, wanted: tuple[Any, ...]) -> None:
    row = declared("LO")
    check(read(raw, "LO", row, charset), row, *wanted)
    assert text(raw, charset) == wanted[0]


def test_backslash_in_a_multi_byte_character_separates_nothing() -> None:
    row = declared("LO", many=True)
    assert read(b"\x95\\\\b", "LO", row, ("GB18030",)).value == ["\u661e", "b"]


def test_character_set_is_no_matter_of_codes() -> None:
    assert read(b"\xc4", "CS", declared("CS"), ("KLINGON",)).issues == (
        ("BAD_CHARACTERS", "\xc4"),)


def test_a_damaged_name_is_told_when_only_another_group_is_left() -> None:
    assert read(b"=\xff", "PN", declared("PN"), UTF8).issues == (("UNDECODABLE", ""),)


TERMS = ["", "ISO_IR 100", "ISO_IR 13", "ISO_IR 192", "GB18030", "ISO 2022 IR 6", "ISO 2022 IR 13",
         "ISO 2022 IR 58", "ISO 2022 IR 87", "ISO 2022 IR 100", "ISO 2022 IR 126",
         "ISO 2022 IR 149", "ISO 2022 IR 159"]
PIECES = [b"\x1b$B", b"\x1b(B", b"\x1b(J", b"\x1b)I", b"\x1b-F", b"\x1b$)C", b"\x1b$)A", b"\x1b$(D",
          b";3ED", b"a^b", b"\\", b"=", b"\xb1\xe8"]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(TERMS), min_size=1, max_size=3),
       st.lists(st.sampled_from(PIECES), max_size=8))
def test_text_is_decoded_as_pydicom_does(terms: list[str], pieces: list[bytes]) -> None:
    raw = b"".join(pieces)
    found = text(raw, tuple(terms))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = clean(decode_bytes(raw, convert_encodings(list(terms)), {0x5C}))
    assert "\ufffd" in found or found == expected


# --- what holds for any input --------------------------------------------------------------------

KINDS: dict[str, type] = {
    "STRING": str, "INTEGER": int, "FLOAT": float, "BOOLEAN": bool, "DATE": date,
    "LOCAL TIME": time, "LOCAL DATETIME": datetime,
}
ANY_ROW = st.sampled_from(sorted({*KEYWORDS.values(), *(
    f"{part}{name}" for part in ("Study", "Series") for name in ("Date", "Time", "InstanceUID"))}))
ANY_VR = st.sampled_from([*VRS.split(), "OB", "SQ", "UN", "US or SS", "", "zz"])
ANY_CHARSET = st.lists(st.sampled_from([*TERMS, "X", "idna", "undefined", "\udc80"]),
                       max_size=3).map(tuple)
ANY_TEXT = (st.text(max_size=40)
            | st.text("0123456789.,+-:\\eE _^=\0", max_size=30)).map(str.encode)
ANY_BYTES = (st.binary(max_size=40) | ANY_TEXT
             | st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join)
             | st.sampled_from([b"20240131", b"101112", b"2024+0100", b"1\\2", b"x" * 5000]))


def assert_sound(value: object, kind: str) -> None:
    many = value if isinstance(value, list) else [value]
    assert isinstance(value, list) == kind.startswith("LIST")
    assert {type(v) for v in many} == {KINDS[kind.removeprefix("LIST<").removesuffix(">")]}
    for v in many:
        assert not isinstance(v, float) or math.isfinite(v)
        assert not isinstance(v, int) or -(2**63) <= v < 2**63
        if isinstance(v, str):
            v.encode("utf-8")
            assert len(v) <= LONGEST_TEXT
            assert not [c for c in v if unicodedata.category(c) == "Cc" and c not in "\t\n\f\r"]


@settings(max_examples=2000, deadline=None, derandomize=True)
@given(ANY_BYTES, ANY_VR, ANY_ROW, ANY_CHARSET)
def test_any_bytes_give_a_value_of_the_declared_type(
    raw: bytes, vr: str, keyword: str, charset: tuple[str, ...]
) -> None:
    row, *companions = kept(keyword)
    found = read(raw, vr, row, charset)
    assert found == read(raw, vr, row, charset)
    if found.value is not None:
        assert_sound(found.value, row.kind)
    kinds = {p.name: p.kind for p in companions}
    assert len(dict(found.also)) == len(found.also)
    for name, value in found.also:
        assert_sound(value, kinds[name])
    for reason, shown in found.issues:
        assert reason.isupper()
        assert len(shown) <= LONGEST_RAW
        shown.encode("utf-8")
    assert len({reason for reason, _ in found.issues}) == len(found.issues)
    assert 0 <= found.long_decimals <= len(raw)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(ANY_BYTES, ANY_CHARSET)
def test_any_bytes_give_text(raw: bytes, charset: tuple[str, ...]) -> None:
    found = text(raw, charset)
    found.encode("utf-8")
    assert clean(found) == found


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(st.characters(), max_size=40), st.sampled_from(["LO", "LT", "UC", "UI"]))
def test_clean_text_stays_as_it_is(written: str, vr: str) -> None:
    once = clean(written, vr)
    assert clean(once, vr) == once
    assert unicodedata.is_normalized("NFC", once)
    assert not any(unicodedata.category(c) == "Cs" for c in once)
    assert not any(unicodedata.category(c) == "Cc" for c in once if c not in "\t\n\f\r")


def test_lone_surrogates_are_replaced() -> None:
    assert clean("a\udc80b") == "a?b"

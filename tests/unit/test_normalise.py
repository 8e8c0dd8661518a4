"""Values by VR: what is read, what is refused and why (graph-model.md 11)."""

import math
import struct
import unicodedata
from datetime import date, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtgraph.ingest.normalise import (
    LONGEST_RAW,
    LONGEST_TEXT,
    Invalid,
    Value,
    clean,
    from_bytes,
    from_text,
    is_binary,
)

ARABIC_12 = "\u0661\u0662"
DATES = [
    # name             text            value, or the reason
    ("day",            "20240131",     date(2024, 1, 31)),
    ("old form",       "2024.01.31",   date(2024, 1, 31)),
    ("dashes",         "2024-01-31",   date(2024, 1, 31)),
    ("padded",         "20240131 \0",  date(2024, 1, 31)),
    ("leap day",       "20240229",     date(2024, 2, 29)),
    ("no leap day",    "20230229",     "IMPOSSIBLE_DATE"),
    ("day 32",         "20240132",     "IMPOSSIBLE_DATE"),
    ("year 0",         "00000101",     "IMPOSSIBLE_DATE"),
    ("year alone",     "2024",         "NOT_A_DATE"),
    ("year and month", "202401",       "NOT_A_DATE"),
    ("range",          "20240101-20240201", "NOT_A_DATE"),
    ("mixed signs",    "2024.01-31",   "NOT_A_DATE"),
    ("with time",      "20240131101112", "NOT_A_DATE"),
    ("words",          "yesterday",    "NOT_A_DATE"),
    ("other digits",   f"20240{ARABIC_12}1", "NOT_A_DATE"),
    ("zeros",          "00000000",     "PLACEHOLDER"),
    ("first day",      "00010101",     "PLACEHOLDER"),
    ("1900",           "1900.01.01",   "PLACEHOLDER"),
    ("empty",          "",             None),
    ("blanks",         "  ",           None),
]
TIMES = [
    ("hour",           "10",            time(10)),
    ("minute",         "1011",          time(10, 11)),
    ("second",         "101112",        time(10, 11, 12)),
    ("tenths",         "101112.5",      time(10, 11, 12, 500_000)),
    ("microseconds",   "101112.000001", time(10, 11, 12, 1)),
    ("old form",       "10:11:12",      time(10, 11, 12)),
    ("old form, part", "10:11",         time(10, 11)),
    ("padded",         "101112 ",       time(10, 11, 12)),
    ("leap second",    "235960",        time(23, 59, 59, 999_999)),
    ("leap, fraction", "235960.5",      time(23, 59, 59, 999_999)),
    ("midnight",       "000000",        time(0)),
    ("24 hours",       "240000",        "IMPOSSIBLE_TIME"),
    ("minute 60",      "1060",          "IMPOSSIBLE_TIME"),
    ("second 61",      "101061",        "IMPOSSIBLE_TIME"),
    ("one digit",      "9",             "NOT_A_TIME"),
    ("seven digits",   "101112.1234567", "NOT_A_TIME"),
    ("point alone",    "101112.",       "NOT_A_TIME"),
    ("range",          "1000-1100",     "NOT_A_TIME"),
    ("zone",           "101112+0100",   "NOT_A_TIME"),
]
DATE_TIMES = [
    ("year",           "2024",                       datetime(2024, 1, 1)),
    ("month",          "202402",                     datetime(2024, 2, 1)),
    ("day",            "20240229",                   datetime(2024, 2, 29)),
    ("hour",           "2024022910",                 datetime(2024, 2, 29, 10)),
    ("second",         "20240229101112",             datetime(2024, 2, 29, 10, 11, 12)),
    ("fraction",       "20240229101112.25",          datetime(2024, 2, 29, 10, 11, 12, 250_000)),
    ("offset",         "20240229101112.25+0100",     datetime(2024, 2, 29, 10, 11, 12, 250_000)),
    ("west",           "20240229101112-1200",        datetime(2024, 2, 29, 10, 11, 12)),
    ("year, offset",   "2024+0930",                  datetime(2024, 1, 1)),
    ("leap second",    "20161231235960",             datetime(2016, 12, 31, 23, 59, 59, 999_999)),
    ("month 13",       "202413",                     "IMPOSSIBLE_DATE"),
    ("24 hours",       "2024022924",                 "IMPOSSIBLE_TIME"),
    ("range of days",  "20240101-20240201",          "NOT_A_DATE_TIME"),
    ("range of years", "2023-2024",                  "NOT_A_DATE_TIME"),
    ("range to year",  "20230131-2024",              "NOT_A_DATE_TIME"),
    ("ISO",            "2024-02-29T10:11:12",        "NOT_A_DATE_TIME"),
    ("five digits",    "20242",                      "NOT_A_DATE_TIME"),
]
DECIMALS = [
    ("whole",          "12",             12.0),
    ("fraction",       "-0.5",           -0.5),
    ("sign",           "+1.25",          1.25),
    ("no zero",        ".5",             0.5),
    ("point at end",   "5.",             5.0),
    ("exponent",       "1.5E-3",         0.0015),
    ("padded",         " 1.5 ",          1.5),
    ("comma",          "0,9",            0.9),
    ("17 characters",  "1.234567890123456", 1.234567890123456),
    ("many digits",    "0." + "3" * 60,  0.3333333333333333),
    ("two commas",     "1,234,5",        "NOT_A_NUMBER"),
    ("comma, point",   "1,234.5",        "NOT_A_NUMBER"),
    ("NaN",            "NaN",            "NOT_A_NUMBER"),
    ("infinity",       "inf",            "NOT_A_NUMBER"),
    ("underscore",     "1_000",          "NOT_A_NUMBER"),
    ("hexadecimal",    "0x1F",           "NOT_A_NUMBER"),
    ("other digits",   ARABIC_12,        "NOT_A_NUMBER"),
    ("unit",           "12 mm",          "NOT_A_NUMBER"),
    ("sign alone",     "-",              "NOT_A_NUMBER"),
    ("overflow",       "1.5e400",        "NOT_FINITE"),
    ("minus overflow", "-1e999",         "NOT_FINITE"),
    ("empty first",    "\\2",            "NOT_A_NUMBER"),
]
INTEGERS = [
    ("digits",         "12",             12),
    ("minus",          "-7",             -7),
    ("plus, zeros",    "+007",           7),
    ("padded",         " 12 ",           12),
    ("12.0",           "12.0",           12),
    ("64 bit",         str(2**63 - 1),   2**63 - 1),
    ("least",          str(-(2**63)),    -(2**63)),
    ("beyond 32 bit",  "4294967296",     4294967296),
    ("beyond 64 bit",  str(2**63),       "OUT_OF_RANGE"),
    ("far beyond",     "9" * 20,         "OUT_OF_RANGE"),
    ("very long",      "9" * 5000,       "OUT_OF_RANGE"),
    ("12.5",           "12.5",           "NOT_AN_INTEGER"),
    ("1e3",            "1e3",            "NOT_AN_INTEGER"),
    ("12A",            "12A",            "NOT_AN_INTEGER"),
    ("underscore",     "1_0",            "NOT_AN_INTEGER"),
    ("other digits",   ARABIC_12,        "NOT_AN_INTEGER"),
]
WORDS = [
    # name               VR    text                       value, or the reason
    ("age",              "AS", "045Y",                    "045Y"),
    ("age, weeks",       "AS", "003W",                    "003W"),
    ("age, short",       "AS", "45Y",                     Invalid("NOT_AN_AGE", "45Y")),
    ("age, no unit",     "AS", "045",                     Invalid("NOT_AN_AGE", "045")),
    ("age, lower case",  "AS", "045y",                    Invalid("NOT_AN_AGE", "045y")),
    ("code",             "CS", "CT",                      "CT"),
    ("lower case",       "CS", " ct ",                    "CT"),
    ("odd characters",   "CS", "a-b.c",                   "A-B.C"),
    ("too long code",    "CS", "a" * 20,                  "A" * 20),
    ("name",             "PN", "Doe^John",                "Doe^John"),
    ("empty components", "PN", "Doe^John^^^",             "Doe^John"),
    ("inner component",  "PN", "Doe^^Paul",               "Doe^^Paul"),
    ("groups",           "PN", "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce=\u3084\u307e\u3060",
     "Yamada^Tarou"),
    ("no alphabetic",    "PN", "=\u5c71\u7530^\u592a\u90ce", None),
    ("carets alone",     "PN", "^^^^",                    None),
    ("UID",              "UI", "1.2.3\0",                 "1.2.3"),
    ("UID with blank",   "UI", " 1.2.3 ",                 "1.2.3"),
    ("UID, zero first",  "UI", "1.02.003",                "1.02.003"),
    ("UID with letters", "UI", "1.2.abc",                 "1.2.abc"),
    ("UID, too long",    "UI", "1." + "2" * 80,           "1." + "2" * 80),
    ("inner blanks",     "LO", "  two  words ",           "two  words"),
    ("control",          "LO", "a\x1b[31mb\x07c\x9bd",    "a[31mbcd"),
    ("lines in LO",      "LO", "a\r\nb\tc",               "abc"),
    ("lines in LT",      "LT", "a\r\nb\tc\x0b",           "a\r\nb\tc"),
    ("blanks in ST",     "ST", "  a ",                    "  a"),
    ("blanks in UC",     "UC", "  a ",                    "  a"),
    ("backslash in ST",  "ST", "C:\\x",                   "C:\\x"),
    ("backslash in LT",  "LT", "a\\b",                    "a\\b"),
    ("backslash in UT",  "UT", "a\\b",                    "a\\b"),
    ("backslash in UR",  "UR", "http://x/\\b",            "http://x/\\b"),
    ("composed",         "LO", "Mu\u0308ller",            "M\u00fcller"),
    ("lone surrogate",   "LO", "a\udc80b",                "a?b"),
    ("several in VM 1",  "LO", "first\\second",           "first"),
    ("several UIDs",     "UI", "1.2\\1.3",                "1.2"),
    ("first is empty",   "LO", "\\second",                Invalid("EMPTY_FIRST_VALUE", "\\second")),
    ("empty",            "SH", "",                        None),
    ("empty values",     "LO", " \\\\ ",                  None),
    ("NUL alone",        "UI", "\0\0",                    None),
    ("long text",        "UT", "x" * 5000,                "x" * LONGEST_TEXT),
]
LISTS = [
    ("one value",        "DS", "1.5",           [1.5]),
    ("several",          "DS", "1.5\\-2\\3e1",  [1.5, -2.0, 30.0]),
    ("bad component",    "DS", "1.5\\NaN",      Invalid("NOT_A_NUMBER", "1.5\\NaN")),
    ("empty component",  "DS", "0.9\\",         Invalid("NOT_A_NUMBER", "0.9\\")),
    ("commas",           "DS", "0.9\\0,9",      [0.9, 0.9]),
    ("integers",         "IS", "1\\2",          [1, 2]),
    ("bad integer",      "IS", "1\\x",          Invalid("NOT_AN_INTEGER", "1\\x")),
    ("dates",            "DA", "20240131\\20240201", [date(2024, 1, 31), date(2024, 2, 1)]),
    ("codes",            "CS", "ORIGINAL\\primary\\\\axial",
     ["ORIGINAL", "PRIMARY", "", "AXIAL"]),
    ("one text",         "LO", "a",             ["a"]),
    ("padded texts",     "LO", " a \\ b",       ["a", "b"]),
    ("no value",         "LO", "",              None),
    ("only empty",       "DS", "\\\\",          None),
    ("names",            "PN", "A^B^\\C=D",     ["A^B", "C"]),
]
NUMBERS = [
    # name             VR    bytes                        list?  value, or the reason
    ("US",             "US", b"\x01\x02",                 False, 0x0201),
    ("SS",             "SS", b"\xff\xff",                 False, -1),
    ("UL",             "UL", b"\xff\xff\xff\xff",         False, 2**32 - 1),
    ("SL",             "SL", b"\x00\x00\x00\x80",         False, -(2**31)),
    ("SV",             "SV", b"\xff" * 8,                 False, -1),
    ("UV",             "UV", struct.pack("<Q", 2**63 - 1), False, 2**63 - 1),
    ("UV overflow",    "UV", struct.pack("<Q", 2**63),    False, "OUT_OF_RANGE"),
    ("FL rounded",     "FL", struct.pack("<f", 0.1),      False, 0.1),
    ("FL large",       "FL", struct.pack("<f", 3.4e38),   False, 3.4e38),
    ("FD",             "FD", struct.pack("<d", 0.1),      False, 0.1),
    ("FD NaN",         "FD", struct.pack("<d", math.nan), False, "NOT_FINITE"),
    ("FL infinity",    "FL", struct.pack("<f", math.inf), False, "NOT_FINITE"),
    ("list",           "FD", struct.pack("<2d", 1, 2.5),  True,  [1.0, 2.5]),
    ("list of one",    "US", b"\x07\x00",                 True,  [7]),
    ("NaN in list",    "FD", struct.pack("<2d", 1, math.nan), True, "NOT_FINITE"),
    ("VM 1, several",  "US", b"\x01\x00\x02\x00",         False, 1),
    ("3 bytes",        "US", b"\x01\x02\x03",             False, "WRONG_LENGTH"),
    ("6 bytes of UL",  "UL", b"\0" * 6,                   False, "WRONG_LENGTH"),
    ("empty",          "US", b"",                         False, None),
]


def expect(found: Value | Invalid | None, wanted: object) -> None:
    """A reason is that of an `Invalid`; equal values have equal types too."""
    if isinstance(found, Invalid) and isinstance(wanted, str):
        assert found.reason == wanted
    else:
        assert found == wanted
        assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("vr", "text", "wanted"),
    [(vr, *c[1:]) for vr, cases in (("DA", DATES), ("TM", TIMES), ("DT", DATE_TIMES),
                                    ("DS", DECIMALS), ("IS", INTEGERS)) for c in cases],
    ids=[f"{vr} {c[0]}" for vr, cases in (("DA", DATES), ("TM", TIMES), ("DT", DATE_TIMES),
                                          ("DS", DECIMALS), ("IS", INTEGERS)) for c in cases])
def test_one_number_or_time(vr: str, text: str, wanted: object) -> None:
    expect(from_text(text, vr, False), wanted)


@pytest.mark.parametrize(
    ("vr", "text", "wanted"), [c[1:] for c in WORDS], ids=[c[0] for c in WORDS])
def test_one_text(vr: str, text: str, wanted: object) -> None:
    assert from_text(text, vr, False) == wanted


@pytest.mark.parametrize(
    ("vr", "text", "wanted"), [c[1:] for c in LISTS], ids=[c[0] for c in LISTS])
def test_list(vr: str, text: str, wanted: object) -> None:
    assert from_text(text, vr, True) == wanted


@pytest.mark.parametrize(
    ("vr", "raw", "is_list", "wanted"), [c[1:] for c in NUMBERS], ids=[c[0] for c in NUMBERS])
def test_binary(vr: str, raw: bytes, is_list: bool, wanted: object) -> None:
    assert is_binary(vr)
    expect(from_bytes(raw, vr, is_list, True), wanted)
    swapped = b"".join(raw[i : i + size][::-1] for size in (struct.calcsize(FORMATS[vr]),)
                       for i in range(0, len(raw), size))
    expect(from_bytes(swapped, vr, is_list, False), wanted)


FORMATS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q"}


def test_raw_text_of_an_invalid_value_is_cut() -> None:
    found = from_text("x" * 1000, "DS", False)
    assert isinstance(found, Invalid)
    assert found.raw == "x" * LONGEST_RAW


# --- what holds for any input --------------------------------------------------------------------

TEXT_KINDS: dict[str, type] = {
    "DA": date, "TM": time, "DT": datetime, "DS": float, "IS": int,
    **dict.fromkeys(("AE", "AS", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UI", "UR", "UT"), str),
}
ANY_TEXT = st.text(st.characters(), max_size=40) | st.text("0123456789.,+-:\\eE _^=\0", max_size=30)


def is_sound(value: Value | Invalid | None, kind: type, is_list: bool) -> bool:
    if value is None:
        return True
    if isinstance(value, Invalid):
        return bool(value.reason.isupper()) and len(value.raw) <= LONGEST_RAW
    assert isinstance(value, list) == is_list
    many = value if isinstance(value, list) else [value]
    assert {type(v) for v in many} == {kind}
    assert all(math.isfinite(v) for v in many if isinstance(v, float))
    assert all(-(2**63) <= v < 2**63 for v in many if isinstance(v, int))
    for text in (v for v in many if isinstance(v, str)):
        text.encode("utf-8")
    return True


@settings(max_examples=400, deadline=None, derandomize=True)
@given(ANY_TEXT, st.sampled_from(sorted(TEXT_KINDS)), st.booleans())
def test_any_text_gives_a_value_of_its_kind(text: str, vr: str, is_list: bool) -> None:
    assert is_sound(from_text(text, vr, is_list), TEXT_KINDS[vr], is_list)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=24), st.sampled_from(sorted(FORMATS)), st.booleans(), st.booleans())
def test_any_bytes_give_a_value_of_their_kind(
    raw: bytes, vr: str, is_list: bool, little_endian: bool
) -> None:
    kind = float if vr in ("FL", "FD") else int
    assert is_sound(from_bytes(raw, vr, is_list, little_endian), kind, is_list)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(ANY_TEXT, st.sampled_from(["LO", "LT", "UC", "UI"]))
def test_clean_text_stays_as_it_is(text: str, vr: str) -> None:
    once = clean(text, vr)
    assert clean(once, vr) == once
    assert unicodedata.is_normalized("NFC", once)
    assert not any(unicodedata.category(c) == "Cs" for c in once)
    assert not any(unicodedata.category(c) == "Cc" for c in once if c not in "\t\n\f\r")

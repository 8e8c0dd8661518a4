"""The standard names of structures: the nomenclature of AAPM TG-263 for regions of interest.

`standard_names.tsv` is the single declaration; the nodes StandardName, the matching of ROI names
(`roi_names`) and the docs are made from it. Its first line of data names the columns:

name         the part of the name without its side; `{a,b}` stands for one name for each part
category     one of ours: Artery, Bone, Gland, Lymph node, Target, ...
forms        which names exist: `.` the bare name, `L` and `R` with that suffix, `s` the plural for
             both sides or the irregular plural itself, `=L`, `=R`, `=B` the bare name where it
             means the left, the right or both sides, `PRV` the margins of the report's rule
description  our own words; `{}` and `{n}` are the part, the latter without its leading zero
other names  singular, in English, German, French and Dutch; `+` marks a plural

The names are those of the report's list of 15 August 2017 with the spelling of the report
(Hypothalmus, Colon_Decending), but `LN_Iliac_Int_R` and `Colon_PRV` where the list misprints them.
`_PRV` and `_PRVxx` (the margin in mm, two figures, one where 16 characters do not hold two) stand
at the structures of the list and at others that often get one, because the report's rule is
general. Targets are the report's types and classifiers. What the report leaves open (doses and
numbers of targets, `E-PTV_xxxx`, custom text behind `^`) is no name of this list.

Source: AAPM Report 263, Standardizing Nomenclatures in Radiation Oncology (2018).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

LONGEST = 16  # characters; the report's limit, set by the planning systems of its time
MARGINS_MM = range(1, 21)
PLURAL = "+"
_PARTS = re.compile(r"\{([^}]*)\}")
_VERSION = "# list_version\t"


class Side(StrEnum):
    """The side of a structure, or of both; a structure without a side has None."""

    LEFT = "LEFT"
    RIGHT = "RIGHT"
    BOTH = "BOTH"


@dataclass(frozen=True, slots=True)
class StandardName:
    """A name of the list, as the node of the same label holds it."""

    name: str
    category: str
    side: Side | None
    description: str


@dataclass(frozen=True, slots=True)
class Structure:
    """A row of the table: the names of one structure by side, and what else it is called."""

    base: str
    category: str
    names: dict[Side | None, str]
    prv: bool
    description: str
    other_names: tuple[str, ...]

    def prv_names(self) -> Iterator[tuple[Side | None, int | None, str]]:
        """Yield side, margin in mm (None where the name states none) and name of each PRV."""
        if self.prv:
            for side in (None, Side.LEFT, Side.RIGHT):
                if side in self.names:
                    yield side, None, _with_side(f"{self.base}_PRV", side)
                    for mm in MARGINS_MM:
                        if name := _with_margin(self.base, mm, side):
                            yield side, mm, name


_SUFFIXES = {"L": Side.LEFT, "R": Side.RIGHT}
_WHOLE = {".": None, "=L": Side.LEFT, "=R": Side.RIGHT, "=B": Side.BOTH}
_WORDS = {None: "", Side.LEFT: ", left", Side.RIGHT: ", right", Side.BOTH: ", both sides"}


def _with_side(name: str, side: Side | None) -> str:
    return f"{name}_{side[0]}" if side else name


def _with_margin(base: str, mm: int, side: Side | None) -> str | None:
    for margin in (f"{mm:02d}", str(mm)):
        name = _with_side(f"{base}_PRV{margin}", side)
        if len(name) <= LONGEST:
            return name
    return None


@cache
def _lines() -> tuple[str, ...]:
    text = files("rtgraph.graphmodel").joinpath("standard_names.tsv").read_text(encoding="utf-8")
    return tuple(text.splitlines())


@cache
def list_version() -> str:
    """Return what the list is based on and which edition of ours it is."""
    (version,) = (line for line in _lines() if line.startswith(_VERSION))
    return version.removeprefix(_VERSION)


@cache
def structures() -> tuple[Structure, ...]:
    """Return the rows of the table, one for each structure.

    Raises
    ------
    ValueError
        A form of the table is unknown.
    """
    _, *rows = (line for line in _lines() if not line.startswith("#"))
    return tuple(row for line in rows for row in _expand(*_columns(line)))


def _columns(line: str) -> tuple[str, str, str, str, str]:
    name, category, forms, description, *other = line.split("\t")
    return name, category, forms, description, other[0] if other else ""


def _expand(
    template: str, category: str, forms: str, description: str, other: str,
) -> Iterator[Structure]:
    found = _PARTS.search(template)
    for part in found[1].split(",") if found else [""]:
        base = _PARTS.sub(part, template)
        yield Structure(
            base, category, _names(base, forms.split()), "PRV" in forms.split(),
            _filled(description, part),
            tuple(_filled(name.strip(), part) for name in other.split(";") if name.strip()))


def _filled(text: str, part: str) -> str:
    return text.replace("{}", part).replace("{n}", part.lstrip("0"))


def _names(base: str, forms: list[str]) -> dict[Side | None, str]:
    names: dict[Side | None, str] = {}
    for form in forms:
        if form in _WHOLE:
            names[_WHOLE[form]] = base
        elif form in _SUFFIXES:
            names[_SUFFIXES[form]] = _with_side(base, _SUFFIXES[form])
        elif form == "s":
            names[Side.BOTH] = f"{base}s"
        elif form != "PRV" and len(form) > 1:
            names[Side.BOTH] = form
        elif form != "PRV":
            raise ValueError(f"{base}: there is no form {form!r}")
    return names


@cache
def standard_names() -> dict[str, StandardName]:
    """Return the list by name: each of at most 16 characters, unique without case.

    Raises
    ------
    ValueError
        The table has a name twice or one that is too long.
    """
    names: dict[str, StandardName] = {}
    folded: set[str] = set()
    for row in _all_names():
        if row.name.casefold() in folded or len(row.name) > LONGEST:
            raise ValueError(f"{row.name} is there twice or has more than {LONGEST} characters")
        folded.add(row.name.casefold())
        names[row.name] = row
    return names


def _all_names() -> Iterator[StandardName]:
    for row in structures():
        for side, name in row.names.items():
            # a row of one name says its side itself
            words = _WORDS[side] if len(row.names) > 1 or name != row.base else ""
            yield StandardName(name, row.category, side, row.description + words)
        for side, mm, name in row.prv_names():
            margin = f"margin of {mm} mm" if mm else "margin"
            yield StandardName(
                name, "PRV", side,
                f"{row.description}{_WORDS[side]}, planning risk volume with a {margin}")

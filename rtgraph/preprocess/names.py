"""ROI names: what the file says beside a standard name, with the method, a score and the side.

The raw name is never changed. Mapping files speak first, at the level of a structure set, a site or
the cohort; then the names of TG-263 and their grammar for targets, sides and margins.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from rtgraph.errors import UnknownName, UsageError


class Method(StrEnum):
    """How a standard name was found."""

    EXACT = "EXACT"
    CASEFOLD = "CASEFOLD"
    SYNONYM = "SYNONYM"
    RULE = "RULE"


SCORES = {Method.EXACT: 1.0, Method.CASEFOLD: 0.95, Method.SYNONYM: 0.9, Method.RULE: 0.8}
SIDES = {"L": "LEFT", "R": "RIGHT"}
_SIDE_WORDS = {
    "left": "L", "lt": "L", "l": "L", "li": "L", "links": "L", "sin": "L", "sinister": "L",
    "gauche": "L", "right": "R", "rt": "R", "r": "R", "re": "R", "rechts": "R", "dex": "R",
    "dexter": "R", "droit": "R", "droite": "R",
}
_TARGET = re.compile(
    r"(?P<kind>gtv|ctv|itv|ptv|igtv|ictv)[ _-]?(?P<class>par|vas|sb|p|n|v)?"
    r"[ _-]?(?P<number>\d{1,2})?"
    r"(?:[ _-]+(?P<dose>\d{4,5}|high|mid|low|\d{2}(?:\.\d+)?\s*gy))?", re.IGNORECASE)
_PRV = re.compile(r"(?P<base>.+?)[ _-]*prv[ _-]*(?P<mm>\d{1,2})?(?: ?mm)?", re.IGNORECASE)
LONGEST = 16  # characters of a name, TG-263


@dataclass(frozen=True, slots=True)
class Standard:
    """A standard name; `side` is LEFT, RIGHT or empty."""

    name: str
    category: str
    side: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """A raw name beside what it stands for; `standard` is empty when nothing fits.

    `scope` says which mapping spoke: set, site, cohort or TG-263.
    """

    raw: str
    standard: str = ""
    method: Method | None = None
    score: float = 0.0
    side: str = ""
    scope: str = ""

    @property
    def exact(self) -> bool:
        """Tell whether the raw name is the standard name."""
        return self.method is Method.EXACT


@dataclass(frozen=True, slots=True)
class NameMap:
    """Names that a project maps itself, at three levels; keys are folded raw names."""

    cohort: Mapping[str, str] = field(default_factory=dict)
    sites: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def levels(self, site: str, sop_uid: str) -> Iterable[tuple[str, Mapping[str, str]]]:
        """Yield the scopes that speak for a structure set, the narrowest first."""
        yield "set", self.sets.get(sop_uid, {})
        yield "site", self.sites.get(site, {})
        yield "cohort", self.cohort


def read_name_map(path: Path) -> NameMap:
    """Read a mapping file: tables `[cohort]`, `[site.NAME]` and `[set."UID"]` of raw = standard.

    Raises
    ------
    UsageError
        The file cannot be read, or holds something else.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"The name mapping {path.name} cannot be read "
                         f"({type(error).__name__}).") from error
    for key in tables:
        if key not in ("cohort", "site", "set"):
            raise UnknownName("table of a name mapping", key, ["cohort", "site", "set"])
    return NameMap(_folded(tables.get("cohort", {})),
                   {k: _folded(v) for k, v in tables.get("site", {}).items()},
                   {k: _folded(v) for k, v in tables.get("set", {}).items()})


def _folded(table: Any) -> dict[str, str]:
    if not isinstance(table, dict) or not all(isinstance(v, str) for v in table.values()):
        raise UsageError("A name mapping holds lines of the form \"raw name\" = \"Standard\".")
    return {fold(raw): standard for raw, standard in table.items()}


def match(raw: str, name_map: NameMap | None = None, *, site: str = "", sop_uid: str = "") -> Match:
    """Return what a raw name stands for.

    Parameters
    ----------
    raw : str
        ROIName as written.
    name_map : NameMap, optional
        The project's own names.
    site, sop_uid : str
        Levels of the mapping that apply.
    """
    known, folded = standards(), fold(raw)
    for scope, table in (name_map or NameMap()).levels(site, sop_uid):
        if folded in table:
            name = table[folded]
            method = Method.EXACT if raw == name else Method.SYNONYM
            return Match(raw, name, method, SCORES[method], _side_of(name), scope)
    if raw in known:
        return _found(raw, raw, Method.EXACT)
    by_fold = _by_fold()
    if folded in by_fold:
        return _found(raw, by_fold[folded], Method.CASEFOLD)
    target = _target(raw)
    if target:
        return _found(raw, target, Method.EXACT if raw == target else Method.RULE)
    margin = _PRV.fullmatch(raw.strip())
    if margin:
        inner = match(margin["base"])
        if inner.standard:
            name = f"{inner.standard}_PRV" + (f"{int(margin['mm']):02d}" if margin["mm"] else "")
            return replace(_found(raw, name, Method.EXACT if raw == name else Method.RULE),
                           side=inner.side)
    return _by_side(raw) or Match(raw)


def _by_side(raw: str) -> Match | None:
    """Find a synonym after a side was taken off, wherever it stands."""
    words = [w for w in re.split(r"[^\w]+|_", unicodedata.normalize("NFC", raw).casefold()) if w]
    sides = [w for w in words if w in _SIDE_WORDS]
    choices = [(words, "")]
    if len(sides) == 1:
        choices.insert(0, ([w for w in words if w not in _SIDE_WORDS], _SIDE_WORDS[sides[0]]))
    for rest, side in choices:
        base = _synonyms().get("".join(rest)) or _by_fold().get("".join(rest))
        if base is None:
            continue
        name = f"{base}_{side}" if side else base
        if name in standards():
            direct = not side and "".join(rest) in _synonyms()
            return _found(raw, name, Method.SYNONYM if direct else Method.RULE)
    return None


def _found(raw: str, name: str, method: Method) -> Match:
    return Match(raw, name, method, SCORES[method], _side_of(name), "TG-263")


def _side_of(name: str) -> str:
    found = re.search(r"_([LR])(?:_|$)", name)
    return SIDES[found[1]] if found else ""


def _target(raw: str) -> str:
    """Return a target name after the grammar of TG-263: type, class, number, dose in cGy."""
    found = _TARGET.fullmatch(raw.strip())
    if not found:
        return ""
    kind = found["kind"].upper()
    kind = f"i{kind[1:]}" if kind.startswith(("IG", "IC")) else kind
    name = kind + (found["class"] or "").lower() + (found["number"] or "")
    dose = found["dose"]
    if dose:
        text = dose.casefold()
        if text in ("high", "mid", "low"):
            name += f"_{text.capitalize()}"
        elif text.isdigit():
            name += f"_{text}"
        else:
            name += f"_{round(float(text.removesuffix('gy').strip()) * 100)}"
    return name if len(name) <= LONGEST else ""


def fold(name: str) -> str:
    """Return a name without case, blanks and signs, for comparison."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFC", name).casefold())


@cache
def standards() -> Mapping[str, Standard]:
    """Return the shipped names of TG-263, with their sides."""
    text = files("rtgraph.preprocess").joinpath("tg263.toml").read_text(encoding="utf-8")
    found = {}
    for name, row in tomllib.loads(text)["names"].items():
        found[name] = Standard(name, row["category"])
        for side in ("L", "R") if row.get("sides") else ():
            found[f"{name}_{side}"] = Standard(f"{name}_{side}", row["category"], SIDES[side])
    return found


@cache
def _by_fold() -> Mapping[str, str]:
    return {fold(name): name for name in standards()}


@cache
def _synonyms() -> Mapping[str, str]:
    text = files("rtgraph.preprocess").joinpath("tg263.toml").read_text(encoding="utf-8")
    return {fold(word): name for name, row in tomllib.loads(text)["names"].items()
            for word in row.get("synonyms", ())}


def file_name(raw: str) -> str:
    """Return a name as it may stand in a file name: the rule of the graph's `name_file`.

    Letters, digits, dot, hyphen and underscore stay, all else becomes an underscore; without
    case, at most 64 characters, no dots at the end.
    """
    text = re.sub(r"[^\w.-]", "_", unicodedata.normalize("NFC", raw).casefold())
    return text[:64].rstrip(".")


def contradictions(found: Match, interpreted_type: str, side_in_space: str = "") -> list[str]:
    """Return where name, type and place of an ROI contradict each other, as codes."""
    codes = []
    target = found.standard[:3] in ("GTV", "CTV", "PTV", "ITV")
    if target and interpreted_type and interpreted_type not in ("GTV", "CTV", "PTV", "ITV"):
        codes.append("TARGET_TYPED_AS_OTHER")
    if found.standard and not target and interpreted_type in ("GTV", "CTV", "PTV"):
        codes.append("ORGAN_TYPED_AS_TARGET")
    if found.side and side_in_space and found.side != side_in_space:
        codes.append("SIDE")
    return codes


@dataclass(frozen=True, slots=True)
class Chosen:
    """The ROIs that stand for a wanted name, by number; several only under merge and separate."""

    name: str
    numbers: tuple[int, ...]
    problem: str = ""


def choose(wanted: Sequence[str], rois: Sequence[tuple[int, Match]], several: str = "refuse"
           ) -> list[Chosen]:
    """Return which ROIs stand for the wanted names.

    Parameters
    ----------
    wanted : sequence of str
        Standard names, or raw names where they have none.
    rois : sequence of (int, Match)
        ROI numbers and what their names stand for, in the order of the set.
    several : str
        What to do when several ROIs have one name: refuse, first, merge or separate.

    Returns
    -------
    list of Chosen
        One for each wanted name; `problem` is MISSING or SEVERAL where it cannot be given.
    """
    found = []
    for name in wanted:
        exact = [n for n, m in rois if m.raw == name]
        numbers = exact or [n for n, m in rois if m.standard == name]
        if not numbers:
            found.append(Chosen(name, (), "MISSING"))
        elif len(numbers) > 1 and several == "refuse":
            found.append(Chosen(name, tuple(numbers), "SEVERAL"))
        else:
            found.append(Chosen(name, tuple(numbers[:1] if several == "first" else numbers)))
    return found

"""ROI names of a project: what the file says beside a standard name, with method, score and scope.

The raw name is never changed. Mapping files speak first, at the level of a structure set, a site or
the cohort; then reviewers, whose decisions the graph holds; then the list and the rules of the
graph (`graphmodel.roi_names`, AAPM TG-263).
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unicodedata import normalize

from rtgraph.errors import UnknownName, UsageError
from rtgraph.graphmodel import roi_names
from rtgraph.graphmodel.roi_names import SCORES, Method
from rtgraph.graphmodel.roi_words import side_in_name
from rtgraph.graphmodel.standard_names import Side, standard_names

TARGETS = frozenset({"GTV", "CTV", "ITV", "PTV"})
_ONE_SIDE = (Side.LEFT, Side.RIGHT)


@dataclass(frozen=True, slots=True)
class Match:
    """A raw name beside what it stands for; `standard` is empty when nothing fits.

    `scope` says which mapping spoke: set, site, cohort, review or TG-263; `side` is LEFT, RIGHT,
    BOTH or empty.
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
    """Names that a project maps itself; keys are folded raw names.

    Three levels are those of a mapping file, `reviewed` are decisions that the graph holds.
    """

    reviewed: Mapping[str, str] = field(default_factory=dict)
    cohort: Mapping[str, str] = field(default_factory=dict)
    sites: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def levels(self, site: str, sop_uid: str) -> Iterable[tuple[str, Mapping[str, str]]]:
        """Yield the scopes that speak for a structure set, the narrowest first."""
        yield "set", self.sets.get(sop_uid, {})
        yield "site", self.sites.get(site, {})
        yield "cohort", self.cohort
        yield "review", self.reviewed


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
    return NameMap(cohort=_folded(tables.get("cohort", {})),
                   sites={k: _folded(v) for k, v in tables.get("site", {}).items()},
                   sets={k: _folded(v) for k, v in tables.get("set", {}).items()})


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
    folded = fold(raw)
    for scope, table in (name_map or NameMap()).levels(site, sop_uid):
        if folded in table:
            name = table[folded]
            method = Method.EXACT if raw == name else Method.SYNONYM
            return Match(raw, name, method, SCORES[method], _side(name), scope)
    found = roi_names.match(raw)
    if found is None:
        return Match(raw)
    return Match(raw, found.name, found.method, found.score, _side(found.name), "TG-263")


def _side(name: str) -> str:
    known = standard_names().get(name)
    side = known.side if known else side_in_name(name)
    return side.value if side else ""


def fold(name: str) -> str:
    """Return a name without case, with single blanks, for comparison with mapping files."""
    return " ".join(normalize("NFKC", name).casefold().split())


def contradictions(
    found: Match, interpreted_type: str, side_in_space: Side | None = None
) -> list[str]:
    """Return where name, type and place of an ROI contradict each other, as codes."""
    codes = []
    target = found.standard[:3] in TARGETS
    if target and interpreted_type and interpreted_type not in TARGETS:
        codes.append("TARGET_TYPED_AS_OTHER")
    if found.standard and not target and interpreted_type in ("GTV", "CTV", "PTV"):
        codes.append("ORGAN_TYPED_AS_TARGET")
    if found.side in _ONE_SIDE and side_in_space in _ONE_SIDE and found.side != side_in_space:
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

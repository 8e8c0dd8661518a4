"""Standard names of ROI names: `match` for what is certain by a rule, `candidates` for people.

The methods, strictest first, with their fixed scores:

EXACT     1.0   the same text
CASEFOLD  0.95  the same text but for case
SYNONYM   0.9   the words are another name of the structure in the table
RULE      0.8   the words are a name after rewriting: separators, order, plural, words of a side,
                margin of a PRV, a target with its number, dose and so on, a difference
FUZZY     to 0.7  the likeness of the letters times 0.7: a suggestion, never a match

A sided name matches names of that side only, an unsided one names without a side only. The
plural is both sides; one lung of which the side is not said matches nothing. Every word counts: a
word that is no part of the phrase (opt, ring, dummy, zz, eval, a number) leaves an ROI unmatched,
and so do a sign in front (`_`, `-`), `~` (a part of the structure), `^`, `+` and any other sign
that is no separator. A target matches its type and, where stated, its classifier: `PTVn1_5000` is
PTVn.
"""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from functools import cache, lru_cache

from rtgraph.graphmodel.roi_targets import as_target
from rtgraph.graphmodel.roi_words import (
    PLAIN,
    phrases,
    spelled,
    without_side,
    words,
)
from rtgraph.graphmodel.standard_names import Side, standard_names, structures

_LONGEST = 64  # characters of ROIName (LO, PS3.5 6.2)
_ALIKE = 0.6


class Method(StrEnum):
    """How a standard name was found."""

    EXACT = "EXACT"
    CASEFOLD = "CASEFOLD"
    SYNONYM = "SYNONYM"
    RULE = "RULE"
    FUZZY = "FUZZY"


SCORES = {Method.EXACT: 1.0, Method.CASEFOLD: 0.95, Method.SYNONYM: 0.9, Method.RULE: 0.8,
          Method.FUZZY: 0.7}


@dataclass(frozen=True, slots=True)
class Match:
    """A standard name for an ROI name: NAMED_AS with its properties."""

    name: str
    method: Method
    score: float

    @property
    def exact(self) -> bool:
        """True where the ROI name is the standard name."""
        return self.method is Method.EXACT


def as_decided(roi_name: str, standard: str | None) -> Match | None:
    """Return the standard name that a person gave an ROI name; None for one that is not listed."""
    if standard is None or standard not in standard_names():
        return None
    return _as(Method.EXACT if roi_name == standard else Method.SYNONYM, standard)


@lru_cache(1 << 16)
def match(roi_name: str) -> Match | None:
    """Return the standard name of an ROI name, or None where no rule of this module gives one.

    Parameters
    ----------
    roi_name : str
        ROIName as stated; any text, it is never changed.
    """
    if roi_name in standard_names():
        return _as(Method.EXACT, roi_name)
    if name := _by_casefold().get(roi_name.casefold()):
        return _as(Method.CASEFOLD, name)
    first = roi_name.lstrip()[:1]
    if len(roi_name) > _LONGEST or not (first.isalnum() or first in "(["):
        return None
    if target := as_target(spelled(roi_name, capitals=False)):
        return _as(Method.RULE, target.name) if target.name else None
    text = spelled(roi_name)
    if not PLAIN.fullmatch(text):
        return None
    return _difference(text) or _prv(words(text)) or _structure(words(text))


def candidates(roi_name: str, n: int = 3) -> list[Match]:
    """Return up to `n` standard names that resemble an ROI name without a match, best first.

    They are of the side that the name states. Suggestions for people, never facts.
    """
    read = without_side(words(spelled(roi_name[:_LONGEST])))
    if not read or not read[0]:
        return []
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(" ".join(read[0]))
    likeness: dict[str, float] = {}
    for phrase, name in _choices(read[1]):
        matcher.set_seq1(phrase)
        if matcher.real_quick_ratio() >= _ALIKE and matcher.quick_ratio() >= _ALIKE:
            likeness[name] = max(likeness.get(name, 0), matcher.ratio())
    best = sorted((-alike, name) for name, alike in likeness.items() if alike >= _ALIKE)
    return [Match(name, Method.FUZZY, round(-alike * SCORES[Method.FUZZY], 3))
            for alike, name in best[:n]]


def _as(method: Method, name: str) -> Match:
    return Match(name, method, SCORES[method])


@cache
def _by_casefold() -> dict[str, str]:
    return {name.casefold(): name for name in standard_names()}


@cache
def _choices(side: Side | None) -> frozenset[tuple[str, str]]:
    """Return phrases and the names of that side; without a side, also of both."""
    of = {side, Side.BOTH} if side is None else {side}
    named = {(row.base.lower(), row.base) for row in structures() if row.category == "Target"}
    named |= {(phrase, name) for (phrase, _), (name, _) in phrases().ordered.items()}
    return frozenset(c for c in named if standard_names()[c[1]].side in of)


_MARGIN = re.compile(r"(?:prv)?(\d{0,2})(?:mm)?")
_LESS = re.compile(r"(.+?)\s*(?:-|\b(?:minus|without|excluding|excl|ohne|sans|zonder)\b)\s*"
                   r"(gtv|ctv|itv|ptv)\s*")


def _structure(parts: list[str]) -> Match | None:
    read = without_side(parts)
    found = phrases().find(*read) if read else None
    return found and _as(Method.SYNONYM if found[1] else Method.RULE, found[0])


def _difference(text: str) -> Match | None:
    """Match `A minus a target` where the list has that name."""
    parted = _LESS.fullmatch(text)
    whole = _structure(words(parted[1])) if parted else None
    if not parted or not whole:
        return None
    name = f"{whole.name}-{parted[2].upper()}"
    return _as(Method.RULE, name) if name in standard_names() else None


def _prv(parts: list[str]) -> Match | None:
    """Match a structure with `PRV` and at most one margin in mm."""
    if sum(part.startswith("prv") for part in parts) != 1:
        return None
    stated = [found[1] for part in parts if (found := _MARGIN.fullmatch(part)) and found[1]]
    whole = _structure([part for part in parts if not _MARGIN.fullmatch(part)])
    if len(stated) > 1 or not whole:
        return None
    name = _prvs().get((whole.name, int(stated[0]) if stated else None))
    return _as(Method.RULE, name) if name else None


@cache
def _prvs() -> dict[tuple[str, int | None], str]:
    return {(row.names[side], mm): name for row in structures()
            for side, mm, name in row.prv_names()}

"""The words of an ROI name: spelling, sides, and the phrases that stand for a structure.

A name is spelled as its words in lower case without accents; underscores, points and capitals
inside a word part words. Words of a side are taken out, so that what is left names the structure.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from rtgraph.graphmodel.standard_names import PLURAL, Side, Structure, structures

_SIDE_WORDS = {
    Side.LEFT: "l lt lft left li lks links linke linker linkes sin sinister sinistra sx "
               "gauche gche",
    Side.RIGHT: "r rt rgt right re rechts rechte rechter rechtes dex dexter dextra dx "
                "droit droite",
    Side.BOTH: "both bilateral bilat bds beide beider beidseits total tot gesamt ges combined "
               "comb lr rl",
}
SIDES = {word: side for side, words in _SIDE_WORDS.items() for word in words.split()}
_FILLERS = frozenset(("of", "the", "de", "du", "des", "der", "la", "le", "les", "van", "het"))
_LEFT, _RIGHT = ("|".join(_SIDE_WORDS[s].split()) for s in (Side.LEFT, Side.RIGHT))
_BOTH = re.compile(rf"\b(?:(?:{_LEFT})\s*(?:[+&/]|and|und|et|en)\s*(?:{_RIGHT})"
                   rf"|(?:{_RIGHT})\s*(?:[+&/]|and|und|et|en)\s*(?:{_LEFT}))\b")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W_]+")
PLAIN = re.compile(r"[\w\s.,:;/()\[\]-]+")  # words and what only parts them
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
# Endings of one word and of several, in the four languages and Latin.
_PLURALS = (("", "s"), ("", "es"), ("", "n"), ("", "en"), ("us", "i"), ("a", "ae"), ("um", "a"),
            ("is", "es"), ("y", "ies"))
_SHORTEST_TOGETHER = 6
_AMBIGUOUS = frozenset({"ventricles"})  # of the brain, or of the heart


def spelled(text: str, capitals: bool = True) -> str:
    """Return `text` in lower case without accents, `left and right` as `both`.

    With `capitals`, a capital inside a word begins a new one: `FemurHead`, `LLung`.
    """
    text = unicodedata.normalize("NFKC", text)
    if capitals:
        text = _CAPITAL.sub(" ", text)
    text = unicodedata.normalize("NFKD", text.casefold())
    text = "".join(c for c in text if not unicodedata.combining(c)).replace("_", " ")
    return _BOTH.sub("both", text)


def words(text: str) -> list[str]:
    """Return the words of a spelled text."""
    return _WORD.findall(text)


def without_side(parts: Sequence[str]) -> tuple[list[str], Side | None] | None:
    """Return the words that name the structure and the side; None if two sides are named."""
    sides = {SIDES[word] for word in parts if word in SIDES}
    if len(sides) > 1:
        return None
    rest = [word for word in parts if word not in SIDES and word not in _FILLERS]
    return rest, next(iter(sides), None)


def side_in_name(roi_name: str) -> Side | None:
    """Return the side that a name states as a word or suffix; None where it states none or two.

    `Femur_L`, `Lt Lung` and `Niere rechts` state one, `Lung L+R` both, `Liver` and `LUL` none.
    """
    read = without_side(words(spelled(roi_name)))
    return read[1] if read else None


Key = tuple[str, Side | None]  # words joined by blanks, side


def _loose_keys(parts: Sequence[str]) -> Iterator[str]:
    """Yield the words sorted, and as one word; two letters each would make too many words."""
    yield " ".join(sorted(parts))
    if len(together := "".join(parts)) >= _SHORTEST_TOGETHER:
        yield together


@dataclass(frozen=True, slots=True)
class Phrases:
    """What the words of a name stand for, by side.

    `ordered` has the phrases of the table and tells which of them are other names (synonyms);
    `loose` has them with their words sorted, written as one word, and in the plural.
    """

    ordered: dict[Key, tuple[str, bool]] = field(default_factory=dict)
    loose: dict[Key, str] = field(default_factory=dict)

    def find(self, parts: Sequence[str], side: Side | None) -> tuple[str, bool] | None:
        """Return the standard name of words and side, and whether they are a synonym."""
        if hit := self.ordered.get((" ".join(parts), side)):
            return hit
        for key in _loose_keys(parts):
            if name := self.loose.get((key, side)):
                return name, False
        return None

    def knows(self, parts: Sequence[str]) -> bool:
        """Tell whether the words are a structure, whatever its side."""
        return any(self.find(parts, side) for side in (None, *Side))

    def add(self, parts: Sequence[str], side: Side | None, name: str, synonym: bool) -> None:
        """Add a phrase.

        Raises
        ------
        ValueError
            The phrase stands for another structure already.
        """
        known = self.ordered.setdefault((" ".join(parts), side), (name, synonym))
        for key in _loose_keys(parts):
            loosely = self.loose.setdefault((key, side), name)
            if {known[0], loosely} != {name}:
                raise ValueError(f"{' '.join(parts)!r} is both {name} and {known[0]} or {loosely}")


@cache
def phrases() -> Phrases:
    """Return the phrases of the table.

    Targets and differences have a grammar of their own and are not here.
    """
    found = Phrases()
    rows = [row for row in structures() if row.category not in ("Target", "Derived")]
    for row in rows:
        for parts, said, synonym in _phrases_of(row):
            for side, name in _meant(row, said):
                found.add(parts, side, name, synonym)
    for row in rows:
        _add_plurals(found, row)
    return found


Phrase = tuple[list[str], Side | None, bool]  # words, the side they say, is it another name


def _phrases_of(row: Structure) -> Iterator[Phrase]:
    """Yield the phrases of a row in the singular."""
    yield from _read(row.base, False)
    for other in row.other_names:
        if not other.startswith(PLURAL):
            yield from _read(other, True)


def _read(phrase: str, synonym: bool) -> Iterator[Phrase]:
    """Yield a phrase of the table; one with umlauts also as written without them."""
    for text in dict.fromkeys((phrase, phrase.translate(_UMLAUTS))):
        if read := without_side(words(spelled(text))):
            yield *read, synonym


def _meant(row: Structure, said: Side | None) -> Iterator[tuple[Side | None, str]]:
    """Yield the sides with which a phrase stands for a name of the row."""
    if said is None:
        yield from row.names.items()
        if None not in row.names and len(row.names) == 1:  # LUL has its side without a word of it
            yield None, next(iter(row.names.values()))
    elif said in row.names:  # VB_L says LEFT, which its row has not: it stands for nothing
        yield said, row.names[said]


def _add_plurals(found: Phrases, row: Structure) -> None:
    """Add plurals where they are no phrase yet: both sides, or the bare name if there is one."""
    plural = row.names.get(Side.BOTH) or row.names.get(None)
    if plural is None:
        return
    stated = [p for o in row.other_names if o.startswith(PLURAL) for p in _read(o, True)]
    stated += _read(row.names.get(Side.BOTH, row.base), False)
    made = [([*parts[:-1], word], said, synonym) for parts, said, synonym in _phrases_of(row)
            for word in _plurals(parts[-1])]
    for parts, said, synonym in stated:
        if said is None:
            found.add(parts, None, plural, synonym)
    for parts, said, _ in [*stated, *made]:
        for key in _loose_keys(parts):
            if said is None and key not in _AMBIGUOUS:
                for side in (None, Side.BOTH) if Side.BOTH in row.names else (None,):
                    found.loose.setdefault((key, side), plural)


def _plurals(word: str) -> Iterator[str]:
    for ending, plural in _PLURALS:
        if word.endswith(ending):
            yield word.removesuffix(ending) + plural

"""ROI names that begin with a target type: which target of the standard names they are.

The report builds the names of targets from type, classifier, number, imaging modality, structure,
dose, fractions and a crop margin (section 8 of AAPM Report 263); the list of names has types and
classifiers only. What tells targets of one type apart is read over, what makes another volume of
a target (opt, eval, ring, an added margin, a cut out organ) is not.
"""

import re
from dataclasses import dataclass
from functools import cache

from rtgraph.graphmodel.roi_words import PLAIN, phrases, without_side
from rtgraph.graphmodel.standard_names import structures

# high and intermediate risk of brachytherapy may stand before the type, as in HR-CTV
_TARGET = re.compile(r"\s*(?:[hi]r[\s-]*)?(gtv|ctv|itv|igtv|ictv|ptv!?)(.*)", re.DOTALL)
_ATTACHED = re.compile(r"(?:p|n|sb|par|vas|v(?!\d))(?![^\W\d])")
_DOSE = r"\d+(?:[.,p]\d+)?(?:\s*c?gy)?(?:\s*x\s*\d+)?"
_IMAGE_OR_VERSION = r"[tv]\d+"  # T1, T2; v2
_TOKEN = re.compile(rf"(-?)\s*(?:{_DOSE}|{_IMAGE_OR_VERSION}|([^\W\d]+))")
_WORDS_OF = {
    "p": "p prim primary t tumor tumour",
    "n": "n node nodes nodal ln lns lk",
    "sb": "sb",
    "": "boost bst sib high hi mid low lo hr ir ct mr mri pt pet sp total tot gesamt ges fx fr gy "
        "cgy i ii iii iv",
}
_CLASSIFIERS = {word: classifier for classifier, words in _WORDS_OF.items()
                for word in words.split()}


@dataclass(frozen=True, slots=True)
class Target:
    """What a name that begins with a target type is: a standard name, or None if unknown."""

    name: str | None


def as_target(text: str) -> Target | None:
    """Return the target of a spelled name, or None if it does not begin with a target type."""
    found = _TARGET.fullmatch(text)
    return Target(_name(found[1].upper(), found[2])) if found else None


def _name(kind: str, rest: str) -> str | None:
    if rest and not PLAIN.fullmatch(rest):
        return None
    attached = _ATTACHED.match(rest)
    classifiers = {attached[0]} if attached else set()
    tokens = [(bool(hyphen), word)
              for hyphen, word in _TOKEN.findall(rest, attached.end() if attached else 0) if word]
    if all(word in _CLASSIFIERS for _, word in tokens):
        classifiers |= {_CLASSIFIERS[word] for _, word in tokens} - {""}
    elif not _is_place(tokens):
        return None
    return kind + "".join(classifiers) if len(classifiers) < 2 else None


def _is_place(tokens: list[tuple[bool, str]]) -> bool:
    """Tell whether the words are an organ without a side; behind a hyphen it is cut out."""
    read = without_side([word for _, word in tokens if _CLASSIFIERS.get(word) != ""])
    if not read or read[1] or any(hyphen for hyphen, _ in tokens):
        return False
    return phrases().knows(read[0]) and " ".join(read[0]) not in _no_places()


@cache
def _no_places() -> frozenset[str]:
    """Return the phrases of what is no organ, such as skin, bolus and eval."""
    no = {name for row in structures() for name in row.names.values()
          if row.category in ("Body", "Device", "Planning", "Skin", "Space")}
    return frozenset(phrase for (phrase, _), (name, _) in phrases().ordered.items() if name in no)

"""The header of an object as plain values: what a scan gives and what reading takes.

An `Item` maps DICOM keywords to leaves and to lists of items; a leaf is the VR that the file
states ("" when it states none) and the bytes, little endian. Sequences that the plan does not name
stand under their keyword, or under the tag as (GGGG,EEEE). Nothing here raises on odd values.
"""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import TypeAlias, Union

from rtgraph.graphmodel.properties import Property, stated
from rtgraph.ingest.normalise import LONGEST_RAW, Reading, clean, read, text

Leaf: TypeAlias = tuple[str, bytes]
Item: TypeAlias = dict[str, Union[Leaf, "list[Item]"]]
Charset: TypeAlias = tuple[str, ...]


class Root(dict[str, Union[Leaf, "list[Item]"]]):
    """The outermost item; `private` counts its private elements, creators included."""

    private = 0


CODE = ("CodeValue", "LongCodeValue", "URNCodeValue", "CodingSchemeDesignator", "CodeMeaning")
LARGE = 4096  # bytes: such values, as histograms, do not come again and would fill the memory
cached_read = lru_cache(65536)(read)
_text = lru_cache(65536)(text)


def charset_of(item: Item, inherited: Charset = ()) -> Charset:
    """Return the defined terms of SpecificCharacterSet, those of the enclosing item by default."""
    leaf = item.get("SpecificCharacterSet")
    return _terms(leaf[1]) if isinstance(leaf, tuple) else inherited


@lru_cache(256)
def _terms(raw: bytes) -> Charset:
    terms = raw.decode("latin-1").split("\\")
    return tuple(t.strip(" \0") for t in terms) if any(terms) else ()


def text_of(item: Item, keyword: str, charset: Charset = ()) -> str:
    """Return the text of an attribute, several values joined by backslashes; "" when absent."""
    leaf = item.get(keyword)
    return _text(leaf[1], charset) if isinstance(leaf, tuple) else ""


def first_text(item: Item, keyword: str, charset: Charset = ()) -> str:
    """Return the first value of an attribute as text."""
    leaf = item.get(keyword)
    return _first(leaf[1], charset) if isinstance(leaf, tuple) else ""


@lru_cache(65536)
def _first(raw: bytes, charset: Charset) -> str:
    return clean(text(raw, charset).split("\\")[0])


def items(item: Item, keyword: str) -> Sequence[Item]:
    """Return the items of a sequence; none when it is absent."""
    found = item.get(keyword)
    return found if isinstance(found, list) else ()


def leaf_of(item: Item, declared: Property) -> Leaf | None:
    """Return the bytes of a declared attribute; of one below sequences, that of the first items."""
    for keyword in declared.below:
        nested = items(item, keyword)
        if not nested:
            return None
        item = nested[0]
    leaf = item.get(declared.name)
    return leaf if isinstance(leaf, tuple) else None


def reading(item: Item, declared: Property, charset: Charset) -> Reading:
    """Read a declared attribute: its value, companions, and what is wrong with it."""
    leaf = leaf_of(item, declared)
    if leaf is None:
        return _NOTHING
    of = read if len(leaf[1]) > LARGE else cached_read
    return of(leaf[1], leaf[0] or declared.vr, declared, charset)


_NOTHING = Reading()


def numbers(item: Item, keyword: str) -> tuple[int, ...]:
    """Return the whole numbers of an attribute; none when one of them is no number."""
    if keyword not in item:
        return ()
    found = reading(item, _declared(keyword), ()).value
    return tuple(v for v in (found if isinstance(found, list) else [found]) if isinstance(v, int))


def number(item: Item, keyword: str) -> int | None:
    """Return the first whole number of an attribute; None when it is absent or none."""
    return next(iter(numbers(item, keyword)), None)


@cache
def _declared(keyword: str) -> Property:
    return stated(keyword)[0]


def codes(item: Item, keyword: str) -> tuple[str, ...]:
    """Return the items of a code sequence as `scheme^value`, sorted."""
    if keyword not in item:
        return ()
    return tuple(sorted({key for key, _ in coded(item, keyword)}))


def coded(item: Item, keyword: str, charset: Charset = ()) -> Iterator[tuple[str, str]]:
    """Yield `scheme^value` and meaning of the items of a code sequence (PS3.3 8.1)."""
    for code in items(item, keyword):
        value = next(filter(None, (first_text(code, name) for name in CODE[:3])), "")
        scheme = first_text(code, "CodingSchemeDesignator")
        if value or scheme:
            yield (f"{scheme}^{value}"[:LONGEST_RAW],
                   first_text(code, "CodeMeaning", charset_of(code, charset))[:LONGEST_RAW])

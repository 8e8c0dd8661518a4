"""What narrows a reference: frames, segments, numbers of parts, purposes, the side it is on."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from rtgraph.graphmodel.references import CODES, TEXTS, Qualifier, Reference
from rtgraph.graphmodel.relationships import QUALIFIERS
from rtgraph.ingest.items import Item, codes, first_text, items, numbers
from rtgraph.ingest.normalise import LONGEST_RAW

Pairs: TypeAlias = tuple[tuple[str, Any], ...]

# An unknown reference keeps what every kind of reference may have.
_ANY = (Qualifier("frames", 0, (), "ReferencedFrameNumber"),
        Qualifier("segments", 0, (), "ReferencedSegmentNumber"))
_LISTS = frozenset(p.name for p in QUALIFIERS if p.kind.startswith("LIST"))


def of_item(stack: tuple[Item, ...], row: Reference | None, number: int) -> Pairs:
    """Return the qualifiers of the item on top of the stack; without a row those of any."""
    pairs: dict[str, Any] = {}
    for q in row.narrowed_by if row else _ANY:
        if q.up < len(stack) and (q.below[0] if q.below else q.keyword) in stack[-1 - q.up]:
            values = tuple(_values(stack[-1 - q.up], q.below, q.keyword))
            if values and q.name in _LISTS:
                pairs[q.name] = tuple(dict.fromkeys((*pairs.get(q.name, ()), *values)))
            elif values:
                pairs[q.name] = values[0]
    if row and row.is_itemized:
        pairs["items"] = (number,)
        pairs["side"] = side(stack[0], stack[1])
    return tuple((p.name, pairs[p.name]) for p in QUALIFIERS if p.name in pairs) if pairs else ()


def side(registration: Item, item: Item) -> str:
    """Tell which data an item of a registration names (PS3.3 C.20.2 and C.20.3).

    The item in the frame of reference of the object holds the registered (fixed) data.
    """
    own = first_text(registration, "FrameOfReferenceUID")
    stated_frame = first_text(item, "FrameOfReferenceUID") or first_text(
        item, "SourceFrameOfReferenceUID")
    return "REGISTERED" if own and stated_frame == own else "SOURCE"


def _values(item: Item, below: tuple[str, ...], keyword: str) -> Iterator[Any]:
    if below:
        for child in items(item, below[0]):
            yield from _values(child, below[1:], keyword)
    elif keyword in CODES:
        yield from codes(item, keyword)
    elif keyword in TEXTS:
        if text := first_text(item, keyword)[:LONGEST_RAW].upper():
            yield text
    else:
        yield from numbers(item, keyword)


def merged(all_pairs: Iterable[Pairs]) -> Pairs:
    """Merge what several items of one reference say, whatever their order."""
    values: dict[str, set[Any]] = {}
    for pairs in all_pairs:
        for name, value in pairs:
            values.setdefault(name, set()).update(value if name in _LISTS else (value,))
    return tuple((name, _one(name, found)) for name, found in values.items())


def _one(name: str, found: set[Any]) -> Any:
    if name in _LISTS:
        return tuple(sorted(found))
    return "|".join(sorted(found)) if name == "path" else min(found)

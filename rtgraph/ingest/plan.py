"""What a scan takes out of a header, compiled once from the declarations.

Properties of the graph model, the paths of the reference table and what derived facts need become
one tree of tags. Adding a property or a row of the table changes nothing in the scanner.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TypeAlias, Union

from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

from rtgraph.graphmodel.families import FAMILIES
from rtgraph.graphmodel.nodes import IMAGE_SERIES, INSTANCE, PATIENT, SERIES, STUDY
from rtgraph.graphmodel.parts import PARTS
from rtgraph.graphmodel.references import CODES, NESTED_CONTENT, Reference, references
from rtgraph.ingest.families import NEEDED
from rtgraph.ingest.items import CODE, Item

# In every item: what a reference may be, whether the table knows it or not.
REFERRING = ("ReferencedSOPInstanceUID", "SeriesInstanceUID")
_QUALIFIERS = ("ReferencedSOPClassUID", "ReferencedFrameNumber", "ReferencedSegmentNumber")

KEPT = 2048  # small sequences of one kind whose bytes are remembered

Wanted: TypeAlias = Union[str, "Node"]


@dataclass(slots=True)
class Node:
    """What is wanted of the items of a sequence: `wanted` maps keys to keywords and nodes.

    A key is the tag as its four bytes are read as one little endian number, so that a scan needs
    no arithmetic for it. `kept` holds the items of small sequences, explicit and implicit, by their
    bytes: the slices of a series repeat them.
    """

    name: str
    wanted: dict[int, Wanted] = field(default_factory=dict)
    kept: tuple[dict[bytes, list[Item]], ...] = field(default_factory=lambda: ({}, {}), repr=False)

    def keep(self, implicit: bool, content: bytes, found: list[Item]) -> None:
        """Keep what the bytes of a small sequence gave; nobody changes it afterwards."""
        kept = self.kept[implicit]
        if len(kept) >= KEPT:
            kept.clear()
        kept[content] = found


def key_of(tag: int) -> int:
    """Return the key of a tag, and the tag of a key: the two halves change places."""
    return (tag & 0xFFFF) << 16 | tag >> 16


@lru_cache(65536)
def name_of(tag: int) -> str:
    """Return the keyword of a tag, or the tag as (GGGG,EEEE) where there is none."""
    return keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


PIXELS = Node("pixel data")
PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
ITEM_END = Node("item delimiter")
_ITEM_END_TAG = 0xFFFEE00D


def _node(name: str) -> Node:
    node = Node(name, {key_of(_ITEM_END_TAG): ITEM_END})
    for keyword in (*REFERRING, *_QUALIFIERS, "SpecificCharacterSet"):
        _leaf(node, keyword)
    return node


def _leaf(node: Node, keyword: str) -> None:
    node.wanted.setdefault(key_of(tag_of(keyword)), keyword)


def _below(node: Node, keyword: str) -> Node:
    found = node.wanted.setdefault(key_of(tag_of(keyword)), keyword)
    if isinstance(found, str):
        found = node.wanted[key_of(tag_of(keyword))] = _node(keyword)
    return found


def tag_of(keyword: str) -> int:
    """Return the tag of a keyword."""
    tag = tag_for_keyword(keyword)
    assert tag is not None, keyword
    return tag


# Sequences that the plan does not name are looked through for references alone.
UNLISTED = _node("")


def _plant(root: Node, path: Iterable[str]) -> None:
    """Add a path of keywords; a step with a star is a sequence that nests in itself."""
    node = root
    *steps, last = path
    for step in steps:
        node = _below(node, step.removesuffix("*"))
        if step == NESTED_CONTENT:
            node.wanted[key_of(tag_of("ContentSequence"))] = node
        for keyword in CODES:
            for part in CODE:
                _leaf(_below(node, keyword), part)
    if dictionary_VR(tag_of(last)) == "SQ":
        _below(node, last)
    else:
        _leaf(node, last)


def _narrowing(row: Reference) -> Iterable[tuple[str, ...]]:
    """Where the attributes stand that narrow a reference."""
    where = row.path[:-1]
    for q in row.narrowed_by:
        path = (*where[: len(where) - q.up], *q.below, q.keyword)
        yield from (((*path, leaf) for leaf in CODE) if q.keyword in CODES else (path,))


@cache
def plan(more: tuple[int, ...] = ()) -> Node:
    """Return the plan of all objects; `more` are tags of attributes that the user wants."""
    root = _node("data set")
    declared = (*PATIENT, *STUDY, *SERIES, *IMAGE_SERIES, *INSTANCE,
                *(p for kind in FAMILIES for p in kind.properties))
    paths = [(*p.below, p.name) for p in declared if p.stated]
    paths += [(*where, p.name) for part in PARTS for where, properties in part.stated
              for p in properties if p.stated]
    paths += [way for row in references() if row.source_sop_classes for way in _narrowing(row)]
    paths += [row.path for row in references() if row.source_sop_classes]
    paths += [(*row.path[:-1], row.role_from) for row in references()
              if row.source_sop_classes and row.role_from and tag_for_keyword(row.role_from)]
    for path in (*paths, *NEEDED):
        _plant(root, path)
    for tag in more:
        root.wanted.setdefault(key_of(tag), name_of(tag))
    root.wanted |= {key_of(tag): PIXELS for tag in PIXEL_TAGS}
    return root

"""An object while it is read: what the rules of its family add to it.

A rule gets the draft and adds derived properties to `facts`, parts with their links, and issues.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rtgraph.graphmodel.parts import PartType
from rtgraph.graphmodel.properties import Property
from rtgraph.graphmodel.references import Branch, Reference, tree
from rtgraph.ingest.items import (
    Charset,
    Item,
    charset_of,
    coded,
    first_text,
    items,
    number,
    reading,
)
from rtgraph.ingest.normalise import LONGEST_UID
from rtgraph.ingest.records import Issue, Link, Part
from rtgraph.ingest.walker import References, shared_link


@dataclass(slots=True)
class Draft:
    """The header of an object and what is known about it so far.

    `facts` are the properties of the instance by name, stated ones included.
    """

    item: Item
    charset: Charset
    sop_class: str
    sop_uid: str
    facts: dict[str, Any]
    references: References
    has_pixels: bool = False
    parts: list[Part] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    _numbers: Counter[str] = field(default_factory=Counter)

    def part(
        self, kind: PartType, item: Item, place: int, path: Sequence[str], /, **derived: Any
    ) -> str:
        """Add a part with what its item states; return the suffix of its key.

        Parameters
        ----------
        item : Item
            The item that makes the part, at `path` of its declaration.
        place : int
            That in the sequence, from 1.
        derived
            Properties from rules; None is none.
        """
        suffix = self._suffix(kind, item, place)
        values = self.stated(kind, item, *path) if path else {}
        values |= {name: value for name, value in derived.items() if value is not None}
        self.parts.append(Part(kind.label, suffix, place, values))
        if kind.level:
            branch = tree(self.sop_class).below.get(path[0], Branch())
            for row, uid in _shared(item, branch, kind.level):
                if len(uid) > LONGEST_UID:
                    self.issues.append((row.path[-1], "TOO_LONG", ""))
                else:
                    self.links.append(shared_link(row, kind.label, suffix, uid))
        return suffix

    def _suffix(self, kind: PartType, item: Item, place: int) -> str:
        given = number(item, kind.number) if kind.number else place
        suffix = f"#{kind.letter}{'?' + str(place) if given is None else given}"
        self._numbers[suffix] += 1
        times = self._numbers[suffix]
        return suffix if times == 1 else f"{suffix}.{times}"

    def stated(self, kind: PartType, item: Item, *path: str) -> dict[str, Any]:
        """Read what the item at a path of the declaration states; what is wrong is an issue."""
        values: dict[str, Any] = {}
        charset = charset_of(item, self.charset)
        for declared in kind.at(*path):
            if not declared.companion_of and declared.name in item:
                found = reading(item, declared, charset)
                if found.value is not None:
                    values[declared.name] = found.value
                values.update(found.also)
                self.issues += [(declared.name, reason, raw) for reason, raw in found.issues]
        return values

    def value(self, item: Item, declared: Property) -> Any:
        """Read one attribute without noting what is wrong with it."""
        return reading(item, declared, self.charset).value

    def text(self, item: Item, keyword: str) -> str:
        """Return the first value of an attribute as text, "" when absent."""
        return first_text(item, keyword, charset_of(item, self.charset))

    def link(self, kind: str, source: tuple[str, str], target: tuple[str, str],
             **values: Any) -> None:
        """Add an edge between two (label, suffix or key); the object itself is ("", "")."""
        kept = tuple((name, value) for name, value in values.items() if value is not None)
        self.links.append(Link(kind, *source, *target, kept))

    def codes(self, found: Sequence[Item], *keywords: str) -> dict[tuple[str, str], str]:
        """Return meanings by (keyword of the code sequence, scheme^value)."""
        return {(keyword, key): meaning for item in found for keyword in keywords
                for key, meaning in coded(item, keyword, self.charset)}

    def link_codes(self, source: tuple[str, str], codes: dict[tuple[str, str], str]) -> None:
        """Link a part, or the object, to codes."""
        for (keyword, key), meaning in codes.items():
            self.link("CODED_AS", source, ("Code", key), attribute=keyword,
                      meaning=meaning or None)


def _shared(item: Item, branch: Branch, level: str) -> Iterator[tuple[Reference, str]]:
    """Yield the shared UIDs that an item of a part states, along the reference table."""
    for keyword, rows in branch.leaves.items():
        row = rows[0]
        if row.start == level and row.missing == "hub_node" and (uid := first_text(item, keyword)):
            yield row, uid
    for name, below in branch.below.items():
        for child in items(item, name):
            yield from _shared(child, below, level)

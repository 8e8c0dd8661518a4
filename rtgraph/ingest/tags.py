"""Attributes that users add with `--tags FILE`: typed properties of Instance.

One attribute a line; what stands behind `#` is a comment:

    RescaleType                                     a keyword
    (0018,9345)                                     a tag of the data dictionary, or 00189345
    (0029,xx10) "SIEMENS CSA HEADER" LO Version     a private element: creator, VR, name
    (0029,xx11) "SIEMENS CSA HEADER" DS[] Values    one with several values

They are read from the data set itself, not from sequences. The attributes in use are kept with the
graph, so each run reads them all, and no property outlives a change of its file.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom.datadict import dictionary_VR, keyword_dict, keyword_for_tag, tag_for_keyword

from rtgraph.errors import UnknownName, UsageError
from rtgraph.graphmodel import usertags
from rtgraph.graphmodel.families import FAMILIES
from rtgraph.graphmodel.nodes import INSTANCE, PATIENT, SERIES, STUDY
from rtgraph.graphmodel.properties import Property, kind_of, stated
from rtgraph.graphmodel.schema import HOLD_SCHEMA
from rtgraph.ingest.items import Item, Leaf, first_text
from rtgraph.ingest.plan import name_of
from rtgraph.ingest.records import Instance
from rtgraph.ingest.vr import READERS

if TYPE_CHECKING:
    from rtgraph.store.bolt import Store, Transaction

LABEL = "User"  # key of these values in `Instance.values`
# Of which a property can hold the values.
_VRS = frozenset({*READERS, "LT", "UC", "UR", "UT", "US or SS"})
_BLOCKS = range(0x10, 0x100)
_KEYWORD = re.compile(r"[A-Za-z][A-Za-z0-9]*", re.ASCII)
_TAG = re.compile(r"\(?([0-9A-Fa-f]{4}),? ?([0-9A-Fa-f]{4})\)?", re.ASCII)
_PRIVATE = re.compile(
    r'\(([0-9A-Fa-f]{4}), ?[xX]{2}([0-9A-Fa-f]{2})\)\s+"([^"\\]{1,64})"\s+([A-Z]{2})(\[\])?'
    r"\s+([A-Za-z][A-Za-z0-9_]{0,63})", re.ASCII)
_COMMENT = re.compile(r'((?:[^"#]|"[^"]*")*)#.*')
_FORM = 'A private element is written as (gggg,xxee) "CREATOR" VR name.'


@dataclass(frozen=True, slots=True)
class UserTag:
    """An attribute of the user.

    `tag` is its tag; of a private element it has the group and the last two digits, and the block
    in the file is that of `creator`. `kind` is the type of the property in Neo4j.
    """

    name: str
    tag: int
    vr: str
    kind: str
    creator: str = ""

    @property
    def is_list(self) -> bool:
        """Tell whether the value is a list, also when the file has one value."""
        return self.kind.startswith("LIST")

    @property
    def is_private(self) -> bool:
        """Tell whether the element is found through its creator."""
        return bool(self.creator)

    @property
    def elements(self) -> tuple[int, ...]:
        """The tags that a scan takes out: a private one may be in any block of its group."""
        if not self.creator:
            return (self.tag,)
        group, offset = self.tag & 0xFFFF0000, self.tag & 0xFF
        return tuple(group | tag for block in _BLOCKS for tag in (block, block << 8 | offset))

    def leaf(self, item: Item) -> Leaf | None:
        """Return the bytes of the attribute; a private one is in the block of its creator."""
        tag = self.tag
        if self.creator:
            group = tag & 0xFFFF0000
            block = next((b for b in _BLOCKS
                          if first_text(item, name_of(group | b)) == self.creator), None)
            if block is None:
                return None
            tag = group | block << 8 | tag & 0xFF
        leaf = item.get(name_of(tag))
        return leaf if isinstance(leaf, tuple) else None

    @property
    def line(self) -> str:
        """The line of a file that means this attribute."""
        if not self.creator:
            return self.name
        name = self.name.removeprefix(_prefix(self.creator))
        vr = self.vr + ("[]" if self.is_list else "")
        return f'({self.tag >> 16:04X},xx{self.tag & 0xFF:02X}) "{self.creator}" {vr} {name}'


def read_tags(path: Path, *, names: bool = False) -> tuple[UserTag, ...]:
    """Read a file of attributes.

    Parameters
    ----------
    names : bool
        Whether the graph may hold names of persons.

    Raises
    ------
    UsageError
        The file cannot be read, or a line cannot be used; the message tells which and why.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"The file of attributes cannot be read: {reason}.") from error
    found: dict[str, tuple[int, UserTag]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _COMMENT.fullmatch(line)
        written = (match[1] if match else line).strip()
        if not written:
            continue
        tag = parse_line(written, number)
        if where := _places().get(tag.name):
            raise _wrong(number, f"the graph has {tag.name} already, on {where}", "Leave it out.")
        if tag.vr == "PN" and not names:
            raise _wrong(number, f"{tag.name} is a person's name, which the graph does not keep",
                         "Set privacy.names = true in rtgraph.toml to keep names.")
        if tag.name in found:
            raise _wrong(number, f"{tag.name} stands in line {found[tag.name][0]} already",
                         "Leave one of them out.")
        found[tag.name] = number, tag
    return tuple(tag for _, tag in found.values())


def parse_line(line: str, number: int) -> UserTag:
    """Return the attribute that a line means.

    Raises
    ------
    UsageError
        It means none, or one without a value that a property could hold.
    """
    if match := _PRIVATE.fullmatch(line):
        return _private(match, number)
    match = _TAG.fullmatch(line)
    if match and tag_for_keyword(line) is None:
        tag = int(match[1] + match[2], 16)
        if (tag >> 16) % 2:
            raise _wrong(number, "a private element needs its creator", _FORM)
        keyword = keyword_for_tag(tag)
        if not keyword:
            raise _wrong(number, "the data dictionary has no such tag")
        return _public(keyword, number)
    if _KEYWORD.fullmatch(line):
        return _public(line, number)
    raise _wrong(number, "neither a keyword nor a tag", _FORM)


def _public(keyword: str, number: int) -> UserTag:
    tag = tag_for_keyword(keyword)
    if tag is None:
        close = get_close_matches(keyword, keyword_dict, n=1, cutoff=0.6)
        error = UnknownName(f"attribute (line {number})", keyword, close)
        if not close:
            error.hint = "Attributes are named by their keyword in the DICOM data dictionary."
        raise error
    vr = dictionary_VR(tag)
    if tag < 0x00080000:
        raise _wrong(number, f"{keyword} is not in the data set of an object")
    _check_vr(vr, keyword, number)
    return UserTag(keyword, tag, vr, stated(keyword)[0].kind)


def _private(match: re.Match[str], number: int) -> UserTag:
    group, offset = int(match[1], 16), int(match[2], 16)
    creator, vr, name = match[3].strip(), match[4], match[6]
    if group % 2 == 0 or group < 9 or group == 0xFFFF:
        raise _wrong(number, "private elements are in odd groups from 0009", _FORM)
    if not creator:
        raise _wrong(number, "a private element needs its creator", _FORM)
    _check_vr(vr, name, number)
    return UserTag(_prefix(creator) + name, group << 16 | offset, vr,
                   kind_of(vr, bool(match[5])), creator)


def _prefix(creator: str) -> str:
    return f"priv_{re.sub('[^A-Za-z0-9]+', '_', creator).strip('_')}_"


def _check_vr(vr: str, name: str, number: int) -> None:
    if vr == "SQ":
        raise _wrong(number, f"{name} is a sequence, which no property can hold")
    if vr not in _VRS:
        raise _wrong(number, f"values of {name} (VR {vr}) cannot be kept as a property")


def _wrong(number: int, what: str, hint: str = "") -> UsageError:
    return UsageError(f"Line {number} of the file of attributes: {what}.", hint)


@cache
def _places() -> dict[str, str]:
    """The node that holds an attribute already, by keyword."""
    of_families: Iterable[Property] = (p for kind in FAMILIES for p in kind.properties)
    levels = (("Instance", (*INSTANCE, *of_families)), ("Series", SERIES), ("Study", STUDY),
              ("Patient", PATIENT))
    places: dict[str, str] = {}
    for label, properties in levels:
        for p in properties:
            if p.stated:
                places.setdefault(p.name, label)
    return places


# --- with the graph ------------------------------------------------------------------------------

@dataclass(frozen=True, slots=True)
class Remembered:
    """The attributes of a run; `fresh` ones have no values yet in objects that were read before."""

    tags: tuple[UserTag, ...] = ()
    fresh: tuple[str, ...] = ()


async def remember(store: "Store", given: Sequence[UserTag]) -> Remembered:
    """Add attributes to those of the graph, and return all that runs have to read.

    Raises
    ------
    UsageError
        The graph knows an attribute of that name that is another one.
    """

    async def work(transaction: "Transaction") -> Remembered:
        await transaction.run(HOLD_SCHEMA)  # or two runs that begin together lose each other's
        rows = await transaction.run(usertags.REMEMBERED)
        known = {tag.name: tag for row in rows for tag in [parse_line(row["line"], 0)]
                 if tag.name not in _places()}
        for tag in given:
            if known.get(tag.name, tag) != tag:
                raise UsageError(f"The graph knows {tag.name} with another tag or VR.",
                                 "Give the private element another name.")
        tags = known | {tag.name: tag for tag in given}
        if tags != known:
            await transaction.run(usertags.REMEMBER, lines=[t.line for t in tags.values()])
        fresh = tuple(name for name in tags if name not in known)
        return Remembered(tuple(tags[name] for name in sorted(tags)), fresh)

    return await store.transact(work)


def user_rows(objects: Iterable[Instance], tags: Sequence[UserTag]) -> list[list[Any]]:
    """Return the rows of `usertags.user_values` for the names of these attributes."""
    return [[o.sop_uid, *(o.values.get(LABEL, {}).get(t.name) for t in tags)]
            for o in sorted(objects, key=lambda o: o.sop_uid)]

"""An archive over DIMSE: C-FIND, C-MOVE and C-GET (PS3.4 annex C)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pydicom import Dataset
from pydicom import config as pydicom_config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue
from pynetdicom import build_context
from pynetdicom.association import Association

from rtgraph.ingest.oddscan import DAMAGED, quiet
from rtgraph.pacs.peer import Peer
from rtgraph.pacs.query import UNIQUE, Level, Query, Row

PENDING = frozenset({0xFF00, 0xFF01})
SUCCESS, CANCELLED = 0x0000, 0xFE00
_FIND = {"patient": "1.2.840.10008.5.1.4.1.2.1.1", "study": "1.2.840.10008.5.1.4.1.2.2.1"}
_MOVE = {"patient": "1.2.840.10008.5.1.4.1.2.1.2", "study": "1.2.840.10008.5.1.4.1.2.2.2"}
_GET = {"patient": "1.2.840.10008.5.1.4.1.2.1.3", "study": "1.2.840.10008.5.1.4.1.2.2.3"}
_MESSAGE = 1


class Finder:
    """Asks questions on one association."""

    def __init__(self, peer: Peer, assoc: Association) -> None:
        self._peer, self._assoc = peer, assoc

    def find(self, query: Query, limit: int | None = None) -> Iterator[Row]:
        """Yield the answers to a question, as text by keyword.

        Raises
        ------
        PeerError
            The archive fails, or stops answering; answers that came before are no whole.
        """
        model = _FIND[self._peer.node.model]
        answers = self._assoc.send_c_find(identifier(query), model, msg_id=_MESSAGE)
        n = 0
        for status, found in answers:
            code = status.get("Status")
            if code in PENDING:
                if found is not None and (limit is None or n < limit):
                    n += 1
                    yield row_of(found, query.columns)
                    if n == limit:
                        self._assoc.send_c_cancel(_MESSAGE, query_model=model)
            elif code == SUCCESS or (code == CANCELLED and n == limit):
                return
            else:
                raise self._peer.failed(code, "C-FIND")


@contextmanager
def finder(peer: Peer) -> Iterator[Finder]:
    """Open an association for questions."""
    with peer.associated([build_context(_FIND[peer.node.model])]) as assoc:
        yield Finder(peer, assoc)


def identifier(query: Query) -> Dataset:
    """Return the identifier of a C-FIND: the level, keys with a value, return keys without."""
    ds = Dataset()
    _add(ds, "QueryRetrieveLevel", query.level.upper())
    for keyword in query.columns:
        _add(ds, keyword, "")
    for keyword, value in query.keys.items():
        _add(ds, keyword, value)
        if not value.isascii():
            _add(ds, "SpecificCharacterSet", "ISO_IR 192")
    return ds


def _add(ds: Dataset, keyword: str, value: str) -> None:
    """Add an element as it is: wildcards, lists and ranges are no valid values of most VRs."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    vr = dictionary_VR(tag).partition(" ")[0]
    if vr in ("US", "SS", "UL", "SL", "FL", "FD", "UV", "SV", "AT", "OB", "OW"):
        vr, value = vr, ""  # binary values are returned, never matched
    ds[tag] = DataElement(tag, vr, value or None, validation_mode=pydicom_config.IGNORE)


def row_of(ds: Dataset, columns: Sequence[str]) -> Row:
    """Return an answer as text by keyword; several values are a list, absent ones None."""
    row: Row = {}
    with quiet():
        for keyword in columns:
            try:
                row[keyword] = _text(ds.get(keyword))
            except DAMAGED:
                row[keyword] = None
    return row


def _text(value: Any) -> str | list[str] | None:
    if isinstance(value, MultiValue | list):
        return [str(v).strip(" \0") for v in value]
    text = "" if value is None else str(value).strip(" \0")
    return text or None


def unique_keys(level: Level, uids: Mapping[Level, str]) -> dict[str, str]:
    """Return the keys down to a level that name what is meant (PS3.4 C.4.2.2.1)."""
    levels = list(Level)
    return {UNIQUE[at]: uids[at] for at in levels[: levels.index(level) + 1] if uids.get(at)}

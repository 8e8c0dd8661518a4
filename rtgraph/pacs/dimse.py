"""Questions over DIMSE: C-FIND (PS3.4 C.4.1)."""

from collections.abc import Iterator, Sequence
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
from rtgraph.pacs.query import Query, Row
from rtgraph.pacs.statuses import CANCELLED, PENDING, SUCCESS

_FIND = {"patient": "1.2.840.10008.5.1.4.1.2.1.1", "study": "1.2.840.10008.5.1.4.1.2.2.1"}
_BINARY = frozenset({"US", "SS", "UL", "SL", "FL", "FD", "UV", "SV", "AT", "OB", "OW"})
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

    def give_up(self) -> None:
        """End it, from another thread; a question that is open fails."""
        self._assoc.dimse.msg_queue.put((None, None))


@contextmanager
def finder(peer: Peer) -> Iterator[Finder]:
    """Open an association for questions."""
    with peer.associated([build_context(_FIND[peer.node.model])]) as assoc:
        yield Finder(peer, assoc)


def identifier(query: Query) -> Dataset:
    """Return the identifier of a C-FIND: the level, keys with a value, return keys without."""
    values = dict.fromkeys(query.columns, "") | dict(query.keys)
    ds = Dataset()
    ds.add(element("QueryRetrieveLevel", query.level.upper()))
    if not all(value.isascii() for value in values.values()):
        ds.add(element("SpecificCharacterSet", "ISO_IR 192"))
    for keyword, value in values.items():
        ds.add(element(keyword, value))
    return ds


def element(keyword: str, value: str) -> DataElement:
    """Return an element as it is: wildcards, lists and ranges are no valid values of most VRs."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    vr = dictionary_VR(tag).partition(" ")[0]
    if vr in _BINARY:
        value = ""  # returned, never matched
    return DataElement(tag, vr, value or None, validation_mode=pydicom_config.IGNORE)


def row_of(ds: Dataset, columns: Sequence[str]) -> Row:
    """Return an answer as text by keyword; several values are a list, absent ones None."""
    row: Row = {}
    with quiet():
        for keyword in columns:
            try:
                row[keyword] = text_of(ds.get(keyword))
            except DAMAGED:
                row[keyword] = None
    return row


def text_of(value: Any) -> str | list[str] | None:
    """Return a value as text, several as a list; None when it is empty."""
    if isinstance(value, MultiValue | list):
        return [str(v).strip(" \0") for v in value]
    text = "" if value is None else str(value).strip(" \0")
    return text or None

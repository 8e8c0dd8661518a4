"""Fetching over DIMSE: C-MOVE to our own storage SCP, and C-GET (PS3.4 C.4.2 and C.4.3)."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any

from pydicom import Dataset
from pynetdicom import build_context, build_role, evt
from pynetdicom.association import Association
from pynetdicom.events import Event

from rtgraph.graphmodel.families import FAMILIES, STORAGE
from rtgraph.ingest.oddscan import DAMAGED
from rtgraph.pacs.answer import Answers
from rtgraph.pacs.contexts import for_get
from rtgraph.pacs.dimse import element, text_of
from rtgraph.pacs.peer import Peer
from rtgraph.pacs.request import Fetched, Request
from rtgraph.pacs.statuses import CANCELLED, NOT_SENT, PENDING, SUCCESS, WARNING
from rtgraph.pacs.storing import Folder, Session

_MOVE = {"patient": "1.2.840.10008.5.1.4.1.2.1.2", "study": "1.2.840.10008.5.1.4.1.2.2.2"}
_GET = {"patient": "1.2.840.10008.5.1.4.1.2.1.3", "study": "1.2.840.10008.5.1.4.1.2.2.3"}
_MESSAGE = 1
# Where an archive does not tell the class of an object: those of the graph.
_USUAL = frozenset(root if root.startswith("1.2.") else STORAGE + root for family in FAMILIES
                   for root in family.roots if not root.endswith("."))

Answer = tuple[Dataset, Dataset | None]


class _Dimse:
    """An association that is opened when it is needed, and again when it was lost."""

    def __init__(self, peer: Peer, model: str) -> None:
        self._peer, self._model = peer, model
        self._assoc: Association | None = None
        self._opened: AbstractContextManager[Association] | None = None
        self._last = time.monotonic()

    def fetch(self, request: Request) -> Fetched:
        """Fetch objects; they have arrived when this returns."""
        assoc = self._association(request)
        assoc.dimse_timeout = None  # an archive may be busy for long; `silent` is watched
        self._last = time.monotonic()
        ds = _identifier(request, self._peer.node.model)
        fetched = Fetched(-1)
        for status, failed in self._ask(assoc, ds):
            self._last = time.monotonic()
            code = status.get("Status")
            if code in PENDING:
                continue
            if code not in (SUCCESS, WARNING, CANCELLED, NOT_SENT):
                self.close()
                raise self._peer.failed(code, self._name)
            fetched = _fetched(code, status, failed)
        return fetched

    _name = ""

    def _ask(self, assoc: Association, ds: Dataset) -> Iterator[Answer]:
        raise NotImplementedError

    def _open(self, request: Request) -> AbstractContextManager[Association]:
        raise NotImplementedError

    def _association(self, request: Request) -> Association:
        if self._assoc is None or not self._assoc.is_established:
            self.close()
            self._opened = self._open(request)
            self._assoc = self._opened.__enter__()
        return self._assoc

    def silent(self) -> float:
        """Return for how many seconds nothing has come."""
        return time.monotonic() - self._last

    def heard(self, event: Event | None = None) -> None:
        """Note that something has come."""
        self._last = time.monotonic()

    def cancel(self) -> None:
        """Ask the archive to end what it is sending (PS3.7 9.3.2.3)."""
        if self._assoc is not None and self._assoc.is_established:
            with suppress(RuntimeError, ValueError):
                self._assoc.send_c_cancel(_MESSAGE, query_model=self._model)

    def give_up(self) -> None:
        """End the association, from another thread."""
        if self._assoc is not None:
            self._assoc.dimse.msg_queue.put((None, None))  # what `fetch` waits for

    def close(self) -> None:
        """Close the association."""
        opened, self._opened, self._assoc = self._opened, None, None
        if opened is not None:
            opened.__exit__(None, None, None)


class Mover(_Dimse):
    """C-MOVE: the archive sends on associations of its own, to our storage SCP.

    Parameters
    ----------
    last : callable
        Returns when the storage SCP has last heard anything, by the monotonic clock.
    """

    _name = "C-MOVE"

    def __init__(self, peer: Peer, last: Callable[[], float]) -> None:
        super().__init__(peer, _MOVE[peer.node.model])
        self._last_there = last

    def _open(self, request: Request) -> AbstractContextManager[Association]:
        return self._peer.associated([build_context(self._model)])

    def _ask(self, assoc: Association, ds: Dataset) -> Iterator[Answer]:
        return assoc.send_c_move(ds, self._peer.settings.ae_title, self._model, msg_id=_MESSAGE)

    def silent(self) -> float:
        """Return for how many seconds nothing has come, on this association or to the SCP."""
        return time.monotonic() - max(self._last, self._last_there())


class Getter(_Dimse):
    """C-GET: the archive sends on the association of the request."""

    _name = "C-GET"

    def __init__(self, peer: Peer, answers: Answers, folder: Folder) -> None:
        super().__init__(peer, _GET[peer.node.model])
        self._answers, self._folder = answers, folder
        self._session: Session = folder.session()
        self._classes: frozenset[str] = frozenset()

    def _association(self, request: Request) -> Association:
        if not (request.classes or _USUAL) <= self._classes:
            self.close()
        return super()._association(request)

    def _open(self, request: Request) -> AbstractContextManager[Association]:
        self._classes = request.classes or _USUAL
        self._session = session = self._folder.session()
        contexts = for_get(self._model, self._classes)
        roles = [build_role(uid, scp_role=True) for uid in sorted(
            {str(c.abstract_syntax) for c in contexts[1:]})]
        return self._peer.associated(contexts, negotiation=roles, handlers=[
            (evt.EVT_C_STORE, lambda event: self._answers.store(event, session)),
            (evt.EVT_PDU_RECV, self.heard)])

    def _ask(self, assoc: Association, ds: Dataset) -> Iterator[Answer]:
        return assoc.send_c_get(ds, self._model, msg_id=_MESSAGE)

    def close(self) -> None:
        """Close the association and sync what came."""
        super().close()
        self._classes = frozenset()
        self._session.close()


def _identifier(request: Request, model: str) -> Dataset:
    ds = Dataset()
    ds.add(element("QueryRetrieveLevel", request.level.upper()))
    if model == "patient":
        ds.add(element("PatientID", request.patient_id))
    for keyword, value in request.keys().items():
        ds.add(element(keyword, value))
    return ds


def _fetched(code: int, status: Dataset, failed: Dataset | None) -> Fetched:
    """Read a final answer; the list of failed objects is not always there."""
    uids: Sequence[str] = ()
    with suppress(*DAMAGED):
        found = text_of(failed.get("FailedSOPInstanceUIDList")) if failed is not None else None
        uids = [found] if isinstance(found, str) else found or ()
    return Fetched(code, _count(status, "Completed"), _count(status, "Failed"), frozenset(uids))


def _count(status: Any, which: str) -> int:
    return int(status.get(f"NumberOf{which}Suboperations") or 0)

"""An archive of pynetdicom that misbehaves on request, for what no real archive does on request."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from pydicom import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian
from pynetdicom import AE, evt

FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{n}" for n in (1, 2, 3))
SUCCESS, PENDING, NOT_SENT, FAILURE = 0x0000, 0xFF00, 0xA702, 0xC001
_LEVELS = {"STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}


@dataclass
class OddArchive:
    """Holds objects; `odd` decides what becomes of each retrieve request.

    Attributes
    ----------
    odd : callable
        Gets the number of the request, from 0, and the objects that it asks for; yields what the
        archive does: an object to send, a status to end with, or a word: `abort`, `silent`.
    requests : list
        UIDs of the objects that each request asked for.
    times : dict
        When requests to send came, by association, by the monotonic clock.
    """

    held: Sequence[Dataset]
    odd: Callable[[int, list[Dataset]], Iterator[Any]]
    requests: list[list[str]] = field(default_factory=list)
    times: dict[Any, list[float]] = field(default_factory=dict)
    destination: tuple[str, int] = ("127.0.0.1", 0)
    lists_objects: bool = True
    counts_objects: bool = True

    def matching(self, query: Dataset) -> list[Dataset]:
        found = []
        for ds in self.held:
            wanted = {k: query.get(k) for k in _LEVELS.values() if query.get(k)}
            if all(str(ds[k].value) in ([v] if isinstance(v, str) else list(v))
                   for k, v in wanted.items()):
                found.append(ds)
        return found

    def find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        query = event.identifier
        level = str(query.QueryRetrieveLevel)
        if level == "IMAGE" and not self.lists_objects:
            yield SUCCESS, None
            return
        seen = set()
        for ds in self.matching(query):
            uid = str(ds[_LEVELS[level]].value)
            if uid in seen:
                continue
            seen.add(uid)
            row = Dataset()
            row.QueryRetrieveLevel = level
            for keyword in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "Modality",
                            "SOPInstanceUID", "SOPClassUID"):
                if keyword in query:
                    setattr(row, keyword, ds[keyword].value)
            if self.counts_objects and "NumberOfSeriesRelatedInstances" in query:
                row.NumberOfSeriesRelatedInstances = sum(
                    o.SeriesInstanceUID == ds.SeriesInstanceUID for o in self.held)
            yield PENDING, row
        yield SUCCESS, None

    def send(self, event: Any) -> Iterator[Any]:
        asked = self.matching(event.identifier)
        self.times.setdefault(event.assoc, []).append(time.monotonic())
        number = len(self.requests)
        self.requests.append([str(ds.SOPInstanceUID) for ds in asked])
        if event.event is evt.EVT_C_MOVE:
            yield (*self.destination, {"ae_title": "RTGRAPH"})
        steps = list(self.odd(number, asked))
        yield max(len(asked), sum(isinstance(step, Dataset) for step in steps))
        for step in steps:
            if step == "abort":
                event.assoc.abort()
                return
            if step == "silent":
                time.sleep(30)
                return
            if isinstance(step, int):
                yield step, None
                return
            yield PENDING, step
        yield SUCCESS, None

    @contextmanager
    def running(self, callers: Sequence[str] = (), port: int = 0) -> Iterator[int]:
        """Listen; yields the port."""
        ae = AE("ODD")
        ae.require_calling_aet = list(callers)
        for model in (FIND, MOVE, GET):
            ae.add_supported_context(model)
        for sop_class in {str(ds.SOPClassUID) for ds in self.held}:
            ae.add_requested_context(sop_class, ExplicitVRLittleEndian)
            ae.add_supported_context(sop_class, ExplicitVRLittleEndian, scu_role=False,
                                     scp_role=True)
        server = ae.start_server(("127.0.0.1", port), block=False, evt_handlers=[
            (evt.EVT_C_FIND, self.find), (evt.EVT_C_MOVE, self.send),
            (evt.EVT_C_GET, self.send)])
        assert server is not None
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()


def cannot_be_sent(ds: Dataset) -> Dataset:
    """Return an object whose class nobody has agreed to: its sub-operation fails."""
    other = deepcopy(ds)
    other.SOPClassUID = UID("1.2.840.10008.5.1.4.1.1.9999.77")
    return other

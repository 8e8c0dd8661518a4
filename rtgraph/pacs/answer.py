"""The answer to a C-STORE request, be it on an association of the archive's or in a C-GET.

It says what is true: success when the object is under its name on the disk, else a failure with
a code of PS3.4 B.2.3.
"""

from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import cast

from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.events import Event

from rtgraph.pacs.part10 import Arrived
from rtgraph.pacs.statuses import (
    CANNOT_UNDERSTAND,
    DOES_NOT_MATCH,
    OUT_OF_RESOURCES,
    SUCCESS,
)
from rtgraph.pacs.storing import Mismatch, Outcome, Session, Stored, Unreadable

Say = Callable[[str], None]


class Answers:
    """Stores what requests bring and answers them.

    Parameters
    ----------
    arrived : callable
        Gets each object that is on the disk, before its sender gets the answer. It may block: the
        sender then waits.
    say : callable
        Gets a line for each failure, with UIDs and no value of a patient.

    Attributes
    ----------
    outcomes, failed : Counter
        Objects that are on the disk by outcome, and failures by reason.
    unwritable : str
        Why an object could not be written, when one could not.
    """

    def __init__(self, arrived: Callable[[Stored], None], say: Say) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self.failed: Counter[str] = Counter()
        self.unwritable = ""
        self._arrived, self._say, self._lock = arrived, say, Lock()

    def store(self, event: Event, session: Session) -> int:
        """Store the object of a C-STORE request; return the status of the answer."""
        request = cast(C_STORE, event.request)
        assert request.DataSet is not None
        sender = event.assoc.remote["ae_title"] if event.assoc.is_acceptor else (
            event.assoc.acceptor.ae_title)
        return self.answer(Arrived(
            str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID),
            str(event.context.transfer_syntax), str(sender), request.DataSet.getbuffer()), session)

    def answer(self, o: Arrived, session: Session) -> int:
        """Store an object; return the status that is true."""
        try:
            stored = session.store(o)
        except Unreadable as error:
            return self._refuse(CANNOT_UNDERSTAND, str(error), o.sop_uid)
        except Mismatch as error:
            return self._refuse(DOES_NOT_MATCH, str(error), o.sop_uid)
        except OSError as error:
            self.unwritable = reason = error.strerror or "it cannot be written"
            return self._refuse(OUT_OF_RESOURCES, reason, o.sop_uid)
        with self._lock:
            self.outcomes[stored.outcome] += 1
        self._arrived(stored)
        return SUCCESS

    def _refuse(self, status: int, reason: str, uid: str) -> int:
        with self._lock:
            self.failed[reason] += 1
        self._say(f"object {uid} refused with {status:04X}: {reason}")
        return status

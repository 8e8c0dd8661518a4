"""The storage SCP: who may send, and the end of associations; `answer` does what lies between.

Connections from elsewhere than the allowed addresses are closed before anything is read from them.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from ipaddress import ip_address, ip_network
from typing import Any, cast

from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.events import Event
from pynetdicom.transport import ThreadedAssociationServer

from rtgraph.config import Settings
from rtgraph.errors import ReceiverError
from rtgraph.pacs.answer import Answers, Say
from rtgraph.pacs.contexts import VERIFICATION, accepted
from rtgraph.pacs.network import entity
from rtgraph.pacs.storing import Folder, Session, Stored
from rtgraph.pacs.tls import server_context

POLL = 0.1


class Scp:
    """Receives objects into a folder.

    Parameters
    ----------
    arrived : callable
        As for `Answers`.
    senders : iterable of str
        Addresses that may send besides those of the settings.
    say : callable
        Gets lines for people: refused associations and failures, without a value of a patient.

    Attributes
    ----------
    associations, refused : int
        Associations and connections since the start.
    unsynced : int
        Associations whose objects may not be on the disk although they were answered so.
    last : float
        When something was heard last, by the monotonic clock.
    """

    def __init__(
        self, settings: Settings, folder: Folder, arrived: Callable[[Stored], None], *,
        senders: Iterable[str] = (), say: Say = lambda line: None,
    ) -> None:
        self.answers = Answers(arrived, say)
        self.associations = self.refused = self.unsynced = 0
        self.last = time.monotonic()
        self._settings, self._folder, self._say = settings, folder, say
        self._networks = [ip_network(a, strict=False) for a in (*settings.allow, *senders)]
        self._sessions: dict[Association, Session] = {}
        self._lock = threading.Lock()
        self._server: _Server | None = None

    def start(self) -> tuple[str, int]:
        """Listen; return address and port.

        Raises
        ------
        ReceiverError
            The port is taken, the address is not of this machine, or the folder cannot be used.
        """
        settings = self._settings
        self._folder.prepare()
        ae = entity(settings)
        ae.maximum_associations = settings.associations
        ae.require_calling_aet = list(settings.callers)
        ae.add_supported_context(VERIFICATION)  # `_requested` decides for each association
        handlers: list[Any] = [
            (evt.EVT_REQUESTED, self._requested), (evt.EVT_ACCEPTED, self._accepted),
            (evt.EVT_REJECTED, self._rejected), (evt.EVT_C_STORE, self._store),
            (evt.EVT_PDU_RECV, self._heard), (evt.EVT_CONN_CLOSE, self._closed)]
        try:
            server = cast(_Server, ae.make_server(
                (settings.listen, settings.port), evt_handlers=handlers, server_class=_Server,
                ssl_context=server_context(settings)))
        except OSError as error:
            raise ReceiverError(
                f"Port {settings.port} of {settings.listen} cannot be listened at: "
                f"{error.strerror}.", "Set pacs.port and pacs.listen.") from error
        server.may_connect = self._may_connect
        ae._servers.append(server)  # as start_server does; shutdown takes it out
        threading.Thread(target=server.serve_forever, args=(POLL,), daemon=True,
                         name="storage SCP").start()
        self._server, address = server, server.server_address
        return str(address[0]), int(address[1])

    @property
    def open(self) -> int:
        """Associations that are open."""
        return len(self._server.active_associations) if self._server else 0

    def stop(self, drain: float = 0.0) -> bool:
        """Take no more associations; those that are open may go on for `drain` seconds.

        Returns
        -------
        bool
            Whether all came to their own end.
        """
        if self._server is None:
            return True
        server, self._server = self._server, None
        server.shutdown()
        until = time.monotonic() + drain
        while (left := server.active_associations) and time.monotonic() < until:
            time.sleep(POLL)
        for assoc in left:
            assoc.abort()
        for assoc in left:
            assoc.join(5.0)
        with self._lock:
            sessions = list(self._sessions)
        for assoc in sessions:
            self._end(assoc)
        return not left

    # --- events ----------------------------------------------------------------------------------

    def _may_connect(self, address: str) -> bool:
        found = ip_address(address.partition("%")[0])
        mapped = getattr(found, "ipv4_mapped", None) or found
        if any(mapped in network for network in self._networks):
            return True
        with self._lock:
            self.refused += 1
        self._say(f"connection from {address} closed: not in pacs.allow")
        return False

    def _heard(self, event: Event) -> None:
        self.last = time.monotonic()

    def _requested(self, event: Event) -> None:
        request = event.assoc.requestor.primitive
        proposed = request.presentation_context_definition_list if request else []
        event.assoc.acceptor.supported_contexts = accepted(proposed, self._settings.private)

    def _accepted(self, event: Event) -> None:
        with self._lock:
            self.associations += 1
            self._sessions[event.assoc] = self._folder.session()

    def _rejected(self, event: Event) -> None:
        with self._lock:
            self.refused += 1
        answer = event.assoc.acceptor.primitive
        reason = answer.reason_str if answer else "no reason given"
        self._say(f"association from {event.assoc.requestor.address} refused: {reason}")

    def _store(self, event: Event) -> int:
        with self._lock:
            session = self._sessions.get(event.assoc) or self._folder.session(closed=True)
        return self.answers.store(event, session)

    def _closed(self, event: Event) -> None:
        if event.assoc.requestor.primitive is None:
            # a probe of the port: without this its thread would wait, and count, till the timeout
            event.assoc.dul.to_user_queue.put(None)
        self._end(event.assoc)

    def _end(self, assoc: Association) -> None:
        with self._lock:
            session = self._sessions.pop(assoc, None)
        if session is None:
            return
        try:
            session.close()
        except ReceiverError as error:
            with self._lock:
                self.unsynced += 1
            self._say(str(error))


class _Server(ThreadedAssociationServer):
    """Looks at the address first; a TLS handshake keeps nobody else waiting."""

    request_queue_size = 128
    daemon_threads = True
    may_connect: Callable[[str], bool]

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Tell whether a connection is gone on with."""
        return self.may_connect(str(client_address[0]))

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; without TLS as yet, since that is for the thread to do."""
        assert self.socket is not None
        return self.socket.accept()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Go on with a connection in its own thread."""
        if self.ssl_context is not None:
            request.settimeout(self.ae.acse_timeout)
            try:
                request = self.ssl_context.wrap_socket(request, server_side=True)
            except (OSError, ssl.SSLError):
                request.close()
                return
        super().finish_request(request, client_address)

"""Associations with an archive: with TLS and user identity, and errors that say what to do.

What goes wrong is a `PeerError`. It tells whether the same may succeed later, so that retrying is
decided in one place, by who fetches.
"""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import UserIdentityNegotiation
from pynetdicom.presentation import PresentationContext

from rtgraph.config import Node, Settings
from rtgraph.errors import PeerError, PeerFailed, PeerRefused, PeerUnreachable
from rtgraph.pacs.network import entity
from rtgraph.pacs.statuses import MEANINGS, TRANSIENT, UNKNOWN_DESTINATION
from rtgraph.pacs.tls import client_context

# Who says no for good: diagnostics of PS3.8 9.3.4 that a setting may be the reason of.
_DIAGNOSTICS = {
    (1, 3): "it does not know our AE title", (1, 7): "its AE title is another one",
    (1, 1): "no reason given", (1, 2): "it does not know this application context",
}


class Peer:
    """An archive, and how it is reached."""

    def __init__(self, node: Node, settings: Settings) -> None:
        self.node, self.settings = node, settings
        self.name = node.name

    @contextmanager
    def associated(
        self, contexts: Sequence[PresentationContext], *, negotiation: Sequence[Any] = (),
        handlers: Sequence[Any] = (),
    ) -> Iterator[Association]:
        """Open an association and close it in the end.

        Raises
        ------
        PeerUnreachable, PeerRefused
            There is no association.
        """
        node, opened = self.node, []
        assert node.host is not None
        assert node.port is not None
        ae = entity(self.settings)
        assoc = ae.associate(
            node.host, node.port, list(contexts), ae_title=node.ae_title or "ANY-SCP",
            max_pdu=self.settings.max_pdu, ext_neg=[*negotiation, *self._identity()],
            tls_args=client_context(node, self.settings),
            evt_handlers=[*handlers, (evt.EVT_CONN_OPEN, lambda event: opened.append(True))])
        try:
            if not assoc.is_established:
                raise self._no_association(assoc, bool(opened))
            yield assoc
        finally:
            _close(assoc)

    def _identity(self) -> list[UserIdentityNegotiation]:
        """User name and passcode of the settings (PS3.7 D.3.3.7)."""
        if self.node.user is None:
            return []
        identity = UserIdentityNegotiation()
        passcode = self.node.read_passcode()
        identity.user_identity_type = 1 if passcode is None else 2
        identity.primary_field = self.node.user.encode()
        if passcode is not None:
            identity.secondary_field = passcode.encode()
        return [identity]

    def _no_association(self, assoc: Association, opened: bool) -> PeerError:
        answer = assoc.acceptor.primitive
        if assoc.is_rejected and answer is not None:
            source, diagnostic = answer.result_source or 0, answer.diagnostic or 0
            reason = _DIAGNOSTICS.get((source, diagnostic), answer.reason_str)
            hint = (f"Compare AE titles with the settings of the archive: ours is "
                    f"{self.settings.ae_title}, its own is nodes.{self.name}.ae_title."
                    if (source, diagnostic) in ((1, 3), (1, 7)) else "")
            return PeerRefused(f"{self.name} refuses the association: {reason}.", hint,
                               transient=answer.result == 2)
        if answer is not None and assoc.is_aborted:
            return PeerRefused(f"{self.name} accepts nothing of what was asked for.",
                               "Does it offer this service to our AE title?")
        if not opened:
            tls = " Is TLS set alike on both sides?" if self.node.tls else ""
            return PeerUnreachable(f"{self.name} cannot be reached.",
                                   f"{PeerUnreachable.hint}{tls}")
        return PeerUnreachable(f"{self.name} does not answer.")

    def failed(self, status: int | None, what: str) -> PeerError:
        """Return the error for a status; None is an association that has ended meanwhile."""
        if status is None:
            return PeerUnreachable(f"{self.name} stopped answering {what}.")
        reason = MEANINGS.get(status, f"status {status:04X}")
        hint = (f"Tell the archive where {self.settings.ae_title} is: this machine, port "
                f"{self.settings.port}." if status == UNKNOWN_DESTINATION else "")
        return PeerFailed(f"{self.name} fails {what}: {reason}.", hint, status=status,
                          transient=status in TRANSIENT)


def _close(assoc: Association) -> None:
    """Release an association, or end one that is not what it should be."""
    if assoc.is_established:
        assoc.release()
    if assoc.is_established:
        assoc.abort()
    connection = assoc.dul.socket
    if connection is not None and connection.socket is not None:
        with suppress(OSError, ssl.SSLError):
            connection.socket.close()

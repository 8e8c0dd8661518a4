"""Errors a user may see, and their exit codes.

RtgraphError
├── UsageError                 2   wrong option, name, file or configuration
│   ├── UnknownName            2   with "did you mean"
│   ├── BrokenFile             2   a `.cypher` file with a header that cannot be read
│   └── TooManyBoxes           2   a figure that no screen could show
├── ServerError                3   the database cannot be used
│   ├── ServerUnreachable      3   nothing answers there
│   ├── ServerRefused          3   it answers and says no (login, version, other owner)
│   │   ├── OlderGraph         3   a former version of rtgraph wrote the graph
│   │   └── NotPermitted       3   the user may not do this, or nobody may
│   ├── StatementRefused       2   a statement of the user is not accepted
│   └── LocalServerError       3   the managed server cannot be fetched, started or stopped
├── PeerError                  3   an archive cannot be asked, or says no
│   ├── PeerUnreachable        3   nothing answers there, or it stopped answering
│   ├── PeerRefused            3   it refuses the association
│   └── PeerFailed             3   it reports a failure
├── ReceiverError              3   objects cannot be received on this machine
├── OutputError                3   a result cannot be written
├── TooManyRejects             1   more files are rejected than the user allows
└── Interrupted              130   Ctrl-C, after a clean stop

Each error says in `hint` what to do next. Messages never hold a patient value.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from enum import IntEnum


class ExitCode(IntEnum):
    """What every command returns; never a count."""

    done = 0
    findings = 1
    usage = 2
    incomplete = 3
    interrupted = 130


def first_of(error: BaseException) -> BaseException:
    """Return what ended a TaskGroup: the first of the errors that a group gathers."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class RtgraphError(Exception):
    """Base of every error a user may see; `hint` says what to do next."""

    exit_code = ExitCode.incomplete
    hint = ""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint or self.hint


class UsageError(RtgraphError):
    """The command, an option or the configuration is wrong."""

    exit_code = ExitCode.usage


class UnknownName(UsageError):
    """A name that does not exist; `known` must not hold identifiers of patients."""

    def __init__(self, kind: str, given: str, known: Iterable[str]) -> None:
        self.kind, self.given, self.known = kind, given, tuple(sorted(known))
        close = get_close_matches(given, self.known, n=1, cutoff=0.5)
        hint = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(self.known)}."
        super().__init__(f"There is no {kind} named {given!r}.", hint)


class TooManyBoxes(UsageError):
    """A figure has more boxes than may be drawn."""

    hint = ("Draw a part of it with --study UID, --modality RTPLAN or --problems-only; "
            "--max-nodes N allows more.")

    def __init__(self, n: int, limit: int) -> None:
        self.n, self.limit = n, limit
        super().__init__(f"The figure would have {n:,} boxes, more than {limit:,}.")


class ServerError(RtgraphError):
    """The database cannot be used."""


class ServerUnreachable(ServerError):
    """Nothing answers at the address."""

    hint = "Is Neo4j running? See `rtgraph status`; `rtgraph up` starts the managed server."


class ServerRefused(ServerError):
    """The server answers and refuses: login, version or a graph of another owner."""


class OlderGraph(ServerRefused):
    """A graph of a former schema version; only reading the files again brings it up to date."""

    def __init__(self, found: int, own: int) -> None:
        self.found, self.own = found, own
        super().__init__(f"The graph has schema version {found}, this rtgraph reads {own}.",
                         "Read the files once more with this version: rtgraph ingest PATH")


class NotPermitted(ServerRefused):
    """The server does not permit it: the rights of the user, or a database that is read-only."""


class StatementRefused(ServerError):
    """The server does not accept a statement that the user gave."""

    exit_code = ExitCode.usage


class LocalServerError(ServerError):
    """The managed server cannot be fetched, started or stopped."""


class PeerError(RtgraphError):
    """An archive cannot be asked; `transient` tells whether the same may succeed later."""

    transient = False


class PeerUnreachable(PeerError):
    """Nothing answers at the address, or the peer stopped answering."""

    transient = True
    hint = "Check host, port and firewall; `rtgraph pacs echo` asks all archives."


class PeerRefused(PeerError):
    """The peer refuses the association; `transient` when it only has no room now."""

    def __init__(self, message: str, hint: str = "", *, transient: bool = False) -> None:
        super().__init__(message, hint)
        self.transient = transient


class PeerFailed(PeerError):
    """The peer reports a failure of what it was asked for; `status` is its code."""

    def __init__(
        self, message: str, hint: str = "", *, status: int = 0, transient: bool = False
    ) -> None:
        super().__init__(message, hint)
        self.status, self.transient = status, transient


class ReceiverError(RtgraphError):
    """Objects cannot be received on this machine: the port or the folder cannot be used."""


class OutputError(RtgraphError):
    """A result cannot be written where it was asked for."""


class TooManyRejects(RtgraphError):
    """More files were rejected than the user allows."""

    exit_code = ExitCode.findings


class Interrupted(RtgraphError):
    """The user stopped the command; what was finished stays."""

    exit_code = ExitCode.interrupted

"""What is asked of an archive when objects are fetched, over whatever transport."""

from dataclasses import dataclass, field
from typing import Protocol

from rtgraph.pacs.query import Level


@dataclass(frozen=True, slots=True)
class Request:
    """A series, or some objects of it; `classes` are the SOP classes that may come."""

    study_uid: str
    series_uid: str
    sop_uids: tuple[str, ...] = ()
    classes: frozenset[str] = frozenset()
    patient_id: str = field(default="", repr=False)

    @property
    def level(self) -> Level:
        """What is named."""
        return Level.image if self.sop_uids else Level.series

    def keys(self) -> dict[str, str]:
        """Return the unique keys, from the top down to the level (PS3.4 C.4.2.2.1)."""
        found = {Level.study.unique: self.study_uid, Level.series.unique: self.series_uid}
        if self.sop_uids:
            found[Level.image.unique] = "\\".join(self.sop_uids)
        return found


@dataclass(slots=True)
class Fetched:
    """What an archive said of a request: its status, and the objects that it could not send."""

    status: int = 0
    completed: int = 0
    failed: int = 0
    failed_uids: frozenset[str] = frozenset()


class Fetcher(Protocol):
    """Fetches on one connection, which is opened when it is needed."""

    def fetch(self, request: Request) -> Fetched:
        """Fetch objects; they have arrived when this returns.

        Raises
        ------
        PeerError
            The archive cannot be asked, fails, or has stopped answering.
        """

    def cancel(self) -> None:
        """Ask the archive to end what it is sending; `fetch` returns soon."""

    def silent(self) -> float:
        """Return for how many seconds nothing has come of what is being fetched."""

    def give_up(self) -> None:
        """End the connection, from another thread; `fetch` raises."""

    def close(self) -> None:
        """Close the connection."""

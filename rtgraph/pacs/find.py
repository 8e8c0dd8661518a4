"""Questions to several archives, one after the other; one that fails does not hide the others."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from rtgraph.config import Node, Settings
from rtgraph.errors import PeerError, UsageError
from rtgraph.pacs import dicomweb, dimse
from rtgraph.pacs.peer import Peer
from rtgraph.pacs.query import Level, Query, Row


class Asked(Protocol):
    """An archive that can be asked, over either transport."""

    def find(self, query: Query, limit: int | None = None) -> Iterator[Row]:
        """Yield the answers to a question, as text by keyword."""

    def give_up(self) -> None:
        """End it, from another thread; a question that is open fails."""


@dataclass
class Found:
    """The answers of an archive; `error` says why they are no whole."""

    node: str
    rows: list[Row] = field(default_factory=list, repr=False)
    error: PeerError | None = None


@contextmanager
def asked(node: Node, settings: Settings) -> Iterator[Asked]:
    """Open what an archive is asked over: an association, or an HTTP session."""
    if node.url is not None:
        with dicomweb.session(node, settings) as web:
            yield web
    else:
        with dimse.finder(Peer(node, settings)) as finder:
            yield finder


def find(nodes: Sequence[Node], settings: Settings, query: Query, limit: int | None = None
         ) -> list[Found]:
    """Ask archives; each has its own answers.

    Raises
    ------
    UsageError
        Patients are asked for where the root of queries is the study, or over DICOMweb.
    """
    for node in nodes:
        if query.level is Level.patient and (node.url is not None or node.model != "patient"):
            raise UsageError(
                f"{node.name} is not asked for patients: its questions begin at the study.",
                "Ask with --level study, or with --root patient if the archive has that model.")
    found = []
    for node in nodes:
        answers = Found(node.name)
        found.append(answers)
        try:
            with asked(node, settings) as archive:
                answers.rows += archive.find(query, limit)
        except PeerError as error:
            answers.error = error
    return found

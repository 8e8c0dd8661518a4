"""One SOP Instance UID in several files: which file is the object, and do the others differ?

The object in the graph is always one file as a whole: the one with the smallest path, whatever the
order of arrival. Where both files are at hand the two data sets are compared in full; otherwise the
digest of their heads decides.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest

from pydicom import dcmread
from pydicom.dataset import FileDataset

from rtgraph.ingest import opening
from rtgraph.ingest.oddscan import DAMAGED, quiet
from rtgraph.ingest.records import Instance


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that holds the object; `location` is None when it is not on this machine."""

    path: str
    location: str | None
    size: int
    mtime: int
    digest: str
    series_uid: str
    record: Instance | None = None

    @classmethod
    def of(cls, record: Instance) -> "Candidate":
        """Return the candidate of a file that was just read."""
        file = record.file
        return cls(file.path, file.location, file.size, file.mtime, record.digest,
                   record.series_uid, record)


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that lost, and whether its data set is another one."""

    file: Candidate
    differs: bool


Same = Callable[[Candidate, Candidate], bool]


def same_data_set(a: Candidate, b: Candidate) -> bool:
    """Compare two files: bytes, then element by element; by digest when one is not at hand."""
    if a.location and b.location:
        try:
            return _same_bytes(a.location, b.location) or _same_elements(a.location, b.location)
        except (OSError, MemoryError, *DAMAGED):
            pass
    return a.digest == b.digest


def _same_bytes(a: str, b: str) -> bool:
    """Compare block by block: a file may be larger than the memory."""
    if opening.status(a)[0] != opening.status(b)[0]:
        return False
    with closing(opening.blocks(a)) as one, closing(opening.blocks(b)) as two:
        return all(x == y for x, y in zip_longest(one, two))


def _same_elements(a: str, b: str) -> bool:
    """Compare data sets; their pixels are read only where all before them is the same."""
    with quiet():
        return _read(a, pixels=False) == _read(b, pixels=False) and _read(a) == _read(b)


def _read(location: str, *, pixels: bool = True) -> FileDataset:
    with opening.opened(location) as stream:
        return dcmread(stream, stop_before_pixels=not pixels, force=True)


def settle(candidates: Iterable[Candidate], same: Same) -> tuple[Candidate, Sequence[Copy]]:
    """Choose the file that is the object; every other one is a copy, equal or not.

    The result does not depend on the order of the candidates.
    """
    first, *others = sorted(candidates, key=lambda c: c.path)
    return first, [Copy(other, not same(first, other)) for other in others]

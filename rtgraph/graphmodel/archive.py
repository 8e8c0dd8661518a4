"""What archives announce and what is kept of what they send: terms and Cypher; no I/O."""

from enum import StrEnum


class Kept(StrEnum):
    """What is kept of a received object."""

    FULL = "FULL"
    HEADER = "HEADER"
    NONE = "NONE"

    @property
    def version_name(self) -> str:
        """The implementation version name of files without bulk, which says so (PS3.10 7.1)."""
        return _NAMES[self]

    def satisfies(self, wanted: "Kept") -> bool:
        """Tell whether what is kept is enough for who wants as much as `wanted`."""
        order = list(Kept)
        return order.index(self) <= order.index(wanted)


_NAMES = {Kept.FULL: "", Kept.HEADER: "RTGRAPH_HEADER", Kept.NONE: "RTGRAPH_NO_FILE"}


def kept_of(version_name: str) -> Kept:
    """Return what is kept of an object whose file has this implementation version name."""
    return next((k for k, name in _NAMES.items() if name and name == version_name), Kept.FULL)

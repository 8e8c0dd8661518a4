"""What a graph refers to, as counts without any identifier, to hold a copy against its source.

A de-identified or migrated copy has other UIDs, but as many references of each role, as many of
them missing, as many inside one frame, and the same number of frames. Check DEI-01 counts them:
held against an empty profile, its rows are the profile.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rtgraph.cypher.library import check
from rtgraph.errors import UsageError
from rtgraph.graphmodel.tables import Row

if TYPE_CHECKING:
    from rtgraph.store.bolt import Store

PROFILE_VERSION = 1
CHECK = "DEI-01"
PARAMETER = "profile"
_COUNTS = ("edges", "items", "missing", "same_frame")


async def profile(store: "Store") -> list[Row]:
    """Return the lines of the profile of a graph: what is counted, and its counts."""
    rows = await store.read(check(CHECK).statement, **{PARAMETER: []})
    return [{"subject": row["subject"], **{n: row["detail"][n] for n in _COUNTS}} for row in rows]


def profile_text(lines: Iterable[Row]) -> str:
    """Return a profile as JSON lines, the first of which holds the version."""
    rows = [{"schema_version": PROFILE_VERSION}, *lines]
    return "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows)


def read_profile(path: Path) -> list[Row]:
    """Read a profile.

    Raises
    ------
    UsageError
        The file cannot be read, or is no profile of this version.
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        version = rows[0]["schema_version"]
        if version != PROFILE_VERSION:
            raise UsageError(
                f"The profile has version {version}, this rtgraph reads {PROFILE_VERSION}.",
                "Write a new one with --reference-profile.")
        return [{"subject": str(row["subject"]), **{n: int(row[n]) for n in _COUNTS}}
                for row in rows[1:]]
    except OSError as error:
        raise UsageError(f"The profile cannot be read: {error.strerror}.",
                         "Write one with --reference-profile.") from error
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise UsageError("The file is no profile of references.",
                         "Write one with --reference-profile.") from error

"""Readers that fail as a file's name says; in a module that a worker process imports quickly."""

import gc
import os
import signal
from collections.abc import Sequence

from rtgraph.ingest.parse import Plan
from rtgraph.ingest.records import Found, Instance, Reason, Rejected

PLAN = Plan("00" * 32)
FINE = (Reason.NOT_DICOM, "")


def read(files: Sequence[Found], plan: Plan) -> list[Instance | Rejected]:
    """Read files whose names say what they do to their reader."""
    for file in files:
        if file.path.startswith("exit"):
            os._exit(3)
        if file.path.startswith("kill"):
            os.kill(os.getpid(), signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
        if file.path.startswith("memory"):
            raise MemoryError
        if file.path.startswith("defect"):
            raise ZeroDivisionError
    return [Rejected(f, *FINE) for f in files]


def patience(files: Sequence[Found], plan: Plan) -> list[Instance | Rejected]:
    """Reject files, with the number of new objects after which Python looks for cycles."""
    return [Rejected(f, Reason.NOT_DICOM, str(gc.get_threshold()[0])) for f in files]

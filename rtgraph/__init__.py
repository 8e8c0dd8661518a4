"""Radiotherapy DICOM as a Neo4j graph."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from rtgraph.api import Folder, Graph

__version__ = "0.1.0"
__all__ = ["__version__", "connect", "read"]


def connect(uri: str | None = None) -> "Graph":
    """Open the graph at `uri`, else the configured server, else the managed one."""
    from rtgraph.api import Graph

    return Graph(uri)


def read(folder: "str | Path", *, jobs: int = 1, key: str | None = None) -> "Folder":
    """Read a folder of DICOM files into memory, without a server.

    Parameters
    ----------
    folder : str or Path
        Walked recursively; files are recognised by content.
    jobs : int
        Worker processes. 1 reads in this process, which is safe in any script and notebook.
    key : str, optional
        64 hex digits for the keyed hash behind `patient_key`; random when absent.
    """
    from rtgraph.api import Folder

    return Folder(folder, jobs=jobs, key=key)

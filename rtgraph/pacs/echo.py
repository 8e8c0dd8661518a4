"""C-ECHO, or a first question over DICOMweb: is an archive there, and does it know us?"""

import time
from dataclasses import dataclass

from pynetdicom import build_context

from rtgraph.config import Node, Settings
from rtgraph.errors import PeerError
from rtgraph.pacs import dicomweb
from rtgraph.pacs.contexts import VERIFICATION
from rtgraph.pacs.peer import Peer
from rtgraph.pacs.query import Level, Query
from rtgraph.pacs.statuses import SUCCESS


@dataclass(frozen=True, slots=True)
class Echoed:
    """The answer of an archive; `error` says why there is none."""

    node: str
    address: str
    seconds: float
    peer: str = ""
    error: str = ""


def echo(node: Node, settings: Settings) -> Echoed:
    """Ask an archive whether it is there."""
    began = time.monotonic()
    address = node.url or f"{node.ae_title}@{node.host}:{node.port}"
    try:
        if node.url is not None:
            with dicomweb.session(node, settings) as web:
                next(web.find(Query(Level.study), 1), None)
            return Echoed(node.name, address, time.monotonic() - began, "DICOMweb")
        with Peer(node, settings).associated([build_context(VERIFICATION)]) as assoc:
            status = assoc.send_c_echo()
            if status.get("Status") != SUCCESS:
                raise Peer(node, settings).failed(status.get("Status"), "C-ECHO")
            name = assoc.acceptor.implementation_version_name or ""
    except PeerError as error:
        return Echoed(node.name, address, time.monotonic() - began, "", f"{error} {error.hint}")
    return Echoed(node.name, address, time.monotonic() - began, name)

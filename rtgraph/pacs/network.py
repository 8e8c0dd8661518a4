"""pynetdicom, set up once: it says nothing by itself, and it is told who rtgraph is.

What pynetdicom logs may hold values of patients (identifiers of queries, elements that it cannot
read), so none of it is passed on; what users have to know is told by the modules of this package.
"""

import logging

from pydicom.uid import UID
from pynetdicom import AE, _config

from rtgraph import __version__
from rtgraph.config import Settings

logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)
_config.LOG_HANDLER_LEVEL = "none"
_config.LOG_REQUEST_IDENTIFIERS = False
_config.LOG_RESPONSE_IDENTIFIERS = False

IMPLEMENTATION = UID("2.25.223004950659580248418324854773108831225")
VERSION_NAME = f"RTGRAPH_{__version__}"[:16]


def entity(settings: Settings) -> AE:
    """Return rtgraph as an application entity, with the timeouts of the settings.

    Silence on the network ends an association after `settings.silence` seconds; a peer that must
    be waited for longer (a move that fetches from tape) is watched by who asked it.
    """
    ae = AE(settings.ae_title)
    ae.implementation_class_uid = IMPLEMENTATION
    ae.implementation_version_name = VERSION_NAME
    ae.connection_timeout = settings.connect or None
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = settings.silence or None
    ae.maximum_pdu_size = settings.max_pdu
    return ae

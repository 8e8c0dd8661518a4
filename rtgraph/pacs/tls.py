"""TLS for associations: certificates of both sides, TLS 1.2 or later (PS3.15 B.9 and B.12)."""

import ssl
from pathlib import Path

from rtgraph.config import Node, Settings
from rtgraph.errors import UsageError


def server_context(settings: Settings) -> ssl.SSLContext | None:
    """Return what the receiver uses; None without a certificate.

    With `pacs.tls_ca` senders must show a certificate of these authorities.
    """
    if settings.tls_cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _own(context, settings)
    if settings.tls_ca is not None:
        _trust(context, settings.tls_ca, "pacs.tls_ca")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(node: Node, settings: Settings) -> tuple[ssl.SSLContext, str] | None:
    """Return what is used towards an archive and the name that its certificate must have."""
    if not node.tls:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if node.tls_ca is not None:
        _trust(context, node.tls_ca, f"nodes.{node.name}.tls_ca")
    else:
        context.load_default_certs()
    if settings.tls_cert is not None:
        _own(context, settings)
    return context, node.tls_name or node.host or ""


def _own(context: ssl.SSLContext, settings: Settings) -> None:
    assert settings.tls_cert is not None
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise UsageError("The certificate or its key cannot be read.",
                         "Check pacs.tls_cert and pacs.tls_key.") from error


def _trust(context: ssl.SSLContext, file: Path, setting: str) -> None:
    try:
        context.load_verify_locations(file)
    except (OSError, ssl.SSLError) as error:
        raise UsageError("The file of certificate authorities cannot be read.",
                         f"Check {setting}.") from error

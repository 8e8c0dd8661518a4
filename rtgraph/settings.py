"""Declarations of all settings: TOML key, environment names, reader, help, default.

The reader of `rtgraph.config`, the TOML keys and the reference page are made from them.
`NODE_SETTINGS` declares the keys of an archive, a section `[nodes.NAME]` each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtgraph.values import (
    ae_title,
    ae_titles,
    boolean,
    count,
    networks,
    one_of,
    path,
    pdu,
    port,
    seconds,
    size,
    text,
    texts,
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its TOML key `section.name`, environment names, reader and default."""

    key: str
    read: Callable[[object], Any]
    help: str
    default: Any = None
    environment: tuple[str, ...] = ()
    secret: bool = False
    attribute: str = ""

    @property
    def name(self) -> str:
        """The attribute of `Settings`."""
        return self.attribute or self.key.split(".")[-1]


SETTINGS = (
    Setting("server.uri", text, "Neo4j to use; absent: the managed server",
            environment=("RTGRAPH_URI", "NEO4J_URI")),
    Setting("server.user", text, "user name", "neo4j",
            ("RTGRAPH_USER", "NEO4J_USERNAME")),
    Setting("server.password", text, "only from the environment, never from a file of settings",
            None, ("RTGRAPH_PASSWORD", "NEO4J_PASSWORD"), secret=True),
    Setting("server.password_file", path, "file that holds the password and nothing else",
            None, ("RTGRAPH_PASSWORD_FILE",)),
    Setting("server.database", text, "database name; absent: the user's home database",
            None, ("RTGRAPH_DATABASE", "NEO4J_DATABASE")),
    Setting("server.browser_url", text, "address of Neo4j Browser for a server given by URI",
            None, ("RTGRAPH_BROWSER_URL",)),
    Setting("server.patience", seconds, "seconds that a lost server is waited for", 60.0,
            ("RTGRAPH_PATIENCE",)),
    Setting("local.home", path, "home of the managed server; absent: in the user data folder",
            None, ("RTGRAPH_HOME",)),
    Setting("local.heap", text, "largest heap of the managed server", "1g", ("RTGRAPH_HEAP",)),
    Setting("local.pagecache", text, "page cache of the managed server", "256m",
            ("RTGRAPH_PAGECACHE",)),
    Setting("local.bolt_port", port, "Bolt port; absent: that of the home, chosen free once",
            None, ("RTGRAPH_BOLT_PORT",)),
    Setting("local.http_port", port, "Browser port; absent: that of the home, chosen free once",
            None, ("RTGRAPH_HTTP_PORT",)),
    Setting("local.jars", path, "folder of the Neo4j jars; absent: the user's cache",
            None, ("RTGRAPH_JARS",)),
    Setting("local.offline", boolean, "never fetch anything", False, ("RTGRAPH_OFFLINE",)),
    Setting("privacy.names", boolean, "store person names in the graph", False,
            ("RTGRAPH_NAMES",)),
    Setting("ingest.jobs", count, "worker processes; absent: one per processor", None,
            ("RTGRAPH_JOBS",)),
    Setting("ingest.writers", count, "writers, one per partition of patients", 2,
            ("RTGRAPH_WRITERS",)),
    Setting("ingest.batch", count, "objects in a transaction", 5000, ("RTGRAPH_BATCH",)),
    Setting("ingest.executor", text,
            "cluster that reads the files, dask://host:port; absent: processes of this machine",
            None, ("RTGRAPH_EXECUTOR",)),
    Setting("log.file", path, "file that gets a line of JSON for each message; absent: none",
            None, ("RTGRAPH_LOG",), attribute="log_file"),
    Setting("log.megabytes", count, "size at which the file gets a number and a new one begins",
            10, ("RTGRAPH_LOG_MEGABYTES",), attribute="log_megabytes"),
    Setting("log.keep", count, "numbered files that are kept", 5, ("RTGRAPH_LOG_KEEP",),
            attribute="log_keep"),
    Setting("pacs.ae_title", ae_title, "own AE title, by which archives know rtgraph",
            "RTGRAPH", ("RTGRAPH_AE_TITLE",)),
    Setting("pacs.listen", text, "address at which objects are received", "127.0.0.1",
            ("RTGRAPH_LISTEN",)),
    Setting("pacs.port", port, "port at which objects are received", 11112,
            ("RTGRAPH_PORT",)),
    Setting("pacs.received", path, "folder for what is received", Path("received"),
            ("RTGRAPH_RECEIVED",)),
    Setting("pacs.callers", ae_titles, "AE titles that may send; absent: all", ()),
    Setting("pacs.allow", networks, "addresses and networks that may send", ("127.0.0.1", "::1")),
    Setting("pacs.private", texts, "private SOP classes that are taken; * for all", ()),
    Setting("pacs.associations", count, "associations that are accepted at once", 64),
    Setting("pacs.max_pdu", pdu, "largest PDU that is taken, in bytes; 0: no limit", 131072),
    Setting("pacs.silence", seconds, "seconds that a peer may say nothing", 60.0),
    Setting("pacs.connect", seconds, "seconds that a connection may take", 10.0),
    Setting("pacs.retry", seconds,
            "seconds that an archive is tried again that cannot be reached", 60.0),
    Setting("pacs.rounds", count, "how often an archive is asked for what has not come", 4),
    Setting("pacs.min_free", size, "room that is left on the disk, as 2G", 1024**3),
    Setting("pacs.sync", one_of("file", "association", "none"),
            "when files are on the disk for sure: each before its answer, all when their "
            "association closes, or when the system likes", "association"),
    Setting("pacs.keep", one_of("full", "header", "none"),
            "what is kept of an object: all, no pixel data and other bulk, or no file",
            "full"),
    Setting("pacs.tls_cert", path, "certificate for TLS; it makes the receiver use TLS"),
    Setting("pacs.tls_key", path, "key of the certificate"),
    Setting("pacs.tls_ca", path, "authorities of senders; it makes their certificate needed"),
)
BY_KEY = {s.key: s for s in SETTINGS}
NODE_SETTINGS = (
    Setting("ae_title", ae_title, "AE title of the archive"),
    Setting("host", text, "name or address of the archive"),
    Setting("port", port, "port of the archive"),
    Setting("url", text, "DICOMweb service instead of AE title, host and port"),
    Setting("model", one_of("study", "patient"), "root of queries", "study"),
    Setting("retrieve", one_of("auto", "move", "get"),
            "how objects are fetched; auto: C-MOVE, else C-GET", "auto"),
    Setting("associations", count, "associations that fetch at once", 2),
    Setting("pause", seconds, "seconds between two requests of an association", 0.0),
    Setting("tls", boolean, "use TLS", False),
    Setting("tls_ca", path, "authorities that the archive's certificate is checked with; "
            "absent: those of the system"),
    Setting("tls_name", text, "name in the archive's certificate; absent: its host"),
    Setting("user", text, "user name, when the archive asks for one"),
    Setting("passcode_file", path, "file that holds the passcode and nothing else"),
)
NODE_BY_NAME = {s.name: s for s in NODE_SETTINGS}
# In the working directory, and in the user configuration folder.
FILE = "rtgraph.toml"
# Sections whose keys are names that the user gives.
NAMED = {"nodes", "roots"}
# The section about checks: thresholds, suppressions and the protocol, as it stands in the file.
VALIDATE = "validate"

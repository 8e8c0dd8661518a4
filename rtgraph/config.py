"""Settings, and where each of them came from.

Precedence: option, `RTGRAPH_*` environment (then `NEO4J_*`), `./rtgraph.toml`, the file
`rtgraph.toml` of the user configuration folder, default. `SETTINGS` is the single declaration;
the reader, the TOML keys and the reference page are made from it. `NODE_SETTINGS` declares the
keys of an archive, a section `[nodes.NAME]` each.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rtgraph.errors import UnknownName, UsageError
from rtgraph.values import ae_title as _ae_title
from rtgraph.values import ae_titles as _ae_titles
from rtgraph.values import boolean as _boolean
from rtgraph.values import count as _count
from rtgraph.values import networks as _networks
from rtgraph.values import one_of as _one_of
from rtgraph.values import path as _path
from rtgraph.values import pdu as _pdu
from rtgraph.values import port as _port
from rtgraph.values import seconds as _seconds
from rtgraph.values import size as _size
from rtgraph.values import text as _text
from rtgraph.values import texts as _texts


def default_home() -> Path:
    """Return the user's data folder for the managed server."""
    import platformdirs

    return Path(platformdirs.user_data_dir("rtgraph", appauthor=False))


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its TOML key `section.name`, environment names, reader and default."""

    key: str
    read: Callable[[object], Any]
    help: str
    default: Any = None
    environment: tuple[str, ...] = ()
    secret: bool = False

    @property
    def name(self) -> str:
        """The attribute of `Settings`."""
        return self.key.split(".")[-1]


SETTINGS = (
    Setting("server.uri", _text, "Neo4j to use; absent: the managed server",
            environment=("RTGRAPH_URI", "NEO4J_URI")),
    Setting("server.user", _text, "user name", "neo4j",
            ("RTGRAPH_USER", "NEO4J_USERNAME")),
    Setting("server.password", _text, "only from the environment, never from a file of settings",
            None, ("RTGRAPH_PASSWORD", "NEO4J_PASSWORD"), secret=True),
    Setting("server.password_file", _path, "file that holds the password and nothing else",
            None, ("RTGRAPH_PASSWORD_FILE",)),
    Setting("server.database", _text, "database name; absent: the user's home database",
            None, ("RTGRAPH_DATABASE", "NEO4J_DATABASE")),
    Setting("server.browser_url", _text, "address of Neo4j Browser for a server given by URI",
            None, ("RTGRAPH_BROWSER_URL",)),
    Setting("server.patience", _seconds, "seconds that a lost server is waited for", 60.0,
            ("RTGRAPH_PATIENCE",)),
    Setting("local.home", _path, "home of the managed server; absent: in the user data folder",
            None, ("RTGRAPH_HOME",)),
    Setting("local.heap", _text, "largest heap of the managed server", "1g", ("RTGRAPH_HEAP",)),
    Setting("local.pagecache", _text, "page cache of the managed server", "256m",
            ("RTGRAPH_PAGECACHE",)),
    Setting("local.bolt_port", _port, "Bolt port; absent: that of the home, chosen free once",
            None, ("RTGRAPH_BOLT_PORT",)),
    Setting("local.http_port", _port, "Browser port; absent: that of the home, chosen free once",
            None, ("RTGRAPH_HTTP_PORT",)),
    Setting("local.jars", _path, "folder of the Neo4j jars; absent: the user's cache",
            None, ("RTGRAPH_JARS",)),
    Setting("local.offline", _boolean, "never fetch anything", False, ("RTGRAPH_OFFLINE",)),
    Setting("privacy.names", _boolean, "store person names in the graph", False,
            ("RTGRAPH_NAMES",)),
    Setting("ingest.jobs", _count, "worker processes; absent: one per processor", None,
            ("RTGRAPH_JOBS",)),
    Setting("ingest.writers", _count, "writers, one per partition of patients", 2,
            ("RTGRAPH_WRITERS",)),
    Setting("ingest.batch", _count, "objects in a transaction", 5000, ("RTGRAPH_BATCH",)),
    Setting("ingest.executor", _text,
            "cluster that reads the files, dask://host:port; absent: processes of this machine",
            None, ("RTGRAPH_EXECUTOR",)),
    Setting("pacs.ae_title", _ae_title, "own AE title, by which archives know rtgraph",
            "RTGRAPH", ("RTGRAPH_AE_TITLE",)),
    Setting("pacs.listen", _text, "address at which objects are received", "127.0.0.1",
            ("RTGRAPH_LISTEN",)),
    Setting("pacs.port", _port, "port at which objects are received", 11112,
            ("RTGRAPH_PORT",)),
    Setting("pacs.received", _path, "folder for what is received", Path("received"),
            ("RTGRAPH_RECEIVED",)),
    Setting("pacs.callers", _ae_titles, "AE titles that may send; absent: all", ()),
    Setting("pacs.allow", _networks, "addresses and networks that may send", ("127.0.0.1", "::1")),
    Setting("pacs.private", _texts, "private SOP classes that are taken; * for all", ()),
    Setting("pacs.associations", _count, "associations that are accepted at once", 64),
    Setting("pacs.max_pdu", _pdu, "largest PDU that is taken, in bytes; 0: no limit", 131072),
    Setting("pacs.silence", _seconds, "seconds that a peer may say nothing", 60.0),
    Setting("pacs.connect", _seconds, "seconds that a connection may take", 10.0),
    Setting("pacs.retry", _seconds,
            "seconds that an archive is tried again that cannot be reached", 60.0),
    Setting("pacs.rounds", _count, "how often an archive is asked for what has not come", 4),
    Setting("pacs.min_free", _size, "room that is left on the disk, as 2G", 1024**3),
    Setting("pacs.sync", _one_of("file", "association", "none"),
            "when files are on the disk for sure: each before its answer, all when their "
            "association closes, or when the system likes", "association"),
    Setting("pacs.keep", _one_of("full", "header", "none"),
            "what is kept of an object: all, no pixel data and other bulk, or no file",
            "full"),
    Setting("pacs.tls_cert", _path, "certificate for TLS; it makes the receiver use TLS"),
    Setting("pacs.tls_key", _path, "key of the certificate"),
    Setting("pacs.tls_ca", _path, "authorities of senders; it makes their certificate needed"),
)
_BY_KEY = {s.key: s for s in SETTINGS}
NODE_SETTINGS = (
    Setting("ae_title", _ae_title, "AE title of the archive"),
    Setting("host", _text, "name or address of the archive"),
    Setting("port", _port, "port of the archive"),
    Setting("url", _text, "DICOMweb service instead of AE title, host and port"),
    Setting("model", _one_of("study", "patient"), "root of queries", "study"),
    Setting("retrieve", _one_of("auto", "move", "get"),
            "how objects are fetched; auto: C-MOVE, else C-GET", "auto"),
    Setting("associations", _count, "associations that fetch at once", 2),
    Setting("pause", _seconds, "seconds between two requests of an association", 0.0),
    Setting("tls", _boolean, "use TLS", False),
    Setting("tls_ca", _path, "authorities that the archive's certificate is checked with; "
            "absent: those of the system"),
    Setting("tls_name", _text, "name in the archive's certificate; absent: its host"),
    Setting("user", _text, "user name, when the archive asks for one"),
    Setting("passcode_file", _path, "file that holds the passcode and nothing else"),
)
_NODE_BY_NAME = {s.name: s for s in NODE_SETTINGS}


@dataclass(frozen=True)
class Node:
    """An archive: a section `[nodes.NAME]` of the settings."""

    name: str
    ae_title: str | None = None
    host: str | None = None
    port: int | None = None
    url: str | None = None
    model: str = "study"
    retrieve: str = "auto"
    associations: int = 2
    pause: float = 0.0
    tls: bool = False
    tls_ca: Path | None = None
    tls_name: str | None = None
    user: str | None = None
    passcode_file: Path | None = None

    def read_passcode(self) -> str | None:
        """Return the passcode of the user; None when there is no file for it."""
        return _secret(self.passcode_file, "passcode", f"nodes.{self.name}.passcode_file")


@dataclass(frozen=True)
class Settings:
    """Effective settings; `origin` says for each name where its value came from."""

    uri: str | None = None
    user: str = "neo4j"
    password: str | None = field(default=None, repr=False)
    password_file: Path | None = None
    database: str | None = None
    browser_url: str | None = None
    patience: float = 60.0
    home: Path = field(default_factory=default_home)
    heap: str = "1g"
    pagecache: str = "256m"
    bolt_port: int | None = None
    http_port: int | None = None
    jars: Path | None = None
    offline: bool = False
    names: bool = False
    jobs: int | None = None
    writers: int = 2
    batch: int = 5000
    executor: str | None = None
    ae_title: str = "RTGRAPH"
    listen: str = "127.0.0.1"
    port: int = 11112
    received: Path = Path("received")
    callers: tuple[str, ...] = ()
    allow: tuple[str, ...] = ("127.0.0.1", "::1")
    private: tuple[str, ...] = ()
    associations: int = 64
    max_pdu: int = 131072
    silence: float = 60.0
    connect: float = 10.0
    retry: float = 60.0
    rounds: int = 4
    min_free: int = 1024**3
    sync: str = "association"
    keep: str = "full"
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_ca: Path | None = None
    nodes: Mapping[str, Node] = field(default_factory=dict)
    roots: Mapping[str, Path] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict, compare=False)

    def real_roots(self) -> dict[str, str]:
        """Return the named roots as real folders."""
        return {name: os.path.realpath(path) for name, path in self.roots.items()}

    def read_password(self) -> str | None:
        """Return the password of a server given by URI, from the environment or its file."""
        if self.password is not None:
            return self.password
        return _secret(self.password_file, "password",
                       "server.password_file or RTGRAPH_PASSWORD_FILE")

    def node(self, name: str | None = None) -> Node:
        """Return an archive by its name; without one, the only archive.

        Raises
        ------
        UsageError
            There is none of that name, or several to choose from.
        """
        if name is not None:
            if name not in self.nodes:
                raise UnknownName("archive", name, self.nodes)
            return self.nodes[name]
        if len(self.nodes) != 1:
            raise UsageError(
                "Several archives are known." if self.nodes else "No archive is known.",
                f"Choose with --node: {', '.join(sorted(self.nodes))}." if self.nodes else
                "Add a section [nodes.NAME] with ae_title, host and port to rtgraph.toml.")
        return next(iter(self.nodes.values()))


def _secret(file: Path | None, what: str, setting: str) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"The {what} file cannot be read: {reason}.",
                         f"Give the right file as {setting}.") from error


def load(
    options: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """Merge options, environment and settings files.

    Parameters
    ----------
    options : mapping
        From the command line, by the name of the setting; a None is no value.
    environment : mapping
        Default: the environment of the process.
    folder : Path
        Where `rtgraph.toml` is looked for; default: the working directory.

    Raises
    ------
    UsageError
        A value cannot be read, or a key does not exist (with a suggestion).
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    roots: dict[str, Path] = {}
    nodes: dict[str, Node] = {}
    for source, file in _files(folder or Path.cwd()):
        for key, value in _flat(file).items():
            if key.startswith("roots."):
                roots[_root_name(key, source)] = _read(_path, key, value, source)
            elif key.startswith("nodes."):
                node = _node(key.removeprefix("nodes."), value, source)
                nodes[node.name] = node
            else:
                _set(values, origin, key, value, source)
    for setting in SETTINGS:
        for name in reversed(setting.environment):
            if environment.get(name):
                _set(values, origin, setting.key, environment[name], name)
    names = {s.name: s.key for s in SETTINGS}
    for name, value in (options or {}).items():
        if value is not None:
            _set(values, origin, names[name], value, "option")
    return Settings(**values, nodes=nodes, roots=roots, origin=origin)


# Sections whose keys are names that the user gives.
_NAMED = {"nodes", "roots"}


def _files(folder: Path) -> list[tuple[str, Path]]:
    """Settings files that exist, the weaker first, with the name that `origin` gives them."""
    import platformdirs

    user = Path(platformdirs.user_config_dir("rtgraph", appauthor=False)) / "rtgraph.toml"
    files = (("rtgraph.toml of the user", user), ("rtgraph.toml", folder / "rtgraph.toml"))
    return [(name, file) for name, file in files if file.is_file()]


def _flat(file: Path) -> dict[str, object]:
    try:
        sections = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file.name} cannot be read: {error}.") from error
    flat: dict[str, object] = {}
    for section, content in sections.items():
        if not isinstance(content, dict) or section not in _sections():
            raise UnknownName(f"section in {file.name}", section, _sections())
        for name, value in content.items():
            key = f"{section}.{name}"
            if section not in _NAMED and (key not in _BY_KEY or _BY_KEY[key].secret):
                known = [k for k, s in _BY_KEY.items() if not s.secret]
                raise UnknownName(f"setting in {file.name}", key, known)
            flat[key] = value
    return flat


def _sections() -> list[str]:
    return sorted({s.key.split(".")[0] for s in SETTINGS} | _NAMED)


def _root_name(key: str, source: str) -> str:
    """The name of a root; paths in the graph are `name:relative/path`."""
    name = key.removeprefix("roots.")
    if not name or ":" in name:
        raise UsageError(f"{key} from {source}: a name without a colon is expected.")
    return name


def _node(name: str, content: object, source: str) -> Node:
    """Read a section of an archive."""
    section = f"nodes.{name}"
    if not isinstance(content, dict):
        raise UsageError(f"{section} from {source}: a section [{section}] is expected.")
    values = {}
    for key, value in content.items():
        if key not in _NODE_BY_NAME:
            raise UnknownName(f"setting of {section} in {source}", key, _NODE_BY_NAME)
        values[key] = _read(_NODE_BY_NAME[key].read, f"{section}.{key}", value, source)
    node = Node(name, **values)
    if node.url is None and None in (node.ae_title, node.host, node.port):
        raise UsageError(f"{section} from {source}: ae_title, host and port are expected, or url.")
    return node


def _set(
    values: dict[str, Any], origin: dict[str, str], key: str, value: object, source: str
) -> None:
    setting = _BY_KEY[key]
    values[setting.name] = _read(setting.read, key, value, source)
    origin[setting.name] = source


def _read(read: Callable[[object], Any], key: str, value: object, source: str) -> Any:
    try:
        return read(value)
    except ValueError as error:
        raise UsageError(f"{key} from {source}: {error}.") from error

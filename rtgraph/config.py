"""Settings, and where each of them came from.

Precedence: option, `RTGRAPH_*` environment (then `NEO4J_*`), `./rtgraph.toml`, the file
`rtgraph.toml` of the user configuration folder, default. `rtgraph.settings` declares them.
"""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rtgraph.errors import UnknownName, UsageError
from rtgraph.settings import BY_KEY, FILE, NAMED, NODE_BY_NAME, SETTINGS, VALIDATE
from rtgraph.values import path as as_path


def default_home() -> Path:
    """Return the user's data folder for the managed server."""
    import platformdirs

    return Path(platformdirs.user_data_dir("rtgraph", appauthor=False))


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

    @property
    def shows_passcode(self) -> bool:
        """Tell whether a passcode crosses the network as plain text; it goes with a user only."""
        encrypted = self.tls if self.url is None else self.url.lower().startswith("https:")
        return None not in (self.user, self.passcode_file) and not encrypted


@dataclass(frozen=True)
class Settings:
    """Effective settings; `origin` says for each name where its value came from.

    Roots and what stands about checks have their keys there: `roots.archive`.
    """

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
    log_file: Path | None = None
    log_megabytes: int = 10
    log_keep: int = 5
    roots: Mapping[str, Path] = field(default_factory=dict)
    validate: Mapping[str, Any] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def n_jobs(self) -> int:
        """Worker processes: as they are set, else one for each processor."""
        return self.jobs or os.cpu_count() or 1

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
    validate: dict[str, Any] = {}
    for source, file in _files(folder or Path.cwd()):
        for key, value in _flat(file).items():
            if key == VALIDATE:
                validate = _merged(validate, value)
                origin |= {name: source if name not in origin or not isinstance(leaf, list)
                           else f"{origin[name]}, {source}" for name, leaf in leaves(value, key)}
            elif key.startswith("roots."):
                roots[_root_name(key, source)] = _read(as_path, key, value, source)
                origin[key] = source
            elif key.startswith("nodes."):
                node = _node(key.removeprefix("nodes."), value, source)
                nodes[node.name] = node
                origin |= {name: source for name, _ in leaves(value, key)}
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
    return Settings(**values, nodes=nodes, roots=roots, validate=validate, origin=origin)


def leaves(section: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Yield the values below a section with their keys; a list is one value."""
    if not isinstance(section, Mapping):
        yield key, section
        return
    for name, value in section.items():
        yield from leaves(value, f"{key}.{name}")


def _merged(weaker: Mapping[str, Any], stronger: Any) -> dict[str, Any]:
    """Merge two sections about checks: single values and checks by name, lists one after another.

    What may stand there is the business of `cypher.policy`, which reads it.
    """
    merged = dict(weaker)
    for name, value in dict(stronger).items():
        before = merged.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            merged[name] = before | value
        elif isinstance(before, list) and isinstance(value, list):
            merged[name] = before + value
        else:
            merged[name] = value
    return merged


def _files(folder: Path) -> list[tuple[str, Path]]:
    """Settings files that exist, the weaker first, with the name that `origin` gives them."""
    files = (("rtgraph.toml of the user", user_file()), (FILE, folder / FILE))
    return [(name, file) for name, file in files if file.is_file()]


def settings_files() -> list[Path]:
    """Return the settings files that hold in the working directory, the weaker first."""
    return [file for _, file in _files(Path.cwd())]


def user_file() -> Path:
    """Return where the settings of the user stand, in the user configuration folder."""
    import platformdirs

    return Path(platformdirs.user_config_dir("rtgraph", appauthor=False)) / FILE


def _flat(file: Path) -> dict[str, object]:
    try:
        sections = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file.name} cannot be read: {error}.") from error
    flat: dict[str, object] = {}
    for section, content in sections.items():
        if not isinstance(content, dict) or section not in section_names():
            raise UnknownName(f"section in {file.name}", section, section_names())
        if section == VALIDATE:
            flat[VALIDATE] = content
            continue
        for name, value in content.items():
            key = f"{section}.{name}"
            if section not in NAMED and (key not in BY_KEY or BY_KEY[key].secret):
                known = [k for k, s in BY_KEY.items() if not s.secret]
                raise UnknownName(f"setting in {file.name}", key, known)
            flat[key] = value
    return flat


def section_names() -> list[str]:
    """Return the names of all sections."""
    return sorted({s.key.split(".")[0] for s in SETTINGS} | NAMED | {VALIDATE})


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
        if key not in NODE_BY_NAME:
            raise UnknownName(f"setting of {section} in {source}", key, NODE_BY_NAME)
        values[key] = _read(NODE_BY_NAME[key].read, f"{section}.{key}", value, source)
    node = Node(name, **values)
    if node.url is None and None in (node.ae_title, node.host, node.port):
        raise UsageError(f"{section} from {source}: ae_title, host and port are expected, or url.")
    return node


def _set(
    values: dict[str, Any], origin: dict[str, str], key: str, value: object, source: str
) -> None:
    setting = BY_KEY[key]
    values[setting.name] = _read(setting.read, key, value, source)
    origin[setting.name] = source


def _read(read: Callable[[object], Any], key: str, value: object, source: str) -> Any:
    try:
        return read(value)
    except ValueError as error:
        raise UsageError(f"{key} from {source}: {error}.") from error

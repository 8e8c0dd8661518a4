"""Settings, and where each of them came from.

Precedence: option, `RTGRAPH_*` environment (then `NEO4J_*`), `./rtgraph.toml`, the file
`rtgraph.toml` of the user configuration folder, default. `SETTINGS` is the single declaration;
the reader, the TOML keys and the reference page are made from it.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

from rtgraph.errors import UnknownName, UsageError


def default_home() -> Path:
    """Return the user's data folder for the managed server."""
    import platformdirs

    return Path(platformdirs.user_data_dir("rtgraph", appauthor=False))


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in ("1", "true", "yes", "on"):
        return True
    if text in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("true or false is expected")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("text is expected")
    return value


def _seconds(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = -1
    if not 0 <= number < inf:
        raise ValueError("a number of seconds is expected")
    return number


def _path(value: object) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError("a path is expected")
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        raise ValueError("the home of that user is not known") from error


def _count(value: object) -> int:
    return _whole(value, inf, "a number from 1 is expected")


def _port(value: object) -> int:
    return _whole(value, 65535, "a port from 1 to 65535 is expected")


def _whole(value: object, most: float, expected: str) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = 0
    if not 1 <= number <= most:
        raise ValueError(expected)
    return number


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
)
_BY_KEY = {s.key: s for s in SETTINGS}
# The section about checks: thresholds, suppressions and the protocol, as it stands in the file.
VALIDATE = "validate"


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
    roots: Mapping[str, Path] = field(default_factory=dict)
    validate: Mapping[str, Any] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict, compare=False)

    def real_roots(self) -> dict[str, str]:
        """Return the named roots as real folders."""
        return {name: os.path.realpath(path) for name, path in self.roots.items()}

    def read_password(self) -> str | None:
        """Return the password of a server given by URI, from the environment or its file."""
        if self.password is not None:
            return self.password
        if self.password_file is None:
            return None
        try:
            return self.password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise UsageError(
                f"The password file cannot be read: {reason}.",
                "Give the right file as server.password_file or RTGRAPH_PASSWORD_FILE.",
            ) from error


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
    validate: dict[str, Any] = {}
    for source, file in _files(folder or Path.cwd()):
        for key, value in _flat(file).items():
            if key == VALIDATE:
                validate = _merged(validate, value)
            elif key.startswith("roots."):
                roots[_root_name(key, source)] = _read(_path, key, value, source)
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
    return Settings(**values, roots=roots, validate=validate, origin=origin)


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
        if section == VALIDATE:
            flat[VALIDATE] = content
            continue
        for name, value in content.items():
            key = f"{section}.{name}"
            if section != "roots" and (key not in _BY_KEY or _BY_KEY[key].secret):
                known = [k for k, s in _BY_KEY.items() if not s.secret]
                raise UnknownName(f"setting in {file.name}", key, known)
            flat[key] = value
    return flat


def _sections() -> list[str]:
    return sorted({s.key.split(".")[0] for s in SETTINGS} | {"roots", VALIDATE})


def _root_name(key: str, source: str) -> str:
    """The name of a root; paths in the graph are `name:relative/path`."""
    name = key.removeprefix("roots.")
    if not name or ":" in name:
        raise UsageError(f"{key} from {source}: a name without a colon is expected.")
    return name


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

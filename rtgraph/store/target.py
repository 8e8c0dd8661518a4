"""Which server a command uses: the one given by URI, else the managed server of a home."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from rtgraph.config import Settings
from rtgraph.errors import ServerRefused, ServerUnreachable, UsageError
from rtgraph.store import local
from rtgraph.store.bolt import Store


@dataclass(frozen=True)
class Target:
    """A server and how to reach it; `origin` names the setting that chose it."""

    uri: str
    user: str
    password: str = field(repr=False)
    database: str | None
    origin: str
    browser_url: str | None = None
    managed: local.LocalServer | None = None

    @property
    def browser_link(self) -> str | None:
        """Return Browser's address with server, user and database filled in."""
        if self.browser_url is None:
            return None
        scheme, _, host = self.uri.partition("://")
        dbms = f"{scheme}://{quote(self.user)}@{host}"
        return f"{self.browser_url}?dbms={dbms}&db={self.database or 'neo4j'}"

    @property
    def password_file(self) -> Path | None:
        """Return where the password of a managed server is."""
        return self.managed.password_file if self.managed else None

    def store(self, patience: float = 60.0) -> Store:
        """Return a store for this server, not connected yet."""
        return Store(self.uri, self.user, self.password, self.database, patience)


def choose(
    settings: Settings, report: Callable[[str], None], *, start: bool,
    ask: Callable[[], str] | None = None,
) -> Target:
    """Return the server to use; with `start` a managed one that does not run is started.

    Parameters
    ----------
    report : callable
        Gets lines of progress while a managed server is fetched and started.
    ask : callable, optional
        Asks a person for the password of a server given by URI when no setting has it.

    Raises
    ------
    ServerUnreachable
        No managed server runs and `start` is false.
    ServerRefused
        There is no password for a server given by URI.
    """
    if settings.uri is None:
        running = local.start(settings, report) if start else local.find(settings.home)
        if running is None:
            raise ServerUnreachable("No managed server is running.", "Start it: rtgraph up")
        return Target(running.uri, running.user, running.password(), None,
                      settings.origin.get("home", "default home"), running.browser_url, running)
    _no_login(settings.uri)
    password = settings.read_password() or (ask() if ask else None)
    if password is None:
        raise ServerRefused(
            "There is no password for the server.",
            "Set RTGRAPH_PASSWORD, or server.password_file in rtgraph.toml.")
    return Target(settings.uri, settings.user, password, settings.database,
                  settings.origin.get("uri", "default"), settings.browser_url)


def _no_login(uri: str) -> None:
    """Addresses are printed, so they must not hold a password."""
    if "@" in uri:
        raise UsageError("The address of the server holds a login.",
                         "Leave it out; use RTGRAPH_USER and RTGRAPH_PASSWORD.")

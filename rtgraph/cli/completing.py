"""What the shell completes: checks, queries and saved cohorts; no server is asked.

Checks and queries are files. The names of cohorts are those that a command of this machine has seen
last, kept for each server in the user's cache.
"""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rtgraph.errors import RtgraphError

if TYPE_CHECKING:
    from rtgraph.config import Settings
    from rtgraph.store.target import Target

Words = list[tuple[str, str]]


def check_ids(incomplete: str) -> Words:
    """Return the checks whose id begins so, with their titles."""
    from rtgraph.cypher.library import load_checks
    from rtgraph.cypher.session import OWN_CHECKS

    with suppress(RtgraphError):
        return [(c.id, c.title) for c in load_checks(OWN_CHECKS).files
                if c.id.startswith(incomplete)]
    return []


def families_and_ids(incomplete: str) -> Words:
    """Return families of checks, and checks."""
    ids = check_ids(incomplete)
    families = dict.fromkeys(name.partition("-")[0] for name, _ in ids)
    return [(f, "all checks of the family") for f in families
            if f.startswith(incomplete)] + ids


def query_names(incomplete: str) -> Words:
    """Return the named queries whose name begins so, with their titles."""
    from rtgraph.api import OWN_QUERIES
    from rtgraph.cypher.library import queries

    with suppress(RtgraphError):
        return [(q.name, q.title) for q in queries(OWN_QUERIES) if q.name.startswith(incomplete)]
    return []


def cohort_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names of cohorts that were seen last on the server of the command."""
    from rtgraph import config

    with suppress(RtgraphError):
        data = ctx.params.get("data")
        settings = config.load({"uri": ctx.params.get("uri"), "home": data})
        known = _kept().get(_of_settings(settings, managed=data is not None), [])
        return [name for name in known if name.startswith(incomplete)]
    return []


def remember_cohorts(target: "Target", names: Iterable[str]) -> None:
    """Keep the names of the cohorts of a server; where that cannot be, nothing is completed."""
    key = str(target.managed.home) if target.managed else target.uri
    file, kept = _file(), _kept() | {key: sorted(names)}
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as text:
            json.dump(kept, text)
        fresh.replace(file)


def _of_settings(settings: "Settings", *, managed: bool) -> str:
    if settings.uri is None or managed:
        return str(settings.home.resolve())
    return settings.uri


def _file() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("rtgraph", appauthor=False)) / "cohorts.json"


def _kept() -> dict[str, list[str]]:
    try:
        kept = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}

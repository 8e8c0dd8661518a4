"""The checks on a large graph: seconds of each, and what the slow ones do.

    python -m bench.checks --instances 1000000
    python -m bench.checks --home FOLDER            a home that `bench.store` filled

Generated objects are written straight to the store, as by `bench.store`. Then all checks of level
header run once, two at a time, as `rtgraph validate` runs them, and once more one after the other,
for the time of each. A check above two seconds is run again with PROFILE, and the operators that
touch most of the store are named.
"""

import argparse
import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from neo4j import GraphDatabase

from bench.cohort import Totals
from bench.results import LINES, Row, keep, show
from bench.store import drive
from rtgraph import config
from rtgraph.cypher.header import Level
from rtgraph.cypher.library import checks, select
from rtgraph.cypher.validate import Report, Result, Status, run_checks
from rtgraph.store import local
from rtgraph.store.bolt import Store

SLOW = 2.0  # s; a check above it is explained
LIMIT = 60.0  # s; for all checks on a million instances, two cores
OPERATORS = 3
JOBS = 2  # the default of `rtgraph validate`


async def validated(server: local.LocalServer) -> tuple[int, list[Report]]:
    """Return the number of instances, and what all header checks that need nothing report.

    The first report is that of a run with `JOBS` checks at a time, the second of one by one.
    """
    chosen = [c for c in select(checks()) if c.level is Level.header and not c.params]
    async with Store(server.uri, server.user, server.password()) as store:
        (row,) = await store.read("MATCH (i:Instance) RETURN count(i) AS n")
        return row["n"], [await run_checks(store, chosen, jobs=n) for n in (JOBS, 1)]


def cause(server: local.LocalServer, statement: str) -> str:
    """Return the operators of a statement with most hits of the store, and the rows they give."""
    with GraphDatabase.driver(server.uri, auth=(server.user, server.password())) as driver:
        summary = driver.execute_query(f"PROFILE {statement}").summary
    most = sorted(_operators(summary.profile), key=lambda o: -int(o.get("dbHits", 0)))
    return "; ".join(
        f"{o['operatorType'].partition('@')[0]} {o.get('args', {}).get('Details', '')[:60]} "
        f"({int(o.get('dbHits', 0)):,} hits, {int(o.get('rows', 0)):,} rows)"
        for o in most[:OPERATORS])


def _operators(plan: Any) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("children", ()):
        yield from _operators(child)


def rows_of(server: local.LocalServer, whole: Report, single: Report) -> list[Row]:
    """Return a row for each run and one for each check that is slow by itself."""
    slow = sorted((r for r in single.results if r.seconds > SLOW), key=lambda r: -r.seconds)
    return [
        _all(whole, f"all, {JOBS} at a time", f"{len(whole.results)} checks"),
        _all(single, "all, one by one", f"{len(slow)} above {SLOW:g} s"),
        *({"check": r.check.id, "seconds": round(r.seconds, 1), "findings": len(r.findings),
           "looked at": r.population, "cause": _cause(server, r)} for r in slow),
    ]


def _all(report: Report, name: str, said: str) -> Row:
    return {"check": name, "seconds": round(report.seconds, 1),
            "findings": sum(len(r.findings) for r in report.results),
            "looked at": sum(r.population for r in report.results), "cause": said}


def _cause(server: local.LocalServer, result: Result) -> str:
    return (result.message if result.status is Status.errored
            else f"findings: {cause(server, result.check.statement)}; "
                 f"population: {cause(server, result.check.population)}")


def measure(instances: int, home: Path | None, options: dict[str, object]) -> tuple[int, list[Row]]:
    """Start a server, fill it when it is empty, run the checks; a home not named is removed."""
    folder = home or Path(tempfile.mkdtemp(prefix="rtgraph-bench-"))
    settings = config.load(options | {"home": folder})
    server = local.start(settings, print)
    try:
        n, reports = asyncio.run(validated(server)) if home else (0, [])
        if not n:
            asyncio.run(drive(server, Totals.of_files(instances), settings, lambda rows: None))
            n, reports = asyncio.run(validated(server))
        return n, rows_of(server, *reports)
    finally:
        local.stop(folder)
        if home is None:
            shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Measure and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.checks")
    parser.add_argument("--instances", type=int, default=1_000_000)
    parser.add_argument("--home", type=Path, help="home of the server, kept")
    parser.add_argument("--heap")
    parser.add_argument("--pagecache")
    parser.add_argument("--lines", type=Path, default=LINES)
    given = parser.parse_args()
    options: dict[str, object] = {name: getattr(given, name) for name in ("heap", "pagecache")
                                  if getattr(given, name) is not None}
    n, rows = measure(given.instances, given.home, options)
    title = f"Checks of level header, {n:,} instances"
    used = config.load(options)
    notes = [f"heap {used.heap}, page cache {used.pagecache}; first run after the write, plans "
             f"not cached; the limit for a million instances is {LIMIT:g} s"]
    show(title, rows)
    keep(f"checks {n:>9}", title, rows, notes, given.lines)


if __name__ == "__main__":
    main()

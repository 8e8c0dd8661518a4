"""The two Python objects: `Graph` of a server and `Folder` of files, with the same methods.

Both are synchronous. The async code runs on one background thread with its own event loop, so they
work inside a running loop (notebooks) too.
"""

import asyncio
import os
import secrets
import sys
import threading
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from rtgraph import config
from rtgraph.cypher.graph import find_patient
from rtgraph.errors import UnknownName, UsageError
from rtgraph.graphmodel.references import locating_roles
from rtgraph.graphmodel.tables import TABLES, Row, Tables, of_patient

if TYPE_CHECKING:
    import pandas

    from rtgraph.ingest.pipeline import Progress
    from rtgraph.ingest.runs import Summary
    from rtgraph.preprocess.case import Case
    from rtgraph.preprocess.cases import Locate
    from rtgraph.preprocess.rtimage import RtImagePlane
    from rtgraph.store.bolt import Store
    from rtgraph.viz.figure import Figure
    from rtgraph.viz.picture import Material

T = TypeVar("T")


# Files of the project that are named queries beside those of the package.
OWN_QUERIES = Path("queries")


class Rows(list[Row]):
    """Rows of a result: a list of dictionaries that turns into a data frame."""

    columns: list[str]

    def __init__(self, rows: list[Row], columns: list[str] | None = None) -> None:
        super().__init__(rows)
        self.columns = columns if columns is not None else list(rows[0]) if rows else []

    def to_pandas(self) -> "pandas.DataFrame":
        """Return a data frame with one column for each name."""
        import pandas

        return pandas.DataFrame(list(self), columns=self.columns)


class TableFrames(Mapping[str, "pandas.DataFrame"]):
    """The tables as data frames, each made when it is asked for."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def __getitem__(self, name: str) -> "pandas.DataFrame":
        if name not in TABLES:
            raise UnknownName("table", name, TABLES)
        return Rows(self._tables[name], list(TABLES[name])).to_pandas()

    def __iter__(self) -> Iterator[str]:
        return iter(TABLES)

    def __len__(self) -> int:
        return len(TABLES)


async def graph_case(store: "Store", uid: str, preset: str) -> "Case":
    """Return the case of a plan or structure set; see `Graph.case`."""
    from rtgraph.cypher.cohorts import Members
    from rtgraph.preprocess import review
    from rtgraph.preprocess.case import Case
    from rtgraph.preprocess.cases import load_cases, select
    from rtgraph.preprocess.settings import preset_text, read_settings

    settings = read_settings(preset if "\n" in preset else preset_text(preset))
    settings = settings.with_reviewed(await review.reviewed(store))
    selection = await select(store, Members("INSTANCE", (uid,)), sets=True,
                             segmentations=True)
    cases = await load_cases(store, selection, await locating(store))
    if len(cases) != 1:
        raise UsageError(f"{len(cases)} plans belong to this object.",
                         "Name the plan: graph.case(plan_uid)")
    return Case(cases[0], settings)


async def rt_image(store: "Store", uid: str) -> "RtImagePlane":
    """Return where the pixels of an RT image are; see `Graph.rt_image`."""
    from rtgraph.preprocess.cases import source_files
    from rtgraph.preprocess.files import read
    from rtgraph.preprocess.rtimage import read_rt_image
    from rtgraph.preprocess.sources import current

    found = await source_files(store, (uid,), (), await locating(store))
    if uid not in found:
        raise UsageError("The graph has no object of this UID.")
    return read_rt_image(read(current(found[uid]), pixels=False))


async def locating(store: "Store") -> "Locate":
    """Return what finds the files of paths of the graph; roots of the settings win."""
    from rtgraph.ingest.wherefile import roots_of

    return (await roots_of(store, config.load().real_roots())).location


async def scan(
    folder: Path, settings: config.Settings, progress: "Progress", rejects_file: Path | None = None,
    *, follow_links: bool = False,
) -> tuple["Summary", Tables]:
    """Read a folder without a server; the summary counts what an ingest would write."""
    from rtgraph.ingest.records import State
    from rtgraph.ingest.runs import Summary, reject_list, workers
    from rtgraph.ingest.tables import read_folder, tables

    started = perf_counter()
    with reject_list(rejects_file) as rejected, workers(settings.jobs) as executor:
        objects = await read_folder(
            [folder], executor, key=secrets.token_hex(32), roots=settings.real_roots(),
            progress=progress, rejected=rejected, follow_links=follow_links)
    found = tables(objects)
    after = counted(found)
    summary = Summary(
        "without a server", "DONE", perf_counter() - started, progress, dict.fromkeys(after, 0),
        after, rejects_file if progress.states[State.REJECTED] else None)
    return summary, found


def counted(tables: Tables) -> dict[str, int]:
    """Count what a graph of these tables holds, under the names of the summary of an ingest."""
    from rtgraph.viz.subgraph import fold

    def present(table: str, uid: str, *, missing: bool = False) -> int:
        return len({r[uid] for r in tables[table] if r["missing"] is missing})

    edges = [r for r in tables["references"] if r["target_level"] == "instance"]
    return {
        "patients": len(tables["patients"]),
        "studies": present("studies", "StudyInstanceUID"),
        "series": present("series", "SeriesInstanceUID"),
        "instances": present("instances", "SOPInstanceUID"),
        "missing_instances": present("instances", "SOPInstanceUID", missing=True),
        "references": len(edges),
        "unresolved": sum(not r["resolved"] for r in edges),
        "series_references": len(fold(tables, locating_roles()).series_edges),
        "shares_for": _shared(tables),
    }


def _shared(tables: Tables) -> int:
    """Number of SHARES_FOR edges: each pair of a frame, or a star when it has many series."""
    from rtgraph.graphmodel.schema import MAX_CLIQUE

    frames: dict[str, set[str]] = {}
    for r in tables["frames"]:
        if r["kind"] == "PATIENT" and r["n_patients"] == 1:
            frames.setdefault(r["FrameOfReferenceUID"], set()).add(r["SeriesInstanceUID"])
    sizes = [len(series) for series in frames.values()]
    return sum(n * (n - 1) // 2 if n <= MAX_CLIQUE else n - 1 for n in sizes)


async def server_status(settings: config.Settings) -> dict[str, Any]:
    """Return what `rtgraph status` prints; `running` is false when no server answers."""
    from rtgraph.errors import ServerUnreachable
    from rtgraph.ingest.runs import counts
    from rtgraph.store.target import choose

    state: dict[str, Any] = dict.fromkeys((
        "uri", "user", "password_file", "database", "edition", "version", "browser_url",
        "data_dir", "log_file", "counts", "last_run"))
    state |= {"schema_version": 1, "managed": settings.uri is None, "running": False,
              "uri": settings.uri}
    try:
        target = choose(settings, lambda line: None, start=False)
        async with target.store(0) as store:
            (component,) = await store.read(
                "CALL dbms.components() YIELD versions, edition RETURN versions, edition")
            runs = await store.read(
                "MATCH (r:IngestRun) RETURN r.id AS id, r.state AS state ORDER BY r.started DESC "
                "LIMIT 1")
            state |= {
                "running": True, "uri": target.uri, "user": target.user,
                "database": target.database or "neo4j", "browser_url": target.browser_url,
                "version": component["versions"][0], "edition": component["edition"],
                "counts": await counts(store),
                "last_run": f"{runs[0]['id']} {runs[0]['state'].lower()}" if runs else None,
            }
    except ServerUnreachable:
        return state
    if home := target.managed:
        state |= {"password_file": str(home.password_file), "data_dir": str(home.data_dir),
                  "log_file": str(home.log_file)}
    return state


class _Background:
    """An event loop on a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """End the thread, and those that the loop has used."""
        self.run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Graph:
    """A graph on a server: the one of `uri`, else the configured, else the managed one."""

    def __init__(self, uri: str | None = None) -> None:
        from rtgraph.graphmodel.schema import schema
        from rtgraph.store.target import choose

        settings = config.load({"uri": uri})
        self.target = choose(settings, lambda line: print(line, file=sys.stderr), start=True)
        self._background = _Background()
        self._store = self.target.store(settings.patience)
        try:
            self._background.run(self._store.connect())
            self._background.run(self._store.prepare(schema()))
        except BaseException:
            self._background.close()
            raise

    def __enter__(self) -> "Graph":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; a managed server goes on running."""
        self._background.run(self._store.close())
        self._background.close()

    @property
    def tables(self) -> TableFrames:
        """All tables as data frames."""
        from rtgraph.viz.gather import graph_tables

        return TableFrames(self._background.run(graph_tables(self._store)))

    def figure(self, patient: str, **options: Any) -> "Figure":
        """Draw a patient, given by patient_key or PatientID.

        The options are those of `rtgraph graph`, with underscores: `expand=["RTRECORD"]`,
        `problems_only=True`, `identifiers=True`.
        """
        from rtgraph.viz.figure import Figure
        from rtgraph.viz.gather import material, patient_of
        from rtgraph.viz.picture import chosen

        how = chosen(**options)

        async def read() -> "Material":
            key = await patient_of(self._store, patient, None, identifiers=how.identifiers)
            return await material(self._store, key, self.target.browser_link)

        return Figure(self._background.run(read()), how)

    def case(self, uid: str, preset: str = "nifti") -> "Case":
        """Return the case of a plan, or of a structure set or dose of one plan or none.

        Parameters
        ----------
        uid : str
            SOPInstanceUID.
        preset : str
            Preset, or the text of a configuration, that says how arrays are made.
        """
        return self._background.run(graph_case(self._store, uid, preset))

    def rt_image(self, uid: str) -> "RtImagePlane":
        """Return where the pixels of an RT image, given by SOPInstanceUID, are.

        `at_isocentre` gives mm in the plane of the isocentre for columns and rows, `pixels_at` the
        way back.
        """
        return self._background.run(rt_image(self._store, uid))

    def query(self, name: str, /, **parameters: object) -> Rows:
        """Run a named query or a Cypher text, read-only."""
        return self._background.run(run_query(self._store, name, parameters))

    def find(
        self, *conditions: str, level: str = "series", without: Sequence[str] = (),
        columns: Sequence[str] = (), where_file: Sequence[str] = (), **equal: object,
    ) -> Rows:
        """Find patients, studies, series or instances by conditions on their attributes.

        Conditions are written as for `rtgraph find`; `Modality="RT*"` is the same as the condition
        "Modality=RT*", and a list is one of several values.
        """
        from rtgraph.cypher.find import search
        from rtgraph.search import find_rows

        stated = [*conditions, *(f"{name}={_listed(value)}" for name, value in equal.items())]
        rows = self._background.run(find_rows(
            self._store, level, stated, without, columns=columns, where_file=where_file,
            roots=config.load().real_roots(), jobs=os.cpu_count() or 1))
        return Rows(rows, list(search(level, stated, without, columns=columns).columns))


def _listed(value: object) -> str:
    """Return a value as it stands in a condition; several values are separated by commas."""
    values = value if isinstance(value, list | tuple | set) else [value]
    return ",".join(str(v).lower() if isinstance(v, bool) else str(v) for v in values)


def is_text(name: str) -> bool:
    """Tell a Cypher text from the name of a query."""
    return len(name.split()) > 1


async def run_query(store: "Store", name: str, parameters: Mapping[str, object]) -> Rows:
    """Run a named query with checked parameters, or a text that is no name."""
    from rtgraph.cypher.library import bind, query

    if is_text(name):
        return Rows(await store.read(name, **parameters), await store.columns(name))
    found = query(name, OWN_QUERIES)
    rows = await store.read(found.statement, **bind(found, parameters))
    return Rows(rows, list(found.returns))


class Folder:
    """A folder of files in memory, without a server."""

    def __init__(self, folder: str | Path, *, jobs: int = 1, key: str | None = None) -> None:
        from rtgraph.ingest.pipeline import Progress
        from rtgraph.ingest.runs import workers
        from rtgraph.ingest.tables import read_folder, tables

        self.progress = Progress()
        background = _Background()
        try:
            with workers(min(jobs, os.cpu_count() or 1)) as executor:
                objects = background.run(read_folder(
                    [Path(folder)], executor, key=key or secrets.token_hex(32), roots={},
                    progress=self.progress, rejected=lambda rejected: None))
        finally:
            background.close()
        self.rows = tables(objects)

    @property
    def tables(self) -> TableFrames:
        """All tables as data frames."""
        return TableFrames(self.rows)

    def figure(self, patient: str, **options: Any) -> "Figure":
        """Draw a patient, given by patient_key or PatientID; options as in `Graph.figure`."""
        from rtgraph.viz.figure import Figure
        from rtgraph.viz.picture import chosen

        how = chosen(**options)
        key = find_patient(self.rows["patients"], patient, identifiers=how.identifiers)
        return Figure(self.material(key), how)

    def material(self, patient_key: str) -> "Material":
        """Return what the picture of a patient is made of."""
        from rtgraph.viz.picture import Material

        return Material(patient_key, of_patient(self.rows, patient_key))

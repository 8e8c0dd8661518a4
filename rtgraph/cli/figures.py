"""What the command `graph` does: read, draw, write, say what was written."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rtgraph.cli.app import look, may_write, say, settings_of, target_of, write_bytes
from rtgraph.errors import UsageError

if TYPE_CHECKING:
    from rtgraph.api import Folder
    from rtgraph.store.bolt import Store
    from rtgraph.viz.many import Entry
    from rtgraph.viz.picture import Material, Options


@dataclass(frozen=True)
class Source:
    """Where patients are read from: a server, or a folder of files."""

    uri: str | None
    data: Path | None
    folder: Path | None
    jobs: int | None

    @property
    def n_jobs(self) -> int:
        """Worker processes."""
        return settings_of(self.uri, self.data, jobs=self.jobs).n_jobs

    def read(self) -> "Folder":
        """Read the folder."""
        from rtgraph.api import Folder

        assert self.folder is not None
        if not self.folder.exists():
            raise UsageError("A given path does not exist.", "Check the path; nothing was read.")
        return Folder(self.folder, jobs=self.n_jobs)


def draw_one(
    source: Source, patient: str | None, uid: str | None, options: "Options", name: str,
    output: Path | None, force: bool,
) -> Path | None:
    """Draw one patient and return the file, None for stdout."""
    import asyncio

    from rtgraph.cypher.graph import find_patient
    from rtgraph.viz import gather
    from rtgraph.viz.figure import Figure

    may_write(output, force)
    if source.folder is not None:
        folder = source.read()
        key = find_patient(
            folder.rows["patients"], patient, identifiers=options.identifiers
        ) if patient is not None else gather.holder(folder.rows, str(uid))
        material = folder.material(key)
    else:
        target = target_of(settings_of(source.uri, source.data))

        async def read() -> "Material":
            async with target.store() as store:
                await look(store)
                key = await gather.patient_of(
                    store, patient, uid, identifiers=options.identifiers)
                return await gather.material(store, key, target.browser_link)

        material = asyncio.run(read())
    content = Figure(material, options).as_format(name)
    return _write(content, output or Path(f"{material.patient_key}.{name}"), force)


def draw_schema(
    source: Source, options: "Options", name: str, output: Path | None, force: bool
) -> Path | None:
    """Draw labels and relationship types."""
    import asyncio

    from rtgraph.viz import gather
    from rtgraph.viz.figure import render
    from rtgraph.viz.schemapicture import schema_picture

    output = output or Path(f"schema.{name}")
    may_write(output, force)
    target = target_of(settings_of(source.uri, source.data))

    async def read() -> "tuple[list[dict[str, object]], list[dict[str, object]]]":
        async with target.store() as store:
            await look(store)
            return await gather.counts(store)

    return _write(render(schema_picture(*asyncio.run(read()), options), name), output, force)


@dataclass(frozen=True)
class Done:
    """The index that was written, and how many patients are not drawn."""

    index: Path
    problems: int


def draw_many(
    source: Source, cohort: str | None, options: "Options", output: Path | None, force: bool
) -> Done:
    """Draw many patients into a folder, with an index that is written last."""
    import asyncio

    from rtgraph.cypher.graph import patients
    from rtgraph.ingest.pool import processes
    from rtgraph.output import write_file
    from rtgraph.viz import gather, many

    if output is None or str(output) == "-":
        raise UsageError("Many patients need a folder for their pages.",
                         "Name it with --output DIR.")
    many.refuse_folder(output, force=force)
    lenient = replace(options, choice=replace(options.choice, strict=False))

    async def draw(store: "Store | None", folder: "Folder | None", browser: str | None
                   ) -> "list[Entry]":
        if store is None:
            assert folder is not None
            keys = [str(r["patient_key"]) for r in folder.rows["patients"]]
        elif cohort is not None:
            keys = await gather.cohort_patients(store, cohort)
        else:
            keys = [str(r["patient_key"]) for r in await patients(store)]

        async def read(key: str) -> "Material":
            if store is None:
                assert folder is not None
                return folder.material(key)
            return await gather.material(store, key, browser)

        executor = processes(source.n_jobs) if source.n_jobs > 1 and len(keys) > 1 else None
        try:
            return [entry async for entry in many.draw_many(
                sorted(keys), read, lenient, output, force=force, executor=executor,
                jobs=source.n_jobs)]
        finally:
            if executor:
                executor.shutdown(cancel_futures=True)

    async def with_store() -> "list[Entry]":
        target = target_of(settings_of(source.uri, source.data))
        async with target.store() as store:
            await look(store)
            return await draw(store, None, target.browser_link)

    entries = asyncio.run(draw(None, source.read(), None) if source.folder else with_store())
    title = f"Patients of the cohort {cohort}" if cohort else "Patients"
    index = output / "index.html"
    write_file(many.render_index(entries, title, identifiers=options.identifiers), index,
               force=force)
    problems = sum(bool(e.problem) for e in entries)
    drawn = len(entries) - problems
    say(f"{index.name} and {drawn:,} {'page' if drawn == 1 else 'pages'}")
    if problems:
        say(f"{problems:,} not drawn, since they are too large; the index says so. "
            "--max-nodes N allows more boxes.")
    return Done(index, problems)


def _write(content: str | bytes, output: Path, force: bool) -> Path | None:
    """Write to a file and say how large it is, or to stdout."""
    write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"), output,
                force=force)
    if str(output) == "-":
        return None
    size = f"{output.stat().st_size / 1e6:.2f} MB"
    say(f"{output.name}  {size}", in_log=f"a figure of {size}")
    return output


def open_in_browser(path: Path) -> None:
    """Open a file in the web browser of this machine."""
    import webbrowser

    if not webbrowser.open(path.resolve().as_uri()):
        say("No web browser could be opened; the file is written.")

"""The pages of many patients: one for each, written in parallel, and an index of them."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rtgraph.errors import TooManyBoxes, UsageError
from rtgraph.graphmodel.modalities import series_type
from rtgraph.output import write_file
from rtgraph.text import plain
from rtgraph.viz.figure import render
from rtgraph.viz.findings import SEVERITIES
from rtgraph.viz.picture import Material, Options, compose


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the index: what a page shows, or why there is none."""

    patient_key: str
    identifiers: dict[str, str]
    counts: dict[str, int]
    findings: dict[str, int]
    modalities: dict[str, int]
    days: tuple[str, str]
    n_boxes: int
    problem: str = ""


def draw_page(
    material: Material, options: Options, folder: Path, *, force: bool
) -> Entry:
    """Write the page of a patient into a folder; a patient too large for one gets none."""
    problem = ""
    try:
        picture = compose(material, options)
    except TooManyBoxes as error:
        picture = compose(material, options, positions=False)
        problem = f"{error.n:,} boxes, more than {error.limit:,}: not drawn"
    else:
        write_file(render(picture, "html"), folder / f"{material.patient_key}.html", force=force)
    boxes = picture.subgraph.boxes
    found = picture.validation.findings if picture.validation else ()
    days = sorted(b.when.isoformat()[:10] for b in boxes if b.when is not None)
    return Entry(
        patient_key=material.patient_key,
        identifiers=dict(picture.heading.identifiers) if options.identifiers else {},
        counts=dict(picture.heading.counts),
        findings=dict(Counter(f.severity for f in found if not f.waived)),
        modalities=dict(Counter(b.modality for b in boxes)),
        days=(days[0], days[-1]) if days else ("", ""),
        n_boxes=len(boxes), problem=problem,
    )


async def draw_many(
    keys: Sequence[str], read: Callable[[str], Awaitable[Material]], options: Options,
    folder: Path, *, force: bool, executor: Executor | None, jobs: int,
) -> AsyncIterator[Entry]:
    """Write a page for each patient, several at a time, and yield their entries as they come.

    Parameters
    ----------
    read : callable
        Reads the material of a patient.
    executor : Executor, optional
        Where pages are drawn; without one in a thread of this process.
    jobs : int
        How many patients are in memory at once.
    """
    room = asyncio.Semaphore(jobs + 1)  # the next one is read while all are busy drawing
    loop = asyncio.get_running_loop()

    async def one(key: str) -> Entry:
        async with room:
            material = await read(key)
            return await loop.run_in_executor(
                executor, _drawn, material, options, folder, force)

    tasks = [asyncio.create_task(one(key)) for key in keys]
    try:
        for task in asyncio.as_completed(tasks):
            yield await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _drawn(material: Material, options: Options, folder: Path, force: bool) -> Entry:
    return draw_page(material, options, folder, force=force)


def refuse_folder(folder: Path, *, force: bool) -> None:
    """Refuse to write the pages of many patients over an index that is there."""
    if folder.exists() and not folder.is_dir():
        raise UsageError("The output for many patients is a folder, and this is a file.",
                         "Name a folder with --output.")
    if not force and (folder / "index.html").exists():
        raise UsageError("The folder holds an index already.", "Overwrite it with --force.")
    if folder.exists() and not os.access(folder, os.W_OK):
        raise UsageError("The folder cannot be written.", "Choose another one with --output.")


def render_index(entries: Iterable[Entry], title: str, *, identifiers: bool) -> str:
    """Return the index: one table of patients, which can be sorted and searched."""
    from rtgraph.viz import page

    ordered = sorted(entries, key=lambda e: e.patient_key)
    modalities = sorted({m for e in ordered for m in e.modalities},
                        key=lambda m: (series_type(m).layer, m))
    names = sorted({n for e in ordered for n in e.identifiers})
    data: dict[str, Any] = {
        "entries": [asdict(e) for e in ordered], "modalities": modalities,
        "severities": list(SEVERITIES), "identifiers": names if identifiers else [],
    }
    return page.from_template("index.html", ("base", "index"), ("index",), data,
                              title=plain(title), n=len(ordered), identifiers=identifiers)

"""The command that compares two DICOM objects: compare."""

import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from rtgraph.cli.app import app, look, may_write, settings_of, target_of, write_text
from rtgraph.cli.options import Data, Force, Identifiers, Output, Uri
from rtgraph.errors import UsageError


class CompareFormat(StrEnum):
    """How differences are printed."""

    text = "text"
    json = "json"
    html = "html"


@app.command()
def compare(
    a: Annotated[str, typer.Argument(help="File, or SOPInstanceUID of the graph.")],
    b: Annotated[str, typer.Argument(help="File, or SOPInstanceUID of the graph.")],
    tolerance: Annotated[float, typer.Option(min=0, help="Difference of numbers that is none.")
                         ] = 0.0,
    relative: Annotated[float, typer.Option(min=0, help="The same, as a share.")] = 0.0,
    ignore: Annotated[list[str] | None, typer.Option(
        help="Keyword to leave out, with * and ?; may be repeated.")] = None,
    output_format: Annotated[CompareFormat, typer.Option(
        "--format", "-f", help="How differences are printed.")] = CompareFormat.text,
    uri: Uri = None, data: Data = None, output: Output = None, force: Force = False,
    identifiers: Identifiers = False,
) -> None:
    """Show what differs between two DICOM objects; exit with 1 when something does.

    Items of sequences are matched by number or UID, numbers with a tolerance.

    Example: rtgraph compare a.dcm b.dcm --tolerance 0.01 --ignore "*UID" --ignore "*Date"
    """
    import asyncio

    from rtgraph.preprocess.differences import CompareOptions, differences
    from rtgraph.preprocess.files import read
    from rtgraph.preprocess.showing import as_html, as_json, as_text

    may_write(output, force)
    locations = [a, b]
    if not all(os.path.exists(x.partition("!/")[0]) for x in locations):
        locations = asyncio.run(_located(locations, uri, data))
    one, other = (read(location) for location in locations)
    found = differences(one, other, CompareOptions(tolerance, relative, tuple(ignore or ())))
    text: dict[CompareFormat, Callable[[Any, bool], str]] = {
        CompareFormat.text: as_text, CompareFormat.json: as_json, CompareFormat.html: as_html}
    write_text(text[output_format](found, identifiers), output, force=force)
    sys.stdout.flush()
    raise typer.Exit(int(bool(found)))


async def _located(given: list[str], uri: str | None, data: Path | None) -> list[str]:
    """Return the files of objects that are given by UID."""
    from rtgraph.api import locating
    from rtgraph.preprocess.cases import files_of

    target = target_of(settings_of(uri, data))
    async with target.store() as store:
        await look(store)
        known = await files_of(store, [x for x in given if not os.path.exists(x)],
                               await locating(store))
    missing = [x for x in given if not os.path.exists(x) and x not in known]
    if missing:
        raise UsageError(f"{len(missing)} of the two are neither a file nor an object with one.")
    return [known.get(x, x) for x in given]

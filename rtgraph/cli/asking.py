"""The command that draws a patient."""

import os
from pathlib import Path
from typing import Annotated

import typer

from rtgraph.cli.app import app, may_write, say, settings_of, target_of
from rtgraph.cli.options import Data, Force, Identifiers, Jobs, Output, Patient, Uri


@app.command()
def graph(
    patient: Patient,
    uri: Uri = None, data: Data = None,
    from_folder: Annotated[Path | None, typer.Option(
        "--from-folder", help="Draw from files, without a server.")] = None,
    output: Output = None, force: Force = False, identifiers: Identifiers = False,
    jobs: Jobs = None,
) -> None:
    """Draw a patient as one HTML page that needs no network.

    Example: rtgraph graph 4d1f0c9a72e3b856 -o patient.html
    """
    import asyncio

    from rtgraph.api import Figure, Folder, graph_figure
    from rtgraph.cypher.graph import find_patient
    from rtgraph.viz.page import write_page

    may_write(output, force)
    if from_folder is not None:
        settings = settings_of(None, None, jobs=jobs)
        folder = Folder(from_folder, jobs=settings.jobs or os.cpu_count() or 1)
        key = find_patient(folder.rows["patients"], patient)
        figure = folder.figure(key, identifiers=identifiers)
    else:
        target = target_of(settings_of(uri, data))

        async def work() -> tuple[str, Figure]:
            async with target.store() as store:
                return await graph_figure(store, patient, identifiers=identifiers)

        key, figure = asyncio.run(work())
    if str(output) == "-":
        typer.echo(figure.html)
        return
    path = output or Path(f"{key}.html")
    write_page(figure.html, path, force=force)
    say(f"{path.name}  {len(figure.html.encode()) / 1e6:.2f} MB")

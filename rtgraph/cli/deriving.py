"""The command that makes what is derived anew: derive."""

from typing import Annotated

import typer

from rtgraph.cli.app import app, settings_of, target_of
from rtgraph.cli.options import Data, Log, LogFormat, Patience, Uri
from rtgraph.cli.progress import event, watched

Infer = Annotated[bool, typer.Option(
    "--infer", help="Make guesses as well: INFERRED_LINK, with method and confidence.")]


@app.command()
def derive(
    uri: Uri = None, data: Data = None, patience: Patience = None, infer: Infer = False,
    log_format: Log = LogFormat.text,
) -> None:
    """Make everything derived anew from what the files have stated; no file is read.

    Guesses of an earlier --infer go, unless it is given again.

    Example: rtgraph derive --infer
    """
    import asyncio

    from rtgraph.graphmodel.schema import schema
    from rtgraph.ingest.derive import rebuild
    from rtgraph.ingest.pipeline import Progress

    settings = settings_of(uri, data, patience=patience)
    target = target_of(settings, writes=True)
    progress = Progress(phase="derive")

    async def work() -> int:
        async with target.store(settings.patience) as store:
            await store.prepare(schema())
            await rebuild(store, progress.take_derived, infer=infer)
            (row,) = await store.read(
                "MATCH ()-[e:INFERRED_LINK]->() RETURN count(e) AS n")
            return int(row["n"])

    guesses = asyncio.run(watched(work(), progress, log_format))
    if log_format is LogFormat.json:
        event("end", series=progress.to_derive, guesses=guesses)
    typer.echo(f"derived {progress.to_derive:,} series, {guesses:,} guesses")

"""The command that looks for what is wrong with an installation: doctor."""

import typer

from rtgraph.cli.app import app, settings_of
from rtgraph.cli.options import AsReport, Data, ReportFormat, Uri


@app.command()
def doctor(
    uri: Uri = None, data: Data = None, output_format: AsReport = ReportFormat.table,
) -> None:
    """Look at server, Java, disk, memory, folders and extras, and say what to do about each.

    Nothing is started, fetched or changed. The exit code is 1 when there is something to repair.

    Example: rtgraph doctor
    """
    import asyncio
    import json

    from rtgraph import doctor as examinations
    from rtgraph.text import plain

    found = asyncio.run(examinations.examine(settings_of(uri, data)))
    code = examinations.exit_code(found)
    if output_format is ReportFormat.json:
        typer.echo(json.dumps({"schema_version": 1, "exit_code": int(code), "findings": [
            {"examination": name, "state": f.state.value, "text": f.text, "advice": f.advice}
            for name, f in found]}, indent=2, sort_keys=True))
    else:
        for name, f in found:
            typer.echo(f"{f.state.value:<6}{name:<9} {plain(f.text)}")
            if f.advice:
                typer.echo(f"{'':<15} → {plain(f.advice)}")
    raise typer.Exit(code)

"""The command that shows the whole program."""

from pathlib import Path
from typing import Annotated

import typer

from rtgraph.cli.app import app
from rtgraph.text import plain


@app.command()
def demo(
    data: Annotated[Path | None, typer.Argument(help="Own files; absent: synthetic ones.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of the demo.")] = Path("rtgraph-demo"),
    patients: Annotated[int, typer.Option(min=1, help="Synthetic patients.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the synthetic patients.")] = 1,
    no_server: Annotated[bool, typer.Option("--no-server", help="Only files and figure.")] = False,
    clean: Annotated[bool, typer.Option("--clean", help="Stop and remove the demo.")] = False,
) -> None:
    """Show the whole program on synthetic patients, or on a folder of your own files.

    Example: rtgraph demo
    """
    from rtgraph import config
    from rtgraph.demo import run
    from rtgraph.render import report_table

    def step(name: str, text: str) -> None:
        typer.echo(f"{name:<11} {plain(text)}")

    if clean:
        step("clean", "removed" if run.clean(out) else "there is nothing to remove")
        return
    shown = run.show(out, config.load(), step, data=data, patients=patients, seed=seed,
                     server=not no_server)
    if shown.report:
        typer.echo("\n" + report_table(shown.report, limit=3))
    step("figure", f"{shown.figure}")
    if shown.target:
        step("browser", f"{shown.target.browser_link}")
        step("log in", f"user {shown.target.user}, password in {shown.target.password_file}")
        step("next", f"rtgraph query list · rtgraph status --data {out}/home · rtgraph graph -h")

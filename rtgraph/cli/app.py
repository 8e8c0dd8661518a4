"""The application: the entry point, errors to exit codes, and what every command does alike.

Results go to stdout, everything else to stderr. Heavy imports stand inside the commands, so that
`--help` answers at once.
"""

import io
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rtgraph import __version__
from rtgraph.cli.logfile import FACTS, follow, terminal
from rtgraph.errors import ExitCode, Interrupted, RtgraphError, UsageError, first_of
from rtgraph.text import plain
from rtgraph.viz.output import refuse_existing, write_file

if TYPE_CHECKING:
    from rtgraph.config import Settings
    from rtgraph.store.target import Target

app = typer.Typer(
    name="rtgraph", no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def say(text: str, *, in_log: str | None = None, level: int = logging.INFO) -> None:
    """Print a line for people on stderr; `in_log` stands in the log file in its place."""
    terminal.log(level, "%s", text if in_log is None else in_log)
    with suppress(OSError):  # nobody reads stderr any more: no reason to stop
        typer.echo(plain(text), err=True)


def main() -> None:
    """Run a command; every known error is one sentence and what to do next."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a sign the terminal lacks is no error
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
        if code == ExitCode.interrupted:  # Typer has turned Ctrl-C into its exit code
            raise KeyboardInterrupt
    except BaseException as error:
        code = _failed(error)
    terminal.info("exit", extra={FACTS: {"exit_code": int(code or 0)}})
    sys.exit(code or 0)


def _failed(error: BaseException) -> int:
    error = first_of(error)
    if isinstance(error, SystemExit):
        return int(error.code or 0)
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        error = Interrupted("Stopped.", "What was finished stays; the same command goes on.")
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.done
    if isinstance(error, RtgraphError):
        # what was wrong with the words of a command may repeat them
        kind = type(error).__name__ if error.exit_code is ExitCode.usage else None
        say(f"{error} {error.hint}".strip(), in_log=kind, level=logging.ERROR)
        return error.exit_code
    if hasattr(error, "format_message"):
        shows_help = type(error).__name__ == "NoArgsIsHelpError"
        say(error.format_message() + ("" if shows_help else " See rtgraph --help."),
            in_log=type(error).__name__, level=logging.ERROR)
        return ExitCode.usage
    if os.environ.get("RTGRAPH_DEBUG"):
        raise error
    say(f"Unexpected error: {type(error).__name__}. This is a defect of rtgraph; "
        "RTGRAPH_DEBUG=1 shows where.", level=logging.ERROR)
    return ExitCode.incomplete


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Radiotherapy DICOM as a Neo4j graph: read, check, query, draw."""
    if show:
        typer.echo(f"rtgraph {__version__}")
        raise typer.Exit


def settings_of(uri: str | None, data: Path | None, **options: object) -> "Settings":
    from rtgraph import config

    if uri and data:
        raise UsageError("--uri and --data name two servers.", "Give one of them.")
    settings = config.load({"uri": uri, "home": data and data.resolve(), **options})
    follow(settings)
    if data:  # a home named on the command line is meant, whatever URI is configured
        from dataclasses import replace

        return replace(settings, uri=None)
    return settings


def target_of(settings: "Settings", *, start: bool = True, writes: bool = False) -> "Target":
    from rtgraph.store.target import choose

    def ask() -> str:
        if not sys.stdin.isatty():
            raise UsageError("There is no password for the server.",
                             "Set RTGRAPH_PASSWORD, or server.password_file in rtgraph.toml.")
        return str(typer.prompt("Password", hide_input=True, err=True))

    target = choose(settings, say, start=start, ask=ask)
    if writes:
        say(f"server  {target.uri.partition('://')[2]} (from {target.origin})")
    return target


def may_write(output: Path | None, force: bool) -> None:
    """Refuse to overwrite a file, before any work is done for it."""
    if output is not None and str(output) != "-":
        refuse_existing(output, force=force)


def write_text(text: str, output: Path | None, *, force: bool = False) -> None:
    if output is None or str(output) == "-":
        typer.echo(text, nl=False)
        return
    write_bytes(text.encode("utf-8"), output, force=force)


def write_bytes(content: bytes, output: Path, *, force: bool = False) -> None:
    """Write a file whole or not at all; - is stdout."""
    if str(output) == "-":
        sys.stdout.buffer.write(content)
        return
    write_file(content, output, force=force)

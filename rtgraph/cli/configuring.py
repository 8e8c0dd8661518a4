"""Commands about settings: init writes them, config show tells which hold and why."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rtgraph.cli.app import app, may_write, say, settings_of, write_text
from rtgraph.cli.options import AsRows, Data, Force, Format, Output, Uri

if TYPE_CHECKING:
    from rtgraph.config import Settings

config_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None,
                         help="Settings and where they come from.")
app.add_typer(config_app, name="config")
# Sections whose keys are chosen by the user, as they may look.
EXAMPLES = {
    "nodes": """\
# Archives, a section each; docs/reference/settings.md has all keys.
# [nodes.clinic]
# ae_title = "CLINIC"
# host = "pacs.example.org"
# port = 104 """,
    "roots": """\
# Folders that keep their name in the graph; a moved archive needs one changed line.
# archive = "/data/archive" """,
    "validate": """\
# What this clinic thinks of single checks; docs/reference/settings.md has all of it.
# protocol = "protocol.toml"
# [validate.checks.FOR-08]
# severity = "info"
# error_above = "1%" """,
}
HIDDEN = "(hidden)"


@app.command()
def init(
    user: Annotated[bool, typer.Option(
        "--user", help="Write the file of the user, which holds in every folder.")] = False,
    output: Output = None, force: Force = False,
) -> None:
    """Write a rtgraph.toml with every setting, its meaning and its default, all commented out.

    Example: rtgraph init
    """
    from rtgraph.config import user_file
    from rtgraph.settings import FILE

    path = output or (user_file() if user else Path(FILE))
    may_write(path, force)
    write_text("\n".join(commented()) + "\n", path, force=force)
    if str(path) != "-":
        say(f"{path} is written. Remove the # before what you set; rtgraph config show tells what "
            "holds.")


def commented() -> Iterator[str]:
    """Yield the lines of a settings file in which nothing is set."""
    from rtgraph.config import section_names
    from rtgraph.settings import SETTINGS

    yield "# Settings of rtgraph. Options and RTGRAPH_* variables win over this file."
    for section in section_names():
        yield f"\n[{section}]"
        if section in EXAMPLES:
            yield "\n".join(line.rstrip() for line in EXAMPLES[section].splitlines())
        for s in SETTINGS:
            if s.key.split(".")[0] == section and not s.secret:
                named = f" ({s.environment[0]})" if s.environment else ""
                yield f"# {s.help}{named}"
                yield f"# {s.key.split('.')[-1]} = {_toml(s.default)}".rstrip()


def _toml(value: object) -> str:
    """Return a default as TOML writes it, nothing when there is none."""
    if isinstance(value, Path):
        value = str(value)
    return "" if value is None else json.dumps(value)


@config_app.command("show")
def config_show(
    uri: Uri = None, data: Data = None, output_format: AsRows = Format.table,
    output: Output = None, force: Force = False,
) -> None:
    """Show each setting that holds, and where it comes from; passwords are hidden.

    Example: rtgraph config show
    """
    from rtgraph.cli.rows import write_rows

    may_write(output, force)
    write_rows(["key", "value", "origin"], list(effective(settings_of(uri, data))), output_format,
               output, force=force)


def effective(settings: "Settings") -> Iterator[dict[str, Any]]:
    """Yield the rows of `config show`: every setting, then what the user has named."""
    from rtgraph.config import leaves
    from rtgraph.settings import NODE_SETTINGS, SETTINGS, VALIDATE

    for s in SETTINGS:
        value = getattr(settings, s.name)
        if s.secret and value is not None:
            value = HIDDEN
        yield _row(s.key, value, settings.origin.get(s.name, "default"))
    nodes = {name: {s.name: value for s in NODE_SETTINGS
                    if (value := getattr(node, s.name)) != s.default}
             for name, node in settings.nodes.items()}
    named = [("nodes", nodes), ("roots", settings.roots), (VALIDATE, settings.validate)]
    for section, content in named:
        for key, value in leaves(content, section):
            yield _row(key, value, settings.origin.get(key, "default"))


def _row(key: str, value: object, origin: str) -> dict[str, Any]:
    return {"key": key, "value": str(value) if isinstance(value, Path) else value,
            "origin": origin}

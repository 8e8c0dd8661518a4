"""The command that draws: a patient, many patients, or the graph as a whole."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from rtgraph.cli.app import app
from rtgraph.cli.completing import cohort_names
from rtgraph.cli.figures import Source, draw_many, draw_one, draw_schema, open_in_browser
from rtgraph.cli.options import Data, Force, Identifiers, Jobs, Output, Uri
from rtgraph.errors import ExitCode, UsageError


class FigureFormat(StrEnum):
    """What a figure is written as."""

    html = "html"
    svg = "svg"
    png = "png"
    json = "json"
    dot = "dot"
    graphml = "graphml"


class Per(StrEnum):
    """What has a box of its own when it is no image."""

    object = "object"
    series = "series"


class Direction(StrEnum):
    """Where references point."""

    down = "down"
    up = "up"


def _several(name: str, help_text: str, *, metavar: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(name, metavar=metavar, help=help_text)
    return option


@app.command()
def graph(
    patient: Annotated[str | None, typer.Argument(help="patient_key or PatientID.")] = None,
    study: Annotated[list[str] | None, _several(
        "--study", "Draw this study and what is around it.", metavar="UID")] = None,
    series: Annotated[list[str] | None, _several(
        "--series", "Draw this series and what is around it.", metavar="UID")] = None,
    hops: Annotated[int, typer.Option(
        min=0, help="How many references away from --study and --series.")] = 1,
    everyone: Annotated[bool, typer.Option(
        "--all", help="Draw every patient, and an index, into a folder.")] = False,
    cohort: Annotated[str | None, typer.Option(
        metavar="NAME", help="Draw the patients of a saved cohort, and an index.",
        autocompletion=cohort_names)] = None,
    schema: Annotated[bool, typer.Option(
        "--schema", help="Draw labels and relationship types with their counts.")] = False,
    from_folder: Annotated[Path | None, typer.Option(
        "--from-folder", help="Draw from files, without a server.")] = None,
    uri: Uri = None, data: Data = None,
    output_format: Annotated[FigureFormat | None, typer.Option(
        "--format", "-f", help="What is written; else the ending of the file decides.")] = None,
    output: Output = None, force: Force = False,
    modality: Annotated[list[str] | None, _several(
        "--modality", "Draw this Modality only; may be repeated.", metavar="MODALITY")] = None,
    exclude_modality: Annotated[list[str] | None, _several(
        "--exclude-modality", "Leave out this Modality; may be repeated.",
        metavar="MODALITY")] = None,
    exclude_series: Annotated[list[str] | None, _several(
        "--exclude-series", "Leave out this series; may be repeated.", metavar="UID")] = None,
    role: Annotated[list[str] | None, _several(
        "--role", "Draw references of this role only; may be repeated.", metavar="ROLE")] = None,
    problems_only: Annotated[bool, typer.Option(
        "--problems-only", help="Draw what has a problem, and its neighbours.")] = False,
    expand: Annotated[list[str] | None, _several(
        "--expand", "Draw all boxes of this Modality, or of `all`; may be repeated.",
        metavar="MODALITY")] = None,
    per: Annotated[Per, typer.Option(help="What has a box when it is no image.")] = Per.object,
    max_nodes: Annotated[int, typer.Option(
        min=1, help="Boxes above which nothing is drawn.")] = 1500,
    direction: Annotated[Direction, typer.Option(
        help="Where references point.")] = Direction.down,
    uid_labels: Annotated[bool, typer.Option("--uid-labels", help="Label boxes by UID.")] = False,
    identifiers: Identifiers = False,
    link_template: Annotated[str | None, typer.Option(
        metavar="URL", help="Link of each box to a viewer: "
        "'http://host/viewer?StudyInstanceUIDs={StudyInstanceUID}'.")] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the web browser.")] = False,
    jobs: Jobs = None,
) -> None:
    """Draw a patient as one HTML page that needs no network, or in another format.

    Example: rtgraph graph 4d1f0c9a72e3b856 -o patient.html
    """
    from rtgraph.viz.figure import format_of
    from rtgraph.viz.picture import chosen

    if open_it and str(output) == "-":
        raise UsageError("What goes to stdout cannot be opened.", "Name a file with --output.")
    options = chosen(
        study=study or (), series=series or (), hops=hops, modality=modality or (),
        exclude_modality=exclude_modality or (), exclude_series=exclude_series or (),
        role=role or (), problems_only=problems_only, expand=expand or (),
        per=_literal(per), max_nodes=max_nodes, direction=_way(direction),
        uid_labels=uid_labels, identifiers=identifiers, link_template=link_template)
    what = _what(patient, [*(study or ()), *(series or ())], everyone, cohort, schema,
                 from_folder is not None)
    source = Source(uri, data, from_folder, jobs)
    if what == "many":
        if output_format not in (None, FigureFormat.html):
            raise UsageError("Many patients are drawn as pages.", "Leave out --format.")
        done = draw_many(source, cohort, options, output, force)
        written: Path | None = done.index
        code = ExitCode.findings if done.problems else ExitCode.done
    else:
        name = format_of(output, output_format and output_format.value)
        code = ExitCode.done
        if what == "schema":
            written = draw_schema(source, options, name, output, force)
        else:
            uid = next(iter((*(study or ()), *(series or ()))), None)
            written = draw_one(source, patient, uid, options, name, output, force)
    if open_it and written is not None:
        open_in_browser(written)
    raise typer.Exit(code)


def _literal(per: Per) -> Literal["object", "series"]:
    return "series" if per is Per.series else "object"


def _way(direction: Direction) -> Literal["down", "up"]:
    return "up" if direction is Direction.up else "down"


def _what(
    patient: str | None, uids: Sequence[str], everyone: bool, cohort: str | None, schema: bool,
    from_folder: bool,
) -> Literal["one", "many", "schema"]:
    """Return what is to be drawn; it must be said in exactly one way."""
    ways = [patient is not None or bool(uids), everyone, cohort is not None, schema]
    if sum(ways) != 1:
        raise UsageError(
            "One thing to draw is expected." if any(ways) else "There is nothing to draw.",
            "Name a patient, --study UID, --series UID, --all, --cohort NAME or --schema.")
    if from_folder and (cohort is not None or schema):
        raise UsageError("--cohort and --schema need a graph.", "Leave out --from-folder.")
    return "one" if ways[0] else "schema" if schema else "many"

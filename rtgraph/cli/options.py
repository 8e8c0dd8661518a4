"""Options that several commands share, declared once."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    csv = "csv"
    json = "json"
    jsonl = "jsonl"
    parquet = "parquet"


class CheckFormat(StrEnum):
    """How findings are printed."""

    table = "table"
    concise = "concise"
    json = "json"
    jsonl = "jsonl"
    csv = "csv"
    junit = "junit"
    html = "html"
    markdown = "markdown"


class Pass(StrEnum):
    """The pass whose facts checks may look at; each includes those before it."""

    header = "header"
    geometry = "geometry"
    pixel = "pixel"


class LevelOf(StrEnum):
    """What an archive is asked for."""

    patient = "patient"
    study = "study"
    series = "series"
    image = "image"


class Root(StrEnum):
    """Where a question to an archive begins."""

    study = "study"
    patient = "patient"


class Way(StrEnum):
    """How objects are fetched from an archive."""

    auto = "auto"
    move = "move"
    get = "get"


class ReportFormat(StrEnum):
    """How a report is printed."""

    table = "table"
    json = "json"


class FailOn(StrEnum):
    """Lowest severity that makes `validate` exit with 1."""

    info = "info"
    warning = "warning"
    error = "error"


class LogFormat(StrEnum):
    """How progress is told on stderr."""

    text = "text"
    json = "json"


class KeepOf(StrEnum):
    """What is kept of a received object."""

    full = "full"
    header = "header"
    none = "none"


class SyncOf(StrEnum):
    """When received files are on the disk for sure."""

    file = "file"
    association = "association"
    none = "none"


AsRows = Annotated[Format, typer.Option("--format", "-f", help="How rows are printed.")]
AsChecks = Annotated[CheckFormat, typer.Option(
    "--format", "-f", help="How findings are printed.")]
AsReport = Annotated[ReportFormat, typer.Option("--format", "-f", help="How it is printed.")]
Uri = Annotated[str | None, typer.Option("--uri", help="Neo4j to use instead of the managed one.")]
Data = Annotated[Path | None, typer.Option("--data", help="Home of the managed server.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="File; - is stdout.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file.")]
Identifiers = Annotated[bool, typer.Option(
    "--identifiers", help="Show patient IDs, birth dates and paths.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print findings only.")]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Worker processes.")]
FollowLinks = Annotated[bool, typer.Option("--follow-links", help="Follow symbolic links.")]
Rejects = Annotated[Path | None, typer.Option("--rejects", help="File for what is not taken.")]
Log = Annotated[LogFormat, typer.Option("--log-format", help="How progress is told on stderr.")]
LogIdentifiers = Annotated[bool, typer.Option(
    "--log-identifiers", help="Show paths of rejected files, which may hold patient names.")]
Full = Annotated[bool, typer.Option("--full", help="Read unchanged files again.")]
Prune = Annotated[bool, typer.Option(
    "--prune", help="Retire objects whose file is gone from below the given paths.")]
Tags = Annotated[Path | None, typer.Option(
    "--tags", help="File of further attributes to keep, one keyword or tag a line.")]
Retried = Annotated[Path | None, typer.Option(
    "--from", help="Try the files of this list of rejected files again.")]
MaxRejects = Annotated[str | None, typer.Option(
    "--max-rejects", metavar="N|P%",
    help="Stop with exit code 1 when more files are rejected, or a larger share of them.")]
Modality = Annotated[list[str] | None, typer.Option(
    "--modality", "-m", help="Take objects of this Modality only; may be repeated.")]
NotModality = Annotated[list[str] | None, typer.Option(
    "--exclude-modality", help="Leave out objects of this Modality; may be repeated.")]


def modalities(given: list[str] | None) -> frozenset[str]:
    """Return modalities of the command line as they are in files."""
    return frozenset(m.strip().upper() for m in given or ())


Writers = Annotated[int | None, typer.Option(
    "--writers", min=1, help="Writers, one per partition of patients.")]
Batch = Annotated[int | None, typer.Option("--batch", min=1, help="Objects in a transaction.")]
Patience = Annotated[float | None, typer.Option(
    "--patience", min=0, help="Seconds that a lost server is waited for.")]
Cluster = Annotated[str | None, typer.Option(
    "--executor", help="Read files on a cluster: dask://host:port, whose workers see the paths.")]
Listen = Annotated[str | None, typer.Option("--listen", help="Address to receive objects at.")]
Port = Annotated[int | None, typer.Option("--port", min=1, max=65535,
                                          help="Port to receive objects at.")]
AeTitle = Annotated[str | None, typer.Option("--ae-title", help="Own AE title.")]
Folder = Annotated[Path | None, typer.Option("--folder", help="Folder for what is received.")]
Keep = Annotated[KeepOf | None, typer.Option(
    "--keep", help="Whole objects, objects without pixel data and other bulk, or the graph only.")]
Sync = Annotated[SyncOf | None, typer.Option(
    "--sync", help="When files are on the disk for sure: each at once, all at the end of their "
    "association, or when the system likes.")]
Nodes = Annotated[list[str] | None, typer.Option(
    "--node", "-n", help="Archive, a section [nodes.NAME] of rtgraph.toml; may be repeated.")]
Transport = Annotated[Way | None, typer.Option(
    "--transport", help="How objects are fetched, instead of nodes.NAME.retrieve.")]
Conditions = Annotated[list[str] | None, typer.Argument(
    help="Conditions, as Modality=RT* or StudyDate=2024..2025; all must hold.")]
Level = Annotated[str, typer.Option(
    "--level", "-l", metavar="LEVEL", help="patient, study, series or instance: what a row is.")]
Without = Annotated[list[str] | None, typer.Option(
    "--without", help="Condition that nothing there may meet; several: all of them together.")]
Columns = Annotated[list[str] | None, typer.Option(
    "--columns", help="Further attribute of the rows; may be repeated.")]

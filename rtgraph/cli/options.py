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


class ReportFormat(StrEnum):
    """How a report is printed."""

    table = "table"
    json = "json"


class FailOn(StrEnum):
    """Lowest severity that makes `validate` exit with 1."""

    info = "info"
    warning = "warning"
    error = "error"


AsRows = Annotated[Format, typer.Option("--format", "-f", help="How rows are printed.")]
AsReport = Annotated[ReportFormat, typer.Option("--format", "-f", help="How it is printed.")]
Uri = Annotated[str | None, typer.Option("--uri", help="Neo4j to use instead of the managed one.")]
Data = Annotated[Path | None, typer.Option("--data", help="Home of the managed server.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="File; - is stdout.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file.")]
Identifiers = Annotated[bool, typer.Option(
    "--identifiers", help="Show patient IDs, birth dates and paths.")]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Worker processes.")]
FollowLinks = Annotated[bool, typer.Option("--follow-links", help="Follow symbolic links.")]
Rejects = Annotated[Path | None, typer.Option("--rejects", help="File for what is not taken.")]
Patient = Annotated[str, typer.Argument(help="patient_key or PatientID.")]

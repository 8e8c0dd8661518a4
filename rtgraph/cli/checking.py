"""Commands about checks: validate, checks, explain, waive."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rtgraph.cli.app import app, may_write, say, settings_of, target_of, write_text
from rtgraph.cli.completing import check_ids, families_and_ids
from rtgraph.cli.options import (
    AsChecks,
    AsReport,
    AsRows,
    CheckFormat,
    Data,
    FailOn,
    Force,
    Format,
    Identifiers,
    Output,
    Pass,
    Quiet,
    ReportFormat,
    Uri,
)
from rtgraph.errors import UsageError

if TYPE_CHECKING:
    from rtgraph.cypher.report import Report
    from rtgraph.cypher.session import Validation
    from rtgraph.cypher.stored import Difference
    from rtgraph.store.target import Target

OptionalFile = Path | None


@app.command()
def validate(
    uri: Uri = None, data: Data = None,
    select: Annotated[list[str] | None, typer.Option(
        help="Ids or families, as REF.", autocompletion=families_and_ids)] = None,
    ignore: Annotated[list[str] | None, typer.Option(
        help="Ids or families to leave out.", autocompletion=families_and_ids)] = None,
    patient: Annotated[str | None, typer.Option(help="patient_key or PatientID.")] = None,
    study: Annotated[str | None, typer.Option(help="UID of a study of the patient.")] = None,
    level: Annotated[Pass, typer.Option(
        help="Measure contours (geometry), and doses (pixel).")] = Pass.header,
    fail_on: Annotated[FailOn, typer.Option(
        case_sensitive=False, help="Lowest severity that exits 1.")] = FailOn.error,
    heuristics: Annotated[bool, typer.Option(
        "--heuristics", help="Let heuristic findings fail the run too.")] = False,
    protocol: Annotated[OptionalFile, typer.Option(
        help="File that says what a course must have.")] = None,
    baseline: Annotated[OptionalFile, typer.Option(
        help="Findings that are known; only others fail the run.")] = None,
    write_baseline: Annotated[OptionalFile, typer.Option(
        help="Write a baseline of what is found.")] = None,
    store: Annotated[bool, typer.Option("--store", help="Keep the findings as issues.")] = False,
    since: Annotated[str | None, typer.Option(
        metavar="RUN", help="Compare with this stored run.")] = None,
    reference_profile: Annotated[OptionalFile, typer.Option(
        help="Write what the graph refers to, for the comparison of a copy.")] = None,
    against: Annotated[OptionalFile, typer.Option(
        help="Profile of the source: what differs in this copy.")] = None,
    timeout: Annotated[float | None, typer.Option(min=0.01, help="Seconds for one check.")] = None,
    jobs: Annotated[int, typer.Option(
        "--jobs", "-j", min=1, help="Checks at a time, and workers that measure.")] = 2,
    limit: Annotated[int, typer.Option(min=0, help="Findings printed for each check.")] = 5,
    figures: Annotated[OptionalFile, typer.Option(
        help="Folder of patient figures that the HTML page links to.")] = None,
    output_format: AsChecks = CheckFormat.table,
    output: Output = None, force: Force = False, identifiers: Identifiers = False,
    quiet: Quiet = False,
) -> None:
    """Check the graph for broken and missing relations.

    With --level geometry or pixel it first opens the files that the chosen checks need, and keeps
    in the graph what it has measured; a later run measures only what is new.

    Example: rtgraph validate --select REF --fail-on warning --format junit -o report.xml
    """
    import asyncio

    from rtgraph.cypher.header import Level, Severity
    from rtgraph.cypher.session import Validation, Wanted

    for file in (output, write_baseline, reference_profile):
        may_write(file, force)
    settings = settings_of(uri, data)
    wanted = Wanted(
        select=select or (), ignore=ignore or (), patient=patient, study=study,
        level=Level(level.value), timeout=timeout, jobs=jobs, settings=settings.validate,
        protocol=protocol, baseline=baseline, against=against, heuristics=heuristics)
    run = Validation(wanted)
    if since and not store:
        return _compared(target_of(settings), since, None, output_format, output, force)
    target = target_of(settings, writes=store or bool(run.passes))
    done = asyncio.run(_work(target, run, store, reference_profile, quiet))
    lowest = Severity(fail_on.value)
    if done.profile is not None and reference_profile is not None:
        write_text(done.profile, reference_profile, force=force)
        say(f"{reference_profile.name} written: compare the copy with validate --against")
        return None
    for notice in done.report.notices:
        say(notice)
    if done.run_id:
        say(f"stored as run {done.run_id}")
    if write_baseline is not None:
        from rtgraph.cypher.judge import baseline_text

        write_text(baseline_text(done.report), write_baseline, force=force)
    _print(_texts(done.report, target, run, lowest, limit, identifiers, quiet,
                  _figures(figures, output)), output_format, output, force)
    if since and done.run_id:
        _compared(target, since, done.run_id, CheckFormat.table, None, force)
    raise typer.Exit(done.report.exit_code(lowest))


class _Done:
    """What came of the work with the server."""

    def __init__(self) -> None:
        from rtgraph.cypher.report import Report

        self.report: Report = Report(())
        self.profile: str | None = None
        self.run_id = ""


async def _work(
    target: "Target", run: "Validation", store_it: bool, profile_file: Path | None,
    quiet: bool,
) -> _Done:
    from dataclasses import replace

    from rtgraph.cli.measuring import passes
    from rtgraph.cypher import profile, stored
    from rtgraph.cypher.graph import recognise

    done = _Done()
    async with target.store() as store:
        if profile_file is not None:
            await recognise(store)
            done.profile = profile.profile_text(await profile.profile(store))
        else:
            passed = await passes(store, run, run.wanted.jobs, quiet=quiet)
            report = await run.run(store, partial=passed.partial)
            done.report = replace(report, notices=(*report.notices, *passed.notices))
            if store_it:
                from rtgraph.graphmodel.schema import schema

                await store.prepare(schema())
                done.run_id = await stored.store_report(store, done.report)
    return done


def _figures(figures: Path | None, output: Path | None) -> Callable[[str], str | None]:
    """Return the address of the figure of a patient relative to the page, where there is one."""
    import os
    from urllib.parse import quote

    page = (output.parent if output and str(output) != "-" else Path()).absolute()
    folder = (figures or page).absolute()

    def figure(patient_key: str) -> str | None:
        file = folder / f"{patient_key}.html"
        return quote(Path(os.path.relpath(file, page)).as_posix()) if file.exists() else None

    return figure


def _texts(
    report: "Report", target: "Target", run: "Validation", fail_on: Any, limit: int,
    identifiers: bool, quiet: bool, figure: Callable[[str], str | None],
) -> dict[CheckFormat, Callable[[], str]]:
    """Return for each format what makes its text."""
    from rtgraph import __version__, render

    browser = target.browser_link

    def html() -> str:
        from rtgraph.viz.report import Context, render_report

        context = Context(__version__, target.uri.partition("://")[2], run.policy.title, browser,
                          figure)
        return render_report(report, context, fail_on=fail_on, identifiers=identifiers)

    return {
        CheckFormat.table: lambda: render.report_table(report, limit, identifiers, quiet=quiet),
        CheckFormat.concise: lambda: render.report_concise(report, identifiers),
        CheckFormat.csv: lambda: render.report_csv(report, identifiers),
        CheckFormat.json: lambda: render.report_json(report, fail_on, identifiers, browser),
        CheckFormat.jsonl: lambda: render.report_jsonl(report, fail_on, identifiers, browser),
        CheckFormat.junit: lambda: render.report_junit(report, fail_on, identifiers),
        CheckFormat.html: html,
        CheckFormat.markdown: lambda: render.report_markdown(report, limit, identifiers),
    }


def _print(
    texts: dict[CheckFormat, Callable[[], str]], chosen: CheckFormat,
    output: Path | None, force: bool,
) -> None:
    """Write the report; when it goes to a file, the table still goes to the terminal."""
    write_text(texts[chosen](), output, force=force)
    if output is not None and str(output) != "-":
        if chosen is not CheckFormat.table:
            write_text(texts[CheckFormat.table](), None)
        say(f"report  {output.name}")


def _compared(
    target: "Target", since: str, until: str | None, chosen: CheckFormat, output: Path | None,
    force: bool,
) -> None:
    """Print what changed between two stored runs."""
    import asyncio

    from rtgraph import render
    from rtgraph.cypher import stored

    async def work() -> "Difference":
        async with target.store() as store:
            return await stored.difference(store, since, until)

    found = asyncio.run(work())
    rows = [{"change": change, **row}
            for change, issues in (("opened", found.opened), ("closed", found.closed),
                                   ("unchanged", found.unchanged)) for row in issues]
    columns = ["change", "rule", "severity", "subject", "target", "status", "patient_key"]
    made: dict[CheckFormat, Callable[[], str]] = {
        CheckFormat.table: lambda: render.rows_table(
            columns, [r for r in rows if r["change"] != "unchanged"],
            render.terminal_width(sys.stdout)) if rows else "",
        CheckFormat.csv: lambda: render.rows_csv(columns, rows),
        CheckFormat.json: lambda: render.rows_json(columns, rows),
        CheckFormat.jsonl: lambda: render.rows_jsonl(columns, rows),
    }
    if chosen not in made:
        raise UsageError(f"The difference of two runs has no format {chosen.value}.",
                         f"Use one of {', '.join(made)}.")
    write_text(made[chosen](), output, force=force)
    say(f"{found.before} → {found.after}: {len(found.opened):,} opened, "
        f"{len(found.closed):,} closed, {len(found.unchanged):,} unchanged")
    if found.not_compared:
        say(f"In one of the runs only: {', '.join(found.not_compared)}")


@app.command()
def checks(output_format: AsRows = Format.table, output: Output = None, force: Force = False
           ) -> None:
    """List the checks, those of the project included.

    Example: rtgraph checks -f json
    """
    from rtgraph.cli.rows import write_rows
    from rtgraph.cypher.library import load_checks
    from rtgraph.cypher.session import OWN_CHECKS

    loaded = load_checks(OWN_CHECKS)
    for problem in loaded.problems:
        say(f"{problem} {problem.hint}")
    rows: list[dict[str, Any]] = [
        {"id": c.id, "severity": c.severity.value, "confidence": c.confidence.value,
         "level": c.level.value, "title": c.title} for c in loaded.files]
    write_rows(["id", "severity", "confidence", "level", "title"], rows, output_format, output,
               force=force)


@app.command()
def explain(
    check_id: Annotated[str, typer.Argument(
        metavar="ID", help="Id of a check.", autocompletion=check_ids)],
    output_format: AsReport = ReportFormat.table,
) -> None:
    """Explain a check: why, by which part of the Standard, how to repair, and its Cypher.

    Example: rtgraph explain REF-01
    """
    import json

    from rtgraph.cypher.library import check
    from rtgraph.cypher.session import OWN_CHECKS
    from rtgraph.text import plain

    c = check(check_id, OWN_CHECKS)
    told = {
        "why": c.why, "source": c.source, "repair": c.fix, "no finding": c.exceptions,
        "severity": "by finding, at most " * ("severity" in c.returns) + c.severity.value,
        "confidence": f"{c.confidence.value}" + (
            " (never fails a run by itself)" if c.confidence.value == "heuristic" else ""),
        "level": c.level.value, "same finding": ", ".join(c.identity),
        "hidden": ", ".join(c.identifying), "population": c.population,
    }
    if output_format is ReportFormat.json:
        typer.echo(json.dumps({"schema_version": 1, "id": c.id, "title": c.title, **told,
                               "cypher": c.text}, indent=2, sort_keys=True))
        return
    typer.echo(f"{c.id} {plain(c.title)}")
    for name, text in told.items():
        if text:
            typer.echo(f"  {name:<13} {plain(text)}")
    typer.echo(f"\n{c.text.rstrip()}")


@app.command()
def waive(
    check_id: Annotated[str | None, typer.Argument(
        metavar="ID", help="Id of a check.", autocompletion=check_ids)] = None,
    subject: Annotated[str | None, typer.Argument(help="Subject of the finding.")] = None,
    finding_target: Annotated[str | None, typer.Argument(
        metavar="[TARGET]", help="Its target, where the subject has several findings.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why it is accepted.")] = None,
    author: Annotated[str | None, typer.Option(help="Who accepts it.")] = None,
    until: Annotated[datetime | None, typer.Option(
        formats=["%Y-%m-%d"], help="Last day of the waiver.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take a waiver back.")] = False,
    show: Annotated[bool, typer.Option("--list", help="List the waived issues.")] = False,
    uri: Uri = None, data: Data = None,
    output_format: AsRows = Format.table,
) -> None:
    """Accept a stored issue, with a reason and a name; it no longer fails a run.

    Example: rtgraph waive REF-01 1.2.840.99.7 --reason "never exported" --author "A. Physicist"
    """
    import asyncio

    from rtgraph.cli.rows import write_rows
    from rtgraph.cypher import stored
    from rtgraph.cypher.graph import recognise

    wanted_target = target_of(settings_of(uri, data), writes=not show)
    if not show:
        if check_id is None or subject is None:
            raise UsageError("An issue is named by the id of its check and its subject.",
                             "Example: rtgraph waive REF-01 1.2.840.99.7 --reason … --author …")
        if not undo and not (reason and author):
            raise UsageError("A waiver needs a reason and an author.",
                             "Add --reason TEXT --author NAME.")

    async def work() -> list[dict[str, Any]]:
        async with wanted_target.store() as store:
            await recognise(store)
            if show:
                return await stored.waived(store)
            rule, of = str(check_id).upper(), str(subject)
            if undo:
                return [await stored.undo_waiver(store, rule, of, finding_target)]
            return [await stored.waive(
                store, rule, of, finding_target, author=str(author), reason=str(reason),
                until=until.date() if until else None)]

    rows = asyncio.run(work())
    if show:
        write_rows(["rule", "subject", "target", "severity", "author", "reason", "since", "until"],
                   rows, output_format, None)
        return
    say(f"{rows[0]['rule']} is {'open again' if undo else 'waived'}: {rows[0]['subject']}")

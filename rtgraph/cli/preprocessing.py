"""Commands that make arrays and structure sets: preprocess export, rtstruct, names."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rtgraph.cli.app import app, look, may_write, say, settings_of, target_of, write_text
from rtgraph.cli.completing import cohort_names, query_names
from rtgraph.cli.options import Data, Force, Jobs, Output, Patience, Uri
from rtgraph.cli.querying import Parameters, read_parameters
from rtgraph.errors import UsageError

if TYPE_CHECKING:
    from rtgraph.cypher.cohorts import Members, Source
    from rtgraph.preprocess.cases import CaseInputs
    from rtgraph.preprocess.settings import Settings
    from rtgraph.store.bolt import Store

preprocess_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None,
                             help="Arrays for training, structure sets, ROI names.")
app.add_typer(preprocess_app, name="preprocess")


Preset = Annotated[str | None, typer.Option(help="nifti, npz, nnunet, monai, dose-prediction.")]
Config = Annotated[Path | None, typer.Option(help="TOML file instead of a preset.")]
Cohort = Annotated[str | None, typer.Option(
    help="Plans of the members of a saved cohort.", autocompletion=cohort_names)]
Query = Annotated[str | None, typer.Option(
    help="Plans of the rows of a named query, as for cohort save.", autocompletion=query_names)]
Patients = Annotated[list[str] | None, typer.Option(
    "--patient", help="patient_key or PatientID; may be repeated.")]
Only = Annotated[str | None, typer.Option(
    help="Make these parts only, as masks,dose,dvh: of image, masks, dose, dvh, beams.")]


@preprocess_app.command("export")
def preprocess_export(
    preset: Preset = None, config: Config = None, cohort: Cohort = None, query: Query = None,
    parameters: Parameters = None, patient: Patients = None, only: Only = None,
    dry_run: Annotated[bool, typer.Option(
        "--dry-run", help="Say what would be made and what is refused; open no pixels.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the preset.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder.")] = None,
    uri: Uri = None, data: Data = None, jobs: Jobs = None, patience: Patience = None,
) -> None:
    """Turn cases of the graph into image, mask and dose arrays with manifest and lineage.

    A case is a plan with its structure set, image and dose; without dose and DVH in the parts a
    structure set without a plan is a case, too. Finished cases are kept when the same command
    runs again.

    Example: rtgraph preprocess export --preset nifti --dry-run
    """
    import asyncio
    import json

    from rtgraph.api import OWN_QUERIES
    from rtgraph.cypher.cohorts import Source
    from rtgraph.cypher.library import bind
    from rtgraph.cypher.library import query as library_query
    from rtgraph.preprocess import review
    from rtgraph.preprocess.export import export, plan_all
    from rtgraph.preprocess.planning import described
    from rtgraph.preprocess.settings import preset_text, read_settings

    if (preset is None) == (config is None):
        raise UsageError("Give --preset or --config.", "rtgraph preprocess export --preset nifti")
    if sum(x is not None for x in (cohort, query, patient)) > 1:
        raise UsageError("--cohort, --query and --patient exclude each other.")
    if parameters and not query:
        raise UsageError("-p gives a parameter of a query, and there is none.", "Add --query NAME.")
    if preset is not None and show:
        typer.echo(preset_text(preset).rstrip())
        return
    text = preset_text(preset) if preset is not None else _read(config)
    parts = tuple(p.strip() for p in only.split(",")) if only else ()
    settings = read_settings(text, config.parent if config else None, parts)
    if not dry_run and output is None:
        raise UsageError("Where do the files go?", "Add -o FOLDER, or --dry-run.")
    own = settings_of(uri, data, patience=patience, jobs=jobs)
    target = target_of(own, writes=not dry_run)
    asked = None
    if query:
        given = read_parameters(parameters)
        bind(library_query(query, OWN_QUERIES), given)
        asked = Source(query, given)

    async def work() -> int:
        async with target.store() as store:
            await look(store)
            members, source = await _members(store, cohort, asked, patient)
            reviewed = settings.with_reviewed(await review.reviewed(store))
            cases = await _cases(store, reviewed, members)
            if dry_run or output is None:
                rows = described(plan_all(cases, reviewed, pixels=False))
                typer.echo(json.dumps({"schema_version": 1, "cases": rows}, indent=1,
                                      sort_keys=True))
                return int(any(r["refused"] for r in rows))
            report = await export(
                store, cases, reviewed, output, source=source, cohort_name=cohort or "",
                jobs=own.n_jobs, progress=lambda case, state: say(f"{state.lower():8} {case}"))
            say(f"{report.count('WRITTEN')} written ({report.kept} kept), "
                f"{report.count('SKIPPED')} skipped, {report.count('FAILED')} failed; "
                f"{len(report.leaks)} leaks between splits")
            return int(report.exit_code)

    raise typer.Exit(asyncio.run(work()))


async def _members(store: "Store", cohort: str | None, query: "Source | None",
                   patients: list[str] | None) -> "tuple[Members | None, str]":
    """Return the members that are asked for, and what they are in words."""
    from rtgraph.api import OWN_QUERIES
    from rtgraph.cypher import cohorts
    from rtgraph.cypher.graph import patient_of

    if cohort:
        saved, members = (await cohorts.cohort(store, cohort),
                          await cohorts.frozen_members(store, cohort))
        return members, (f"{cohort}, {saved['n_members']} members of level "
                         f"{members.level.lower()} of the query {saved['query']}, saved "
                         f"{saved['created']:%Y-%m-%d}, digest {saved['member_digest']}")
    if query:
        members = await cohorts.members(store, query, OWN_QUERIES)
        return members, f"{len(members.keys)} rows of the query {query.query}, {members.digest}"
    if patients:
        keys = {str(await patient_of(store, p)) for p in patients}
        return cohorts.Members("PATIENT", tuple(sorted(keys))), f"{len(keys)} patients by name"
    return None, "every plan of the graph"


async def _cases(store: "Store", settings: "Settings", members: "Members | None"
                 ) -> "list[CaseInputs]":
    from rtgraph.api import locating
    from rtgraph.preprocess.cases import load_cases, select

    alone = not any(settings.makes(p) for p in ("dose", "dvh", "beams"))
    selection = await select(store, members, sets=alone, segmentations=(
        alone and settings["masks.segmentations"] == "alone"))
    return await load_cases(store, selection, await locating(store),
                            course=settings["dose_policy.scope"] == "course")


def _files_by_name(given: list[str] | None) -> dict[str, str]:
    """Return mask files by the name of their ROI."""
    found = {}
    for text in given or ():
        name, sign, file = text.partition("=")
        if not sign or not name:
            raise UsageError("A mask is given as NAME=FILE.", "Example: --mask Heart=heart.nii.gz")
        if name in found:
            raise UsageError("Two masks have one name.", "Merge them, or give them two names.")
        found[name] = file
    return found


def _read(path: Path | None) -> str:
    try:
        return path.read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("The configuration cannot be read as UTF-8 text.") from error


@preprocess_app.command("rtstruct")
def preprocess_rtstruct(
    images: Annotated[Path, typer.Option("--images", help="Folder of the image series.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="DICOM file.")],
    mask: Annotated[list[str] | None, typer.Option(
        "--mask", metavar="NAME=FILE", help="NIfTI or NRRD file of one ROI; may be repeated.")
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="Label map, NIfTI or NRRD.")] = None,
    names: Annotated[Path | None, typer.Option(
        help="JSON of the label map: name to label, as labels.json of an export.")] = None,
    label: Annotated[str, typer.Option(help="StructureSetLabel.")] = "RTGRAPH",
    series: Annotated[str | None, typer.Option(
        help="SeriesInstanceUID, where the folder holds several.")] = None,
    force: Force = False,
) -> None:
    """Write masks or a label map as an RT Structure Set on an image series.

    Example: rtgraph preprocess rtstruct --images ct --mask Heart=heart.nii.gz -o rs.dcm
    """
    from datetime import datetime

    from rtgraph.preprocess.regions import regions_of, series_in
    from rtgraph.preprocess.rtstruct import save, structure_set

    if not mask and labels is None:
        raise UsageError("There is nothing to write.", "Give --mask NAME=FILE, or --labels FILE.")
    may_write(output, force)
    found = series_in(images, series)
    regions = regions_of(found, _files_by_name(mask), labels, names)
    ds = structure_set(found, regions, label=label, when=datetime.now())
    save(ds, output, force=force)
    say(f"{len(regions)} ROIs on {found.stack.grid.shape[0]} planes, read back and compared")


@preprocess_app.command("names")
def preprocess_names(
    apply_file: Annotated[Path | None, typer.Option(
        "--apply", help="Reviewed table to write to the graph.")] = None,
    reviewer: Annotated[str | None, typer.Option(help="Who decided.")] = None,
    uri: Uri = None, data: Data = None, output: Output = None, force: Force = False,
) -> None:
    """Write the ROI names that need a decision as CSV, or read the decisions back.

    Example: rtgraph preprocess names -o names.csv
    """
    import asyncio
    from datetime import date

    from rtgraph.graphmodel.schema import schema
    from rtgraph.preprocess import review

    if (apply_file is None) != (reviewer is None):
        raise UsageError("--apply and --reviewer go together.")
    may_write(output, force)
    decided = review.decisions(_read(apply_file)) if apply_file else []
    target = target_of(settings_of(uri, data), writes=apply_file is not None)

    async def work() -> str:
        async with target.store() as store:
            await look(store)
            if reviewer is not None:
                await store.prepare(schema())
                n = await review.apply(store, decided, reviewer, date.today())
                say(f"{n} names decided")
                if n < len(decided):
                    say(f"{len(decided) - n} names of the table are those of no ROI yet")
                return ""
            return review.queue_text(await review.queue(store))

    text = asyncio.run(work())
    if text:
        write_text(text, output, force=force)

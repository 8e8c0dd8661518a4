"""A cohort to files: cases in worker processes, resumed by case, none stopping the others.

The order for one case: files, then its transaction of lineage, then the note that it is done. When
the server is lost in between, the next run makes the case again, with the same bytes.
"""

import asyncio
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from rtgraph.errors import ExitCode, OutputError
from rtgraph.preprocess.cases import CaseInputs
from rtgraph.preprocess.curves import Curve, curves_svg
from rtgraph.preprocess.dose import read_dose
from rtgraph.preprocess.images import open_series, read_volume
from rtgraph.preprocess.lineage import note_run, note_sample
from rtgraph.preprocess.making import Made, make_case
from rtgraph.preprocess.manifest import Entry, ledger_text, write_all
from rtgraph.preprocess.planning import CasePlan, plan_case, sources
from rtgraph.preprocess.readback import read_back
from rtgraph.preprocess.refusals import Code, Refused
from rtgraph.preprocess.settings import Settings
from rtgraph.preprocess.sources import current
from rtgraph.preprocess.splits import Member, assign, leaks
from rtgraph.preprocess.steps import Gathered, Statistics
from rtgraph.preprocess.workers import Workers
from rtgraph.preprocess.writers import digest_of, write_case
from rtgraph.store.bolt import Store

_DONE = ".rtgraph"  # folder of the notes that cases are done


@dataclass(slots=True)
class Report:
    """The result of an export: cases by state, what was refused, leaks between splits."""

    entries: list[Entry] = field(default_factory=list)
    kept: int = 0
    leaks: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def count(self, state: str) -> int:
        """Return the number of cases of a state."""
        return sum(e.state == state for e in self.entries)

    @property
    def exit_code(self) -> ExitCode:
        """1 when a case was skipped or failed, or something leaks between splits."""
        clean = self.count("WRITTEN") == len(self.entries) and not self.leaks
        return ExitCode.done if clean else ExitCode.findings


def plan_all(cases: Sequence[CaseInputs], settings: Settings, *, pixels: bool) -> list[CasePlan]:
    """Decide about every case; with `pixels`, doses that may be the same are compared."""
    return [plan_case(c, settings, _pixel_digest(c) if pixels else lambda uid: None)
            for c in cases]


def _pixel_digest(case: CaseInputs) -> Callable[[str], str | None]:
    def digest(uid: str) -> str | None:
        from rtgraph.preprocess.files import read

        try:
            dose = read_dose(read(current(case.files[uid])))
        except (Refused, KeyError):
            return None
        found = blake2b(np.ascontiguousarray(dose.array).tobytes(), digest_size=16)
        found.update(dose.grid.corners().tobytes())
        return found.hexdigest()
    return digest


async def export(store: Store, cases: Sequence[CaseInputs], settings: Settings, folder: Path, *,
                 source: str, cohort_name: str = "", jobs: int = 1,
                 executor: Executor | None = None,
                 progress: Callable[[str, str], None] = lambda case, state: None) -> Report:
    """Make the samples of a cohort.

    Parameters
    ----------
    store : Store
        The graph, for lineage.
    cases : sequence of CaseInputs
        From `load_cases`.
    settings : Settings
        The configuration.
    folder : Path
        Where files go; cases that an earlier run finished with the same input stay.
    source : str
        What the cohort is, in words, for the data card.
    cohort_name : str
        Name of a saved cohort, for lineage.
    jobs : int
        Worker processes, or cases at once on `executor`.
    executor : Executor, optional
        Where cases are worked on instead of processes of this run.
    progress : callable
        Is told each case and its state.

    Raises
    ------
    OutputError
        The folder cannot be written.
    ServerError
        The server is lost; finished cases stay, the next run goes on.
    """
    try:
        (folder / _DONE).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder cannot be made: {error.strerror}.") from error
    plans = plan_all(cases, settings, pixels=True)
    members = [_member(p, settings) for p in plans if p.refused is None]
    splits = assign(members, settings["split.shares"], settings["split.seed"])
    started = datetime.now(UTC)
    run = f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    report = Report()
    await note_run(store, run, settings, state="RUNNING", started=started, counts={},
                   cohort=cohort_name)
    state = "INTERRUPTED"
    try:
        with nullcontext(Workers(executor)) if executor else Workers.processes(jobs) as pool:
            cohort = await _statistics(plans, splits, settings, pool)
            work = [_one(store, run, p, splits.get(p.case_id, ""), settings, cohort, folder, pool,
                         report, progress) for p in plans]
            await _gathered(work, jobs)
        report.leaks = leaks(members, splits, {
            e.case_id: e.record["image_digest"] for e in report.entries
            if e.record.get("image_digest")})
        report.entries.sort(key=lambda e: e.case_id)
        report.files = write_all(folder, settings, report.entries, source=source,
                                 leaks=report.leaks, cohort=cohort)
        state = "DONE"
    except OSError as error:
        raise OutputError(f"The files cannot be written: {error.strerror}.") from error
    finally:
        await note_run(store, run, settings, state=state, started=started, cohort=cohort_name,
                       counts={s: report.count(s) for s in ("WRITTEN", "SKIPPED", "FAILED")})
    return report


async def _gathered(work: Sequence[Any], jobs: int) -> None:
    """Run cases with no more at once than workers and one waiting."""
    room = asyncio.Semaphore(jobs + 1)

    async def guarded(one: Any) -> None:
        async with room:
            await one

    async with asyncio.TaskGroup() as group:
        for one in work:
            group.create_task(guarded(one))


async def _one(store: Store, run: str, plan: CasePlan, split: str, settings: Settings,
               cohort: Statistics | None, folder: Path, pool: Workers, report: Report,
               progress: Callable[[str, str], None]) -> None:
    """Make one case, or keep it as it is; whatever is wrong with it stays with it."""
    note = folder / _DONE / f"{plan.case_id}.json"
    fingerprint = _fingerprint(plan, split, settings, cohort)
    if plan.refused is not None:
        entry = Entry(plan.case_id, "SKIPPED", "", plan.record(),
                      reason=f"{plan.refused[0]}: {plan.refused[1]}")
    elif (kept := _kept(note, fingerprint, folder)) is not None:
        entry = kept
        report.kept += 1
    else:
        note.unlink(missing_ok=True)
        try:
            entry = await pool.run(work_on, plan, split, settings, cohort, folder)
        except Exception as error:  # a worker that died takes its case with it, not the cohort
            entry = Entry(plan.case_id, "FAILED", split, plan.record(),
                          reason=f"WORKER: {type(error).__name__}")
    await note_sample(store, run, plan, entry, settings)
    if entry.state == "WRITTEN":
        text = json.dumps({"fingerprint": fingerprint, "split": entry.split,
                           "record": entry.record, "files": list(entry.files),
                           "digest": entry.digest}, sort_keys=True)
        note.write_text(text, encoding="utf-8")
    report.entries.append(entry)
    progress(plan.case_id, entry.state)


def work_on(plan: CasePlan, split: str, settings: Settings, cohort: Statistics | None,
            folder: Path) -> Entry:
    """Make and write one case; a case that cannot be made is an entry, too."""
    try:
        made = make_case(plan, settings, cohort)
        if made.image is not None:
            made.record["image_digest"] = blake2b(
                np.ascontiguousarray(made.image.array).tobytes(), digest_size=16).hexdigest()
        files = write_case(made, split, settings, folder)
        files += _about(made, folder)
        read_back(made, split, settings, folder)
    except Refused as error:
        state = "FAILED" if error.code is Code.OUTPUT else "SKIPPED"
        return Entry(plan.case_id, state, split, plan.record(),
                     reason=f"{error.code}: {error.detail}")
    except MemoryError:
        return Entry(plan.case_id, "FAILED", split, plan.record(), reason="MEMORY")
    except OSError as error:
        return Entry(plan.case_id, "FAILED", split, plan.record(),
                     reason=f"{Code.OUTPUT}: {error.strerror}")
    files.sort()
    return Entry(plan.case_id, "WRITTEN", split, made.record, tuple(files),
                 digest_of(folder, files))


def _about(made: Made, folder: Path) -> list[str]:
    """Write the ledger of contours and the curves of DVHs of a case."""
    found = []
    texts = {f"ledger/{made.case_id}.csv": ledger_text(made.ledger)}
    if made.dvhs:
        lines = ["roi_number,dose_gy,volume_cc"]
        for number, dvh in sorted(made.dvhs.items()):
            lines += [f"{number},{d:.2f},{v:.6f}" for d, v in zip(*dvh.curve(), strict=True)]
        texts[f"dvh/{made.case_id}.csv"] = "\n".join([*lines, ""])
        names = {r["number"]: r["name"] for r in made.record["rois"]}
        texts[f"dvh/{made.case_id}.svg"] = curves_svg(
            [Curve(n, names[n], dvh, made.stored_dvhs.get(n))
             for n, dvh in sorted(made.dvhs.items())], f"DVH of {made.case_id}")
    for name, text in texts.items():
        if text:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
            found.append(name)
    return found


def _fingerprint(plan: CasePlan, split: str, settings: Settings, cohort: Statistics | None) -> str:
    """Return a digest of everything that a case depends on."""
    inputs = plan.inputs
    used = {uid for _, uid in sources(plan, settings)}
    files = sorted((f.sop_uid, f.digest, f.size) for f in
                   (*inputs.files.values(), *(x for s in inputs.series_files.values() for x in s))
                   if f.sop_uid in used or f.series_uid in used)
    text = json.dumps([settings.digest, split, plan.record(), files,
                       None if cohort is None else [cohort.n, cohort.mean, cohort.deviation]],
                      sort_keys=True)
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _kept(note: Path, fingerprint: str, folder: Path) -> Entry | None:
    """Return the entry of a case that an earlier run finished with the same input and files."""
    try:
        row = json.loads(note.read_text(encoding="utf-8"))
        if row["fingerprint"] != fingerprint or digest_of(folder, row["files"]) != row["digest"]:
            return None
        return Entry(note.stem, "WRITTEN", row["split"], row["record"], tuple(row["files"]),
                     row["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _member(plan: CasePlan, settings: Settings) -> Member:
    by = settings["split.stratify"]
    stratum = {"site": plan.inputs.site, "protocol": " ".join(plan.inputs.protocols)}.get(by, "")
    return Member(plan.case_id, plan.inputs.patient_key, stratum, (plan.image_frame,),
                  (plan.series,))


async def _statistics(plans: Sequence[CasePlan], splits: Mapping[str, str], settings: Settings,
                      pool: Workers) -> Statistics | None:
    """Gather the statistics of the training images, where a step needs them."""
    if not any(s.needs_cohort for s in settings["image.steps"]):
        return None
    total = Gathered()
    for plan in plans:
        if plan.refused is None and splits.get(plan.case_id) == "train":
            part = await pool.run(gather, plan, settings)
            if part is not None:
                total.merge(part)
    return total.statistics()


def gather(plan: CasePlan, settings: Settings) -> Gathered | None:
    """Return the statistics of the image of a case; None when it cannot be read."""
    try:
        files = [f for f in plan.inputs.series_files[plan.series] if f.present]
        series = open_series([current(f) for f in files], settings.stack_options)
        found = Gathered()
        found.add(read_volume(series).array)
        return found
    except Refused:
        return None


def workers(jobs: int | None) -> int:
    """Return the number of workers: as asked, else one for each processor."""
    return jobs or os.cpu_count() or 1



"""What is to be fetched: patients of a list, UIDs, a cohort, or what is referred to and absent."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rtgraph.cypher.library import lookup
from rtgraph.errors import UsageError
from rtgraph.graphmodel.families import family
from rtgraph.pacs.query import Level
from rtgraph.store.bolt import Store


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to fetch, by its UID or PatientID, with what is known of its place.

    `patients` may have it and `modality` is that of its class, for archives that have to be told
    where to look. `line` is that of a list.
    """

    level: Level
    uid: str = field(repr=False)
    study: str = ""
    series: str = ""
    patients: tuple[str, ...] = field(default=(), repr=False)
    modality: str = ""
    line: int = 0

    @property
    def name(self) -> str:
        """What it is called in messages: a PatientID is never said."""
        if self.level is Level.patient:
            return f"the patient in line {self.line}" if self.line else "a patient"
        return f"{self.level} {self.uid}"


def read_patients(file: Path, column: str) -> list[Target]:
    """Read PatientIDs from a column of a CSV file with a header line.

    Raises
    ------
    UsageError
        The file cannot be read, or has no such column.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            names = reader.fieldnames or []
            if column not in names:
                raise _no_column(column, names)
            found = {str(row[column] or "").strip(): reader.line_num for row in reader}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no CSV in UTF-8"
        raise UsageError(f"The list of patients cannot be read: {reason}.") from error
    return [Target(Level.patient, patient_id, line=line)
            for patient_id, line in found.items() if patient_id]


def _no_column(column: str, names: Sequence[str]) -> UsageError:
    """Say what is wrong; a first line that is no header holds patients, so it is not repeated."""
    close = next((n for n in names if n.strip().casefold() == column.casefold()), None)
    return UsageError(
        f"The first line of the list of patients names no column {column!r}.",
        f"Did you mean {close!r}?" if close else
        "Name the column with --column; columns are parted by commas.")


def of_uids(studies: Iterable[str], series: Iterable[str], objects: Iterable[str]
            ) -> list[Target]:
    """Return targets for UIDs; a single study is where the series and objects are looked for."""
    above = list(studies)
    below = [*((Level.series, uid) for uid in series), *((Level.image, uid) for uid in objects)]
    study = above[0] if len(above) == 1 else ""
    if below and study:
        above = []
    return [*(Target(Level.study, uid) for uid in above),
            *(Target(level, uid, study=study) for level, uid in below)]


async def of_cohort(store: Store, name: str) -> list[Target]:
    """Return the members of a saved cohort.

    Raises
    ------
    UsageError
        There is no such cohort, or it is empty.
    """
    rows = await store.read(lookup("cohort-members").statement, cohort=name)
    if not rows:
        raise UsageError("There is no cohort of that name with members.")
    return [Target(Level(row["level"]), row["uid"]) for row in rows]


async def dangling(store: Store) -> list[Target]:
    """Return what objects refer to and the graph does not have."""
    return [
        Target(Level(row["level"]), row["uid"], row["study"] or "", row["series"] or "",
               tuple(row["patients"]), family(row["stated_sop_class"]).modality)
        for row in await store.read(lookup("absent-targets").statement)]


async def placed(store: Store, targets: Sequence[Target]) -> list[Target]:
    """Add where the graph has a series or an object; archives may want to be told."""
    unplaced = [t.uid for t in targets
                if t.level in (Level.series, Level.image) and not (t.series or t.study)]
    if not unplaced:
        return list(targets)
    rows = await store.read(lookup("places").statement, uids=sorted(unplaced))
    places = {row["uid"]: (row["study"], row["series"]) for row in rows}
    return [
        Target(t.level, t.uid, *places[t.uid], t.patients, t.modality, t.line)
        if not (t.series or t.study) and t.uid in places else t for t in targets]

"""What an archive announces of the targets: its series, object by object."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from rtgraph.config import Node, Settings
from rtgraph.errors import PeerError
from rtgraph.pacs.find import Asked, asked
from rtgraph.pacs.query import RETURNS, Level, Query, Row, number
from rtgraph.pacs.wanted import Target

# UIDs in one question or request.
TOGETHER = 100


@dataclass(frozen=True)
class Chosen:
    """What of the targets is wanted: modalities (empty: all), and a range of study dates."""

    modalities: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    dates: str = ""

    def takes(self, modality: str) -> bool:
        """Tell whether series of a modality are fetched."""
        return modality not in self.without and (
            not self.modalities or modality in self.modalities)


@dataclass
class SeriesPlan:
    """A series as it is announced, and what is wanted of it.

    Attributes
    ----------
    instances : dict
        SOP class of each object that is wanted; empty when the archive does not list objects.
    number : int, optional
        Objects of the series as the archive counts them.
    partial : bool
        Whether only some objects of the series are wanted.
    coming : set of str
        What has not arrived; `there` was in the graph before, and `refused` is what the archive
        said that it could not send. Where the archive does not list
        objects, `held` counts those of the series that were, and what has arrived is `seen`.
    """

    study_uid: str
    series_uid: str
    modality: str = ""
    patient_id: str = field(default="", repr=False)
    issuer: str = field(default="", repr=False)
    study_series: int | None = None
    number: int | None = None
    instances: dict[str, str] = field(default_factory=dict, repr=False)
    partial: bool = False
    there: set[str] = field(default_factory=set, repr=False)
    coming: set[str] = field(default_factory=set, repr=False)
    refused: set[str] = field(default_factory=set, repr=False)
    arrived: int = 0
    held: int = 0
    seen: set[str] = field(default_factory=set, repr=False)

    @property
    def unknown(self) -> bool:
        """Tell whether the archive neither lists nor counts the objects; asking for them tells."""
        return not (self.instances or self.partial) and self.number is None

    @property
    def announced(self) -> int:
        """How many objects should be there in the end."""
        return len(self.instances) if self.partial else max(len(self.instances), self.number or 0)


class Planner:
    """Asks an archive for what it has of the targets; lost associations are opened again."""

    def __init__(self, node: Node, settings: Settings, chosen: Chosen) -> None:
        self._node, self._settings, self._chosen = node, settings, chosen
        self._opened: AbstractContextManager[Asked] | None = None
        self._asked: Asked | None = None
        self._busy = False

    def end(self) -> None:
        """Close the association, also while a question is open in another thread."""
        if self._busy and self._asked is not None:
            self._asked.give_up()  # the question fails, and closes
        else:
            self.close()

    def close(self) -> None:
        """Close the association."""
        opened, self._opened, self._asked = self._opened, None, None
        if opened is not None:
            opened.__exit__(None, None, None)

    def _find(self, level: Level, keys: dict[str, str], returns: Sequence[str] = ()) -> list[Row]:
        self._busy = True
        try:
            if self._asked is None:
                self._opened = asked(self._node, self._settings)
                self._asked = self._opened.__enter__()
            return list(self._asked.find(Query(level, keys, tuple(returns))))
        except PeerError:
            self.close()
            raise
        finally:
            self._busy = False

    # --- from the top ----------------------------------------------------------------------------

    def studies(self, target: Target) -> list[Row]:
        """Return the studies of a patient, or a study."""
        keys = {target.level.unique: target.uid}
        if self._chosen.dates:
            keys["StudyDate"] = self._chosen.dates
        rows = self._find(Level.study, keys)
        # an ID may hold what is a wildcard to the archive
        return self._distinct(
            row for row in rows if row[target.level.unique] == target.uid
            or (target.level is Level.patient and row["PatientID"] is None))

    def _distinct(self, rows: Iterable[Row]) -> list[Row]:
        """Return each study once; where patients share one, its series are asked for together."""
        by_patient = self._node.model == "patient"
        return list({(row["StudyInstanceUID"], row["PatientID"] if by_patient else None): row
                     for row in rows}.values())

    def has_none_then(self, target: Target) -> bool:
        """Tell whether a target without a study in the range of dates has one at all."""
        return bool(self._chosen.dates) and bool(
            self._find(Level.study, {target.level.unique: target.uid}))

    def series(self, study: Row) -> list[SeriesPlan]:
        """Return the series of a study with their objects."""
        rows = {row["SeriesInstanceUID"]: row
                for row in self._find(Level.series, self._below(study))}
        return [self._listed(row, study) for row in rows.values()
                if self._chosen.takes(str(row["Modality"] or ""))]

    def _listed(self, row: Row, study: Row) -> SeriesPlan:
        plan = _plan(row, study)
        plan.instances = self._images(study, plan.series_uid)
        return plan

    def _below(self, study: Row) -> dict[str, str]:
        """Return the unique keys down to a study."""
        patient = study.get("PatientID") if self._node.model == "patient" else None
        above = {"PatientID": str(patient)} if patient else {}
        return above | {"StudyInstanceUID": str(study["StudyInstanceUID"])}

    def _images(self, study: Row, series_uid: str, uids: Sequence[str] = ()) -> dict[str, str]:
        keys = self._below(study) | {"SeriesInstanceUID": series_uid}
        if uids:
            keys["SOPInstanceUID"] = "\\".join(uids)
        rows = self._find(Level.image, keys)
        return {str(r["SOPInstanceUID"]): str(r["SOPClassUID"] or "") for r in rows
                if r["SOPInstanceUID"]}

    # --- from below ------------------------------------------------------------------------------

    def one_series(self, target: Target) -> list[SeriesPlan]:
        """Return a series; archives with relational queries need not be told its study."""
        for study in self._where(target):
            keys = self._below(study) if study else {}
            for row in self._find(Level.series, keys | {"SeriesInstanceUID": target.uid}):
                above = study or row
                if row["SeriesInstanceUID"] == target.uid and above["StudyInstanceUID"]:
                    return [self._listed(row, above)]
        return []

    def objects(self, targets: Sequence[Target]) -> list[SeriesPlan]:
        """Return the series of some objects, with these objects alone."""
        plans: dict[str, SeriesPlan] = {}
        for at in range(0, len(targets), TOGETHER):
            some = targets[at : at + TOGETHER]
            for row in self._find(Level.image, _common_keys(some), (
                    *RETURNS[Level.image], "PatientID", "Modality")):
                _take(plans, row, {t.uid for t in some})
        found = {uid for plan in plans.values() for uid in plan.instances}
        for target in targets:
            if target.uid not in found:
                self._search(plans, target)
        return list(plans.values())

    def _search(self, plans: dict[str, SeriesPlan], target: Target) -> None:
        """Look for an object in the series of those who refer to it, from the top down."""
        for study in self._where(target):
            if not study:
                continue
            keys = self._below(study)
            if target.modality:
                keys["Modality"] = target.modality
            for row in self._find(Level.series, keys):
                series = str(row["SeriesInstanceUID"])
                for uid, sop_class in self._images(study, series, [target.uid]).items():
                    if uid == target.uid:
                        _take(plans, study | row | {
                            "StudyInstanceUID": study["StudyInstanceUID"], "SOPInstanceUID": uid,
                            "SOPClassUID": sop_class}, {uid})
                        return

    def _where(self, target: Target) -> Iterator[Row]:
        """Yield studies that a target may be in; an empty one asks without its study."""
        yield {"StudyInstanceUID": target.study} if target.study else {}
        for patient in target.patients:
            yield from self.studies(Target(Level.patient, patient))


def _plan(row: Row, study: Row) -> SeriesPlan:
    return SeriesPlan(
        str(study["StudyInstanceUID"]), str(row["SeriesInstanceUID"]), str(row["Modality"] or ""),
        str(row.get("PatientID") or study.get("PatientID") or ""),
        str(row.get("IssuerOfPatientID") or study.get("IssuerOfPatientID") or ""),
        number(study, "NumberOfStudyRelatedSeries"),
        number(row, "NumberOfSeriesRelatedInstances"))


def _common_keys(targets: Sequence[Target]) -> dict[str, str]:
    """Name the objects, and where they are when that is the same for all."""
    keys = {"SOPInstanceUID": "\\".join(t.uid for t in targets)}
    places = {(t.study, t.series) for t in targets}
    if len(places) == 1:
        study, series = places.pop()
        if study:
            keys["StudyInstanceUID"] = study
        if study and series:
            keys["SeriesInstanceUID"] = series
    return keys


def _take(plans: dict[str, SeriesPlan], row: Row, wanted: set[str]) -> None:
    uid, series, study = (str(row[k] or "") for k in (
        "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"))
    if uid in wanted and series and study:
        plan = plans.setdefault(series, SeriesPlan(
            study, series, str(row.get("Modality") or ""), str(row.get("PatientID") or ""),
            partial=True))
        plan.instances[uid] = str(row["SOPClassUID"] or "")

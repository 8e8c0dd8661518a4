"""The boxes of the figure: one for an image series, one for each object of any other kind.

What is missing has boxes too: a missing image counts in the box of the series that references
state for it; missing images without a stated series share a box when the same boxes refer to them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Literal

from rtgraph.graphmodel.modalities import series_type
from rtgraph.graphmodel.tables import Row, Tables
from rtgraph.text import one_line
from rtgraph.viz.captions import caption, shown, tally, title

Kind = Literal["series", "object"]
Status = Literal["present", "partial", "missing"]

@dataclass(frozen=True, slots=True)
class Box:
    """A series or an object; its details are named as in the graph.

    `n_instances` counts what is there, `n_missing` what only references state. `caption` tells the
    box from others of its modality, `tally` how much it stands for, `title` is both in words.
    `ambiguous` means that more than one series states the object, or more than one study the
    series. `when` is the time of treatment, plan, structure set, object or series; `fractions` are
    the numbers of those that a record is about, `summation` the DoseSummationType of a dose.
    """

    id: str
    kind: Kind
    modality: str
    layer: int
    caption: str
    tally: str
    title: str
    status: Status
    ambiguous: bool
    study_uid: str | None
    series_uid: str | None
    when: date | datetime | None
    n_instances: int
    n_missing: int
    n_fractions_planned: int | None
    fractions: tuple[int, ...]
    summation: str
    details: tuple[tuple[str, str], ...]


class Held:
    """Which series holds which instance: a set of pairs, since a stub may be stated twice."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.row: dict[str, Row] = {}
        self.series_of: dict[str, set[str]] = defaultdict(set)
        self.instances_of: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            uid, series_uid = row["SOPInstanceUID"], row["SeriesInstanceUID"]
            self.row[uid] = row
            if series_uid is not None:
                self.series_of[uid].add(series_uid)
                self.instances_of[series_uid].add(uid)

    def n_missing(self, uids: Iterable[str]) -> int:
        """Count the instances that only references state."""
        return sum(bool(self.row[uid]["missing"]) for uid in uids)

    def series_at(self, level: str, uid: str) -> Collection[str]:
        """Return the series where an end of a reference lies; a study lies in none."""
        if level == "series":
            return (uid,)
        return self.series_of.get(uid, ()) if level == "instance" else ()


class Boxes:
    """The boxes by id, and in which of them an end of a reference lies.

    `per` is what has a box of its own when it is no image: the object, or the series.
    """

    def __init__(self, tables: Tables, held: Held, per: Kind = "object") -> None:
        self.found: dict[str, Box] = {}
        self._held, self._per = held, per
        self._series = _first(tables["series"], "SeriesInstanceUID", "StudyInstanceUID")
        self._studies = _first(tables["studies"], "StudyInstanceUID", "patient_key")
        self._stated_in: dict[str, set[str]] = defaultdict(set)
        for row in tables["series"]:
            if row["StudyInstanceUID"] is not None:
                self._stated_in[row["SeriesInstanceUID"]].add(row["StudyInstanceUID"])
        self._frames: dict[str | None, set[str]] = defaultdict(set)
        for row in tables["frames"]:
            self._frames[row["SeriesInstanceUID"]].add(row["FrameOfReferenceUID"])
        self._of_series: dict[str, list[str]] = {}
        self._of_instance: dict[str, str] = {}
        self._add_whole_series()
        self._add_objects()
        self._add_loose(tables["references"])

    def at(self, level: str, uid: str) -> Collection[str]:
        """Return the boxes where an end lies; a series without images lies in all its objects.

        A series of which only the UID is known is a box of its own, made by
        `add_missing_series` once an edge to it is drawn.
        """
        if level == "series":
            return self._of_series.get(uid, (uid,))
        if level != "instance":
            return ()
        if uid in self._of_instance:
            return (self._of_instance[uid],)
        return self._held.series_of.get(uid, ())

    def add_missing_series(self, drawn: Iterable[str]) -> None:
        """Make the boxes of series that are referred to and hold no known instance."""
        for series_uid in sorted(set(drawn) - self.found.keys()):
            self._add("series", series_uid, [], series_uid)

    def _in_series(self, uid: str) -> bool:
        """Tell whether an instance is drawn in the box of its series."""
        return self._per == "series" or bool(self._held.row[uid]["is_image"])

    def _add_whole_series(self) -> None:
        for series_uid, uids in sorted(self._held.instances_of.items()):
            members = sorted(uid for uid in uids if self._in_series(uid))
            if members:
                self._of_series[series_uid] = [
                    self._add("series", series_uid, members, series_uid)]

    def _add_objects(self) -> None:
        whole = set(self._of_series)
        for uid in sorted(self._held.row):
            if not self._in_series(uid):
                series_uids = sorted(self._held.series_of.get(uid, ()))
                box_id = self._add("object", uid, [uid], next(iter(series_uids), None))
                self._of_instance[uid] = box_id
                for series_uid in set(series_uids) - whole:
                    self._of_series.setdefault(series_uid, []).append(box_id)

    def _add_loose(self, references: Iterable[Row]) -> None:
        """Gather what no series states, by modality and by who refers to it."""
        referrers: dict[str, set[str]] = {
            uid: set() for uid in sorted(self._held.row)
            if self._in_series(uid) and uid not in self._held.series_of
        }
        for row in references:
            if row["target_level"] == "instance" and row["target_uid"] in referrers:
                referrers[row["target_uid"]].update(self.at(row["source_level"], row["source_uid"]))
        groups: dict[tuple[str, frozenset[str]], list[str]] = defaultdict(list)
        for uid, sources in referrers.items():
            groups[self._modality(self._held.row[uid], {}), frozenset(sources)].append(uid)
        for uids in groups.values():
            box_id = self._add("series", uids[0], uids, None)
            self._of_instance.update(dict.fromkeys(uids, box_id))

    def _add(self, kind: Kind, uid: str, uids: list[str], series_uid: str | None) -> str:
        """Make the box of these instances (of none: a missing series) and return its id."""
        box_id = uid if uid not in self.found else f"{kind} {uid}"  # bad data: one UID twice
        series = self._series.get(series_uid, {})
        instance = self._held.row[uids[0]] if uids else {}
        modality = self._modality(instance, series)
        n_missing = self._held.n_missing(uids)
        description = one_line(series.get("SeriesDescription"))
        image = instance.get("is_image", True)
        if kind == "series":
            words, amount = description, tally(len(uids), n_missing, "image" if image else "object")
            name = description or (amount if uids else "series")
        else:
            alone = len(self._held.instances_of.get(instance["SeriesInstanceUID"], ())) <= 1
            words = caption(modality, instance, description, alone=alone)
            amount = "missing" if n_missing else ""
            name = title(modality, instance, words, description)
        self.found[box_id] = Box(
            id=box_id, kind=kind, modality=modality,
            layer=0 if kind == "series" and image else series_type(modality).layer,
            caption=words, tally=amount, title=name or modality,
            status="missing" if n_missing == len(uids) else "partial" if n_missing else "present",
            ambiguous=self._ambiguous(uids, series_uid),
            study_uid=series.get("StudyInstanceUID"), series_uid=series_uid,
            when=(instance.get("datetime") if kind == "object" else None)
            or series.get("series_datetime") or series.get("SeriesDate"),
            n_instances=len(uids) - n_missing, n_missing=n_missing,
            n_fractions_planned=instance.get("n_fractions_planned") if len(uids) == 1 else None,
            fractions=tuple(sorted({
                n for u in uids for n in self._held.row[u]["fraction_numbers"] or ()})),
            summation=one_line(instance.get("title")) if modality == "RTDOSE" else "",
            details=self._details(series, series_uid, instance if kind == "object" else {}),
        )
        return box_id

    def _ambiguous(self, uids: Iterable[str], series_uid: str | None) -> bool:
        """Tell whether it is stated to lie in more than one place."""
        return len(self._stated_in.get(series_uid or "", ())) > 1 or any(
            len(self._held.series_of.get(uid, ())) > 1 for uid in uids)

    def _modality(self, instance: Row, series: Row) -> str:
        """Return the Modality of object or series; of a stub, that of its stated family."""
        stated = one_line(instance.get("Modality") or series.get("Modality"))
        return stated or modality_of_family().get(instance.get("family") or "") or "unknown"

    def _details(
        self, series: Row, series_uid: str | None, instance: Row
    ) -> tuple[tuple[str, str], ...]:
        study = self._studies.get(series.get("StudyInstanceUID"), {})
        frames = sorted(self._frames.get(series_uid, ()))
        values = (
            *((name, series.get(name))
              for name in ("SeriesDescription", "SeriesNumber", "SeriesDate")),
            *((name, study.get(name)) for name in ("StudyDescription", "StudyDate")),
            *((name, instance.get(name)) for name in (
                "datetime", "ApprovalStatus", "technique", "prescription_dose_gy",
                "n_fractions_planned", "fraction_numbers", "roi_names",
                "InstanceNumber", "SOPInstanceUID", "SOPClassUID")),
            ("SeriesInstanceUID", series_uid),
            ("StudyInstanceUID", series.get("StudyInstanceUID")),
            *(("FrameOfReferenceUID", uid) for uid in frames),
            ("file_path", instance.get("file_path")),
        )
        return tuple((name, shown(value)) for name, value in values if value not in (None, "", []))


def _first(rows: Iterable[Row], key: str, order: str) -> dict[str | None, Row]:
    """Return one row for each key, the first in `order`: a UID may be stated more than once."""
    ordered = sorted(rows, key=lambda row: row[order] or "", reverse=True)
    return {row[key]: row for row in ordered}


@cache
def modality_of_family() -> dict[str, str]:
    """Return the modality of each family label; only stubs need it, and it loads pydicom."""
    from rtgraph.graphmodel.families import FAMILIES

    return {row.labels[-1]: row.modality for row in reversed(FAMILIES) if row.labels}

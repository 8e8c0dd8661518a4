"""The boxes of the figure: one for an image series, one for each object of any other kind.

What is missing has boxes too: a missing image counts in the box of the series that references
state for it; missing images without a stated series share a box when the same boxes refer to them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from rtgraph.graphmodel.modalities import series_type
from rtgraph.graphmodel.tables import Row, Tables
from rtgraph.text import plain

Kind = Literal["series", "object"]


@dataclass(frozen=True, slots=True)
class Box:
    """An image series or an object; its details are named as in the graph.

    `n_instances` counts what is there, `n_missing` what only references state. `label` has two
    lines of any length, `title` names the box among others of its modality.
    """

    id: str
    kind: Kind
    modality: str
    layer: int
    label: str
    title: str
    status: Literal["present", "partial", "missing"]
    study_uid: str | None
    series_uid: str | None
    n_instances: int
    n_missing: int
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
    """The boxes by id, and in which of them an end of a reference lies."""

    def __init__(self, tables: Tables, held: Held) -> None:
        self.found: dict[str, Box] = {}
        self._held = held
        self._series = _first(tables["series"], "SeriesInstanceUID", "StudyInstanceUID")
        self._studies = _first(tables["studies"], "StudyInstanceUID", "patient_key")
        self._frames: dict[str | None, set[str]] = defaultdict(set)
        for row in tables["frames"]:
            self._frames[row["SeriesInstanceUID"]].add(row["FrameOfReferenceUID"])
        self._of_series: dict[str, list[str]] = {}
        self._of_instance: dict[str, str] = {}
        self._add_image_series()
        self._add_objects()
        self._add_loose_images(tables["references"])

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

    def _add_image_series(self) -> None:
        for series_uid, uids in sorted(self._held.instances_of.items()):
            images = sorted(uid for uid in uids if self._held.row[uid]["is_image"])
            if images:
                self._of_series[series_uid] = [self._add("series", series_uid, images, series_uid)]

    def _add_objects(self) -> None:
        image_series = set(self._of_series)
        for uid, row in sorted(self._held.row.items()):
            if not row["is_image"]:
                series_uids = sorted(self._held.series_of.get(uid, ()))
                box_id = self._add("object", uid, [uid], next(iter(series_uids), None))
                self._of_instance[uid] = box_id
                for series_uid in set(series_uids) - image_series:
                    self._of_series.setdefault(series_uid, []).append(box_id)

    def _add_loose_images(self, references: Iterable[Row]) -> None:
        """Gather images that no series states, by modality and by who refers to them."""
        referrers: dict[str, set[str]] = {
            uid: set() for uid, row in sorted(self._held.row.items())
            if row["is_image"] and uid not in self._held.series_of
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
        own = _line(instance.get("title")) if kind == "object" else ""
        description = _line(series.get("SeriesDescription"))
        if kind == "series":
            caption = _images(len(uids), n_missing)
            title = description or caption
        else:
            caption = "missing" if n_missing else own or self._object_caption(instance, description)
            title = own or ", ".join(dict.fromkeys(filter(None, (description, caption))))
        self.found[box_id] = Box(
            id=box_id,
            kind=kind,
            modality=modality,
            layer=0 if kind == "series" else series_type(modality).layer,
            label=f"{modality}\n{caption}",
            title=title or modality,
            status="missing" if n_missing == len(uids) else "partial" if n_missing else "present",
            study_uid=series.get("StudyInstanceUID"),
            series_uid=series_uid,
            n_instances=len(uids) - n_missing,
            n_missing=n_missing,
            details=self._details(series, series_uid, instance if kind == "object" else {}),
        )
        return box_id

    def _object_caption(self, instance: Row, description: str) -> str:
        """Tell objects of one series apart by number; an only one has the series' description."""
        alone = len(self._held.instances_of[instance["SeriesInstanceUID"]]) == 1
        number = _line(instance.get("InstanceNumber"))
        return description if alone or not number else f"no. {number}"

    def _modality(self, instance: Row, series: Row) -> str:
        """Return the Modality of object or series; of a stub, that of its stated family."""
        stated = _line(instance.get("Modality") or series.get("Modality"))
        return stated or _modality_of_family().get(instance.get("family") or "") or "unknown"

    def _details(
        self, series: Row, series_uid: str | None, instance: Row
    ) -> tuple[tuple[str, str], ...]:
        study = self._studies.get(series.get("StudyInstanceUID"), {})
        frames = sorted(self._frames.get(series_uid, ()))
        values = (
            *((name, series.get(name))
              for name in ("SeriesDescription", "SeriesNumber", "SeriesDate")),
            *((name, study.get(name)) for name in ("StudyDescription", "StudyDate")),
            *((name, instance.get(name))
              for name in ("InstanceNumber", "SOPInstanceUID", "SOPClassUID")),
            ("SeriesInstanceUID", series_uid),
            ("StudyInstanceUID", series.get("StudyInstanceUID")),
            *(("FrameOfReferenceUID", uid) for uid in frames),
            ("file_path", instance.get("file_path")),
        )
        return tuple((name, plain(value)) for name, value in values if value not in (None, ""))


def _first(rows: Iterable[Row], key: str, order: str) -> dict[str | None, Row]:
    """Return one row for each key, the first in `order`: a UID may be stated more than once."""
    ordered = sorted(rows, key=lambda row: row[order] or "", reverse=True)
    return {row[key]: row for row in ordered}


def _line(value: object) -> str:
    """Return a value on one line, safe to show; nothing for None."""
    return "" if value is None else " ".join(plain(value).split())


def _images(n: int, n_missing: int) -> str:
    """Say how many images a box stands for."""
    if n == 0:
        return "series missing"
    images = "image" if n == 1 else "images"
    if n_missing == n:
        return f"{n} {images} missing"
    return f"{n - n_missing} of {n} {images}" if n_missing else f"{n} {images}"


@cache
def _modality_of_family() -> dict[str, str]:
    """Return the modality of each family label; only stubs need it, and it loads pydicom."""
    from rtgraph.graphmodel.families import FAMILIES

    return {row.labels[-1]: row.modality for row in reversed(FAMILIES) if row.labels}

"""The objects of a cohort as reading gives them, without files: what feeds the store alone.

One object of each kind and encoding is made as a file and read by rtgraph; the others are that
record with the values of their own study, series and place. A test compares them with what reading
their files gives. They come at about 100,000 a second.
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import cache
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bench.cohort import SEED, Series, Study, Totals, studies
from bench.files import file_name
from bench.objects import CLASSES, ROOT, STUDY_CLASS
from bench.templates import encoding, files_of
from rtgraph.ingest.families import images
from rtgraph.ingest.levels import age_years
from rtgraph.ingest.parse import Plan, parse, patient_key
from rtgraph.ingest.records import Found, Instance, Link, Part, Target
from rtgraph.ingest.variants import joined

ROOT_NAME = "data"
MTIME = 1_700_000_000_000_000_000
_LABELS = ("Patient", "Study", "Series", "Instance")


@dataclass(frozen=True, slots=True)
class _Example:
    """A record that was read, and which of its values are dates and times."""

    record: Instance
    size: int
    temporal: dict[str, tuple[tuple[str, type], ...]]


@cache
def _example(kind: str, implicit: bool, undefined: bool, about: int) -> _Example:
    """Read one object; how many series of one slice it is about is all that its kind needs."""
    uid = [f"{ROOT}{10**17 + n}" for n in range(6)]  # of the width that templates have room for
    targets = tuple(Series("CT", n, uid[n], 1, uid[2], "010000") for n in range(about))
    series = Series(kind, 1, uid[3], 1, uid[4], "010203", targets)
    study = Study(_patient(implicit, undefined), 0, uid[5], "20010203", "040506", ())
    data = files_of(study, series)(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "example.dcm"
        path.write_bytes(data)
        read = parse(Found(str(path), "data:example.dcm", len(data), MTIME), Plan("00" * 16))
    if not isinstance(read, Instance):
        raise ValueError(f"{kind} cannot be read: {read.reason} {read.detail}")
    temporal = {label: tuple((n, type(v)) for n, v in read.values[label].items()
                             if isinstance(v, date | time))
                for label in _LABELS}
    return _Example(read, len(data), temporal)


def _patient(implicit: bool, undefined: bool) -> int:
    """Return a patient whose files are encoded so."""
    return next(p for p in range(6)
                if encoding(Study(p, 0, "", "", "", ())) == (implicit, undefined))


def records(totals: Totals, key: str, seed: int = SEED) -> Iterator[list[Instance]]:
    """Yield the objects of each series; values that are the same are the same dictionaries."""
    hashed, patient = "", -1
    for study in studies(totals, seed):
        if study.patient != patient:
            patient, hashed = study.patient, patient_key(key, "", study.patient_id, study.uid)
        for series in study.series:
            yield of_series(study, series, hashed)


def of_series(study: Study, series: Series, hashed: str) -> list[Instance]:
    """Return the objects of a series; `hashed` is the key of the patient."""
    implicit, undefined = encoding(study)
    example = _example(series.kind, implicit, undefined, len(series.about))
    like = example.record
    day = datetime.strptime(study.date, "%Y%m%d").date()
    study_clock, clock = (time(int(t[:2]), int(t[2:4]), int(t[4:])) for t in
                          (study.clock, series.clock))
    values = {label: dict(like.values[label]) for label in _LABELS}
    for label in _LABELS:
        for name, kind in example.temporal[label]:
            at = study_clock if label == "Study" else clock
            values[label][name] = (datetime.combine(day, at) if kind is datetime
                                   else day if kind is date else at)
    values["Patient"] |= {"PatientID": study.patient_id,
                          "PatientBirthDate": datetime.strptime(study.birth, "%Y%m%d").date()}
    values["Study"] |= {"StudyInstanceUID": study.uid, "AccessionNumber": f"A{study.patient_id}"}
    values["Series"] |= {"SeriesInstanceUID": series.uid, "SeriesNumber": series.number,
                         "SeriesDescription": series.description.strip()}
    shared = values["Instance"]
    if series.frame:
        shared["frame_uid"] = series.frame
    elif series.kind == "RTSTRUCT":
        shared["frame_uid"] = series.about[0].frame
    is_image = series.kind in ("CT", "MR")
    references, placements = _references(study, series)
    parts, links = _attached(like, series)
    born = values["Patient"]["PatientBirthDate"]
    values["Study"]["patient_age_years"] = age_years(born, day, None)
    variant = joined((born.isoformat(), *like.variant.split("|")[2:]))
    shared["variant"] = variant.partition("|")[0]
    if is_image:
        values["Series"] |= images.series({}, values["Series"])
    if "n_common_refs" in shared:
        shared["n_common_refs"] = len(placements)
    if series.kind == "RTSTRUCT":
        shared["listed_series"] = [series.about[0].uid]
    size = example.size + _extra(study, series)
    folder = f"{ROOT_NAME}:{study.patient_id}/{study.uid}/{series.uid}/"
    made = []
    for i in range(series.size):
        sop, path = series.sop(i), folder + file_name(i)
        own: dict[str, Any] = shared | {"InstanceNumber": i + 1}
        if is_image:
            own["slice_position"] = series.position(i)
        made.append(Instance(
            file=Found(path, path, size, MTIME), sop_uid=sop, sop_class=like.sop_class,
            series_uid=series.uid, study_uid=study.uid, patient_key=hashed,
            values={"Patient": values["Patient"], "Study": values["Study"],
                    "Series": values["Series"], "Instance": own},
            digest=blake2b(sop.encode(), digest_size=16).hexdigest(), variant=variant,
            references=references, placements=placements, parts=parts, links=links))
    return made


def _attached(like: Instance, series: Series) -> tuple[list[Part], list[Link]]:
    """Return the parts and links of the objects of a series, after those of the example.

    The example has one slice; the contours of a ROI lie on the first ones, and
    its structure set states no frame of its own.
    """
    if series.kind not in ("RTSTRUCT", "REG"):
        return like.parts, like.links
    frames = [a.frame for a in series.about]
    slices = series.about[0].size
    parts = []
    for part in like.parts:
        values = dict(part.values)
        if part.label == "ROI":
            values["ReferencedFrameOfReferenceUID"] = frames[0]
            values["n_images"] = min(values["n_contours"], slices)
        else:
            values["item_frame_uid"] = frames[part.index - 1]
            values["side"] = "REGISTERED" if values["item_frame_uid"] == series.frame else "SOURCE"
        parts.append(replace(part, values=values))
    links = []
    for link in like.links:
        if link.type == "CONTOURED_ON":
            contours = dict(link.values)["n_contours"]
            links.append(replace(link, target=series.about[0].uid, values=(
                ("n_contours", contours), ("n_images", min(contours, slices)))))
        elif link.type == "FROM_FRAME":
            links.append(replace(link, target=frames[int(link.source.removeprefix("#R")) - 1]))
        elif link.type == "TO_FRAME":
            links.append(replace(link, target=series.frame))
    return parts, links


def _extra(study: Study, series: Series) -> int:
    """Return how much larger a file is than its example, for what it refers to."""
    if series.kind not in ("RTSTRUCT", "REG"):
        return 0
    implicit, undefined = encoding(study)
    example = _example(series.kind, implicit, undefined, len(series.about))
    return len(files_of(study, series)(0)) - example.size


def _references(study: Study, series: Series) -> tuple[list[Target], dict[str, tuple[str, ...]]]:
    """Return what the objects of a series refer to, sorted as reading does."""
    about = series.about
    if series.kind in ("CT", "MR"):
        localizer = (("purpose", ("DCM^121311",)),)
        return [replace(_target("REFERENCED_IMAGE", a.sop(0), a.kind), qualifiers=localizer)
                for a in about], {}
    if series.kind == "RTSTRUCT":
        (images,) = about
        return [
            *_images("STRUCTURE_SET_IMAGE", about),
            Target("REFERENCES_FRAME", "STRUCTURE_SET_FRAME", images.frame, "STRUCTURE_SET_FRAME"),
            Target("REFERENCES_SERIES", "STRUCTURE_SET_SERIES", images.uid,
                   "STRUCTURE_SET_SERIES"),
            Target("REFERENCES_STUDY", "STRUCTURE_SET_STUDY", study.uid, "STRUCTURE_SET_STUDY",
                   STUDY_CLASS),
        ], _placements(about)
    if series.kind == "REG":
        frames = sorted(a.frame for a in about)
        narrowed = {a.uid: (
            ("items", tuple(n for n, b in enumerate(about, 1) if b == a)),
            ("side", "REGISTERED" if a.frame == series.frame else "SOURCE")) for a in about}
        return [*_images("REGISTRATION_IMAGE", about, narrowed), *(
            Target("REFERENCES_FRAME", "REGISTRATION_FRAME", f, "REGISTRATION_FRAME",
                   n=frames.count(f)) for f in sorted(set(frames)))], _placements(about)
    roles = {"RTPLAN": ("PLAN_STRUCTURE_SET",), "RTDOSE": ("DOSE_PLAN", "DVH_STRUCTURE_SET"),
             "RTRECORD": ("RECORD_PLAN",)}[series.kind]
    summation = (("summation", "PLAN"),)
    return [replace(_target(role, a.sop(0), a.kind),
                    qualifiers=summation if role == "DOSE_PLAN" else ())
            for role, a in zip(roles, about, strict=True)], {}


def _target(role: str, sop: str, kind: str, n: int = 1) -> Target:
    return Target("REFERENCES", role, sop, role, CLASSES[kind], n)


def _images(
    role: str, about: tuple[Series, ...], narrowed: Mapping[str, Any] = MappingProxyType({}),
) -> list[Target]:
    """Return an edge to each image; a series that stands twice counts twice."""
    ordered = sorted(set(about), key=lambda a: a.uid)
    return [replace(_target(role, a.sop(i), a.kind, about.count(a)),
                    qualifiers=narrowed.get(a.uid, ()))
            for a in ordered for i in range(a.size)]


def _placements(about: tuple[Series, ...]) -> dict[str, tuple[str, ...]]:
    return {a.sop(i): (a.uid,) for a in about for i in range(a.size)}

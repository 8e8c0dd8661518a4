"""Files of a cohort from templates: one for each kind and encoding, filled for each object.

Objects have the headers of real ones and next to no pixel data; structure sets and plans have few
contours and control points. Two thirds of the patients are in explicit, one third in implicit
encoding; every other patient has sequences of undefined length.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from pydicom.dataset import Dataset

from bench import objects
from bench.cohort import Series, Study
from bench.encode import (
    BLOB_MARKS,
    EXPLICIT,
    IMPLICIT,
    Encoder,
    Template,
    file_bytes,
    put_blob,
    without_blob_headers,
)
from bench.objects import CLASSES, ROOT, STUDY_CLASS, Identity, Images

_STEM = ROOT + "90000000000000000"
MARKS = {
    "sop": f"{_STEM}1.90001", "about0": f"{_STEM}2.90001", "about1": f"{_STEM}3.90001",
    "series": f"{_STEM}4", "study": f"{_STEM}5", "frame": f"{_STEM}6",
    "patient": "1987654", "birth": "19010203", "date": "19020304", "study_time": "235911",
    "time": "235922", "series_number": "9871", "instance": "987653", "z": "-98765.4",
    "description": "@DESCRIPTION@@@@@@@@",
}
_MARKS = {name: mark.encode() for name, mark in MARKS.items()} | BLOB_MARKS
CONTOURS = 2  # of each of 3 ROIs
_ROIS = 3


@cache
def template(kind: str, implicit: bool, undefined: bool, localizer: bool) -> Template:
    """Return the template of a kind of objects in an encoding."""
    ds = _dataset(kind, localizer)
    data = file_bytes(ds, IMPLICIT if implicit else EXPLICIT, undefined=undefined)
    return Template.of(without_blob_headers(data, implicit), _MARKS)


def _dataset(kind: str, localizer: bool) -> Dataset:
    framed = kind not in ("RTSTRUCT", "RTRECORD")
    who = Identity(
        sop=MARKS["sop"], series=MARKS["series"], study=MARKS["study"],
        patient="B" + MARKS["patient"], name=f"Bench^P{MARKS['patient']}",
        frame=MARKS["frame"] if framed else "", birth=MARKS["birth"], date=MARKS["date"],
        study_time=MARKS["study_time"], time=MARKS["time"],
        series_number=MARKS["series_number"], number=MARKS["instance"],
        description=MARKS["description"])
    first, second = MARKS["about0"], MARKS["about1"]
    none = Images(MARKS["series"], MARKS["frame"], "CT", [])
    if kind == "CT":
        return objects.ct(who, MARKS["z"], localizer=first if localizer else "", rows=8)
    if kind == "MR":
        return objects.mr(who, MARKS["z"], rows=8)
    if kind == "RTPLAN":
        return objects.rtplan(who, first, beams=3, control_points=2, leaves=10)
    if kind == "RTDOSE":
        return objects.rtdose(who, first, second, grid=(4, 4, 2), dvhs=2)
    if kind == "RTRECORD":
        return objects.rtrecord(who, first, beams=3, control_points=2, leaves=10)
    if kind == "RTSTRUCT":
        ds = objects.rtstruct(who, none, rois=_ROIS, contours=0, points=())
        held = (0x30060010, 0x30060039)
    else:
        ds = objects.reg(who, none, none)
        held = (0x00081115, 0x00700308)
    for tag, mark in zip(held, BLOB_MARKS.values(), strict=True):
        put_blob(ds, tag, mark)
    return ds


def encoding(study: Study) -> tuple[bool, bool]:
    """Return whether the files of a study are implicit, and have undefined lengths."""
    return study.patient % 3 == 2, study.patient % 2 == 1


def files_of(study: Study, series: Series) -> Callable[[int], bytes]:
    """Return the function that gives the file of the object with index `i`."""
    implicit, undefined = encoding(study)
    whole = template(series.kind, implicit, undefined, bool(series.about))
    part = whole.partly(_of_series(study, series, Encoder(implicit, undefined)))

    def file(i: int) -> bytes:
        return part.fill({
            "sop": series.sop(i).encode(), "instance": b"%-6d" % (i + 1),
            "z": b"%-8.2f" % series.position(i)})

    return file


def _of_series(study: Study, series: Series, encoder: Encoder) -> Mapping[str, bytes]:
    """Return the fields that all objects of a series share."""
    text = {
        "series": series.uid, "study": study.uid, "patient": study.patient_number,
        "frame": series.frame or (series.about[0].frame if series.about else ""),
        "birth": study.birth, "date": study.date, "study_time": study.clock,
        "time": series.clock, "series_number": f"{series.number:<4}",
        "description": series.description,
        **{f"about{n}": about.sop(0) for n, about in enumerate(series.about)},
    }
    fields = {name: value.encode() for name, value in text.items()}
    if series.kind == "RTSTRUCT":
        (about,) = series.about
        fields["blob0"] = _images_of_set(encoder, study, about)
        fields["blob1"] = _contours(encoder, about)
    elif series.kind == "REG":
        fields["blob0"] = encoder.sequence(0x00081115, [
            encoder.sequence(0x0008114A, _references(encoder, about))
            + encoder.text(0x0020000E, "UI", about.uid.encode()) for about in series.about])
        fields["blob1"] = encoder.sequence(
            0x00700308, [_registered(encoder, about) for about in series.about])
    return fields


def _references(encoder: Encoder, about: Series) -> Sequence[bytes]:
    """Return the items that refer to every object of a series."""
    head = encoder.text(0x00081150, "UI", _even(CLASSES[about.kind]))
    return [head + encoder.text(0x00081155, "UI", about.sop(i).encode())
            for i in range(about.size)]


def _even(uid: str) -> bytes:
    return uid.encode() + b"\0" * (len(uid) % 2)


def _images_of_set(encoder: Encoder, study: Study, about: Series) -> bytes:
    of_series = encoder.text(0x0020000E, "UI", about.uid.encode()) + encoder.sequence(
        0x30060016, _references(encoder, about))
    of_study = (encoder.text(0x00081150, "UI", _even(STUDY_CLASS))
                + encoder.text(0x00081155, "UI", study.uid.encode())
                + encoder.sequence(0x30060014, [of_series]))
    return encoder.sequence(0x30060010, [
        encoder.text(0x00200052, "UI", about.frame.encode())
        + encoder.sequence(0x30060012, [of_study])])


def _contours(encoder: Encoder, about: Series) -> bytes:
    references = _references(encoder, about)
    outlines = [
        encoder.sequence(0x30060016, [references[i % len(references)]])
        + encoder.text(0x30060042, "CS", b"CLOSED_PLANAR ")
        + encoder.text(0x30060046, "IS", b"4 ")
        + encoder.text(0x30060050, "DS", b"0\\0\\0\\1\\0\\0\\1\\1\\0\\0\\1\\0 ")
        for i in range(CONTOURS)]
    return encoder.sequence(0x30060039, [
        encoder.sequence(0x30060040, outlines) + encoder.text(0x30060084, "IS", b"%d " % (n + 1))
        for n in range(_ROIS)])


def _registered(encoder: Encoder, about: Series) -> bytes:
    matrix = encoder.sequence(0x0070030A, [
        encoder.text(0x0070030C, "CS", b"RIGID ")
        + encoder.text(0x300600C6, "DS", b"1\\0\\0\\0\\0\\1\\0\\0\\0\\0\\1\\0\\0\\0\\0\\1 ")])
    return (encoder.sequence(0x00081140, _references(encoder, about))
            + encoder.text(0x00200052, "UI", about.frame.encode())
            + encoder.sequence(0x00700309, [matrix]))

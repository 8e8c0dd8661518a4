"""The smallest objects that tests of ingest need: a course of a dozen files, and single files.

Whatever a test does not name has a value that fits with the rest.
"""

import struct
from datetime import date, datetime
from io import BytesIO
from pathlib import Path

from pydicom import Dataset, dcmwrite
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from rtgraph.demo.chart import LINAC, PLANNING, SCANNER, Chart
from rtgraph.demo.courses import BEAMS, PTV_NUMBER, centred_grid
from rtgraph.demo.objects import Patient, Series, Study, fill, make_uid, new_object, save
from rtgraph.demo.phantom import PELVIS, rigid
from rtgraph.demo.treatment import Prescription

WHEN = datetime(2024, 2, 5, 8)


def uid(name: str) -> str:
    """Return the UID of that name, for studies, series, frames and objects alike."""
    return make_uid("small", name)


def new(
    name: str, *, patient: str = "PAT-1", study: str = "study", series: str = "series",
    frame: str | None = None, modality: str = "CT", sop_class: str = CTImageStorage,
    **elements: object,
) -> Dataset:
    """Return an object without pixels; equal names are equal UIDs."""
    of_patient = Patient(patient, "SMALL^ONE", date(1950, 1, 2), "O")
    of_study = Study(uid(study), of_patient, WHEN, "Study")
    of_series = Series(uid(series), of_study, modality, 1, WHEN, series, SCANNER)
    ds = new_object(of_series, sop_class, uid(name), number=1, when=WHEN,
                    frame_uid=uid(frame) if frame else None)
    return fill(ds, **elements)


def write_object(path: Path, name: str, **of: object) -> Path:
    """Write an object; arguments as for `new`."""
    save(new(name, **of), path)  # type: ignore[arg-type]
    return path


def encoded(ds: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """Return the bytes of a file."""
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    stream = BytesIO()
    dcmwrite(stream, ds, enforce_file_format=True)
    return stream.getvalue()


def with_value(raw: bytes, keyword: str, value: bytes) -> bytes:
    """Return a file in explicit VR, little endian, whose element has this value, right or wrong."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    vr = dictionary_VR(tag).encode()
    start = raw.index(struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr), 132)
    (length,) = struct.unpack_from("<H", raw, start + 6)
    value += b"\0" * (len(value) % 2) if vr == b"UI" else b" " * (len(value) % 2)
    rest = raw[start + 8 + length :]
    return raw[: start + 6] + struct.pack("<H", len(value)) + value + rest


def without_meta(raw: bytes) -> bytes:
    """Return the data set of a file alone: no preamble, no file meta information."""
    return raw[132 + 12 + int.from_bytes(raw[140:144], "little") :]


def write_course(folder: Path) -> Chart:
    """Write a course of twelve files: 6 images, structure set, plan, DRR, dose, record, REG."""
    chart = Chart(folder, 1, 0, "SMALL^COURSE")
    prescription = Prescription(PTV_NUMBER, 2.0, 1)
    planning, treatment = (chart.study(n, chart.at(0), n) for n in ("planning", "treatment"))
    grid = centred_grid((8, 8, 3))
    ct = chart.ct(planning, "ct", chart.at(0), grid, PELVIS, with_localizer=True)
    contours = chart.structure_set(planning, "Pelvis", chart.at(1), ct)
    drr = chart.image_ref("drr")
    plan = chart.plan(planning, "Plan", chart.at(2), ct, contours, prescription, BEAMS[:1],
                      drrs={1: drr})
    drrs = chart.series(planning, "RTIMAGE", "drr", chart.at(2), "DRR", PLANNING)
    chart.rt_image(drrs, drr.uid, chart.at(2), plan, BEAMS[0], ct)
    doses = chart.series(planning, "RTDOSE", "dose", chart.at(2), "Dose", PLANNING)
    chart.dose(doses, "dose", chart.at(2), ct, plan, prescription)
    cbct = chart.ct(treatment, "cbct", chart.at(7), centred_grid((8, 8, 2)), PELVIS, device=LINAC)
    chart.registration(treatment, "CBCT to CT", chart.at(7), ct.stack, cbct.stack, rigid())
    records = chart.series(treatment, "RTRECORD", "records", chart.at(7), "Records", LINAC)
    chart.record(records, "plan", chart.at(7), plan, 1, prescription, BEAMS[:1])
    return chart

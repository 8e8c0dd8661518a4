"""The generators of the benchmark give what they promise, and the same bytes each time."""

import hashlib
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from bench import corpus, files, ingest, plain, records, results, scan
from bench.cohort import SHARES, Series, Study, Totals, studies
from bench.objects import CLASSES
from bench.templates import encoding, files_of
from rtgraph.ingest.parse import Plan, parse, patient_key
from rtgraph.ingest.records import Found, Instance

KEY = "00" * 32
TINY = corpus.Size(patients=10, slices=3, mr_slices=1, rois=2, contours=3, beams=2,
                   control_points=3, record_points=2, leaves=4, grid=(4, 4, 2), dvhs=2,
                   registered=4)
MIB = 1024 * 1024


def read(data: bytes) -> Dataset:
    return pydicom.dcmread(BytesIO(data))


# --- the corpus ----------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def made() -> list[corpus.Made]:
    return list(corpus.corpus(TINY))


def test_corpus_has_the_same_bytes_for_the_same_seed(made: list[corpus.Made]) -> None:
    again = list(corpus.corpus(replace(TINY, patients=2)))
    assert again == made[: len(again)]
    assert list(corpus.corpus(replace(TINY, patients=2), seed=21)) != again


def test_corpus_of_twenty_patients_has_the_promised_transfer_syntaxes() -> None:
    assert Counter(corpus.SYNTAXES) == {"E": 11, "I": 7, "D": 1, "B": 1}


def test_corpus_is_written_in_the_encoding_that_its_columns_name(made: list[corpus.Made]) -> None:
    for m in made:
        ds = read(m.data)
        assert ds.file_meta.TransferSyntaxUID == corpus._UIDS[m.syntax]
        assert ("deflated" in m.column, "big endian" in m.column) == (
            m.syntax == "D", m.syntax == "B")
        sequences = [e for e in ds.iterall() if e.VR == "SQ" and len(e.value)]
        assert {bool(e.is_undefined_length) for e in sequences} <= {m.undefined}
        for words in ("undefined", "defined"):
            if m.column.split()[0].startswith("RT"):
                assert (words in m.column.split()) is (m.undefined is (words == "undefined"))


NAMES = [
    # patient  family name of the first group, ideographic group
    (0,        "Corpus",  ""),
    (2,        "Wäng",    "王^小東"),
    (5,        "Yamada",  "山田^太郎"),
    (8,        "Müller",  ""),
]


@pytest.mark.parametrize(("patient", "family_name", "ideographic"), NAMES)
def test_corpus_has_names_in_other_character_sets(
    made: list[corpus.Made], patient: int, family_name: str, ideographic: str
) -> None:
    name = read(next(m.data for m in made if m.path.startswith(f"p{patient:04}"))).PatientName
    assert (name.family_name, name.ideographic) == (family_name, ideographic)


def test_a_slice_of_the_corpus_has_the_promised_elements(made: list[corpus.Made]) -> None:
    ds = read(made[0].data)
    assert len(ds) == 151
    assert sum(tag.is_private for tag in ds.keys()) == 36  # noqa: SIM118
    assert sum(e.VR == "SQ" for e in ds) == 11
    assert sum(1 for _ in ds.iterall()) == 183
    assert 4_000 < len(made[0].data) - 32 * 32 * 2 < 5_000


FULL = [
    # kind        sequence or attribute, its items       bytes from, to
    ("RTSTRUCT",  {"ROIContourSequence": 30},            4.9 * MIB, 6.0 * MIB),
    ("RTPLAN",    {"BeamSequence": 9},                   0.6 * MIB, 0.9 * MIB),
    ("RTDOSE",    {"DVHSequence": 20},                   2.3 * MIB, 2.6 * MIB),
    ("REG",       {"RegistrationSequence": 2},           30_000, 50_000),
    ("RTRECORD",  {"TreatmentSessionBeamSequence": 9},   0.3 * MIB, 0.5 * MIB),
    ("MR",        {},                                    80_000, 300_000),
]


@pytest.fixture(scope="module")
def full() -> dict[str, bytes]:
    size = corpus.Size(patients=1, slices=20, mr_slices=1)
    return {m.column.split()[0]: m.data for m in corpus.corpus(size)}


@pytest.mark.parametrize(("kind", "items", "least", "most"), FULL, ids=[c[0] for c in FULL])
def test_objects_of_the_corpus_have_full_size(
    full: dict[str, bytes], kind: str, items: dict[str, int], least: float, most: float
) -> None:
    ds = read(full[kind])
    assert {keyword: len(ds[keyword].value) for keyword in items} == items
    assert least < len(full[kind]) < most


def test_corpus_is_read_whole_and_by_what_it_is_compared_with(
    made: list[corpus.Made], tmp_path: Path
) -> None:
    path = tmp_path / "file.dcm"
    for m in made:
        path.write_bytes(m.data)
        found = Found(str(path), "corpus:file.dcm", len(m.data), 0)
        o = parse(found, Plan(KEY))
        assert isinstance(o, Instance), m.path
        assert o.invalid == [], m.path
        assert not o.truncated
        values, references = plain.read(str(path), everything=True)
        assert values["SOPInstanceUID"] == o.sop_uid
        named = {str(uid) for where, uid, _ in references if where.endswith(
            "ReferencedSOPInstanceUID")}
        assert {t.uid for t in o.references if t.edge == "REFERENCES"} <= named
        table = {str(uid) for _, uid, _ in plain.read(str(path), everything=False)[1]}
        assert {t.uid for t in o.references} <= table  # here the table names all there is


# --- the cohort ----------------------------------------------------------------------------------

SIZES = [
    # files      patients  studies  series
    (6_370_243,  1_869,    12_406,  349_246),
    (500_000,    147,      974,     27_412),
    (5_000,      10,       10,      274),
]


@pytest.mark.parametrize(("n", "patients", "n_studies", "series"), SIZES)
def test_totals_keep_the_proportions(n: int, patients: int, n_studies: int, series: int) -> None:
    assert Totals.of_files(n) == Totals(patients, n_studies, series, n)


def test_a_cohort_has_exactly_its_totals_and_the_mix_of_a_clinic() -> None:
    totals = Totals.of_files(50_000)
    found = list(studies(totals))
    kinds: Counter[str] = Counter()
    for study in found:
        for series in study.series:
            kinds[series.kind] += series.size
    assert len(found) == totals.studies
    assert len({s.patient for s in found}) == totals.patients
    assert sum(len(s.series) for s in found) == totals.series
    assert kinds.total() == totals.instances
    for kind, share in SHARES.items():
        assert kinds[kind] == pytest.approx(share * totals.instances, rel=0.01)


def test_uids_of_a_cohort_are_unique_and_of_one_width() -> None:
    found = list(studies(Totals.of_files(20_000)))
    uids = [s.uid for s in found] + [x.uid for s in found for x in s.series]
    assert len(uids) == len(set(uids))
    assert {len(uid) for uid in uids} == {44}


def sampled(n: int = 12_000, each: int = 1) -> Iterator[tuple[Study, Series]]:
    """Yield series of every kind, encoding and number of references."""
    seen: Counter[object] = Counter()
    for study in studies(Totals.of_files(n)):
        for series in study.series:
            sort = (series.kind, encoding(study), len(series.about))
            seen[sort] += 1
            if seen[sort] <= each:
                yield study, series


def test_files_of_a_cohort_hold_what_the_cohort_says() -> None:
    kinds = set()
    for study, series in sampled():
        i = series.size - 1
        ds = read(files_of(study, series)(i))
        kinds.add(series.kind)
        assert (ds.PatientID, ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID) == (
            study.patient_id, study.uid, series.uid, series.sop(i))
        assert ds.file_meta.MediaStorageSOPInstanceUID == series.sop(i)
        assert (ds.Modality, ds.SOPClassUID) == (series.kind, CLASSES[series.kind])
        assert (ds.StudyDate, ds.SeriesNumber, ds.InstanceNumber) == (
            study.date, series.number, i + 1)
        named = {e.value for e in ds.iterall() if e.keyword == "ReferencedSOPInstanceUID"}
        whole = series.kind in ("RTSTRUCT", "REG")
        wanted = {a.sop(k) for a in series.about for k in range(a.size if whole else 1)}
        assert wanted <= named
        sequences = {bool(e.is_undefined_length) for e in ds.iterall() if e.VR == "SQ"}
        assert sequences <= {encoding(study)[1]}
    assert kinds == set(CLASSES)


def test_records_of_a_cohort_are_what_reading_its_files_gives(tmp_path: Path) -> None:
    path = tmp_path / "file.dcm"
    for study, series in sampled(each=2):
        i = series.size - 1
        data = files_of(study, series)(i)
        path.write_bytes(data)
        made = records.of_series(
            study, series, patient_key(KEY, "", study.patient_id, study.uid))[i]
        read_back = parse(replace(made.file, location=str(path), size=len(data)), Plan(KEY))
        assert isinstance(read_back, Instance)
        assert len(made.digest) == len(read_back.digest)
        for f in fields(Instance):
            if f.name not in ("file", "digest", "values", "variant"):
                assert getattr(made, f.name) == getattr(read_back, f.name), (series.kind, f.name)
        made_up, found = (o.variant.split("|") for o in (made, read_back))
        assert made_up[1:3] + made_up[4:] == found[1:3] + found[4:]  # the third is of the key
        read_back.values["Instance"]["variant"] = made_up[0]
        assert stated(made) == stated(read_back), series.kind
        assert (made.file.path, made.file.size) == (
            f"data:{study.patient_id}/{study.uid}/{series.uid}/{files.file_name(i)}", len(data))


def stated(o: Instance) -> dict[str, dict[str, Any]]:
    """Return the values that there are, by label."""
    return {label: {n: v for n, v in values.items() if v is not None}
            for label, values in o.values.items()}


def test_records_are_as_many_as_files_and_share_what_is_equal() -> None:
    totals = Totals.of_files(2_000)
    made = list(records.records(totals, KEY))
    assert sum(map(len, made)) == totals.instances
    assert len({o.sop_uid for part in made for o in part}) == totals.instances
    for part in made:
        assert len({id(o.values["Series"]) for o in part}) == 1


def test_a_cohort_on_disk_is_written_once_with_the_same_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    totals = Totals.of_files(300)
    assert files.write(tmp_path / "a", totals) == 300
    assert files.write(tmp_path / "b", totals) == 300
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    victim = next((tmp_path / "a").rglob("*.dcm"))
    victim.unlink()
    files.write(tmp_path / "a", totals)  # what is there already is left as it is
    assert not victim.exists()


def tree(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in folder.rglob("*.dcm")}


# --- figures -------------------------------------------------------------------------------------

def test_a_missed_gate_and_a_fallback_are_named() -> None:
    slow = scan.Column("CT", [], ours=[100.0, 110.0], theirs=[900.0, 880.0])
    fast = scan.Column("REG defined", [], ours=[10.0], theirs=[100.0])
    last = {"CT": 9.0, "REG defined": 13.0}
    assert scan.missed([slow, fast], Counter({"unknown VR": 2}), last) == [
        "CT: 8.5 times less than pydicom, gate 10",
        "REG defined: 10.0 times less than pydicom, 13.0 in the run before",
        "2 clean files left to pydicom: unknown VR"]


def test_mix_of_a_clinic_is_whole_and_needs_every_column() -> None:
    assert sum(scan.MIX.values()) == pytest.approx(1)
    all_of_it = [scan.Column(name, [], ours=[100.0]) for name in scan.MIX]
    assert scan.mix_us(all_of_it) == pytest.approx(100)
    assert scan.mix_us(all_of_it[1:]) is None


def test_columns_of_the_gates_are_in_the_corpus() -> None:
    names = {m.column for m in islice(corpus.corpus(TINY), 60)}
    assert {*scan.GATES, *scan.MIX} <= names


def test_the_page_shows_the_newest_of_each_kind(tmp_path: Path) -> None:
    lines = tmp_path / "lines.jsonl"
    for value in (1, 2):
        results.keep("scan", "Reading", [{"files": "CT", "us": value}], ["a note"], lines)
    assert results.newest("scan", lines) == [{"files": "CT", "us": 2}]
    assert results.newest("store", lines) == []
    shown = results.page(results.measured(lines))
    assert "| CT | 2 |" in shown
    assert "| CT | 1 |" not in shown
    assert "- a note" in shown
    assert pydicom.__version__ in shown


TELLS = """\
import sys, time
for phase, queued, retries in ("read", 100, 0), ("read", 300, 2), ("derive", 0, 2):
    print('{"phase": "%s", "queued": %d, "retries": %d}' % (phase, queued, retries),
          file=sys.stderr, flush=True)
    time.sleep(0.3)
print("Run 1 · done\\n  files 4: 4 indexed")
"""


def test_a_command_is_watched_and_what_it_tells_is_noted(tmp_path: Path) -> None:
    ran = ingest.run([sys.executable, "-c", TELLS], dict(os.environ), tmp_path)
    assert ran.seconds > 0.9
    assert ran.client_cpu > 0
    assert ran.watch.parent_mb > 0
    assert ran.phases["read"] < ran.phases["derive"]
    assert ingest.row_of("first", 4, ran)["client us"] == round(ran.client_cpu / 4 * 1e6)
    where, end = ingest._notes("first", ran)
    assert "on average 200 objects waited for writers, 2 transactions repeated" in where
    assert end == "first: Run 1 · done · files 4: 4 indexed"


def test_a_command_that_fails_ends_the_measurement(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="ended with 5"):
        ingest.run([sys.executable, "-c", "raise SystemExit(5)"], dict(os.environ), tmp_path)

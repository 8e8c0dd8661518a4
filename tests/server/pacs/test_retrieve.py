"""Retrieval from a real archive: the same files and the same graph as from the folder."""

import csv
import io
import json
import signal
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from tests.command import Ended
from tests.conftest import DATA
from tests.data import peers
from tests.data.peers import Orthanc
from tests.server.conftest import Run, TestGraph
from tests.server.pacs.conftest import Project, real_files, until

# What depends on the file that an object is in, and what only an archive says.
OTHERWISE = ("file_path", "file_size", "file_mtime", "header_digest", "expected_n_series",
             "expected_n_instances")
WAYS = ["move", "get", "DICOMweb"]


@pytest.fixture(scope="module")
def filled(archive: Orthanc, cohort: list[Path]) -> Orthanc:
    archive.add(*cohort)
    return archive


@pytest.fixture
def project(graph: TestGraph, filled: Orthanc, folder: Path, run: Run) -> Project:
    return Project(graph, filled, run)


def patients(folder: Path, ids: Sequence[str]) -> str:
    file = folder / "patients.csv"
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["name", "MRN"], *([f"x{i}", p] for i, p in enumerate(ids))])
    return str(file)


@cache
def header(file: Path) -> Dataset:
    """Read a file of the cohort, which does not change."""
    return dcmread(file, stop_before_pixels=True)


def ids_of(files: Sequence[Path]) -> list[str]:
    return sorted({str(header(f).PatientID) for f in files})


def rows(ran: Ended) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(ran.stdout)))


def count(graph: TestGraph, label: str = "Instance") -> int:
    return int(graph.one(f"MATCH (n:{label}) WHERE NOT n:Missing RETURN count(n) AS n"))


def by_uid(files: Sequence[Path]) -> dict[str, Dataset]:
    read = [dcmread(f, force=True) for f in files]
    for ds in read:
        ds.pop(0xFFFCFFFC, None)  # padding at the end is no part of the object (PS3.10 7.2)
    return {str(ds.SOPInstanceUID): ds for ds in read}


# --- the same as the folder ----------------------------------------------------------------------

@pytest.mark.parametrize("way", WAYS)
def test_files_and_graph_are_those_of_the_folder(
    project: Project, cohort: list[Path], way: str
) -> None:
    ran = project.over(way, "--patients", patients(project.folder, ids_of(cohort)),
                       "--column", "MRN", "-f", "csv")
    assert ran.code == 0, ran.stderr
    found = rows(ran)
    assert sum(int(r["announced"]) for r in found) == len(cohort)
    assert all(r["announced"] == r["received"] == r["in_graph"] for r in found)
    assert {r["missing"] for r in found} == {"0"}
    assert by_uid(project.files()) == by_uid(cohort)
    graph = project.graph
    (run,) = graph.read(
        "MATCH (r:RetrieveRun) RETURN r.state AS state, r.archive AS archive, "
        "r.n_announced AS announced, r.n_received AS received, r.n_failed AS failed")
    assert run == {"state": "DONE", "archive": "web" if way == "DICOMweb" else "clinic",
                   "announced": len(cohort), "received": len(cohort), "failed": 0}
    assert graph.one("MATCH (:RetrieveRun)-[r:REQUESTED]->(s:Series) "
                     "RETURN sum(r.received) AS n") == len(cohort)
    assert graph.one("MATCH (:RetrieveRun)-[r:REQUESTED]->(t:Study) "
                     "RETURN sum(r.announced) AS n") == len(cohort)
    assert graph.read("MATCH (n) WHERE n.in_archive RETURN n") == []
    assert graph.read("MATCH (s:Series) WHERE NOT s:Missing AND s.expected_n_instances <> "
                      "s.n_instances RETURN s") == []
    received = without_runs(graph)
    graph.wipe()
    graph.ingest(cohort[0].parents[2])
    assert differing(without_runs(graph), received) == []


def without_runs(graph: TestGraph, *more: str) -> tuple[list[str], list[str]]:
    graph.write("MATCH (r:RetrieveRun) DETACH DELETE r")
    return graph.content((*OTHERWISE, *more))


def differing(a: tuple[list[str], list[str]], b: tuple[list[str], list[str]]) -> list[str]:
    """What only one of two graphs has."""
    return sorted(set(a[0]) ^ set(b[0])) + sorted(set(a[1]) ^ set(b[1]))


@pytest.fixture(scope="module")
def real() -> dict[Path, Dataset]:
    """All real files, and what is in them."""
    return {f: ds for f in real_files() for ds in by_uid([f]).values()}


@pytest.mark.skipif(not DATA.is_dir(), reason="no folder of real files beside the repository")
@pytest.mark.parametrize("way", WAYS)
def test_real_objects(
    project: Project, real: dict[Path, Dataset], tmp_path_factory: pytest.TempPathFactory, way: str
) -> None:
    # C-GET is a matter of classes that both sides know: this archive is older than label maps. By
    # WADO-RS it gives files as it got them, those without a file header (PS3.10 7.1), too.
    files = [f for f in real if (way != "get" or "labelmap" not in f.name)
             and (way != "DICOMweb" or f.read_bytes()[128:132] == b"DICM")]
    with peers.orthanc(tmp_path_factory.mktemp("real")) as archive:
        archive.add(*files)
        project.archive = archive
        archive.knows("rtgraph", "RTGRAPH", project.port)
        project.settings("")
        truth = {str(real[f].SOPInstanceUID): real[f] for f in files}
        studies = sorted({str(ds.StudyInstanceUID) for ds in truth.values()})
        ran = project.over(way, *(w for uid in studies for w in ("--study", uid)))
        assert ran.code == 0, ran.stderr
    assert by_uid(project.files()) == truth
    received = without_runs(project.graph, "transfer_syntax")  # not known without a file header
    project.graph.wipe()
    project.graph.ingest(*files)
    assert differing(without_runs(project.graph, "transfer_syntax"), received) == []


# --- what is asked for ---------------------------------------------------------------------------

def of(cohort: list[Path], modality: str) -> list[Dataset]:
    return [ds for ds in map(header, cohort) if ds.Modality == modality]


@pytest.mark.parametrize("way", WAYS)
def test_one_series_and_one_object(project: Project, cohort: list[Path], way: str) -> None:
    plan, image = of(cohort, "RTPLAN")[0], of(cohort, "CT")[3]
    ran = project.over(way, "--series", str(plan.SeriesInstanceUID), "--instance",
                       str(image.SOPInstanceUID))
    assert ran.code == 0, ran.stderr
    in_series = [ds for ds in of(cohort, "RTPLAN")
                 if ds.SeriesInstanceUID == plan.SeriesInstanceUID]
    assert sorted(by_uid(project.files())) == sorted(
        [*(str(ds.SOPInstanceUID) for ds in in_series), str(image.SOPInstanceUID)])


def test_modalities_and_dates(project: Project, cohort: list[Path]) -> None:
    listed = patients(project.folder, ids_of(cohort))
    ran = project.run("-n", "clinic", "--patients", listed, "--column", "MRN", "--modality",
                      "RTPLAN", "--modality", "RTSTRUCT")
    assert ran.code == 0, ran.stderr
    assert {ds.Modality for ds in by_uid(project.files()).values()} == {"RTPLAN", "RTSTRUCT"}
    n = len(project.files())
    assert n == len(of(cohort, "RTPLAN")) + len(of(cohort, "RTSTRUCT"))
    date = str(of(cohort, "CT")[0].StudyDate)
    ran = project.run("-n", "clinic", "--patients", listed, "--column", "MRN", "--date",
                      f"{date}..{date}", "--exclude-modality", "RTRECORD", "-f", "csv")
    assert ran.code == 0, ran.stderr
    assert {str(ds.StudyDate) for ds in by_uid(project.files()[n:]).values()} >= {date}
    assert {r["modality"] for r in rows(ran)} & {"RTRECORD"} == set()


def test_a_dry_run_fetches_nothing(project: Project, cohort: list[Path]) -> None:
    ran = project.run("-n", "clinic", "--patients", patients(project.folder, ids_of(cohort)),
                      "--column", "MRN", "--dry-run", "-f", "json")
    assert ran.code == 0, ran.stderr
    assert sum(r["announced"] for r in json.loads(ran.stdout)["rows"]) == len(cohort)
    assert f"{len(cohort):,} would be fetched" in ran.stderr
    assert not project.received.exists()
    assert project.graph.read("MATCH (n:RetrieveRun) RETURN n") == []


def test_what_is_there_is_not_fetched_again(project: Project, cohort: list[Path]) -> None:
    study = str(of(cohort, "RTPLAN")[0].StudyInstanceUID)
    first = project.run("-n", "clinic", "--study", study, "-f", "csv")
    assert first.code == 0
    content = project.graph.content()
    again = project.run("-n", "clinic", "-n", "web", "--study", study, "-f", "csv")
    assert again.code == 0
    assert {r["received"] for r in rows(again)} == {"0"}
    assert sum(int(r["there"]) for r in rows(again)) == 2 * sum(
        int(r["received"]) for r in rows(first))
    assert project.graph.content() == content


def test_the_rest_of_a_series_that_was_begun(project: Project, cohort: list[Path]) -> None:
    series = Counter(str(ds.SeriesInstanceUID) for ds in of(cohort, "CT")).most_common()[0][0]
    slices = [f for f in cohort if str(header(f).SeriesInstanceUID) == series]
    project.graph.ingest(*slices[:5])
    ran = project.run("-n", "clinic", "--series", series, "-f", "csv")
    assert ran.code == 0, ran.stderr
    (row,) = rows(ran)
    assert (row["there"], row["received"]) == ("5", str(len(slices) - 5))
    assert len(project.files()) == len(slices) - 5


def test_a_cohort(project: Project, cohort: list[Path]) -> None:
    plan, dose = of(cohort, "RTPLAN")[0], of(cohort, "RTDOSE")[0]
    project.graph.ingest(*[f for f in cohort
                           if header(f).SOPInstanceUID == plan.SOPInstanceUID])
    project.graph.write(
        "MATCH (i:Instance {SOPInstanceUID: $plan}) CREATE (c:Cohort {name: 'mine'}) "
        "CREATE (c)-[:HAS_MEMBER]->(i) CREATE (c)-[:HAS_MEMBER]->(:Series:Missing "
        "{SeriesInstanceUID: $dose, in_archive: true, dirty: true})",
        plan=str(plan.SOPInstanceUID), dose=str(dose.SeriesInstanceUID))
    ran = project.run("-n", "clinic", "--cohort", "mine", "-f", "csv")
    assert ran.code == 0, ran.stderr
    assert sorted((r["series"], r["there"]) for r in rows(ran)) == sorted([
        (str(plan.SeriesInstanceUID), "1"), (str(dose.SeriesInstanceUID), "0")])
    project.graph.write("MATCH (c:Cohort) DETACH DELETE c")


# --- what is referred to and absent --------------------------------------------------------------

MISSING = """\
MATCH (b:Missing)<-[:REFERENCES]-() WHERE b:Instance RETURN DISTINCT b.SOPInstanceUID AS uid"""


@pytest.mark.parametrize("way", WAYS)
def test_missing_targets_are_fetched_and_what_they_refer_to(
    project: Project, cohort: list[Path], way: str
) -> None:
    first = [f for f in cohort if "patient-1" in f.as_posix()]
    dose = next(f for f in first if header(f).Modality == "RTDOSE")
    project.graph.ingest(dose)
    dangling = {r["uid"] for r in project.graph.read(MISSING)}
    held = {str(header(f).SOPInstanceUID) for f in cohort}
    assert dangling & held
    one = project.over(way, "--missing", "--max-depth", "1", "-f", "csv")
    assert {r["uid"] for r in project.graph.read(MISSING)} & dangling & held == set()
    assert set(by_uid(project.files())) == dangling & held
    assert one.code == (1 if dangling - held else 0)
    project.over(way, "--missing", "--max-depth", "5")
    assert {r["uid"] for r in project.graph.read(MISSING)} & held == set()
    modalities = {ds.Modality for ds in by_uid(project.files()).values()}
    assert {"RTPLAN", "RTSTRUCT", "CT"} <= modalities
    # nothing but what is referred to
    assert len(project.files()) < len(first)


def test_a_limit_of_objects(project: Project, cohort: list[Path]) -> None:
    dose = next(f for f in cohort if header(f).Modality == "RTDOSE")
    project.graph.ingest(dose)
    ran = project.run("-n", "clinic", "--missing", "--max-depth", "9", "--max-instances", "3")
    assert 0 < len(project.files()) <= 3
    assert "--max-instances is reached" in ran.stderr


# --- keep ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("way", WAYS)
def test_keep_header_then_none_then_full(
    project: Project, cohort: list[Path], way: str
) -> None:
    image = of(cohort, "CT")[0]
    study = ["--instance", str(image.SOPInstanceUID)]
    kept = "MATCH (i:Instance) WHERE NOT i:Missing RETURN i.kept AS kept"
    assert project.over(way, *study, "--keep", "header").code == 0
    (file,) = project.files()
    assert "PixelData" not in dcmread(file)
    assert project.graph.one(kept) == "HEADER"
    enough = project.over(way, *study, "--keep", "none", "-f", "csv")
    assert [r["there"] for r in rows(enough)] == ["1"]
    full = project.over(way, *study, "--keep", "full", "-f", "csv")
    assert [r["received"] for r in rows(full)] == ["1"]
    (file,) = project.files()
    assert "PixelData" in dcmread(file)
    assert project.graph.one(kept) is None


def test_keep_none_leaves_a_graph_and_no_file(project: Project, cohort: list[Path]) -> None:
    study = str(of(cohort, "RTPLAN")[0].StudyInstanceUID)
    ran = project.run("-n", "clinic", "--study", study, "--keep", "none", "-f", "csv")
    assert ran.code == 0, ran.stderr
    assert project.files() == []
    n = sum(int(r["received"]) for r in rows(ran))
    assert n == count(project.graph) > 0
    assert project.graph.read("MATCH (i:Instance) WHERE NOT i:Missing "
                              "RETURN DISTINCT i.kept AS kept") == [{"kept": "NONE"}]


@pytest.mark.parametrize("keep", ["header", "none"])
def test_an_export_says_what_was_not_kept(
    project: Project, cohort: list[Path], keep: str
) -> None:
    ids = sorted(ids_of(cohort))[:1]
    ran = project.run("-n", "clinic", "--patients", patients(project.folder, ids), "--column",
                      "MRN", "--keep", keep)
    assert ran.code == 0, ran.stderr
    done = project.rtgraph("preprocess", "export", "--preset", "nifti", "--query",
                           "complete-chains", "-o", "arrays", "-j", "1")
    skipped = (project.folder / "arrays/skipped.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert skipped
    assert all("HEADER_ONLY" in line for line in skipped), skipped
    assert done.code != 0
    assert not list(project.folder.rglob("*.nii.gz"))


# --- interrupted and gone on with ----------------------------------------------------------------

@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["kill -9", "stopped"])
def test_what_was_interrupted_is_finished_by_the_next_run(
    project: Project, cohort: list[Path], how: signal.Signals
) -> None:
    words = ("-n", "clinic", "--patients", patients(project.folder, ids_of(cohort)), "--column",
             "MRN", "--max-associations", "1", "--pause", "0.3")
    process = project.begun(*words)
    try:
        until(lambda: len(project.files()) > 20, 120)
        process.send_signal(how)
        _, err = process.communicate(timeout=120)
    finally:
        process.kill()
    began = len(project.files())
    assert began < len(cohort)
    if how == signal.SIGTERM:
        assert process.returncode == 130, err
        assert count(project.graph) == began
        assert project.graph.one("MATCH (r:RetrieveRun) RETURN r.state AS s") == "INTERRUPTED"
    times = {p: p.stat().st_mtime_ns for p in project.files()}
    ran = project.run(*words[:-4])
    assert ran.code == 0, ran.stderr
    assert count(project.graph) == len(cohort) == len(project.files())
    assert {p: p.stat().st_mtime_ns for p in times} == times  # none came a second time
    states = sorted(r["s"] for r in project.graph.read(
        "MATCH (r:RetrieveRun) RETURN r.state AS s"))
    assert states == ["DONE", "KILLED" if how == signal.SIGKILL else "INTERRUPTED"]

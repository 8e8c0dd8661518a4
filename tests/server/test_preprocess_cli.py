"""The commands preprocess and compare, and `graph.case`, against a real graph."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import dcmread
from typer.testing import CliRunner, Result

import rtgraph
from rtgraph.cli.app import app
from rtgraph.errors import UnknownName, UsageError
from rtgraph.preprocess.contours import read_structures
from rtgraph.preprocess.refusals import Refused
from tests.data import planned, solids
from tests.server.conftest import TestGraph

pytestmark = pytest.mark.server


def run(graph: TestGraph, *words: str) -> Result:
    return CliRunner().invoke(app, list(words), env=graph.server.environment)


@pytest.fixture
def chain(graph: TestGraph, tmp_path: Path) -> dict[str, object]:
    objects = planned.chain("PAT-A")
    planned.write(objects, tmp_path / "in")
    graph.ingest(tmp_path / "in")
    return objects


def test_export(graph: TestGraph, chain: dict[str, object], tmp_path: Path) -> None:
    dry = run(graph, "preprocess", "export", "--preset", "nifti", "--dry-run")
    assert dry.exit_code == 0
    (case,) = json.loads(dry.stdout)["cases"]
    assert (case["dose_decision"], case["refused"]) == ("PLAN_DOSE", None)
    out = str(tmp_path / "out")
    words = ("preprocess", "export", "--preset", "npz", "--only", "masks,dvh", "-o", out, "-j", "1")
    first, again = run(graph, *words), run(graph, *words)
    assert first.exit_code == again.exit_code == 0, first.output
    assert "1 written (0 kept), 0 skipped, 0 failed" in first.output
    assert "1 written (1 kept)" in again.output
    with np.load(Path(out) / f"{case['case']}.npz") as held:
        assert "masks" in held
        assert "image" not in held
        assert "dose" not in held
    assert "PAT-A" not in first.output
    one = run(graph, *words[:-3], str(tmp_path / "one"), "-j", "1", "--patient", "PAT-A")
    assert one.exit_code == 0
    config = tmp_path / "own.toml"
    config.write_text("format = 'npz'\n[masks]\nrequired = ['Heart']\nrois = ['Heart']\n")
    bad = run(graph, "preprocess", "export", "--config", str(config), "-o",
              str(tmp_path / "bad"), "-j", "1")
    assert bad.exit_code == 1
    assert "0 written (0 kept), 1 skipped" in bad.output


def test_cohorts_and_queries_choose_cases(graph: TestGraph, tmp_path: Path) -> None:
    chains = {p: planned.chain(p) for p in ("PAT-A", "PAT-B")}
    chains["PAT-B"]["plan"].RTPlanLabel = "OTHER"
    for patient, objects in chains.items():
        planned.write(objects, tmp_path / "in" / patient)
    graph.ingest(tmp_path / "in")
    wanted = {name: str(chains[p]["plan"].SOPInstanceUID) for name, p in (
        ("instance", "PAT-A"), ("series", "PAT-B"), ("patient", "PAT-B"))}
    saved = {
        "instance": ("--level", "instance", "--find", f"SOPInstanceUID={_dose(chains['PAT-A'])}"),
        "series": ("--level", "series", "--find",
                   f"SeriesInstanceUID={chains['PAT-B']['ct'][0].SeriesInstanceUID}"),
        "patient": ("--find", "RTPlanLabel=OTHER"),
    }
    for name, words in saved.items():
        assert run(graph, "cohort", "save", name, *words).exit_code == 0
        dry = run(graph, "preprocess", "export", "--preset", "npz", "--dry-run", "--cohort", name)
        assert [c["plans"] for c in json.loads(dry.stdout)["cases"]] == [[wanted[name]]], name
    queried = run(graph, "preprocess", "export", "--preset", "npz", "--dry-run", "--query",
                  "plans-by-approval", "-p", "status=APPROVED")
    assert sorted(c["plans"] for c in json.loads(queried.stdout)["cases"]) == sorted(
        [str(c["plan"].SOPInstanceUID)] for c in chains.values())
    out = tmp_path / "out"
    made = run(graph, "preprocess", "export", "--preset", "npz", "--cohort", "patient", "-o",
               str(out), "-j", "1")
    assert made.exit_code == 0, made.output
    assert graph.read("MATCH (:ExportRun {state: 'DONE'})-[:OF_COHORT]->(c:Cohort) "
                      "RETURN c.name AS name") == [{"name": "patient"}]
    (cohort,) = graph.read("MATCH (c:Cohort {name: 'patient'}) RETURN c.member_digest AS digest")
    card = (out / "datacard.md").read_text()
    assert "Cohort: patient, 1 members of level patient of the query find, saved 20" in card
    assert cohort["digest"] in card
    unknown = run(graph, "preprocess", "export", "--preset", "npz", "--dry-run", "--cohort", "no")
    assert isinstance(unknown.exception, UnknownName)


def _dose(chain: dict[str, Any]) -> str:
    return str(chain["dose"].SOPInstanceUID)


WRONG = [
    # name           words, message
    ("neither",      (),                                "--preset or --config"),
    ("no folder",    ("--preset", "nifti"),             "Where do the files"),
    ("no preset",    ("--preset", "nift", "--dry-run"), "nift"),
    ("two sources",  ("--preset", "nifti", "--dry-run", "--patient", "x", "--query", "y"),
     "exclude each other"),
    ("no query",     ("--preset", "nifti", "--dry-run", "-p", "a=b"),        "there is none"),
    ("unknown part", ("--preset", "nifti", "--dry-run", "--only", "mask"),   "parts"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "message"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_mistakes(graph: TestGraph, words: tuple[str, ...], message: str) -> None:
    found = run(graph, "preprocess", "export", *words)
    assert isinstance(found.exception, UsageError)
    assert message in str(found.exception)


def test_names_are_decided_by_people_and_stay_decided(
    graph: TestGraph, chain: dict[str, object], tmp_path: Path
) -> None:
    queue = run(graph, "preprocess", "names")
    rows = list(csv.DictReader(io.StringIO(queue.stdout)))
    row = next(r for r in rows if r["raw_name"] == "par re")
    assert (row["n_rois"], row["decision"]) == ("1", "")
    assert "Parotid_L" not in {r["raw_name"] for r in rows}
    reviewed = tmp_path / "reviewed.csv"
    reviewed.write_text("raw_name,decision\npar re,Parotid_R\nGTVp,\nnobody,Heart\n")
    done = run(graph, "preprocess", "names", "--apply", str(reviewed), "--reviewer", "MB")
    assert done.exit_code == 0, done.output
    assert "1 names decided\n1 names of the table are those of no ROI yet\n" in done.stderr
    statement = ("MATCH (r:ROI {ROIName: 'par re'})-[e:NAMED_AS]->(n) "
                 "RETURN n.name AS name, e.reviewer AS reviewer, e.method AS method")
    assert graph.read(statement) == [
        {"name": "Parotid_R", "reviewer": "MB", "method": "SYNONYM"}]
    assert run(graph, "derive").exit_code == 0
    assert graph.read(statement)[0]["reviewer"] == "MB"
    config = tmp_path / "own.toml"
    config.write_text("format = 'nifti'\nparts = ['masks']\n[masks]\nrois = ['Parotid_R']\n")
    made = run(graph, "preprocess", "export", "--config", str(config), "-o", str(tmp_path / "out"),
               "-j", "1")
    assert made.exit_code == 0, made.output
    assert [p.name for p in (tmp_path / "out").rglob("masks/*")] == ["parotid_r-4.nii.gz"]
    graph.ingest(tmp_path / "in", full=True)
    planned.write(planned.chain("PAT-B"), tmp_path / "later")
    graph.ingest(tmp_path / "later")
    assert [row["reviewer"] for row in graph.read(statement)] == ["MB", "MB"]
    assert graph.read("MATCH (d:NameDecision) RETURN d.name AS raw, d.standard AS standard "
                      "ORDER BY raw") == [{"raw": "nobody", "standard": "Heart"},
                                          {"raw": "par re", "standard": "Parotid_R"}]
    rest = csv.DictReader(io.StringIO(run(graph, "preprocess", "names").stdout))
    assert "par re" not in {r["raw_name"] for r in rest}
    reviewed.write_text("raw_name,decision\npar re,Parotis\n")
    bad = run(graph, "preprocess", "names", "--apply", str(reviewed), "--reviewer", "MB")
    assert isinstance(bad.exception, UnknownName)


def test_rtstruct(graph: TestGraph, chain: dict[str, object], tmp_path: Path) -> None:
    folder = tmp_path / "ct"
    planned.write({"ct": chain["ct"]}, folder)
    labels = np.zeros((16, 36, 40), np.uint8)
    labels[4:9, 5:12, 6:20] = 1
    labels[7:9, 20:30, 6:20] = 2
    image = sitk.GetImageFromArray(labels)
    image.SetOrigin((-39.3, -45.1, -20.7))
    image.SetSpacing((2.0, 2.5, 3.0))
    sitk.WriteImage(image, str(tmp_path / "labels.nii.gz"))
    (tmp_path / "labels.json").write_text('{"background": 0, "Heart": 1, "Liver": 2}')
    out = tmp_path / "rs.dcm"
    words = ("preprocess", "rtstruct", "--images", str(folder), "--labels",
             str(tmp_path / "labels.nii.gz"), "--names", str(tmp_path / "labels.json"),
             "-o", str(out))
    assert run(graph, *words).exit_code == 0
    assert [r.name for r in read_structures(dcmread(out)).rois] == ["Heart", "Liver"]
    assert run(graph, *words).exception is not None
    graph.ingest(out)
    validated = run(graph, "validate", "--store", "--fail-on", "error")
    assert graph.read("MATCH (v:ValidationRun) RETURN count(v) AS n") == [{"n": 1}], (
        validated.output)
    assert graph.read("MATCH (i:Issue {severity: 'ERROR'}) WHERE i.subject STARTS WITH $uid "
                      "RETURN i.rule AS rule", uid=str(dcmread(out).SOPInstanceUID)) == []


def test_compare(graph: TestGraph, chain: dict[str, object], tmp_path: Path) -> None:
    plan = planned.chain("PAT-A")["plan"]
    plan.BeamSequence[1].BeamName = "<b>new</b>"
    plan.BeamSequence[0].ControlPointSequence[0].GantryAngle = "90.2"
    plan.SOPInstanceUID = plan.file_meta.MediaStorageSOPInstanceUID = solids.uid("changed")
    (path,) = solids.save([plan], tmp_path)
    stored = str(chain["plan"].SOPInstanceUID)  # type: ignore[attr-defined]
    found = run(graph, "compare", stored, path, "--ignore", "*UID", "--tolerance", "0.5")
    assert found.exit_code == 1
    assert found.stdout == "~ BeamSequence[BeamNumber=2].BeamName: hidden -> hidden\n"
    shown = run(graph, "compare", stored, path, "--ignore", "*UID", "--identifiers", "-f", "json")
    rows = json.loads(shown.stdout)["differences"]
    assert [(r["a"], r["b"]) for r in rows] == [("90", "90.2"), ("B2", "<b>new</b>")]
    page = run(graph, "compare", stored, path, "--identifiers", "-f", "html").stdout
    assert "&lt;b&gt;new" in page
    assert "<b>" not in page
    assert run(graph, "compare", stored, stored).exit_code == 0
    assert isinstance(run(graph, "compare", stored, "1.2.3").exception, UsageError)


def test_a_case_in_python(graph: TestGraph, chain: dict[str, object], tmp_path: Path,
                          monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in graph.server.environment.items():
        monkeypatch.setenv(name, value)
    with rtgraph.connect() as connected:
        case = connected.case(str(chain["plan"].SOPInstanceUID))  # type: ignore[attr-defined]
        with pytest.raises(UsageError):
            connected.case("1.2.3")
    assert case.image.GetSize() == (40, 36, 16)
    assert case.dose.GetSize() == (40, 36, 16)
    assert list(case.masks) == ["External", "GTVp", "Parotid_L", "par re"]
    gtv = sitk.GetArrayFromImage(case.masks["GTVp"])
    truth = solids.truth(planned.contours(9.0, (35.3, 41.2)), planned.layout("any"))
    assert np.array_equal(gtv, truth)
    assert case.dvh("GTVp").covered == pytest.approx(1.0)
    pictures = case.show("GTVp", n_slices=2)
    assert pictures.array.shape[1:] == (80, 3)
    assert pictures.png().startswith(b"\x89PNG")
    assert "data:image/png" in pictures._repr_html_()
    with pytest.raises(UnknownName):
        case.masks["Heart"]
    for file in (tmp_path / "in").glob("RTDOSE*"):
        file.unlink()
    with rtgraph.connect() as connected:
        without = connected.case(str(chain["plan"].SOPInstanceUID))  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="FILE_MISSING"):
        _ = without.dose


def test_an_rt_image_in_python(graph: TestGraph, tmp_path: Path,
                               monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.unit.test_rt_image import image

    ds = image(XRayImageReceptorTranslation=[3, -6, -500])
    solids.save([ds], tmp_path / "in")
    graph.ingest(tmp_path / "in")
    for name, value in graph.server.environment.items():
        monkeypatch.setenv(name, value)
    with rtgraph.connect() as connected:
        plane = connected.rt_image(str(ds.SOPInstanceUID))
        with pytest.raises(UsageError, match="no object of this UID"):
            connected.rt_image("1.2.3")
    assert plane.at_isocentre([(511.5, 383.5)])[0] == pytest.approx((2, -4))
    assert (plane.uid, plane.assumed) == (str(ds.SOPInstanceUID), ())

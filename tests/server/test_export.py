"""Exports from a real graph: arrays against formulas, resume, lineage, what is refused, formats."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import dcmread

from rtgraph.api import run_query
from rtgraph.errors import UsageError
from rtgraph.preprocess.cases import select
from rtgraph.preprocess.export import Report, export
from rtgraph.preprocess.planning import plan_case
from rtgraph.preprocess.settings import Settings, preset_text, read_settings
from tests.data import planned, solids
from tests.server.conftest import TestGraph
from tests.server.exports import PLAIN, cases_of, content, decided, exported, ingested

pytestmark = pytest.mark.server


def test_arrays_are_those_of_the_formulas(graph: TestGraph, tmp_path: Path) -> None:
    chains = ingested(graph, tmp_path / "in", "PAT-A", "PAT-B")
    out = tmp_path / "out"
    report = exported(graph, out)
    assert [e.state for e in report.entries] == ["WRITTEN", "WRITTEN"]
    assert report.exit_code == 0
    by_plan = {e.record["plans"][0]: e for e in report.entries}
    for objects in chains.values():
        entry = by_plan[str(objects["plan"].SOPInstanceUID)]
        case = out / entry.case_id
        image = sitk.ReadImage(str(case / "image.nii.gz"))
        slices = sorted(objects["ct"], key=lambda d: float(d.ImagePositionPatient[2]))
        truth = np.stack([d.pixel_array - 1024 for d in slices])
        assert np.array_equal(sitk.GetArrayFromImage(image), truth)
        assert image.GetOrigin() == pytest.approx((-39.3, -45.1, -20.7), abs=1e-4)
        assert image.GetSpacing() == pytest.approx((2.0, 2.5, 3.0))
        dose = sitk.GetArrayFromImage(sitk.ReadImage(str(case / "dose.nii.gz")))
        covered = sitk.GetArrayFromImage(sitk.ReadImage(str(case / "dose_coverage.nii.gz"))) > 0
        where = np.array([image.TransformIndexToPhysicalPoint(tuple(map(int, i[::-1])))
                          for i in np.argwhere(covered)])
        assert covered.mean() > 0.8
        assert np.abs(dose[covered] - planned.dose_gy(where)).max() < planned.SCALING
        assert not dose[~covered].any()
        rois = {r["name"]: r for r in entry.record["rois"]}
        names = {"External": "external-1", "GTVp": "gtvp-2", "Parotid_L": "parotid_l-3",
                 "par re": "par_re-4"}
        for name, (_, radius, at) in {n: (t, r, a) for n, t, r, a in planned.ROIS}.items():
            mask = sitk.GetArrayFromImage(
                sitk.ReadImage(str(case / "masks" / f"{names[name]}.nii.gz")))
            assert np.array_equal(mask, solids.truth(
                planned.contours(radius, at), planned.layout("any")))
            volume = 10 * 3 * 45 * radius**2 * np.sin(np.pi / 45) / 1000
            assert rois[name]["facts"]["volume_cc"] == pytest.approx(volume, rel=1e-6)
            centre = planned.layout("any").patient([(*at, 3.0 * 7.5)])
            assert rois[name]["dvh"]["Dmean"] == pytest.approx(
                float(planned.dose_gy(centre)[0]), rel=2e-3)
        assert rois["par re"]["standard"] == ""
        assert json.loads((case / "beams.json").read_text())[1]["control_points"][1][
            "gantry_angle_deg"] == 180.0
    assert {"manifest.csv", "manifest.json", "dvh.csv", "datacard.md", "splits.json",
            "skipped.csv"} <= {p.name for p in out.iterdir()}


def test_curves_are_drawn_with_those_of_the_dose(graph: TestGraph, tmp_path: Path) -> None:
    """As the table has them; a stored curve is dashed, a name with markup is text."""
    chain = planned.chain("PAT-A")
    chain["structures"].StructureSetROISequence[2].ROIName = "Parotis <L> & \"x\""
    chain["dose"].DVHSequence = [solids.item(
        DVHType="CUMULATIVE", DoseUnits="GY", DVHDoseScaling="1", DVHVolumeUnits="CM3",
        DVHNumberOfBins=2, DVHData=["20", "7.5", "20", "2.5"], DVHReferencedROISequence=[
            solids.item(ReferencedROINumber=2, DVHROIContributionType="INCLUDED")])]
    planned.write(chain, tmp_path / "in")
    graph.ingest(tmp_path / "in")
    text = "format = 'npz'\nparts = ['dvh']\n"
    (entry,) = exported(graph, tmp_path / "out", text).entries
    assert entry.state == "WRITTEN", entry.reason
    svg = (tmp_path / "out" / "dvh" / f"{entry.case_id}.svg").read_text("utf-8")
    root = ElementTree.fromstring(svg)
    paths = {p.get("id"): str(p.get("d")) for p in root.iter("{http://www.w3.org/2000/svg}path")
             if p.get("id")}
    assert sorted(paths, key=str) == ["computed-1", "computed-2", "computed-3", "computed-4",
                                      "stored-2"]
    assert "Parotis <L> & \"x\"" in [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
    table = [line.split(",") for line in (
        tmp_path / "out" / "dvh" / f"{entry.case_id}.csv").read_text().splitlines()[1:]]
    rows = np.array([(d, v) for n, d, v in table if n == "2"], float)
    drawn = np.array([p.split() for p in paths["computed-2"][1:].split("L")], float)
    share = (drawn[:, 1].max() - drawn[:, 1]) / np.ptp(drawn[:, 1])
    dose = (drawn[:, 0] - drawn[:, 0].min()) / np.ptp(drawn[:, 0]) * rows[-1, 0]
    assert share == pytest.approx(np.interp(dose, rows[:, 0], rows[:, 1] / rows[0, 1]), abs=0.03)
    again = exported(graph, tmp_path / "again", text)
    assert content(tmp_path / "again") == content(tmp_path / "out")
    assert again.exit_code == 0
    assert "PAT-A" not in svg


STEPS = """\
format = 'nifti'
parts = ['image', 'masks', 'dvh']
[[masks.steps]]
step = 'largest-part'
rois = ['GTVp', 'par re']
[[masks.steps]]
step = 'grow'
mm = 4.0
rois = ['GTVp']
[[masks.steps]]
step = 'remove-small'
min_cc = 5000
rois = ['External']
"""


def test_masks_are_processed_by_declared_steps(graph: TestGraph, tmp_path: Path) -> None:
    """Those that steps name, and their DVH stays that of the contours."""
    chain = planned.chain("PAT-A")
    layout = planned.layout("PAT-A")
    island = solids.contour(layout, 12.0, solids.ring(2.6, 40, (10.3, 20.2)))
    chain["structures"].ROIContourSequence[1].ContourSequence.append(island)
    planned.write(chain, tmp_path / "in")
    graph.ingest(tmp_path / "in")
    out = tmp_path / "out"
    (entry,) = exported(graph, out, STEPS).entries
    assert entry.state == "WRITTEN", entry.reason
    masks = {m["name"]: m for m in entry.record["masks"]}
    assert sorted(masks) == ["GTVp", "Parotid_L", "par re"]
    assert "warning EMPTIED External by masks.steps" in entry.record["findings"]
    cylinder = solids.truth(planned.contours(9.0, (35.3, 41.2)), layout)
    index = np.argwhere(cylinder) * (3.0, 2.5, 2.0)
    every = np.argwhere(np.ones(cylinder.shape)) * (3.0, 2.5, 2.0)
    near = np.array([((index - p)**2).sum(axis=1).min() <= 16.0 + 1e-6 for p in every])
    file = sitk.ReadImage(str(out / entry.case_id / "masks" / "gtvp-2.nii.gz"))
    assert np.array_equal(sitk.GetArrayFromImage(file), near.reshape(cylinder.shape))
    first, second = masks["GTVp"]["steps"]
    assert (first["step"], second["step"], second["mm"]) == ("largest-part", "grow", 4.0)
    voxel = 2.0 * 2.5 * 3.0 / 1000
    assert first["volume_before_cc"] > cylinder.sum() * voxel
    assert first["volume_after_cc"] == pytest.approx(cylinder.sum() * voxel)
    assert second["volume_after_cc"] == pytest.approx(near.sum() * voxel)
    assert masks["Parotid_L"]["steps"] == []
    assert masks["par re"]["steps"][0]["voxels_before"] == masks["par re"]["voxels"]
    gtv = entry.record["rois"][1]
    assert gtv["facts"]["volume_voxels_cc"] == pytest.approx(first["volume_before_cc"])
    assert entry.record["steps"]["masks"][1] == {"step": "grow", "rois": ["GTVp"], "mm": 4.0}
    assert "processed by largest-part (GTVp, par re), grow (GTVp), remove-small (External)" in (
        (out / "datacard.md").read_text())
    (left,) = exported(graph, tmp_path / "required", STEPS.replace(
        "[[masks.steps]]", "[masks]\nrequired = ['External']\n[[masks.steps]]", 1)).entries
    assert (left.state, left.reason) == (
        "SKIPPED", "NO_CONTOURS: required: the steps leave nothing of External")


def test_nothing_identifies_the_patient(graph: TestGraph, tmp_path: Path) -> None:
    ingested(graph, tmp_path / "in", "PAT-A")
    exported(graph, tmp_path / "out")
    files = content(tmp_path / "out")
    assert len(files) > 12
    for name, data in files.items():
        if name.endswith(".gz"):
            import gzip

            data = gzip.decompress(data)
        for word in (b"Canary", b"PAT-A", str(tmp_path / "in").encode(), b"19500101"):
            assert word not in data, name
        assert "PAT-A" not in name


def test_a_second_run_keeps_every_case_and_every_byte(graph: TestGraph, tmp_path: Path) -> None:
    ingested(graph, tmp_path / "in", "PAT-A", "PAT-B")
    first = exported(graph, tmp_path / "out")
    files = content(tmp_path / "out")
    again = exported(graph, tmp_path / "out")
    assert (first.kept, again.kept) == (0, 2)
    assert content(tmp_path / "out") == files
    other = exported(graph, tmp_path / "other")
    assert other.kept == 0
    assert content(tmp_path / "other") == files
    victim = tmp_path / "out" / again.entries[0].case_id / "dose.nii.gz"
    victim.write_bytes(b"damaged")
    assert exported(graph, tmp_path / "out").kept == 1
    assert content(tmp_path / "out") == files


def test_a_leak_between_splits_is_found(graph: TestGraph, tmp_path: Path) -> None:
    ingested(graph, tmp_path / "in", "PAT-A", "PAT-B")
    exported(graph, tmp_path / "out", "format = 'npz'\nparts = ['image']\n")
    assert graph.run(run_query(graph.store, "samples-in-two-splits", {})) == []
    graph.write("MATCH (a:Sample)-[:MADE_FROM {purpose: 'IMAGE'}]->(e:Series), (b:Sample) "
                "WHERE a.case_id < b.case_id SET b.split = 'test' "
                "CREATE (b)-[:MADE_FROM {purpose: 'IMAGE'}]->(e)")
    rows = graph.run(run_query(graph.store, "samples-in-two-splits", {}))
    assert [(r["what"], sorted(r["splits"]), len(r["cases"])) for r in rows] == [
        ("PATIENT", ["test", "train"], 2), ("SERIES", ["test", "train"], 2)]


def test_lineage_says_what_a_sample_was_made_from(graph: TestGraph, tmp_path: Path) -> None:
    chain = ingested(graph, tmp_path / "in", "PAT-A")["PAT-A"]
    exported(graph, tmp_path / "out")
    uid = str(chain["structures"].SOPInstanceUID)
    (row,) = graph.run(run_query(graph.store, "samples-of-object", {"object": uid}))
    assert (row["state"], row["split"], row["purposes"]) == ("WRITTEN", "train", ["STRUCTURES"])
    (choice,) = graph.run(run_query(graph.store, "doses-rejected", {}))
    assert (choice["decision"], choice["chosen"], choice["weights"], choice["rejected"]) == (
        "PLAN_DOSE", [str(chain["dose"].SOPInstanceUID)], [1.0], [])
    assert graph.run(run_query(graph.store, "samples-to-remake", {})) == []
    assert graph.run(run_query(graph.store, "samples-in-two-splits", {})) == []
    (run,) = graph.read("MATCH (r:ExportRun) RETURN r.state AS state, r.counts AS counts")
    assert (run["state"], json.loads(run["counts"])) == (
        "DONE", {"FAILED": 0, "SKIPPED": 0, "WRITTEN": 1})
    chain["structures"].StructureSetLabel = "CORRECTED"
    planned.write(chain, tmp_path / "in" / "PAT-A")
    graph.ingest(tmp_path / "in")
    (row,) = graph.run(run_query(graph.store, "samples-to-remake", {}))
    assert (row["object"], row["why"], row["remade"]) == (uid, "CHANGED", False)
    (old,) = graph.run(run_query(graph.store, "exports-outdated", {}))
    assert (old["n_samples"], old["n_outdated"]) == (1, 1)
    assert exported(graph, tmp_path / "out").kept == 0
    (row,) = graph.run(run_query(graph.store, "samples-to-remake", {}))
    assert row["remade"] is True
    chain["ct"][3].SeriesDescription = "ANOTHER"
    planned.write(chain, tmp_path / "in" / "PAT-A")
    graph.ingest(tmp_path / "in")
    last = graph.run(run_query(graph.store, "samples-to-remake", {}))[-1]
    assert (last["object"], last["why"], last["remade"]) == (
        str(chain["ct"][3].SOPInstanceUID), "CHANGED", False)


def test_two_exports_are_compared_case_by_case(graph: TestGraph, tmp_path: Path) -> None:
    chains = ingested(graph, tmp_path / "in", "PAT-A", "PAT-B")
    plans = {p: str(chain["plan"].SOPInstanceUID) for p, chain in chains.items()}
    first = exported(graph, tmp_path / "one", plans=[plans["PAT-A"]])
    next((tmp_path / "in/PAT-A").glob("RTDOSE-*")).unlink()
    second = exported(graph, tmp_path / "two")
    ids = [r["id"] for r in graph.read("MATCH (r:ExportRun) RETURN r.id AS id ORDER BY r.started")]
    of_plan = {e.record["plans"][0]: e.case_id for e in (*first.entries, *second.entries)}
    asked = [("forward", ids), ("back", ids[::-1]), ("itself", [ids[0]] * 2)]
    found = {name: [(r["case_id"], r["change"], r["before"], r["after"]) for r in graph.run(
        run_query(graph.store, "cases-between-exports", {"before": a, "after": b}))]
        for name, (a, b) in asked}
    a, b = (of_plan[plans[p]] for p in ("PAT-A", "PAT-B"))
    reason = (f"FILE_MISSING: {chains['PAT-A']['dose'].SOPInstanceUID}: a file cannot be opened "
              "(FileNotFoundError)")
    assert found == {
        "forward": sorted([(a, "REASON", "", reason),
                           (a, "STATE", "WRITTEN", "SKIPPED"), (b, "ENTERED", None, "WRITTEN")]),
        "back": sorted([(a, "REASON", reason, ""),
                        (a, "STATE", "SKIPPED", "WRITTEN"), (b, "LEFT", "WRITTEN", None)]),
        "itself": []}


def test_registered_frames(graph: TestGraph, tmp_path: Path) -> None:
    """The dose lies in a frame that a registration shifts by (100, -50, 7) mm."""
    from tests.unit.test_registration import matrix, rigid

    chain = planned.chain("PAT-A")
    own, other = chain["structures"].FrameOfReferenceUID, solids.uid("another frame")
    chain["dose"].FrameOfReferenceUID = other
    chain["dose"].ImagePositionPatient = [
        float(a) + b for a, b in zip(chain["dose"].ImagePositionPatient, (100, -50, 7),
                                     strict=True)]
    chain["reg"] = planned.own(rigid("reg", other, {
        other: [matrix(0, (0, 0, 0))], own: [matrix(0, (100, -50, 7))]}), "PAT-A")
    planned.write(chain, tmp_path / "in")
    graph.ingest(tmp_path / "in")
    report = exported(graph, tmp_path / "out")
    (entry,) = report.entries
    assert entry.state == "WRITTEN", entry.reason
    (step,) = entry.record["paths"]["dose"]
    assert (step["registration"], step["from_frame"], step["to_frame"]) == (
        str(chain["reg"].SOPInstanceUID), own, other)
    image = sitk.ReadImage(str(tmp_path / "out" / entry.case_id / "dose.nii.gz"))
    point = (0.7, -5.1, 3.3)
    index = image.TransformPhysicalPointToIndex(point)
    there = np.array([image.TransformIndexToPhysicalPoint(index)])
    assert image.GetPixel(index) == pytest.approx(float(planned.dose_gy(there)[0]), abs=1e-3)
    (row,) = graph.run(run_query(graph.store, "samples-of-object",
                                 {"object": str(chain["reg"].SOPInstanceUID)}))
    assert row["purposes"] == ["REGISTRATION"]


def test_the_dose_policy_on_a_graph(graph: TestGraph, tmp_path: Path) -> None:
    """Two plans on one structure set, a dose each, BEAM doses, a sum: never 40.8 Gy."""
    chain = planned.chain("PAT-A")
    where, second = planned.layout("PAT-A"), planned.plan_of("PAT-A", chain["structures"], "plan2")
    chain |= {
        "plan2": second, "dose2": planned.dose_of("PAT-A", where, [second], "dose2"),
        "beam": planned.dose_of("PAT-A", where, [chain["plan"]], "beam 1", beams=[1],
                                DoseSummationType="BEAM")}
    planned.write(chain, tmp_path / "in")
    graph.ingest(tmp_path / "in")
    found = {p.inputs.plans[0].uid: p.decision for p in decided(graph)}
    uid = {name: str(ds.SOPInstanceUID) for name, ds in chain.items() if name != "ct"}
    first, other = found[uid["plan"]], found[uid["plan2"]]
    assert first is not None
    assert other is not None
    assert (first.rule, dict(first.chosen), dict(first.rejected)) == (
        "PLAN_DOSE", {uid["dose"]: 1.0}, {uid["beam"]: "PART_OF_PLAN"})
    assert (other.rule, dict(other.chosen)) == ("PLAN_DOSE", {uid["dose2"]: 1.0})
    course = PLAIN + "[dose_policy]\nscope = 'course'\n"
    (plan,) = decided(graph, course)
    assert plan.refused is not None
    assert plan.refused[0] == "NO_DOSE"
    assert "AMBIGUOUS" in plan.refused[1]
    both = planned.dose_of("PAT-A", where, [chain["plan"], second], "sum", scale=2.0,
                           DoseSummationType="MULTI_PLAN")
    planned.write({"sum": both}, tmp_path / "in")
    graph.ingest(tmp_path / "in")
    (plan,) = decided(graph, course)
    assert plan.decision is not None
    assert (plan.decision.rule, dict(plan.decision.chosen)) == (
        "EXISTING_SUM", {str(both.SOPInstanceUID): 1.0})


def test_beam_doses_are_summed(graph: TestGraph, tmp_path: Path) -> None:
    chain = planned.chain("PAT-A")
    where, plan = planned.layout("PAT-A"), [chain["plan"]]
    del chain["dose"]
    chain |= {f"beam{n}": planned.dose_of("PAT-A", where, plan, f"beam {n}", beams=[n],
                                          scale=s, DoseSummationType="BEAM")
              for n, s in ((1, 0.25), (2, 0.75))}
    planned.write(chain, tmp_path / "in")
    graph.ingest(tmp_path / "in")
    (entry,) = exported(graph, tmp_path / "out").entries
    assert (entry.state, entry.record["dose_decision"]) == ("WRITTEN", "SUM_OF_BEAMS")
    assert len(entry.record["doses"]) == 2
    gtv = next(r for r in entry.record["rois"] if r["name"] == "GTVp")
    centre = planned.layout("any").patient([(35.3, 41.2, 22.5)])
    assert gtv["dvh"]["Dmean"] == pytest.approx(float(planned.dose_gy(centre)[0]), rel=2e-3)


FORMATS = ["nifti", "nrrd", "npz", "hdf5", "zarr"]


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_holds_the_same_arrays(graph: TestGraph, tmp_path: Path, kind: str) -> None:
    ingested(graph, tmp_path / "in", "PAT-A")
    out = tmp_path / "out"
    (entry,) = exported(graph, out, PLAIN.replace("nifti", kind)).entries
    assert entry.state == "WRITTEN", entry.reason
    image, dose, mask, spacing = usual_reader(kind, out, entry.case_id)
    exported(graph, tmp_path / "plain")
    expected = usual_reader("nifti", tmp_path / "plain", entry.case_id)
    assert image.dtype == np.int16
    assert dose.dtype == np.float32
    assert mask.dtype == np.uint8
    for a, b in zip((image, dose, mask), expected, strict=False):
        assert np.array_equal(a, b)
    assert spacing == pytest.approx((2.0, 2.5, 3.0))


def usual_reader(kind: str, out: Path, case: str) -> tuple[Any, Any, Any, Any]:
    if kind in ("nifti", "nrrd"):
        ending, mask = (".nii.gz", "gtvp-2.nii.gz") if kind == "nifti" else (
            ".nrrd", "gtvp-2.seg.nrrd")
        files = [out / case / f"image{ending}", out / case / f"dose{ending}",
                 out / case / "masks" / mask]
        images = [sitk.ReadImage(str(f)) for f in files]
        if kind == "nrrd":
            assert images[2].GetMetaData("Segment0_Name") == "GTVp"
            assert b"space: left-posterior-superior" in files[0].read_bytes()[:600]
        return (*(sitk.GetArrayFromImage(i) for i in images), images[0].GetSpacing())
    if kind == "npz":
        with np.load(out / f"{case}.npz", allow_pickle=False) as held:
            names = [m["name"] for m in json.loads(str(held["metadata"]))["masks"]]
            return (held["image"], held["dose"], held["masks"][names.index("GTVp")],
                    held["spacing"])
    if kind == "hdf5":
        import h5py

        with h5py.File(out / f"{case}.h5") as file:
            group = file[case]
            names = [m["name"] for m in json.loads(group.attrs["metadata"])["masks"]]
            return (group["image"][:], group["dose"][:], group["masks"][names.index("GTVp")],
                    group.attrs["spacing"])
    import zarr

    held_by: Any = zarr.open_group(str(out / "cohort.zarr" / case), mode="r")
    names = [m["name"] for m in held_by.attrs["masks"]]
    return (held_by["image"][:], held_by["dose"][:], held_by["masks"][names.index("GTVp")],
            held_by.attrs["spacing"])


NAMES = "[masks]\nrois = ['GTVp', 'Parotid_L', 'Parotid_R']\nnames = 'names.toml'\n"


def mapped(tmp_path: Path, text: str) -> Settings:
    (tmp_path / "names.toml").write_text("[cohort]\n'par re' = 'Parotid_R'\n")
    return read_settings(text, tmp_path)


def test_nnunet_raw_data_set(graph: TestGraph, tmp_path: Path) -> None:
    ingested(graph, tmp_path / "in", *(f"PAT-{k}" for k in range(5)))
    settings = mapped(tmp_path, preset_text("nnunet").replace("[masks]", "[masks]\nnames = "
                                                              "'names.toml'"))
    out = tmp_path / "out"

    async def work() -> Report:
        return await export(graph.store, await cases_of(graph, settings), settings, out,
                            source="five patients", jobs=2)

    report = graph.run(work())
    assert report.count("WRITTEN") == 5, [e.reason for e in report.entries]
    about = json.loads((out / "dataset.json").read_text())
    assert about["channel_names"] == {"0": "CT"}
    assert about["labels"] == {"background": 0, "GTVp": 1, "Parotid_L": 2, "Parotid_R": 3}
    assert about["numTraining"] == 4 == len(list((out / "imagesTr").iterdir()))
    assert len(list((out / "imagesTs").iterdir())) == 1
    for image in (out / "imagesTr").iterdir():
        label = sitk.ReadImage(str(out / "labelsTr" / image.name.replace("_0000", "")))
        source = sitk.ReadImage(str(image))
        assert label.GetOrigin() == source.GetOrigin()
        assert label.GetSpacing() == source.GetSpacing()
        assert set(np.unique(sitk.GetArrayFromImage(label))) == {0, 1, 2, 3}


def test_a_label_map_with_a_missing_roi_is_refused(graph: TestGraph, tmp_path: Path) -> None:
    ingested(graph, tmp_path / "in", "PAT-A")
    (entry,) = exported(graph, tmp_path / "out", preset_text("nnunet")).entries
    assert (entry.state, entry.reason) == (
        "SKIPPED", "NO_CONTOURS: a label map needs every ROI; missing: Parotid_R")


def test_dose_prediction_cubes(graph: TestGraph, tmp_path: Path) -> None:
    ingested(graph, tmp_path / "in", "PAT-A")
    text = preset_text("dose-prediction").replace('"PTV"', '"GTVp"').replace(
        "crop_voxels = 128", "crop_voxels = 32")
    (entry,) = exported(graph, tmp_path / "out", text).entries
    assert entry.state == "WRITTEN", entry.reason
    with np.load(tmp_path / "out" / f"{entry.case_id}.npz") as held:
        assert held["image"].shape == held["dose"].shape == (32, 32, 32)
        assert held["spacing"].tolist() == [2.5, 2.5, 2.5]
        index = np.argwhere(held["coverage"] > 0)
        points = held["origin"] + index[:, ::-1] * 2.5
        truth = planned.dose_gy(points) / 32.0
        assert np.abs(held["dose"][held["coverage"] > 0] - truth).max() < 1e-4
        names = [m["name"] for m in json.loads(str(held["metadata"]))["masks"]]
        gtv = held["masks"][names.index("GTVp")]
        centre = held["origin"] + np.argwhere(gtv).mean(axis=0)[::-1] * 2.5
        away = np.abs(centre - planned.layout("any").patient([(35.3, 41.2, 22.5)])[0])
        assert away[:2].max() < 0.6
        assert away[2] <= 1.26  # a plane of 2.5 mm lies midway between two of 3 mm
        assert np.abs(np.argwhere(gtv).mean(axis=0) - 16).max() < 1.0
        assert not held["possible_dose"][held["coverage"] == 0].any()
        assert held["possible_dose"].sum() > gtv.sum()


def test_cohort_statistics_come_from_training_cases_only(graph: TestGraph, tmp_path: Path) -> None:
    ingested(graph, tmp_path / "in", *(f"PAT-{k}" for k in range(4)))
    text = ("format = 'npz'\nparts = ['image']\n[split]\nseed = 3\n"
            "shares = {train = 0.5, test = 0.5}\n[[image.steps]]\nstep = 'z-score'\n"
            "scope = 'cohort'\n")
    report = exported(graph, tmp_path / "out", text)
    files = {str(d.SOPInstanceUID): d for p in (tmp_path / "in").rglob("*.dcm")
             for d in [dcmread(p)] if d.Modality == "CT"}
    train = [e for e in report.entries if e.split == "train"]
    assert len(train) == 2
    values = np.concatenate([files[u].pixel_array.ravel() - 1024.0
                             for e in train for u in e.record["image_objects"]])
    found = json.loads((tmp_path / "out" / "statistics.json").read_text())
    assert found["mean"] == pytest.approx(values.mean())
    assert found["deviation"] == pytest.approx(values.std())
    with np.load(tmp_path / "out" / f"{train[0].case_id}.npz") as held:
        raw = np.stack([files[u].pixel_array - 1024.0
                        for u in train[0].record["image_objects"]])
        assert held["image"] == pytest.approx((raw - values.mean()) / values.std(), abs=1e-4)


def test_dry_run_opens_no_pixels(graph: TestGraph, tmp_path: Path) -> None:
    ingested(graph, tmp_path / "in", "PAT-A")
    for p in (tmp_path / "in").rglob("*.dcm"):
        p.unlink()

    settings = read_settings(PLAIN)
    (row,) = (plan_case(c, settings).record() for c in graph.run(cases_of(graph, settings)))
    assert row["refused"] is None
    assert row["dose_decision"] == "PLAN_DOSE"


def test_structure_sets_without_plan_are_cases(graph: TestGraph, tmp_path: Path) -> None:
    chain = planned.chain("PAT-A")
    planned.write({"ct": chain["ct"], "structures": chain["structures"]}, tmp_path / "in")
    graph.ingest(tmp_path / "in")
    with pytest.raises(UsageError, match="No plan"):
        graph.run(select(graph.store))
    found = graph.run(select(graph.store, sets=True))
    assert (found.plans, [uid for _, uid in found.sets]) == (
        (), [str(chain["structures"].SOPInstanceUID)])
    text = "format = 'npz'\nparts = ['image', 'masks']"
    (entry,) = exported(graph, tmp_path / "out", text).entries
    assert entry.state == "WRITTEN", entry.reason
    assert re.fullmatch(r"[0-9a-f]{16}-[0-9a-f]{8}", entry.case_id)

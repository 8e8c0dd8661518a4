"""Bad input of exports: each case is refused or reported by name, and the rest goes on."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.uid import UID

from rtgraph.preprocess.files import header_digest
from rtgraph.preprocess.registration import DEFORMABLE
from tests.conftest import DATA
from tests.data import planned, solids
from tests.server.conftest import TestGraph
from tests.server.exports import PLAIN, content, exported, ingested
from tests.unit.test_registration import deformable

pytestmark = pytest.mark.server

Chain = dict[str, Any]
ELSEWHERE = solids.uid("another frame")


def frame(chain: Chain, name: str) -> None:
    chain[name].FrameOfReferenceUID = ELSEWHERE


def bend(chain: Chain, registered: str, source: str, moved: str) -> None:
    """Move an object to another frame, with a deformation between the two."""
    frames = {"here": chain["ct"][0].FrameOfReferenceUID, "there": ELSEWHERE}
    frame(chain, moved)
    patient, ds = str(chain["plan"].PatientID), deformable()
    ds.SOPInstanceUID = UID(solids.uid(patient, "deform"))
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.SeriesInstanceUID = solids.uid(patient, "registrations")
    fixed, moving = ds.DeformableRegistrationSequence
    ds.FrameOfReferenceUID = fixed.SourceFrameOfReferenceUID = frames[registered]
    moving.SourceFrameOfReferenceUID = frames[source]
    chain["deformation"] = planned.own(ds, patient)


def of_another(chain: Chain, name: str) -> None:
    """Give an object to another patient, whose study it is in."""
    planned.own(chain[name], "SOMEONE")


REFUSED: list[tuple[str, Callable[[Chain], Any], str]] = [
    # patient           what is done to the chain                                what is said
    ("no CT",           lambda c: c.pop("ct"),                                   "NO_IMAGE"),
    ("missing slices",  lambda c: c["ct"].pop(5),                                "MISSING_SLICES"),
    ("no set",          lambda c: c.pop("structures"),                    "REFERENCE: missing"),
    ("wrong frame",     lambda c: frame(c, "structures"),                        "FRAME"),
    ("dose elsewhere",  lambda c: frame(c, "dose"),
     "FRAME (FRAME: no registration leads"),
    ("bent backwards",  lambda c: bend(c, "there", "here", "dose"),
     "FRAME (DEFORMABLE_INVERSE: only a deformation against its direction"),
    ("bent contours",   lambda c: bend(c, "here", "there", "structures"),
     "FRAME: contours are not carried by a deformation"),
    ("no dose",         lambda c: c.pop("dose"),                                 "NO_DOSE"),
    ("relative dose",   lambda c: setattr(c["dose"], "DoseUnits", "RELATIVE"),   " UNITS"),
    ("no scaling",      lambda c: delattr(c["dose"], "DoseGridScaling"),
     " UNREADABLE_GRID"),
    ("header only",     lambda c: delattr(c["ct"][4], "PixelData"),              "HEADER_ONLY"),
    ("dose header",     lambda c: delattr(c["dose"], "PixelData"),
     " UNREADABLE_GRID"),
    ("uneven steps",    lambda c: setattr(c["ct"][4], "ImagePositionPatient",
                                          ["-39.3", "-45.1", "-7.2"]),           "NON_UNIFORM"),
    ("other set",       lambda c: of_another(c, "structures"),
     "OTHER_PATIENT: of another patient"),
    ("other dose",      lambda c: of_another(c, "dose"),                         " OTHER_PATIENT"),
]  # fmt: skip


def test_bad_input_is_named_and_the_rest_goes_on(graph: TestGraph, tmp_path: Path) -> None:
    chains = {"GOOD": planned.chain("GOOD")}
    for name, spoil, _ in REFUSED:
        chains[name] = planned.chain(name)
        spoil(chains[name])
    for name, chain in chains.items():
        planned.write(chain, tmp_path / "in" / name)
    graph.ingest(tmp_path / "in")
    report = exported(graph, tmp_path / "out", "format = 'npz'")
    of_plan = {str(chain["plan"].SOPInstanceUID): name for name, chain in chains.items()}
    reasons = {of_plan[e.record["plans"][0]]: e.reason for e in report.entries}
    states = {of_plan[e.record["plans"][0]]: e.state for e in report.entries}
    assert states == {"GOOD": "WRITTEN", **dict.fromkeys((r[0] for r in REFUSED), "SKIPPED")}
    assert {name: (said, reasons[name]) for name, _, said in REFUSED
            if said not in reasons[name]} == {}
    listed = (tmp_path / "out" / "skipped.csv").read_text()
    assert listed.count("\n") == len(REFUSED) + 1
    assert report.exit_code == 1


def test_a_deformation_in_its_direction_is_used(graph: TestGraph, tmp_path: Path) -> None:
    chain = planned.chain("PAT-A")
    bend(chain, "here", "there", "dose")
    planned.write(chain, tmp_path / "in")
    graph.ingest(tmp_path / "in")
    (entry,) = exported(graph, tmp_path / "out").entries
    assert entry.state == "WRITTEN", entry.reason
    (step,) = entry.record["paths"]["dose"]
    assert (step["matrix_type"], step["stored_direction"], step["to_frame"]) == (
        DEFORMABLE, True, ELSEWHERE)


def test_odd_rois_are_reported_and_lose_nothing(graph: TestGraph, tmp_path: Path) -> None:
    chain = planned.chain("PAT-A")
    ring = planned.contours(5.0, (35.3, 41.2))
    point = [(15.0, np.array([[35.3, 41.2]]))]
    specs = [solids.RoiSpec(n, name, contours, kind) for n, name, contours, kind in (
        (3, "Parotid_L", ring, "CLOSED_PLANAR"), (1, "Parotid_L", ring[:4], "CLOSED_PLANAR"),
        (7, "GTV/boost", ring, "CLOSED_PLANAR"), (5, "Empty", [], "CLOSED_PLANAR"),
        (9, "Marker", point, "POINT"))]
    ds = solids.structures(planned.layout("PAT-A"), specs, chain["ct"], "PAT-A structures")
    del ds.ROIContourSequence[3]
    ds.ROIContourSequence = list(reversed(ds.ROIContourSequence))
    chain["structures"] = planned.own(ds, "PAT-A")
    planned.write(chain, tmp_path / "in")
    graph.ingest(tmp_path / "in")
    (entry,) = exported(graph, tmp_path / "out").entries
    assert entry.state == "WRITTEN", entry.reason
    assert {p.name for p in (tmp_path / "out" / entry.case_id / "masks").iterdir()} == {
        "parotid_l-3.nii.gz", "parotid_l-1.nii.gz", "gtv_boost-7.nii.gz"}
    rois = {r["number"]: r for r in entry.record["rois"]}
    assert {n: r["name"] for n, r in rois.items()} == {
        3: "Parotid_L", 1: "Parotid_L", 7: "GTV/boost", 5: "Empty", 9: "Marker"}
    assert rois[9]["points_mm"] == [pytest.approx(
        planned.layout("PAT-A").patient([(35.3, 41.2, 15.0)])[0].tolist(), abs=1e-6)]
    assert {"info NO_CONTOUR 5 no contours"} <= set(entry.record["findings"])
    assert rois[1]["facts"]["volume_cc"] == pytest.approx(rois[3]["facts"]["volume_cc"] * 0.4)
    ledger = (tmp_path / "out" / "ledger" / f"{entry.case_id}.csv").read_text()
    assert ledger.count(",POINT,") == 2  # geometric type and result of one row
    names = PLAIN + "[masks]\nrois = ['Parotid_L']\n"
    (several,) = exported(graph, tmp_path / "several", names).entries
    assert several.state == "WRITTEN"
    assert "warning ROI_SEVERAL Parotid_L" in several.record["findings"]
    assert several.record["masks"] == []
    (refused,) = exported(graph, tmp_path / "no", names + "required = ['Parotid_L']\n").entries
    assert (refused.state, refused.reason) == ("SKIPPED", "NO_CONTOURS: required: Parotid_L")


def test_a_full_disk_fails_a_case_and_the_next_run_makes_it(
    graph: TestGraph, tmp_path: Path
) -> None:
    ingested(graph, tmp_path / "in", "PAT-A", "PAT-B")
    text = PLAIN.replace("nifti", "npz")
    first = exported(graph, tmp_path / "first", text)
    full, fine = (e.case_id for e in first.entries)
    out = tmp_path / "out"
    out.mkdir()
    (out / f"{full}.npz").symlink_to("/dev/full")
    report = exported(graph, out, text)
    assert {e.case_id: (e.state, e.reason) for e in report.entries} == {
        full: ("FAILED", "OUTPUT: the files cannot be written (No space left on device)"),
        fine: ("WRITTEN", "")}
    (out / f"{full}.npz").unlink()
    again = exported(graph, out, text)
    assert (again.count("WRITTEN"), again.kept) == (2, 1)
    assert content(out) == content(tmp_path / "first")


def test_a_file_that_changed_since_stops_its_case_alone(graph: TestGraph, tmp_path: Path) -> None:
    chains = ingested(graph, tmp_path / "in", "PAT-A", "PAT-B")
    chains["PAT-A"]["dose"].DoseComment = "changed on the way"
    planned.write({"dose": chains["PAT-A"]["dose"]}, tmp_path / "in" / "PAT-A")
    report = exported(graph, tmp_path / "out")
    states = {e.record["plans"][0]: (e.state, e.reason.partition(":")[0]) for e in report.entries}
    assert states == {str(chains["PAT-A"]["plan"].SOPInstanceUID): ("SKIPPED", "FILE_CHANGED"),
                      str(chains["PAT-B"]["plan"].SOPInstanceUID): ("WRITTEN", "")}
    assert report.exit_code == 1
    os.utime(next((tmp_path / "in" / "PAT-B").iterdir()), (1, 1))
    assert exported(graph, tmp_path / "out2").count("WRITTEN") == 1


def test_a_chain_over_three_studies_is_whole(graph: TestGraph, tmp_path: Path) -> None:
    chain = planned.chain("PAT-A")
    for name in ("structures", "dose"):
        chain[name].StudyInstanceUID = solids.uid("study of", name)
    planned.write(chain, tmp_path / "in")
    graph.ingest(tmp_path / "in")
    (entry,) = exported(graph, tmp_path / "out", "format = 'npz'").entries
    assert (entry.state, entry.record["dose_decision"]) == ("WRITTEN", "PLAN_DOSE"), entry.reason


def test_open_errors_skip_a_case(graph: TestGraph, tmp_path: Path) -> None:
    chains = ingested(graph, tmp_path / "in", "PAT-A", "PAT-B")
    uid = str(chains["PAT-A"]["structures"].SOPInstanceUID)
    graph.write("MATCH (s:RTStruct {SOPInstanceUID: $uid}) "
                "CREATE (:Issue {key: 'k', rule: 'STR-07', severity: 'ERROR', status: 'OPEN', "
                "subject: $uid})-[:ABOUT]->(s)", uid=uid)
    report = exported(graph, tmp_path / "out", "format = 'npz'")
    assert sorted((e.state, e.reason) for e in report.entries) == [
        ("SKIPPED", "REFERENCE: open findings: STR-07"), ("WRITTEN", "")]
    kept = exported(graph, tmp_path / "kept", "format = 'npz'\n[checks]\nskip_at = 'never'")
    assert kept.count("WRITTEN") == 2
    assert sum(f"error STR-07 {uid} 1" in e.record["findings"] for e in kept.entries) == 1


def test_a_plan_dose_is_held_against_its_beams(graph: TestGraph, tmp_path: Path) -> None:
    parts = {"PAT-A": (0.25, 0.75), "PAT-B": (0.25, 0.7)}
    for patient, scales in parts.items():
        chain = planned.chain(patient)
        chain |= {f"beam{n}": planned.dose_of(
            patient, planned.layout(patient), [chain["plan"]], f"beam {n}", beams=[n], scale=s,
            DoseSummationType="BEAM") for n, s in enumerate(scales, start=1)}
        planned.write(chain, tmp_path / "in" / patient)
    graph.ingest(tmp_path / "in")
    report = exported(graph, tmp_path / "out", "format = 'npz'")
    assert report.count("WRITTEN") == 2
    told = sorted(f for e in report.entries for f in e.record["findings"] if "BEAM_SUM" in f)
    assert len(told) == 1
    low, high = planned.dose_gy(np.array([[-45.0, 60, -25]]))[0], 45.0
    assert 0.05 * low < float(told[0].split(" Gy at most")[0].split()[-1]) < 0.05 * high


def test_segments_are_rois_and_cases(graph: TestGraph, tmp_path: Path) -> None:
    from tests.unit.test_segments import segmentation

    chain = planned.chain("PAT-A")
    layout = planned.layout("PAT-A")
    truth = solids.truth(planned.contours(7.0, (50.2, 41.2)), layout)
    ds = segmentation(layout, [(1, p, truth[p]) for p in range(truth.shape[0])], "BINARY",
                      ["Liver"])
    ds.ReferencedSeriesSequence = [solids.item(
        SeriesInstanceUID=chain["ct"][0].SeriesInstanceUID,
        ReferencedInstanceSequence=[solids.item(
            ReferencedSOPClassUID=d.SOPClassUID, ReferencedSOPInstanceUID=d.SOPInstanceUID)
            for d in chain["ct"]])]
    chain["segmentation"] = planned.own(ds, "PAT-A")
    planned.write(chain, tmp_path / "in")
    graph.ingest(tmp_path / "in")
    (plain,) = exported(graph, tmp_path / "plain").entries
    assert [m["name"] for m in plain.record["masks"]] == ["External", "GTVp", "Parotid_L", "par re"]
    (entry,) = exported(graph, tmp_path / "out",
                        PLAIN + "[masks]\nsegmentations = 'add'\n").entries
    assert entry.state == "WRITTEN", entry.reason
    assert entry.record["masks"][-1]["name"] == "Liver"
    mask = sitk.GetArrayFromImage(sitk.ReadImage(
        str(tmp_path / "out" / entry.case_id / "masks" / "liver-5.nii.gz")))
    assert np.array_equal(mask, truth)
    liver = entry.record["rois"][-1]
    assert (liver["name"], liver["segment"]) == ("Liver", True)
    assert liver["dvh"]["covered"] == pytest.approx(1.0)
    centre = layout.patient((np.argwhere(truth)[:, ::-1] * (2.0, 2.5, 3.0)).mean(axis=0)[None])
    assert liver["dvh"]["Dmean"] == pytest.approx(float(planned.dose_gy(centre)[0]), abs=0.01)
    assert 'id="computed-5"' in (tmp_path / "out" / "dvh" / f"{entry.case_id}.svg").read_text()
    found = graph.read("MATCH (:Sample {state: 'WRITTEN'})-[:MADE_FROM {purpose: 'STRUCTURES'}]->"
                       "(g:Segmentation) RETURN g.SOPInstanceUID AS uid")
    assert [r["uid"] for r in found] == [str(ds.SOPInstanceUID)]
    alone = exported(graph, tmp_path / "alone", "format = 'npz'\nparts = ['image', 'masks']\n"
                                                "[masks]\nsegmentations = 'alone'\n")
    names = sorted([m["name"] for m in e.record["masks"]] for e in alone.entries)
    assert names == [["External", "GTVp", "Parotid_L", "par re"], ["Liver"]]
    (lone,) = (e for e in alone.entries if len(e.record["masks"]) == 1)
    with np.load(tmp_path / "alone" / f"{lone.case_id}.npz") as held:
        assert np.array_equal(held["masks"][0], truth)
        assert json.loads(str(held["metadata"]))["masks"] == [{"name": "Liver", "numbers": [1]}]


@pytest.mark.skipif(not DATA.is_dir(), reason="no folder of real files beside the repository")
def test_the_digest_of_a_head_is_that_of_the_graph(graph: TestGraph) -> None:
    graph.ingest(DATA / "monaco-hn", DATA / "oncentra-phantom", DATA / "seg-sr")
    roots = {r["name"]: r["path"] for r in graph.read("MATCH (r:Root) RETURN r.name AS name, "
                                                      "r.path AS path")}
    rows = graph.read("MATCH (i:Instance) WHERE i.file_path IS NOT NULL RETURN i.file_path AS "
                      "path, i.file_size AS size, i.header_digest AS digest")
    assert len(rows) > 40
    for row in rows:
        root, _, rest = row["path"].partition(":")
        assert header_digest(f"{roots[root]}/{rest}", row["size"]) == row["digest"], row["path"]

"""What real files say besides their identity equals the truth that a plain walk with pydicom found.

Facts of objects, roles and sequence paths of references, frames, references to series and studies,
and conflicts. The mappings between truth and graph are those of `test_real_files`. The reference
table, read as JSON, says which role a path has and which paths make no edge: an index of
references, and procedures that were asked for. Structure set modules inside doses are retired, and
make references alone. Pixels are not read, so largest doses and counts of voxels are not compared.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import rtgraph
from tests.server.conftest import TestGraph
from tests.server.test_real_files import DATA, IMAGES, SETS, STORED, _winners

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(not SETS, reason="no folder of real files beside the repository"),
]
Truth = dict[str, Any]
ROWS: list[dict[str, Any]] = json.loads(
    (Path(rtgraph.__file__).parent / "graphmodel/references.json").read_text("utf-8"))["paths"]
BY_ID = {row["id"]: row for row in ROWS}


def sequence(path: Iterable[str]) -> str:
    """Return the sequences of a path as the truth writes them, nested content items as one."""
    steps = ["ContentSequence" if step == "ContentSequence*" else step for step in path]
    return " > ".join(a for a, b in zip(steps, ["", *steps], strict=False)
                      if a != "ContentSequence" or b != a)


@pytest.mark.parametrize("name", SETS or ["none"])
def test_facts_of_a_set(graph: TestGraph, name: str) -> None:
    truth: Truth = json.loads((DATA / name / "truth.json").read_text(encoding="utf-8"))
    graph.ingest(DATA / name)
    objects = [i for i in truth["instances"] if i["study_uid"] and i["series_uid"]]
    winners = _winners(objects)
    # of files with one UID the truth does not say which states a reference
    clashing = {i["sop_instance_uid"] for i in objects
                if i["path"] != winners[i["sop_instance_uid"]]["path"]}
    _facts(graph, winners.values())
    _roles(graph, truth, winners, clashing)
    _series_and_studies(graph, truth, winners, clashing)
    _frames(graph, truth, winners, clashing)
    _conflicts(graph, truth, winners)


# --- facts ---------------------------------------------------------------------------------------

_OF_OBJECTS = """\
MATCH (s:Series)-[:HAS_INSTANCE]->(i:Instance) WHERE NOT i:Missing
RETURN i.SOPInstanceUID AS uid, properties(i) AS i, s.SeriesDescription AS description,
  COLLECT { MATCH (i)-[:HAS_ROI]->(x) RETURN properties(x) } AS rois,
  COUNT { (i)-[:HAS_ROI]->() } AS n_rois, COUNT { (i)-[:HAS_BEAM]->() } AS n_beams,
  COUNT { (i)-[:HAS_FRACTION_GROUP]->() } AS n_groups, COUNT { (i)-[:HAS_DVH]->() } AS n_dvh,
  COUNT { (i)-[:HAS_DOSE_REFERENCE]->() } AS n_references,
  COUNT { (i)-[:HAS_SEGMENT]->() } AS n_segments,
  COUNT { (i)-[:HAS_TRANSFORM]->() } AS n_transforms,
  COUNT { (i)-[:HAS_DELIVERY]->() } AS n_deliveries,
  COLLECT { MATCH (i)-[:HAS_BEAM]->(b) RETURN b.NumberOfControlPoints } AS points,
  COLLECT { MATCH (i)-[:HAS_ROI]->()-[c:CONTOURED_ON]->() RETURN c.n_contours } AS on_series"""
# Of the truth: which value of the graph it is.
_STATED = ("StructureSetLabel", "ApprovalStatus", "RTPlanLabel", "RTPlanGeometry", "PlanIntent",
           "DoseUnits", "DoseType", "DoseSummationType", "Rows", "Columns", "NumberOfFrames",
           "DoseGridScaling")
_COUNTED = {"BeamSequence": "n_beams", "IonBeamSequence": "n_beams", "rois": "n_rois",
            "FractionGroupSequence": "n_groups", "DoseReferenceSequence": "n_references",
            "DVHSequence": "n_dvh", "SegmentSequence": "n_segments",
            "RegistrationSequence": "n_transforms",
            "TreatmentSessionBeamSequence": "n_deliveries"}
_SUMMED = {"contours": "n_contours", "contour_points": "n_points",
           "observations": "n_observations"}
# Not kept: items that are no parts, how pixels are stored, and what only pixels tell.
_NOT_KEPT = {"PatientSetupSequence", "BitsAllocated", "stored_max", "dose_max", "voxels",
             "voxels_expected", "pixel_error", "contours_with_image_reference"}
_RETIRED_IN_DOSES = {"rois", "rois_with_contours", "contours", "contour_types", "contour_points",
                     "contours_with_image_reference", "observations", "StructureSetLabel"}


def _facts(graph: TestGraph, winners: Iterable[Truth]) -> None:
    found = {row["uid"]: row for row in graph.read(_OF_OBJECTS)}
    for truth in winners:
        row, facts = found[truth["sop_instance_uid"]], dict(truth.get("facts") or {})
        if truth["modality"] == "RTDOSE":
            facts = {k: v for k, v in facts.items() if k not in _RETIRED_IN_DOSES}
        is_cut = row["i"].get("truncated")
        for name, value in facts.items():
            if name not in _NOT_KEPT and not (is_cut and name == "control_points"):
                assert _of_graph(name, row) == _expected(name, value), (truth["path"], name)
        if drawn := facts.get("contours_with_image_reference"):
            assert sum(row["on_series"]) == drawn, truth["path"]


def _of_graph(name: str, row: Truth) -> Any:
    if name in _STATED:
        return row["i"].get(name)
    if name in _COUNTED:
        return row[_COUNTED[name]]
    if name in _SUMMED:
        return sum(roi[_SUMMED[name]] for roi in row["rois"])
    return {
        "SeriesDescription": row["description"],
        "rois_with_contours": row["i"].get("n_rois_with_contours"),
        "contour_types": sorted({kind for roi in row["rois"] for kind in roi["contour_types"]}),
        "control_points": sum(n for n in row["points"] if n is not None),
    }[name]


def _expected(name: str, value: Any) -> Any:
    if name in ("Rows", "Columns", "NumberOfFrames"):
        return int(value) if value.isdigit() else None  # "1A" is no number
    if name == "DoseGridScaling":
        return float(value)
    if name in ("StructureSetLabel", "RTPlanLabel", "SeriesDescription"):
        return value.strip()
    return sorted(value) if name == "contour_types" else value


# --- references ----------------------------------------------------------------------------------

def _roles(graph: TestGraph, truth: Truth, winners: dict[str, Truth], clashing: set[str]) -> None:
    """The role, the path and the number of items of every reference between objects."""
    expected: dict[tuple[str, str], dict[str, Counter[str]]] = defaultdict(
        lambda: defaultdict(Counter))
    for edge in truth["instance_edges"]:
        source = winners.get(edge["from"])
        if source and edge["from"] not in clashing and (
                edge["referenced_sop_class_uid"].startswith(STORED)):
            start = source["series_uid"] if source["modality"] in IMAGES else edge["from"]
            where = sequence(edge["sequence"].split(" > "))
            role = _role(where, source["sop_class_uid"])
            expected[start, edge["to"]][role][where] += edge["occurrences"]
    for roles in expected.values():
        for absorbed, by in (("CONTOUR_IMAGE", "STRUCTURE_SET_IMAGE"), ("EVIDENCE", "SR_CONTENT")):
            if by in roles:
                roles.pop(absorbed, None)
        index = roles.pop("COMMON_REFERENCE", None)
        if index and not roles:  # what only the index names is a reference all the same
            roles["OTHER_REFERENCE"] = index
    uncertain = clashing | {winners[u]["series_uid"] for u in clashing}
    found = {(r["a"], r["b"], r["role"]): r for r in graph.read(
        "MATCH (a:Instance|Series)-[e:REFERENCES]->(b:Instance) RETURN "
        "coalesce(a.SOPInstanceUID, a.SeriesInstanceUID) AS a, b.SOPInstanceUID AS b, "
        "e.role AS role, e.path_id AS path_id, e.path AS path, e.n AS n")
        if r["a"] not in uncertain}
    assert found.keys() == {(a, b, role) for (a, b), roles in expected.items() for role in roles
                            if a not in uncertain}
    for (a, b, role), row in found.items():
        wanted = expected[a, b][role]
        if row["path"] is not None:
            stated = {sequence(p.split(">")) for p in row["path"].split("|")}
            assert stated == wanted.keys(), (role, stated)
        else:
            assert sequence(BY_ID[row["path_id"]]["path"][:-1]) in wanted, (role, row["path_id"])
        assert row["n"] in (None, wanted.total()), (a, b, role)
        assert (row["n"] is None) == (a not in winners)  # counted for objects, not for series


def _role(where: str, sop_class: str) -> str:
    """Return the role of a path, as the table has it for the class of the source."""
    roles = {row["role"] for row in ROWS
             if sequence(row["path"][:-1]) == where and sop_class in row["source_sop_classes"]
             and row["path"][-1] == "ReferencedSOPInstanceUID"}
    assert len(roles) <= 1, (where, roles)
    return roles.pop() if roles else "OTHER_REFERENCE"


def _series_and_studies(
    graph: TestGraph, truth: Truth, winners: dict[str, Truth], clashing: set[str]
) -> None:
    """References to series and studies; an index of references places its targets instead."""
    for edge, key, keyword in (("REFERENCES_SERIES", "series_refs", "SeriesInstanceUID"),
                               ("REFERENCES_STUDY", "study_refs", "StudyInstanceUID")):
        expected = {}
        for ref in truth[key]:
            if ref["from"] not in winners or ref["from"] in clashing:
                continue
            if _is_edge(ref["sequence"], edge, keyword, winners[ref["from"]]["sop_class_uid"]):
                expected[ref["from"], ref["to"], ref["sequence"]] = (
                    ref["occurrences"], ref["resolved"])
            elif keyword == "SeriesInstanceUID":
                there = graph.read("MATCH (s:Series {SeriesInstanceUID: $uid}) "
                                   "RETURN NOT s:Missing AS there", uid=ref["to"])
                assert there == [{"there": ref["resolved"]}], ref
        found = {(r["a"], r["b"], sequence(BY_ID[r["path_id"]]["path"][:-1])): (r["n"], r["there"])
                 for r in graph.read(
                     f"MATCH (a:Instance|Series)-[e:{edge}]->(b) RETURN NOT b:Missing AS there, "
                     "coalesce(a.SOPInstanceUID, a.SeriesInstanceUID) AS a, e.path_id AS path_id, "
                     f"b.{keyword} AS b, e.n AS n")
                 if r["a"] not in clashing and BY_ID[r["path_id"]]["path"][-1] != "UID"}
        assert found == expected


def _is_edge(where: str, edge: str, keyword: str, sop_class: str) -> bool:
    leaves = (keyword, "ReferencedSOPInstanceUID")
    rows = [row for row in ROWS if " > ".join(row["path"][:-1]) == where
            and row["path"][-1] in leaves and sop_class in row["source_sop_classes"]]
    kinds = {row["edge"] for row in rows}
    return edge in kinds


# --- frames --------------------------------------------------------------------------------------

def _frames(graph: TestGraph, truth: Truth, winners: dict[str, Truth], clashing: set[str]) -> None:
    """Who has a frame, who refers to it and where, and whether it has an image."""
    at_root = Counter((w["frame_of_reference_uid"], w["series_uid"]) for w in winners.values()
                      if w["frame_of_reference_uid"])
    found = {(r["frame"], r["series"]): r["n"] for r in graph.read(
        "MATCH (s:Series)-[e:IN_FRAME {source: 'MODULE'}]->(f:FrameOfReference) RETURN "
        "f.FrameOfReferenceUID AS frame, s.SeriesInstanceUID AS series, e.n_instances AS n")}
    assert found == dict(at_root)

    expected = {(r["from"], uid, r["attribute"]): r["occurrences"]
                for uid, frame in truth["frames_of_reference"].items()
                for r in frame["referenced_by"]
                if r["from"] in winners and r["from"] not in clashing
                and r["from_modality"] != "RTDOSE"}
    named = {
        (r["a"], r["frame"], sequence(BY_ID[r["path_id"]]["path"])): r["n"] for r in graph.read(
            "MATCH (a:Instance)-[e:REFERENCES_FRAME]->(f:FrameOfReference) RETURN "
            "a.SOPInstanceUID AS a, f.FrameOfReferenceUID AS frame, e.path_id AS path_id, e.n AS n")
        if BY_ID[r["path_id"]]["path"][-1] != "UID"}
    of_parts = Counter(
        (r["a"], r["frame"], r["attribute"]) for r in graph.read(
            "MATCH (i:RTStruct)-[:HAS_ROI]->(roi) WHERE roi.ReferencedFrameOfReferenceUID "
            "IS NOT NULL RETURN i.SOPInstanceUID AS a, roi.ReferencedFrameOfReferenceUID AS frame, "
            "'StructureSetROISequence > ReferencedFrameOfReferenceUID' AS attribute "
            "UNION ALL MATCH (i:RTStruct)-[:HAS_TRANSFORM]->(t) RETURN i.SOPInstanceUID AS a, "
            "t.item_frame_uid AS frame, 'ReferencedFrameOfReferenceSequence > "
            "FrameOfReferenceRelationshipSequence > RelatedFrameOfReferenceUID' AS attribute"))
    stated = {key: n for key, n in (named | of_parts).items() if key[0] not in clashing}
    assert stated == {(a, uid, sequence(attribute.split(" > "))): n
                      for (a, uid, attribute), n in expected.items()}

    with_image = {uid for uid, frame in truth["frames_of_reference"].items()
                  if frame["image_in_set"]}
    lost = {i["frame_of_reference_uid"] for i in truth["instances"]
            if i["path"] != winners.get(i["sop_instance_uid"], i)["path"]}
    assert {r["uid"] for r in graph.read(
        "MATCH (s:Series)-[:IN_FRAME]->(f:FrameOfReference) "
        "WHERE any(m IN s.modalities_seen WHERE m IN ['CT', 'MR', 'PT']) "
        "RETURN DISTINCT f.FrameOfReferenceUID AS uid")} - lost == with_image - lost


# --- conflicts -----------------------------------------------------------------------------------

def _conflicts(graph: TestGraph, truth: Truth, winners: dict[str, Truth]) -> None:
    """Series and studies that are not what they should be, as far as the winning files show it."""
    series: dict[str, list[Truth]] = defaultdict(list)
    patients: dict[str, set[str]] = defaultdict(set)
    for w in winners.values():
        series[w["series_uid"]].append(w)
        patients[w["study_uid"]].add(w["patient_id"] or "")
    rows = graph.read("MATCH (s:Series) WHERE NOT s:Missing RETURN s.SeriesInstanceUID AS uid, "
                      "s.modalities_seen AS modalities, s.frame_uids AS frames, "
                      "COUNT { (s)<-[:HAS_SERIES]-() } AS studies")
    assert {r["uid"]: (r["modalities"], r["frames"], r["studies"]) for r in rows} == {
        uid: (sorted({w["modality"] for w in of_series if w["modality"]}),
              sorted({w["frame_of_reference_uid"] for w in of_series
                      if w["frame_of_reference_uid"]}),
              len({w["study_uid"] for w in of_series}))
        for uid, of_series in series.items()}
    shared = {r["uid"] for r in graph.read(
        "MATCH (t:Study) WHERE COUNT { (t)<-[:HAS_STUDY]-() } > 1 "
        "RETURN t.StudyInstanceUID AS uid")}
    assert shared == {uid for uid, names in patients.items() if len(names) > 1}
    assert shared == {c["study_uid"] for c in truth["conflicts"]
                      if c["what"] == "study with more than one PatientID"}

"""Every set of real files equals the truth that a plain walk with pydicom found.

Four mappings between the truth and the graph, and no other: image objects refer from their series;
targets of classes that are never stored make no edge; of files in conflict the graph holds one; and
patients without an ID are told apart by study. A file without a study or series UID is no object.
"""

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import TestGraph

DATA = Path(os.environ.get("RTGRAPH_TEST_DATA", Path(__file__).parents[2].parent / "shared/data"))
SETS = sorted(p.parent.name for p in DATA.glob("*/truth.json"))
IMAGES = {"CT", "MR", "PT", "NM", "US", "OT", "CR", "DX", "XA", "RF", "MG"}
STORED = ("1.2.840.10008.5.1.4.1.1.", "1.2.840.10008.5.1.4.34.7")

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(not SETS, reason="no folder of real files beside the repository"),
]


@pytest.mark.parametrize("name", SETS or ["none"])
def test_set_equals_its_truth(graph: TestGraph, name: str) -> None:
    folder = DATA / name
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    summary = graph.ingest(folder)

    objects = [i for i in truth["instances"] if i["study_uid"] and i["series_uid"]]
    taken = {r["path"].partition(":")[2]: r for r in graph.read(
        "MATCH (i:Instance)<-[:HAS_INSTANCE]-(s:Series)<-[:HAS_SERIES]-(t:Study) "
        "WHERE NOT i:Missing RETURN i.file_path AS path, i.SOPInstanceUID AS uid, "
        "s.SeriesInstanceUID AS series, t.StudyInstanceUID AS study")}
    winners = _winners(objects)
    assert set(taken) == {w["path"] for w in winners.values()}
    for w in winners.values():
        row = taken[w["path"]]
        assert (row["uid"], row["series"]) == (w["sop_instance_uid"], w["series_uid"])
    assert {r["study"] for r in taken.values()} == {w["study_uid"] for w in winners.values()}
    patients = {(r["study"], r["patient"]) for r in graph.read(
        "MATCH (p:Patient)-[:HAS_STUDY]->(t:Study) "
        "RETURN t.StudyInstanceUID AS study, p.PatientID AS patient")}
    assert patients == {(w["study_uid"], w["patient_id"] or None) for w in winners.values()}

    copies = {r["path"].partition(":")[2]: r["differs"] for r in graph.read(
        "MATCH (:Instance)-[:STORED_AS]->(f:File) RETURN f.path AS path, f.differs AS differs")}
    losers = {i["path"] for i in objects} - {w["path"] for w in winners.values()}
    assert set(copies) == losers
    assert {c["sop_instance_uid"] for c in truth["conflicts"] if "sop_instance_uid" in c} == {
        i["sop_instance_uid"] for i in objects if i["path"] in losers}

    rejected = {r["path"].partition(":")[2] for r in graph.read(
        "MATCH (f:File) WHERE f.status IN ['REJECTED', 'NOT_DICOM'] RETURN f.path AS path")}
    extra = {"truth.json", "README.md"}
    broken = {i["path"] for i in truth["instances"]} - {i["path"] for i in objects}
    assert rejected - extra == {n["path"] for n in truth["not_taken"]} | broken
    assert summary.n_files == len(taken) + len(copies) + len(rejected)

    _references_equal(graph, truth, winners)
    _frames_equal(graph, winners)


def _winners(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Of the files that hold one SOP Instance UID, the one with the smallest path."""
    by_uid: dict[str, dict[str, Any]] = {}
    for i in sorted(objects, key=lambda i: str(i["path"]), reverse=True):
        by_uid[i["sop_instance_uid"]] = i
    return by_uid


def _references_equal(graph: TestGraph, truth: dict[str, Any], winners: dict[str, Any]) -> None:
    conflicting = {c["sop_instance_uid"]: c["paths"] for c in truth["conflicts"]
                   if "sop_instance_uid" in c}
    expected: dict[tuple[str, str], bool] = {}
    for edge in truth["instance_edges"]:
        source = winners.get(edge["from"])
        if source is None or not edge["referenced_sop_class_uid"].startswith(STORED):
            continue
        if edge["from"] in conflicting and edge["from_modality"] != source["modality"]:
            continue  # stated by a file that lost
        start = source["series_uid"] if source["modality"] in IMAGES else edge["from"]
        expected[start, edge["to"]] = edge["resolved"]
    found = {(r["a"], r["b"]): r["resolved"] for r in graph.read(
        "MATCH (a:Instance|Series)-[:REFERENCES]->(b:Instance) RETURN "
        "coalesce(a.SOPInstanceUID, a.SeriesInstanceUID) AS a, b.SOPInstanceUID AS b, "
        "NOT b:Missing AS resolved")}
    # The truth does not say which of the files in conflict states an edge, only how many each has.
    uncertain = {winners[u]["series_uid"] for u in conflicting if u in winners} | set(conflicting)
    for uid in conflicting:
        w = winners.get(uid)
        if w and w["modality"] not in IMAGES:
            targets = {b for a, b in found if a == uid}
            assert targets <= {e["to"] for e in truth["instance_edges"] if e["from"] == uid}
            assert len(targets) == w["references"]["distinct_targets"]
    found = {k: v for k, v in found.items() if k[0] not in uncertain}
    expected = {k: v for k, v in expected.items() if k[0] not in uncertain}
    assert found == expected
    if not conflicting:
        dangling = set(graph.one(
            "MATCH (b:Instance) WHERE b:Missing RETURN collect(b.SOPInstanceUID)"))
        assert dangling == {to for (_, to), resolved in expected.items() if not resolved}


def _frames_equal(graph: TestGraph, winners: dict[str, Any]) -> None:
    expected: dict[str, set[str]] = defaultdict(set)
    for w in winners.values():
        if w["frame_of_reference_uid"]:
            expected[w["frame_of_reference_uid"]].add(w["series_uid"])
    found: dict[str, set[str]] = defaultdict(set)
    for r in graph.read("MATCH (s:Series)-[:IN_FRAME {source: 'MODULE'}]->(f:FrameOfReference) "
                        "RETURN f.FrameOfReferenceUID AS frame, s.SeriesInstanceUID AS series"):
        found[r["frame"]].add(r["series"])
    assert found == expected

"""Every row of the reference table against a real Neo4j: one object a row, all read in one run.

The whole graph is compared with what the rows say, edge by edge.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.data.row_edges import (
    EDGE_TYPES,
    KEPT,
    NESTED,
    NOT_KEPT,
    Edge,
    expected,
    hits,
    placed,
    text,
)
from tests.data.rows import BY_ID, ROWS, TABLE, cases
from tests.server.conftest import State, TestGraph, check_invariants

pytestmark = pytest.mark.server

# Rows that no object has, each with its reason.
NOT_EXERCISED: dict[str, str] = {}
# The stated edges; series edges of REFERENCES and transforms of registrations are derived.
EDGES = """\
MATCH (a)-[r]->(b)
WHERE type(r) IN $types AND NOT (type(r) = 'REFERENCES' AND a:Series AND b:Series)
  AND (type(r) <> 'REGISTERED_TO' OR r.legacy)
RETURN coalesce(r.reg_uid, split(a.key, '#')[0], a.SOPInstanceUID, a.SeriesInstanceUID) AS source,
  CASE WHEN a.key IS NOT NULL THEN labels(a)[0] + ' #' + split(a.key, '#')[1]
       WHEN a:FrameOfReference THEN 'FrameOfReference ' + a.FrameOfReferenceUID
       ELSE head([l IN labels(a) WHERE l IN ['Instance', 'Series']]) END AS start,
  type(r) AS type, properties(r) AS properties, labels(b) AS labels,
  coalesce(b.SOPInstanceUID, b.SeriesInstanceUID, b.StudyInstanceUID, b.FrameOfReferenceUID,
           b.uid) AS target"""
KEYS = ["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID", "uid"]
OTHER_LABELS = ("Series", "Study", "FrameOfReference")


@pytest.fixture(scope="module")
def graph_of_rows(
    session_graph: TestGraph, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestGraph]:
    folder: Path = tmp_path_factory.mktemp("rows")
    for number, case in enumerate(cases()):
        case.write(folder, number)
    session_graph.wipe()
    summary = session_graph.ingest(folder)
    assert summary.progress.states == {State.INDEXED: len(cases())}
    yield session_graph
    check_invariants(session_graph)


def edges_of(graph: TestGraph) -> list[Edge]:
    names = {key: case.name for case in cases() for key in (case.sop_uid, case.series_uid)}
    return [
        Edge(str(names.get(r["source"], r["source"])), r["type"], r["start"], _labels(r["labels"]),
             r["target"], text(r["properties"]))
        for r in graph.read(EDGES, types=EDGE_TYPES)]


def _labels(labels: list[str]) -> str:
    """All labels of an object; of another node what it is, and whether it is missing."""
    if "Instance" not in labels:
        labels = [label for label in labels
                  if label in (*OTHER_LABELS, "Missing") or not {*labels} & {*OTHER_LABELS}]
    return " ".join(sorted(labels))


def assert_same_edges(found: list[Edge], wanted: list[Edge]) -> None:
    """Compare edge by edge; only what differs is shown."""
    a, b = (Counter(map(" | ".join, edges)) for edges in (found, wanted))
    assert (sorted(a - b), sorted(b - a)) == ([], [])


# --- the set of objects --------------------------------------------------------------------------

def test_every_row_has_an_object() -> None:
    shown = {hit.row["id"] for case in cases() for hit in hits(case)}
    assert {row["id"] for row in ROWS} - shown == NOT_EXERCISED.keys()


def test_every_object_has_the_rows_that_it_is_there_for() -> None:
    lacking = {case.name: {*case.rows} - {hit.row["id"] for hit in hits(case)} for case in cases()}
    assert {name: rows for name, rows in lacking.items() if rows} == {}


def test_every_role_has_an_edge() -> None:
    made = "".join(edge.properties for case in cases() for edge in expected(case))
    assert [r["role"] for r in TABLE["roles"] if f'"role": "{r["role"]}"' not in made] == []


def test_every_qualifier_is_known() -> None:
    named = {q.rpartition("/")[2] for row in ROWS for q in row["qualifiers"]}
    assert named <= {*KEPT, *NOT_KEPT, *NESTED}


@pytest.mark.parametrize("name", sorted({*KEPT.values(), "items", "side", "in_evidence", "path"}))
def test_every_property_of_an_edge_is_stated_somewhere(name: str) -> None:
    made = [edge.properties for case in cases() for edge in expected(case)]
    assert any(f'"{name}": ' in properties for properties in made)


# --- the graph -----------------------------------------------------------------------------------

def test_edges(graph_of_rows: TestGraph) -> None:
    assert_same_edges(edges_of(graph_of_rows), [e for case in cases() for e in expected(case)])


def test_missing_nodes(graph_of_rows: TestGraph) -> None:
    found = graph_of_rows.read(
        "MATCH (n:Missing) RETURN coalesce(n.SOPInstanceUID, n.SeriesInstanceUID, "
        "n.StudyInstanceUID) AS key")
    wanted = {e.target_key for case in cases() for e in expected(case)
              if "Missing" in e.target_labels.split()}
    wanted |= {series for case in cases() for series, _ in placed(case)}
    assert sorted(r["key"] for r in found) == sorted(wanted)


def test_targets_hang_under_the_series_that_is_stated(graph_of_rows: TestGraph) -> None:
    found = graph_of_rows.read(
        "MATCH (s:Series)-[:HAS_INSTANCE {stated: true}]->(i:Instance) "
        "RETURN s.SeriesInstanceUID AS series, i.SOPInstanceUID AS uid")
    assert {(r["series"], r["uid"]) for r in found} == {
        pair for case in cases() for pair in placed(case)}


def test_rows_without_an_edge_leave_no_node(graph_of_rows: TestGraph) -> None:
    silent = {hit.uid: case.name for case in cases() for hit in hits(case)
              if hit.row["edge"] == "-"}
    for case in cases():
        for edge in expected(case):
            silent.pop(edge.target_key, None)
        for series, _ in placed(case):
            silent.pop(series, None)
    assert len({BY_ID[row]["id"] for case in cases() for row in case.rows
                if case.name in silent.values()}) > 40
    found = graph_of_rows.read(
        "MATCH (n) WITH n, [k IN $keys WHERE n[k] IN $uids | n[k]] AS named "
        "WHERE size(named) > 0 RETURN labels(n) AS labels, named[0] AS uid",
        keys=KEYS, uids=sorted(silent))
    assert [(r["labels"], silent[r["uid"]]) for r in found] == []


def test_kinds_of_frames(graph_of_rows: TestGraph) -> None:
    found = {r["role"]: r["kinds"] for r in graph_of_rows.read(
        "MATCH ()-[r:REFERENCES_FRAME]->(f:FrameOfReference) WITH r.role AS role, f.kind AS kind "
        "ORDER BY kind RETURN role, collect(DISTINCT kind) AS kinds")}
    assert found.pop("EQUIPMENT_FRAME") == ["EQUIPMENT"]
    assert set(map(tuple, found.values())) == {("PATIENT",)}

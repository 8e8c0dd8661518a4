"""What archives announce: Missing nodes in their place until files say more."""

from pathlib import Path
from typing import Any

import pytest

from rtgraph.graphmodel.schema import schema
from rtgraph.pacs.announce import announce, of_answers
from rtgraph.pacs.query import Level, Query, Row
from tests.data.small import uid, write_object
from tests.server.conftest import TestGraph

pytestmark = pytest.mark.server
EXPECTED = ("expected_n_series", "expected_n_instances")
CT, PLAN = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.481.5"


def tell(graph: TestGraph, level: Level, *rows: Row) -> None:
    async def work() -> None:
        key = await graph.store.prepare(schema())
        await announce(graph.store, of_answers(key, Query(level), rows), "run")

    graph.run(work())


def study(name: str = "study", n: int | None = 2, patient: str | None = "PAT-1") -> Row:
    return {"StudyInstanceUID": uid(name), "PatientID": patient, "IssuerOfPatientID": None,
            "NumberOfStudyRelatedSeries": None if n is None else str(n)}


def series(name: str = "series", n: int = 3, of: str = "study", modality: str = "CT") -> Row:
    return study(of, None) | {
        "SeriesInstanceUID": uid(name), "Modality": modality,
        "NumberOfSeriesRelatedInstances": str(n)}


def image(name: str, of: str = "series", sop_class: str = CT, **more: Any) -> Row:
    return study(n=None, **more) | {"SeriesInstanceUID": uid(of), "SOPInstanceUID": uid(name),
                                    "SOPClassUID": sop_class}


def placed(graph: TestGraph) -> list[tuple[str, ...]]:
    """Edges of the hierarchy: kind, stated or not, and whether the lower end is missing."""
    return sorted((r["kind"], str(r["stated"]), str(r["missing"])) for r in graph.read(
        "MATCH (a)-[h:HAS_STUDY|HAS_SERIES|HAS_INSTANCE]->(b) RETURN type(h) AS kind, "
        "h.stated AS stated, b:Missing AS missing"))


def test_a_study_is_there_as_a_missing_node_with_its_patient(graph: TestGraph) -> None:
    tell(graph, Level.study, study())
    (row,) = graph.read(
        "MATCH (p:Patient)-[h:HAS_STUDY]->(t:Study:Missing) RETURN p.PatientID AS id, "
        "t.in_archive AS told, t.expected_n_series AS n, h.stated AS stated")
    assert row == {"id": "PAT-1", "told": True, "n": 2, "stated": True}
    before = graph.content()
    tell(graph, Level.study, study())
    assert graph.content() == before


def test_levels_below_are_placed_where_the_archive_says(graph: TestGraph) -> None:
    tell(graph, Level.series, series(), series("plans", 1, modality="RTPLAN"))
    tell(graph, Level.image, image("a"), image("b"), image("plan", "plans", PLAN))
    assert placed(graph) == sorted([
        ("HAS_STUDY", "True", "True"), *[("HAS_SERIES", "True", "True")] * 2,
        *[("HAS_INSTANCE", "True", "True")] * 3])
    labels = {r["uid"]: sorted(r["labels"]) for r in graph.read(
        "MATCH (i:Instance) RETURN i.SOPInstanceUID AS uid, labels(i) AS labels")}
    assert labels[uid("a")] == ["CTImage", "Image", "Instance", "Missing"]
    assert labels[uid("plan")] == ["Instance", "Missing", "RTPlan"]
    assert graph.one("MATCH (s:CTSeries) RETURN s.n_missing_instances AS n") == 2
    assert graph.one("MATCH (t:Study) RETURN t.n_series AS n") == 0


@pytest.mark.parametrize("first", ["files", "archive"])
def test_files_take_the_place_of_what_was_announced(
    graph: TestGraph, tmp_path: Path, first: str
) -> None:
    for name in ("a", "b", "c"):
        write_object(tmp_path / f"{name}.dcm", name)
    graph.ingest(tmp_path)
    alone = graph.content(EXPECTED)
    if first == "archive":
        graph.wipe()
    tell(graph, Level.study, study(n=1))
    tell(graph, Level.series, series())
    tell(graph, Level.image, *map(image, "abc"))
    graph.ingest(tmp_path)
    assert graph.content(EXPECTED) == alone
    assert graph.read("MATCH (n) WHERE n.in_archive IS NOT NULL RETURN n") == []
    assert {s for _, s, _ in placed(graph)} == {"None"}
    assert graph.one("MATCH (s:Series) RETURN s.expected_n_instances AS n") == 3


def test_a_shortfall_shows(graph: TestGraph, tmp_path: Path) -> None:
    write_object(tmp_path / "a.dcm", "a")
    graph.ingest(tmp_path)
    tell(graph, Level.study, study())
    tell(graph, Level.series, series())
    tell(graph, Level.image, *map(image, "abc"))
    (row,) = graph.read("MATCH (s:Series) RETURN s.n_instances AS n, s.expected_n_instances AS "
                        "expected, s.n_missing_instances AS missing")
    assert row == {"n": 1, "expected": 3, "missing": 2}
    assert graph.one("MATCH (t:Study) RETURN t.expected_n_series AS n") == 2


def test_a_file_corrects_where_the_archive_said_it_is(graph: TestGraph, tmp_path: Path) -> None:
    tell(graph, Level.image, image("a", "elsewhere", patient="OTHER"))
    tell(graph, Level.series, series("series", of="another study"))
    write_object(tmp_path / "a.dcm", "a")
    graph.ingest(tmp_path)
    rows = graph.read("MATCH (p:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s:Series)"
                      "-[:HAS_INSTANCE]->(i:Instance) RETURN p.PatientID AS id, "
                      "s.SeriesInstanceUID AS series")
    assert rows == [{"id": "PAT-1", "series": uid("series")}]
    assert graph.one("MATCH (:Study)-[h:HAS_SERIES]->(:Series {SeriesInstanceUID: $s}) "
                     "RETURN count(h) AS n", s=uid("series")) == 1


def test_an_issuer_that_the_archive_does_not_tell_makes_no_second_patient(
    graph: TestGraph, tmp_path: Path
) -> None:
    tell(graph, Level.study, study())
    write_object(tmp_path / "a.dcm", "a", IssuerOfPatientID="CLINIC")
    graph.ingest(tmp_path)
    assert graph.one("MATCH (p:Patient) RETURN count(p) AS n") == 1
    tell(graph, Level.study, study())
    assert graph.one("MATCH (p:Patient) RETURN p.IssuerOfPatientID AS issuer") == "CLINIC"
    assert placed(graph)[-1] == ("HAS_STUDY", "None", "False")


def test_pruning_leaves_what_an_archive_has(graph: TestGraph, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_object(tmp_path / f"{name}.dcm", name)
    graph.ingest(tmp_path)
    tell(graph, Level.image, image("c"), image("d", "other"))
    (tmp_path / "a.dcm").unlink()
    write_object(tmp_path / "b.dcm", "b", study="moved")
    graph.ingest(tmp_path, prune=True)
    told = graph.read("MATCH (n:Missing) WHERE n.in_archive RETURN coalesce(n.SOPInstanceUID, "
                      "n.SeriesInstanceUID) AS uid ORDER BY uid")
    assert {r["uid"] for r in told} == {uid("c"), uid("d"), uid("other")}


def test_answers_without_a_place_are_left_out(graph: TestGraph) -> None:
    tell(graph, Level.image, image("a") | {"StudyInstanceUID": None})
    assert graph.read("MATCH (n:Missing) RETURN n") == []

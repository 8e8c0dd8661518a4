"""Values of files in the graph: companions, and what the checks of the family VAL find."""

from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import RTDoseStorage

from rtgraph.cypher.header import Level
from rtgraph.cypher.library import check
from rtgraph.cypher.validate import Result, Status, run_checks
from tests.data.small import encoded, new, uid, with_value
from tests.server.conftest import TestGraph

pytestmark = pytest.mark.server


def write(path: Path, name: str, values: dict[str, bytes] | None = None, **of: Any) -> None:
    """Write an object; `values` are the bytes of elements, right or wrong."""
    raw = encoded(new(name, **of))
    for keyword, value in (values or {}).items():
        raw = with_value(raw, keyword, value)
    path.joinpath(f"{name}.dcm").write_bytes(raw)


def checked(graph: TestGraph, name: str) -> Result:
    """Run one check at any level."""
    return graph.run(run_checks(graph.store, [check(name)], level=Level.pixel)).results[0]


def test_one_finding_for_each_series_keyword_and_reason(graph: TestGraph, tmp_path: Path) -> None:
    for name, birth in (("a", b"19000101"), ("b", b"19000101"), ("c", b"19900231")):
        write(tmp_path, name, {"PatientBirthDate": birth, "Modality": b"CT-1"})
    write(tmp_path, "good", series="other", StudyDescription="Thorax")
    graph.ingest(tmp_path)
    result = checked(graph, "VAL-01")
    assert result.status is Status.warned
    assert result.population == 2
    series = uid("series")
    first = min(map(uid, "abc"))
    findings = {f.detail["reason"]: f for f in result.findings}
    assert {(f.subject, f.target, reason, str(f.severity), f.detail["raw"], f.detail["count"])
            for reason, f in findings.items()} == {
        (series, "PatientBirthDate", "PLACEHOLDER", "info", "19000101", 2),
        (series, "PatientBirthDate", "IMPOSSIBLE_DATE", "warning", "19900231", 1),
        (series, "Modality", "BAD_CHARACTERS", "warning", "CT-1", 3),
    }
    assert findings["BAD_CHARACTERS"].detail["first"] == first
    assert graph.one("MATCH (s:Series {SeriesInstanceUID: $uid}) RETURN s.Modality",
                     uid=series) == "CT-1"


def test_malformed_keys_are_found_by_their_own_check_alone(
    graph: TestGraph, tmp_path: Path
) -> None:
    write(tmp_path, "good", study="good study", series="good series", frame="good frame")
    wrong = {"SOPInstanceUID": b"1.2.abc", "SeriesInstanceUID": b"1.02.3",
             "StudyInstanceUID": b"1..2", "FrameOfReferenceUID": b"1." + b"2" * 70}
    write(tmp_path, "wrong", wrong, frame="frame")
    graph.ingest(tmp_path)
    result = checked(graph, "VAL-02")
    assert result.status is Status.failed
    assert {(f.subject, f.detail["kind"]) for f in result.findings} == {
        ("1.2.abc", "instance"), ("1.02.3", "series"), ("1..2", "study"),
        ("1." + "2" * 70, "frame")}
    assert {f.patient_key for f in result.findings} == {
        graph.one("MATCH (p:Patient) RETURN p.patient_key")}
    assert checked(graph, "VAL-01").findings == ()


def test_dates_that_cannot_be(graph: TestGraph, tmp_path: Path) -> None:
    for name, study_date in (("before", b"19400101"), ("after", b"29990101"), ("good", b"")):
        write(tmp_path, name, {"StudyDate": study_date} if study_date else None,
              study=name, series=name)
    graph.ingest(tmp_path)
    result = checked(graph, "VAL-03")
    assert result.population == 3
    assert {(f.subject, f.detail["birth"], f.detail["study"]) for f in result.findings} == {
        (uid("before"), "1950-01-02", "1940-01-01"), (uid("after"), "1950-01-02", "2999-01-01")}


def test_long_decimals(graph: TestGraph, tmp_path: Path) -> None:
    for name, scaling in (("long", b"0.000012345678901"), ("short", b"0.00001234567890")):
        write(tmp_path, name, {"DoseGridScaling": scaling}, series=name, modality="RTDOSE",
              sop_class=RTDoseStorage, DoseGridScaling="1")
    write(tmp_path, "image", {"PatientWeight": b"70.00000000000001"}, PatientWeight="70")
    graph.ingest(tmp_path)
    result = checked(graph, "VAL-04")
    assert result.population == 2
    assert [(f.subject, f.detail["values"]) for f in result.findings] == [(uid("long"), 1)]
    assert graph.read("MATCH (i:RTDose) RETURN i.DoseGridScaling AS x ORDER BY x") == [
        {"x": 0.00001234567890}, {"x": 0.000012345678901}]


@pytest.mark.parametrize("names", [False, True])
def test_companions_stand_beside_their_values(
    graph: TestGraph, tmp_path: Path, names: bool
) -> None:
    write(tmp_path, "a", {"StudyTime": b"10", "SeriesTime": b"1011",
                          "PatientName": "Doe^Ren\u00e9=\u5c71".encode(),
                          "SpecificCharacterSet": b"ISO_IR 192"},
          SpecificCharacterSet="ISO_IR 192")
    graph.ingest(tmp_path, names=names)
    assert graph.one("MATCH (t:Study) RETURN t.StudyTime_precision") == "HOUR"
    assert graph.one("MATCH (s:Series) RETURN s.SeriesTime_precision") == "MINUTE"
    kept = graph.one("MATCH (p:Patient) RETURN [p.PatientName, p.PatientName_norm, "
                     "p.PatientName_ideographic, p.PatientName_phonetic]")
    assert kept == (["Doe^Ren\u00e9", "doe^rene", "\u5c71", None] if names else [None] * 4)

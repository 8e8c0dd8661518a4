"""Profiles of references: any difference between a graph and the profile is a finding."""

import json
from pathlib import Path
from typing import Any

import pytest

from rtgraph.cypher.profile import compare, profile_text, read_profile
from rtgraph.cypher.report import Status
from rtgraph.errors import UsageError

PROFILE: list[dict[str, Any]] = [
    {"part": "objects", "modality": "CT", "n_patients": 2, "n_series": 3, "n_instances": 40,
     "n_missing": 0},
    {"part": "references", "role": "DOSE_PLAN", "source": "RTDose", "target": "RTPlan",
     "resolved": True, "same_frame": True, "n": 2},
    {"part": "frames", "kind": "PATIENT", "series": ["CT 1", "RTSTRUCT 1"], "n_patients": 1,
     "n": 2},
]


def changed(index: int, **values: object) -> list[dict[str, Any]]:
    return [row | values if k == index else row for k, row in enumerate(PROFILE)]


DIFFERENCES: list[tuple[str, list[dict[str, Any]], int]] = [
    # name              the copy                                             findings
    ("the same",        PROFILE,                                             0),
    ("other order",     PROFILE[::-1],                                       0),
    ("lost images",     changed(0, n_instances=39),                          1),
    ("new dangling",    changed(1, resolved=False),                          2),
    ("other frame",     changed(1, same_frame=False),                        2),
    ("one is gone",     PROFILE[:2],                                         1),
    ("one is new",      [*PROFILE, PROFILE[1] | {"role": "RECORD_PLAN"}],    1),
    ("frame split",     changed(2, series=["CT 1"]),                         2),
    ("nothing at all",  [],                                                  3),
]


@pytest.mark.parametrize(
    ("copy", "n"), [c[1:] for c in DIFFERENCES], ids=[c[0] for c in DIFFERENCES])
def test_every_difference_is_a_finding(copy: list[dict[str, Any]], n: int) -> None:
    report = compare(PROFILE, copy)
    (result,) = report.results
    assert len(result.findings) == n
    assert report.exit_code() == (1 if n else 0)
    assert result.population == 3
    assert len({(f.subject, f.target) for f in result.findings}) == n


def test_a_finding_says_both_numbers() -> None:
    (found,) = compare(PROFILE, changed(0, n_instances=39)).results[0].findings
    assert (found.subject, found.target) == ("objects", "modality CT")
    assert found.detail == {"n_instances": "39, not 40"}


def test_two_empty_graphs_were_not_compared() -> None:
    assert compare([], []).results[0].status is Status.not_checked


def test_a_profile_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "profile.jsonl"
    file.write_text(profile_text(PROFILE), encoding="utf-8")
    assert read_profile(file) == PROFILE
    assert json.loads(file.read_text(encoding="utf-8").splitlines()[0]) == {"schema_version": 1}


@pytest.mark.parametrize(("text", "problem"), [
    (None, "cannot be read"), ("", "no profile"), ("{}", "no profile"), ("x", "no profile"),
    ('{"schema_version": 7}', "has version 7"),
    ('{"schema_version": 1}\n{"part": "words"}', "no profile"),
])
def test_a_file_that_is_no_profile(tmp_path: Path, text: str | None, problem: str) -> None:
    file = tmp_path / "profile.jsonl"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=problem):
        read_profile(file)

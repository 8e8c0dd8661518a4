"""Profiles of references: files that hold counts, and what is no such file."""

import json
from pathlib import Path

import pytest

from rtgraph.cypher.profile import profile_text, read_profile
from rtgraph.errors import UsageError

PROFILE = [
    {"subject": "RTDOSE DOSE_PLAN", "edges": 2, "items": 2, "missing": 1, "same_frame": 1},
    {"subject": "series in frames", "edges": 4, "items": 1, "missing": 0, "same_frame": 4},
]


def test_a_profile_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "profile.jsonl"
    file.write_text(profile_text(PROFILE), encoding="utf-8")
    assert read_profile(file) == PROFILE
    assert json.loads(file.read_text(encoding="utf-8").splitlines()[0]) == {"schema_version": 1}


@pytest.mark.parametrize(("text", "problem"), [
    (None, "cannot be read"), ("", "no profile"), ("{}", "no profile"), ("x", "no profile"),
    ('{"schema_version": 7}', "has version 7"),
    ('{"schema_version": 1}\n{"subject": "RTDOSE DOSE_PLAN"}', "no profile"),
    ('{"schema_version": 1}\n[1]', "no profile"),
])
def test_a_file_that_is_no_profile(tmp_path: Path, text: str | None, problem: str) -> None:
    file = tmp_path / "profile.jsonl"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=problem):
        read_profile(file)

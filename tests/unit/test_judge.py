"""What a project makes of findings: baselines, waivers, suppressions, severities, thresholds."""

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rtgraph.cypher.header import Confidence, Severity
from rtgraph.cypher.judge import baseline_text, judge, read_baseline
from rtgraph.cypher.library import check, checks, protocol_checks
from rtgraph.cypher.policy import Policy, read_policy
from rtgraph.cypher.report import Finding, Report, Result, State, Status, fingerprint, issue_key
from rtgraph.errors import UnknownName, UsageError

REF, FOR = check("REF-01"), check("FOR-01")
KNOWN = [*checks(), *protocol_checks()]
TODAY = date(2027, 3, 1)
ERROR, WARNING, INFO = Severity.error, Severity.warning, Severity.info


def finding(subject: str, target: str | None = None, severity: Severity = ERROR,
            patient: str = "a" * 16, **detail: object) -> Finding:
    return Finding(patient, subject, target, severity, detail)


def report(*found: Finding, of: Any = FOR, population: int = 100, **more: Any) -> Report:
    status = Status.failed if found else Status.passed
    return Report((Result(of, status, found, population, total=len(found)),), **more)


def policy(**settings: Any) -> Policy:
    return read_policy(settings, KNOWN)


# --- identity ------------------------------------------------------------------------------------

def test_identity_is_what_the_header_names() -> None:
    first = finding("1.2", "1.9", role="DOSE_PLAN", n=1)
    assert issue_key(REF, first) == "REF-01|1.2|DOSE_PLAN"
    assert issue_key(FOR, first) == "FOR-01|1.2|1.9"
    assert issue_key(FOR, finding("1.2")) == "FOR-01|1.2|"
    # the target of REF-01 changes when a part of what is missing arrives; n and severity do too
    later = replace(first, target="1.8", severity=INFO, detail={"role": "DOSE_PLAN", "n": 7})
    assert fingerprint(REF, first) == fingerprint(REF, later)
    assert fingerprint(REF, first) != fingerprint(REF, finding("1.2", "1.9", role="DOSE_RECORD"))
    assert len(fingerprint(REF, first)) == 32


def test_keys_of_val_01_are_those_that_the_derived_pass_writes() -> None:
    text = finding("1.2.3", "PatientID", reason="TOO_LONG")
    assert issue_key(check("VAL-01"), text) == "VAL-01|1.2.3|PatientID|TOO_LONG"


# --- severities and thresholds -------------------------------------------------------------------

LIMITS: list[tuple[str, dict[str, object], Severity, int, int, Severity]] = [
    # name                 settings                                stated   n    of   severity
    ("nothing said",       {},                                     ERROR,   1,   100, ERROR),
    ("milder",             {"severity": "info"},                   ERROR,   1,   100, INFO),
    ("stricter",           {"severity": "ERROR"},                  INFO,    1,   100, ERROR),
    ("above a number",     {"error_above": 10},                    WARNING, 11,  100, ERROR),
    ("at the number",      {"error_above": 10},                    ERROR,   10,  100, WARNING),
    ("mild stays mild",    {"error_above": 10},                    INFO,    10,  100, INFO),
    ("above a share",      {"error_above": "1%"},                  WARNING, 2,   100, ERROR),
    ("at the share",       {"error_above": "1%"},                  ERROR,   1,   100, WARNING),
    ("a part of a percent", {"error_above": "0.5%"},               WARNING, 1,   100, ERROR),
    ("any is too much",    {"error_above": 0},                     INFO,    1,   100, ERROR),
    ("info, then error",   {"severity": "info", "error_above": "1%"}, WARNING, 1, 100, INFO),
    ("info, and error",    {"severity": "info", "error_above": "1%"}, WARNING, 2, 100, ERROR),
    ("below a warning",    {"warning_above": 5},                   ERROR,   5,   100, INFO),
    ("above a warning",    {"warning_above": 5},                   ERROR,   6,   100, WARNING),
    ("both, between",      {"warning_above": 5, "error_above": 9}, ERROR,   6,   100, WARNING),
    ("both, above",        {"warning_above": 5, "error_above": 9}, INFO,    10,  100, ERROR),
]


@pytest.mark.parametrize(("entry", "stated", "n", "of", "severity"),
                         [c[1:] for c in LIMITS], ids=[c[0] for c in LIMITS])
def test_severities_are_those_of_the_project(
    entry: dict[str, object], stated: Severity, n: int, of: int, severity: Severity
) -> None:
    found = [finding(f"1.{k}", severity=stated) for k in range(n)]
    judged = judge(report(*found, population=of), policy(checks={"FOR-01": entry}), today=TODAY)
    assert {f.severity for f in judged.results[0].findings} == {severity}
    assert judged.results[0].status is (Status.failed if severity is ERROR else Status.warned)
    assert judged.exit_code() == (1 if severity is ERROR else 0)


def test_accepted_findings_do_not_count_towards_a_threshold() -> None:
    rules = policy(checks={"FOR-01": {"error_above": 1}}, suppress=[
        {"check": "for-01", "subject": "1.1", "reason": "phantom", "author": "A"}])
    judged = judge(report(finding("1.1"), finding("1.2")), rules, today=TODAY)
    assert [f.severity for f in judged.results[0].findings] == [WARNING, WARNING]


def test_a_threshold_is_about_the_whole_graph_also_for_one_patient() -> None:
    one = Report((Result(FOR, Status.failed, (finding("1.1"),), 100, total=50),), patient="a" * 16)
    judged = judge(one, policy(checks={"FOR-01": {"error_above": 10}}), today=TODAY)
    assert judged.results[0].findings[0].severity is ERROR


def test_checks_that_did_not_finish_stay_as_they_are() -> None:
    errored = Report((Result(FOR, Status.errored, message="No."),))
    assert judge(errored, Policy(), today=TODAY).results == errored.results


# --- suppressions and waivers --------------------------------------------------------------------

ENTRY = {"check": "REF-01", "reason": "never exported", "author": "A. Physicist"}
SUPPRESSED = [
    # name              further keys of the entry                      fits
    ("all of a check",  {},                                            True),
    ("subject",         {"subject": "1.2"},                            True),
    ("other subject",   {"subject": "1.3"},                            False),
    ("role",            {"subject": "1.2", "role": "DOSE_PLAN"},       True),
    ("other role",      {"role": "DOSE_RECORD"},                       False),
    ("target",          {"target": "1.9"},                             True),
    ("until today",     {"expires": TODAY},                            True),
    ("over",            {"expires": date(2027, 2, 28)},                False),
]


@pytest.mark.parametrize(("more", "fits"), [c[1:] for c in SUPPRESSED],
                         ids=[c[0] for c in SUPPRESSED])
def test_suppressions(more: dict[str, object], fits: bool) -> None:
    found = report(finding("1.2", "1.9", role="DOSE_PLAN"), of=REF)
    judged = judge(found, policy(suppress=[ENTRY | more]), today=TODAY)
    (result,) = judged.results
    if fits:
        assert result.findings[0].state is State.suppressed
        assert result.findings[0].accepted == "A. Physicist: never exported"
        assert (result.status, judged.exit_code(), judged.notices) == (Status.accepted, 0, ())
    else:
        assert result.findings[0].state is State.new
        assert judged.exit_code() == 1
        assert len(judged.notices) == 1
        assert "REF-01" in judged.notices[0]


def test_suppressions_of_checks_that_did_not_run_are_not_called_unneeded() -> None:
    rules = policy(suppress=[ENTRY])
    assert judge(report(of=FOR), rules, today=TODAY).notices == ()
    assert judge(report(of=REF), rules, today=TODAY).notices == (
        "Nothing needs this suppression: REF-01 (by A. Physicist: never exported)",)
    assert judge(report(of=REF, patient="b" * 16), rules, today=TODAY).notices == ()


def test_waivers_of_the_graph() -> None:
    found = report(finding("1.2", role="DOSE_PLAN"), finding("1.3", role="DOSE_PLAN"), of=REF)
    judged = judge(found, Policy(), waivers={"REF-01|1.2|DOSE_PLAN": "B: agreed"}, today=TODAY)
    assert [(f.state, f.accepted) for f in judged.results[0].findings] == [
        (State.waived, "B: agreed"), (State.new, "")]
    assert judged.exit_code() == 1


# --- baselines -----------------------------------------------------------------------------------

def test_a_baseline_tells_new_known_and_fixed(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    before = report(finding("1.1"), finding("1.2"), finding("1.3"))
    file.write_text(baseline_text(before), encoding="utf-8")
    now = report(finding("1.2"), finding("1.3", severity=WARNING), finding("1.4"))
    judged = judge(now, Policy(), baseline=read_baseline(file), today=TODAY)
    assert [f.state for f in judged.results[0].findings] == [State.known, State.known, State.new]
    assert [(f.check, f.subject) for f in judged.fixed] == [("FOR-01", "1.1")]
    assert judged.exit_code() == 1
    known_only = judge(before, Policy(), baseline=read_baseline(file), today=TODAY)
    assert (known_only.exit_code(), known_only.results[0].status) == (0, Status.accepted)


def test_nothing_is_fixed_where_nobody_looked(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(baseline_text(report(finding("1.1"))), encoding="utf-8")
    for now in (report(of=REF), report(patient="a" * 16),
                Report((Result(FOR, Status.errored, message="No."),))):
        assert judge(now, Policy(), baseline=read_baseline(file), today=TODAY).fixed == ()


def test_a_baseline_keeps_what_nobody_else_accepted() -> None:
    rules = policy(suppress=[ENTRY | {"check": "FOR-01", "subject": "1.1"}])
    judged = judge(report(finding("1.1"), finding("1.2")), rules, today=TODAY)
    kept = json.loads(baseline_text(judged))["findings"]
    assert [row["subject"] for row in kept.values()] == ["1.2"]


@pytest.mark.parametrize(("text", "problem"), [
    (None, "cannot be read"), ("no json", "is no baseline"), ("[]", "is no baseline"),
    ('{"schema_version": 9, "findings": {}}', "has version 9"), ('{"findings": {}}', "no baseline"),
    ('{"schema_version": 1, "findings": {"x": {}}}', "no baseline"),
])
def test_a_file_that_is_no_baseline(tmp_path: Path, text: str | None, problem: str) -> None:
    file = tmp_path / "baseline.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=problem) as raised:
        read_baseline(file)
    assert "--write-baseline" in raised.value.hint


# --- heuristics ----------------------------------------------------------------------------------

def test_heuristic_findings_fail_a_run_only_when_asked() -> None:
    guess = replace(FOR, confidence=Confidence.heuristic)
    found = report(finding("1.1"), of=guess)
    assert found.exit_code() == 0
    assert replace(found, heuristics_count=True).exit_code() == 1


# --- settings and protocol files -----------------------------------------------------------------

WRONG: list[tuple[str, dict[str, Any], str]] = [
    # name settings problem
    ("unknown key", {"check": {}}, "Did you mean checks"),
    ("unknown check", {"checks": {"REF-1": {}}}, "Did you mean REF-01"),
    ("unknown limit", {"checks": {"FOR-01": {"severty": "info"}}}, "Did you mean severity"),
    ("no table", {"checks": {"FOR-01": "info"}}, "is a table"),
    ("checks no table", {"checks": []}, "a table for each"),
    ("severity", {"checks": {"FOR-01": {"severity": "bad"}}}, "info, warning, error"),
    ("threshold", {"checks": {"FOR-01": {"error_above": "few"}}}, "a share such as"),
    ("negative", {"checks": {"FOR-01": {"error_above": -1}}}, "a share such as"),
    ("true", {"checks": {"FOR-01": {"error_above": True}}}, "a share such as"),
    ("suppress no list", {"suppress": {}}, "under \\[\\[suppress"),
    ("no reason", {"suppress": [{"check": "REF-01", "author": "A"}]}, "needs a reason"),
    ("no author", {"suppress": [{"check": "REF-01", "reason": "x"}]}, "needs a author"),
    ("no check", {"suppress": [{"reason": "x", "author": "A"}]}, "needs a check"),
    ("check of entry", {"suppress": [ENTRY | {"check": "REF-99"}]}, "no check"),
    ("column", {"suppress": [ENTRY | {"rolle": "X"}]}, "Did you mean role"),
    ("column no text", {"suppress": [ENTRY | {"role": 5}]}, "are texts"),
    ("date", {"suppress": [ENTRY | {"expires": "soon"}]}, "a date such as"),
    ("protocol", {"protocol": 5}, "the path of a file"),
    ("protocol gone", {"protocol": "nowhere.toml"}, "cannot be read"),
]


@pytest.mark.parametrize(("settings", "problem"), [c[1:] for c in WRONG], ids=[c[0] for c in WRONG])
def test_mistakes_in_the_settings(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises((UsageError, UnknownName)) as raised:
        read_policy(settings, KNOWN)
    assert re.search(problem, f"{raised.value} {raised.value.hint}")
    assert raised.value.exit_code == 2


def write_protocol(folder: Path, text: str) -> Path:
    file = folder / "protocol.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_protocol_says_what_a_course_must_have(tmp_path: Path) -> None:
    file = write_protocol(tmp_path, """
title = "Prostate 2027"
[checks.FOR-01]
severity = "info"
[checks.REF-01]
severity = "info"
[[structures]]
names = ["PTV  60", "ptv60"]
type = "PTV"
severity = "error"
[[structures]]
names = ["Bladder"]
[[objects]]
modality = "rtrecord"
""")
    read = read_policy({"checks": {"FOR-01": {"severity": "warning"}}}, KNOWN, file)
    assert read.title == "Prostate 2027"
    assert read.parameters == {
        "protocol": [{"names": ["ptv 60", "ptv60"], "type": "PTV", "severity": "ERROR"},
                     {"names": ["bladder"], "type": None, "severity": "WARNING"}],
        "objects": [{"modality": "RTRECORD", "severity": "WARNING"}],
    }
    # what the project says about a check wins over the protocol
    assert read.limits["FOR-01"].severity is WARNING
    assert read.limits["REF-01"].severity is INFO


@pytest.mark.parametrize(("text", "problem"), [
    ("title = 5", "title in protocol.toml is a text"), ("= 5", "is no TOML file"),
    ("structure = []", "Did you mean structures"), ("[[structures]]\ntype = 'PTV'", "needs names"),
    ("[[structures]]\nnames = []", "needs names"), ("[[objects]]\nmodality = ''", "needs a modal"),
    ("[[objects]]\nmodality = 'CT'\nseverity = 'bad'", "severity of CT"),
    ("[[objects]]\nmodalities = 'CT'", "Did you mean modality"),
])
def test_mistakes_in_a_protocol(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_policy({}, KNOWN, write_protocol(tmp_path, text))
    assert problem in f"{raised.value} {raised.value.hint}"

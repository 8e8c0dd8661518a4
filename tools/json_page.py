"""The page about JSON: what each format looks like, printed by the code itself."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from rtgraph.cypher.header import Severity
from rtgraph.cypher.judge import baseline_text
from rtgraph.cypher.library import check
from rtgraph.cypher.profile import profile_text
from rtgraph.cypher.report import Finding, Report, Result, Status
from rtgraph.ingest.records import Found, Reason, Rejected
from rtgraph.ingest.rejected import line_of
from rtgraph.preprocess.differences import Difference
from rtgraph.preprocess.showing import as_json
from rtgraph.render import report_json, report_jsonl, rows_json, rows_jsonl

PATIENT = "4d1f0c9a72e3b856"
DOSE, PLAN = "1.2.840.99.7", "1.2.840.99.5"
REPORT = Report((
    Result(check("REF-01"), Status.failed, (
        Finding(PATIENT, DOSE, PLAN, Severity.error, {"role": "DOSE_PLAN"}),), 812, 0.25),
), started=datetime(2026, 5, 4, 9, 30, tzinfo=UTC), seconds=0.25)
COLUMNS = ["patient_key", "plan", "n_doses"]
ROWS = [{"patient_key": PATIENT, "plan": PLAN, "n_doses": 1}]
CHANGED = Difference("BeamSequence[BeamNumber=2].GantryAngle", "CHANGED", "90", "90.2")


def json_page() -> Iterator[str]:
    """Yield every format with an example."""
    yield "# JSON formats"
    yield ("Examples, made by the functions that make the outputs. Objects have a "
           "`schema_version`, which changes when a key gets another meaning or goes; new keys may "
           "come without it. Keys are sorted, times are in ISO 8601. JSON goes to stdout or a "
           "file, and never mixes with messages.")
    for title, text, example in _formats():
        yield f"## {title}"
        yield text
        yield f"```json\n{example.rstrip()}\n```"


def _formats() -> Iterator[tuple[str, str, str]]:
    yield ("Report", "`rtgraph validate -f json`. A check holds its findings; `state` says whether "
           "a finding is new or accepted, and `exit_code` is that of the command.",
           report_json(REPORT))
    yield ("Report as lines", "`rtgraph validate -f jsonl`: the run, then each check followed by "
           "its findings; `kind` tells them apart.", report_jsonl(REPORT))
    yield ("Baseline", "`rtgraph validate --write-baseline FILE`. The keys are digests of check, "
           "subject and target.", baseline_text(REPORT))
    yield ("Profile of references", "`rtgraph validate --reference-profile FILE`: the version, "
           "then what is counted and its counts; no UID.", profile_text([
               {"subject": "RTDOSE DOSE_PLAN", "edges": 6, "items": 6, "missing": 1,
                "same_frame": 5}]))
    yield ("Rows", "`rtgraph query run`, `rtgraph find` and others with `-f json`; `columns` keeps "
           "their order.", rows_json(COLUMNS, ROWS))
    yield ("Rows as lines", "The same with `-f jsonl`.", rows_jsonl(COLUMNS, ROWS))
    yield ("Differences", "`rtgraph compare A B -f json`. `kind` is CHANGED, ONLY_A or ONLY_B.",
           as_json([CHANGED, replace(CHANGED, path="RTPlanLabel", kind="ONLY_A", a="Boost", b="")],
                   identifiers=True))
    yield ("Rejected files", "A line of `rejects.jsonl`, which only its owner can read. "
           "[Reasons](reasons.md#reasons-of-rejection) are a closed list.",
           line_of(Rejected(Found("/data/archive/2025/a.dcm", "archive:2025/a.dcm"),
                            Reason.TRUNCATED, "the file ends in its identity")))

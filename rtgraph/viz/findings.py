"""Findings of the stored validations, and the boxes of the figure that they are about."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rtgraph.cypher.header import Check, Severity
from rtgraph.graphmodel.tables import Row
from rtgraph.text import one_line
from rtgraph.viz.boxes import Box
from rtgraph.viz.captions import shown

SEVERITIES = tuple(s.value for s in reversed(Severity))  # the worst first


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding that is open, or waived by a person; title and fix are those of its check.

    `about` is the UID or key of what it is about, `series_uid` its series when it is an object.
    """

    rule: str
    severity: str
    waived: bool
    title: str
    fix: str
    about: str
    series_uid: str | None
    target: str | None
    since: str


Findings = Mapping[str, Sequence[Finding]]


def read_findings(rows: Iterable[Row], checks: Mapping[str, Check]) -> list[Finding]:
    """Return the findings of rows of the lookup `issues-of-patient`, the worst first.

    Parameters
    ----------
    checks : mapping
        The checks by id; a rule of another version of the program has none.
    """
    today = date.today()
    found = [
        Finding(
            rule=one_line(row["rule"]),
            severity=str(row["severity"] or "").lower(),
            waived=row["status"] == "WAIVED" and (row["until"] is None or row["until"] >= today),
            title=checks[row["rule"]].title if row["rule"] in checks else "",
            fix=checks[row["rule"]].fix if row["rule"] in checks else "",
            about=str(row["about"] or row["subject"] or ""),
            series_uid=row["series_uid"],
            target=one_line(row["target"]) or None,
            since=shown(row["first_seen"])[:10] if row["first_seen"] else "",
        )
        for row in rows
    ]
    return sorted(found, key=lambda f: (
        f.waived, rank(f.severity), f.rule, f.about, f.target or ""))


def rank(severity: str) -> int:
    """Return the place of a severity, 0 for the worst; unknown ones are the mildest."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def placed(findings: Iterable[Finding], boxes: Iterable[Box]) -> tuple[Findings, list[Finding]]:
    """Return the findings of each box, and those that are about none.

    A finding about a part of an object (an ROI, a beam) is one of the object; one about an image,
    of its series; one about a series whose objects have boxes of their own, of each of them.
    """
    own: dict[str, str] = {}
    of_series: dict[str, list[str]] = defaultdict(list)
    for box in boxes:
        own[box.id] = box.id
        if box.series_uid is not None:
            of_series[box.series_uid].append(box.id)
    by_box: dict[str, list[Finding]] = defaultdict(list)
    others: list[Finding] = []
    for finding in findings:
        # the key of a part is the UID of its object and a number behind this sign
        uid = finding.about.partition("#")[0]
        if uid in own:
            by_box[uid].append(finding)
            continue
        homes = of_series.get(uid) or [
            box_id for box_id in of_series.get(finding.series_uid or "", ())
            if box_id == finding.series_uid]
        for box_id in homes:
            by_box[box_id].append(finding)
        if not homes:
            others.append(finding)
    return by_box, others


def is_open(findings: Findings, box_id: str) -> bool:
    """Tell whether a box has a finding that no one has waived."""
    return any(not finding.waived for finding in findings.get(box_id, ()))

"""A report as JUnit XML, which servers for continuous integration read: one test a check."""

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from rtgraph.cypher.header import Severity
from rtgraph.cypher.report import Finding, Report, Result, Status
from rtgraph.render.report import finding_map, share
from rtgraph.text import one_line, plain

# What XML 1.0 does not allow and `plain` leaves: two code points that are no characters.
_NO_XML = re.compile("[\ufffe\uffff]")


def report_junit(
    report: Report, fail_on: Severity = Severity.error, identifiers: bool = False
) -> str:
    """Return one test case for each check.

    A check fails when one of its findings makes the run fail; milder and accepted findings, and
    those of heuristics, stand in its output. Skipped and not checked are skipped.
    """
    suites = Element("testsuites", name="rtgraph validate")
    suite = SubElement(suites, "testsuite", {
        "name": "rtgraph validate", "timestamp": f"{report.started:%Y-%m-%dT%H:%M:%S}"})
    counted = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for result in report.results:
        kind = _case(suite, report, result, fail_on, identifiers)
        counted["tests"] += 1
        if kind:
            counted[kind] += 1
    for element in (suites, suite):
        element.attrib.update({n: str(k) for n, k in counted.items()})
        element.set("time", f"{report.seconds:.3f}")
    indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(suites, encoding="unicode") + "\n"


def _case(
    suite: Element, report: Report, result: Result, fail_on: Severity, identifiers: bool
) -> str:
    """Add a test case; return under what it counts besides tests."""
    check = result.check
    case = SubElement(suite, "testcase", {
        "classname": f"rtgraph.{check.family}", "name": _text(f"{check.id} {check.title}"),
        "time": f"{result.seconds:.3f}"})
    if result.status is Status.errored:
        SubElement(case, "error", message=_text(result.message))
        return "errors"
    if result.status in (Status.skipped, Status.not_checked):
        why = result.message or "nothing to look at"
        SubElement(case, "skipped", message=_text(why))
        return "skipped"
    failing = [f for f in result.findings if report.fails(result, f, fail_on)]
    others = [f for f in result.findings if not report.fails(result, f, fail_on)]

    def lines(found: list[Finding]) -> str:
        shown = (finding_map(check, f, identifiers) for f in found)
        return _text("\n".join(one_line({k: v for k, v in m.items() if v and k != "fingerprint"})
                               for m in shown))

    if failing:
        SubElement(case, "failure", type=result.severity,
                   message=_text(f"{share(result)}: {check.title}")).text = lines(failing)
    if others:
        SubElement(case, "system-out").text = lines(others)
    if result.partial and not failing:
        SubElement(case, "error", message=_text(result.message))
        return "errors"
    return "failures" if failing else ""


def _text(value: str) -> str:
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", plain(value))

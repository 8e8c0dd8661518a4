"""What all tests share: how Java runs, loggers as they were, and which skips are allowed.

With RTGRAPH_CI=1 a test fails instead of being skipped, but for the reasons listed here.
"""

import logging
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

# Most servers of the tests are short: Java compiles with its fast compiler only and does not verify
# jars whose digests are known.
QUICK = "-XX:TieredStopAtLevel=1"
os.environ.setdefault(
    "JAVA_TOOL_OPTIONS",
    f"-XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote {QUICK}")
DATA = Path(os.environ.get("RTGRAPH_TEST_DATA", Path(__file__).parents[1].parent / "shared/data"))
ALLOWED = [
    "the tests use another server",
    *([] if DATA.is_dir() else ["no folder of real files beside the repository"]),
]


@pytest.fixture
def unlogged() -> Iterator[None]:
    """Take off again what a command puts on loggers."""
    loggers = [logging.getLogger(name) for name in ("rtgraph", "rtgraph.terminal")]
    before = [(log, list(log.handlers), log.level) for log in loggers]
    yield
    for log, handlers, level in before:
        log.handlers[:] = handlers
        log.setLevel(level)


def _must_run(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("RTGRAPH_CI") and report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if not any(allowed in reason for allowed in ALLOWED):
            report.outcome, report.longrepr = "failed", f"not allowed in CI: {reason}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _must_run(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _must_run(report)
    return report

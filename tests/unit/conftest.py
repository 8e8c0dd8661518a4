"""What several unit tests use."""

import os
from pathlib import Path

import pytest

from tests.command import Command


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """The command line, out of reach of the user's settings and of variables."""
    for name in [n for n in os.environ if n.startswith(("RTGRAPH_", "NEO4J_"))]:
        monkeypatch.delenv(name)
    return Command(tmp_path, monkeypatch, capsys)

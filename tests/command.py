"""Run a command inside the test: `ended` does it, `Command` without a server and any settings."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import platformdirs
import pytest

from rtgraph.cli import main


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    stdout: str
    stderr: str


def ended(
    patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: Sequence[object],
    environment: Mapping[str, str],
) -> Ended:
    """Run a command of rtgraph, however it ends."""
    capsys.readouterr()
    with patch.context() as changed:
        for name, value in environment.items():
            changed.setenv(name, value)
        changed.setattr(sys, "argv", ["rtgraph", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    assert isinstance(left.value.code, int)
    return Ended(left.value.code, printed.out, printed.err)


class Command:
    """The command line in an empty folder: no settings of the user, no server that answers."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch,
                 capsys: pytest.CaptureFixture[str]) -> None:
        self.work, self.user = folder / "work", folder / "user"
        self.work.mkdir()
        self._patch, self._capsys = patch, capsys
        patch.chdir(self.work)
        patch.setattr(platformdirs, "user_config_dir", lambda *a, **k: str(self.user))
        patch.setattr(platformdirs, "user_cache_dir", lambda *a, **k: str(folder / "cache"))
        patch.setattr(platformdirs, "user_data_dir", lambda *a, **k: str(folder / "data"))

    def write(self, text: str) -> None:
        """Write the settings of the project."""
        (self.work / "rtgraph.toml").write_text(text, encoding="utf-8")

    def __call__(self, *words: object, code: int = 0, **environment: str) -> Ended:
        done = ended(self._patch, self._capsys, words, environment)
        assert done.code == code, done.stdout + done.stderr
        return done

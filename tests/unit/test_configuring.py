"""init and config show: what is written can be set, what is set is shown with its origin."""

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rtgraph import config
from rtgraph.cli.configuring import commented
from rtgraph.settings import SETTINGS
from tests.command import Command

SECRET = "canary-of-a-password"


def shown(command: Command, *words: str, code: int = 0, **environment: str
          ) -> dict[str, tuple[Any, str]]:
    """Return value and origin by key."""
    printed = command("config", "show", "-f", "json", *words, code=code, **environment).stdout
    rows = json.loads(printed)["rows"]
    return {r["key"]: (r["value"], r["origin"]) for r in rows}


def test_init_writes_a_file_that_changes_nothing(command: Command) -> None:
    said = command("init")
    assert "rtgraph.toml is written" in said.stderr
    assert config.load() == config.load(folder=command.user)
    text = (command.work / "rtgraph.toml").read_text(encoding="utf-8")
    assert set(tomllib.loads(text)) == set(config.section_names())
    assert all(len(section) == 0 for section in tomllib.loads(text).values())
    command("init", code=3)
    command("init", "--force")


def test_init_names_every_setting_but_secrets_once() -> None:
    text = "\n".join(commented())
    for setting in SETTINGS:
        section, _, name = setting.key.partition(".")
        part = text.split(f"[{section}]")[1].split("\n[")[0]
        assert len(re.findall(rf"^# {name} =", part, re.MULTILINE)) == (not setting.secret)


def test_the_defaults_of_init_are_the_defaults(command: Command) -> None:
    text = "\n".join(commented())
    # every line that gives a value, as when its # is removed
    command.write(re.sub(r"^# ([a-z_.\[\]A-Z0-9-]+(?: = .+)?)$", r"\1", text, flags=re.MULTILINE))
    found = config.load()
    plain = config.load(folder=command.user)
    assert replace(found, roots={}, validate={}, nodes={}) == plain
    assert found.node().host == "pacs.example.org"
    assert found.roots == {"archive": Path("/data/archive")}
    assert found.validate["checks"] == {"FOR-08": {"severity": "info", "error_above": "1%"}}


def test_init_writes_the_file_of_the_user_or_to_stdout(command: Command) -> None:
    command("init", "--user")
    assert (command.user / "rtgraph.toml").exists()
    assert not (command.work / "rtgraph.toml").exists()
    assert command("init", "-o", "-").stdout == "\n".join(commented()) + "\n"


def test_config_show_tells_value_and_origin(command: Command) -> None:
    command.user.mkdir()
    (command.user / "rtgraph.toml").write_text(
        '[server]\nuser = "reader"\n[validate.checks.FOR-08]\nseverity = "info"\n', "utf-8")
    command.write('[roots]\narchive = "/data/archive"\n[ingest]\nwriters = 3\n')
    found = shown(command, "--uri", "bolt://server:1", RTGRAPH_JOBS="7")
    assert {s.key for s in SETTINGS} <= set(found)
    assert {k: found[k] for k in found if found[k][1] != "default"} == {
        "server.uri": ("bolt://server:1", "option"),
        "server.user": ("reader", "rtgraph.toml of the user"),
        "ingest.jobs": (7, "RTGRAPH_JOBS"),
        "ingest.writers": (3, "rtgraph.toml"),
        "roots.archive": ("/data/archive", "rtgraph.toml"),
        "validate.checks.FOR-08.severity": ("info", "rtgraph.toml of the user"),
    }
    assert found["ingest.batch"] == (5000, "default")


@pytest.mark.parametrize("form", ["table", "csv", "json", "jsonl"])
def test_config_show_hides_the_password(command: Command, form: str) -> None:
    said = command("config", "show", "-f", form, RTGRAPH_PASSWORD=SECRET)
    assert SECRET not in said.stdout + said.stderr
    assert "(hidden)" in said.stdout
    assert "RTGRAPH_PASSWORD" in said.stdout


def test_a_misspelt_key_is_told_before_anything_is_shown(command: Command) -> None:
    command.write("[server]\nurl = 'x'\n")
    said = command("config", "show", code=2)
    assert "Did you mean server.uri?" in said.stderr
    assert said.stdout == ""

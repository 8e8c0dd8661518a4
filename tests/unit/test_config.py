"""Settings: who wins, where values come from, what is refused, and that secrets stay secret."""

import os
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from rtgraph.config import Node, Settings, load
from rtgraph.errors import UnknownName, UsageError
from rtgraph.settings import NODE_SETTINGS, SETTINGS

PROJECT, USER = "rtgraph.toml", "rtgraph.toml of the user"
OWN, THEIRS = "RTGRAPH_URI", "NEO4J_URI"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The folder of the project and that of the user's settings, both empty."""
    project, user = tmp_path / "project", tmp_path / "user"
    project.mkdir()
    user.mkdir()
    monkeypatch.setattr(platformdirs, "user_config_dir", lambda *a, **k: str(user))
    return project, user


def write(folder: Path, text: str) -> None:
    (folder / "rtgraph.toml").write_text(text, encoding="utf-8")


# --- precedence ----------------------------------------------------------------------------------

BOTH = {OWN: "own", THEIRS: "neo4j"}
PRECEDENCE: list[tuple[str, dict[str, object], dict[str, str], str, str, str, str | None]] = [
    # name             options            environment         project user    uri       origin
    ("option",         {"uri": "option"}, BOTH,               "file", "user", "option", "option"),
    ("None",           {"uri": None},     BOTH,               "",     "",     "own",    OWN),
    ("own variable",   {},                BOTH,               "file", "user", "own",    OWN),
    ("their variable", {},                {THEIRS: "neo4j"},  "file", "user", "neo4j",  THEIRS),
    ("empty own",      {},                BOTH | {OWN: ""},   "",     "",     "neo4j",  THEIRS),
    ("empty variable", {},                {OWN: ""},          "file", "",     "file",   PROJECT),
    ("project file",   {},                {},                 "file", "user", "file",   PROJECT),
    ("user file",      {},                {},                 "",     "user", "user",   USER),
    ("default",        {},                {},                 "",     "",     "",       None),
]


@pytest.mark.parametrize(
    ("options", "environment", "project", "user", "uri", "origin"),
    [c[1:] for c in PRECEDENCE], ids=[c[0] for c in PRECEDENCE])
def test_precedence(
    folders: tuple[Path, Path], options: dict[str, object], environment: dict[str, str],
    project: str, user: str, uri: str, origin: str | None,
) -> None:
    for folder, value in zip(folders, (project, user), strict=True):
        if value:
            write(folder, f'[server]\nuri = "{value}"\n')
    found = load(options, environment, folders[0])
    assert found.uri == (uri or None)
    assert found.origin.get("uri") == origin


def test_files_are_merged_key_by_key(folders: tuple[Path, Path]) -> None:
    write(folders[1], '[server]\nuri = "user"\nuser = "reader"\n[roots]\na = "/a"\nb = "/b"\n')
    write(folders[0], '[server]\nuri = "project"\n[roots]\nb = "/other"\n')
    found = load({}, {}, folders[0])
    assert (found.uri, found.user) == ("project", "reader")
    assert found.origin == {"uri": PROJECT, "user": USER, "roots.a": USER, "roots.b": PROJECT}
    assert found.roots == {"a": Path("/a"), "b": Path("/other")}


def test_the_section_about_checks_is_merged_and_kept_as_it_stands(
    folders: tuple[Path, Path]
) -> None:
    entry = '[[validate.suppress]]\ncheck = "{}"\n'
    write(folders[1], '[validate]\nprotocol = "a"\n[validate.checks.A]\nx = 1\n'
          '[validate.checks.B]\nx = 1\n' + entry.format("user"))
    write(folders[0], '[validate]\nprotocol = "b"\n[validate.checks.B]\ny = 2\n'
          + entry.format("project"))
    found = load({}, {}, folders[0])
    assert found.validate == {
        "protocol": "b", "checks": {"A": {"x": 1}, "B": {"y": 2}},
        "suppress": [{"check": "user"}, {"check": "project"}],
    }
    assert {found.origin[f"validate.{n}"] for n in ("protocol", "checks.B.y")} == {PROJECT}
    assert found.origin["validate.checks.A.x"] == USER
    assert found.origin["validate.suppress"] == f"{USER}, {PROJECT}"


def test_the_process_gives_environment_and_folder(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folders[0], "[ingest]\njobs = 3\n")
    monkeypatch.chdir(folders[0])
    monkeypatch.setenv("RTGRAPH_WRITERS", "5")
    found = load()
    assert (found.jobs, found.writers) == (3, 5)


# --- declarations --------------------------------------------------------------------------------

def test_declarations_and_the_class_agree(folders: tuple[Path, Path]) -> None:
    assert len({s.name for s in SETTINGS}) == len({s.key for s in SETTINGS}) == len(SETTINGS)
    assert {f.name for f in fields(Settings)} == {
        "nodes", "roots", "validate", "origin", *(s.name for s in SETTINGS)}
    variables = [v for s in SETTINGS for v in s.environment]
    assert len(variables) == len(set(variables))
    assert all(v.startswith(("RTGRAPH_", "NEO4J_")) for v in variables)
    found = load({}, {}, folders[0])
    assert found == Settings()
    for setting in SETTINGS:
        if setting.name != "home":  # its default depends on the machine
            assert getattr(found, setting.name) == setting.default
    assert found.home.name == "rtgraph"


READ: list[tuple[str, str, object]] = [
    # variable                 text           value
    ("RTGRAPH_PATIENCE",       "1.5",         1.5),
    ("RTGRAPH_PATIENCE",       "0",           0.0),
    ("RTGRAPH_BOLT_PORT",      "7687",        7687),
    ("RTGRAPH_OFFLINE",        "Yes",         True),
    ("RTGRAPH_OFFLINE",        "0",           False),
    ("RTGRAPH_NAMES",          "true",        True),
    ("RTGRAPH_JOBS",           "4",           4),
    ("RTGRAPH_HOME",           "~/graph",     Path.home() / "graph"),
    ("NEO4J_USERNAME",         "reader",      "reader"),
    ("NEO4J_DATABASE",         "research",    "research"),
]


@pytest.mark.parametrize(("variable", "text", "value"), READ,
                         ids=[f"{c[0]} {c[1]}" for c in READ])
def test_variables(folders: tuple[Path, Path], variable: str, text: str, value: object) -> None:
    (setting,) = (s for s in SETTINGS if variable in s.environment)
    found = load({}, {variable: text}, folders[0])
    assert getattr(found, setting.name) == value
    assert found.origin == {setting.name: variable}


# --- what is refused -----------------------------------------------------------------------------

NUMBER, PORT = "a number from 1 is expected", "a port from 1 to 65535 is expected"
TITLE = "an AE title of 1 to 16 characters is expected"
SECONDS, TEXT, PATH = "a number of seconds is expected", "text is expected", "a path is expected"
REFUSED = [
    # name                  key                  value in the file   message
    ("no number",           "ingest.jobs",       "'many'",           NUMBER),
    ("zero",                "ingest.writers",    "0",                NUMBER),
    ("fraction",            "ingest.batch",      "2.5",              NUMBER),
    ("truth for a number",  "ingest.jobs",       "true",             NUMBER),
    ("port",                "local.bolt_port",   "65536",            PORT),
    ("negative patience",   "server.patience",   "-1",               SECONDS),
    ("no patience",         "server.patience",   "nan",              SECONDS),
    ("endless patience",    "server.patience",   "inf",              SECONDS),
    ("number for a text",   "server.uri",        "7687",             TEXT),
    ("list for a text",     "server.user",       "['a']",            TEXT),
    ("perhaps",             "local.offline",     "'perhaps'",        "true or false is expected"),
    ("number for a path",   "local.home",        "3",                PATH),
    ("empty path",          "local.home",        "''",               PATH),
    ("home of nobody",      "local.home",        "'~no-user/x'",     "the home of that user is"),
    ("root without a path", "roots.a",           "1",                PATH),
    ("root with a colon",   "roots.'a:b'",       "'/a'",             "a name without a colon"),
    ("long AE title",       "pacs.ae_title",     "'12345678901234567'", TITLE),
    ("empty AE title",      "pacs.ae_title",     "' '",              TITLE),
    ("AE title, backslash", "pacs.ae_title",     "'A\\B'",           TITLE),
    ("AE title, letters",   "pacs.ae_title",     "'ÄRZTE'",          TITLE),
    ("numbers for titles",  "pacs.callers",      "[1]",              "a list of texts"),
    ("no network",          "pacs.allow",        "['10.0.0.0/99']",  "addresses or networks"),
    ("name for a network",  "pacs.allow",        "'host.example'",   "addresses or networks"),
    ("small PDU",           "pacs.max_pdu",      "100",              "bytes from 4096"),
    ("negative PDU",        "pacs.max_pdu",      "-1",               "bytes from 4096"),
    ("no size",             "pacs.min_free",     "'2X'",             "a size is expected"),
    ("no way to sync",      "pacs.sync",         "'always'",         "one of file, association"),
    ("node without port",   "nodes.a",           "{ae_title = 'A', host = 'h'}", "ae_title, host"),
    ("node that is a text", "nodes.a",           "'host'",           "a section"),
]


@pytest.mark.parametrize(("key", "value", "message"), [c[1:] for c in REFUSED],
                         ids=[c[0] for c in REFUSED])
def test_wrong_values(folders: tuple[Path, Path], key: str, value: str, message: str) -> None:
    write(folders[0], f"{key} = {value}\n")
    stated = key.replace("'", "")
    with pytest.raises(UsageError, match=f"{stated} from rtgraph.toml: {message}") as error:
        load({}, {}, folders[0])
    assert error.value.exit_code == 2


def test_a_wrong_value_of_an_archive_is_named(folders: tuple[Path, Path]) -> None:
    write(folders[0], "[nodes.a]\nport = 0\n")
    with pytest.raises(UsageError, match=r"nodes\.a\.port from rtgraph\.toml: a port"):
        load({}, {}, folders[0])
    write(folders[0], "[nodes.a]\nhots = 'h'\n")
    with pytest.raises(UnknownName, match=r"setting of nodes\.a") as error:
        load({}, {}, folders[0])
    assert error.value.hint == "Did you mean host?"


def test_archives_are_read_by_name(folders: tuple[Path, Path]) -> None:
    write(folders[1], "[nodes.a]\nurl = 'http://user'\n[nodes.b]\nurl = 'http://b'\n")
    write(folders[0], "[nodes.a]\nae_title = 'A'\nhost = 'h'\nport = 104\npause = 1.5\n")
    found = load({}, {}, folders[0])
    assert found.nodes == {
        "a": Node("a", "A", "h", 104, pause=1.5), "b": Node("b", url="http://b")}
    assert found.node("b").url == "http://b"
    with pytest.raises(UnknownName, match="no archive named 'c'"):
        found.node("c")
    with pytest.raises(UsageError, match="Several archives"):
        found.node()
    with pytest.raises(UsageError, match="No archive is known"):
        Settings().node()


def test_the_declarations_of_an_archive_agree_with_its_class() -> None:
    assert {f.name for f in fields(Node)} == {s.key for s in NODE_SETTINGS} | {"name"}
    empty = Node("a")
    assert all(getattr(empty, s.name) == s.default for s in NODE_SETTINGS)


@pytest.mark.parametrize(("given", "shown"), [
    ({}, True), ({"tls": True}, False), ({"passcode_file": None}, False), ({"user": None}, False),
    ({"url": "http://host/dicom-web"}, True), ({"url": "http://host", "tls": True}, True),
    ({"url": "HTTPS://host/dicom-web"}, False)])
def test_a_passcode_without_tls_is_shown(given: dict[str, Any], shown: bool) -> None:
    values: dict[str, Any] = {"name": "a", "user": "u", "passcode_file": Path("passcode"), **given}
    assert Node(**values).shows_passcode is shown


def test_the_passcode_of_a_user_is_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "passcode"
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    assert Node("a", passcode_file=file).read_passcode() == SECRET
    assert Node("a").read_passcode() is None
    with pytest.raises(UsageError, match="passcode file cannot be read"):
        Node("a", passcode_file=tmp_path / "none").read_passcode()


VALUES: list[tuple[str, str, str, object]] = [
    # name           key                 value in the file          value
    ("size",         "pacs.min_free",    "'2g'",                    2 * 1024**3),
    ("bytes",        "pacs.min_free",    "500",                     500),
    ("no limit",     "pacs.max_pdu",     "0",                       0),
    ("networks",     "pacs.allow",       "['10.1.0.0/16', '::1']",  ("10.1.0.0/16", "::1")),
    ("with commas",  "pacs.callers",     "'A, B'",                  ("A", "B")),
]


@pytest.mark.parametrize(("key", "value", "read"), [c[1:] for c in VALUES],
                         ids=[c[0] for c in VALUES])
def test_values_of_the_receiver(
    folders: tuple[Path, Path], key: str, value: str, read: object
) -> None:
    write(folders[0], f"{key} = {value}\n")
    assert getattr(load({}, {}, folders[0]), key.split(".")[1]) == read


@pytest.mark.parametrize("content", [b"[server\n", b"\xff"], ids=["no TOML", "no UTF-8"])
def test_a_file_that_cannot_be_read(folders: tuple[Path, Path], content: bytes) -> None:
    (folders[0] / "rtgraph.toml").write_bytes(content)
    with pytest.raises(UsageError, match=r"rtgraph\.toml cannot be read: "):
        load({}, {}, folders[0])


def test_a_wrong_variable_is_named(folders: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match=r"local\.http_port from RTGRAPH_HTTP_PORT: a port"):
        load({}, {"RTGRAPH_HTTP_PORT": "no"}, folders[0])


UNKNOWN = [
    # name              text of the file           message                              hint
    ("section",         "[sever]\nuri = 'x'",      "section in rtgraph.toml named 'sever'",
     "Did you mean server?"),
    ("key",             "[server]\nurl = 'x'",     "setting in rtgraph.toml named 'server.url'",
     "Did you mean server.uri?"),
    ("other section",   "[local]\nbatch = 1",      "setting in rtgraph.toml named 'local.batch'",
     "Did you mean "),
    ("no section",      "uri = 'x'",               "section in rtgraph.toml named 'uri'",
     "Known: "),
    ("far off",         "[zzz]\n",                 "section in rtgraph.toml named 'zzz'",
     "Known: ingest, local, log, nodes, pacs, privacy, roots, server, validate."),
]


@pytest.mark.parametrize(("text", "message", "hint"), [c[1:] for c in UNKNOWN],
                         ids=[c[0] for c in UNKNOWN])
def test_unknown_names(folders: tuple[Path, Path], text: str, message: str, hint: str) -> None:
    write(folders[0], text)
    with pytest.raises(UnknownName, match=re.escape(message)) as error:
        load({}, {}, folders[0])
    assert error.value.hint.startswith(hint)


# --- secrets -------------------------------------------------------------------------------------

SECRET = "canary-of-a-password"


def test_a_password_in_a_file_of_settings_is_refused_and_not_shown(
    folders: tuple[Path, Path]
) -> None:
    write(folders[0], f'[server]\npassword = "{SECRET}"\n')
    with pytest.raises(UnknownName) as error:
        load({}, {}, folders[0])
    assert SECRET not in f"{error.value} {error.value.hint} {error.value.__cause__}"
    assert "server.password" not in error.value.known


@pytest.mark.parametrize("variable", ["RTGRAPH_PASSWORD", "NEO4J_PASSWORD"])
def test_a_password_of_the_environment_is_not_shown(
    folders: tuple[Path, Path], variable: str
) -> None:
    found = load({}, {variable: SECRET}, folders[0])
    assert found.read_password() == SECRET
    assert SECRET not in repr(found) + str(found.origin)
    assert found.origin["password"] == variable


def password_file(folder: Path, content: bytes) -> dict[str, str]:
    (folder / "secret").write_bytes(content)
    return {"RTGRAPH_PASSWORD_FILE": str(folder / "secret")}


def test_a_password_file_is_read_when_there_is_no_password(folders: tuple[Path, Path]) -> None:
    environment = password_file(folders[0], f" {SECRET}\r\n".encode())
    assert load({}, environment, folders[0]).read_password() == SECRET
    assert load({}, environment | {"RTGRAPH_PASSWORD": "first"}, folders[0]
                ).read_password() == "first"
    assert load({}, {}, folders[0]).read_password() is None


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["absent", "no text"])
def test_a_password_file_that_cannot_be_read(
    folders: tuple[Path, Path], content: bytes | None
) -> None:
    environment = password_file(folders[0], content or b"")
    if content is None:
        (folders[0] / "secret").unlink()
    with pytest.raises(UsageError, match="The password file cannot be read: ") as error:
        load({}, environment, folders[0]).read_password()
    assert "password_file" in error.value.hint


def test_real_roots_are_real_folders(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    roots: dict[str, Any] = {"a": tmp_path / "link"}
    assert Settings(roots=roots).real_roots() == {"a": os.path.realpath(tmp_path / "real")}


def test_workers_are_those_of_the_settings_or_one_for_each_processor() -> None:
    assert Settings(jobs=3).n_jobs == 3
    assert Settings().n_jobs == os.cpu_count()

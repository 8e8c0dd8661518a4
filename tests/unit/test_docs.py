"""The documentation says what the program does: generated pages, links, names of commands."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.make_docs import FOLDER, PAGES, contexts, page

ROOT = Path(__file__).parents[2]
CONTEXTS = {c.command_path: c.command for c in contexts()}
TEXTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("docker/*.md")])
BY_HAND = [t for t in TEXTS if t.parent != FOLDER and t.name != "CHANGELOG.md"]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```\w*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
TARGETS = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("generated", PAGES)
def test_page_is_what_the_code_says(generated: str) -> None:
    assert (FOLDER / generated).read_text(encoding="utf-8") == page(generated), "run `make docs`"


def test_folder_holds_no_other_page() -> None:
    assert {file.name for file in FOLDER.iterdir()} == set(PAGES)


@pytest.mark.parametrize("path", CONTEXTS)
def test_command_and_its_options_have_help(path: str) -> None:
    command = CONTEXTS[path]
    assert command.help
    assert [p.name for p in command.params if not getattr(p, "help", None)] == []


@pytest.mark.parametrize("path", [p for p, c in CONTEXTS.items() if not hasattr(c, "commands")])
def test_command_has_an_example_with_its_name(path: str) -> None:
    assert f"Example: {path}" in CONTEXTS[path].help


@pytest.mark.parametrize("file", TEXTS, ids=name)
def test_links_resolve(file: Path) -> None:
    broken = []
    for link in LINK.findall(file.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = file.parent / path if path else file
        if not target.exists() or (anchor and anchor not in set(anchors(target))):
            broken.append(link)
    assert broken == []


def anchors(file: Path) -> Iterator[str]:
    for heading in re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("file", BY_HAND, ids=name)
def test_commands_and_targets_exist(file: Path) -> None:
    unknown = []
    for line in code_lines(file):
        if found := re.search(r"(?:^|[\s/])rtgraph ([a-z].*)", line):
            unknown += unknown_words(found[1])
        if found := re.match(r"(?:\$ )?make ((?:[A-Z]+=\S+ )*)([a-z-]+)", line):
            unknown += [] if found[2] in TARGETS else [line]
    assert unknown == []


def code_lines(file: Path) -> Iterator[str]:
    for block, span in CODE.findall(file.read_text(encoding="utf-8")):
        yield from (line.strip() for line in (block or span).splitlines())


def unknown_words(text: str) -> list[str]:
    """Return the command when there is none of that name, else its options that do not exist."""
    words = re.split(r"[|;&>#·]", text)[0].split()
    command: Any = CONTEXTS["rtgraph"]
    while words and hasattr(command, "commands"):
        if words[0] not in command.commands:
            return words[:1]
        command = command.commands[words.pop(0)]
    options = {o for p in command.params for o in p.opts} | {"-h", "--help"}
    return [w for w in words if re.match(r"--?[a-z]", w) and w.partition("=")[0] not in options]

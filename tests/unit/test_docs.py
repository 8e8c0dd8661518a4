"""The documentation says what the program does: generated pages, links, names of commands."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest

from rtgraph.graphmodel.families import FAMILIES, FAMILY_LABELS, STORAGE
from rtgraph.graphmodel.modalities import SERIES_TYPES
from rtgraph.graphmodel.nodes import NODE_TYPES
from rtgraph.graphmodel.parts import PARTS, PartType
from rtgraph.graphmodel.relationships import RELATIONSHIP_TYPES
from tests.data.items import item, put
from tests.data.rt import made, read
from tools.make_docs import DOCS, PAGES, contexts, page
from tools.schema_boxes import CONTAINER
from tools.schema_graph import item_sequences, owners
from tools.schema_layout import layout
from tools.schema_page import PICTURE
from tools.units import UNITS
from tools.walk_page import FILLS, LINES, WALK, rooms_of

ROOT = Path(__file__).parents[2]
CONTEXTS = {c.command_path: c.command for c in contexts()}
TEXTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("docker/*.md")])
MADE = {DOCS / generated for generated in PAGES}
BY_HAND = [t for t in TEXTS if t not in MADE and t.name != "CHANGELOG.md"]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```\w*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
CYPHER = re.compile(r"```cypher\n(.*?)```", re.DOTALL)
TARGETS = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("generated", PAGES)
def test_page_is_what_the_code_says(generated: str) -> None:
    assert (DOCS / generated).read_text(encoding="utf-8") == page(generated), "run `make docs`"


def test_folder_holds_no_other_page() -> None:
    folder = DOCS / "reference"
    assert set(folder.iterdir()) == {file for file in MADE if file.parent == folder}


def test_the_walk_goes_through_files_that_are_there() -> None:
    assert {room.line for room in WALK} == set(LINES)
    assert all(len(rooms_of(line)) > 1 for line in LINES)
    assert {room.file for room in WALK if not (ROOT / "rtgraph" / room.file).exists()} == set()
    assert {room.part for room in WALK} <= set(FILLS)


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


# --- the graph schema ----------------------------------------------------------------------------

PROPERTIES = {p.name for properties in (
    *(k.properties for k in NODE_TYPES), *(f.properties for f in FAMILIES),
    *(r.properties for r in RELATIONSHIP_TYPES)) for p in properties}
LABELS = {kind.label for kind in NODE_TYPES} | set(FAMILY_LABELS)
TYPES = {kind.name for kind in RELATIONSHIP_TYPES}
NAMES = LABELS | TYPES | {t.label for t in SERIES_TYPES} | {"Missing", "Schema"}


@pytest.mark.parametrize("file", [t for t in BY_HAND if CYPHER.search(t.read_text("utf-8"))],
                         ids=name)
def test_cypher_names_what_the_schema_has(file: Path) -> None:
    for statement in CYPHER.findall(file.read_text(encoding="utf-8")):
        code = re.sub(r"//.*|'[^']*'", "", statement)
        used = {n for found in re.findall(r":([A-Z][\w|]*)", code) for n in found.split("|")}
        assert used <= NAMES
        assert set(re.findall(r"\b[a-z]\w*\.([A-Za-z]\w*)", code)) <= PROPERTIES
        assert set(re.findall(r"[{,] ?(\w+): ", code)) <= PROPERTIES


def test_units_are_those_of_properties() -> None:
    assert set(UNITS) <= PROPERTIES


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.label)
def test_parts_come_from_the_objects_and_sequences_that_are_named(part: PartType) -> None:
    ways = {(owner, path) for owner in owners(part.label) for path in item_sequences(part.label)
            if any(part.label in labels_of_parts(uid, path, part) for uid in classes(owner))}
    assert {owner for owner, _ in ways} == set(owners(part.label))
    assert {path for _, path in ways} == set(item_sequences(part.label))


def classes(label: str) -> list[str]:
    return [STORAGE + f.roots[0] for f in FAMILIES if label in f.labels]


def labels_of_parts(sop_class: str, path: tuple[str, ...], part: PartType) -> set[str]:
    below = item(**({part.number: 1} if part.number else {}))
    for sequence in reversed(path[1:]):
        below = item(**{sequence: [below]})
    return {p.label for p in read(put(made(sop_class), **{path[0]: [below]})).parts}


# --- its picture ---------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"
SCHEMA = f"reference/{PICTURE}"
DRAWN = layout()


def test_picture_shows_every_label_and_every_type() -> None:
    texts = " ".join("".join(t.itertext()) for t in ET.fromstring(page(SCHEMA)).iter(SVG + "text"))
    assert {n for n in LABELS | TYPES if not re.search(rf"\b{n}\b", texts)} == set()


def test_picture_is_the_same_every_time_and_needs_nothing_else() -> None:
    text = page(SCHEMA)
    assert text == page(SCHEMA)
    assert set(re.findall(r"\w+://[^\"]*", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"href|<script|<image|<style|url\((?!#)", text)


def test_boxes_stand_apart() -> None:
    boxes = [b for b in DRAWN.boxes.values() if b.label != CONTAINER]
    met = [(a.label, b.label) for a, b in combinations(boxes, 2)
           if a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.bottom and b.y < a.bottom]
    assert met == []


def test_lines_of_two_types_do_not_run_on_each_other() -> None:
    lines = [(group.get("id"), *segment) for group in ET.fromstring(page(SCHEMA)).iter(SVG + "g")
             for path in group.iter(SVG + "path") for segment in segments(path.get("d") or "")]
    met = {(a[0], b[0]) for a, b in combinations(lines, 2)
           if a[0] != b[0] and a[1] == b[1] and abs(a[2] - b[2]) < 2
           and a[3] < b[4] - 1 and b[3] < a[4] - 1}
    assert met == set()


def segments(path: str) -> Iterator[tuple[bool, float, float, float]]:
    """Yield pieces of a line: whether it is upright, its place, and where it begins and ends."""
    points = [tuple(map(float, p.split(","))) for p in path[1:].split(" L")]
    for (x, y), (u, v) in pairwise(points):
        if x == u:
            yield True, x, min(y, v), max(y, v)
        else:
            yield False, y, min(x, u), max(x, u)


def test_texts_stay_inside_the_picture_and_their_boxes() -> None:
    root = ET.fromstring(page(SCHEMA))
    _, _, width, height = map(float, (root.get("viewBox") or "").split())
    for text in root.iter(SVG + "text"):
        words = "".join(text.itertext())
        wide = len(words) * float(text.get("font-size") or 0) * 0.6
        x, y = float(text.get("x") or 0), float(text.get("y") or 0)
        left = x - {"start": 0.0, "middle": wide / 2, "end": wide}[text.get("text-anchor") or ""]
        assert left > 0, words
        assert left + wide < width, words
        assert 0 < y < height, words
        if text.get("font-weight") and words in DRAWN.boxes:
            assert wide <= DRAWN.boxes[words].width, words

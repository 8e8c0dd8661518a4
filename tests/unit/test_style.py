"""The style sheet of Neo4j Browser: a rule for every label, special ones last, legible colours."""

import re

import pytest

from rtgraph.graphmodel.families import FAMILY_LABELS
from rtgraph.graphmodel.modalities import SERIES_TYPES
from rtgraph.graphmodel.nodes import NODE_TYPES
from rtgraph.graphmodel.relationships import RELATIONSHIP_TYPES
from rtgraph.viz.style import style_sheet

SHEET = style_sheet()
RULES = re.findall(r"^([\w.]+) \{\n(.*?)^\}", SHEET, re.MULTILINE | re.DOTALL)
ORDER = [selector for selector, _ in RULES]


def values(selector: str) -> dict[str, str]:
    body = dict(RULES)[selector]
    return dict(re.findall(r"^  ([\w-]+): (.*);$", body, re.MULTILINE))


def test_every_label_and_type_has_one_rule() -> None:
    labels = {t.label for t in NODE_TYPES} | set(FAMILY_LABELS) | {t.label for t in SERIES_TYPES}
    types = {t.name for t in RELATIONSHIP_TYPES}
    assert len(ORDER) == len(set(ORDER))
    assert set(ORDER) == {"node", "relationship", "node.Missing"} | {
        f"node.{label}" for label in labels} | {f"relationship.{name}" for name in types}


def test_base_labels_stand_before_special_ones() -> None:
    at = {selector: k for k, selector in enumerate(ORDER)}
    for row in SERIES_TYPES:
        assert at["node.Series"] < at[f"node.{row.label}"] < at["node.Missing"]
    for label in FAMILY_LABELS:
        assert at["node.Instance"] < at[f"node.{label}"] < at["node.Missing"]
    assert at["node.Image"] < at["node.CTImage"]


def test_series_have_the_colours_of_the_modality_table() -> None:
    for row in SERIES_TYPES:
        found = values(f"node.{row.label}")
        assert (found["color"], found["text-color-internal"]) == (row.fill, row.text)


def test_the_parser_of_browser_finds_nothing_odd() -> None:
    assert "/*" not in SHEET
    assert "//" not in SHEET
    for selector, _ in RULES:
        assert all(not set(":;") & set(v) for v in values(selector).values())
    captions = re.findall(r"caption: (.*);", SHEET)
    assert all(re.fullmatch(r'"[^"]+"', c) for c in captions)


def luminance(colour: str) -> float:
    parts = [int(colour[k:k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("selector", [s for s in ORDER if s.startswith("node")])
def test_text_is_legible(selector: str) -> None:
    found = values(selector)
    light, dark = sorted((luminance(found["color"]), luminance(found["text-color-internal"])),
                         reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.2

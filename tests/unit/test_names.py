"""ROI names: methods, sides, targets, margins, mappings, file names."""

from pathlib import Path

import pytest

from rtgraph.errors import UsageError
from rtgraph.graphmodel.standard_names import Side
from rtgraph.preprocess.names import (
    Chosen,
    NameMap,
    choose,
    contradictions,
    match,
    read_name_map,
)
from rtgraph.text import file_name

NAMES = [
    # raw                standard        method       side
    ("Parotid_L",        "Parotid_L",    "EXACT",     "LEFT"),
    ("PAROTID_L",        "Parotid_L",    "CASEFOLD",  "LEFT"),
    ("Oesophagus",       "Esophagus",    "SYNONYM",   ""),
    ("Lt Lung",          "Lung_L",       "RULE",      "LEFT"),
    ("Femoral Head RT",  "Femur_Head_R", "SYNONYM",   "RIGHT"),
    ("PTV",              "PTV",          "EXACT",     ""),
    ("Zzz",              "",             None,        ""),
    ("",                 "",             None,        ""),
]


@pytest.mark.parametrize(("raw", "standard", "method", "side"), NAMES, ids=[n[0] for n in NAMES])
def test_the_list_and_rules_of_the_graph(
    raw: str, standard: str, method: str | None, side: str
) -> None:
    found = match(raw)
    assert (found.raw, found.standard, found.side) == (raw, standard, side)
    assert found.method == method
    assert found.exact is (method == "EXACT")
    assert (found.score == 1.0) is (method == "EXACT")


def test_the_narrowest_mapping_speaks_first(tmp_path: Path) -> None:
    path = tmp_path / "names.toml"
    path.write_text('[cohort]\n"Par  li" = "Parotid_L"\n"x" = "A"\n[site.hn]\nx = "B"\n'
                    '[set."1.2.3"]\nx = "C"\n"Heart" = "Heart_Old"\n', encoding="utf-8")
    names = read_name_map(path)
    assert [(m.standard, m.scope) for m in (
        match("PAR LI", names), match("x", names), match("x", names, site="hn"),
        match("x", names, site="hn", sop_uid="1.2.3"), match("Heart", names),
        match("Heart", names, sop_uid="1.2.3"))] == [
        ("Parotid_L", "cohort"), ("A", "cohort"), ("B", "site"), ("C", "set"),
        ("Heart", "TG-263"), ("Heart_Old", "set")]
    assert match("PAR LI", names).side == "LEFT"


@pytest.mark.parametrize("text", ["[chort]\nx = 'A'", "[cohort]\nx = 1", "cohort", "[cohort"])
def test_broken_mappings_are_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "names.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError):
        read_name_map(path)


FILES = [
    ("GTV/boost",      "gtv_boost"),
    ("Lung L",         "lung_l"),
    ("../../etc",      ".._.._etc"),
    ("a\x00b\nc",      "a_b_c"),
    ("Größe",          "grösse"),
    ("x" * 80,         "x" * 64),
    ("name...",        "name"),
    ("con:aux*?",      "con_aux__"),
]


@pytest.mark.parametrize(("raw", "expected"), FILES, ids=[f[1][:12] for f in FILES])
def test_names_in_file_names(raw: str, expected: str) -> None:
    assert file_name(raw) == expected
    assert "/" not in file_name(raw)


def test_contradictions() -> None:
    assert contradictions(match("PTV"), "ORGAN") == ["TARGET_TYPED_AS_OTHER"]
    assert contradictions(match("Lung_L"), "PTV", Side.RIGHT) == ["ORGAN_TYPED_AS_TARGET", "SIDE"]
    assert contradictions(match("Lung_L"), "ORGAN", Side.LEFT) == []
    assert contradictions(match("Lungs"), "ORGAN", Side.RIGHT) == []
    assert contradictions(match("PTV"), "PTV") == []


def test_a_missing_roi_is_missing_and_several_are_decided() -> None:
    rois = [(1, match("Lung_L")), (2, match("left lung")), (3, match("Heart")), (4, match("Zz"))]
    assert choose(["Heart", "Liver", "Zz"], rois) == [
        Chosen("Heart", (3,)), Chosen("Liver", (), "MISSING"), Chosen("Zz", (4,))]
    assert choose(["Lung_L"], rois) == [Chosen("Lung_L", (1,))]
    twice = [(2, match("left lung")), (5, match("Lung lt"))]
    assert choose(["Lung_L"], twice) == [Chosen("Lung_L", (2, 5), "SEVERAL")]
    assert choose(["Lung_L"], twice, "first") == [Chosen("Lung_L", (2,))]
    assert choose(["Lung_L"], twice, "merge") == [Chosen("Lung_L", (2, 5))]
    assert NameMap().sets == {}

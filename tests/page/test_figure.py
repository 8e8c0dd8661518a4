"""The figure in a browser: what it draws, and what hostile text cannot do."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rtgraph.errors import OutputError
from rtgraph.graphmodel.tables import Tables
from rtgraph.text import plain
from rtgraph.viz.page import Heading, render, write_page
from rtgraph.viz.subgraph import Box, Subgraph, fold
from tests.page.conftest import Watched
from tests.page.example import Rows, patient

pytestmark = pytest.mark.page

Open = Callable[[Path], Watched]
IF_ALONE = frozenset({"STRUCTURE_SET_SERIES"})
HEADING = Heading(
    patient_key="4d1f0c9a72e3b856",
    counts={"studies": 2, "series": 7, "instances": 82, "unresolved": 3},
    version="0.1.0",
    identifiers={"PatientID": "CANARY-ID", "PatientBirthDate": "1950-12-31"},
)
ROOT = "1.2.826.0.1.3680043.8.498"
CT, MISSING_PLAN, BOOST = f"{ROOT}.10", f"{ROOT}.99", f"{ROOT}.14.2"

HOSTILE = [
    # name            text
    ("script",        "<script>alert(1)</script>"),
    ("attribute",     '"><img src=x onerror=alert(1)>'),
    ("end of script", "</script><script>alert(1)</script>"),
    ("comment",       "<!--<script>alert(1)"),
    ("link",          'href javascript:alert(1) <a href="javascript:alert(1)">x</a>'),
    ("template",      "{{7*7}} {% raw %} ${7*7}"),
    ("terminal",      "\x1b[31mred\x1b[0m \x07 \x9b1m"),
    ("direction",     "\u202emdc.exe \u0627\u0644\u062d\u0648\u0636"),
    ("japanese",      "前立腺の治療計画、とても長い名前のラベルです"),
    ("surrogate",     "half \ud83d"),
    ("lines",         "one\r\ntwo\u2028three\u0085four"),
    ("markup",        "<b>&lt;b&gt;</b> &amp; *bold*"),
]


def written(tables: Tables, folder: Path, *, identifiers: bool = False) -> Path:
    """Write the figure of these rows, and return where it is."""
    path = folder / "figure.html"
    write_page(render(fold(tables, IF_ALONE), HEADING, identifiers=identifiers), path, force=False)
    return path


def test_everything_is_drawn_from_one_file(open_page: Open, tmp_path: Path) -> None:
    path = written(patient(), tmp_path)
    shown = open_page(path)
    boxes = shown.boxes()
    assert set(boxes) == {box.id for box in fold(patient(), IF_ALONE).boxes}
    places = shown.page.evaluate("rtgraph.network.getPositions()")
    assert all(places[uid] == {"x": box["x"], "y": box["y"]} for uid, box in boxes.items())
    assert places[CT]["y"] > places[BOOST]["y"]
    assert shown.page.locator(".problem").inner_text() == "3 unresolved"
    assert shown.requests == [path.as_uri()]
    assert shown.complaints == []


def test_what_is_missing_looks_missing(open_page: Open, tmp_path: Path) -> None:
    boxes = open_page(written(patient(), tmp_path)).boxes()
    dashed = {uid for uid, box in boxes.items() if box["shapeProperties"]["borderDashes"]}
    assert dashed == {CT, MISSING_PLAN}
    assert boxes[MISSING_PLAN]["color"]["background"] == "#ffffff"
    assert boxes[CT]["label"].endswith("38 of 40 images")


def test_a_selected_box_shows_its_details(open_page: Open, tmp_path: Path) -> None:
    shown = open_page(written(patient(), tmp_path))
    shown.click(BOOST)
    panel = shown.page.locator("#selection")
    assert "BOOST 5Fx" in panel.inner_text()
    assert panel.locator("code", has_text=BOOST).count() == 1
    shown.page.get_by_label("copy SOPInstanceUID").click()
    panel.get_by_text("copied").wait_for()
    panel.get_by_role("button", name="PLAN_STRUCTURE_SET").click()
    assert "Pelvis boost after MR review" in panel.locator(".what").inner_text()
    assert shown.page.evaluate("rtgraph.network.getSelectedNodes()") == [f"{ROOT}.13.2"]
    assert shown.complaints == []


def test_check_boxes_show_and_hide(open_page: Open, tmp_path: Path) -> None:
    shown = open_page(written(patient(), tmp_path))
    assert shown.edges("SHARES_FOR") == []
    shown.page.get_by_label("shares frame of reference").check()
    assert len(shown.edges("SHARES_FOR")) == 31
    shown.page.get_by_label("RTRECORD").uncheck()
    assert len(shown.boxes()) == 11
    assert "RECORD_PLAN" not in {edge.get("label") for edge in shown.edges("REFERENCES")}


def test_keys_and_tables_reach_what_the_mouse_reaches(open_page: Open, tmp_path: Path) -> None:
    shown = open_page(written(patient(), tmp_path))
    reached = set()
    for _ in range(20):
        shown.page.keyboard.press("Tab")
        reached.add(shown.page.evaluate("document.activeElement.id || document.activeElement.type"))
    assert {"fit", "shares", "checkbox"} <= reached
    shown.page.locator("summary").click()
    table = shown.page.locator("#edge-table tbody tr")
    assert table.count() == len(fold(patient(), IF_ALONE).edges)
    shown.page.locator("#box-table button", has_text="PROSTATE 39Fx").click()
    assert shown.page.evaluate("rtgraph.network.getSelectedNodes()") == [f"{ROOT}.14.1"]


@pytest.mark.parametrize("text", [h[1] for h in HOSTILE], ids=[h[0] for h in HOSTILE])
def test_hostile_text_is_only_text(text: str, open_page: Open, tmp_path: Path) -> None:
    rows = Rows()
    rows.study("1", StudyDescription=text, StudyDate=text)
    rows.series("s", "CT", SeriesDescription=text, SeriesNumber=text, SeriesDate=text)
    rows.series("t", text, SeriesDescription=text)
    images = rows.images("s", "CT", 2)
    rows.instance(text, "t", "RTPLAN", title=text, InstanceNumber=text, SOPClassUID=text,
                  file_path=text)
    rows.refer(text, images[0], text)
    rows.frame("t", text)
    rows.tables["instances"][-1]["Modality"] = text
    heading = Heading(text, {text: 1, "unresolved": 1}, text, {text: text})
    path = tmp_path / "figure.html"
    write_page(render(fold(rows.tables, IF_ALONE), heading, identifiers=True), path, force=False)
    shown = open_page(path)
    shown.page.get_by_label("shares frame of reference").check()
    shown.page.locator("summary").click()
    (plan,) = set(shown.boxes()) - {"s"}
    shown.click(plan)
    shown.page.mouse.move(10, 300)
    shown.click(plan)
    shown.page.wait_for_timeout(300)  # the tooltip comes after a moment
    words = plain(text).replace("\r", "").split()
    assert shown.page.locator("#selection .what strong").inner_text().split() == words
    assert len(shown.boxes()) == 2
    assert shown.page.locator("img, a, body script:not([type])").count() == 2  # our own scripts
    assert shown.requests == [path.as_uri()]
    assert shown.complaints == []


def test_identifiers_are_hidden_unless_asked_for(open_page: Open, tmp_path: Path) -> None:
    path = written(patient(), tmp_path)
    for canary in ("CANARY", "1950-12-31", "file_path"):
        assert canary not in path.read_text(encoding="utf-8")
    assert open_page(path).page.locator(".banner").count() == 0
    shown = open_page(written(patient(), tmp_path / "with", identifiers=True))
    banner = shown.page.locator(".banner").inner_text()
    assert "contains patient data" in banner
    assert "CANARY-ID" in banner
    shown.click(BOOST)
    assert "archive:CANARY-PATH/RTPLAN2.dcm" in shown.page.locator("#selection").inner_text()


def test_boxes_do_not_overlap_on_the_canvas(open_page: Open, tmp_path: Path) -> None:
    rows = Rows()
    rows.study("1")
    rows.series("s", "RTPLAN")
    for i, (_, text) in enumerate(HOSTILE):
        rows.instance(f"s.{i}", "s", "RTPLAN", title=f"{'W' * 24}{text}")
    shown = open_page(written(rows.tables, tmp_path))
    drawn = shown.page.evaluate(
        "rtgraph.nodes.getIds().map(id => rtgraph.network.getBoundingBox(id))"
    )
    for i, a in enumerate(drawn):
        for b in drawn[:i]:
            apart = a["right"] < b["left"] or b["right"] < a["left"]
            assert apart or a["bottom"] < b["top"] or b["bottom"] < a["top"]


def test_a_large_patient_is_drawn(open_page: Open, tmp_path: Path) -> None:
    boxes = tuple(
        Box(str(i), "series", "CT", i % 5, f"CT\n{i} images", f"CT {i}", "present", None, None,
            1, 0, ()) for i in range(2000)
    )
    path = tmp_path / "large.html"
    write_page(render(Subgraph((), boxes, ()), HEADING, identifiers=False), path, force=False)
    shown = open_page(path)
    assert len(shown.boxes()) == 2000
    assert shown.complaints == []


def test_an_empty_figure_is_a_page_too(open_page: Open, tmp_path: Path) -> None:
    shown = open_page(written(Rows().tables, tmp_path))
    assert shown.boxes() == {}
    assert shown.complaints == []


def test_the_file_is_utf8_and_nothing_else_is_made(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path\n"
        "from rtgraph.viz.page import Heading, render, write_page\n"
        "from rtgraph.viz.subgraph import Box, Subgraph\n"
        "box = Box('1', 'series', 'CT', 0, 'CT\\n1 image', '\\u6cbb\\u7642', 'present', None,"
        " None, 1, 0, ())\n"
        "text = render(Subgraph((), (box,), ()), Heading('k\\u00e9', {}, '0'), identifiers=False)\n"
        "write_page(text, Path('page.html'), force=False)\n"
    )
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert "<title>Patient ké</title>" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.html"
    write_page("one", path, force=False)
    with pytest.raises(OutputError) as refused:
        write_page("two", path, force=False)
    assert "--force" in refused.value.hint
    assert path.read_text(encoding="utf-8") == "one"
    write_page("two", path, force=True)
    assert path.read_text(encoding="utf-8") == "two"
    with pytest.raises(OutputError, match="cannot be written") as failed:
        write_page("three", path / "below" / "page.html", force=False)
    assert str(tmp_path) not in str(failed.value)
    for folder in (path.parent, Path(".")):
        with pytest.raises(OutputError, match="cannot be written"):
            write_page("four", folder, force=True)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["page.html"]


def test_screenshot(open_page: Open, tmp_path: Path, artefacts: Path) -> None:
    shown = open_page(written(patient(), tmp_path))
    shown.click(BOOST)
    shown.page.mouse.move(1200, 800)
    shown.page.wait_for_timeout(500)
    shown.page.screenshot(path=artefacts / "figure.png")

"""The figure in a browser: what it draws, what it reacts to, what hostile text cannot do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.rows import Rows
from rtgraph.cypher.library import check
from rtgraph.cypher.links import file_link, subject_link
from rtgraph.graphmodel.tables import Tables
from rtgraph.text import plain
from rtgraph.viz.figure import Figure
from rtgraph.viz.findings import Finding
from rtgraph.viz.picture import Material, Validation, chosen
from tests.page.conftest import Watched
from tests.page.example import BROWSER, described, finding, material, patient, titled

pytestmark = pytest.mark.page

Open = Callable[[Path], Watched]
TABLES = patient()
CT = described(TABLES, "Pelvis 3 mm planning")
PLAN, BOOST = titled(TABLES, "PROSTATE 39Fx"), titled(TABLES, "BOOST 5Fx")
BOOST_SET = titled(TABLES, "Pelvis boost after MR review")
RECORDS = [r["SOPInstanceUID"] for r in TABLES["instances"] if r["family"] == "RTRecord"]
(LOST,) = [r["SOPInstanceUID"] for r in TABLES["instances"]
           if r["missing"] and r["family"] == "RTPlan"]

HOSTILE = [
    # name            text
    ("script",        "<script>alert(1)</script>"),
    ("attribute",     '"><img src=x onerror=alert(1)>'),
    ("end of script", "</script><script>alert(1)</script>"),
    ("comment",       "<!--<script>alert(1)"),
    ("link",          'href javascript:alert(1) <a href="javascript:alert(1)">x</a>'),
    ("template",      "{{7*7}} {% raw %} ${7*7} {StudyInstanceUID}"),
    ("terminal",      "\x1b[31mred\x1b[0m \x07 \x9b1m"),
    ("direction",     "\u202emdc.exe \u0627\u0644\u062d\u0648\u0636"),
    ("right to left", "\u05d0\u05d2\u05df \u05d4\u05d9\u05e8\u05db\u05d9\u05d9\u05dd"),
    ("japanese",      "前立腺の治療計画、とても長い名前のラベルです"),
    ("surrogate",     "half \ud83d"),
    ("lines",         "one\r\ntwo\u2028three\u0085four"),
    ("markup",        "<b>&lt;b&gt;</b> &amp; *bold*"),
    ("prototype",     "__proto__"),
    ("500 characters", "Very long description " * 23),
]


def written(figure: Figure, folder: Path) -> Path:
    """Write a page, and return where it is."""
    return figure.save(folder / "figure.html")


@pytest.fixture
def shown(open_page: Open, tmp_path: Path) -> Watched:
    """The page of the patient, with a finding about a plan and one about a record."""
    about = material(TABLES, finding(BOOST), finding(RECORDS[1], "REC-01", "error"),
                     finding(PLAN, "PLN-03", waived=True))
    return open_page(written(Figure(about), tmp_path)).ready()


def test_everything_is_drawn_from_one_file(open_page: Open, tmp_path: Path) -> None:
    path = written(Figure(material(TABLES)), tmp_path)
    shown = open_page(path).ready()
    drawn = shown.drawn()
    assert len(drawn) == 15
    assert {"RTRECORD ×6", CT, PLAN, BOOST, LOST} <= set(drawn)
    places = shown.page.evaluate("rtgraph.network.getPositions()")
    assert len(places) == len(drawn)
    assert drawn[CT]["y"] > drawn[BOOST]["y"]
    assert shown.page.locator(".problem").inner_text() == "7 unresolved"
    shown.page.locator("#show-time").click()
    shown.page.locator("#show-references").click()
    assert shown.requests == [path.as_uri()]
    assert shown.complaints == []


def test_what_is_missing_looks_missing(shown: Watched) -> None:
    looks = shown.page.evaluate("""uids => uids.map((uid) => look(
        rtgraph.nodes.find((node) => node.uid === uid)))""", [LOST, CT, PLAN])
    assert [look["dashed"] for look in looks] == [True, True, False]
    assert looks[0]["fill"] == "#ffffff"
    assert looks[1]["fill"] == "#4C78A8"
    assert shown.page.locator("#states").inner_text().split() == [
        "missing", "1", "partly", "missing", "1", "with", "findings", "2"]


def test_a_selected_box_shows_its_details(shown: Watched) -> None:
    shown.click(BOOST)
    panel = shown.page.locator("#selection")
    for text in ("BOOST 5Fx", "APPROVED", "n_fractions_planned", "PLN-07", "Export the dose.",
                 "since 2025-03-20"):
        assert text in shown.selected
    assert panel.locator("code", has_text=BOOST).count() == 1
    shown.page.get_by_label("copy SOPInstanceUID").click()
    panel.get_by_text("copied").wait_for()
    panel.get_by_role("button", name="PLAN_STRUCTURE_SET").click()
    assert "Pelvis boost after MR review" in panel.locator(".what").inner_text()
    assert "PTV, Bladder, Rectum" in shown.selected
    assert shown.page.evaluate("rtgraph.network.getSelectedNodes()") == [shown.number(BOOST_SET)]
    assert shown.complaints == []


def test_findings_stand_in_the_header_and_in_the_list(shown: Watched) -> None:
    header = shown.page.locator("header").inner_text()
    assert "1 error" in header
    assert "1 warning" in header
    assert "validated" in header
    shown.page.locator("#problem-section summary").click()
    listed = shown.page.locator("#problem-list > li")
    assert listed.count() == 4  # CT, lost plan, two findings; the waived one is none
    shown.click(PLAN)
    assert "waived" in shown.selected


def test_boxes_and_findings_lead_to_neo4j_browser(open_page: Open, tmp_path: Path) -> None:
    part, unknown = f"{PLAN}#B1", "1.2.3.4"
    about = material(TABLES, finding(part, "PLN-03"), finding(unknown, "REF-01"))
    shown = open_page(written(Figure(about), tmp_path)).ready()

    def links(place: str) -> list[tuple[str, str]]:
        return [tuple(pair) for pair in shown.page.locator(f"{place} a").evaluate_all(
            "all => all.map((a) => [a.textContent, a.getAttribute('href')])")]

    shown.click(PLAN)
    of_check = ("All of PLN-03 in Neo4j Browser", file_link(BROWSER, check("PLN-03")))
    assert links("#selection") == [
        ("Open in Neo4j Browser", subject_link(BROWSER, PLAN)),
        ("Open in Neo4j Browser", subject_link(BROWSER, part)), of_check]
    shown.click(CT)
    assert links("#selection") == [("Open in Neo4j Browser", subject_link(BROWSER, CT))]
    shown.page.locator("#problem-section summary").click()
    assert ("Open in Neo4j Browser", subject_link(BROWSER, unknown)) in links("#problem-list")


def test_a_box_with_a_finding_is_in_no_group(shown: Watched) -> None:
    drawn = shown.drawn()
    assert RECORDS[1] in drawn
    assert "RTRECORD ×5" in drawn
    badges = shown.page.evaluate("""uids => uids.map((uid) => badgesOf(
        rtgraph.nodes.find((node) => node.uid === uid)).map((badge) => badge.sign))""",
        [RECORDS[1], LOST, PLAN])
    assert badges == [["!"], ["?"], []]


def test_legend_and_roles_show_and_hide(shown: Watched) -> None:
    page = shown.page
    assert page.locator("#legend").inner_text().split() == [
        "CT", "1", "MR", "1", "REG", "1", "RTSTRUCT", "2", "RTPLAN", "3", "RTDOSE", "2",
        "RTRECORD", "10"]
    before = shown.drawn()
    page.get_by_label("RTRECORD").uncheck()
    assert set(before) - set(shown.drawn()) == {
        uid for uid, item in before.items() if item["modality"] == "RTRECORD"}
    n = len(shown.lines())
    page.locator("aside summary", has_text="Roles").click()
    page.get_by_label("PLAN_STRUCTURE_SET").uncheck()
    assert len(shown.lines()) == n - 2
    page.get_by_label("RTRECORD").check()
    assert set(shown.drawn()) == set(before)


def test_shared_frames_are_off_until_asked_for(shown: Watched) -> None:
    assert shown.lines("SHARES_FOR") == []
    shown.page.get_by_label("shares frame of reference").check()
    # CT, two structure sets and two plans share a frame, each in a series of its own: 5 * 4 / 2
    assert len(shown.lines("SHARES_FOR")) == 10


def test_search_finds_cycles_and_centres(shown: Watched) -> None:
    page = shown.page
    search = page.locator("#search")
    search.fill("BOOST")
    assert page.locator("#found").inner_text() == "3 found"
    names = []
    for _ in range(4):
        search.press("Enter")
        names.append(page.locator("#selection .what strong").inner_text())
    assert len(set(names[:3])) == 3
    assert names[3] == names[0]
    search.fill(RECORDS[4])  # folded into a group
    search.press("Enter")
    assert page.locator("#found").inner_text() == "1 of 1"
    assert "In the group RTRECORD ×5" in shown.selected
    (chosen_node,) = page.evaluate("rtgraph.network.getSelectedNodes()")
    assert page.evaluate("number => rtgraph.nodes[number].tally", chosen_node) == "×5"
    search.fill("nothing like it")
    assert page.locator("#found").inner_text() == "0 found"
    search.press("Escape")
    assert search.input_value() == ""


def test_problems_only_shows_them_and_their_neighbours(shown: Watched) -> None:
    shown.page.get_by_label("Problems only").check()
    drawn = shown.drawn()
    assert {CT, LOST, BOOST, RECORDS[1], PLAN, BOOST_SET} <= set(drawn)
    assert "RTRECORD ×5" not in drawn
    shown.page.get_by_label("Problems only").uncheck()
    assert "RTRECORD ×5" in shown.drawn()


def boxes_apart(drawn: dict[str, Any], width: float, height: float) -> bool:
    places = [(item["x"], item["y"]) for item in drawn.values()]
    return not any(
        abs(x - a) < width and abs(y - b) < height
        for i, (x, y) in enumerate(places) for a, b in places[i + 1:])


def test_a_group_opens_in_place_and_closes(shown: Watched) -> None:
    before = shown.drawn()
    shown.click(RECORDS[2], times=2)
    opened = shown.drawn()
    assert "RTRECORD ×5" not in opened
    assert set(opened) - set(before) == {*RECORDS[:6]} - {RECORDS[1]}
    width, height = shown.page.evaluate("[WIDTH, HEIGHT]")
    assert boxes_apart(opened, width, height)
    frames = shown.page.evaluate("rtgraph.scene().frames.map((frame) => frame.rect)")
    assert all(sum(left < item["x"] < right and top < item["y"] < bottom
                   for left, top, right, bottom in frames) <= 1 for item in opened.values())
    shown.click(RECORDS[3])
    shown.page.locator("#selection").get_by_role("button", name="Close its group").click()
    assert set(shown.drawn()) == set(before)
    shown.page.get_by_role("button", name="draw all").click()
    assert RECORDS[3] in shown.drawn()


def test_keys_reach_what_the_mouse_reaches(shown: Watched) -> None:
    page = shown.page
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    reached = []
    for _ in range(12):
        reached.append(page.evaluate("document.activeElement.id"))
        page.keyboard.press("Tab")
    assert reached[0] == "search"
    assert {"problems", "zoom-in", "fit", "save", "print", "canvas"} <= set(reached)
    page.locator("#canvas").focus()
    view = "[rtgraph.network.getViewPosition().x, rtgraph.network.getScale()]"
    x, scale = page.evaluate(view)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    moved, zoomed = page.evaluate(view)
    assert moved > x
    assert zoomed > scale
    page.keyboard.press("f")
    assert page.evaluate(view) == pytest.approx([x, scale])
    seen = set()
    for _ in range(16):
        page.keyboard.press("n")
        seen |= set(page.evaluate("rtgraph.network.getSelectedNodes()"))
    assert len(seen) == len(shown.drawn())
    (group,) = page.evaluate("rtgraph.nodes.filter((node) => node.members).map((node) => node.id)")
    page.evaluate("number => rtgraph.select(number)", group)
    page.keyboard.press("Enter")
    assert RECORDS[3] in shown.drawn()
    page.keyboard.press("Escape")
    assert "Nothing is selected" in shown.selected


def test_tables_say_the_same_as_the_figure(shown: Watched) -> None:
    page = shown.page
    page.locator("#tables summary").click()
    assert page.locator("#box-table tbody tr").count() == 20
    roles = page.locator("#edge-table tbody tr td:nth-child(2)").all_inner_texts()
    assert roles.count("RECORD_PLAN") == 10
    assert roles.count("shares frame of reference") == 10
    page.locator("#box-table button", has_text="PROSTATE 39Fx").click()
    assert page.evaluate("rtgraph.network.getSelectedNodes()") == [shown.number(PLAN)]


def test_the_timeline_shows_the_course(shown: Watched) -> None:
    page = shown.page
    page.locator("#show-time").click()
    timeline = page.locator("#timeline")
    names = timeline.locator(".row-name").all_text_contents()
    assert names == ["Images", "Registrations, structures", "Plans", "Doses",
                     "Records: PROSTATE 39Fx", "Records: BOOST 5Fx", "Records: RTPLAN"]
    said = timeline.locator(".row-said").all_text_contents()
    assert said == ["6 of 39 fractions delivered", "3 of 5 fractions delivered",
                    "1 fraction delivered"]
    assert timeline.locator(".mark").count() == 19
    assert timeline.locator(".chains path").count() == 1
    assert "1 box without a date" in timeline.inner_text()
    timeline.locator(".mark", has_text="BOOST 5Fx").first.click()
    assert "BOOST 5Fx" in shown.selected
    assert timeline.locator(".mark.chosen").count() == 1
    assert timeline.locator(".mark.near").count() == 6  # set, plan before, dose, three records
    page.get_by_label("RTRECORD").uncheck()
    assert timeline.locator(".mark").count() == 9
    assert shown.complaints == []


def test_saved_svg_is_the_figure(shown: Watched, open_page: Open, tmp_path: Path) -> None:
    with shown.page.expect_download() as download:
        shown.page.get_by_role("button", name="Save SVG").click()
    assert download.value.suggested_filename == "4d1f0c9a72e3b856.svg"
    path = tmp_path / "saved.svg"
    download.value.save_as(path)
    saved = open_page(path)
    assert saved.page.locator("svg > g > title").count() == len(shown.drawn())
    assert saved.complaints == []
    assert saved.requests == [path.as_uri()]


def test_print_shows_the_figure_as_svg(shown: Watched) -> None:
    shown.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    shown.page.emulate_media(media="print")
    assert shown.page.locator("#printed svg").is_visible()
    assert not shown.page.locator("#canvas").is_visible()
    assert not shown.page.locator(".bar").is_visible()
    assert shown.page.locator("#legend").is_visible()
    shown.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert shown.page.locator("#printed svg").count() == 0


def test_a_link_leads_to_the_viewer(open_page: Open, tmp_path: Path) -> None:
    template = "http://host/viewer?StudyInstanceUIDs={StudyInstanceUID}&x={patient_key}"
    shown = open_page(written(Figure(material(TABLES), chosen(link_template=template)), tmp_path))
    shown.ready().click(BOOST)
    study = TABLES["studies"][0]["StudyInstanceUID"]
    link = shown.page.get_by_role("link", name="Open in the viewer")
    assert link.get_attribute("href") == (
        f"http://host/viewer?StudyInstanceUIDs={study}&x=4d1f0c9a72e3b856")
    assert link.get_attribute("rel") == "noopener noreferrer"
    shown.click(LOST)  # no study is known
    assert link.count() == 0
    assert shown.requests == [(tmp_path / "figure.html").as_uri()]


def test_inferred_links_are_dashed_and_named(open_page: Open, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{
        "source_level": "instance", "source_uid": RECORDS[9], "target_level": "instance",
        "target_uid": PLAN, "method": "PLAN_BY_LABEL", "confidence": 0.8}]
    about = Material("4d1f0c9a72e3b856", TABLES, inferred=tuple(rows))
    shown = open_page(written(Figure(about), tmp_path)).ready()
    (line,) = shown.lines("INFERRED_LINK")
    assert shown.page.evaluate("id => drawnLines.get(id).dashes", line) == [7, 5]
    shown.click(RECORDS[9])
    assert "inferred, not stated" in shown.selected
    shown.page.get_by_label("inferred, not stated").uncheck()
    assert shown.lines("INFERRED_LINK") == []


@pytest.mark.parametrize("identifiers", [False, True])
def test_identifiers_have_a_banner(identifiers: bool, open_page: Open, tmp_path: Path) -> None:
    shown = open_page(written(Figure(material(TABLES), chosen(identifiers=identifiers)), tmp_path))
    banner = shown.ready().page.get_by_text("This page contains patient data.")
    assert banner.count() == identifiers
    assert ("CANARY" in shown.page.content()) is identifiers


def hostile(text: str) -> Material:
    """Return a patient with a text in every field."""
    rows = Rows(text)
    rows.patient(PatientID=text, PatientSex=text, PatientBirthDate=text)
    rows.study("1", StudyDescription=text, StudyDate=text)
    rows.series("s", "CT", SeriesDescription=text, SeriesNumber=text, SeriesDate=None)
    images = rows.images("s", "CT", 2)
    rows.series("t", text, SeriesDescription=text)
    rows.instance(text, "t", "RTPLAN", title=text, InstanceNumber=text, SOPClassUID=text,
                  ApprovalStatus=text, roi_names=[text], file_path=text)
    rows.refer(text, images[0], text)
    rows.frame("t", text)
    rows.tables["instances"][-1]["Modality"] = text
    found = Finding(text, "error", False, text, text, text, "t", text, text)
    rule = replace(check("PLN-07"), title=text, fix=text)
    return Material(text, rows.tables, from_graph=True, browser=BROWSER, validation=Validation(
        datetime(2025, 3, 20, tzinfo=UTC), (found,), {text: rule}))


@pytest.mark.parametrize("text", [h[1] for h in HOSTILE], ids=[h[0] for h in HOSTILE])
def test_hostile_text_is_only_text(text: str, open_page: Open, tmp_path: Path) -> None:
    options = chosen(identifiers=True, link_template="http://h/{StudyInstanceUID}/{PatientID}")
    shown = open_page(written(Figure(hostile(text), options), tmp_path)).ready()
    page = shown.page
    page.get_by_label("shares frame of reference").check()
    page.locator("#tables summary").click()
    page.locator("#problem-section summary").click()
    page.locator("#show-time").click()
    page.locator("#show-references").click()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    (number,) = page.evaluate("""rtgraph.nodes.filter((node) => node.modality !== "CT")
        .map((node) => node.id)""")
    at = page.evaluate("n => rtgraph.network.canvasToDOM(rtgraph.network.getPosition(n))", number)
    page.locator("#canvas").hover(position=at)
    page.locator(".vis-tooltip").wait_for()
    page.locator("#canvas").click(position=at)
    assert plain(text).strip() in page.locator("#selection").text_content()  # type: ignore[operator]
    assert page.locator("img").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert shown.complaints == []
    assert len(shown.requests) == 1


def one_series() -> Tables:
    rows = Rows()
    rows.study("1")
    rows.series("s", "CT")
    rows.images("s", "CT", 1)
    return rows.tables


def no_edges() -> Tables:
    rows = Rows()
    rows.study("1")
    for i in range(3):
        rows.images(rows.series(f"s{i}", "MR"), "MR", 1)
    return rows.tables


def only_missing_targets() -> Tables:
    rows = Rows()
    rows.study("1")
    rows.series("s", "RTDOSE")
    dose = rows.instance("dose", "s", "RTDOSE")
    for i in range(3):
        rows.refer(dose, rows.instance(f"plan{i}", None, "RTPLAN", missing=True), "DOSE_PLAN")
    return rows.tables


def cycle() -> Tables:
    rows = Rows()
    rows.study("1")
    rows.series("s", "RTPLAN")
    plans = [rows.instance(f"plan{i}", "s", "RTPLAN") for i in range(3)]
    for i, plan in enumerate(plans):
        rows.refer(plan, plans[(i + 1) % 3], "PREDECESSOR_PLAN")
        rows.refer(plan, plan, "PREDECESSOR_PLAN")
    return rows.tables


ODD: list[tuple[Callable[[], Tables], int, int]] = [
    (lambda: Rows().tables, 0, 0), (one_series, 1, 0), (no_edges, 3, 0),
    (only_missing_targets, 4, 3), (cycle, 3, 3),
]


@pytest.mark.parametrize(("rows", "n_boxes", "n_lines"), ODD)
def test_odd_patients_are_pages_too(
    rows: Callable[[], Tables], n_boxes: int, n_lines: int, open_page: Open, tmp_path: Path
) -> None:
    shown = open_page(written(Figure(Material("p1", rows())), tmp_path)).ready()
    assert len(shown.drawn()) == n_boxes
    assert len(shown.lines()) == n_lines
    shown.page.locator("#show-time").click()
    shown.page.get_by_label("Problems only").check()
    shown.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert shown.complaints == []

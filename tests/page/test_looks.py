"""How pages look and how fast they are: large patients, contrast, screenshots, other formats."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.patients import TYPICAL, generated
from bench.rows import Chart
from rtgraph.errors import TooManyBoxes
from rtgraph.graphmodel.tables import Tables
from rtgraph.output import write_file
from rtgraph.viz.figure import Figure
from rtgraph.viz.many import draw_page, render_index
from rtgraph.viz.palette import CAPTION_SIZE
from rtgraph.viz.picture import Material, chosen
from tests.page.conftest import Watched
from tests.page.example import finding, material, patient, titled
from tests.page.test_figure import HOSTILE

pytestmark = pytest.mark.page
Open = Callable[[Path], Watched]
SECONDS = 3.0


def key_of(tables: Tables) -> str:
    return str(tables["patients"][0]["patient_key"])


# --- large patients ------------------------------------------------------------------------------

LARGE = [
    # series  boxes at most  bytes at most
    (190,     60,            1_000_000),
    (5000,    700,           3_000_000),
]


@pytest.mark.parametrize(("n", "most", "n_bytes"), LARGE)
def test_large_patients_are_drawn_quickly(
    n: int, most: int, n_bytes: int, open_page: Open, tmp_path: Path, artefacts: Path
) -> None:
    tables = generated(n, broken=3)
    path = Figure(Material(key_of(tables), tables)).save(tmp_path / "large.html")
    assert path.stat().st_size < n_bytes
    shown = open_page(Path())
    # time of the processor, so that other work of the machine does not count
    session = shown.page.context.new_cdp_session(shown.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    shown.page.goto(path.as_uri())
    shown.page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))")
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    assert metrics["TaskDuration"] < SECONDS
    assert 9 < shown.n_drawn() <= most
    assert shown.page.evaluate("rtgraph.network.body.nodeIndices.length") == shown.n_drawn()
    shown.ready()
    shown.page.screenshot(path=artefacts / f"figure-{n}.png")
    shown.page.locator("#show-time").click()
    shown.page.screenshot(path=artefacts / f"timeline-{n}.png")
    shown.page.locator("#search").fill("Plan 3")
    shown.page.locator("#search").press("Enter")
    shown.page.locator("#problems").check()  # a label is searched for very slowly
    assert shown.complaints == []


def test_twenty_thousand_series_are_refused_or_drawn(open_page: Open, tmp_path: Path) -> None:
    tables = generated(20_000, images=1)
    about = Material(key_of(tables), tables)
    with pytest.raises(TooManyBoxes):
        Figure(about).save(tmp_path / "huge.html")
    shown = open_page(Figure(about, chosen(max_nodes=5000)).save(tmp_path / "huge.html"))
    assert shown.n_drawn() > 1500
    assert shown.complaints == []


# --- typical patients ----------------------------------------------------------------------------

@pytest.mark.parametrize("name", TYPICAL)
def test_typical_patients_can_be_read(
    name: str, open_page: Open, tmp_path: Path, artefacts: Path
) -> None:
    tables = TYPICAL[name]().tables
    shown = open_page(Figure(Material(key_of(tables), tables)).save(tmp_path / "p.html")).ready()
    scale = shown.page.evaluate("rtgraph.network.getScale()")
    assert scale * CAPTION_SIZE > 8  # pixels, where the window is 1600 wide
    texts = shown.page.evaluate("""rtgraph.scene().nodes.map(({node}) => textsIn(node))""")
    assert all(name and not name.endswith("…") for name, _, _ in texts)
    assert sum("".join(caption[-1:]).endswith("…") for _, _, caption in texts
               ) <= len(texts) / 8
    word = name.replace(" ", "-")
    shown.page.screenshot(path=artefacts / f"figure-{word}.png")
    shown.page.locator("#show-time").click()
    shown.page.screenshot(path=artefacts / f"timeline-{word}.png")
    assert shown.complaints == []


def test_screenshot_with_a_selection(open_page: Open, tmp_path: Path, artefacts: Path) -> None:
    tables = patient()
    boost = titled(tables, "BOOST 5Fx")
    records = [r["SOPInstanceUID"] for r in tables["instances"] if r["family"] == "RTRecord"]
    about = material(tables, finding(boost), finding(records[1], "REC-01", "error"))
    shown = open_page(Figure(about).save(tmp_path / "p.html")).ready()
    shown.click(boost)
    shown.page.mouse.move(1200, 800)
    shown.page.wait_for_timeout(300)
    shown.page.screenshot(path=artefacts / "figure.png")


# --- contrast ------------------------------------------------------------------------------------

CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const channel = (v) => v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility()) continue;
    const inSvg = element instanceof SVGElement;
    const text = parse(inSvg ? getComputedStyle(element).fill : getComputedStyle(element).color);
    const [light, dark] = [luminance(text), luminance(inSvg ? [255, 255, 255] : ground(element))]
      .sort((a, b) => b - a);
    const words = walker.currentNode.textContent.trim().slice(0, 40);
    found.push([(light + 0.05) / (dark + 0.05), words]);
  }
  return found;
}"""


def test_text_of_the_page_can_be_read(open_page: Open, tmp_path: Path) -> None:
    tables = patient()
    boost = titled(tables, "BOOST 5Fx")
    about = material(tables, finding(boost), finding(boost, "A-1", "error"),
                     finding(boost, "A-2", "info"), finding(boost, "A-3", waived=True))
    shown = open_page(Figure(about, chosen(identifiers=True)).save(tmp_path / "p.html")).ready()
    shown.click(boost)
    for summary in shown.page.locator("summary").all():
        summary.click()
    for view in ("#show-references", "#show-time"):
        shown.page.locator(view).click()
        measured = shown.page.evaluate(CONTRAST)
        assert len(measured) > 100
        assert [m for m in measured if m[0] < 4.5] == []


# --- other formats -------------------------------------------------------------------------------

@pytest.mark.parametrize("text", [h[1] for h in HOSTILE[:6]], ids=[h[0] for h in HOSTILE[:6]])
def test_svg_opens_without_the_page(text: str, open_page: Open, tmp_path: Path) -> None:
    chart = Chart(seed=1)
    study = chart.opened(text, 0)
    _, images = chart.scan(study, "CT", text, 0, 3)
    chart.planned(study, text, 1, chart.contours(study, text, 1, images), 3)
    path = Figure(Material(chart.patient_key, chart.tables)).save(tmp_path / "figure.svg")
    shown = open_page(path)
    boxes = shown.page.evaluate("document.querySelectorAll('svg > g').length")
    assert boxes == 3
    active = "document.querySelectorAll('script, image, foreignObject').length"
    assert shown.page.evaluate(active) == 0
    assert shown.requests == [path.as_uri()]
    assert shown.complaints == []


def test_png_is_drawn_by_the_browser_of_the_machine(browser: Any, tmp_path: Path) -> None:
    tables = patient()
    path = Figure(material(tables)).save(tmp_path / "figure.png")
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    assert (width > 1000, height > 500) == (True, True)
    assert [p.name for p in tmp_path.iterdir()] == ["figure.png"]


# --- many patients -------------------------------------------------------------------------------

@pytest.fixture
def index(open_page: Open, tmp_path: Path) -> Watched:
    """An index of three patients, of whom one has problems and one is too large."""
    entries = []
    for i, tables in enumerate((patient(), TYPICAL["proton"]().tables, generated(300))):
        key = f"{i}" * 16
        tables["patients"][0]["patient_key"] = key
        tables["patients"][0]["PatientID"] = "<b>CANARY</b>"
        about = [finding(titled(tables, "BOOST 5Fx"))] if i == 0 else []
        entries.append(draw_page(material(tables, *about, key=key),
                                 chosen(max_nodes=30, identifiers=True), tmp_path, force=False))
    path = tmp_path / "index.html"
    write_file(render_index(entries, "Patients", identifiers=True), path, force=False)
    return open_page(path)


def first_column(index: Watched) -> list[str]:
    return [text[:16] for text in
            index.page.locator("tbody tr td:first-child").all_inner_texts()]


def test_the_index_sorts_by_any_column(index: Watched) -> None:
    assert first_column(index) == ["0" * 16, "1" * 16, "2" * 16]
    heads = index.page.locator("thead th").all_inner_texts()
    assert heads[:7] == ["patient", "PatientBirthDate", "PatientID", "PatientSex", "studies",
                         "series", "boxes"]
    sort = index.page.get_by_role("button", name="boxes")
    sort.click()
    assert first_column(index) == ["2" * 16, "1" * 16, "0" * 16]
    assert index.page.locator("th[aria-sort=descending]").inner_text() == "boxes"
    sort.click()
    assert first_column(index) == ["0" * 16, "1" * 16, "2" * 16]
    index.page.get_by_role("button", name="warnings").click()
    assert first_column(index)[0] == "0" * 16


def test_the_index_filters_and_leads_to_pages(index: Watched) -> None:
    page = index.page
    page.get_by_label("Problems only").check()
    assert first_column(index) == ["0" * 16, "2" * 16]
    assert page.locator("#shown").inner_text() == "2 of 3"
    page.get_by_label("Problems only").uncheck()
    page.locator("#search").fill("1111")
    assert first_column(index) == ["1" * 16]
    page.locator("#search").fill("")
    assert page.locator("tbody a").count() == 2  # one is too large
    assert "45 boxes" in page.locator("tbody tr").nth(2).inner_text()
    assert page.locator("tbody b").count() == 0
    assert "<b>CANARY</b>" in page.locator("tbody").inner_text()
    assert [m for m in page.evaluate(CONTRAST) if m[0] < 4.5] == []
    assert index.complaints == []
    assert len(index.requests) == 1
    page.locator("tbody a").first.click()
    page.locator("#canvas").wait_for()
    assert page.locator("h1").inner_text() == f"Patient {'0' * 16}"


def test_an_index_of_nobody_is_a_page(open_page: Open, tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    write_file(render_index([], "Patients", identifiers=False), path, force=False)
    shown = open_page(path)
    assert shown.page.locator("tbody tr").count() == 0
    assert shown.complaints == []

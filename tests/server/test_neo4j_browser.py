"""Neo4j Browser of the managed server in a real Chromium: log in, guide, style, one patient."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import pytest

from rtgraph.cypher.library import query
from rtgraph.cypher.links import file_link
from rtgraph.demo.manifest import Manifest
from rtgraph.graphmodel.modalities import series_type
from rtgraph.store import local
from rtgraph.viz.browser import GUIDE, STYLE, Served, browser_files
from tests.server.conftest import Call, TestGraph

pytestmark = [pytest.mark.server, pytest.mark.page]
T = TypeVar("T")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# Nothing outside of this machine is found, as in a hospital without the internet.
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--no-first-run",
             "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost")
PATIENCE = 120_000.0


@pytest.fixture(scope="module")
def away() -> Iterator[Callable[[Callable[[], T]], T]]:
    """A thread of its own for playwright, which leaves a running event loop in the one it is in."""
    with ThreadPoolExecutor(1) as executor:
        yield lambda work: executor.submit(work).result()


@pytest.fixture(scope="module")
def base(session_graph: TestGraph, synthetic: tuple[Path, Manifest]) -> str:
    """The link to Browser of the server, whose graph holds the synthetic cohort."""
    home = session_graph.server.home
    if home is None:
        pytest.skip("the tests use another server")
    session_graph.wipe()
    session_graph.ingest(synthetic[0])
    running = local.find(home)
    assert running is not None
    host = running.uri.partition("://")[2]
    return f"{running.browser_url}?dbms=bolt://neo4j@{host}&db=neo4j"


@pytest.fixture(scope="module")
def page(away: Any, base: str, session_graph: TestGraph) -> Iterator[tuple[Any, Served]]:
    """Browser after the log in, opened by the link that `rtgraph browser` prints."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.skip(f"no Chromium on the path ({', '.join(CHROMIUM)})")
    opened: list[Any] = []

    def start(served: Served) -> Any:
        playwright = api.sync_playwright().start()
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        opened.extend((browser.close, playwright.stop))
        page = browser.new_context(viewport={"width": 1700, "height": 1000}).new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{base}&cmd=guide&arg={quote(f'{served.address}/{GUIDE}', safe='')}")
        page.locator("input[type=password]").fill(session_graph.server.password)
        page.keyboard.press("Enter")
        page.get_by_text("You are connected as user").wait_for()
        return page

    with Served() as served:
        yield away(lambda: start(served)), served
        away(lambda: [close() for close in opened])


@pytest.fixture
def artefacts() -> Path:
    folder = Path(os.environ.get("RTGRAPH_ARTEFACTS", "test-artefacts"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def wait_for_stored(page: Any, key: str, text: str) -> str:
    """Wait until Browser keeps a text in its storage; its policy forbids waiting inside of it."""
    for _ in range(int(PATIENCE / 500)):
        kept: str = page.evaluate("key => localStorage.getItem(key) || ''", key)
        if text in kept:
            return kept
        page.wait_for_timeout(500)
    raise AssertionError(f"{key} does not hold {text!r}")


def run_box(page: Any, text: str) -> None:
    """Click a box of the guide, then the arrow that runs what is in the editor."""
    page.locator("pre", has_text=text).first.click()
    page.get_by_test_id("editor-Run").click()


def test_guide_style_and_one_patient(
    away: Any, page: tuple[Any, Served], artefacts: Path, session_graph: TestGraph
) -> None:
    opened, served = page

    def work() -> dict[str, str]:
        drawer = opened.get_by_test_id("guidesDrawer")
        drawer.get_by_text("The graph of rtgraph").first.wait_for()
        run_box(opened, f":style {served.address}/{STYLE}")
        wait_for_stored(opened, "neo4j.grass", "RTPlanSeries")
        opened.get_by_test_id("guideNextSlide").click()
        run_box(opened, ":param patient")
        opened.get_by_text('"patient":').wait_for()
        run_box(opened, "MATCH (k:Patient {patient_key: $patient})")
        opened.locator("g.node").nth(5).wait_for()
        opened.wait_for_timeout(3000)
        opened.screenshot(path=artefacts / "neo4j-browser.png")
        found: dict[str, str] = opened.evaluate("""() => Object.fromEntries(
            [...document.querySelectorAll('g.node')].map(n => [n.textContent.trim(),
              n.querySelector('circle.b-outline').getAttribute('fill')]))""")
        return found

    colours = away(work)
    studies = {r["text"] for r in session_graph.read(
        "MATCH (t:Study) RETURN t.StudyDescription AS text")}
    seen = {}
    for caption in colours.keys() - studies:
        fill = colours[caption]
        modality = re.match(r"[A-Z]+", caption)
        if modality and series_type(modality[0]).fill != "#D9D9D9":
            seen[modality[0]] = fill
    assert set(seen) >= {"CT", "RTSTRUCT", "RTPLAN", "RTDOSE", "RTRECORD"}
    assert seen == {m: series_type(m).fill for m in seen}


def test_a_link_puts_its_query_into_the_editor_and_does_not_run_it(
    away: Any, page: tuple[Any, Served], base: str
) -> None:
    opened, _ = page
    asked = query("missing-targets")
    link = file_link(base, asked)

    def work() -> str:
        tab = opened.context.new_page()
        tab.set_default_timeout(PATIENCE)
        tab.goto(link)
        tab.locator(".view-line").nth(5).wait_for()
        shown = "\n".join(tab.locator(".view-line").all_inner_texts())
        assert tab.locator("g.node").count() == 0
        tab.close()
        return shown.replace("\xa0", " ")

    shown = away(work)
    for line in asked.text.splitlines()[:5]:
        assert line in shown


def test_dropped_files_become_favourites(away: Any, page: tuple[Any, Served]) -> None:
    opened, _ = page
    text = query("orphans").text

    def work() -> str:
        opened.evaluate("""(text) => {
            const transfer = new DataTransfer()
            transfer.items.add(new File([text], 'orphans.cypher', {type: 'text/plain'}))
            const main = document.querySelector('[data-testid=main]')
            for (const kind of ['dragenter', 'dragover', 'drop'])
                main.dispatchEvent(new DragEvent(kind, {dataTransfer: transfer, bubbles: true,
                                                        cancelable: true}))
        }""", text)
        opened.get_by_text("Save to favorites").click()
        return wait_for_stored(opened, "neo4j.documents", "refer to nothing")

    kept = away(work)
    assert "MATCH (s:Series)-[:HAS_INSTANCE]->(i:Instance)" in kept


# --- what is served and exported -----------------------------------------------------------------

def test_files_are_served_with_what_browser_asks_for() -> None:
    from http.client import HTTPConnection

    with Served() as served:
        assert served.address.startswith("http://localhost:")
        connection = HTTPConnection("127.0.0.1", int(served.address.rpartition(":")[2]))
        for method, path, code in (("GET", f"/{STYLE}", 200), ("GET", f"/{GUIDE}", 200),
                                   ("OPTIONS", f"/{STYLE}", 204), ("GET", "/../etc", 404)):
            connection.request(method, path)
            answer = connection.getresponse()
            content = answer.read().decode()
            assert answer.status == code
            assert answer.getheader("Access-Control-Allow-Origin") == "*"
            if path.endswith(GUIDE) and method == "GET":
                assert f":style {served.address}/{STYLE}" in content
        connection.close()


def test_the_command_exports_everything(call: Call, folder: Path) -> None:
    (folder / "queries").mkdir()
    (folder / "queries" / "mine.cypher").write_text(query("orphans").text, encoding="utf-8")
    done = call("browser", "--export", "out", RTGRAPH_URI="bolt://127.0.0.1:1")
    assert "rtgraph.grass" in done.stdout
    names = {p.relative_to(folder / "out").as_posix() for p in (folder / "out").rglob("*.*")}
    assert names >= {"rtgraph.grass", "guide.html", "favourites.zip", "queries/mine.cypher",
                     "queries/show-patient.cypher", "checks/REF-01.cypher"}
    shown = (folder / "out" / "queries" / "show-patient.cypher").read_text(encoding="utf-8")
    assert shown == query("show-patient").text
    assert "already" in call("browser", "--export", "out", code=3).stderr
    call("browser", "--export", "out", "--force")
    assert browser_files()["guide.html"].decode().count("<slide") == 4

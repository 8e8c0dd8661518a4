"""A headless Chromium for the page tests, and pages that are watched while they load."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)


# Not for the whole session: while playwright runs, this thread has a running event loop, in which
# asyncio.run of the tests in other folders fails.
@pytest.fixture(scope="package")
def browser() -> "Iterator[Browser]":
    """A Chromium of the system; none is ever downloaded."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.skip(f"no Chromium on the path ({', '.join(CHROMIUM)})")
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield launched
        launched.close()


class Watched:
    """An open page, with what it asked for and what it complained about."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("dialog", self._dialog)
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _dialog(self, dialog: Any) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def ready(self) -> "Watched":
        """Wait until the figure is drawn and the tables are filled."""
        self.page.locator("body[data-ready]").wait_for()
        return self

    def drawn(self) -> dict[str, Any]:
        """Return what is drawn, by UID; groups by modality and number of members."""
        return {
            (item["uid"] or item["name"]): item for item in self.page.evaluate("""rtgraph.scene()
                .nodes.map(({node, x, y}) => ({uid: node.uid, x, y, modality: node.modality,
                                               name: `${node.modality} ${node.tally}`}))""")}

    def n_drawn(self) -> int:
        """Return how many boxes and groups are drawn."""
        return int(self.page.evaluate("rtgraph.scene().nodes.length"))

    def lines(self, kind: str = "REFERENCES") -> list[Any]:
        """Return the lines of a kind that are drawn."""
        return list(self.page.evaluate("""kind => rtgraph.scene().lines
            .filter((line) => line.kind === kind).map((line) => line.id)""", kind))

    def number(self, uid: str) -> int:
        """Return the number of a box in the page."""
        return int(self.page.evaluate(
            "uid => rtgraph.nodes.find((node) => node.uid === uid).id", uid))

    def click(self, uid: str, times: int = 1) -> None:
        """Click a box, or the group that it is in, on the canvas."""
        at = self.page.evaluate("""number => {
            const {network, nodes, scene} = rtgraph;
            const node = nodes[number];
            const there = scene().nodes.some((item) => item.node.id === number);
            return network.canvasToDOM(network.getPosition(there ? number : node.group));
        }""", self.number(uid))
        self.page.locator("#canvas").click(position=at, click_count=times)

    @property
    def selected(self) -> str:
        """The text of the panel."""
        return self.page.locator("#selection").inner_text()


@pytest.fixture
def open_page(browser: "Browser") -> "Iterator[Callable[[Path], Watched]]":
    """Open files in the browser; they are closed after the test."""
    context = browser.new_context(viewport={"width": 1600, "height": 950}, offline=True)

    def opened(path: Path) -> Watched:
        watched = Watched(context.new_page())
        watched.page.goto(path.as_uri() if path.is_absolute() else "about:blank")
        return watched

    yield opened
    context.close()


@pytest.fixture
def artefacts() -> Path:
    """The folder for screenshots."""
    folder = Path(os.environ.get("RTGRAPH_ARTEFACTS", "test-artefacts"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder

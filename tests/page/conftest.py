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

    def boxes(self) -> dict[str, Any]:
        """Return the nodes that are shown, by id."""
        shown = self.page.evaluate("rtgraph.nodes.get()")
        return {node["id"]: node for node in shown}

    def edges(self, kind: str) -> list[Any]:
        """Return the lines of a kind that are shown."""
        shown = self.page.evaluate("rtgraph.edges.get()")
        return [edge for edge in shown if edge["kind"] == kind]

    def click(self, box_id: str) -> None:
        """Click a box on the canvas."""
        at = self.page.evaluate(
            "id => rtgraph.network.canvasToDOM(rtgraph.network.getPosition(id))", box_id
        )
        self.page.locator("#canvas").click(position=at)


@pytest.fixture
def open_page(browser: "Browser") -> "Iterator[Callable[[Path], Watched]]":
    """Open files in the browser; they are closed after the test."""
    context = browser.new_context(viewport={"width": 1600, "height": 950}, offline=True)

    def opened(path: Path) -> Watched:
        watched = Watched(context.new_page())
        watched.page.goto(path.as_uri())
        return watched

    yield opened
    context.close()


@pytest.fixture
def artefacts() -> Path:
    """The folder for screenshots."""
    folder = Path(os.environ.get("RTGRAPH_ARTEFACTS", "test-artefacts"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder

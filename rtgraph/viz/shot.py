"""The figure as PNG, by a web browser of this machine that needs no window."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rtgraph.errors import OutputError
from rtgraph.viz.svg import size

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
            "microsoft-edge", "msedge")
MAC = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
       "/Applications/Chromium.app/Contents/MacOS/Chromium",
       "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge")
LARGEST = 12000  # pixels of a side that browsers draw
TIMEOUT = 120


def find_browser() -> str:
    """Return a browser that can draw without a window.

    Raises
    ------
    OutputError
        There is none.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    found = found or next((path for path in MAC if Path(path).exists()), None)
    if found is None:
        raise OutputError("PNG is drawn by a web browser, and none is found on the path.",
                          "Install Chromium, Chrome or Edge, or take --format svg.")
    return found


def render_png(svg: str) -> bytes:
    """Return a picture of an SVG document, twice as fine as the screen where that is possible.

    The document and the profile of the browser are in a folder that is removed afterwards.

    Raises
    ------
    OutputError
        There is no browser, or it does not draw.
    """
    browser = find_browser()
    width, height = size(svg)
    scale = min(2.0, LARGEST / max(width, height, 1))
    with tempfile.TemporaryDirectory(prefix="rtgraph-", ignore_cleanup_errors=True) as folder:
        page, shot = Path(folder) / "figure.svg", Path(folder) / "figure.png"
        page.write_text(svg, encoding="utf-8")
        arguments = [
            browser, "--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={Path(folder) / 'profile'}", f"--force-device-scale-factor={scale:g}",
            f"--window-size={max(width, 1)},{max(height, 1)}", f"--screenshot={shot}",
        ]
        if sys.platform == "linux" and os.geteuid() == 0:
            arguments.append("--no-sandbox")  # Chromium refuses to run as root with one
        try:
            subprocess.run([*arguments, page.as_uri()], capture_output=True, timeout=TIMEOUT,
                           check=False, cwd=folder)
            return shot.read_bytes()
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OutputError("The web browser did not draw the figure.",
                              "Take --format svg instead.") from error

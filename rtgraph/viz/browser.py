"""What Neo4j Browser is given: style, guide, and the queries and checks as favourites."""

from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from types import TracebackType
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from rtgraph import __version__
from rtgraph.cypher.header import Check, Query
from rtgraph.cypher.library import checks, queries
from rtgraph.errors import OutputError
from rtgraph.graphmodel.modalities import SERIES_TYPES
from rtgraph.output import write_file
from rtgraph.viz.html import environment
from rtgraph.viz.style import style_sheet

STYLE, GUIDE, FAVOURITES = "rtgraph.grass", "guide.html", "favourites.zip"
SHOWN_QUERIES = ("patient-summary", "modality-distribution", "complete-chains", "missing-targets",
                 "reach-summary")
SHOWN_CHECKS = ("REF-01", "FOR-01", "HIE-01")
_TYPES = {".grass": "text/plain", ".html": "text/html", ".zip": "application/zip"}
_PATIENTS = "MATCH (k:Patient) RETURN k.patient_key AS patient_key ORDER BY patient_key LIMIT 25"


def guide(style_address: str | None) -> str:
    """Return the guide as a page of slides with queries that run on a click.

    `style_address` is where the style sheet is served; without it the guide says to drop the file.
    """
    by_name = {q.name: q for q in queries()}
    by_id = {c.id: c for c in checks()}
    return environment(trim=True).get_template("guide.html").render(
        version=__version__, style=style_address, patients=_PATIENTS,
        modalities=[row for row in SERIES_TYPES if row.modalities],
        queries=[by_name[name] for name in SHOWN_QUERIES],
        checks=[by_id[name] for name in SHOWN_CHECKS if name in by_id],
        patient=by_name["show-patient"], all_queries=[q for q in queries() if q.view == "table"])


def favourites(files: Sequence[Check | Query]) -> bytes:
    """Return a zip of `.cypher` files in folders, which Browser reads as favourites."""
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for file in files:
            entry = ZipInfo(_place(file), date_time=(2020, 1, 1, 0, 0, 0))
            archive.writestr(entry, file.text, ZIP_DEFLATED)
    return out.getvalue()


def _place(file: Check | Query) -> str:
    name = file.id if isinstance(file, Check) else file.name
    folder = "rtgraph checks" if isinstance(file, Check) else "rtgraph queries"
    return f"{folder}/{name}.cypher"


def browser_files(
    own_queries: Sequence[Query] = (), own_checks: Sequence[Check] = (),
    style_address: str | None = None,
) -> dict[str, bytes]:
    """Return all files for Browser by name: style, guide, favourites."""
    names = {q.name for q in own_queries} | {c.id for c in own_checks}
    files: list[Check | Query] = [
        *(q for q in queries() if q.name not in names), *own_queries,
        *(c for c in checks() if c.id not in names), *own_checks]
    return {
        STYLE: style_sheet().encode(), GUIDE: guide(style_address).encode(),
        FAVOURITES: favourites(sorted(files, key=_place)),
    }


def export(
    folder: Path, own_queries: Sequence[Query] = (), own_checks: Sequence[Check] = (), *,
    force: bool = False,
) -> list[str]:
    """Write style, guide and favourites into a folder, the favourites as single files too.

    Returns
    -------
    list of str
        Names of what was written.

    Raises
    ------
    OutputError
        A file is there already, or cannot be written.
    """
    made = browser_files(own_queries, own_checks)
    with ZipFile(BytesIO(made[FAVOURITES])) as archive:
        made |= {name.removeprefix("rtgraph "): archive.read(name) for name in archive.namelist()}
    if not force and any((folder / name).exists() for name in made):
        raise OutputError("The folder holds such files already.", "Overwrite them with --force.")
    for name, content in made.items():
        write_file(content, folder / name, force=True)
    return sorted(made)


class Served:
    """Files on localhost for Browser while this is open.

    Browser fetches from another port, so every answer allows that; it refuses addresses with
    127.0.0.1, so links say localhost.
    """

    def __init__(self, port: int = 0) -> None:
        files: dict[str, bytes] = {}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.partition("?")[0].lstrip("/")
                content = files.get(name)
                self._answer(200 if content is not None else 404, name, content or b"")

            def do_OPTIONS(self) -> None:
                self._answer(204, "", b"")

            def _answer(self, code: int, name: str, content: bytes) -> None:
                self.send_response(code)
                self.send_header("Access-Control-Allow-Origin", "*")
                self.send_header("Access-Control-Allow-Methods", "GET, OPTIONS")
                self.send_header("Access-Control-Allow-Headers", "*")
                self.send_header("Access-Control-Allow-Private-Network", "true")
                kind = _TYPES.get(Path(name).suffix, "text/plain")
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing: what is fetched is of no interest."""

        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            raise OutputError(f"The port for guide and style is taken: {error.strerror}.",
                              "Leave --port out, so that a free one is chosen.") from error
        self.address = f"http://localhost:{self._server.server_address[1]}"
        self.files: Mapping[str, bytes] = files
        files |= browser_files(style_address=f"{self.address}/{STYLE}")
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> "Served":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self) -> None:
        """Serve until the user stops it."""
        self._thread.join()

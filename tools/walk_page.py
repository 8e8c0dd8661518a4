"""The way of one value through the program, as a page with a picture: one room after the other.

`WALK` is the declaration; a test asks that every file of it exists and that each line is walked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from textwrap import wrap

from tools.markdown import NOTICE, code, table

PICTURE = "architecture.svg"
FONT = "Arial, Helvetica, 'Liberation Sans', 'Nimbus Sans', sans-serif"
WIDTH, HEIGHT, GAP_X, GAP_Y, TOP, LEFT = 214, 74, 26, 26, 56, 130
FILLS = {"graphmodel": "#DCE6F5", "store": "#E9DDF3", "ingest": "#DDF0E0", "cypher": "#FBEBD5",
         "viz": "#F8DCDC", "preprocess": "#E4EFF0", "render": "#EEEEEE"}


@dataclass(frozen=True, slots=True)
class Room:
    """A file that a value passes, and what it becomes there; `line` is the row of the picture."""

    line: str
    file: str
    becomes: str

    @property
    def part(self) -> str:
        """The part of the package that the room belongs to."""
        return self.file.split("/")[0]


READ, WRITE, CHECK, DRAW, MAKE = "read", "write", "check", "draw", "make"
LINES = {READ: "a file becomes a record", WRITE: "records become the graph",
         CHECK: "the graph is asked", DRAW: "a patient is drawn",
         MAKE: "a cohort becomes arrays"}
WALK = (
    Room(READ, "graphmodel/references.json", "row DOSE_PLAN: path, role, severity"),
    Room(READ, "ingest/discover.py", "a path in a folder or archive, told by content"),
    Room(READ, "ingest/headscan.py", "an item: keywords with raw bytes, by ingest/plan.py"),
    Room(READ, "ingest/walker.py", "a Target: edge, role, UID, what narrows it"),
    Room(READ, "ingest/parse.py", "an Instance with values and parts, or Rejected"),
    Room(WRITE, "ingest/batch.py", "rows of a batch, in the order of statements"),
    Room(WRITE, "graphmodel/statements.py", "one idempotent UNWIND for each family and edge"),
    Room(WRITE, "store/bolt.py", "a transaction, repeated when the server is busy"),
    Room(WRITE, "ingest/derive.py", "edges between series: graphmodel/derive/*.cypher"),
    Room(CHECK, "cypher/checks/REF-01.cypher", "a row: subject, target, detail"),
    Room(CHECK, "cypher/validate.py", "a Finding of 3 in 812"),
    Room(CHECK, "cypher/judge.py", "new, known, waived or suppressed; severity of the project"),
    Room(CHECK, "render/report.py", "a line of the report; in the graph, by stored.py, an Issue"),
    Room(DRAW, "viz/gather.py", "rows of one patient, by named statements"),
    Room(DRAW, "viz/subgraph.py", "boxes and lines; the missing plan is a ghost"),
    Room(DRAW, "viz/layout.py", "places, after viz/collapse.py has folded what is alike"),
    Room(DRAW, "viz/page.py", "one HTML file that needs no network"),
    Room(MAKE, "preprocess/cases.py", "a case: the plan, its structure set, images and doses"),
    Room(MAKE, "preprocess/policy.py", "the dose that is taken, and why the others are not"),
    Room(MAKE, "preprocess/planning.py", "a decision about the case, or a reason of refusal"),
    Room(MAKE, "preprocess/making.py", "arrays on one grid, with ledger and DVHs"),
    Room(MAKE, "preprocess/export.py", "files and manifest; in the graph, by lineage.py, a Sample"),
)


def walk_page() -> Iterator[str]:
    """Yield the blocks of the page."""
    yield "# The way of one value"
    yield ("A dose names its plan: `ReferencedRTPlanSequence`, `ReferencedSOPInstanceUID` "
           "(PS3.3 C.8.8.3). This is what becomes of that UID, room by room. Each is passed once; "
           "what a room takes and gives is plain data, and files, server and terminal are met only "
           "at the ends of a line.")
    yield f"![From the file to the finding, the figure and the arrays]({PICTURE})"
    for line, title in LINES.items():
        yield f"## {title.capitalize()}"
        yield table(("room", "the value is now"),
                    [(code([f"rtgraph/{room.file}"]), room.becomes) for room in rooms_of(line)])
    yield ("`validate --level` goes the last line as far as the masks and doses "
           "(`rtgraph/preprocess/measuring.py`), and writes what it measured to the graph, where "
           "checks ask for it.")
    yield "## Who imports whom"
    yield ("`graphmodel <- store <- ingest, cypher <- viz, preprocess, pacs <- render, api <- demo "
           "<- cli`. `config`, `errors` and `text` serve all. Only `store` imports the driver, "
           "only `viz/page.py` the library of the figure, only `pacs` the network protocol; a "
           "test keeps it so. What a command does begins in `rtgraph/cli`, what a notebook does "
           "in `rtgraph/api.py`; both call the same functions.")


def rooms_of(line: str) -> list[Room]:
    """Return the rooms of a line in their order."""
    return [room for room in WALK if room.line == line]


def walk_picture() -> Iterator[str]:
    """Yield the lines of the picture: a row for each line of the walk."""
    most = max(len(rooms_of(line)) for line in LINES)
    width = LEFT + most * (WIDTH + GAP_X)
    height = TOP + len(LINES) * (HEIGHT + GAP_Y)
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
           f'width="{width}" height="{height}" role="img" aria-labelledby="title" '
           f'font-family="{FONT}">')
    yield NOTICE
    yield '<title id="title">The way of one value through rtgraph</title>'
    yield ('<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
           'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#3C3C3C"/></marker>'
           "</defs>")
    yield f'<rect width="{width}" height="{height}" fill="#FFFFFF"/>'
    yield ('<text x="16" y="30" font-size="16" font-weight="bold">The plan of a dose: from the '
           "file to the finding, the figure and the arrays</text>")
    for row, line in enumerate(LINES):
        top = TOP + row * (HEIGHT + GAP_Y)
        for at, words in enumerate(wrap(LINES[line], 15)):
            yield f'<text x="16" y="{top + 30 + at * 16}" font-size="13">{escape(words)}</text>'
        rooms = rooms_of(line)
        for at, room in enumerate(rooms):
            left = LEFT + at * (WIDTH + GAP_X)
            yield from _room(room, left, top)
            if at + 1 < len(rooms):
                yield (f'<path d="M{left + WIDTH} {top + HEIGHT // 2}h{GAP_X}" stroke="#3C3C3C" '
                       'fill="none" marker-end="url(#head)"/>')
    yield "</svg>"


def _room(room: Room, left: int, top: int) -> Iterator[str]:
    yield (f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" rx="5" '
           f'fill="{FILLS[room.part]}" stroke="#8A8A8A"/>')
    yield (f'<text x="{left + 9}" y="{top + 19}" font-size="12" font-weight="bold">'
           f"{escape(room.file)}</text>")
    for at, words in enumerate(wrap(room.becomes, 34)):
        yield (f'<text x="{left + 9}" y="{top + 36 + at * 14}" font-size="11">'
               f"{escape(words)}</text>")

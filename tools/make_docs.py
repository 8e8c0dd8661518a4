"""Write docs/reference and docs/architecture.md from declarations; print what has changed.

Example: python tools/make_docs.py

The pages are not edited by hand: tests compare them with what this makes.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import typer

from rtgraph.cli import app
from rtgraph.cypher.library import ON_DEMAND, checks, protocol_checks, queries
from rtgraph.errors import ExitCode
from rtgraph.graphmodel.tables import IDENTIFYING, TABLES
from rtgraph.ingest.headscan import Fallback
from rtgraph.ingest.records import Reason, State
from rtgraph.settings import NODE_SETTINGS, SETTINGS
from tools.export_page import export_page
from tools.find_page import find_page, settings_of_checks
from tools.json_page import json_page
from tools.markdown import NOTICE, code, table
from tools.roles_page import reference_roles
from tools.schema_page import PICTURE, graph_schema
from tools.schema_svg import picture
from tools.walk_page import PICTURE as WALK_PICTURE
from tools.walk_page import walk_page, walk_picture

DOCS = Path(__file__).parents[1] / "docs"
Member = TypeVar("Member", bound=Enum)
WIDTH = 100

EXIT_CODES = {
    ExitCode.done: "done, nothing to report",
    ExitCode.findings: "done, with findings: `validate` has some at or above `--fail-on`, or "
                       "`ingest` rejected more files than `--max-rejects`, or `pacs retrieve` "
                       "did not get all that was announced or asked for",
    ExitCode.usage: "an option, a name or a setting is wrong",
    ExitCode.incomplete: "not finished: the server is lost or absent, a check errored or timed "
                         "out, a file that `validate --level`, `compare` or `preprocess rtstruct` "
                         "needs cannot be read or used, an archive fails, the disk is full, a "
                         "result cannot be written",
    ExitCode.interrupted: "stopped by the user; what was finished stays",
}
STATES = {
    State.INDEXED: "the file is the object in the graph, new or read again",
    State.UNCHANGED: "size, time of change and version of the reader are those of the last run; "
                     "the file was not opened",
    State.DUPLICATE: "another file, with a smaller path, holds the same data set",
    State.CONFLICT: "another file, with a smaller path, holds the same SOP Instance UID and a "
                    "different data set",
    State.REJECTED: "the file did not become an object; the reason is in the next table",
    State.EXCLUDED: "`--modality` or `--exclude-modality` leaves it out",
}
FALLBACKS = {
    Fallback.BIG_ENDIAN: "the data set is big endian",
    Fallback.COMMAND_SET: "the file begins with a command set",
    Fallback.OTHER_ENCODING: "the data set is not encoded as its transfer syntax says",
    Fallback.UNKNOWN_VR: "an element has a VR that the Standard does not know",
    Fallback.UNDEFINED_LENGTH: "an element that is no sequence has no length",
    Fallback.SEQUENCE_AS_VALUE: "a sequence stands where a value is expected, or the reverse",
    Fallback.NO_ITEM: "something stands between the items of a sequence",
    Fallback.LENGTHS_DISAGREE: "the length of a sequence or item is not that of its content",
    Fallback.TOO_DEEP: "items are nested more than 64 deep",
}
REASONS = {
    Reason.NOT_DICOM: "the content is not that of a DICOM file, whatever the name says",
    Reason.EMPTY_FILE: "the file has no bytes",
    Reason.NO_DATA_SET: "a file meta header and nothing behind it",
    Reason.TRUNCATED: "the file ends before the UIDs that identify an object",
    Reason.BAD_HEADER: "it looks like DICOM and cannot be read as such",
    Reason.UNREADABLE: "the system does not give the file or folder out (permission, lost disk); "
                       "it is tried again in the next run",
    Reason.NO_SOP_INSTANCE_UID: "SOPInstanceUID is absent or empty",
    Reason.NO_SOP_CLASS_UID: "SOPClassUID is absent or empty",
    Reason.NO_SERIES_INSTANCE_UID: "SeriesInstanceUID is absent or empty",
    Reason.NO_STUDY_INSTANCE_UID: "StudyInstanceUID is absent or empty",
    Reason.IDENTIFIER_TOO_LONG: "an identifying UID has more than 256 characters",
    Reason.NOT_AN_OBJECT: "a DICOMDIR, which lists objects and is none",
    Reason.WRITE_REFUSED: "the server does not accept the values of this object",
}


def settings() -> Iterator[str]:
    """Yield all settings."""
    yield "# Settings"
    yield ("An option of the command wins over the environment, then comes `rtgraph.toml` in the "
           "working directory, then the one in the user's configuration folder, then the default. "
           "Of several variables the first that is set counts. Unknown keys are errors.")
    yield table(("key", "environment", "default", "meaning"), (
        (f"`{s.key}`", code(s.environment), _default(s.default), s.help) for s in SETTINGS))
    yield "## Archives"
    yield ("A section `[nodes.NAME]` for each; either `ae_title`, `host` and `port`, or `url`. "
           "[Connect an archive](../howto/connect-an-archive.md) tells how to set them up.")
    yield table(("key", "default", "meaning"), (
        (f"`{s.key}`", _default(s.default), s.help) for s in NODE_SETTINGS))
    yield "## Roots"
    yield ("Folders named under `[roots]` keep their name in the graph, so that a moved archive "
           "needs one changed line:")
    yield '```toml\n[server]\npatience = 120\n\n[roots]\narchive = "/data/archive"\n```'
    yield from settings_of_checks()


def commands() -> Iterator[str]:
    """Yield the help text of every command."""
    yield "# Commands"
    yield "The text of `--help` for each command. Results go to stdout, all else to stderr."
    for context in sorted(contexts(), key=lambda c: str(c.command_path)):
        yield f"## {context.command_path}"
        yield f"```text\n{context.command.get_help(context).rstrip()}\n```"


def contexts(command: Any = None, name: str = "rtgraph", parent: Any = None) -> Iterator[Any]:
    """Yield the context of every command: where it stands, and the command itself."""
    command = command or typer.main.get_command(app)
    context = command.context_class(
        command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH,
        **command.context_settings)
    yield context
    for word, below in getattr(command, "commands", {}).items():
        yield from contexts(below, word, context)


def check_pages() -> Iterator[str]:
    """Yield every check with what it says about itself."""
    yield "# Checks"
    every = (*checks(), *protocol_checks())
    yield (f"`rtgraph validate` runs them all but {', '.join(sorted(ON_DEMAND))}, `--select` those "
           "that it names. A check is one file in `rtgraph/cypher/checks`, which pastes into Neo4j "
           "Browser. The severity is the highest that a finding can have; a heuristic fails a run "
           "only with `--heuristics`. What the checks find in published data sets, and what is to "
           "be thought of it, is told in "
           "[findings on real sets](../explanation/findings-on-real-sets.md).")
    yield table(("id", "severity", "confidence", "level", "what must hold"),
                ((f"[{c.id}](#{c.id.lower()})", c.severity, c.confidence, c.level, c.title)
                 for c in every))
    for c in every:
        yield f"## {c.id}"
        yield f"{c.title}. {c.why}"
        yield table(("", ""), (
            ("severity", c.severity), ("confidence", c.confidence), ("level", c.level),
            ("tier", c.tier), ("same finding in the next run", code(c.identity)),
            ("hidden without `--identifiers`", code(c.identifying) or "nothing"),
            ("known exceptions", c.exceptions), ("repair", c.fix), ("source", c.source)))


def query_pages() -> Iterator[str]:
    """Yield every named query with its parameters."""
    yield "# Queries"
    yield ("`rtgraph query run NAME -p parameter=value` runs one, `rtgraph query show NAME` prints "
           "it for Neo4j Browser, `rtgraph cohort save COHORT --query NAME` freezes its members. "
           "A `.cypher` file in the folder `queries` of the project is a named query too.")
    yield table(("name", "rows"), ((f"[{q.name}](#{q.name})", q.title) for q in queries()))
    for q in queries():
        yield f"## {q.name}"
        yield f"{q.title}."
        yield f"Returns {code(q.returns)}; best seen as a {q.view}."
        if q.identifying:
            yield f"Hidden without `--identifiers`: {code(q.identifying)}."
        if q.params:
            yield table(("parameter", "type", "default", "meaning"), (
                (f"`{p.name}`", p.type, "needed" if p.required else _default(p.default), p.text)
                for p in q.params))


def _default(value: object) -> str | None:
    """Return a default as it would be given, None when there is none."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list | tuple):
        return f"`{','.join(value)}`" if value else None
    return None if value is None else f"`{value}`"


def data_tables() -> Iterator[str]:
    """Yield the columns of the tables."""
    yield "# Tables"
    yield ("What `rtgraph scan -o`, `rtgraph.read(folder).tables` and `rtgraph.connect().tables` "
           f"give. Without `--identifiers`, `scan` hides {code(sorted(IDENTIFYING))}.")
    yield table(("table", "columns"), ((f"`{n}`", code(columns)) for n, columns in TABLES.items()))


def codes() -> Iterator[str]:
    """Yield exit codes, end states and reason codes."""
    yield "# Exit codes, end states and reason codes"
    yield "## Exit codes"
    yield table(("code", "when"), ((f"{int(c)}", text) for c, text in _each(ExitCode, EXIT_CODES)))
    yield "## End states"
    yield "Every file that was seen ends in one of them, so the counts add up to the files."
    yield table(("state", "when"), ((f"`{s.value}`", text) for s, text in _each(State, STATES)))
    yield "## Reasons of rejection"
    yield ("`rejects.jsonl` has a line for each rejected file. It holds paths, which may name "
           "patients, so only the user can read it.")
    yield table(("reason", "when"), ((f"`{r.value}`", text) for r, text in _each(Reason, REASONS)))
    yield "## Files left to pydicom"
    yield "The summary of a run counts them by reason. They are read like all others, more slowly."
    yield table(("reason", "when"),
                ((f"`{f.value}`", text) for f, text in _each(Fallback, FALLBACKS)))


def _each(
    kind: type[Member], texts: Mapping[Member, str]
) -> Iterator[tuple[Member, str]]:
    """Yield the members in their order; a member without a text is a KeyError."""
    for member in kind:
        yield member, texts[member]


# By their place below docs.
PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "architecture.md": walk_page,
    WALK_PICTURE: walk_picture,
    "reference/checks.md": check_pages,
    "reference/commands.md": commands,
    "reference/exports.md": export_page,
    "reference/find.md": find_page,
    "reference/graph-schema.md": graph_schema,
    f"reference/{PICTURE}": picture,
    "reference/json.md": json_page,
    "reference/queries.md": query_pages,
    "reference/reasons.md": codes,
    "reference/roles.md": reference_roles,
    "reference/settings.md": settings,
    "reference/tables.md": data_tables,
}


def page(name: str) -> str:
    """Return the text of a page: blocks of Markdown, or lines of a picture."""
    if name.endswith(".svg"):
        return "\n".join(PAGES[name]()) + "\n"
    return "\n\n".join((NOTICE, *PAGES[name]())) + "\n"


def main() -> None:
    """Write what differs."""
    for name in PAGES:
        file, text = DOCS / name, page(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8", newline="\n")
            print(os.path.relpath(file))


if __name__ == "__main__":
    main()

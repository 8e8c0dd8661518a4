"""Pieces of Markdown for the generated pages."""

from collections.abc import Iterable

NOTICE = "<!-- Made by tools/make_docs.py from the code; not edited by hand. -->"


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table; a None is an empty cell."""
    lines = [list(head)]
    lines.append(["---"] * len(lines[0]))
    lines += [[str("" if c is None else c).replace("|", "\\|") for c in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(names: Iterable[str], between: str = ", ") -> str:
    """Return names as code, separated by commas."""
    return between.join(f"`{name}`" for name in names)

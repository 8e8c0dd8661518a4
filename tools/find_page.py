"""The page about conditions of find, and the part about checks of the page of settings."""

from collections.abc import Iterator
from types import ModuleType

from rtgraph.cypher import find, policy
from rtgraph.graphmodel import conditions
from rtgraph.ingest import wherefile


def find_page() -> Iterator[str]:
    """Yield how conditions of find are written, and what they may name."""
    yield "# Conditions of find"
    yield from _said(conditions)
    yield "## Attributes"
    yield ("A condition is about the row itself, else about what is above it, else about something "
           "below it; `ROI.ROIName` or `Series.Modality` names the node.")
    yield from _said(find)
    for place, known in find.attributes().items():
        yield f"### {place}"
        yield ", ".join(f"`{name}`" for name in sorted(known))
    yield "## Conditions on files"
    yield ("`--where-file` asks for what the graph does not hold. The other conditions make a "
           "shortlist; only its files are opened.")
    yield from _said(wherefile)


def settings_of_checks() -> Iterator[str]:
    """Yield what a project may say about checks."""
    yield "## Checks"
    yield from _said(policy)


def _said(module: ModuleType) -> Iterator[str]:
    """Yield what a module says about itself below its first line, examples as code."""
    for part in (module.__doc__ or "").strip().split("\n\n")[1:]:
        lines = part.split("\n")
        if all(line.startswith("    ") or not line for line in lines):
            yield "```text\n" + "\n".join(line[4:] for line in lines) + "\n```"
        else:
            yield part

"""What every HTML page is made with: templates that escape, and hashes of what may run in it."""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment(*, trim: bool = False) -> Environment:
    """Return what renders the templates; `trim` leaves out the lines of their statements."""
    return Environment(loader=PackageLoader("rtgraph.viz"), autoescape=True,
                       undefined=StrictUndefined, trim_blocks=trim, lstrip_blocks=trim)


def part(name: str) -> str:
    """Return the text of a style sheet or script that stands beside the templates."""
    return (files("rtgraph.viz") / "templates" / name).read_text(encoding="utf-8")


def csp_hash(text: str) -> str:
    """Return the source expression that lets exactly this inline text run."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"

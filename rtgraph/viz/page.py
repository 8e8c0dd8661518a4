"""Render pages as single HTML files that need no network.

pyvis gives the node and edge lists and the vis-network library it bundles. Its own template is
not used: it loads from a CDN, and text from files could inject scripts there.
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from rtgraph import __version__
from rtgraph.text import json_for_script
from rtgraph.viz.html import csp_hash, environment, part
from rtgraph.viz.pagedata import page_data, page_heading
from rtgraph.viz.picture import Picture

SCRIPTS = ("model", "drawing", "panel", "filters", "timeline", "saving", "tables")


def render(picture: Picture) -> str:
    """Return the page of a picture; without `identifiers` it shows no PatientID or path."""
    from pyvis.edge import Edge
    from pyvis.node import Node

    vis = files("pyvis") / "templates" / "lib" / "vis-9.1.2" / "vis-network.min.js"
    library, _, _ = vis.read_text(encoding="utf-8").partition("//# sourceMappingURL")
    data = page_data(
        picture,
        as_node=lambda number, label, more: Node(number, "custom", label, **more).options,
        as_edge=lambda a, b, more: Edge(a, b, **more).options,
    )
    return from_template("patient.html", ("base", "patient"), SCRIPTS, data, library=library,
                         heading=page_heading(picture))


def from_template(
    name: str, styles: Sequence[str], scripts: Sequence[str], data: Mapping[str, Any],
    *, library: str = "", **values: object,
) -> str:
    """Return a page with style, scripts and data inside, which runs nothing but these scripts."""
    parts = {
        "style": "\n".join(part(f"{s}.css") for s in styles),
        "library": library,
        "script": "\n".join(part(f"{s}.js") for s in scripts),
    }
    return environment().get_template(name).render(
        version=__version__, figure=Markup(json_for_script(data)),
        hashes={what: csp_hash(text) for what, text in parts.items()},
        **{what: Markup(text) for what, text in parts.items()}, **values)

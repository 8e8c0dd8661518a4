"""The figure of a patient in every format."""

from html import escape
from pathlib import Path

from rtgraph.output import write_file
from rtgraph.viz.picture import Material, Options, Picture, compose

FORMATS = ("html", "svg", "png", "json", "dot", "graphml")
WITHOUT_PLACES = frozenset({"json", "graphml"})


class Figure:
    """The figure of a patient: shows itself in a notebook, `save` writes it in any format."""

    def __init__(self, material: Material, options: Options | None = None) -> None:
        self.material, self.options = material, options or Options()
        self._html: str | None = None

    @property
    def html(self) -> str:
        """The page, one file that needs no network."""
        if self._html is None:
            self._html = str(render(compose(self.material, self.options), "html"))
        return self._html

    def as_format(self, name: str) -> str | bytes:
        """Return the figure in one of the formats; only `png` is bytes."""
        if name == "html":
            return self.html
        picture = compose(self.material, self.options, positions=name not in WITHOUT_PLACES)
        return render(picture, name)

    def _repr_html_(self) -> str:
        return (f'<iframe srcdoc="{escape(self.html, quote=True)}" width="100%" height="640" '
                'style="border:0" sandbox="allow-scripts allow-popups allow-downloads"></iframe>')

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the figure in the format of the ending; refuse to overwrite without `force`."""
        path = Path(path)
        write_file(self.as_format(format_of(path)), path, force=force)
        return path


def format_of(path: Path | None, given: str | None = None) -> str:
    """Return the given format, else that of the ending of a file, else the page."""
    ending = path.suffix[1:].lower() if path else ""
    return given or (ending if ending in FORMATS else "html")


def render(picture: Picture, name: str) -> str | bytes:
    """Return a picture in one of the formats."""
    if name == "html":
        from rtgraph.viz import page

        return page.render(picture)
    if name in ("svg", "png"):
        from rtgraph.viz import shot, svg

        text = svg.render_svg(picture)
        return text if name == "svg" else shot.render_png(text)
    from rtgraph.viz import exports

    return {"json": exports.render_json, "dot": exports.render_dot,
            "graphml": exports.render_graphml}[name](picture)

"""The picture of the graph schema as SVG, drawn from the layout."""

from collections.abc import Iterable, Iterator
from html import escape
from textwrap import wrap

from rtgraph.graphmodel.families import FAMILIES
from rtgraph.graphmodel.modalities import DARK, series_type
from rtgraph.graphmodel.parts import PARTS
from tools.markdown import NOTICE
from tools.schema_boxes import CONTAINER, Box, Layout, Pin, channels, is_loop
from tools.schema_graph import Net, groups, loose, owners
from tools.schema_layout import layout

FONT = "Arial, Helvetica, 'Liberation Sans', 'Nimbus Sans', sans-serif"
SMALL = 9.5  # names of relationships, px
MARK = " *"
LOOP = 18
LEGEND, LINE, GAP = 322, 20, 24  # width of the legend, its lines, the room above it
PLAIN = "#F4F4F4"
# Colours of the lines: what a relationship is about, in the order in which they are looked at.
COLOURS = {
    "contains": ("#3C3C3C", "what contains what"),
    "refers": ("#2463A8", "references"),
    "frames": ("#7A3E9D", "frames of reference"),
    "parts": ("#B3470F", "links between parts"),
    "shared": ("#23703A", "shared nodes and administration"),
}


def picture() -> Iterator[str]:
    """Yield the lines of the picture."""
    made = layout()
    width, height = made.width + 16, _bottom(made) + 16
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
           f'width="{width:g}" height="{height:g}" role="img" aria-labelledby="title about" '
           f'font-family="{FONT}">')
    yield NOTICE
    yield '<title id="title">Graph schema of rtgraph</title>'
    yield ('<desc id="about">Labels as boxes in four columns: hierarchy and frames, objects by '
           "family, parts of objects, shared nodes. Lines are relationship types.</desc>")
    yield f"<defs>{''.join(_arrow(name, colour) for name, (colour, _) in COLOURS.items())}</defs>"
    yield f'<rect width="{width:g}" height="{height:g}" fill="#FFFFFF"/>'
    for part in _container, _lines, _boxes, _heads, _legend:
        yield from part(made)
    yield "</svg>"


def kind_of(net: Net) -> str:
    """Return which of the colours a relationship type has."""
    frames = {k.label for k in groups()["frames"]}
    parts = {p.label for p in PARTS}
    if net.name.startswith("HAS_") and net.name != "HAS_EVENT":
        return "contains"
    if set(net.targets) & frames or net.name == "SHARES_FOR":
        return "frames"
    if net.name.startswith("REFERENCES"):
        return "refers"
    return "parts" if (set(net.targets) | set(net.sources)) & parts and not (
        set(net.targets) & {k.label for k in groups()["shared"]} - {"Fiducial"}) else "shared"


def _arrow(name: str, colour: str) -> str:
    return (f'<marker id="{name}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
            f'markerHeight="7" orient="auto"><path d="M0,0.5 L8,4 L0,7.5 z" fill="{colour}"/>'
            "</marker>")


def _text(
    x: float, y: float, text: str, size: float = SMALL, anchor: str = "start",
    fill: str = DARK, bold: bool = False, halo: bool = False,
) -> str:
    more = ' font-weight="bold"' if bold else ""
    if halo:
        more += ' stroke="#FFFFFF" stroke-width="2.2" paint-order="stroke"'
    return (f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="{anchor}" '
            f'fill="{fill}"{more}>{escape(text)}</text>')


def _heads(made: Layout) -> Iterator[str]:
    yield _text(16, 32, "Graph schema of rtgraph", 20, bold=True)
    titles = ("Hierarchy, frames", "Objects by family", "Parts of objects", "Shared nodes")
    for column, title in enumerate(titles):
        x = min(b.x for b in made.boxes.values() if b.column == column)
        yield _text(x, 62, title, 14, bold=True, fill="#555555")


def _container(made: Layout) -> Iterator[str]:
    box = made.boxes[CONTAINER]
    yield _rect(box, "#FBFBF8", "#888888", 10)
    yield _text(box.x + 12, box.y + 26, "Instance", 15, bold=True)
    yield _text(box.x + 84, box.y + 26, "and the label of its family", 11, fill="#555555")


def _rect(box: Box, fill: str, stroke: str, radius: float = 5) -> str:
    return (f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" '
            f'rx="{radius:g}" fill="{fill}" stroke="{stroke}"/>')


def _boxes(made: Layout) -> Iterator[str]:
    for box in made.boxes.values():
        if box.label == CONTAINER:
            continue
        fill, ink = _colours(box)
        yield _rect(box, fill, "#666666")
        if box.column == 2:
            stripe = _of_family(owners(box.label)[0])[0]
            yield (f'<rect x="{box.x + 1:g}" y="{box.y + 1:g}" width="7" '
                   f'height="{box.height - 2:g}" rx="3" fill="{stripe}"/>')
        middle, y = box.x + box.width / 2, box.y + box.height / 2 + 4.5 - 6 * bool(box.also)
        yield _text(middle, y, box.label, 12.5, "middle", ink, bold=True)
        if box.also:
            yield from _further(box, y + 13, ink)


def _further(box: Box, y: float, ink: str) -> Iterator[str]:
    """Yield the further labels of a family, on their own colours when these differ."""
    if _of_family(box.label) == _of_family(box.also[0]):
        yield _text(box.x + box.width / 2, y, ", ".join(box.also), SMALL, "middle", ink)
        return
    each = (box.width - 8) / len(box.also)
    for at, label in enumerate(box.also):
        fill, text = _of_family(label)
        x = box.x + 4 + at * each
        yield (f'<rect x="{x + 1:g}" y="{y - 10:g}" width="{each - 2:g}" height="13" rx="3" '
               f'fill="{fill}"/>')
        yield _text(x + each / 2, y, label, 9, "middle", text)


def _colours(box: Box) -> tuple[str, str]:
    if box.column != 1:
        return PLAIN, DARK
    return _of_family(box.label)


def _of_family(label: str) -> tuple[str, str]:
    """Return the colours of a family; images of several modalities have none of their own."""
    kinds = {series_type(f.modality) for f in FAMILIES if label in f.labels}
    if len(kinds) == 1:
        return next(iter(kinds)).fill, next(iter(kinds)).text
    return PLAIN, DARK


def _lines(made: Layout) -> Iterator[str]:
    names: list[str] = []
    for at, net in enumerate(made.nets):
        kind = kind_of(net)
        style = (f'fill="none" stroke="{COLOURS[kind][0]}" stroke-width="1.3"'
                 + (' stroke-dasharray="5 3"' if net.derived else ""))
        yield f'<g id="{net.name}-{at}" {style}>'
        yield f"<title>{net.name}: {', '.join(net.sources)} to {', '.join(net.targets)}</title>"
        if net in made.vertical:
            lines, texts = _straight_down(made, net, kind)
        elif is_loop(net):
            lines, texts = _loop(made, net, at, kind)
        else:
            lines, texts = list(_wires(made, net, at, kind)), list(_names(made, net, at))
        yield from lines
        yield "</g>"
        names += texts
    yield from names


def _path(points: Iterable[tuple[float, float]], arrow: str = "") -> str:
    d = "M" + " L".join(f"{x:g},{y:g}" for x, y in points)
    return f'<path d="{d}"' + (f' marker-end="url(#{arrow})"' if arrow else "") + "/>"


def _label(net: Net, x: float, y: float, anchor: str, marked: bool = False) -> str:
    text = net.name + (MARK if marked and net.by_series else "")
    return _text(x, y, text, anchor=anchor, fill=COLOURS[kind_of(net)][0], halo=True)


def _straight_down(made: Layout, net: Net, kind: str) -> tuple[list[str], list[str]]:
    above, below = made.boxes[net.sources[0]], made.boxes[net.targets[0]]
    x = above.x + above.width / 2
    line = _path([(x, above.bottom), (x, below.y)], kind)
    return [line], [_label(net, x + 7, (above.bottom + below.y) / 2 + 3, "start")]


def _loop(made: Layout, net: Net, at: int, kind: str) -> tuple[list[str], list[str]]:
    (pin,) = made.pins[at]
    out = -LOOP if pin.side == "left" else LOOP
    y = pin.y if pin.box.label != CONTAINER else pin.box.bottom - 24
    line = _path([(pin.x, y - 4), (pin.x + out, y - 4), (pin.x + out, y + 4), (pin.x, y + 4)],
                 kind)
    anchor = "end" if pin.side == "left" else "start"
    return [line], [_label(net, pin.x + out * 1.25, y + 3, anchor, marked=True)]


def _wires(made: Layout, net: Net, at: int, kind: str) -> Iterator[str]:
    pins, track = made.pins[at], made.tracks.get(at)
    spines = {c: made.spines[c, at] for c in channels(net, made) if (c, at) in made.spines}
    if not spines:
        a, b = sorted(pins, key=lambda p: p.is_target)
        yield _path([(a.x, a.y), (b.x, b.y)], kind)
        return
    for channel, x in spines.items():
        ys = [p.y for p in pins if _channel(p) == channel]
        ends = [*ys, track] if track is not None else ys
        yield _path([(x, min(ends)), (x, max(ends))])
        for y in sorted(ends)[1:-1]:
            yield f'<circle cx="{x:g}" cy="{y:g}" r="1.6" fill="{COLOURS[kind][0]}"/>'
    for pin in pins:
        if _channel(pin) in spines:
            yield _path([(spines[_channel(pin)], pin.y), (pin.x, pin.y)],
                        kind if pin.is_target else "")
    if track is not None:
        ends = [*spines.values(), *(p.x for p in pins if p.y == track)]
        yield _path([(min(ends), track), (max(ends), track)])


def _channel(pin: Pin) -> str:
    return "LABC"[pin.box.column + (pin.side == "right")]


def _names(made: Layout, net: Net, at: int) -> Iterator[str]:
    """Yield the name beside every box but the families, where the lines to parts begin."""
    for pin in made.pins[at]:
        inside = pin.box.column == 1
        if inside and (pin.box.label != CONTAINER or pin.side == "left"):
            continue
        out = 11 if pin.is_target else 5
        if pin.side == "left":
            yield _label(net, pin.x - out, pin.y - 3.5, "end")
        else:
            yield _label(net, pin.x + out, pin.y - 3.5, "start", marked=pin.box.column < 2)


def _notes(made: Layout) -> list[tuple[str, str, str]]:
    """Return the rows of the legend: colour of a line or "", its dashes, and words."""
    words = (
        f"{MARK.strip()} image objects state it through their series",
        *(f"{kind.name}: {kind.ends}" for kind in loose()),
        "Missing is a further label of Study, Series, Instance",
        "families and stripes of parts: colours of their series",
        *wrap(f"on their own: {', '.join((*made.lone, 'Schema'))}", 54),
    )
    return [*((colour, "", text) for colour, text in COLOURS.values()),
            (DARK, "", "solid: stated by files"),
            (DARK, "5 3", "dashed: derived, rtgraph derive makes it anew"),
            *(("", "", text) for text in words)]


def _bottom(made: Layout) -> float:
    """Return where the picture ends: the legend needs its room below column 0."""
    below = max(b.bottom for b in made.boxes.values() if b.column == 0)
    return max(made.height, below + GAP + LINE * len(_notes(made)) + LINE)


def _legend(made: Layout) -> Iterator[str]:
    notes = _notes(made)
    height = LINE * len(notes) + LINE
    top = _bottom(made) - height
    yield (f'<rect x="16" y="{top:g}" width="{LEGEND}" height="{height}" rx="6" '
           'fill="#FAFAFA" stroke="#CCCCCC"/>')
    for at, (colour, dashes, text) in enumerate(notes):
        y = top + LINE * at + 24
        if colour:
            yield (f'<path d="M28,{y - 4:g} h26" stroke="{colour}" stroke-width="2"'
                   + (f' stroke-dasharray="{dashes}"' if dashes else "") + "/>")
        yield _text(62 if colour else 28, y, text, 11.5)

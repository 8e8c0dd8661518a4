"""The figure as SVG, which a browser or a drawing program opens without the page."""

from collections.abc import Iterator, Mapping, Sequence
from unicodedata import east_asian_width

from rtgraph.graphmodel.modalities import series_type
from rtgraph.text import xml_text
from rtgraph.viz.collapse import Drawn, Line
from rtgraph.viz.findings import SEVERITIES
from rtgraph.viz.layout import Frame
from rtgraph.viz.ordering import BOX_HEIGHT, BOX_WIDTH
from rtgraph.viz.palette import (
    CAPTION_SIZE,
    INSET,
    LINES_AT,
    NAME_SIZE,
    PALETTE,
    TALLY_SIZE,
)
from rtgraph.viz.picture import Picture
from rtgraph.viz.routes import LABEL_LINE, LABEL_SIZE, handles, point_at, words

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
MARGIN, HEAD = 24, 64
BASE = 5  # from the middle of a line of text to its base line
BOLDER = 1.04  # width of bold letters
NARROW, WIDE = frozenset("iljtfrI.,:;'!|()[] -·"), frozenset("mwMWQO@%×…")
Point = tuple[float, float]


def render_svg(picture: Picture) -> str:
    """Return the picture as an SVG document; it holds no script and loads nothing."""
    left, top, right, bottom = _extent(picture)
    width, height = right - left + 2 * MARGIN, bottom - top + 2 * MARGIN + HEAD
    body = [
        f'<rect x="{left - MARGIN:g}" y="{top - MARGIN - HEAD:g}" width="{width:g}" '
        f'height="{height:g}" fill="{PALETTE.paper}"/>',
        *_head(picture, left, top - HEAD),
        *(part for frame in picture.layout.frames for part in _frame(picture, frame)),
        *(part for line in picture.lines if line.kind != "SHARES_FOR"
          for part in _line(picture, line)),
        *(part for drawn in picture.drawn for part in _box(picture, drawn)),
    ]
    title = xml_text(_title(picture))
    return "\n".join((
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="{left - MARGIN:g} {top - MARGIN - HEAD:g} {width:g} {height:g}" '
        f'font-family="{xml_text(FONT)}">',
        f"<title>{title}</title>", *body, "</svg>", ""))


def size(svg: str) -> tuple[int, int]:
    """Return width and height of a document of `render_svg`, in pixels."""
    start = svg.index("<svg ")
    width, height = (
        float(svg[svg.index(f' {name}="', start) + len(name) + 3:].partition('"')[0])
        for name in ("width", "height"))
    return round(width), round(height)


def fitted(text: str, font_size: float, room: float) -> str:
    """Return a text cut to a width, by the usual widths of letters."""
    used = 0.0
    for i, letter in enumerate(text):
        used += font_size * _advance(letter)
        if used > room:
            return f"{text[:max(0, i - 1)].rstrip()}…"
    return text


def wrapped(text: str, font_size: float, room: float) -> list[str]:
    """Return a text on at most two lines; without a blank it breaks between letters."""
    first = fitted(text, font_size, room)
    if first == text:
        return [text] if text else []
    most = first.removesuffix("…")
    blank = most.rfind(" ")
    end = len(most) if text[len(most)] == " " or blank < len(most) / 3 else blank
    return [text[:end], fitted(text[end:].strip(), font_size, room)]


def _advance(letter: str) -> float:
    """Return the width of a letter, as a part of the size of its font."""
    if east_asian_width(letter) in "WF":
        return 1.0
    if letter in NARROW:
        return 0.38
    if letter in WIDE:
        return 0.95
    return 0.72 if letter.isupper() or letter.isdigit() else 0.61


def _width(text: str, font_size: float) -> float:
    return sum(font_size * _advance(letter) for letter in text)


def _extent(picture: Picture) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of all boxes and frames."""
    places = picture.layout.points.values()
    rects = [
        *((x - BOX_WIDTH / 2, y - BOX_HEIGHT / 2, x + BOX_WIDTH / 2, y + BOX_HEIGHT / 2)
          for x, y in places),
        *((f.left, f.top, f.right, f.bottom) for f in picture.layout.frames),
        (0.0, 0.0, 420.0, 0.0),
    ] if places else [(0.0, 0.0, 420.0, 60.0)]
    lefts, tops, rights, bottoms = zip(*rects, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _title(picture: Picture) -> str:
    counts = ", ".join(f"{n:,} {name}" for name, n in picture.heading.counts.items() if n)
    words = [picture.heading.what, picture.heading.patient_key, counts, picture.heading.note]
    if picture.options.identifiers:
        words += [f"{k} {v}" for k, v in picture.heading.identifiers.items()]
    return " · ".join(filter(None, words))


def _head(picture: Picture, x: float, y: float) -> Iterator[str]:
    """Yield the title and the legend of what is drawn."""
    yield _text(x, y + 14, _title(picture), 16, PALETTE.ink, weight=600)
    layers = {d.first.modality: d.first.layer for d in picture.drawn}
    for modality in sorted(layers, key=lambda m: (layers[m], m)):
        yield (f'<rect x="{x:g}" y="{y + 28:g}" width="16" height="12" rx="3" '
               f'fill="{series_type(modality).fill}" stroke="#555"/>')
        yield _text(x + 21, y + 39, modality, 12, PALETTE.ink)
        x += 40 + _width(modality, 12)
    if any(d.first.status == "missing" for d in picture.drawn):
        yield (f'<rect x="{x:g}" y="{y + 28:g}" width="16" height="12" rx="3" fill="#fff" '
               f'stroke="{PALETTE.problem}" stroke-width="2" stroke-dasharray="4 3"/>')
        yield _text(x + 21, y + 39, "missing", 12, PALETTE.problem)


def _frame(picture: Picture, frame: Frame) -> Iterator[str]:
    width, height = frame.right - frame.left, frame.bottom - frame.top
    yield (f'<rect x="{frame.left:g}" y="{frame.top:g}" width="{width:g}" height="{height:g}" '
           f'rx="10" fill="{PALETTE.study}" stroke="{PALETTE.study_line}"/>')
    text, day = picture.title_of(frame.study)
    shown = fitted(text, CAPTION_SIZE, width - 24)
    yield _text(frame.left + 12, frame.top + 21, shown, CAPTION_SIZE, PALETTE.study_text,
                weight=600)
    if _width(shown, CAPTION_SIZE) + _width(day, TALLY_SIZE) + 12 < width - 24:
        yield _text(frame.right - 12, frame.top + 21, day, TALLY_SIZE, PALETTE.study_text,
                    anchor="end")


def _line(picture: Picture, line: Line) -> Iterator[str]:
    points = picture.layout.points
    a, b = points[line.source], points[line.target]
    side = (a[1] > b[1]) - (a[1] < b[1])
    end = b[0], b[1] + side * (BOX_HEIGHT / 2 + 1)
    c, d = handles(a, end)
    inferred = line.kind == "INFERRED_LINK"
    colour = (PALETTE.problem if line.unresolved else
              PALETTE.inferred if inferred else PALETTE.line)
    dashes = ' stroke-dasharray="7 5"' if line.unresolved or inferred else ""
    yield (f'<path d="M {_at(a)} C {_at(c)} {_at(d)} {_at(end)}" fill="none" stroke="{colour}" '
           f'stroke-width="1.5"{dashes}/>')
    yield f'<path d="M {_at(end)} l -5 {10 * (side or 1)} l 10 0 z" fill="{colour}"/>'
    t = picture.label_at.get((line.source, line.target, line.kind))
    if t is None:
        return
    x, y = point_at(a, b, t)
    text = words(line)
    shown = PALETTE.problem if line.unresolved else PALETTE.inferred if inferred else PALETTE.role
    for i, word in enumerate(text):
        yield _text(x, y + 4 + (i - (len(text) - 1) / 2) * LABEL_LINE, word, LABEL_SIZE, shown,
                    anchor="middle", halo=True)


def _box(picture: Picture, drawn: Drawn) -> Iterator[str]:
    x, y = picture.layout.points[drawn.id]
    left, top = x - BOX_WIDTH / 2, y - BOX_HEIGHT / 2
    box, row = drawn.first, series_type(drawn.first.modality)
    line = (PALETTE.ambiguous if box.ambiguous else
            PALETTE.problem if box.status != "present" else None)
    missing = box.status == "missing"
    fill, text = (PALETTE.paper, line or "") if missing else (row.fill, row.text)

    def rect(off: int, stroke: str) -> str:
        down = -off if picture.options.up else off
        return (f'<rect x="{left + off:g}" y="{top + down:g}" width="{BOX_WIDTH}" '
                f'height="{BOX_HEIGHT}" rx="7" fill="{fill}" {stroke}/>')

    yield "<g>"
    yield f"<title>{xml_text(f'{box.modality} {drawn.tally} {drawn.caption}')}</title>"
    if drawn.is_group:
        yield from (rect(off, 'stroke="#555"') for off in (8, 4))
    if line:
        yield rect(0, f'stroke="{PALETTE.paper}" stroke-width="4"')
    yield rect(0, f'stroke="{line}" stroke-width="2.5" stroke-dasharray="7 5"' if line else
               'stroke="#555"')
    room = BOX_WIDTH - 2 * INSET
    bold = NAME_SIZE * BOLDER
    name = fitted(box.modality, bold, room * 0.75)
    tally = fitted(drawn.tally, TALLY_SIZE, room - _width(name, bold) - 6)
    caption = wrapped(picture.caption_of(drawn), CAPTION_SIZE, room)
    first, *below = (y + at + BASE for at in LINES_AT[len(caption)])
    yield _text(left + INSET, first, name, NAME_SIZE, text, weight=600)
    if tally:
        yield _text(left + BOX_WIDTH - INSET, first, tally, TALLY_SIZE, text, anchor="end")
    for words_of_line, at in zip(caption, below, strict=True):
        yield _text(left + INSET, at, words_of_line, CAPTION_SIZE, text)
    for at, colour, sign in _badges(picture, drawn, line):
        yield (f'<circle cx="{left + at:g}" cy="{top:g}" r="11" fill="{colour}" '
               f'stroke="{PALETTE.paper}" stroke-width="2"/>')
        yield _text(left + at, top + 5, sign, 13, PALETTE.badge_text, anchor="middle", weight=700)
    yield "</g>"


def _badges(
    picture: Picture, drawn: Drawn, line: str | None
) -> Iterator[tuple[float, str, str]]:
    """Yield place, colour and sign: what is missing or odd at the left, findings at the right."""
    if line:
        yield 2, line, "?"
    found = [f for f in picture.findings.get(drawn.id, ()) if not f.waived]
    colours: Mapping[str, str] = {
        "error": PALETTE.error, "warning": PALETTE.warning, "info": PALETTE.info}
    severity = next((s for s in SEVERITIES if any(f.severity == s for f in found)), None)
    if severity:
        sign = "!" if len(found) == 1 else str(len(found)) if len(found) < 10 else "9+"
        yield BOX_WIDTH - 2, colours[severity], sign


def _text(
    x: float, y: float, text: str, size: float, colour: str, *, anchor: str = "start",
    weight: int = 400, halo: bool = False,
) -> str:
    more = (f' stroke="{PALETTE.study}" stroke-width="4" paint-order="stroke" '
            'stroke-linejoin="round"' if halo else "")
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{colour}" '
            f'text-anchor="{anchor}" font-weight="{weight}"{more}>{xml_text(text)}</text>')


def _at(point: Sequence[float]) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"

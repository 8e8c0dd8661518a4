"""DVH curves of a case as one SVG file: percent of the volume over dose in Gy.

Computed curves are drawn through, stored ones dashed in the same colour. The bytes depend on the
values alone, so that a rerun gives the same file.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rtgraph.preprocess.dvh import Dvh
from rtgraph.preprocess.geometry import Floats
from rtgraph.preprocess.storeddvh import StoredDvh
from rtgraph.text import one_line, xml_text

LEFT, TOP, WIDTH, HEIGHT = 70.0, 50.0, 640.0, 440.0  # the area of the curves, pixels
_LEGEND, _LINE = 24.0, 18.0  # distance of the legend, height of one of its lines
_BELOW, _BESIDE = 60.0, 300.0
_LONGEST_NAME = 36  # characters
_TICKS = 10  # on the dose axis, at most
_HUE = 137.508  # degrees between two ROIs: no two of a few dozen come close


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The DVH of an ROI: `computed`, and `stored` where the dose object carries one."""

    number: int
    name: str
    computed: Dvh
    stored: StoredDvh | None = None


def curves_svg(curves: Sequence[Curve], title: str) -> str:
    """Return an SVG image of DVHs.

    Parameters
    ----------
    curves : sequence of Curve
        In the order of the legend. Those without volume are named and not drawn.
    title : str
        Stands above the curves.

    Returns
    -------
    str
        An SVG document; the paths are called `computed-NUMBER` and `stored-NUMBER`.
    """
    top = max([1.0, *(float(doses[-1]) for c in curves
                      for doses, _ in (_computed(c.computed), _stored(c.stored)) if len(doses))])
    step = _nice(top / _TICKS)
    top = math.ceil(top / step - 1e-9) * step
    width = LEFT + WIDTH + _BESIDE
    height = max(TOP + HEIGHT + _BELOW, TOP + (len(curves) + 3) * _LINE)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" font-family="sans-serif" font-size="12" '
        'fill="#222222">',
        f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>',
        f'<text x="{LEFT:g}" y="28" font-size="15">{xml_text(one_line(title))}</text>',
        *_axes(top, step)]
    for k, curve in enumerate(curves):
        colour = f"hsl({k * _HUE % 360:.0f}, 70%, {(36, 48)[k % 2]}%)"
        parts += _drawn(curve, colour, top)
        parts += _named(curve, colour, k)
    if any(c.stored is not None for c in curves):
        y = TOP + (len(curves) + 1) * _LINE
        parts.append(f'<text x="{LEFT + WIDTH + _LEGEND:g}" y="{y:g}">dashed: stored with the '
                     'dose</text>')
    return "\n".join([*parts, "</svg>", ""])


def _nice(rough: float) -> float:
    """Return the step of 1, 2 or 5 times a power of ten that is at least this large."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(f * power for f in (1, 2, 5, 10) if f * power >= rough * (1 - 1e-9))


def _axes(top: float, step: float) -> Iterator[str]:
    below, right = TOP + HEIGHT, LEFT + WIDTH
    for k in range(round(top / step) + 1):
        x = LEFT + WIDTH * k * step / top
        yield f'<path d="M{x:.2f} {TOP:g}V{below:g}" stroke="#dddddd" fill="none"/>'
        yield f'<text x="{x:.2f}" y="{below + 18:g}" text-anchor="middle">{k * step:g}</text>'
    for percent in range(0, 101, 20):
        y = below - HEIGHT * percent / 100
        yield f'<path d="M{LEFT:g} {y:g}H{right:g}" stroke="#dddddd" fill="none"/>'
        yield f'<text x="{LEFT - 8:g}" y="{y + 4:g}" text-anchor="end">{percent}</text>'
    yield (f'<path d="M{LEFT:g} {TOP:g}V{below:g}H{right:g}" stroke="#222222" fill="none"/>')
    yield (f'<text x="{LEFT + WIDTH / 2:g}" y="{below + 42:g}" text-anchor="middle">Dose in Gy'
           '</text>')
    middle = TOP + HEIGHT / 2
    yield (f'<text x="22" y="{middle:g}" text-anchor="middle" '
           f'transform="rotate(-90 22 {middle:g})">Volume in %</text>')


def _drawn(curve: Curve, colour: str, top: float) -> Iterator[str]:
    for kind, (doses, percent) in (("computed", _computed(curve.computed)),
                                   ("stored", _stored(curve.stored))):
        if len(doses):
            dashed = ' stroke-dasharray="6 4"' if kind == "stored" else ""
            points = "L".join(
                f"{LEFT + WIDTH * d / top:.2f} {TOP + HEIGHT * (1 - p / 100):.2f}"
                for d, p in zip(doses.tolist(), percent.tolist(), strict=True))
            yield (f'<path id="{kind}-{curve.number}" d="M{points}" fill="none" '
                   f'stroke="{colour}" stroke-width="1.6"{dashed}><title>'
                   f"{xml_text(one_line(curve.name))}, {kind}</title></path>")


def _named(curve: Curve, colour: str, line: int) -> Iterator[str]:
    x, y = LEFT + WIDTH + _LEGEND, TOP + (line + 0.5) * _LINE
    name = one_line(curve.name)
    if len(name) > _LONGEST_NAME:
        name = f"{name[:_LONGEST_NAME - 1]}…"
    yield f'<path d="M{x:g} {y:g}h22" stroke="{colour}" stroke-width="3" fill="none"/>'
    yield f'<text x="{x + 30:g}" y="{y + 4:g}">{xml_text(name)}</text>'


def _computed(dvh: Dvh) -> tuple[Floats, Floats]:
    """Return doses and percent of the volume, without points inside level stretches."""
    if not dvh.volume_cc:
        return np.zeros(0), np.zeros(0)
    doses, volumes = dvh.curve()
    level = volumes[:-1] == volumes[1:]
    inside = np.concatenate([[False], level]) & np.concatenate([level, [False]])
    return doses[~inside], volumes[~inside] / dvh.volume_cc * 100


def _stored(dvh: StoredDvh | None) -> tuple[Floats, Floats]:
    """Return the edges of bins and percent of the volume that gets at least these doses."""
    if dvh is None or not dvh.cumulative[0] > 0:
        return np.zeros(0), np.zeros(0)
    return dvh.edges_gy, np.append(dvh.cumulative, 0.0) / dvh.cumulative[0] * 100

"""How a beam is delivered, from its type and control points: rules of version 1."""

from collections.abc import Sequence
from dataclasses import dataclass

from rtgraph.ingest.items import Item, first_text, items

RULE = "1"
# From the plainest on: a plan is as complex as the most complex of its treatment beams.
COMPLEXITY = ("CONFORMAL_3D", "IMRT_STATIC", "IMRT_DYNAMIC", "ARC", "VMAT")
STEREO = ("STEREO", "SRS", "SBRT", "SRT")
_SCANNING = {"MODULATED": "PBS", "MODULATED_SPEC": "PBS", "UNIFORM": "UNIFORM_SCAN",
             "NONE": "PASSIVE"}
_DEVICES = "BeamLimitingDevicePositionSequence"


@dataclass(frozen=True, slots=True)
class Gantry:
    """Where the gantry goes, degrees; `span` adds up what it travels, both ways."""

    start: float | None
    stop: float | None
    span: float


def gantry(angles: Sequence[float | None], directions: Sequence[str]) -> Gantry:
    """Follow the gantry over control points (PS3.3 C.8.8.14.8).

    Parameters
    ----------
    angles : sequence of float or None
        GantryAngle at each control point, None where it is not stated again.
    directions : sequence of str
        GantryRotationDirection, likewise: CW, CC or NONE, for the way to the next point. An
        angle that is stated again at the end of a turn is a full circle.
    """
    start = stop = None
    span, turn = 0.0, ""
    for angle, direction in zip(angles, directions, strict=True):
        if angle is not None:
            span += 0.0 if stop is None else _step(stop, angle, turn)
            start, stop = angle if start is None else start, angle
        turn = direction or turn
    return Gantry(start, stop, round(span, 6))


def _step(one: float, other: float, turn: str) -> float:
    clockwise = (other - one) % 360.0
    if turn == "CW":
        return clockwise or 360.0
    if turn == "CC":
        return 360.0 - clockwise
    return min(clockwise, 360.0 - clockwise)


def leaves_change(points: Sequence[Item]) -> bool:
    """Tell whether leaves of a multileaf collimator move between control points.

    Positions are repeated only where they change (PS3.3 C.8.8.14.5).
    """
    last: dict[str, bytes] = {}
    for point in points:
        for device in items(point, _DEVICES):
            leaf = device.get("LeafJawPositions")
            kind = first_text(device, "RTBeamLimitingDeviceType").upper()
            if isinstance(leaf, tuple) and kind.startswith("MLC"):
                before = last.setdefault(kind, leaf[1])
                if before != leaf[1] and _positions(before) != _positions(leaf[1]):
                    return True
    return False


def _positions(raw: bytes) -> list[object]:
    """Return positions as numbers, so that 10 and 10.0 are one place."""
    texts = [text.strip(b" \0") for text in raw.split(b"\\")]
    try:
        return [float(text) for text in texts]
    except ValueError:
        return list(texts)


def of_photon_beam(beam_type: str, moves: Gantry, points: Sequence[Item]) -> str:
    """Name the technique of a beam of photons."""
    modulated = leaves_change(points)
    if moves.span > 0:
        return "VMAT" if modulated else "ARC"
    if beam_type == "DYNAMIC":
        return "IMRT_DYNAMIC"
    return "IMRT_STATIC" if modulated else "CONFORMAL_3D"


def of_ion_beam(scan_mode: str) -> str | None:
    """Name the technique of an ion beam by its ScanMode."""
    return _SCANNING.get(scan_mode)


def of_plan(techniques: Sequence[str | None], stereotactic: bool) -> str | None:
    """Name the technique of a plan from those of its treatment beams."""
    known = [t for t in techniques if t]
    if not known:
        return None
    ranks = {name: rank for rank, name in enumerate(COMPLEXITY)}
    found = max(known, key=lambda t: (ranks.get(t, -1), t))
    return f"{found}+STEREO" if stereotactic else found

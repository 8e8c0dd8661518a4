"""Images: where a slice lies, and what a series of them is (PS3.3 C.7.6.2, C.7.6.1, C.8.2.1)."""

import re
from collections.abc import Sequence
from functools import lru_cache
from math import cos, isfinite, isnan, nan, radians
from typing import Any

from rtgraph.graphmodel.properties import stated
from rtgraph.ingest.items import Item, number, reading, text_of
from rtgraph.ingest.normalise import read

_PLANE = ("ImagePositionPatient", "ImageOrientationPatient")
(_COORDINATE,) = stated("SliceThickness")  # stands for a single decimal of any attribute
(_PERCENTAGE,) = stated("NominalPercentageOfCardiacPhase")
_AXES = ("SAGITTAL", "CORONAL", "AXIAL")  # whose normal is x, y, z
_AXIAL_WITHIN = cos(radians(15.0))
_CONFLICT = cos(radians(45.0))
# Directions of row and column of an axial image, LPS, by PatientPosition (PS3.3 C.7.3.1.1.2):
# the patient lies so that the operator, at the foot of the couch, sees the image upright.
_EXPECTED = {
    "HFS": ((1, 0, 0), (0, 1, 0)), "HFP": ((-1, 0, 0), (0, -1, 0)),
    "FFS": ((-1, 0, 0), (0, 1, 0)), "FFP": ((1, 0, 0), (0, -1, 0)),
    "HFDR": ((0, 1, 0), (-1, 0, 0)), "HFDL": ((0, -1, 0), (1, 0, 0)),
    "FFDR": ((0, -1, 0), (-1, 0, 0)), "FFDL": ((0, 1, 0), (1, 0, 0)),
}
# Neither of them is one end of a range, as averages and parts of the spine are described.
_PERCENT = re.compile(
    r"(?<![\d.])(?<![\d%]-)(?<![\d%] - )(\d{1,3}(?:\.\d+)?)\s?%(?!\s?-\s?\d)")
_BIN = re.compile(r"(?<![A-Za-z0-9])(?<!\d-)T\s?(\d{1,3})(?![A-Za-z0-9]|\s?-\s?[TLS]?\d)")
_CONE_BEAM = re.compile(r"cbct|(?<![a-z])cone[\s_-]?beam|kv[\s_-]?cb", re.IGNORECASE)
_ON_BOARD = re.compile(
    r"on-?board imager|\bobi\b|\bxvi\b|truebeam|halcyon|ethos|versa\s?hd|synergy|infinity"
    r"|vitalbeam|^edge\b|hypersight", re.IGNORECASE)
PHASE = ("NominalPercentageOfCardiacPhase", "TemporalPositionIdentifier",
         "NumberOfTemporalPositions")
_ALIKE = ("Modality", "ImageOrientationPatient", "ImageType", "AcquisitionNumber", "RescaleSlope",
          "RescaleIntercept", "RescaleType", "Rows", "Columns")
NEEDED: tuple[tuple[str, ...], ...] = tuple(
    (name,) for name in (*_PLANE, *PHASE, *_ALIKE, "FrameOfReferenceUID"))


def place(item: Item) -> dict[str, Any]:
    """Return where a slice lies: along the normal, and along row and column, mm.

    Coordinates are those of the patient (LPS), projected on the unit vectors of the image plane
    (PS3.3 C.7.6.2.1.1).
    """
    origin, axes = map(_coordinates, map(item.get, _PLANE))
    if len(origin) != 3 or len(axes) != 6:
        return {}
    (x, y, z), (a, b, c, d, e, f) = origin, axes
    position = x * (b * f - c * e) + y * (c * d - a * f) + z * (a * e - b * d)
    along = (x * a + y * b + z * c, x * d + y * e + z * f)
    if not all(map(isfinite, (position, *along))):
        return {}
    return {"slice_position": round(position, 6), "slice_offset": [round(v, 6) for v in along]}


def _coordinates(leaf: object) -> list[float]:
    """Return numbers, read one by one: each comes again in other slices, all together do not."""
    raw = leaf[1] if isinstance(leaf, tuple) else b""
    return list(map(_decimal, raw.split(b"\\")))


@lru_cache(65536)
def _decimal(raw: bytes) -> float:
    value = read(raw, "DS", _COORDINATE, ()).value
    return value if isinstance(value, float) else nan


def series(item: Item, values: dict[str, Any]) -> dict[str, Any]:
    """Return what follows for the series from the values of one of its images."""
    axes = _unit(values.get("ImageOrientationPatient"))
    kinds = [k.upper() for k in values.get("ImageType") or ()]
    phase, source = phase_of(item, values)
    return {
        "orientation": orientation(axes) if axes else None,
        "is_localizer": "LOCALIZER" in kinds[2:3] if kinds else None,
        "position_conflict": _conflict(axes, kinds, values.get("PatientPosition")),
        "phase_label": phase, "phase_source": source,
        "cbct_score": cone_beam(kinds, values) if values.get("Modality") == "CT" else None,
    }


def _unit(values: object) -> tuple[float, ...]:
    """Return the six direction cosines when they are two unit vectors at right angles."""
    if not isinstance(values, list) or len(values) != 6:
        return ()
    a, b, c, d, e, f = values
    odd = (a * a + b * b + c * c - 1, d * d + e * e + f * f - 1, a * d + b * e + c * f)
    return tuple(values) if all(abs(v) < 1e-2 for v in odd) else ()


def orientation(axes: Sequence[float]) -> str:
    """Name the plane of an image by its normal; OBLIQUE when it is over 15 degrees from an axis."""
    a, b, c, d, e, f = axes
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    at = max(range(3), key=lambda i: abs(normal[i]))
    return _AXES[at] if abs(normal[at]) >= _AXIAL_WITHIN else "OBLIQUE"


def _conflict(axes: Sequence[float], kinds: Sequence[str], position: object) -> bool | None:
    """Tell whether an original axial image lies otherwise than PatientPosition says."""
    expected = _EXPECTED.get(str(position))
    if not axes or expected is None or kinds[:1] != ["ORIGINAL"] or "REFORMATTED" in kinds:
        return None
    if orientation(axes) != "AXIAL":
        return None
    rows, columns = axes[:3], axes[3:]
    return any(sum(p * q for p, q in zip(have, want, strict=True)) < _CONFLICT
               for have, want in zip((rows, columns), expected, strict=True))


def phase_of(item: Item, values: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return the label of a 4D phase and where it was found.

    The T of a magnetic resonance is a relaxation time, and no phase.
    """
    percent = reading(item, _PERCENTAGE, ()).value
    if isinstance(percent, float):
        return f"{percent:g}%", "NOMINAL_PERCENTAGE"
    total = number(item, "NumberOfTemporalPositions")
    at = number(item, "TemporalPositionIdentifier")
    if at is not None and total is not None and total > 1:
        return f"{at}/{total}", "TEMPORAL_POSITION"
    description = values.get("SeriesDescription") or ""
    if found := _PERCENT.search(description):
        return f"{float(found[1]):g}%", "DESCRIPTION"
    found = _BIN.search(description) if values.get("Modality") != "MR" else None
    return (f"T{int(found[1])}", "DESCRIPTION") if found else (None, None)


def cone_beam(kinds: Sequence[str], values: dict[str, Any]) -> float:
    """Score how much the header of a CT speaks for a cone beam, 0 to 1 (rule 1).

    Said by name in ImageType, a description or the protocol: 0.8. Made by equipment that is known
    as a treatment machine or its imager: 0.5. Both: 1.
    """
    texts = (*kinds, *(str(values.get(k) or "") for k in (
        "SeriesDescription", "ProtocolName", "ManufacturerModelName")))
    said = any(_CONE_BEAM.search(t) for t in texts)
    maker = f"{values.get('ManufacturerModelName') or ''} {values.get('StationName') or ''}"
    on_board = bool(_ON_BOARD.search(maker))
    return 1.0 if said and on_board else 0.8 * said + 0.5 * on_board


def of_slice(item: Item) -> tuple[str, ...]:
    """Return what the slices of a volume should state alike, as text: see `variants`."""
    return _of_slice(tuple([item.get(keyword) for keyword in _ALIKE]))


@lru_cache(4096)
def _of_slice(leaves: tuple[Any, ...]) -> tuple[str, ...]:
    item: Item = {k: leaf for k, leaf in zip(_ALIKE, leaves, strict=True) if leaf}
    modality, axes, kinds, acquisition, slope, intercept, kind = (
        text_of(item, keyword) for keyword in _ALIKE[:-2])
    rows, columns = (number(item, keyword) for keyword in _ALIKE[-2:])
    values = [_decimal(part.encode()) for part in axes.split("\\")]
    rounded = ",".join(f"{v:.3f}" for v in values if not isnan(v)) if axes else ""
    is_localizer = "LOCALIZER" in [k.strip() for k in kinds.upper().split("\\")][2:3]
    numbers = ("*" if modality == "PT" and slope else _number(slope), _number(intercept))
    rescale = ",".join((*numbers, kind.strip())) if all(numbers) else ""
    return (rounded, f"{rows or ''}x{columns or ''}", "L" if is_localizer else "",
            acquisition.strip(), rescale)


def _number(text: str) -> str:
    value = _decimal(text.encode())
    return "" if isnan(value) else f"{value:g}"

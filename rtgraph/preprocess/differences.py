"""What differs between two DICOM objects, element by element.

Numbers differ beyond a tolerance, everything else as text. Items of sequences are matched by their
key (a number, an index, a UID), so an item in another place is the same item. Long lists and pixels
are summed up: how many values differ, and by how much.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from rtgraph.errors import UsageError

# Attributes that tell items of one sequence apart, the first that all items have with different
# values is taken. A reference by UID stands last: it may be the same in every item.
KEYS = (
    "BeamNumber", "ROINumber", "ReferencedROINumber", "FractionGroupNumber",
    "ReferencedBeamNumber", "DoseReferenceNumber", "ReferencedDoseReferenceNumber",
    "ControlPointIndex", "RTBeamLimitingDeviceType", "PatientSetupNumber", "ContourNumber",
    "ApplicationSetupNumber", "ChannelNumber", "SourceNumber", "WedgeNumber", "BlockNumber",
    "BolusNumber", "ObservationNumber", "SegmentNumber", "ReferencedFractionGroupNumber",
    "ToleranceTableNumber", "FrameOfReferenceUID", "SeriesInstanceUID", "StudyInstanceUID",
    "ReferencedSOPInstanceUID", "CodeValue",
)
NUMBERS = frozenset({"DS", "FL", "FD", "OF", "OD"})
WHOLE = frozenset({"IS", "US", "SS", "UL", "SL", "UV", "SV"})
BYTES = frozenset({"OB", "OW", "UN", "OL", "OV"})
LONG = 12  # values; longer lists are summed up


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference.

    Attributes
    ----------
    path : str
        Keywords from the root down, items by their key: `BeamSequence[BeamNumber=2].BeamName`.
    kind : str
        CHANGED, ONLY_A or ONLY_B.
    a, b : str
        Values as text, empty where there is none; long ones are summed up in `note`.
    identifying : bool
        The values may identify a patient.
    """

    path: str
    kind: str
    a: str = ""
    b: str = ""
    note: str = ""
    identifying: bool = False


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """How objects are compared.

    Attributes
    ----------
    tolerance : float
        Absolute difference of two numbers that is none.
    relative : float
        The same as a share of the larger one.
    ignore : tuple of str
        Keywords to leave out wherever they stand; `*` and `?` are wildcards.
    """

    tolerance: float = 0.0
    relative: float = 0.0
    ignore: tuple[str, ...] = ()


def differences(a: Dataset, b: Dataset, options: CompareOptions | None = None
                ) -> list[Difference]:
    """Return what differs between two objects, in the order of tags.

    Raises
    ------
    UsageError
        They are objects of two classes: such a comparison says nothing.
    """
    one, other = a.get("SOPClassUID"), b.get("SOPClassUID")
    if one and other and one != other:
        raise UsageError(f"The objects are of two classes, {one.name} and {other.name}.")
    return list(_of_data_sets(a, b, "", options or CompareOptions()))


def _of_data_sets(a: Dataset, b: Dataset, path: str, options: CompareOptions
                  ) -> Iterator[Difference]:
    for tag in sorted({*a.keys(), *b.keys()}):
        element = a.get(tag) if tag in a else b.get(tag)
        name = _name(tag, element)
        if any(fnmatchcase(name, pattern) for pattern in options.ignore):
            continue
        where = f"{path}.{name}" if path else name
        if tag not in a or tag not in b:
            only, kind = (b, "ONLY_B") if tag not in a else (a, "ONLY_A")
            text = _text(only[tag])
            yield Difference(where, kind, *(("", text) if kind == "ONLY_B" else (text, "")),
                             identifying=_identifies(tag, only[tag]))
        elif a[tag].VR == "SQ" or b[tag].VR == "SQ":
            yield from _of_sequences(a[tag], b[tag], where, options)
        else:
            yield from _of_values(a[tag], b[tag], where, options)


def _name(tag: BaseTag, element: DataElement | None) -> str:
    keyword = element.keyword if element is not None else ""
    return keyword or f"({tag.group:04x},{tag.element:04x})"


def _of_sequences(a: DataElement, b: DataElement, path: str, options: CompareOptions
                  ) -> Iterator[Difference]:
    items_a, items_b = (list(e.value) if e.VR == "SQ" and e.value else [] for e in (a, b))
    key = _key(items_a, items_b)
    by_a, by_b = ({_label(item, key, k): item for k, item in enumerate(items, start=1)}
                  for items in (items_a, items_b))
    for label in dict.fromkeys((*by_a, *by_b)):
        where = f"{path}[{label}]"
        if label not in by_b:
            yield Difference(where, "ONLY_A", f"item of {len(by_a[label])} elements")
        elif label not in by_a:
            yield Difference(where, "ONLY_B", "", f"item of {len(by_b[label])} elements")
        else:
            yield from _of_data_sets(by_a[label], by_b[label], where, options)


def _key(a: Sequence[Dataset], b: Sequence[Dataset]) -> str:
    """Return the attribute that tells items apart on both sides; empty for their places."""
    for keyword in KEYS:
        for items in (a, b):
            values = [str(i.get(keyword)) for i in items if i.get(keyword) is not None]
            if len(values) < len(items) or len(set(values)) < len(values):
                break
        else:
            if a or b:
                return keyword
    return ""


def _label(item: Dataset, key: str, place: int) -> str:
    return f"{key}={item.get(key)}" if key else str(place)


def _of_values(a: DataElement, b: DataElement, path: str, options: CompareOptions
               ) -> Iterator[Difference]:
    vr, identifying = a.VR, _identifies(a.tag, a)
    if vr in BYTES or b.VR in BYTES:
        if a.value != b.value:
            yield Difference(path, "CHANGED", f"{len(a.value or b'')} bytes",
                             f"{len(b.value or b'')} bytes", _bytes_note(a.value, b.value))
        return
    if vr in NUMBERS or vr in WHOLE:
        one, other = _numbers(a), _numbers(b)
        if one is not None and other is not None:
            if len(one) == len(other):
                with np.errstate(invalid="ignore"):  # of what is infinite
                    limit = np.zeros(len(one)) if vr in WHOLE else np.maximum(
                        options.tolerance, options.relative * np.maximum(abs(one), abs(other)))
                    apart = np.where(one == other, 0.0, np.abs(one - other))
                n = int(np.count_nonzero(
                    (apart > limit) | np.isinf(apart) | (np.isnan(one) != np.isnan(other))))
                if not n:
                    return
                known = apart[~np.isnan(apart)]
                note = f"{n} of {len(one)} values" + (
                    f", up to {known.max():g}" if len(known) else "")
            else:
                note = f"{len(one)} and {len(other)} values"
            yield Difference(path, "CHANGED", _text(a), _text(b),
                             note if len(one) > 1 or len(other) > 1 else "", identifying)
            return
    if str(a.value) != str(b.value):
        yield Difference(path, "CHANGED", _text(a), _text(b), "", identifying)


def _numbers(element: DataElement) -> Any:
    value = element.value
    if value is None or value == "":
        return np.zeros(0)
    try:
        if isinstance(value, bytes):
            return np.frombuffer(value, "<f4" if element.VR == "OF" else "<f8").astype(np.float64)
        return np.atleast_1d(np.array(value, dtype=np.float64))
    except (TypeError, ValueError):
        return None


def _bytes_note(a: Any, b: Any) -> str:
    if not isinstance(a, bytes) or not isinstance(b, bytes) or len(a) != len(b):
        return ""
    n = int(np.count_nonzero(np.frombuffer(a, np.uint8) != np.frombuffer(b, np.uint8)))
    return f"{n} of {len(a)} bytes"


def _text(element: DataElement) -> str:
    value: Any = element.value
    if element.VR == "SQ":
        return f"{len(value or ())} items"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, str) or value is None or not hasattr(value, "__len__"):
        return "" if value is None else str(value)
    if len(value) > LONG:
        return f"{len(value)} values"
    return "\\".join(str(v) for v in value)


def _identifies(tag: BaseTag, element: DataElement) -> bool:
    """Tell whether a value may identify a patient: group 0010, names, dates, private elements."""
    return (tag.group == 0x0010 or tag.is_private
            or element.VR in ("PN", "DA", "DT", "LT", "ST", "UT", "LO", "SH"))

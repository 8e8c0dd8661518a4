"""What the objects of a series state alike when all is well, kept once for all that do.

A variant is text: a hash, then birth date, sex and name of the patient, number of private
elements, and of images orientation, matrix size, LOCALIZER mark, AcquisitionNumber and rescale,
joined by vertical bars. The series keeps its variants, each object the hash of its own, so that
what differs between the slices of a series is known at the price of eight characters a slice.
"""

import re
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from rtgraph.graphmodel.families import Family
from rtgraph.graphmodel.nodes import SERIES, STUDY
from rtgraph.graphmodel.parts import PARTS
from rtgraph.graphmodel.properties import Property, stated
from rtgraph.ingest.families import images
from rtgraph.ingest.items import (
    Charset,
    Item,
    Leaf,
    Root,
    charset_of,
    items,
    leaf_of,
    reading,
    text_of,
)
from rtgraph.ingest.vr import folded

_NO_SLICE = ("",) * 5
(_NAME,) = stated("PatientName")
_LONGEST = 64
# Free text: what people type (PS3.5 6.2); codes, identifiers and names are no free text.
_FREE = frozenset({"LO", "SH", "ST", "LT", "UT", "UC"})
_NO_FREE_TEXT = frozenset({
    "Manufacturer", "ManufacturerModelName", "SoftwareVersions", "DeviceSerialNumber",
    "StationName", "StudyID", "AccessionNumber", "PatientID", "IssuerOfPatientID",
    "InstitutionName", "ConvolutionKernel", "ReconstructionMethod", "TreatmentMachineName",
    "RadiationMachineName", "SegmentAlgorithmName"})
_MONTH = (r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
          r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)")
# A day as people write it. With two digits for the year, only as 05.02.24, not behind a version
# mark, and not as one of several dose levels.
_DATE = re.compile(
    r"(?<![\d.])(?:19|20)\d\d([-./]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])"
    r"(?:[T_ -]?(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?)?(?!\d)"
    r"|(?<![\d.])(?:0?[1-9]|[12]\d|3[01])([-./])(?:0?[1-9]|1[0-2])\2(?:19|20)\d\d(?!\d)"
    r"|(?<![\d.])(?:0?[1-9]|1[0-2])([-./])(?:0?[1-9]|[12]\d|3[01])\3(?:19|20)\d\d(?!\d)"
    r"|(?<![\d./-])(?<!v)(?<!v )(?<!version )(?:0[1-9]|[12]\d|3[01])([-./])(?:0[1-9]|1[0-2])\4\d\d"
    r"(?![\d/-]|\.\d|\s?c?Gy)"
    r"|(?<![\d./-])(?<!v)(?<!v )(?<!version )(?:0[1-9]|1[0-2])([-./])(?:0[1-9]|[12]\d|3[01])\5\d\d"
    r"(?![\d/-]|\.\d|\s?c?Gy)"
    rf"|(?<!\d)(?:0?[1-9]|[12]\d|3[01])[-./ ]?{_MONTH}[-./ ]{{0,2}}(?:19|20)?\d\d(?!\d)",
    re.IGNORECASE)
_SHORTEST_NAME = 4  # shorter parts of names are too often words


def variant(
    item: Root, kind: Family, patient: dict[str, Any], charset: Charset, key: str
) -> str:
    """Return the variant of an object; with a key the name is a digest made with it."""
    of_slice = images.of_slice(item) if kind.is_image else _NO_SLICE
    birth = patient.get("PatientBirthDate")
    return joined((birth.isoformat() if birth else "", patient.get("PatientSex") or "",
                   _compared(_name(item, charset), key), str(item.private), *of_slice))


@lru_cache(4096)
def joined(values: tuple[str, ...]) -> str:
    """Return a variant as text, its hash in front."""
    text = "|".join(v.replace("|", " ")[:_LONGEST] for v in values)
    return f"{blake2b(text.encode(), digest_size=4).hexdigest()}|{text}"


def _name(item: Item, charset: Charset) -> str:
    """Return the name of the patient as it is compared: no case, no accents."""
    leaf = leaf_of(item, _NAME)
    return _normal(leaf, charset) if leaf else ""


@lru_cache(4096)
def _normal(leaf: Leaf, charset: Charset) -> str:
    return next((str(value) for name, value in reading({_NAME.name: leaf}, _NAME, charset).also
                 if name == "PatientName_norm"), "")


@lru_cache(4096)
def _compared(name: str, key: str) -> str:
    # family and given name only: middle names and titles come and go from system to system
    name = "^".join(name.split("^")[:2])
    if not key or not name:
        return name
    return blake2b(name.encode(), digest_size=8, key=bytes.fromhex(key)).hexdigest()


def suspects(item: Item, charset: Charset, kind: Family) -> dict[str, list[str]]:
    """Return the keywords of free text that looks as if it names the patient or a day.

    Text of parts counts, such as ROIName. Of images only when there are any, so that slices stay
    lean.
    """
    parts = _parts_of_name(_name(item, charset))
    if kind.is_image:
        found = list(_of_image(tuple([item.get(p.name) for p in _free(kind)]), kind, charset,
                               parts))
        return {"suspect_text": found} if found else {}
    texts = [(p.name, text_of(item, p.name, charset)) for p in _free(kind) if p.name in item]
    texts += [(name, text_of(part, name, charset_of(part, charset)))
              for sequence, names in _FREE_OF_PARTS for part in items(item, sequence)
              for name in names if name in part]
    return {"suspect_text": sorted({name for name, text in texts if _is_suspect(text, parts)})}


@lru_cache(4096)
def _of_image(
    leaves: tuple[Any, ...], kind: Family, charset: Charset, parts: frozenset[str]
) -> tuple[str, ...]:
    """Slices of a series mostly hold the same text."""
    names = [p.name for p in _free(kind)]
    item: Item = {k: leaf for k, leaf in zip(names, leaves, strict=True) if leaf}
    return tuple(sorted(k for k in item if _is_suspect(text_of(item, k, charset), parts)))


def _is_free(declared: Property) -> bool:
    return (declared.stated and not declared.below and declared.vr in _FREE
            and declared.name not in _NO_FREE_TEXT)


@lru_cache(64)
def _free(kind: Family) -> tuple[Property, ...]:
    declared = {p.name: p for p in (*STUDY, *SERIES, *kind.properties)}
    return tuple(p for p in declared.values() if _is_free(p))


_FREE_OF_PARTS = tuple(
    (path[0], names) for part in PARTS for path, properties in part.stated
    if len(path) == 1 and (names := tuple(p.name for p in properties if _is_free(p))))


@lru_cache(4096)
def _parts_of_name(name: str) -> frozenset[str]:
    return frozenset(w for w in re.split(r"[\W_]+", name) if len(w) >= _SHORTEST_NAME)


@lru_cache(65536)
def _is_suspect(text: str, parts: frozenset[str]) -> bool:
    return bool(_DATE.search(text)) or any(
        word in parts for word in re.split(r"[\W_]+", folded(text)))

"""What the scan takes out of a file equals what pydicom reads of it, element by element.

The truth is `pydicom.dcmread` with pydicom's own conversion of every planned value. The slow way of
the product is compared with the same truth, and the quick way with the slow one.
"""

import os
import struct
import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom import Dataset, dcmread
from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_sequence
from pydicom.valuerep import PN_DELIMS, TEXT_VR_DELIMS, PersonName

from rtgraph.demo.cohort import write_cohort
from rtgraph.ingest import reading
from rtgraph.ingest.headscan import Odd, Scanned, scan
from rtgraph.ingest.items import Item, charset_of, items, text_of
from rtgraph.ingest.oddscan import DAMAGED, odd_scan, quiet
from rtgraph.ingest.parse import Plan, parse
from rtgraph.ingest.plan import UNLISTED, Node, plan
from rtgraph.ingest.reading import Header
from rtgraph.ingest.records import Found, Instance, Rejected
from tests.data import scans

DATA = Path(os.environ.get("RTGRAPH_TEST_DATA", Path(__file__).parents[2].parent / "shared/data"))
N_MUTATIONS = int(os.environ.get("RTGRAPH_MUTATIONS")
                  or (3_000 if os.environ.get("RTGRAPH_CI") == "1" else 20_000))
REFER = ("ReferencedSOPInstanceUID", "SeriesInstanceUID")
ASCII = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"})
IN_CHARSET = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
UNSPLIT = frozenset({"LT", "ST", "UR", "UT"})
FORMATS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "AT": "I",
           "SV": "q", "UV": "Q"}


@pytest.fixture(autouse=True)
def _silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """pydicom warns of no odd value, and refuses no number of a wrong length."""
    monkeypatch.setattr(pydicom.config, "convert_wrong_length_to_UN", True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# --- the truth -----------------------------------------------------------------------------------

def wanted_of(node: Node) -> dict[int, str | Node]:
    """The plan by tag: its keys are the tags with their halves changed."""
    return {(key & 0xFFFF) << 16 | key >> 16: entry for key, entry in node.wanted.items()}


def of_pydicom(value: Any) -> list[Any]:
    """A value of pydicom as a list of texts or numbers."""
    if value is None or value == "" or value == b"":
        return []
    if isinstance(value, str | bytes | int | float | PersonName):
        value = [value]
    return [_one(v) for v in value]


def _one(value: Any) -> Any:
    text = getattr(value, "original_string", None)
    if isinstance(value, PersonName):
        text = "=".join(value.components)
    if text is not None or isinstance(value, str):
        return padding_off(str(value if text is None else text))
    return value


def padding_off(text: str) -> str:
    """Text without the padding that pydicom strips here and keeps there."""
    return text.strip(" \0\t\r\n\v\f").rstrip("= \0")


def of_scan(vr: str, raw: bytes, charset: tuple[str, ...]) -> list[Any] | bytes:
    """The bytes of a leaf as a list of texts or numbers, without the package's own reading."""
    if vr in FORMATS:
        letter = FORMATS[vr]
        if vr == "AT":
            halves = struct.unpack(f"<{len(raw) // 2}H", raw)
            return [a << 16 | b for a, b in zip(halves[::2], halves[1::2], strict=True)]
        return list(struct.unpack(f"<{len(raw) // struct.calcsize('<' + letter)}{letter}", raw))
    if vr not in ASCII | IN_CHARSET:
        return raw
    encodings = convert_encodings(list(charset) if charset else None)
    if vr == "PN":
        decoded = [decode_bytes(p, encodings, PN_DELIMS) for p in raw.split(b"\\")]
    else:
        text = decode_bytes(raw, encodings if vr in IN_CHARSET else ["latin-1"], TEXT_VR_DELIMS)
        decoded = [text] if vr in UNSPLIT else text.split("\\")
    return [padding_off(d) for d in decoded] if any(map(padding_off, decoded)) else []


def differences(
    item: Item, ds: Dataset, node: Node, charset: tuple[str, ...] = (), at: str = ""
) -> list[str]:
    """Where an item of a scan is not what pydicom says."""
    charset, wanted, found, known = charset_of(item, charset), wanted_of(node), [], set()
    for tag in list(ds.keys()):
        entry = wanted.get(int(tag))
        name = entry if isinstance(entry, str) else keyword_for_tag(tag) or (
            f"({tag >> 16:04X},{tag & 0xFFFF:04X})")
        raw: Any = ds.get_item(tag)
        path = f"{at}.{name}"
        if is_cut(raw):
            known.add(name)
            continue
        if isinstance(entry, str):
            found += leaf_differs(item, ds, tag, raw, name, charset, path)
            known.add(name)
            continue
        below = sequence_of(ds, tag, raw, required=entry is not None)
        if below is None:
            continue
        mine = item.get(name)
        if entry is None:
            below = [b for b in below if refers(b)]
            if not below:
                continue
        known.add(name)
        if not isinstance(mine, list) or len(mine) != len(below):
            found.append(f"{path}: {len(below)} items, not {mine!r:.80}")
            continue
        for n, (a, b) in enumerate(zip(mine, below, strict=True)):
            found += differences(a, b, entry or UNLISTED, charset, f"{path}[{n}]")
    return found + [f"{at}.{name}: pydicom has none" for name in item if name not in known]


def is_cut(raw: Any) -> bool:
    """Tell whether the file ends inside an element."""
    return (isinstance(raw, RawDataElement) and raw.length != scans.UNDEFINED
            and len(raw.value or b"") < raw.length)


def leaf_differs(item: Item, ds: Dataset, tag: Any, raw: Any, name: str,
                 charset: tuple[str, ...], path: str) -> list[str]:
    leaf = item.get(name)
    if raw.VR == "SQ":
        return [] if leaf is None else [f"{path}: a sequence"]
    if not isinstance(leaf, tuple):
        return [f"{path}: {leaf!r:.80} is no leaf"]
    stated, value = leaf
    try:
        element = ds[tag]
        vr = element.VR if stated in ("", "UN") else stated
        if " or " in vr or vr == "UN" or vr != element.VR or vr in ("OB", "OW"):
            return [] if value == (raw.value or b"") else [f"{path}: other bytes"]
        expected: Any = of_pydicom(element.value)
    except DAMAGED:  # of no value to pydicom; the bytes are for the normaliser
        return [] if value == (raw.value or b"") else [f"{path}: other bytes"]
    try:
        told: Any = of_scan(vr, value, charset)
    except (struct.error, ValueError) as error:
        told = repr(error)
    if isinstance(told, list) and all(isinstance(t, str) for t in told) and not any(expected):
        expected = []
        told = [t for t in told if t]
    same = told == expected or repr(told) == repr(expected)  # not a number
    return [] if same else [f"{path} {vr}: {told!r:.80}, not {expected!r:.80}"]


def sequence_of(ds: Dataset, tag: Any, raw: Any, required: bool) -> list[Dataset] | None:
    """The items of a sequence; those of an unknown value that looks like one in implicit VR."""
    try:
        vr = ds[tag].VR
        if vr == "SQ":
            return list(ds[tag].value or [])
        value = getattr(raw, "value", None) or b""
        if vr == "UN" and not required and value.startswith(b"\xfe\xff\x00\xe0"):
            stream = BytesIO(value)
            found = list(read_sequence(stream, True, True, len(value), "latin-1"))
            return found if stream.tell() == len(value) else None
    except DAMAGED:
        pass
    return None


def refers(ds: Dataset) -> bool:
    """Tell whether an item of an unlisted sequence says whom it refers to, itself or below."""
    if any(name in ds for name in REFER):
        return True
    return any(any(map(refers, sequence_of(ds, tag, ds.get_item(tag), False) or ()))
               for tag in list(ds.keys()))


def header_of(raw: bytes) -> Header:
    """What the product takes out of a file, from memory."""
    found = reading._header(raw, len(raw), plan(), whole=True)
    assert found is not None
    return found


def assert_equal(raw: bytes) -> Header:
    header = header_of(raw)
    ds = dcmread(BytesIO(raw), force=True, stop_before_pixels=True)
    for tag in [t for t in list(ds.keys()) if int(t) >> 16 == 0]:  # a command set
        del ds[tag]
    assert differences(header.item, ds, plan()) == []
    return header


# --- quick way and slow way ----------------------------------------------------------------------

def quick_scan(raw: bytes, start: int, syntax: str) -> Scanned | Odd:
    """The quick way alone."""
    try:
        return scan(raw, start, plan(), implicit=reading._is_implicit(raw, start, syntax))
    except Odd as odd:
        return odd


def plain(item: Item) -> dict[str, Any]:
    """An item with leaves that do not depend on who read them: padding of the character set."""
    return {name: [plain(i) for i in value] if isinstance(value, list)
            else ("CS", value[1].strip(b" \0")) if name == "SpecificCharacterSet" else value
            for name, value in item.items()}


def within(less: Any, more: Any) -> bool:
    """Tell whether everything that one way found is in what the other found."""
    if isinstance(less, dict):
        return isinstance(more, dict) and all(
            k in more and within(v, more[k]) for k, v in less.items())
    if isinstance(less, list):
        return (isinstance(more, list) and len(less) <= len(more)
                and all(within(a, b) for a, b in zip(less, more, strict=False)))
    return bool(less == more)


def assert_ways_agree(raw: bytes) -> bool:
    """Compare both ways; return whether the quick one read the file."""
    meta, start = reading.file_meta(raw)
    syntax = meta.get("TransferSyntaxUID", "")
    if syntax == scans.DEFLATED:
        raw, start = reading._inflated(raw[start:])[0], 0
    quick = quick_scan(raw, start, syntax)
    if isinstance(quick, Odd):
        return False
    with quiet():
        slow = odd_scan(raw, plan())
    a, b = plain(quick.item), plain(slow.item)
    if quick.cut and "SpecificCharacterSet" not in a:
        b.pop("SpecificCharacterSet", None)  # pydicom keeps one that the file ends inside of
    if not quick.cut and a != b:  # of two elements with one private tag pydicom has the second
        a = {k: v for k, v in a.items() if k in b or not k.startswith("(")}
    if quick.cut:  # pydicom keeps nothing of the sequence that the file ends in
        assert within(b, a)
        assert len([name for name in a if a[name] != b.get(name)]) <= 1
    else:
        assert a == b
    return True


# --- files ---------------------------------------------------------------------------------------

def own_files(folder: str) -> dict[str, Path]:
    """Files that are installed with pydicom; its own functions would fetch more of them."""
    root = Path(pydicom.__file__).parent / "data" / folder
    return {str(p.relative_to(root)): p for p in sorted(root.rglob("*")) if p.is_file()}


PYDICOM = {**own_files("charset_files"), **own_files("test_files")}
REAL = {str(p.relative_to(DATA)): p for p in sorted(DATA.rglob("*")) if p.is_file()}


def test_the_files_of_pydicom_are_there() -> None:
    assert len(PYDICOM) > 150


@pytest.mark.parametrize("name", PYDICOM)
def test_file_of_pydicom(name: str) -> None:
    raw = PYDICOM[name].read_bytes()
    if reading.no_dicom(raw) is None:
        assert_equal(raw)
        assert_ways_agree(raw)


@pytest.mark.skipif(not REAL, reason="no folder of real files beside the repository")
@pytest.mark.parametrize("name", REAL or ["none"])
def test_real_file(name: str) -> None:
    raw = REAL[name].read_bytes()
    if reading.no_dicom(raw) is None:
        assert_equal(raw)
        assert_ways_agree(raw)


def test_the_demo_cohort(tmp_path: Path) -> None:
    write_cohort(tmp_path, patients=3)
    files = [p for p in tmp_path.rglob("*") if p.suffix == ".dcm"]
    assert len(files) > 100
    for path in files:
        raw = path.read_bytes()
        assert assert_equal(raw).fallback == ""
        assert assert_ways_agree(raw)


@pytest.mark.parametrize("name", scans.corpus())
def test_generated_file(name: str) -> None:
    raw = scans.corpus()[name]
    header = assert_equal(raw)
    assert assert_ways_agree(raw) == ("big endian" not in name)
    assert header.item["SOPInstanceUID"][1] == scans.OBJECT.encode()


@pytest.mark.parametrize("name", scans.special())
def test_odd_file(name: str) -> None:
    raw, fallback = scans.special()[name]
    assert assert_equal(raw).fallback == fallback
    assert assert_ways_agree(raw) == (not fallback)


def test_long_unknown_values_and_a_bad_pixel_representation_cost_no_sequence() -> None:
    """Here pydicom's own access gives bytes, or nothing; both ways give the items."""
    many = [scans.ref(f"1.2.4.{n}") for n in range(1500)]
    elements = scans.replaced(scans.ct(), "PixelRepresentation", "US", b"\1\0\0")
    raw = scans.file(scans.replaced(elements, "SourceImageSequence", "UN", many))
    assert assert_ways_agree(raw)
    found = items(header_of(raw).item, "SourceImageSequence")
    assert [text_of(i, "ReferencedSOPInstanceUID") for i in found] == [
        f"1.2.4.{n}" for n in range(1500)]


# --- damage --------------------------------------------------------------------------------------

EVERY = 8  # every so many damaged files are compared with pydicom's own values


def truth_differs(raw: bytes, item: Item) -> list[str]:
    """As `differences`, of a damaged file: pydicom may refuse it and leaves private items be."""
    try:
        ds = dcmread(BytesIO(raw), force=True, stop_before_pixels=True)
        return [d for d in differences(item, ds, plan()) if not d.startswith(".(")]
    except DAMAGED:
        return []


def damaged(files: dict[str, bytes], n: int) -> Iterator[tuple[str, bytes, bytes]]:
    """Name, file and damaged file; each time the same ones."""
    for seed, (name, raw) in enumerate(files.items()):
        start = reading.file_meta(raw)[1]
        for bad in scans.mutations(raw, start, n // len(files) + 1, seed):
            yield name, raw, bad


def test_damaged_files(tmp_path: Path) -> None:
    files = {n: raw for n, raw in scans.clean().items()
             if ("default" in n or "Japanese" in n) and "deflated" not in n}
    files["deflated"] = scans.file(scans.structure_set(), scans.DEFLATED)
    files |= {n: raw for n, (raw, fallback) in scans.special().items() if not fallback}
    n_files = n_quick = n_read = 0
    path = tmp_path / "file"
    for name, _, raw in damaged(files, N_MUTATIONS):
        n_files += 1
        path.write_bytes(raw)
        found = parse(Found(str(path), "root:file", len(raw), 1), Plan("0f" * 32))
        assert isinstance(found, Instance | Rejected)
        n_read += isinstance(found, Instance)
        if isinstance(found, Instance) and not found.fallback:
            n_quick += 1
            assert assert_ways_agree(raw), name
            if n_files % EVERY == 0 and not found.truncated:
                assert truth_differs(raw, header_of(raw).item) == [], name
    assert n_files >= N_MUTATIONS
    assert n_quick > n_files / 5
    assert n_read > n_files / 3


def test_damaged_files_that_are_pydicom_s_never_raise(tmp_path: Path) -> None:
    files = {n: raw for n, (raw, fallback) in scans.special().items() if fallback}
    files |= {n: raw for n, raw in scans.corpus().items() if "big endian" in n}
    path, n_files = tmp_path / "file", 0
    for name, _, raw in damaged(files, N_MUTATIONS // 8):
        path.write_bytes(raw)
        found = parse(Found(str(path), "root:file", len(raw), 1), Plan("0f" * 32))
        assert isinstance(found, Instance | Rejected), name
        n_files += isinstance(found, Instance) and bool(found.fallback)
    assert n_files > N_MUTATIONS / 32


def test_damage_inside_the_file_meta(tmp_path: Path) -> None:
    """pydicom may lose its way there where the scan reads on; nothing raises."""
    n_files = n_other = 0
    path = tmp_path / "file"
    for kind in scans.OBJECTS:
        raw = scans.file(scans.OBJECTS[kind]())
        start = reading.file_meta(raw)[1]
        for bad in scans.mutations(raw[:start], 132, N_MUTATIONS // 100, len(kind)):
            n_files += 1
            path.write_bytes(bad + raw[start:])
            found = parse(Found(str(path), "root:file", len(bad + raw[start:]), 1), Plan("0f" * 32))
            assert isinstance(found, Instance | Rejected)
            if isinstance(found, Instance) and not found.fallback and not found.truncated:
                n_other += truth_differs(bad + raw[start:], header_of(bad + raw[start:]).item) != []
    assert n_other <= n_files / 20

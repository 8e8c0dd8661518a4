"""The scan of a header: reads that end anywhere, digest, fallback, limits, damage, and the plan."""

import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import pytest

from rtgraph.graphmodel.families import FAMILIES
from rtgraph.graphmodel.nodes import IMAGE_SERIES, INSTANCE, PATIENT, SERIES, STUDY
from rtgraph.graphmodel.references import references
from rtgraph.ingest import plan as plans
from rtgraph.ingest import reading
from rtgraph.ingest.headscan import DEEPEST, Fallback, scan
from rtgraph.ingest.items import Item, charset_of, items, text_of
from rtgraph.ingest.oddscan import odd_scan, quiet
from rtgraph.ingest.parse import Plan, parse
from rtgraph.ingest.plan import Node, plan
from rtgraph.ingest.reading import DIGESTED, HEAD, Header, read_header
from rtgraph.ingest.records import Found, Instance, Reason, Rejected
from tests.data import scans
from tests.data.scans import Form, delimiter, element, encode

Parse = Callable[[bytes], Instance | Rejected]
PARSED = Plan("0f" * 32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.fixture
def parsed(path: Path) -> Parse:
    def of(raw: bytes) -> Instance | Rejected:
        path.write_bytes(raw)
        return parse(Found(str(path), "root:file", len(raw), 1), PARSED)

    return of


def instance(found: Instance | Rejected) -> Instance:
    assert isinstance(found, Instance), found
    return found


def at_once(raw: bytes) -> Header:
    """The header of a file that was read whole."""
    with quiet():
        header = reading._header(raw, len(raw), plan(), whole=True)
    assert header is not None
    return header


def by_reads(path: Path, raw: bytes) -> Header:
    """The header of a file that is read as far as needed."""
    path.write_bytes(raw)
    with quiet():
        header = read_header(str(path), len(raw), plan())
    assert isinstance(header, Header)
    return header


# --- reads that end anywhere ---------------------------------------------------------------------

FORMS = {
    "explicit, defined": Form(), "explicit, undefined": Form(open=True),
    "implicit, defined": Form(implicit=True), "implicit, undefined": Form(implicit=True, open=True),
}


def padded(form: Form, length: int, kind: str = "RTSTRUCT") -> bytes:
    """A file with a private element of that length in front of most others."""
    elements = scans.replaced(scans.OBJECTS[kind](), 0x00091001, "OB", b"\5" * length)
    return scans.file(elements, scans.IMPLICIT if form.implicit else scans.EXPLICIT, open=form.open)


@pytest.mark.parametrize("boundary", [HEAD, DIGESTED])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_read_that_ends_at_any_byte_of_a_padded_file(
    path: Path, form: Form, boundary: int
) -> None:
    """200 and more files each, of which every third byte stands at the boundary once."""
    short = padded(form, 0)
    start = short.index(b"ID-4711") - 100
    n_files = 0
    for at in range(start, len(short), 3):
        raw = padded(form, boundary - at)
        assert len(raw) == len(short) + boundary - at
        assert by_reads(path, raw) == at_once(raw)
        n_files += 1
    assert n_files > 200


@pytest.mark.parametrize("kind", ["CT", "RTSTRUCT", "SR"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_read_that_ends_at_any_byte_of_a_small_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, form: Form
) -> None:
    raw = scans.file(scans.OBJECTS[kind](), scans.IMPLICIT if form.implicit else scans.EXPLICIT,
                     open=form.open)
    whole = at_once(raw)
    path.write_bytes(raw)
    for n in range(140, len(raw) + 2):
        monkeypatch.setattr(reading, "HEAD", n)
        assert read_header(str(path), len(raw), plan()) == whole, n


def test_a_deflated_file_is_read_as_far_as_needed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in scans.OBJECTS:
        raw = scans.file(scans.OBJECTS[kind](), scans.DEFLATED)
        whole = at_once(raw)
        path.write_bytes(raw)
        for n in range(140, len(raw) + 2):
            monkeypatch.setattr(reading, "HEAD", n)
            assert read_header(str(path), len(raw), plan()) == whole, n


def test_zeros_that_reach_over_the_end_of_a_read_are_no_end(path: Path) -> None:
    raw = padded(Form(), 0)
    at = raw.index(struct.pack("<HH2s", 0x3006, 0x0020, b"SQ"))
    head = raw[:at] + b"\0" * (HEAD - at + 64)
    assert by_reads(path, head + raw[at:]) == at_once(head + raw[at:])


def test_an_image_needs_one_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int | None] = []

    def read(location: str, n: int | None = None) -> bytes:
        reads.append(n)
        return Path(location).read_bytes()[:n]

    monkeypatch.setattr(reading, "read", read)
    raw = scans.file(scans.replaced(scans.ct(), "PixelData", "OW", b"\1" * 100_000))
    assert by_reads(path, raw).item == at_once(raw).item
    assert reads == [HEAD]


@pytest.mark.parametrize("stated", [0, 1, 20_000, 30_000, 10_000_000])
def test_a_file_that_is_not_as_long_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch, stated: int
) -> None:
    n_reads = 0

    def read(location: str, n: int | None = None) -> bytes:
        nonlocal n_reads
        n_reads += 1
        return Path(location).read_bytes()[:n]

    monkeypatch.setattr(reading, "read", read)
    raw = padded(Form(), 100_000)
    path.write_bytes(raw)
    header = read_header(str(path), stated, plan())
    assert isinstance(header, Header)
    assert header.item == at_once(raw).item
    assert n_reads <= 6
    path.write_bytes(raw[:-700])
    header = read_header(str(path), stated, plan())
    assert isinstance(header, Header)
    assert (header.cut, header.item) == (True, at_once(raw[:-700]).item)


def test_a_long_header_is_read_in_three_steps(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int | None] = []

    def read(location: str, n: int | None = None) -> bytes:
        reads.append(n)
        return Path(location).read_bytes()[:n]

    monkeypatch.setattr(reading, "read", read)
    monkeypatch.setattr(reading, "STEPS", (20_000,))
    raw = padded(Form(), 100_000)
    assert by_reads(path, raw) == at_once(raw)
    assert reads == [HEAD, 20_000, len(raw) + 1]


# --- digest --------------------------------------------------------------------------------------

def test_the_digest_is_that_of_the_data_set_alone() -> None:
    body = encode(scans.ct())
    head = body[: body.rindex(struct.pack("<HH", 0x7FE0, 0x0010))]
    metas = [scans.meta(), scans.meta().replace(b"1.2.826.0.77.99", b"1.2.826.0.77.98"),
             scans.meta(scans.JPEG[:-1] + "1").replace(scans.JPEG[:-1].encode() + b"1", b"x")]
    digests = set()
    for meta in metas[:2]:
        for before in (scans.preamble(), b"II*\0" * 32 + b"DICM"):
            raw = before + meta + body
            digests.add(at_once(raw).digest)
            expected = blake2b(head + str(len(raw)).encode(), digest_size=16).hexdigest()
            assert at_once(raw).digest == expected
    assert len(digests) == 1


def test_the_digest_does_not_depend_on_the_way() -> None:
    for name, raw in scans.clean().items():
        if "deflated" not in name:
            header = at_once(raw)
            start = reading.file_meta(raw)[1]
            with quiet():
                slow = odd_scan(raw, plan())
            assert header.digest == reading.digest(raw, start, slow.end, len(raw)), name


@pytest.mark.parametrize("syntax", scans.SYNTAXES.values(), ids=scans.SYNTAXES)
def test_a_flipped_byte_changes_the_digest(syntax: str) -> None:
    raw = scans.file(scans.structure_set(), syntax)
    start = reading.file_meta(raw)[1]
    end = len(raw) if syntax == scans.DEFLATED else min(len(raw), start + DIGESTED)
    first, others, n_flips = at_once(raw).digest, 0, 0
    for at in range(start, end, 11 if syntax == scans.BIG else 2):
        flipped = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        try:
            others += at_once(flipped).digest == first
            n_flips += 1
        except zlib.error:
            continue
    assert n_flips > 50
    # bytes behind the end of the stream and unused bits at it mean nothing
    assert others <= (2 if syntax == scans.DEFLATED else 0)


def test_the_digest_of_a_deflated_file_is_over_the_inflated_bytes() -> None:
    body = encode(scans.structure_set())
    raw = scans.file(scans.structure_set(), scans.DEFLATED)
    expected = blake2b(body[:DIGESTED] + str(len(raw)).encode(), digest_size=16).hexdigest()
    assert at_once(raw).digest == expected


# --- fallback ------------------------------------------------------------------------------------

def test_every_reason_is_reached_and_clean_files_are_never_left() -> None:
    reached = {at_once(raw).fallback for raw, _ in scans.special().values()} - {""}
    assert reached == {f.value for f in Fallback}
    assert [name for name, raw in scans.clean().items() if at_once(raw).fallback] == []


def test_a_backslash_inside_a_character_is_no_separator() -> None:
    item = at_once(scans.corpus()["CT, explicit, defined, Japanese"]).item
    text = b"\x1b$B\x3b\x5c\x3b\x33\x1b(B".decode("iso2022_jp")
    assert text_of(item, "StudyDescription", charset_of(item)) == f"A{text} B"


def test_equal_bytes_under_two_character_sets(parsed: Parse) -> None:
    texts = []
    for terms in ("ISO_IR 100", "ISO_IR 192", "ISO_IR 144", "ISO_IR 100"):
        elements = scans.replaced(scans.ct(), "StudyDescription", "LO", b"\xc3\x9f")
        found = instance(parsed(scans.file([*elements, ("SpecificCharacterSet", "CS", terms)])))
        texts.append(found.values["Study"]["StudyDescription"])
    assert texts == ["\u00c3", "\u00df", "\u0423", "\u00c3"]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_many_contours_and_a_file_that_ends_inside_one(form: Form) -> None:
    contours: list[list[scans.Element]] = [
        [("ContourGeometricType", "CS", "POINT"), ("ContourData", "DS", "1\\2\\3"),
         ("ContourImageSequence", "SQ", [scans.ref(f"1.2.5.{n}")])] for n in range(5000)]
    elements = scans.replaced(scans.structure_set(), "ROIContourSequence", "SQ", [
        [("ContourSequence", "SQ", contours), ("ReferencedROINumber", "IS", "0")]])
    raw = scans.file(elements, scans.IMPLICIT if form.implicit else scans.EXPLICIT, open=form.open)
    ends = raw.index(b"1.2.5.4000")
    for end, n, cut in ((len(raw), 5000, False), (ends, 4000, True), (ends + 10, 4001, True)):
        header = at_once(raw[:end])
        (roi,) = items(header.item, "ROIContourSequence")
        named = [text_of(i, "ReferencedSOPInstanceUID") for c in items(roi, "ContourSequence")
                 for i in items(c, "ContourImageSequence")]
        assert [uid for uid in named if uid] == [f"1.2.5.{k}" for k in range(n)]
        assert (header.cut, header.fallback) == (cut, "")


# --- limits --------------------------------------------------------------------------------------

@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_nesting(parsed: Parse, form: Form) -> None:
    """What is deeper than the quick scan goes is pydicom's; what is hostile is refused."""
    body = encode([e for e in scans.report() if e[0] != "ContentSequence"], form)
    start = scans.preamble() + scans.meta(scans.IMPLICIT if form.implicit else scans.EXPLICIT)
    found = {n: parsed(start + body + scans.nested(n, form)) for n in (DEEPEST, DEEPEST + 1, 100)}
    assert [instance(f).fallback for f in found.values()] == ["", "TOO_DEEP", "TOO_DEEP"]
    rejected = parsed(start + body + scans.nested(10_000, form))
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, rejected.detail) == (Reason.BAD_HEADER, "RecursionError")


def test_a_deflate_bomb_is_refused_within_bounds(
    parsed: Parse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LARGEST_INFLATED", 1_000_000)
    body = encode(scans.ct()[:-2]) + element("PixelData", "OW", b"")[:-4] + b"\0\0\0\4"
    deflater = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    bomb = b"".join(deflater.compress(part) for part in [encode(scans.structure_set()),
                                                         *[b"\5" * 1_000_000] * 64])
    raw = scans.preamble() + scans.meta(scans.DEFLATED) + bomb + deflater.flush()
    assert len(raw) < 100_000 < len(body) + 100_000
    tracemalloc.start()
    found = parsed(raw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(found, Rejected)
    assert found.reason is Reason.BAD_HEADER
    assert peak < 8_000_000


TAILS = {"zeros": b"\0" * 300, "a few zeros": b"\0" * 3, "text": b"trailing garbage" * 20,
         "few bytes": b"abc", "an item delimiter": delimiter(0xFFFEE00D)}


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_what_stands_behind_a_data_set_costs_nothing_of_it(
    parsed: Parse, form: Form, tail: str
) -> None:
    syntax = scans.IMPLICIT if form.implicit else scans.EXPLICIT
    raw = scans.file(scans.plan(), syntax, open=form.open)
    first, found = instance(parsed(raw)), instance(parsed(raw + TAILS[tail]))
    assert found.references == first.references
    told = {k: v for k, v in found.values["Instance"].items() if k != "truncated"}
    assert told == first.values["Instance"]
    assert found.truncated == (tail in ("text", "few bytes"))
    assert not (tail == "zeros" and found.fallback)


# --- damage --------------------------------------------------------------------------------------

def top_level(keywords: set[str], elements: list[scans.Element]) -> list[str]:
    return [str(e[0]) for e in elements if e[0] in keywords and e[1] != "SQ"]


IDENTITY = {"SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"}
PLANNED = {e for e in plan().wanted.values() if isinstance(e, str)}
# An element with a bad value, of its own VR or another one.
BAD: dict[str, Callable[[str, str], scans.Element]] = {
    "bad number": lambda name, vr: (name, vr, b"12A,"),
    "unknown VR": lambda name, vr: (name, "ZZ", b"1234"),
    "wrong VR": lambda name, vr: (name, "FD" if vr != "FD" else "LO", b"\xff" * 8),
    "odd length": lambda name, vr: (name, "US", b"\1\2\3"),
    "a sequence": lambda name, vr: (name, "SQ", [scans.ref("1.2.3")]),
}


def spoiled(
    elements: list[scans.Element], bad: Callable[[str, str], scans.Element], depth: int = 0
) -> Iterator[tuple[str, int, list[scans.Element]]]:
    """Keyword, depth and data set, for each element that can be made bad."""
    for n, (name, vr, value) in enumerate(elements):
        if vr == "SQ":
            for k, child in enumerate(value):
                for keyword, below, changed in spoiled(child, bad, depth + 1):
                    of_items = [*value[:k], changed, *value[k + 1 :]]
                    yield keyword, below, [*elements[:n], (name, vr, of_items), *elements[n + 1 :]]
        elif isinstance(name, str) and name not in IDENTITY | {"PixelData"}:
            if name == "SpecificCharacterSet" and bad(name, vr)[1] == "SQ":
                continue  # that costs pydicom the data set that it stands in
            yield name, depth, [*elements[:n], bad(name, vr), *elements[n + 1 :]]


@pytest.mark.parametrize("kind", ["CT", "RTPLAN"])
@pytest.mark.parametrize("bad", BAD)
def test_one_bad_element_costs_itself_only(parsed: Parse, kind: str, bad: str) -> None:
    elements = [*scans.OBJECTS[kind](), ("SpecificCharacterSet", "CS", "ISO_IR 100")]
    whole, seen = instance(parsed(scans.file(elements))), {0: 0, 1: 0, 2: 0, 3: 0}
    for name, depth, changed in spoiled(elements, BAD[bad]):
        seen[depth] += 1
        found = instance(parsed(scans.file(changed)))
        uids = {t.uid for t in found.references}
        lost = [t.uid for t in whole.references if t.uid not in uids]
        assert len(lost) <= (depth > 0), name
        parts = {(p.label, p.suffix) for p in found.parts}
        assert len(found.parts) == len(whole.parts)
        renamed = {(p.label, p.suffix) for p in whole.parts} - parts
        assert len(renamed) <= (name in NUMBERS), name
        for label, values in whole.values.items():
            for key, value in values.items():
                if not derived_from(name, key):
                    assert found.values[label].get(key) == value, (name, key)
    assert seen[0] > 25
    assert seen[1] > 5


RULES = {  # properties that follow from an element by a rule
    "ImageType": "is_localizer position_conflict",
    "Modality": "cbct_score",
    "PatientPosition": "position_conflict",
    "ImagePositionPatient": "slice_offset",
    "ImageOrientationPatient": "slice_offset variant orientation position_conflict",
    "ReferencedSOPInstanceUID": "noted_uids",
    "StudyDate": "patient_age_years",
    "PatientBirthDate": "variant patient_age_years",
    **dict.fromkeys(("PatientName", "PatientSex", "AcquisitionNumber", "Rows", "Columns",
                     "RescaleIntercept", "RescaleSlope"), "variant"),
    **dict.fromkeys(("TreatmentDeliveryType", "LeafJawPositions", "GantryAngle"), "technique"),
}
NUMBERS = {"BeamNumber", "FractionGroupNumber", "DoseReferenceNumber"}  # of parts


def derived_from(name: str, key: str) -> bool:
    """Tell whether a property may be another one when that element is bad."""
    moments = {"StudyDate": "study_datetime", "StudyTime": "study_datetime"}
    counts = {"TreatmentDeliveryType": "beams", "NumberOfFractionsPlanned": "fractions_planned"}
    return (
        name == "SpecificCharacterSet" or key.startswith(name) or key == moments.get(name)
        or key in RULES.get(name, "").split()
        or (key.startswith("n_") and key.endswith(counts.get(name, "long_decimals")))
        or (key.endswith(("_datetime", "_position")) and key != "study_datetime")
        or (name == "FrameOfReferenceUID" and key.startswith("frame_")))


@pytest.mark.parametrize("more", [1, 2, 100, 65_000])
def test_a_length_that_is_too_long_never_raises(parsed: Parse, more: int) -> None:
    for kind in ("CT", "RTPLAN"):
        elements = scans.OBJECTS[kind]()
        raw = scans.file(elements)
        for name in top_level(PLANNED, elements):
            vr = next(e[1] for e in elements if e[0] == name)
            tag = scans.tag_of(name)
            at = raw.index(struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())) + 6
            length = int.from_bytes(raw[at : at + 2], "little") + more
            bad = raw[:at] + (length % 65536).to_bytes(2, "little") + raw[at + 2 :]
            found = parsed(bad)
            if isinstance(found, Instance):
                assert len(found.values["Patient"]["PatientID"] or "") <= 64


# --- where a data set ends -----------------------------------------------------------------------

@pytest.mark.parametrize("syntax", scans.SYNTAXES.values(), ids=scans.SYNTAXES)
def test_the_last_element_of_a_data_set_without_identity_is_known(syntax: str) -> None:
    """A data set that ends in front of a part of the identity is cut, one behind it lacks it."""
    elements = [e for e in scans.ct() if e[0] != "SeriesInstanceUID"]
    for last in ("PatientID", 0x00111002, "StudyInstanceUID", "StudyID", "KVP", "RescaleSlope"):
        kept = [e for e in elements if scans.tag_of(e[0]) <= scans.tag_of(last)]
        if last == 0x00111002:
            kept += [(0x00110010, "LO", "B"), (0x00111002, "SQ", [scans.ref("1.2.3.4")])]
        header = at_once(scans.file(kept, syntax))
        expected = max(scans.tag_of(e[0]) for e in kept)
        assert (header.last, header.cut) == (expected, False)
    assert at_once(scans.file(elements, syntax)).last in (0x7FE00010, 0xFFFFFFFF)
    assert at_once(scans.file(scans.ct()[:-2], scans.EXPLICIT)).last == 0xFFFFFFFF


# --- plan ----------------------------------------------------------------------------------------

def reached(root: Node, steps: tuple[str, ...]) -> str | Node | None:
    """What the plan has at the end of a path of keywords."""
    entry: str | Node | None = root
    for step in steps:
        if not isinstance(entry, Node):
            return None
        tag = scans.tag_of(step)
        entry = entry.wanted.get((tag & 0xFFFF) << 16 | tag >> 16)
    return entry


def test_every_stated_property_is_in_the_plan() -> None:
    declared = (*PATIENT, *STUDY, *SERIES, *IMAGE_SERIES, *INSTANCE,
                *(p for kind in FAMILIES for p in kind.properties))
    stated = [p for p in declared if p.stated]
    assert len(stated) > 100
    assert [p.name for p in stated if reached(plan(), (*p.below, p.name)) != p.name] == []


def test_every_row_of_the_reference_table_is_in_the_plan() -> None:
    rows = [r for r in references() if r.source_sop_classes]
    assert len(rows) > 50
    for row in rows:
        steps = tuple(s.removesuffix("*") for s in row.path)
        entry = reached(plan(), steps)
        assert (entry.name if isinstance(entry, Node) else entry) == steps[-1], row.path_id
        if any(s.endswith("*") for s in row.path):
            at = next(i for i, s in enumerate(row.path) if s.endswith("*")) + 1
            deeper = (*steps[:at], "ContentSequence", "ContentSequence", *steps[at:])
            assert reached(plan(), deeper) is entry or reached(plan(), deeper) == entry


def test_a_declaration_appears_without_a_change_of_the_scanner(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    elements = [*scans.ct(), ("AcquisitionComments", "LT", "HELIX"),
                ("OtherPatientIDsSequence", "SQ", [[("PatientID", "LO", "OTHER")]])]
    raw = scans.file(sorted(elements, key=lambda e: scans.tag_of(e[0])))
    start = reading.file_meta(raw)[1]
    of_patient = replace(next(p for p in PATIENT if p.name == "PatientID"),
                         below=("OtherPatientIDsSequence",))
    more = replace(next(p for p in INSTANCE if p.stated), name="AcquisitionComments")
    assert "AcquisitionComments" not in scan(raw, start, plan(), implicit=False).item
    monkeypatch.setattr(plans, "INSTANCE", (*INSTANCE, more, of_patient))
    item: Item = scan(raw, start, plans.plan.__wrapped__(), implicit=False).item
    assert item["AcquisitionComments"] == ("LT", b"HELIX ")
    assert item["OtherPatientIDsSequence"] == [{"PatientID": ("LO", b"OTHER ")}]


def test_tags_of_the_user_are_taken_out() -> None:
    raw = scans.file(scans.ct())
    item = scan(raw, reading.file_meta(raw)[1], plan((0x00091110,)), implicit=False).item
    assert item["(0009,1110)"] == ("LO", b"skipped ")


def test_private_elements_of_what_is_cut_are_counted() -> None:
    elements = [e for e in scans.ct() if e[0] != "PixelData"]
    last = ("ReferencedStructureSetSequence", "SQ", [[("ReferencedSOPInstanceUID", "UI", "1.2")]])
    raw = scans.file([*elements, last])
    start = reading.file_meta(raw)[1]
    whole = scan(raw, start, plan(), implicit=False)
    cut = scan(raw[:-3], start, plan(), implicit=False)
    assert (whole.cut, cut.cut) == (False, True)
    assert cut.item.private == whole.item.private > 0

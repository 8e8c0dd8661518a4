"""Files for the header scanner, encoded here byte by byte: clean ones, odd ones, and damage.

An element is (keyword or tag, VR, value); a value is bytes, text, numbers, or items, which are
lists of elements. No code of the package or of pydicom writes these bytes.
"""

import random
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pydicom.datadict import tag_for_keyword

Element = tuple[str | int, str, Any]
EXPLICIT, IMPLICIT, DEFLATED, BIG = (
    "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2")
JPEG, PRIVATE_SYNTAX = "1.2.840.10008.1.2.4.70", "1.2.826.0.1.3680043.8.9"
CT, STRUCT, PLAN, REG, SR = (f"1.2.840.10008.5.1.4.1.1.{n}" for n in (
    "2", "481.3", "481.5", "66.1", "88.33"))
STUDY, SERIES, OBJECT, FRAME = (f"1.2.826.0.77.{n}" for n in (1, 2, 3, 4))
UNDEFINED = 0xFFFFFFFF
_LONG = ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")
_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "AT": "H"}


@dataclass(frozen=True)
class Form:
    """How a data set is written."""

    implicit: bool = False
    big: bool = False
    open: bool = False  # sequences and items of undefined length
    charset: str = "ascii"


def tag_of(name: str | int) -> int:
    """The tag of a keyword, or the tag itself."""
    tag = tag_for_keyword(name) if isinstance(name, str) else name
    assert tag is not None, name
    return tag


def value_of(vr: str, value: Any, form: Form) -> bytes:
    """The bytes of a value, of even length."""
    order = ">" if form.big else "<"
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        raw = value.encode(form.charset)
        return raw + (b"\0" if vr == "UI" else b" ") * (len(raw) % 2)
    if isinstance(value, Sequence) and vr in ("SQ", "UN"):
        return b"".join(item(i, form) for i in value)
    numbers = value if isinstance(value, Sequence) else [value]
    return struct.pack(f"{order}{len(numbers)}{_NUMBERS[vr]}", *numbers)


def element(name: str | int, vr: str, value: Any, form: Form = Form()) -> bytes:
    """The bytes of an element."""
    tag, order = tag_of(name), ">" if form.big else "<"
    nested = vr in ("SQ", "UN") and isinstance(value, list)
    inner = replace(form, implicit=True, big=False) if vr == "UN" else form
    raw = value_of(vr, value, inner)
    length = len(raw)
    if nested and form.open:
        raw += delimiter(0xFFFEE0DD, inner)
        length = UNDEFINED
    head = struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF)
    if form.implicit:
        return head + struct.pack("<I", length) + raw
    if vr in _LONG:
        return head + vr.encode() + b"\0\0" + struct.pack(f"{order}I", length) + raw
    return head + vr.encode() + struct.pack(f"{order}H", length) + raw


def delimiter(tag: int, form: Form = Form(), length: int = 0) -> bytes:
    """An item tag, or the end of an item or of a sequence."""
    return struct.pack(">HHI" if form.big else "<HHI", tag >> 16, tag & 0xFFFF, length)


def item(elements: list[Element], form: Form = Form()) -> bytes:
    """The bytes of an item of a sequence."""
    raw = encode(elements, form)
    if form.open:
        return delimiter(0xFFFEE000, form, UNDEFINED) + raw + delimiter(0xFFFEE00D, form)
    return delimiter(0xFFFEE000, form, len(raw)) + raw


def encode(elements: list[Element], form: Form = Form()) -> bytes:
    """The bytes of a data set, in the order of tags."""
    return b"".join(element(*e, form) for e in sorted(elements, key=lambda e: tag_of(e[0])))


def meta(syntax: str = EXPLICIT, sop_class: str = CT, *, wrong: int = 0) -> bytes:
    """The file meta information; `wrong` is added to the length that it states."""
    raw = encode([(0x00020001, "OB", b"\0\1"), (0x00020002, "UI", sop_class),
                  (0x00020003, "UI", OBJECT), (0x00020010, "UI", syntax),
                  (0x00020012, "UI", "1.2.826.0.77.99")])
    return element(0x00020000, "UL", len(raw) + wrong) + raw


def preamble() -> bytes:
    """What a file begins with."""
    return b"\0" * 128 + b"DICM"


def deflated(raw: bytes) -> bytes:
    """The bytes deflated, without the header of zlib."""
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = deflater.compress(raw) + deflater.flush()
    return body + b"\0" * (len(body) % 2)


def file(elements: list[Element], syntax: str = EXPLICIT, *, open: bool = False,
         charset: str = "ascii") -> bytes:
    """A whole file; its encoding is that of its transfer syntax."""
    form = Form(syntax == IMPLICIT, syntax == BIG, open, charset)
    sop_class = next((e[2] for e in elements if e[0] == "SOPClassUID"), CT)
    body = encode(elements, form)
    return preamble() + meta(syntax, sop_class) + (deflated(body) if syntax == DEFLATED else body)


# --- objects -------------------------------------------------------------------------------------

CHARSETS: dict[str, tuple[str, str, Any, Any]] = {
    # name: defined terms, Python's name, a name, a text
    "default": ("", "ascii", "CANARY^ANNE", "Pelvis"),
    "UTF-8": ("ISO_IR 192", "utf-8", "Müller^Wang=王^小东=Σίγμα", "Hüfte 腰"),
    "Latin-1": ("ISO_IR 100", "latin-1", "Müller^Jürgen", "Hüfte"),
    "Japanese": ("\\ISO 2022 IR 87\\ISO 2022 IR 159", "ascii",
                 b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B ",
                 b"A\x1b$B\x3b\x5c\x3b\x33\x1b(B B "),  # a byte of a character is a backslash
}


def code(value: str, meaning: str = "meaning") -> list[Element]:
    """A code item."""
    return [("CodeValue", "SH", value), ("CodingSchemeDesignator", "SH", "DCM"),
            ("CodeMeaning", "LO", meaning)]


def ref(uid: str, sop_class: str = CT, *more: Element) -> list[Element]:
    """An item that refers to an object."""
    return [("ReferencedSOPClassUID", "UI", sop_class), ("ReferencedSOPInstanceUID", "UI", uid),
            *more]


def common(sop_class: str, modality: str, charset: str = "default") -> list[Element]:
    """What all objects have, private blocks with references included."""
    terms, _, name, text = CHARSETS[charset]
    return [
        *([("SpecificCharacterSet", "CS", terms)] if terms else []),
        ("ImageType", "CS", "ORIGINAL\\PRIMARY\\AXIAL"),
        ("InstanceCreationDate", "DA", "20240205"), ("InstanceCreationTime", "TM", "083000.5"),
        ("SOPClassUID", "UI", sop_class), ("SOPInstanceUID", "UI", OBJECT),
        ("StudyDate", "DA", "20240205"), ("SeriesDate", "DA", "20240205"),
        ("StudyTime", "TM", "0830"), ("SeriesTime", "TM", "0831"), ("AccessionNumber", "SH", "A1"),
        ("Modality", "CS", modality), ("Manufacturer", "LO", "VENDOR"),
        ("ReferringPhysicianName", "PN", name), ("StudyDescription", "LO", text),
        ("SeriesDescription", "LO", text), ("PatientName", "PN", name),
        ("ReferencedStudySequence", "SQ", [ref("1.2.3.1", "1.2.840.10008.3.1.2.3.1")]),
        (0x00091110, "LO", "skipped"), (0x00090010, "LO", "BLOCK A"),
        (0x00091001, "OB", bytes(range(40))), (0x00091002, "SQ", [ref("1.2.3.2"), code("1")]),
        (0x00091003, "SQ", []), (0x00091004, "UN", b"unknown "),
        ("PatientID", "LO", "ID-4711"), ("PatientBirthDate", "DA", "19500102"),
        ("PatientSex", "CS", "F"), ("PatientAge", "AS", "074Y"), ("PatientWeight", "DS", "71.5"),
        ("StudyInstanceUID", "UI", STUDY), ("SeriesInstanceUID", "UI", SERIES),
        ("StudyID", "SH", "1"), ("SeriesNumber", "IS", "3"), ("InstanceNumber", "IS", "7"),
        ("FrameOfReferenceUID", "UI", FRAME),
    ]


def ct(charset: str = "default") -> list[Element]:
    """A slice, with pixel data inside an icon and of its own, and elements behind them."""
    icon: list[Element] = [("Rows", "US", 2), ("Columns", "US", 2), ("BitsAllocated", "US", 8),
                           ("PixelData", "OW", b"\7\7\7\7")]
    local: list[Element] = [("SpecificCharacterSet", "CS", "ISO_IR 100"),
                            *ref("1.2.5.2", CT, ("PurposeOfReferenceCodeSequence", "SQ",
                                                 [code("121322", "Quelle")]))]
    return [
        *common(CT, "CT", charset),
        ("SourceImageSequence", "SQ", [ref("1.2.5.1", CT, ("ReferencedFrameNumber", "IS", "1\\2")),
                                       local]),
        ("IconImageSequence", "SQ", [icon]), ("KVP", "DS", "120"),
        ("SliceThickness", "DS", "2.5"), ("PatientPosition", "CS", "HFS"),
        ("AcquisitionNumber", "IS", "1"), ("ImagePositionPatient", "DS", "-100\\-100.5\\42.5"),
        ("ImageOrientationPatient", "DS", "1\\0\\0\\0\\1\\0"), ("SamplesPerPixel", "US", 1),
        ("PhotometricInterpretation", "CS", "MONOCHROME2"), ("Rows", "US", 4),
        ("Columns", "US", 5), ("PixelSpacing", "DS", "1\\0.9765625"), ("BitsAllocated", "US", 16),
        ("BitsStored", "US", 12), ("HighBit", "US", 11), ("PixelRepresentation", "US", 1),
        ("SmallestImagePixelValue", "SS", -1000), ("RescaleIntercept", "DS", "-1024"),
        ("RescaleSlope", "DS", "1"), ("RequestAttributesSequence", "SQ", [[]]),
        ("PixelData", "OW", b"\1" * 40), (0xFFFCFFFC, "OB", b"\0\0"),
    ]


def structure_set(charset: str = "default") -> list[Element]:
    """A structure set whose contours have no, an empty, one and several image items."""
    text = CHARSETS[charset][3]
    images = [ref(f"1.2.5.{n}") for n in range(3)]

    def contour(*of: Element) -> list[Element]:
        return [("ContourGeometricType", "CS", "CLOSED_PLANAR"),
                ("NumberOfContourPoints", "IS", "3"),
                ("ContourData", "DS", "\\".join(["1.5"] * 9)), *of]

    contours = [contour(), contour(("ContourImageSequence", "SQ", [])),
                contour(("ContourImageSequence", "SQ", images[:1])),
                contour(("ContourImageSequence", "SQ", images[1:]))]
    series: list[Element] = [("ContourImageSequence", "SQ", images[:2]),
                             ("SeriesInstanceUID", "UI", "1.2.5.99")]
    study: list[Element] = [*ref(STUDY, "1.2.840.10008.3.1.2.3.1"),
                            ("RTReferencedSeriesSequence", "SQ", [series])]
    return [
        *common(STRUCT, "RTSTRUCT", charset),
        ("StructureSetLabel", "SH", "Pelvis"), ("StructureSetDate", "DA", "20240205"),
        ("StructureSetTime", "TM", "0900"),
        ("ReferencedFrameOfReferenceSequence", "SQ", [[
            ("FrameOfReferenceUID", "UI", FRAME), ("RTReferencedStudySequence", "SQ", [study])]]),
        ("StructureSetROISequence", "SQ", [
            [("ROINumber", "IS", str(n)), ("ReferencedFrameOfReferenceUID", "UI", FRAME),
             ("ROIName", "LO", text), ("ROIGenerationAlgorithm", "CS", "")] for n in range(2)]),
        ("ROIContourSequence", "SQ", [
            [("ROIDisplayColor", "IS", "255\\0\\0"), ("ContourSequence", "SQ", contours),
             ("ReferencedROINumber", "IS", "0")],
            [("ReferencedROINumber", "IS", "1")]]),
        ("RTROIObservationsSequence", "SQ", [
            [("ObservationNumber", "IS", "0"), ("ReferencedROINumber", "IS", "0"),
             ("RTROIInterpretedType", "CS", "PTV")]]),
        ("ApprovalStatus", "CS", "UNAPPROVED"),
    ]


def plan(charset: str = "default") -> list[Element]:
    """A plan with control points."""
    points: list[list[Element]] = [
        [("ControlPointIndex", "IS", str(n)), ("GantryAngle", "DS", "180"),
         ("BeamLimitingDevicePositionSequence", "SQ", [
             [("RTBeamLimitingDeviceType", "CS", "MLCX"),
              ("LeafJawPositions", "DS", "-10\\10")]])] for n in range(2)]
    beams: list[list[Element]] = [
        [("BeamNumber", "IS", str(n)), ("BeamName", "LO", CHARSETS[charset][3]),
         ("TreatmentDeliveryType", "CS", kind), ("ControlPointSequence", "SQ", points),
         ("ReferencedReferenceImageSequence", "SQ", [ref(f"1.2.6.{n}")])]
        for n, kind in enumerate(("TREATMENT", "SETUP"))]
    return [
        *common(PLAN, "RTPLAN", charset),
        ("RTPlanLabel", "SH", "Plan"), ("RTPlanDate", "DA", "20240206"),
        ("RTPlanTime", "TM", "1011"), ("RTPlanGeometry", "CS", "PATIENT"),
        ("FractionGroupSequence", "SQ", [
            [("FractionGroupNumber", "IS", "1"), ("NumberOfFractionsPlanned", "IS", "30"),
             ("NumberOfBeams", "IS", "2")]]),
        ("BeamSequence", "SQ", beams),
        ("ReferencedStructureSetSequence", "SQ", [ref("1.2.7.1", STRUCT)]),
        ("ReferencedRTPlanSequence", "SQ", [
            ref("1.2.7.2", PLAN, ("RTPlanRelationship", "CS", "PRIOR"))]),
        ("DoseReferenceSequence", "SQ", [[("DoseReferenceNumber", "IS", "1"),
                                          ("TargetPrescriptionDose", "DS", "60")]]),
        ("ApprovalStatus", "CS", "APPROVED"),
    ]


def registration(charset: str = "default") -> list[Element]:
    """A registration of two frames."""
    matrix: list[Element] = [
        ("FrameOfReferenceTransformationMatrixType", "CS", "RIGID"),
        ("FrameOfReferenceTransformationMatrix", "DS", "\\".join(map(str, range(16))))]
    return [
        *common(REG, "REG", charset),
        ("ContentLabel", "CS", "REG"), ("ContentDate", "DA", "20240205"),
        ("RegistrationSequence", "SQ", [
            [("FrameOfReferenceUID", "UI", f"1.2.8.{n}"),
             ("ReferencedImageSequence", "SQ", [ref(f"1.2.8.{n}.{k}") for k in range(3)]),
             ("MatrixRegistrationSequence", "SQ", [[("MatrixSequence", "SQ", [matrix])]])]
            for n in range(2)]),
        ("ReferencedSeriesSequence", "SQ", [
            [("SeriesInstanceUID", "UI", "1.2.8.5"),
             ("ReferencedInstanceSequence", "SQ", [ref("1.2.8.0.0")])]]),
    ]


def report(charset: str = "default", depth: int = 4) -> list[Element]:
    """A structured report whose content is a tree of that depth."""
    text = CHARSETS[charset][3]

    def content(level: int) -> list[Element]:
        of: list[Element] = [
            ("RelationshipType", "CS", "CONTAINS"), ("ValueType", "CS", "IMAGE"),
            ("ConceptNameCodeSequence", "SQ", [code("121191", text)]),
            ("ReferencedSOPSequence", "SQ", [ref(f"1.2.9.{level}")])]
        if level:
            of.append(("ContentSequence", "SQ", [content(level - 1), [
                ("ValueType", "CS", "UIDREF"), ("UID", "UI", f"1.2.9.9.{level}"),
                ("ConceptNameCodeSequence", "SQ", [code("112227")])]]))
        return of

    return [
        *common(SR, "SR", charset), ("ValueType", "CS", "CONTAINER"),
        ("ContentDate", "DA", "20240205"), ("ContentTime", "TM", "0900"),
        ("ConceptNameCodeSequence", "SQ", [code("126000", text)]),
        ("CurrentRequestedProcedureEvidenceSequence", "SQ", [
            [("StudyInstanceUID", "UI", STUDY), ("ReferencedSeriesSequence", "SQ", [
                [("SeriesInstanceUID", "UI", "1.2.9.5"),
                 ("ReferencedSOPSequence", "SQ", [ref("1.2.9.1")])]])]]),
        ("ContentSequence", "SQ", [content(depth)]),
    ]


OBJECTS = {"CT": ct, "RTSTRUCT": structure_set, "RTPLAN": plan, "REG": registration, "SR": report}
SYNTAXES = {"explicit": EXPLICIT, "implicit": IMPLICIT, "deflated": DEFLATED, "big endian": BIG}


@cache
def corpus() -> dict[str, bytes]:
    """Every object in every transfer syntax, kind of lengths and character set."""
    return {
        f"{kind}, {syntax}, {'undefined' if lengths else 'defined'}, {charset}":
            file(make(charset), uid, open=lengths, charset=CHARSETS[charset][1])
        for kind, make in OBJECTS.items() for syntax, uid in SYNTAXES.items()
        for lengths in (False, True) for charset in CHARSETS}


def clean() -> dict[str, bytes]:
    """The little endian files of the corpus: nothing in them is odd."""
    return {name: raw for name, raw in corpus().items() if "big endian" not in name}


def replaced(elements: list[Element], name: str | int, vr: str, value: Any) -> list[Element]:
    """The elements with another one in the place of that name."""
    return [*(e for e in elements if tag_of(e[0]) != tag_of(name)), (name, vr, value)]


def nested(depth: int, form: Form = Form()) -> bytes:
    """ContentSequence within ContentSequence, made without recursion."""
    raw = b""
    for _ in range(depth):
        length = UNDEFINED if form.open else len(raw)
        ends = delimiter(0xFFFEE00D) if form.open else b""
        raw = delimiter(0xFFFEE000, form, length) + raw + ends
        length = UNDEFINED if form.open else len(raw)
        head = element("ContentSequence", "SQ", b"", form)[:-4]
        raw = head + struct.pack("<I", length) + raw + (
            delimiter(0xFFFEE0DD) if form.open else b"")
    return raw


@cache
def special() -> dict[str, tuple[bytes, str]]:
    """Files that are odd in one way each, and why the quick scan leaves them; "" if it does not."""
    plain, open_ = ct(), Form(open=True)
    body, implicit = encode(plain), encode(plain, Form(implicit=True))
    pre, head = preamble(), preamble() + meta()
    before = encode([e for e in plain if tag_of(e[0]) < 0x0020000D])
    behind = encode([e for e in plain if tag_of(e[0]) >= 0x0020000D])
    public = ("ReferencedInstanceSequence", "RequestAttributesSequence", "SourceImageSequence")
    without = [e for e in plain if e[0] not in public]
    command = element(0x00000000, "UL", 10, Form(implicit=True)) + element(
        0x00000100, "US", 1, Form(implicit=True))
    private = [(0x00110010, "LO", "BLOCK B"), (0x00111001, "SQ", [ref("1.2.3.3")]),
               (0x00111002, "UN", b"12"), (0x00111003, "LT", b"no item ")]
    meta_implicit = encode([(0x00020002, "UI", CT), (0x00020003, "UI", OBJECT),
                            (0x00020010, "UI", IMPLICIT)], Form(implicit=True))
    refers = [ref("1.2.4.1"), ref("1.2.4.2")]
    in_explicit = b"".join(item(i) for i in refers)
    found: dict[str, tuple[bytes, str]] = {
        "no preamble": (meta() + body, ""),
        "no meta, explicit": (body, ""),
        "no meta, implicit": (implicit, ""),
        "mark, no meta": (pre + body, ""),
        "wrong group length, short": (pre + meta(wrong=-40) + body, ""),
        "wrong group length, long": (pre + meta(wrong=4000) + body, ""),
        "meta in implicit VR": (pre + meta_implicit + implicit, ""),
        "private transfer syntax": (pre + meta(PRIVATE_SYNTAX) + body, ""),
        "compressed": (pre + meta(JPEG) + encode([e for e in plain if tag_of(e[0]) < 0x7FE00010])
                       + element("PixelData", "OB", b"")[:-4] + b"\xff" * 4
                       + delimiter(0xFFFEE000) + delimiter(0xFFFEE000, length=4) + b"\1\2\3\4"
                       + delimiter(0xFFFEE0DD), ""),
        "float pixels": (file(replaced(plain[:-2], 0x7FE00008, "OF", b"\0" * 80)), ""),
        "double pixels": (file(replaced(plain[:-2], 0x7FE00009, "OD", b"\0" * 160)), ""),
        "no pixels": (file(plain[:-2]), ""),
        "zeros at the end": (file(plain[:-2]) + b"\0" * 300, ""),
        "few zeros at the end": (file(plain[:-2]) + b"\0" * 5, ""),
        "private sequence, implicit": (file([*plain, *private], IMPLICIT), ""),
        "private sequence, implicit, open": (file([*plain, *private], IMPLICIT, open=True), ""),
        "UN, defined": (head + encode([*without, ("SourceImageSequence", "UN", refers)]), ""),
        "UN, undefined": (head + encode([*without, ("SourceImageSequence", "UN", refers)], open_),
                          ""),
        "private UN, defined": (head + encode([*plain, (0x00111001, "UN", refers)]), ""),
        "private UN, undefined": (head + encode([*plain, (0x00111001, "UN", refers)], open_), ""),
        "UN in an item": (head + encode([*plain, (0x00111001, "SQ", [
            [("ReferencedImageSequence", "UN", refers)]])]), ""),
        "UN with items in explicit VR": (
            head + encode([*without, ("SourceImageSequence", "UN", in_explicit)]),
            "OTHER_ENCODING"),
        "private UN with items in explicit VR": (
            head + before + element(0x00111001, "UN", b"")[:-4] + b"\xff" * 4 + in_explicit
            + delimiter(0xFFFEE0DD) + behind, "OTHER_ENCODING"),
        "number that is a sequence, implicit": (
            pre + meta(IMPLICIT) + encode([*plain, ("FailureReason", "SQ", refers)],
                                          Form(implicit=True, open=True)), "UNDEFINED_LENGTH"),
        "UN of known tags": (head + encode(replaced(replaced(plain, "Rows", "UN", b"\4\0"),
                                                    "PatientID", "UN", b"ID-4711 ")), ""),
        "empty sequences": (head + encode(replaced(plain, "SourceImageSequence", "SQ", [])), ""),
        "a tag twice": (head + before + before + behind, ""),
        "nested a little": (file(report(depth=25)), ""),
        "big endian": (file(plain, BIG), "BIG_ENDIAN"),
        "no meta, big endian": (encode(plain, Form(big=True)), "BIG_ENDIAN"),
        "command set": (head + command + body, "COMMAND_SET"),
        "says implicit, is explicit": (pre + meta(IMPLICIT) + body, "OTHER_ENCODING"),
        "says explicit, is implicit": (pre + meta(EXPLICIT) + implicit, "OTHER_ENCODING"),
        "odd and a bad PixelRepresentation": (
            head + encode(replaced(replaced(plain, "PixelRepresentation", "US", b"\1\0\0"),
                                   "StudyID", "ZZ", b"1 ")), "UNKNOWN_VR"),
        "unknown VR": (head + encode(replaced(plain, "StudyID", "ZZ", b"1 ")), "UNKNOWN_VR"),
        "implicit inside explicit": (
            head + before + element("StudyID", "SH", "1", Form(implicit=True)) + behind,
            "UNKNOWN_VR"),
        "value of undefined length": (
            head + before + element(0x00111001, "OB", b"")[:-4] + b"\xff" * 4 + b"abcd"
            + delimiter(0xFFFEE0DD) + behind, "UNDEFINED_LENGTH"),
        "a sequence that is a text": (
            file(replaced(plain, "SourceImageSequence", "LO", "text")), "SEQUENCE_AS_VALUE"),
        "a text that is a sequence": (
            file(replaced(plain, "StudyDescription", "SQ", refers)), "SEQUENCE_AS_VALUE"),
        "no item in a sequence": (
            file(replaced(plain, "SourceImageSequence", "SQ", body[:40])), "NO_ITEM"),
        "item longer than its sequence": (
            file(replaced(plain, "SourceImageSequence", "SQ",
                          delimiter(0xFFFEE000, length=900) + encode(ref("1.2.4.1")))),
            "LENGTHS_DISAGREE"),
        "item shorter than its elements": (
            file(replaced(plain, "SourceImageSequence", "SQ",
                          delimiter(0xFFFEE000, length=12) + encode(ref("1.2.4.1")))),
            "LENGTHS_DISAGREE"),
        "deeply nested": (file(replaced(report(), "ContentSequence", "SQ", [])).replace(
            element("ContentSequence", "SQ", []), nested(80)), "TOO_DEEP"),
    }
    return found


# --- damage --------------------------------------------------------------------------------------

def mutations(raw: bytes, start: int, n: int, seed: int) -> Iterator[bytes]:
    """The file damaged in `n` ways behind `start`; equal seeds are equal damage."""
    dice = random.Random(seed)
    for _ in range(n):
        damaged = bytearray(raw)
        for _ in range(dice.choice((1, 1, 1, 2, 3))):
            _damage(damaged, min(start, len(damaged) - 1), dice)
        yield bytes(damaged)


def _damage(raw: bytearray, start: int, dice: random.Random) -> None:
    at = dice.randrange(start, max(len(raw), start + 1))
    match dice.randrange(6):
        case 0:
            raw[at : at + 1] = dice.randbytes(1)
        case 1:
            raw[at:at] = dice.randbytes(dice.randrange(1, 9))
        case 2:
            del raw[at : at + dice.randrange(1, 9)]
        case 3:
            del raw[at:]
        case 4:  # a length of two bytes, behind a VR where there is one
            found = next((i for i in range(at, min(at + 60, len(raw) - 4))
                          if raw[i : i + 2].isalpha() and raw[i : i + 2].isupper()), at) + 2
            length = int.from_bytes(raw[found : found + 2], "little")
            more = dice.choice((1, 2, -1, -2, 100, 65000))
            raw[found : found + 2] = ((length + more) % 65536).to_bytes(2, "little")
        case _:  # a length of four bytes, behind the tag of an item or a sequence
            marks = [m for m in (b"SQ\0\0", b"UN\0\0", b"\xfe\xff\x00\xe0")
                     if raw.find(m, at) >= 0]
            found = raw.find(dice.choice(marks), at) + 4 if marks else at
            length = int.from_bytes(raw[found : found + 4], "little")
            more = dice.choice((1, 2, -1, -2, 100, 65000, 0))
            value = (length + more) % 2**32 if more else UNDEFINED
            raw[found : found + 4] = value.to_bytes(4, "little")

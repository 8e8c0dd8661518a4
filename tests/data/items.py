"""Data sets for tests that state any element, with whatever value, right or wrong."""

from pydicom import DataElement, Dataset, config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.sequence import Sequence as Items
from pydicom.tag import Tag
from pydicom.uid import CTImageStorage


def put(ds: Dataset, **elements: object) -> Dataset:
    """Set elements by keyword, whatever their values are, and return the data set.

    None is left out; bytes of a text are what a file holds, right or wrong.
    """
    for keyword, value in elements.items():
        number = tag_for_keyword(keyword)
        assert number is not None, keyword
        tag, vr = Tag(number), dictionary_VR(number)
        if isinstance(value, bytes) and not vr.startswith("O"):
            raw = value + b" " * (len(value) % 2)
            ds[tag] = RawDataElement(tag, vr, len(raw), raw, 0, False, True)
        elif value is not None:
            ds.add(DataElement(tag, vr, value, validation_mode=config.IGNORE))
    return ds


def item(**elements: object) -> Dataset:
    """Return a data set with these elements."""
    return put(Dataset(), **elements)


def code(value: str, scheme: str = "DCM", meaning: str = "meaning") -> Dataset:
    """Return an item of a code sequence."""
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def ref(uid: str, sop_class: str = CTImageStorage, **more: object) -> Dataset:
    """Return an item that refers to an object."""
    return item(ReferencedSOPClassUID=sop_class, ReferencedSOPInstanceUID=uid, **more)


def private_sequence(items: list[Dataset]) -> Dataset:
    """Return a data set with a private sequence, (3287,1002)."""
    ds = Dataset()
    ds.private_block(0x3287, "VENDOR", create=True).add_new(0x02, "SQ", Items(items))
    return ds

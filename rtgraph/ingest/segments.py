"""Where a ROI or a segment was made from: parts of other objects, by their keys."""

from rtgraph.graphmodel.parts import ROI, SEGMENT
from rtgraph.ingest.items import Item, first_text, items, numbers
from rtgraph.ingest.normalise import LONGEST_UID

_NUMBERS = (("ReferencedSegmentNumber", SEGMENT.letter), ("ReferencedROINumber", ROI.letter))
SOURCES = ("ReferencedSegmentNumber", "ReferencedROINumber", "ReferencedFiducialUID")


def sources(item: Item) -> list[str]:
    """Return the keys of parts, and UIDs of fiducials, in DefinitionSourceSequence of an item."""
    found: set[str] = set()
    for source in items(item, "DefinitionSourceSequence"):
        uid = first_text(source, "ReferencedSOPInstanceUID")
        for keyword, letter in _NUMBERS:
            found.update(f"{uid}#{letter}{n}" for n in numbers(source, keyword) if uid)
        if fiducial := first_text(source, "ReferencedFiducialUID"):
            found.add(fiducial)
    return sorted(k for k in found if len(k) <= LONGEST_UID)

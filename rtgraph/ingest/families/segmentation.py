"""Segmentations, surfaces and label maps: their segments (PS3.3 C.8.20.2, C.8.23.1)."""

from rtgraph.graphmodel.parts import SEGMENT
from rtgraph.ingest.draft import Draft
from rtgraph.ingest.items import CODE, items
from rtgraph.ingest.segments import SOURCES, sources

_SEGMENTS = "SegmentSequence"
_CODES = ("SegmentedPropertyCategoryCodeSequence", "SegmentedPropertyTypeCodeSequence",
          "AnatomicRegionSequence", "PrimaryAnatomicStructureSequence")
NEEDED: tuple[tuple[str, ...], ...] = (
    *((_SEGMENTS, "DefinitionSourceSequence", name) for name in SOURCES),
    *((_SEGMENTS, sequence, leaf) for sequence in _CODES for leaf in CODE),
)


def segmentation(draft: Draft) -> None:
    """Add the segments."""
    for index, item in enumerate(items(draft.item, _SEGMENTS), 1):
        codes = draft.codes([item], *_CODES)
        suffix = draft.part(SEGMENT, item, index, (_SEGMENTS,),
                            codes=sorted({key for _, key in codes}),
                            derived_from=sources(item) or None)
        draft.link_codes(("Segment", suffix), codes)

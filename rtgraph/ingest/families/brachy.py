"""Brachytherapy in RT Plan: application setups and their sources (PS3.3 C.8.8.15)."""

from rtgraph.graphmodel.parts import APPLICATION_SETUP
from rtgraph.ingest.draft import Draft
from rtgraph.ingest.items import Item, first_text, items, number

_SETUPS, _SOURCES, _CHANNELS = "ApplicationSetupSequence", "SourceSequence", "ChannelSequence"
# Where a setup names ROIs, and as what.
_USES = (("CHANNEL", (_CHANNELS,)), ("SHIELD", (_CHANNELS, "ChannelShieldSequence")),
         ("ACCESSORY", ("BrachyAccessoryDeviceSequence",)))
NEEDED: tuple[tuple[str, ...], ...] = (
    (_SOURCES, "SourceNumber"), (_SOURCES, "SourceIsotopeName"),
    (_SETUPS, _CHANNELS, "ReferencedSourceNumber"),
    *((_SETUPS, *path, "ReferencedROINumber") for _, path in _USES),
)


def application_setups(draft: Draft) -> dict[int, str]:
    """Add the application setups; return the suffixes of their keys by number."""
    isotopes = {number(s, "SourceNumber"): draft.text(s, "SourceIsotopeName")
                for s in items(draft.item, _SOURCES)}
    found: dict[int, str] = {}
    of_plan = draft.stated(APPLICATION_SETUP, draft.item)
    for index, item in enumerate(items(draft.item, _SETUPS), 1):
        channels = items(item, _CHANNELS)
        used = {number(c, "ReferencedSourceNumber") for c in channels}
        suffix = draft.part(
            APPLICATION_SETUP, item, index, (_SETUPS,), **of_plan, n_channels=len(channels),
            source_isotopes=sorted({n for s, n in isotopes.items() if s in used and n}),
            roi_refs=sorted({f"{use}:{n}" for use, path in _USES for n in _rois(item, path)}))
        if (named := number(item, "ApplicationSetupNumber")) is not None:
            found.setdefault(named, suffix)
    return found


def _rois(item: Item, path: tuple[str, ...]) -> set[int]:
    if path:
        return {n for below in items(item, path[0]) for n in _rois(below, path[1:])}
    named = number(item, "ReferencedROINumber")
    return set() if named is None else {named}


def technique(plan: Item) -> str:
    """Name the technique of a plan with application setups, by BrachyTreatmentType."""
    kind = first_text(plan, "BrachyTreatmentType").upper()
    return f"BRACHY_{kind}" if kind else "BRACHY"

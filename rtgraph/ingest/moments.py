"""Dates with times: when something took place, as wall clock."""

from collections.abc import Iterable
from datetime import date, datetime, time
from functools import lru_cache

from rtgraph.graphmodel.properties import stated
from rtgraph.ingest.items import Item, Leaf, reading

_CLOCKS = {p.name: p for p in stated(" ".join(
    f"{event}{part}" for event in ("Series", "Acquisition", "Content", "InstanceCreation")
    for part in ("Date", "Time")))}
NEEDED = tuple((name,) for name in _CLOCKS)


def combined(day: object, clock: object) -> datetime | None:
    """Return date and time of one event as wall clock; a missing time is midnight."""
    if not isinstance(day, date):
        return None
    return datetime.combine(day, clock if isinstance(clock, time) else time())


def first_datetime(item: Item, events: Iterable[str]) -> datetime | None:
    """Return when the first of the events that has a date took place, for example Content."""
    for event in events:
        day = item.get(f"{event}Date")
        if isinstance(day, tuple) and day[1]:
            clock = item.get(f"{event}Time")
            found = _moment(event, day, clock if isinstance(clock, tuple) else None)
            if found is not None:
                return found
    return None


@lru_cache(4096)
def _moment(event: str, day: Leaf, clock: Leaf | None) -> datetime | None:
    names = (f"{event}Date", f"{event}Time")
    leaves: Item = {name: leaf for name, leaf in zip(names, (day, clock), strict=True) if leaf}
    return combined(*(reading(leaves, _CLOCKS[name], ()).value for name in names))

"""The words of the figure: what stands in a box, and values as text that is safe to show."""

from datetime import datetime

from rtgraph.graphmodel.tables import Row
from rtgraph.text import one_line, plain

# Their titles are labels that people typed; of other objects the description says more.
LABELLED = frozenset({"RTPLAN", "RTSTRUCT", "RTIMAGE"})


def caption(modality: str, instance: Row, description: str, *, alone: bool) -> str:
    """Tell an object from others of its modality: by label, description, or number and day.

    `alone` means that its series, which has the description, holds no other object.
    """
    own = one_line(instance.get("title"))
    if modality in LABELLED and own:
        return own
    number, when = one_line(instance.get("InstanceNumber")), instance.get("datetime")
    numbered = f"no. {number}" if number else ""
    if modality == "RTDOSE":
        words = [own, description if alone else numbered]
    elif alone:
        words = [description or own]
    else:
        words = [numbered or own, f"{when:%Y-%m-%d}" if when else ""]
    return " · ".join(filter(None, words)) or description


def title(modality: str, instance: Row, caption: str, description: str) -> str:
    """Name an object in words, outside its box."""
    labelled = modality in LABELLED and caption == one_line(instance.get("title"))
    if caption and (labelled or not description or description in caption):
        return caption
    return f"{description}, {caption}" if caption else description


def tally(n: int, n_missing: int, word: str) -> str:
    """Say how much a box stands for: images, or objects when it is a series of those."""
    if n == 0:
        return "missing"
    words = word if n == 1 else f"{word}s"
    if n_missing == n:
        return f"{n} {words} missing"
    return f"{n - n_missing} of {n} {words}" if n_missing else f"{n} {words}"


def shown(value: object) -> str:
    """Return a value for the panel; lists on one line, times without a zone."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return plain(value) if isinstance(value, str) else one_line(value)

"""Conditions on what the graph does not hold: values inside sequences, private elements.

A condition names a path, then what the value must be, as in `graphmodel.conditions`:

    BeamSequence[*].ControlPointSequence[0].NominalBeamEnergy>=10
    StructureSetROISequence[all].ROIName~/^[A-Z]/
    (0029,xx10 "CREATOR")=5

`[*]`, also without brackets, means some item, `[all]` every item (and that there are items), `[2]`
the third one. Only the files of objects that the graph has narrowed down are opened.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from io import BytesIO
from typing import TYPE_CHECKING, Any

from pydicom import dcmread
from pydicom.datadict import dictionary_VR, keyword_dict, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue

from rtgraph.errors import UnknownName, UsageError
from rtgraph.graphmodel.conditions import Condition, Test, holds, parse, typed
from rtgraph.graphmodel.properties import kind_of
from rtgraph.graphmodel.questions import ROOTS
from rtgraph.ingest.discover import Roots, actual
from rtgraph.ingest.opening import read
from rtgraph.ingest.pool import processes

if TYPE_CHECKING:
    from rtgraph.store.bolt import Store

# Files that a worker gets at once.
CHUNK = 32
_ELEMENT = (r'(?:[A-Za-z]\w*|\([0-9A-Fa-f]{4},[0-9A-Fa-f]{4}\)'
            r'|\([0-9A-Fa-f]{4},[xX]{2}[0-9A-Fa-f]{2} ?"[^"\\]{1,64}"\))')
_STEP = re.compile(rf"({_ELEMENT})(?:\[(\*|all|\d{{1,6}})\])?", re.ASCII)
_PATH = re.compile(rf"!?{_STEP.pattern}(?:\.{_STEP.pattern})*", re.ASCII)
_PRIVATE = re.compile(r'\(([0-9A-Fa-f]{4}),[xX]{2}([0-9A-Fa-f]{2}) ?"([^"]+)"\)')
_TAG = re.compile(r"\(([0-9A-Fa-f]{4}),([0-9A-Fa-f]{4})\)")
FORM = "Example: --where-file 'BeamSequence[*].ControlPointSequence[0].NominalBeamEnergy>=10'"


@dataclass(frozen=True, slots=True)
class Step:
    """One element of a path: a tag, or the group, offset and creator of a private element."""

    tag: int
    creator: str = ""
    items: str = "*"  # some item, `all`, or a number

    @property
    def is_private(self) -> bool:
        """Tell whether the element is found through its creator."""
        return bool(self.creator)


@dataclass(frozen=True, slots=True)
class FileCondition:
    """A path and the condition on its value; `kind` is empty when only the file can tell it."""

    steps: tuple[Step, ...]
    condition: Condition
    kind: str


def parse_condition(text: str) -> FileCondition:
    """Read a condition on a file.

    Raises
    ------
    UsageError
        It has no such form, or its value does not fit the attribute.
    UnknownName
        A keyword is not in the data dictionary.
    """
    bare = text.strip()
    found = _PATH.match(bare)
    if found is None:
        raise UsageError("A condition on files begins with the path of an attribute.", FORM)
    path = found[0]
    negation = path.startswith("!")
    steps = tuple(_step(m[1], m[2] or "*") for m in _STEP.finditer(path))
    rest = bare[len(path):]
    if rest and negation:
        raise UsageError("A ! stands before an operator, or before a path without one.", FORM)
    condition = parse(("!" if negation else "") + "Value" + rest)
    last = steps[-1]
    kind = "" if last.is_private else kind_of(dictionary_VR(last.tag), False)
    if condition.operator != "exists":
        if kind and dictionary_VR(last.tag) == "SQ":
            raise UsageError("The last element of the path is a sequence.",
                             "Name an attribute in its items, or ask whether it is there.")
        if kind:
            typed(condition, kind)
    return FileCondition(steps, replace(condition, attribute=path.lstrip("!")), kind)


def _step(element: str, items: str) -> Step:
    if found := _PRIVATE.fullmatch(element):
        return Step(int(found[1] + "00" + found[2], 16), found[3].strip(), items)
    if found := _TAG.fullmatch(element):
        tag = int(found[1] + found[2], 16)
        if (tag >> 16) % 2:
            raise UsageError("A private element needs its creator.",
                             'It is written as (gggg,xxee "CREATOR").')
        try:
            dictionary_VR(tag)
        except KeyError:
            raise UsageError("The data dictionary has no such tag.", FORM) from None
        return Step(tag, items=items)
    known = tag_for_keyword(element)
    if known is None:
        raise UnknownName("attribute in the data dictionary", element,
                          get_close_matches(element, keyword_dict, n=1, cutoff=0.6))
    return Step(known, items=items)


def fits(ds: Dataset, condition: FileCondition, today: date | None = None) -> bool:
    """Tell whether a data set is as wanted."""
    return _fits(ds, condition.steps, condition, today)


def _fits(ds: Dataset, steps: Sequence[Step], wanted: FileCondition, today: date | None) -> bool:
    step, *rest = steps
    element = _element(ds, step)
    if not rest:
        return _value_fits(element, wanted, today)
    items = list(element.value) if element is not None and element.VR == "SQ" else []
    found = (_fits(item, rest, wanted, today) for item in items)
    if step.items == "*":
        # of something that is not there, only its absence is true
        return any(found) or (not items and _is_absence(wanted))
    if step.items == "all":
        return bool(items) and all(found)
    at = int(step.items)
    return _fits(items[at], rest, wanted, today) if at < len(items) else _is_absence(wanted)


def _is_absence(wanted: FileCondition) -> bool:
    return wanted.condition.operator == "exists" and wanted.condition.negated


def _element(ds: Dataset, step: Step) -> Any:
    tag = step.tag
    if step.is_private:
        try:
            tag = ds.private_block(tag >> 16, step.creator).get_tag(tag & 0xFF)
        except KeyError:
            return None
    try:
        return ds.get(tag)
    except (ValueError, TypeError, NotImplementedError):  # a value that pydicom cannot convert
        return None


def _value_fits(element: Any, wanted: FileCondition, today: date | None) -> bool:
    condition = wanted.condition
    if element is None or element.VR == "SQ":
        present = element is not None and len(element.value) > 0
        return (condition.operator == "exists") and present is not condition.negated
    kind = wanted.kind or kind_of(element.VR, False)
    try:
        test: Test = typed(condition, kind, today)
    except UsageError:  # a private element of another type than the value
        return False
    raw = element.value
    parts = list(raw) if isinstance(raw, MultiValue | list | tuple) else [raw]
    values = [v for part in parts if (v := _plain(part, kind)) is not None]
    return holds(test, condition.negated, values)


def _plain(value: Any, kind: str) -> Any:
    """Return a value as the graph would hold it, None when it is empty or not usable."""
    if value is None or value == "":
        return None
    try:
        if kind == "FLOAT":
            return float(value)
        if kind == "INTEGER":
            return int(value)
        if kind in ("DATE", "LOCAL TIME", "LOCAL DATETIME"):
            spans = typed(parse(f"Value={_iso(str(value), kind)}"), kind)
            return spans.values[0] if spans.values else spans.spans[0][0]
        return str(value).strip(" \0")
    except (ValueError, TypeError, UsageError):
        return None


def _iso(text: str, kind: str) -> str:
    """Return a DICOM date and time in the form that conditions are written in."""
    if kind != "LOCAL DATETIME":
        return text.strip()
    stated = re.sub(r"[+-]\d{4}$", "", text.strip())
    return stated[:8] + (f"T{stated[8:].ljust(4, '0')}" if len(stated) > 8 else "")


def check_files(locations: Sequence[str], conditions: Sequence[FileCondition]
                ) -> list[bool | None]:
    """Tell for each file whether it is as wanted; None when it cannot be read."""
    tags = sorted({c.steps[0].tag for c in conditions if not c.steps[0].is_private})
    only = tags if all(not c.steps[0].is_private for c in conditions) else None
    return [_check(location, conditions, only) for location in locations]


def _check(
    location: str, conditions: Sequence[FileCondition], tags: list[int] | None
) -> bool | None:
    try:
        ds = dcmread(BytesIO(read(location)), stop_before_pixels=True, force=True,
                     specific_tags=tags)
        return all(fits(ds, c) for c in conditions)
    except (OSError, InvalidDicomError, ValueError, EOFError, KeyError, TypeError,
            AttributeError, NotImplementedError):
        return None


async def roots_of(store: "Store", named: dict[str, str]) -> Roots:
    """Return the roots of the graph; those of the settings win."""
    rows = await store.read(ROOTS)
    return Roots({r["name"]: actual(r["path"]) for r in rows} | named)


@dataclass(frozen=True, slots=True)
class Filtered:
    """What became of a shortlist: paths that are as wanted, and how many could not be read."""

    fitting: frozenset[str]
    opened: int
    unreadable: int


def filter_files(
    paths: Sequence[str], roots: Roots, conditions: Sequence[FileCondition], *, jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Filtered:
    """Open the files of a shortlist and keep those that are as wanted.

    Parameters
    ----------
    paths : sequence of str
        As the graph has them: `root-name:relative/path`.
    jobs : int
        Worker processes; 1 reads in this one.
    progress : callable, optional
        Gets files done and files in all.
    """
    places = [(path, roots.location(path)) for path in dict.fromkeys(paths)]
    here = [(path, location) for path, location in places if location]
    fitting: set[str] = set()
    opened = unreadable = 0
    for part, answers in _answers(here, conditions, jobs):
        opened += len(part)
        unreadable += sum(a is None for a in answers)
        fitting |= {path for path, answer in zip(part, answers, strict=True) if answer}
        if progress:
            progress(opened, len(here))
    return Filtered(frozenset(fitting), opened, unreadable + len(places) - len(here))


def _answers(
    files: Sequence[tuple[str, str]], conditions: Sequence[FileCondition], jobs: int
) -> Iterator[tuple[list[str], list[bool | None]]]:
    chunks = [files[at:at + CHUNK] for at in range(0, len(files), CHUNK)]
    if jobs == 1 or len(chunks) < 2:
        for chunk in chunks:
            yield [p for p, _ in chunk], check_files([x for _, x in chunk], conditions)
        return
    with ExitStack() as stack:
        executor: Executor = stack.enter_context(processes(min(jobs, len(chunks))))
        waiting = {executor.submit(check_files, [x for _, x in chunk], conditions):
                   [p for p, _ in chunk] for chunk in chunks}
        for done in as_completed(waiting):
            yield waiting[done], done.result()

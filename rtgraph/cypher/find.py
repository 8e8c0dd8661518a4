"""Conditions of `rtgraph find` as one parameterised Cypher statement; no value is pasted in.

Conditions on studies, series and objects speak about the same study, series and object; those on
one kind of part (ROI, beam, ...) about the same part. A condition on what is above is about the
study or patient of the row; one on what is below asks that there is such a thing. What `without`
lists must not be there, taken together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from rtgraph.errors import UnknownName, UsageError
from rtgraph.graphmodel import parts
from rtgraph.graphmodel.conditions import Condition, Span, Test, parse, typed
from rtgraph.graphmodel.families import FAMILIES
from rtgraph.graphmodel.nodes import NODE_TYPES

LEVELS = ("patient", "study", "series", "instance")
_LABELS = dict(zip(LEVELS, ("Patient", "Study", "Series", "Instance"), strict=True))
_VARIABLES = dict(zip(LEVELS, "ptsi", strict=True))
_EDGES = {"study": "HAS_STUDY", "series": "HAS_SERIES", "instance": "HAS_INSTANCE"}
# Parts of objects, and the relationship from an object to them.
PARTS = {part.label: part.relationship for part in parts.PARTS}
COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    "patient": (("patient_key", "p.patient_key"), ("n_studies", "p.n_studies"),
                ("PatientSex", "p.PatientSex")),
    "study": (("patient_key", "p.patient_key"), ("StudyInstanceUID", "t.StudyInstanceUID"),
              ("StudyDate", "t.StudyDate"), ("StudyDescription", "t.StudyDescription"),
              ("modalities", "t.modalities"), ("n_instances", "t.n_instances")),
    "series": (("patient_key", "p.patient_key"), ("StudyInstanceUID", "t.StudyInstanceUID"),
               ("SeriesInstanceUID", "s.SeriesInstanceUID"), ("Modality", "s.Modality"),
               ("SeriesDescription", "s.SeriesDescription"), ("SeriesDate", "s.SeriesDate"),
               ("n_instances", "s.n_instances")),
    "instance": (("patient_key", "p.patient_key"), ("StudyInstanceUID", "t.StudyInstanceUID"),
                 ("SeriesInstanceUID", "s.SeriesInstanceUID"),
                 ("SOPInstanceUID", "i.SOPInstanceUID"), ("Modality", "i.Modality"),
                 ("label", "coalesce(i.StructureSetLabel, i.RTPlanLabel, i.DoseSummationType, "
                           "i.ContentLabel)"),
                 ("instance_datetime", "i.instance_datetime")),
}
KEYS = {"patient": "patient_key", "study": "StudyInstanceUID", "series": "SeriesInstanceUID",
        "instance": "SOPInstanceUID"}


@dataclass(frozen=True, slots=True)
class Search:
    """A statement with its parameters; `columns` are those of its rows."""

    level: str
    statement: str
    parameters: Mapping[str, object]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A condition with the node it is about: a level, or the label of a part."""

    place: str
    property: str
    is_list: bool
    test: Test
    negated: bool


class _Parameters:
    """Values by the name that the statement gives them."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}

    def add(self, value: object) -> str:
        name = f"c{len(self.values)}"
        self.values[name] = value
        return f"${name}"


@cache
def attributes() -> dict[str, dict[str, str]]:
    """Return the attributes of each level and part that conditions may name, with their types."""
    by_label = {kind.label: {p.name: p.kind for p in kind.properties} for kind in NODE_TYPES}
    found = {level: dict(by_label[label]) for level, label in _LABELS.items()}
    for family in FAMILIES:
        found["instance"] |= {p.name: p.kind for p in family.properties}
    return found | {part: by_label[part] for part in PARTS if part in by_label}


def search(
    level: str, conditions: Sequence[str | Condition] = (), without: Sequence[str | Condition] = (),
    *, columns: Sequence[str] = (), more: Mapping[str, str] | None = None,
    today: date | None = None,
) -> Search:
    """Return the statement that finds patients, studies, series or instances.

    Parameters
    ----------
    level : str
        patient, study, series or instance: what a row is.
    conditions : sequence
        All of them must hold; forms in `graphmodel.conditions`.
    without : sequence
        There must be nothing of which all of them hold.
    columns : sequence of str
        Further attributes of the row, or of what is above it.
    more : mapping, optional
        Attributes of instances that the user has added, with their types.
    today : date, optional
        The day from which `last:30d` counts.

    Raises
    ------
    UnknownName
        A level or an attribute does not exist.
    UsageError
        A condition cannot be read, or does not fit its attribute.
    """
    if level not in LEVELS:
        raise UnknownName("level", level, LEVELS)
    known = {**attributes(), "instance": attributes()["instance"] | dict(more or {})}
    given = _Parameters()

    def place(stated: Iterable[str | Condition]) -> list[_Placed]:
        read = (parse(c) if isinstance(c, str) else c for c in stated)
        return [_place(c, level, known, today) for c in read]

    path = _path(None, level)
    lines = [f"MATCH {path}", "WHERE " + " AND ".join(
        [*(f"NOT {_VARIABLES[at]}:Missing" for at in LEVELS[1:LEVELS.index(level) + 1]),
         *_demands(place(conditions), level, given)] or ["true"])]
    if unwanted := place(without):
        lines.append(f"  AND NOT ({' AND '.join(_demands(unwanted, level, given))})")
    shown = [*COLUMNS[level], *_more_columns(columns, level, known)]
    names = [name for name, _ in shown]
    order = [KEYS[at] for at in LEVELS[:LEVELS.index(level) + 1]]
    lines.append("RETURN DISTINCT " + ", ".join(f"{value} AS {name}" for name, value in shown))
    lines.append("ORDER BY " + ", ".join(order))
    return Search(level, "\n".join(lines), given.values, tuple(names))


def _more_columns(
    columns: Sequence[str], level: str, known: Mapping[str, Mapping[str, str]]
) -> list[tuple[str, str]]:
    above = LEVELS[:LEVELS.index(level) + 1][::-1]
    found = []
    for name in dict.fromkeys(columns):
        at = next((place for place in above if name in known[place]), None)
        if at is None:
            raise UnknownName(f"attribute of a {level} or of what is above it", name,
                              {n for place in above for n in known[place]})
        if name not in dict(COLUMNS[level]):
            found.append((name, f"{_VARIABLES[at]}.{name}"))
    return found


def _place(
    condition: Condition, level: str, known: Mapping[str, Mapping[str, str]], today: date | None
) -> _Placed:
    """Find the node that a condition is about: the level itself, then above, then below."""
    at = LEVELS.index(level)
    order = (*LEVELS[at::-1], *LEVELS[at + 1:], *(part for part in PARTS if part in known))
    label, point, name = condition.attribute.rpartition(".")
    if point:
        order = tuple(place for place in order if _label(place).lower() == label.lower())
        if not order:
            raise UnknownName("kind of node", label, [_label(p) for p in (*LEVELS, *PARTS)])
    for place in order:
        if name in known[place]:
            kind = known[place][name]
            return _Placed(place, name, kind.startswith("LIST"), typed(condition, kind, today),
                           condition.negated)
    raise UnknownName("attribute", name, {n for place in order for n in known[place]})


def _label(place: str) -> str:
    return _LABELS.get(place, place)


def _demands(placed: Sequence[_Placed], level: str, given: _Parameters) -> list[str]:
    """Return the predicates for conditions at, above and below a level."""
    at = LEVELS.index(level)
    here = [c for c in placed if c.place in LEVELS[:at + 1]]
    below = [c for c in placed if c.place in LEVELS[at + 1:]]
    of_parts = [c for c in placed if c.place in PARTS]
    demands = [_predicate(c, _VARIABLES[c.place], given) for c in here]
    if not below:
        return demands + _of_parts(of_parts, level, given)
    deepest = max((c.place for c in below), key=LEVELS.index)
    present = [f"NOT {_VARIABLES[place]}:Missing"
               for place in LEVELS[at + 1:LEVELS.index(deepest) + 1]]
    inside = [*present, *(_predicate(c, _VARIABLES[c.place], given) for c in below),
              *_of_parts(of_parts, deepest, given)]
    return [*demands, f"EXISTS {{ MATCH {_path(level, deepest)} WHERE {' AND '.join(inside)} }}"]


def _of_parts(placed: Sequence[_Placed], level: str, given: _Parameters) -> list[str]:
    """Return a predicate for each kind of part: the object has one of which all is true."""
    demands = []
    for kind in dict.fromkeys(c.place for c in placed):
        variable = f"x{kind.lower()}"
        inside = [_predicate(c, variable, given) for c in placed if c.place == kind]
        path = f"{_path(level, 'instance')}-[:{PARTS[kind]}]->({variable}:{kind})"
        demands.append(f"EXISTS {{ MATCH {path} WHERE NOT i:Missing AND {' AND '.join(inside)} }}")
    return demands


def _path(above: str | None, below: str) -> str:
    """Return the pattern from a level (bound already, or the patient) down to another."""
    start = 0 if above is None else LEVELS.index(above)
    text = "(p:Patient)" if above is None else f"({_VARIABLES[above]})"
    for level in LEVELS[start + 1:LEVELS.index(below) + 1]:
        text += f"-[:{_EDGES[level]}]->({_VARIABLES[level]}:{_LABELS[level]})"
    return text


def _predicate(condition: _Placed, variable: str, given: _Parameters) -> str:
    """Return a predicate that is true or false, never null."""
    value = f"{variable}.{condition.property}"
    if condition.test.how == "exists":
        return f"{value} IS {'' if condition.negated else 'NOT '}NULL"
    inner = _compare(condition.test, "v" if condition.is_list else value, given)
    text = f"any(v IN {value} WHERE {inner})" if condition.is_list else inner
    return f"{'NOT ' if condition.negated else ''}coalesce({text}, false)"


def _compare(test: Test, value: str, given: _Parameters) -> str:
    if test.how == "contains":
        return f"{value} CONTAINS {given.add(test.text)}"
    if test.how == "matches":
        return f"{value} =~ {given.add(test.text)}"
    if test.how == "in":
        parts = [f"{value} IN {given.add(list(test.values))}"] if test.values else []
        if test.patterns:
            parts.append(f"any(w IN {given.add(list(test.patterns))} WHERE {value} =~ w)")
        return _either(parts)
    if test.how == "near":
        middle, tolerance = (given.add(v) for v in test.values)
        return f"abs({value} - {middle}) <= {tolerance}"
    if test.how in _SIGNS:
        return f"{value} {_SIGNS[test.how]} {given.add(test.values[0])}"
    join = " OR " if test.how == "wrapped" else " AND "

    def inside(span: Span) -> str:
        ends = zip((">=", "<="), span, strict=True)
        return join.join(f"{value} {sign} {given.add(end)}" for sign, end in ends
                         if end is not None)

    return _either([f"({inside(span)})" for span in test.spans])


def _either(parts: Sequence[str]) -> str:
    if not parts:
        raise UsageError("A condition has no value.")
    return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"


_SIGNS = {"below": "<", "at_most": "<=", "above": ">", "at_least": ">="}

"""The comment header of a Cypher file, and what it declares: a check or a query.

The title stands in the first line, then these lines follow, all of them and in this order:

- check: id, severity, confidence, level, tier, view, returns, identity, population, identifying,
  fix, source, then why (the rationale), not (known findings that are none) and try (only with a
  parameter) where they apply
- query and table: view, returns, identifying, one `param name: type = default   text` for each
  parameter (two or more spaces before the text), and try when there is a parameter
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from rtgraph.cypher.parameters import Param, parse_param
from rtgraph.errors import UsageError

CHECK_LINES = (
    "id", "severity", "confidence", "level", "tier", "view", "returns", "identity", "population",
    "identifying", "fix", "source",
)
# What a header may hold besides, behind the lines that it must hold.
CHECK_MAY = ("why", "not", "try")
QUERY_LINES = ("view", "returns", "identifying")
QUERY_MAY = ("try",)
FINDING = ("patient_key", "subject", "target", "detail")
Word = TypeVar("Word", bound=StrEnum)


class Severity(StrEnum):
    """How bad a finding is, from the mildest on."""

    info = "info"
    warning = "warning"
    error = "error"

    @property
    def rank(self) -> int:
        """The place on the scale, for comparisons: the values are text and sort by alphabet."""
        return list(Severity).index(self)


class Confidence(StrEnum):
    """`fact` follows from what the files state, `heuristic` rests on a guess or a tolerance."""

    fact = "fact"
    heuristic = "heuristic"


class Level(StrEnum):
    """The pass that fills the facts a check looks at; each one includes those before it."""

    header = "header"
    geometry = "geometry"
    pixel = "pixel"

    @property
    def rank(self) -> int:
        """The place in the order of the passes."""
        return list(Level).index(self)


class View(StrEnum):
    """How Neo4j Browser shows the result best."""

    table = "table"
    graph = "graph"


class BrokenFile(UsageError):
    """A `.cypher` file whose header cannot be read; `name` is the file without its ending."""

    hint = (
        f"Header of a query: the title, then {', '.join(QUERY_LINES)}, "
        "`param name: type = default   text` for each parameter, try."
    )

    def __init__(self, name: str, problem: str) -> None:
        self.name, self.problem = name, problem
        super().__init__(f"{name}.cypher: {problem}.")


@dataclass(frozen=True, slots=True)
class Check:
    """A rule over the graph: a statement that returns what breaks it.

    Attributes
    ----------
    severity : Severity
        Of every finding; where `returns` has a column `severity`, the rows say it and this is
        the highest value they can hold.
    identity : tuple of str
        Columns, or keys of `detail`, that make two findings of two runs the same.
    population : str
        Statement that returns `n`, the number of things that were looked at.
    identifying : tuple of str
        Keys of `detail` that hold values of patients; outputs hide them.
    why, exceptions : str
        The rationale, and what is known to look like a finding and is none; empty when not said.
    text : str
        The whole file.
    """

    id: str
    title: str
    severity: Severity
    confidence: Confidence
    level: Level
    tier: int
    view: View
    returns: tuple[str, ...]
    identity: tuple[str, ...]
    population: str
    identifying: tuple[str, ...]
    fix: str
    source: str
    statement: str
    text: str
    why: str = ""
    exceptions: str = ""

    @property
    def params(self) -> frozenset[str]:
        """Names of the parameters of the statement."""
        return frozenset(re.findall(r"\$([a-z]\w*)", self.statement))

    @property
    def family(self) -> str:
        """The part of the id that stands for the subject, such as REF."""
        return self.id.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Query:
    """A named statement with typed parameters; `identifying` are columns that outputs hide."""

    name: str
    title: str
    view: View
    returns: tuple[str, ...]
    identifying: tuple[str, ...]
    params: tuple[Param, ...]
    statement: str
    text: str


def parse_check(name: str, text: str) -> Check:
    """Read the text of a check; `name` is the file without its ending, and the id.

    Raises
    ------
    BrokenFile
        A header line is missing, unknown, out of order or holds no allowed value.
    """
    title, lines, statement = _split(name, text)
    fields = _fields(name, lines, CHECK_LINES, CHECK_MAY)
    if fields["id"] != name:
        raise BrokenFile(name, f"the id is {fields['id']}, not the name of the file")
    returns = _names(fields["returns"])
    if tuple(c for c in returns if c != "severity") != FINDING:
        raise BrokenFile(name, f"a check returns {', '.join(FINDING)}, severity if it varies")
    if not fields["tier"].isdecimal():
        raise BrokenFile(name, "`tier` is no number")
    return Check(
        id=name,
        title=title,
        severity=_one_of(name, "severity", Severity, fields["severity"]),
        confidence=_one_of(name, "confidence", Confidence, fields["confidence"]),
        level=_one_of(name, "level", Level, fields["level"]),
        tier=int(fields["tier"]),
        view=_one_of(name, "view", View, fields["view"]),
        returns=returns,
        identity=_names(fields["identity"]),
        population=fields["population"],
        identifying=_names(fields["identifying"]),
        fix=fields["fix"],
        source=fields["source"],
        statement=statement,
        text=text,
        why=fields.get("why", ""),
        exceptions=fields.get("not", ""),
    )


def parse_query(name: str, text: str) -> Query:
    """Read the text of a named query or table; `name` is the file without its ending.

    Raises
    ------
    BrokenFile
        A header line is missing, unknown, out of order or holds no allowed value.
    """
    title, lines, statement = _split(name, text)
    stated = [line for line in lines if line.startswith("param ")]
    params = tuple(_param(name, line) for line in stated)
    must = (*QUERY_LINES, *(line.partition(":")[0] for line in stated))
    fields = _fields(name, lines, must, QUERY_MAY)
    names = [p.name for p in params]
    if len(set(names)) < len(names):
        raise BrokenFile(name, "a parameter stands twice in the header")
    return Query(
        name=name,
        title=title,
        view=_one_of(name, "view", View, fields["view"]),
        returns=_names(fields["returns"]),
        identifying=_names(fields["identifying"]),
        params=params,
        statement=statement,
        text=text,
    )


def _split(name: str, text: str) -> tuple[str, list[str], str]:
    """Return title, header lines and the statement without its semicolon."""
    lines = text.strip("\n").split("\n")
    size = next((k for k, line in enumerate(lines) if not line.startswith("//")), len(lines))
    header = [line.removeprefix("//").strip() for line in lines[:size]]
    statement = "\n".join(lines[size:]).strip()
    if not header or not header[0]:
        raise BrokenFile(name, "the first line is no title (`// What the rows are`)")
    if not statement.endswith(";"):
        raise BrokenFile(name, "the statement does not end with a semicolon")
    return header[0], header[1:], statement.removesuffix(";").rstrip()


def _fields(
    name: str, lines: Sequence[str], must: Sequence[str], may: Sequence[str]
) -> dict[str, str]:
    """Return the header lines by their names, after checking that all are there and in order."""
    pairs = [(key.strip(), value.strip()) for key, _, value in (s.partition(":") for s in lines)]
    given = [key for key, _ in pairs]
    order = [*must, *(line for line in may if line in given)]
    for line in order:
        if line not in given:
            raise BrokenFile(name, f"the header line `{line}` is missing")
    for line in given:
        if line not in order:
            raise BrokenFile(name, f"the header line `{line}` is unknown")
    if given != order:
        raise BrokenFile(name, f"the header lines must be in the order {', '.join(order)}")
    for key, value in pairs:
        if not value:
            raise BrokenFile(name, f"the header line `{key}` is empty")
    return dict(pairs)


def _names(text: str) -> tuple[str, ...]:
    """Read a list of names; the word `none` stands for an empty one."""
    return () if text == "none" else tuple(re.split(r"\s*,\s*", text))


def _one_of(name: str, line: str, kind: type[Word], text: str) -> Word:
    try:
        return kind(text)
    except ValueError:
        allowed = ", ".join(kind)
        raise BrokenFile(name, f"`{line}` is {text!r}; allowed: {allowed}") from None


def _param(name: str, line: str) -> Param:
    param = parse_param(line)
    if param is None:
        raise BrokenFile(name, f"`{line}` is not `param name: type = default   text`")
    return param

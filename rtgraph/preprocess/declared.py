"""Steps that a configuration declares: a name, validated parameters, and a record of both."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, ClassVar, TypeVar

from rtgraph.errors import UnknownName, UsageError


@dataclass(frozen=True, slots=True)
class Declared:
    """A step with its parameters; `name` is how configurations call it."""

    name: ClassVar[str] = ""

    def record(self) -> dict[str, Any]:
        """Return name and parameters for a manifest."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {"step": self.name, **{k: list(v) if isinstance(v, tuple) else v
                                      for k, v in values.items()}}

    def require(self, holds: bool, rule: str) -> None:
        """Raise UsageError unless a rule about the parameters holds."""
        if not holds:
            raise UsageError(f"The step {self.name} needs that {rule}.")


S = TypeVar("S", bound=Declared)


def parse(rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, type[S]]) -> tuple[S, ...]:
    """Return the steps of a configuration.

    Parameters
    ----------
    rows : sequence of mapping
        Each with `step` and the parameters of that step.
    kinds : mapping
        The steps that there are, by name.

    Raises
    ------
    UsageError
        A step or parameter does not exist, is missing or has a value that is not allowed.
    """
    steps = []
    for row in rows:
        name = str(row.get("step", ""))
        if name not in kinds:
            raise UnknownName("step", name, kinds)
        known = {f.name: f for f in fields(kinds[name])}
        given = {k: v for k, v in row.items() if k != "step"}
        for key in given:
            if key not in known:
                raise UnknownName(f"parameter of {name}", key, known)
        lacking = [n for n, f in known.items() if f.default is MISSING and n not in given]
        if lacking:
            raise UsageError(f"The step {name} needs {', '.join(lacking)}.")
        steps.append(kinds[name](**{k: _read(name, known[k], v) for k, v in given.items()}))
    return tuple(steps)


def _read(step: str, parameter: "Field[Any]", value: Any) -> Any:
    """Return the value of a parameter; what it may be is the type of the field."""
    if parameter.type is str:
        right, wanted = isinstance(value, str), "text"
    elif parameter.type == tuple[str, ...]:
        right = isinstance(value, list) and all(isinstance(v, str) and v for v in value)
        wanted = "list of texts"
    else:
        right = isinstance(value, int | float) and not isinstance(value, bool)
        wanted = "number"
    if not right:
        raise UsageError(f"{parameter.name} of the step {step} is no {wanted}.")
    return tuple(value) if isinstance(value, list) else value

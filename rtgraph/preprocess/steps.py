"""Normalisation as declared steps: validated parameters, applied in order, recorded with the array.

A step never guesses: what it needs from the case (a body mask, a prescription, statistics of the
training cases) is asked for, and its absence is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rtgraph.errors import UsageError
from rtgraph.preprocess.declared import Declared, parse
from rtgraph.preprocess.refusals import Code, Refused

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the voxels of a set of images are: their number, mean, deviation and percentiles."""

    n: int
    mean: float
    deviation: float
    percentiles: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What a case offers to steps; None where it has nothing of the kind."""

    body: NDArray[np.bool_] | None = None
    prescription_gy: float | None = None
    cohort: Statistics | None = None


@dataclass(frozen=True, slots=True)
class Step(Declared):
    """A step for the values of an image or a dose."""

    def apply(self, array: Array, context: Context) -> Array:
        """Return the array after the step."""
        raise NotImplementedError

    @property
    def needs_cohort(self) -> bool:
        """Tell whether the step rests on statistics of the training cases."""
        return False


@dataclass(frozen=True, slots=True)
class Clip(Step):
    """Values below `low` become `low`, values above `high` become `high`."""

    low: float
    high: float
    name: ClassVar[str] = "clip"

    def __post_init__(self) -> None:
        self.require(self.low < self.high, "low is below high")

    def apply(self, array: Array, context: Context) -> Array:
        """Return clipped values."""
        return np.clip(array, np.float32(self.low), np.float32(self.high))


@dataclass(frozen=True, slots=True)
class Window(Step):
    """A window of `centre` and `width` becomes 0 to 1; values outside it are clipped."""

    centre: float
    width: float
    name: ClassVar[str] = "window"

    def __post_init__(self) -> None:
        self.require(self.width > 0, "width is above 0")

    def apply(self, array: Array, context: Context) -> Array:
        """Return values from 0 to 1."""
        low = self.centre - self.width / 2
        share = (array - np.float32(low)) / np.float32(self.width)
        return np.asarray(np.clip(share, 0, 1), np.float32)


@dataclass(frozen=True, slots=True)
class MinMax(Step):
    """`low` becomes 0 and `high` 1; without them the extremes of the image do."""

    low: float | None = None
    high: float | None = None
    name: ClassVar[str] = "min-max"

    def __post_init__(self) -> None:
        both = (self.low is None) == (self.high is None)
        self.require(both and (self.low is None or self.high is None or self.low < self.high),
                 "low and high are both given, low below high, or both left out")

    def apply(self, array: Array, context: Context) -> Array:
        """Return scaled values, without clipping."""
        low = float(array.min()) if self.low is None else self.low
        high = float(array.max()) if self.high is None else self.high
        return ((array - np.float32(low)) / np.float32(max(high - low, 1e-12))).astype(np.float32)


@dataclass(frozen=True, slots=True)
class ZScore(Step):
    """Mean 0 and deviation 1, of the voxels of the image or of the training cases.

    `scope` is image or cohort; `region` is all or body, and says which voxels of an image count.
    """

    scope: str = "image"
    region: str = "all"
    name: ClassVar[str] = "z-score"

    def __post_init__(self) -> None:
        self.require(self.scope in ("image", "cohort"), "scope is image or cohort")
        self.require(self.region in ("all", "body"), "region is all or body")

    def apply(self, array: Array, context: Context) -> Array:
        """Return standardised values.

        Raises
        ------
        Refused
            There is no body mask, or there are no statistics of training cases.
        """
        if self.scope == "cohort":
            if context.cohort is None:
                raise Refused(Code.REFERENCE, "there are no statistics of training cases")
            mean, deviation = context.cohort.mean, context.cohort.deviation
        else:
            values = array
            if self.region == "body":
                if context.body is None or not context.body.any():
                    raise Refused(Code.REFERENCE, "the case has no body mask")
                values = array[context.body]
            mean, deviation = float(values.mean(dtype=np.float64)), float(
                values.std(dtype=np.float64))
        return ((array - np.float32(mean)) / np.float32(max(deviation, 1e-8))).astype(np.float32)

    @property
    def needs_cohort(self) -> bool:
        """Tell whether the step rests on statistics of the training cases."""
        return self.scope == "cohort"


@dataclass(frozen=True, slots=True)
class Prescription(Step):
    """Dose divided by the prescription of the plan."""

    name: ClassVar[str] = "prescription"

    def apply(self, array: Array, context: Context) -> Array:
        """Return the dose in units of the prescription.

        Raises
        ------
        Refused
            The plan states no prescription.
        """
        if not context.prescription_gy:
            raise Refused(Code.REFERENCE, "the plan states no prescription")
        return (array / np.float32(context.prescription_gy)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Suv(Step):
    """Activity of PET as SUV by body weight; done while the image is read, so it comes first."""

    name: ClassVar[str] = "suv"

    def apply(self, array: Array, context: Context) -> Array:
        """Return the array: the reader has made it SUV."""
        return array


STEPS: Mapping[str, type[Step]] = {
    s.name: s for s in (Clip, MinMax, Prescription, Suv, Window, ZScore)}


def parse_steps(rows: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Return the steps of a configuration.

    Parameters
    ----------
    rows : sequence of mapping
        Each with `step` and the parameters of that step.

    Raises
    ------
    UsageError
        A step or parameter does not exist, is missing or has a value that is not allowed.
    """
    steps = parse(rows, STEPS)
    if any(isinstance(step, Suv) for step in steps[1:]):
        raise UsageError("The step suv must be the first one.")
    return steps


def applied(array: NDArray[Any], steps: Sequence[Step], context: Context) -> NDArray[Any]:
    """Return an array after all steps; untouched, with its type, when there are none."""
    changed = [s for s in steps if not isinstance(s, Suv)]
    if not changed:
        return array
    result = array.astype(np.float32)
    for step in changed:
        result = step.apply(result, context)
    return result


class Gathered:
    """Statistics of many images without holding them: values are counted in bins of one unit."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._n, self._mean, self._squares = 0, 0.0, 0.0

    def add(self, values: NDArray[Any]) -> None:
        """Add the voxels of an image."""
        flat = np.asarray(values, np.float64).ravel()
        if not len(flat):
            return
        n, mean = len(flat), float(flat.mean())
        total = self._n + n
        apart = mean - self._mean
        self._squares += float(((flat - mean) ** 2).sum()) + apart**2 * self._n * n / total
        self._mean += apart * n / total
        self._n = total
        bins, counts = np.unique(np.rint(flat).astype(np.int64), return_counts=True)
        for b, c in zip(bins.tolist(), counts.tolist(), strict=True):
            self._counts[b] = self._counts.get(b, 0) + c

    def merge(self, other: "Gathered") -> None:
        """Add what another one gathered."""
        total = self._n + other._n
        if not other._n:
            return
        apart = other._mean - self._mean
        self._squares += other._squares + apart**2 * self._n * other._n / total
        self._mean += apart * other._n / total
        self._n = total
        for b, c in other._counts.items():
            self._counts[b] = self._counts.get(b, 0) + c

    def statistics(self) -> Statistics:
        """Return what was gathered; percentiles to whole units."""
        if not self._n:
            return Statistics(0, 0.0, 1.0)
        bins = np.array(sorted(self._counts))
        reached = np.cumsum([self._counts[b] for b in bins.tolist()]) / self._n
        percentiles = {name: float(bins[min(int(np.searchsorted(reached, p)), len(bins) - 1)])
                       for name, p in (("00_5", 0.005), ("50", 0.5), ("99_5", 0.995))}
        return Statistics(self._n, self._mean, (self._squares / self._n) ** 0.5, percentiles)

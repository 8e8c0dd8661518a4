"""One case for notebooks: image, masks and dose as SimpleITK images, read when asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np
import SimpleITK as sitk

from rtgraph.errors import UnknownName, UsageError
from rtgraph.preprocess.cases import CaseInputs
from rtgraph.preprocess.contours import Roi
from rtgraph.preprocess.dose import dose_on
from rtgraph.preprocess.dvh import Dvh
from rtgraph.preprocess.geometry import Grid, to_image
from rtgraph.preprocess.images import read_volume
from rtgraph.preprocess.masks import Mask, RoiMask
from rtgraph.preprocess.masksteps import processed
from rtgraph.preprocess.names import match
from rtgraph.preprocess.pictures import Pictures, draw
from rtgraph.preprocess.placing import mask_on
from rtgraph.preprocess.planning import plan_case
from rtgraph.preprocess.refusals import Code, Refused
from rtgraph.preprocess.settings import Settings
from rtgraph.preprocess.sources import Sources


class Masks(Mapping[str, sitk.Image]):
    """Masks by raw or standard name, or by number as text; each is made when it is asked for."""

    def __init__(self, case: "Case") -> None:
        self._case = case

    def __getitem__(self, name: str) -> sitk.Image:
        mask = self._case.mask(name)
        array = np.zeros(self._case.grid.shape, np.uint8) if mask is None else mask.full()
        return to_image(array, self._case.grid)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(r.name for r in self._case.rois))

    def __len__(self) -> int:
        return len(set(self))


class Case:
    """A plan, or a structure set without one, with everything the graph knows to belong to it.

    Attributes
    ----------
    plan : CasePlan
        What was decided: image, structure set, dose, registrations, findings.
    """

    def __init__(self, inputs: CaseInputs, settings: Settings) -> None:
        without = Settings({**settings.values, "parts": ("image", "masks")}, settings.name_map)
        self.plan = plan_case(inputs, settings)
        self._dose_refusal = None
        if self.plan.refused is not None and self.plan.refused[0] == Code.NO_DOSE:
            self._dose_refusal = self.plan.refused
            self.plan = replace(plan_case(inputs, without), decision=self.plan.decision)
        if self.plan.refused is not None:
            raise Refused(Code(self.plan.refused[0]), self.plan.refused[1])
        self._sources = Sources(self.plan, settings)
        self._made: dict[int, RoiMask] = {}

    def __repr__(self) -> str:
        return f"<Case {self.plan.case_id}: {len(self.rois)} ROIs>"

    @property
    def rois(self) -> tuple[Roi, ...]:
        """The ROIs of the structure set, in its order."""
        return self._sources.structures.rois

    @cached_property
    def grid(self) -> Grid:
        """The grid of the image, straightened where the settings allow uneven planes."""
        return self._sources.series.stack.grid.straight()

    @cached_property
    def image(self) -> sitk.Image:
        """The planning image: HU for CT."""
        return read_volume(self._sources.series).image

    @property
    def masks(self) -> Masks:
        """Masks by name on the grid of the image."""
        return Masks(self)

    @cached_property
    def dose(self) -> sitk.Image:
        """The dose in Gy on the grid of the image; 0 outside the dose grid.

        Raises
        ------
        Refused
            The dose policy found none, or several.
        """
        if self._dose_refusal is not None:
            raise Refused(Code(self._dose_refusal[0]), self._dose_refusal[1])
        values, _ = dose_on(self._sources.dose, self.grid, self._sources.way(self.plan.to_dose))
        return to_image(values, self.grid)

    def roi(self, name: str) -> Roi:
        """Return an ROI by raw name, standard name or number.

        Raises
        ------
        UnknownName, UsageError
            There is none, or several have the name.
        """
        for key in (lambda r: r.name, lambda r: match(r.name).standard, lambda r: str(r.number)):
            found = [r for r in self.rois if key(r) == name]
            if len(found) > 1:
                numbers = ", ".join(str(r.number) for r in found)
                raise UsageError(f"{len(found)} ROIs have this name.",
                                 f"Give a number as text: {numbers}")
            if found:
                return found[0]
        raise UnknownName("ROI", name, [r.name for r in self.rois])

    def ledger(self, name: str) -> RoiMask:
        """Return the mask of an ROI on the native planes, with its contours' rows and facts."""
        roi = self.roi(name)
        if roi.number not in self._made:
            self._made[roi.number] = self._sources.roi_mask(roi)
        return self._made[roi.number]

    def mask(self, name: str) -> Mask | None:
        """Return the mask of an ROI as a box on the grid of the image; None when it is empty."""
        found, roi = self.ledger(name), self.roi(name)
        if found.mask is None:
            return None
        mask, _ = processed(found.mask, self._sources.settings["masks.steps"], name, roi.name,
                            match(roi.name).standard or "")
        return None if mask is None else mask_on(mask, self.grid)

    def dvh(self, name: str) -> Dvh:
        """Return the DVH of an ROI, from the native dose grid."""
        if self._dose_refusal is not None:
            raise Refused(Code(self._dose_refusal[0]), self._dose_refusal[1])
        return self._sources.dvh(self.roi(name))

    def show(self, *names: str, n_slices: int = 3) -> Pictures:
        """Draw slices with contours and dose wash.

        Parameters
        ----------
        *names : str
            ROIs to draw; the first eight with contours when none is named.
        n_slices : int
            Slices, spread over the first ROI.
        """
        wanted = names or tuple(r.name for r in self.rois if r.contours)[:8]
        masks = {n: m for n in wanted if (m := self.mask(n)) is not None}
        dose = None if self._dose_refusal is not None or self.plan.decision is None else (
            sitk.GetArrayFromImage(self.dose))
        return draw(sitk.GetArrayFromImage(self.image), masks, dose, self.grid, n_slices)

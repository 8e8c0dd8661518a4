"""The objects of a case, each opened when it is asked for and only as it was ingested."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pydicom.dataset import Dataset

from rtgraph.preprocess.cases import CaseInputs, SourceFile
from rtgraph.preprocess.contours import Roi, StructureSet, carried, read_structures
from rtgraph.preprocess.dose import Dose, read_dose, summed
from rtgraph.preprocess.dvh import Dvh, dvh_of, dvh_of_mask
from rtgraph.preprocess.files import header_digest, read, status
from rtgraph.preprocess.images import Series, open_series
from rtgraph.preprocess.mapping import IDENTITY
from rtgraph.preprocess.mapping import Mapping as Way
from rtgraph.preprocess.masks import Mode, RoiMask, make_mask
from rtgraph.preprocess.planning import CasePlan
from rtgraph.preprocess.refusals import Code, Refused
from rtgraph.preprocess.registration import Item, Walk, mapping_of, read_registration
from rtgraph.preprocess.segments import (
    Segment,
    images_of,
    of_segment,
    read_segments,
    segment_mask,
    thresholded,
)
from rtgraph.preprocess.settings import Settings


def current(file: SourceFile) -> str:
    """Return where an object is, after making sure that it is what was ingested.

    Raises
    ------
    Refused
        FILE_MISSING, HEADER_ONLY, or FILE_CHANGED: size or digest differ from those in the graph.
    """
    if not file.present:
        raise file.absent()
    try:
        size, mtime = status(file.location)
        same = size == file.size and (
            mtime == file.mtime or header_digest(file.location, size) == file.digest)
    except Refused as error:
        raise Refused(error.code, f"{file.sop_uid}: {error.detail}", error.hint) from error
    if not same:
        raise Refused(Code.FILE_CHANGED, f"{file.sop_uid} changed since it was ingested")
    return file.location


@dataclass(eq=False)
class Sources:
    """The objects of a case, each read when it is asked for."""

    plan: CasePlan
    settings: Settings

    @property
    def _inputs(self) -> CaseInputs:
        return self.plan.inputs

    def read(self, uid: str, *, pixels: bool = True) -> Dataset:
        """Read an object of the case."""
        return read(current(self._inputs.files[uid]), pixels=pixels)

    @cached_property
    def series(self) -> Series:
        """The planning image with its headers read."""
        files = [f for f in self._inputs.series_files[self.plan.series] if f.present]
        named = self.structures.image_uids & {
            f.sop_uid for f in self._inputs.series_files[self.plan.series]}
        return open_series([current(f) for f in files], self.settings.stack_options,
                           sorted(named))

    @cached_property
    def structures(self) -> StructureSet:
        """The ROIs: contours carried into the frame of the image, and segments, which have none."""
        found = self._drawn
        if self.plan.to_structures:
            found = carried(found, self.way(self.plan.to_structures).inverse())
        return replace(found, rois=(*found.rois, *(
            Roi(number, segment.label) for number, segment in self.segments.items())))

    @cached_property
    def _drawn(self) -> StructureSet:
        uid = self.plan.structure_set
        if uid in self.plan.segmentations:
            return StructureSet(uid, "", (), images_of(self.read(uid, pixels=False)))
        return read_structures(self.read(uid))

    @cached_property
    def segments(self) -> dict[int, Segment]:
        """Segments of Segmentation objects by the number they have here, after those of ROIs."""
        found = [s for uid in self.plan.segmentations for s in read_segments(self.read(uid))]
        last = max((r.number for r in self._drawn.rois), default=0)
        return dict(enumerate(found, start=last + 1))

    @cached_property
    def items(self) -> dict[tuple[str, int], Item]:
        """Registration items of the paths, by object and number."""
        uids = {w.edge.reg_uid for w in (*self.plan.to_structures, *self.plan.to_dose)}
        return {(i.edge.reg_uid, i.edge.item): i for uid in sorted(uids)
                for i in read_registration(self.read(uid))}

    def way(self, walks: Sequence[Walk]) -> Way:
        """Return the mapping of a path."""
        return mapping_of(walks, self.items) if walks else IDENTITY

    @cached_property
    def dose(self) -> Dose:
        """The dose of the policy's decision: one, or a weighted sum."""
        decision = self.plan.decision
        if decision is None or not decision.decided:
            raise Refused(Code.NO_DOSE, "the policy chose none")
        doses = [read_dose(self.read(uid)) for uid, _ in decision.chosen]
        weights = [w for _, w in decision.chosen]
        return doses[0] if weights == [1.0] else summed(doses, weights)

    def roi_mask(self, roi: Roi) -> RoiMask:
        """Return the mask of an ROI on the native planes of the image."""
        segment = self.segments.get(roi.number)
        if segment is not None:
            way = (self.way(self.plan.to_structures) if self.plan.to_structures else None)
            mask = segment_mask(segment, self.series.stack.grid, way)
            if mask is not None and self.settings.mask_options.mode is Mode.voxel_centre:
                mask = thresholded(mask)
            return of_segment(roi, mask)
        return make_mask(roi, self.series.stack.grid, self.settings.mask_options,
                         self.plan.structure_set)

    def dvh(self, roi: Roi) -> Dvh:
        """Return the DVH of an ROI: of its contours, or of the voxels of a segment."""
        way = self.way(self.plan.to_dose)
        if roi.number in self.segments:
            mask = self.roi_mask(roi).mask
            return Dvh.nothing() if mask is None else dvh_of_mask(mask, self.dose, way)
        return dvh_of(roi, self.series.stack.grid, self.dose, self.settings.mask_options.holes, way)

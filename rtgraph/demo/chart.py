"""The objects of one synthetic patient, as they are planned one after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import (
    CTImageStorage,
    MRImageStorage,
    RTDoseStorage,
    RTImageStorage,
    RTPlanStorage,
    RTStructureSetStorage,
)

from rtgraph.demo import doses, images, treatment
from rtgraph.demo import structures as structure_sets
from rtgraph.demo.files import PatientFiles
from rtgraph.demo.objects import (
    Device,
    Grid,
    ImageStack,
    ObjectRef,
    Series,
    Study,
)
from rtgraph.demo.phantom import AIR_HU, TARGET, Organ, dose_grid, dose_gy, organ_doses, paint
from rtgraph.demo.treatment import Beam, Prescription

SCANNER = Device("RTGRAPH", "Synthetic CT", "CT-0001", "CT1")
MR_SCANNER = Device("RTGRAPH", "Synthetic MR", "MR-0001", "MR1")
PLANNING = Device("RTGRAPH", "Synthetic Planning", "TPS-0001", "TPS1")
LINAC = Device("RTGRAPH", "Synthetic Linac", "LINAC-0001", "LINAC1")
MACHINE = "LINAC1"
PORTAL_PLANE_MM = 1500.0
CT_NOISE_HU, CBCT_NOISE_HU, MR_NOISE = 12.0, 40.0, 15.0


@dataclass(frozen=True, slots=True)
class Scan:
    """Images that were planned, with the organs in their coordinates and the values seen."""

    stack: ImageStack
    organs: tuple[Organ, ...]
    values: NDArray[np.int16]


class Chart(PatientFiles):
    """Plans the objects of a patient: states what each refers to, builds it and writes it."""

    def __init__(self, folder: Path, number: int, seed: int, name: str) -> None:
        super().__init__(folder, number, seed, name)
        self._noise = np.random.default_rng([seed, number])

    def _stack(self, series: Series, sop_class: str, name: str, grid: Grid) -> ImageStack:
        uids = tuple(self.uid("image", name, index) for index in range(grid.shape[2]))
        return ImageStack(series, self.uid("frame", name), sop_class, uids, grid)

    def ct(
        self,
        study: Study,
        name: str,
        when: datetime,
        grid: Grid,
        organs: Sequence[Organ],
        *,
        text: str = "Planning CT",
        device: Device = SCANNER,
        with_localizer: bool = False,
        n_lost: int = 0,
    ) -> Scan:
        """Write a CT in a frame of its own; the last `n_lost` slices are planned, not written."""
        series = self.series(study, "CT", name, when, text, device)
        stack = self._stack(series, CTImageStorage, name, grid)
        deviation = CT_NOISE_HU if device is SCANNER else CBCT_NOISE_HU
        values = paint(organs, grid, "hu", AIR_HU, (deviation, self._noise))
        localizer = None
        if with_localizer:
            localizer = self._localizer(study, stack, values)
            self.refers(series.uid, [localizer], "REFERENCED_IMAGE")
        slices = images.ct_series(stack, values, localizer)
        n_sent = len(slices) - n_lost
        for uid, ds in zip(stack.uids[:n_sent], slices[:n_sent], strict=True):
            self.put(series, uid, ds, stack.frame_uid)
        self.missing += stack.uids[n_sent:]
        return Scan(stack, tuple(organs), values)

    def _localizer(self, study: Study, stack: ImageStack, values: NDArray[np.int16]) -> ObjectRef:
        when = stack.series.when
        series = self.series(study, "CT", "localizer", when, "Localizer", SCANNER)
        uid, frame_uid = self.uid("image", "localizer"), stack.frame_uid
        ds = images.localizer_image(series, uid, frame_uid, stack.grid, values)
        self.put(series, uid, ds, frame_uid)
        return ObjectRef(CTImageStorage, uid)

    def mr(
        self,
        study: Study,
        when: datetime,
        grid: Grid,
        organs: tuple[Organ, ...],
        to_organs: NDArray[np.float64],
    ) -> Scan:
        """Write an MR in a frame of its own, from which `to_organs` leads to the organs."""
        series = self.series(study, "MR", "planning", when, "T2 axial", MR_SCANNER)
        stack = self._stack(series, MRImageStorage, "planning MR", grid)
        values = np.abs(paint(organs, grid, "mr", 0, (MR_NOISE, self._noise), to_organs))
        for uid, ds in zip(stack.uids, images.mr_series(stack, values), strict=True):
            self.put(series, uid, ds, stack.frame_uid)
        return Scan(stack, organs, values)

    def registration(
        self,
        study: Study,
        name: str,
        when: datetime,
        fixed: ImageStack,
        moving: ImageStack,
        matrix: NDArray[np.float64],
        device: Device = PLANNING,
    ) -> None:
        """Write the registration of two image series."""
        series = self.series(study, "REG", name, when, name, device)
        uid, number = self.uid("registration", name), self.next_number(series)
        self.refers(uid, [*fixed.refs, *moving.refs], "REGISTRATION_IMAGE")
        ds = images.registration(
            series, uid, when=when, number=number, fixed=fixed, moving=moving, matrix=matrix
        )
        self.put(series, uid, ds, fixed.frame_uid)

    def rt_image(
        self,
        series: Series,
        uid: str,
        when: datetime,
        plan: ObjectRef,
        beam: Beam,
        scan: Scan,
        fraction: int | None = None,
    ) -> None:
        """Write the image of a beam: of a fraction a portal image, else a DRR."""
        portal = fraction is not None
        frame_uid = None if portal else scan.stack.frame_uid
        self.refers(uid, [plan], "RTIMAGE_PLAN")
        ds = images.rt_image(
            series,
            uid,
            when=when,
            number=self.next_number(series),
            kind="PORTAL" if portal else "DRR",
            label=beam.name,
            plan=plan,
            beam=(beam.number, beam.gantry_deg),
            grid=scan.stack.grid,
            values_hu=scan.values,
            machine=MACHINE,
            frame_uid=frame_uid,
            fraction=fraction,
            image_plane_mm=PORTAL_PLANE_MM if portal else images.SAD_MM,
        )
        self.put(series, uid, ds, frame_uid)

    def structure_set(
        self,
        study: Study,
        name: str,
        when: datetime,
        scan: Scan,
        *,
        frame_uid: str | None = None,
        predecessor: ObjectRef | None = None,
    ) -> ObjectRef:
        """Write an approved structure set on a scan; `frame_uid` states another frame."""
        series = self.series(study, "RTSTRUCT", name, when, name, PLANNING)
        uid = self.uid("structure set", name)
        self.refers(uid, scan.stack.refs, "STRUCTURE_SET_IMAGE")
        self.refers(uid, [predecessor], "PREDECESSOR_STRUCTURE_SET")
        ds = structure_sets.structure_set(
            series,
            uid,
            when=when,
            label=name,
            stack=scan.stack,
            organs=scan.organs,
            frame_uid=frame_uid,
            approved=when + timedelta(hours=1),
            predecessor=predecessor,
        )
        self.put(series, uid, ds, frame_uid or scan.stack.frame_uid)
        return ObjectRef(RTStructureSetStorage, uid)

    def plan(
        self,
        study: Study,
        name: str,
        when: datetime,
        scan: Scan,
        structures: ObjectRef,
        prescription: Prescription,
        beams: Sequence[Beam],
        *,
        predecessor: ObjectRef | None = None,
        drrs: Mapping[int, ObjectRef] | None = None,
    ) -> ObjectRef:
        """Write an approved plan on a structure set of a scan."""
        series = self.series(study, "RTPLAN", name, when, name, PLANNING)
        uid = self.uid("plan", name)
        self.refers(uid, [structures], "PLAN_STRUCTURE_SET")
        self.refers(uid, [predecessor], "PREDECESSOR_PLAN")
        self.refers(uid, (drrs or {}).values(), "BEAM_REFERENCE_IMAGE")
        ds = treatment.plan(
            series,
            uid,
            when=when,
            label=name,
            frame_uid=scan.stack.frame_uid,
            structures=structures,
            prescription=prescription,
            beams=beams,
            isocentre=scan.organs[TARGET].centre,
            machine=MACHINE,
            approved=when + timedelta(hours=1),
            predecessor=predecessor,
            drrs=drrs,
        )
        self.put(series, uid, ds, scan.stack.frame_uid)
        return ObjectRef(RTPlanStorage, uid)

    def dose(
        self,
        series: Series,
        name: str,
        when: datetime,
        scan: Scan,
        plan: ObjectRef,
        prescription: Prescription,
        *,
        summation: str = "PLAN",
        bits: int = 16,
        structures: ObjectRef | None = None,
    ) -> ObjectRef:
        """Write the dose of a plan on a scan; a structure set adds the DVHs of its organs."""
        uid, frame_uid = self.uid("dose", name), scan.stack.frame_uid
        self.refers(uid, [plan], "DOSE_PLAN")
        self.refers(uid, [structures], "DVH_STRUCTURE_SET")
        target, total_gy = scan.organs[TARGET], prescription.dose_gy
        grid = dose_grid(scan.organs, scan.stack.grid)
        solid = [organ for organ in scan.organs if np.isfinite(organ.semi_axes).all()]
        ds = doses.dose(
            series,
            uid,
            when=when,
            number=self.next_number(series),
            frame_uid=frame_uid,
            grid=grid,
            values_gy=dose_gy(grid.points(), target, total_gy),
            plans=[plan],
            summation=summation,
            bits=bits,
            structures=structures,
            dvhs={o.number: organ_doses(o, target, total_gy) for o in solid} if structures else {},
        )
        self.put(series, uid, ds, frame_uid)
        return ObjectRef(RTDoseStorage, uid)

    def record(
        self,
        series: Series,
        name: str,
        when: datetime,
        plan: ObjectRef,
        fraction: int,
        prescription: Prescription,
        beams: Sequence[Beam],
        *,
        stated_class: str | None = None,
        portals: Mapping[int, ObjectRef] | None = None,
    ) -> str:
        """Write the record of a fraction; `stated_class` names a wrong class of the plan."""
        uid = self.uid("record", name, fraction)
        self.refers(uid, [plan], "RECORD_PLAN")
        self.refers(uid, (portals or {}).values(), "VERIFICATION_IMAGE")
        ds = treatment.record(
            series,
            uid,
            when=when,
            number=self.next_number(series),
            plan=replace(plan, sop_class=stated_class or plan.sop_class),
            fraction=fraction,
            fractions=prescription.fractions,
            beams=beams,
            machine=MACHINE,
            portals=portals,
        )
        self.put(series, uid, ds)
        return uid

    def image_ref(self, *names: object) -> ObjectRef:
        """Return a reference to an RT Image that is yet to be written."""
        return ObjectRef(RTImageStorage, self.uid("rt image", *names))

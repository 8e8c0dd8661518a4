"""Arrays of one case: image, masks, dose and DVHs on one grid, and the record of how.

Masks and DVHs come from the contours on the native planes, the dose from its native grid; what goes
onto the grid of the sample is interpolated once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtgraph.preprocess.beams import beams_of
from rtgraph.preprocess.contours import Roi
from rtgraph.preprocess.dose import Dose, agreement, dose_on, read_dose
from rtgraph.preprocess.dvh import Dvh
from rtgraph.preprocess.geometry import Floats, Grid
from rtgraph.preprocess.images import Volume, read_volume
from rtgraph.preprocess.masks import Finding, Mask, RoiMask, findings_of
from rtgraph.preprocess.masksteps import processed
from rtgraph.preprocess.names import Match, choose, contradictions, match
from rtgraph.preprocess.placing import mask_on, united
from rtgraph.preprocess.planning import CasePlan
from rtgraph.preprocess.policy import beam_doses, plausibility
from rtgraph.preprocess.refusals import Code, Refused
from rtgraph.preprocess.registration import described
from rtgraph.preprocess.settings import Settings
from rtgraph.preprocess.sides import profile_of, side_of
from rtgraph.preprocess.sources import Sources
from rtgraph.preprocess.steps import Context, Statistics, Suv, applied
from rtgraph.preprocess.storeddvh import StoredDvh, compared, stored_dvhs

TARGET_TYPES = frozenset({"GTV", "CTV", "PTV"})


@dataclass(frozen=True, slots=True, eq=False)
class NamedMask:
    """A mask of the sample: an ROI, or several merged ones, under a wanted or raw name.

    `steps` says what processing did to it, with its volume before and after.
    """

    name: str
    numbers: tuple[int, ...]
    mask: Mask
    steps: tuple[dict[str, Any], ...] = ()


@dataclass(slots=True, eq=False)
class Made:
    """The arrays of a case on one grid, and the record that goes with them."""

    case_id: str
    grid: Grid
    image: Volume | None = None
    masks: list[NamedMask] = field(default_factory=list)
    body: Mask | None = None
    dose: NDArray[np.float32] | None = None
    covered: NDArray[np.bool_] | None = None
    beams: list[dict[str, Any]] = field(default_factory=list)
    dvhs: dict[int, Dvh] = field(default_factory=dict)
    stored_dvhs: dict[int, StoredDvh] = field(default_factory=dict)
    ledger: list[dict[str, Any]] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def make_case(plan: CasePlan, settings: Settings, cohort: Statistics | None = None,
              tell: Callable[[str], None] = lambda part: None) -> Made:
    """Make the arrays of a case.

    Parameters
    ----------
    plan : CasePlan
        A plan that is not refused.
    settings : Settings
        The configuration.
    cohort : Statistics, optional
        Of the training cases, for steps that need them.
    tell : callable
        Is told the name of each part as it begins.

    Raises
    ------
    Refused
        Anything that does not allow a sound sample.
    """
    sources = Sources(plan, settings)
    native = sources.series.stack.grid
    tell("masks")
    made = Made(plan.case_id, native.straight())
    made.findings += [*plan.findings, *sources.series.stack.findings]
    wanted = settings.makes("masks") or settings.makes("dvh") or settings["grid.crop_voxels"]
    matches = {r.number: match(r.name, settings.name_map, site=settings["masks.site"],
                               sop_uid=plan.structure_set) for r in sources.structures.rois}
    rois = _masks(sources, matches, made) if wanted else {}
    made.grid = _target(native, settings, made.masks)
    made.masks = [replace(m, mask=kept) for m in made.masks
                  if (kept := mask_on(m.mask, made.grid)) is not None]
    made.body = mask_on(made.body, made.grid) if made.body is not None else None
    context = Context(None if made.body is None else made.body.full() >= 0.5,
                      plan.inputs.prescription_gy, cohort)
    if settings.makes("image"):
        tell("image")
        steps = settings["image.steps"]
        volume = read_volume(sources.series, suv=any(isinstance(s, Suv) for s in steps),
                             grid=made.grid)
        made.findings += [f for f in volume.findings if f not in made.findings]
        made.image = replace(volume, array=applied(volume.array, steps, context))
    if plan.decision is not None:
        tell("dose")
        _dose(sources, context, made, rois)
    if settings.makes("beams"):
        made.beams = [b for p in plan.inputs.plans
                      for b in beams_of(sources.read(p.uid, pixels=False))]
    _record(sources, rois, matches, made)
    return made


def _masks(sources: Sources, matches: Mapping[int, Match], made: Made) -> dict[int, RoiMask]:
    """Make the masks that are wanted, one ROI at a time; return the facts of every ROI."""
    settings = sources.settings
    rois = {r.number: r for r in sources.structures.rois}
    names = settings["masks.rois"]
    chosen = choose(names, [(r.number, matches[r.number]) for r in sources.structures.rois],
                    settings["masks.several"]) if names else []
    problems = {c.name: c.problem for c in chosen if c.problem}
    for name, problem in problems.items():
        severity = "error" if name in settings["masks.required"] else "warning"
        made.findings.append(Finding(f"ROI_{problem}", severity, name, ""))
    lacking = [n for n in settings["masks.required"]
               if n in problems or (names and n not in names)]
    if lacking:
        raise Refused(Code.NO_CONTOURS, f"required: {', '.join(lacking)}")
    groups = ([(c.name, c.numbers) for c in chosen if not c.problem] if names
              else [(r.name, (r.number,)) for r in rois.values()])
    if settings["masks.several"] == "separate":
        groups = [(n if k == 0 else f"{n}_{k + 1}", (number,)) for n, numbers in groups
                  for k, number in enumerate(numbers)]
    needed = {n for _, numbers in groups for n in numbers}
    facts: dict[int, RoiMask] = {}
    native: dict[int, Mask] = {}
    for roi in sources.structures.rois:
        is_body = roi.interpreted_type == "EXTERNAL"
        if roi.number in facts or not (roi.number in needed or is_body):
            continue
        found = sources.roi_mask(roi)
        made.ledger += [asdict(row) for row in found.ledger]
        made.findings += [] if roi.number in sources.segments else findings_of(found)
        if found.mask is not None:
            if roi.number in needed:
                native[roi.number] = found.mask
            if is_body and made.body is None:
                made.body = found.mask
        facts[roi.number] = replace(found, mask=None)
    for name, numbers in groups:
        masks = [native[n] for n in numbers if n in native]
        mask, steps = (processed(united(masks), settings["masks.steps"], name) if masks
                       else (None, ()))
        if mask is not None:
            made.masks.append(NamedMask(name, numbers, mask, steps))
        elif name in settings["masks.required"]:
            raise Refused(Code.NO_CONTOURS, f"required: {name} has no contour on the image"
                          if not masks else f"required: the steps leave nothing of {name}")
        elif masks:
            made.findings.append(Finding("EMPTIED", "warning", name, "by masks.steps"))
    return facts


def _target(native: Grid, settings: Settings, masks: Sequence[NamedMask]) -> Grid:
    """Return the grid of the sample."""
    grid = native.straight()
    if settings["grid.spacing_mm"] or settings["grid.orientation"]:
        grid = grid.resampled(settings["grid.spacing_mm"], settings["grid.orientation"])
    edge = settings["grid.crop_voxels"]
    if not edge:
        return grid
    first = next((m.mask for m in masks if m.name == settings["masks.rois"][0]), None)
    if first is None:
        raise Refused(Code.NO_CONTOURS, f"{settings['masks.rois'][0]} is not there to crop about")
    index = np.stack(np.nonzero(first.array >= 0.5), axis=1)[:, ::-1] + np.array(first.start[::-1])
    middle = np.rint(grid.to_index(first.grid.to_points([index.mean(axis=0)]))[0])
    corner = middle - edge // 2
    origin = (grid.origin + corner[0] * grid.spacing[0] * grid.axes[0]
              + corner[1] * grid.spacing[1] * grid.axes[1] + corner[2] * grid.step * grid.axes[2])
    return replace(grid, origin=origin, size=(edge, edge), thickness_mm=grid.step,
                   positions=np.arange(edge, dtype=np.float64) * grid.step)


def _dose(sources: Sources, context: Context, made: Made, rois: Mapping[int, RoiMask]) -> None:
    settings, plan = sources.settings, sources.plan
    dose, way = sources.dose, sources.way(plan.to_dose)
    made.findings += [Finding(w.split()[0], "warning", dose.sop_uid, w) for w in plausibility(
        settings.policy, dose.max_gy, plan.inputs.prescription_gy)]
    made.findings += _beam_sum(sources, dose)
    if settings.makes("dose"):
        outside = float("nan") if settings["dose.outside"] == "nan" else 0.0
        values, made.covered = dose_on(dose, made.grid, way, outside)
        made.dose = applied(values, settings["dose.steps"], context)
        made.record["dose_max_gy"] = {
            "native": dose.max_gy,
            "resampled": float(np.nanmax(values)) if made.covered.any() else None}
    if settings.makes("dvh"):
        for number, found in rois.items():
            dvh = sources.dvh(found.roi)
            if dvh.volume_cc > 0:
                made.dvhs[number] = dvh
                made.findings += _coverage(found.roi, dvh)
        if plan.decision is not None and len(plan.decision.chosen) == 1:
            for curve in stored_dvhs(sources.read(plan.decision.chosen[0][0])):
                if len(curve.included) == 1 and not curve.excluded and (
                        computed := made.dvhs.get(curve.included[0])):
                    made.stored_dvhs.setdefault(curve.included[0], curve)
                    made.findings += compared(computed, curve, curve.included[0])


def _beam_sum(sources: Sources, dose: Dose) -> list[Finding]:
    """Compare the dose of a plan with the sum of its BEAM doses, where they are all there."""
    plan = sources.plan
    chosen = [] if plan.decision is None else [uid for uid, _ in plan.decision.chosen]
    if dose.summation != "PLAN" or len(chosen) != 1 or len(plan.inputs.plans) != 1:
        return []
    parts = beam_doses(plan.inputs.plans[0], plan.inputs.doses)
    try:
        found = agreement(dose, (read_dose(sources.read(c.uid)) for c in parts))
    except Refused as error:
        return [Finding("BEAM_SUM", "info", dose.sop_uid, f"not compared: {error}")]
    if found is None or found.agrees(dose.max_gy):
        return []
    return [Finding("BEAM_SUM", "warning", dose.sop_uid,
                    f"{found.max_diff_gy:.2f} Gy at most, {found.p95_diff_gy:.2f} Gy in 95 % "
                    f"apart from the sum of {len(parts)} BEAM doses")]


def _coverage(roi: Roi, dvh: Dvh) -> list[Finding]:
    if dvh.covered >= 1 - 1e-6:
        return []
    severity = "error" if roi.interpreted_type in TARGET_TYPES else "info"
    return [Finding("OUTSIDE_DOSE_GRID", severity, str(roi.number),
                    f"{dvh.covered:.1%} of the volume has dose")]


def _profile(made: RoiMask | None) -> Floats | None:
    return None if made is None or made.mask is None else profile_of(made.mask)


def _record(sources: Sources, rois: Mapping[int, RoiMask], matches: Mapping[int, Match],
            made: Made) -> None:
    """Complete the record of a case for the manifest."""
    plan, settings, grid = sources.plan, sources.settings, made.grid
    body = next((_profile(rois.get(r.number)) for r in sources.structures.rois
                 if r.interpreted_type == "EXTERNAL"), None)
    facts = []
    for roi in sources.structures.rois:
        found, name = rois.get(roi.number), matches[roi.number]
        dvh = made.dvhs.get(roi.number)
        facts.append({
            "number": roi.number, "name": roi.name, "standard": name.standard,
            "method": None if name.method is None else str(name.method), "score": name.score,
            "type": roi.interpreted_type, "segment": roi.number in sources.segments,
            "contradictions": contradictions(
                name, roi.interpreted_type, side_of(_profile(found), body)),
            "points_mm": [] if found is None else list(found.points),
            "facts": None if found is None else asdict(found.facts),
            "dvh": None if dvh is None else {
                "covered": dvh.covered, **{m: _finite(dvh.metric(m, plan.inputs.prescription_gy))
                                           for m in settings["dvh.metrics"]}}})
    made.record |= {
        **plan.record(), "label": plan.inputs.label, "site": plan.inputs.site,
        "protocols": list(plan.inputs.protocols),
        "fractions_planned": [p.fractions_planned for p in plan.inputs.plans],
        "prescription_gy": plan.inputs.prescription_gy,
        "image_objects": [s.sop_uid for s in sources.series.stack.slices],
        "localizers_left_out": list(sources.series.stack.left_out),
        "geometry": geometry(grid), "rois": facts,
        "masks": [{"name": m.name, "numbers": list(m.numbers),
                   "voxels": float(m.mask.array.sum(dtype=np.float64)),
                   "volume_cc": m.mask.volume_cc,
                   "filled_planes": list(m.mask.filled_planes),
                   "steps": list(m.steps)} for m in made.masks],
        "steps": {"image": [s.record() for s in settings["image.steps"]],
                  "dose": [s.record() for s in settings["dose.steps"]],
                  "masks": [s.record() for s in settings["masks.steps"]]},
        "modality": None if made.image is None else made.image.modality,
        "unit": None if made.image is None else made.image.unit,
        "paths": {"structures": described(plan.to_structures, sources.items),
                  "dose": described(plan.to_dose, sources.items)},
        "findings": [f"{f.severity} {f.code} {f.subject} {f.detail}".rstrip()
                     for f in made.findings],
    }


def _finite(value: float) -> float | None:
    return round(value, 6) if np.isfinite(value) else None


def geometry(grid: Grid) -> dict[str, Any]:
    """Return a grid as plain values: LPS, mm, in the order x, y, z."""
    return {"size": list(grid.shape[::-1]), "spacing": [*grid.spacing, grid.step],
            "origin": grid.origin.tolist(), "direction": grid.axes.T.ravel().tolist()}

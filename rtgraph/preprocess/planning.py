"""What would be made of a case, and why not: from the graph alone, without opening pixels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rtgraph.preprocess.cases import IMAGES, CaseInputs, ImageChoice
from rtgraph.preprocess.masks import Finding
from rtgraph.preprocess.policy import Decision, Rule, decide
from rtgraph.preprocess.refusals import Code, Refused
from rtgraph.preprocess.registration import DEFORMABLE, Walk, find_path
from rtgraph.preprocess.settings import Settings

_RESOLVE = "Name the doses that are not meant in dose_policy.excluded, or set on_ambiguity."
_RANK = {"info": 0, "warning": 1, "error": 2}


@dataclass(frozen=True, slots=True)
class CasePlan:
    """The decisions for a case; `refused` says why it is not made.

    Attributes
    ----------
    structure_set, series : str
        Whose ROIs, on which image series.
    segmentations : tuple of str
        Segmentation objects whose segments are ROIs of the case.
    decision : Decision or None
        Of the dose policy; None when no dose is wanted.
    to_structures, to_dose : tuple of Walk
        Registrations from the frame of the image to that of contours and of the dose.
    """

    inputs: CaseInputs
    structure_set: str = ""
    series: str = ""
    image_frame: str = ""
    segmentations: tuple[str, ...] = ()
    decision: Decision | None = None
    to_structures: tuple[Walk, ...] = ()
    to_dose: tuple[Walk, ...] = ()
    findings: tuple[Finding, ...] = ()
    refused: tuple[str, str] | None = None
    missing_slices: int = 0

    @property
    def case_id(self) -> str:
        """The pseudonym of the case."""
        return self.inputs.case_id

    def record(self) -> dict[str, Any]:
        """Return the plan for people and manifests."""
        d = self.decision
        return {
            "case": self.case_id, "patient_key": self.inputs.patient_key,
            "plans": [p.uid for p in self.inputs.plans], "structure_set": self.structure_set,
            "image_series": self.series, "segmentations": list(self.segmentations),
            "dose_decision": None if d is None else str(d.rule),
            "doses": [] if d is None else [{"uid": u, "weight": w} for u, w in d.chosen],
            "rejected_doses": [] if d is None else [{"uid": u, "code": c} for u, c in d.rejected],
            "dose_warnings": [] if d is None else list(d.warnings),
            "registrations": sorted({w.edge.reg_uid for w in (*self.to_structures,
                                                              *self.to_dose)}),
            "findings": [f"{f.severity} {f.code} {f.detail}" for f in self.findings],
            "refused": None if self.refused is None else f"{self.refused[0]}: {self.refused[1]}",
        }


@dataclass(slots=True)
class _Draft:
    """What is known of a plan while it is made."""

    values: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def plan_case(inputs: CaseInputs, settings: Settings,
              digest_of: Callable[[str], str | None] = lambda uid: None) -> CasePlan:
    """Decide what is made of a case.

    Parameters
    ----------
    inputs : CaseInputs
        The case as the graph knows it.
    settings : Settings
        The configuration.
    digest_of : callable
        Digest of the pixels of a dose, for doses that may be the same; None leaves them closed.

    Returns
    -------
    CasePlan
        With `refused` set when the case cannot be made; nothing is raised.
    """
    draft = _Draft(findings=list(inputs.findings))
    refused = None
    try:
        _decide(inputs, settings, digest_of, draft)
    except Refused as error:
        refused = (str(error.code), error.detail)
    return CasePlan(inputs, findings=tuple(draft.findings), refused=refused, **draft.values)


def _decide(inputs: CaseInputs, settings: Settings, digest_of: Callable[[str], str | None],
            draft: _Draft) -> None:
    if inputs.missing:
        raise Refused(Code.REFERENCE, f"missing: {', '.join(inputs.missing)}")
    if inputs.foreign:
        raise Refused(Code.OTHER_PATIENT, f"of another patient: {', '.join(inputs.foreign)}")
    if len(inputs.structure_sets) != 1:
        raise Refused(Code.REFERENCE, f"{len(inputs.structure_sets)} structure sets instead of one")
    (structure_set,) = inputs.structure_sets
    draft.values["structure_set"] = structure_set
    _needs_file(inputs, structure_set)
    image = _image(inputs, draft)
    if not image.same_patient:
        raise Refused(Code.OTHER_PATIENT, f"of another patient: image series {image.series_uid}")
    draft.values |= {"series": image.series_uid, "missing_slices": image.n_missing}
    if image.n_missing and not settings["allow_nonuniform"]:
        raise Refused(Code.MISSING_SLICES, f"{image.n_missing} of {image.n_named} slices that the "
                                           "structure set names are absent")
    frame = image.frames[0] if len(image.frames) == 1 else inputs.structure_frame
    draft.values["image_frame"] = frame
    if inputs.structure_frame and inputs.structure_frame != frame:
        walks = _path(inputs, settings, frame, inputs.structure_frame)
        if any(w.edge.matrix_type == DEFORMABLE for w in walks):
            raise Refused(Code.FRAME, "contours are not carried by a deformation: they would leave "
                                      "their planes")
        draft.values["to_structures"] = walks
    _segmentations(inputs, settings, frame, draft)
    if settings.makes("dose") or settings.makes("dvh"):
        _dose(inputs, settings, digest_of, frame, draft)
    worst = max((_RANK.get(f.severity, 0) for f in draft.findings), default=0)
    limit = {"error": 2, "warning": 1, "never": 3}[settings["checks.skip_at"]]
    if worst >= limit:
        codes = sorted({f.code for f in draft.findings if _RANK.get(f.severity, 0) >= limit})
        raise Refused(Code.REFERENCE, f"open findings: {', '.join(codes)}",
                      "Repair or waive them, or set checks.skip_at.")


def _needs_file(inputs: CaseInputs, uid: str) -> None:
    known = inputs.files.get(uid)
    if known is None:
        raise Refused(Code.FILE_MISSING, f"there is no file of {uid}")
    if not known.present:
        raise known.absent()


def _image(inputs: CaseInputs, draft: _Draft) -> ImageChoice:
    image, how = image_of(inputs.images, inputs.structure_frame)
    if how:
        draft.findings.append(Finding(
            how, "warning", image.series_uid, "the structure set names no image; "
            "this is the only one of its frame of reference"))
    return image


def image_of(choices: Sequence[ImageChoice], structure_frame: str) -> tuple[ImageChoice, str]:
    """Return the image that a structure set names; by its frame only where it names none.

    The second value says how it was found where it is not named.

    Raises
    ------
    Refused
        NO_IMAGE: there is none, or several fit.
    """
    images = [c for c in choices if c.modality in IMAGES]
    framed = [c for c in images if c.by_frame and c.same_patient and c.n_instances]
    for chosen, how in (
        ([c for c in images if c.n_named], ""),
        ([c for c in images if c.listed and c.n_instances], ""),
        ([c for c in framed if c.same_study], "IMAGE_BY_FRAME"),
        (framed, "IMAGE_BY_FRAME"),
    ):
        present = [c for c in chosen if c.n_instances]
        if len(present) > 1:
            present = [c for c in present if structure_frame in c.frames] or present
        if len(present) > 1:
            listed = ", ".join(c.series_uid for c in present)
            raise Refused(Code.NO_IMAGE, f"{len(present)} image series fit: {listed}")
        if present:
            return present[0], how
        if chosen:
            raise Refused(Code.NO_IMAGE, "the images that the structure set names are absent")
    raise Refused(Code.NO_IMAGE, "there is no image for the structure set")


def _segmentations(inputs: CaseInputs, settings: Settings, frame: str, draft: _Draft) -> None:
    """Choose the Segmentation objects of a case: it is one itself, or has some on its image."""
    mine = [s for s in inputs.segmentations if s.series_uid == draft.values["series"]]
    itself = tuple(s.sop_uid for s in mine if s.sop_uid == draft.values["structure_set"])
    if itself or settings["masks.segmentations"] != "add":
        draft.values["segmentations"] = itself
        return
    draft.values["segmentations"] = tuple(s.sop_uid for s in mine if s.frame_uid == frame)
    draft.findings += [Finding("SEGMENTATION_FRAME", "warning", s.sop_uid,
                               "left out: in another frame of reference than the image")
                       for s in mine if s.frame_uid != frame]
    for uid in draft.values["segmentations"]:
        _needs_file(inputs, uid)


def _path(inputs: CaseInputs, settings: Settings, start: str, end: str) -> tuple[Walk, ...]:
    try:
        return tuple(find_path(
            inputs.edges, start, end, max_steps=settings["registration.max_steps"],
            patient_frames=inputs.patient_frames, chosen=settings["registration.chosen"]))
    except Refused as error:
        if error.code is Code.NO_PATH:
            raise Refused(Code.FRAME, error.detail) from error
        raise


def _dose(inputs: CaseInputs, settings: Settings, digest_of: Callable[[str], str | None],
          frame: str, draft: _Draft) -> None:
    paths: dict[str, tuple[Walk, ...] | None] = {}
    for c in inputs.doses:
        if c.frame_uid not in paths:
            try:
                paths[c.frame_uid] = _path(inputs, settings, frame, c.frame_uid)
            except Refused as error:
                paths[c.frame_uid] = None
                draft.findings.append(Finding("DOSE_FRAME", "info", c.uid, str(error)))
    decision = decide(settings.policy, inputs.plans, inputs.doses,
                      {f: p is not None for f, p in paths.items()}, digest_of)
    draft.values["decision"] = decision
    if not decision.decided:
        why = {f.subject: f" ({f.detail})" for f in draft.findings if f.code == "DOSE_FRAME"}
        reasons = [f"{u} {c}{why.get(u, '') if c == 'FRAME' else ''}"
                   for u, c in decision.rejected] + list(decision.warnings)
        detail = f"{decision.rule}{': ' if reasons else ''}{', '.join(reasons)}"
        raise Refused(Code.NO_DOSE, detail, _RESOLVE if decision.rule is Rule.AMBIGUOUS else "")
    by_uid = {c.uid: c for c in inputs.doses}
    used = [by_uid[uid] for uid, _ in decision.chosen]
    if len({c.frame_uid for c in used}) > 1:
        raise Refused(Code.FRAME, "the doses to add are in several frames of reference")
    for c in used:
        _needs_file(inputs, c.uid)
    draft.values["to_dose"] = paths[used[0].frame_uid] or ()


def sources(plan: CasePlan) -> list[tuple[str, str]]:
    """Return the objects and series that a case is made from, with the purpose of each."""
    found = [("STRUCTURES", plan.structure_set), ("IMAGE", plan.series),
             *(("STRUCTURES", uid) for uid in plan.segmentations)]
    found += [("PLAN", p.uid) for p in plan.inputs.plans]
    if plan.decision is not None:
        found += [("DOSE", uid) for uid, _ in plan.decision.chosen]
    found += [("REGISTRATION", w.edge.reg_uid) for w in (*plan.to_structures, *plan.to_dose)]
    return list(dict.fromkeys(f for f in found if f[1]))


def described(plans: Sequence[CasePlan]) -> list[dict[str, Any]]:
    """Return the records of plans, refused ones last."""
    return [p.record() for p in sorted(plans, key=lambda p: (p.refused is not None, p.case_id))]

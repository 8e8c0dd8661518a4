"""Cases of a cohort as the graph knows them: what belongs together, and where its files are.

A case is one plan, or under the scope course the plans of one
patient that share a structure set or refer to each other.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from rtgraph.cypher.cohorts import Members
from rtgraph.cypher.library import lookup
from rtgraph.errors import UsageError
from rtgraph.preprocess.masks import Finding
from rtgraph.preprocess.policy import Candidate, PlanFacts
from rtgraph.preprocess.refusals import Code, Refused
from rtgraph.preprocess.registration import Edge
from rtgraph.store.bolt import Store

Row = dict[str, Any]
Locate = Callable[[str], str | None]
IMAGES = frozenset({"CT", "MR", "PT"})


@dataclass(frozen=True, slots=True)
class SourceFile:
    """Where an object is, and what it was when it was ingested.

    `kept` is HEADER or NONE where its bulk, or its file, was not kept on purpose.
    """

    sop_uid: str
    series_uid: str
    location: str
    size: int
    mtime: int
    digest: str
    kept: str = ""

    @property
    def present(self) -> bool:
        """Tell whether the graph has a file of the object."""
        return bool(self.location)

    def absent(self) -> Refused:
        """Return why there is no file: what was left out on purpose is told apart."""
        if self.kept:
            return Refused(Code.HEADER_ONLY, f"{self.sop_uid} was not kept")
        return Refused(Code.FILE_MISSING, f"there is no file of {self.sop_uid}")


@dataclass(frozen=True, slots=True)
class ImageChoice:
    """An image series that a structure set may mean.

    `n_named` objects of it are named, `n_missing` of these are missing; `listed` by its UID;
    `by_frame` when it shares the frame of reference.
    """

    series_uid: str
    modality: str
    n_named: int
    n_missing: int
    listed: bool
    by_frame: bool
    same_study: bool
    same_patient: bool
    frames: tuple[str, ...]
    n_instances: int


@dataclass(frozen=True, slots=True)
class Segmented:
    """A Segmentation object on one of the images: its UID, that of the series, its frame."""

    sop_uid: str
    series_uid: str
    frame_uid: str


@dataclass(frozen=True, slots=True)
class CaseInputs:
    """All that the graph says of a case; it holds no value that identifies the patient.

    `missing` are plans and structure sets without a file, `foreign` structure sets of another
    patient than the plan.
    """

    case_id: str
    patient_key: str
    plans: tuple[PlanFacts, ...]
    label: str
    site: str
    protocols: tuple[str, ...]
    prescription_gy: float | None
    structure_sets: tuple[str, ...]
    missing: tuple[str, ...]
    foreign: tuple[str, ...]
    structure_frame: str
    images: tuple[ImageChoice, ...]
    doses: tuple[Candidate, ...]
    segmentations: tuple[Segmented, ...]
    edges: tuple[Edge, ...]
    patient_frames: frozenset[str]
    files: Mapping[str, SourceFile]
    series_files: Mapping[str, tuple[SourceFile, ...]]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """What cases are made of: plans, and pairs of a patient and what has no plan.

    That is a structure set that no plan refers to, or a Segmentation object.
    """

    plans: tuple[str, ...]
    sets: tuple[tuple[str, str], ...] = ()


async def ask(store: Store, name: str, **parameters: object) -> list[Row]:
    """Return the rows of a statement that rtgraph itself asks."""
    return await store.read(lookup(name).statement, **parameters)


async def select(store: Store, members: Members | None = None, *, sets: bool = False,
                 segmentations: bool = False) -> Selection:
    """Return the cases among the members of a cohort, or of the whole graph.

    A member of level INSTANCE stands for itself when it is a plan, for the plans of a dose or
    structure set otherwise; a series of images for what is drawn on it.

    Parameters
    ----------
    store : Store
        The graph.
    members : Members, optional
        Absent: every plan.
    sets : bool
        Structure sets that no plan refers to are cases, too: images and masks alone.
    segmentations : bool
        So are Segmentation objects.

    Raises
    ------
    UsageError
        Nothing is found.
    """
    rows = await ask(store, "case-members", level=members.level if members else "PATIENT",
                     keys=list(members.keys) if members else None)
    found = Selection(
        tuple(sorted({str(r["plan"]) for r in rows if r["plan"]})),
        tuple(sorted({(str(r["patient_key"]), str(r["structure_set"])) for r in rows
                      if not r["plan"] and (segmentations if r["segmentation"] else sets)})))
    if not found.plans and not found.sets:
        raise UsageError("No plan is found.",
                         "A case is a plan; `rtgraph query run complete-chains` lists them.")
    return found


async def load_cases(store: Store, selection: Selection, locate: Locate, *, course: bool = False
                     ) -> list[CaseInputs]:
    """Read cases from the graph.

    Parameters
    ----------
    store : Store
        The graph.
    selection : Selection
        From `select`.
    locate : callable
        Gives where a path of the graph is on this machine, None when it is not.
    course : bool
        One case for the plans of a patient that belong together, instead of one for each plan.
    """
    rows = await ask(store, "case-plans", plans=list(selection.plans))
    if course:
        patients = Members("PATIENT", tuple(sorted({str(r["patient_key"]) for r in rows})))
        related = (await select(store, patients)).plans if rows else ()
        rows = await ask(store, "case-plans", plans=sorted({*selection.plans, *related}))
    rows += [_NO_PLAN | {"patient_key": key, "structure_sets": [uid]}
             for key, uid in selection.sets]
    groups = _courses(rows) if course else [[r] for r in rows]
    sets = sorted({str(u) for r in rows for u in r["structure_sets"]})
    images = await ask(store, "case-images", structure_sets=sets)
    plans = [str(r["plan"]) for r in rows if r["plan"]]
    doses = await ask(store, "case-doses", plans=plans)
    keys = sorted({str(r["patient_key"]) for r in rows})
    edges = await ask(store, "case-registrations", patients=keys)
    series = sorted({str(r["series"]) for r in images if r["modality"] in IMAGES})
    segmented = [Segmented(str(r["segmentation"]), str(r["series"]), str(r["frame_uid"] or ""))
                 for r in await ask(store, "case-segmentations", series=series)]
    objects = sorted({*plans, *sets, *(str(r["dose"]) for r in doses),
                      *(s.sop_uid for s in segmented),
                      *(str(r["registration"]) for r in edges)})
    files = await source_files(store, objects, series, locate)
    issues = await ask(store, "case-findings", objects=[*objects, *series])
    found = [_case(group, images, doses, segmented, edges, files, issues) for group in groups]
    return sorted((c for c in found
                   if not c.plans or {p.uid for p in c.plans} & set(selection.plans)),
                  key=lambda c: c.case_id)


_NO_PLAN: Row = {
    "plan": None, "plan_missing": False, "label": None, "site": None, "protocols": [],
    "plan_datetime": None, "prescription_gy": None, "fractions_planned": None,
    "fractions_delivered": None, "beams": [], "groups": [], "related": [],
    "structure_sets_missing": [], "structure_sets_foreign": [],
}


def _courses(rows: Sequence[Row]) -> list[list[Row]]:
    """Group plans of a patient that share a structure set or refer to each other."""
    groups: list[list[Row]] = []
    for row in rows:
        touching = [g for g in groups if any(_together(row, other) for other in g)]
        merged = [row, *(r for g in touching for r in g)]
        groups = [g for g in groups if g not in touching]
        groups.append(sorted(merged, key=lambda r: (str(r["plan_datetime"]), str(r["plan"]))))
    return groups


def _together(a: Row, b: Row) -> bool:
    return a["patient_key"] == b["patient_key"] and (
        bool(set(a["structure_sets"]) & set(b["structure_sets"]))
        or b["plan"] in a["related"] or a["plan"] in b["related"])


async def source_files(store: Store, objects: Sequence[str], series: Sequence[str],
                       locate: Locate) -> dict[str, SourceFile]:
    """Return objects and those of series by SOPInstanceUID, with where their files are."""
    rows = await ask(store, "case-files", objects=list(objects), series=list(series))
    return {str(r["sop_uid"]): SourceFile(
        str(r["sop_uid"]), str(r["series"]),
        (locate(r["file_path"]) or "") if r["file_path"] and not r["missing"] else "",
        int(r["file_size"] or 0), int(r["file_mtime"] or 0), str(r["header_digest"] or ""),
        str(r["kept"] or ""))
        for r in rows}


async def files_of(store: Store, objects: Sequence[str], locate: Locate) -> dict[str, str]:
    """Return where objects are, by SOPInstanceUID, for those that have a file."""
    found = await source_files(store, objects, (), locate)
    return {uid: f.location for uid, f in found.items() if f.present}


def _case(group: Sequence[Row], images: Iterable[Row], doses: Iterable[Row],
          segmented: Iterable[Segmented], edges: Iterable[Row],
          files: Mapping[str, SourceFile], issues: Iterable[Row]) -> CaseInputs:
    first = group[0]
    plans = [str(r["plan"]) for r in group if r["plan"]]
    sets = tuple(sorted({str(u) for r in group for u in r["structure_sets"]}))
    mine = [r for r in images if r["structure_set"] in sets]
    choices = tuple(image_choice(r) for r in mine)
    walks = [r for r in edges if r["patient_key"] == first["patient_key"]]
    candidates = {str(r["dose"]): candidate(r) for r in doses if r["plan"] in plans}
    series = {c.series_uid for c in choices}
    segmentations = tuple(s for s in segmented if s.series_uid in series)
    own = {*plans, *sets, *candidates, *series, *(s.sop_uid for s in segmentations)}
    prescriptions = [r["prescription_gy"] for r in group if r["prescription_gy"]]
    return CaseInputs(
        case_id=case_id(str(first["patient_key"]), plans or sets),
        patient_key=str(first["patient_key"]),
        plans=tuple(plan_facts(r) for r in group if r["plan"]), label=str(first["label"] or ""),
        site=str(first["site"] or ""), protocols=tuple(first["protocols"] or ()),
        prescription_gy=float(sum(prescriptions)) if prescriptions else None,
        structure_sets=sets,
        missing=tuple(sorted({*(str(u) for r in group for u in r["structure_sets_missing"]),
                              *(str(r["plan"]) for r in group if r["plan_missing"])})),
        foreign=tuple(sorted({str(u) for r in group for u in r["structure_sets_foreign"]})),
        structure_frame=next((str(r["frame_uid"]) for r in mine if r["frame_uid"]), ""),
        images=choices, doses=tuple(candidates[u] for u in sorted(candidates)),
        segmentations=segmentations,
        edges=edges_of(walks), patient_frames=patient_frames(walks),
        files={uid: f for uid, f in files.items()
               if uid in own or uid in {str(r["registration"]) for r in walks}},
        series_files={s: tuple(f for f in files.values() if f.series_uid == s)
                      for s in sorted(series)},
        findings=tuple(
            Finding(str(r["rule"]), str(r["severity"] or "").lower(), str(r["subject"] or ""),
                    f"{r['count']}") for r in issues if r["subject"] in own))


def image_choice(r: Row) -> ImageChoice:
    """Return a row of `case-images`."""
    return ImageChoice(
        str(r["series"]), str(r["modality"]), int(r["n_named"]), int(r["n_missing"]),
        bool(r["listed"]), bool(r["by_frame"]), bool(r["same_study"]),
        bool(r["same_patient"]), tuple(str(f) for f in r["series_frames"]),
        int(r["n_instances"]))


def candidate(r: Row) -> Candidate:
    """Return a row of `case-doses`."""
    return Candidate(
        uid=str(r["dose"]), plans=tuple(r["plans"]), units=str(r["units"] or ""),
        dose_type=str(r["dose_type"] or ""), summation=str(r["summation"] or ""),
        frame_uid=str(r["frame_uid"] or ""), beams=tuple(r["beams"]), groups=tuple(r["groups"]),
        readable=bool(r["readable"]), kept=str(r["kept"] or ""), created=r["created"],
        inferred=bool(r["inferred"]), same_patient=bool(r["same_patient"]))


def edges_of(rows: Iterable[Row]) -> tuple[Edge, ...]:
    """Return rows of `case-registrations`."""
    return tuple(Edge(str(r["registration"]), int(r["item"] or 0), str(r["source"]),
                      str(r["registered"]), str(r["matrix_type"] or "")) for r in rows)


def patient_frames(rows: Iterable[Row]) -> frozenset[str]:
    """Return the frames of patients among the ends of registrations."""
    return frozenset(str(r[side]) for r in rows for side in ("source", "registered")
                     if r[f"{side}_kind"] == "PATIENT")


def plan_facts(r: Row) -> PlanFacts:
    """Return a row of `case-plans`."""
    return PlanFacts(
        uid=str(r["plan"]), beams=frozenset(r["beams"]), groups=frozenset(r["groups"]),
        fractions_planned=r["fractions_planned"], fractions_delivered=r["fractions_delivered"],
        related=frozenset(r["related"]), created=r["plan_datetime"])


def case_id(patient_key: str, plans: Sequence[str]) -> str:
    """Return the pseudonym of a case: key of the patient, keyed hash of its plans (or set)."""
    digest = blake2b("\0".join(sorted(plans)).encode(), key=patient_key.encode(), digest_size=4)
    return f"{patient_key}-{digest.hexdigest()}"

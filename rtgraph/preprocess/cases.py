"""Cases of a cohort as the graph knows them: what belongs together, and where its files are.

Everything comes from named queries. A case is one plan, or under the scope course the plans of one
patient that share a structure set or refer to each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from rtgraph.cypher.library import bind, query
from rtgraph.errors import UsageError
from rtgraph.preprocess.masks import Finding
from rtgraph.preprocess.policy import Candidate, PlanFacts
from rtgraph.preprocess.registration import Edge
from rtgraph.store.bolt import Store

Row = dict[str, Any]
_ROOTS = "MATCH (r:Root) RETURN r.name AS name, r.path AS path"
IMAGES = frozenset({"CT", "MR", "PT"})


@dataclass(frozen=True, slots=True)
class SourceFile:
    """Where an object is, and what it was when it was ingested."""

    sop_uid: str
    series_uid: str
    location: str
    size: int
    mtime: int
    digest: str

    @property
    def present(self) -> bool:
        """Tell whether the graph has a file of the object."""
        return bool(self.location)


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
    frames: tuple[str, ...]
    n_instances: int


@dataclass(frozen=True, slots=True)
class CaseInputs:
    """All that the graph says of a case; it holds no value that identifies the patient."""

    case_id: str
    patient_key: str
    plans: tuple[PlanFacts, ...]
    label: str
    site: str
    protocols: tuple[str, ...]
    prescription_gy: float | None
    structure_sets: tuple[str, ...]
    missing: tuple[str, ...]
    structure_frame: str
    images: tuple[ImageChoice, ...]
    doses: tuple[Candidate, ...]
    edges: tuple[Edge, ...]
    patient_frames: frozenset[str]
    files: Mapping[str, SourceFile]
    series_files: Mapping[str, tuple[SourceFile, ...]]
    findings: tuple[Finding, ...] = ()


async def named(store: Store, name: str, **parameters: object) -> list[Row]:
    """Return the rows of a named query with checked parameters."""
    found = query(name)
    return await store.read(found.statement, **bind(found, parameters))


async def selected_plans(store: Store, *, cohort: str = "", query_name: str = "",
                         parameters: Mapping[str, object] | None = None,
                         patients: Sequence[str] = ()) -> list[str]:
    """Return the plans of a cohort, of a query with a column plan or patient_key, or of patients.

    Raises
    ------
    UsageError
        Nothing is found, or the query has neither column.
    """
    if cohort:
        plans = [str(r["plan"]) for r in await named(store, "cohort-plans", cohort=cohort)]
    elif query_name:
        rows = await named(store, query_name, **(parameters or {}))
        column = next((c for c in ("plan", "patient_key") if rows and c in rows[0]), "plan")
        if rows and column not in rows[0]:
            raise UsageError(f"The query {query_name} has no column plan or patient_key.")
        values = sorted({str(r[column]) for r in rows if r[column] is not None})
        if column == "patient_key":
            return await selected_plans(store, patients=values) if values else []
        plans = values
    else:
        given = list(patients) or None
        rows = await named(store, "case-plans", patients=given, plans=None)
        plans = [str(r["plan"]) for r in rows if not r["plan_missing"]]
    if not plans:
        raise UsageError("No plan is found.",
                         "A case is a plan; `rtgraph query run complete-chains` lists them.")
    return sorted(set(plans))


async def lone_sets(store: Store, patients: Sequence[str] = ()) -> list[str]:
    """Return the structure sets that no plan refers to: cases of images and masks alone."""
    rows = await named(store, "case-sets", patients=list(patients) or None, structure_sets=None)
    return [str(r["structure_set"]) for r in rows]


async def load_cases(store: Store, plans: Sequence[str], *, sets: Sequence[str] = (),
                     course: bool = False) -> list[CaseInputs]:
    """Read the cases of plans from the graph.

    Parameters
    ----------
    store : Store
        The graph.
    plans : sequence of str
        SOPInstanceUIDs.
    sets : sequence of str
        Structure sets that are cases without a plan.
    course : bool
        One case for the plans of a patient that belong together, instead of one for each plan.
    """
    rows = await named(store, "case-plans", patients=None, plans=list(plans) or ["none"])
    if course:
        patients = sorted({str(r["patient_key"]) for r in rows})
        rows = await named(store, "case-plans", patients=patients, plans=None)
    alone = await named(store, "case-sets", patients=None, structure_sets=list(sets) or ["none"])
    rows += [_NO_PLAN | {"patient_key": r["patient_key"], "structure_sets": [r["structure_set"]]}
             for r in alone]
    groups = _courses(rows) if course else [[r] for r in rows]
    sets = sorted({str(u) for r in rows for u in r["structure_sets"]})
    images = await named(store, "case-images", structure_sets=sets) if sets else []
    wanted = [str(r["plan"]) for r in rows if r["plan"]]
    doses = await named(store, "case-doses", plans=wanted or ["none"])
    keys = sorted({str(r["patient_key"]) for r in rows}) or ["none"]
    edges = await named(store, "case-registrations", patients=keys)
    series = sorted({str(r["series"]) for r in images if r["modality"] in IMAGES})
    objects = sorted({*wanted, *sets, *(str(r["dose"]) for r in doses),
                      *(str(r["registration"]) for r in edges)})
    files = await _files(store, objects, series)
    issues = await named(store, "case-findings", objects=[*objects, *series] or ["none"])
    found = [_case(group, images, doses, edges, files, issues) for group in groups]
    return sorted((c for c in found if not c.plans or {p.uid for p in c.plans} & set(plans)),
                  key=lambda c: c.case_id)


_NO_PLAN: Row = {
    "plan": None, "plan_missing": False, "label": None, "site": None, "protocols": [],
    "plan_datetime": None, "prescription_gy": None, "fractions_planned": None,
    "fractions_delivered": None, "beams": [], "groups": [], "related": [],
    "structure_sets_missing": [],
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


async def _files(store: Store, objects: Sequence[str], series: Sequence[str]
                 ) -> dict[str, SourceFile]:
    roots = {str(r["name"]): str(r["path"]) for r in await store.read(_ROOTS)}
    rows = await named(store, "case-files", objects=list(objects) or ["none"],
                       series=list(series) or ["none"])
    return {str(r["sop_uid"]): SourceFile(
        str(r["sop_uid"]), str(r["series"]),
        "" if r["missing"] else located(r["file_path"], roots), int(r["file_size"] or 0),
        int(r["file_mtime"] or 0), str(r["header_digest"] or "")) for r in rows}


async def files_of(store: Store, objects: Sequence[str]) -> dict[str, str]:
    """Return where objects are, by SOPInstanceUID, for those that have a file."""
    found = await _files(store, objects, ())
    return {uid: f.location for uid, f in found.items() if f.present}


def located(path: str | None, roots: Mapping[str, str]) -> str:
    """Return where a path `root:relative/path` is; empty when its root is unknown."""
    name, _, rest = (path or "").partition(":")
    return f"{roots[name].rstrip('/')}/{rest}" if name in roots and rest else ""


def _case(group: Sequence[Row], images: Iterable[Row], doses: Iterable[Row],
          edges: Iterable[Row], files: Mapping[str, SourceFile], issues: Iterable[Row]
          ) -> CaseInputs:
    first = group[0]
    plans = [str(r["plan"]) for r in group if r["plan"]]
    sets = tuple(sorted({str(u) for r in group for u in r["structure_sets"]}))
    mine = [r for r in images if r["structure_set"] in sets]
    choices = tuple(ImageChoice(
        str(r["series"]), str(r["modality"]), int(r["n_named"]), int(r["n_missing"]),
        bool(r["listed"]), bool(r["by_frame"]), bool(r["same_study"]),
        tuple(str(f) for f in r["series_frames"]), int(r["n_instances"])) for r in mine)
    walks = [r for r in edges if r["patient_key"] == first["patient_key"]]
    candidates = {str(r["dose"]): Candidate(
        uid=str(r["dose"]), plans=tuple(r["plans"]), units=str(r["units"] or ""),
        dose_type=str(r["dose_type"] or ""), summation=str(r["summation"] or ""),
        frame_uid=str(r["frame_uid"] or ""), beams=tuple(r["beams"]), groups=tuple(r["groups"]),
        readable=bool(r["readable"]), created=r["created"], inferred=bool(r["inferred"]))
        for r in doses if r["plan"] in plans}
    series = {c.series_uid for c in choices}
    own = {*plans, *sets, *candidates, *series}
    prescriptions = [r["prescription_gy"] for r in group if r["prescription_gy"]]
    return CaseInputs(
        case_id=case_id(str(first["patient_key"]), plans or sets),
        patient_key=str(first["patient_key"]),
        plans=tuple(_plan(r) for r in group if r["plan"]), label=str(first["label"] or ""),
        site=str(first["site"] or ""), protocols=tuple(first["protocols"] or ()),
        prescription_gy=float(sum(prescriptions)) if prescriptions else None,
        structure_sets=sets,
        missing=tuple(sorted({*(str(u) for r in group for u in r["structure_sets_missing"]),
                              *(str(r["plan"]) for r in group if r["plan_missing"])})),
        structure_frame=next((str(r["frame_uid"]) for r in mine if r["frame_uid"]), ""),
        images=choices, doses=tuple(candidates[u] for u in sorted(candidates)),
        edges=tuple(Edge(str(r["registration"]), int(r["item"] or 0), str(r["source"]),
                         str(r["registered"]), str(r["matrix_type"] or "")) for r in walks),
        patient_frames=frozenset(
            str(r[side]) for r in walks for side in ("source", "registered")
            if r[f"{side}_kind"] == "PATIENT"),
        files={uid: f for uid, f in files.items()
               if uid in own or uid in {str(r["registration"]) for r in walks}},
        series_files={s: tuple(f for f in files.values() if f.series_uid == s)
                      for s in sorted(series)},
        findings=tuple(Finding(str(r["rule"]), str(r["severity"] or ""), str(r["subject"] or ""),
                               f"{r['count']}") for r in issues if r["subject"] in own))


def _plan(r: Row) -> PlanFacts:
    return PlanFacts(
        uid=str(r["plan"]), beams=frozenset(r["beams"]), groups=frozenset(r["groups"]),
        fractions_planned=r["fractions_planned"], fractions_delivered=r["fractions_delivered"],
        related=frozenset(r["related"]), created=r["plan_datetime"])


def case_id(patient_key: str, plans: Sequence[str]) -> str:
    """Return the pseudonym of a case: key of the patient, keyed hash of its plans (or set)."""
    digest = blake2b("\0".join(sorted(plans)).encode(), key=patient_key.encode(), digest_size=4)
    return f"{patient_key}-{digest.hexdigest()}"

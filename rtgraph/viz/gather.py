"""Read from the graph what a picture is made of, by named queries."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from rtgraph.cypher.library import bind, checks, query, table
from rtgraph.errors import UnknownName, UsageError
from rtgraph.graphmodel.tables import TABLES, Row, Tables
from rtgraph.viz.findings import read_findings
from rtgraph.viz.picture import Material, Validation

if TYPE_CHECKING:
    from rtgraph.store.bolt import Store

LIST_THEM = "List the patients: rtgraph query run 'MATCH (p:Patient) RETURN p.patient_key'"


async def graph_tables(store: "Store", patient_key: str | None = None) -> Tables:
    """Read the tables from the graph, of one patient or of all."""
    return {name: await store.read(table(name).statement, patient=patient_key) for name in TABLES}


async def material(store: "Store", patient_key: str, browser: str | None = None) -> Material:
    """Read a patient: tables, inferred links, and the findings of stored validations."""
    return Material(
        patient_key=patient_key,
        tables=await graph_tables(store, patient_key),
        inferred=tuple(await _rows(store, "inferred-links", patient=patient_key)),
        validation=await validation(store, patient_key),
        browser=browser,
        from_graph=True,
    )


async def validation(store: "Store", patient_key: str) -> Validation | None:
    """Return the newest stored validation with the findings about a patient, None without one."""
    runs = await _rows(store, "validation-runs")
    if not runs:
        return None
    known = {c.id: c for c in checks()}
    found = read_findings(await _rows(store, "stored-findings", patient=patient_key),
                          {c.id: (c.title, c.fix) for c in known.values()})
    return Validation(
        finished=runs[0]["finished"] or runs[0]["started"],
        findings=tuple(found),
        queries={f.rule: known[f.rule].text for f in found if f.rule in known},
    )


async def patients(store: "Store") -> list[Row]:
    """Return the rows of all patients."""
    return await store.read(table("patients").statement, patient=None)


async def patient_named(store: "Store", given: str, *, identifiers: bool = False) -> str:
    """Return the key of a patient of the graph, as `find_patient` does."""
    return find_patient(await patients(store), given, identifiers=identifiers)


async def patient_of(store: "Store", uid: str) -> str:
    """Return the key of the patient that holds a study or series; the first one of several."""
    rows = await _rows(store, "patients-of", uid=uid)
    return _only(kind="study or series", keys=[r["patient_key"] for r in rows])


async def cohort_patients(store: "Store", name: str) -> list[str]:
    """Return the keys of the patients of a saved cohort.

    Raises
    ------
    UnknownName
        There is no such cohort.
    UsageError
        It has no members that are in the graph.
    """
    known = [r["cohort"] for r in await _rows(store, "cohort-names")]
    if name not in known:
        raise UnknownName("cohort", name, known)
    keys = [r["patient_key"] for r in await _rows(store, "cohort-patients", cohort=name)]
    if not keys:
        raise UsageError("The cohort has no member that is in the graph.",
                         "Save it again from its query.")
    return keys


async def counts(store: "Store") -> tuple[list[Row], list[Row]]:
    """Return how many nodes there are by labels, and relationships by type and ends."""
    return await _rows(store, "label-counts"), await _rows(store, "relationship-counts")


def find_patient(patients: Sequence[Row], given: str, *, identifiers: bool = False) -> str:
    """Return the key of the patient whose patient_key or unique PatientID this is.

    Raises
    ------
    UsageError
        There is none, or several have the ID. The message names patient_keys that are alike, and
        PatientIDs only with `identifiers`; it does not repeat what was given.
    """
    keys = [r["patient_key"] for r in patients if given in (r["patient_key"], r["PatientID"])]
    if len(keys) == 1:
        return str(keys[0])
    if keys:
        raise UsageError(f"{len(keys)} patients have this PatientID.",
                         f"Give a patient_key: {', '.join(sorted(keys))}")
    alike = get_close_matches(given, [str(r["patient_key"]) for r in patients], n=3, cutoff=0.6)
    hint = f"Did you mean {' or '.join(alike)}?" if alike else LIST_THEM
    ids = [str(r["PatientID"]) for r in patients if r["PatientID"]]
    if not alike and (close := get_close_matches(given, ids, n=3, cutoff=0.6)):
        hint = (f"Did you mean {' or '.join(close)}?" if identifiers else
                "There is a PatientID that is alike; --identifiers shows it.")
    raise UsageError("No patient has this patient_key or PatientID.", hint)


def holder(tables: Tables, uid: str) -> str:
    """Return the key of the patient that holds a study or series, from tables of files."""
    keys = {r["patient_key"] for name, column in (("studies", "StudyInstanceUID"),
                                                   ("series", "SeriesInstanceUID"))
            for r in tables[name] if r[column] == uid and r["patient_key"] is not None}
    return _only(kind="study or series", keys=sorted(keys))


def _only(kind: str, keys: list[str]) -> str:
    if not keys:
        raise UsageError(f"No patient holds a {kind} with this UID.",
                         "Check the UID; what is only referred to is drawn with its referrers.")
    return keys[0]


async def _rows(store: "Store", name: str, **values: object) -> list[Row]:
    """Return the rows of a packaged query."""
    found = query(name)
    return await store.read(found.statement, **bind(found, values))

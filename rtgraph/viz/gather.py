"""Read from the graph what a picture is made of, by named statements."""

from typing import TYPE_CHECKING

from rtgraph.cypher import cohorts, graph, stored
from rtgraph.cypher.library import load_checks, lookup, table
from rtgraph.cypher.session import OWN_CHECKS
from rtgraph.errors import UsageError
from rtgraph.graphmodel.tables import TABLES, Row, Tables
from rtgraph.viz.findings import read_findings
from rtgraph.viz.picture import Material, Validation

if TYPE_CHECKING:
    from rtgraph.store.bolt import Store


async def graph_tables(store: "Store", patient_key: str | None = None) -> Tables:
    """Read the tables from the graph, of one patient or of all."""
    return {name: await store.read(table(name).statement, patient=patient_key) for name in TABLES}


async def material(store: "Store", patient_key: str, browser: str | None = None) -> Material:
    """Read a patient: tables, inferred links, and the findings of stored validations."""
    return Material(
        patient_key=patient_key,
        tables=await graph_tables(store, patient_key),
        inferred=tuple(await store.read(lookup("inferred-links").statement, patient=patient_key)),
        validation=await validation(store, patient_key),
        browser=browser,
        from_graph=True,
    )


async def validation(store: "Store", patient_key: str) -> Validation | None:
    """Return the newest stored validation with the findings about a patient, None without one."""
    runs = [r for r in await stored.runs(store) if r["patient_key"] in (None, patient_key)]
    if not runs:
        return None
    known = {c.id: c for c in load_checks(OWN_CHECKS).files}
    rows = await store.read(lookup("issues-of-patient").statement, patient=patient_key)
    return Validation(runs[0]["started"], tuple(read_findings(rows, known)), known)


async def patient_of(
    store: "Store", patient: str | None, uid: str | None, *, identifiers: bool = False
) -> str:
    """Return the key of the patient that is named, or that holds a study or series.

    Raises
    ------
    UsageError
        There is none.
    """
    if patient is not None:
        return graph.find_patient(
            await graph.patients(store), patient, identifiers=identifiers)
    return _first(await graph.holders(store, str(uid), "study", "series"))


async def cohort_patients(store: "Store", name: str) -> list[str]:
    """Return the keys of the patients of a saved cohort, whatever its members are.

    Raises
    ------
    UnknownName
        There is no such cohort.
    UsageError
        It has no members that are in the graph.
    """
    keys = {r["patient_key"] for r in await cohorts.frozen(store, name)} - {None}
    if not keys:
        raise UsageError("The cohort has no member that is in the graph.",
                         "Save it again from its query.")
    return sorted(keys)


async def counts(store: "Store") -> tuple[list[Row], list[Row]]:
    """Return how many nodes there are by labels, and relationships by type and ends."""
    return (await store.read(lookup("label-counts").statement),
            await store.read(lookup("relationship-counts").statement))


def holder(tables: Tables, uid: str) -> str:
    """Return the key of the patient that holds a study or series, from tables of files."""
    return _first(sorted({
        r["patient_key"]
        for name, column in (("studies", "StudyInstanceUID"), ("series", "SeriesInstanceUID"))
        for r in tables[name] if r[column] == uid and r["patient_key"] is not None}))


def _first(keys: list[str]) -> str:
    if not keys:
        raise UsageError("No patient holds a study or series with this UID.",
                         "Check the UID; what is only referred to is drawn with its referrers.")
    return keys[0]

"""Before a question is asked: is this a graph that this rtgraph can read, and of whom is it?"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from rtgraph.cypher.library import lookup, table
from rtgraph.errors import OlderGraph, ServerRefused, UsageError
from rtgraph.graphmodel.schema import SCHEMA_VERSION
from rtgraph.graphmodel.tables import Row

if TYPE_CHECKING:
    from rtgraph.store.bolt import Store

EMPTY = "The graph is empty: there is nothing to ask. Fill it with rtgraph ingest PATH."
STALE = ("Some derived edges are not up to date: an ingest is running, or was stopped. "
         "Run the same ingest again.")
LIST_PATIENTS = "List the patients: rtgraph query run 'MATCH (p:Patient) RETURN p.patient_key'"

UPGRADING = ("The graph was one of schema version {}, and not all of its files have been read "
             "again. Ingest them all once more; rtgraph ingest --prune retires what is gone.")


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a graph before it is asked anything."""

    empty: bool
    stale: bool
    upgraded_from: int | None = None

    @property
    def notices(self) -> list[str]:
        """What is to be said to the user."""
        found = ((self.empty, EMPTY), (self.stale, STALE), (
            self.upgraded_from, UPGRADING.format(self.upgraded_from)))
        return [text for wrong, text in found if wrong]


async def recognise(store: "Store") -> State:
    """Look at a graph before it is asked.

    Raises
    ------
    ServerRefused
        Another version of rtgraph wrote it, or something else did.
    """
    (found,) = await store.read(lookup("graph-state").statement)
    version = found["version"]
    if version is None and found["any_node"]:
        raise ServerRefused("The database holds no graph of rtgraph.",
                            "Name another database or home, or fill an empty one: rtgraph ingest")
    if version is not None and version > SCHEMA_VERSION:
        raise ServerRefused(
            f"The graph has schema version {version}, this rtgraph reads {SCHEMA_VERSION}.",
            "Upgrade rtgraph, or use another database or home.")
    if version is not None and version < SCHEMA_VERSION:
        raise OlderGraph(version, SCHEMA_VERSION)
    return State(not found["any_patient"], bool(found["dirty"]), found["upgraded_from"])


async def patient_of(
    store: "Store", patient: str | None = None, study: str | None = None
) -> str | None:
    """Return the key of the patient that the user names, None when none is named.

    Raises
    ------
    UsageError
        There is none, or several; the message repeats no identifier.
    """
    if patient is not None and study is not None:
        raise UsageError("--patient and --study name the patient twice.", "Give one of them.")
    if patient is not None:
        return find_patient(await patients(store), patient)
    if study is None:
        return None
    keys = await holders(store, study, "study")
    if len(keys) != 1:
        raise UsageError(
            f"{len(keys)} patients have this study." if keys else
            "No patient has a study with this StudyInstanceUID.",
            "Give a patient_key instead: --patient" if keys else
            "List the studies: rtgraph query run studies-by-date")
    return keys[0]


async def patients(store: "Store") -> list[Row]:
    """Return the rows of all patients."""
    return await store.read(table("patients").statement, patient=None)


async def holders(store: "Store", uid: str, *levels: str) -> list[str]:
    """Return the keys of the patients that hold a study, series or instance with this UID."""
    rows = await store.read(lookup("patients-of").statement, uid=uid)
    return sorted({str(r["patient_key"]) for r in rows if r["level"] in levels})


def find_patient(patients: Sequence[Row], given: str, *, identifiers: bool = False) -> str:
    """Return the key of the patient whose patient_key or unique PatientID this is.

    Raises
    ------
    UsageError
        There is none, or several have the ID. The message names patient_keys that are alike, and
        PatientIDs only with `identifiers`; it does not repeat what was given.
    """
    keys = [str(r["patient_key"]) for r in patients
            if given in (r["patient_key"], r["PatientID"])]
    if len(keys) == 1:
        return keys[0]
    if keys:
        raise UsageError(f"{len(keys)} patients have this PatientID.",
                         f"Give a patient_key: {', '.join(sorted(keys))}")
    raise UsageError("No patient has this patient_key or PatientID.",
                     _did_you_mean(patients, given, identifiers))


def _did_you_mean(patients: Sequence[Row], given: str, identifiers: bool) -> str:
    def alike(name: str) -> list[str]:
        known = [str(r[name]) for r in patients if r[name]]
        return get_close_matches(given, known, n=3, cutoff=0.6)

    if keys := alike("patient_key"):
        return f"Did you mean {' or '.join(keys)}?"
    ids = alike("PatientID")
    if ids and identifiers:
        return f"Did you mean {' or '.join(ids)}?"
    return "There is a PatientID that is alike; --identifiers shows it." if ids else LIST_PATIENTS

"""Before a question is asked: is this a graph that this rtgraph can read, and of whom is it?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rtgraph.cypher.library import lookup, table
from rtgraph.errors import ServerRefused, UsageError
from rtgraph.graphmodel.schema import SCHEMA_VERSION
from rtgraph.graphmodel.tables import Row

if TYPE_CHECKING:
    from rtgraph.store.bolt import Store

EMPTY = "The graph is empty: there is nothing to ask. Fill it with rtgraph ingest PATH."
STALE = ("Some derived edges are not up to date: an ingest is running, or was stopped. "
         "Run the same ingest again.")


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a graph before it is asked anything."""

    empty: bool
    stale: bool

    @property
    def notices(self) -> list[str]:
        """What is to be said to the user."""
        return [text for wrong, text in ((self.empty, EMPTY), (self.stale, STALE)) if wrong]


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
        raise ServerRefused(
            f"The graph has schema version {version}, this rtgraph reads {SCHEMA_VERSION}.",
            "Read the files once more with this version: rtgraph ingest PATH")
    return State(not found["any_patient"], bool(found["dirty"]))


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
        return find_patient(await store.read(table("patients").statement, patient=None), patient)
    if study is None:
        return None
    rows = await store.read(lookup("patients-of-study").statement, study=study)
    if len(rows) != 1:
        raise UsageError(
            f"{len(rows)} patients have this study." if rows else
            "No patient has a study with this StudyInstanceUID.",
            "Give a patient_key instead: --patient" if rows else
            "List the studies: rtgraph query run studies-by-date")
    return str(rows[0]["patient_key"])


def find_patient(patients: list[Row], given: str) -> str:
    """Return the key of the patient whose patient_key or unique PatientID this is.

    Raises
    ------
    UsageError
        There is none, or several have the ID; the message repeats no identifier.
    """
    keys = [r["patient_key"] for r in patients if given in (r["patient_key"], r["PatientID"])]
    if len(keys) == 1:
        return str(keys[0])
    if not keys:
        raise UsageError(
            "No patient has this patient_key or PatientID.",
            "List the patients: rtgraph query run 'MATCH (p:Patient) RETURN p.patient_key'")
    raise UsageError(f"{len(keys)} patients have this PatientID.",
                     f"Give a patient_key: {', '.join(sorted(keys))}")

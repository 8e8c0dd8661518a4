"""What archives announce, what is kept of what they send, and retrievals: declarations and Cypher.

What an archive announced and the graph does not have is a Missing node with `in_archive`, placed
where the archive says by edges that are `stated`. The arrival of an object takes all of that away
(`statements`), so nothing here ever changes what a file has said but the expected counts.
"""

from enum import StrEnum
from functools import cache

from rtgraph.graphmodel.families import Family
from rtgraph.graphmodel.properties import Property, later, names


class Kept(StrEnum):
    """What is kept of a received object."""

    FULL = "FULL"
    HEADER = "HEADER"
    NONE = "NONE"

    @property
    def version_name(self) -> str:
        """The implementation version name of files without bulk, which says so (PS3.10 7.1)."""
        return _NAMES[self]

    def satisfies(self, wanted: "Kept") -> bool:
        """Tell whether what is kept is enough for who wants as much as `wanted`."""
        order = list(Kept)
        return order.index(self) <= order.index(wanted)


_NAMES = {Kept.FULL: "", Kept.HEADER: "RTGRAPH_HEADER", Kept.NONE: "RTGRAPH_NO_FILE"}
_OF_NAMES = {name: kept for kept, name in _NAMES.items()}


def kept_of(version_name: str) -> Kept:
    """Return what is kept of an object whose file has this implementation version name."""
    return _OF_NAMES.get(version_name, Kept.FULL)


IN_ARCHIVE = later("in_archive", "BOOLEAN", "missing ones only: an archive announced it")
EXPECTED_SERIES = later("expected_n_series", "INTEGER", "series, as an archive told")
EXPECTED_INSTANCES = later("expected_n_instances", "INTEGER", "objects, as an archive told")
STATED = Property("stated", "BOOLEAN", "true when only the announcement of an archive says so")
RETRIEVE_RUN = (
    Property("id", "STRING", "time and a random part", per_run=True),
    Property("started", "ZONED DATETIME", "UTC", per_run=True),
    Property("finished", "ZONED DATETIME", "UTC, absent while it is not finished", per_run=True),
    Property("process", "STRING", "host (hashed), process and its start", per_run=True),
    Property("state", "STRING", "RUNNING, DONE, SHORT, INTERRUPTED, FAILED or KILLED",
             per_run=True),
    Property("tool_version", "STRING", per_run=True),
    Property("archive", "STRING", "name of the configured node", per_run=True),
    Property("options", "STRING", "JSON with sorted keys", per_run=True),
    Property("n_announced", "INTEGER", "objects that the archive announced", per_run=True),
    Property("n_received", "INTEGER", "objects that came", per_run=True),
    Property("n_failed", "INTEGER", "objects that did not come", per_run=True),
)
REQUESTED = (
    Property("announced", "INTEGER", "objects that the archive announced"),
    Property("received", "INTEGER", "objects that came"),
    Property("failed", "INTEGER", "objects that did not come"),
)
RETRIEVE_RUN_NODE = "MERGE (r:RetrieveRun {id: $id}) SET " + ", ".join(
    f"r.{n} = ${n}" for n in names(RETRIEVE_RUN) if n != "id")

# (:Patient)-[:HAS_STUDY {stated: true}]->(:Study:Missing {in_archive: true})
# Rows: study, expected series, patient_key, PatientID, issuer; no key where it was not told.
ANNOUNCE_STUDIES = """\
UNWIND $rows AS r
MERGE (t:Study {StudyInstanceUID: r[0]})
ON CREATE SET t:Missing
SET t.expected_n_series = coalesce(r[1], t.expected_n_series)
WITH t, r
WHERE t:Missing
SET t.in_archive = true
WITH t, r
WHERE r[2] IS NOT NULL
MERGE (p:Patient {patient_key: r[2]})
ON CREATE SET p.PatientID = r[3], p.IssuerOfPatientID = r[4]
MERGE (p)-[h:HAS_STUDY]->(t)
ON CREATE SET h.stated = true"""
# (:Study)-[:HAS_SERIES {stated: true}]->(:Series:Missing {in_archive: true})
# Rows: series, study, Modality, expected objects.
ANNOUNCE_SERIES = """\
UNWIND $rows AS r
MERGE (s:Series {SeriesInstanceUID: r[0]})
ON CREATE SET s:Missing
SET s.expected_n_instances = coalesce(r[3], s.expected_n_instances)
WITH s, r
WHERE s:Missing
SET s.in_archive = true, s.Modality = coalesce(r[2], s.Modality), s.dirty = true
WITH s, r
MATCH (t:Study {StudyInstanceUID: r[1]})
MERGE (t)-[h:HAS_SERIES]->(s)
ON CREATE SET h.stated = true"""


@cache
def announce_objects(kind: Family) -> str:
    """Return the statement for objects of a family that an archive has and did not send.

    Rows are grouped by series: series UID, then rows of UID and class.
    """
    # (:Series)-[:HAS_INSTANCE {stated: true}]->(:Instance:Missing {in_archive: true})
    labels = "".join(f":{label}" for label in ("Missing", *kind.labels))
    return f"""\
UNWIND $rows AS g
MATCH (s:Series {{SeriesInstanceUID: g[0]}})
UNWIND g[1] AS r
MERGE (b:Instance {{SOPInstanceUID: r[0]}})
ON CREATE SET b{labels}, b.stated_sop_class = r[1], b.first_seen_run = $run
WITH s, b
WHERE b:Missing
SET b.in_archive = true, s.dirty = true
MERGE (s)-[h:HAS_INSTANCE]->(b)
ON CREATE SET h.stated = true"""


# (:RetrieveRun)-[:REQUESTED]->(:Study|Series); rows: UID, announced, received, failed.
REQUESTED_SERIES, REQUESTED_STUDIES = (f"""\
UNWIND $rows AS r
MATCH (q:RetrieveRun {{id: $run}})
MATCH (n:{label} {{{label}InstanceUID: r[0]}})
MERGE (q)-[e:REQUESTED]->(n)
SET e.announced = r[1], e.received = r[2], e.failed = r[3]""" for label in ("Series", "Study"))

# What a file says of a place goes before what an archive said. Rows: patient_key, study, series.
UNPLACE = ("""\
UNWIND $rows AS r
MATCH (t:Study {StudyInstanceUID: r[1]})
WHERE t.in_archive
MATCH (q:Patient)-[h:HAS_STUDY {stated: true}]->(t)
WHERE q.patient_key <> r[0]
DELETE h
WITH DISTINCT q
WHERE NOT EXISTS { (q)-[:HAS_STUDY]->() }
DELETE q""", """\
UNWIND $rows AS r
MATCH (s:Series {SeriesInstanceUID: r[2]})
WHERE s.in_archive
MATCH (o:Study)-[h:HAS_SERIES {stated: true}]->(s)
WHERE o.StudyInstanceUID <> r[1]
DELETE h""")

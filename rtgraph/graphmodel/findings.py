"""What people and checks leave in the graph: issues, runs of checks, cohorts; no I/O.

    (:Issue)-[:ABOUT]->(the node of its subject), (:Issue)-[:FOUND_IN]->(:ValidationRun)
    (:Cohort)-[:HAS_MEMBER]->(:Patient|Study|Series|Instance)
"""

from rtgraph.graphmodel.properties import Property

ISSUE = (
    Property("key", "STRING", "rule and identity; for VAL-01 rule, series, keyword and reason"),
    Property("rule", "STRING", "id of the check"),
    Property("severity", "STRING", "INFO, WARNING or ERROR"),
    Property("status", "STRING", "OPEN, CLOSED or WAIVED"),
    Property("patient_key", "STRING"),
    Property("subject", "STRING", "UID or key of the object at fault"),
    Property("subject_label", "STRING", "label of its node"),
    Property("target", "STRING", "UID, key or name"),
    *(Property(n, "STRING", "VAL-01 only") for n in ("keyword", "raw", "reason", "first")),
    Property("confidence", "FLOAT", "1.0 for what files state, 0.5 for heuristics"),
    Property("count", "INTEGER", "VAL-01 only: instances concerned"),
    Property("first_seen", "ZONED DATETIME", "UTC", per_run=True),
    Property("last_seen", "ZONED DATETIME", "UTC", per_run=True),
    Property("waived_by", "STRING", "who waived it"),
    Property("waived_reason", "STRING", "why"),
    Property("waived_at", "ZONED DATETIME", "UTC", per_run=True),
    Property("waived_until", "DATE", "last day of the waiver, absent when it has no end"),
)
VALIDATION_RUN = (
    Property("id", "STRING", "time and a random part", per_run=True),
    Property("started", "ZONED DATETIME", "UTC", per_run=True),
    Property("finished", "ZONED DATETIME", "UTC", per_run=True),
    Property("tool_version", "STRING", per_run=True),
    Property("level", "STRING", per_run=True),
    Property("checks", "LIST<STRING>", "those that could finish", per_run=True),
    Property("counts", "STRING", "JSON: checks by how they ended", per_run=True),
    Property("patient_key", "STRING", "absent when the run was about all patients", per_run=True),
)
COHORT = (
    Property("name", "STRING"),
    Property("level", "STRING", "PATIENT, STUDY, SERIES or INSTANCE"),
    Property("query", "STRING", "name of the query; find for conditions"),
    Property("parameters", "STRING", "JSON with sorted keys"),
    Property("n_members", "INTEGER", "when it was saved"),
    Property("member_digest", "STRING", "blake2b-128 over the sorted keys of the members"),
    Property("graph_state", "STRING", "JSON: what the graph held when it was saved"),
    Property("created", "ZONED DATETIME", "UTC", per_run=True),
)
# Nodes that a cohort may hold, by its level, with the property that names them.
MEMBERS = {
    "PATIENT": ("Patient", "patient_key"),
    "STUDY": ("Study", "StudyInstanceUID"),
    "SERIES": ("Series", "SeriesInstanceUID"),
    "INSTANCE": ("Instance", "SOPInstanceUID"),
}

RUN_NODE = """\
MERGE (v:ValidationRun {id: $id})
SET v.started = $started, v.finished = $finished, v.tool_version = $tool_version,
    v.level = $level, v.checks = $checks, v.counts = $counts, v.patient_key = $patient_key"""
# An issue that comes back is open again; a waiver stays until its last day.
ISSUES = """\
MATCH (v:ValidationRun {id: $run})
UNWIND $rows AS r
MERGE (x:Issue {key: r[0]})
SET x.rule = r[1], x.severity = r[2], x.confidence = r[3], x.patient_key = r[4],
    x.subject = r[5], x.target = r[6],
    x.first_seen = coalesce(x.first_seen, $now), x.last_seen = $now,
    x.status = CASE
      WHEN x.status = 'WAIVED' AND coalesce(x.waived_until >= $today, true) THEN 'WAIVED'
      ELSE 'OPEN' END
MERGE (x)-[:FOUND_IN]->(v)"""
CLOSE = """\
MATCH (x:Issue)
WHERE x.rule IN $checks AND ($patient_key IS NULL OR x.patient_key = $patient_key)
  AND (x.status = 'OPEN' OR (x.status = 'WAIVED' AND x.waived_until < $today))
  AND NOT EXISTS { (x)-[:FOUND_IN]->(:ValidationRun {id: $run}) }
SET x.status = 'CLOSED'"""
WAIVE = """\
MATCH (x:Issue {key: $key})
SET x.status = 'WAIVED', x.waived_by = $author, x.waived_reason = $reason,
    x.waived_at = $now, x.waived_until = $until"""
# Open until the next run that looks for it says otherwise.
UNDO_WAIVER = """\
MATCH (x:Issue {key: $key})
SET x.status = 'OPEN'
REMOVE x.waived_by, x.waived_reason, x.waived_at, x.waived_until"""
DROP_COHORT = "MATCH (c:Cohort {name: $name}) DETACH DELETE c"
COHORT_NODE = """\
MERGE (c:Cohort {name: $name})
SET c.level = $level, c.query = $query, c.parameters = $parameters, c.n_members = $n_members,
    c.member_digest = $member_digest, c.graph_state = $graph_state, c.created = $created"""


def about(label: str, key: str) -> str:
    """Return the statement that ties issues to the nodes of one label that they are about.

    It returns the keys of the issues that it has tied.
    """
    return f"""\
UNWIND $rows AS r
MATCH (n:{label} {{{key}: r[1]}})
MATCH (x:Issue {{key: r[0]}})
SET x.subject_label = '{label}'
MERGE (x)-[:ABOUT]->(n)
RETURN r[0] AS key"""


def members(level: str) -> str:
    """Return the statement that puts nodes into a cohort; it returns how many it found."""
    label, key = MEMBERS[level]
    return f"""\
MATCH (c:Cohort {{name: $name}})
UNWIND $keys AS k
MATCH (n:{label} {{{key}: k}})
MERGE (c)-[:HAS_MEMBER]->(n)
RETURN count(n) AS n"""

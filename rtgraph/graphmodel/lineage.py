"""Lineage of exports: runs, samples, dose selections, and the statements of them.

A sample stands for one case of one run. It points at everything it was made from, with the digest
that the object had then, so that a later correction finds what has to be made again.
"""

from rtgraph.graphmodel.properties import Property

EXPORT_RUN = (
    Property("id", "STRING", "time and a random part", per_run=True),
    Property("started", "ZONED DATETIME", "UTC", per_run=True),
    Property("finished", "ZONED DATETIME", "UTC, absent while the run is not finished",
             per_run=True),
    Property("tool_version", "STRING", per_run=True),
    Property("config_hash", "STRING", "digest of the configuration", per_run=True),
    Property("state", "STRING", "RUNNING, DONE or INTERRUPTED", per_run=True),
    Property("counts", "STRING", "JSON: cases by state", per_run=True),
)
SAMPLE = (
    Property("key", "STRING", "id of the run and case", per_run=True),
    Property("case_id", "STRING", "pseudonym of the case"),
    Property("split", "STRING", "train, validation or test"),
    Property("format", "STRING", "of the files"),
    Property("geometry", "STRING", "JSON: origin, spacing, direction and size of the grid, mm"),
    Property("digest", "STRING", "over the names and bytes of the files"),
    Property("state", "STRING", "WRITTEN, SKIPPED or FAILED"),
    Property("reason", "STRING", "why it was not written"),
)
DOSE_SELECTION = (
    Property("key", "STRING", "digest of policy, plans and decision"),
    Property("policy", "STRING", "name of the policy"),
    Property("policy_version", "INTEGER"),
    Property("policy_hash", "STRING", "digest of all that the policy says"),
    Property("decision", "STRING", "the rule that decided"),
    Property("warnings", "LIST<STRING>", "what was noticed about the decision"),
)

RUN = """\
MERGE (r:ExportRun {id: $id})
SET r.started = coalesce(r.started, datetime($started)), r.tool_version = $tool_version,
    r.config_hash = $config_hash, r.state = $state, r.counts = $counts,
    r.finished = CASE WHEN $finished IS NULL THEN NULL ELSE datetime($finished) END
WITH r
OPTIONAL MATCH (c:Cohort {name: $cohort})
FOREACH (x IN CASE WHEN c IS NULL THEN [] ELSE [c] END | MERGE (r)-[:OF_COHORT]->(x))"""

# Decisions of people about ROI names take the place of what the rules say. They are kept by name:
# the derived pass gives them to ROIs that come later or again.
REVIEWED_NAMES = """\
UNWIND $rows AS g
MERGE (d:NameDecision {name: g.name})
SET d.standard = g.standard, d.reviewer = g.reviewer, d.reviewed = date(g.reviewed)
WITH collect(g) AS all
MATCH (r:ROI)
WHERE r.ROIName IN [g IN all | g.name]
WITH r, head([g IN all WHERE g.name = r.ROIName]) AS g
OPTIONAL MATCH (r)-[old:NAMED_AS]->()
DELETE old
WITH DISTINCT g, r
MERGE (n:StandardName {name: g.standard})
ON CREATE SET n.category = g.category, n.side = g.side, n.description = g.description,
              n.list_version = g.list_version
MERGE (r)-[e:NAMED_AS]->(n)
SET e.exact = (g.name = g.standard), e.method = g.method, e.score = g.score,
    e.reviewer = g.reviewer, e.reviewed = date(g.reviewed)
RETURN count(DISTINCT g.name) AS n"""
NAME_DECISIONS = "MATCH (d:NameDecision) RETURN d.name AS name, d.standard AS standard"

# One transaction a case: the sample, what it was made from, its dose selection.
SAMPLES = """\
UNWIND $rows AS g
MATCH (r:ExportRun {id: g.run})
MERGE (s:Sample {key: g.key})
SET s.case_id = g.case_id, s.split = g.split, s.format = g.format, s.geometry = g.geometry,
    s.digest = g.digest, s.state = g.state, s.reason = g.reason
MERGE (r)-[:WROTE]->(s)"""
SOURCE_OBJECTS = """\
UNWIND $rows AS g
MATCH (s:Sample {key: g.key})
MATCH (x:Instance {SOPInstanceUID: g.uid})
MERGE (s)-[m:MADE_FROM {purpose: g.purpose}]->(x)
SET m.digest = g.digest"""
SOURCE_SERIES = """\
UNWIND $rows AS g
MATCH (s:Sample {key: g.key})
MATCH (x:Series {SeriesInstanceUID: g.uid})
MERGE (s)-[m:MADE_FROM {purpose: g.purpose}]->(x)
SET m.n_instances = g.n_instances"""
SELECTIONS = """\
UNWIND $rows AS g
MATCH (s:Sample {key: g.key})
MERGE (d:DoseSelection {key: g.selection})
SET d.policy = g.policy, d.policy_version = g.policy_version, d.policy_hash = g.policy_hash,
    d.decision = g.decision, d.warnings = g.warnings
MERGE (s)-[:USED_SELECTION]->(d)
WITH g, d
CALL (g, d) {
  UNWIND g.chosen AS c
  MATCH (x:Instance {SOPInstanceUID: c.uid})
  MERGE (d)-[e:SELECTED]->(x)
  SET e.weight = c.weight
}
CALL (g, d) {
  UNWIND g.rejected AS c
  MATCH (x:Instance {SOPInstanceUID: c.uid})
  MERGE (d)-[e:REJECTED]->(x)
  SET e.code = c.code
}"""

// Cases that entered, left or changed between two exports: state, reason, split, doses, decision
// view: table
// returns: case_id, change, before, after
// identifying: none
// param before: string   id of the earlier export
// param after: string   id of the later export
// try: :param {before: head(COLLECT { MATCH (r:ExportRun) RETURN r.id ORDER BY r.started LIMIT 1 }), after: head(COLLECT { MATCH (r:ExportRun) RETURN r.id ORDER BY r.started DESC LIMIT 1 })}
MATCH (r:ExportRun)-[:WROTE]->(s:Sample)
WHERE r.id IN [$before, $after]
OPTIONAL MATCH (s)-[:USED_SELECTION]->(d:DoseSelection)
WITH r, s, d, COLLECT { MATCH (d)-[e:SELECTED]->(x:RTDose) RETURN x.SOPInstanceUID + ' ' + toString(e.weight) AS u ORDER BY u } AS doses
WITH s.case_id AS case_id, collect({run: r.id, facts: {state: s.state, reason: coalesce(s.reason, ''), split: coalesce(s.split, ''), decision: coalesce(d.decision, ''), doses: reduce(t = '', u IN doses | t + u + ' ')}}) AS found
WITH case_id, head([f IN found WHERE f.run = $before | f.facts]) AS old, head([f IN found WHERE f.run = $after | f.facts]) AS new
UNWIND CASE
  WHEN old IS NULL THEN [{change: 'ENTERED', after: new.state}]
  WHEN new IS NULL THEN [{change: 'LEFT', before: old.state}]
  ELSE [k IN ['state', 'reason', 'split', 'decision', 'doses'] WHERE old[k] <> new[k] | {change: toUpper(k), before: trim(old[k]), after: trim(new[k])}]
END AS c
RETURN case_id, c.change AS change, c.before AS before, c.after AS after
ORDER BY case_id, change;

// Which of these objects are in the graph, and what is kept of them
// view: table
// returns: uid, kept
// identifying: none
// param uids: list of string   SOP Instance UIDs
// try: :param uids => ['1.2.3']
UNWIND $uids AS uid
MATCH (i:Instance {SOPInstanceUID: uid})
WHERE NOT i:Missing
RETURN uid, coalesce(i.kept, 'FULL') AS kept
ORDER BY uid;

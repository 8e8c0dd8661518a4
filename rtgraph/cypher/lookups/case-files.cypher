// Files of objects and of whole series, with what tells whether they changed since they were read
// view: table
// returns: sop_uid, series, missing, file_path, file_size, file_mtime, header_digest, kept
// identifying: file_path
// param objects: list of string   SOPInstanceUIDs
// param series: list of string   SeriesInstanceUIDs
// try: :param {objects: [], series: []}
MATCH (e:Series)-[:HAS_INSTANCE]->(i:Instance)
WHERE i.SOPInstanceUID IN $objects OR e.SeriesInstanceUID IN $series
RETURN DISTINCT i.SOPInstanceUID AS sop_uid, e.SeriesInstanceUID AS series, i:Missing AS missing, i.file_path AS file_path,
       i.file_size AS file_size, i.file_mtime AS file_mtime, i.header_digest AS header_digest, i.kept AS kept
ORDER BY series, sop_uid;

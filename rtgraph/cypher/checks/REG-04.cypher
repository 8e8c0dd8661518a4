// Registrations between the same two frames agree within 5 mm
// id: REG-04
// severity: info
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (a:FrameOfReference)-[x:REGISTERED_TO]->(b:FrameOfReference)<-[y:REGISTERED_TO]-(a) WHERE x.transform_key < y.transform_key RETURN count(*) AS n
// identifying: none
// fix: Choose by date and approval.
// source: practice (PS3.3 C.20.2, Spatial Registration Module); limit 5 mm
// why: Two registrations of one pair of images that differ by millimetres: one of them is not the one that was used.
// not: Only registrations with the same rotation and, where dates are known, of the same day are compared: the translation depends on the origin, and fractions may share a frame.
MATCH (a:FrameOfReference)-[x:REGISTERED_TO]->(b:FrameOfReference)<-[y:REGISTERED_TO]-(a)
WHERE x.transform_key < y.transform_key AND x.direction = y.direction AND coalesce(x.content_date = y.content_date, true)
  AND sqrt((x.tx - y.tx)^2 + (x.ty - y.ty)^2 + (x.tz - y.tz)^2) > 5.0
MATCH (t:Transform {key: x.transform_key}), (u:Transform {key: y.transform_key})
WHERE all(k IN [0, 1, 2, 4, 5, 6, 8, 9, 10] WHERE abs(t.matrix[k] - u.matrix[k]) <= 0.002)
RETURN a.patient_key AS patient_key, x.transform_key AS subject, y.transform_key AS target,
       {from: a.FrameOfReferenceUID, to: b.FrameOfReferenceUID, distance_mm: round(sqrt((x.tx - y.tx)^2 + (x.ty - y.ty)^2 + (x.tz - y.tz)^2), 1)} AS detail
ORDER BY patient_key, subject, target;

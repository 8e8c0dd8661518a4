"""What the geometry and pixel passes measure: properties, and the statements of them; no I/O.

    (:ROI), (:DVH), (:RTDose), (:RTDose)-[:COVERS {fraction}]->(:ROI)

A property that is absent was not measured. Marks stand on the object: a digest of the version below
and of every file that a measurement was made from. They are part of the row of a file and empty
there, so that an object that is read again counts as not measured.
"""

from collections.abc import Sequence
from enum import StrEnum

from rtgraph.graphmodel.properties import Property, later, names

# Raised when measuring the same files gives other facts.
MEASURE_VERSION = 1


class Measure(StrEnum):
    """What is measured together: contours of a set, ROIs in a dose grid, values of a dose."""

    contours = "contours"
    coverage = "coverage"
    values = "values"


# What each pass measures, by the level of the checks that look at it.
OF_LEVEL = {"geometry": (Measure.contours, Measure.coverage), "pixel": (Measure.values,)}
ROI_MEASURES = (
    later("n_contour_planes", "INTEGER", "geometry pass: planes of the image with a contour"),
    later("n_gap_planes", "INTEGER",
          "geometry pass: planes without a contour between the first and the last one"),
    later("max_plane_distance_mm", "FLOAT",
          "geometry pass: largest distance of a contour to the nearest plane"),
    later("n_off_plane", "INTEGER", "geometry pass: contours farther than 0.1 of the spacing"),
    later("n_between_planes", "INTEGER",
          "geometry pass: contours farther than 0.5 of the spacing"),
    later("n_outside_image", "INTEGER", "geometry pass: contours with a point outside the image"),
    later("n_malformed", "INTEGER", "geometry pass: contours that no area can be made of"),
    later("malformed_reasons", "LIST<STRING>",
          "geometry pass: FEW_POINTS, ODD_LENGTH, COUNT_DIFFERS, NOT_COPLANAR, ZERO_AREA, "
          "NOT_NUMBERS or UNKNOWN_TYPE"),
    later("n_self_intersecting", "INTEGER", "geometry pass: contours that cross themselves"),
    later("n_offset_vectors", "INTEGER",
          "geometry pass: contours with a ContourOffsetVector that is not zero"),
    later("n_nested_planes", "INTEGER",
          "geometry pass: planes where contours nest or overlap without CLOSEDPLANAR_XOR"),
    later("volume_xor_cc", "FLOAT", "geometry pass: volume of the contours, holes kept"),
    later("volume_union_cc", "FLOAT", "geometry pass: volume of the contours, holes filled"),
    later("side_in_name", "STRING", "geometry pass: LEFT or RIGHT, by its name"),
    later("side_in_space", "STRING",
          "geometry pass: LEFT or RIGHT of the body contour, absent near its middle"),
)
DVH_MEASURES = (
    later("computed_max_gy", "FLOAT", "pixel pass: largest dose in the contours"),
    later("computed_mean_gy", "FLOAT", "pixel pass: mean dose in the contours"),
    later("computed_volume_cc", "FLOAT", "pixel pass: volume of the contours"),
)
DOSE_VALUES = (
    Property("max_dose_gy", "FLOAT", "pixel pass: largest voxel value"),
    Property("beam_sum_max_diff_gy", "FLOAT",
             "pixel pass: largest difference from the sum of the BEAM doses of the plan"),
    Property("beam_sum_p95_diff_gy", "FLOAT", "pixel pass: 95th percentile of the difference"),
)
# The mark of each measurement, on the object.
MARKS = {
    Measure.contours: Property("contours_of", "STRING",
                               "geometry pass: digest of what its ROIs were measured from"),
    Measure.coverage: Property("coverage_of", "STRING",
                               "geometry pass: digest of what COVERS was measured from"),
    Measure.values: Property("values_of", "STRING",
                             "pixel pass: digest of what its values were measured from"),
}
SET_MEASURES = (MARKS[Measure.contours],)
DOSE_MEASURES = (*DOSE_VALUES, MARKS[Measure.coverage], MARKS[Measure.values])
MEASURED = (*ROI_MEASURES, *DVH_MEASURES, *SET_MEASURES, *DOSE_MEASURES)


def _removed(variable: str, properties: Sequence[Property]) -> str:
    return ", ".join(f"{variable}.{name}" for name in names(properties))


# What an earlier pass measured goes before anything is written. Rows: UIDs of objects.
FORGET = {
    Measure.contours: f"""\
UNWIND $rows AS uid
MATCH (i:Instance {{SOPInstanceUID: uid}})
REMOVE {_removed("i", SET_MEASURES)}
WITH i
MATCH (i)-[:HAS_ROI]->(r:ROI)
REMOVE {_removed("r", ROI_MEASURES)}""",
    Measure.coverage: f"""\
UNWIND $rows AS uid
MATCH (i:Instance {{SOPInstanceUID: uid}})
REMOVE i.{MARKS[Measure.coverage].name}
WITH i
MATCH (i)-[c:COVERS]->(:ROI)
DELETE c""",
    Measure.values: f"""\
UNWIND $rows AS uid
MATCH (i:Instance {{SOPInstanceUID: uid}})
REMOVE {_removed("i", (*DOSE_VALUES, MARKS[Measure.values]))}
WITH i
MATCH (i)-[:HAS_DVH]->(v:DVH)
REMOVE {_removed("v", DVH_MEASURES)}""",
}
# Nothing is written to an object that was read again meanwhile. Rows: uid, digest and mtime of the
# file that was measured, facts, and parts by key with theirs.
_OBJECT = """\
UNWIND $rows AS g
MATCH (i:Instance {SOPInstanceUID: g.uid})
WHERE coalesce(i.header_digest, '') = g.digest AND coalesce(i.file_mtime, 0) = g.mtime
SET i += g.facts
WITH g, i
UNWIND g.parts AS p"""
WRITE = {
    Measure.contours: f"""\
{_OBJECT}
MATCH (i)-[:HAS_ROI]->(r:ROI {{key: p.key}})
SET r += p.facts""",
    Measure.coverage: f"""\
{_OBJECT}
MATCH (r:ROI {{key: p.key}})
MERGE (i)-[c:COVERS]->(r)
SET c += p.facts""",
    Measure.values: f"""\
{_OBJECT}
MATCH (i)-[:HAS_DVH]->(v:DVH {{key: p.key}})
SET v += p.facts""",
}

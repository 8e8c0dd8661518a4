"""The flat tables of a graph: what `scan`, `read` and the figure work with.

The same columns come from files (`ingest.tables`) and from the database (`cypher/tables/*.cypher`).
A row is a dictionary; an absent value is None. UIDs are text, dates are `datetime.date`.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

Row = dict[str, Any]
Tables = dict[str, list[Row]]

TABLES: dict[str, tuple[str, ...]] = {
    "patients": (
        "patient_key", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
        "n_studies",
    ),
    # one row for each patient that states the study; patient_key is None for a missing study
    "studies": (
        "patient_key", "StudyInstanceUID", "StudyDate", "StudyDescription", "StudyID",
        "missing", "n_series", "n_instances",
    ),
    # one row for each study that states the series; StudyInstanceUID is None for a missing series
    "series": (
        "patient_key", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "label", "layer",
        "SeriesNumber", "SeriesDescription", "SeriesDate", "missing", "n_instances",
        "n_missing_instances",
    ),
    # family is the most specific family label; title is the label of a plan or structure set or
    # the summation type of a dose; SeriesInstanceUID is None for a missing object no series states
    "instances": (
        "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "Modality", "family", "is_image",
        "missing", "InstanceNumber", "title", "frame_uid", "file_path",
    ),
    # levels: instance, series, study; image objects refer from their series
    "references": (
        "source_level", "source_uid", "role", "target_level", "target_uid", "n", "path_id",
        "stated_sop_class", "resolved",
    ),
    # source: MODULE or STRUCTURE_SET; n_patients counts all patients with a series in the frame
    "frames": ("SeriesInstanceUID", "FrameOfReferenceUID", "kind", "source", "n_instances",
               "n_patients"),
}

HIDDEN = "hidden"
# Columns and properties that outputs hide unless identifiers are asked for.
IDENTIFYING = frozenset({
    "PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "StudyID",
    "AccessionNumber", "file_path", "invalid_values", "PatientName_ideographic",
    "PatientName_phonetic", "PatientName_norm", "birth_dates_seen", "names_seen", "variants",
})


def of_patient(tables: Tables, patient_key: str) -> Tables:
    """Return the rows that the picture of one patient needs.

    These are its studies, series and instances, the references that start there, and the rows of
    what they point to, in other patients too.
    """
    own_series = {r["SeriesInstanceUID"] for r in tables["series"]
                  if r["patient_key"] == patient_key}
    own = own_series | {r["SOPInstanceUID"] for r in tables["instances"]
                        if r["SeriesInstanceUID"] in own_series}
    references = [r for r in tables["references"] if r["source_uid"] in own]
    targets = {r["target_uid"] for r in references}
    instances = [r for r in tables["instances"]
                 if r["SeriesInstanceUID"] in own_series or r["SOPInstanceUID"] in targets]
    series = own_series | targets | {r["SeriesInstanceUID"] for r in instances}
    return {
        "patients": [r for r in tables["patients"] if r["patient_key"] == patient_key],
        "studies": [r for r in tables["studies"]
                    if r["patient_key"] == patient_key or r["StudyInstanceUID"] in targets],
        "series": [r for r in tables["series"] if r["SeriesInstanceUID"] in series],
        "instances": instances,
        "references": references,
        "frames": [r for r in tables["frames"] if r["SeriesInstanceUID"] in own_series],
    }


def hide(rows: Iterable[Row], names: Collection[str]) -> list[Row]:
    """Return the rows with the values of these columns hidden; an absent value stays absent."""
    return [{k: _hidden(k, v, names) for k, v in row.items()} for row in rows]


def _hidden(name: str, value: object, names: Collection[str]) -> object:
    """Hide a value by its name, and what nodes and maps hold under such a name."""
    if name in names and value is not None:
        return HIDDEN
    if isinstance(value, Mapping):
        return {k: _hidden(str(k), v, names) for k, v in value.items()}
    if isinstance(value, list):
        return [_hidden("", v, names) for v in value]
    return value

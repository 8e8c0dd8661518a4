"""Node types and their properties: declared once, everything else is derived."""

from dataclasses import dataclass

from rtgraph.graphmodel.archive import (
    EXPECTED_INSTANCES,
    EXPECTED_SERIES,
    IN_ARCHIVE,
    RETRIEVE_RUN,
)
from rtgraph.graphmodel.findings import COHORT, ISSUE, VALIDATION_RUN
from rtgraph.graphmodel.lineage import DOSE_SELECTION, EXPORT_RUN, SAMPLE
from rtgraph.graphmodel.parts import PARTS
from rtgraph.graphmodel.properties import Property, kept, later
from rtgraph.graphmodel.shared import SHARED

PATIENT = (
    Property("patient_key", "STRING", "keyed hash of issuer and PatientID, or of the study UID"),
    *kept("PatientID IssuerOfPatientID PatientName PatientBirthDate PatientSex "
          "PatientIdentityRemoved"),
    later("birth_dates_seen", "LIST<DATE>", "distinct values over its instances"),
    later("sexes_seen", "LIST<STRING>", "distinct values over its instances"),
    later("names_seen", "LIST<STRING>",
             "distinct normalised names over its instances; keyed digests unless names are kept"),
    later("n_studies", "INTEGER", "counted"),
    later("props_from", "STRING", "SOPInstanceUID that supplied the values: the smallest"),
)
STUDY = (
    *kept("StudyInstanceUID StudyDate StudyTime StudyDescription StudyID AccessionNumber "
          "PatientAge PatientWeight PatientSize"),
    Property("study_datetime", "LOCAL DATETIME", "StudyDate and StudyTime"),
    Property("patient_age_years", "FLOAT", "from birth date to study date, else PatientAge"),
    later("modalities", "LIST<STRING>", "distinct Modality of its series"),
    later("n_series", "INTEGER", "counted"),
    later("n_instances", "INTEGER", "counted"),
    EXPECTED_SERIES,
    IN_ARCHIVE,
    later("unsettled", "BOOLEAN",
             "true while a file that was not at hand may state that its objects are elsewhere"),
    later("props_from", "STRING", "SOPInstanceUID that supplied the values: the smallest"),
)
# What is constant over an image series lives on the series, so that slices stay lean.
IMAGE_SERIES = (
    *kept("Rows Columns PixelSpacing SliceThickness ImageOrientationPatient GantryDetectorTilt "
          "ImageType KVP ConvolutionKernel ReconstructionDiameter ScanOptions "
          "ContrastBolusAgent MagneticFieldStrength ScanningSequence SequenceVariant "
          "MRAcquisitionType RepetitionTime EchoTime InversionTime FlipAngle DiffusionBValue "
          "Units CorrectedImage DecayCorrection SeriesType ReconstructionMethod"),
    *kept("Radiopharmaceutical RadionuclideTotalDose RadiopharmaceuticalStartDateTime",
          below=("RadiopharmaceuticalInformationSequence",)),
    Property("orientation", "STRING", "AXIAL, CORONAL, SAGITTAL or OBLIQUE"),
    Property("is_localizer", "BOOLEAN", "value 3 of ImageType is LOCALIZER"),
    Property("position_conflict", "BOOLEAN",
             "heuristic: PatientPosition contradicts ImageOrientationPatient of an original "
             "axial image"),
    Property("phase_label", "STRING", "4D phase"),
    Property("phase_source", "STRING", "TEMPORAL_POSITION, NOMINAL_PERCENTAGE or DESCRIPTION"),
    Property("cbct_score", "FLOAT", "how much in the header speaks for a cone beam, 0 to 1"),
)
SERIES = (
    *kept("SeriesInstanceUID Modality SeriesNumber SeriesDescription SeriesDate SeriesTime "
          "ProtocolName BodyPartExamined Laterality PatientPosition Manufacturer "
          "ManufacturerModelName StationName DeviceSerialNumber SoftwareVersions "
          "InstitutionName TreatmentSessionUID PositionReferenceIndicator"),
    *IMAGE_SERIES,
    Property("series_datetime", "LOCAL DATETIME",
             "SeriesDate and SeriesTime, else acquisition, else content"),
    later("layer", "INTEGER", "row of the modality table"),
    later("sop_classes", "LIST<STRING>", "distinct SOP classes of its instances"),
    later("modalities_seen", "LIST<STRING>", "distinct Modality values of its instances"),
    later("n_instances", "INTEGER", "ingested instances"),
    EXPECTED_INSTANCES,
    later("n_missing_instances", "INTEGER", "missing instances that references place here"),
    later("frame_uids", "LIST<STRING>", "distinct module frames of its instances"),
    later("variants", "LIST<STRING>",
             "what its instances state differently: hash and values, joined by vertical bars"),
    later("n_private_elements", "INTEGER", "largest number in one instance"),
    later("n_orientations", "INTEGER", "1 for a volume"),
    later("n_matrix_sizes", "INTEGER", "1 for a volume"),
    later("n_localizers", "INTEGER", "instances whose ImageType says LOCALIZER"),
    later("n_acquisition_numbers", "INTEGER", "distinct AcquisitionNumber"),
    later("rescale_values", "LIST<STRING>",
             "distinct slope,intercept,type, at most 10; of PT without the slope, which varies"),
    later("n_no_rescale", "INTEGER", "CT or PT instances without slope or intercept"),
    later("n_frames", "INTEGER", "sum of NumberOfFrames, one for a single image"),
    later("slice_spacing", "FLOAT", "median distance along the normal, mm"),
    later("slice_spacing_min", "FLOAT", "smallest distance, mm"),
    later("slice_spacing_max", "FLOAT", "largest distance, mm"),
    later("slice_shear_mm", "FLOAT", "median in-plane part of the step between neighbours, mm"),
    later("extent_mm", "LIST<FLOAT>", "first and last position along the normal, mm"),
    later("n_duplicate_positions", "INTEGER",
             "slices at the place of another one with the same orientation and size"),
    later("n_slice_gaps", "INTEGER", "steps above 1.5 times slice_spacing"),
    later("n_number_gaps", "INTEGER",
             "numbers left out between the smallest and largest InstanceNumber"),
    later("is_cbct", "BOOLEAN",
             "cbct_score of 0.5 or more, or acquired in the context of a plan"),
    later("anchor_rank", "INTEGER", "choice of the anchor of a star of SHARES_FOR, 0 to 6"),
    later("n_unresolved_refs", "INTEGER", "references whose target is in no series yet"),
    later("internal_roles", "LIST<STRING>", "roles of references inside the series"),
    later("dirty", "BOOLEAN",
             "true while the derived pass has to come, false before its last step"),
    IN_ARCHIVE,
    later("referred_by_patients", "LIST<STRING>", "missing ones only: who refers to it"),
    later("props_from", "STRING", "SOPInstanceUID that supplied the values: the smallest"),
)
INSTANCE = (
    *kept("SOPInstanceUID SOPClassUID Modality InstanceNumber InstanceCreationDate "
          "NumberOfFrames"),
    Property("instance_datetime", "LOCAL DATETIME", "content, else creation, else acquisition"),
    Property("frame_uid", "STRING", "effective frame of reference"),
    Property("frame_source", "STRING", "MODULE, STRUCTURE_SET or INHERITED"),
    Property("file_path", "STRING", "root-name:relative/path, forward slashes"),
    Property("file_size", "INTEGER", "bytes"),
    Property("file_mtime", "INTEGER", "modification time, ns since 1970"),
    Property("slice_position", "FLOAT", "images: position along the normal, mm"),
    Property("slice_offset", "LIST<FLOAT>", "images: position along row and column, mm"),
    Property("variant", "STRING", "hash of one of the variants of its series"),
    Property("n_common_refs", "INTEGER", "objects in its Common Instance Reference, when present"),
    Property("n_refs_not_in_common", "INTEGER", "objects it refers to that are not in there"),
    Property("noted_uids", "LIST<STRING>",
             "role and UID of what has no node: orders, observing devices, retired patient and "
             "study objects; not those equal to its own study"),
    Property("suspect_text", "LIST<STRING>",
             "keywords of free text that holds a date or a part of the patient's name; "
             "on images only when there are any"),
    Property("transfer_syntax", "STRING", "from the file meta header"),
    Property("kept", "STRING", "HEADER or NONE: received without its bulk, or not kept as a file"),
    Property("header_digest", "STRING", "blake2b-128 of the head of the data set and the size"),
    Property("meta_sop_instance_uid", "STRING", "of the file meta header, only when it differs"),
    Property("meta_sop_class_uid", "STRING", "of the file meta header, only when it differs"),
    Property("truncated", "BOOLEAN", "true when the file ends inside the data set"),
    Property("invalid_keywords", "LIST<STRING>",
             "attributes whose value is not usable, or kept although something is wrong with it"),
    Property("invalid_reasons", "LIST<STRING>", "why, in the order of invalid_keywords"),
    Property("invalid_values", "LIST<STRING>", "raw text of them, at most 256 characters"),
    later("parser_version", "INTEGER", "raised when reading the same file gives other facts"),
    later("run_id", "STRING", "the IngestRun that last wrote it", per_run=True),
    later("stated_sop_class", "STRING", "missing ones only: the class references state"),
    later("first_seen_run", "STRING", "missing ones only", per_run=True),
    IN_ARCHIVE,
    later("referred_by_patients", "LIST<STRING>", "missing ones only: who refers to it"),
)


FRAME = (
    Property("FrameOfReferenceUID", "STRING"),
    Property("kind", "STRING", "PATIENT, WELL_KNOWN, EQUIPMENT or IMAGE_IMPLICIT"),
    *kept("PositionReferenceIndicator"),
    later("n_series", "INTEGER", "counted"),
    Property("n_patients", "INTEGER", "counted"),
    Property("patient_key", "STRING", "when the frame is used by exactly one patient"),
    Property("share_mode", "STRING", "CLIQUE, STAR or NONE"),
    later("dirty", "BOOLEAN", "true while SHARES_FOR waits for the derived pass"),
)
FILE = (
    Property("path", "STRING", "root-name:relative/path"),
    Property("size", "INTEGER", "bytes"),
    Property("mtime", "INTEGER", "modification time, ns since 1970"),
    later("parser_version", "INTEGER", "of the reader that saw it"),
    Property("header_digest", "STRING", "of copies, as on Instance"),
    Property("status", "STRING", "COPY, REJECTED or NOT_DICOM"),
    Property("differs", "BOOLEAN", "copies: true when the data set is another one"),
    Property("series_uid", "STRING", "copies: the series it states, when another"),
    Property("reason", "STRING", "reason code of a rejected file"),
)
RUN = (
    Property("id", "STRING", "time and a random part", per_run=True),
    Property("started", "ZONED DATETIME", "UTC", per_run=True),
    Property("finished", "ZONED DATETIME", "UTC, absent while the run is not finished",
             per_run=True),
    Property("process", "STRING", "host (hashed), process and its start", per_run=True),
    Property("state", "STRING", "RUNNING, DONE, INTERRUPTED, STOPPED, KILLED or FAILED",
             per_run=True),
    Property("tool_version", "STRING", per_run=True),
    later("parser_version", "INTEGER", per_run=True),
    Property("table_version", "STRING", "digest of the reference table", per_run=True),
    Property("options", "STRING", "JSON with sorted keys", per_run=True),
    Property("n_files", "INTEGER", per_run=True),
    later("n_instances", "INTEGER", "instances written", per_run=True),
    Property("n_rejected", "INTEGER", per_run=True),
    Property("counts", "STRING", "JSON: files by end state", per_run=True),
)
EQUIPMENT = (
    Property("key", "STRING", "maker, model and serial number (else station), by vertical bars"),
    *kept("Manufacturer ManufacturerModelName DeviceSerialNumber StationName"),
    Property("kind", "STRING", "Scanner, TreatmentMachine or PlanningSystem, its second label"),
)
STANDARD_NAME = (
    Property("name", "STRING", "as in TG-263"),
    Property("category", "STRING"),
    Property("side", "STRING", "LEFT or RIGHT, when the name has one"),
    Property("description", "STRING"),
    Property("list_version", "STRING"),
)
NAME_DECISION = (
    Property("name", "STRING", "an ROI name as written"),
    Property("standard", "STRING", "the standard name that it stands for here"),
    Property("reviewer", "STRING", "who decided"),
    Property("reviewed", "DATE", "when"),
)


@dataclass(frozen=True, slots=True)
class NodeType:
    """A label, the property that identifies its nodes, and its properties."""

    label: str
    key: str
    properties: tuple[Property, ...]


NODE_TYPES = (
    NodeType("Patient", "patient_key", PATIENT),
    NodeType("Study", "StudyInstanceUID", STUDY),
    NodeType("Series", "SeriesInstanceUID", SERIES),
    NodeType("Instance", "SOPInstanceUID", INSTANCE),
    NodeType("FrameOfReference", "FrameOfReferenceUID", FRAME),
    *(NodeType(p.label, "key", p.properties) for p in PARTS),
    *(NodeType(s.label, s.key, s.properties) for s in SHARED),
    NodeType("Equipment", "key", EQUIPMENT),
    NodeType("StandardName", "name", STANDARD_NAME),
    NodeType("NameDecision", "name", NAME_DECISION),
    NodeType("File", "path", FILE),
    NodeType("Root", "name", (Property("name", "STRING"),
                              Property("path", "STRING", per_run=True))),
    NodeType("ReferenceRole", "role", (
        Property("role", "STRING"), Property("severity", "STRING"),
        Property("quiet", "BOOLEAN"), Property("targets", "LIST<STRING>"))),
    NodeType("IngestRun", "id", RUN),
    NodeType("RetrieveRun", "id", RETRIEVE_RUN),
    NodeType("Issue", "key", ISSUE),
    NodeType("ValidationRun", "id", VALIDATION_RUN),
    NodeType("Cohort", "name", COHORT),
    NodeType("ExportRun", "id", EXPORT_RUN),
    NodeType("Sample", "key", SAMPLE),
    NodeType("DoseSelection", "key", DOSE_SELECTION),
)

"""Node types, families and relationship types: declared once, everything else is derived."""

from dataclasses import dataclass

from rtgraph.graphmodel.properties import Property, kept

PATIENT = (
    Property("patient_key", "STRING", "keyed hash of issuer and PatientID, or of the study UID"),
    *kept("PatientID IssuerOfPatientID PatientName PatientBirthDate PatientSex"),
    Property("n_studies", "INTEGER", "counted"),
    Property("props_from", "STRING", "SOPInstanceUID that supplied the values: the smallest"),
)
STUDY = (
    *kept("StudyInstanceUID StudyDate StudyTime StudyDescription StudyID AccessionNumber "
          "PatientAge PatientWeight PatientSize"),
    Property("study_datetime", "LOCAL DATETIME", "StudyDate and StudyTime"),
    Property("modalities", "LIST<STRING>", "distinct Modality of its series"),
    Property("n_series", "INTEGER", "counted"),
    Property("n_instances", "INTEGER", "counted"),
    Property("unsettled", "BOOLEAN",
             "true while a file that was not at hand may state that its objects are elsewhere"),
    Property("props_from", "STRING", "SOPInstanceUID that supplied the values: the smallest"),
)
# What is constant over an image series lives on the series, so that slices stay lean.
IMAGE_SERIES = (
    *kept("Rows Columns PixelSpacing SliceThickness ImageOrientationPatient GantryDetectorTilt "
          "ImageType KVP ConvolutionKernel ReconstructionDiameter ScanOptions "
          "ContrastBolusAgent MagneticFieldStrength ScanningSequence SequenceVariant "
          "MRAcquisitionType RepetitionTime EchoTime InversionTime FlipAngle DiffusionBValue "
          "Units CorrectedImage DecayCorrection SeriesType ReconstructionMethod"),
)
SERIES = (
    *kept("SeriesInstanceUID Modality SeriesNumber SeriesDescription SeriesDate SeriesTime "
          "ProtocolName BodyPartExamined Laterality PatientPosition Manufacturer "
          "ManufacturerModelName StationName DeviceSerialNumber SoftwareVersions "
          "InstitutionName TreatmentSessionUID"),
    *IMAGE_SERIES,
    Property("series_datetime", "LOCAL DATETIME",
             "SeriesDate and SeriesTime, else acquisition, else content"),
    Property("layer", "INTEGER", "row of the modality table"),
    Property("sop_classes", "LIST<STRING>", "distinct SOP classes of its instances"),
    Property("modalities_seen", "LIST<STRING>", "distinct Modality values of its instances"),
    Property("n_instances", "INTEGER", "ingested instances"),
    Property("n_missing_instances", "INTEGER", "missing instances that references place here"),
    Property("frame_uids", "LIST<STRING>", "distinct module frames of its instances"),
    Property("anchor_rank", "INTEGER", "choice of the anchor of a star of SHARES_FOR, 0 to 6"),
    Property("n_unresolved_refs", "INTEGER", "references whose target is in no series yet"),
    Property("internal_roles", "LIST<STRING>", "roles of references inside the series"),
    Property("dirty", "BOOLEAN",
             "true while the derived pass has to come, false before its last step"),
    Property("referred_by_patients", "LIST<STRING>", "missing ones only: who refers to it"),
    Property("props_from", "STRING", "SOPInstanceUID that supplied the values: the smallest"),
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
    Property("parser_version", "INTEGER", "raised when reading the same file gives other facts"),
    Property("run_id", "STRING", "the IngestRun that last wrote it", per_run=True),
    Property("stated_sop_class", "STRING", "missing ones only: the class references state"),
    Property("first_seen_run", "STRING", "missing ones only", per_run=True),
    Property("referred_by_patients", "LIST<STRING>", "missing ones only: who refers to it"),
)


@dataclass(frozen=True, slots=True)
class Family:
    """Objects that share labels and properties besides those of every instance.

    `roots` are SOP Class UIDs without the storage prefix; one that ends in a point stands for all
    classes below it.
    """

    labels: tuple[str, ...]
    roots: tuple[str, ...]
    modality: str
    properties: tuple[Property, ...] = ()

    @property
    def is_image(self) -> bool:
        """Tell whether these are image objects, whose references start at their series."""
        return "Image" in self.labels


STORAGE = "1.2.840.10008.5.1.4.1.1."
_LONG_DECIMALS = Property("n_long_decimals", "INTEGER",
                          "decimal strings above 16 characters among those that are read")
_STRUCTURE_SET = (
    *kept("StructureSetLabel StructureSetName StructureSetDate StructureSetTime ApprovalStatus "
          "ReviewDate"),
    Property("structure_set_datetime", "LOCAL DATETIME", "date and time combined"),
    Property("n_rois", "INTEGER", "items of StructureSetROISequence"),
    Property("roi_names", "LIST<STRING>", "as written"),
    _LONG_DECIMALS,
)
_PLAN = (
    *kept("RTPlanLabel RTPlanName RTPlanDate RTPlanTime PlanIntent RTPlanGeometry "
          "TreatmentProtocols TreatmentSite ApprovalStatus ReviewDate"),
    Property("plan_datetime", "LOCAL DATETIME", "date and time combined"),
    Property("n_beams", "INTEGER", "items of BeamSequence or IonBeamSequence"),
    Property("n_treatment_beams", "INTEGER", "delivery type TREATMENT or absent"),
    Property("n_setup_beams", "INTEGER", "delivery type SETUP"),
    Property("n_fraction_groups", "INTEGER", "items of FractionGroupSequence"),
    Property("n_fractions_planned", "INTEGER", "sum over fraction groups"),
    _LONG_DECIMALS,
)
_DOSE = (
    *kept("DoseUnits DoseType DoseSummationType DoseComment TissueHeterogeneityCorrection "
          "SpatialTransformOfDose NormalizationPoint DoseGridScaling Rows Columns "
          "PixelSpacing ImageOrientationPatient"),
    Property("n_grid_offsets", "INTEGER", "length of GridFrameOffsetVector"),
    Property("n_dvh", "INTEGER", "items of DVHSequence"),
    _LONG_DECIMALS,
)
_RT_IMAGE = (
    *kept("RTImageLabel RTImagePlane RadiationMachineName GantryAngle RTImageSID "
          "ReferencedBeamNumber FractionNumber ReferencedFractionGroupNumber "
          "ReportedValuesOrigin"),
    _LONG_DECIMALS,
)
_RECORD = (
    *kept("TreatmentDate TreatmentTime CurrentTreatmentStatus NumberOfFractionsPlanned "
          "TreatmentRecordContentOrigin"),
    Property("treatment_datetime", "LOCAL DATETIME", "date and time combined"),
    _LONG_DECIMALS,
)
_CONTENT = kept("ContentLabel")
_REPORT = kept("CompletionFlag VerificationFlag")
_DOCUMENT = kept("DocumentTitle MIMETypeOfEncapsulatedDocument")

# The first family whose root fits is taken, so the special ones stand before the general ones.
FAMILIES = (
    Family(("Image", "CTImage"), ("2", "2.1", "2.2"), "CT"),
    Family(("Image", "MRImage"), ("4", "4.1", "4.2", "4.3", "4.4"), "MR"),
    Family(("Image", "PTImage"), ("128", "128.1", "130"), "PT"),
    Family(("RTStruct",), ("481.3",), "RTSTRUCT", _STRUCTURE_SET),
    Family(("RTPlan",), ("481.5",), "RTPLAN", _PLAN),
    Family(("RTPlan", "RTIonPlan"), ("481.8",), "RTPLAN", _PLAN),
    Family(("RTDose",), ("481.2",), "RTDOSE", _DOSE),
    Family(("RTImage",), ("481.1", "481.23", "481.24"), "RTIMAGE", _RT_IMAGE),
    Family(("RTRecord",), ("481.4", "481.6", "481.7", "481.9"), "RTRECORD", _RECORD),
    Family(("RTInstruction",), ("481.21", "481.25", "1.2.840.10008.5.1.4.34.7",
                                "1.2.840.10008.5.1.4.34.10"), "PLAN"),
    Family(("RTIntent",), ("481.10",), "RTINTENT"),
    Family(("RTSegmentAnnotation",), ("481.11",), "RTSEGANN"),
    Family(("RTRadiationSet",), ("481.12",), "RTRAD"),
    Family(("RTRadiation",), ("481.13", "481.14", "481.15"), "RTRAD"),
    Family(("RTRadiationRecord",), ("481.16", "481.17", "481.18", "481.19", "481.20"), "RTRAD"),
    Family(("RTPreparation",), ("481.22",), "PLAN"),
    Family(("Registration",), ("66.1",), "REG", _CONTENT),
    Family(("Registration", "DeformableRegistration"), ("66.3",), "REG", _CONTENT),
    Family(("Segmentation",), ("66.4", "66.5", "66.7"), "SEG",
           (*_CONTENT, *kept("SegmentationType"))),
    Family(("Fiducials",), ("66.2",), "FID", _CONTENT),
    Family(("RawData",), ("66",), "RAW"),
    Family(("RealWorldMap",), ("67",), "RWV", _CONTENT),
    Family(("ParametricMap",), ("30",), "OT", _CONTENT),
    Family(("PresentationState",), ("11.",), "PR", _CONTENT),
    Family(("KeyObject",), ("88.59",), "KO"),
    Family(("StructuredReport", "DoseReport"), ("88.67", "88.68", "88.76"), "SR", _REPORT),
    Family(("StructuredReport",), ("88.",), "SR", _REPORT),
    Family(("EncapsulatedDocument",), ("104.",), "DOC", _DOCUMENT),
    # stereometric relationships are no image, but stand among the visible light images
    Family((), ("77.1.5.3",), ""),
    Family(("Image",), ("1", "1.", "3", "3.1", "5", "6", "6.", "7", "7.", "12.", "13.", "14.",
                        "20", "77.1", "77.1.", "77.2"), "OT"),
)
NO_FAMILY = Family((), (), "")
FAMILY_LABELS = tuple(dict.fromkeys(label for f in FAMILIES for label in f.labels))


def family(sop_class: str | None) -> Family:
    """Return the family of a SOP class; private and unknown ones belong to none."""
    for row in FAMILIES:
        for root in row.roots:
            full = root if root.startswith("1.2.") else STORAGE + root
            if sop_class == full or (full.endswith(".") and (sop_class or "").startswith(full)):
                return row
    return NO_FAMILY


FRAME = (
    Property("FrameOfReferenceUID", "STRING"),
    Property("kind", "STRING", "PATIENT or WELL_KNOWN"),
    Property("n_series", "INTEGER", "counted"),
    Property("n_patients", "INTEGER", "counted"),
    Property("patient_key", "STRING", "when the frame is used by exactly one patient"),
    Property("share_mode", "STRING", "CLIQUE, STAR or NONE"),
    Property("dirty", "BOOLEAN", "true while SHARES_FOR waits for the derived pass"),
)
FILE = (
    Property("path", "STRING", "root-name:relative/path"),
    Property("size", "INTEGER", "bytes"),
    Property("mtime", "INTEGER", "modification time, ns since 1970"),
    Property("parser_version", "INTEGER", "of the reader that saw it"),
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
    Property("parser_version", "INTEGER", per_run=True),
    Property("table_version", "STRING", "digest of the reference table", per_run=True),
    Property("options", "STRING", "JSON with sorted keys", per_run=True),
    Property("n_files", "INTEGER", per_run=True),
    Property("n_instances", "INTEGER", "instances written", per_run=True),
    Property("n_rejected", "INTEGER", per_run=True),
    Property("counts", "STRING", "JSON: files by end state", per_run=True),
)
ISSUE = (
    Property("key", "STRING", "rule, series, keyword and reason"),
    *(Property(n, "STRING") for n in (
        "rule", "severity", "status", "patient_key", "subject", "subject_label", "keyword",
        "raw", "reason", "first")),
    Property("confidence", "FLOAT", "1.0 for what files state"),
    Property("count", "INTEGER", "instances concerned"),
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
    NodeType("File", "path", FILE),
    NodeType("Root", "name", (Property("name", "STRING"),
                              Property("path", "STRING", per_run=True))),
    NodeType("ReferenceRole", "role", (
        Property("role", "STRING"), Property("severity", "STRING"),
        Property("quiet", "BOOLEAN"), Property("targets", "LIST<STRING>"))),
    NodeType("IngestRun", "id", RUN),
    NodeType("Issue", "key", ISSUE),
)


@dataclass(frozen=True, slots=True)
class RelationshipType:
    """A relationship type, its ends, its properties and whether it is stated or derived."""

    # (:RTDose)-[:REFERENCES {role: 'DOSE_PLAN'}]->(:RTPlan)
    name: str
    ends: str
    properties: tuple[str, ...]
    derived: bool = False


RELATIONSHIP_TYPES = (
    RelationshipType("HAS_STUDY", "Patient to Study", ()),
    RelationshipType("HAS_SERIES", "Study to Series", ()),
    RelationshipType("HAS_INSTANCE", "Series to Instance", ("stated",)),
    RelationshipType("STORED_AS", "Instance to File", ()),
    RelationshipType("REFERENCES", "Instance to Instance; Series of image objects to Instance",
                     ("role", "n", "path_id", "path", "stated_sop_class", "relationship",
                      "purpose", "frames", "segments")),
    RelationshipType("REFERENCES", "Series to Series",
                     ("role", "n_sources", "n_targets", "n_present", "n_missing", "complete",
                      "cross_study", "cross_patient"), derived=True),
    RelationshipType("REFERENCES_SERIES", "Instance or Series to Series",
                     ("role", "n", "path_id")),
    RelationshipType("REFERENCES_STUDY", "Instance or Series to Study", ("role", "n", "path_id")),
    RelationshipType("REFERENCES_FRAME", "Instance or Series to FrameOfReference",
                     ("role", "n", "path_id")),
    RelationshipType("IN_FRAME", "Series to FrameOfReference", ("source", "n_instances"),
                     derived=True),
    RelationshipType("SHARES_FOR", "Series to Series", ("FrameOfReferenceUID", "mode"),
                     derived=True),
    RelationshipType("ABOUT", "Issue to Series", (), derived=True),
)

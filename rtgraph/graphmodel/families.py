"""Families of objects: SOP classes that share labels and properties."""

from dataclasses import dataclass
from functools import lru_cache

from rtgraph.graphmodel.measured import DOSE_MEASURES, SET_MEASURES
from rtgraph.graphmodel.properties import Property, kept, later


@dataclass(frozen=True, slots=True, eq=False)
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
                          "decimal strings above 16 characters among those that are read; "
                          "after the geometry pass, of structure sets, among all")
_STRUCTURE_SET = (
    *kept("StructureSetLabel StructureSetName StructureSetDate StructureSetTime ApprovalStatus "
          "ReviewDate"),
    Property("structure_set_datetime", "LOCAL DATETIME", "date and time combined"),
    Property("n_rois", "INTEGER", "items of StructureSetROISequence"),
    Property("n_rois_with_contours", "INTEGER", "ROIs with at least one contour"),
    Property("roi_names", "LIST<STRING>", "as written"),
    Property("target_names", "LIST<STRING>", "ROIs of type GTV, CTV or PTV"),
    Property("duplicate_roi_numbers", "LIST<INTEGER>", "empty when valid"),
    Property("orphan_observations", "LIST<INTEGER>",
             "ROI numbers of observations that name no ROI of the set"),
    Property("orphan_contours", "LIST<INTEGER>",
             "ROI numbers of ROIContourSequence that name no ROI of the set"),
    Property("listed_series", "LIST<STRING>", "SeriesInstanceUID of RTReferencedSeriesSequence"),
    Property("n_frames_of_reference", "INTEGER",
             "distinct frames of ReferencedFrameOfReferenceSequence"),
    _LONG_DECIMALS,
    *SET_MEASURES,
)
_PLAN = (
    *kept("RTPlanLabel RTPlanName RTPlanDate RTPlanTime PlanIntent RTPlanGeometry "
          "TreatmentProtocols TreatmentSite ApprovalStatus ReviewDate"),
    Property("plan_datetime", "LOCAL DATETIME", "date and time combined"),
    Property("n_beams", "INTEGER", "items of BeamSequence or IonBeamSequence"),
    Property("n_treatment_beams", "INTEGER", "delivery type TREATMENT or absent"),
    Property("n_setup_beams", "INTEGER", "delivery type SETUP"),
    Property("n_application_setups", "INTEGER", "items of ApplicationSetupSequence"),
    Property("n_fraction_groups", "INTEGER", "items of FractionGroupSequence"),
    Property("n_fractions_planned", "INTEGER", "sum over fraction groups"),
    Property("prescription_dose_gy", "FLOAT",
             "largest TargetPrescriptionDose of targets, else sum of BeamDose times fractions"),
    Property("prescription_source", "STRING", "DOSE_REFERENCE, BEAM_DOSE or NONE"),
    Property("dose_per_fraction_gy", "FLOAT", "prescription by fractions, with one group only"),
    Property("radiation_types", "LIST<STRING>", "of treatment beams, sorted"),
    Property("nominal_energies", "LIST<FLOAT>", "MV or MeV, of treatment beams, sorted"),
    Property("fluence_modes", "LIST<STRING>", "STANDARD, or NON_STANDARD and its id, sorted"),
    Property("technique", "STRING", "the most complex of the treatment beams"),
    Property("technique_rule", "STRING", "version of the rules of plans"),
    Property("machines", "LIST<STRING>", "distinct TreatmentMachineName"),
    Property("total_mu", "FLOAT", "sum of BeamMeterset of beams in MU, one fraction"),
    Property("patient_positions", "LIST<STRING>", "of PatientSetupSequence, sorted"),
    Property("isocenters", "LIST<FLOAT>", "distinct, as triples one behind the other, mm"),
    Property("duplicate_numbers", "LIST<STRING>",
             "numbers that two parts of one kind have, as Beam:1; empty when valid"),
    _LONG_DECIMALS,
)
_DOSE = (
    *kept("DoseUnits DoseType DoseSummationType DoseComment TissueHeterogeneityCorrection "
          "SpatialTransformOfDose NormalizationPoint DoseGridScaling Rows Columns "
          "PixelSpacing ImageOrientationPatient"),
    Property("has_pixel_data", "BOOLEAN", "true when the file holds a grid"),
    Property("n_grid_offsets", "INTEGER", "length of GridFrameOffsetVector"),
    Property("offsets_form", "STRING",
             "RELATIVE (the first is 0), ABSOLUTE (they are positions) or INVALID"),
    Property("offsets_monotonic", "BOOLEAN", "strictly rising or strictly falling"),
    Property("offsets_uniform", "BOOLEAN", "steps equal within 0.01 mm"),
    Property("grid_spacing_z", "FLOAT", "median step, mm"),
    Property("grid_origin", "LIST<FLOAT>", "ImagePositionPatient, mm"),
    Property("n_dvh", "INTEGER", "items of DVHSequence"),
    later("unresolved_sub_refs", "LIST<STRING>",
             "parts that the plan does not have, as Beam:3; absent without the plan"),
    _LONG_DECIMALS,
    *DOSE_MEASURES,
)
_RT_IMAGE = (
    *kept("RTImageLabel RTImagePlane RadiationMachineName GantryAngle RTImageSID "
          "ReferencedBeamNumber FractionNumber ReferencedFractionGroupNumber "
          "ReportedValuesOrigin"),
    Property("image_kind", "STRING", "value 3 of ImageType: DRR, PORTAL, SIMULATOR, RADIOGRAPH, "
                                     "BLANK or FLUENCE"),
    _LONG_DECIMALS,
)
_RECORD = (
    *kept("RTPlanLabel TreatmentDate TreatmentTime CurrentTreatmentStatus NumberOfFractionsPlanned "
          "TreatmentRecordContentOrigin"),
    Property("treatment_datetime", "LOCAL DATETIME", "date and time combined"),
    Property("n_beams_delivered", "INTEGER", "items of the session sequence"),
    _LONG_DECIMALS,
)
_SET = (
    Property("n_position_groups", "INTEGER", "items of TreatmentPositionGroupSequence"),
    Property("n_radiations", "INTEGER", "items of RTRadiationSequence"),
)
_CONTENT = kept("ContentLabel")
_TITLE = (
    Property("title_code", "STRING", "concept name of the document, scheme^value"),
    Property("title_meaning", "STRING", "its CodeMeaning"),
)
_REPORT = (
    *kept("CompletionFlag VerificationFlag"), *_TITLE,
    Property("template_id", "STRING", "TemplateIdentifier of the root content item"),
)
_DOCUMENT = (*kept("DocumentTitle MIMETypeOfEncapsulatedDocument"), *_TITLE)

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
    Family(("RTRadiationSet",), ("481.12",), "RTRAD", _SET),
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
    Family(("KeyObject",), ("88.59",), "KO", _REPORT),
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


@lru_cache(1024)  # a file may state any class
def family(sop_class: str | None) -> Family:
    """Return the family of a SOP class; private and unknown ones belong to none."""
    for row in FAMILIES:
        for root in row.roots:
            full = root if root.startswith("1.2.") else STORAGE + root
            if sop_class == full or (full.endswith(".") and (sop_class or "").startswith(full)):
                return row
    return NO_FAMILY

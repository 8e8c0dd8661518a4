"""Parts of objects that are nodes: declared once, everything else is derived.

A part stands below its object: `(Instance)-[:HAS_BEAM {index}]->(Beam)`. Its key is the SOP
Instance UID and a suffix, such as "#B1" for beam number 1; numbers are unique in their object
only. Of two items with one number the second gets ".2" behind it, and one without a number its
place in the sequence: neither is lost.
"""

from dataclasses import dataclass
from functools import cache

from rtgraph.graphmodel.measured import DVH_MEASURES, ROI_MEASURES
from rtgraph.graphmodel.properties import Property, kept, later

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PartType:
    """A kind of part.

    `number` is the attribute that numbers the items, "" for their order. `stated` are the
    attributes that become properties, by the path to the items that hold them; `derived` follow
    from rules. `level` is the word of the reference table for edges that start here.
    """

    label: str
    relationship: str
    letter: str
    number: str
    stated: tuple[tuple[Path, tuple[Property, ...]], ...]
    derived: tuple[Property, ...] = ()
    level: str = ""

    @property
    def properties(self) -> tuple[Property, ...]:
        """All properties of the node, each once."""
        return _properties(self)

    def at(self, *path: str) -> tuple[Property, ...]:
        """Return the attributes that the items at a path become."""
        return next(properties for where, properties in self.stated if where == path)


@cache
def _properties(part: PartType) -> tuple[Property, ...]:
    rows = (KEY, *(p for _, properties in part.stated for p in properties), *part.derived)
    return tuple({p.name: p for p in rows}.values())


KEY = Property("key", "STRING", "SOP Instance UID of the object, and its number in it")
_CODES = Property("codes", "LIST<STRING>", "scheme^value of what it is, sorted")
_ROI_REFS = Property("roi_refs", "LIST<STRING>", "ROIs it names, as USE:number")
_LOST_ROIS = later("unresolved_roi_numbers", "LIST<INTEGER>",
                      "ROI numbers that the structure set does not have; absent without the set")
_SOURCES = Property("derived_from", "LIST<STRING>",
                    "keys of the parts, and UIDs of the fiducials, that it was made from")

ROI = PartType(
    "ROI", "HAS_ROI", "", "ROINumber", level="roi",
    stated=(
        (("StructureSetROISequence",), kept(
            "ROINumber ROIName ROIDescription ROIGenerationAlgorithm "
            "ReferencedFrameOfReferenceUID ROIVolume")),
        (("RTROIObservationsSequence",), kept("RTROIInterpretedType ROIObservationLabel")),
    ),
    derived=(
        Property("name_norm", "STRING", "ROIName without case, blanks collapsed"),
        Property("name_file", "STRING", "ROIName as it stands in names of files"),
        Property("n_observations", "INTEGER", "items of RTROIObservationsSequence that name it"),
        Property("n_contours", "INTEGER", "items of ContourSequence; 0 when the ROI has none"),
        Property("n_images", "INTEGER", "distinct images that its contours name"),
        Property("n_points", "INTEGER", "sum of NumberOfContourPoints"),
        Property("contour_types", "LIST<STRING>", "distinct ContourGeometricType, sorted"),
        Property("physical_density", "FLOAT",
                 "override of REL_ELEC_DENSITY, else of REL_MASS_DENSITY"),
        _CODES, _SOURCES, *ROI_MEASURES,
    ))

_BEAM = ("BeamNumber BeamName BeamType RadiationType TreatmentDeliveryType HighDoseTechniqueType "
         "TreatmentMachineName NumberOfControlPoints NumberOfWedges NumberOfBlocks NumberOfBoli "
         "FinalCumulativeMetersetWeight")
_AT_FIRST = kept("NominalBeamEnergy BeamLimitingDeviceAngle PatientSupportAngle IsocenterPosition")
BEAM = PartType(
    "Beam", "HAS_BEAM", "B", "BeamNumber",
    stated=(
        (("BeamSequence",), kept(f"{_BEAM} SourceAxisDistance")),
        (("IonBeamSequence",), kept(f"{_BEAM} ScanMode")),
        (("BeamSequence", "ControlPointSequence"), _AT_FIRST),
        (("IonBeamSequence", "IonControlPointSequence"), _AT_FIRST),
    ),
    derived=(
        Property("fluence_mode", "STRING", "STANDARD, or NON_STANDARD and its id"),
        Property("gantry_start", "FLOAT", "degrees, first control point"),
        Property("gantry_stop", "FLOAT", "degrees, last control point that states it"),
        Property("gantry_span", "FLOAT", "degrees travelled, both ways"),
        Property("beam_energy_min", "FLOAT", "ion beams, over the control points"),
        Property("beam_energy_max", "FLOAT", "ion beams, over the control points"),
        Property("technique", "STRING", "of this beam, by the rule of the plan"),
        _ROI_REFS, _LOST_ROIS,
    ))
FRACTION_GROUP = PartType(
    "FractionGroup", "HAS_FRACTION_GROUP", "F", "FractionGroupNumber",
    stated=((("FractionGroupSequence",), kept(
        "FractionGroupNumber NumberOfFractionsPlanned NumberOfBeams "
        "NumberOfBrachyApplicationSetups")),),
    derived=(
        Property("unresolved_beam_numbers", "LIST<INTEGER>",
                 "beams that the plan does not have; empty when valid"),
        Property("unresolved_setup_numbers", "LIST<INTEGER>",
                 "application setups that the plan does not have; empty when valid"),
    ))
DOSE_REFERENCE = PartType(
    "DoseReference", "HAS_DOSE_REFERENCE", "D", "DoseReferenceNumber", level="dose_reference",
    stated=((("DoseReferenceSequence",), kept(
        "DoseReferenceNumber DoseReferenceUID DoseReferenceStructureType DoseReferenceType "
        "DoseReferenceDescription TargetPrescriptionDose TargetMinimumDose TargetMaximumDose "
        "OrganAtRiskMaximumDose DeliveryMaximumDose ReferencedROINumber")),),
    derived=(_LOST_ROIS,))
APPLICATION_SETUP = PartType(
    "ApplicationSetup", "HAS_APPLICATION_SETUP", "A", "ApplicationSetupNumber",
    stated=(
        (("ApplicationSetupSequence",), kept(
            "ApplicationSetupNumber ApplicationSetupType TotalReferenceAirKerma")),
        ((), kept("BrachyTreatmentTechnique BrachyTreatmentType")),
    ),
    derived=(
        Property("n_channels", "INTEGER", "items of ChannelSequence"),
        Property("source_isotopes", "LIST<STRING>", "of the sources of its channels, sorted"),
        _ROI_REFS, _LOST_ROIS,
    ))
DVH = PartType(
    "DVH", "HAS_DVH", "V", "",
    stated=((("DVHSequence",), kept(
        "DVHType DoseUnits DoseType DVHVolumeUnits DVHMinimumDose DVHMaximumDose DVHMeanDose "
        "DVHNumberOfBins")),),
    derived=(
        Property("stored_volume_cc", "FLOAT", "total volume of the stored curve, when in CM3"),
        _ROI_REFS, _LOST_ROIS, *DVH_MEASURES,
    ))
_SESSION = ("CurrentFractionNumber TreatmentDeliveryType TreatmentTerminationStatus "
            "TreatmentVerificationStatus")
_SESSION_BEAM = (f"ReferencedBeamNumber BeamName {_SESSION} SpecifiedPrimaryMeterset "
                 "DeliveredPrimaryMeterset")
BEAM_DELIVERY = PartType(
    "BeamDelivery", "HAS_DELIVERY", "T", "",
    stated=(
        (("TreatmentSessionBeamSequence",), kept(_SESSION_BEAM)),
        (("TreatmentSessionIonBeamSequence",), kept(_SESSION_BEAM)),
        (("TreatmentSessionApplicationSetupSequence",), kept(
            f"ReferencedBrachyApplicationSetupNumber {_SESSION}")),
        (("TreatmentMachineSequence",), kept("TreatmentMachineName")),
    ))
TRANSFORM = PartType(
    "Transform", "HAS_TRANSFORM", "R", "",
    stated=(),
    derived=(
        Property("item", "INTEGER", "number of the item, from 1"),
        Property("side", "STRING", "REGISTERED when its frame is that of the object, else SOURCE"),
        Property("item_frame_uid", "STRING", "the frame that the item states"),
        Property("matrix", "LIST<FLOAT>",
                 "16 values row major, mm, all matrices of the item in one; absent for DEFORMABLE "
                 "or when one is not 16 numbers"),
        Property("matrix_type", "STRING", "RIGID, RIGID_SCALE, AFFINE or DEFORMABLE"),
        Property("is_identity", "BOOLEAN", "within 1e-6"),
        Property("determinant", "FLOAT", "of the rotation part, 3 by 3"),
        Property("rotation_error", "FLOAT",
                 "largest absolute element of its transpose times itself, minus identity"),
        Property("n_matrices", "INTEGER", "items of MatrixSequence"),
        Property("registration_type", "STRING", "code of RegistrationTypeCodeSequence"),
        Property("grid_dimensions", "LIST<INTEGER>", "deformable: voxels of the vector grid"),
        Property("grid_resolution", "LIST<FLOAT>", "deformable: mm"),
        Property("legacy", "BOOLEAN", "true for the retired transforms in structure sets"),
    ))
SEGMENT = PartType(
    "Segment", "HAS_SEGMENT", "S", "SegmentNumber", level="segment",
    stated=((("SegmentSequence",), kept(
        "SegmentNumber SegmentLabel SegmentAlgorithmType SegmentAlgorithmName TrackingUID")),),
    derived=(_CODES, _SOURCES))
PRESCRIPTION = PartType(
    "Prescription", "HAS_PRESCRIPTION", "P", "RTPrescriptionIndex",
    stated=(),
    derived=(
        Property("index", "INTEGER", "RTPrescriptionIndex"),
        Property("label", "STRING", "RTPrescriptionLabel"),
        Property("intent", "STRING", "RTTreatmentIntentType of the intent it names"),
        Property("n_fractions", "INTEGER", "NumberOfFractions"),
        Property("objective_types", "LIST<STRING>",
                 "codes of its dosimetric objectives, in the order of objective_doses_gy"),
        Property("objective_doses_gy", "LIST<FLOAT>", "their doses; a negative number is none"),
    ))
PARTS = (ROI, BEAM, FRACTION_GROUP, DOSE_REFERENCE, APPLICATION_SETUP, DVH, BEAM_DELIVERY,
         TRANSFORM, SEGMENT, PRESCRIPTION)

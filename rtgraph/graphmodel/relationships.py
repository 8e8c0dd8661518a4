"""Relationship types: what they join, what they carry, and whether files state them.

`keys` are the properties that tell two edges between the same nodes apart. A derived type can be
taken away and rebuilt from stored facts without reading files.
"""

from dataclasses import dataclass

from rtgraph.graphmodel.archive import REQUESTED, STATED
from rtgraph.graphmodel.parts import PARTS
from rtgraph.graphmodel.properties import Property, kept
from rtgraph.graphmodel.shared import SHARED


@dataclass(frozen=True, slots=True)
class RelationshipType:
    """A relationship type: name, ends in words, properties with their types."""

    # (:RTDose)-[:REFERENCES {role: 'DOSE_PLAN'}]->(:RTPlan)
    name: str
    ends: str
    properties: tuple[Property, ...] = ()
    keys: tuple[str, ...] = ()
    derived: bool = False


def _text(name: str, note: str) -> Property:
    return Property(name, "STRING", note)


def _count(name: str, note: str) -> Property:
    return Property(name, "INTEGER", note)


ROLE = _text("role", "meaning of the reference, from the reference table")
_N = _count("n", "items that state it; not where a series of images refers")
_PATH_ID = _text("path_id", "row of the reference table; of several the first by alphabet")
_PURPOSE = Property("purpose", "LIST<STRING>", "PurposeOfReferenceCodeSequence, scheme^value")
# What an edge between objects keeps besides these, in the order of its rows.
QUALIFIERS = (
    Property("frames", "LIST<INTEGER>", "ReferencedFrameNumber"),
    Property("segments", "LIST<INTEGER>", "ReferencedSegmentNumber"),
    _PURPOSE,
    Property("derivation", "LIST<STRING>", "DerivationCodeSequence, scheme^value"),
    Property("concept", "LIST<STRING>", "ConceptNameCodeSequence of the item, scheme^value"),
    Property("roi_numbers", "LIST<INTEGER>", "ROIs that the reference concerns"),
    Property("beam_numbers", "LIST<INTEGER>", "beams that the reference concerns"),
    Property("setup_numbers", "LIST<INTEGER>", "application setups that it concerns"),
    Property("fraction_groups", "LIST<INTEGER>", "fraction groups that it concerns"),
    Property("control_points", "LIST<INTEGER>", "first and last control point of a dose"),
    Property("items", "LIST<INTEGER>", "items of a registration that refer, from 1"),
    _text("side", "of a registration: REGISTERED (fixed) or SOURCE (moving)"),
    _text("summation", "DoseSummationType of a dose"),
    _text("relationship", "RTPlanRelationship as written"),
    Property("in_evidence", "BOOLEAN", "true when the evidence sequence lists the target too"),
    _text("path", "OTHER_REFERENCE only: where it stands, several joined by a vertical bar"),
)
_STATED_CLASS = _text("stated_sop_class", "ReferencedSOPClassUID")

RELATIONSHIP_TYPES = (
    RelationshipType("HAS_STUDY", "Patient to Study", (STATED,)),
    RelationshipType("HAS_SERIES", "Study to Series", (STATED,)),
    RelationshipType("HAS_INSTANCE", "Series to Instance", (
        Property("stated", "BOOLEAN", "true when only references or an archive place it there"),)),
    RelationshipType("STORED_AS", "Instance to File"),
    RelationshipType(
        "REFERENCES", "Instance to Instance; Series of image objects to Instance",
        (ROLE, _N, _PATH_ID, _STATED_CLASS, *QUALIFIERS), ("role",)),
    RelationshipType(
        "REFERENCES", "Series to Series", (
            ROLE,
            _count("n_sources", "objects that refer"),
            _count("n_targets", "distinct objects referred to"),
            _count("n_present", "of these, ingested"),
            _count("n_missing", "of these, missing"),
            Property("complete", "BOOLEAN", "every instance of the target, and none missing"),
            Property("cross_study", "BOOLEAN", "true when it leaves the study"),
            Property("cross_patient", "BOOLEAN", "true when it leaves the patient"),
        ), ("role",), derived=True),
    RelationshipType("REFERENCES_SERIES", "Instance, or Series of image objects, to Series",
                     (ROLE, _N, _PATH_ID, _PURPOSE), ("role",)),
    RelationshipType("REFERENCES_STUDY", "Instance, or Series of image objects, to Study",
                     (ROLE, _N, _PATH_ID, _PURPOSE), ("role",)),
    RelationshipType("REFERENCES_FRAME",
                     "Instance, or Series of image objects, to FrameOfReference",
                     (ROLE, _N, _PATH_ID), ("role",)),
    RelationshipType("IN_FRAME", "Series to FrameOfReference", (
        _text("source", "MODULE or STRUCTURE_SET"),
        _count("n_instances", "objects that state it")), ("source",), derived=True),
    RelationshipType("SHARES_FOR", "Series to Series", (
        *kept("FrameOfReferenceUID"), _text("mode", "CLIQUE or STAR")),
        ("FrameOfReferenceUID",), derived=True),
    RelationshipType("REGISTERED_TO", "FrameOfReference to FrameOfReference", (
        _text("reg_uid", "SOP Instance UID of the registration"),
        _text("transform_key", "key of the Transform"),
        _text("direction", "SOURCE_TO_REGISTERED or REGISTERED_TO_SOURCE: which way the stored "
                           "mapping works; the edge always leads to the registered frame"),
        _text("matrix_type", "as on Transform"),
        Property("is_identity", "BOOLEAN", "as on Transform"),
        *(Property(f"t{axis}", "FLOAT", "translation, mm") for axis in "xyz"),
        Property("content_date", "DATE", "of the registration"),
        Property("legacy", "BOOLEAN", "true for transforms of structure sets"),
    ), ("transform_key",), derived=True),
    *(RelationshipType(p.relationship, f"Instance to {p.label}",
                       (_count("index", "place in the sequence, from 1"),)) for p in PARTS),
    RelationshipType("CONTOURED_ON", "ROI to Series", (
        _count("n_contours", "contours on images of the series"),
        _count("n_images", "distinct images of them"))),
    RelationshipType("DEFINED_IN", "ROI to FrameOfReference"),
    RelationshipType("DERIVED_FROM", "ROI or Segment to ROI, Segment or Fiducial", derived=True),
    RelationshipType("RELATED_ROI", "ROI to ROI", (
        _text("relationship", "RTROIRelationship"),), ("relationship",)),
    RelationshipType("NAMED_AS", "ROI to StandardName", (
        Property("exact", "BOOLEAN", "true when the name is the standard one to the letter"),
        _text("method", "EXACT, CASEFOLD, SYNONYM or RULE"),
        Property("score", "FLOAT", "1.0 for EXACT, less for the others"),
        _text("reviewer", "who decided, where a person did: see NameDecision"),
        Property("reviewed", "DATE", "when")), derived=True),
    RelationshipType("CODED_AS", "ROI, Segment or Instance to Code", (
        _text("attribute", "keyword of the code sequence"),
        _text("meaning", "CodeMeaning as written")), ("attribute",)),
    RelationshipType("REPRESENTS", "ROI, Segment or Instance to ConceptualVolume"),
    RelationshipType("INCLUDES_BEAM", "FractionGroup to Beam", kept("BeamDose BeamMeterset")),
    RelationshipType("INCLUDES_SETUP", "FractionGroup to ApplicationSetup",
                     kept("BrachyApplicationSetupDose")),
    RelationshipType("FOR_DOSE_REFERENCE", "Beam, FractionGroup or ApplicationSetup to "
                                           "DoseReference"),
    RelationshipType("FROM_FRAME", "Transform to FrameOfReference"),
    RelationshipType("TO_FRAME", "Transform to FrameOfReference"),
    RelationshipType("TARGETS", "DoseReference to ROI", derived=True),
    RelationshipType("USES_ROI", "Beam or ApplicationSetup to ROI", (
        _text("use", "BOLUS, CHANNEL, SHIELD or ACCESSORY"),), ("use",), derived=True),
    RelationshipType("DOSE_OF", "RTDose to Beam, FractionGroup or ApplicationSetup", (
        Property("control_points", "LIST<INTEGER>", "as on REFERENCES"),), derived=True),
    RelationshipType("OF_ROI", "DVH to ROI", (
        _text("contribution", "INCLUDED or EXCLUDED"),), derived=True),
    RelationshipType("COVERS", "RTDose to ROI", (
        Property("fraction", "FLOAT", "geometry pass: share of the ROI inside the dose grid"),)),
    RelationshipType("DELIVERY_OF", "BeamDelivery to Beam or ApplicationSetup", derived=True),
    RelationshipType("IMAGES", "RTImage to Beam", (
        _count("fraction_number", "FractionNumber"),), derived=True),
    RelationshipType("APPLIES_TO", "Transform to Series", (
        _count("n_images", "images of the series that the item names"),), derived=True),
    RelationshipType("ACQUIRED_ON", "Series to Equipment", derived=True),
    RelationshipType("IN_SESSION", "Instance, or Series of image objects, to TreatmentSession"),
    RelationshipType("HAS_EVENT", "Instance, or Series of image objects, to IrradiationEvent"),
    RelationshipType("TRACKS", "Instance, Segment, or Series of image objects, to Tracking"),
    RelationshipType("IN_SYNC_FRAME", "Series to SyncFrame"),
    RelationshipType("PART_OF_STEP", "Instance, or Series of image objects, to ProcedureStep",
                     (ROLE,), ("role",)),
    RelationshipType(
        "STATES_UID", "Instance, DoseReference, ROI, or Series of image objects, to "
        + ", ".join(s.label for s in SHARED if s.key == "uid"), (ROLE,), ("role",)),
    RelationshipType("INFERRED_LINK", "any to any", (
        _text("method", "how it was guessed"),
        Property("confidence", "FLOAT", "0 to 1"),
        _text("rule_version", "of the method")), ("method",), derived=True),
    RelationshipType("REQUESTED", "RetrieveRun to Study or Series", REQUESTED),
    RelationshipType("ABOUT", "Issue to any node: its subject", derived=True),
    RelationshipType("FOUND_IN", "Issue to ValidationRun"),
    RelationshipType("HAS_MEMBER", "Cohort to any Patient, Study, Series or Instance"),
    RelationshipType("OF_COHORT", "ExportRun to Cohort"),
    RelationshipType("WROTE", "ExportRun to Sample"),
    RelationshipType("MADE_FROM", "Sample to Instance or Series", (
        _text("purpose", "IMAGE, STRUCTURES, PLAN, DOSE or REGISTRATION"),
        _text("digest", "header_digest that the object had"),
        _count("n_instances", "objects that the series had")), ("purpose",)),
    RelationshipType("USED_SELECTION", "Sample to DoseSelection"),
    RelationshipType("SELECTED", "DoseSelection to RTDose", (
        Property("weight", "FLOAT", "factor of the dose in the sum"),)),
    RelationshipType("REJECTED", "DoseSelection to RTDose", (
        _text("code", "why the dose was not taken"),)),
)
BY_NAME = {t.name: t for t in reversed(RELATIONSHIP_TYPES)}
# Edges that files state from an object, or from a series for its image objects, by start.
SHARED_EDGES = ("IN_SESSION", "HAS_EVENT", "TRACKS", "IN_SYNC_FRAME", "PART_OF_STEP",
                "STATES_UID", "REPRESENTS", "CODED_AS")
STATED_EDGES = ("REFERENCES", "REFERENCES_SERIES", "REFERENCES_STUDY", "REFERENCES_FRAME",
                *SHARED_EDGES)
OF_PARTS = tuple(p.relationship for p in PARTS)

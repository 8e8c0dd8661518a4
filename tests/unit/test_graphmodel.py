"""The declarations against the Standard's dictionary and the texts they were made from.

`references.json` is read here with the json module alone. What the rules of the design say about
roles, names, types and colours is written down or worked out again in this file.
"""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from pydicom import uid as uids
from pydicom._uid_dict import UID_dictionary
from pydicom.datadict import dictionary_VR, tag_for_keyword

import rtgraph
from rtgraph.graphmodel.families import FAMILIES, FAMILY_LABELS, family
from rtgraph.graphmodel.modalities import DEFAULT_FILL, SERIES_TYPES, SeriesType, series_type
from rtgraph.graphmodel.nodes import INSTANCE, NODE_TYPES
from rtgraph.graphmodel.properties import Property, kept, stated
from rtgraph.graphmodel.references import references, refinements, roles, tree
from rtgraph.graphmodel.relationships import RELATIONSHIP_TYPES
from rtgraph.graphmodel.schema import table_version

TABLE: dict[str, Any] = json.loads(
    (Path(rtgraph.__file__).parent / "graphmodel/references.json").read_text(encoding="utf-8"))
PATHS: list[dict[str, Any]] = TABLE["paths"]
ROLES: dict[str, dict[str, Any]] = {row["role"]: row for row in TABLE["roles"]}
LEVEL_OF_EDGE = {"REFERENCES": "instance", "REFERENCES_SERIES": "series",
                 "REFERENCES_STUDY": "study", "REFERENCES_FRAME": "frame_of_reference"}
WITH_POLICY = {"REFERENCES", "REFERENCES_SERIES", "REFERENCES_STUDY"}


# --- the reference table -------------------------------------------------------------------------

def test_the_table_is_complete_and_its_keys_are_unique() -> None:
    assert len(PATHS) == len({p["id"] for p in PATHS}) == 413
    assert len(TABLE["roles"]) == len(ROLES) == 128


@pytest.mark.parametrize("row", PATHS, ids=[p["id"] for p in PATHS])
def test_path_elements_are_keywords_of_the_right_kind(row: dict[str, Any]) -> None:
    kinds = []
    for step, tag_text in zip(row["path"], row["tags"], strict=True):
        if step != "**":
            tag = tag_for_keyword(step.removesuffix("*"))
            assert tag is not None
            assert f"({tag >> 16:04X},{tag & 0xFFFF:04X})" == tag_text.removesuffix("*")
            kinds.append(dictionary_VR(tag))
    assert set(kinds[:-1]) <= {"SQ"}
    assert kinds[-1] == "UI"


def test_rows_are_loaded_as_they_are_written() -> None:
    loaded = [
        (r.path_id, r.role, r.role_from, r.path, r.qualifiers, r.source_sop_classes,
         r.expected_targets, r.target_level, r.edge, r.start, r.lift, r.missing, r.tier)
        for r in references()]
    assert loaded == [
        (p["id"], p["role"], p["role_from"], tuple(p["path"]), tuple(p["qualifiers"]),
         frozenset(p["source_sop_classes"]), tuple(p["expected_targets"]), p["target_level"],
         p["edge"], p["from"], p["lift"], p["missing"], p["tier"])
        for p in PATHS]
    assert [(r.role, r.severity, r.quiet, list(r.targets)) for r in roles()] == [
        (r["role"], r["severity"], r["quiet"], r["targets"]) for r in TABLE["roles"]]



@pytest.mark.parametrize("edge", LEVEL_OF_EDGE)
def test_an_edge_leads_to_its_level(edge: str) -> None:
    wrong = {p["id"] for p in PATHS
             if p["edge"] == edge and p["target_level"] != LEVEL_OF_EDGE[edge]}
    assert wrong == set()


def test_every_path_is_in_the_tree_of_its_classes() -> None:
    for p in PATHS:
        for sop_class in p["source_sop_classes"]:
            branch = tree(sop_class)
            for step in p["path"][:-1]:
                branch = branch.below[step.removesuffix("*")]
            assert p["id"] in {r.path_id for r in branch.leaves[p["path"][-1]]}


def test_content_items_nest_to_any_depth() -> None:
    branch = tree(uids.ComprehensiveSRStorage)
    for _ in range(5):
        branch = branch.below["ContentSequence"]
    assert "UID" in branch.leaves


# --- roles: severity, quiet and targets follow from the paths (references.md 2.7) ----------------

INFORMATIVE = {
    "PRIOR_PLAN", "RELATED_RECORD", "VERIFICATION_IMAGE", "REFERENCED_IMAGE",
    "REFERENCED_INSTANCE", "DOCUMENT_REFERENCE", "DOCUMENT_SOURCE", "IDENTICAL_DOCUMENT",
}
ESSENTIAL = {"PLAN_STRUCTURE_SET", "DOSE_PLAN", "STRUCTURE_SET_IMAGE"}
REFINED = dict.fromkeys(
    ("PRIOR_PLAN", "ALTERNATIVE_PLAN", "PREDECESSOR_PLAN", "VERIFIED_PLAN", "CONCURRENT_PLAN"),
    "RELATED_PLAN") | {"KEY_OBJECT": "SR_CONTENT"}
LABELS_OF_TARGET = {
    "IMAGE": {"Image", "RTImage", "ParametricMap"}, "RTSTRUCT": {"RTStruct"},
    "RTPLAN": {"RTPlan"}, "RTDOSE": {"RTDose"}, "RTIMAGE": {"RTImage"}, "RTRECORD": {"RTRecord"},
    "REG": {"Registration"}, "FID": {"Fiducials"}, "SEG": {"Segmentation"},
    "RWV": {"RealWorldMap"}, "RAW": {"RawData"}, "PR": {"PresentationState"},
    "SR": {"StructuredReport"}, "KO": {"KeyObject"}, "DOC": {"EncapsulatedDocument"},
    "RT2.INTENT": {"RTIntent"}, "RT2.SEGANN": {"RTSegmentAnnotation"},
    "RT2.RADSET": {"RTRadiationSet"}, "RT2.RADIATION": {"RTRadiation"},
    "RT2.RECORD": {"RTRadiationRecord"}, "RT2.INSTRUCTION": {"RTInstruction"},
    "RT2.PREP": {"RTPreparation"},
}
LABELS_OF_TARGET["RT2"] = {"RTImage"}.union(
    *(labels for name, labels in LABELS_OF_TARGET.items() if name.startswith("RT2.")))


def paths_of(role: str) -> list[dict[str, Any]]:
    base = REFINED.get(role, role)
    return [p for p in PATHS if p["role"] == base and p["edge"] in WITH_POLICY]


def severity_of(role: str) -> str:
    if role in ESSENTIAL:
        return "ERROR"
    informative = role in INFORMATIVE or role.startswith("PREDECESSOR_")
    return "INFO" if informative or min(p["tier"] for p in paths_of(role)) >= 3 else "WARNING"


def targets_of(role: str) -> set[str]:
    expected = {name for p in paths_of(role) for name in p["expected_targets"]}
    if not expected <= set(LABELS_OF_TARGET):  # ANY, series, study or a family without a label
        return set()
    return set().union(*(LABELS_OF_TARGET[name] for name in expected))


def test_roles_are_those_of_edges_and_their_refinements() -> None:
    assert set(ROLES) == {p["role"] for p in PATHS if p["edge"] in WITH_POLICY} | set(REFINED)
    assert set(refinements()["RTPlanRelationship"].values()) <= set(ROLES)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_policy_of_a_role_follows_from_its_paths(role: str) -> None:
    row = ROLES[role]
    assert row["severity"] == severity_of(role)
    assert row["quiet"] is all(p["missing"] == "stub_quiet" for p in paths_of(role))
    assert row["targets"] == sorted(targets_of(role))
    assert set(row["targets"]) <= set(FAMILY_LABELS)


def test_the_table_version_is_the_same_in_every_process() -> None:
    code = "from rtgraph.graphmodel.schema import table_version; print(table_version())"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True,
                         encoding="utf-8",
                         env=os.environ | {"PYTHONHASHSEED": "1"})
    assert re.fullmatch("[0-9a-f]{16}", table_version())
    assert ran.stdout.strip() == table_version()


# --- properties ----------------------------------------------------------------------------------

def all_properties() -> Iterator[Property]:
    return chain(*(t.properties for t in NODE_TYPES), *(f.properties for f in FAMILIES))


@pytest.mark.parametrize(
    "name", sorted({p.name for p in all_properties() if not p.companion_of}))
def test_a_property_is_a_keyword_or_snake_case(name: str) -> None:
    is_keyword = tag_for_keyword(name) is not None
    assert is_keyword == (name != name.lower())
    assert is_keyword or re.fullmatch("[a-z][a-z0-9_]*", name)
    assert {p.stated for p in all_properties() if p.name == name} == {is_keyword}


def test_one_property_key_has_one_type_in_the_whole_graph() -> None:
    kinds = defaultdict(set)
    for p in all_properties():
        kinds[p.name].add(p.kind)
    assert {name: found for name, found in kinds.items() if len(found) > 1} == {}
    scalars = {"STRING", "INTEGER", "FLOAT", "BOOLEAN", "DATE", "LOCAL TIME", "LOCAL DATETIME",
               "ZONED DATETIME"}
    assert {kind.removeprefix("LIST<").removesuffix(">") for kind in chain(*kinds.values())
            } <= scalars


COMPANIONS = [
    # keyword                  companions and their types
    ("StudyTime",              {"StudyTime_precision": "STRING"}),
    ("AcquisitionDateTime",    {"AcquisitionDateTime_utc_offset": "STRING",
                                "AcquisitionDateTime_precision": "STRING"}),
    ("PatientName",            {"PatientName_ideographic": "STRING",
                                "PatientName_phonetic": "STRING", "PatientName_norm": "STRING"}),
    ("ImageComments",          {"ImageComments_truncated": "BOOLEAN"}),
    ("TextValue",              {"TextValue_truncated": "BOOLEAN"}),
    ("RetrieveURL",            {"RetrieveURL_truncated": "BOOLEAN"}),
    ("LongCodeValue",          {"LongCodeValue_truncated": "BOOLEAN"}),
    ("OperatorsName",          {}),  # several names
    ("StudyDate",              {}),
    ("DerivationDescription",  {}),  # ST has at most 1,024 characters
]


@pytest.mark.parametrize(("keyword", "kinds"), COMPANIONS, ids=[c[0] for c in COMPANIONS])
def test_companions_follow_from_vr_and_vm(keyword: str, kinds: dict[str, str]) -> None:
    row, *found = kept(keyword)
    assert (row,) == stated(keyword)
    assert {p.name: p.kind for p in found} == kinds
    assert {p.companion_of for p in found} <= {keyword}


def test_a_node_has_all_companions_of_what_it_states() -> None:
    for declared in (*(t.properties for t in NODE_TYPES), *(f.properties for f in FAMILIES)):
        stated_names = " ".join(p.name for p in declared if p.stated)
        companions = [p for p in kept(stated_names) if p.companion_of]
        assert [p for p in declared if p.companion_of] == companions
        assert not any(p.stated for p in companions)
    assert "StudyTime_precision" in {p.name for p in all_properties()}


def test_slices_have_no_companions() -> None:
    images = [f for f in FAMILIES if f.is_image]
    assert not [p for p in chain(INSTANCE, *(f.properties for f in images)) if p.companion_of]


STATED_TYPES = [
    # property                 type in graph-model.md 3
    ("PatientBirthDate",       "DATE"),
    ("StudyTime",              "LOCAL TIME"),
    ("PatientAge",             "STRING"),
    ("PatientWeight",          "FLOAT"),
    ("SeriesNumber",           "INTEGER"),
    ("SoftwareVersions",       "LIST<STRING>"),
    ("Rows",                   "INTEGER"),
    ("PixelSpacing",           "LIST<FLOAT>"),
    ("ImageType",              "LIST<STRING>"),
    ("DiffusionBValue",        "FLOAT"),
    ("NumberOfFrames",         "INTEGER"),
    ("TreatmentProtocols",     "LIST<STRING>"),
    ("NormalizationPoint",     "LIST<FLOAT>"),
    ("DoseGridScaling",        "FLOAT"),
    ("GantryAngle",            "FLOAT"),
    ("SegmentationType",       "STRING"),
]


@pytest.mark.parametrize(("name", "kind"), STATED_TYPES, ids=[c[0] for c in STATED_TYPES])
def test_stated_properties_have_the_type_of_their_vr_and_vm(name: str, kind: str) -> None:
    (found,) = {p.kind for p in all_properties() if p.name == name}
    assert found == kind


def test_labels_types_and_keys_are_sound() -> None:
    labels = [t.label for t in NODE_TYPES] + [t.label for t in SERIES_TYPES] + list(FAMILY_LABELS)
    assert len(labels) == len(set(labels))
    types = {t.name for t in RELATIONSHIP_TYPES}
    assert not {label.casefold() for label in labels} & {name.casefold() for name in types}
    for t in NODE_TYPES:
        assert t.key in {p.name for p in t.properties}
        assert len(t.properties) == len({p.name for p in t.properties})


# --- families of SOP classes (graph-model.md 2.3) ------------------------------------------------

P = "1.2.840.10008.5.1.4.1.1."
FAMILY_CASES = [
    # name                   SOP class                                   labels
    ("CT",                   uids.CTImageStorage,                        "Image CTImage"),
    ("enhanced CT",          uids.EnhancedCTImageStorage,                "Image CTImage"),
    ("converted CT",         uids.LegacyConvertedEnhancedCTImageStorage, "Image CTImage"),
    ("MR",                   uids.MRImageStorage,                        "Image MRImage"),
    ("MR spectroscopy",      uids.MRSpectroscopyStorage,                 "Image MRImage"),
    ("enhanced MR colour",   uids.EnhancedMRColorImageStorage,           "Image MRImage"),
    ("PET",                  uids.PositronEmissionTomographyImageStorage, "Image PTImage"),
    ("enhanced PET",         uids.EnhancedPETImageStorage,               "Image PTImage"),
    ("NM",                   uids.NuclearMedicineImageStorage,           "Image"),
    ("US",                   uids.UltrasoundImageStorage,                "Image"),
    ("CR",                   uids.ComputedRadiographyImageStorage,       "Image"),
    ("X-ray 3D",             uids.XRay3DAngiographicImageStorage,        "Image"),
    ("secondary capture",    uids.SecondaryCaptureImageStorage,          "Image"),
    ("photograph",           uids.VLPhotographicImageStorage,            "Image"),
    ("stereometric",         uids.StereometricRelationshipStorage,       ""),
    ("structure set",        uids.RTStructureSetStorage,                 "RTStruct"),
    ("plan",                 uids.RTPlanStorage,                         "RTPlan"),
    ("ion plan",             uids.RTIonPlanStorage,                      "RTPlan RTIonPlan"),
    ("dose",                 uids.RTDoseStorage,                         "RTDose"),
    ("RT image",             uids.RTImageStorage,                        "RTImage"),
    ("enhanced RT image",    P + "481.23",                               "RTImage"),
    ("beams record",         uids.RTBeamsTreatmentRecordStorage,         "RTRecord"),
    ("ion record",           uids.RTIonBeamsTreatmentRecordStorage,      "RTRecord"),
    ("brachy record",        uids.RTBrachyTreatmentRecordStorage,        "RTRecord"),
    ("summary record",       uids.RTTreatmentSummaryRecordStorage,       "RTRecord"),
    ("beams instruction",    uids.RTBeamsDeliveryInstructionStorage,     "RTInstruction"),
    ("brachy instruction",   "1.2.840.10008.5.1.4.34.10",                "RTInstruction"),
    ("set instruction",      P + "481.21",                               "RTInstruction"),
    ("position instruction", P + "481.25",                               "RTInstruction"),
    ("intent",               P + "481.10",                               "RTIntent"),
    ("segment annotation",   P + "481.11",                               "RTSegmentAnnotation"),
    ("radiation set",        P + "481.12",                               "RTRadiationSet"),
    ("radiation",            P + "481.13",                               "RTRadiation"),
    ("radiation record",     P + "481.19",                               "RTRadiationRecord"),
    ("record set",           P + "481.16",                               "RTRadiationRecord"),
    ("preparation",          P + "481.22",                               "RTPreparation"),
    ("registration",         uids.SpatialRegistrationStorage,            "Registration"),
    ("deformable",           uids.DeformableSpatialRegistrationStorage,
     "Registration DeformableRegistration"),
    ("segmentation",         uids.SegmentationStorage,                   "Segmentation"),
    ("surface segmentation", uids.SurfaceSegmentationStorage,            "Segmentation"),
    ("label map",            P + "66.7",                                 "Segmentation"),
    ("fiducials",            uids.SpatialFiducialsStorage,               "Fiducials"),
    ("real world map",       uids.RealWorldValueMappingStorage,          "RealWorldMap"),
    ("presentation state",   P + "11.12",                                "PresentationState"),
    ("key object",           uids.KeyObjectSelectionDocumentStorage,     "KeyObject"),
    ("document",             uids.EncapsulatedPDFStorage,                "EncapsulatedDocument"),
    ("raw data",             uids.RawDataStorage,                        "RawData"),
    ("parametric map",       uids.ParametricMapStorage,                  "ParametricMap"),
    ("report",               uids.ComprehensiveSRStorage,                "StructuredReport"),
    ("dose report",          uids.XRayRadiationDoseSRStorage,     "StructuredReport DoseReport"),
    ("waveform",             uids.TwelveLeadECGWaveformStorage,          ""),
    ("private",              "1.3.12.2.1107.5.9.1",                      ""),
    ("private below CT",     P + "2.1.99",                               ""),
    ("step",                 "1.2.840.10008.5.1.4.34.6.1",               ""),
    ("none",                 None,                                       ""),
    ("empty",                "",                                         ""),
]


@pytest.mark.parametrize(
    ("sop_class", "labels"), [c[1:] for c in FAMILY_CASES], ids=[c[0] for c in FAMILY_CASES])
def test_family(sop_class: str | None, labels: str) -> None:
    found = family(sop_class)
    assert " ".join(found.labels) == labels
    assert found.is_image is ("Image" in labels.split())


# Images that are no patient's: security screening and materials testing share the tree of UIDs.
NOT_MEDICAL = (P + "501.", P + "601.")
IMAGE_CLASSES = {
    uid: name for uid, (name, kind, *_) in UID_dictionary.items()
    if kind == "SOP Class" and "Image Storage" in name
    and uid.startswith(P) and not uid.startswith(NOT_MEDICAL)
}


@pytest.mark.parametrize("sop_class", IMAGE_CLASSES)
def test_every_image_storage_class_is_an_image(sop_class: str) -> None:
    assert {"Image", "RTImage"} & set(family(sop_class).labels)


def test_families_cover_the_classes_of_the_reference_table() -> None:
    known = set(chain(*(p["source_sop_classes"] for p in PATHS)))
    assert {c for c in known if not family(c).labels} == {"1.2.840.10008.5.1.4.34.6.1"}


# --- modalities (graph-model.md 2.2) -------------------------------------------------------------

MODALITY_CASES = [
    ("CT", "CTSeries", 0), ("MR", "MRSeries", 0), ("PT", "PTSeries", 0), ("NM", "NMSeries", 0),
    ("US", "USSeries", 0), ("CR", "XRaySeries", 0), ("XA", "XRaySeries", 0),
    ("SC", "OtherImageSeries", 0), ("REG", "REGSeries", 1), ("FID", "FIDSeries", 1),
    ("RTSTRUCT", "RTStructSeries", 1), ("SEG", "SEGSeries", 1), ("RTSEGANN", "RTSegAnnSeries", 1),
    ("RTPLAN", "RTPlanSeries", 2), ("RTINTENT", "RTIntentSeries", 2), ("RTRAD", "RTRadSeries", 2),
    ("PLAN", "RTInstructionSeries", 2), ("RTDOSE", "RTDoseSeries", 3),
    ("RTIMAGE", "RTImageSeries", 3), ("RTRECORD", "RTRecordSeries", 3), ("RWV", "RWVSeries", 4),
    ("PR", "PRSeries", 4), ("KO", "KOSeries", 4), ("SR", "SRSeries", 4), ("DOC", "DocSeries", 4),
    ("RAW", "OtherSeries", 4), ("XYZ", "OtherSeries", 4), ("", "OtherSeries", 4),
    (None, "OtherSeries", 4),
]


@pytest.mark.parametrize(("modality", "label", "layer"), MODALITY_CASES,
                         ids=[str(c[0]) for c in MODALITY_CASES])
def test_series_type(modality: str | None, label: str, layer: int) -> None:
    assert (series_type(modality).label, series_type(modality).layer) == (label, layer)


def test_every_modality_stands_once() -> None:
    modalities = [m for t in SERIES_TYPES for m in t.modalities]
    assert len(modalities) == len(set(modalities))
    families = {f.modality for f in FAMILIES if f.modality}
    assert families <= set(modalities)


def luminance(colour: str) -> float:
    """Relative luminance of #RRGGBB (WCAG 2.1)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
                        for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("row", SERIES_TYPES, ids=[t.label for t in SERIES_TYPES])
def test_text_on_boxes_can_be_read(row: SeriesType) -> None:
    dark, light = sorted((luminance(row.fill), luminance(row.text)))
    assert (light + 0.05) / (dark + 0.05) >= 4.5
    assert re.fullmatch("#[0-9A-F]{6}", row.fill)


def test_unknown_modalities_have_the_default_colour() -> None:
    assert series_type("XYZ").fill == DEFAULT_FILL

"""The style sheet of Neo4j Browser (GraSS), made from the modality table.

Rules are applied in their order and later ones win, so base labels come first and special ones
last. Every label has a rule: Browser puts its own behind ours for a label without one. No comment,
and no `:` or `;` inside a value: the parser splits there.
"""

from collections.abc import Iterator, Mapping

from rtgraph.graphmodel.families import FAMILIES
from rtgraph.graphmodel.modalities import DARK, DEFAULT_FILL, SERIES_TYPES, WHITE, series_type
from rtgraph.graphmodel.nodes import NODE_TYPES
from rtgraph.graphmodel.parts import PARTS
from rtgraph.graphmodel.relationships import RELATIONSHIP_TYPES
from rtgraph.viz.palette import PALETTE

_CAPTIONS = {
    "Patient": "{patient_key}", "Study": "{StudyDescription}", "Series": "{Modality}",
    "Instance": "{Modality}", "FrameOfReference": "{kind}", "ROI": "{ROIName}",
    "Beam": "{BeamName}", "FractionGroup": "{NumberOfFractionsPlanned} fractions",
    "DoseReference": "{TargetPrescriptionDose} Gy", "ApplicationSetup": "{ApplicationSetupType}",
    "DVH": "{DVHType}", "BeamDelivery": "fraction {CurrentFractionNumber}",
    "Transform": "{matrix_type}", "Segment": "{SegmentLabel}", "Prescription": "{label}",
    "Issue": "{rule}", "Cohort": "{name}", "ReferenceRole": "{role}", "File": "{status}",
    "Root": "{name}", "StandardName": "{name}", "Code": "{meaning}", "Equipment": "{kind}",
}
_OF_FAMILY = {
    "RTStruct": "{StructureSetLabel}", "RTPlan": "{RTPlanLabel}", "RTDose": "{DoseSummationType}",
    "Registration": "{ContentLabel}", "RTRecord": "{TreatmentDate}",
}
_SIZES = {"Patient": 80, "Study": 65, "Series": 60, "Instance": 45}
_FILLS = {"Patient": "#2E3A46", "Study": "#5B6B7A", "FrameOfReference": "#6A4FA3",
          "Issue": "#FFCF66", "Cohort": "#7A5230"}
_ON_DARK = ("Patient", "Study", "FrameOfReference", "Cohort")
# Colours and captions of relationships that stand out.
_EDGES: Mapping[str, tuple[str, str]] = {
    "REFERENCES": ("#33475B", "{role}"), "REFERENCES_SERIES": ("#33475B", "{role}"),
    "REFERENCES_STUDY": ("#33475B", "{role}"), "REFERENCES_FRAME": ("#8E6BBF", "{role}"),
    "SHARES_FOR": ("#B9A7D6", "<type>"), "REGISTERED_TO": ("#8E6BBF", "{matrix_type}"),
}


def style_sheet() -> str:
    """Return the style sheet: a rule for every label and relationship type."""
    return "\n".join(_rules()) + "\n"


def _rules() -> Iterator[str]:
    yield _rule("node", _node(DEFAULT_FILL, DARK, None, 50))
    yield _rule("relationship", {
        "color": "#A5ABB6", "shaft-width": "1px", "font-size": "8px", "padding": "3px",
        "text-color-external": "#000000", "text-color-internal": WHITE, "caption": '"<type>"'})
    special = {"Missing", *(label for family in FAMILIES for label in family.labels),
               *(row.label for row in SERIES_TYPES)}
    parts = {part.label for part in PARTS}
    for kind in NODE_TYPES:
        if kind.label not in special:
            fill = _FILLS.get(kind.label, "#EFE7D6" if kind.label in parts else DEFAULT_FILL)
            yield _rule(f"node.{kind.label}", _node(
                fill, WHITE if kind.label in _ON_DARK else DARK,
                _CAPTIONS.get(kind.label, f"{{{kind.key}}}"), _SIZES.get(kind.label, 40)))
    for label in dict.fromkeys(label for family in FAMILIES for label in family.labels):
        row = series_type(_modality(label))
        yield _rule(f"node.{label}", _node(
            row.fill, row.text, _OF_FAMILY.get(label, "{Modality}"), _SIZES["Instance"]))
    for row in SERIES_TYPES:
        yield _rule(f"node.{row.label}", _node(
            row.fill, row.text, "{Modality} {SeriesDescription}", _SIZES["Series"]))
    yield _rule("node.Missing", {"color": WHITE, "border-color": PALETTE.problem,
                                 "border-width": "4px", "text-color-internal": DARK})
    for name in dict.fromkeys(t.name for t in RELATIONSHIP_TYPES):
        colour, caption = _EDGES.get(name, ("#A5ABB6", "<type>"))
        yield _rule(f"relationship.{name}", {
            "color": colour, "shaft-width": "2px" if name in _EDGES else "1px",
            "caption": f'"{caption}"'})


def _modality(label: str) -> str:
    """Return the Modality of the objects that carry a family label: the first of them."""
    return "OT" if label == "Image" else next(f.modality for f in FAMILIES if label in f.labels)


def _node(fill: str, text: str, caption: str | None, diameter: int) -> dict[str, str]:
    found = {
        "diameter": f"{diameter}px", "color": fill, "border-color": _darker(fill),
        "border-width": "2px", "text-color-internal": text, "font-size": "10px"}
    return found | ({"caption": f'"{caption}"'} if caption else {})


def _darker(colour: str) -> str:
    """Return a colour for the border: two thirds as bright."""
    parts = (int(colour[at:at + 2], 16) * 2 // 3 for at in (1, 3, 5))
    return "#" + "".join(f"{part:02X}" for part in parts)


def _rule(selector: str, values: Mapping[str, str]) -> str:
    lines = "".join(f"  {name}: {value};\n" for name, value in values.items())
    return f"{selector} {{\n{lines}}}"

"""Where the Standard defines a reference: Part and section by the module that holds the attribute.

Sections of PS3.3 Annex C keep their numbers over editions. A module that is not listed is named.
"""

from functools import cache

from rtgraph.graphmodel.references import modules

SECTIONS = {
    "patient": "C.7.1.1", "general-study": "C.7.2.1", "general-series": "C.7.3.1",
    "frame-of-reference": "C.7.4.1", "synchronization": "C.7.4.2", "general-image": "C.7.6.1",
    "acquisition-context": "C.7.6.14", "specimen": "C.7.6.22",
    "ct-image": "C.8.2.1", "mr-image": "C.8.3.1", "nm-image": "C.8.4.9", "x-ray-image": "C.8.7.1",
    "rt-series": "C.8.8.1", "rt-image": "C.8.8.2", "rt-dose": "C.8.8.3", "rt-dvh": "C.8.8.4",
    "structure-set": "C.8.8.5", "roi-contour": "C.8.8.6", "rt-dose-roi": "C.8.8.7",
    "rt-roi-observations": "C.8.8.8", "rt-general-plan": "C.8.8.9", "rt-prescription": "C.8.8.10",
    "rt-tolerance-tables": "C.8.8.11", "rt-patient-setup": "C.8.8.12",
    "rt-fraction-scheme": "C.8.8.13", "rt-beams": "C.8.8.14",
    "rt-brachy-application-setups": "C.8.8.15", "rt-general-treatment-record": "C.8.8.17",
    "rt-beams-session-record": "C.8.8.21", "rt-brachy-session-record": "C.8.8.22",
    "rt-treatment-summary-record": "C.8.8.23", "rt-ion-beams": "C.8.8.25",
    "rt-ion-beams-session-record": "C.8.8.26",
    "pet-image": "C.8.9.4", "segmentation-series": "C.8.20.1", "segmentation-image": "C.8.20.2",
    "surface-segmentation": "C.8.23.1", "presentation-state-relationship": "C.11.11",
    "sop-common": "C.12.1", "common-instance-reference": "C.12.2", "general-reference": "C.12.4",
    "sr-document-general": "C.17.2", "sr-document-content": "C.17.3",
    "key-object-document": "C.17.6.2", "raw-data": "C.19.1", "spatial-registration": "C.20.2",
    "deformable-spatial-registration": "C.20.3", "spatial-fiducials": "C.21.2",
    "encapsulated-document": "C.24.2",
}
# Macros of frames of multi-frame objects, whatever the object.
_FUNCTIONAL_GROUPS = ("-multi-frame-functional-groups", "C.7.6.16")


@cache
def section(path_id: str) -> str:
    """Return the places in PS3.3 that define a path of `references.json`; empty when unknown."""
    found = dict.fromkeys(_place(module) for module in modules(path_id) if module != "manual")
    return ", ".join(found)


def _place(module: str) -> str:
    suffix, functional_groups = _FUNCTIONAL_GROUPS
    if module.endswith(suffix):
        return f"PS3.3 {functional_groups}"
    known = SECTIONS.get(module)
    return f"PS3.3 {known}" if known else f"PS3.3, module {module.replace('-', ' ')}"

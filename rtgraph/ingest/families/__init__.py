"""Facts and parts that need a rule of their own, one module a family of objects.

A rule gets the draft of an object and adds to it. `NEEDED` of a module names the paths that its
rules read besides declared properties, so that a scan takes them out.
"""

from collections.abc import Callable

from rtgraph.ingest import moments
from rtgraph.ingest.draft import Draft
from rtgraph.ingest.families import (
    documents,
    images,
    intent,
    registration,
    rtdose,
    rtplan,
    segmentation,
    structure_set,
    treatment,
)

RULES: dict[str, Callable[[Draft], None]] = {
    "RTStruct": structure_set.structure_set,
    "RTPlan": rtplan.rt_plan,
    "RTDose": rtdose.dose,
    "RTImage": treatment.image,
    "RTRecord": treatment.record,
    "RTIntent": intent.intent,
    "RTRadiationSet": intent.radiation_set,
    "Registration": registration.registration,
    "Segmentation": segmentation.segmentation,
    "StructuredReport": documents.document,
    "KeyObject": documents.document,
    "EncapsulatedDocument": documents.document,
}
NEEDED: tuple[tuple[str, ...], ...] = tuple(
    path for module in (documents, images, intent, moments, registration, rtdose, rtplan,
                        segmentation, structure_set, treatment) for path in module.NEEDED)

"""Presentation contexts: what is taken from a sender, and what is asked for in a C-GET.

All storage classes are taken in every transfer syntax that is proposed, so nothing is converted on
the way. Private classes are taken when the settings name them.
"""

from collections.abc import Collection, Iterable
from itertools import islice

from pydicom.uid import (
    UID,
    AllTransferSyntaxes,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)
from pynetdicom import build_context, register_uid
from pynetdicom.presentation import PresentationContext
from pynetdicom.service_class import ServiceClass, StorageServiceClass
from pynetdicom.sop_class import uid_to_service_class

from rtgraph.graphmodel.families import STORAGE

VERIFICATION = "1.2.840.10008.1.1"
# A request names at most 128 contexts, one of them for the request itself (PS3.8 9.3.2.2).
MOST_CONTEXTS = 127
# What archives are likely to hold, the likely ones first. Each is a context of its own, so that
# an archive does not convert an object from one to another.
_LIKELY = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGLosslessSV1, JPEG2000Lossless,
           JPEGLSLossless, RLELossless, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian,
           JPEGBaseline8Bit)
_SYNTAXES = tuple(dict.fromkeys((*_LIKELY, *AllTransferSyntaxes)))


def is_storage(uid: str, private: Collection[str] = ()) -> bool:
    """Tell whether objects of a class are taken; `private` names classes, or * for all."""
    if UID(uid).is_private:
        return uid in private or "*" in private
    service = uid_to_service_class(uid)
    # below the root of storage: retired, or newer than the dictionary; queries there are known
    return service is StorageServiceClass or (
        uid.startswith(STORAGE) and service is ServiceClass)


def accepted(
    proposed: Iterable[PresentationContext], private: Collection[str] = ()
) -> list[PresentationContext]:
    """Return what is taken of a proposal: storage and verification, in its own transfer syntaxes.

    Of several syntaxes in one context the sender's first is used.
    """
    syntaxes: dict[str, dict[str, None]] = {}
    for context in proposed:
        uid = str(context.abstract_syntax)
        if uid == VERIFICATION or is_storage(uid, private):
            syntaxes.setdefault(uid, {}).update(dict.fromkeys(map(str, context.transfer_syntax)))
    for uid in syntaxes:
        if uid_to_service_class(uid) is ServiceClass:
            register_uid(uid, f"Storage_{uid.replace('.', '_')}", StorageServiceClass)
    return [build_context(uid, list(found)) for uid, found in syntaxes.items()]


def for_get(model: str, classes: Iterable[str]) -> list[PresentationContext]:
    """Return the contexts of a C-GET: the request and, for each class, each syntax.

    When there is no room for all, the likely syntaxes of all classes come first.
    """
    wanted = sorted(set(classes))
    pairs = ((uid, syntax) for syntax in _SYNTAXES for uid in wanted)
    return [build_context(model),
            *(build_context(uid, syntax) for uid, syntax in islice(pairs, MOST_CONTEXTS))]

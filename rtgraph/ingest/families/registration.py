"""Registrations: what each item maps, and how (PS3.3 C.20.2, C.20.3, C.20.4).

A matrix maps points of the item's (source) data to the registered frame of the object: x' = M x.
Of several matrices the first item is applied first. A deformable item maps the other way, from the
registered frame to its source frame.
"""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtgraph.graphmodel.parts import TRANSFORM
from rtgraph.graphmodel.properties import stated
from rtgraph.ingest.draft import Draft
from rtgraph.ingest.items import CODE, Item, codes, first_text, items
from rtgraph.ingest.normalise import LONGEST_UID
from rtgraph.ingest.qualifiers import side

_RIGID_ITEMS, _DEFORMABLE_ITEMS = "RegistrationSequence", "DeformableRegistrationSequence"
_GRID = "DeformableRegistrationGridSequence"
_TYPE = "RegistrationTypeCodeSequence"
_LEGACY = ("ReferencedFrameOfReferenceSequence", "FrameOfReferenceRelationshipSequence")
_KINDS = ("RIGID", "RIGID_SCALE", "AFFINE")  # each holds the one before
_EXACT = 1e-6
_MATRIX, _DIMENSIONS, _RESOLUTION = stated(
    "FrameOfReferenceTransformationMatrix GridDimensions GridResolution")
NEEDED: tuple[tuple[str, ...], ...] = (
    *((_RIGID_ITEMS, "MatrixRegistrationSequence", "MatrixSequence", name) for name in (
        "FrameOfReferenceTransformationMatrix", "FrameOfReferenceTransformationMatrixType")),
    *((_RIGID_ITEMS, "MatrixRegistrationSequence", _TYPE, leaf) for leaf in CODE),
    *((_DEFORMABLE_ITEMS, _TYPE, leaf) for leaf in CODE),
    (_DEFORMABLE_ITEMS, _GRID, "GridDimensions"),
    (_DEFORMABLE_ITEMS, _GRID, "GridResolution"),
    *((*_LEGACY, name) for name in (
        "RelatedFrameOfReferenceUID", "FrameOfReferenceTransformationType",
        "FrameOfReferenceTransformationMatrix")),
)


def registration(draft: Draft) -> None:
    """Add a transform for each item; its data frame is what the item states."""
    own = _frame(draft.item, "FrameOfReferenceUID")
    for index, item in enumerate(items(draft.item, _RIGID_ITEMS), 1):
        maps = [m for r in items(item, "MatrixRegistrationSequence")
                for m in items(r, "MatrixSequence")]
        kinds = [first_text(m, "FrameOfReferenceTransformationMatrixType").upper() for m in maps]
        matrix = composed([_numbers(draft, m) for m in maps])
        types = [c for r in items(item, "MatrixRegistrationSequence") for c in codes(r, _TYPE)]
        _transform(draft, item, index, _frame(item, "FrameOfReferenceUID"), own,
                   matrix_type=_most_general(kinds), n_matrices=len(maps),
                   registration_type=next(iter(types), None), **_of_matrix(matrix))
    for index, item in enumerate(items(draft.item, _DEFORMABLE_ITEMS), 1):
        grid = next(iter(items(item, _GRID)), {})
        _transform(draft, item, index, _frame(item, "SourceFrameOfReferenceUID"), own,
                   matrix_type="DEFORMABLE",
                   registration_type=next(iter(codes(item, _TYPE)), None),
                   grid_dimensions=draft.value(grid, _DIMENSIONS),
                   grid_resolution=draft.value(grid, _RESOLUTION))


def legacy_transforms(draft: Draft) -> None:
    """Add the retired transforms inside a structure set: from a related frame to a listed one."""
    index = 0
    for frame in items(draft.item, _LEGACY[0]):
        listed = _frame(frame, "FrameOfReferenceUID")
        for relation in items(frame, _LEGACY[1]):
            index += 1
            kind = first_text(relation, "FrameOfReferenceTransformationType").upper()
            matrix = composed([_numbers(draft, relation)])
            _transform(draft, relation, index, _frame(relation, "RelatedFrameOfReferenceUID"),
                       listed, legacy=True, n_matrices=1, side_of="SOURCE",
                       matrix_type=_KINDS[-1] if kind else None, **_of_matrix(matrix))


def _transform(
    draft: Draft, item: Item, index: int, frame: str | None, registered: str | None,
    side_of: str = "", **derived: Any,
) -> None:
    where = side_of or side(draft.item, item)
    suffix = draft.part(TRANSFORM, item, index, (), item=index, side=where, item_frame_uid=frame,
                        **derived)
    for kind, uid in ("FROM_FRAME", frame), ("TO_FRAME", registered):
        if uid:
            draft.link(kind, ("Transform", suffix), ("FrameOfReference", uid))


def _frame(item: Item, keyword: str) -> str | None:
    uid = first_text(item, keyword)
    return uid if 0 < len(uid) <= LONGEST_UID else None


def _numbers(draft: Draft, item: Item) -> NDArray[np.float64] | None:
    """Return a matrix of 4 by 4, row major as in the file; None when it is not 16 numbers."""
    values = draft.value(item, _MATRIX)
    if not isinstance(values, list) or len(values) != 16 or not all(map(isfinite, values)):
        return None
    return np.array(values, dtype=np.float64).reshape(4, 4)


def composed(
    matrices: Sequence[NDArray[np.float64] | None],
) -> NDArray[np.float64] | None:
    """Return one matrix for several, of which the first is applied first.

    Returns
    -------
    (4, 4) float64 or None
        mm; None when there is no matrix, or one could not be read.
    """
    product = np.eye(4)
    for matrix in matrices:
        if matrix is None:
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            product = matrix @ product
    return product if matrices and np.isfinite(product).all() else None


def _of_matrix(matrix: NDArray[np.float64] | None) -> dict[str, Any]:
    if matrix is None:
        return {}
    rotation = matrix[:3, :3]
    with np.errstate(over="ignore", invalid="ignore"):
        determinant = float(np.linalg.det(rotation))
        error = float(np.abs(rotation.T @ rotation - np.eye(3)).max())
    return {
        "matrix": [float(v) for v in matrix.ravel()],
        "is_identity": bool(np.abs(matrix - np.eye(4)).max() <= _EXACT),
        "determinant": determinant if isfinite(determinant) else None,
        "rotation_error": error if isfinite(error) else None,
    }


def _most_general(kinds: Sequence[str]) -> str | None:
    """Return the kind that holds for the product; one that is not known makes it AFFINE."""
    if not kinds:
        return None
    return _KINDS[max(_KINDS.index(k) if k in _KINDS else len(_KINDS) - 1 for k in kinds)]

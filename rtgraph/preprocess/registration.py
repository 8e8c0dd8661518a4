"""Registrations: what a file states, and the one path between two frames of reference.

A Spatial Registration carries source points to the registered frame (PS3.3 C.20.2.1.1), a
Deformable one registered points to the source (C.20.3.1.1: pre matrix, offset of the grid, post
matrix). The registered frame is that of the object itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from rtgraph.preprocess.geometry import Floats, Grid, axes_of
from rtgraph.preprocess.mapping import Linear, Mapping, Warp
from rtgraph.preprocess.refusals import Code, Refused
from rtgraph.preprocess.slices import numbers

DEFORMABLE = "DEFORMABLE"
_LAST_ROW = 1e-6
_ORTHONORMAL = 1e-3  # matrices are written with few decimals


@dataclass(frozen=True, slots=True)
class Edge:
    """A registration between two frames, as the graph knows it.

    Attributes
    ----------
    reg_uid : str
        SOPInstanceUID of the registration.
    item : int
        Number of its item, from 1.
    source, registered : str
        FrameOfReferenceUIDs.
    matrix_type : str
        RIGID, RIGID_SCALE, AFFINE or DEFORMABLE.
    """

    reg_uid: str
    item: int
    source: str
    registered: str
    matrix_type: str


@dataclass(frozen=True, slots=True)
class Walk:
    """An edge and the way it is walked; `forwards` is from source to registered."""

    edge: Edge
    forwards: bool


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """An item of a registration: points of `source` to `registered`, for DEFORMABLE back."""

    edge: Edge
    mapping: Mapping
    image_uids: frozenset[str]


def find_path(edges: Iterable[Edge], start: str, end: str, *, max_steps: int = 2,
              patient_frames: frozenset[str] | None = None, chosen: Sequence[str] = ()
              ) -> list[Walk]:
    """Return the registrations that carry points of one frame to another.

    Parameters
    ----------
    edges : iterable of Edge
        Registrations of the patient.
    start, end : str
        FrameOfReferenceUIDs; for resampling, the frame of the reference grid and that of the data.
    max_steps : int
        Longest path that is taken.
    patient_frames : frozenset of str, optional
        Frames that may be passed through; all when absent.
    chosen : sequence of str
        SOPInstanceUIDs of the only registrations that may be used; all when empty.

    Raises
    ------
    Refused
        NO_PATH; SEVERAL_PATHS of the same length; DEFORMABLE_INVERSE when only a deformation
        against its direction would lead there.
    """
    if start == end:
        return []
    usable = [e for e in edges if not chosen or e.reg_uid in chosen]
    found = _shortest(usable, start, end, max_steps, patient_frames, against=False)
    if not found:
        if _shortest(usable, start, end, max_steps, patient_frames, against=True):
            raise Refused(Code.DEFORMABLE_INVERSE,
                          f"only a deformation against its direction leads from {start} to {end}")
        raise Refused(Code.NO_PATH, f"no registration leads from {start} to {end}")
    if len(found) > 1:
        listed = "; ".join(" + ".join(w.edge.reg_uid for w in path) for path in found)
        raise Refused(Code.SEVERAL_PATHS, f"{len(found)} paths of {len(found[0])} steps: {listed}")
    return found[0]


def _shortest(edges: Sequence[Edge], start: str, end: str, max_steps: int,
              patient_frames: frozenset[str] | None, *, against: bool) -> list[list[Walk]]:
    """Return all shortest paths; `against` allows deformations in their other direction."""
    paths: list[tuple[str, list[Walk]]] = [(start, [])]
    for _ in range(max_steps):
        longer = []
        for frame, path in paths:
            seen = {start} | {_ends(w)[1] for w in path}
            for walk in _steps_from(edges, frame, against):
                after = _ends(walk)[1]
                if after in seen or (after != end and patient_frames is not None
                                     and after not in patient_frames):
                    continue
                longer.append((after, [*path, walk]))
        found = [path for frame, path in longer if frame == end]
        if found:
            return found
        paths = longer
    return []


def _steps_from(edges: Sequence[Edge], frame: str, against: bool) -> Iterator[Walk]:
    for edge in edges:
        if edge.source == edge.registered:
            continue
        bends = edge.matrix_type == DEFORMABLE
        if edge.source == frame and (against or not bends):
            yield Walk(edge, True)
        if edge.registered == frame:
            yield Walk(edge, False)


def _ends(walk: Walk) -> tuple[str, str]:
    edge = walk.edge
    return (edge.source, edge.registered) if walk.forwards else (edge.registered, edge.source)


def read_registration(ds: Dataset, frame_of: Map[str, str] | None = None) -> list[Item]:
    """Return the items of a registration object that lead from one frame to another.

    Parameters
    ----------
    ds : Dataset
        Spatial or Deformable Spatial Registration.
    frame_of : mapping of str to str, optional
        Frames of images by SOPInstanceUID, for items that list images and no frame.

    Raises
    ------
    Refused
        CONFLICTING_MATRIX: a matrix is not 4 x 4 with the last row 0 0 0 1, or not of its type.
        GRID: a deformation grid cannot be read.

    Notes
    -----
    PS3.3 C.20.2.1.1: a matrix carries a point of the source frame to the registered one (equation
    C.20.2-1). MatrixSequence may hold it in parts whose order matters; of M1, M2 and M3, the first,
    second and third item, M1 is applied first (equation C.20.2-2).
    Where the item of the object's own frame holds a matrix that is no identity, both items lead to
    a space between; the way from source to registered frame goes through it.
    """
    if "DeformableRegistrationSequence" in ds:
        return list(_deformable(ds))
    own = str(ds.get("FrameOfReferenceUID") or "")
    found, fixed = [], np.eye(4)
    for number, item in enumerate(ds.get("RegistrationSequence") or (), start=1):
        images = _images(item)
        frame = str(item.get("FrameOfReferenceUID") or "") or _only_frame(images, frame_of or {})
        matrix, kind = _composed(item)
        if frame == own:
            fixed = matrix
        elif frame:
            edge = Edge(str(ds.SOPInstanceUID), number, frame, own, kind)
            found.append((edge, matrix, images))
    back = np.linalg.inv(fixed)
    return [Item(edge, Mapping((Linear(back @ matrix),)), images)
            for edge, matrix, images in found]


def mapping_of(path: Sequence[Walk], items: Map[tuple[str, int], Item]) -> Mapping:
    """Return the composed mapping of a path, from its start to its end.

    Parameters
    ----------
    path : sequence of Walk
        From `find_path`.
    items : mapping
        Items by SOPInstanceUID and number.

    Raises
    ------
    Refused
        NO_PATH: an item is not in its file. DEFORMABLE_INVERSE.
    """
    total = Mapping()
    for walk in path:
        item = items.get((walk.edge.reg_uid, walk.edge.item))
        if item is None:
            raise Refused(Code.NO_PATH, f"{walk.edge.reg_uid} has no item {walk.edge.item}")
        stored = item.mapping
        if item.edge.matrix_type == DEFORMABLE:
            if walk.forwards:
                raise Refused(Code.DEFORMABLE_INVERSE,
                              f"{walk.edge.reg_uid} is wanted from source to registered frame")
            total = total.then(stored)
        else:
            total = total.then(stored if walk.forwards else stored.inverse())
    return total


def described(path: Sequence[Walk], items: Map[tuple[str, int], Item]) -> list[dict[str, object]]:
    """Return a path for a manifest: registrations, frames, direction and matrices."""
    found = []
    for walk in path:
        matrix = items[(walk.edge.reg_uid, walk.edge.item)].mapping.matrix
        start, end = _ends(walk)
        found.append({
            "registration": walk.edge.reg_uid, "item": walk.edge.item, "from_frame": start,
            "to_frame": end, "matrix_type": walk.edge.matrix_type,
            "stored_direction": walk.forwards != (walk.edge.matrix_type == DEFORMABLE),
            "matrix": None if matrix is None else matrix.ravel().tolist()})
    return found


def _deformable(ds: Dataset) -> Iterator[Item]:
    own = str(ds.get("FrameOfReferenceUID") or "")
    for number, item in enumerate(ds.DeformableRegistrationSequence, start=1):
        frame = str(item.get("SourceFrameOfReferenceUID") or "")
        before, after = (_single(item, f"{side}DeformationMatrixRegistrationSequence")
                         for side in ("Pre", "Post"))
        grids = list(item.get("DeformableRegistrationGridSequence") or ())
        if frame == own or not frame:
            continue
        edge = Edge(str(ds.SOPInstanceUID), number, frame, own, DEFORMABLE)
        steps = ((_warp(grids[0], before, after),) if grids
                 else (Linear(after @ before),))
        yield Item(edge, Mapping(steps), _images(item))


def _warp(item: Dataset, before: Floats, after: Floats) -> Warp:
    """Return the offsets of a grid item: x fastest, then y, then z (PS3.3 C.20.3.1.3)."""
    size = numbers(item.get("GridDimensions"), 3)
    step = numbers(item.get("GridResolution"), 3)
    position = numbers(item.get("ImagePositionPatient"), 3)
    orientation = numbers(item.get("ImageOrientationPatient"), 6)
    if size is None or step is None or position is None or not (
            np.all(step > 0) and np.all(size >= 1)):
        raise Refused(Code.GRID, "a deformation grid states no position, dimensions or resolution")
    columns, rows, planes = (int(n) for n in size)
    raw = item.get("VectorGridData")
    vectors = (np.frombuffer(raw, "<f4") if isinstance(raw, bytes)
               else np.asarray([] if raw is None else raw, np.float32))
    if vectors.size != columns * rows * planes * 3:
        raise Refused(Code.GRID, "VectorGridData has not three values for each grid point")
    grid = Grid(origin=position,
                axes=np.eye(3) if orientation is None else axes_of(orientation.tolist()),
                spacing=(float(step[0]), float(step[1])),
                positions=np.arange(planes, dtype=np.float64) * step[2], size=(columns, rows),
                thickness_mm=float(step[2]))
    return Warp(before, vectors.reshape(planes, rows, columns, 3).astype(np.float64), grid, after)


def _composed(item: Dataset) -> tuple[Floats, str]:
    """Return M3 M2 M1 of the matrices of an item (C.20.2.1.1), and the loosest of their types."""
    total, kinds = np.eye(4), ["RIGID"]
    for registration in item.get("MatrixRegistrationSequence") or ():
        for entry in registration.get("MatrixSequence") or ():
            matrix, kind = _matrix(entry)
            total = matrix @ total
            kinds.append(kind)
    return total, max(kinds, key=["RIGID", "RIGID_SCALE", "AFFINE"].index)


def _single(item: Dataset, keyword: str) -> Floats:
    entries = list(item.get(keyword) or ())
    return _matrix(entries[0])[0] if entries else np.eye(4)


def _matrix(entry: Dataset) -> tuple[Floats, str]:
    values = numbers(entry.get("FrameOfReferenceTransformationMatrix"), 16)
    kind = str(entry.get("FrameOfReferenceTransformationMatrixType") or "RIGID")
    if values is None:
        raise Refused(Code.CONFLICTING_MATRIX, "a matrix has not 16 numbers")
    matrix = values.reshape(4, 4)
    if np.abs(matrix[3] - [0, 0, 0, 1]).max() > _LAST_ROW:
        raise Refused(Code.CONFLICTING_MATRIX, "the last row of a matrix is not 0 0 0 1")
    if kind not in ("RIGID", "RIGID_SCALE", "AFFINE"):
        raise Refused(Code.CONFLICTING_MATRIX, f"a matrix is of the unknown type {kind}")
    square = matrix[:3, :3].T @ matrix[:3, :3]
    scale = np.eye(3) if kind == "RIGID" else np.diag(np.diag(square))
    if kind != "AFFINE" and np.abs(square - scale).max() > _ORTHONORMAL:
        raise Refused(Code.CONFLICTING_MATRIX, f"a {kind} matrix is not orthogonal")
    determinant = float(np.linalg.det(matrix[:3, :3]))
    if (kind == "RIGID" and determinant < 0) or abs(determinant) < 1e-9:
        raise Refused(Code.CONFLICTING_MATRIX,
                      f"a {kind} matrix has the determinant {determinant:.3g}")
    return matrix, kind


def _images(item: Dataset) -> frozenset[str]:
    return frozenset(str(i.get("ReferencedSOPInstanceUID"))
                     for i in item.get("ReferencedImageSequence") or ())


def _only_frame(images: frozenset[str], frame_of: Map[str, str]) -> str:
    frames = {frame_of[uid] for uid in images if uid in frame_of}
    return frames.pop() if len(frames) == 1 else ""

"""What cannot be made as asked: one error, a closed list of codes, and what would resolve each."""

from enum import StrEnum

from rtgraph.errors import RtgraphError


class Code(StrEnum):
    """Why an image, a mask, a dose, a registration or a whole case is refused."""

    CONFLICTING_MATRIX = "CONFLICTING_MATRIX"
    DEFORMABLE_INVERSE = "DEFORMABLE_INVERSE"
    DUPLICATE_POSITION = "DUPLICATE_POSITION"
    FILE_CHANGED = "FILE_CHANGED"
    FILE_MISSING = "FILE_MISSING"
    FRAME = "FRAME"
    GRID = "GRID"
    HEADER_ONLY = "HEADER_ONLY"
    MISSING_SLICES = "MISSING_SLICES"
    MIXED_GEOMETRY = "MIXED_GEOMETRY"
    NO_CONTOURS = "NO_CONTOURS"
    NO_DOSE = "NO_DOSE"
    NO_IMAGE = "NO_IMAGE"
    NO_PATH = "NO_PATH"
    NON_UNIFORM = "NON_UNIFORM"
    OTHER_PATIENT = "OTHER_PATIENT"
    OUTPUT = "OUTPUT"
    REFERENCE = "REFERENCE"
    SCALING = "SCALING"
    SEVERAL_PATHS = "SEVERAL_PATHS"
    SEVERAL_STACKS = "SEVERAL_STACKS"
    SUV = "SUV"
    TILT = "TILT"
    UNITS = "UNITS"
    UNREADABLE = "UNREADABLE"


HINTS = {
    Code.CONFLICTING_MATRIX: "Export the registration again, or leave it out.",
    Code.DEFORMABLE_INVERSE: "A deformation is stored in one direction; swap the images.",
    Code.DUPLICATE_POSITION: "Remove the second copy of the slices, or name the series.",
    Code.FILE_CHANGED: "Run `rtgraph ingest` again for this folder.",
    Code.FILE_MISSING: "Bring the file back, or run `rtgraph ingest --prune`.",
    Code.FRAME: "A registration between the two frames of reference would resolve it.",
    Code.HEADER_ONLY: "Fetch the objects with their pixel data.",
    Code.MISSING_SLICES: "Fetch the missing slices; `allow_nonuniform = true` goes on without.",
    Code.NON_UNIFORM: "`allow_nonuniform = true` resamples and writes a validity mask.",
    Code.SEVERAL_PATHS: "Name the registration that is meant.",
    Code.SEVERAL_STACKS: "Name the phase, echo or b-value that is meant.",
    Code.TILT: "`allow_tilt = true` resamples to a straight grid and says so.",
}


class Refused(RtgraphError):
    """Something is not made, because the result could not be trusted.

    Attributes
    ----------
    code : Code
        The reason, for counting.
    detail : str
        What was found, in numbers and UIDs; never a value of a patient.
    """

    def __init__(self, code: Code, detail: str, hint: str = "") -> None:
        self.code, self.detail = code, detail
        super().__init__(f"{code}: {detail}", hint or HINTS.get(code, ""))

    def __reduce__(self) -> tuple[type["Refused"], tuple[Code, str, str]]:
        return Refused, (self.code, self.detail, self.hint)

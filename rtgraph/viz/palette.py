"""Colours and sizes of the figure that are not in the modality table, for page and SVG alike."""

from dataclasses import asdict, dataclass

from rtgraph.graphmodel.modalities import series_type
from rtgraph.viz.ordering import BEND, BOX_HEIGHT, BOX_WIDTH
from rtgraph.viz.routes import LABEL_LINE, LABEL_SIZE

NAME_SIZE, CAPTION_SIZE, TALLY_SIZE = 15, 14, 13  # of the texts of a box
INSET = 8  # from the edge of a box to its text
# Where the middle of each line of text is, from the centre of its box, by lines of the caption.
LINES_AT = ((0,), (-11, 11), (-18, 3, 21))


@dataclass(frozen=True, slots=True)
class Palette:
    """Names say what a colour is for; text on any of the grounds has a contrast of 4.5 or more."""

    ink: str = "#16202c"
    soft: str = "#55606e"  # text that explains
    paper: str = "#ffffff"
    study: str = "#f1f5f9"  # ground of a study
    study_line: str = "#cbd5e1"
    study_text: str = "#475569"
    line: str = "#64748b"  # a reference
    role: str = "#3f4b5c"  # its role
    shared: str = "#8493a8"  # a shared frame of reference
    inferred: str = "#7c3aed"
    problem: str = "#b3261e"  # what is missing
    ambiguous: str = "#8a4b00"  # what is stated to lie in two places
    error: str = "#b3261e"
    warning: str = "#8a4b00"
    info: str = "#1f5fa8"
    badge_text: str = "#ffffff"


PALETTE = Palette()


def style(modalities: list[str]) -> dict[str, object]:
    """Return what the script of the page needs to draw: colours, sizes, rows of modalities."""
    rows = [(m, series_type(m)) for m in modalities]
    return {
        "colours": asdict(PALETTE),
        "box": [BOX_WIDTH, BOX_HEIGHT],
        "sizes": [NAME_SIZE, CAPTION_SIZE, TALLY_SIZE],
        "inset": INSET, "lines_at": LINES_AT,
        "label": [LABEL_SIZE, LABEL_LINE],
        "bend": BEND,
        "modalities": [{"modality": m, "fill": row.fill, "text": row.text} for m, row in rows],
    }

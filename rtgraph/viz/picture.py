"""From the rows of a patient to the picture: what is drawn, where, and what is known about it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from rtgraph.cypher.header import Check
from rtgraph.errors import TooManyBoxes, UnknownName
from rtgraph.graphmodel.references import locating_roles
from rtgraph.graphmodel.tables import Row, Tables
from rtgraph.text import one_line, plain
from rtgraph.viz.boxes import Box, Kind
from rtgraph.viz.collapse import Drawn, Line, collapse
from rtgraph.viz.findings import Finding, Findings, is_open, placed
from rtgraph.viz.layout import TITLE, Layout, layout
from rtgraph.viz.links import check_template
from rtgraph.viz.narrow import Choice, narrow
from rtgraph.viz.ordering import Study
from rtgraph.viz.routes import label_places
from rtgraph.viz.subgraph import Subgraph, fold
from rtgraph.viz.timeline import Timeline, timeline

MAX_BOXES = 1500  # what a screen can show and a browser draw at once


@dataclass(frozen=True, slots=True)
class Options:
    """How a picture is drawn; `expand` names modalities whose groups are open."""

    choice: Choice = field(default_factory=Choice)
    per: Kind = "object"
    expand: tuple[str, ...] = ()
    max_boxes: int = MAX_BOXES
    up: bool = False
    uid_labels: bool = False
    identifiers: bool = False
    link_template: str | None = None


def chosen(
    *, study: Sequence[str] = (), series: Sequence[str] = (), hops: int = 1,
    modality: Sequence[str] = (), exclude_modality: Sequence[str] = (),
    exclude_series: Sequence[str] = (), role: Sequence[str] = (), problems_only: bool = False,
    per: Kind = "object", expand: Sequence[str] = (), max_nodes: int = MAX_BOXES,
    direction: Literal["down", "up"] = "down", uid_labels: bool = False,
    identifiers: bool = False, link_template: str | None = None,
) -> Options:
    """Return options by the names that the command and the Python objects have for them.

    Raises
    ------
    UsageError
        The template of links cannot be filled in.
    """
    return Options(
        choice=Choice(
            studies=tuple(study), series=tuple(series), hops=hops,
            modalities=_upper(modality), without_modalities=_upper(exclude_modality),
            without_series=tuple(exclude_series), roles=_upper(role),
            problems_only=problems_only),
        per=per, expand=tuple("all" if e.lower() == "all" else e.upper() for e in expand),
        max_boxes=max_nodes, up=direction == "up", uid_labels=uid_labels,
        identifiers=identifiers,
        link_template=link_template and check_template(link_template, identifiers=identifiers),
    )


def _upper(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.upper() for name in names)


@dataclass(frozen=True, slots=True)
class Validation:
    """When checks were last stored, the findings that are open or waived, and the checks by id."""

    started: datetime
    findings: tuple[Finding, ...]
    checks: Mapping[str, Check]


@dataclass(frozen=True, slots=True)
class Material:
    """What is known about a patient: rows of tables, inferred links, a stored validation.

    `validation` is None when none is stored or there is no graph; `browser` is the address of
    Neo4j Browser with the server filled in.
    """

    patient_key: str
    tables: Tables
    inferred: tuple[Row, ...] = ()
    validation: Validation | None = None
    browser: str | None = None
    from_graph: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the figure; `identifiers` are attributes of the patient."""

    patient_key: str
    counts: Mapping[str, int]
    identifiers: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    what: str = "Patient"


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that is drawn; all formats are made from it.

    `subgraph` holds single boxes, `drawn` boxes and groups. `label_at` says where on a line its
    roles stand, `others` are findings about no box.
    """

    heading: Heading
    options: Options
    subgraph: Subgraph
    drawn: tuple[Drawn, ...]
    lines: tuple[Line, ...]
    layout: Layout
    label_at: Mapping[tuple[str, str, str], float]
    studies: Mapping[str, tuple[str, str]]
    findings: Findings
    others: tuple[Finding, ...]
    validation: Validation | None
    timeline: Timeline
    browser: str | None
    from_graph: bool

    @property
    def group_of(self) -> dict[str, str]:
        """The group that each box is drawn in, when it is in one."""
        return {b.id: d.id for d in self.drawn if d.is_group for b in d.members}

    def caption_of(self, drawn: Drawn) -> str:
        """Return the second line of a box."""
        if drawn.is_group or not self.options.uid_labels:
            return drawn.caption
        uid = plain(drawn.id)
        return uid if len(uid) <= 24 else f"{uid[:10]}…{uid[-12:]}"

    def title_of(self, study: Study) -> tuple[str, str]:
        """Return description and day of one study, or how many there are and their days."""
        if len(study) == 1:
            return self.studies.get(study[0], ("Study", ""))
        days = sorted({day for uid in study if (day := self.studies.get(uid, ("", ""))[1])})
        span = dict.fromkeys((*days[:1], *days[-1:]))
        return f"{len(study)} studies", " to ".join(span)


def compose(material: Material, options: Options, *, positions: bool = True) -> Picture:
    """Return the picture of a patient.

    Parameters
    ----------
    positions : bool
        Without them nothing is placed and any number of boxes is allowed: for data formats.

    Raises
    ------
    UsageError
        The options name what is not there.
    TooManyBoxes
        More boxes are left than can be drawn.
    """
    tables = material.tables
    whole = fold(tables, locating_roles(), per=options.per, inferred=material.inferred)
    found = material.validation.findings if material.validation else ()
    findings, others = placed(found, whole.boxes)

    def troubled(box: Box) -> bool:
        return box.status != "present" or box.ambiguous or is_open(findings, box.id)

    part = narrow(whole, options.choice, troubled)
    drawn, lines = collapse(part, lambda box: troubled(box) or box.id in findings,
                            _opened(options, whole.boxes))
    if positions and len(drawn) > options.max_boxes:
        raise TooManyBoxes(len(drawn), options.max_boxes)
    placed_boxes = layout(drawn, lines, up=options.up) if positions else Layout({}, ())
    shown = len(part.boxes), len(whole.boxes)
    return Picture(
        heading=_heading(material, "" if shown[0] == shown[1] else
                         f"{shown[0]:,} of {shown[1]:,} boxes"),
        options=options, subgraph=part, drawn=tuple(drawn), lines=tuple(lines),
        layout=placed_boxes,
        label_at=label_places(placed_boxes.points, lines if positions else (), [
            (f.left, f.top, f.right, f.top + TITLE) for f in placed_boxes.frames]),
        studies=_titles(tables["studies"]), findings=findings, others=tuple(others),
        validation=material.validation,
        timeline=timeline(part.boxes, part.edges),
        browser=material.browser, from_graph=material.from_graph,
    )


def _opened(options: Options, boxes: Sequence[Box]) -> tuple[str, ...]:
    """Refuse to open groups of a modality that is not there: it would silently do nothing."""
    known = {"all", *(b.modality for b in boxes)}
    for given in options.expand:
        if given not in known and options.choice.strict:
            raise UnknownName("modality of this patient", given, known)
    return options.expand


def _heading(material: Material, note: str) -> Heading:
    tables, key = material.tables, material.patient_key
    patient = next((r for r in tables["patients"] if r["patient_key"] == key), {})
    return Heading(
        patient_key=key,
        counts={
            "studies": _distinct(tables["studies"], "StudyInstanceUID", key),
            "series": _distinct(tables["series"], "SeriesInstanceUID", key),
            "unresolved": sum(not r["resolved"] for r in tables["references"]),
        },
        identifiers={n: str(patient[n]) for n in ("PatientID", "PatientBirthDate", "PatientSex")
                     if patient.get(n) is not None},
        note=note,
    )


def _distinct(rows: Iterable[Row], name: str, patient_key: str) -> int:
    return len({r[name] for r in rows if r["patient_key"] == patient_key})


def _titles(studies: Iterable[Row]) -> dict[str, tuple[str, str]]:
    """Return description and day of each study."""
    return {
        row["StudyInstanceUID"]: (
            "Missing study" if row["missing"] else one_line(row["StudyDescription"]) or "Study",
            one_line(row["StudyDate"]))
        for row in studies
    }

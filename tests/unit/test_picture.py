"""The picture as a whole, its formats, its links, and who may be drawn."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import networkx
import pytest

from bench.patients import TYPICAL, generated
from bench.rows import Chart, Rows
from rtgraph.cypher.graph import find_patient
from rtgraph.errors import OutputError, TooManyBoxes, UnknownName, UsageError
from rtgraph.graphmodel.modalities import SERIES_TYPES
from rtgraph.graphmodel.tables import Row, Tables
from rtgraph.output import write_file
from rtgraph.viz.exports import render_dot, render_graphml, render_json
from rtgraph.viz.figure import Figure, format_of
from rtgraph.viz.gather import holder
from rtgraph.viz.links import check_template
from rtgraph.viz.many import draw_page, refuse_folder, render_index
from rtgraph.viz.palette import PALETTE
from rtgraph.viz.picture import Material, Options, Picture, chosen, compose
from rtgraph.viz.schemapicture import label_of, schema_picture
from rtgraph.viz.svg import fitted, render_svg, size, wrapped
from tests.page.example import PATIENT_KEY, described, finding, material, patient, titled

HOSTILE = '<script>alert(1)</script>"&\\ \x1b]]> \ufffe \U0001f600 前立腺 \u202e'
SVG = "{http://www.w3.org/2000/svg}"


def hostile() -> Tables:
    """Return rows with the same bad text in every field."""
    rows = Rows(HOSTILE)
    rows.patient(PatientID=HOSTILE)
    rows.study("1", StudyDescription=HOSTILE)
    rows.series("s", "CT", SeriesDescription=HOSTILE, SeriesNumber=HOSTILE)
    images = rows.images("s", "CT", 2)
    rows.series("t", "RTPLAN", SeriesDescription=HOSTILE)
    rows.instance(HOSTILE, "t", HOSTILE, title=HOSTILE, file_path=HOSTILE)
    rows.refer(HOSTILE, images[0], HOSTILE)
    return rows.tables


def picture(tables: Tables, **options: Any) -> Picture:
    key = tables["patients"][0]["patient_key"] if tables["patients"] else "p1"
    return compose(Material(key, tables), chosen(**options))


def tables_of(made: Callable[[], Chart]) -> Tables:
    return made().tables


PATIENTS: dict[str, Callable[[], Tables]] = {
    **{name: partial(tables_of, made) for name, made in TYPICAL.items()},
    "hostile": hostile, "nothing": lambda: Rows().tables,
}
every_patient = pytest.mark.parametrize("name", PATIENTS)


# --- formats -------------------------------------------------------------------------------------

@every_patient
def test_json_holds_every_box_and_edge(name: str) -> None:
    shown = picture(PATIENTS[name]())
    text = render_json(shown)
    assert text.isascii()
    document = json.loads(text)
    assert document["schema_version"] == 1
    assert len(document["boxes"]) == len(shown.subgraph.boxes)
    assert len(document["edges"]) == len(shown.subgraph.edges)
    ids = {box["id"] for box in document["boxes"]}
    assert all(e["source"] in ids and e["target"] in ids for e in document["edges"])
    members = {m: g["id"] for g in document["groups"] for m in g["members"]}
    assert {b["id"]: b["group"] for b in document["boxes"] if b["group"]} == members


@every_patient
def test_graphml_loads_with_the_counts_of_json(name: str, tmp_path: Path) -> None:
    shown = picture(PATIENTS[name]())
    document = json.loads(render_json(shown))
    path = tmp_path / "figure.graphml"
    path.write_text(render_graphml(shown), encoding="utf-8")
    loaded = networkx.read_graphml(path, force_multigraph=True)
    assert loaded.number_of_nodes() == len(document["boxes"])
    assert loaded.number_of_edges() == len(document["edges"])
    for box in document["boxes"]:
        assert loaded.nodes[box["id"].replace("\ufffe", "")]["n_instances"] == box["n_instances"]


@every_patient
def test_graphviz_accepts_dot(name: str) -> None:
    program = shutil.which("dot")
    if program is None:
        pytest.skip("no Graphviz on the path (dot)")
    shown = picture(PATIENTS[name]())
    ran = subprocess.run([program, "-Tplain"], input=render_dot(shown), text=True, timeout=60,
                         capture_output=True, encoding="utf-8", check=True)
    assert ran.stderr == ""
    kinds = [line.split()[0] for line in ran.stdout.splitlines()]
    assert kinds.count("node") == len(shown.drawn)
    assert kinds.count("edge") == sum(line.kind != "SHARES_FOR" for line in shown.lines)


@every_patient
@pytest.mark.parametrize("direction", ["down", "up"])
def test_svg_is_well_formed_and_shows_every_box(name: str, direction: str) -> None:
    shown = picture(PATIENTS[name](), direction=direction)
    root = ElementTree.fromstring(render_svg(shown))
    assert len(root.findall(f"{SVG}g")) == len(shown.drawn)
    assert root.findall(f".//{SVG}script") == []
    assert size(render_svg(shown)) == (round(float(root.attrib["width"])),
                                       round(float(root.attrib["height"])))


@pytest.mark.parametrize(("name", "given", "expected"), [
    ("a.svg", None, "svg"), ("a.PNG", None, "png"), ("a.html", None, "html"),
    ("a.txt", None, "html"), ("a", None, "html"), ("a.svg", "json", "json"), (None, "dot", "dot"),
    (None, None, "html"),
])
def test_the_ending_of_the_file_is_the_format(
    name: str | None, given: str | None, expected: str
) -> None:
    assert format_of(Path(name) if name else None, given) == expected


def test_png_without_a_browser_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("rtgraph.viz.shot.MAC", ())
    with pytest.raises(OutputError, match="none is found") as refused:
        Figure(material(patient())).as_format("png")
    assert "--format svg" in refused.value.hint


@pytest.mark.parametrize(("text", "width", "expected"), [
    ("short", 200, "short"), ("", 10, ""), ("WWWWWWWWWW", 40, "WW…"),
    ("治療計画治療計画", 60, "治療計…"),
])
def test_text_is_cut_to_a_width(text: str, width: float, expected: str) -> None:
    assert fitted(text, 13, width) == expected


@pytest.mark.parametrize(("text", "width", "expected"), [
    ("short", 200, ["short"]), ("", 10, []), ("two words", 60, ["two", "words"]),
    ("Pelvis boost after MR review", 120, ["Pelvis boost", "after MR review"]),
    ("Pelvis boost after MR review of the week", 120, ["Pelvis boost", "after MR review…"]),
    ("a treatmentplanwithoutblanks", 120, ["a treatmentplan", "withoutblanks"]),
    ("治療計画治療計画", 60, ["治療計", "画治療…"]),
])
def test_text_breaks_into_two_lines(text: str, width: float, expected: list[str]) -> None:
    assert wrapped(text, 13, width) == expected


# --- identifiers ---------------------------------------------------------------------------------

FORMATS = ("html", "svg", "json", "dot", "graphml")


@pytest.mark.parametrize("name", FORMATS)
def test_identifiers_are_hidden_unless_asked_for(name: str) -> None:
    tables = patient()
    tables["patients"][0]["PatientID"] = "CANARY-ID"
    tables["studies"][0]["StudyID"] = "CANARY-STUDY"
    for identifiers in (False, True):
        figure = Figure(material(tables), Options(identifiers=identifiers))
        text = str(figure.as_format(name))
        assert "CANARY-STUDY" not in text
        assert ("CANARY-PATH" in text) is (identifiers and name in ("html", "json"))
        assert ("CANARY-ID" in text) is (identifiers and name in ("html", "svg", "json"))


# --- options -------------------------------------------------------------------------------------

def test_options_change_what_is_drawn() -> None:
    tables = patient()
    whole = picture(tables)
    assert {d.first.modality for d in picture(tables, modality=["rtplan"]).drawn} == {"RTPLAN"}
    assert picture(tables, modality=["RTPLAN"]).heading.note == "3 of 20 boxes"
    assert whole.heading.note == ""
    assert len(picture(tables, expand=["RTRECORD"]).drawn) == len(whole.drawn) + 5
    assert {b.kind for b in picture(tables, per="series").subgraph.boxes} == {"series"}
    plan = titled(tables, "BOOST 5Fx")
    (drawn,) = [d for d in whole.drawn if d.id == plan]
    assert picture(tables, uid_labels=True).caption_of(drawn).endswith(plan[-12:])
    ct = described(tables, "Pelvis 3 mm planning")
    ys = [picture(tables, direction=way).layout.points for way in ("down", "up")]
    assert ys[0][ct][1] > ys[0][plan][1]
    assert ys[1][ct][1] < ys[1][plan][1]


def test_a_finding_takes_its_box_out_of_a_group() -> None:
    tables = patient()
    records = [r["SOPInstanceUID"] for r in tables["instances"] if r["family"] == "RTRecord"]
    for waived in (False, True):
        shown = compose(material(tables, finding(records[2], waived=waived)), Options())
        assert {d.id: d for d in shown.drawn}[records[2]].members[0].id == records[2]
        assert sorted(len(d.members) for d in shown.drawn if d.first.modality == "RTRECORD") == [
            1, 1, 1, 1, 1, 5]


def test_problems_only_shows_problems_and_their_neighbours() -> None:
    tables = patient()
    plan = titled(tables, "BOOST 5Fx")
    shown = compose(material(tables, finding(plan)), chosen(problems_only=True))
    assert {b.modality for b in shown.subgraph.boxes} == {
        "CT", "REG", "RTSTRUCT", "RTPLAN", "RTDOSE", "RTRECORD"}
    waived = compose(material(tables, finding(plan, waived=True)), chosen(problems_only=True))
    assert titled(tables, "BOOST 5Fx") not in {b.id for b in waived.subgraph.boxes}


def test_too_many_boxes_are_refused_with_ways_to_draw_less() -> None:
    tables = generated(300)
    with pytest.raises(TooManyBoxes, match="would have 45 boxes, more than 10") as refused:
        picture(tables, max_nodes=10)
    assert all(way in refused.value.hint for way in (
        "--study", "--modality", "--problems-only", "--max-nodes"))
    assert len(picture(tables, max_nodes=45).drawn) == 45
    figure = Figure(Material("p", tables), chosen(max_nodes=10))
    document = json.loads(str(figure.as_format("json")))
    assert len(document["boxes"]) == 300


@pytest.mark.parametrize("options", [
    {"expand": ["RTRECORDS"]}, {"modality": ["XX"]}, {"role": ["XX"]}, {"study": ["1"]},
    {"series": ["1"]}, {"exclude_series": ["1"]},
])
def test_names_that_are_not_there_are_refused(options: dict[str, list[str]]) -> None:
    with pytest.raises(UsageError):
        picture(patient(), **options)


@pytest.mark.parametrize(("template", "identifiers", "error"), [
    ("http://host/v?StudyInstanceUIDs={StudyInstanceUID}", False, None),
    ("https://host/{patient_key}/{SOPInstanceUID}", False, None),
    ("http://host/{PatientID}", True, None),
    ("http://host/{PatientID}", False, "identifiers"),
    ("http://host/{StudyUID}", False, "placeholder"),
    ("http://host/", False, "no placeholder"),
    ("javascript:alert('{SOPInstanceUID}')", False, "address"),
    ("http://{SOPInstanceUID}/", False, "address"),
    ("host/{SOPInstanceUID}", False, "address"),
])
def test_templates_of_links(template: str, identifiers: bool, error: str | None) -> None:
    if error is None:
        assert check_template(template, identifiers=identifiers) == template
        return
    with pytest.raises((UsageError, UnknownName), match=error):
        check_template(template, identifiers=identifiers)


# --- who is drawn --------------------------------------------------------------------------------

ROWS: list[Row] = [
    {"patient_key": "4d1f0c9a72e3b856", "PatientID": "PAT-001"},
    {"patient_key": "aaaaaaaaaaaaaaaa", "PatientID": "PAT-002"},
    {"patient_key": "bbbbbbbbbbbbbbbb", "PatientID": "PAT-002"},
]


@pytest.mark.parametrize(("given", "identifiers", "hint"), [
    ("4d1f0c9a72e3b85", False, "Did you mean 4d1f0c9a72e3b856?"),
    ("PAT-01", False, "There is a PatientID that is alike; --identifiers shows it."),
    ("PAT-01", True, "Did you mean PAT-001"),
    ("nobody", True, "List the patients"),
    ("PAT-002", False, "aaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbb"),
])
def test_unknown_patients_name_no_others(given: str, identifiers: bool, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        find_patient(ROWS, given, identifiers=identifiers)
    said = f"{refused.value} {refused.value.hint}"
    assert hint in said
    assert ("PAT-" in said) is (identifiers and given == "PAT-01")


def test_patients_are_found() -> None:
    assert find_patient(ROWS, "PAT-001") == find_patient(ROWS, ROWS[0]["patient_key"])
    tables = patient()
    assert holder(tables, tables["studies"][0]["StudyInstanceUID"]) == PATIENT_KEY
    assert holder(tables, tables["series"][0]["SeriesInstanceUID"]) == PATIENT_KEY
    with pytest.raises(UsageError, match="No patient holds"):
        holder(tables, "1.2.3")


# --- colours -------------------------------------------------------------------------------------

def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2)."""
    def luminance(colour: str) -> float:
        parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


TEXTS = [
    *((f"{row.label}", row.text, row.fill) for row in SERIES_TYPES),
    *((f"{name} on {ground}", getattr(PALETTE, name), getattr(PALETTE, ground))
      for name in ("ink", "soft", "study_text", "role", "problem", "ambiguous", "inferred")
      for ground in ("paper", "study")),
    *((name, PALETTE.badge_text, getattr(PALETTE, name)) for name in ("error", "warning", "info")),
]


@pytest.mark.parametrize(("text", "ground"), [t[1:] for t in TEXTS], ids=[t[0] for t in TEXTS])
def test_text_can_be_read(text: str, ground: str) -> None:
    assert contrast(text, ground) >= 4.5


def test_contrast_is_measured_as_defined() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


# --- many patients -------------------------------------------------------------------------------

def test_a_patient_that_is_too_large_is_in_the_index_without_a_page(tmp_path: Path) -> None:
    entry = draw_page(Material("k", generated(300)), chosen(max_nodes=10), tmp_path, force=False)
    assert "45 boxes" in entry.problem
    assert list(tmp_path.iterdir()) == []
    assert "not drawn" in render_index([entry], "Patients", identifiers=False)


def test_a_patient_has_an_entry_with_its_counts(tmp_path: Path) -> None:
    tables = patient()
    about = material(tables, finding(titled(tables, "BOOST 5Fx")), finding("x", waived=True))
    entry = draw_page(about, Options(), tmp_path, force=False)
    assert entry.patient_key == PATIENT_KEY
    assert entry.findings == {"warning": 1}
    assert entry.counts == {"studies": 2, "series": 12, "unresolved": 7}
    assert entry.modalities["RTRECORD"] == 10
    assert entry.days == ("2025-03-03", "2025-03-21")
    assert entry.identifiers == {}
    assert [p.name for p in tmp_path.iterdir()] == [f"{PATIENT_KEY}.html"]
    with pytest.raises(OutputError, match="exists"):
        draw_page(about, Options(), tmp_path, force=False)


def test_an_index_is_not_overwritten(tmp_path: Path) -> None:
    refuse_folder(tmp_path / "new", force=False)
    (tmp_path / "index.html").touch()
    refuse_folder(tmp_path, force=True)
    for path, force in ((tmp_path, False), (tmp_path / "index.html", True)):
        with pytest.raises(UsageError):
            refuse_folder(path, force=force)


# --- schema --------------------------------------------------------------------------------------

@pytest.mark.parametrize(("labels", "expected"), [
    (["Instance", "Image", "CTImage"], "CTImage"),
    (["Instance", "RTPlan", "RTIonPlan"], "RTIonPlan"),
    (["Instance", "Image"], "Image"), (["Instance", "Missing"], "Instance"),
    (["Series", "CTSeries"], "Series"), (["Missing", "Study"], "Study"), (["Own", "Thing"], "Own"),
    ([], "no label"),
])
def test_a_node_stands_under_the_label_that_says_most(labels: list[str], expected: str) -> None:
    assert label_of(labels) == expected


def test_the_schema_is_a_picture_of_labels() -> None:
    nodes: list[Row] = [
        {"labels": ["Patient"], "n": 2}, {"labels": ["Study"], "n": 3},
        {"labels": ["Series", "CTSeries"], "n": 4}, {"labels": ["Series", "Missing"], "n": 1},
        {"labels": ["Instance", "Image", "CTImage"], "n": 1200},
        {"labels": ["Instance", "RTPlan"], "n": 5},
        {"labels": ["Instance", "Missing", "RTPlan"], "n": 1},
    ]
    relationships: list[Row] = [
        {"from_labels": ["Patient"], "type": "HAS_STUDY", "to_labels": ["Study"], "n": 3},
        {"from_labels": ["Study"], "type": "HAS_SERIES", "to_labels": ["Series", "CTSeries"],
         "n": 4},
        {"from_labels": ["Series", "CTSeries"], "type": "HAS_INSTANCE",
         "to_labels": ["Instance", "Image", "CTImage"], "n": 1200},
        {"from_labels": ["Series"], "type": "REFERENCES", "to_labels": ["Series"], "n": 7},
    ]
    shown = schema_picture(nodes, relationships, Options())
    tallies = {b.id: b.tally for b in shown.subgraph.boxes}
    assert tallies == {
        "Patient": "2", "Study": "3", "Series": "5", "CTImage": "1,200", "RTPlan": "6"}
    heights = {uid: y for uid, (_, y) in shown.layout.points.items()}
    assert heights["Patient"] < heights["Study"] < heights["Series"] < heights["CTImage"]
    assert ("HAS_INSTANCE 1,200",) in {line.roles for line in shown.lines}
    assert "Series" in render_svg(shown)


# --- files ---------------------------------------------------------------------------------------

def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.html"
    write_file("one", path, force=False)
    with pytest.raises(OutputError) as refused:
        write_file("two", path, force=False)
    assert "--force" in refused.value.hint
    assert path.read_text(encoding="utf-8") == "one"
    write_file("zwei ü\n", path, force=True)
    assert path.read_bytes() == "zwei ü\n".encode()
    with pytest.raises(OutputError, match="cannot be written") as failed:
        write_file("three", path / "below" / "page.html", force=False)
    assert str(tmp_path) not in str(failed.value)
    for folder in (path.parent, Path(".")):
        with pytest.raises(OutputError, match="cannot be written"):
            write_file("four", folder, force=True)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["page.html"]


def test_a_folder_that_is_only_to_be_read_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    # nothing is denied to root but by the system itself
    folder = Path("/proc") if os.geteuid() == 0 else tmp_path
    for draw in (
        lambda: Figure(material(patient())).save(folder / "page.html"),
        lambda: draw_page(material(patient()), Options(), folder, force=True),
    ):
        with pytest.raises(OutputError, match="cannot be written") as refused:
            draw()
        assert str(folder) not in f"{refused.value} {refused.value.hint}"
    tmp_path.chmod(0o700)
    assert list(tmp_path.iterdir()) == []


def test_pages_are_utf8_under_any_locale_and_nothing_else_is_made(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path\n"
        "from bench.patients import TYPICAL\n"
        "from rtgraph.viz.figure import Figure\n"
        "from rtgraph.viz.picture import Material\n"
        "figure = Figure(Material('k\\u00e9', TYPICAL['proton']().tables))\n"
        "for name in ('page.html', 'figure.svg', 'figure.json', 'figure.dot', 'figure.graphml'):\n"
        "    figure.save(Path(name))\n"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True,
                   env={"LC_ALL": "C", "PYTHONUTF8": "0", "PATH": "", "PYTHONPATH": str(root)})
    assert {path.name for path in tmp_path.iterdir()} == {
        "page.html", "figure.svg", "figure.json", "figure.dot", "figure.graphml"}
    assert "<title>Patient ké</title>" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "×25" in (tmp_path / "figure.svg").read_text(encoding="utf-8")


def test_a_figure_shows_itself_in_a_notebook() -> None:
    shown = Figure(material(patient()))._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert 'sandbox="allow-scripts' in shown
    assert "allow-same-origin" not in shown

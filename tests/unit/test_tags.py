"""Attributes of users: what a line means, what is refused, and that the message says why."""

import pickle
from pathlib import Path

import pytest

from rtgraph.errors import UnknownName, UsageError
from rtgraph.graphmodel.usertags import NAME, user_values
from rtgraph.ingest.records import Found, Instance
from rtgraph.ingest.tags import LABEL, UserTag, parse_line, read_tags, user_rows

CSA = '"SIEMENS CSA HEADER"'
PREFIX = "priv_SIEMENS_CSA_HEADER_"
LINES = [
    # name             line                                tag
    ("keyword",        "RescaleType",
     ("RescaleType", 0x00281054, "LO", "STRING")),
    ("tag",            "(0018,9345)",                      ("CTDIvol", 0x00189345, "FD", "FLOAT")),
    ("tag, digits",    "00189345",                         ("CTDIvol", 0x00189345, "FD", "FLOAT")),
    ("tag, lower",     "(0018,115e)",
     ("ImageAndFluoroscopyAreaDoseProduct", 0x0018115E, "DS", "FLOAT")),
    ("date",           "AcquisitionDate",
     ("AcquisitionDate", 0x00080022, "DA", "DATE")),
    ("several values", "DataCollectionCenterPatient",
     ("DataCollectionCenterPatient", 0x00189313, "FD", "LIST<FLOAT>")),
    ("US or SS",       "PixelPaddingValue",
     ("PixelPaddingValue", 0x00280120, "US or SS", "INTEGER")),
    ("private",        f"(0029,xx10) {CSA} LO Version",
     (f"{PREFIX}Version", 0x00290010, "LO", "STRING", "SIEMENS CSA HEADER")),
    ("private list",   f"(0029,XXfe)  {CSA}  DS[]  Values_1",
     (f"{PREFIX}Values_1", 0x002900FE, "DS", "LIST<FLOAT>", "SIEMENS CSA HEADER")),
    ("odd creator",    '(0029,xx10) "1.2 #; DROP" US n',
     ("priv_1_2_DROP_n", 0x00290010, "US", "INTEGER", "1.2 #; DROP")),
]


@pytest.mark.parametrize(("line", "expected"), [c[1:] for c in LINES], ids=[c[0] for c in LINES])
def test_a_line_means_an_attribute(line: str, expected: tuple[object, ...]) -> None:
    tag = parse_line(line, 1)
    assert tag == UserTag(*expected)  # type: ignore[arg-type]
    assert parse_line(tag.line, 1) == tag
    assert pickle.loads(pickle.dumps(tag)) == tag
    assert NAME.fullmatch(tag.name)
    assert tag.is_list is ("LIST" in tag.kind)


REFUSED = [
    # name               line                                  message
    ("unknown keyword",  "RescaleTipe",                        "Did you mean RescaleType?"),
    ("nothing like it",  "Qqqqqqqq",                           "named by their keyword"),
    ("unknown tag",      "(0018,9999)",                        "no such tag"),
    ("private tag",      "(0029,1010)",                        "needs its creator"),
    ("public group",     f"(0028,xx10) {CSA} LO n",            "odd groups"),
    ("low group",        f"(0003,xx10) {CSA} LO n",            "odd groups"),
    ("blank creator",    '(0029,xx10) " " LO n',               "needs its creator"),
    ("no creator",       "(0029,xx10) LO n",                   "neither a keyword nor a tag"),
    ("statement",        "x} DETACH DELETE i //",              "neither a keyword nor a tag"),
    ("private name",     f"(0029,xx10) {CSA} LO a-b",          "neither a keyword nor a tag"),
    ("sequence",         "BeamSequence",                       "is a sequence"),
    ("private sequence", f"(0029,xx10) {CSA} SQ n",            "is a sequence"),
    ("pixels",           "PixelData",                          "cannot be kept"),
    ("bytes",            "(0009,0010)",                        "needs its creator"),
    ("private bytes",    f"(0029,xx10) {CSA} OB n",            "cannot be kept"),
    ("no VR",            f"(0029,xx10) {CSA} XY n",            "cannot be kept"),
    ("file meta",        "TransferSyntaxUID",                  "not in the data set"),
    ("in the graph",     "SliceThickness",                     "on Series"),
    ("of a family",      "(300A,0002)",                        "RTPlanLabel already, on Instance"),
    ("of the patient",   "PatientSex",                         "on Patient"),
    ("a person",         "OperatorsName",                      "a person's name"),
]


@pytest.mark.parametrize(("line", "message"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_a_line_is_refused(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "tags"
    file.write_text(f"# attributes\n\n{line}\n", encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        read_tags(file)
    said = f"{raised.value} {raised.value.hint}"
    assert message in said
    assert "ine 3" in said
    assert raised.value.exit_code == 2


def test_an_unknown_keyword_is_an_unknown_name() -> None:
    with pytest.raises(UnknownName) as raised:
        parse_line("RescaleTipe", 7)
    assert raised.value.given == "RescaleTipe"
    assert "line 7" in str(raised.value)


def test_a_file_has_comments_blank_lines_and_an_order(tmp_path: Path) -> None:
    file = tmp_path / "tags"
    file.write_text(
        "\ufeff# what we want\r\nRescaleType   # of CT\r\n\r\n  (0018,9345)\r\n"
        '(0029,xx10) "A # B" LO x # a creator with a sign\r\n', encoding="utf-8")
    assert [t.name for t in read_tags(file)] == ["RescaleType", "CTDIvol", "priv_A_B_x"]
    file.write_text("")
    assert read_tags(file) == ()


@pytest.mark.parametrize("lines", [
    "RescaleType\nRescaleType", "CTDIvol\n(0018,9345)",
    f"(0029,xx10) {CSA} LO n\n(0029,xx11) {CSA} LO n",
    '(0029,xx10) "A B" LO n\n(0029,xx10) "A_B" LO n',
], ids=["keyword", "tag", "private", "creators alike"])
def test_an_attribute_is_given_once(tmp_path: Path, lines: str) -> None:
    file = tmp_path / "tags"
    file.write_text(lines)
    with pytest.raises(UsageError, match=r"Line 2 .* stands in line 1 already"):
        read_tags(file)


def test_names_of_persons_where_the_graph_keeps_them(tmp_path: Path) -> None:
    file = tmp_path / "tags"
    file.write_text("OperatorsName")
    assert [t.vr for t in read_tags(file, names=True)] == ["PN"]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_tags(tmp_path / "nothing")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="no text"):
        read_tags(tmp_path / "bytes")


def test_the_statement_names_properties_and_nothing_else() -> None:
    assert user_values(("A", "priv_b_1")) == (
        "UNWIND $rows AS r\nMATCH (i:Instance {SOPInstanceUID: r[0]})\n"
        "SET i.A = r[1], i.priv_b_1 = r[2]")
    for name in ("", "a b", "a`", "1a", "a.b", "é", "a\n"):
        with pytest.raises(ValueError, match="name of a property"):
            user_values((name,))


def test_rows_have_every_name_so_that_absent_values_go() -> None:
    def of(uid: str, values: dict[str, dict[str, object]]) -> Instance:
        return Instance(Found("", ""), uid, "", "", "", "", values)

    tags = [parse_line(k, 1) for k in ("RescaleType", "CTDIvol")]
    objects = [of("2", {LABEL: {"CTDIvol": 1.5}}), of("1", {})]
    assert user_rows(objects, tags) == [["1", None, None], ["2", None, 1.5]]

"""Links into Neo4j Browser: whole, without what Browser cuts at, and without patient values."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from rtgraph.cypher.library import checks, queries
from rtgraph.cypher.links import LONGEST, file_link, query_link, subject_link, surroundings

BASE = "http://127.0.0.1:7474/browser/?dbms=bolt://neo4j@127.0.0.1:7687&db=neo4j"


@pytest.mark.parametrize("file", [*checks(), *queries()], ids=lambda f: f.title)
def test_every_file_fits_into_a_link(file: object) -> None:
    link = file_link(BASE, file)  # type: ignore[arg-type]
    assert link is not None
    assert len(link) < LONGEST + 200
    text = parse_qs(urlsplit(link).query)["arg"][0]
    assert text in (file.text.strip(),  # type: ignore[attr-defined]
                    f"// {file.title}\n{file.statement};")  # type: ignore[attr-defined]
    assert not set("&#") & set(text)


@pytest.mark.parametrize("text", ["RETURN 1 & 2", "RETURN '#'", "RETURN '" + "x" * LONGEST + "'"])
def test_what_browser_would_cut_or_refuse_is_no_link(text: str) -> None:
    assert query_link(BASE, text) is None


SUBJECTS = [
    # name              subject                        part of the statement, None for no link
    ("object",          "1.2.840.99.7",                "{SOPInstanceUID: '1.2.840.99.7'})"),
    ("patient",         "4d1f0c9a72e3b856",            "{patient_key: '4d1f0c9a72e3b856'})"),
    ("patient, digits", "1234567890123456",            "{patient_key: '1234567890123456'})"),
    ("ROI",             "1.2.3#7",                     "-[:HAS_ROI]->(n:ROI {ROINumber: 7})"),
    ("beam",            "1.2.3#B12",                   "-[:HAS_BEAM]->(n:Beam {BeamNumber: 12})"),
    ("unknown part",    "1.2.3#Q12",                   None),
    ("name",            "MEIER^HANS",                  None),
    ("number",          "1234567",                     None),
    ("quote",           "1.2' OR 1=1 //",              None),
    ("UID with name",   "1.2.MEIER",                   None),
    ("too long",        "1." + "9" * 130,              None),
    ("other digits",    "1.٢",                         None),
    ("line end",        "1.2\n",                       None),
    ("nothing",         None,                          None),
]


@pytest.mark.parametrize(("subject", "part"), [c[1:] for c in SUBJECTS],
                         ids=[c[0] for c in SUBJECTS])
def test_links_hold_uids_and_keys_only(subject: str | None, part: str | None) -> None:
    link = subject_link(BASE, subject)
    if part is None:
        assert link is None
        return
    assert link is not None
    text = unquote(link.partition("&arg=")[2])
    assert part in text
    assert not set("&#") & set(text)
    assert set(re.findall(r"'([^']*)'", text)) == {str(subject).partition("#")[0]}


def test_a_uid_is_looked_for_at_every_level() -> None:
    text = surroundings("1.2.3") or ""
    assert text.count("UNION") == 3
    assert text.endswith(";")

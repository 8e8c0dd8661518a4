"""Links into Neo4j Browser: a query in the editor, not run, without any value of a patient.

Browser cuts a query at `&` and `#`, even when they are encoded, so no link holds one. Subjects
stand in a link only when they are UIDs, keys of patients or parts of an object; whatever else a
file states as an identifier does not, however it looks.
"""

import re
from urllib.parse import quote

from rtgraph.cypher.header import Check, Query
from rtgraph.graphmodel.parts import PARTS

_UID = re.compile(r"(?=.{1,128}$)[0-9]+(?:\.[0-9]+)+", re.ASCII)
_PATIENT_KEY = re.compile(r"[0-9a-f]{16}", re.ASCII)
_PART = re.compile(r"(?P<uid>[0-9]+(?:\.[0-9]+)+)#(?P<kind>[A-Z]?)(?P<number>[0-9]{1,9})", re.ASCII)
# Parts by the letter before the number in their key.
_PARTS = {part.letter: part for part in PARTS}
_NAMED_BY = (
    ("Instance", "SOPInstanceUID"), ("Series", "SeriesInstanceUID"), ("Study", "StudyInstanceUID"),
    ("FrameOfReference", "FrameOfReferenceUID"),
)
# The web server behind Browser takes addresses of 16,000 characters and refuses 30,000.
LONGEST = 12_000


def query_link(base: str, text: str) -> str | None:
    """Return the link that puts a query into Browser's editor.

    Parameters
    ----------
    base : str
        Address of Browser with server, user and database, from `Target.browser_link`.
    text : str
        A `.cypher` file or a statement.

    Returns
    -------
    str or None
        None when the text cannot stand in a link: it holds `&` or `#`, or is so long that the
        web server behind Browser refuses the address.
    """
    encoded = quote(text.strip(), safe="")
    if "&" in text or "#" in text or len(encoded) > LONGEST:
        return None
    return f"{base}&cmd=edit&arg={encoded}"


def file_link(base: str, file: Check | Query) -> str | None:
    """Return the link to a check or query; a long one goes without its header."""
    short = f"// {file.title}\n{file.statement};"
    return query_link(base, file.text) or query_link(base, short)


def subject_link(base: str, subject: str | None) -> str | None:
    """Return the link to the surroundings of the subject of a finding, None for other texts."""
    statement = surroundings(subject or "")
    return query_link(base, statement) if statement else None


def surroundings(subject: str) -> str | None:
    """Return the statement that shows a node with its neighbours."""
    if _PATIENT_KEY.fullmatch(subject):
        return (f"MATCH p = (:Patient {{patient_key: '{subject}'}})-[:HAS_STUDY]->(:Study)"
                "-[:HAS_SERIES]->(:Series) RETURN p LIMIT 100;")
    if found := _PART.fullmatch(subject):
        part = _PARTS.get(found["kind"])
        if part is None:
            return None
        edge, node = f":{part.relationship}", f"n:{part.label}"
        if part.number and part.label != "Prescription":
            node += f" {{{part.number}: {found['number']}}}"
        else:  # these are numbered by their place
            edge += f" {{index: {found['number']}}}"
        return (f"MATCH p = (:Instance {{SOPInstanceUID: '{found['uid']}'}})-[{edge}]->({node}) "
                "OPTIONAL MATCH q = (n)--() RETURN p, q LIMIT 100;")
    if _UID.fullmatch(subject):
        return "\nUNION\n".join(
            f"MATCH (n:{label} {{{key}: '{subject}'}}) OPTIONAL MATCH p = (n)--() "
            "RETURN n, p LIMIT 100" for label, key in _NAMED_BY) + ";"
    return None

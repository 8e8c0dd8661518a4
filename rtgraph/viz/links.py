"""Addresses that the page leads to: a viewer of images by template, Neo4j Browser by query.

The page fills in UIDs when a box is selected. Browser cuts a linked query at some signs even when
they are encoded, so queries hold UIDs and nothing else of a patient.
"""

import re
from urllib.parse import urlsplit

from rtgraph.errors import UnknownName, UsageError
from rtgraph.graphmodel.tables import IDENTIFYING

PLACEHOLDERS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "patient_key",
                "PatientID")
# What Browser shows of a box: the node, what is around it, and the findings about it.
QUERIES = {
    "object": "MATCH (n:Instance {SOPInstanceUID: 'UID'}) OPTIONAL MATCH (n)-[r]-(m) "
              "RETURN n, r, m LIMIT 200",
    "series": "MATCH (n:Series {SeriesInstanceUID: 'UID'}) OPTIONAL MATCH (n)-[r]-(m) "
              "RETURN n, r, m LIMIT 200",
}
_FIELD = re.compile(r"\{([^{}]*)\}")


def check_template(template: str, *, identifiers: bool) -> str:
    """Return the template of a link, when the page can fill it in.

    Raises
    ------
    UsageError
        It is no web address, or names an identifier that the page hides.
    UnknownName
        It has a placeholder that no box has.
    """
    address = urlsplit(template)
    if address.scheme not in ("http", "https") or not address.netloc or "{" in address.netloc:
        raise UsageError("The template of the link is no address of the form http://…",
                         "Example: --link-template "
                         "'http://host/viewer?StudyInstanceUIDs={StudyInstanceUID}'")
    fields = _FIELD.findall(template)
    for field in fields:
        if field not in PLACEHOLDERS:
            raise UnknownName("placeholder for links", field, PLACEHOLDERS)
        if field in IDENTIFYING and not identifiers:
            raise UsageError(f"A link with {field} would show identifiers.", "Add --identifiers.")
    if not fields:
        raise UsageError("The template of the link has no placeholder, such as {StudyInstanceUID}.",
                         "Without one every box would have the same link.")
    return template

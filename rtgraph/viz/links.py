"""Addresses that the page leads to, as templates: a viewer of images, Neo4j Browser.

The page fills in UIDs when a box is selected.
"""

import re
from urllib.parse import urlsplit

from rtgraph.cypher.links import subject_link
from rtgraph.errors import UnknownName, UsageError
from rtgraph.graphmodel.tables import IDENTIFYING

PLACEHOLDERS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "patient_key",
                "PatientID")
# A UID that stands in the link to Browser for that of a box.
STAND_IN = "2.25.0"
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


def browser_template(browser: str | None) -> list[str] | None:
    """Return the link to the surroundings of a node, and what in it the page replaces by a UID."""
    link = browser and subject_link(browser, STAND_IN)
    return [link, f"%27{STAND_IN}%27"] if link else None

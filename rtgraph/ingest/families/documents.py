"""Reports, key objects and encapsulated documents: what they are called (PS3.3 C.17.3, C.24.2)."""

from rtgraph.ingest.draft import Draft
from rtgraph.ingest.items import CODE, first_text, items

_TITLE, _TEMPLATE = "ConceptNameCodeSequence", "ContentTemplateSequence"
NEEDED: tuple[tuple[str, ...], ...] = (
    *((_TITLE, leaf) for leaf in CODE), (_TEMPLATE, "TemplateIdentifier"))


def document(draft: Draft) -> None:
    """Add the title, as property and as code, and the template of a report."""
    titles = draft.codes([draft.item], _TITLE)
    draft.link_codes(("", ""), titles)
    (_, code), meaning = next(iter(titles.items()), (("", ""), ""))
    template = next((first_text(t, "TemplateIdentifier")
                     for t in items(draft.item, _TEMPLATE)), "")
    draft.facts |= {"title_code": code or None, "title_meaning": meaning or None,
                    "template_id": template or None}

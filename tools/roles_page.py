"""The page of roles: their policy, and every path that states a reference or a shared UID."""

from collections.abc import Iterator

from rtgraph.graphmodel.references import Reference, references, refinements, roles
from rtgraph.graphmodel.shared import HUBS
from tools.markdown import code, table
from tools.schema_graph import shared_rows

# Words of the reference table for where an edge starts.
_STARTS = {
    None: "", "instance": "object", "series": "series", "by_source": "object; of an image, series",
    "roi": "ROI", "segment": "Segment", "dose_reference": "DoseReference",
    "frame_of_reference": "frame",
}


def reference_roles() -> Iterator[str]:
    """Yield the policy of the roles and the paths that state references."""
    yield "# Roles of references"
    yield ("Every reference in the graph has a role. The policy of the roles is in the graph too, "
           "as `ReferenceRole` nodes.")
    yield "## Policy"
    yield ("Severity is that of a missing target; a quiet role is never reported. No families "
           "means that any target is allowed.")
    yield table(("role", "severity", "quiet", "families of the target"), (
        (f"`{r.role}`", r.severity, "yes" if r.quiet else "", code(r.targets)) for r in roles()))
    for keyword, values in refinements().items():
        yield f"`{keyword}` beside a reference refines its role; the edge keeps it as written:"
        yield table((f"`{keyword}`", "role"), (
            (f"`{value}`" if value != "other" else "any other, or none", f"`{role}`")
            for value, role in values.items()))
    yield "## Paths"
    yield ("Where a file states a reference, outermost attribute first. `ContentSequence*` stands "
           "for one or more nested items, `**` for any path. An edge `-` makes no relationship of "
           "its own. *From* is where the edge starts. *Keeps* are the properties of the edge that "
           "narrow the reference. Tier 1 is the core of radiotherapy, tier 4 is rare or retired.")
    yield table(("role", "path", "from", "edge", "target", "keeps", "tier", "id"), (
        (f"`{r.role}`", _path(r), _STARTS[r.start], f"`{r.edge}`", r.target_level, _keeps(r),
         r.tier, f"`{r.path_id}`")
        for r in _sorted(r for r in references() if r.target_level not in HUBS)))
    yield "## Shared UIDs"
    yield ("Where a file states a UID that other objects state as well, and the edge that leads "
           "from there to the [shared node](graph-schema.md#shared-nodes). The role stands on "
           "`STATES_UID` and `PART_OF_STEP`.")
    yield table(("node", "edge", "from", "role", "path", "tier", "id"), (
        (f"`{HUBS[r.target_level].label}`", f"`{r.edge}`", _STARTS[r.start], f"`{r.role}`",
         _path(r), r.tier, f"`{r.path_id}`")
        for r in sorted(_sorted(shared_rows()), key=lambda r: HUBS[r.target_level].label)))


def _sorted(rows: Iterator[Reference] | list[Reference]) -> list[Reference]:
    return sorted(rows, key=lambda r: (r.tier, r.role, r.path_id))


def _path(row: Reference) -> str:
    return f"`{' › '.join(row.path)}`"


def _keeps(row: Reference) -> str:
    names = [q.name for q in row.narrowed_by] + ["items", "side"] * row.is_itemized
    return code(dict.fromkeys(names))

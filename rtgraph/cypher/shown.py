"""Everything that the graph says about one object, series or study."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rtgraph.cypher.library import lookup
from rtgraph.errors import UsageError
from rtgraph.graphmodel.references import paths
from rtgraph.graphmodel.sections import section
from rtgraph.graphmodel.tables import IDENTIFYING, Row, hide

if TYPE_CHECKING:
    from rtgraph.store.bolt import Store

_BASE = {"Instance", "Series", "Study", "Missing", "Image"}
_PARTS = "#"  # between the UID of an object and the number of its part


@dataclass(frozen=True, slots=True)
class Shown:
    """An object of the graph with its surroundings.

    Attributes
    ----------
    head : dict
        level, kind, uid, label, missing, patients, study, series, frames.
    properties : dict
        All properties of the node, identifying ones hidden unless asked for.
    file : dict
        size, mtime_ns and, when identifiers are asked for, root and path; empty without a file.
    refers_to, referred_by : list of dict
        role, kind, other, label, missing, n, n_missing, path and where the Standard defines it.
    issues : list of dict
        Stored findings that are not closed.
    """

    head: Row
    properties: Row
    file: Row
    refers_to: list[Row]
    referred_by: list[Row]
    issues: list[Row]


async def show(store: "Store", uid: str, *, identifiers: bool = False) -> Shown:
    """Read an object, series or study by its UID.

    Raises
    ------
    UsageError
        Nothing in the graph has this UID.
    """
    rows = await store.read(lookup("object").statement, uid=uid)
    if not rows:
        raise UsageError("Nothing in the graph has this UID.",
                         "It is the UID of an object, a series or a study.")
    found = rows[0]
    stated = found["properties"]
    references = await store.read(lookup("object-references").statement, uid=uid)
    images = await store.read(lookup("object-images").statement, uid=uid)
    issues = await store.read(lookup("issues-about").statement, uid=uid, part=_PARTS)
    head = {
        "uid": uid, "level": found["level"], "kind": _kind(found["labels"]),
        "missing": "Missing" in found["labels"], "label": _label(stated),
        "patients": found["patients"], "study": found["study"], "series": found["series"],
        "frames": found["frames"],
    }
    to = [_reference(r, _kind(r["labels"]), r["other"]) for r in references
          if r["direction"] == "to"]
    to += [_reference(r, f"images of {r['modality'] or 'unknown'}", r["series"]) for r in images]
    return Shown(
        head, stated if identifiers else hide([stated], IDENTIFYING)[0],
        _file(stated, identifiers), sorted(to, key=lambda r: (r["role"], r["other"] or "")),
        [_reference(r, _kind(r["labels"]), r["other"]) for r in references
         if r["direction"] == "from"],
        issues)


def _reference(row: Row, kind: str, other: str | None) -> Row:
    path_id = row["path_id"] or ""
    n, missing = row["n"], row["n_missing"] or 0
    return {
        "role": row["role"], "kind": kind, "other": other, "label": row["label"], "n": n,
        "n_missing": missing, "missing": bool(missing),
        "path": " › ".join(paths().get(path_id, ())), "defined_in": section(path_id),
    }


def _kind(labels: list[str]) -> str:
    """Return the most telling label of a node."""
    own = sorted((label for label in labels if label not in _BASE), key=lambda x: (len(x), x))
    return own[-1] if own else next(
        (x for x in ("Image", "Instance", "Series", "Study") if x in labels), "")


def _label(properties: Row) -> str | None:
    names = ("StructureSetLabel", "RTPlanLabel", "DoseSummationType", "ContentLabel",
             "SeriesDescription", "StudyDescription")
    return next((properties[n] for n in names if properties.get(n)), None)


def _file(properties: Row, identifiers: bool) -> Row:
    path = properties.get("file_path")
    if not path:
        return {}
    found = {"size": properties.get("file_size"), "mtime_ns": properties.get("file_mtime")}
    # a root may be named by the folder of one patient
    named = {"root": path.partition(":")[0], "path": path} if identifiers else {}
    return found | named

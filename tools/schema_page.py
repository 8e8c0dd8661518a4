"""The page of the graph schema: labels, properties, relationships, from the declarations."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from pydicom.uid import UID

from rtgraph.graphmodel.families import FAMILIES, STORAGE, Family
from rtgraph.graphmodel.measured import MEASURED
from rtgraph.graphmodel.modalities import SERIES_TYPES
from rtgraph.graphmodel.nodes import NodeType
from rtgraph.graphmodel.parts import PARTS, PartType
from rtgraph.graphmodel.properties import Property
from rtgraph.graphmodel.relationships import OF_PARTS, RELATIONSHIP_TYPES, RelationshipType
from rtgraph.graphmodel.roi_names import SCORES, Method
from rtgraph.graphmodel.schema import MAX_CLIQUE, SCHEMA_VERSION, derivations, schema
from rtgraph.graphmodel.shared import SHARED
from rtgraph.graphmodel.standard_names import list_version, standard_names
from tools.markdown import code, table
from tools.schema_graph import groups, item_sequences, owners, shared_rows
from tools.units import unit

PICTURE = "graph-schema.svg"
HUBS = "Hubs of shared UIDs"
_CONFIDENCE = re.compile(r"e\.confidence = ([\d.]+)")
_BEFORE_WORDS = re.compile(r"^\$rows[^:]*: ")


def graph_schema() -> Iterator[str]:
    """Yield the page, from the picture to the constraints."""
    yield "# Graph schema"
    yield (f"Version {SCHEMA_VERSION}. A property in PascalCase is a DICOM attribute and says what "
           "the file says, normalised by its VR: it is *stated*. A *companion* says what the value "
           "beside it does not. Everything in snake_case is derived: *in reading*, from one "
           "object, or *in the graph*, from all that is there. Units of stated numbers are those "
           "of the Standard. *Per run* marks what may differ between two runs over the same input. "
           "What that means: [stated, derived, "
           "inferred](../explanation/stated-derived-inferred.md).")
    yield f"[![Labels and relationship types]({PICTURE})]({PICTURE})"
    yield "## Labels"
    yield from _labels()
    of = groups()
    yield "## Patients, studies, series, instances"
    yield ("A node with the label `Missing` besides `Instance`, `Series` or `Study` is known from "
           "references only. What is constant over an image series stands on the series.")
    yield from _nodes(of["hierarchy"])
    yield from _families()
    yield from _parts()
    yield "## Frames of reference"
    yield "Why and how: [frames and registrations](../explanation/frames-and-registrations.md)."
    yield from _nodes(of["frames"], of_graph=True)
    yield from _shared(of["shared"])
    yield "## Administration"
    yield ("What rtgraph notes about its own work. One node `Schema` holds `version` and `key`, "
           "the key of `patient_key`; `upgraded_from` is the former version of a graph of which "
           "not all files have been read again.")
    for kind in of["administration"]:
        yield f"### {kind.label}"
        yield f"Identified by `{kind.key}`."
        yield _plain(kind.properties)
    yield from _relationships()
    yield "## Series labels"
    yield "A series has one of these labels, by its Modality."
    yield table(("label", "Modality", "layer", "fill", "text"),
                ((f"`{t.label}`", ", ".join(t.modalities), t.layer, f"`{t.fill}`", f"`{t.text}`")
                 for t in SERIES_TYPES))
    yield "## Constraints and indexes"
    yield "```cypher\n" + "\n".join(f"{c};" for c in schema().constraints) + "\n```"


def _labels() -> Iterator[str]:
    names = {"hierarchy": "hierarchy", "parts": "part of an object",
             "frames": "frame of reference", "shared": "shared by objects",
             "administration": "administration"}
    hubs = {s.label for s in SHARED if s.key == "uid"}
    yield table(("label", "what", "identified by", "properties"), (
        (f"[`{kind.label}`](#{_anchor(HUBS) if kind.label in hubs else kind.label.lower()})",
         names[group], f"`{kind.key}`", len(kind.properties))
        for group, kinds in groups().items() for kind in kinds))


def _anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")


def _nodes(kinds: Iterable[NodeType], of_graph: bool = False) -> Iterator[str]:
    for kind in kinds:
        yield f"### {kind.label}"
        yield f"Identified by `{kind.key}`."
        yield _properties(kind.properties, of_graph=of_graph)


def _properties(
    properties: Iterable[Property], part: PartType | None = None, of_graph: bool = False
) -> str:
    """Return the table of a node; those `of_graph` are in no row of a file."""
    return table(("property", "tag", "VR", "unit", "Neo4j type", "origin", "note"), (
        (f"`{p.name}`", f"({p.tag >> 16:04X},{p.tag & 0xFFFF:04X})" if p.stated else None,
         p.vr if p.stated else None, unit(p), f"`{p.kind}`",
         _origin(p, of_graph), _note(p, part))
        for p in properties))


def _plain(properties: Iterable[Property]) -> str:
    """Return the table of a node that is no DICOM object or part of one."""
    return table(("property", "unit", "Neo4j type", "note"), (
        (f"`{p.name}`", unit(p), f"`{p.kind}`", _note(p)) for p in properties))


def _origin(p: Property, of_graph: bool) -> str:
    if p.companion_of:
        return "companion"
    if p.stated:
        return "stated"
    if p in MEASURED:
        return "derived in a pass"
    return "derived in the graph" if p.later or of_graph else "derived in reading"


def _note(p: Property, part: PartType | None = None) -> str:
    """Return the note, without the unit that has a column, with the sequence that holds it."""
    note = p.note
    if unit(p):
        note = note.removesuffix(f", {unit(p)}").removesuffix(f": {unit(p)}").removeprefix(
            f"{unit(p)}, ")
        note = "" if note == unit(p) else note
    where = ""
    if p.below:
        where = f"in the first item of {code(p.below)}"
    elif part and p.stated:
        where = _elsewhere(p, part)
    return "; ".join(filter(None, (note, where, "per run" if p.per_run else "")))


def _elsewhere(p: Property, part: PartType) -> str:
    """Return where a part has an attribute from, when that is not the item that makes it."""
    own = item_sequences(part.label)
    paths = [path for path, properties in part.stated if p in properties]
    if not paths or any(path in own for path in paths):
        return ""
    if () in paths:
        return "of the object itself"
    inner = dict.fromkeys(path[-1] for path in paths)
    first = "first item that states it, in " if any(path[:1] in own for path in paths) else "in "
    return first + code(inner)


def _families() -> Iterator[str]:
    yield "## Families of objects"
    yield ("Every object is an `Instance`; these labels and properties come on top. The SOP class "
           "decides; private classes belong to no family. *Image objects* are those with the label "
           "`Image`.")
    yield table(("labels", "SOP classes", "Modality of series without one"),
                ((code(f.labels) or "none", _classes(f), f.modality) for f in FAMILIES))
    together: dict[tuple[Property, ...], list[str]] = defaultdict(list)
    for family in FAMILIES:
        if family.properties and family.labels[-1] not in together[family.properties]:
            together[family.properties].append(family.labels[-1])
    for properties, labels in together.items():
        if labels:
            yield f"### {', '.join(labels)}"
            yield _properties(properties)


def _classes(family: Family) -> str:
    uids = [root if root.startswith("1.2.") else STORAGE + root for root in family.roots]
    return ", ".join(f"all of `{u}*`" if u.endswith(".") else UID(u).name for u in uids)


def _parts() -> Iterator[str]:
    yield "## Parts of objects"
    yield ("An item of these sequences is a node below its object. Its `key` is the SOP Instance "
           "UID and a suffix, because numbers are unique in their object only. Of two items with "
           "one number the second has `.2` behind the key; an item without a number has `?` and "
           "its place. Why: [decision 18](../decisions/0018-parts-as-nodes.md).")
    yield table(("part", "of", "relationship", "one for each item of", "key"), (
        (f"[`{p.label}`](#{p.label.lower()})", code(owners(p.label)), f"`{p.relationship}`",
         "; ".join(code(path, " › ") for path in item_sequences(p.label)), _key(p))
        for p in PARTS))
    for part in PARTS:
        yield f"### {part.label}"
        yield _properties(part.properties, part)


def _key(part: PartType) -> str:
    return f"SOP Instance UID + `#{part.letter}` + {part.number or 'place of the item, from 1'}"


def _shared(kinds: list[NodeType]) -> Iterator[str]:
    yield "## Shared nodes"
    yield ("Nobody owns them: the first object that names one makes it, and it goes with the last. "
           "[roles.md](roles.md#shared-uids) has the attributes that lead to them.")
    yield f"### {HUBS}"
    hubs = [kind for kind in kinds if kind.key == "uid"]
    yield ("A node for each UID that several objects may state, with the label of its kind. Each "
           "has " + " and ".join(f"`{p.name}` (`{p.kind}`)" for p in hubs[0].properties)
           + ": the UID as stated, and how many edges lead to the node.")
    leads: dict[str, list[str]] = defaultdict(list)
    levels = {s.level: s.label for s in SHARED}
    for row in shared_rows():
        label = levels[row.target_level]
        leads[label] += [] if row.edge in leads[label] else [row.edge]
    yield table(("label", "`uid`", "reached by"), (
        (f"`{k.label}`", k.properties[0].note, code(leads[k.label])) for k in hubs))
    for kind in kinds:
        if kind not in hubs:
            yield f"### {kind.label}"
            yield f"Identified by `{kind.key}`."
            if kind.label == "StandardName":
                yield from _standard_names()
            stated = any(p.stated for p in kind.properties)
            yield (_properties(kind.properties, of_graph=True) if stated
                   else _plain(kind.properties))


def _standard_names() -> Iterator[str]:
    yield (f"List: {list_version()}, {len(standard_names())} names; those that no ROI has are not "
           "in the graph. `NAMED_AS` says by which method a name was found, with its score:")
    yield table(("method", "score"), (
        (f"`{m.value}`", score) for m, score in SCORES.items() if m is not Method.FUZZY))


def _relationships() -> Iterator[str]:
    yield "## Relationships"
    yield ("Stated ones come from files; derived ones are made anew from stated facts by "
           "`rtgraph derive`. *One for each* names the property by which two edges of a type "
           "between the same nodes differ. *Image objects* state their references through their "
           "series. Roles are in [roles.md](roles.md).")
    yield table(("type", "from and to", "one for each", "origin"), (
        (f"`{r.name}`", _ends(r), code(r.keys), "derived" if r.derived else "stated")
        for r in RELATIONSHIP_TYPES))
    yield (f"Up to {MAX_CLIQUE} series of one frame of reference are linked by `SHARES_FOR` each "
           "with each, more of them each with one anchor.")
    yield "### Properties of relationships"
    yield table(("type", "property", "unit", "Neo4j type", "note"), (
        ("" if at else name, f"`{p.name}`", unit(p), f"`{p.kind}`", _note(p))
        for name, kind in _with_properties() for at, p in enumerate(kind.properties)))
    yield "### Guesses"
    yield ("`rtgraph derive --infer` makes them, as `INFERRED_LINK`; nothing else in the graph "
           "rests on them.")
    yield table(("method", "between", "confidence"), _guesses())


def _ends(kind: RelationshipType) -> str:
    """Return the ends in words; parts hang below the objects of their family."""
    if kind.name not in OF_PARTS:
        return kind.ends
    part = kind.ends.rpartition(" ")[2]
    return f"{' or '.join(owners(part))} to {part}"


def _with_properties() -> Iterator[tuple[str, RelationshipType]]:
    """Yield the types with properties by name; those to parts have the same and are one."""
    parts_seen = False
    for kind in RELATIONSHIP_TYPES:
        if kind.name not in OF_PARTS:
            yield f"`{kind.name}`" + f" {kind.ends}" * (kind.name == "REFERENCES"), kind
        elif not parts_seen:
            parts_seen = True
            yield "`HAS_…` to a part", kind


def _guesses() -> Iterator[tuple[str, str, str]]:
    for name, statement in derivations().items():
        if name.isupper():
            words = " ".join(line.removeprefix("// ") for line in statement.splitlines()
                             if line.startswith("//"))
            found = _CONFIDENCE.search(statement)
            words = _BEFORE_WORDS.sub("", words)
            yield (f"`{name}`", words[:1].upper() + words[1:],
                   found[1] if found else f"likeness, at most {SCORES[Method.FUZZY]}")

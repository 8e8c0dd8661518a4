"""The Cypher that is made from the declarations, against texts in this folder.

White space is normalised. After a change that is meant, write the texts anew and read the diff:

    RTGRAPH_WRITE_GOLDEN=1 python -m pytest tests/golden
"""

import os
import re
from collections.abc import Iterable
from itertools import product
from pathlib import Path

import pytest
from pydicom.uid import CTImageStorage, RTPlanStorage

from rtgraph.graphmodel import attached, questions, revision, schema, statements
from rtgraph.graphmodel.families import FAMILIES, NO_FAMILY, family
from rtgraph.graphmodel.nodes import NODE_TYPES
from rtgraph.graphmodel.parts import BEAM, PARTS
from rtgraph.graphmodel.properties import names
from rtgraph.graphmodel.shared import CODE, SHARED

FOLDER = Path(__file__).parent
CT, PLAN = family(CTImageStorage), family(RTPlanStorage)
# To a code, another shared node, a part of the object, a series, and a frame.
LINKS = (("CODED_AS", "ROI", "Code"), ("STATES_UID", "Instance", "Fiducial"),
         ("INCLUDES_BEAM", "FractionGroup", "Beam"), ("CONTOURED_ON", "ROI", "Series"),
         ("FROM_FRAME", "Transform", "FrameOfReference"))
LEVEL_EDGES = ("REFERENCES_SERIES", "REFERENCES_STUDY", "REFERENCES_FRAME")


def pasted(statements: Iterable[str]) -> str:
    """The text of a file: statements end in a semicolon, so that they paste into Browser."""
    return "".join(f"{statement};\n" for statement in statements)


GOLDEN = {
    "constraints": pasted(schema.schema().constraints),
    "hierarchy": pasted([statements.HIERARCHY]),
    "values": pasted(statement for _, statement in statements.VALUES),
    "instances-RTPlan": pasted([statements.instances(PLAN), statements.instances_again(PLAN),
                                statements.settle(PLAN)]),
    "references-Instance": pasted(
        statements.reference_edges("Instance", CT, q) for q in (False, True)),
    "references-Series": pasted(statements.reference_edges("Series", CT, q) for q in (False, True)),
    "references-levels": pasted(statements.other_edges("Instance", edge) for edge in LEVEL_EDGES),
    "placements": pasted([statements.PLACEMENTS]),
    "variants": pasted([statements.VARIANTS]),
    "parts-Beam": pasted([attached.parts(BEAM)]),
    "links": pasted(attached.links(*ends) for ends in LINKS),
    "retire": pasted([revision.RETIRE, revision.RETIRE_SERIES, attached.RETIRE_PARTS,
                      attached.RETIRE_REGISTRATIONS, *map(attached.left, (SHARED[0], CODE))]),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_statement_is_the_golden_text(name: str) -> None:
    file = FOLDER / f"{name}.cypher"
    if os.environ.get("RTGRAPH_WRITE_GOLDEN"):
        file.write_text(GOLDEN[name], encoding="utf-8")
    assert GOLDEN[name].split() == file.read_text(encoding="utf-8").split()


def test_every_golden_file_is_compared() -> None:
    assert {f.stem for f in FOLDER.glob("*.cypher")} == set(GOLDEN)


# --- what holds for every statement --------------------------------------------------------------

FAMILIES_AND_NONE = (*FAMILIES, NO_FAMILY)
SOURCES = ("Instance", "Series")
STATEMENTS = {
    **{name: text for name, text in (
        vars(statements) | vars(questions) | vars(revision) | vars(attached)).items()
       if name.isupper() and isinstance(text, str) and re.match("UNWIND|MERGE|MATCH", text)},
    **{f"constraint {i}": text for i, text in enumerate(schema.schema().constraints)},
    "schema node": schema.schema().schema_node,
    "roles": schema.schema().roles_statement,
    **{f"values {label}": text for label, text in statements.VALUES},
    **{f"instances {'.'.join(k.labels)}": statements.instances(k) for k in FAMILIES_AND_NONE},
    **{f"again {'.'.join(k.labels)}": statements.instances_again(k) for k in FAMILIES_AND_NONE},
    **{f"settle {'.'.join(k.labels)}": statements.settle(k) for k in FAMILIES_AND_NONE},
    **{f"references {source} {'.'.join(k.labels)}": statements.reference_edges(source, k, False)
       for source, k in product(SOURCES, FAMILIES_AND_NONE)},
    **{f"{edge} {source}": statements.other_edges(source, edge)
       for source, edge in product(SOURCES, LEVEL_EDGES)},
    **{f"parts {p.label}": attached.parts(p) for p in PARTS},
    **{f"links {' '.join(ends)}": attached.links(*ends) for ends in LINKS},
    **{f"left {shared.label}": attached.left(shared) for shared in SHARED},
    **{f"derive {name}": text for name, text in schema.derivations().items()},
}
CONSTRAINED = set(re.findall(r"FOR \(n:(\w+)\) REQUIRE n\.(\w+) IS UNIQUE",
                             " ".join(schema.schema().constraints)))
# The node of the schema itself: there is one, and no writer meets another there.
SINGLE = {"Schema"}
FORBIDDEN = [
    # name          pattern, and why
    ("ampersand",   r"&"),              # Browser cuts a linked query there
    ("hash",        r"#"),
    ("apoc",        r"(?i)\bapoc\."),   # no extra procedures on the server
    ("id",          r"(?i)\bid\s*\("),  # deprecated
    ("element id",  r"(?i)\belementId\s*\("),
    ("map",         r"SET \w+ \+="),    # SET names every property
    # MERGE only: a repeated batch changes nothing; edges and parts of an object are made after
    # RETIRE and RETIRE_PARTS
    ("create",      r"\bCREATE\s*\((?!a\)-\[:REFERENCES |i\)-\[:HAS_\w+ )"),
]


def test_statements_were_found() -> None:
    assert {"HIERARCHY", "RETIRE", "KNOWN_FILES", "COPIES", "RUN_NODE"} <= set(STATEMENTS)


@pytest.mark.parametrize("pattern", [c[1] for c in FORBIDDEN], ids=[c[0] for c in FORBIDDEN])
def test_no_statement_holds(pattern: str) -> None:
    assert [name for name, text in STATEMENTS.items() if re.search(pattern, text)] == []


def test_every_merge_of_a_node_has_a_constraint_behind_its_key() -> None:
    assert {(t.label, t.key) for t in NODE_TYPES} == CONSTRAINED
    merged = {(name, label, key) for name, text in STATEMENTS.items()
              for label, key in re.findall(r"MERGE \(\w*:(\w+)(?: \{(\w+):)?", text)
              if label not in SINGLE}
    assert {m for m in merged if m[1:] not in CONSTRAINED} == set()
    assert {label for _, label, _ in merged} >= {"Patient", "Study", "Series", "Instance"}


def test_rows_have_a_value_for_every_position() -> None:
    texts = (statements.instances, statements.instances_again)
    for kind, text in product(FAMILIES_AND_NONE, texts):
        positions = re.findall(r"i\.(\w+) = (\w*)\(?r\[(\d+)\]", text(kind))
        row = statements.instance_row(kind)
        assert [name for name, _, _ in positions] == names(row)
        assert len(positions) == len({name for name, _, _ in positions})
        assert [int(i) for _, _, i in positions] == list(range(1, len(positions) + 1))
        assert [bool(function) for _, function, _ in positions] == [
            p.kind in ("DATE", "LOCAL TIME", "LOCAL DATETIME") for p in row]


def test_stubs_get_the_labels_of_the_stated_class() -> None:
    for source, kind in product(SOURCES, FAMILIES_AND_NONE):
        for qualified in (False, True):
            text = statements.reference_edges(source, kind, qualified)
            assert f"b:{':'.join(('Missing', *kind.labels))}," in text

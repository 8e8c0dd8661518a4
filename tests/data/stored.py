"""Graphs of former schema versions, as those versions wrote them: kept as text, and put back.

`graphs/schema-N.json` holds every node and edge of the small course (`small.write_course`), and the
constraints and indexes. Before the schema version is raised, the graph of the version that ends is
kept: fill an empty store (`rtgraph ingest`, `rtgraph validate --store`, `rtgraph waive`,
`rtgraph cohort save`), then run `python -m tests.data.stored` with the same settings.
"""

import asyncio
import json
from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from rtgraph import config
from rtgraph.store.bolt import Store
from rtgraph.store.target import choose

FOLDER = Path(__file__).with_name("graphs")
_NODES = """\
MATCH (n) WITH n ORDER BY labels(n), n.path, n.key, n.role, properties(n)
RETURN elementId(n) AS id, labels(n) AS labels, properties(n) AS properties"""
_EDGES = """\
MATCH (a)-[r]->(b)
RETURN elementId(a) AS a, type(r) AS type, elementId(b) AS b, properties(r) AS properties"""
_SCHEMA = ("SHOW CONSTRAINTS YIELD name, createStatement RETURN name, createStatement",
           "SHOW INDEXES YIELD name, type, owningConstraint, createStatement "
           "WHERE type <> 'LOOKUP' AND owningConstraint IS NULL RETURN name, createStatement")
_PUT_NODES = """\
UNWIND $rows AS row CREATE (n) SET n = row.properties, n:$(row.labels), n.put_at = row.at"""
_PUT_EDGES = """\
UNWIND $rows AS row
MATCH (a) WHERE a.put_at = row.a
MATCH (b) WHERE b.put_at = row.b
CREATE (a)-[r:$(row.type)]->(b) SET r = row.properties"""
_TIMES: dict[str, Any] = {"datetime": datetime, "date": date, "time": time}


def versions() -> dict[int, Path]:
    """Return the file of each version that is kept."""
    return {int(f.stem.removeprefix("schema-")): f for f in FOLDER.glob("schema-*.json")}


async def text_of(store: Store) -> str:
    """Return all that a store holds; one node or edge a line."""
    nodes = await store.read(_NODES)
    at = {n["id"]: i for i, n in enumerate(nodes)}
    edges = sorted([at[e["a"]], e["type"], at[e["b"]], _text(e["properties"])]
                   for e in await store.read(_EDGES))
    schema = [r["createStatement"] for s in _SCHEMA for r in sorted(
        await store.read(s), key=lambda r: str(r["name"]))]
    parts = {"schema": schema, "nodes": [[sorted(n["labels"]), _text(n["properties"])]
                                         for n in nodes], "edges": edges}
    lines = (f"{json.dumps(name)}: [\n" + ",\n".join(
        json.dumps(row, sort_keys=True) for row in rows) + "\n]" for name, rows in parts.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


async def put_back(store: Store, text: str) -> None:
    """Fill an empty store, which has no constraints either."""
    parts = json.loads(text)
    for statement in parts["schema"]:
        await store.write(statement)
    await store.write("CALL db.awaitIndexes(300)")
    await store.write(_PUT_NODES, rows=[
        {"at": at, "labels": labels, "properties": _value(properties)}
        for at, (labels, properties) in enumerate(parts["nodes"])])
    await store.write(_PUT_EDGES, rows=[
        {"a": a, "type": kind, "b": b, "properties": _value(properties)}
        for a, kind, b, properties in parts["edges"]])
    await store.write("MATCH (n) REMOVE n.put_at")


def _text(value: Any) -> Any:
    """Return a value as JSON knows it; times are objects that name their type."""
    if isinstance(value, Mapping):
        return {k: _text(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_text(v) for v in value]
    for name, kind in _TIMES.items():
        if isinstance(value, kind):
            return {name: value.isoformat()}
    return value


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return [_value(v) for v in value]
    if isinstance(value, dict):
        (name, text), *more = value.items() if value else [("", "")]
        if not more and name in _TIMES:
            return _TIMES[name].fromisoformat(text)
        return {k: _value(v) for k, v in value.items()}
    return value


async def _keep() -> None:
    target = choose(config.load(), print, start=False)
    async with target.store() as store:
        (row,) = await store.read("MATCH (s:Schema) RETURN s.version AS version")
        file = FOLDER / f"schema-{row['version']}.json"
        file.write_text(await text_of(store), encoding="utf-8", newline="\n")
        print(file.name)


if __name__ == "__main__":
    asyncio.run(_keep())

"""A graph of every former schema version is kept, so that its upgrade can be tested."""

import json

import pytest

from rtgraph.graphmodel.schema import SCHEMA_VERSION
from tests.data.stored import versions

KEPT = versions()


def test_every_former_version_is_kept() -> None:
    assert set(range(1, SCHEMA_VERSION)) - set(KEPT) == set(), (
        "keep the graph of the version that ends: tests/data/stored.py says how")


@pytest.mark.parametrize("version", sorted(KEPT))
def test_a_kept_graph_is_of_its_version_and_names_no_machine(version: int) -> None:
    text = KEPT[version].read_text(encoding="utf-8")
    nodes = json.loads(text)["nodes"]
    (schema,) = [p for labels, p in nodes if labels == ["Schema"]]
    assert schema["version"] == version
    assert [p["path"] for labels, p in nodes if labels == ["Root"]] == ["/data/course"]

"""db: what is refused before any server is asked."""

from pathlib import Path

import pytest

from rtgraph.graphmodel.nodes import NODE_TYPES
from tests.command import Command

AWAY = {"RTGRAPH_URI": "bolt://graph.example.org:7687", "RTGRAPH_PASSWORD": "x"}


def test_schema_is_printed_without_a_server(command: Command) -> None:
    printed = command("db", "schema", "--print", code=0, **AWAY).stdout.splitlines()
    assert all(line.startswith("CREATE ") and line.endswith(";") for line in printed)
    for node in NODE_TYPES:
        assert any(f"FOR (n:{node.label}) REQUIRE n.{node.key} IS UNIQUE" in p for p in printed)


@pytest.mark.parametrize(("words", "tool"), [
    (["dump", "a.dump"], "neo4j-admin database dump neo4j"),
    (["load", "a.dump", "--yes"], "neo4j-admin database load neo4j"),
], ids=["dump", "load"])
def test_for_a_server_given_by_uri_its_own_tool_is_named(
    command: Command, words: list[str], tool: str
) -> None:
    said = command("db", *words, code=2, **AWAY).stderr
    assert "graph.example.org:7687 is not managed by rtgraph" in said
    assert tool in said
    assert list(command.work.iterdir()) == []


def test_nothing_is_saved_of_a_home_without_a_graph(command: Command, tmp_path: Path) -> None:
    said = command("db", "dump", "a.dump", "--data", tmp_path / "home", code=3, **AWAY).stderr
    assert f"There is no graph in {tmp_path / 'home'}" in said
    assert not (tmp_path / "home").exists()


def test_an_existing_file_is_kept(command: Command) -> None:
    (command.work / "a.dump").write_text("mine", encoding="utf-8")
    assert "exists already" in command("db", "dump", "a.dump", code=3).stderr
    assert (command.work / "a.dump").read_text(encoding="utf-8") == "mine"


def test_wipe_needs_yes(command: Command) -> None:
    assert "Add --yes" in command("db", "wipe", code=2, **AWAY).stderr

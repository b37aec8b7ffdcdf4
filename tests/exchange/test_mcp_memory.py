"""``memory.jsonl`` of the reference memory server of MCP."""

import json
from pathlib import Path
from typing import Any

from engram.exchange.mcp_memory import McpMemory
from engram.exchange.roles import Incoming, Problem

ANA = {
    "type": "entity",
    "name": "Ana",
    "entityType": "person",
    "observations": ["Lives in Oslo", "Ana plays the cello"],
}
EDGE = {"type": "relation", "from": "Ana", "to": "NIVA", "relationType": "works_at"}


def read(path: Path, *lines: Any) -> tuple[list[Incoming], list[Problem]]:
    """Everything that the reader yields for these lines, the good and the bad apart."""
    file = path / "memory.jsonl"
    written = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_text("\n".join(written), encoding="utf-8")
    found = list(McpMemory().read(file))
    good = [one for one in found if isinstance(one, Incoming)]
    return good, [one for one in found if isinstance(one, Problem)]


def test_every_observation_names_whom_it_is_about(tmp_path: Path) -> None:
    """The name is put in front where the words do not have it already."""
    (incoming,), problems = read(tmp_path, ANA)

    assert problems == []
    assert [one.text for one in incoming.messages] == ["Ana: Lives in Oslo", "Ana plays the cello"]
    assert incoming.messages[0].metadata == {
        "imported_from": "mcp-memory",
        "entity": "Ana",
        "entity_type": "person",
    }
    assert [one.at for one in incoming.messages] == [None, None]


def test_an_entity_without_observations_is_what_it_is(tmp_path: Path) -> None:
    """Its type is all that is known of it."""
    (incoming,), _ = read(tmp_path, {**ANA, "observations": []})

    assert [one.text for one in incoming.messages] == ["Ana: person"]


def test_an_edge_becomes_a_sentence_of_the_conversation_of_its_head(tmp_path: Path) -> None:
    """So one run holds all that is said about somebody."""
    (entity, edge), _ = read(tmp_path, ANA, EDGE)

    assert edge.messages[0].text == "Ana works at NIVA"
    assert edge.run == entity.run == "mcp-memory Ana"


def test_dirty_lines_are_problems_and_the_rest_is_read(tmp_path: Path) -> None:
    """Broken JSON, another type, a blank end, observations that are no list of text."""
    found, problems = read(
        tmp_path,
        ANA,
        '{"type": "entity", "na',
        "",
        {"type": "note"},
        {**EDGE, "to": " "},
        {**ANA, "observations": [1]},
        EDGE,
    )

    assert len(found) == 2
    assert [one.source.rpartition(", ")[2] for one in problems] == [
        "line 2",
        "line 4",
        "line 5",
        "line 6",
    ]
    assert "'entity' or 'relation', got 'note'" in problems[1].reason
    assert problems[2].reason == "'to' must not be blank, got ' '"
    assert problems[3].reason == "an observation must be text, got 1"

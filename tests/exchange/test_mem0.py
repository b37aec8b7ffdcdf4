"""A dump of Mem0: what ``get_all`` returns, as JSON or as JSON lines."""

import json
from pathlib import Path
from typing import Any

import pytest

from engram.errors import InvalidInput
from engram.exchange.mem0 import Mem0
from engram.exchange.roles import Incoming, Problem

ONE = {
    "id": "5f7c",
    "memory": "Lives in Oslo",
    "hash": "d41d8cd9",
    "metadata": {"category": "home"},
    "created_at": "2026-05-10T15:30:00-07:00",
    "updated_at": None,
    "user_id": "ana",
}


def read(path: Path) -> tuple[list[Incoming], list[Problem]]:
    """Everything that the reader yields, the good and the bad apart."""
    found = list(Mem0().read(path))
    good = [one for one in found if isinstance(one, Incoming)]
    return good, [one for one in found if isinstance(one, Problem)]


def written(path: Path, document: Any) -> Path:
    """The dump as one JSON file."""
    file = path / "dump.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


@pytest.mark.parametrize("box", [{"results": [ONE]}, {"results": ONE}, [ONE], ONE])
def test_every_shape_of_an_answer_is_read(tmp_path: Path, box: Any) -> None:
    """Newer versions wrap the list, older ones do not; one memory may stand alone."""
    (incoming,), problems = read(written(tmp_path, box))

    (message,) = incoming.messages
    assert problems == []
    assert (incoming.user, message.text, message.role) == ("ana", "Lives in Oslo", "user")
    assert message.at == 1_778_452_200.0
    assert message.metadata == {
        "category": "home",
        "mem0_id": "5f7c",
        "mem0_hash": "d41d8cd9",
        "mem0_created_at": "2026-05-10T15:30:00-07:00",
        "imported_from": "mem0",
    }


def test_a_memory_is_dated_by_its_last_change(tmp_path: Path) -> None:
    """What it says now was true then, and not when it was begun."""
    changed = {**ONE, "updated_at": "2026-06-01T00:00:00Z"}

    (incoming,), _ = read(written(tmp_path, [changed]))

    assert incoming.messages[0].at == 1_780_272_000.0


def test_whose_memory_it_is_is_kept(tmp_path: Path) -> None:
    """User, agent and run become the ids of the scope, the actor becomes the speaker."""
    owned = {**ONE, "agent_id": "cook", "run_id": 7, "actor_id": "Ana", "role": "assistant"}

    (incoming,), _ = read(written(tmp_path, [owned]))

    assert (incoming.user, incoming.agent, incoming.run) == ("ana", "cook", "7")
    assert (incoming.messages[0].name, incoming.messages[0].role) == ("Ana", "assistant")


def test_relations_of_a_graph_become_sentences(tmp_path: Path) -> None:
    """Both names of the far end are known; an edge without one is a problem."""
    edges = [
        {"source": "ana", "relationship": "lives_in", "target": "oslo"},
        {"source": "ana", "relationship": "plays", "destination": "cello"},
        {"source": "ana", "relationship": "likes"},
    ]

    found, problems = read(written(tmp_path, {"results": [], "relations": edges}))

    assert [one.messages[0].text for one in found] == ["ana lives in oslo", "ana plays cello"]
    assert [one.source.rpartition(", ")[2] for one in problems] == ["item 3"]
    assert "source, relationship and target" in problems[0].reason


def test_lines_are_read_one_by_one(tmp_path: Path) -> None:
    """A line that is broken is a problem with its number; blank ones are skipped."""
    file = tmp_path / "dump.jsonl"
    lines = [json.dumps(ONE), "", '{"memory": ', json.dumps({**ONE, "memory": 5})]
    file.write_text("\n".join([*lines, json.dumps({**ONE, "id": "6"})]), encoding="utf-8")

    found, problems = read(file)

    assert len(found) == 2
    assert [one.source.rpartition(", ")[2] for one in problems] == ["line 3", "line 4"]
    assert problems[1].reason == "'memory' must be text, got 5"


def test_an_answer_without_memories_is_refused(tmp_path: Path) -> None:
    """An error message of the server that was saved by mistake, for example."""
    with pytest.raises(InvalidInput, match="'results' must be a list, got None"):
        read(written(tmp_path, {"detail": "not authorised"}))

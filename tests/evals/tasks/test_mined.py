"""Questions mined from logs: what was said is asked for, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from engram.errors import InvalidInput
from engram.evals.roles import Episode
from engram.evals.tasks.mined import Mined

SAID = [
    ("Ana", "I live in Bergen and keep an enormous collection of antique brass compasses."),
    ("Ben", "My grandmother restored violins in Cremona before the earthquake came."),
    ("Ana", "I moved to Oslo with seventeen boxes full of fragile kitchen porcelain."),
    ("Ben", "Oh, nice!"),
]


def log(folder: Path, said: list[tuple[str, str]]) -> Path:
    """A log as JSON lines."""
    lines: list[dict[str, Any]] = [
        {"role": "user", "name": name, "content": text, "time": f"2026-01-0{at + 1}T10:00:00Z"}
        for at, (name, text) in enumerate(said)
    ]
    path = folder / "log.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


def mined(path: Path, most: int = 100) -> Episode:
    """The one episode of a log."""
    (episode,) = Mined(path, most).episodes()
    return episode


def test_each_question_leads_to_the_turn_that_it_was_made_of(tmp_path: Path) -> None:
    """Its words stand there, in their order."""
    episode = mined(log(tmp_path, SAID))
    turns = {turn.id: turn.text for talk in episode.conversation for turn in talk.turns}

    items = [probe for probe in episode.questions if probe.category == "item"]

    assert len(items) == 3
    for probe in items:
        text = turns[probe.evidence[0]].lower()
        places = [text.index(word) for word in probe.question.split()]
        assert len(places) == 4
        assert places == sorted(places)


def test_a_fact_is_asked_for_once_and_its_newest_statement_answers(tmp_path: Path) -> None:
    """Who moved lives in the new place."""
    episode = mined(log(tmp_path, SAID))

    (fact,) = [probe for probe in episode.questions if probe.category == "fact"]

    assert fact.question == "Where does Ana live?"
    assert fact.evidence == ("S0:2",)


def test_the_same_seed_mines_the_same_and_not_more_than_allowed(tmp_path: Path) -> None:
    """Small talk is no item."""
    path = log(tmp_path, SAID)

    assert mined(path).questions == mined(path).questions
    assert len([p for p in mined(path, most=1).questions if p.category == "item"]) == 1


def test_a_log_with_nothing_to_ask_for_is_refused(tmp_path: Path) -> None:
    """One line that says how much there was."""
    with pytest.raises(InvalidInput, match="holds 1 turns"):
        mined(log(tmp_path, [("Ben", "Oh, nice!")]))

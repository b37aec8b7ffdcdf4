"""Multi-Session Chat: a fact must lead to the turn, or to the session, that told it."""

import json
from pathlib import Path

import pytest

from engram.errors import InvalidInput
from engram.evals.run import run
from engram.evals.subjects.bm25 import Bm25
from engram.evals.subjects.recent import LastTurns
from engram.evals.summary import summarise
from engram.evals.tasks.msc import MadeChats, Msc

OF_TURNS = [
    {
        "dialog": [
            {"text": "Do you keep animals?"},
            {"text": "Twelve hens.", "persona_text": "I have hens."},
            {"text": " ", "persona_text": "I say nothing."},
        ]
    },
    {"dialog": [{"text": "My hens are loud.", "persona_text": "I have hens."}]},
    {"dialog": [{"text": "I sail.", "persona_text": " I own a boat. "}]},
]
OF_SESSIONS = {
    "dialog": [{"text": "Back again!"}],
    "personas": [["I own a Jeep."], ["I run."]],
    "previous_dialogs": [
        {
            "dialog": [{"text": "A jeep is all I need."}, {"text": "I walk."}],
            "personas": [["I own a Jeep."], []],
            "time_back": "1 week 2 hours ago",
        },
        {
            "dialog": [{"text": "So?"}, {"text": "I ran today."}],
            "personas": [[], ["I run."]],
            "time_back": "5 days ago",
        },
    ],
}


def written(path: Path, chats: object) -> Path:
    """A file of these lines."""
    lines = chats if isinstance(chats, list) else [chats]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


def test_a_fact_leads_to_every_turn_that_tells_it(tmp_path: Path) -> None:
    """The same fact of two people is one question; what has no words cannot be found."""
    written(tmp_path / "msc_personasummary_x.jsonl", OF_TURNS)

    (episode,) = Msc(tmp_path).episodes()

    assert [(probe.question, probe.evidence) for probe in episode.questions] == [
        ("I have hens.", ("S0-0:1", "S1-0:0")),
        ("I own a boat.", ("S2-0:0",)),
    ]
    assert episode.questions[0].evidence_sessions == ("S0-0", "S1-0")
    speakers = [turn.speaker for session in episode.conversation for turn in session.turns]
    assert len(set(speakers)) == 4
    assert speakers[0] != speakers[1]


def test_chats_are_pooled_in_the_order_of_the_file(tmp_path: Path) -> None:
    """The last pool may be smaller."""
    data = written(tmp_path / "msc_personasummary_x.jsonl", OF_TURNS)

    episodes = list(Msc(data, pool=2).episodes())

    assert [len(episode.conversation) for episode in episodes] == [2, 1]
    assert len({episode.id for episode in episodes}) == 2


def test_facts_of_sessions_lead_to_the_session_and_times_are_counted_back(tmp_path: Path) -> None:
    """What the last session sums up is asked of the sessions in which it was told."""
    (episode,) = Msc(written(tmp_path / "dialogue.jsonl", OF_SESSIONS)).episodes()
    first, second, last = episode.conversation

    assert [(p.question, p.evidence, p.evidence_sessions) for p in episode.questions] == [
        ("I own a Jeep.", (), ("S0-0",)),
        ("I run.", (), ("S0-1",)),
    ]
    assert (last.at or 0) - (second.at or 0) == 5 * 86_400
    assert (last.at or 0) - (first.at or 0) == 7 * 86_400 + 2 * 3_600
    assert (episode.questions[0].at or 0) > (last.at or 0)


@pytest.mark.parametrize("line", [1, None, [], {"a": 1}, {"dialog": "x"}])
def test_lines_of_another_form_are_refused(line: object, tmp_path: Path) -> None:
    """With the name of the file."""
    data = written(tmp_path / "x.jsonl", [line])

    with pytest.raises(InvalidInput, match=r"a line of MSC must be a chat .*x\.jsonl"):
        list(Msc(data).episodes())


def test_pools_without_people_or_with_too_many_are_refused(tmp_path: Path) -> None:
    """There are names for 128 chats; an empty folder says what was wanted."""
    for pool in (0, 129):
        with pytest.raises(InvalidInput, match=f"pool must be 1 to 128 chats, got {pool}"):
            Msc(tmp_path, pool=pool)
    with pytest.raises(InvalidInput, match="msc_personasummary"):
        list(Msc(tmp_path).episodes())


def test_the_twin_is_neither_trivial_nor_hopeless() -> None:
    """The same things are named by people of whom they are not true."""
    report = run(MadeChats(), [Bm25, LastTurns], ks=(10,))
    words, last = (summarise(trial, report.ks, seed=0) for trial in report.trials)

    assert 0.5 < words.depths[0].recall < 0.9
    assert last.depths[0].recall < 0.05
    assert list(MadeChats(seed=1).episodes()) == list(MadeChats(seed=1).episodes())
    assert list(MadeChats(seed=1).episodes()) != list(MadeChats(seed=2).episodes())

"""The LongMemEval loader: labels hidden, ids opaque, both file forms."""

import json
from pathlib import Path
from typing import Any

import pytest

from engram.errors import InvalidInput
from engram.evals.roles import Episode
from engram.evals.tasks.longmemeval import LongMemEval

DATA = Path(__file__).parents[4] / "shared" / "data" / "longmemeval"


def record(question_id: str, *, by: str = "user") -> dict[str, Any]:
    """One history in the official form: the evidence is the earlier of two sessions."""

    def turn(role: str, content: str) -> dict[str, Any]:
        marks = {"has_answer": True} if role == by else {}
        return {"role": role, "content": content, **marks}

    return {
        "question_id": question_id,
        "question_type": "single-session-user",
        "question": "Which degree?",
        "answer": "Law",
        "question_date": "2023/05/30 (Tue) 23:40",
        "haystack_session_ids": ["noise_1", "answer_77"],
        "haystack_dates": ["2023/05/21 (Sun) 02:57", "2023/05/20 (Sat) 02:21"],
        "haystack_sessions": [
            [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}],
            [turn("user", "I studied law."), turn("assistant", "Congratulations.")],
        ],
        "answer_session_ids": ["answer_77"],
    }


def load(folder: Path, *records: dict[str, Any], assistant_turns: bool = False) -> list[Episode]:
    """The episodes of an official file."""
    path = folder / "longmemeval_s.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    return list(LongMemEval(path, assistant_turns).episodes())


def test_neither_labels_nor_telling_ids_reach_the_memory(tmp_path: Path) -> None:
    """Sessions are numbered by date, and only what was said is left."""
    (episode,) = load(tmp_path, record("q1"), assistant_turns=True)
    shown = repr(episode.conversation)

    assert [session.id for session in episode.conversation] == ["S1", "S2"]
    assert episode.conversation[0].turns[0].text == "I studied law."
    assert "answer_" not in shown
    assert "has_answer" not in shown
    assert episode.questions[0].at == 1685490000.0  # 30 May 2023, 23:40 UTC


def test_the_official_protocol_shows_the_user_only(tmp_path: Path) -> None:
    """Turn numbers count both sides, so that the same turn keeps its id."""
    (user_only,) = load(tmp_path, record("q1"))
    (both,) = load(tmp_path, record("q1"), assistant_turns=True)

    assert [t.id for s in user_only.conversation for t in s.turns] == ["S1:1", "S2:1"]
    assert len(both.conversation[0].turns) == 2
    assert user_only.questions[0].evidence == ("S1:1",)
    assert user_only.questions[0].evidence_sessions == ("S1",)


def test_what_only_the_assistant_said_is_not_asked_of_the_users_side(tmp_path: Path) -> None:
    """The question stays, unscored; with both sides shown it is scored."""
    (user_only,) = load(tmp_path, record("q1", by="assistant"))
    (both,) = load(tmp_path, record("q1", by="assistant"), assistant_turns=True)

    assert user_only.questions[0].evidence_sessions == ()
    assert both.questions[0].evidence == ("S1:2",)


def test_an_abstention_question_is_left_out_of_retrieval(tmp_path: Path) -> None:
    """Its sessions mislead; nothing there is to be found."""
    (episode,) = load(tmp_path, record("q1_abs"))
    (probe,) = episode.questions

    assert not probe.answerable
    assert probe.evidence == probe.evidence_sessions == ()


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """The message names what is missing."""
    with pytest.raises(InvalidInput, match="haystack_sessions"):
        load(tmp_path, {"question_id": "x"})


def test_the_fragments_have_their_known_counts() -> None:
    """Two histories of fifty sessions and one of two, eleven questions."""
    if not DATA.exists():
        pytest.skip(f"needs the LongMemEval fragments in {DATA}")
    episodes = list(LongMemEval(DATA, assistant_turns=True).episodes())
    probes = [probe for episode in episodes for probe in episode.questions]

    assert [len(episode.conversation) for episode in episodes] == [39, 53, 2]
    assert sum(len(s.turns) for e in episodes for s in e.conversation) == 970
    assert len(probes) == 11
    assert sum(bool(probe.evidence) for probe in probes) == 2
    assert sum(bool(probe.evidence_sessions) for probe in probes) == 10
    assert [probe.id for probe in probes if not probe.answerable] == ["gpt4_70e84552_abs#oracle"]

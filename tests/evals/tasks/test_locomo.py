"""The LoCoMo loader: repairs, leaks closed, known counts."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engram.errors import InvalidInput
from engram.evals.roles import Episode, Probe
from engram.evals.run import run
from engram.evals.subjects.bm25 import Bm25
from engram.evals.summary import summarise
from engram.evals.tasks.locomo import Locomo, answer_f1, parse_evidence

DATA = Path(__file__).parents[4] / "shared" / "data" / "locomo"
KNOWN = {"D8:6", "D9:17", "D11:26", "D30:5", "D1:18", "D1:20"}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (["D8:6; D9:17"], ("D8:6", "D9:17")),
        (["D:11:26"], ("D11:26",)),
        (["D30:05"], ("D30:5",)),
        (["D1:18", "D", "D1:20"], ("D1:18", "D1:20")),
        (["D8:6 D9:17 D8:6"], ("D8:6", "D9:17")),
        (["D10:19"], ()),
        ([], ()),
    ],
)
def test_dirty_evidence_is_repaired_and_ghosts_are_dropped(
    raw: list[str], expected: tuple[str, ...]
) -> None:
    """Every malformation of the published file, and a turn that does not exist."""
    assert parse_evidence(raw, KNOWN) == expected


def sample() -> dict[str, Any]:
    """One conversation with everything around it that must not be shown."""
    turns = [
        {"speaker": "Ana", "dia_id": "D1:1", "text": "Look!", "blip_caption": "a red boat"},
        {"speaker": "Ben", "dia_id": "D1:2", "text": "Nice.", "query": "SECRET boat picture"},
    ]
    return {
        "sample_id": "conv-0",
        "conversation": {
            "speaker_a": "Ana",
            "speaker_b": "Ben",
            "session_1": turns,
            "session_1_date_time": "1:56 pm on 8 May, 2023",
            "session_2_date_time": "2:00 pm on 9 May, 2023",
        },
        "qa": [
            {"question": "What boat?", "answer": 7, "evidence": ["D1:01"], "category": 4},
            {"question": "Trick?", "adversarial_answer": "x", "evidence": [], "category": 5},
        ],
        "observation": {"x": "SECRET"},
        "session_summary": {"x": "SECRET"},
        "event_summary": {"x": "SECRET"},
    }


def load(folder: Path, *, captions: bool = True) -> Episode:
    """The one episode of the sample."""
    path = folder / "locomo10.json"
    path.write_text(json.dumps([sample()]), encoding="utf-8")
    (episode,) = Locomo(path, captions).episodes()
    return episode


def test_the_memory_is_shown_the_chat_and_nothing_around_it(tmp_path: Path) -> None:
    """No summary, observation, event or picture query; a caption where one was seen."""
    episode = load(tmp_path)
    (session,) = episode.conversation

    assert [turn.text for turn in session.turns] == [
        "Look! [shares an image: a red boat]",
        "Nice.",
    ]
    assert [turn.role for turn in session.turns] == ["user", "assistant"]
    assert session.turns[1].at == 1683554160.0 + 1  # 8 May 2023, 13:56:01 UTC
    assert "SECRET" not in repr(episode)


def test_captions_can_be_left_out(tmp_path: Path) -> None:
    """Then a turn is its text alone."""
    assert load(tmp_path, captions=False).conversation[0].turns[0].text == "Look!"


def test_a_repair_is_reported_and_the_trick_cannot_be_answered(tmp_path: Path) -> None:
    """The note quotes both readings; category 5 has no answer."""
    episode = load(tmp_path)

    assert episode.questions[0].evidence == ("D1:1",)
    assert episode.questions[0].answer == "7"
    assert [probe.answerable for probe in episode.questions] == [True, False]
    assert len(episode.notes) == 1
    assert "['D1:01'] read as ['D1:1']" in episode.notes[0]


@pytest.mark.parametrize(
    ("category", "gold", "said", "expected"),
    [
        ("1 multi-hop", "tea, milk", "milk, juice", 0.5),
        ("2 temporal", "7 May 2023", "7 May 2023", 1.0),
        ("3 open-domain", "yes; she likes it", "yes", 1.0),
        ("4 single-hop", "a red boat", "the boat", 2 / 3),
        ("5 adversarial", "", "No information available.", 1.0),
        ("5 adversarial", "", "a boat", 0.0),
    ],
)
def test_answers_are_scored_by_the_rule_of_their_category(
    category: str, gold: str, said: str, expected: float
) -> None:
    """Lists by part, reasons cut off, refusals wanted where nothing is known."""
    probe = Probe("p", "?", gold, category)

    assert answer_f1(said, probe) == pytest.approx(expected)


def test_another_file_is_refused_by_name(tmp_path: Path) -> None:
    """A folder without the file, and a file of another kind."""
    with pytest.raises(InvalidInput, match="locomo"):
        list(Locomo(tmp_path).episodes())
    (tmp_path / "locomo.json").write_text("[{}]", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"published locomo10\.json"):
        list(Locomo(tmp_path).episodes())


@pytest.fixture(scope="module")
def real() -> list[Episode]:
    """The first five published conversations."""
    if not DATA.exists():
        pytest.skip(f"needs the LoCoMo file in {DATA}")
    return list(Locomo(DATA).episodes())


def test_the_published_file_has_the_counts_that_it_is_known_for(real: list[Episode]) -> None:
    """Questions by conversation and category, turns, and what had to be repaired."""
    kinds = Counter(probe.category[0] for episode in real for probe in episode.questions)
    turns = sum(len(s.turns) for episode in real for s in episode.conversation)

    assert [len(episode.questions) for episode in real] == [199, 105, 193, 260, 242]
    assert kinds == {"1": 142, "2": 156, "3": 46, "4": 418, "5": 237}
    assert turns == 2760
    assert sum(len(episode.notes) for episode in real) == 4
    unscored = [p for e in real for p in e.questions if p.answerable and not p.evidence]
    assert [probe.category for probe in unscored] == ["3 open-domain"] * 2


def test_plain_bm25_finds_what_plain_bm25_is_known_to_find(real: list[Episode]) -> None:
    """Between 50 and 58 % of the evidence among ten turns, categories 1 to 4."""
    assert real
    report = run(Locomo(DATA), [Bm25], ks=(5, 10))
    summary = summarise(report.trials[0], report.ks, seed=0)

    assert summary.scored == 760
    assert 0.50 < summary.depths[1].recall < 0.58
    assert summary.depths[1].low < summary.depths[1].recall < summary.depths[1].high

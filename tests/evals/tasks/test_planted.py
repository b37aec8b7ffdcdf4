"""The synthetic twins: seeded, complete, and not solved by the topic alone."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from engram.errors import InvalidInput
from engram.evals.roles import Episode
from engram.evals.run import run
from engram.evals.subjects.bm25 import Bm25
from engram.evals.subjects.recent import LastTurns
from engram.evals.summary import summarise
from engram.evals.tasks.planted import Planted, Twin

TWINS: tuple[Twin, ...] = ("beam", "lihua", "locomo", "longmemeval", "memorybank-probes")
BY_TURN = tuple(twin for twin in TWINS if twin != "lihua")


def texts(episode: Episode) -> dict[str, str]:
    """Turn id -> text."""
    return {turn.id: turn.text for session in episode.conversation for turn in session.turns}


@pytest.mark.parametrize("twin", TWINS)
def test_the_same_seed_makes_the_same_episodes(twin: Twin) -> None:
    """And another seed makes others."""
    first = list(Planted(twin, seed=5).episodes())

    assert first == list(Planted(twin, seed=5).episodes())
    assert first != list(Planted(twin, seed=6).episodes())
    assert first[0].conversation != first[1].conversation


@pytest.mark.parametrize("twin", BY_TURN)
@pytest.mark.parametrize("seed", range(5))
def test_the_evidence_holds_the_answer(twin: Twin, seed: int) -> None:
    """Word for word, but for dates, countries and kinship, which must be worked out."""
    worked_out = ("2 temporal", "3 open-domain", "temporal-reasoning", "temporal_reasoning")
    for episode in Planted(twin, count=1, seed=seed).episodes():
        said = texts(episode)
        for probe in episode.questions:
            dated = probe.category in worked_out or probe.question.startswith("When did")
            if probe.answerable and not dated:
                evidence = " ".join(said[turn] for turn in probe.evidence)
                assert all(part in evidence for part in probe.answer.split(", ")), probe


@pytest.mark.parametrize("seed", range(5))
def test_a_changed_fact_is_asked_for_after_it_changed(seed: int) -> None:
    """The evidence is the newest of what was said, and an older value exists."""
    (episode,) = Planted("locomo", count=1, seed=seed).episodes()
    places = {turn: place for place, turn in enumerate(texts(episode))}
    updates = [probe for probe in episode.questions if probe.category == "update"]
    spoken = {t.id: t.speaker for s in episode.conversation for t in s.turns}

    assert len(updates) == 6
    for probe in updates:
        (turn,) = probe.evidence
        assert places[turn] >= len(places) // 3
        assert spoken[turn] in probe.question


def test_the_twins_have_the_categories_of_their_originals() -> None:
    """Every category of each, with questions that have no answer."""
    for twin, wanted in zip(TWINS, (6, 3, 6, 6, 2), strict=True):
        (episode,) = Planted(twin, count=1).episodes()
        kinds = Counter(probe.category for probe in episode.questions)
        assert len(kinds) == wanted
        assert any(not probe.answerable for probe in episode.questions)


def test_a_date_is_counted_back_from_the_day_it_was_told() -> None:
    """'Yesterday I ...' on the 9th is the 8th."""
    for episode in Planted("locomo", count=3).episodes():
        told = {t.id: t for s in episode.conversation for t in s.turns}
        for probe in episode.questions:
            if probe.category == "2 temporal":
                assert told[probe.evidence[0]].text.startswith(("Yesterday", "Two", "Three", "A "))
                assert probe.answer.endswith("2024")


@pytest.mark.parametrize("twin", BY_TURN)
def test_the_twin_is_neither_trivial_nor_hopeless(twin: Twin) -> None:
    """Plain words find half of it; the last turns find next to nothing."""
    report = run(Planted(twin), [Bm25, LastTurns], ks=(10,))
    words, last = (summarise(trial, report.ks, seed=0) for trial in report.trials)

    assert 0.4 < words.depths[0].recall < 0.85
    assert last.depths[0].recall < 0.15


def test_of_one_twin_only_the_session_is_named() -> None:
    """As in its original, where evidence is a file of a chat."""
    (episode,) = Planted("lihua", count=1).episodes()
    whole = {p.question: p for p in next(Planted("locomo", count=1).episodes()).questions}

    assert not any(probe.evidence for probe in episode.questions)
    assert any(probe.evidence_sessions for probe in episode.questions)
    assert all(probe.evidence or not probe.answerable for probe in whole.values())


def test_a_day_that_is_asked_for_is_the_day_of_the_evidence() -> None:
    """Month and day, as people write them."""
    (episode,) = Planted("memorybank-probes", count=1).episodes()
    told = {turn.id: turn for session in episode.conversation for turn in session.turns}
    dated = [probe for probe in episode.questions if probe.category == "names a day"]

    assert len(dated) == 4
    for probe in dated:
        said = datetime.fromtimestamp(told[probe.evidence[0]].at or 0.0, UTC)
        assert f"on {said:%B} {said.day}," in probe.question


def test_a_twin_can_be_told_by_users_alone() -> None:
    """The name says so, and no assistant is heard."""
    task = Planted("beam", count=1, assistant_turns=False)
    (episode,) = task.episodes()

    assert task.name == "beam-user (synthetic twin)"
    assert {turn.role for session in episode.conversation for turn in session.turns} == {"user"}
    assert any(probe.answerable and not probe.evidence for probe in episode.questions)


@pytest.mark.parametrize(
    "wrong", [{"twin_of": "msc"}, {"chatter": -1}, {"count": 0}, {"sessions": 3}]
)
def test_settings_that_cannot_be_made_are_refused(wrong: dict[str, object]) -> None:
    """The message holds what came."""
    with pytest.raises(InvalidInput, match="must be"):
        Planted(**wrong)  # type: ignore[arg-type]

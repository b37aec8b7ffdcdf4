"""The synthetic twins: seeded, complete, and not solved by the topic alone."""

from collections import Counter

import pytest

from engram.errors import InvalidInput
from engram.evals.roles import Episode
from engram.evals.run import run
from engram.evals.subjects.bm25 import Bm25
from engram.evals.subjects.recent import LastTurns
from engram.evals.summary import summarise
from engram.evals.tasks.planted import Planted, Twin

TWINS: tuple[Twin, ...] = ("locomo", "longmemeval")


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


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("seed", range(5))
def test_the_evidence_holds_the_answer(twin: Twin, seed: int) -> None:
    """Word for word, but for dates, countries and kinship, which must be worked out."""
    worked_out = ("2 temporal", "3 open-domain", "temporal-reasoning")
    for episode in Planted(twin, count=1, seed=seed).episodes():
        said = texts(episode)
        for probe in episode.questions:
            if probe.answerable and probe.category not in worked_out:
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
    for twin, wanted in zip(TWINS, (6, 6), strict=True):
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


@pytest.mark.parametrize("twin", TWINS)
def test_the_twin_is_neither_trivial_nor_hopeless(twin: Twin) -> None:
    """Plain words find half of it; the last turns find next to nothing."""
    report = run(Planted(twin), [Bm25, LastTurns], ks=(10,))
    words, last = (summarise(trial, report.ks, seed=0) for trial in report.trials)

    assert 0.4 < words.depths[0].recall < 0.85
    assert last.depths[0].recall < 0.15


@pytest.mark.parametrize("wrong", [{"twin_of": "msc"}, {"count": 0}, {"sessions": 3}])
def test_settings_that_cannot_be_made_are_refused(wrong: dict[str, object]) -> None:
    """The message holds what came."""
    with pytest.raises(InvalidInput, match="must be"):
        Planted(**wrong)  # type: ignore[arg-type]

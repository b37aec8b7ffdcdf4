"""Trials of order: fair, far enough apart, and answered by a memory that keeps places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram import Memory
from engram.errors import InvalidInput
from engram.evals.order import Places, ordered, told, trials

TEXT = [f"On day {at} she wrote {at * at} words about her {at % 7} cats." for at in range(80)]


@given(st.integers(5, 40), st.integers(1, 40), st.integers(0, 5))
def test_passages_do_not_overlap_and_stand_in_the_text(segment: int, count: int, seed: int) -> None:
    """Both begin where a sentence begins; the distance is that of their starts."""
    words = " ".join(TEXT).split()
    made = trials(TEXT, segment, count, seed)

    assert len(made) == count
    for trial in made:
        assert trial.distance >= segment
        assert len(trial.earlier.split()) == len(trial.later.split()) == segment
        assert trial.earlier.startswith("On day")
        assert trial.later.startswith("On day")
        assert " ".join(words).index(trial.earlier) < " ".join(words).index(trial.later)
    assert made == trials(TEXT, segment, count, seed)


def test_half_of_the_pairs_are_swapped_in_every_bin() -> None:
    """So that who always says the same gets exactly one half, near and far."""
    made = trials(TEXT, 20, 64, 1)

    constant = ordered(lambda *_: -1.0, made)

    assert len(constant.by_bin) == 4
    assert set(constant.by_bin.values()) == {0.5}


def test_who_knows_is_right_and_who_errs_is_wrong_whatever_is_shown_first() -> None:
    """The sign is that of the text, not that of the showing."""
    made = trials(TEXT, 20, 32, 2)

    def day(passage: str) -> float:
        return float(passage.split()[2])

    assert ordered(lambda one, two: day(two) - day(one), made).accuracy == 1.0
    assert ordered(lambda one, two: day(one) - day(two), made).accuracy == 0.0
    assert ordered(lambda *_: 0.0, made).accuracy == 0.5


@pytest.mark.parametrize("excerpt", [[], ["One word."], TEXT[:2]])
def test_a_text_without_room_is_refused(excerpt: list[str]) -> None:
    """The message says how long it is."""
    with pytest.raises(InvalidInput, match="words"):
        trials(excerpt, 20, 4, 0)


def test_a_memory_with_places_knows_the_order() -> None:
    """Through the public interface, embedding and all."""
    with Memory.open(":memory:", durability="off", clock=lambda: 1e9) as memory:
        judge = Places(memory)
        judge.hear(TEXT)

        assert ordered(judge, trials(TEXT, 20, 24, 3)).accuracy == 1.0


def test_sentences_are_told_in_one_line() -> None:
    """Books break their lines anywhere."""
    assert told("It was\n late. She\nslept!") == ["It was late.", "She slept!"]

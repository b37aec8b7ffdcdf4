"""How sure a search is: a logistic model whose every sign can be said in words."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram.plaintext.confidence import Confidence, Evidence
from engram.plaintext.roles import Floats, Record, Route, View

Look = Callable[..., AbstractContextManager[View]]
MODEL = Confidence(bias=-2.0, words=1.0, meaning=2.0, agree=3.0, fact=4.0, top=2)
CHANNELS = ("words", "meaning", "facts")


class Row(NamedTuple):
    """Who said it, its final score, the part of it that was given for the speaker."""

    name: str | None = "Ana"
    score: float = 1.0
    bonus: float = 0.0
    hidden: bool = False


numbers = st.floats(-2, 2, width=32)
rows = st.builds(Row, st.sampled_from(("Ana", "Ben", "Cem", None)), numbers, numbers, st.booleans())
named = st.lists(st.sampled_from(("Ana", "Ben")), unique=True)
strengths = st.dictionaries(st.sampled_from(CHANNELS), st.lists(numbers, min_size=6, max_size=6))


def rate(
    look: Look,
    rows: Sequence[Row],
    strength: Mapping[str, Sequence[float]],
    people: Sequence[str] = (),
    model: Confidence = MODEL,
) -> float:
    """The confidence in a search that the live rows answer, best first."""
    turns = [Record("", "word", fields={"speaker": r.name} if r.name else {}) for r in rows]
    with look(turns, hidden=[at for at, row in enumerate(rows) if row.hidden]) as view:
        evidence = Evidence(
            np.array(best_first(rows), dtype=np.int64),
            floats(row.score for row in rows),
            {name: floats(values) for name, values in strength.items()},
            {"speakers": floats(row.bonus for row in rows)},
        )
        return model.rate(Route("", "", 0.0, people=tuple(people)), evidence, view)


def floats(values: Iterable[float]) -> Floats:
    """(N,) of float32."""
    return np.array(list(values), dtype=np.float32)


def best_first(rows: Sequence[Row]) -> list[int]:
    """Positions of the rows that may be recalled."""
    live = [at for at, row in enumerate(rows) if not row.hidden]
    return sorted(live, key=lambda at: -rows[at].score)


def lead(rows: Sequence[Row], people: Sequence[str]) -> float:
    """How far the best row of the named is ahead of the best of the others, within -1 and 1."""
    plain = [(row.name, row.score - row.bonus) for row in rows if not row.hidden]
    mine = [score for name, score in plain if name in people]
    others = [score for name, score in plain if name is not None and name not in people]
    if not mine or not others:
        return 0.0
    best = max(1e-6, *(score for _, score in plain))
    return max(-1.0, min(1.0, (max(mine) - max(others)) / best))


@given(st.lists(rows, max_size=6), strengths, named)
@example([], {}, ["Ana"])
@example([Row("Ana", 1.0), Row("Ben", -2.0)], {}, ["Ana"])
@example([Row(hidden=True)], {"words": [1.0] * 6}, ["Ana"])
def test_the_rate_is_that_of_adding_up_by_hand(
    view_of: Look, rows: list[Row], strength: dict[str, list[float]], people: list[str]
) -> None:
    """The log-odds of the best rows, one reason after the other, through the logistic curve."""
    strength = {name: values[: len(rows)] for name, values in strength.items()}
    best = best_first(rows)[: MODEL.top]
    odds = MODEL.bias + MODEL.agree * lead(rows, people)
    for name, weight in zip(CHANNELS, (MODEL.words, MODEL.meaning, MODEL.fact), strict=True):
        if name in strength and best:
            odds += weight * max(strength[name][at] for at in best)
    expected = 1 / (1 + math.exp(-odds)) if best else 0.0

    assert rate(view_of, rows, strength, people) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("model", [MODEL, Confidence()])
@pytest.mark.parametrize("channel", CHANNELS)
def test_the_stronger_a_channel_speaks_the_surer_the_search(
    view_of: Look, channel: str, model: Confidence
) -> None:
    """Words, meaning and facts all speak for an answer."""
    none, some, much = (
        rate(view_of, [Row()], {channel: [strength]}, model=model) for strength in (0.0, 0.5, 1.0)
    )

    assert 0 < none < some < much < 1


def test_a_filled_slot_is_surer_than_a_few_shared_words(view_of: Look) -> None:
    """Or "where does Ana live" would abstain before its answer."""
    words = rate(view_of, [Row()], {"words": [0.5]}, model=Confidence())
    fact = rate(view_of, [Row()], {"facts": [1.0]}, model=Confidence())

    assert words < 0.5 < fact


def test_only_the_best_rows_are_looked_at(view_of: Look) -> None:
    """What a row far down holds says nothing for the answer."""
    ranked, words = [Row(score=3.0), Row(score=2.0), Row(score=1.0)], [0.1, 0.2, 0.9]
    two = rate(view_of, ranked, {"words": words})
    three = rate(view_of, ranked, {"words": words}, model=replace(MODEL, top=3))

    assert two < three


def test_a_search_is_surer_when_the_named_speaker_leads(view_of: Look) -> None:
    """A question about Ana that Ben answers best is likelier a question about something else."""
    ahead = rate(view_of, [Row("Ana", 1.0), Row("Ben", 0.5)], {}, ["Ana"])
    behind = rate(view_of, [Row("Ana", 0.5), Row("Ben", 1.0)], {}, ["Ana"])
    nobody = rate(view_of, [Row("Ana", 1.0), Row("Ben", 0.5)], {})

    assert ahead > nobody > behind


def test_the_bonus_of_the_named_speaker_is_no_lead(view_of: Look) -> None:
    """It was given for the name alone, so it is taken away before they are compared."""
    talk = [Row("Ana", 1.5, bonus=1.0), Row("Ben", 0.5)]

    assert rate(view_of, talk, {}, ["Ana"]) == pytest.approx(rate(view_of, talk, {}))


@pytest.mark.parametrize("others", [[], [Row(None, 0.5)], [Row("Ana", 0.5)]])
def test_there_is_no_lead_over_nobody(view_of: Look, others: list[Row]) -> None:
    """Turns of an unknown speaker and her own are no competition."""
    found = rate(view_of, [Row("Ana"), *others], {}, ["Ana"])

    assert found == pytest.approx(rate(view_of, [Row("Ana"), *others], {}))


def test_nothing_found_is_no_confidence_at_all(view_of: Look) -> None:
    """However strong the hidden rows are."""
    assert rate(view_of, [], {}) == 0
    assert rate(view_of, [Row(score=9.0, hidden=True)], {"facts": [1.0]}) == 0


@pytest.mark.parametrize(("strength", "expected"), [(1e6, 1.0), (-1e6, 0.0)])
def test_the_most_extreme_evidence_stays_a_probability(
    view_of: Look, strength: float, expected: float
) -> None:
    """And nothing overflows."""
    found = rate(view_of, [Row()], {"words": [strength]})

    assert 0 <= found <= 1
    assert found == pytest.approx(expected, abs=1e-9)

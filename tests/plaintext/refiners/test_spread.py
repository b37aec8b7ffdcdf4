"""Pairs that repeat a better one make room, and nothing else does."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pytest

from engram.plaintext.refiners.spread import Spread
from engram.plaintext.roles import Record, Route, Source, View

Look = Callable[..., AbstractContextManager[View]]
ROUTE = Route("Where was Mara born?", "born", 0.0)
RAW = "Q: {} A: {}"


def pair(question: str, answer: str, source: int = 0) -> Record:
    """A pair that rests on the message of this number."""
    return Record(
        "",
        f"{question} {answer}",
        kind="qa",
        fields={"question": question, "answer": answer},
        sources=(Source(f"00000000-0000-0000-0000-{source + 1:012x}", 0, 5),)
        if source >= 0
        else (),
    )


def refined(look: Look, talk: Sequence[str | Record], scores: Sequence[float]) -> list[float]:
    """The scores of one conversation after ``Spread``, rounded."""
    before = np.array(scores, dtype=np.float32)
    with look(talk) as view:
        after = Spread().refine(ROUTE, before, view)
    assert before.tolist() == pytest.approx(list(scores))
    return [round(float(each), 3) for each in after]


def test_the_worse_of_two_pairs_that_ask_the_same_makes_room(view_of: Look) -> None:
    """It keeps a share of its score."""
    talk = [pair("Where was Mara born?", "Osk"), pair("In which town was Mara born?", "Osk")]

    assert refined(view_of, talk, [0.5, 1.0]) == [0.1, 1.0]


def test_another_answer_or_another_question_is_no_repetition(view_of: Look) -> None:
    """A contradiction should be seen, and so should what else the answer answers."""
    talk = [
        pair("Where was Mara born?", "Osk"),
        pair("Where was Mara born?", "Usk"),
        pair("Where does the brother of Otto work?", "Osk"),
    ]

    assert refined(view_of, talk, [1.0, 0.9, 0.8]) == [1.0, 0.9, 0.8]


def test_a_message_that_says_no_more_than_a_repeated_pair_makes_room_with_it(view_of: Look) -> None:
    """One that says more keeps its place."""
    asked = "Where was Mara born?"
    talk: list[str | Record] = [
        f"Q: {asked} A: Osk",
        "Mara was born in Osk, and the whole village came to sing at the harbour that night.",
        f"{asked} Osk!",
        pair(asked, "Osk", 0),
        pair(asked, "Osk", 1),
        pair(asked, "Osk", 2),
    ]

    found = refined(view_of, talk, [0.9, 0.9, 0.9, 1.0, 0.8, 0.7])

    assert found == [0.9, 0.9, 0.18, 1.0, 0.16, 0.14]


@pytest.mark.parametrize("talk", [[], ["Only talk."], ["Only talk.", pair("Why?", "So")]])
def test_without_repetition_scores_stay(view_of: Look, talk: list[str | Record]) -> None:
    """Nothing, one pair, and no pair."""
    scores = [0.5] * len(talk)

    assert refined(view_of, talk, scores) == scores

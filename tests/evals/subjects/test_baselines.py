"""The baselines: against slow forms, and at awkward sizes."""

import math
import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from engram.evals.roles import Session, Subject, Turn
from engram.evals.subjects.bm25 import Bm25
from engram.evals.subjects.recent import FullContext, LastTurns
from engram.evals.subjects.vectors import PlainVectors
from engram.evals.text import tokens, words
from engram.ports import Vectors


class LetterVectors:
    """Counts of letters, as unit vectors."""

    name = "letters"
    dimension = 26

    def embed(self, texts: Sequence[str]) -> Vectors:
        made = np.zeros((len(texts), 26), dtype=np.float32)
        for row, text in enumerate(texts):
            for letter in text.lower():
                if "a" <= letter <= "z":
                    made[row, ord(letter) - ord("a")] += 1
        lengths = np.linalg.norm(made, axis=1, keepdims=True)
        return made / np.maximum(lengths, 1)


def hear(subject: Subject, texts: Sequence[str]) -> Subject:
    """Let a subject hear one session."""
    subject.observe(Session("S1", tuple(Turn(str(i), text) for i, text in enumerate(texts))))
    subject.settle()
    return subject


def slow_bm25(question: str, texts: Sequence[str]) -> list[float]:
    """The formula, term by term."""
    bags = [Counter(words(text)) for text in texts]
    mean = sum(bag.total() for bag in bags) / len(bags)
    scores = []
    for bag in bags:
        score = 0.0
        for word in words(question):
            holders = sum(word in other for other in bags)
            rarity = math.log(1 + (len(bags) - holders + 0.5) / (holders + 0.5))
            pull = 1.5 * (1 - 0.75 + 0.75 * bag.total() / mean)
            score += rarity * bag[word] * 2.5 / (bag[word] + pull)
        scores.append(score)
    return scores


@pytest.mark.parametrize("count", [1, 3, 63])
def test_bm25_ranks_as_the_formula_does(count: int) -> None:
    """Random texts over few words, so that repeats and ties are common."""
    rng = random.Random(count)
    texts = [" ".join(rng.choices("abcdefgh", k=rng.randint(1, 9))) for _ in range(count)]
    subject = hear(Bm25(), texts)
    for question in ("a", "a b b", "c h x"):
        scores = slow_bm25(question, texts)
        expected = sorted((i for i in range(count) if scores[i] > 0), key=lambda i: -scores[i])
        found = [int(turn) for turn in subject.retrieve(question, count, None).turns]

        assert sorted(found) == sorted(expected)
        assert [scores[i] for i in found] == pytest.approx([scores[i] for i in expected])


def test_vectors_rank_by_cosine() -> None:
    """The same letters come first, whatever the length."""
    subject = hear(PlainVectors(LetterVectors()), ["zzz", "abab", "aabz"])

    assert subject.retrieve("ab", 2, None).turns == ("1", "2")


def test_the_last_turns_come_latest_first_and_everything_comes_in_order() -> None:
    """The two baselines that do not read the question."""
    texts = ["one", "two", "three"]

    assert hear(LastTurns(), texts).retrieve("?", 2, None).turns == ("2", "1")
    assert hear(LastTurns(), texts).retrieve("?", 9, None).turns == ("2", "1", "0")
    assert hear(FullContext(), texts).retrieve("?", 1, None).turns == ("0", "1", "2")


@pytest.mark.parametrize("maker", [Bm25, LastTurns, FullContext])
def test_a_baseline_that_heard_nothing_finds_nothing(maker: type[Subject]) -> None:
    """An empty conversation is not an error."""
    subject = hear(maker(), [])

    assert subject.stored().items == 0
    assert subject.retrieve("anything", 5, None).turns == ()
    subject.close()


def test_costs_are_the_tokens_of_the_turn_with_its_speaker() -> None:
    """A quarter of the characters, rounded up; unspaced scripts count by character."""
    found = hear(LastTurns(), ["12345678"]).retrieve("?", 1, None)

    assert found.costs == (2,)
    assert tokens("") == 0
    assert tokens("abcde") == 2
    assert tokens("我住奥斯陆") == 5


def test_words_are_lower_case_and_split_unspaced_scripts() -> None:
    """No stems and no stop words: plain is plain."""
    assert words("The Cats' 2nd-hand snake_case 你好") == [
        "the", "cats", "2nd", "hand", "snake", "case", "你", "好",
    ]  # fmt: skip

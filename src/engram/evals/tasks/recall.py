"""Recall: materials are said of things, and much later one of the things is asked for.

A small model learns it in minutes, and answers only if it finds the one place far back where the
thing stands. One word is one token.

Source: the associative recall of Arora et al. 2023, Zoology, arXiv:2312.04927, section 3; made
    anew.
Differs: words that mean nothing lie between the pairs, so that a cache has something to throw away;
    it is asked twice, so that a cache which drops entries once it knows the question has to answer
    from what it kept.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from engram.errors import InvalidInput
from engram.evals import lexicon
from engram.evals.filler import fill
from engram.evals.prompts import Prompt

_AROUND = 6  # tokens: the start, the question, twice, and the answer
_PAIRED, _ASKED = 0.4, 0.7  # of what is told: pairs below the first, questions below the second


@dataclass(frozen=True, slots=True)
class Recall:
    """Rows of ``length`` tokens, the start, the question and the answer included.

    Attributes:
        length: tokens, at least 6 and what the pairs take.
        pairs: things with a material, spread evenly; at most 64.
        count: contexts.
        questions: rows that share a context, each for another thing.
        query_aware: whether the question is part of the context.
        seed: the same seed makes the same rows.
    """

    length: int = 512
    pairs: int = 32
    count: int = 16
    questions: int = 4
    query_aware: bool = False
    seed: int = 0
    name: str = "recall"

    def __post_init__(self) -> None:
        """Refuse rows that cannot be."""
        if not 1 <= self.questions <= self.pairs <= len(lexicon.KEYS) or self.count < 1:
            raise InvalidInput(
                f"count must be at least 1, pairs 1 to {len(lexicon.KEYS)} and questions 1 to "
                f"pairs, got {self.count!r}, {self.pairs!r} and {self.questions!r}"
            )
        least = _AROUND + 2 * self.pairs
        if self.length < least:
            raise InvalidInput(
                f"length must be at least {least} tokens for {self.pairs} pairs, "
                f"got {self.length!r}; ask for fewer pairs"
            )

    def prompts(self) -> Iterator[Prompt]:
        """Make the rows; the questions of a context follow each other."""
        for number in range(self.count):
            rng = random.Random(f"{self.seed}:{number}")
            said = _pairs(rng, self.pairs)
            spare = self.length - _AROUND - 2 * self.pairs
            text = " ".join(_laid(rng, said, spare))
            for key, value in rng.sample(said, self.questions):
                row = Prompt(self.name, text, f" ? {key}", f" ? {key}", (value,), 1)
                yield row.aware() if self.query_aware else row


def told(rng: random.Random, length: int, pairs: int) -> tuple[list[int], list[int]]:
    """A text to learn from: ids, and the places of the answers among them.

    Half of the texts are like the rows: pairs spread evenly, and then questions, each once. In the
    other half pairs, questions with their answers, and filler take turns by chance.
    """
    text, answers = (_spread if rng.random() < 0.5 else _mixed)(rng, length, pairs)
    tokens = [lexicon.number(word) for word in text[:length]]
    return tokens, [place for place in answers if place < length]


def _spread(rng: random.Random, length: int, pairs: int) -> tuple[list[str], list[int]]:
    most = max(1, (length - 1) // 8)  # a pair has two words, a question with its answer up to five
    said = _pairs(rng, rng.randint(min(pairs, most) // 2 or 1, min(pairs, most)))
    asked = rng.sample(said, rng.randint(1, len(said)))
    tail, ends = _questions(rng, asked)
    text = [lexicon.SPECIAL[lexicon.START]]
    text += _laid(rng, said, max(0, length - 1 - 2 * len(said) - len(tail)))
    return text + tail, [len(text) + end for end in ends]


def _mixed(rng: random.Random, length: int, pairs: int) -> tuple[list[str], list[int]]:
    said: list[tuple[str, str]] = []
    fresh = _pairs(rng, pairs)
    text, answers = [lexicon.SPECIAL[lexicon.START]], []
    while len(text) < length:
        draw = rng.random()
        if fresh and (not said or draw < _PAIRED):
            said.append(fresh.pop())
            text += said[-1]
        elif draw < _ASKED:
            words, ends = _questions(rng, [rng.choice(said)])
            answers += [len(text) + end for end in ends]
            text += words
        else:
            text += fill(rng, rng.randint(1, 4))
    return text, answers


def _questions(rng: random.Random, pairs: list[tuple[str, str]]) -> tuple[list[str], list[int]]:
    """Questions with their answers, half of them asked twice; and the places of the answers."""
    words: list[str] = []
    places = []
    for key, value in pairs:
        words += ["?", key] * rng.randint(1, 2) + [value]
        places.append(len(words) - 1)
    return words, places


def _laid(rng: random.Random, said: list[tuple[str, str]], spare: int) -> list[str]:
    """Pairs in their order, with so many words of filler spread between and around them."""
    cuts = sorted(rng.randint(0, spare) for _ in said)
    text: list[str] = []
    for pair, before, cut in zip(said, (0, *cuts), cuts, strict=False):
        text += [*fill(rng, cut - before), *pair]
    return text + fill(rng, spare - cuts[-1])


def _pairs(rng: random.Random, count: int) -> list[tuple[str, str]]:
    values = rng.choices(lexicon.VALUES, k=count)
    return list(zip(rng.sample(lexicon.KEYS, count), values, strict=True))

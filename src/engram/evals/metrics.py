"""Measures of retrieval and of answers. Pure functions of ids, numbers and texts.

A ranking is a sequence of ids, best first, without repeats; ``gold`` is a set that is not empty.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
import Stemmer

Dcg: TypeAlias = Literal["standard", "official"]
_NO_WORDS = frozenset({"a", "an", "the", "and"})
_MARKS = re.compile(r"[^\w\s]")


def recall(ranking: Sequence[str], gold: Collection[str], k: int) -> float:
    """Share of the gold ids among the first k."""
    return len(set(ranking[:k]) & set(gold)) / len(set(gold))


def recall_any(ranking: Sequence[str], gold: Collection[str], k: int) -> float:
    """1.0 if at least one gold id is among the first k, else 0.0."""
    return float(not set(gold).isdisjoint(ranking[:k]))


def recall_all(ranking: Sequence[str], gold: Collection[str], k: int) -> float:
    """1.0 if every gold id is among the first k, else 0.0."""
    return float(set(gold) <= set(ranking[:k]))


def ndcg(ranking: Sequence[str], gold: Collection[str], k: int, *, dcg: Dcg = "standard") -> float:
    """Discounted gain of the first k over that of the best order, 0 to 1.

    ``standard`` divides rank i by log2(i + 1). ``official`` is LongMemEval's: rank 1 whole, from
    rank 2 on log2(i), so that ranks 1 and 2 weigh the same.
    """
    wanted = set(gold)
    gains = [float(found in wanted) for found in ranking[:k]]
    ideal = [1.0] * min(len(wanted), k)
    return _dcg(gains, dcg) / _dcg(ideal, dcg)


def _dcg(gains: Sequence[float], dcg: Dcg) -> float:
    shift = 1 if dcg == "standard" else 0
    return sum(gain / max(1.0, math.log2(i + shift)) for i, gain in enumerate(gains, start=1))


def reciprocal_rank(ranking: Sequence[str], gold: Collection[str]) -> float:
    """1 over the rank of the first gold id; 0.0 if there is none."""
    wanted = set(gold)
    return next((1 / i for i, found in enumerate(ranking, start=1) if found in wanted), 0.0)


def sessions_of(ranking: Iterable[str], session_of: Mapping[str, str]) -> tuple[str, ...]:
    """Walk down a ranking of turns and keep each session where it first shows up."""
    return tuple(dict.fromkeys(session_of[turn] for turn in ranking))


@lru_cache(maxsize=1)
def _porter() -> Callable[[list[str]], list[str]]:
    return Stemmer.Stemmer("porter").stemWords


def answer_words(text: str) -> list[str]:
    """The words that answers are compared by: no case, marks or articles, Porter stems."""
    plain = _MARKS.sub("", text.lower().replace(",", ""))
    return _porter()([word for word in plain.split() if word not in _NO_WORDS])


def token_f1(predicted: str, gold: str) -> float:
    """Harmonic mean of precision and recall over words, with repeats; 0 to 1."""
    ours, theirs = answer_words(predicted), answer_words(gold)
    shared = sum((Counter(ours) & Counter(theirs)).values())
    if not shared:
        return 0.0
    return 2 * shared / (len(ours) + len(theirs))


def contains(predicted: str, gold: str) -> bool:
    """Whether the gold answer's words stand together in the prediction.

    A stand-in for a judge: strict about wording, blind to negation.
    """
    ours, theirs = answer_words(predicted), answer_words(gold)
    width = len(theirs)
    return width > 0 and any(ours[i : i + width] == theirs for i in range(len(ours) - width + 1))


def bootstrap(
    values: Sequence[float], *, seed: int = 0, draws: int = 1000, level: float = 0.95
) -> tuple[float, float]:
    """Confidence interval of the mean: questions are drawn again, with replacement.

    Questions of one conversation are not independent, so the truth is somewhat wider.

    Args:
        values: one a question; at least one.
        seed: of the draws.
        draws: number of resamples.
        level: share of the resampled means that lie inside.
    """
    sample = np.asarray(values, dtype=np.float64)
    generator = np.random.default_rng(seed)
    means = np.array(
        [generator.choice(sample, size=sample.size).mean() for _ in range(draws)]
    )  # (draws,)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Chance that a random positive scores above a random negative, ties half. 0.5 is blind."""
    above, below = np.asarray(positive), np.asarray(negative)
    difference = above[:, None] - below[None, :]  # (positives, negatives)
    return float(((difference > 0) + 0.5 * (difference == 0)).mean())

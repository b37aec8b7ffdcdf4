"""Measures of retrieval and of answers, against loops and against hand-made cases."""

import math
import random

import pytest

from engram.evals import metrics


def cases(count: int = 200) -> list[tuple[list[str], set[str], int]]:
    """Random rankings with gold sets and depths, awkward sizes among them."""
    rng = random.Random(7)
    made = []
    for _ in range(count):
        ids = [f"t{i}" for i in range(rng.choice([1, 2, 3, 10, 63]))]
        ranking = rng.sample(ids, rng.randint(0, len(ids)))
        gold = set(rng.sample(ids, rng.randint(1, len(ids))))
        made.append((ranking, gold, rng.choice([1, 2, 5, 100])))
    return made


def slow_hits(ranking: list[str], gold: set[str], k: int) -> list[int]:
    """1-based ranks of the gold ids among the first k, by walking."""
    hits = []
    for rank, found in enumerate(ranking, start=1):
        if rank <= k and found in gold:
            hits.append(rank)
    return hits


@pytest.mark.parametrize(("ranking", "gold", "k"), cases())
def test_recalls_equal_a_walk_down_the_ranking(ranking: list[str], gold: set[str], k: int) -> None:
    """The share, the any and the all are counts of what the walk meets."""
    hits = slow_hits(ranking, gold, k)

    assert metrics.recall(ranking, gold, k) == len(hits) / len(gold)
    assert metrics.recall_any(ranking, gold, k) == (1.0 if hits else 0.0)
    assert metrics.recall_all(ranking, gold, k) == (1.0 if len(hits) == len(gold) else 0.0)


@pytest.mark.parametrize(("ranking", "gold", "k"), cases())
def test_gain_and_reciprocal_rank_equal_their_definitions(
    ranking: list[str], gold: set[str], k: int
) -> None:
    """Both are sums over ranks, written out."""
    gain = sum(1 / math.log2(rank + 1) for rank in slow_hits(ranking, gold, k))
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(gold), k) + 1))
    everywhere = slow_hits(ranking, gold, len(ranking))

    assert metrics.ndcg(ranking, gold, k) == pytest.approx(gain / best)
    assert metrics.reciprocal_rank(ranking, gold) == (1 / everywhere[0] if everywhere else 0.0)


def test_the_official_gain_of_longmemeval_weighs_the_first_two_ranks_alike() -> None:
    """Gold at ranks 1 and 3: the published code gives 0.81546, the textbook 0.91972."""
    ranking, gold = ["a", "x", "b"], {"a", "b"}

    assert metrics.ndcg(ranking, gold, 5, dcg="official") == pytest.approx(0.81546, abs=1e-5)
    assert metrics.ndcg(ranking, gold, 5) == pytest.approx(0.91972, abs=1e-5)


def test_a_repeated_gold_id_is_wanted_once() -> None:
    """Evidence lists of real data repeat themselves."""
    assert metrics.recall(["a"], ["a", "a"], 1) == 1.0


def test_sessions_are_read_off_the_turns_in_their_order() -> None:
    """A session counts from its first turn on."""
    session_of = {"a1": "a", "a2": "a", "b1": "b"}

    assert metrics.sessions_of(["a2", "b1", "a1"], session_of) == ("a", "b")


@pytest.mark.parametrize(
    ("predicted", "gold", "expected"),
    [
        ("The running dogs!", "a running dog", 1.0),
        ("Oslo", "Bergen", 0.0),
        ("", "Bergen", 0.0),
        ("Oslo and Bergen", "Oslo", 2 / 3),
        ("1,200", "1200", 1.0),
    ],
)
def test_answers_are_compared_by_stems_without_articles(
    predicted: str, gold: str, expected: float
) -> None:
    """Case, marks, articles and endings do not count; extra words do."""
    assert metrics.token_f1(predicted, gold) == pytest.approx(expected)


def test_containment_wants_the_words_side_by_side() -> None:
    """In order and together, wherever they stand."""
    assert metrics.contains("She moved to New York in May.", "new york")
    assert not metrics.contains("York is new to her.", "new york")
    assert not metrics.contains("anything", "")


def test_the_interval_of_the_mean_is_seeded_and_holds_the_mean() -> None:
    """Same seed, same interval; of equal values it has no width."""
    values = [0.0, 1.0, 1.0, 0.0, 1.0] * 20
    low, high = metrics.bootstrap(values, seed=3)

    assert (low, high) == metrics.bootstrap(values, seed=3)
    assert low < 0.6 < high
    assert metrics.bootstrap([0.5], seed=1) == (0.5, 0.5)


def test_the_interval_has_the_width_that_theory_gives() -> None:
    """Of n coin tosses: 2 x 1.96 x sqrt(p (1 - p) / n)."""
    values = [0.0, 1.0] * 200
    low, high = metrics.bootstrap(values)

    assert high - low == pytest.approx(2 * 1.96 * 0.5 / 20, rel=0.1)


def test_auroc_counts_pairs_in_the_right_order() -> None:
    """One of four pairs is wrong, one is a tie."""
    assert metrics.auroc([0.9, 0.5], [0.5, 0.7]) == (1 + 1 + 0.5 + 0) / 4

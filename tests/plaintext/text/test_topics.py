"""Groups of texts, and their names."""

import math
from collections import Counter

import numpy as np
import pytest

from engram.plaintext.text.topics import (
    around_mean,
    groups,
    middles_of,
    speaking_of,
    titles,
    word_vectors,
)
from engram.plaintext.text.words import terms

BOATS = ["The boat needs a sail.", "We sailed the boat home.", "A sail tore on the boat."]
CLAY = ["The kiln burns clay.", "Clay dries in the kiln.", "My kiln cracked the clay."]


def cloud(middle: int, count: int) -> np.ndarray:
    """Unit vectors around an axis."""
    dice = np.random.default_rng(middle)
    vectors = 0.1 * dice.standard_normal((count, 8)).astype(np.float32)
    vectors[:, middle] += 1
    found: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return found


@pytest.mark.parametrize("sizes", [(1, 0), (3, 2), (20, 63)])
def test_vectors_around_two_middles_are_two_groups(sizes: tuple[int, int]) -> None:
    """In whatever order they come; the larger group is the first."""
    truth = np.repeat([0, 1], sizes)
    order = np.random.default_rng(0).permutation(len(truth))
    vectors = np.concatenate([cloud(0, sizes[0]), cloud(1, sizes[1])])[order]

    labels = groups(vectors, 0.5)

    same = truth[order][:, None] == truth[order]
    assert np.array_equal(labels[:, None] == labels, same)
    assert np.bincount(labels).tolist() == sorted((n for n in sizes if n), reverse=True)


def test_no_vectors_are_no_groups() -> None:
    """Nothing in, nothing out."""
    none = np.zeros((0, 4), dtype=np.float32)

    assert groups(none, 0.5).shape == (0,)
    assert middles_of(none, groups(none, 0.5)).shape == (0, 4)


def test_a_middle_is_the_direction_of_the_mean() -> None:
    """Of length 1."""
    vectors = np.eye(3, dtype=np.float32)

    found = middles_of(vectors, np.array([0, 0, 1]))

    assert found[0] == pytest.approx([math.sqrt(0.5), math.sqrt(0.5), 0])
    assert found[1] == pytest.approx([0, 0, 1])


def test_words_group_texts_where_nothing_embeds() -> None:
    """Texts on one thing share words."""
    vectors = word_vectors([*BOATS, *CLAY])

    assert groups(vectors, 0.3).tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("texts", [[], [""], ["one"], ["no word", "in common here"]])
def test_texts_without_common_words_have_empty_vectors(texts: list[str]) -> None:
    """A word that one text alone has ties it to nothing."""
    assert not word_vectors(texts).any()


def test_a_group_is_named_by_the_words_that_tell_it_from_the_others() -> None:
    """Worth the count times log(1 + A / f), as the formula says; names are left out."""
    texts = [" ".join(BOATS), " ".join([*CLAY, "Ana sailed."])]
    found = titles(texts, 2, without=["Ana"])
    counts = Counter(term for text in texts for term in terms(text).content)
    mean = sum(counts.values()) / 2

    def worth(term: str, text: str) -> float:
        count = terms(text).content.count(term)
        return count * math.log(1 + mean / counts[term])

    for text, words in zip(texts, found, strict=True):
        stems = [terms(word).content[0] for word in words]
        others = set(terms(text).content) - set(stems) - {"ana"}
        assert min(worth(each, text) for each in stems) >= max(worth(o, text) for o in others)
    assert set(found[1]) == {"kiln", "clay"}
    assert titles([], 3) == []


def test_what_all_have_in_common_tells_none_apart() -> None:
    """A large part that all share is taken away, so that two clouds are near no more."""
    common = np.zeros(8, dtype=np.float32)
    common[7] = 2
    vectors = np.concatenate([cloud(0, 200), cloud(1, 200)]) + common
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    around = around_mean(vectors)

    assert not groups(vectors, 0.5).any()
    assert groups(around, 0.5).tolist() == [0] * 200 + [1] * 200
    assert np.linalg.norm(around, axis=1) == pytest.approx(np.ones(400), abs=1e-5)


@pytest.mark.parametrize(("most", "chosen"), [(0, []), (1, BOATS[1:2]), (2, BOATS[:2])])
def test_the_sentences_with_the_most_of_the_words_speak_of_them(
    most: int, chosen: list[str]
) -> None:
    """In their order; of two that hold as many the earlier is taken."""
    assert speaking_of("boat, home, sail", BOATS, most) == chosen

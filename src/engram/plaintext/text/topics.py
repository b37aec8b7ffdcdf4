"""Topics: groups of texts that are near one another, and the words that name a group."""

import math
from collections import Counter
from collections.abc import Sequence
from functools import partial

import numpy as np

from engram.plaintext.roles import Floats, Rows
from engram.plaintext.text.salience import keywords
from engram.plaintext.text.words import terms

_ROUNDS = 10
_WIDEST = 4_096  # distinct words that are compared; the rest of a large collection is rarer


def groups(vectors: Floats, near: float) -> Rows:
    """(N,) number of the group of each vector; the first has the most.

    Each joins the group with the nearest middle, or begins one where none is near; then each may
    move to a nearer one until nothing moves. Nothing is chosen by chance.

    Args:
        vectors: (N, D), each of length 1 or 0.
        near: cosine with the middle from which on a vector belongs to a group.
    """
    sums = np.zeros_like(vectors)
    middles = np.zeros_like(vectors)
    labels = np.zeros(len(vectors), dtype=np.int64)
    count = 0
    for at, vector in enumerate(vectors):
        cosines = middles[:count] @ vector
        if count and cosines.max() >= near:
            labels[at] = int(cosines.argmax())
        else:
            labels[at], count = count, count + 1
        sums[labels[at]] += vector
        middles[labels[at]] = _unit(sums[labels[at]][None])[0]
    for _ in range(_ROUNDS if len(vectors) else 0):
        cosines = vectors @ middles_of(vectors, labels).T
        moved = np.where(cosines.max(axis=1) >= near, cosines.argmax(axis=1), labels)
        if np.array_equal(moved, labels):
            break
        labels = np.unique(moved, return_inverse=True)[1].reshape(-1)
    return _by_size(labels)


def _by_size(labels: Rows) -> Rows:
    """The same groups, numbered by size, then by their first member."""
    _, first, which, counts = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(len(counts), dtype=np.int64)
    rank[np.lexsort((first, -counts))] = np.arange(len(counts))
    ranked: Rows = rank[which.reshape(-1)]
    return ranked


def middles_of(vectors: Floats, labels: Rows) -> Floats:
    """(G, D) the unit middle of each group."""
    return _unit(_sums(vectors, labels))


def _sums(vectors: Floats, labels: Rows) -> Floats:
    sums = np.zeros((int(labels.max(initial=-1)) + 1, vectors.shape[1]), dtype=np.float32)
    np.add.at(sums, labels, vectors)
    return sums


def _unit(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = (vectors / np.maximum(length, 1e-9)).astype(np.float32)
    return unit


def around_mean(vectors: Floats) -> Floats:
    """(N, D) unit vectors from the mean on: what all texts have in common tells none apart."""
    mean = vectors.sum(axis=0) / np.float32(10 + len(vectors))  # few have nothing in common yet
    return _unit(vectors - mean)


def word_vectors(texts: Sequence[str]) -> Floats:
    """(N, D) unit vectors of the words of each text, rare ones weighing more: for want of better.

    Words that only one text has tie it to nothing and are left out.
    """
    counts = [Counter(terms(text).content) for text in texts]
    spread = Counter(word for each in counts for word in each)
    known = [word for word, texts_with in spread.most_common(_WIDEST) if texts_with > 1]
    place = {word: at for at, word in enumerate(known)}
    vectors = np.zeros((len(texts), max(1, len(known))), dtype=np.float32)
    for row, each in enumerate(counts):
        for word, count in each.items():
            if word in place:
                weight = math.log((1 + len(texts)) / spread[word])
                vectors[row, place[word]] = (1 + math.log(count)) * weight
    return _unit(vectors)


def titles(texts: Sequence[str], most: int, without: Sequence[str] = ()) -> list[list[str]]:
    """The words that tell each text from the others, best first, as they stand there: c-TF-IDF.

    A word is worth its count in the text times log(1 + A / f), A the mean number of words of a text
    and f the count of the word in all.

    Args:
        texts: one for each group.
        most: words for each.
        without: names and the like, which name no topic.
    """
    counts = [Counter(terms(text).content) for text in texts]
    every = sum(counts, Counter[str]())
    mean = every.total() / max(1, len(texts))
    left_out = {term for name in without for term in terms(name).content}

    def worth(term: str, here: Counter[str]) -> float:
        # The keywords multiply by 1 + log(count) what one occurrence is worth.
        count = here[term]
        return count / (1 + math.log(count)) * math.log(1 + mean / every[term]) if count else 0.0

    return [
        [each.word.lower() for each in keywords(text, partial(worth, here=here), most, left_out)]
        for text, here in zip(texts, counts, strict=True)
    ]


def speaking_of(words: str, sentences: Sequence[str], most: int) -> list[str]:
    """The sentences that hold the most of some words, in their order; ties go to the earlier."""
    wanted = set(terms(words).content)
    held = [len(wanted & set(terms(sentence).content)) for sentence in sentences]
    best = sorted(range(len(held)), key=lambda at: -held[at])[:most]
    return [sentences[at] for at in sorted(best)]

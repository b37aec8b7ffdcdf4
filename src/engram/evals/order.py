"""Which of two passages of a text came first? Memory of order, on any text.

Source: Pink et al. 2024, Assessing Episodic Memory in LLMs with Sequence Order Recall Tasks (SORT),
    arXiv:2410.08133, sections 2 and 3.
Differs: a score decides, not the log-probability of a label; what cannot be decided counts half.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import TypeAlias

from engram.errors import InvalidInput
from engram.memory import Memory
from engram.plaintext.text.sentences import sentences

Judge: TypeAlias = Callable[[str, str], float]
"""Above 0 where the first passage came first in the text, below 0 where the second did."""

_LONG = 5_000  # words; in longer excerpts the nearest pairs are up to a thousand words apart


@dataclass(frozen=True, slots=True)
class Trial:
    """One question. ``distance`` is in words, from the start of one passage to that of the other.

    ``start`` is the word of the excerpt with which the earlier one begins. ``bin`` numbers the
    range of distances that it was drawn from. ``swapped``: the later passage is shown first.
    """

    earlier: str
    later: str
    start: int
    distance: int
    bin: int
    swapped: bool


@dataclass(frozen=True, slots=True)
class Order:
    """Share of the trials that were decided rightly, in all and by bin of distance."""

    accuracy: float
    by_bin: Mapping[int, float]
    trials: int


def told(text: str) -> list[str]:
    """The sentences of a text, without line breaks."""
    found = (" ".join(text[span.start : span.end].split()) for span in sentences(text))
    return [sentence for sentence in found if sentence]


def trials(excerpt: Sequence[str], segment: int, count: int, seed: int) -> list[Trial]:
    """Pairs of passages of an excerpt, evenly over the bins of distance, half of them swapped.

    Args:
        excerpt: sentences in order.
        segment: words of a passage; it begins where a sentence begins.
        count: how many trials; at least 1.
        seed: draws the pairs.

    Raises:
        InvalidInput: the excerpt is too short for two passages that do not overlap.
    """
    words = [word for sentence in excerpt for word in sentence.split()]
    edges = _edges(len(words), segment)
    if count < 1 or len(edges) < 2:
        raise InvalidInput(
            f"an excerpt must hold passages of {segment} words far apart, got {len(words)} words"
        )
    starts = _starts(excerpt, len(words) - segment)
    rng = random.Random(seed)
    drawn = _drawn(starts, edges, rng)
    made = []
    for at in range(count):
        first, second, bin_ = next(drawn)
        made.append(
            Trial(
                " ".join(words[first : first + segment]),
                " ".join(words[second : second + segment]),
                first,
                second - first,
                bin_,
                swapped=at % 2 == 1,
            )
        )
    return made


def _edges(length: int, segment: int) -> list[int]:
    """The bins of distance of the paper, section 2.2, as far as the excerpt has room for them."""
    near = 1_000 if length >= _LONG else length // 4
    third = length // 4 if length >= _LONG else length // 3
    found = [segment, near, third, length // 2, int(length / 1.25)]
    return sorted({edge for edge in found if segment <= edge <= length - segment})


def _starts(excerpt: Sequence[str], last: int) -> list[int]:
    """The words with which sentences begin, as far as a passage fits behind."""
    found, at = [], 0
    for sentence in excerpt:
        if at <= last:
            found.append(at)
        at += len(sentence.split())
    return found


def _drawn(
    starts: Sequence[int], edges: Sequence[int], rng: random.Random
) -> Iterator[tuple[int, int, int]]:
    """Pairs without end, two of each bin in turn, so that each bin is swapped as often as not."""
    pairs: dict[int, list[tuple[int, int]]] = {}
    for bin_, (low, high) in enumerate(pairwise(edges)):
        found = [(a, b) for a in starts for b in starts if low <= b - a < high]
        if found:
            pairs[bin_] = found
    if not pairs:
        raise InvalidInput(f"an excerpt must hold two passages far apart, got {len(starts)} starts")
    while True:
        for bin_, found in pairs.items():
            for _ in range(2):
                first, second = rng.choice(found)
                yield first, second, bin_


def ordered(judge: Judge, asked: Sequence[Trial]) -> Order:
    """Put a judge to the trials. A judge that always says the same gets exactly one half."""
    right: dict[int, list[float]] = {}
    for trial in asked:
        shown = (trial.later, trial.earlier) if trial.swapped else (trial.earlier, trial.later)
        said = judge(*shown) * (-1 if trial.swapped else 1)
        right.setdefault(trial.bin, []).append(1.0 if said > 0 else 0.5 if said == 0 else 0.0)
    every = [share for shares in right.values() for share in shares]
    by_bin = {bin_: fmean(shares) for bin_, shares in sorted(right.items())}
    return Order(fmean(every), by_bin, len(every))


@dataclass(frozen=True, slots=True)
class Places:
    """A judge that looks both passages up in a memory of the excerpt.

    Attributes:
        memory: heard the excerpt through ``hear``.
        user: as whom.
        places: whether it may look at when a sentence was said; without, only at how well the
            passages fit, which says nothing about their order.
    """

    memory: Memory
    user: str = "reader"
    places: bool = True

    def hear(self, excerpt: Sequence[str]) -> None:
        """Remember the sentences, a second apart."""
        said = [
            {"role": "user", "content": text, "time": float(at), "metadata": {"place": at}}
            for at, text in enumerate(excerpt)
        ]
        self.memory.add(said, user_id=self.user, run_id="text", infer=False)

    def __call__(self, first: str, second: str) -> float:
        """Where the second was said, less where the first was."""
        return self.place(second) - self.place(first)

    def place(self, passage: str) -> float:
        """The number of the sentence that fits best, or without places how well it fits."""
        found = self.memory.search(passage, user_id=self.user, top_k=1)["results"]
        if not self.places:
            return float(found[0]["score"]) if found else 0.0
        return float(found[0]["metadata"]["place"]) if found else 0.0

"""Book-SORT: two passages of a book are shown, and which came first is asked.

Source: Pink et al. 2024, Sequence Order Recall Tasks, arXiv:2410.08133, section 2.
Differs: no model says a label; the question is both passages, and which came first is read off the
    times of the sentences that a memory brings back. What cannot be read off counts half.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from engram.errors import InvalidInput
from engram.evals.files import read_texts
from engram.evals.order import Trial, told, trials
from engram.evals.roles import Episode, Probe, Session, Turn
from engram.evals.text import words

_BODY = re.compile(r"\*\*\* ?START OF .*?\*\*\*(?P<text>.*?)(?:\*\*\* ?END OF |\Z)", re.S)
_START = 1_700_000_000.0  # seconds; sentences are a second apart
_RUN = 3  # words that a sentence must share with a passage, one after the other
_BREAK = "\n\n"
_SYLLABLES = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "klmnrst"]


@dataclass(frozen=True, slots=True)
class BookSort:
    """Plain texts: one ``.txt``, a folder or a tar archive of them. One episode a book.

    Attributes:
        data: the file, folder or archive.
        words: of the excerpt, which is drawn from the body of the book.
        segment: words of a passage.
        count: pairs of passages a book.
        seed: draws excerpt and pairs.
    """

    data: Path
    words: int = 10_000
    segment: int = 50
    count: int = 40
    seed: int = 0
    name: str = "sort"

    def episodes(self) -> Iterator[Episode]:
        """Yield the books in the order of their names."""
        books = {Path(path).stem: text for path, text in sorted(read_texts(self.data))}
        if not books:
            raise InvalidInput(
                f"data must be a text, or a folder or tar archive with .txt files, got "
                f"{str(self.data)!r}; any books in plain text will do"
            )
        for title, text in books.items():
            body = _BODY.search(text)
            rng = random.Random(f"{self.seed}:{title}")
            excerpt = _drawn(told(body["text"] if body else text), self.words, rng)
            yield _episode(title, excerpt, trials(excerpt, self.segment, self.count, self.seed))


@dataclass(frozen=True, slots=True)
class MadeBooks:
    """Books of sentences that say nothing about when they were said.

    Attributes:
        seed: the same seed makes the same books.
        count: books.
        sentences: of each.
        pairs: of passages a book.
    """

    seed: int = 0
    count: int = 2
    sentences: int = 400
    pairs: int = 40
    name: str = "sort (synthetic twin)"

    def episodes(self) -> Iterator[Episode]:
        """Make the books, each from a seed of its own."""
        for number in range(self.count):
            rng = random.Random(f"{self.seed}:{number}")
            excerpt = [
                f"The {' '.join(rng.choices(_SYLLABLES, k=rng.randint(6, 12)))}."
                for _ in range(self.sentences)
            ]
            yield _episode(f"book-{number}", excerpt, trials(excerpt, 20, self.pairs, self.seed))


def in_order(probe: Probe, turns: Sequence[Turn]) -> float:
    """1 where the times of these turns put the passages in the order of the book, else 0.

    A passage is placed by the turn that shares most runs of three words with it; half where one
    cannot be placed, or both are placed alike.
    """
    first, _, second = probe.question.partition(_BREAK)
    one, other = _place(first, turns), _place(second, turns)
    if one is None or other is None or one == other:
        return 0.5
    return float((one < other) == (probe.answer == "first"))


def _place(passage: str, turns: Sequence[Turn]) -> float | None:
    wanted = _runs(passage)
    shared = [(len(wanted & _runs(turn.text)), turn) for turn in turns]
    most, best = max(shared, key=lambda each: each[0], default=(0, None))
    return best.at if best and most else None


@lru_cache(maxsize=1 << 15)
def _runs(text: str) -> frozenset[tuple[str, ...]]:
    said = words(text)
    return frozenset(zip(*(said[at:] for at in range(_RUN)), strict=False))


def _drawn(sentences: Sequence[str], most: int, rng: random.Random) -> list[str]:
    """Sentences in a row with about so many words, from anywhere that has room for them."""
    lengths = [len(sentence.split()) for sentence in sentences]
    spare = sum(lengths) - most
    skip, start = rng.randrange(spare) if spare > 0 else 0, 0
    while skip > 0:
        skip -= lengths[start]
        start += 1
    end, held = start, 0
    while end < len(sentences) and held < most:
        held += lengths[end]
        end += 1
    return list(sentences[start:end])


def _episode(title: str, excerpt: Sequence[str], asked: Sequence[Trial]) -> Episode:
    turns = tuple(Turn(f"S1:{at}", text, at=_START + at) for at, text in enumerate(excerpt))
    home = [turn.id for turn, text in zip(turns, excerpt, strict=True) for _ in text.split()]
    probes = tuple(
        _probe(f"{title}:{number}", trial, home, _START + len(turns))
        for number, trial in enumerate(asked)
    )
    return Episode(title, (Session("S1", turns, _START),), probes)


def _probe(probe_id: str, trial: Trial, home: Sequence[str], at: float) -> Probe:
    """Evidence: the sentences that the passages are cut from. ``home`` is the turn of each word."""
    shown = (trial.later, trial.earlier) if trial.swapped else (trial.earlier, trial.later)
    length = len(trial.earlier.split())
    starts = (trial.start, trial.start + trial.distance)
    cut = (turn for start in starts for turn in home[start : start + length])
    return Probe(
        id=probe_id,
        question=_BREAK.join(shown),
        answer="second" if trial.swapped else "first",
        category=f"distance {trial.bin + 1}",
        evidence=tuple(dict.fromkeys(cut)),
        evidence_sessions=("S1",),
        at=at,
    )

"""RULER's thirteen tasks of long context, in four groups, at any length.

Source: Hsieh et al. 2024, RULER: What's the Real Context Size of Your Long-Context Language
    Models?, arXiv:2404.06654, section 3 and appendix B; the shape of a row is that of kvpress.
Differs: every word comes from one closed vocabulary, so that a tiny model can read it; made prose
    in place of essays, codes of digits in place of UUIDs, made documents in place of SQuAD and
    HotpotQA; no example is shown before the question; answers are compared by whole words.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from engram.errors import InvalidInput
from engram.evals import lexicon
from engram.evals.haystacks.asking import one, two
from engram.evals.haystacks.counting import common, frequent
from engram.evals.haystacks.making import Made, Maker
from engram.evals.haystacks.needles import Needles
from engram.evals.haystacks.tracking import chain
from engram.evals.prompts import Prompt

_SLACK = 0.01  # of the length, that a row may be shorter


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the thirteen: its group, its maker, and how many tokens an answer may have."""

    group: str
    make: Maker
    max_new_tokens: int


KINDS: Mapping[str, Kind] = {
    "niah_single_1": Kind("needle", Needles("noise"), 128),
    "niah_single_2": Kind("needle", Needles("prose"), 128),
    "niah_single_3": Kind("needle", Needles("prose", codes=True), 128),
    "niah_multikey_1": Kind("needle", Needles("prose", keys=4), 128),
    "niah_multikey_2": Kind("needle", Needles("needles"), 128),
    "niah_multikey_3": Kind("needle", Needles("needles", codes=True), 128),
    "niah_multivalue": Kind("needle", Needles("prose", values=4), 128),
    "niah_multiquery": Kind("needle", Needles("prose", keys=4, asked=4), 128),
    "vt": Kind("tracking", chain, 30),
    "cwe": Kind("aggregation", common, 120),
    "fwe": Kind("aggregation", frequent, 50),
    "qa_1": Kind("questions", one, 32),
    "qa_2": Kind("questions", two, 32),
}
"""The tasks by the names that RULER and kvpress give them."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """Rows of at most ``length`` tokens, the answer's included, and hardly less.

    Attributes:
        length: tokens of the context, the question and the longest answer.
        tasks: names of ``KINDS``.
        count: rows of each task.
        query_aware: whether the question is part of the context.
        tokens: counts the tokens of a text; the closed vocabulary's own, if not given.
        seed: the same seed makes the same rows.
    """

    length: int = 4096
    tasks: tuple[str, ...] = tuple(KINDS)
    count: int = 5
    query_aware: bool = False
    tokens: Callable[[str], int] = lexicon.count
    seed: int = 0
    name: str = "ruler"

    def __post_init__(self) -> None:
        """Refuse tasks that do not exist and rows of nothing."""
        if unknown := [task for task in self.tasks if task not in KINDS]:
            raise InvalidInput(f"tasks must be among {', '.join(KINDS)}, got {unknown[0]!r}")
        if self.count < 1 or not self.tasks:
            raise InvalidInput(
                f"count must be at least 1 and tasks at least one name, got {self.count!r} and "
                f"{self.tasks!r}"
            )

    def prompts(self) -> Iterator[Prompt]:
        """Make the rows, task by task.

        Raises:
            InvalidInput: the length has no room for the question of a task.
        """
        for task in self.tasks:
            for number in range(self.count):
                made = self._fitted(task, number)
                row = Prompt(
                    task,
                    made.context,
                    made.question,
                    made.answer_prefix,
                    made.answer,
                    KINDS[task].max_new_tokens,
                    made.any_of,
                )
                yield row.aware() if self.query_aware else row

    def _fitted(self, task: str, number: int) -> Made:
        """The row with the largest haystack that fits, or nearly."""
        room = self.length - KINDS[task].max_new_tokens

        def made(size: int) -> tuple[Made, int]:
            row = KINDS[task].make(random.Random(f"{self.seed}:{task}:{number}"), size)
            return row, self.tokens(row.context + row.question + row.answer_prefix)

        best, least = made(0)
        if least > room:
            raise InvalidInput(
                f"length must be at least {self.length + least - room} tokens for {task}, "
                f"got {self.length!r}"
            )
        low, high = 0, 16
        row, most = made(high)
        while most <= room:
            best, low, least, high = row, high, most, 2 * high
            row, most = made(high)
        while high - low > 1 and room - least > _SLACK * self.length:
            guess = low + round((room - least) * (high - low) / (most - least))
            size = min(max(guess, low + 1), high - 1)
            row, taken = made(size)
            if taken <= room:
                best, low, least = row, size, taken
            else:
                high, most = size, taken
        return best

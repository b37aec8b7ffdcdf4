"""Long prompts with short answers: their values, their role, and an exact scorer.

A row has the shape that kvpress reads: the context goes into the cache first, without the question,
so that whatever shrinks the cache cannot know what is asked. ``aware`` is the other setting.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One row.

    Attributes:
        task: as the tables name it.
        context: what a cache is filled with.
        question: what is asked after it; empty where the context ends with it.
        answer_prefix: how the answer begins; the model goes on from here.
        answer: what the model must say: all of these, or one of them if ``any_of``.
        max_new_tokens: how much it may say.
        any_of: whether the answers are ways to say the same.
    """

    task: str
    context: str
    question: str
    answer_prefix: str
    answer: tuple[str, ...]
    max_new_tokens: int
    any_of: bool = False

    @property
    def text(self) -> str:
        """All that the model reads."""
        return self.context + self.question + self.answer_prefix

    def aware(self) -> "Prompt":
        """The same row, whose question is part of the context."""
        return replace(self, context=self.context + self.question, question="")


class PromptTask(Protocol):
    """A benchmark of long prompts. The same settings yield the same rows."""

    @property
    def name(self) -> str:
        """What the tables call it."""
        ...

    def prompts(self) -> Iterator[Prompt]:
        """Yield the rows; rows that share a context follow each other."""
        ...


def matched(prompt: Prompt, said: str) -> float:
    """How much of the answer was said, 0 to 1: the share of it, or all or nothing if ``any_of``.

    Words are compared whole and without case: 12 is not in 123. What is said besides costs nothing,
    for ``max_new_tokens`` bounds it.
    """
    words = _words(said)
    hits = [f" {_words(each).strip()} " in words for each in prompt.answer]
    return float(any(hits)) if prompt.any_of else sum(hits) / len(hits)


def _words(text: str) -> str:
    return f" {' '.join(_WORD.findall(text.casefold()))} "

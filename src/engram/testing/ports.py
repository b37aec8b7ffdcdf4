"""Fakes of the ports: a clock set by hand, an embedder of any dimension, a scripted advisor."""

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engram.plaintext.advice import Question
from engram.plaintext.text.times import seconds
from engram.ports import Vectors


@dataclass
class Hand:
    """A clock that stands still until it is set."""

    at: float = 0.0

    def __call__(self) -> float:
        """The time that it was set to."""
        return self.at

    def set(self, time: str) -> None:
        """Set it to a time in ISO 8601."""
        self.at = seconds(time)


class Buckets:
    """An embedder: each word of a text falls into one of its numbers, the same one every time."""

    def __init__(self, name: str = "buckets", dimension: int = 8) -> None:
        self.name = name
        self.dimension = dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(N, dimension) unit rows; all zero for a text without words."""
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                row[zlib.crc32(word.encode()) % self.dimension] += 1
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)


@dataclass
class Script:
    """An advisor that answers by purpose, and keeps what it was asked."""

    answers: Mapping[str, Mapping[str, Any] | None]
    asked: list[Question] = field(default_factory=list)

    def ask(self, question: Question) -> Mapping[str, Any] | None:
        """The answer to questions of this purpose; None to all others."""
        self.asked.append(question)
        return self.answers.get(question.purpose)

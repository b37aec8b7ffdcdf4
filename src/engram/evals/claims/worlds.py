"""Small made-up worlds in which every answer is known, and readers that go without a part."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from engram import catalogue
from engram.adapters.embedders import embedder
from engram.memory import Memory
from engram.plaintext.read import Reader

NOW = 1e7
"""Seconds; everything was said before."""

_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_READ = ("router", "channels", "refiners", "packer", "confidence", "scale", "abstain_below")


@dataclass(frozen=True, slots=True)
class Namer:
    """Invents names by a seed, no name twice, and none that any text holds."""

    dice: random.Random
    known: set[str] = field(default_factory=set)

    def name(self, ending: str = "") -> str:
        """One word of three syllables and the ending."""
        while True:
            syllables = [self.dice.choice(_CONSONANTS) + self.dice.choice(_VOWELS) for _ in "abc"]
            made = "".join(syllables).capitalize() + ending
            if made not in self.known:
                self.known.add(made)
                return made

    def person(self) -> str:
        """A first and a last name."""
        return f"{self.name()} {self.name('son')}"


def filled(texts: Sequence[str], preset: str) -> Memory:
    """A memory to which somebody said these texts, ten minutes apart."""
    memory = Memory.open(
        ":memory:", preset=preset, embedder=embedder(None), durability="off", clock=lambda: NOW
    )
    memory.add(
        [{"role": "user", "content": text, "time": 600.0 * at} for at, text in enumerate(texts)]
    )
    return memory


def reader(memory: Memory, preset: str, without: Sequence[str] = ()) -> Reader:
    """What searches a memory as a preset does, without the refiners of these names."""
    encoder = embedder(None)
    made = catalogue.parts(catalogue.find(preset), {"embedder": encoder})
    made["refiners"] = [each for each in made["refiners"] if type(each).__name__ not in without]
    return Reader(memory.store, encoder, **{name: made[name] for name in _READ})

"""A memory of a preset with some of its parts exchanged, in a file that is thrown away."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from engram import catalogue
from engram.adapters.embedders import embedder
from engram.memory import Memory
from engram.plaintext.advice import Advisor
from engram.plaintext.roles import Refiner
from engram.plaintext.store.store import Store
from engram.ports import Clock


@contextmanager
def opened(
    preset: str,
    clock: Clock,
    refiners: Mapping[str, Refiner | None],
    advisor: Advisor | None = None,
) -> Iterator[Memory]:
    """A memory with the built-in embedder.

    Args:
        preset: see ``Memory.open``.
        clock: tells the time.
        refiners: name of a refiner of the preset -> what stands in its place, or None for nothing.
        advisor: what the methods of the preset ask, at once and not in the background.
    """
    encoder = embedder("wordllama")
    assert encoder is not None
    parts = catalogue.parts(catalogue.find(preset), {"embedder": encoder, "advisor": advisor})
    kept = [refiners.get(type(refiner).__name__, refiner) for refiner in parts["refiners"]]
    parts["refiners"] = [refiner for refiner in kept if refiner is not None]
    with TemporaryDirectory(prefix="engram-claim-") as folder:
        known = (encoder.name, encoder.dimension)
        store = Store(Path(folder, "memory.db"), durability="off", embedder=known)
        with Memory(store, parts, encoder, clock) as memory:
            yield memory

"""A cache as bytes, and back: the same to the bit, and apart from the bytes."""

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs engram[hf]")
pytest.importorskip("transformers", reason="needs engram[hf]")

from engram import InvalidInput, MemoryCache  # noqa: E402
from engram.adapters import kv_bytes  # noqa: E402

Make = Callable[..., Any]
KINDS = [("llama", "full"), ("llama", "kivi"), ("llama", "h2o"), ("gemma2", "full")]


@pytest.mark.parametrize(("kind", "preset"), KINDS)
def test_a_cache_comes_back_as_it_was(
    kind: str, preset: str, tiny: Make, prompt: Make, greedy: Make
) -> None:
    """Words and logits are the same to the bit, and the ids are those that were read."""
    wide = {"head_dim": 32} if preset == "kivi" else {}
    model, ids = tiny(kind, **wide), prompt(200)
    budget = 50 if preset == "h2o" else None
    cache = MemoryCache.for_model(model, preset, budget=budget)
    model(ids[:, :190], past_key_values=cache)

    held = kv_bytes.content(cache, ids[0, :190])
    back = MemoryCache.for_model(model, preset, budget=budget)
    tokens = kv_bytes.fill(back, held)

    assert torch.equal(tokens, ids[0, :190])
    one, other = (greedy(model, ids, each, max_new_tokens=5) for each in (cache, back))
    assert torch.equal(one.sequences, other.sequences)
    assert all(torch.equal(a, b) for a, b in zip(one.logits, other.logits, strict=True))


def test_the_bytes_may_go_once_they_are_read(tiny: Make, prompt: Make) -> None:
    """Whoever destroys a file must not change a cache that was read from it."""
    model = tiny()
    cache = MemoryCache.for_model(model)
    model(prompt(20), past_key_values=cache)
    held = bytearray(kv_bytes.content(cache, prompt(20)[0]))
    back = MemoryCache.for_model(model)
    kv_bytes.fill(back, bytes(held))
    before = back.ours[0].present()[0].clone()

    held[:] = bytes(len(held))

    assert torch.equal(back.ours[0].present()[0], before)


@pytest.mark.parametrize("held", [b"", b"no tensors", b"\x08" + bytes(7) + b"{}      "])
def test_other_bytes_are_refused(held: bytes, tiny: Make) -> None:
    """In one line."""
    with pytest.raises(InvalidInput, match="must be those of its model"):
        kv_bytes.fill(MemoryCache.for_model(tiny()), held)

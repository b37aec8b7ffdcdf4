"""A cache goes on from a folder or a fork as if nothing had been in between."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs engram[hf]")
pytest.importorskip("transformers", reason="needs engram[hf]")

from engram import InvalidInput, MemoryCache  # noqa: E402
from engram.adapters.kv_files import fingerprint  # noqa: E402
from engram.kv.settings import Settings  # noqa: E402

Make = Callable[..., Any]
PACKED = {"codec": {"group_size": 16, "residual": 16}, "thinner": {"recent": 8, "window": 4}}
PRESETS = [
    "adakv",
    "expected-attention",
    "full",
    "h2o",
    "keyformer",
    "kivi",
    "sirllm",
    "snapkv",
    "streaming",
    "think",
    "think+kivi+h2o",
    "vattention",
]


def settings(preset: str) -> Settings:
    """Small enough that something is packed, thinned and dropped."""
    parts = {
        role: PACKED[role]
        for role, key in (("codec", "kivi"), ("thinner", "think"))
        if key in preset
    }
    if preset in {"adakv", "snapkv"}:
        parts["scorer"] = {"window": 4, "kernel": 3}
    drops = set(preset.split("+")) - {"full", "kivi", "think", "vattention"}
    return Settings(preset, 40 if drops else None, parts=parts)


def words(greedy: Make, model: Any, ids: Any, cache: Any) -> list[Any]:
    """Ids and logits of what comes next."""
    run = greedy(model, ids, cache, max_new_tokens=5)
    return [run.sequences.tolist(), *(step.tolist() for step in run.logits)]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_saved_cache_goes_on_where_it_stopped(
    preset: str, tiny: Make, prompt: Make, greedy: Make, tmp_path: Path
) -> None:
    """Words, logits and what is kept are the same to the bit."""
    model, ids = tiny(), prompt(64)
    cache = MemoryCache.for_model(model, settings=settings(preset))
    told = model(ids[:, :60], past_key_values=cache)
    cache.observe_logits(ids[:, :60], told.logits)
    cache.save(tmp_path / "held")

    back = MemoryCache.load(tmp_path / "held", model)

    assert words(greedy, model, ids, back) == words(greedy, model, ids, cache)
    for one, other in zip(cache.ours, back.ours, strict=True):
        assert torch.equal(one.told().positions, other.told().positions)


def test_layers_with_a_window_are_saved_too(
    tiny: Make, prompt: Make, greedy: Make, tmp_path: Path
) -> None:
    """Of Gemma the library's layers go on as ours do."""
    model, ids = tiny("gemma2"), prompt(20)
    cache = MemoryCache.for_model(model, "h2o", budget=6)
    model(ids[:, :17], past_key_values=cache)
    cache.save(tmp_path)

    back = MemoryCache.load(tmp_path, model)

    assert words(greedy, model, ids, back) == words(greedy, model, ids, cache)


def test_an_empty_cache_can_be_saved(tiny: Make, tmp_path: Path) -> None:
    """There is nothing in it, and nothing comes back."""
    model = tiny()
    MemoryCache.for_model(model, "tova", budget=4).save(tmp_path)

    assert MemoryCache.load(tmp_path, model).get_seq_length() == 0


@pytest.mark.parametrize("preset", PRESETS)
def test_a_hundred_forks_leave_the_cache_as_it_was(
    preset: str, tiny: Make, prompt: Make, greedy: Make
) -> None:
    """What is handed out is a fork; the one that is kept never grows."""
    model, ids = tiny(), prompt(64)
    cache = MemoryCache.for_model(model, settings=settings(preset))
    model(ids[:, :60], past_key_values=cache)
    before = [[each.clone() for each in layer.present()] for layer in cache.ours]
    held = cache.memory_usage()
    first = words(greedy, model, ids, cache.fork())

    for turn in range(100 if preset == "full" else 4):
        fork = cache.fork()
        other = prompt(64, seed=turn + 7)
        other[:, :60] = ids[:, :60]
        model(other[:, 60:], past_key_values=fork)
        fork.crop(-2)

    assert cache.memory_usage() == held
    assert cache.get_seq_length() == 60
    for layer, tensors in zip(cache.ours, before, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(layer.present(), tensors, strict=True))
    assert words(greedy, model, ids, cache.fork()) == first
    assert words(greedy, model, ids, cache) == first


def test_a_fork_is_untouched_by_its_origin(tiny: Make, prompt: Make) -> None:
    """The other way round, too: cropping and growing the origin writes over nothing."""
    model, ids = tiny(), prompt(30)
    cache = MemoryCache.for_model(model)
    model(ids[:, :20], past_key_values=cache)
    fork = cache.fork()
    before = [each.clone() for each in fork.ours[0].present()]

    cache.crop(-10)
    model(ids[:, 20:], past_key_values=cache)

    assert all(torch.equal(a, b) for a, b in zip(fork.ours[0].present(), before, strict=True))


def test_what_a_fork_shares_is_not_copied(tiny: Make, prompt: Make) -> None:
    """A fork that is only read has the very memory of its origin."""
    model = tiny()
    cache = MemoryCache.for_model(model)
    model(prompt(20), past_key_values=cache)

    fork = cache.fork()

    one, other = cache.ours[0].present()[0], fork.ours[0].present()[0]
    assert one.data_ptr() == other.data_ptr()


def test_another_model_is_refused(tiny: Make, prompt: Make, tmp_path: Path) -> None:
    """A sibling of the same shapes would read it without an error, and say nonsense."""
    model = tiny()
    cache = MemoryCache.for_model(model)
    model(prompt(5), past_key_values=cache)
    cache.save(tmp_path)
    sibling = type(model)(model.config)

    with pytest.raises(InvalidInput, match="fits only the model and tokenizer that made it"):
        MemoryCache.load(tmp_path, sibling)


def test_another_tokenizer_is_refused(tiny: Make, tmp_path: Path) -> None:
    """The same ids would be other words."""

    class Words:
        def __init__(self, *words: str) -> None:
            self.words = words

        def get_vocab(self) -> dict[str, int]:
            return {word: at for at, word in enumerate(self.words)}

    model = tiny()
    MemoryCache.for_model(model).save(tmp_path, Words("a", "b"))

    assert MemoryCache.load(tmp_path, model, Words("a", "b")).get_seq_length() == 0
    with pytest.raises(InvalidInput, match="fits only"):
        MemoryCache.load(tmp_path, model, Words("b", "a"))


def test_one_changed_weight_is_another_model(tiny: Make) -> None:
    """A fingerprint reads every number of a small weight."""
    model = tiny()
    before = fingerprint(model)
    weight = model.model.layers[1].mlp.up_proj.weight

    held = weight[3, 3].clone()
    weight[3, 3] += 1
    changed = fingerprint(model)
    weight[3, 3] = held

    assert fingerprint(model) == before != changed


@pytest.mark.parametrize("harm", ["nothing", "sidecar", "tensors", "version"])
def test_a_damaged_folder_is_refused(harm: str, tiny: Make, prompt: Make, tmp_path: Path) -> None:
    """In one line, and never by running what is in it."""
    model = tiny()
    cache = MemoryCache.for_model(model)
    model(prompt(5), past_key_values=cache)
    if harm != "nothing":
        cache.save(tmp_path)
    if harm == "sidecar":
        (tmp_path / "cache.json").write_text("{")
    if harm == "tensors":
        (tmp_path / "cache.safetensors").write_bytes(b"no tensors")
    if harm == "version":
        told = json.loads((tmp_path / "cache.json").read_text())
        (tmp_path / "cache.json").write_text(json.dumps({**told, "version": 99}))

    with pytest.raises(InvalidInput, match=r"save it again|rebuild it"):
        MemoryCache.load(tmp_path, model)

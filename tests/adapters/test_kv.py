"""A cache of policies in the place of transformers' own: nothing changes where nothing is dropped.

Every trap of the library that can be seen is an error in place of wrong words.
"""

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs engram[hf]")
pytest.importorskip("transformers", reason="needs engram[hf]")

from engram import InvalidInput, MemoryCache  # noqa: E402
from engram.kv.settings import Settings  # noqa: E402

KINDS = ["gemma2", "llama", "mistral", "neox", "phi3", "qwen2", "qwen3"]
WHOLE = ["full", "vattention"]
DROPS = [
    "adakv",
    "expected-attention",
    "h2o",
    "key-norm",
    "keyformer",
    "pyramidkv",
    "random",
    "sirllm",
    "snapkv",
    "streaming",
    "tova",
]

Make = Callable[..., Any]


def apart(one: Any, other: Any) -> float:
    """The largest difference of the logits of two runs."""
    pairs = zip(one.logits, other.logits, strict=True)
    return max(float((left - right).abs().max()) for left, right in pairs)


def walked(thing: Any, found: dict[int, int] | None = None) -> dict[int, int]:
    """Bytes of every piece of memory that can be reached, but for how the model turns keys."""
    found = {} if found is None else found
    if isinstance(thing, torch.Tensor):
        found[thing.untyped_storage().data_ptr()] = thing.untyped_storage().nbytes()
    elif isinstance(thing, list | tuple):
        for each in thing:
            walked(each, found)
    elif isinstance(thing, dict):
        walked(list(thing.values()), found)
    elif type(thing).__module__.startswith("engram.") and type(thing).__name__ != "Rotary":
        slots = [getattr(kind, "__slots__", ()) for kind in type(thing).__mro__]
        names = [*getattr(thing, "__dict__", {}), *(name for some in slots for name in some)]
        walked([getattr(thing, name) for name in names], found)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("attach", [False, True], ids=["plain", "attached"])
def test_keeping_everything_is_the_models_own_cache(
    kind: str, attach: bool, tiny: Make, prompt: Make, greedy: Make
) -> None:
    """The same words and logits, on every architecture, by both ways of attention."""
    model, ids = tiny(kind), prompt(13)
    usual = greedy(model, ids)
    cache = MemoryCache.for_model(model, attach=attach)

    ours = greedy(model, ids, cache)

    assert torch.equal(usual.sequences, ours.sequences)
    assert apart(usual, ours) <= 1e-5
    assert cache.get_seq_length() == 18


@pytest.mark.parametrize("preset", DROPS)
@pytest.mark.parametrize("budget", [64, 1.0])
def test_a_budget_that_is_not_reached_changes_nothing(
    preset: str, budget: float, tiny: Make, prompt: Make, greedy: Make
) -> None:
    """Neutral settings of every policy are the models' own cache."""
    model, ids = tiny(), prompt(17)
    usual = greedy(model, ids)

    ours = greedy(model, ids, MemoryCache.for_model(model, preset, budget=budget))

    assert torch.equal(usual.sequences, ours.sequences)
    assert apart(usual, ours) <= 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_attention_in_few_bits_of_precision_gives_the_same_words(
    kind: str, tiny: Make, prompt: Make, greedy: Make
) -> None:
    """In bfloat16, too, an empty policy is the model's own attention."""
    model, ids = tiny(kind, dtype="bfloat16"), prompt(9)
    model = model.to(torch.bfloat16)
    usual = greedy(model, ids)

    ours = greedy(model, ids, MemoryCache.for_model(model, attach=True))

    assert apart(usual, ours) < 0.25


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_any_attention_before_is_handed_on_to(
    implementation: str, tiny: Make, prompt: Make, greedy: Make
) -> None:
    """An attached model works with other caches as it did, and gets its attention back."""
    model, ids = tiny(), prompt(11, rows=2)
    model.set_attn_implementation(implementation)
    mask = torch.ones_like(ids)
    mask[0, :4] = 0
    usual = greedy(model, ids, attention_mask=mask)
    cache = MemoryCache.for_model(model, attach=False)

    with cache.attached(model):
        inside = greedy(model, ids, attention_mask=mask)

    assert apart(usual, inside) == 0.0
    assert model.config._attn_implementation == implementation


@pytest.mark.parametrize("preset", [*DROPS, "kivi+snapkv"])
def test_no_head_holds_more_than_its_budget(
    preset: str, tiny: Make, prompt: Make, greedy: Make
) -> None:
    """After every call the mean over heads and layers is at most the budget."""
    model = tiny("llama", head_dim=32)
    cache = MemoryCache.for_model(model, preset, budget=10)

    greedy(model, prompt(40), cache, max_new_tokens=5)
    for layer in cache.ours:  # what nobody told a scorer of waits for the next call
        layer.settle(force=True)

    held = [int(layer.told().valid.sum()) for layer in cache.ours]
    assert sum(held) <= 10 * 2 * len(cache.ours)
    assert cache.get_seq_length() == 44


SMALL = {"codec": {"group_size": 16, "residual": 16}}


@pytest.mark.parametrize("preset", ["h2o", "key-norm", "kivi", "streaming", "think"])
def test_plain_and_attached_attention_agree(
    preset: str, tiny: Make, prompt: Make, greedy: Make
) -> None:
    """Where a policy works without the model's attention, it says the same with it."""
    model, ids = tiny(), prompt(70)
    drops = preset in DROPS
    parts = SMALL if preset == "kivi" else {}
    settings = Settings(preset, 12 if drops else None, parts=parts)
    if preset in {"h2o", "think"}:
        with pytest.raises(InvalidInput, match=r"its attention is not attached"):
            greedy(model, ids, MemoryCache.for_model(model, settings=settings, attach=False))
        return

    plain = greedy(model, ids, MemoryCache.for_model(model, settings=settings, attach=False))
    attached = greedy(model, ids, MemoryCache.for_model(model, settings=settings))

    assert apart(plain, attached) <= 1e-5


def test_layers_that_look_at_a_window_are_passed_through(tiny: Make, prompt: Make) -> None:
    """Of Gemma only every second layer is ours; the others stay the library's."""
    cache = MemoryCache.for_model(tiny("gemma2"), "h2o", budget=4)

    assert cache.is_sliding == [True, False]
    assert len(cache.ours) == 1


def test_a_prompt_that_is_all_in_the_cache_is_refused(
    tiny: Make, prompt: Make, greedy: Make
) -> None:
    """Feeding it again would hold it twice; the message says what to do."""
    model, ids = tiny(), prompt(8)
    cache = MemoryCache.for_model(model, attach=True)
    model(ids, past_key_values=cache)

    with pytest.raises(
        InvalidInput, match=r"must follow the 8 that are held, got 8 up to position 7.*crop\(-1\)"
    ):
        greedy(model, ids, cache)

    cache.crop(-1)
    assert torch.equal(greedy(model, ids, cache).sequences, greedy(model, ids).sequences)


def test_a_mask_that_forgets_what_is_held_is_refused(tiny: Make, prompt: Make) -> None:
    """The library takes the new ids for the whole text and says nothing."""
    model, ids = tiny(), prompt(12)
    cache = MemoryCache.for_model(model, attach=True)
    model(ids[:, :8], past_key_values=cache)
    short = torch.tensor([[0, 1, 1, 1]])

    with pytest.raises(InvalidInput, match=r"attention_mask must cover all 12 tokens.*got 4"):
        model(ids[:, 8:], attention_mask=short, past_key_values=cache)


def test_a_batch_in_plain_mode_may_not_drop_entries(tiny: Make, prompt: Make) -> None:
    """Padding would pass for the sinks, without a word."""
    model = tiny()
    cache = MemoryCache.for_model(model, "streaming", budget=8, attach=False)

    with pytest.raises(InvalidInput, match=r"cannot see padding.*cache\.attached\(model\)"):
        model(prompt(12, rows=2), past_key_values=cache)


def test_keys_are_not_assigned_to_a_layer(tiny: Make) -> None:
    """The library would take the layer for empty and wipe it at the next token."""
    layer: Any = MemoryCache.for_model(tiny()).layers[0]

    with pytest.raises(InvalidInput, match=r"come by update\(\)"):
        layer.keys = torch.zeros(1, 2, 3, 16)


def test_a_positive_crop_is_refused(tiny: Make, prompt: Make) -> None:
    """A count of tokens to keep means another thing in older versions."""
    model = tiny()
    cache = MemoryCache.for_model(model)
    model(prompt(5), past_key_values=cache)

    with pytest.raises(InvalidInput, match="got 3"):
        cache.crop(3)


@pytest.mark.parametrize(
    ("differs", "kind"),
    [({"rope_type": "dynamic", "factor": 2.0}, "dynamic")],
)
def test_rotations_that_change_with_the_length_are_not_moved(
    differs: dict[str, Any], kind: str, tiny: Make
) -> None:
    """Keys that were turned earlier would be turned otherwise now."""
    model = tiny()
    before = model.config.rope_parameters
    model.config.rope_parameters = {**before, **differs}
    try:
        with pytest.raises(InvalidInput, match=f"of type '{kind}'"):
            MemoryCache.for_model(model, "streaming", budget=8)
    finally:
        model.config.rope_parameters = before


def test_bytes_are_those_of_all_tensors(tiny: Make, prompt: Make, greedy: Make) -> None:
    """What is reported is what a walk over the cache finds."""
    model = tiny()
    cache = MemoryCache.for_model(model, settings=Settings("kivi+h2o", 150, parts=SMALL))

    greedy(model, prompt(180), cache, max_new_tokens=2)
    usage = cache.memory_usage()

    assert usage.total == usage.whole + usage.packed + usage.facts + usage.other
    assert usage.packed > 0
    assert usage.total == sum(walked(cache.ours).values())


def test_the_memory_of_what_was_evicted_is_given_back(tiny: Make, prompt: Make) -> None:
    """A tenth of the entries takes about a tenth of the bytes."""
    model, ids = tiny(), prompt(200)
    full, tenth = (
        MemoryCache.for_model(model, preset, budget=budget)
        for preset, budget in (("full", None), ("streaming", 0.1))
    )

    for cache in (full, tenth):
        model(ids, past_key_values=cache)

    assert tenth.memory_usage().whole < 0.35 * full.memory_usage().whole

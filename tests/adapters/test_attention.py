"""What transformers has to be for the registered attention, and what it does to a model."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs engram[hf]")
transformers = pytest.importorskip("transformers", reason="needs engram[hf]")

from transformers.cache_utils import CacheLayerMixin  # noqa: E402

from engram import InvalidInput, MemoryCache  # noqa: E402
from engram.adapters.attention import attach, attached, detach, is_attached  # noqa: E402

Make = Callable[..., Any]


def test_the_library_asks_of_a_layer_what_ours_answers() -> None:
    """A release that asks for more, or otherwise, fails here and not in somebody's words."""
    asked = {
        name: list(inspect.signature(getattr(CacheLayerMixin, name)).parameters)
        for name in CacheLayerMixin.__abstractmethods__
    }

    assert asked == {
        "lazy_initialization": ["self", "key_states", "value_states"],
        "update": ["self", "key_states", "value_states", "args", "kwargs"],
        "get_mask_sizes": ["self", "query_length"],
        "get_seq_length": ["self"],
        "get_max_length": ["self"],
    }


def test_a_model_tells_its_attention_what_ours_reads(tiny: Make, prompt: Make) -> None:
    """The arguments by name, and those by position."""
    told: dict[str, Any] = {}
    name = "engram_test_listens"

    def listen(*given: Any, **named: Any) -> Any:
        told.update(named, given=len(given))
        return given[1].transpose(1, 2).contiguous(), None

    transformers.AttentionInterface.register(name, listen)
    transformers.AttentionMaskInterface.register(name, lambda **_: None)
    model = tiny()
    before = model.config._attn_implementation
    model.set_attn_implementation(name)

    model(prompt(4))
    model.set_attn_implementation(before)

    assert told["given"] == 5
    assert {"dropout", "scaling", "position_ids"} <= told.keys()


def test_attaching_twice_is_attaching_once(tiny: Make) -> None:
    """The attention from before stays known, and comes back."""
    model = tiny()
    before = model.config._attn_implementation

    attach(model)
    attach(model)
    inside = is_attached(model)
    detach(model)

    assert inside
    assert model.config._attn_implementation == before


def test_a_block_leaves_the_model_as_it_was(tiny: Make) -> None:
    """Also when it ends with an error, and when it was attached before."""
    model = tiny()

    with pytest.raises(KeyError), attached(model):
        raise KeyError("of the caller")
    after = is_attached(model)
    attach(model)
    with attached(model):
        pass

    assert not after
    assert is_attached(model)


def test_a_softmax_that_is_not_known_is_refused(tiny: Make, prompt: Make) -> None:
    """Sinks that a model learned would be left out without a word."""
    model = tiny()
    cache = MemoryCache.for_model(model, attach=True)
    module = model.model.layers[0].self_attn
    answer = transformers.AttentionInterface()[model.config._attn_implementation]
    states = torch.zeros(1, 2, 3, 16)
    keys, values = cache.update(states, states, 0)

    with pytest.raises(InvalidInput, match="s_aux"):
        answer(module, states, keys, values, None, scaling=1.0, s_aux=torch.zeros(4))


def test_a_mask_of_four_axes_is_taken_as_it_is(tiny: Make, prompt: Make) -> None:
    """A caller's own mask hides what it hides, with a cache as without."""
    model, ids = tiny(), prompt(6)
    mask = torch.ones(1, 1, 6, 6).tril().bool()
    mask[..., 3:, 1] = False
    added = torch.where(mask, 0.0, torch.finfo(torch.float32).min)
    usual = model(ids, attention_mask=added).logits
    cache = MemoryCache.for_model(model, attach=True)

    ours = model(ids, attention_mask=added, past_key_values=cache).logits

    assert float((usual - ours).abs().max()) <= 1e-4
    with pytest.raises(InvalidInput, match="must cover the 8 entries"):
        model(ids[:, :2], attention_mask=added, past_key_values=cache)

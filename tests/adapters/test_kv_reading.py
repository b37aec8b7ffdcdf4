"""How a model reads through a cache: in pieces, watched, and told of."""

from typing import Any

import pytest

from engram.adapters.kv_reading import attached, fill, listens, step

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


def cache_of(model: Any, preset: str = "full", budget: Any = None) -> Any:
    """An empty cache of ours; the model's attention is left alone."""
    from engram import MemoryCache

    return MemoryCache.for_model(model, preset, budget=budget, attach=False)


def hooks_of(model: Any) -> int:
    """How many hooks listen; transformers may put its own there when a model is first called."""
    with torch.inference_mode():
        model(torch.tensor([[3]]))
    return sum(len(module._forward_hooks) for module in model.modules())


@pytest.mark.parametrize("chunk", [1, 3, 63, 64, None])
def test_a_prompt_may_be_read_in_pieces(chunk: Any, tiny: Any, prompt: Any) -> None:
    """What comes next is the same, and so is what is held."""
    model, ids = tiny(), prompt(63)[0].tolist()
    whole = transformers.DynamicCache()
    wanted = int(model(torch.tensor([ids]), past_key_values=whole).logits[0, -1].argmax())

    cache = cache_of(model)
    with torch.inference_mode(), attached(cache, model):
        last = fill(model, cache, ids, chunk)

    assert last == wanted
    for ours, theirs in zip(cache.layers, whole.layers, strict=True):
        assert torch.allclose(ours.keys, theirs.keys, atol=1e-5)


def test_somebody_is_told_how_far_it_is(tiny: Any, prompt: Any) -> None:
    """Part of a piece when a part of the layers is through, and nothing stays on the model."""
    model, ids, told = tiny(), prompt(7)[0].tolist(), [0]
    before = hooks_of(model)

    with torch.inference_mode():
        fill(model, transformers.DynamicCache(), ids, 4, told.append)

    assert told == [0, 2, 4, 5, 7]
    assert hooks_of(model) == before


def test_hooks_go_when_a_read_is_broken_off(tiny: Any, prompt: Any) -> None:
    """An interrupt leaves the model as it was."""
    model = tiny()
    before = hooks_of(model)

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(model, transformers.DynamicCache(), prompt(5)[0].tolist(), None, stop)

    assert hooks_of(model) == before


def test_a_cache_that_listens_keeps_what_surprised(tiny: Any, prompt: Any) -> None:
    """It is told of tokens before newer ones take their room, in all layers alike."""
    model, ids = tiny(), prompt(40)[0].tolist()
    wanted = -model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
    wanted = wanted[torch.arange(13), torch.tensor(ids[1:14])]  # while nothing was dropped
    cache = cache_of(model, "sirllm", 12)

    with torch.inference_mode(), attached(cache, model):
        fill(model, cache, ids[:14])

    best = (wanted[3:9].topk(2).indices + 4).tolist()  # the newest, and the surprising before them
    for layer in cache.ours:
        told = layer.ledger.facts["surprisal"][0, 0].tolist()
        places = layer.ledger.positions[0, 0].tolist()
        assert min(told) >= 0
        assert places[:4] == [0, 1, 2, 3]
        assert set(best) <= set(places)
        assert len(places) == 12


@pytest.mark.parametrize("preset", ["sirllm", "h2o", "tova"])
def test_a_model_looks_through_a_cache_while_it_reads(preset: str, tiny: Any) -> None:
    """And by itself afterwards."""
    from engram.adapters.attention import is_attached

    model = tiny()

    with attached(cache_of(model, preset, 8), model):
        assert is_attached(model)
    assert not is_attached(model)


def test_a_cache_of_transformers_needs_nothing(tiny: Any) -> None:
    """It is told of no logits, and the model keeps its attention."""
    model, cache = tiny(), transformers.DynamicCache()

    with torch.inference_mode(), attached(cache, model):
        first = step(model, cache, [3, 4], 0)
        second = step(model, cache, [first], 2)

    wanted = model.generate(torch.tensor([[3, 4]]), max_new_tokens=2, do_sample=False)
    assert [first, second] == wanted[0, 2:].tolist()
    assert not listens(cache)

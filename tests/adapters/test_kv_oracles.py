"""What a cache must be equal to: masks, single rows, plain greedy words, beams, other chunkings."""

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs engram[hf]")
pytest.importorskip("transformers", reason="needs engram[hf]")

from engram import MemoryCache  # noqa: E402
from engram.kv.settings import Settings  # noqa: E402

Make = Callable[..., Any]
PACKED = {"codec": {"group_size": 16, "residual": 16}}


def visible(model: Any, ids: Any, cache: Any, sizes: list[int]) -> tuple[Any, Any]:
    """Logits of a run in chunks, and for each layer and head which key each query saw."""
    length = ids.shape[1]
    seen = [torch.zeros(layers_heads(model), length, length, dtype=torch.bool) for _ in cache.ours]
    found, start = [], 0
    for size in sizes:
        held = [
            None if layer.ledger is None else (layer.told().positions[0], layer.told().valid[0])
            for layer in cache.ours
        ]
        chunk = ids[:, start : start + size]
        found.append(model(chunk, past_key_values=cache).logits)
        fresh = torch.ones(size, size).tril().bool()
        for mask, before in zip(seen, held, strict=True):
            mask[:, start : start + size, start : start + size] = fresh
            if before is not None:
                for head, (at, valid) in enumerate(zip(*before, strict=True)):
                    mask[head, start : start + size, at[valid].long()] = True
        start += size
    return torch.cat(found, 1), seen


def layers_heads(model: Any) -> int:
    """Key heads of a layer."""
    return int(model.config.num_key_value_heads)


@pytest.mark.parametrize("sizes", [[24, 1, 1, 1, 1], [7, 7, 7, 7], [1] * 28], ids=str)
def test_an_evicting_cache_is_attention_under_a_mask(
    sizes: list[int], tiny: Make, prompt: Make
) -> None:
    """What was dropped might as well have been masked: the same logits as one dense pass."""
    model, ids = tiny(), prompt(28)
    cache = MemoryCache.for_model(model, "streaming", budget=9, position="absolute")

    logits, seen = visible(model, ids, cache, sizes)
    mask = seen[0][0][None, None]
    assert all(bool((each == seen[0][:1]).all()) for each in seen)
    dense = model(ids, attention_mask=torch.where(mask, 0.0, -torch.inf)).logits

    assert float((logits - dense).abs().max()) <= 1e-4
    assert int(mask[..., -1, :].sum()) == 9 + (1 if sizes[-1] == 1 else sizes[-1])


@pytest.mark.parametrize("preset", ["adakv", "h2o", "keyformer", "snapkv", "tova"])
def test_each_head_sees_what_its_ledger_holds(preset: str, tiny: Make, prompt: Make) -> None:
    """With a set for each head, too: one layer, so that its inputs are those of a dense pass."""
    model, ids = tiny("llama", num_hidden_layers=1), prompt(30)
    parts = {"scorer": {"window": 4, "kernel": 3}} if preset in {"adakv", "snapkv"} else {}
    cache = MemoryCache.for_model(model, settings=Settings(preset, 8, parts=parts))

    logits, seen = visible(model, ids, cache, [20, 1, 1, 5, 1, 1, 1])
    heads = seen[0].repeat_interleave(2, dim=0)[None]
    dense = model(ids, attention_mask=torch.where(heads, 0.0, -torch.inf)).logits

    assert float((logits - dense).abs().max()) <= 1e-4


@pytest.mark.parametrize("rope", ["default", "linear", "llama3", "yarn"])
def test_compact_entries_stand_as_a_fresh_text(rope: str, tiny: Make, prompt: Make) -> None:
    """One layer with what was kept alone gives what the evicted cache gives."""
    special: dict[str, Any] = {
        "linear": {"factor": 2.0},
        "llama3": {
            "factor": 4.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
        "yarn": {"factor": 4.0, "original_max_position_embeddings": 64},
    }.get(rope, {})
    turning = {"rope_type": rope, "rope_theta": 10_000.0, **special}
    model, ids = tiny("llama", num_hidden_layers=1), prompt(40)
    model = type(model)(
        type(model.config)(**{**model.config.to_dict(), "rope_parameters": turning})
    )
    model = model.eval().requires_grad_(False)
    cache = MemoryCache.for_model(model, "streaming", budget=12)
    model(ids[:, :39], past_key_values=cache)
    kept = cache.ours[0].told().positions[0, 0].tolist()

    ours = model(ids[:, 39:], past_key_values=cache).logits[:, -1]
    fresh = model(ids[:, [*kept, 39]]).logits[:, -1]

    assert kept == [0, 1, 2, 3, *range(31, 39)]
    assert float((ours - fresh).abs().max()) <= 1e-4


@pytest.mark.parametrize("sizes", [[40], [15, 1, 1, 23], [1] * 40], ids=str)
def test_clamped_entries_stand_at_the_edge_of_the_window(
    sizes: list[int], tiny: Make, prompt: Make
) -> None:
    """One layer equals a loop in which no distance is larger than the window less one."""
    model, ids = tiny("llama", num_hidden_layers=1), prompt(40)
    cache = MemoryCache.for_model(model, position=8)

    found, start = [], 0
    for size in sizes:
        found.append(model(ids[:, start : start + size], past_key_values=cache).logits)
        start += size

    rotary = cache.ours[0].rotary
    assert rotary is not None
    block, at = model.model.layers[0], torch.arange(40)
    hidden = block.input_layernorm(model.model.embed_tokens(ids))
    queries, keys, values = (
        part(hidden).view(1, 40, -1, 16).transpose(1, 2)
        for part in (block.self_attn.q_proj, block.self_attn.k_proj, block.self_attn.v_proj)
    )
    out = torch.zeros(1, 40, 4, 16)
    for query in range(40):
        distance = (query - at[: query + 1]).clamp(max=7)
        turned = rotary.turn(keys[:, :, : query + 1], -distance[None, None])
        logits = (queries[:, :, query : query + 1] @ turned.repeat_interleave(2, 1).mT) * 0.25
        mixed = logits.softmax(-1) @ values[:, :, : query + 1].repeat_interleave(2, 1)
        out[:, query] = mixed[:, :, 0]
    states = model.model.embed_tokens(ids) + block.self_attn.o_proj(out.flatten(2))
    states = states + block.mlp(block.post_attention_layernorm(states))
    slow = model.lm_head(model.model.norm(states))
    assert float((torch.cat(found, 1) - slow).abs().max()) <= 1e-4


@pytest.mark.parametrize("preset", ["full", "kivi", "vattention"])
@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_prompt_can_come_in_chunks(preset: str, size: int, tiny: Make, prompt: Make) -> None:
    """A cache that drops nothing holds the same however the text came, in the same form."""
    model, ids = tiny(), prompt(67)
    settings = Settings(preset, parts=PACKED if preset == "kivi" else {})
    whole, parts = (MemoryCache.for_model(model, settings=settings) for _ in range(2))

    model(ids, past_key_values=whole)
    for start in range(0, ids.shape[1], size):
        model(ids[:, start : start + size], past_key_values=parts)

    first = whole.ours[0], parts.ours[0]  # of which the inputs do not depend on the chunks
    assert [len(layer) for layer in first] == [67, 67]
    for one, other in zip(*(layer.present() for layer in first), strict=True):
        assert float((one - other).abs().max()) <= 1e-5


@pytest.mark.parametrize(
    "preset",
    "adakv expected-attention full h2o key-norm keyformer kivi pyramidkv random sirllm snapkv "
    "streaming tova".split(),
)
def test_a_padded_row_is_what_it_is_alone(
    preset: str, tiny: Make, prompt: Make, greedy: Make
) -> None:
    """Padding is seen by nobody, is no sink, and is the first to go."""
    model = tiny()
    long, short = prompt(52, seed=1), prompt(36, seed=2)  # a group of padding, which codecs share
    drops = preset not in {"full", "kivi"}
    parts: dict[str, Any] = PACKED if "kivi" in preset else {}
    if preset in {"adakv", "pyramidkv", "snapkv"}:
        parts = {"scorer": {"window": 4, "kernel": 3}}
    settings = Settings(preset, 0.7 if drops else None, parts=parts)
    ids = torch.zeros(2, 52, dtype=torch.long)
    ids[0], ids[1, 16:] = long, short
    mask = ids != 0

    both = greedy(
        model,
        ids,
        MemoryCache.for_model(model, settings=settings, attach=True),
        attention_mask=mask,
    )
    alone = [
        greedy(model, row, MemoryCache.for_model(model, settings=settings, attach=True))
        for row in (long, short)
    ]

    for at, row in enumerate(alone):
        assert both.sequences[at, 52:].tolist() == row.sequences[0, -6:].tolist()
        pairs = zip(both.logits, row.logits, strict=True)
        assert max(float((one[at] - two[0]).abs().max()) for one, two in pairs) <= 1e-3


@pytest.mark.parametrize("preset", ["full", "h2o", "kivi", "snapkv", "streaming"])
@pytest.mark.parametrize("attach", [False, True], ids=["plain", "attached"])
def test_guessed_words_leave_no_trace(
    preset: str, attach: bool, tiny: Make, prompt: Make, greedy: Make
) -> None:
    """Prompt lookup gives the words and the cache of plain decoding, where the budget suffices."""
    if not attach and preset in {"h2o", "snapkv"}:
        pytest.skip("this policy needs the model's attention")
    model = tiny()
    ids = prompt(10).repeat(1, 4)
    settings = Settings(
        preset,
        None if preset in {"full", "kivi"} else 64,
        parts=PACKED if preset == "kivi" else {},
    )
    usual, guessing = (
        MemoryCache.for_model(model, settings=settings, attach=attach) for _ in range(2)
    )

    words = greedy(model, ids, usual, max_new_tokens=14)
    guessed = greedy(model, ids, guessing, max_new_tokens=14, prompt_lookup_num_tokens=4)

    assert words.sequences.tolist() == guessed.sequences.tolist()
    assert guessing.get_seq_length() in {53, 52}
    count = min(len(layer) for layer in (usual.ours[0], guessing.ours[0]))
    for one, other in zip(usual.ours[0].present(), guessing.ours[0].present(), strict=True):
        assert float((one[:, :, :count] - other[:, :, :count]).abs().max()) <= 1e-4
    for name, fact in usual.ours[0].told().ledger.items():
        other = guessing.ours[0].told().ledger[name]
        assert float((fact[..., :20] - other[..., :20]).abs().max()) <= 0.5, name


def test_guessing_never_holds_more_than_the_budget(tiny: Make, prompt: Make, greedy: Make) -> None:
    """Eviction waits for the guess to be judged, and then catches up."""
    model, ids = tiny(), prompt(10).repeat(1, 4)
    cache = MemoryCache.for_model(model, "h2o", budget=16)

    greedy(model, ids, cache, max_new_tokens=10, prompt_lookup_num_tokens=4)

    told = cache.ours[0].told()
    assert len(cache.ours[0]) <= 17
    assert bool((told.positions.diff(dim=-1) > 0).all())


@pytest.mark.parametrize("preset", ["full", "h2o", "kivi", "streaming"])
def test_beams_are_those_of_the_models_own_cache(
    preset: str, tiny: Make, prompt: Make, greedy: Make
) -> None:
    """Rows change places with all that is known of them."""
    model, ids = tiny("llama", head_dim=32), prompt(14, rows=2)
    budget = None if preset in {"full", "kivi"} else 64
    usual = greedy(model, ids, num_beams=3)

    ours = greedy(
        model, ids, MemoryCache.for_model(model, preset, budget=budget, attach=True), num_beams=3
    )

    assert usual.sequences.tolist() == ours.sequences.tolist()


def test_a_warm_cache_answers_several_times(tiny: Make, prompt: Make, greedy: Make) -> None:
    """One row that is repeated gives every answer what one row gives."""
    model, ids = tiny(), prompt(20)
    cache = MemoryCache.for_model(model, "h2o", budget=12)
    model(ids[:, :-1], past_key_values=cache)
    alone = greedy(model, ids, cache.fork())

    cache.batch_repeat_interleave(3)
    thrice = greedy(model, ids.repeat(3, 1), cache)

    assert [row.tolist() for row in thrice.sequences] == [alone.sequences[0].tolist()] * 3


def test_weights_are_given_where_they_are_asked_for(tiny: Make, prompt: Make) -> None:
    """They are shares of one for each query, over what the head holds."""
    model, ids = tiny(), prompt(12)
    model.set_attn_implementation("eager")
    usual = model(ids, output_attentions=True).attentions
    cache = MemoryCache.for_model(model, attach=True)

    ours = model(ids, past_key_values=cache, output_attentions=True).attentions

    assert float((usual[1] - ours[1]).abs().max()) <= 1e-5
    model.set_attn_implementation("sdpa")

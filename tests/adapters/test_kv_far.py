"""InfLLM as a cache of transformers: looks back past its window, in bytes that do not grow."""

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs engram[hf]")
pytest.importorskip("transformers", reason="needs engram[hf]")

from engram import InvalidInput, MemoryCache  # noqa: E402
from engram.kv.settings import Settings  # noqa: E402

Make = Callable[..., Any]
KINDS = ["gemma2", "llama", "mistral", "neox", "phi3", "qwen2", "qwen3"]
SMALL: dict[str, Any] = {
    "n_init": 4,
    "n_local": 16,
    "block_size": 4,
    "topk": 3,
    "repr_topk": 2,
    "exec_block": 8,
}


def settings(preset: str = "infllm", tier: str = "host", **selector: Any) -> Settings:
    """Small blocks and a small window."""
    parts: dict[str, Any] = {
        "selector": {**SMALL, **selector},
        "offload": {"tier": tier, "max_resident": 4},
    }
    if "kivi" in preset:
        parts["codec"] = {"group_size": 4, "residual": 4}
    return Settings(preset, parts=parts)


def cache_of(model: Any, preset: str = "infllm", tier: str = "host", **selector: Any) -> Any:
    """An empty one."""
    return MemoryCache.for_model(model, settings=settings(preset, tier, **selector))


def apart(one: Any, other: Any) -> float:
    """The largest difference of the logits of two runs."""
    pairs = zip(one.logits, other.logits, strict=True)
    return max(float((left - right).abs().max()) for left, right in pairs)


def blocks(cache: Any) -> list[int]:
    """Far blocks of the first row, layer by layer."""
    return [len(layer.reach.far.rows[0].blocks) for layer in cache.ours]


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_within_the_window_is_the_models_own_cache(
    kind: str, tiny: Make, prompt: Make, greedy: Make
) -> None:
    """The same words and logits on every architecture."""
    model, ids = tiny(kind), prompt(13)
    usual = greedy(model, ids)

    ours = greedy(model, ids, cache_of(model, n_local=64, exec_block=32))

    assert torch.equal(usual.sequences, ours.sequences)
    assert apart(usual, ours) <= 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_with_all_blocks_it_is_the_cache_that_clamps(
    kind: str, tiny: Make, prompt: Make, greedy: Make
) -> None:
    """What lies in the far part is attended as if it had never left."""
    model, ids = tiny(kind), prompt(60)
    dense = greedy(model, ids, MemoryCache.for_model(model, position=16))
    cache = cache_of(model, topk=100)

    ours = greedy(model, ids, cache)

    assert torch.equal(dense.sequences, ours.sequences)
    assert apart(dense, ours) <= 2e-5
    assert blocks(cache)[-1] == (65 - 16 + 1 - 4) // 4


def test_bfloat16_goes_far_and_comes_back(tiny: Make, prompt: Make, greedy: Make) -> None:
    """Blocks keep the type of the model."""
    model, ids = tiny("llama", dtype="bfloat16").to(torch.bfloat16), prompt(60)
    dense = greedy(model, ids, MemoryCache.for_model(model, position=16))

    ours = greedy(model, ids, cache_of(model, tier="file", topk=100))

    assert apart(dense, ours) < 0.25


@pytest.mark.parametrize("tier", ["host", "file"])
def test_what_is_resident_stays_and_what_is_far_grows(tier: str, tiny: Make, prompt: Make) -> None:
    """In one call or in many; what the file holds is in no memory."""
    model, usages = tiny(), []

    for length in (200, 400, 800):
        cache = cache_of(model, tier=tier)
        model(prompt(length), past_key_values=cache)
        usages.append(cache.memory_usage())

    assert len({usage.resident for usage in usages}) == 1
    far = [usage.host + usage.file for usage in usages]
    assert 1.9 <= far[1] / far[0] <= 2.3
    assert 1.9 <= far[2] / far[1] <= 2.3
    last = usages[-1]
    assert last.total == last.resident + last.host + last.file
    assert last.resident == last.whole + last.packed + last.facts + last.other + last.near
    per_block = 2 * 2 * 4 * 16 * 4
    assert (last.file or last.host) >= 2 * ((800 - 16 + 1 - 4) // 4) * per_block
    assert bool(last.file) == bool(last.near) == (tier == "file")


def test_blocks_can_lie_packed(tiny: Make, prompt: Make, greedy: Make) -> None:
    """In sixteen bits a codec only copies, and in two it takes far fewer bytes."""
    model, ids = tiny(), prompt(60)
    whole = cache_of(model)
    raw = settings("kivi+infllm")
    raw = Settings(
        raw.preset,
        parts={**raw.parts, "codec": {**raw.parts["codec"], "bits_keys": 16, "bits_values": 16}},
    )
    copied = MemoryCache.for_model(model, settings=raw)
    packed = cache_of(model, "kivi+infllm")

    usual, same = greedy(model, ids, whole), greedy(model, ids, copied)
    greedy(model, ids, packed)

    assert apart(usual, same) <= 1e-5
    far = [sum(layer.reach.far.bytes.host for layer in cache.ours) for cache in (whole, packed)]
    assert far[1] < 0.75 * far[0]  # groups of four are small: each has its own range


@pytest.mark.parametrize("preset", ["infllm", "kivi+infllm", "infllm+vattention"])
@pytest.mark.parametrize("tier", ["host", "file"])
def test_a_saved_cache_and_a_fork_go_on_where_it_stopped(
    preset: str, tier: str, tiny: Make, prompt: Make, greedy: Make, tmp_path: Path
) -> None:
    """Words and logits are the same to the bit, and the first cache stays as it was."""
    model, ids = tiny(), prompt(64)
    cache = cache_of(model, preset, tier)
    model(ids[:, :60], past_key_values=cache)
    held = blocks(cache)
    cache.save(tmp_path / "held")
    back = MemoryCache.load(tmp_path / "held", model)

    for seed in range(5):
        model(prompt(40, seed=seed), past_key_values=cache.fork())
    gc.collect()
    assert blocks(back) == blocks(cache) == held
    runs = [greedy(model, ids, each) for each in (cache.fork(), back, cache)]

    assert apart(runs[0], runs[1]) == apart(runs[0], runs[2]) == 0.0


@pytest.mark.parametrize("tier", ["host", "file"])
def test_beams_are_those_of_the_cache_that_clamps(
    tier: str, tiny: Make, prompt: Make, greedy: Make
) -> None:
    """Rows change places with their past; what they share lies there once."""
    model, ids = tiny(), prompt(50, rows=2)
    usual = greedy(model, ids, MemoryCache.for_model(model, position=16), num_beams=3)
    cache = cache_of(model, tier=tier, topk=100)

    ours = greedy(model, ids, cache, num_beams=3)

    assert usual.sequences.tolist() == ours.sequences.tolist()
    each = cache.ours[0].reach.far
    assert (
        each.bytes.host + each.bytes.file
        < sum(len(row.blocks) for row in each.rows) * 2 * 2 * 4 * 16 * 4
    )


def test_a_padded_row_is_what_it_is_alone(tiny: Make, prompt: Make, greedy: Make) -> None:
    """Its blocks begin where its text does."""
    model = tiny()
    long, short = prompt(52, seed=1), prompt(36, seed=2)  # the same choices in blocks of eight
    ids = torch.zeros(2, 52, dtype=torch.long)
    ids[0], ids[1, 16:] = long, short

    both = greedy(model, ids, cache_of(model), attention_mask=ids != 0)
    alone = [greedy(model, row, cache_of(model)) for row in (long, short)]

    for at, row in enumerate(alone):
        assert both.sequences[at, 52:].tolist() == row.sequences[0, -6:].tolist()
        pairs = zip(both.logits, row.logits, strict=True)
        assert max(float((one[at] - two[0]).abs().max()) for one, two in pairs) <= 1e-4


def test_guessed_words_leave_no_trace(tiny: Make, prompt: Make, greedy: Make) -> None:
    """Prompt lookup gives the words of plain decoding where all blocks are seen."""
    model, ids = tiny(), prompt(10).repeat(1, 6)
    usual, guessing = cache_of(model, topk=100), cache_of(model, topk=100)

    words = greedy(model, ids, usual, max_new_tokens=14)
    guessed = greedy(model, ids, guessing, max_new_tokens=14, prompt_lookup_num_tokens=4)

    assert words.sequences.tolist() == guessed.sequences.tolist()
    assert guessing.get_seq_length() in {72, 73}
    assert len(guessing.ours[0]) <= 4 + 16 + 4 + 8


def test_a_prompt_that_is_all_in_the_cache_can_be_asked_again(
    tiny: Make, prompt: Make, greedy: Make
) -> None:
    """One token is taken back, and more than the window is refused."""
    model, ids = tiny(), prompt(60)
    cache = cache_of(model, topk=100)
    model(ids, past_key_values=cache)

    with pytest.raises(InvalidInput, match="are in far blocks, got 40"):
        cache.crop(-40)
    cache.crop(-1)

    usual = greedy(model, ids, MemoryCache.for_model(model, position=16))
    assert torch.equal(greedy(model, ids, cache).sequences, usual.sequences)


def test_settings_can_differ_by_layer(tiny: Make, prompt: Make) -> None:
    """A layer of its own preset has no far part."""
    model = tiny()
    mixed = Settings("infllm", parts=settings().parts, per_layer={0: {"preset": "full"}})
    cache = MemoryCache.for_model(model, settings=mixed)

    model(prompt(60), past_key_values=cache)

    assert [layer.reach is None for layer in cache.ours] == [True, False]
    assert len(cache.ours[0]) == 60
    assert len(cache.ours[1]) < 30


@pytest.mark.parametrize(
    ("preset", "budget", "position", "says"),
    [
        ("infllm", 0.5, None, "keeps every entry, far ones elsewhere, got budget=0.5.*n_local"),
        ("infllm", None, "compact", "its window of 4096 as position.*'compact'"),
        ("infllm+think", None, None, "keys that lost channels cannot be turned"),
    ],
)
def test_what_does_not_go_with_far_blocks_is_refused(
    preset: str, budget: Any, position: Any, says: str, tiny: Make
) -> None:
    """In one line."""
    with pytest.raises(InvalidInput, match=says) as caught:
        MemoryCache.for_model(tiny(), preset, budget=budget, position=position)

    assert "\n" not in str(caught.value)


def test_it_needs_the_models_attention(tiny: Make, prompt: Make) -> None:
    """Queries choose, and transformers tells a cache none."""
    cache = MemoryCache.for_model(tiny(), "infllm", attach=False)

    with pytest.raises(InvalidInput, match="is not attached"):
        tiny()(prompt(5), past_key_values=cache)

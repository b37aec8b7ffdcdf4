"""Contracts of the activation roles. Each raises AssertionError with what was broken.

A contract is called with a member of the role; what it is shown is made by ``planted``. Outside
methods can be held to the same law as ours. Needs torch.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from engram.activation.positions import Rotary
from engram.activation.roles import (
    Budget,
    Codec,
    LayerCache,
    Offload,
    Pager,
    Place,
    Scorer,
    Selector,
    Thinner,
)

SIZES = (1, 3, 63)
"""Awkward counts of entries."""


def planted(
    tokens: int, rows: int = 2, *, heads: int = 4, padding: int = 0, seed: int = 0
) -> LayerCache:
    """A layer with random entries, G = 2 and D = 16, of whose last row the first ones are padding.

    A row is drawn by itself, so that it is the same whatever stands beside it.
    """
    made = [_row(tokens, heads, padding if at == rows - 1 else 0, seed + at) for at in range(rows)]
    keys, values, queries = (torch.stack(parts) for parts in zip(*made, strict=True))
    valid = torch.ones(rows, 2, tokens, dtype=torch.bool)
    valid[-1, :, :padding] = False
    positions = (valid.cumsum(-1) - 1).clamp(min=0)
    return LayerCache(
        keys=keys,
        values=values,
        positions=positions,
        valid=valid,
        ledger={},
        queries=queries,
        asked=valid[:, 0],
        scale=0.25,
        rotary=Rotary(10_000 ** -(torch.arange(8.0) / 8)),
        place=Place(1, 4),
        total=valid[:, 0].sum(-1).div(2, rounding_mode="floor").clamp(min=1),
    )


def _row(tokens: int, heads: int, padding: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    drawn = torch.Generator().manual_seed(seed)
    made = [torch.randn(tokens - padding, count, 16, generator=drawn) for count in (2, 2, heads)]
    keys, values, queries = (
        torch.cat([torch.full((padding, *part.shape[1:]), 9.0), part]).transpose(0, 1)
        for part in made
    )
    return keys, values, queries


def gathered(scorer: Scorer, layer: LayerCache) -> LayerCache:
    """The layer as the cache shows it to a scorer: with its facts, and the queries it needs."""
    window = getattr(scorer, "window", 0)
    queries, asked = layer.queries[:, :, -window:], layer.asked[:, -window:]
    facts = getattr(scorer, "facts", {})
    ledger = {name: torch.full(layer.keys.shape[:3], start) for name, start in facts.items()}
    shown = replace(layer, ledger=ledger)
    observe: Callable[[LayerCache, Tensor], dict[str, Tensor]] | None = getattr(
        scorer, "observe", None
    )
    if observe is not None:
        shared = layer.queries.shape[1] // layer.keys.shape[1]
        logits = layer.queries @ layer.keys.repeat_interleave(shared, 1).mT * layer.scale
        seen = torch.ones(logits.shape[-2:]).tril().bool() & layer.valid[:, :1, None]
        logits = logits.masked_fill(~(seen & layer.asked[:, None, :, None]), -torch.inf)
        shown = replace(shown, ledger=dict(observe(shown, logits)))
    return replace(shown, queries=queries, asked=asked)


def scorer_contract(scorer: Scorer) -> None:
    """(B, G, P), finite, the same every time; nothing is written to, and rows stand alone."""
    for tokens in SIZES:
        layer = gathered(scorer, planted(tokens))
        before = [each.clone() for each in (layer.keys, layer.values, layer.positions)]
        scores = scorer.score(layer)
        assert scores.shape == layer.keys.shape[:3], f"{tokens}: scores must be (B, G, P)"
        assert scores.isfinite().all(), f"{tokens}: scores must be finite"
        assert torch.equal(scores, scorer.score(layer)), f"{tokens}: not deterministic"
        after = (layer.keys, layer.values, layer.positions)
        assert all(map(torch.equal, before, after)), f"{tokens}: the layer was changed"
        alone = scorer.score(gathered(scorer, planted(tokens, rows=1)))
        assert torch.allclose(scores[:1], alone, atol=1e-5), f"{tokens}: rows are not independent"
    padded, bare = planted(40, padding=9), planted(40, rows=1, padding=9, seed=1)
    scores = scorer.score(gathered(scorer, padded))[1:, :, 9:]
    short = scorer.score(gathered(scorer, _without_padding(bare, 9)))
    assert torch.allclose(scores, short, atol=1e-4), "padding changes the scores of a row"


def _without_padding(layer: LayerCache, padding: int) -> LayerCache:
    return replace(
        layer,
        keys=layer.keys[:, :, padding:],
        values=layer.values[:, :, padding:],
        positions=layer.positions[:, :, padding:],
        valid=layer.valid[:, :, padding:],
        queries=layer.queries[:, :, padding:],
        asked=layer.asked[:, padding:],
    )


def budget_contract(budget: Budget) -> None:
    """Whole numbers, in all what may be kept and no more; with room for all, all is kept."""
    for tokens in SIZES:
        scores = torch.randn(2, 2, tokens, generator=torch.Generator().manual_seed(tokens))
        seen = torch.tensor([tokens, tokens])
        for kept in {1, max(1, tokens // 3), tokens}:
            total = torch.tensor([kept, kept])
            counts = budget.split(scores, total)
            assert counts.shape == (2, 2), f"{tokens}: counts must be (B, G)"
            assert not counts.is_floating_point(), f"{tokens}: counts must be whole numbers"
            assert (counts.sum(-1) == 2 * kept).all(), f"{tokens}: heads must share {kept} each"
            assert (counts <= tokens).all(), f"{tokens}: more than there is"
            shares = [budget.share(total, seen, Place(at, 5)) for at in range(5)]
            whole = torch.stack(shares).sum(0)
            assert (whole == 5 * kept).all(), f"{tokens}: layers must share {kept} each"
            assert all((share >= 1).all() for share in shares), f"{tokens}: a layer gets nothing"
            assert all((share <= seen).all() for share in shares), f"{tokens}: more than there is"


def codec_contract(codec: Codec) -> None:
    """Fewer bytes, the same at every chunking; blocks can be taken, joined, saved and attended."""
    size = codec.group_size
    drawn = torch.Generator().manual_seed(0)
    keys, queries = (torch.randn(2, 2, 4 * size, 64, generator=drawn) for _ in range(2))
    for encode, step in ((codec.encode_keys, size), (codec.encode_values, 1)):
        form = encode(keys)
        whole = form.decode()
        assert form.tokens == 4 * size, "every token must be held"
        assert whole.shape == keys.shape, "what is decoded must be (B, G, T, D)"
        assert form.nbytes < keys.nbytes, "a codec must take fewer bytes"
        parts = [encode(keys[:, :, :size]), encode(keys[:, :, size:])]
        assert torch.equal(type(form).cat(parts).decode(), whole), "chunks change what is held"
        back = type(form).from_state(form.state())
        assert torch.equal(back.decode(), whole), "a saved form is another"
        cut = form.narrow(size, size).decode()
        assert torch.equal(cut, whole[:, :, size : 2 * size]), "a cut moves tokens"
        order = torch.tensor([[[2, 0], [1, 3]], [[0, 1], [3, 2]]])
        tokens = (order[..., None] * size + torch.arange(size)).flatten(2)
        taken = form.take(order if step == size else tokens).decode()
        wanted = whole.gather(2, tokens[..., None].expand(-1, -1, -1, 64))
        assert torch.equal(taken, wanted), "heads must be gathered by themselves"
        rows = form.select(torch.tensor([1, 1, 0])).decode()
        assert torch.equal(rows, whole[[1, 1, 0]]), "rows must be taken as they are named"
        asked = queries[:, :, :3]
        assert torch.allclose(form.scores(asked), asked @ whole.mT, atol=1e-3), "scores differ"
        weights = asked.new_ones(2, 2, 3, 4 * size) / (4 * size)
        assert torch.allclose(form.mix(weights), weights @ whole, atol=1e-3), "mixes differ"


def thinner_contract(thinner: Thinner) -> None:
    """Channels by number, ascending, as many for every head; paired ones with their partners."""
    drawn = torch.Generator().manual_seed(0)
    keys = torch.randn(2, 2, 80, 32, generator=drawn)
    queries = torch.randn(2, 4, 40, 32, generator=drawn)
    channels = thinner.prune(queries, keys).channels
    assert channels.shape[:2] == (2, 2), "channels must be (B, G, K)"
    assert (channels.diff(dim=-1) > 0).all(), "channels must ascend"
    assert 0 <= int(channels.min()) <= int(channels.max()) < 32, "a channel that is not there"
    if thinner.paired:
        half = channels.shape[-1] // 2
        assert torch.equal(channels[..., :half] + 16, channels[..., half:]), "a pair was parted"


def pager_contract(pager: Pager) -> None:
    """What was appended is seen, in order; what is released is gone; layers stand alone."""
    store, drawn = pager.open(), torch.Generator().manual_seed(0)
    held = {0: torch.empty(2, 3, 0, 8), 1: torch.empty(2, 3, 0, 8)}
    for turn, count in enumerate((63, 1, 3, 0, 200)):
        layer = turn % 2
        more = torch.randn(2, 3, count, 8, generator=drawn)
        store.append(layer, more, -more)
        held[layer] = torch.cat([held[layer], more], dim=2)
        for at in range(min(turn, 1) + 1):
            keys, values = store.view(at)
            assert torch.equal(keys, held[at]), "keys must be what was appended"
            assert torch.equal(values, -held[at]), "values must be what was appended"
    store.release(0, 5)
    store.append(0, held[1][:, :, :2], held[1][:, :, :2])
    keys, _ = store.view(0)
    assert torch.equal(keys, torch.cat([held[0][:, :, :5], held[1][:, :, :2]], 2)), "not in order"
    assert store.committed_bytes() >= 2 * (keys.nbytes + held[1].nbytes), "bytes are missing"


def selector_contract(selector: Selector) -> None:
    """Blocks by number, ascending, the same every time; each is known by itself alone."""
    drawn, size = torch.Generator().manual_seed(0), selector.block_size
    queries = torch.randn(4, 3, 16, generator=drawn)
    for blocks in SIZES:
        keys = torch.randn(blocks, 2, size, 16, generator=drawn)
        mass = torch.rand(blocks, 4, size, generator=drawn)
        before = [each.clone() for each in (keys, mass, queries)]
        known = selector.units(keys, mass)
        assert known.shape[0] == blocks, f"{blocks}: one line for each block"
        assert known.dtype == torch.float32, f"{blocks}: what is known must be in float32"
        alone = torch.cat([selector.units(keys[at:][:1], mass[at:][:1]) for at in range(blocks)])
        assert torch.allclose(known, alone, atol=1e-6), f"{blocks}: blocks are not independent"
        chosen = selector.select(queries, known)
        assert not chosen.is_floating_point(), f"{blocks}: numbers must be whole"
        assert (chosen.diff() > 0).all(), f"{blocks}: numbers must ascend"
        assert 0 <= int(chosen.min()) <= int(chosen.max()) < blocks, f"{blocks}: not there"
        assert torch.equal(chosen, selector.select(queries, known)), f"{blocks}: not deterministic"
        after = (keys, mass, queries)
        assert all(map(torch.equal, before, after)), f"{blocks}: what was shown was changed"
    assert selector.exec_block <= selector.n_local, "queries that share a choice share a window"


def offload_contract(offload: Offload) -> None:
    """Blocks come back to the bit, whatever came or went in between."""
    depot, drawn = offload.open(), torch.Generator().manual_seed(0)
    given = [{"keys": torch.randn(2, 3, generator=drawn).bfloat16()} for _ in range(6)]
    held = [depot.put(each) for each in given]
    del held[1], given[1]
    held.append(depot.put(given[0]))
    given.append(given[0])
    for block, wanted in zip(held, given, strict=True):
        found = block.read()
        assert found.keys() == wanted.keys(), "names must stay"
        assert torch.equal(found["keys"], wanted["keys"]), "a block is another"
        assert block.nbytes == wanted["keys"].nbytes, "bytes must be those of the tensors"

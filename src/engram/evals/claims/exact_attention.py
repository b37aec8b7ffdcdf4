"""What the claim of FlashAttention measures: differences, peak bytes, multiplications."""

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from engram.evals.claims.figures import Figure
from engram.ops.attention import How, Path, merge_attention, tiled_attention
from engram.ops.sparse import block_sparse_mask

_HEADS, _GROUPS, _WIDTH = 4, 2, 32
_LENGTH, _TOKENS, _PARTS = 300, 700, 7
_Given: TypeAlias = tuple[Tensor, Tensor, Tensor]
_SHORT, _LONG, _BLOCK = 256, 1024, 64


def figures() -> list[Figure]:
    """Exact, forward and backward; linear in memory; parts join; tiles left out cost nothing."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # small tensors are quicker on one core
    try:
        exact: list[Figure] = [
            {"what": what, "published": "<= 1e-5", "measured": f"{most:.1e}", "ok": most <= 1e-5}
            for what, most in _differences()
        ]
        return [*exact, *_bytes(), *_sparse()]
    finally:
        torch.set_num_threads(threads)


def peak_bytes(call: Callable[[], object]) -> int:
    """The most bytes that the tensors made during a call held at one time, on any device."""
    with _Live() as live:
        call()
    return live.peak


class _Live(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of every tensor that an operation makes, for as long as it lives."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = self._held = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        known = {_place(each) for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)}
        made = func(*args, **(kwargs or {}))
        for each in tree_leaves(made):
            if isinstance(each, Tensor) and (place := _place(each)) not in known:
                self._count(place, each.untyped_storage())
        return made

    def _count(self, place: int, storage: torch.UntypedStorage) -> None:
        if place in self._seen:
            return
        size = storage.nbytes()
        self._seen.add(place)
        self._held += size
        self.peak = max(self.peak, self._held)
        weakref.finalize(storage, self._free, place, size)

    def _free(self, place: int, size: int) -> None:
        self._seen.discard(place)
        self._held -= size


def _place(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


def _drawn(length: int, tokens: int, heads: int = _HEADS, groups: int = _GROUPS) -> _Given:
    dice = torch.Generator().manual_seed(0)
    shapes = (heads, length), (groups, tokens), (groups, tokens)
    one, two, three = (
        torch.randn(1, *each, _WIDTH, generator=dice).requires_grad_() for each in shapes
    )
    return one, two, three


def _differences() -> Iterator[tuple[str, float]]:
    """The largest difference from plain attention in float64, for each way to hide, and of parts.

    The largest value counts as 1 where it is more.
    """
    given = _drawn(_LENGTH, _TOKENS)
    doubles = _doubles(given)
    dice = torch.Generator().manual_seed(1)
    order = torch.ones(_LENGTH, _TOKENS, dtype=torch.bool).tril(_TOKENS - _LENGTH)
    padding = torch.arange(_TOKENS) >= 99
    some = torch.rand(_LENGTH, _TOKENS, generator=dice) > 0.5
    cases: list[tuple[How, Tensor | None]] = [
        ({}, None),
        ({"causal": "lower_right"}, order),
        ({"causal": "lower_right", "mask": padding}, order & padding),
        ({"mask": some}, some),
    ]
    paths: tuple[Path, ...] = ("tiles", "flash")
    for path in paths:
        apart = []
        for how, mask in cases:
            plain = _plain(*doubles, mask)
            want = [plain, *torch.autograd.grad(plain.square().sum(), doubles)]
            chosen: How = {**how, "path": path}
            ours = tiled_attention(*given, **chosen)
            found = [ours, *torch.autograd.grad(ours.square().sum(), given)]
            apart.append([_apart(one, other) for one, other in zip(found, want, strict=True)])
        yield f"path {path!r}, four masks: output", max(each[0] for each in apart)
        yield f"path {path!r}, four masks: gradients", max(max(each[1:]) for each in apart)
    where = torch.randint(_PARTS, (_TOKENS,), generator=dice)
    queries, keys, values = given
    parts = [
        tiled_attention(
            queries, keys[:, :, where == at], values[:, :, where == at], return_lse=True
        )
        for at in range(_PARTS)
    ]
    joined, _ = merge_attention(parts)
    yield f"{_PARTS} random parts of the keys, joined", _apart(joined, _plain(*doubles, None))


def _doubles(given: _Given) -> _Given:
    one, two, three = (each.detach().double().requires_grad_() for each in given)
    return one, two, three


def _plain(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """All scores at once."""
    shared = queries.shape[1] // keys.shape[1]
    keys, values = (each.repeat_interleave(shared, dim=1) for each in (keys, values))
    scores = queries @ keys.mT * _WIDTH**-0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    return scores.softmax(dim=-1) @ values


def _apart(one: Tensor, other: Tensor) -> float:
    """The largest difference, over the largest value or over 1."""
    one, other = one.detach(), other.detach()
    return float((one - other).abs().max() / other.abs().max().clamp_min(1.0))


def _bytes() -> list[Figure]:
    """Peak bytes of forward and backward, at two lengths, in tiles and with all scores at once."""
    peaks = [
        [_peak(attend, length) for length in (_SHORT, _LONG)] for attend in (_in_tiles, _at_once)
    ]
    tiles, plain = (long / short for short, long in peaks)
    return [
        {
            "what": f"peak bytes at {_LONG} tokens over those at {_SHORT}, forward and backward",
            "published": "4: linear",
            "measured": round(tiles, 2),
            "ok": tiles <= 4.2,
        },
        {
            "what": "the same of attention that holds all scores",
            "published": "16: quadratic",
            "measured": round(plain, 2),
            "ok": plain >= 12,
        },
        {
            "what": f"peak bytes of tiles over those of all scores, {_LONG} tokens",
            "published": "<= 0.1",
            "measured": round(peaks[0][1] / peaks[1][1], 3),
            "ok": peaks[0][1] <= 0.1 * peaks[1][1],
        },
    ]


def _peak(attend: Callable[..., Tensor], length: int) -> int:
    given = _drawn(length, length, heads=1, groups=1)
    return peak_bytes(lambda: torch.autograd.grad(attend(*given).sum(), given))


def _in_tiles(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    return tiled_attention(
        queries, keys, values, causal="lower_right", path="tiles", block_q=_BLOCK, block_k=_BLOCK
    )


def _at_once(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    order = torch.ones(queries.shape[2], keys.shape[2], dtype=torch.bool).tril()
    return _plain(queries, keys, values, order)


def _sparse() -> list[Figure]:
    """What a butterfly of tiles multiplies, and what it gives."""
    given = _drawn(_LONG, _LONG, heads=1, groups=1)
    mask = block_sparse_mask(_LONG, _BLOCK, "butterfly")
    with FlopCounterMode(display=False) as all_tiles:
        tiled_attention(*given, path="tiles", block_q=_BLOCK, block_k=_BLOCK)
    with FlopCounterMode(display=False) as some_tiles:
        found = tiled_attention(
            *given, path="tiles", block_mask=mask, block_q=_BLOCK, block_k=_BLOCK
        )
    share = some_tiles.get_total_flops() / all_tiles.get_total_flops()
    written = mask.repeat_interleave(_BLOCK, dim=0).repeat_interleave(_BLOCK, dim=1)
    apart = _apart(found, _plain(*_doubles(given), written))
    expected = float(mask.float().mean())
    return [
        {
            "what": f"butterfly of tiles, {_LONG} tokens: share of the multiplications of dense",
            "published": f"{expected:.4f}: the share of tiles looked at",
            "measured": round(share, 4),
            "ok": abs(share - expected) <= 1e-3,
        },
        {
            "what": "butterfly against dense attention with its mask written out",
            "published": "<= 1e-5",
            "measured": f"{apart:.1e}",
            "ok": apart <= 1e-5,
        },
    ]

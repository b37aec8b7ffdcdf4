"""How fast keys and values are stored: appending a token, unpacking codes, multiplying with them.

The plain baselines, measured in the same loop: joining tensors at every token, as a cache that
concatenates does; copying as many bytes; shifting each code out of its byte; the same products with
tensors that are not packed. Tensors are float32, (1, 8, T, 64), on one thread.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engram.activation.codecs.asymmetric import Asymmetric
from engram.activation.codecs.asymmetric.packed import Packed
from engram.activation.pagers.growing import Growing
from engram.activation.pagers.virtual import Virtual
from harness import RUNS, Goal, Sheet, options, ratio, spread, took

MS, GB = 1000.0, 1e9
HEADS, WIDTH = 8, 64


class Store(Protocol):
    """What takes tokens."""

    def append(self, layer: int, keys: Tensor, values: Tensor) -> None: ...


class Joined:
    """Keys and values that are joined anew at every token, as transformers' DynamicCache does."""

    def __init__(self) -> None:
        self.held = (drawn(0), drawn(0))

    def append(self, layer: int, keys: Tensor, values: Tensor) -> None:  # noqa: ARG002
        """Copies all that is held."""
        self.held = torch.cat([self.held[0], keys], 2), torch.cat([self.held[1], values], 2)


STORES: Mapping[str, tuple[Callable[[], Store], Callable[[int], int]]] = {
    "growing": (Growing().open, lambda held: held // 2),
    "virtual, pages of the process": (Virtual().open, lambda held: held // 2),
    "virtual, pages of a file in memory": (Virtual(backing="memory").open, lambda held: held // 2),
    "joined": (Joined, lambda _: 16),
}
"""How each is opened, and how many tokens come after so many: growing is moved once in the time."""


def drawn(tokens: int, heads: int = HEADS, seed: int = 0) -> Tensor:
    """Noise, (1, G, T, D)."""
    dice = torch.Generator().manual_seed(seed)
    return torch.randn(1, heads, tokens, WIDTH, generator=dice)


def appended(store: Store, held: int, tokens: int) -> float:
    """Milliseconds for each of the tokens that come one by one after a prompt."""
    prompt, token = drawn(held), drawn(1)
    store.append(0, prompt, prompt)

    def every() -> None:
        for _ in range(tokens):
            store.append(0, token, token)

    return MS * took(every).clock / tokens


def appending(sheet: Sheet, lengths: Sequence[int]) -> None:
    """A token after prompts of several lengths."""
    times = np.zeros((len(STORES), len(lengths), RUNS))
    for run in range(RUNS):
        for at, held in enumerate(lengths):
            for which, (opened, count) in enumerate(STORES.values()):
                times[which, at, run] = appended(opened(), held, count(held))
    rows = [
        (
            name,
            *(spread(times[which, at]) for at in range(len(lengths))),
            ratio(times[which, -1], times[which, 0]),
            ratio(times[-1, -1], times[which, -1]),
        )
        for which, name in enumerate(STORES)
    ]
    head = ("ms a token", *(f"after {held:,}" for held in lengths), "last / first", "joined / it")
    sheet.table("One token of keys and values appended", head, rows)
    for which, name in enumerate(list(STORES)[:-1]):
        growth = ratio(times[which, -1], times[which, 0]).median
        gain = ratio(times[-1, -1], times[which, -1]).median
        sheet.goals.append(Goal(f"{name}: longest / shortest", growth, most=1.5))
        sheet.goals.append(Goal(f"{name}: joined / it, longest", gain, least=10))


def measured(calls: Sequence[Callable[[], object]], repeats: int = 20) -> NDArray[np.float64]:
    """(calls, runs) ms on the clock, the median of some; each call in turn."""
    for call in calls:
        call()
    every = np.zeros((len(calls), RUNS, repeats))
    for run in range(RUNS):
        for at in range(repeats):
            for which, call in enumerate(calls):
                every[which, run, at] = MS * took(call).clock
    return np.median(every, axis=2)


def shifted(packed: Packed) -> Tensor:
    """Unpack as one would by hand: every code is shifted out of its byte."""
    shifts = torch.arange(0, 8, packed.bits, dtype=torch.uint8)
    codes = (packed.codes.unsqueeze(-1) >> shifts) & (2**packed.bits - 1)
    whole = codes.reshape(*packed.codes.shape[:3], *packed.block[1:])
    return (whole * packed.scale + packed.minimum).reshape(1, HEADS, packed.tokens, WIDTH)


def decoding(sheet: Sheet, tokens: int) -> None:
    """All keys, or values, of a layer as they were."""
    x, copy = drawn(tokens), torch.empty(1, HEADS, tokens, WIDTH)
    calls: dict[str, Callable[[], object]] = {"a copy of the same": partial(copy.copy_, x)}
    sizes = {"a copy of the same": 2 * x.nbytes}
    for bits in (2, 4, 8):
        codec = Asymmetric(bits, bits)
        for what, packed in (("keys", codec.encode_keys(x)), ("values", codec.encode_values(x))):
            calls[f"{what} of {bits} bits"] = packed.decode
            sizes[f"{what} of {bits} bits"] = x.nbytes + packed.nbytes
        calls[f"by hand: keys of {bits} bits"] = partial(shifted, codec.encode_keys(x))
        sizes[f"by hand: keys of {bits} bits"] = x.nbytes + codec.encode_keys(x).nbytes
    times = measured(list(calls.values()))
    rows = [
        (name, spread(took_ms), spread(sizes[name] / GB / (took_ms / MS)), ratio(took_ms, times[0]))
        for name, took_ms in zip(calls, times, strict=True)
    ]
    head = ("decoding", "ms", "GB/s read and written", "time / copy")
    sheet.table(f"{tokens:,} tokens decoded", head, rows)


def decoded_first(queries: Tensor, keys: Packed) -> Tensor:
    """The products by way of the whole keys."""
    return queries @ keys.decode().mT


def multiplying(sheet: Sheet, tokens: int, shared: int) -> None:
    """One query of every head times the keys, and its weights times the values."""
    x, queries = drawn(tokens), drawn(1, HEADS * shared)
    folded = queries.view(1, HEADS, shared, WIDTH)
    weights = torch.rand(1, HEADS * shared, 1, tokens).softmax(-1)
    spread_out = weights.view(1, HEADS, shared, tokens)
    rows: list[tuple[object, ...]] = []
    for bits in (2, 4):
        codec = Asymmetric(bits, bits)
        keys, values = codec.encode_keys(x), codec.encode_values(x)
        times = measured(
            [
                partial(keys.scores, queries),
                partial(decoded_first, folded, keys),
                lambda: folded @ x.mT,
                partial(values.mix, weights),
                lambda: spread_out @ x,
            ]
        )
        for name, at, of, bare in (
            ("queries times keys", 0, 1, 2),
            ("weights times values", 3, 3, 4),
        ):
            told = (spread(times[at]), ratio(times[at], times[of]), ratio(times[at], times[bare]))
            rows.append((f"{name}, {bits} bits", *told))
    head = ("products", "ms", "time / decoded first", "time / not packed")
    sheet.table(f"{tokens:,} tokens, {shared} query heads for each of {HEADS}", head, rows)


def main() -> int:
    """Measure everything; a few seconds to a minute."""
    args = options("How fast keys and values are stored, beside joining and copying.").parse_args()
    torch.set_num_threads(1)
    sheet = Sheet("Stores of keys and values", args.seed, args.json)
    appending(sheet, [256, 1024] if args.quick else [1024, 4096, 16_384])
    tokens = 512 if args.quick else 4096
    decoding(sheet, tokens)
    for shared in (1, 4):
        multiplying(sheet, tokens, shared)
    sheet.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What a cache takes of the time: a token stored, a token written, and a prompt read.

Stored: keys and values of one layer come in, and what waits is done, without the attention; behind
1,024 tokens and behind 16,384, beside transformers' DynamicCache, which joins tensors anew. Written
and read: a model of four layers that is little more than its cache, at 4,096 tokens. Everything
takes turns in one process, on one thread, and what counts is the time that this thread worked.
"""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median
from time import thread_time
from typing import Any

import torch
from transformers import DynamicCache

from engram import MemoryCache
from engram.activation.cache import Layer
from engram.activation.roles import Place
from engram.adapters.kv_reading import attached, fill, step
from engram.kv.settings import Settings
from harness import RUNS, Goal, Sheet, options, ratio, spread
from made.models import HEADS, WIDTH, text, wide

MS = 1000.0
LENGTHS, QUICK = (1024, 16_384), (128, 512)
PROMPT, WRITTEN = 4096, 16
JOINED = 16  # tokens that are joined one by one for a figure
STORED: Mapping[str, Settings | None] = {
    "DynamicCache": None,
    "full": Settings(),
    "vattention": Settings("vattention"),
    "kivi": Settings("kivi"),
    "streaming": Settings("streaming", 0.25),
    "streaming, 1,024 kept": Settings("streaming", 1024),
    "kivi+streaming": Settings("kivi+streaming", 0.25),
    "kivi+key-norm": Settings("kivi+key-norm", 0.25),
}
"""Those that need no queries, so that a layer alone can be measured."""

WRITES: Mapping[str, Settings | None] = {
    "DynamicCache": None,
    "full": Settings(),
    "vattention": Settings("vattention"),
    "kivi": Settings("kivi"),
    "kivi+snapkv": Settings("kivi+snapkv", 0.25),
    "snapkv": Settings("snapkv", 0.25),
    "tova": Settings("tova", 0.25),
    "h2o": Settings("h2o", 0.25),
    "keyformer": Settings("keyformer", 0.25),
    "streaming": Settings("streaming", 0.25),
}


def tokens(count: int, seed: int) -> Any:
    """Keys or values, (1, G, T, D)."""
    dice = torch.Generator().manual_seed(seed)
    return torch.randn(1, HEADS, count, WIDTH, generator=dice)


def joining(held: int) -> tuple[Callable[[Any], object], int]:
    """Takes one token into transformers' cache, and how many of them make a figure."""
    cache = DynamicCache()
    cache.update(tokens(held, 0), tokens(held, 1), 0)
    return (lambda token: cache.update(token, token, 0)), JOINED


def storing(settings: Settings, held: int) -> tuple[Callable[[Any], object], int]:
    """Takes one token into a layer of ours and does what waits.

    As many come as make the text half as long again, so that everything that is done seldom, such
    as moving what is held, is in the mean.
    """
    layer = Layer(settings.policies(Place()), Place())

    def take(token: Any) -> None:
        layer.append(token, token)
        layer.settle(force=True)

    layer.append(tokens(held, 0), tokens(held, 1))
    layer.settle(force=True)
    return take, held // 2


def stored(name: str, held: int) -> float:
    """Milliseconds of a token in the mean."""
    settings = STORED[name]
    take, count = joining(held) if settings is None else storing(settings, held)
    token = tokens(1, 2)
    began = thread_time()
    for _ in range(count):
        take(token)
    return MS * (thread_time() - began) / count


def storage(sheet: Sheet, lengths: tuple[int, int]) -> None:
    """A token stored behind few and behind many."""
    found: dict[tuple[str, int], list[float]] = {}
    for _ in range(RUNS):
        for name in STORED:
            for held in lengths:
                found.setdefault((name, held), []).append(stored(name, held))
    few, many = lengths
    rows = []
    for name in STORED:
        growth = ratio(found[name, many], found[name, few])
        gain = ratio(found["DynamicCache", many], found[name, many])
        rows.append((name, spread(found[name, few]), spread(found[name, many]), growth, gain))
        if name != "DynamicCache":
            sheet.goals.append(Goal(f"{name}: a token at {many:,} / {few:,}", growth.median, 1.5))
            gained = gain.median
            sheet.goals.append(Goal(f"{name}: joining / it at {many:,}", gained, least=10))
    head = ("cache", f"ms at {few:,}", f"ms at {many:,}", "many / few", "DynamicCache / it, many")
    sheet.table("A token stored in one layer, without its attention", head, rows)


def made(model: Any, settings: Settings | None) -> Any:
    """An empty cache."""
    if settings is None:
        return DynamicCache(config=model.config)
    return MemoryCache.for_model(model, settings=settings, attach=False)


def run(model: Any, ids: list[int], settings: Settings | None) -> tuple[float, list[float], int]:
    """Seconds of the prompt, milliseconds of each token after it, and bytes at the end."""
    cache = made(model, settings)
    with torch.inference_mode(), attached(cache, model):
        began = thread_time()
        last = fill(model, cache, ids)
        read, times = thread_time() - began, []
        for at in range(WRITTEN + 1):  # the first one settles what the prompt has left
            began = thread_time()
            last = step(model, cache, [last], len(ids) + at)
            times.append(MS * (thread_time() - began))
    if settings is None:
        return read, times[1:], sum(e.keys.nbytes + e.values.nbytes for e in cache.layers)
    return read, times[1:], cache.memory_usage().total


def writing(sheet: Sheet, prompt: int) -> None:
    """A prompt read and tokens written with every cache."""
    model, ids = wide(sheet.seed), text(sheet.seed, prompt)
    go = partial(run, model)
    found: dict[str, list[tuple[float, list[float], int]]] = {name: [] for name in WRITES}
    for _ in range(RUNS):
        for name, settings in WRITES.items():
            found[name].append(go(ids, settings))
    reads = {name: [each[0] for each in runs] for name, runs in found.items()}
    writes = {name: [median(each[1]) for each in runs] for name, runs in found.items()}
    rows = [
        (
            name,
            spread(reads[name]),
            ratio(reads[name], reads["full"]),
            spread(writes[name]),
            spread(MS / ms for ms in writes[name]),
            ratio(writes[name], writes["DynamicCache"]),
            found[name][0][2] / 1e6,
        )
        for name in WRITES
    ]
    head = ("cache", "prompt, s", "/ full", "ms a token", "tokens / s", "/ DynamicCache", "MB")
    sheet.table(f"{prompt:,} tokens read at once, then {WRITTEN} written", head, rows)
    slower = ratio(writes["kivi"], writes["DynamicCache"]).median
    sheet.goals.append(Goal("kivi: ms of a token / DynamicCache", slower, most=1.0))


def main() -> int:
    """Measure everything."""
    args = options(__doc__ or "").parse_args()
    torch.set_num_threads(1)
    sheet = Sheet("What a cache takes of the time", args.seed, args.json)
    storage(sheet, QUICK if args.quick else LENGTHS)
    writing(sheet, QUICK[1] if args.quick else PROMPT)
    sheet.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How much memory a run of 16,384 tokens takes beside what transformers' own cache would hold.

Each figure comes out of a process of its own: the most that it held above the loaded model, from
the first token of the prompt to the last that is written. Every run is measured twice: as it is,
and with an allocator that gives large pieces back to the system at once; what lies between is
memory that is free and was not given back. Linux only.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import DynamicCache

from engram import MemoryCache
from engram.adapters.kv_reading import attached, fill, step
from harness import Goal, Sheet, options
from made.models import TOKEN, text, wide

TOKENS, QUICK, WRITTEN, CHUNK, MOST = 16_384, 1024, 32, 512, 0.40
RUNS: tuple[tuple[str, float | int | None, int | None], ...] = (
    ("DynamicCache", None, CHUNK),
    ("full", None, CHUNK),
    ("kivi", None, CHUNK),
    ("streaming", 0.25, CHUNK),
    ("kivi+streaming", 0.25, CHUNK),
    ("snapkv", 0.25, CHUNK),
    ("kivi+snapkv", 0.25, CHUNK),
    ("kivi+h2o", 0.25, CHUNK),
    ("kivi+snapkv", 0.25, 2048),
    ("kivi+snapkv", 0.25, None),
)
"""Preset, budget, and tokens that are read at once, None for all."""

GIVES_BACK = {"MALLOC_MMAP_THRESHOLD_": str(128 * 1024)}
"""Keeps glibc from raising the size from which on a piece has a mapping of its own."""

MIB = 2**20


def made(model: Any, preset: str, budget: float | int | None) -> Any:
    """An empty cache."""
    if preset == "DynamicCache":
        return DynamicCache(config=model.config)
    return MemoryCache.for_model(model, preset, budget=budget, attach=False)


def peak(preset: str, budget: float | int | None, chunk: int | None, tokens: int) -> list[int]:
    """Bytes above the loaded model: the most, those at the end, and those that the cache tells."""
    torch.set_num_threads(1)
    model, ids = wide(0), text(0, tokens)
    with torch.inference_mode():
        warm = made(model, preset, budget)
        with attached(warm, model):
            step(model, warm, [fill(model, warm, ids[:256])], 256)
        del warm
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
        before = _status("VmRSS")
        cache = made(model, preset, budget)
        with attached(cache, model):
            last = fill(model, cache, ids, chunk)
            for at in range(WRITTEN):
                last = step(model, cache, [last], tokens + at)
        told = 0 if preset == "DynamicCache" else cache.memory_usage().total
    return [_status("VmHWM") - before, _status("VmRSS") - before, told]


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name))


def measured(*run: object, settings: Mapping[str, str]) -> list[int]:
    """The same out of a process of its own, with settings in its environment."""
    command = [sys.executable, __file__, "--peak", json.dumps(run)]
    env = {**os.environ, **settings}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    found: list[int] = json.loads(done.stdout)
    return found


def main() -> int:
    """Measure all, or one for a parent that asks."""
    parser = options(__doc__ or "")
    parser.add_argument("--peak", help="for the script itself: one figure, in a process of its own")
    args = parser.parse_args()
    if args.peak:
        print(json.dumps(peak(*json.loads(args.peak))))
        return 0
    tokens = QUICK if args.quick else TOKENS
    sheet = Sheet("What a long run takes in memory", args.seed, args.json)
    if not Path("/proc/self/clear_refs").exists():
        sheet.note("this system does not tell what a process held at most")
        return sheet.close()
    whole, rows = TOKEN * tokens, []
    sheet.note(f"{tokens:,} tokens; DynamicCache holds {whole / MIB:.0f} MiB of keys and values")
    for preset, budget, chunk in RUNS:
        run = preset, budget, chunk, tokens
        (most, left, told), (least, end, _) = (
            measured(*run, settings=settings) for settings in ({}, GIVES_BACK)
        )
        sizes = (most, left, least, end, told)
        shares = [f"{size / MIB:.0f} ({size / whole:.0%})" for size in sizes]
        rows.append((f"{preset}, {chunk or 'all'} at once", *shares))
        if preset.startswith("kivi+") and chunk == CHUNK:
            for how, size in (("as it is", most), ("given back", least)):
                goal = f"{preset}, {how}: peak / keys and values"
                sheet.goals.append(Goal(goal, size / whole, most=MOST))
    head = ("cache", "peak MiB", "end", "peak, given back", "end, given back", "told by the cache")
    sheet.table("Above the loaded model, of DynamicCache's keys and values", head, rows)
    sheet.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What exact attention takes, in time and in bytes, beside torch's own and beside plain softmax.

Causal, on one thread, forward alone and with the backward pass. Each length is run by all in turn,
so that a busy moment meets them all; peak bytes are those of a process of its own for each figure.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from engram.ops.attention import tiled_attention
from engram.ops.sparse import block_sparse_mask
from harness import RUNS, Sheet, figure, options, ratio, spread, took

HEADS, GROUPS, WIDTH, BLOCK = 2, 1, 64, 128
LENGTHS, QUICK = (1024, 2048, 4096, 8192, 16_384), (512, 1024)
PLAIN_MOST = {"forward": 16_384, "both": 8192}
"""Where all scores at once would take more than this machine may have: 8 GiB and more."""
DECODES = 50  # calls that one figure of a single query is the mean of

Given = tuple[Tensor, Tensor, Tensor]


def by_torch(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """The library's own; one query sees all keys."""
    causal = queries.shape[2] > 1
    return scaled_dot_product_attention(queries, keys, values, is_causal=causal, enable_gqa=True)


def plain(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """All scores at once."""
    keys, values = (e.repeat_interleave(HEADS // GROUPS, dim=1) for e in (keys, values))
    scores = queries @ keys.mT * WIDTH**-0.5
    if queries.shape[2] > 1:
        order = torch.ones(scores.shape[2:], dtype=torch.bool).tril()
        scores = scores.masked_fill_(~order, float("-inf"))
    return scores.softmax(dim=-1) @ values


def flash(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Ours, on torch's kernel."""
    return tiled_attention(queries, keys, values, causal="lower_right", path="flash")


def tiles(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Ours, in a loop over tiles."""
    return tiled_attention(queries, keys, values, causal="lower_right", path="tiles")


def butterfly(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Ours, with the tiles of a butterfly only: less is looked at, so it is another result."""
    mask = block_sparse_mask(queries.shape[2], BLOCK, "butterfly")
    return tiled_attention(
        queries,
        keys,
        values,
        causal="lower_right",
        block_mask=mask,
        block_q=BLOCK,
        block_k=BLOCK,
    )


SUBJECTS: Mapping[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "torch": by_torch,
    "flash": flash,
    "tiles": tiles,
    "butterfly": butterfly,
    "plain": plain,
}


def drawn(seed: int, length: int, tokens: int, *, learning: bool) -> Given:
    """Queries, keys and values of one sequence."""
    dice = torch.Generator().manual_seed(seed)
    shapes = (HEADS, length), (GROUPS, tokens), (GROUPS, tokens)
    one, two, three = (
        torch.randn(1, *each, WIDTH, generator=dice).requires_grad_(learning) for each in shapes
    )
    return one, two, three


def run(name: str, given: Given) -> None:
    """One pass, or both where the input takes a gradient."""
    out = SUBJECTS[name](*given)
    if out.requires_grad:
        torch.autograd.grad(out.sum(), given)


def seconds(name: str, given: Given, calls: int = 1) -> float:
    """What one call works, the mean of some; on one thread this moves less than the clock."""
    return took(lambda: [run(name, given) for _ in range(calls)]).work / calls


def peak(name: str, length: int, seed: int, *, learning: bool) -> int:
    """Bytes that one call holds above its input, at most; Linux only. For a process of its own."""
    run(name, drawn(seed, 64, 64, learning=learning))  # what is loaded once is loaded
    given = drawn(seed, length, length, learning=learning)
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmHWM")
    run(name, given)
    return _status("VmHWM") - before


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name))


def measured_peak(name: str, length: int, seed: int, *, learning: bool) -> float:
    """MiB, out of a process of its own; NaN where the system does not tell."""
    if not Path("/proc/self/clear_refs").exists():
        return float("nan")
    asked = json.dumps([name, length, seed, learning])
    done = subprocess.run(
        [sys.executable, __file__, "--peak", asked], capture_output=True, text=True, check=True
    )
    return int(done.stdout) / 2**20


def passes(sheet: Sheet, lengths: tuple[int, ...], what: str) -> None:
    """Every subject at every length: seconds, what torch takes of them, and peak MiB."""
    learning, rows = what == "both", []
    for length in lengths:
        given = drawn(sheet.seed, length, length, learning=learning)
        names = [each for each in SUBJECTS if each != "plain" or length <= PLAIN_MOST[what]]
        worked: dict[str, list[float]] = {name: [] for name in names}
        for at in range(RUNS + 1):
            for name in names:
                second = seconds(name, given)
                worked[name] += [second] if at else []  # the first is a warm-up
        for name in names:
            bytes_held = measured_peak(name, length, sheet.seed, learning=learning)
            share = str(ratio(worked[name], worked["torch"]))
            rows.append((f"{length:,} {name}", spread(worked[name]), share, bytes_held))
    title = "Forward" if what == "forward" else "Forward and backward"
    sheet.table(f"{title}, causal", ("tokens", "seconds of work", "over torch", "peak MiB"), rows)


def decoding(sheet: Sheet, lengths: tuple[int, ...]) -> None:
    """One query over all keys, as at each token that is generated."""
    rows = []
    for length in lengths:
        given = drawn(sheet.seed, 1, length, learning=False)
        names = [each for each in SUBJECTS if each != "butterfly"]
        worked: dict[str, list[float]] = {name: [] for name in names}
        for at in range(RUNS + 1):
            for name in names:
                second = seconds(name, given, DECODES)
                worked[name] += [1000 * second] if at else []
        shares = (f"{figure(ratio(worked[n], worked['torch']).median)}" for n in names)
        rows += [
            (f"{length:,} {name}", spread(worked[name]), share)
            for name, share in zip(names, shares, strict=True)
        ]
    sheet.table("One query", ("keys", "milliseconds of work", "over torch"), rows)


def main() -> int:
    """Measure all three, or one peak for a parent that asks."""
    parser = options("What exact attention takes, beside torch's own and a plain softmax.")
    parser.add_argument("--peak", help="for the script itself: one figure, in a process of its own")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.peak:
        name, length, seed, learning = json.loads(args.peak)
        print(peak(name, length, seed, learning=learning))
        return 0
    sheet = Sheet("Attention", args.seed, args.json)
    sheet.note(
        f"torch {torch.__version__}, one thread, float32, {HEADS} query "
        f"heads on {GROUPS} key head, width {WIDTH}; an input of 16,384 tokens is 16 MiB"
    )
    lengths = QUICK if args.quick else LENGTHS
    passes(sheet, lengths, "forward")
    passes(sheet, lengths, "both")
    decoding(sheet, lengths)
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())

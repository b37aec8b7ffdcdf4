"""What caches of every kind still know at half, a quarter and a tenth of their entries.

Rows of recall or passkey that no training saw, of several seeds, with the question known before
anything is dropped and unknown: mean and range of the score over seeds. A policy that looks at
queries or keys should beat the newest entries alone and chance. MODEL is a folder that
``train_recall.py`` made; without one a model with random weights runs, which knows nothing.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from engram import MemoryCache
from engram.adapters.kv_eval import Entry, compare
from engram.adapters.kv_folder import reader as folder_reader
from engram.adapters.kv_reading import Reader
from engram.evals import lexicon
from engram.evals.prompts import Prompt, matched
from engram.evals.tasks.passkey import Passkey
from engram.evals.tasks.recall import Recall
from harness import Sheet, options
from train_recall import Size, build, pairs_of

PLAIN = ("random", "streaming")
PRESETS = (
    *PLAIN,
    "key-norm",
    "expected-attention",
    "sirllm",
    "h2o",
    "keyformer",
    "tova",
    "snapkv",
    "pyramidkv",
    "adakv",
)
SHARES = (0.5, 0.25, 0.1)
SEEDS = (101, 102, 103)  # training drew from none of them, and no setting was chosen on them
ROWS = 64

Scores = dict[tuple[str, float], list[float]]


@dataclass(frozen=True, slots=True)
class Task:
    """What a model is asked: ``recall`` or ``passkey``, in texts of so many tokens."""

    name: str
    length: int
    rows: int

    def prompts(self, seed: int, *, aware: bool) -> Iterator[Prompt]:
        """The rows of a seed, contexts with several questions next to each other."""
        alike: Any = {"query_aware": aware, "seed": seed}
        if self.name == "passkey":
            return Passkey(self.length, count=-(-self.rows // 5), **alike).prompts()
        pairs = pairs_of(self.length)
        return Recall(self.length, pairs, -(-self.rows // 4), min(4, pairs), **alike).prompts()


def maker(preset: str, share: float, length: int) -> Any:
    """Makes empty caches; one that drops entries before it has heard of them needs a count."""
    budget = int(share * length) if preset == "sirllm" else share
    return lambda model: MemoryCache.for_model(model, preset, budget=budget, attach=False)


def scores(reader: Reader, task: Task, seeds: Sequence[int], *, aware: bool) -> Scores:
    """The score of every preset and share on every seed; that of ``full`` at a share of 1."""
    entries = [Entry("full", 0.0, lambda model: MemoryCache.for_model(model, attach=False))]
    entries += [
        Entry(preset, 1 - share, maker(preset, share, task.length))
        for preset in PRESETS
        for share in SHARES
    ]
    found: Scores = {}
    for seed in seeds:
        for told in compare(reader, entries, list(task.prompts(seed, aware=aware)), matched):
            share = round(1 - told.ratio, 6)
            found.setdefault((told.preset, share), []).append(told.score)
    return found


def spread(values: Sequence[float]) -> str:
    """The mean and the range over seeds."""
    return f"{fmean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def verdict(found: Scores, preset: str) -> str:
    """The shares at which a preset is better in the mean than both plain ones."""
    if preset in PLAIN:
        return ""
    best = {share: max(fmean(found[plain, share]) for plain in PLAIN) for share in SHARES}
    won = [f"{share:.0%}" for share in SHARES if fmean(found[preset, share]) > best[share]]
    return ", ".join(won) or "nowhere"


def measure(sheet: Sheet, name: str, reader: Reader, task: Task, seeds: Sequence[int]) -> None:
    """Both tables of a model."""
    for aware in (True, False):
        found = scores(reader, task, seeds, aware=aware)
        rows = [
            (preset, *(spread(found[preset, share]) for share in SHARES), verdict(found, preset))
            for preset in PRESETS
        ]
        known = "known" if aware else "unknown"
        whole = spread(found["full", 1.0])
        title = f"{name}: {task.name}, {task.length} tokens, question {known}; full {whole}"
        head = ("preset", *(f"{share:.0%} kept" for share in SHARES), "beats both plain ones at")
        sheet.table(title, head, rows)


def arguments() -> Namespace:
    """What the user asks for."""
    parser: ArgumentParser = options(__doc__ or "")
    parser.add_argument("model", nargs="*", type=Path, metavar="MODEL", help="folders")
    parser.add_argument("--task", choices=("recall", "passkey"), default="recall")
    parser.add_argument("--length", type=int, metavar="N", help="tokens; else the window")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, metavar="N")
    return parser.parse_args()


def main() -> int:
    """Every model in turn."""
    args = arguments()
    torch.set_num_threads(1)
    sheet = Sheet("What caches still know", args.seed, args.json)
    rows, seeds = (4, args.seeds[:1]) if args.quick else (ROWS, args.seeds)
    for path in args.model:
        reader = folder_reader(str(path))
        length = args.length or reader.window or 512
        measure(sheet, path.name, reader, Task(args.task, length, rows), seeds)
    if not args.model:
        model = build(Size(width=16, head_width=16), 64, args.seed).eval()
        known = Reader(model, lambda text, start: [1] * start + lexicon.ids(text), lexicon.told)
        measure(sheet, "random weights", known, Task(args.task, 64, 4), seeds[:1])
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())

"""How well a model still expects a text when it looks through a cache: perplexity, and bits.

A window is read half at once and half one token at a time, so that every token that counts sees
what the cache has made of those before it. Without ``--text`` the model writes the texts itself, by
chance, which is the language that it knows best. Without MODEL a small one is made that knows
nothing.
"""

import math
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from engram import MemoryCache
from engram.kv.settings import Settings
from harness import Goal, Sheet, options
from train_text import Plan, build, texts

ROWS = 16  # windows that are read side by side
_BITS: Any = {bits: {"bits_keys": bits, "bits_values": bits} for bits in (2, 4)}


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one cache.

    Attributes:
        loss: nats of each token, (tokens,).
        packed: bits of each number that is packed, scales and all; nan where nothing is.
        all: bits of each number of all keys and values, the newest and the facts with them.
    """

    loss: Tensor
    packed: float
    all: float


def caches(group: int) -> Mapping[str, Settings | None]:
    """What is measured, in groups of so many channels of a value."""

    def kivi(bits: int, residual: int = 128, preset: str = "kivi", keep: Any = None) -> Settings:
        codec = {**_BITS[bits], "group_size": group, "residual": residual}
        return Settings(preset, keep, parts={"codec": codec})

    return {
        "DynamicCache": None,
        "full": Settings(),
        "kivi, 4 bit": kivi(4),
        "kivi, 4 bit, newest 32 whole": kivi(4, 32),
        "kivi, 2 bit": kivi(2),
        "kivi, 2 bit, newest 32 whole": kivi(2, 32),
        "snapkv, half": Settings("snapkv", 0.5),
        "kivi+snapkv, 4 bit, half": kivi(4, 32, "kivi+snapkv", 0.5),
        "kivi+snapkv, 2 bit, half": kivi(2, 32, "kivi+snapkv", 0.5),
        "h2o, half": Settings("h2o", 0.5),
        "streaming, half": Settings("streaming", 0.5),
    }


def measured(model: Any, rows: Tensor, settings: Settings | None) -> Found:
    """The second half of every window, (rows, window)."""
    half, losses, packed, held = rows.shape[1] // 2, [], [0, 0], [0, 0]
    for part in rows.split(ROWS):
        cache: Any = DynamicCache(config=model.config)
        if settings is not None:
            cache = MemoryCache.for_model(model, settings=settings, attach=True)
        with torch.inference_mode():
            logits = model(part[:, :half], past_key_values=cache, logits_to_keep=1).logits
            for at in range(half, rows.shape[1]):
                odds = logits[:, -1].log_softmax(-1)
                losses.append(-odds.gather(1, part[:, at : at + 1])[:, 0])
                logits = model(part[:, at : at + 1], past_key_values=cache).logits
        if settings is not None:
            for layer in cache.ours:
                keys = layer.present()[0]
                held[1] += 2 * keys.shape[0] * keys.shape[1] * keys.shape[3] * layer.seen
                if layer.old is not None:
                    packed[0] += layer.old.nbytes
                    packed[1] += 2 * keys.shape[0] * keys.shape[1] * keys.shape[3] * len(layer.old)
            held[0] += cache.memory_usage().total
    told = [8 * count / of if of else math.nan for count, of in (packed, held)]
    return Found(torch.cat(losses), *told)


def written(model: Any, window: int, seed: int) -> Tensor:
    """Windows that the model writes by chance, (4 x rows, window)."""
    torch.manual_seed(seed)
    begun = torch.full((4 * ROWS, 1), model.config.bos_token_id)
    with torch.inference_mode():
        told: Tensor = model.generate(
            begun,
            attention_mask=torch.ones_like(begun),
            max_new_tokens=window - 1,
            min_new_tokens=window - 1,
            do_sample=True,
            top_k=0,
            top_p=1.0,
            temperature=1.0,
            pad_token_id=model.config.eos_token_id,
        )
    return told


def held_out(folder: Path, path: Path, window: int, most: int) -> Tensor:
    """Windows of the text that was held out, from all over it, (at most ``most``, window)."""
    reads = AutoTokenizer.from_pretrained(path, local_files_only=True)
    ids = torch.tensor(reads(texts(folder)[1], verbose=False).input_ids)
    rows = ids[: len(ids) // window * window].view(-1, window)
    return rows[:: max(1, len(rows) // most)][:most]


def measure(sheet: Sheet, name: str, model: Any, rows: Tensor) -> None:
    """The table of a model, and its goals."""
    width = model.config.head_dim
    group = min(32, width)
    found = {preset: measured(model, rows, settings) for preset, settings in caches(group).items()}
    whole, told = found["DynamicCache"].loss, []
    for preset, each in found.items():
        apart = each.loss - whole
        more = math.exp(float(apart.mean())) - 1
        error = 1.96 * float(apart.std()) / math.sqrt(len(apart))
        told.append(
            (
                preset,
                math.exp(float(each.loss.mean())),
                f"{100 * more:+.3f} +- {100 * error:.3f}",
                each.packed,
                each.all,
            )
        )
        if preset == "kivi, 4 bit, newest 32 whole":
            sheet.goals.append(Goal(f"{name}: 4 bit, % of perplexity", 100 * abs(more), most=1.0))
        if preset == "kivi, 2 bit, newest 32 whole" and group == 32:
            sheet.goals.append(Goal(f"{name}: bits of a packed number", each.packed, most=3.0))
    title = f"{name}: {len(whole):,} tokens in windows of {rows.shape[1]}, heads {width} wide"
    head = ("cache", "perplexity", "change, % (95 %)", "bits, packed", "bits, all of it")
    sheet.table(f"{title}, groups of {group}", head, told)


def arguments() -> Namespace:
    """What the user asks for."""
    parser: ArgumentParser = options(__doc__ or "")
    parser.add_argument("model", nargs="?", type=Path, metavar="MODEL", help="a folder")
    parser.add_argument("--text", type=Path, metavar="FOLDER", help="its last file is read")
    parser.add_argument("--windows", type=int, default=64, metavar="N", help="of the text, at most")
    return parser.parse_args()


def main() -> int:
    """Measure one model."""
    args = arguments()
    torch.set_num_threads(1)
    sheet = Sheet("Perplexity through caches", args.seed, args.json)
    if args.model is None:
        model, name = build(Plan(), 256, args.seed), "random weights"
    else:
        model = AutoModelForCausalLM.from_pretrained(args.model, local_files_only=True)
        name = args.model.name
    model = model.eval().requires_grad_(False)
    window = 64 if args.quick or args.model is None else model.config.max_position_embeddings
    if args.text is None:
        rows = written(model, window, args.seed)
    else:
        rows = held_out(args.text, args.model, window, args.windows)
    measure(sheet, name, model, rows[:ROWS] if args.quick else rows)
    sheet.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

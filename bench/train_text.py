"""Train a small Llama to write English, in minutes on one core, so that perplexity means something.

Its heads are 64 wide, so that two bits in groups of 32 are three bits a number in all. The text is
any folder of plain text or Markdown; the last file by name is held out, and never learned from, not
even by the tokenizer. Without ``--text`` it reads these pages, which is too little for more than a
smoke run.
"""

import math
import random
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import thread_time
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from harness import ROOT, Sheet, draw, options

START, END = "<s>", "</s>"
WARM = 40  # steps in which the rate rises
SAID = 50  # steps between two lines of the curve


@dataclass(frozen=True, slots=True)
class Plan:
    """What is trained, and how.

    Attributes:
        words: entries of the tokenizer.
        window: tokens of a text.
        layers, width, heads, shared, head_width: of the model; ``shared`` key heads.
        steps: batches.
        rows: texts of a batch.
        rate: the learning rate at its highest.
    """

    words: int = 2048
    window: int = 512
    layers: int = 3
    width: int = 128
    heads: int = 4
    shared: int = 2
    head_width: int = 64
    steps: int = 200
    rows: int = 8
    rate: float = 3e-3


def texts(folder: Path) -> tuple[list[str], str]:
    """The texts of a folder, and the last one by name, which is held out.

    Raises:
        SystemExit: there are fewer than two.
    """
    found = sorted(path for end in ("*.txt", "*.md") for path in folder.glob(end))
    if len(found) < 2:
        raise SystemExit(f"--text must be a folder with two texts or more, got {folder}")
    read = [path.read_text(encoding="utf-8-sig") for path in found]
    return read[:-1], read[-1]


def tokenizer(learned: list[str], plan: Plan) -> Any:
    """Pairs of bytes that stand together often are one token."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        learned,
        trainers.BpeTrainer(
            vocab_size=plan.words,
            special_tokens=[START, END],
            initial_alphabet=alphabet,
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, model_max_length=plan.window, bos_token=START, eos_token=END
    )


def build(plan: Plan, words: int, seed: int) -> Any:
    """A model with random weights."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=words,
            hidden_size=plan.width,
            intermediate_size=3 * plan.width,
            num_hidden_layers=plan.layers,
            num_attention_heads=plan.heads,
            num_key_value_heads=plan.shared,
            head_dim=plan.head_width,
            max_position_embeddings=plan.window,
            tie_word_embeddings=True,
            bos_token_id=0,
            eos_token_id=1,
        )
    )


def batches(ids: Tensor, plan: Plan, rng: random.Random) -> Iterator[Tensor]:
    """Texts from anywhere, (rows, window)."""
    for _ in range(plan.steps):
        starts = [rng.randrange(len(ids) - plan.window) for _ in range(plan.rows)]
        yield torch.stack([ids[start : start + plan.window] for start in starts])


def train(
    model: Any, ids: Tensor, plan: Plan, seed: int, told: Callable[[str], None]
) -> list[tuple[int, float, float]]:
    """Step, loss and CPU seconds, every so often; the rate falls by a cosine."""
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=plan.rate, betas=(0.9, 0.95), weight_decay=0.1
    )
    curve, mean, began = [], 0.0, thread_time()
    for step, batch in enumerate(batches(ids, plan, draw(seed, "text")), 1):
        fall = 0.05 + 0.95 * (1 + math.cos(math.pi * step / plan.steps)) / 2
        for group in optimiser.param_groups:
            group["lr"] = plan.rate * min(step / WARM, fall)
        logits = model(input_ids=batch, use_cache=False).logits[:, :-1]
        loss = cross_entropy(logits.transpose(1, 2), batch[:, 1:])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        now = float(loss.detach())
        mean = now if step == 1 else mean + (now - mean) / min(step, SAID)
        if step % SAID == 0 or step == plan.steps:
            curve.append((step, mean, thread_time() - began))
            told("step {}: loss {:.3f}, {:.0f} s".format(*curve[-1]))
    return curve


def held_out_loss(model: Any, ids: Tensor, plan: Plan) -> tuple[int, float]:
    """Tokens and their mean loss, text by text, each with what stands before it in its window."""
    rows = ids[: len(ids) // plan.window * plan.window].view(-1, plan.window)
    total = 0.0
    with torch.inference_mode():
        for part in rows.split(plan.rows):
            logits = model(input_ids=part, use_cache=False).logits[:, :-1]
            total += float(cross_entropy(logits.transpose(1, 2), part[:, 1:], reduction="sum"))
    count = rows[:, 1:].numel()
    return count, total / count


def arguments() -> Namespace:
    """What the user asks for."""
    parser = options(__doc__ or "")
    parser.add_argument("--text", type=Path, default=ROOT / "docs", metavar="FOLDER")
    parser.add_argument("--steps", type=int, default=Plan.steps, metavar="N", help="batches")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="save model and tokenizer")
    return parser.parse_args()


def main() -> int:
    """Train, show the curve and the held-out loss, save."""
    args = arguments()
    torch.set_num_threads(1)
    plan = Plan(steps=args.steps)
    if args.quick:
        plan = Plan(words=512, window=64, layers=2, width=32, steps=20, rows=4)
    sheet = Sheet("A small model learns to write English", args.seed, args.json)
    learned, held_out = texts(args.text)
    reads = tokenizer(learned, plan)
    ids, rest = (
        torch.tensor([id for text in some for id in reads.backend_tokenizer.encode(text).ids])
        for some in (learned, [held_out])
    )
    model = build(plan, len(reads), args.seed)
    size = sum(weight.numel() for weight in model.parameters())
    sheet.note(f"{size:,} weights, {len(ids):,} tokens to learn from, {len(rest):,} held out")
    curve = train(model, ids, plan, args.seed, sheet.note)
    sheet.table("Learning", ("step", "loss", "CPU s"), curve)
    count, loss = held_out_loss(model.eval(), rest, plan)
    bytes_each = len(held_out.encode()) / len(rest)
    rows = [(count, loss, math.exp(loss), loss / math.log(2) / bytes_each)]
    sheet.table("Held out", ("tokens", "loss", "perplexity", "bits a byte"), rows)
    if args.into is not None:
        model.save_pretrained(args.into)
        reads.save_pretrained(args.into)
        sheet.note(f"saved in {args.into}")
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())

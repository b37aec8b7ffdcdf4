"""Train a tiny Llama to look far back, in minutes on one core, so that caches have something to do.

The tasks are those of ``engram.evals.tasks``: recall, where one of many pairs is asked for, and
passkey, where five digits are. Texts grow from short to the whole window. Up to ``SHORT`` tokens
two more losses help: the first layer must know the word before, and the last layer must look at the
place where a word was followed by the answer. Without them a minute of short texts has not been
enough to find where to look, with them half a minute is.
"""

import random
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from time import thread_time
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM

from engram.evals import lexicon
from engram.evals.prompts import Prompt, matched
from engram.evals.tasks import passkey, recall
from harness import Sheet, draw, options
from made.words import tokenizer

TASKS = {"recall": ("recall",), "passkey": ("passkey",), "both": ("recall", "passkey")}
SHORT = 256  # tokens; the two helping losses are used up to here
ENOUGH = 0.98  # of the answers right, over about the last ``SMOOTH`` steps: the text may grow
SMOOTH = 20  # steps
WARM = 50  # steps in which the rate rises
PLAIN = 0.1  # weight of the words that nobody asked for


@dataclass(frozen=True, slots=True)
class Size:
    """What the model is made of. ``theta`` is the base of its rotary positions."""

    layers: int = 2
    width: int = 64
    heads: int = 4
    shared: int = 2
    head_width: int = 32
    theta: float = 10_000.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How it is trained.

    Attributes:
        tasks: they take turns within a batch.
        length: tokens of the window, at least 32.
        grow: steps that a length below the window may take; fewer once it is learned.
        last: steps at the whole window.
        tokens: of a batch.
        rate: the learning rate at its highest.
        seed: of the weights and the texts.
    """

    tasks: tuple[str, ...]
    length: int
    grow: int = 3000
    last: int = 1500
    tokens: int = 1536
    rate: float = 1e-2
    seed: int = 0

    @property
    def stages(self) -> list[tuple[int, int]]:
        """Lengths, each twice the last up to the window, and the most steps of each."""
        grown = [32]
        while grown[-1] * 2 < self.length:
            grown.append(grown[-1] * 2)
        below = [length for length in grown if length < self.length]
        return [*((length, self.grow) for length in below), (self.length, self.last)]


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts to learn from: ids (B, T), and which of them are answers (B, T)."""

    ids: Tensor
    answers: Tensor


@dataclass(slots=True)
class Course:
    """The model on its way. ``curve`` has a row for every hundred steps."""

    model: Any
    plan: Plan
    told: Callable[[str], None]
    curve: list[tuple[int, int, float, float, float]] = field(default_factory=list)

    def run(self) -> None:
        """Train at every length in turn; the rate falls to a tenth at the whole window."""
        readout = torch.nn.Linear(self.model.config.hidden_size, len(lexicon.WORDS))
        weights = [*self.model.parameters(), *readout.parameters()]
        optimiser = torch.optim.AdamW(weights, lr=self.plan.rate, betas=(0.9, 0.98))
        rng, began, steps = draw(self.plan.seed, "texts"), thread_time(), 0
        for length, most in self.plan.stages:
            helper = readout if length <= SHORT else None
            self.model.set_attn_implementation("eager" if helper else "sdpa")
            last, right = length == self.plan.length, 0.0
            for step in range(1, most + 1):
                steps += 1
                fall = 1 - 0.9 * step / most if last else 1.0
                for group in optimiser.param_groups:
                    group["lr"] = self.plan.rate * min(fall, steps / WARM)
                loss, hits = self.loss(texts(self.plan, rng, length), helper)
                optimiser.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(weights, 1.0)
                optimiser.step()
                right += (hits - right) / SMOOTH
                grown = not last and right > ENOUGH
                if step % 100 == 0 or grown or step == most:
                    self.curve.append(
                        (length, steps, float(loss.detach()), right, thread_time() - began)
                    )
                    self.told(
                        "{} tokens, step {}: loss {:.3f}, right {:.3f}, {:.0f} s".format(
                            *self.curve[-1]
                        )
                    )
                if grown:
                    break

    def loss(self, batch: Texts, helper: torch.nn.Linear | None) -> tuple[Tensor, float]:
        """The loss of a batch, with the helping ones if asked, and the share of answers right."""
        told = self.model(
            input_ids=batch.ids,
            use_cache=False,
            output_hidden_states=helper is not None,
            output_attentions=helper is not None,
        )
        logits, wanted, asked = told.logits[:, :-1], batch.ids[:, 1:], batch.answers[:, 1:]
        costs = cross_entropy(logits.transpose(1, 2), wanted, reduction="none")
        loss = costs[asked].mean() + PLAIN * costs[~asked].mean()
        if helper is not None:
            known = helper(told.hidden_states[1][:, 1:]).transpose(1, 2)
            loss = loss + cross_entropy(known, batch.ids[:, :-1])
            loss = loss + looking(told.attentions[-1], batch)
        return loss, float((logits.argmax(-1) == wanted)[asked].float().mean())


def looking(weights: Tensor, batch: Texts) -> Tensor:
    """How little the last layer looks where the same word was followed by the answer.

    Args:
        weights: (B, H, T, T), of its attention.
        batch: the texts.
    """
    ids = batch.ids
    here, after, before = ids[:, :-1, None], ids[:, 1:, None], ids[:, None, :-1]
    same = (before == here) & (ids[:, None, 1:] == after)  # (B, T-1, T-1): query, place less one
    past = torch.ones_like(same).tril(-1)  # the answer itself is not yet there
    places = same & past.bool()
    found = (weights[:, :, :-1, 1:].mean(1) * places).sum(-1)  # (B, T-1)
    asked = batch.answers[:, 1:] & places.any(-1)
    return -(found[asked] + 1e-6).log().mean()


def pairs_of(length: int) -> int:
    """How many pairs a text of so many tokens has: it thins out as it grows."""
    return min(length // 6, 40)


def texts(plan: Plan, rng: random.Random, length: int) -> Texts:
    """A batch in which the tasks take turns."""
    rows, marks = [], []
    count = max(len(plan.tasks), plan.tokens // length)
    for number in range(count):
        if plan.tasks[number % len(plan.tasks)] == "recall":
            ids, places = recall.told(rng, length, pairs_of(length))
        else:
            ids, places = passkey.told(rng, length)
        rows.append(ids)
        marks.append([place in set(places) for place in range(length)])
    return Texts(torch.tensor(rows), torch.tensor(marks))


def build(size: Size, window: int, seed: int) -> Any:
    """A model with random weights."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(lexicon.WORDS),
            hidden_size=size.width,
            intermediate_size=2 * size.width,
            num_hidden_layers=size.layers,
            num_attention_heads=size.heads,
            num_key_value_heads=size.shared,
            head_dim=size.head_width,
            max_position_embeddings=window,
            rope_parameters={"rope_type": "default", "rope_theta": size.theta},
            tie_word_embeddings=True,
            pad_token_id=lexicon.PAD,
            bos_token_id=lexicon.START,
            eos_token_id=lexicon.END,
        )
    )


def right(model: Any, rows: Iterable[Prompt]) -> float:
    """The mean score of what the model writes, the likeliest word each time."""
    scores = []
    for row in rows:
        read = [lexicon.START, *lexicon.ids(row.text)]
        shown = torch.tensor([read])
        with torch.inference_mode():
            told = model.generate(
                shown,
                attention_mask=torch.ones_like(shown),
                max_new_tokens=row.max_new_tokens,
                do_sample=False,
            )
        scores.append(matched(row, lexicon.told(told[0, len(read) :].tolist())))
    return sum(scores) / len(scores)


def table(model: Any, plan: Plan, count: int) -> Iterator[tuple[str, int, int, float]]:
    """Task, tokens, prompts and score: within the window, at it, and at 4 and 16 times of it."""
    for name in plan.tasks:
        for times in (0.5, 1, 4, 16):
            length = max(32, int(plan.length * times))
            rows = list(islice(asked(name, length, count, plan.seed), count))
            yield name, length, len(rows), right(model, rows)


def asked(name: str, length: int, count: int, seed: int) -> Iterator[Prompt]:
    """Rows that were not learned from: their chance is drawn elsewhere."""
    if name == "passkey":
        return passkey.Passkey(length, count=-(-count // 5), seed=seed).prompts()
    pairs = pairs_of(length)
    return recall.Recall(length, pairs, -(-count // 2), min(2, pairs), seed=seed).prompts()


def arguments() -> Namespace:
    """What the user asks for."""
    parser: ArgumentParser = options(__doc__ or "")
    parser.add_argument("--task", choices=TASKS, default="recall", help="what it learns")
    parser.add_argument("--length", type=int, default=512, metavar="N", help="tokens of its window")
    parser.add_argument("--tokens", type=int, default=1536, metavar="N", help="of a batch")
    parser.add_argument("--last", type=int, default=1500, metavar="N", help="steps at the window")
    parser.add_argument(
        "--theta", type=float, default=10_000.0, help="base of the rotary positions"
    )
    parser.add_argument(
        "--into", type=Path, metavar="FOLDER", help="save model and tokenizer there"
    )
    return parser.parse_args()


def main() -> int:
    """Train, show the curve and the scores, save."""
    args = arguments()
    torch.set_num_threads(1)
    sheet = Sheet(
        f"A tiny model learns {args.task} within {args.length} tokens", args.seed, args.json
    )
    plan = Plan(TASKS[args.task], args.length, last=args.last, tokens=args.tokens, seed=args.seed)
    size = Size(theta=args.theta)
    if args.quick:
        plan, size = replace(plan, grow=10, last=10, tokens=128), Size(width=16, head_width=8)
    course = Course(build(size, plan.length, plan.seed), plan, sheet.note)
    course.run()
    model = course.model.eval()
    model.set_attn_implementation("sdpa")  # holds no T x T matrix
    sheet.table("Learning", ("tokens", "steps", "loss", "right", "CPU s"), course.curve)
    scores = list(table(model, plan, 4 if args.quick else 40))
    sheet.table("Prompts that it has not seen", ("task", "tokens", "prompts", "score"), scores)
    if args.into is not None:
        model.save_pretrained(args.into)
        tokenizer(plan.length).save_pretrained(args.into)
        sheet.note(f"saved in {args.into}")
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())

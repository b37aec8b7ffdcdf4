"""How soon is the first word there when memories are attached as keys and values, and not read?

Beside it, in the same loop: the same prompt as text. The model is a Llama of 27 million numbers
that knows nothing, 6 layers, D=64, float32, one token for each byte, on one thread. A form is
attached out of memory, and out of its file, with its checksum. Then: what joined forms are off, in
nats against the same prompt read as a whole, and what forms take on the disk.
"""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from transformers import ByT5Tokenizer, LlamaConfig, LlamaForCausalLM

from engram import Memory
from engram.lifecycle import encoding, joining
from engram.lifecycle.encoding import Held
from engram.lifecycle.joining import Piece
from harness import RUNS, Goal, Sheet, options, ratio, spread, took

CHAT = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
WORDS = "the boat lies in the harbour of Bergen and my cat hates rain but likes fish very much "
SMALL = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 3,
    "initializer_range": 0.2,  # with less, every token looks at all others alike
}
MS = 1000.0


def model_of(seed: int, **differs: Any) -> Any:
    """A Llama that knows nothing."""
    torch.manual_seed(seed)
    sizes: dict[str, Any] = {
        "hidden_size": 512,
        "intermediate_size": 1376,
        "num_hidden_layers": 6,
        **differs,
    }
    heads = sizes["hidden_size"] // 64
    config = LlamaConfig(
        vocab_size=8192, num_attention_heads=heads, max_position_embeddings=8192,
        eos_token_id=None, **sizes,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval().requires_grad_(False)


class Desk:
    """A memory, a model, and forms of just so many tokens."""

    def __init__(self, folder: Path, model: Any) -> None:
        self.memory = Memory.open(folder / "memory.db", embedder="none", durability="off")
        tokenizer = ByT5Tokenizer()
        tokenizer.chat_template = CHAT
        self.reading: dict[str, Any] = {"model": model, "tokenizer": tokenizer}

    def form(self, tokens: int, preset: str = "full") -> dict[str, Any]:
        """A form of a memory that takes so many tokens with all that is around it."""
        bare = self._promoted("x", preset)
        self.memory.demote(bare["id"])
        return self._promoted((WORDS * tokens)[: tokens - bare["tokens"] + 1], preset)

    def _promoted(self, text: str, preset: str) -> dict[str, Any]:
        added = self.memory.add({"content": text, "time": 1.7e9}, infer=False)["results"]
        return self.memory.promote([added[0]["id"]], preset=preset, **self.reading)

    def attached(self, form: str, query: str) -> Any:
        """The form before a query."""
        return self.memory.attach(form, query, **self.reading)

    def query(self, form: str, tokens: int) -> str:
        """A query with which so many tokens are left to read."""
        it = self.attached(form, "x")
        return (WORDS * tokens)[: tokens - (it.ids.shape[1] - it.held) + 1]


def first(desk: Desk, form: str, query: str, *, cold: bool = False) -> None:
    """From the call to the logits of the first word."""
    if cold:
        desk.memory.store.forget_caches()
    it = desk.attached(form, query)
    rest = it.ids[:, it.held :]
    it.model(rest, past_key_values=it.cache, use_cache=True, logits_to_keep=1)


def by_text(model: Any, ids: torch.Tensor) -> None:
    """The same of the prompt as text."""
    model(ids, use_cache=True, logits_to_keep=1)


def attaching(sheet: Sheet, desk: Desk, sizes: Sequence[tuple[int, int, float]]) -> None:
    """Time to the first word, and whether it is the same."""
    rows = []
    for tokens, rest, most in sizes:
        form = desk.form(tokens)
        query = desk.query(form["id"], rest)
        it = desk.attached(form["id"], query)
        calls = [
            partial(by_text, it.model, it.ids),
            partial(first, desk, form["id"], query),
            partial(first, desk, form["id"], query, cold=True),
        ]
        times = measured(calls)
        gap, same = compared(it)
        shares = [ratio(times[at], times[0]) for at in (1, 2)]
        name = f"{it.held:,} + {it.ids.shape[1] - it.held:,}"
        rows.append((name, *map(spread, times), *shares, f"{gap:.1e}", same))
        sheet.goals.append(Goal(f"{name}: attached / text", shares[0].median, most=most))
        sheet.goals.append(Goal(f"{name}: difference of a logit", gap, most=1e-5))
    head = (
        "tokens of memory + rest", "text, ms", "attached, ms", "out of its file, ms",
        "attached / text", "file / text", "logits off", "same 16 words",
    )  # fmt: skip
    sheet.table("Time to the first word", head, rows)


def measured(calls: Sequence[Callable[[], object]]) -> np.ndarray:
    """(calls, runs) ms on the clock; each call in turn."""
    for call in calls[1:]:
        call()
    every = np.zeros((len(calls), RUNS))
    for run in range(RUNS):
        for at, call in enumerate(calls):
            every[at, run] = MS * took(call).clock
    return every


def compared(it: Any) -> tuple[float, str]:
    """The largest difference of a logit, and whether the same words follow."""
    rest, whole = it.ids[:, it.held :], it.model(it.ids).logits[:, it.held :]
    gap = float((it.model(rest, past_key_values=it.cache.fork()).logits - whole).abs().max())
    how = {"max_new_tokens": 16, "do_sample": False, "pad_token_id": 0}
    ours = it.model.generate(it.ids, past_key_values=it.cache, **how)
    return gap, "yes" if torch.equal(ours, it.model.generate(it.ids, **how)) else "NO"


def sizes_on_disk(sheet: Sheet, desk: Desk, lengths: Sequence[int]) -> None:
    """Bytes of files, whole and packed in two bits."""
    rows = []
    for tokens in lengths:
        whole, packed = (desk.form(tokens, preset)["bytes"] for preset in ("full", "kivi"))
        rows.append((f"{tokens:,}", f"{whole:,}", f"{packed:,}", packed / whole))
    head = ("tokens", "full", "kivi", "kivi / full")
    sheet.table("Bytes of a form on the disk", head, rows)


def joining_apart(sheet: Sheet, seed: int, tokens: int, shares: Sequence[float]) -> None:
    """What two forms are off that were made apart, in nats, by what is read again."""
    model = model_of(seed, **SMALL)
    dice = torch.Generator().manual_seed(seed)
    rows: list[list[float]] = [[] for _ in range(len(shares) + 1)]
    for _ in range(RUNS):
        ids = torch.randint(3, 8192, (1, 2 * tokens + 16), generator=dice)
        parts = ids[0, :tokens].tolist(), ids[0, tokens : 2 * tokens].tolist()
        held = []
        for part in parts:
            cache = encoding.empty(model, "full")
            encoding.read(cache, part)
            held.append(Held(cache, part, lambda: model))
        pieces = [Piece(0, tokens, 0, held[0]), Piece(tokens, 2 * tokens, 0, held[1])]
        rows[0].append(off(naive(held), ids, tokens))
        for at, share in enumerate(shares, 1):
            count = int(share * tokens)
            cache = joining.joined(pieces, ids[0].tolist(), recompute=count)
            rows[at].append(off(cache, ids, tokens))
    names = ["as they are", *(f"turned, {share:.0%} read again" for share in shares)]
    shown = [(name, spread(row)) for name, row in zip(names, rows, strict=True)]
    title = f"Two forms of {tokens} tokens joined, 3 layers: KL on 16 tokens that follow"
    sheet.table(title, ("joined", "nats"), shown)


def off(cache: Any, ids: torch.Tensor, tokens: int) -> float:
    """In nats, of what follows two pieces."""
    return joining.error(cache, ids, 2 * tokens)["kl"]


def naive(held: Sequence[Held]) -> Any:
    """Keys and values side by side, none of them turned."""
    cache = held[0].cache.fork()
    for layer, other in zip(cache.ours, held[1].cache.ours, strict=True):
        keys, values = other.present()
        layer.append(keys, values)
        layer.settle()
    return cache


def main() -> int:
    """Measure everything; a minute or two."""
    args = options("How soon is the first word there when memories are attached?").parse_args()
    torch.set_num_threads(1)
    sheet = Sheet("Forms of memories as keys and values", args.seed, args.json)
    sizes = [(512, 57, 0.2), (2048, 228, 0.2), (2048, 32, 0.3)]
    with TemporaryDirectory(prefix="engram-attach-") as folder:
        desk = Desk(Path(folder), model_of(args.seed))
        attaching(sheet, desk, sizes[:1] if args.quick else sizes)
        sizes_on_disk(sheet, desk, [512] if args.quick else [512, 2048])
        desk.memory.close()
    joining_apart(sheet, args.seed, 64 if args.quick else 128, (0, 0.1, 0.2, 0.5, 1))
    sheet.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

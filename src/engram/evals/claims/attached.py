"""What MemOS says of activation memory: it answers as the text would, sooner, and grows by no turn.

The model is made here and knows nothing; what is measured needs no more. Times are the quickest of
some rounds, for load of the machine only ever adds.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from engram.errors import InvalidInput
from engram.evals.claims.figures import Figure
from engram.extras import require
from engram.memory import Memory

_CHAT = (
    "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
_QUERY = "Where is Ada?"
_ROUNDS, _TURNS = 6, 100


def attachment() -> list[Figure]:
    """Logits, words and time of a form before a query beside its text; what an edit ends."""
    if any(find_spec(package) is None for package in ("torch", "transformers")):
        needs = "not measured: pip install 'engram[hf]'"
        return [_figure("what is attached, beside the same as text", "the same", needs, ok=True)]
    reading = {"model": _model(1), "tokenizer": _tokenizer()}
    with (
        _one_thread(),
        TemporaryDirectory(prefix="engram-claim-") as folder,
        Memory.open(f"{folder}/memory.db", embedder="none", durability="off") as memory,
    ):
        said = [f"The boat number {at} is called Ada and lies in harbour {at}." for at in range(8)]
        ids = [each["id"] for each in memory.add(said, infer=False)["results"]]
        form = memory.promote(ids, **reading)
        attached = memory.attach(form["id"], _QUERY, **reading)
        return [
            *_same(memory, form["id"], reading),
            _sooner(memory, attached, form["id"], reading),
            _turns(memory, form["id"], reading),
            _sibling(memory, form["id"], reading),
            _joined(memory, ids, reading),
            _edit(memory, ids, reading),
        ]


@contextmanager
def _one_thread() -> Iterator[None]:
    """So small a model is quickest on one, and a busy machine disturbs it least."""
    torch: Any = require("torch", extra="hf", purpose="the claim of 'memos'")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _figure(what: str, published: str, measured: float | str, *, ok: bool) -> Figure:
    return {"what": what, "published": published, "measured": measured, "ok": ok}


def _model(seed: int) -> Any:
    torch: Any = require("torch", extra="hf", purpose="the claim of 'memos'")
    library: Any = require("transformers", extra="hf", purpose="the claim of 'memos'")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = library.LlamaConfig(
            vocab_size=384,
            hidden_size=256,
            intermediate_size=512,
            num_hidden_layers=3,
            num_attention_heads=2,
            max_position_embeddings=8192,
            eos_token_id=None,
        )
        return library.LlamaForCausalLM(config).eval().requires_grad_(False)


def _tokenizer() -> Any:
    """One token for each byte, which needs no file."""
    library: Any = require("transformers", extra="hf", purpose="the claim of 'memos'")
    made = library.ByT5Tokenizer()
    made.chat_template = _CHAT
    return made


def _same(memory: Memory, form: str, reading: dict[str, Any]) -> list[Figure]:
    model, attached = reading["model"], memory.attach(form, _QUERY, **reading)
    rest, cache = attached.ids[:, attached.held :], attached.cache
    whole = model(attached.ids).logits[:, attached.held :]
    gap = float((model(rest, past_key_values=cache.fork()).logits - whole).abs().max())
    how = {"max_new_tokens": 16, "do_sample": False, "pad_token_id": 0}
    ours = model.generate(attached.ids, past_key_values=cache, **how)
    text = model.generate(attached.ids, **how)
    differ = int((ours != text).sum()) if ours.shape == text.shape else ours.shape[1]
    return [
        _figure("largest difference of a logit from the text's", "0", f"{gap:.1e}", ok=gap <= 1e-5),
        _figure("words of 16 that differ from the text's", "0", differ, ok=differ == 0),
    ]


def _sooner(memory: Memory, attached: Any, form: str, reading: dict[str, Any]) -> Figure:
    """From the call to the first word."""
    model = reading["model"]

    def by_form() -> None:
        it = memory.attach(form, _QUERY, **reading)
        model(it.ids[:, it.held :], past_key_values=it.cache, use_cache=True, logits_to_keep=1)

    def by_text() -> None:
        model(attached.ids, use_cache=True, logits_to_keep=1)

    with_form, with_text = _quickest([by_form, by_text])
    rest = attached.ids.shape[1] - attached.held
    return _figure(
        f"less time to the first word, {attached.held} tokens of memory and {rest} more",
        "71% to 94%, long memory and short query",
        f"{1 - with_form / with_text:.0%}",
        ok=with_form <= 0.3 * with_text,
    )


def _quickest(calls: Sequence[Callable[[], None]]) -> list[float]:
    best = [float("inf")] * len(calls)
    for _ in range(_ROUNDS):
        for at, call in enumerate(calls):
            began = perf_counter()
            call()
            best[at] = min(best[at], perf_counter() - began)
    return best


def _turns(memory: Memory, form: str, reading: dict[str, Any]) -> Figure:
    """A cache that is handed out itself grows with every turn."""
    lengths = set()
    for turn in range(_TURNS):
        it = memory.attach(form, f"{_QUERY} {turn}", **reading)
        if turn % 50 == 0:
            reading["model"](it.ids[:, it.held :], past_key_values=it.cache, use_cache=True)
        lengths.add(it.held)
    (size,) = {each["bytes"] for each in memory.forms() if each["id"] == form}
    problems = memory.check()["problems"]
    return _figure(
        f"lengths that a form of {size:,} bytes had in {_TURNS} turns, and its checksum",
        "1, holds",
        f"{len(lengths)}, {'fails' if problems else 'holds'}",
        ok=len(lengths) == 1 and not problems,
    )


def _sibling(memory: Memory, form: str, reading: dict[str, Any]) -> Figure:
    try:
        memory.attach(form, _QUERY, **{**reading, "model": _model(2)})
        refused = "no"
    except InvalidInput:
        refused = "yes"
    return _figure("a model of the same shape is refused", "yes", refused, ok=refused == "yes")


def _joined(memory: Memory, ids: Sequence[str], reading: dict[str, Any]) -> Figure:
    """Two forms that do not know of one another, as they are and with tokens read again."""
    pair = [memory.promote(part, **reading)["id"] for part in (ids[:4], ids[4:])]
    kl = [
        memory.attach(
            pair, _QUERY, approximate=True, measure=True, recompute=count, **reading
        ).error["kl"]
        for count in (0, 10_000)
    ]
    for form in pair:
        memory.demote(form)
    return _figure(
        "KL of two forms joined from the same text, and with all of the second read again",
        "0.03 in another model, 0",
        f"{kl[0]:.1e}, {abs(kl[1]):.0e}",
        ok=abs(kl[1]) < 1e-6 < kl[0],
    )


def _edit(memory: Memory, ids: Sequence[str], reading: dict[str, Any]) -> Figure:
    forms = {at: memory.promote(ids[at : at + 2], **reading)["id"] for at in range(4)}
    memory.update(ids[2], "The boat number 2 has sunk.")
    states = {each["id"]: each["state"] for each in memory.forms()}
    ended = [at for at, form in forms.items() if states[form] == "stale"]
    return _figure(
        "of forms of memories 0-1, 1-2, 2-3 and 3-4, ended by an edit of memory 2",
        "1-2, 2-3",
        ", ".join(f"{at}-{at + 1}" for at in ended),
        ok=ended == [1, 2],
    )

"""A text goes through a cache and is written on, always by the likeliest token, and measured."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from statistics import fmean
from time import perf_counter
from typing import Any, Literal, TypeAlias

from engram.adapters.kv_reading import Reader, attached, fill, step
from engram.errors import InvalidInput

_UNFINISHED = "\ufffd"  # what a character is shown as while not all of its bytes are there

Heard: TypeAlias = Callable[[Literal["reading", "writing"], int, int, str], None]
"""Is told what is done, how far it is, of how many tokens, and the text that was just written."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a run.

    Attributes:
        text: what was written.
        ids: its tokens.
        prompt: tokens that were read.
        first: seconds from the empty cache to the first token.
        writing: seconds of all further tokens.
        usage: bytes of the cache at the end, by what holds them.
        total: all of these bytes.
        kept: entries that a head holds at the end, in the mean over heads and layers.
        seen: tokens that went through the cache.
    """

    text: str
    ids: tuple[int, ...]
    prompt: int
    first: float
    writing: float
    usage: dict[str, int]
    total: int
    kept: float
    seen: int

    @property
    def pace(self) -> float:
        """Tokens a second, after the first; nan where there is none."""
        return (len(self.ids) - 1) / self.writing if len(self.ids) > 1 else float("nan")


@dataclass(slots=True)
class _Speller:
    """Text of tokens that come one by one; a character that is not whole yet waits."""

    decode: Callable[[Sequence[int]], str]
    ids: list[int] = field(default_factory=list)
    text: str = ""
    start: int = 0
    told: int = 0

    def more(self, token: int, *, last: bool = False) -> str:
        """What a token adds. Tokens before it are decoded with it, for spaces depend on them."""
        self.ids.append(token)
        before = self.decode(self.ids[self.start : self.told])
        whole = self.decode(self.ids[self.start :])
        if whole.endswith(_UNFINISHED) and not last:
            return ""
        self.start, self.told = self.told, len(self.ids)
        added = whole[len(before) :]
        self.text += added
        return added


def run(
    reader: Reader,
    cache: Any,
    ids: Sequence[int],
    most: int,
    *,
    chunk: int | None = None,
    heard: Heard | None = None,
) -> Ran:
    """Fill an empty cache with a prompt and write at most ``most`` tokens after it.

    Args:
        reader: the model.
        cache: an empty cache of engram.
        ids: the prompt, at least one token.
        most: at least 1.
        chunk: tokens that are read at once; None reads all at once.
        heard: is told how far it is.

    Raises:
        InvalidInput: there is no prompt, or nothing may be written.
    """
    if not ids or most < 1:
        raise InvalidInput(
            f"a prompt and an answer must have at least 1 token each, got {len(ids)} and {most!r}"
        )
    tell = heard or _unheard
    speller, writing = _Speller(reader.decode), 0.0
    torch: Any = import_module("torch")
    began, told = perf_counter(), len(ids)
    with torch.inference_mode(), attached(cache, reader.model):
        tell("reading", 0, told, "")
        last = fill(reader.model, cache, ids, chunk, lambda done: tell("reading", done, told, ""))
        first = perf_counter() - began
        while last not in reader.ends:
            more = speller.more(last, last=len(speller.ids) + 1 == most)
            tell("writing", len(speller.ids), most, more)
            if len(speller.ids) == most:
                break
            began = perf_counter()  # the listener's time is not the model's
            last = step(reader.model, cache, [last], told + len(speller.ids) - 1)
            writing += perf_counter() - began
    return _ran(speller, cache, told, first, writing)


def _ran(speller: _Speller, cache: Any, prompt: int, first: float, writing: float) -> Ran:
    """What came of it, with what the cache holds now."""
    usage, layers = cache.memory_usage(), cache.ours
    return Ran(
        text=speller.text,
        ids=tuple(speller.ids),
        prompt=prompt,
        first=first,
        writing=writing,
        usage={name: int(held) for name, held in asdict(usage).items()},
        total=usage.total,
        kept=fmean(map(_kept, layers)),
        seen=max(layer.seen for layer in layers),
    )


def _kept(layer: Any) -> float:
    """Entries that a head of a layer holds, in the mean."""
    valid = None if layer.ledger is None else layer.ledger.valid
    return float(len(layer)) if valid is None else float(valid.float().sum(-1).mean())


def _unheard(*_: object) -> None:
    """Nobody listens."""

"""How a model reads through a cache: some ids at once, piece by piece, and what is told meanwhile.

Nothing here loads torch before a model is read with; the model and the caches bring it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Reader:
    """A model and its tokenizer.

    ``encode`` gives the ids of a text, with the token that begins a text where ``start`` is true,
    and ``decode`` the text of ids. ``ends`` are ids after which nothing is written. ``window`` is
    how many tokens it was trained to read, None where it does not say.
    """

    model: Any
    encode: Callable[[str, bool], Sequence[int]]
    decode: Callable[[Sequence[int]], str]
    ends: frozenset[int] = frozenset()
    window: int | None = None


@runtime_checkable
class Attachable(Protocol):
    """A cache that has to take the place of the model's attention while it is used."""

    def attached(self, model: Any) -> AbstractContextManager[Any]:
        """Inside it the model looks through this cache."""
        ...


def attached(cache: Any, model: Any) -> AbstractContextManager[Any]:
    """The model looks through the cache inside the block."""
    return cache.attached(model) if isinstance(cache, Attachable) else nullcontext()


def listens(cache: Any) -> bool:
    """Whether a cache wants to be told how each token was expected."""
    return any("surprisal" in layer.policies.facts for layer in getattr(cache, "ours", ()))


def step(model: Any, cache: Any, ids: Sequence[int], place: int) -> int:
    """The likeliest next id after some more ids, the first of which stands at ``place``.

    Call it inside ``attached``.
    """
    torch: Any = import_module("torch")
    tells = listens(cache)
    shown = torch.tensor([list(ids)], device=model.device)  # (1, T)
    places = torch.arange(place, place + len(ids), device=model.device)[None]  # (1, T)
    told = model(
        input_ids=shown,
        position_ids=places,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=0 if tells else 1,  # 0 is all of them
    )
    if tells:
        cache.observe_logits(shown, told.logits)
    return int(told.logits[0, -1].argmax())  # waits for a device


def fill(
    model: Any,
    cache: Any,
    ids: Sequence[int],
    chunk: int | None = None,
    told: Callable[[int], None] | None = None,
) -> int:
    """The likeliest id after all ids, which an empty cache is filled with.

    Args:
        model: what reads.
        cache: what is filled.
        ids: at least one.
        chunk: how many are read at once; a cache that drops entries does so after each. None reads
            all of them at once. A cache that is told how tokens were expected counts the untold
            as new, so of those it is given no more than half of what it keeps.
        told: is told how many were read, a part of them where a part of the layers is through.
    """
    last, start, size = -1, 0, chunk or len(ids)
    while start < len(ids):
        part = ids[start : start + min(size, _room(cache, start, size))]
        with _watched(model, start, len(part), told):
            last = step(model, cache, part, start)
        start += len(part)
    return last


def _room(cache: Any, seen: int, size: int) -> int:
    """How many tokens may be untold after ``seen`` ones; ``size`` where it does not matter."""
    if not listens(cache):
        return size
    keeps = [layer.policies.keep for layer in cache.ours]
    return max(1, min(int(keep if isinstance(keep, int) else keep * seen) for keep in keeps) // 2)


@contextmanager
def _watched(
    model: Any, before: int, count: int, told: Callable[[int], None] | None
) -> Iterator[None]:
    """Tell how far ``count`` tokens are, as one layer after the other has attended."""
    layers = {getattr(each, "layer_idx", None): each for each in model.modules()}
    found = [each for number, each in layers.items() if isinstance(number, int)]
    if told is None or not found:
        yield
        return

    def heard(number: int) -> Callable[..., None]:
        return lambda *_: told(before + count * (number + 1) // len(found))

    hooks = [each.register_forward_hook(heard(number)) for number, each in enumerate(found)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()

"""A model reads tokens into a cache, and caches that were read are kept at hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from weakref import WeakKeyDictionary, ref

import torch
from torch import Tensor

from engram.activation.policies import Policies
from engram.adapters import kv_bytes
from engram.adapters.kv_files import fingerprint
from engram.adapters.pretrained import Pretrained, pretrained
from engram.errors import InvalidInput
from engram.kv.memory_cache import MemoryCache
from engram.plaintext.store import form_files
from engram.plaintext.store.forms import Form
from engram.plaintext.store.store import CACHE_BYTES, Store

Progress = Callable[[int, int], None]
CHUNK = 1024  # tokens of one call of the model; a bar moves between two
BLOCK = 64  # tokens of a link of the chain
_SEEN = 8  # numbers of a weight that tell whether it may have changed

_names: WeakKeyDictionary[Any, tuple[object, str]] = WeakKeyDictionary()
_sizes: WeakKeyDictionary[Any, dict[tuple[str, int], int]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """A model with its tokenizer, and the name of both."""

    model: Any
    tokenizer: Any
    name: str


def reader(model: Any, tokenizer: Any) -> Reader:
    """What a caller means, with its name. The name of one that has not changed is known."""
    found: Pretrained = pretrained(model, tokenizer)
    now = (id(found.tokenizer), getattr(found.tokenizer, "chat_template", None), _look(found.model))
    known = _names.get(found.model)
    if known is None or known[0] != now:
        known = _names[found.model] = (now, fingerprint(found.model, found.tokenizer))
    return Reader(found.model, found.tokenizer, known[1])


def _look(model: Any) -> tuple[object, ...]:
    """Where the weights are, how often they were written to, and a few of their numbers."""
    seen: list[object] = []
    for weight in model.state_dict().values():
        flat = weight.detach().reshape(-1)
        some = flat[:: max(1, flat.numel() // _SEEN)][:_SEEN]
        written = None if weight.is_inference() else weight._version
        seen.append((weight.data_ptr(), weight.dtype, written, tuple(some.tolist())))
    return tuple(seen)


def empty(model: Any, preset: str) -> MemoryCache:
    """A cache that keeps every entry where it was read.

    Raises:
        InvalidInput: the preset drops, thins or moves entries.
        UnknownMethod: there is no such preset.
    """
    cache = MemoryCache.for_model(model, preset, attach=False)
    if not all(_keeps(layer.policies) for layer in cache.ours):
        raise InvalidInput(
            f"a form must hold every entry, got the preset {preset!r}; use 'full' or 'kivi'"
        )
    return cache


def size(model: Any, preset: str, tokens: int) -> int:
    """The bytes of a form of so many tokens; the model reads as many, the first time."""
    known = _sizes.setdefault(model, {})
    if (preset, tokens) not in known:
        cache, ids = empty(model, preset), [0] * tokens
        read(cache, ids)
        known[preset, tokens] = len(kv_bytes.content(cache, torch.tensor(ids)))
    return known[preset, tokens]


def window(model: Any) -> int | None:
    """The most tokens that a model reads; None where its config names no end."""
    config = model.config.get_text_config(decoder=True)
    most = getattr(config, "max_position_embeddings", None)
    return None if most is None else int(most)


def _keeps(policies: Policies) -> bool:
    return not (policies.scorer or policies.thinner) and policies.position == "absolute"


def read(
    cache: MemoryCache, tokens: Sequence[int], start: int = 0, progress: Progress | None = None
) -> Tensor:
    """Let the model read tokens from ``start`` on; return the logits of the last, (vocabulary,).

    Raises:
        InvalidInput: they are more than the model can read.
    """
    model: Any = cache.model
    most = window(model)
    if most is not None and len(tokens) > most:
        raise InvalidInput(
            f"the model reads {most} tokens, the memories take {len(tokens)}; promote fewer"
        )
    last, trains = torch.empty(0), model.training
    model.eval()  # what is kept must not depend on which weights were dropped by chance
    with torch.no_grad():
        for at in range(start, len(tokens), CHUNK):
            ids = torch.tensor([list(tokens[at : at + CHUNK])], device=model.device)  # (1, T)
            told = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
            last = told.logits[0, -1]
            if progress:
                progress(at + ids.shape[1], len(tokens))
    model.train(trains)
    return last


def cut(cache: MemoryCache, tokens: Sequence[int], keep: int) -> MemoryCache:
    """A cache of its own that holds the first ``keep`` of its tokens."""
    if keep == len(tokens):
        return cache.fork()
    if len(cache.ours) < len(cache.layers):  # what left a window cannot come back
        again = MemoryCache(cache.model, cache.settings)
        read(again, tokens[:keep])
        return again
    twin = cache.fork()
    twin.crop(keep - len(tokens))
    return twin


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A form that was read: its cache, to which nobody writes, its tokens, and its model."""

    cache: MemoryCache
    tokens: Sequence[int]
    model: Callable[[], Any]


def at_hand(store: Store, form: Form, model: Any) -> Held | None:
    """What was read of a form already."""
    held = store.forms.get(form.file)
    return held if held is not None and held.model() is model else None


def opened(store: Store, form: Form, model: Any) -> Held | None:
    """A form out of its file; None where that is missing or damaged."""
    content = form_files.content(store, form)
    if content is None:
        return None
    cache = empty(model, form.preset)
    try:
        tokens = kv_bytes.fill(cache, content)
    except InvalidInput:
        return None
    return hold(store, form, Held(cache, tokens.tolist(), ref(model)))


def hold(store: Store, form: Form, held: Held) -> Held:
    """Keep what was read at hand, as long as there is room."""
    store.forms[form.file] = held
    sizes: Mapping[str, int] = {
        file: each.cache.memory_usage().total for file, each in list(store.forms.items())
    }
    room = sum(sizes.values())
    for file, size in sizes.items():
        if room > CACHE_BYTES and file != form.file:
            store.forms.pop(file, None)
            room -= size
    return held


def chain(tokens: Sequence[int], root: str) -> bytes:
    """Eight bytes for each whole block of tokens, which follow from all tokens up to its end."""
    links, last = b"", root.encode()
    for start in range(0, len(tokens) - BLOCK + 1, BLOCK):
        block = b"".join(token.to_bytes(4, "big") for token in tokens[start : start + BLOCK])
        last = blake2b(last + block, digest_size=8).digest()
        links += last
    return links

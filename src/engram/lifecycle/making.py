"""Records become a form: told, read by the model, written beside the store, its row last."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from weakref import ref

import torch

from engram.adapters import kv_bytes
from engram.errors import InvalidInput, StoreBusy
from engram.kv.memory_cache import MemoryCache
from engram.lifecycle import encoding, prompts
from engram.lifecycle.encoding import BLOCK, Held, Progress, Reader
from engram.plaintext.roles import Record
from engram.plaintext.store import forms, parts
from engram.plaintext.store.coding import dumps
from engram.plaintext.store.forms import FRESH, Form
from engram.plaintext.store.store import Store
from engram.plaintext.store.touching import live
from engram.plaintext.store.view import current, space_of

ACTIVATION = "activation"
_TRIES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Workshop:
    """Where forms are made.

    Attributes:
        store: holds the records and the forms.
        reader: the model that they are for.
        now: seconds.
        progress: called with tokens read and tokens in all.
    """

    store: Store
    reader: Reader
    now: float
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a form is made of, and how; it keeps the ``id`` of the one that it replaces."""

    records: tuple[str, ...]
    preset: str = "full"
    method: str = "promote"
    id: str = ""


def make(shop: Workshop, wish: Wish) -> tuple[Form, Held | None]:
    """A fresh form: the one that is there, or a new one and what was read of it.

    Raises:
        InvalidInput: a record is not recalled, or they belong to several users or apps.
        StoreBusy: the records changed each time before they were read.
    """
    encoding.empty(shop.reader.model, wish.preset)  # says what is wrong with it before all else
    for _ in range(_TRIES):
        records = _records(shop, wish.records)
        form = _form(shop, wish, records)
        with shop.store.snapshot() as db:
            there = forms.find(db, form.id)
        if there and _same(there, form):
            return there, None
        if done := _made(shop, form, records):
            return done
    raise StoreBusy(
        f"{shop.store.path}: the memories must stand still while they are read, they changed "
        f"{_TRIES} times; try again"
    )


def _same(there: Form, form: Form) -> bool:
    """Whether a form is what is to be made; the file is looked at when it is attached."""
    return there.state == FRESH and there.records == form.records and there.model == form.model


def _records(shop: Workshop, ids: Sequence[str]) -> list[Record]:
    with shop.store.snapshot() as db:
        found = current(db, ids)
    for each in found.values():
        if not live(each, shop.now):
            raise InvalidInput(
                f"a memory must be active and hold now to be promoted, {each.id!r} is {each.state}"
            )
    if len({(each.scope.app, each.scope.user) for each in found.values()}) != 1:
        raise InvalidInput(
            f"a form holds memories of one user in one app, at least one, got {len(found)} of "
            f"{sorted({each.scope.user for each in found.values()})!r}"
        )
    return prompts.in_order(found.values())


def _form(shop: Workshop, wish: Wish, records: Sequence[Record]) -> Form:
    """The form without its tensors."""
    with shop.store.snapshot() as db:
        space = space_of(db, records[0].scope) or 0
    named = dumps([space, shop.reader.name, wish.preset, [record.id for record in records]])
    return Form(
        id=wish.id or str(uuid.uuid5(uuid.NAMESPACE_OID, named)),
        space=space,
        kind=ACTIVATION,
        model=shop.reader.name,
        preset=wish.preset,
        method=wish.method,
        state=FRESH,
        tokens=0,
        size=0,
        file=parts.fresh_name(".safetensors"),
        checksum=b"",
        chain=b"",
        made=shop.now,
        records=tuple((record.id, record.version) for record in records),
    )


def _made(shop: Workshop, form: Form, records: Sequence[Record]) -> tuple[Form, Held] | None:
    """Read and write it; None where a record has changed meanwhile."""
    text = prompts.told(records, shop.reader.tokenizer)
    tokens = prompts.beginning(shop.reader.tokenizer, text)
    cache, start = _begun(shop, form, tokens)
    encoding.read(cache, tokens, start, shop.progress)
    content = kv_bytes.content(cache, torch.tensor(tokens))
    whole = replace(
        form,
        tokens=len(tokens),
        size=len(content),
        checksum=forms.checksum(content),
        chain=encoding.chain(tokens, _root(form)),
    )
    with parts.written(shop.store.path, content) as part:
        if not forms.keep(shop.store, whole, part):
            return None
    forms.sweep(shop.store)
    held = Held(cache, tokens, ref(shop.reader.model))
    return whole, encoding.hold(shop.store, whole, held)


def _root(form: Form) -> str:
    """Two chains can be alike only within one space, model and preset."""
    return dumps([form.space, form.model, form.preset])


def _begun(shop: Workshop, form: Form, tokens: Sequence[int]) -> tuple[MemoryCache, int]:
    """A cache for the tokens, and how many of them it holds: those of another form are shared.

    Only what is held as it came: packing what was packed would add to its error.
    """
    fresh = encoding.empty(shop.reader.model, form.preset)
    if form.preset != "full" or len(fresh.ours) < len(fresh.layers):
        return fresh, 0
    wanted = encoding.chain(tokens, _root(form))
    with shop.store.snapshot() as db:
        others = [each for each in forms.within(db, form.space) if each.state == FRESH]
    length = _links(wanted)
    best = max(others, key=lambda each: length(each.chain), default=None)
    if best is None or not length(best.chain):
        return fresh, 0
    held = encoding.at_hand(shop.store, best, shop.reader.model) or encoding.opened(
        shop.store, best, shop.reader.model
    )
    if held is None:
        return fresh, 0
    alike = min(prompts.shared(held.tokens, tokens), len(tokens) - 1)
    return encoding.cut(held.cache, held.tokens, alike), alike


def _links(wanted: bytes) -> Callable[[bytes], int]:
    """How many tokens a chain begins with that ``wanted`` begins with, too."""

    def length(chain: bytes) -> int:
        return prompts.shared(chain, wanted) // 8 * BLOCK

    return length

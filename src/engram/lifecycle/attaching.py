"""A form before a query: a cache that holds the prompt's beginning, and the ids of the prompt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engram.errors import InvalidInput, NotFound, StoreBusy
from engram.kv.memory_cache import MemoryCache
from engram.lifecycle import encoding, making, prompts
from engram.lifecycle.encoding import Held
from engram.lifecycle.making import Wish, Workshop
from engram.plaintext.roles import Record, Scope
from engram.plaintext.store import forms
from engram.plaintext.store.forms import FRESH, Form
from engram.plaintext.store.touching import drop, live, spoil

_SLACK = 16  # tokens at the end that a query may join with; more means that the prompt has changed


@dataclass(frozen=True, slots=True, eq=False)
class Attached:
    """A prompt that begins in a cache: ``model.generate(it.ids, past_key_values=it.cache)``.

    Attributes:
        cache: a fork, free to grow; it holds the first ``held`` tokens.
        ids: (1, T), the whole prompt, those that are held among them.
        held: how many tokens need not be read any more.
        model: that the cache is for; a cache alone does not keep it.
        forms: ids of the forms that it is made of.
        records: ids of the memories that it tells, in their order.
        source: ``held`` in memory, ``file``, or ``text``: made anew.
        why: why it was made anew; else empty.
        approximate: whether forms were joined that do not know of one another.
        error: how far that is from the same prompt read as a whole, where it was measured.
    """

    cache: MemoryCache
    ids: Tensor
    held: int
    model: Any
    forms: tuple[str, ...]
    records: tuple[str, ...]
    source: str
    why: str = ""
    approximate: bool = False
    error: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """A form that is true, what was read of it, and its records as they are."""

    form: Form
    held: Held
    records: Sequence[Record]
    source: str
    why: str = ""


def attach(shop: Workshop, form_id: str, query: str, scope: Scope | None) -> Attached:
    """A form before a query.

    Raises:
        NotFound: there is no such form in the scope, or nothing in it is recalled any more.
        InvalidInput: it was made for another model or tokenizer.
    """
    found = true_form(shop, form_id, scope)
    tokenizer = shop.reader.tokenizer
    ids = prompts.whole(tokenizer, prompts.told(found.records, tokenizer), query)
    alike = prompts.shared(found.held.tokens, ids)
    if alike < len(found.held.tokens) - _SLACK and not found.why:
        found = _again(shop, found.form, found.records, "the prompt is written in another way")
        alike = prompts.shared(found.held.tokens, ids)
    alike = min(alike, len(ids) - 1)  # a model must read one token to say another
    return Attached(
        cache=encoding.cut(found.held.cache, found.held.tokens, alike),
        ids=torch.tensor([ids], device=shop.reader.model.device),
        held=alike,
        model=shop.reader.model,
        forms=(found.form.id,),
        records=tuple(record.id for record in found.records),
        source=found.source,
        why=found.why,
    )


def true_form(shop: Workshop, form_id: str, scope: Scope | None) -> Told:
    """A form whose text is what its records say now; it is made anew where it is not."""
    with shop.store.snapshot() as db:
        form = forms.find(db, form_id)
        records = [] if form is None else forms.records_of(db, form)
    if form is None or not visible(records, scope):
        raise NotFound(f"no form has the id {form_id!r} here; check the id and the scope")
    if form.model != shop.reader.name:
        raise InvalidInput(
            f"a form fits only the model and tokenizer that it was made for, {form.model}, got "
            f"{shop.reader.name}; promote its memories for this one"
        )
    lasting = [record for record in records if live(record, shop.now)]
    versions = tuple((record.id, record.version) for record in lasting)
    if form.state != FRESH or versions != form.records:
        return _again(shop, form, lasting, "its memories have changed")
    if held := encoding.at_hand(shop.store, form, shop.reader.model):
        return Told(form, held, lasting, "held")
    if held := encoding.opened(shop.store, form, shop.reader.model):
        return Told(form, held, lasting, "file")
    return _again(shop, form, lasting, "its file is missing or damaged")


def visible(records: Sequence[Record], scope: Scope | None) -> bool:
    """Whether a scope holds all of them."""
    return scope is None or all(scope.holds(record.scope) for record in records)


def _again(shop: Workshop, form: Form, records: Sequence[Record], why: str) -> Told:
    """Make a form anew out of what its records say now; those that are gone are left out."""
    with shop.store.exclusive() as db:
        if records:
            spoil(db, [form.id])
        else:
            drop(db, [form.id])
    if not records:
        forms.sweep(shop.store)
        raise NotFound(
            f"nothing that the form {form.id!r} was made of is recalled any more; promote other "
            "memories"
        )
    wish = Wish(tuple(record.id for record in records), form.preset, form.method, form.id)
    made, held = making.make(shop, wish)
    held = held or encoding.opened(shop.store, made, shop.reader.model)
    if held is None:
        raise StoreBusy(f"{shop.store.path}: others make and end the form {form.id}; try again")
    with shop.store.snapshot() as db:
        records = forms.records_of(db, made)
    return Told(made, held, records, "text", why)

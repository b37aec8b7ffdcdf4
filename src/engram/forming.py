"""Forms of a memory: text that a model has read already, and what becomes of it with the text."""

import threading
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Literal, Unpack

from engram.errors import InvalidInput, NotFound, brief
from engram.exchange.archive import Progress
from engram.keeping import Keeping, Result
from engram.plaintext import upkeep
from engram.plaintext.asking import known_id, maybe_scope
from engram.plaintext.enrich import Enriching
from engram.plaintext.intake import Ids, checked_text, scope_of
from engram.plaintext.roles import Keeper, Scope
from engram.plaintext.store import forms
from engram.plaintext.store.forms import Form
from engram.plaintext.store.store import Store
from engram.plaintext.store.touching import drop
from engram.plaintext.store.view import space_of
from engram.plaintext.text.times import iso
from engram.ports import Clock


class Joining(Ids, total=False):
    """The scope of ``attach``, and how several forms become one prompt.

    ``approximate`` joins them as they are, though none knows of the ones before it; else their
    memories are read together. ``recompute`` tokens at the start of each are then read again, and
    ``measure`` says how far the result is from a prompt that was read as a whole.
    """

    approximate: bool
    recompute: int
    measure: bool


class Scheduling(Ids, total=False):
    """The scope of ``schedule``, and what is made a form.

    A memory that was used ``min_uses`` times (3) and has said the same for ``stable_for`` seconds
    (a day), or that MemOS advises; the ``most`` (20) used ones, where they take ``min_tokens`` (64)
    or more. ``preset`` is that of ``promote``.
    """

    min_uses: int
    stable_for: float
    min_tokens: int
    most: int
    preset: str


class Forming(Keeping):
    """What a model can be given of a memory besides text. Needs ``engram[hf]``."""

    def __init__(
        self, store: Store, keepers: Sequence[Keeper], enriching: Enriching, clock: Clock
    ) -> None:
        super().__init__(store, keepers, enriching, clock)
        self._attached: dict[str, tuple[int, float]] = {}
        self._counting = threading.Lock()

    def promote(
        self,
        record_ids: Sequence[str],
        *,
        model: Any,
        tokenizer: Any = None,
        to: Literal["activation"] = "activation",
        preset: str = "full",
        progress: Progress | None = None,
        **ids: Unpack[Ids],
    ) -> Result:
        """Let a model read memories once, and keep what it made of them beside the store.

        Their text stays as it is. A change of one of them ends the form, in the same commit.

        Args:
            record_ids: of active memories of one user and app.
            model: of transformers, or the folder of one.
            tokenizer: of transformers; None for that of the folder.
            to: ``activation``, keys and values.
            preset: ``full``, or ``kivi`` for a fifth of the bytes and a small error.
            progress: called with tokens read and tokens in all.
            ids: the scope; checked when given.

        Returns:
            ``{"id", "kind", "records", "tokens", "bytes", "model", "preset", "state", ...}``; the
            same form when it is there already.

        Raises:
            NotFound: the scope holds no such memory.
            InvalidInput: one of them is not recalled, or something else cannot be used.
            MissingExtra: torch or transformers is not installed.
        """
        kind: object = to
        if not isinstance(kind, str) or kind != "activation":
            raise InvalidInput(f"a form is of the kind 'activation', got {brief(to)}")
        scope = maybe_scope(ids)
        wanted = _many(record_ids, "memories")
        found = [upkeep.find(self.store, each, scope) for each in wanted]
        shop, making = self._shop(model, tokenizer, progress), _room("making")
        wish = making.Wish(tuple(record.id for record, _ in found), preset)
        made, _ = making.make(shop, wish)
        return _shown(made, found[0][1])

    def attach(
        self,
        form_ids: str | Sequence[str],
        query: str,
        *,
        model: Any,
        tokenizer: Any = None,
        **how: Unpack[Joining],
    ) -> Any:
        """Begin a prompt with a form: ``model.generate(it.ids, past_key_values=it.cache)``.

        The memories count as used. A form that is stale, or whose file is gone, is made anew.

        Args:
            form_ids: of a form, or of several, which become one.
            query: what the prompt asks after the memories.
            model: that the form was made for, or its folder.
            tokenizer: likewise.
            how: the scope, ``approximate``, ``recompute`` and ``measure``; see ``Joining``.

        Returns:
            ``engram.lifecycle.attaching.Attached``: ``cache``, ``ids``, ``held`` and more.

        Raises:
            NotFound: the scope holds no such form, or nothing of it is recalled any more.
            InvalidInput: it was made for another model or tokenizer.
            MissingExtra: torch or transformers is not installed.
        """
        named: dict[str, Any] = dict(how)
        joint = {name: named.pop(name) for name in _JOINT if name in named}
        asked, scope = checked_text(query, "the query"), scope_of(**named) if named else None
        wanted = _many(form_ids, "forms")
        shop = self._shop(model, tokenizer, None)
        if len(wanted) == 1:
            found = _room("attaching").attach(shop, wanted[0], asked, scope)
        else:
            found = _room("joining").join(shop, wanted, asked, scope, _room("joining").How(**joint))
        self.store.used(found.records, shop.now)
        with self._counting:
            for form in found.forms:
                times, _ = self._attached.get(form, (0, 0.0))
                self._attached[form] = (times + 1, shop.now)
        return found

    def demote(self, form_id: str, **ids: Unpack[Ids]) -> Result:
        """Give a form up and destroy its file. Its memories stay as they are, as text.

        Returns:
            ``{"id", "records", "bytes", "destroyed"}``; ``destroyed`` is false where another
            process holds the file, which ``tend`` finishes.

        Raises:
            NotFound: the scope holds no such form.
        """
        wanted = known_id(form_id)
        found = [form for form, _ in self._seen(maybe_scope(ids)) if form.id == wanted]
        if not found:
            raise NotFound(f"no form has the id {wanted!r} here; check the id and the scope")
        with self.store.exclusive() as db:
            drop(db, [wanted])
        gone = forms.sweep(self.store)
        (form,) = found
        return {"id": wanted, "records": _records(form), "bytes": form.size, "destroyed": gone}

    def forms(self, record_id: str | None = None, **ids: Unpack[Ids]) -> list[Result]:
        """The forms of a scope, in the order in which they were made.

        Args:
            record_id: only those that a memory is in.
            ids: the scope; without any, those of the whole file.
        """
        wanted = None if record_id is None else known_id(record_id)
        self._count_attached()
        found = self._seen(maybe_scope(ids))
        return [
            _shown(form, scope) for form, scope in found if wanted is None or wanted in form.ids
        ]

    def schedule(
        self,
        *,
        model: Any,
        tokenizer: Any = None,
        budget: int,
        progress: Progress | None = None,
        **how: Unpack[Scheduling],
    ) -> Result:
        """One step of the scheduler: what is used is promoted, what does not fit is demoted.

        The same log and the same time give the same result, and a second step changes nothing.

        Args:
            model: of transformers, or the folder of one.
            tokenizer: of transformers; None for that of the folder.
            budget: bytes that the forms of the scope may take.
            progress: called with tokens read and tokens in all.
            how: the scope, and what is made a form; see ``Scheduling``.

        Returns:
            ``{"promoted", "demoted", "kept", "left", "bytes"}``: forms and memories, each with the
            reason ``why``.
        """
        named: dict[str, Any] = dict(how)
        rules = {name: named.pop(name) for name in _RULES if name in named}
        scope = scope_of(**named)
        self.store.flush(self.clock())
        self._count_attached()
        shop = self._shop(model, tokenizer, progress)
        scheduling = _room("scheduling")
        done = scheduling.schedule(shop, scope, budget, scheduling.Rules(**rules))
        return {
            "promoted": [{**_shown(form, scope), "why": why} for form, why in done.promoted],
            "demoted": [{**_shown(form, scope), "why": why} for form, why in done.demoted],
            "kept": [{**_shown(form, scope), "why": why} for form, why in done.kept],
            "left": [{"id": record, "why": why} for record, why in done.left],
            "bytes": done.size,
        }

    def close(self) -> None:
        """Write how often forms were attached."""
        if not self.store.connections.closed:
            self._count_attached()

    def _shop(self, model: Any, tokenizer: Any, progress: Progress | None) -> Any:
        """The model and the store, with the room that works on them, which needs torch."""
        self.store.connections.get()  # a closed memory says so before anything is loaded
        reader = _room("encoding").reader(model, tokenizer)
        return _room("making").Workshop(self.store, reader, self.clock(), progress)

    def _seen(self, scope: Scope | None) -> list[tuple[Form, Scope]]:
        """The forms of which a scope may see every memory, and whose they are."""
        with self.store.snapshot() as db:
            space = None if scope is None else space_of(db, scope) or 0
            found = [(form, forms.records_of(db, form)) for form in forms.within(db, space)]
        return [
            (form, records[0].scope)
            for form, records in found
            if records and (scope is None or all(scope.holds(each.scope) for each in records))
        ]

    def _count_attached(self) -> None:
        with self._counting:
            taken, self._attached = self._attached, {}
        forms.count(self.store, taken)


_JOINT = ("approximate", "recompute", "measure")
_RULES = ("min_uses", "stable_for", "min_tokens", "most", "preset")


def _room(module: str) -> Any:
    """A module of the room ``lifecycle``, by name: the base package works without torch."""
    return import_module(f"engram.lifecycle.{module}")


def _many(given: Any, what: str) -> list[str]:
    """One id, or several, each once.

    Raises:
        InvalidInput: there is none, or one is no id.
    """
    if isinstance(given, str):
        return [known_id(given)]
    if isinstance(given, Sequence) and len(given):
        return list(dict.fromkeys(known_id(each) for each in given))
    raise InvalidInput(f"{what} must be given by their ids, one at least, got {brief(given)}")


def _records(form: Form) -> list[Result]:
    return [{"id": record, "version": version} for record, version in form.records]


def _shown(form: Form, scope: Scope) -> Result:
    return {
        "id": form.id,
        "kind": form.kind,
        "state": form.state,
        "records": _records(form),
        "tokens": form.tokens,
        "bytes": form.size,
        "model": form.model,
        "preset": form.preset,
        "method": form.method,
        "made_at": iso(form.made),
        "uses": form.uses,
        "last_used_at": iso(form.last_used),
        "user_id": scope.user,
        "app_id": scope.app,
    }

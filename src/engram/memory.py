"""The front door: open a file, add what was said, search it, correct it, prove it."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack

from engram import catalogue
from engram.adapters.embedders import embedder as embedder_of
from engram.adapters.models import model as model_of
from engram.aio import Async
from engram.config import settings
from engram.forming import Forming
from engram.keeping import Result
from engram.plaintext import edits, present, upkeep
from engram.plaintext.advising import Budget, Counsel
from engram.plaintext.asking import Looking, asked, checked_limit, known_id, maybe_scope, page
from engram.plaintext.enrich import Enriching, applied
from engram.plaintext.intake import (
    Ids,
    Said,
    checked_metadata,
    checked_note,
    checked_path,
    checked_text,
    messages_of,
    scope_of,
)
from engram.plaintext.listing import listing
from engram.plaintext.read import Found, Reader
from engram.plaintext.roles import Record, Scope, State
from engram.plaintext.store.connect import Durability
from engram.plaintext.store.store import Store, stored_embedder
from engram.plaintext.store.transaction import Commit
from engram.plaintext.write import Outcome, Writer
from engram.ports import Clock, Embedder, LanguageModel

PACKED = 50
"""Results that ``context`` chooses from; more never fit a budget that a prompt can bear."""


class Memory(Forming):
    """A memory in one file.

    Every call takes the ids of a scope: ``user_id``, ``agent_id``, ``run_id`` (a conversation) and
    ``app_id``. Without a user it is the user ``default``; a call sees nothing of other users and
    apps, and with an agent or run only what was written with it. Times are ISO 8601 text,
    datetimes or seconds since 1970; without a zone they are UTC. Safe to share between threads,
    and one file between processes. Use ``Memory.open``.
    """

    def __init__(
        self, store: Store, parts: Mapping[str, Any], embedder: Embedder | None, clock: Clock
    ) -> None:
        enrichers, counsel = parts.get("enrichers", ()), parts.get("advisor")
        enriching = Enriching(store, enrichers, embedder, counsel, clock)
        super().__init__(store, parts["keepers"], enriching, clock)
        read = ("router", "channels", "refiners", "packer", "confidence", "scale", "abstain_below")
        write = {"extractors": parts["extractors"], "consolidator": parts["consolidator"]}
        self._writer = Writer(store, **write, embedder=embedder, sealer=parts.get("sealer"))
        self._reader = Reader(store, embedder, **{name: parts[name] for name in read})
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    def open(  # noqa: PLR0913 - the settings of a memory, one to one
        cls,
        path: str | Path | None = None,
        *,
        preset: str = "hybrid",
        embedder: str | Embedder | None = None,
        model: str | LanguageModel | None = None,
        budget: Budget | None = None,
        durability: Durability | None = None,
        clock: Clock = time.time,
        actor: str = "",
    ) -> Self:
        """Open a memory file, and make it when it is new.

        Args:
            path: the file; None for the user's own in the XDG data folder; ``":memory:"`` for one
                that vanishes on close.
            preset: which parts do the work; ``engram list`` shows them.
            embedder: None for the one the file was last used with (at first the built-in one),
                ``"none"`` for words only, else a name such as ``"ollama:nomic-embed-text"``.
                A change re-embeds in the background while search goes on.
            model: a language model that the preset's methods may ask, such as
                ``"ollama:llama3.2"``; None for none, which every method can do without.
            budget: what the model may take for one scope on one day.
            durability: ``"full"`` (the default), ``"normal"`` or ``"off"``.
            clock: tells the time, in seconds.
            actor: who makes the changes, for the commits.

        Raises:
            StoreError: the file cannot be used; the message says why.
            UnknownMethod: no preset or embedder has that name.
        """
        env, note = settings(), checked_note(actor, "actor")
        wanted = env.path if path is None else path
        vanishes = isinstance(wanted, str) and wanted == ":memory:"
        row = catalogue.find(preset, "plaintext")
        advised = model_of(env.model if model is None else model)
        if embedder is None:
            embedder = (None if vanishes else stored_embedder(checked_path(wanted))) or env.embedder
        encoder = embedder_of(embedder)
        folder = tempfile.TemporaryDirectory(prefix="engram-") if vanishes else None
        file = Path(folder.name, "memory.db") if folder else checked_path(wanted)
        with ExitStack() as undo:
            if folder is not None:
                undo.callback(folder.cleanup)
            store = Store(
                file,
                durability=env.durability if durability is None else durability,
                embedder=None if encoder is None else (encoder.name, encoder.dimension),
                spec=embedder if isinstance(embedder, str) else None,
            )
            undo.callback(store.close)
            counsel = advised and Counsel(advised, store, budget or Budget(), clock)
            parts = catalogue.parts(row, {"embedder": encoder, "advisor": counsel})
            memory = cls(store, {**parts, "advisor": counsel}, encoder, clock)
            memory.actor, memory._folder = note, folder
            memory._go_on()
            undo.pop_all()
        return memory

    @property
    def path(self) -> Path:
        """The file."""
        return self.store.path

    @property
    def aio(self) -> Async:
        """The same methods, to be awaited: each runs in a thread, off the event loop."""
        return Async(self)

    def add(
        self,
        messages: Said,
        *,
        metadata: Mapping[str, Any] | None = None,
        infer: bool = True,
        **ids: Unpack[Ids],
    ) -> Result:
        """Remember messages, and what can be read out of them.

        Args:
            messages: text; ``{"role", "content", "name"?, "time"?, "metadata"?, "expires_at"?}``;
                or a list of these. Stored verbatim, first, in one transaction.
            ids: the scope: ``user_id``, ``agent_id``, ``run_id``, ``app_id``.
            metadata: the caller's own, returned with every result; a message's own keys win.
            infer: also extract facts that can supersede one another.

        Returns:
            ``{"commit", "results": [{"id", "memory", "event", "kind", ...}]}``: one result for each
            message in order, then what was read out of them. ``event`` is ADD, MERGE (the same was
            said before), NOOP (this very turn is stored), SUPERSEDE (a fact ended), QUARANTINE or
            ARCHIVE (kept, not recalled). ``commit`` is None when all of it was stored before. With
            a preset that enriches, ``enriching`` is true while a model is asked in the background;
            ``tend`` waits for it.

        Raises:
            InvalidInput: some part cannot be used; nothing was stored.
            StoreError: the file refused; nothing was stored.
        """
        said = messages_of(messages, metadata)
        scope = scope_of(**ids)
        commit, outcomes = self._writer.add(
            said, scope, self.clock(), infer=infer, actor=self.actor
        )
        return self._enriched(commit, outcomes)

    def search(
        self,
        query: str,
        *,
        top_k: int = 10,
        threshold: float = 0.0,
        explain: bool = False,
        **look: Unpack[Looking],
    ) -> Result:
        """Find what bears on a query.

        Args:
            query: a question or some words.
            top_k: most results; 1 to 10,000.
            threshold: least score; 0 to 1.
            explain: say how the query was read and what each channel gave.
            look: the scope, ``as_of``, ``known_at`` and ``filters``; see ``Looking``.

        Returns:
            ``{"results", "confidence", "abstain", "took_ms"}``, best first. A result holds ``id``,
            ``memory``, ``score`` (0 to 1), ``metadata``, times, and ``sources``: the raw records
            that it rests on. ``abstain`` is true when nothing relevant seems to be known.
        """
        began = time.perf_counter()
        ask = asked(query, self.clock(), look, top_k=top_k, threshold=threshold)
        with self._advised(ask.scope):
            found = self._reader.search(ask)
        result: Result = {
            "results": [present.answered(answer, explain=explain) for answer in found.answers],
            **self._surety(found),
        }
        if explain:
            result["query"] = present.reading(found)
        result["took_ms"] = round((time.perf_counter() - began) * 1000, 3)
        return result

    def context(self, query: str, *, tokens: int = 1000, **look: Unpack[Looking]) -> Result:
        """Recall written for a prompt: dated, quoted as data, within ``tokens``.

        Packed memories count as used, which keeps them from being forgotten.

        Returns:
            ``{"text", "ids", "tokens", "confidence", "abstain"}``.
        """
        budget = checked_limit(tokens, "tokens", most=10_000_000)
        ask = asked(query, self.clock(), look, top_k=PACKED)
        with self._advised(ask.scope):
            pack, found = self._reader.pack(ask, budget)
        self.store.used(pack.ids, ask.now)
        packed = {"text": pack.text, "ids": list(pack.ids), "tokens": pack.tokens}
        return packed | self._surety(found)

    def get(self, record_id: str, **ids: Unpack[Ids]) -> Result:
        """One memory by its id, whatever its state.

        Raises:
            NotFound: there is none in the scope, or it was erased.
        """
        record, _ = self._find(record_id, ids)
        return present.shown(record)

    def get_all(
        self,
        *,
        limit: int = 100,
        cursor: str | None = None,
        states: Sequence[str] = ("active",),
        **look: Unpack[Looking],
    ) -> Result:
        """The memories of a scope, oldest first, a page at a time.

        Args:
            limit: most on a page; 1 to 10,000.
            cursor: ``"next"`` of the page before; None for the first page.
            states: life-cycle states to include; not looked at with ``as_of`` or ``known_at``.
            look: the scope, ``as_of``, ``known_at`` and ``filters``; see ``Looking``.

        Returns:
            ``{"results", "next"}``; ``next`` is None on the last page.
        """
        wanted = page(self.clock(), look, limit=limit, cursor=cursor, states=states)
        records, following = listing(self.store, wanted)
        return {"results": [present.shown(record) for record in records], "next": following}

    def update(
        self,
        record_id: str,
        text: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        **ids: Unpack[Ids],
    ) -> Result:
        """Give a memory a new text; the old one stays in its history.

        Facts that were read out of the old text are withdrawn, and read anew out of the new one.

        Args:
            record_id: of the memory.
            text: the new text.
            metadata: replaces the old; None keeps it.
            ids: the scope; checked when given.
        """
        new = checked_text(text, "the new text")
        meta = None if metadata is None else checked_metadata(metadata, "metadata")
        record, _ = self._find(record_id, ids)
        commit, outcomes = self._writer.rewrite(record, new, meta, self.clock(), actor=self.actor)
        return self._enriched(commit, outcomes)

    def delete(self, record_id: str, **ids: Unpack[Ids]) -> Result:
        """Put a memory out of recall; it stays in the history and ``revert`` brings it back.

        To destroy it, use ``erase``.
        """
        record, _ = self._find(record_id, ids)
        return self._delete([record], record.scope)

    def delete_all(self, **ids: Unpack[Ids]) -> Result:
        """Put every memory of a scope out of recall, as ``delete`` does for one."""
        scope = scope_of(**ids)
        return self._delete(upkeep.active(self.store, scope), scope)

    def close(self) -> None:
        """Write what is pending and release the file; harmless when repeated."""
        self._stop_work()
        super().close()
        if not self.store.connections.closed:
            self.store.flush(self.clock())
        self.store.close(keep=self._folder is None)
        if self._folder is not None:
            self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _enriched(self, commit: Commit | None, outcomes: Sequence[Outcome]) -> Result:
        """The receipt of a write. Rules enrich it at once, a model in the background."""
        receipt: Result = {
            "commit": present.commit_id(commit),
            "results": list(map(present.outcome, outcomes)),
        }
        if self.counsel is not None and self._enriching.enrichers:
            self._work_on()
            receipt["enriching"] = True
        else:
            made = self._enriching.catch_up(actor=self.actor)
            receipt["results"] += [present.outcome(Outcome(r, "ENRICH")) for r in applied(made)]
        return receipt

    def _advised(self, scope: Scope) -> AbstractContextManager[object]:
        """What the preset asks of a model meanwhile, it asks for this scope."""
        return nullcontext() if self.counsel is None else self.counsel.within(scope)

    def _surety(self, found: Found) -> Result:
        return {
            "confidence": round(found.confidence, 4),
            "abstain": found.confidence < self._reader.abstain_below or not found.answers,
        }

    def _find(self, record_id: Any, ids: Ids) -> tuple[Record, Scope]:
        return upkeep.find(self.store, known_id(record_id), maybe_scope(ids))

    def _delete(self, records: list[Record], scope: Scope) -> Result:
        with self.store.write(self.clock(), actor=self.actor, method="delete") as transaction:
            view = transaction.view(scope)
            plan = edits.delete(view, view.current(record.id for record in records).values())
            gone = transaction.apply(plan)
            commit = transaction.outcome
        return {
            "commit": present.commit_id(commit),
            "deleted": [r.id for r in gone if r.state is State.ARCHIVED],
        }

"""Keeping a memory: its history, its proofs, and what undoes, destroys, moves and mends."""

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TextIO, Unpack

from engram.errors import EngramError, InvalidInput, brief
from engram.exchange import archive
from engram.exchange.archive import Progress
from engram.exchange.atomic import atomic_text
from engram.plaintext import present, upkeep
from engram.plaintext.advising import DAY, Receipt
from engram.plaintext.asking import checked_limit, known_id, maybe_scope
from engram.plaintext.enrich import Enriching
from engram.plaintext.intake import Ids, checked_note, checked_path, checked_text, scope_of
from engram.plaintext.reveal import reveal
from engram.plaintext.roles import Keeper
from engram.plaintext.store import forms, journal
from engram.plaintext.store.check import check
from engram.plaintext.store.embed import embed_missing, pending
from engram.plaintext.store.erase import scrub
from engram.plaintext.store.spending import Spending
from engram.plaintext.store.store import Store
from engram.plaintext.text.times import iso
from engram.plaintext.upkeep import Tending
from engram.ports import Clock

Result = dict[str, Any]


class Keeping:
    """What can be done with a store as a whole. ``Memory`` adds what is done every day."""

    def __init__(
        self, store: Store, keepers: Sequence[Keeper], enriching: Enriching, clock: Clock
    ) -> None:
        self.store = store
        self.clock = clock
        self.actor = ""
        self.counsel = enriching.counsel
        self._enriching = enriching
        self._tending = Tending(store, keepers, enriching.counsel)
        self._embedder = enriching.embedder
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._working = threading.Lock()
        self._worker: threading.Thread | None = None

    def history(self, record_id: str, **ids: Unpack[Ids]) -> list[Result]:
        """Every version of a memory, oldest first, each with its commit and the forms it is in."""
        versions = upkeep.history(self.store, known_id(record_id), maybe_scope(ids))
        with self.store.snapshot() as db:
            held = forms.holding(db, record_id)
        return [
            {**present.versioned(each), "forms": [f for f, at in held if at == each.version]}
            for each in versions
        ]

    def diff(self, a: Any, b: Any = None, **ids: Unpack[Ids]) -> Result:
        """What changed after ``a`` up to ``b``, each a commit id or a time; None is now."""
        found = upkeep.diff(self.store, maybe_scope(ids), a, b)
        return {"results": [present.changed(change) for change in found]}

    def log(self, limit: int = 20) -> list[Result]:
        """The last commits of the file, newest first."""
        with self.store.snapshot() as db:
            found = journal.commits(db, checked_limit(limit, "limit"))
        return [present.committed(commit) for commit in found]

    def revert(self, commit: str, *, reason: str = "") -> Result:
        """Undo a commit by a new one. Everything can be undone but an erase.

        Raises:
            NotFound: no such commit.
            InvalidInput: a later commit built on it, or an erase took part of it.
        """
        why = checked_note(reason, "the reason")
        done = upkeep.revert(self.store, self.clock(), commit, actor=self.actor, reason=why)
        return {"commit": done.id, "reverted": commit}

    def reveal(self, record_id: str, *, reason: str, **ids: Unpack[Ids]) -> Result:
        """What a memory of kind ``secret`` keeps sealed. A commit says who asked for it, and why.

        Args:
            record_id: of the secret; ``search`` finds its caption.
            reason: why it is needed; must not be blank.
            ids: the scope; checked when given.

        Returns:
            ``{"id", "memory", "value", "commit"}``; the value stands nowhere else in the clear.

        Raises:
            InvalidInput: it is no secret, or there is no reason.
            ConfigError: the key is not there, or is not the one that sealed it.
        """
        why = checked_text(reason, "the reason")
        found, _ = upkeep.find(self.store, known_id(record_id), maybe_scope(ids))
        value, commit = reveal(self.store, found, self.clock(), actor=self.actor, reason=why)
        return {"id": found.id, "memory": found.text, "value": value, "commit": commit.id}

    def erase(self, record_id: str | None = None, **ids: Unpack[Ids]) -> Result:
        """Destroy a memory, or with only a scope all of it, so that no byte stays in the file.

        Takes along its versions, what was merged with it, and what was read out of it and rests on
        nothing else. Cannot be undone.

        Returns:
            A receipt: ``{"commit", "at", "ids", "versions", "scrubbed", "backups"}``; ``commit``
            is None when the scope held nothing.
        """
        if record_id is None:
            if not ids:
                raise InvalidInput(
                    "erase needs the id of a memory or the ids of a scope, got neither"
                )
            doomed = upkeep.everything(self.store, scope_of(**ids))
        else:
            doomed = [upkeep.erasable(self.store, known_id(record_id), maybe_scope(ids))]
        receipt = upkeep.erase(self.store, self.clock(), doomed, actor=self.actor)
        at = None if receipt.commit is None else iso(receipt.commit.at)
        return {**asdict(receipt), "commit": present.commit_id(receipt.commit), "at": at}

    def tend(self, *, progress: Progress | None = None, **ids: Unpack[Ids]) -> Result:
        """Maintenance: expire, forget (as archive), finish vectors, enrichment and erases.

        Args:
            progress: called with steps done and steps in all.
            ids: the scope; without any, every scope of the file.

        Returns:
            ``{"commits", "changed", "model"}``: what was done by which method, and what a language
            model took for it and for all else since the last ``tend``, with its failures.
        """
        with self._working:  # what goes on in the background is finished, not left to it
            if self._embedder is not None:
                embed_missing(self.store, self._embedder, progress=progress)
            made = self._enriching.catch_up(actor=self.actor)
        kept = self._tending.tend(
            maybe_scope(ids), self.clock(), actor=self.actor, progress=progress
        )
        done = [*((each.commit, each.plan) for each in made if each.commit), *kept]
        changed: Counter[str] = Counter()
        for _, plan in done:
            changed[plan.method] += len(plan.edits)
        return {
            "commits": [present.committed(commit) for commit, _ in done],
            "changed": dict(+changed),
            "model": asdict(Receipt() if self.counsel is None else self.counsel.report()),
        }

    def check(self, *, repair: bool = False, progress: Progress | None = None) -> Result:
        """Verify the file against its log; with ``repair`` rebuild what follows from the log."""
        health = asdict(check(self.store, repair=repair, progress=progress))
        return {"ok": not health["problems"], **health, "problems": list(health["problems"])}

    def export(
        self, target: str | Path | TextIO, *, progress: Progress | None = None, **ids: Unpack[Ids]
    ) -> Result:
        """Write the log as JSON lines: every version, with what proves it; vectors are left out.

        Args:
            target: a file, which is replaced when all is written, or an open text stream.
            progress: called with entries done and entries in all.
            ids: ``user_id`` and ``app_id`` choose one space; without any, the whole file.
        """
        write = partial(archive.write, self.store, scope=maybe_scope(ids), progress=progress)
        if isinstance(target, (str, Path)):
            path = checked_path(target)
            if path.resolve() == self.store.path.resolve():
                raise InvalidInput(f"an export must not replace its own store, got {str(target)!r}")
            with atomic_text(path) as out:
                return asdict(write(out))
        try:
            target.write("")
        except (AttributeError, TypeError, ValueError) as error:
            raise InvalidInput(
                f"an export goes to a path or an open text file, got {brief(target)} ({error})"
            ) from None
        return asdict(write(target))

    def import_(
        self, source: str | Path | Iterable[str], *, progress: Progress | None = None
    ) -> Result:
        """Read what ``export`` wrote, all or nothing; commits that are here already are skipped.

        Raises:
            InvalidInput: it cannot be read, or is not what ``export`` wrote.
        """
        if isinstance(source, (str, Path)):
            moved = self._read(checked_path(source), progress)
        elif isinstance(source, Iterable):
            moved = archive.read(self.store, source, progress)
        else:
            raise InvalidInput(f"an import comes from a path or lines, got {brief(source)}")
        self._go_on()
        return asdict(moved)

    def _read(self, path: Path, progress: Progress | None) -> archive.Moved:
        try:
            with path.open(encoding="utf-8") as lines:
                return archive.read(self.store, lines, progress)
        except OSError as error:
            raise InvalidInput(f"{path}: cannot be read ({error})") from error

    def stats(self, **ids: Unpack[Ids]) -> Result:
        """Counts, sizes, embedder, content hash, and what a language model took today (UTC)."""
        scope = maybe_scope(ids)
        spent = Spending(self.store).on(int(self.clock() // DAY), scope)
        return {**upkeep.stats(self.store, scope), "spending": spent}

    def _go_on(self) -> None:
        """Finish what an earlier process left: an erase at once, the rest in the background."""
        scrub(self.store)
        forms.sweep(self.store)
        if (self._embedder is not None and pending(self.store)) or self._enriching.pending():
            self._work_on()

    def _work_on(self) -> None:
        """Have vectors and enrichment made in the background."""
        self._wake.set()
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="engram-work", daemon=True)
            self._worker.start()

    def _work(self) -> None:
        while self._wake.wait() and not self._stop.is_set():
            self._wake.clear()
            # What is left to do stays, and tend() says what is wrong.
            with self._working, suppress(EngramError):
                if self._embedder is not None:
                    embed_missing(self.store, self._embedder, stop=self._stop)
                self._enriching.catch_up(actor=self.actor, stop=self._stop)

    def _stop_work(self) -> None:
        if self.counsel is not None:
            self.counsel.give_up()
        self._stop.set()
        self._wake.set()
        if self._worker is not None:
            self._worker.join()

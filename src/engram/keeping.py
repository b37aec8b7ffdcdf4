"""Keeping a memory: its history, its proofs, and what undoes, destroys, moves and mends."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TextIO, Unpack

from engram.errors import InvalidInput
from engram.exchange import archive
from engram.exchange.archive import Progress
from engram.exchange.atomic import atomic_text
from engram.plaintext import present, upkeep
from engram.plaintext.asking import checked_limit, known_id, maybe_scope
from engram.plaintext.intake import Ids, scope_of
from engram.plaintext.roles import Keeper
from engram.plaintext.store import journal
from engram.plaintext.store.check import check
from engram.plaintext.store.embed import embed_missing, pending
from engram.plaintext.store.erase import scrub
from engram.plaintext.store.store import Store
from engram.plaintext.text.times import iso
from engram.ports import Clock, Embedder

Result = dict[str, Any]


class Keeping:
    """What can be done with a store as a whole. ``Memory`` adds what is done every day."""

    def __init__(
        self, store: Store, keepers: Sequence[Keeper], embedder: Embedder | None, clock: Clock
    ) -> None:
        self.store = store
        self.clock = clock
        self.actor = ""
        self._keepers = keepers
        self._embedder = embedder
        self._stop = threading.Event()
        self._worker: threading.Thread | None = None

    def history(self, record_id: str, **ids: Unpack[Ids]) -> list[Result]:
        """Every version of a memory, oldest first, each with the commit that made it."""
        versions = upkeep.history(self.store, known_id(record_id), maybe_scope(ids))
        return [present.versioned(version) for version in versions]

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
        done = upkeep.revert(self.store, self.clock(), commit, actor=self.actor, reason=reason)
        return {"commit": done.id, "reverted": commit}

    def erase(self, record_id: str | None = None, **ids: Unpack[Ids]) -> Result:
        """Destroy a memory, or with only a scope all of it, so that no byte stays in the file.

        Takes along its versions, what was merged with it, and what was read out of it and rests on
        nothing else. Cannot be undone.

        Returns:
            A receipt: ``{"commit", "ids", "versions", "scrubbed", "backups"}``.
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
        return {**asdict(receipt), "commit": receipt.commit.id, "at": iso(receipt.commit.at)}

    def tend(self, *, progress: Progress | None = None, **ids: Unpack[Ids]) -> Result:
        """Maintenance: expire, forget (as archive), finish vectors and erases that were cut short.

        Args:
            progress: called with steps done and steps in all.
            ids: the scope; without any, every scope of the file.
        """
        if self._embedder is not None:
            embed_missing(self.store, self._embedder, progress=progress)
        done = upkeep.tend(
            self.store,
            self._keepers,
            self.clock(),
            maybe_scope(ids),
            actor=self.actor,
            progress=progress,
        )
        return {
            "commits": [present.committed(commit) for commit, _ in done],
            "changed": {plan.method: len(plan.edits) for _, plan in done},
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
        if not isinstance(target, (str, Path)):
            return asdict(write(target))
        with atomic_text(Path(target).expanduser()) as out:
            return asdict(write(out))

    def import_(
        self, source: str | Path | Iterable[str], *, progress: Progress | None = None
    ) -> Result:
        """Read what ``export`` wrote; commits that are here already are skipped."""
        if isinstance(source, (str, Path)):
            with Path(source).expanduser().open(encoding="utf-8") as lines:
                moved = archive.read(self.store, lines, progress)
        else:
            moved = archive.read(self.store, source, progress)
        self._go_on()
        return asdict(moved)

    def stats(self, **ids: Unpack[Ids]) -> Result:
        """Counts, sizes, embedder and content hash."""
        return upkeep.stats(self.store, maybe_scope(ids))

    def _go_on(self) -> None:
        """Finish what an earlier process left: an erase at once, vectors in the background."""
        scrub(self.store)
        if self._embedder is not None and pending(self.store):
            work = partial(embed_missing, self.store, self._embedder, stop=self._stop)
            self._worker = threading.Thread(target=work, name="engram-embed", daemon=True)
            self._worker.start()

    def _stop_work(self) -> None:
        self._stop.set()
        if self._worker is not None:
            self._worker.join()

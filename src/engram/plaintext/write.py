"""Writing: messages -> raw records -> candidates -> settled plan -> one commit.

Nothing that can fail stands between the caller and the raw record: extraction and embedding run
before the transaction, on text that is stored verbatim whatever they find.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engram.errors import IllegalChange
from engram.plaintext.edits import rewrite, rewritten
from engram.plaintext.roles import (
    Candidate,
    Consolidator,
    Edit,
    EditPlan,
    Extractor,
    Floats,
    Message,
    Record,
    Scope,
    Sealer,
    State,
    Trust,
)
from engram.plaintext.store.store import Store
from engram.plaintext.store.transaction import Commit, Transaction, new_id
from engram.plaintext.text.injection import instruction
from engram.ports import Embedder

RECALLED = re.compile(r"<recalled-memory\b.*?</recalled-memory>\s*", re.DOTALL)
"""What ``context`` wraps recall in, so that it is known again when a caller sends it back."""

_IDS = re.compile(r"\[([0-9a-f-]{36})\]")

_TRUST = {
    "user": Trust.USER,
    "assistant": Trust.MODEL,
    "system": Trust.IMPORTED,
    "tool": Trust.TOOL,
}
_NOT_RECALLED = "system prompts and echoed recall are kept, not recalled"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message, or of one thing read out of it."""

    record: Record
    event: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Writer:
    """The write pipeline over injected parts."""

    store: Store
    extractors: Sequence[Extractor]
    consolidator: Consolidator
    embedder: Embedder | None
    sealer: Sealer | None = None

    def add(
        self, messages: Sequence[Message], scope: Scope, now: float, *, infer: bool, actor: str
    ) -> tuple[Commit | None, list[Outcome]]:
        """Store messages and what they say, in one commit; None where nothing is new.

        Args:
            messages: in the order they were said.
            scope: whose they are.
            now: seconds; the store's clock.
            infer: also extract facts. Without it only the verbatim text is kept.
            actor: who asked for it, for the commit.
        """
        heard = [_heard(message) for message in messages]
        sealed = [self._sealed(message) for message, _, _ in heard]
        raws = [
            _raw(message, notes, state, scope, now)
            for (message, _), (_, notes, state) in zip(sealed, heard, strict=True)
        ]
        read = [self._extract(raw, now) if infer else [] for raw in raws]
        vectors = self.vectors(raws)
        outcomes: list[Outcome] = []
        derived: list[Outcome] = []
        with self.store.write(now, actor=actor, method="add") as transaction:
            for raw, (_, secrets), candidates in zip(raws, sealed, read, strict=True):
                outcome = _store(transaction, raw, vectors)
                outcomes.append(outcome)
                if secrets and outcome.event != "NOOP":
                    derived += self._keep(transaction, secrets, outcome, now)
                if candidates and outcome.event == "ADD":
                    derived += self._settle(transaction, candidates, now)
            return transaction.outcome, outcomes + derived

    def rewrite(
        self, old: Record, text: str, metadata: Mapping[str, Any] | None, now: float, *, actor: str
    ) -> tuple[Commit | None, list[Outcome]]:
        """Give a record a new text and metadata, and read facts anew out of a raw text."""
        sealed, secrets = self._sealed(Message(text, metadata=metadata or {}))
        text, metadata = sealed.text, None if metadata is None else sealed.metadata
        new = rewritten(old, text, metadata)
        found = self._extract(new, now) if old.kind == "raw" and text != old.text else []
        vectors = self.vectors([new])
        with self.store.write(now, actor=actor, method="update") as transaction:
            view = transaction.view(old.scope)
            plan = rewrite(view, old, new)
            outcomes = [Outcome(r, "UPDATE") for r in transaction.apply(plan, vectors)]
            if secrets:
                outcomes += self._keep(transaction, secrets, Outcome(new, "UPDATE"), now)
            if found:
                outcomes += self._settle(transaction, found, now)
            return transaction.outcome, outcomes

    def vectors(self, records: Sequence[Record]) -> Mapping[str, Floats]:
        """Record id -> unit vector, for the records that search will look at."""
        wanted = [record for record in records if record.state is State.ACTIVE]
        if self.embedder is None or not wanted:
            return {}
        made = self.embedder.embed([record.text for record in wanted])
        return dict(zip((record.id for record in wanted), made, strict=True))

    def _sealed(self, message: Message) -> tuple[Message, Sequence[Candidate]]:
        return (message, ()) if self.sealer is None else self.sealer.seal(message)

    def _extract(self, raw: Record, now: float) -> list[Candidate]:
        """What the extractors read; "yesterday" in a message without a time is yesterday's now."""
        said = raw if raw.event_time is not None else replace(raw, event_time=now)
        if raw.state is not State.ACTIVE:
            return []
        return [
            candidate
            for extractor in self.extractors
            for candidate in _sourced(extractor.extract(said), raw)
        ]

    def _keep(
        self, transaction: Transaction, secrets: Sequence[Candidate], said: Outcome, now: float
    ) -> list[Outcome]:
        """Settle what was sealed; out of a message that is not recalled it is not recalled."""
        source, hidden = said.record, None
        if source.state is State.MERGED and source.superseded_by:
            source = transaction.view(source.scope).get(source.superseded_by) or source
        if source.state in (State.ARCHIVED, State.QUARANTINED):
            hidden = said
        kept: list[Outcome] = []
        for secret in secrets:
            try:
                kept += self._settle(transaction, _sourced([secret], source), now, hidden)
            except IllegalChange:  # it was erased there, and comes with words that are said anew
                kept += self._settle(transaction, _sourced([secret], said.record), now, hidden)
        return kept

    def _settle(
        self,
        transaction: Transaction,
        found: Sequence[Candidate],
        now: float,
        hidden: Outcome | None = None,
    ) -> list[Outcome]:
        """Settle candidates; what is read out of a ``hidden`` message is as hidden."""
        scope = found[0].source.scope if found[0].source else Scope()
        view = transaction.view(scope)
        outcomes = []
        for candidate in found:
            # One at a time: the second candidate of a message must see what the first changed.
            plan = self.consolidator.settle([candidate], now, view)
            if hidden is not None:
                plan = _hidden(plan, hidden)
            for edit, record in zip(plan.edits, transaction.apply(plan), strict=True):
                event = _event(edit) if hidden is None else hidden.event
                outcomes.append(Outcome(record, event, plan.reason))
        return outcomes


def _hidden(plan: EditPlan, said: Outcome) -> EditPlan:
    state = said.record.state
    edits = (replace(edit, record=replace(edit.record, state=state)) for edit in plan.edits)
    return replace(plan, edits=tuple(edits), reason=said.reason)


def _sourced(found: Sequence[Candidate], raw: Record) -> list[Candidate]:
    return [replace(candidate, source=raw) for candidate in found]


def _event(edit: Edit) -> str:
    if edit.basis == 0:
        return "ADD"
    return "SUPERSEDE" if edit.record.superseded_by else "MERGE"


def _heard(message: Message) -> tuple[Message, dict[str, Any], State]:
    """The message without recall that came back, what is noted of it, and its first state."""
    recalled = RECALLED.findall(message.text)
    said = RECALLED.sub("", message.text).strip() if recalled else message.text
    echoed = _IDS.findall(" ".join(recalled))
    notes: dict[str, Any] = {"role": message.role}
    if message.name:
        notes["speaker"] = message.name
    if echoed:
        # Which memories came back is kept, their words are not: an erase must reach every copy.
        notes["echoed"] = echoed
    state, why = _first_state(message, said)
    if why:
        notes["quarantined"] = why
    text = said or f"(recalled memory came back: {', '.join(echoed) or 'unnamed'})"
    return replace(message, text=text), notes, state


def _raw(
    message: Message, notes: Mapping[str, Any], state: State, scope: Scope, now: float
) -> Record:
    return Record(
        id=new_id(now),
        text=message.text,
        scope=scope,
        fields=notes,
        metadata=message.metadata,
        event_time=message.at,
        valid_from=message.at,
        expires_at=message.expires_at,
        trust=_TRUST[message.role],
        state=state,
    )


def _first_state(message: Message, said: str) -> tuple[State, str | None]:
    """System prompts and echoed recall are kept, never recalled; foreign orders are locked up."""
    if message.role == "system" or not said:
        return State.ARCHIVED, None
    why = instruction(said) if message.role != "user" else None
    return (State.QUARANTINED, why) if why else (State.ACTIVE, None)


def _store(transaction: Transaction, raw: Record, vectors: Mapping[str, Floats]) -> Outcome:
    view = transaction.view(raw.scope)
    same = None if raw.event_time is None else view.same_turn(raw)
    if same is not None:
        return Outcome(same, "NOOP", "this very turn is stored already")
    if raw.state is not State.ACTIVE:
        reason = str(raw.fields.get("quarantined", _NOT_RECALLED))
        event = "QUARANTINE" if raw.state is State.QUARANTINED else "ARCHIVE"
        return Outcome(transaction.apply(EditPlan((Edit(raw),)))[0], event, reason)
    if raw.event_time is None:
        same = view.same_note(raw)
        if same is not None:
            merged = replace(raw, state=State.MERGED, superseded_by=same.id, parents=(same.id,))
            (record,) = transaction.apply(EditPlan((Edit(merged),)))
            return Outcome(record, "MERGE", f"{same.id} says the same")
    (record,) = transaction.apply(EditPlan((Edit(raw),)), vectors)
    return Outcome(record, "ADD")

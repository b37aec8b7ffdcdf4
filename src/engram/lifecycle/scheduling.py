"""One step of the scheduler: what is used and stands becomes a form, what does not fit goes.

Source: Li et al. 2025, MemOS, arXiv:2507.03724, MemScheduler and the transformation of plaintext
    into activation; the repository MemTensor/MemOS: a monitor of the memories used most, whose text
    is composed anew at each refresh, and nothing is done where it is the same.
Differs: it is a step that is called, in place of a thread. Uses come from the log, so that the same
    log gives the same forms. The papers name no thresholds. A budget in bytes bounds all forms of a
    scope; the least used go first, and their text stands.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engram.errors import InvalidInput, brief
from engram.lifecycle import encoding, making, prompts
from engram.lifecycle.attaching import visible
from engram.lifecycle.making import Wish, Workshop
from engram.plaintext.roles import Record, Scope
from engram.plaintext.store import forms
from engram.plaintext.store.coding import dumps
from engram.plaintext.store.forms import Form
from engram.plaintext.store.journal import versions
from engram.plaintext.store.touching import drop, live, told
from engram.plaintext.store.view import current, read_records, space_of

_METHOD = "schedule"
_ADVICE = "promotion"
_SMALL, _LARGE, _GROUP = 192, 320, 32
"""Tokens by which the size of a packed form is told; a group of them waits to be packed."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is made a form; see ``engram.forming.Scheduling``."""

    min_uses: int = 3
    stable_for: float = 86_400.0
    min_tokens: int = 64
    most: int = 20
    preset: str = "full"


@dataclass(frozen=True, slots=True)
class Step:
    """What a step did, each with the reason; ``size`` is the bytes of all forms after it."""

    promoted: Sequence[tuple[Form, str]] = ()
    demoted: Sequence[tuple[Form, str]] = ()
    kept: Sequence[tuple[Form, str]] = ()
    left: Sequence[tuple[str, str]] = ()
    size: int = 0


@dataclass(frozen=True, slots=True)
class _Used:
    """A record that was used or advised; ``why`` not, where it is left as text."""

    record: Record
    uses: int
    why: str = ""


def schedule(shop: Workshop, scope: Scope, budget: int, rules: Rules) -> Step:
    """Promote by use, demote by budget.

    Raises:
        InvalidInput: the budget or a rule cannot be used.
    """
    _check(budget, rules)
    room = Room(shop, budget, rules)
    used = _used(shop, scope, rules)
    before = _forms(shop, scope)
    wanted, left = room.fitting([each for each in used if not each.why])
    made = None
    if wanted:
        ids = tuple(each.record.id for each in wanted)
        made, _ = making.make(shop, Wish(ids, rules.preset, _METHOD))
    there = _forms(shop, scope)
    demoted = [*_replaced(there, made, shop), *_least_used(there, made, shop, budget)]
    with shop.store.exclusive() as db:
        drop(db, [form.id for form, _ in demoted])
    forms.sweep(shop.store)
    gone = {form.id for form, _ in demoted}
    fresh = {form.id for form in there if form not in before}
    stays = [form for form in there if form.id not in gone]
    why = f"memories that are used and stand: {len(wanted)}"
    return Step(
        promoted=[(form, why) for form in stays if form.id in fresh],
        demoted=demoted,
        kept=[(form, _standing(form, made, why)) for form in stays if form.id not in fresh],
        left=[*((each.record.id, each.why) for each in used if each.why), *left],
        size=sum(form.size for form in stays),
    )


def _check(budget: object, rules: Rules) -> None:
    numbers = {"budget": budget, "min_uses": rules.min_uses, "stable_for": rules.stable_for}
    numbers |= {"min_tokens": rules.min_tokens, "most": rules.most}
    for name, value in numbers.items():
        kinds = (int, float) if name == "stable_for" else int
        if not isinstance(value, kinds) or isinstance(value, bool) or value < 0:
            raise InvalidInput(f"{name} must be a count, 0 or more, got {brief(value, 40)}")


def _standing(form: Form, made: Form | None, why: str) -> str:
    return why if made is not None and form.id == made.id else "it fits into the budget"


def _forms(shop: Workshop, scope: Scope) -> list[Form]:
    with shop.store.snapshot() as db:
        found = forms.within(db, space_of(db, scope) or 0)
        return [form for form in found if visible(forms.records_of(db, form), scope)]


def _used(shop: Workshop, scope: Scope, rules: Rules) -> list[_Used]:
    """The records that were used or advised, the most used first, each judged."""
    with shop.store.snapshot() as db:
        space = space_of(db, scope) or 0
        advised = _advised(db, space)
        found = read_records(
            db,
            "r.space=? AND r.known_to IS NULL AND (u.uses > 0 OR "
            "r.record IN (SELECT value FROM json_each(?)))",
            (space, dumps(list(advised))),
        )
        mine = [each for each in found if scope.holds(each.scope) and live(each, shop.now)]
        judged = [_judged(shop, db, each, rules, advised=each.id in advised) for each in mine]
    judged.sort(key=lambda each: (-each.uses, -(each.record.last_used or 0.0), each.record.id))
    return judged


def _judged(
    shop: Workshop, db: sqlite3.Connection, record: Record, rules: Rules, *, advised: bool
) -> _Used:
    """Of what is advised, the uses of what it rests on count as well."""
    sources = {source.record for source in record.sources} if advised else set()
    uses = record.uses + sum(each.uses for each in current(db, sources).values())
    if not advised and uses < rules.min_uses:
        return _Used(record, uses, f"it was used {uses} times, {rules.min_uses} are needed")
    stood = shop.now - _since(db, record)
    if stood < rules.stable_for:
        why = f"it has stood for {stood:.0f} seconds, {rules.stable_for:.0f} are needed"
        return _Used(record, uses, why)
    return _Used(record, uses)


def _advised(db: sqlite3.Connection, space: int) -> dict[str, None]:
    """What a keeper advises to hold as activation, and nobody has turned down."""
    waits = "r.space=? AND r.known_to IS NULL AND r.kind=? AND r.state='generated'"
    waiting = read_records(db, waits, (space, _ADVICE))
    named = [each for advice in waiting for each in advice.fields.get("items", ())]
    return dict.fromkeys(str(each) for each in named)


def _since(db: sqlite3.Connection, record: Record) -> float:
    """Since when a record says what it says."""
    stood = record.known_from
    for version in reversed(versions(db, None, record.id)):
        if version.record is None or told(version.record) != told(record):
            break
        stood = version.commit.at
    return stood


@dataclass(frozen=True, slots=True)
class Room:
    """How much of what is wanted there is room for, in the model and in the budget."""

    shop: Workshop
    budget: int
    rules: Rules

    def fitting(self, hot: Sequence[_Used]) -> tuple[Sequence[_Used], list[tuple[str, str]]]:
        """The most used that fit into one form, and the others with the reason."""
        wanted = hot[: self.rules.most]
        left = [(each.record.id, f"{self.rules.most} others are used more") for each in hot]
        left = left[len(wanted) :]
        window = encoding.window(self.shop.reader.model)
        while wanted:
            tokens = self._tokens(wanted)
            if tokens < self.rules.min_tokens:
                why = f"all take {tokens} tokens, {self.rules.min_tokens} are needed"
                return [], [*((each.record.id, why) for each in wanted), *left]
            if (window is None or tokens < window) and self._size(tokens) <= self.budget:
                break
            left.insert(0, (wanted[-1].record.id, "there is no room for it"))
            wanted = wanted[:-1]
        return wanted, left

    def _tokens(self, wanted: Sequence[_Used]) -> int:
        tokenizer = self.shop.reader.tokenizer
        records = prompts.in_order(each.record for each in wanted)
        return len(prompts.beginning(tokenizer, prompts.told(records, tokenizer)))

    def _size(self, tokens: int) -> int:
        """The bytes that a form of so many tokens takes, or a little more."""
        model, preset = self.shop.reader.model, self.rules.preset
        whole = encoding.size(model, preset, 2) - encoding.size(model, preset, 1)
        most = encoding.size(model, preset, 1) + whole * tokens
        if preset == "full" or most <= self.budget or tokens <= _LARGE:
            return most
        small, large = (encoding.size(model, preset, each) for each in (_SMALL, _LARGE))
        later = (tokens - _LARGE) * (large - small) // (_LARGE - _SMALL)
        return large + later + _GROUP * whole


def _replaced(there: Sequence[Form], made: Form | None, shop: Workshop) -> list[tuple[Form, str]]:
    """What an earlier step made for this model, and this one does not want."""
    return [
        (form, "other memories are wanted now")
        for form in there
        if form.method == _METHOD and form.model == shop.reader.name
        if made is None or form.id != made.id
    ]


def _least_used(
    there: Sequence[Form], made: Form | None, shop: Workshop, budget: int
) -> Iterator[tuple[Form, str]]:
    """What goes so that the rest fits: the least used first, of these the longest unused."""
    gone = {form.id for form, _ in _replaced(there, made, shop)}
    others = [form for form in there if form.id not in gone and form.size]
    size = sum(form.size for form in others)
    for form in sorted(others, key=lambda each: (each.uses, each.last_used or each.made, each.id)):
        if size > budget and (made is None or form.id != made.id):
            size -= form.size
            yield form, f"the budget is {budget} bytes, and it was used {form.uses} times"

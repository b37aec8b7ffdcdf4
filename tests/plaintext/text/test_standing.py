"""What is made of several records stands while all of them do."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from engram.plaintext.derived import derived
from engram.plaintext.roles import Edit, EditPlan, Record, Scope, State
from engram.plaintext.store.erase import destroy, with_derived
from engram.plaintext.store.store import Store
from engram.plaintext.text.standing import key_of, laid_down, raised, stands

NOTES = [Record(f"00000000-0000-0000-0000-00000000000{n}", f"note {n}") for n in range(1, 4)]


@pytest.fixture
def store(new_store: Callable[[], Store]) -> Iterator[Store]:
    """A store that holds the notes."""
    with closing(new_store()) as made:
        apply(made, [Edit(note) for note in NOTES])
        yield made


def apply(store: Store, edits: Sequence[Edit]) -> None:
    """Write in one commit."""
    with store.write(0.0, method="test") as transaction:
        transaction.apply(EditPlan(tuple(edits)))


def raise_(store: Store, *wanted: Record) -> int:
    """Make these stand; how many edits that took."""
    with store.read(Scope()) as view:
        edits = list(raised(wanted, view))
    apply(store, edits)
    return len(edits)


def standing(store: Store, kind: str = "topic") -> list[Record]:
    """The live records of a kind."""
    with store.read(Scope()) as view:
        view.narrow(1.0, None, None, None)
        return view.records(np.flatnonzero(view.live & view.columns.of_kind(kind)))


def made(*notes: Record, text: str = "all of it") -> Record:
    """A topic of these notes."""
    return derived(notes, "topic", text, "test", key=key_of(text, notes, notes))


def test_what_is_made_follows_from_its_parts_and_its_text() -> None:
    """The same twice is one record, anything else another."""
    one = made(*NOTES)

    assert one == made(*NOTES)
    assert one.parents == tuple(note.id for note in NOTES)
    assert len({one.id, made(*NOTES[:2]).id, made(*NOTES, text="other").id}) == 3


def test_raising_twice_adds_nothing(store: Store) -> None:
    """It stands already, and so do its ties."""
    topic = made(*NOTES)

    assert raise_(store, topic) == 1 + len(NOTES)
    assert raise_(store, topic) == 0
    assert [each.id for each in standing(store)] == [topic.id]


def test_what_was_laid_down_is_raised_where_it_fits_again(store: Store) -> None:
    """It is the same record, in its next version."""
    topic = made(*NOTES)
    raise_(store, topic)
    apply(store, list(laid_down(standing(store))))
    assert standing(store) == []

    raise_(store, topic)

    assert [(each.id, each.version) for each in standing(store)] == [(topic.id, 3)]


def test_what_somebody_put_out_of_recall_stays_there(store: Store) -> None:
    """Nobody asked for it to come back."""
    topic = made(*NOTES)
    raise_(store, topic)
    (held,) = standing(store)
    apply(store, [Edit(replace(held, state=State.ARCHIVED), basis=1)])

    assert raise_(store, topic) == 0
    assert standing(store) == []


def test_a_record_stands_on_active_parts_alone(store: Store) -> None:
    """One that was put out of recall is enough for it to fall."""
    with store.read(Scope()) as view:
        assert stands(made(*NOTES), view)
    apply(store, [Edit(replace(NOTES[0], state=State.ARCHIVED), basis=1)])

    with store.read(Scope()) as view:
        assert not stands(made(*NOTES), view)
        assert stands(made(*NOTES[1:]), view)


def test_what_is_frozen_is_not_laid_down() -> None:
    """Nor is what does not stand."""
    topic = made(*NOTES)

    assert list(laid_down([replace(topic, frozen=True)])) == []
    assert list(laid_down([replace(topic, state=State.ARCHIVED)])) == []
    assert len(list(laid_down([topic]))) == 1


def test_it_is_erased_with_any_of_its_sources_and_not_made_of_them_again(store: Store) -> None:
    """It holds words of all of them; another source's topic is left alone."""
    both, other = made(*NOTES[:2]), made(NOTES[2])
    raise_(store, both, other)
    with store.write(1.0, method="erase") as transaction:
        doomed = with_derived(transaction.db, [NOTES[1].id])
        destroy(transaction, doomed)

    assert [each.id for each in standing(store)] == [other.id]
    assert raise_(store, both) == 0

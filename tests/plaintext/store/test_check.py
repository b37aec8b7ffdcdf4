"""Check finds every kind of damage, and repair mends what follows from the log."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram.errors import StoreCorrupt
from engram.plaintext.roles import TRANSITIONS, Edit, EditPlan, Record, Scope, Source, State
from engram.plaintext.store.check import check, content_hash
from engram.plaintext.store.embed import embed_missing
from engram.plaintext.store.erase import destroy
from engram.plaintext.store.store import Store
from engram.plaintext.store.transaction import new_id
from engram.ports import Embedder

Put = Callable[..., list[Record]]
ByHand = Callable[..., list[Any]]


@pytest.fixture
def kept(store: Store, put: Put) -> list[Record]:
    """Four records: two versions of one, a fact that rests on it, a merged one, another user's."""
    raw = Record(id=new_id(1.0), text="Ana lives in Bergen", event_time=1.0)
    put(raw, at=1.0)
    fact = Record(
        id=new_id(2.0), kind="fact", text="Ana lives in Bergen", sources=(Source(raw.id, 0, 19),),
        fields={"head": "Ana", "relation": "lives_in", "tail": "Bergen"},
    )  # fmt: skip
    merged = Record(id=new_id(2.0), text="ana lives in bergen", state=State.MERGED)
    other = Record(id=new_id(2.0), text="Bo plays chess", scope=Scope("bo"))
    put(fact, replace(merged, superseded_by=raw.id), other, at=2.0)
    put(replace(raw, text="Ana lives in Oslo now"), at=3.0)
    store.used([raw.id, raw.id], 4.0)
    store.flush(4.0)
    return [raw, fact, merged, other]


def hash_of(store: Store) -> str:
    """The content hash of a store."""
    with store.snapshot() as db:
        return content_hash(db)


def test_a_fresh_store_is_sound(store: Store) -> None:
    """Nothing written is nothing wrong."""
    health = check(store)

    assert health.problems == ()
    assert (health.records, health.versions, health.commits) == (0, 0, 0)


def test_a_store_in_use_equals_its_replay(store: Store, kept: list[Record]) -> None:
    """Versions, merges, evidence and use all follow from the log."""
    health = check(store)

    assert health.problems == ()
    assert (health.records, health.versions, health.commits) == (4, 5, 4)


def test_progress_is_told_while_it_replays(store: Store, kept: list[Record]) -> None:
    """A long check shows where it stands."""
    seen: list[tuple[int, int]] = []

    check(store, progress=lambda done, total: seen.append((done, total)))

    assert seen
    assert seen[0] == (0, 6)


@pytest.mark.parametrize(
    "forged",
    [
        "UPDATE log SET body=replace(body, 'Oslo', 'Rome') WHERE body LIKE '%Oslo%'",
        "UPDATE log SET body=body || ' ' WHERE seq=1",
        "UPDATE log SET record='0' WHERE seq=1",
        "UPDATE log SET version=7 WHERE seq=1",
        "UPDATE log SET space=2 WHERE seq=1",
        "UPDATE log SET digest=zeroblob(32) WHERE seq=1",
        "DELETE FROM log WHERE seq=4",
        "INSERT INTO log SELECT 99, commit_number, op, space, record, 9, body, digest "
        "FROM log WHERE seq=1",
        "UPDATE commits SET at=at-1 WHERE number=1",
        "UPDATE commits SET actor='mallory' WHERE number=2",
        "UPDATE commits SET chain=zeroblob(32) WHERE number=1",
        "DELETE FROM commits WHERE number=1",
        "DELETE FROM commits WHERE number=4",
        "UPDATE log SET commit_number=77 WHERE seq=2",
    ],
)
def test_a_changed_log_does_not_go_unseen(
    store: Store, kept: list[Record], by_hand: ByHand, forged: str
) -> None:
    """Every column of the log and of the commits is under the chain of hashes."""
    by_hand(forged)

    assert any("log:" in problem for problem in check(store).problems)


def test_a_forged_body_with_a_matching_digest_breaks_the_chain(
    store: Store, kept: list[Record], by_hand: ByHand
) -> None:
    """Hashing the forgery anew is not enough, for the commit covers the digest."""
    store.connections.get().create_function("sha", 1, _sha)
    store.connections.get().execute(
        "UPDATE log SET body=replace(body,'Oslo','Rome'), digest=sha(replace(body,'Oslo','Rome')) "
        "WHERE body LIKE '%Oslo%'"
    )

    problems = check(store).problems

    assert any("does not match its hash" in problem for problem in problems)


def _sha(body: str) -> bytes:
    return hashlib.sha256(body.encode()).digest()


def test_repair_leaves_a_damaged_log_as_it_is(
    store: Store, kept: list[Record], by_hand: ByHand
) -> None:
    """Nothing knows better than the log; damage there is reported and stays reported."""
    by_hand("UPDATE log SET body=replace(body, 'Oslo', 'Rome') WHERE body LIKE '%Oslo%'")

    assert check(store, repair=True).problems
    assert check(store).problems
    assert by_hand("SELECT count(*) FROM log WHERE body LIKE '%Rome%'") == [(1,)]


@pytest.mark.parametrize(
    "broken",
    [
        "DELETE FROM rows WHERE row=1",
        "DELETE FROM rows",
        "UPDATE rows SET known_to=NULL",
        "UPDATE rows SET state='archived' WHERE row=4",
        "UPDATE rows SET space=2 WHERE row=1",
        "UPDATE rows SET event=9 WHERE row=1",
        "UPDATE rows SET digest=zeroblob(32) WHERE row=4",
        "DELETE FROM rests_on",
        "DELETE FROM merged",
        "UPDATE usage SET uses=9",
        "DELETE FROM usage",
        "DROP TABLE merged",
        "DROP TABLE rows",
        "INSERT INTO terms(terms) VALUES('delete-all')",
        "INSERT INTO terms(rowid, words) VALUES(1, '1xghost')",
        "UPDATE terms_data SET block=zeroblob(8) WHERE id>10",
        "DELETE FROM terms_data",
    ],
)
def test_repair_rebuilds_what_follows_from_the_log(
    store: Store, kept: list[Record], by_hand: ByHand, broken: str
) -> None:
    """Dropped, emptied or garbled tables are found, and made anew."""
    before = hash_of(store)
    by_hand(broken)

    assert check(store).problems
    mended = check(store, repair=True)

    assert mended.problems == ()
    assert mended.repaired
    assert hash_of(store) == before
    assert check(store).problems == ()


def test_deleted_vectors_are_found_and_made_again(
    store: Store, kept: list[Record], by_hand: ByHand, embedder: Embedder
) -> None:
    """Vectors are not in the log; repair leaves the job of making them."""
    by_hand("DELETE FROM vectors")

    assert any("rows have none" in problem for problem in check(store).problems)
    check(store, repair=True)
    made = embed_missing(store, embedder)

    assert made == by_hand("SELECT count(*) FROM rows WHERE length>0")[0][0]
    assert check(store).problems == ()


@pytest.mark.parametrize(
    "broken",
    [
        "UPDATE vectors SET vector=zeroblob(3)",
        "INSERT INTO vectors SELECT 999, embedder, space, vector FROM vectors LIMIT 1",
        "UPDATE vectors SET space=space+5",
    ],
)
def test_vectors_that_do_not_fit_are_mended(
    store: Store, kept: list[Record], by_hand: ByHand, embedder: Embedder, broken: str
) -> None:
    """A wrong length or a row that is not there would break every search."""
    by_hand(broken)

    assert any("vectors:" in problem for problem in check(store).problems)
    check(store, repair=True)
    embed_missing(store, embedder)

    assert check(store).problems == ()


def test_a_damaged_page_is_reported(store: Store, kept: list[Record]) -> None:
    """Bytes that rotted in the middle of the file are a finding or a clear error, no crash."""
    store.connections.get().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    path = Path(store.path)
    content = bytearray(path.read_bytes())
    (root,) = (
        sqlite3.connect(path)
        .execute("SELECT rootpage FROM sqlite_master WHERE name='commits'")
        .fetchone()
    )
    content[(root - 1) * 4096 : (root - 1) * 4096 + 64] = b"\xff" * 64
    path.write_bytes(content)

    again = Store(path)

    with pytest.raises(StoreCorrupt, match="damaged"), closing(again):
        check(again)


def test_equal_content_has_an_equal_hash_whatever_came_between(store: Store, put: Put) -> None:
    """Versions, commits and use leave no trace in the hash."""
    (one,) = put(Record(id=new_id(1.0), text="tea"))
    before = hash_of(store)
    (two,) = put(replace(one, text="coffee"))
    assert hash_of(store) != before
    put(replace(two, text="tea"))
    store.used([one.id], 5.0)
    store.flush(5.0)

    assert hash_of(store) == before


def test_a_retracted_record_does_not_count(store: Store, put: Put) -> None:
    """After an add is reverted the content is what it was before."""
    before = hash_of(store)
    (one,) = put(Record(id=new_id(1.0), text="tea"))
    put(replace(one, state=State.RETRACTED))

    assert hash_of(store) == before


_STEPS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["text", "state", "erase", "use", "freeze", "new"]),
        st.sampled_from(list(State)[:-1]),
        st.text(alphabet="abc déé?", min_size=1, max_size=8),
    ),
    max_size=14,
)


@settings(max_examples=40)
@given(_STEPS)
def test_every_history_replays_to_the_same_tables(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str, State, str]]
) -> None:
    """Whatever was done, check finds nothing, and a repair changes nothing."""
    store = Store(tmp_path_factory.mktemp("replay") / "memory.db", durability="off")
    held: list[Record] = []
    for at, (which, act, state, text) in enumerate(steps):
        held = _step(store, held, (which, act, state, text), float(at))
    before = hash_of(store)

    assert check(store).problems == ()
    store.connections.get().execute("DELETE FROM rows")
    assert check(store, repair=True).problems == ()
    assert hash_of(store) == before
    store.close()


def _step(
    store: Store, held: list[Record], step: tuple[int, str, State, str], at: float
) -> list[Record]:
    which, act, state, text = step
    if act == "new" or not held:
        record = Record(id=new_id(at), text=text, scope=Scope(user=str(which)))
        with store.write(at) as transaction:
            return [*held, *transaction.apply(EditPlan((Edit(record),)))]
    old = held[which % len(held)]
    if act == "use":
        store.used([old.id], at)
        return held
    with store.write(at) as transaction:
        if act == "erase":
            destroy(transaction, [old.id])
            return [record for record in held if record.id != old.id]
        legal = state in TRANSITIONS[old.state] and not old.frozen
        into = held[0].id if state is State.MERGED else None
        new = {
            "text": replace(old, text=old.text if old.frozen else text),
            "state": replace(old, state=state, superseded_by=into) if legal else old,
            "freeze": replace(old, frozen=not old.frozen),
        }[act]
        (done,) = transaction.apply(EditPlan((Edit(new, old.version),)))
    return [done if record.id == old.id else record for record in held]

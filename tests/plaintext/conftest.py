"""Small stores, and views of conversations that hold just what a test says."""

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest

from engram.plaintext.roles import Edit, EditPlan, Record, Scope
from engram.plaintext.store.store import Store
from engram.plaintext.store.view import Snapshot

DIMENSION = 4
NOW = 1_700_000_000.0
MINUTE = 60.0


@pytest.fixture(scope="session")
def new_store(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Store]:
    """Makes an empty store, as often as it is asked; its embedder gives four numbers."""
    folder, number = tmp_path_factory.mktemp("stores"), count()

    def make() -> Store:
        path = folder / f"{next(number)}.db"
        return Store(path, durability="off", embedder=("fake", DIMENSION))

    return make


@pytest.fixture(scope="session")
def view_of(new_store: Callable[[], Store]) -> Callable[..., AbstractContextManager[Snapshot]]:
    """``view_of(*conversations, ...)`` is a view of a store that holds them, narrowed to now.

    A conversation is a run; its turns follow one another by a minute. A turn is a text, or a record
    where more must be said; a record keeps its own time, and its run where it has one. Rows stand
    in the order in which the turns are passed.

    Args of the function:
        conversations: turns, each a sequence.
        vectors: number of the turn -> its vector; turns that are not named are not embedded.
        hidden: numbers of turns that have expired.
        run: see only the conversation of this number.
    """

    @contextmanager
    def look(
        *conversations: Sequence[str | Record],
        vectors: Mapping[int, Sequence[float]] | None = None,
        hidden: Collection[int] = (),
        run: int | None = None,
    ) -> Iterator[Snapshot]:
        turns = [
            _turn(said, conversation, place)
            for conversation, talk in enumerate(conversations)
            for place, said in enumerate(talk)
        ]
        turns = [
            replace(turn, expires_at=1.0) if number in hidden else turn
            for number, turn in enumerate(turns)
        ]
        known = {
            turns[at].id: np.array(vector, dtype=np.float32)
            for at, vector in (vectors or {}).items()
        }
        with closing(new_store()) as store:
            with store.write(0.0, method="test") as transaction:
                transaction.apply(EditPlan(tuple(Edit(turn) for turn in turns)), known)
            with store.read(Scope(run=None if run is None else str(run))) as view:
                view.narrow(NOW, None, None, None)
                yield view

    return look


def _turn(said: str | Record, conversation: int, place: int) -> Record:
    fixed: dict[str, Any] = {"id": str(uuid.UUID(int=1000 * conversation + place + 1))}
    if isinstance(said, str):
        said = Record("", said, event_time=NOW - 10_000 * MINUTE + MINUTE * place)
    if said.scope.run is None:
        fixed["scope"] = replace(said.scope, run=str(conversation))
    return replace(said, **fixed)

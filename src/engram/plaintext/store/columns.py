"""The columns of a space in memory: read once, then kept up from the log's tail."""

import sqlite3
import time
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engram.errors import brief
from engram.plaintext.columns import Columns
from engram.plaintext.roles import State

STATES: Final = tuple(State)
_STATE_CODE = {str(state): code for code, state in enumerate(STATES)}
_QUERY = """
SELECT row, record, state, kind, run, agent, speaker, event, valid_from, valid_to, known_from,
       known_to, expires, length, source, replaced, content, asks
FROM rows WHERE space=? AND row>? ORDER BY row"""
_TIMES = (("event", 7), ("valid_from", 8), ("valid_to", 9), ("known_from", 10), ("known_to", 11))


class Growing:
    """An array that is appended to; slices handed out earlier stay as they were."""

    def __init__(self, dtype: Any, width: int | None = None) -> None:
        self._shape = () if width is None else (width,)
        self._full = np.zeros((0, *self._shape), dtype)
        self.size = 0

    def extend(self, values: NDArray[Any]) -> None:
        """Append along the first axis."""
        end = self.size + len(values)
        if end > len(self._full):
            grown = np.zeros((max(end, 2 * len(self._full), 64), *self._shape), self._full.dtype)
            grown[: self.size] = self._full[: self.size]
            self._full = grown
        self._full[self.size : end] = values
        self.size = end

    def replace(self, where: NDArray[np.int64], values: Any) -> None:
        """Change elements in a copy, so that slices handed out earlier do not change."""
        self._full = self._full.copy()
        self._full[where] = values

    def take_over(self, values: NDArray[Any]) -> None:
        """Hold what another held; it is copied when it grows or changes."""
        self._full, self.size = values, len(values)

    def view(self) -> NDArray[Any]:
        """What is there now; must not be written to."""
        return self._full[: self.size]


def _arrays(dimension: int) -> dict[str, Growing]:
    plain = {
        "rows": np.int64, "state": np.int8, "kind": np.int32, "run": np.int32, "agent": np.int32,
        "speaker": np.int32, "length": np.float32, "content": np.float32, "group": np.int64,
        "replaced": np.bool_, "asks": np.bool_, "embedded": np.bool_, "ids": np.object_,
        "root": np.bool_,
    }  # fmt: skip
    times = ("event", "valid_from", "valid_to", "known_from", "known_to", "expires")
    arrays = {name: Growing(dtype) for name, dtype in plain.items()}
    arrays |= {name: Growing(np.float64) for name in times}
    arrays["vectors"] = Growing(np.float32, dimension)
    return arrays


@dataclass
class SpaceCache:
    """One space as growing arrays. ``epoch`` changes when rows vanish and all must be reread.

    ``root`` marks rows that rest on no other. ``filed`` counts the rows that are in a file.
    """

    space: int
    embedder: int | None
    dimension: int
    epoch: str
    last: int = 0
    filed: int = 0
    looked: float = 0.0
    names: dict[str, int] = field(default_factory=dict)
    position: dict[str, int] = field(default_factory=dict)
    former: dict[str, list[int]] = field(default_factory=dict)
    group: dict[str, int] = field(default_factory=dict)
    arrays: dict[str, Growing] = field(default_factory=dict)
    built: Columns | None = None

    def __post_init__(self) -> None:
        self.arrays = _arrays(self.dimension)

    def refresh(self, db: sqlite3.Connection, newest: int) -> Columns:
        """Read what the log gained; the caller holds this cache's lock and a read transaction."""
        if newest > self.last:
            fetched = db.execute(_QUERY, (self.space, self.last)).fetchall()
            if fetched:
                self._append(fetched)
                self.built, self.looked = None, 0.0
            self.last = newest
        if self._embed(db) or self.built is None:
            arrays: dict[str, Any] = {name: a.view() for name, a in self.arrays.items()}
            del arrays["root"]
            arrays |= {"newest": self.position, "former": self.former}
            self.built = Columns(names=tuple(self.names), **arrays)
        return self.built

    def _code(self, name: str | None) -> int:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"a name is text, got {brief(name)}")
        return -1 if name is None else self.names.setdefault(name, len(self.names))

    def _append(self, fetched: list[Any]) -> None:
        start = self.arrays["rows"].size
        columns = list(zip(*fetched, strict=True))
        closed, closed_at = [], []
        for at, (record, known_from) in enumerate(zip(columns[1], columns[10], strict=True)):
            before = self.position.get(record)
            if before is not None:
                self.former.setdefault(record, []).append(before)
                closed.append(before)
                closed_at.append(known_from)
            self.position[record] = start + at
        put = {name: np.array(columns[c], dtype=np.float64) for name, c in _TIMES}
        put["expires"] = np.array(columns[12], dtype=np.float64)
        for name, fill in _UNKNOWN.items():
            put[name] = np.where(np.isnan(put[name]), fill, put[name])
        codes = {"kind": 3, "run": 4, "agent": 5, "speaker": 6}
        put |= {n: np.array([self._code(v) for v in columns[c]]) for n, c in codes.items()}
        put["rows"] = np.array(columns[0])
        put["ids"] = np.array(columns[1], dtype=object)
        put["state"] = np.array([_STATE_CODE[s] for s in columns[2]])
        put["length"] = np.array(columns[13])
        put["replaced"] = np.array(columns[15], dtype=bool)
        put["content"] = np.array(columns[16])
        put["asks"] = np.array(columns[17], dtype=bool)
        put["group"] = np.array(
            [
                self.group.setdefault(source or record, len(self.group))
                for record, source in zip(columns[1], columns[14], strict=True)
            ]
        )
        put["root"] = np.array([source is None for source in columns[14]], dtype=bool)
        put["embedded"] = np.zeros(len(fetched), dtype=bool)
        put["vectors"] = np.zeros((len(fetched), self.dimension), dtype=np.float32)
        for name, values in put.items():
            self.arrays[name].extend(values)
        if closed:
            self.arrays["known_to"].replace(np.array(closed), closed_at)

    def _embed(self, db: sqlite3.Connection) -> bool:
        """Read vectors that were not there before; True if some were."""
        missing = ~self.arrays["embedded"].view() & (self.arrays["length"].view() > 0)
        if self.embedder is None or not missing.any() or time.monotonic() < self.looked + _PATIENCE:
            return False
        self.looked = time.monotonic()
        rows = self.arrays["rows"].view()
        fetched = db.execute(
            "SELECT row, vector FROM vectors WHERE space=? AND embedder=? AND row>=? ORDER BY row",
            (self.space, self.embedder, int(rows[missing.argmax()])),
        ).fetchall()
        if not fetched:
            return False
        where = np.searchsorted(rows, np.array([row for row, _ in fetched]))
        flat = np.frombuffer(b"".join(vector for _, vector in fetched), dtype=np.float16)
        vectors = flat.reshape(len(fetched), self.dimension).astype(np.float32)
        new = missing[where]
        # Filled in place: a slice handed out earlier says "not embedded" for these rows still.
        self.arrays["vectors"].view()[where[new]] = vectors[new]
        self.arrays["embedded"].replace(where[new], True)
        return bool(new.any())


_PATIENCE = 0.5  # seconds between looks for vectors that a background job may be writing
_UNKNOWN = {
    "event": np.nan, "valid_from": -np.inf, "valid_to": np.inf, "known_to": np.inf,
    "expires": np.inf,
}  # fmt: skip

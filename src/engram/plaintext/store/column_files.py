"""Columns of large spaces in files beside the store, so that a first search reads no row twice.

A file holds what ``SpaceCache`` held at one entry of the log, and which entry that was: epoch,
number, and the hash of the commits up to it. One that does not fit the store, or is damaged, is as
good as none. Nothing rests on it: rows after it are read from the store, and it may vanish.
"""

import json
import os
import sqlite3
import struct
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engram.plaintext.store.columns import SpaceCache
from engram.plaintext.store.parts import destroyed

MANY = 16_384
"""Rows from which on a space gets a file; fewer are read in no time."""

_FRESH = 8
"""A file is written anew when this share of the rows, one in so many, came after it."""

_FORM = "1"
"""Of the file; another one is not read."""

_HEAD = struct.Struct("<4sQI")  # mark, bytes of the facts, checksum of all that follows
_MARK = b"ecol"


def folder(store: Path) -> Path:
    """The folder of a store's column files."""
    return store.with_name(f"{store.name}.columns")


def sweep(store: Path) -> bool:
    """Destroy all files, which may hold what was erased; False where one cannot be."""
    try:
        found = sorted(folder(store).iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return True
    left = [path for path in found if not destroyed(path)]
    return not left


def save(store: Path, db: sqlite3.Connection, cache: SpaceCache) -> bool:
    """Write the columns of a space, where it is large and most of them are in no file yet.

    The caller holds the lock of the cache, and calls ``withdraw`` when rows vanished meanwhile.
    Returns whether a file was written; a disk without room gets none.
    """
    size = cache.arrays["rows"].size
    if size < MANY or (size - cache.filed) * _FRESH < size:
        return False
    chain = _chain(db, cache.last)
    if chain is None:
        return False
    arrays = {name: array.view() for name, array in cache.arrays.items() if name != "ids"}
    arrays["vectors"] = arrays["vectors"].astype(np.float16)
    ids = json.dumps(cache.arrays["ids"].view().tolist()).encode()
    arrays["ids"] = np.frombuffer(ids, dtype=np.uint8)
    facts = {
        "form": _FORM, "epoch": cache.epoch, "last": cache.last, "chain": chain, "size": size,
        "embedder": cache.embedder, "names": list(cache.names), "roots": _orphans(cache),
        "arrays": {name: [a.dtype.str, list(a.shape)] for name, a in arrays.items()},
    }  # fmt: skip
    try:
        _write(_path(store, cache), facts, arrays)
    except OSError:
        return False
    cache.filed = size
    return True


def withdraw(store: Path, cache: SpaceCache) -> None:
    """Destroy what ``save`` wrote."""
    destroyed(_path(store, cache))


def load(store: Path, db: sqlite3.Connection, cache: SpaceCache, newest: int) -> None:
    """Fill an empty cache with what its file holds, where that fits the store."""
    found = _read(_path(store, cache))
    if found is None:
        return
    facts, arrays = found
    wanted = (_FORM, cache.epoch, cache.embedder)
    if (facts["form"], facts["epoch"], facts["embedder"]) != wanted or facts["last"] > newest:
        return
    if _chain(db, facts["last"]) != facts["chain"]:
        return
    ids = json.loads(arrays.pop("ids").tobytes())
    arrays["ids"] = np.array(ids, dtype=object)
    arrays["vectors"] = arrays["vectors"].astype(np.float32)
    for name, array in cache.arrays.items():
        array.take_over(arrays[name])
    cache.names = {name: code for code, name in enumerate(facts["names"])}
    cache.position = {record: at for at, record in enumerate(ids)}
    for at in np.flatnonzero(arrays["known_to"] < np.inf):
        if cache.position[ids[at]] != at:
            cache.former.setdefault(ids[at], []).append(int(at))
    cache.group = dict(facts["roots"])
    roots = arrays["root"]
    cache.group |= {ids[at]: int(arrays["group"][at]) for at in np.flatnonzero(roots)}
    cache.last, cache.filed = facts["last"], facts["size"]


def _path(store: Path, cache: SpaceCache) -> Path:
    return folder(store) / f"{cache.space}-{cache.embedder}.columns"


def _chain(db: sqlite3.Connection, last: int) -> str | None:
    """The hash of the commits up to an entry of the log; None where it is not the last of one."""
    found = db.execute(
        "SELECT c.chain, (SELECT seq FROM log WHERE commit_number=c.number ORDER BY seq DESC "
        "LIMIT 1) FROM commits c WHERE c.number=(SELECT commit_number FROM log WHERE seq=?)",
        (last,),
    ).fetchone()
    return found[0].hex() if found and found[1] == last else None


def _orphans(cache: SpaceCache) -> dict[str, int]:
    """Groups by records that have no row of their own here to tell them."""
    ids, roots = cache.arrays["ids"].view(), cache.arrays["root"].view()
    told = set(ids[roots].tolist())
    return {record: number for record, number in cache.group.items() if record not in told}


def _write(path: Path, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Aside, to the disk, and then into its place."""
    path.parent.mkdir(exist_ok=True)
    head = json.dumps(facts).encode()
    body = [np.ascontiguousarray(a).reshape(-1).view(np.uint8).data for a in arrays.values()]
    check = zlib.crc32(head)
    for each in body:
        check = zlib.crc32(each, check)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.fresh")
    try:
        with fresh.open("wb") as file:
            file.write(_HEAD.pack(_MARK, len(head), check) + head)
            for each in body:
                file.write(each)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        with suppress(FileNotFoundError):
            fresh.unlink()


def _read(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]] | None:
    """What was written; None where there is none, or not all of it."""
    try:
        held = path.read_bytes()
        mark, size, check = _HEAD.unpack_from(held)
        if mark != _MARK or zlib.crc32(memoryview(held)[_HEAD.size :]) != check:
            return None
        at = _HEAD.size + size
        facts = json.loads(held[_HEAD.size : at])
    except (OSError, ValueError, struct.error):
        return None
    arrays = {}
    for name, (kind, shape) in facts["arrays"].items():
        count = int(np.prod(shape))
        arrays[name] = np.frombuffer(held, np.dtype(kind), count, at).reshape(shape)
        at += arrays[name].nbytes
    return facts, arrays

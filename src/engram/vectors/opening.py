"""What a folder holds that can be used, and how much of the log that is."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engram.vectors import pieces
from engram.vectors.exact import Mask, Rows
from engram.vectors.files import Damaged, Reader
from engram.vectors.manifest import Manifest
from engram.vectors.pieces import Pieces
from engram.vectors.spann.postings import Postings


@dataclass(frozen=True, slots=True)
class Content:
    """Files that are open, the manifest that names just these, and (N,) what was removed."""

    manifest: Manifest
    pieces: Pieces
    lists: Postings | None
    gone: Mask

    @property
    def covered(self) -> int:
        """Vectors that are in lists."""
        return self.lists.covered if self.lists is not None else 0


_NOTHING: Mask = np.zeros(0, bool)


def opened(folder: Path, told: Manifest, check: int, known: Content | None = None) -> Content:
    """Open what a manifest names; what is damaged, and what builds on it, is left out.

    Args:
        folder: of the index.
        told: names its files.
        check: files of at most so many bytes are read in full and compared with their checksums.
        known: what is open; what it has in common with what is told stays open.
    """
    if known is None or check:
        known = Content(Manifest(told.dimension), Pieces((), told.dimension), None, _NOTHING)
    gone = _gone(folder, told, check)
    names = told.pieces if gone is not None else ()
    files = dict(zip(known.manifest.pieces, known.pieces.files, strict=True))
    found = pieces.opened(folder, names, told.dimension, check, files)
    names = names[: len(found.files)]
    if known.lists is not None and known.manifest.lists == told.lists:
        lists = known.lists if known.covered <= len(found) else None
    else:
        lists = _lists(folder, told, check, len(found))
    kept = replace(
        told,
        pieces=names,
        lists=told.lists if lists is not None else "",
        gone=told.gone if gone is not None else "",
    )
    removed: Mask = np.zeros(len(found), bool)
    if gone is not None:
        removed[pieces.numbers_of(found.rows, gone)] = True
    return Content(kept, found, lists, removed)


def _gone(folder: Path, told: Manifest, check: int) -> Rows | None:
    """The rows that were removed; None where nobody knows, and nothing can be used then."""
    if not told.gone:
        return np.zeros(0, np.int64)
    try:
        file = checked(folder / told.gone, max(check, 1 << 30))
        rows: Rows = file.array("rows")
    except Damaged:
        return None
    return rows


def _lists(folder: Path, told: Manifest, check: int, vectors: int) -> Postings | None:
    if not told.lists or not vectors:
        return None
    try:
        checked(folder / told.lists, check)
        lists = Postings(folder / told.lists, told.dimension)
    except (Damaged, ValueError):
        return None
    return lists if 0 < lists.covered <= vectors else None


def checked(path: Path, check: int) -> Reader:
    """A file, compared with its checksums where it is small."""
    reader = Reader(path)
    if reader.size <= check:
        reader.check()
    return reader

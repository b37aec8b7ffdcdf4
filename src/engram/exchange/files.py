"""Files that are either written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from engram.errors import StoreReadOnly


@contextmanager
def atomic_text(path: Path) -> Iterator[TextIO]:
    """A text file that takes its place only when the block ends well.

    Raises:
        StoreReadOnly: the file or its folder cannot be written.
    """
    part = path.with_name(f".{path.name}.part-{os.getpid()}")
    try:
        out = part.open("w", encoding="utf-8", newline="\n")
    except OSError as error:
        raise StoreReadOnly(
            f"{path}: cannot be written ({error.strerror}); choose another"
        ) from error
    try:
        with out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)

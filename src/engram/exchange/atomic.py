"""Files that are written whole or not at all."""

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
        with part.open("w", encoding="utf-8", newline="\n") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    except OSError as error:
        raise StoreReadOnly(f"{path}: cannot be written ({error}); choose another path") from error
    finally:
        part.unlink(missing_ok=True)

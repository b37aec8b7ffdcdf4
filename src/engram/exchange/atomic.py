"""Files that are written whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from engram.errors import StoreReadOnly


@contextmanager
def atomic_text(path: Path) -> Iterator[TextIO]:
    """A text file that takes its place only when the block ends well.

    It keeps the permissions of the file that it replaces, and a link to that file. What is no file,
    such as a pipe or ``/dev/null``, is written to as it is.

    Raises:
        StoreReadOnly: the file or its folder cannot be written.
    """
    whole = Path(os.path.realpath(path))
    part = whole.parent / f".{whole.name}.part-{os.getpid()}"
    try:
        if whole.exists() and not whole.is_file():
            with _text(whole) as out:
                yield out
            return
        with _text(part) as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        if whole.exists():
            shutil.copymode(whole, part)
        part.replace(whole)
    except OSError as error:
        raise StoreReadOnly(f"{path}: cannot be written ({error}); choose another path") from error
    finally:
        with suppress(OSError):
            part.unlink()


def _text(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="\n")

"""Reading benchmark files: JSON and JSON lines, plain or compressed, and plain texts."""

import gzip
import json
import lzma
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from engram.errors import InvalidInput


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    if path.suffix == ".xz":
        return lzma.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read one JSON document.

    Raises:
        InvalidInput: the file is missing, damaged or not JSON.
    """
    try:
        with _open(path) as stream:
            return json.load(stream)
    except (OSError, EOFError, lzma.LZMAError, ValueError) as fault:
        raise _unreadable(path, fault) from fault


def read_lines(path: Path) -> Iterator[Any]:
    """Yield the JSON value of each line that is not blank.

    Raises:
        InvalidInput: the file is missing, damaged or a line is not JSON.
    """
    try:
        with _open(path) as stream:
            for line in stream:
                if line.strip():
                    yield json.loads(line)
    except (OSError, EOFError, lzma.LZMAError, ValueError) as fault:
        raise _unreadable(path, fault) from fault


def read_texts(data: Path) -> Iterator[tuple[str, str]]:
    """Yield path and text of every ``.txt``: of a folder, of a tar archive, or the file itself.

    Raises:
        InvalidInput: it is missing, damaged, or a text is not UTF-8.
    """
    try:
        if data.is_dir():
            for path in sorted(data.rglob("*.txt")):
                yield path.as_posix(), path.read_text(encoding="utf-8-sig")
        elif data.suffix == ".txt":
            yield data.as_posix(), data.read_text(encoding="utf-8-sig")
        else:
            with tarfile.open(data) as packed:
                for member in packed:
                    content = packed.extractfile(member)
                    if content and member.name.endswith(".txt"):
                        yield member.name, content.read().decode("utf-8-sig")
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError, UnicodeDecodeError) as fault:
        raise InvalidInput(
            f"data must be texts in UTF-8: a .txt file, a folder or a tar archive of them, got "
            f"{str(data)!r} ({str(fault).partition(':')[0]}); download it again or pass another "
            "path"
        ) from fault


def pick(data: Path, *patterns: str) -> list[Path]:
    """Return the files to read: ``data`` itself, or the files in it that match, sorted.

    Raises:
        InvalidInput: it does not exist, or nothing in the folder matches.
    """
    if data.is_file():
        return [data]
    found = sorted({path for pattern in patterns for path in data.glob(pattern)})
    if not found:
        raise InvalidInput(
            f"data must be a benchmark file or a folder with {' or '.join(patterns)}, "
            f"got {str(data)!r}; see docs/evaluations.md for where to get it"
        )
    return found


def only(data: Path, *patterns: str) -> Path:
    """Return the one file to read; see ``pick``. Editions of a benchmark are never mixed.

    Raises:
        InvalidInput: it does not exist, or several files of the folder match.
    """
    found = pick(data, *patterns)
    if len(found) > 1:
        raise InvalidInput(
            f"data must be one file, got a folder with {[path.name for path in found]!r}; name one"
        )
    return found[0]


def stamp(text: str, pattern: str) -> float:
    """Read a time without a zone as UTC, in seconds since 1970.

    Raises:
        InvalidInput: the text does not follow the ``strptime`` pattern.
    """
    try:
        return datetime.strptime(text.strip(), pattern).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise InvalidInput(
            f"a time must look like {pattern!r}, got {text!r}; check that the file is unchanged"
        ) from None


def _unreadable(path: Path, fault: Exception) -> InvalidInput:
    return InvalidInput(
        f"a benchmark file must be readable JSON, got {str(path)!r} ({fault}); "
        "download it again or pass another path"
    )

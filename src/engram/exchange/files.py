"""Opening what others wrote: files, folders and archives, as text or JSON.

Nothing is ever extracted to disk.
"""

import codecs
import io
import json
import lzma
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from engram.errors import EngramError, InvalidInput
from engram.exchange.roles import Found, Problem

HEAD = 64 * 1024  # bytes that a reader may look at to recognise its format
_ZIP = b"PK\x03\x04"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNREADABLE = (
    OSError,
    EOFError,
    OverflowError,
    RuntimeError,  # an archive with a password, or packed in a way that Python does not know
    ValueError,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
_TELLING = tuple(
    re.compile(rf"(?:^|/){pattern}$", re.IGNORECASE)
    for pattern in (
        r"conversations(?:-\d+)?\.json",
        r"(?:result|memories|projects)\.json",
        r"(?:projects|memories)/[^/]+\.json",
        r"[^/]*\.jsonl",
        r"[^/]*\.(?:md|markdown)",
        r"[^/]*\.(?:txt|log)",
        r"[^/]*\.json",
    )
)


@dataclass(frozen=True, slots=True)
class Part:
    """One file to read.

    Attributes:
        path: what is opened: the file itself, or the archive that holds it.
        name: path inside of the export, with ``/``; the file name where it stands alone.
        size: bytes, unpacked.
        packed: whether it lies in an archive.
    """

    path: Path
    name: str
    size: int
    packed: bool = False

    def __str__(self) -> str:
        """Where a person finds it."""
        return f"{self.path}:{self.name}" if self.packed else str(self.path)

    @property
    def stem(self) -> str:
        """The name without folders and suffix."""
        return self.name.rpartition("/")[2].rpartition(".")[0] or self.name


@dataclass(frozen=True, slots=True)
class Opening:
    """How files are opened.

    Attributes:
        limit: most bytes that are held at once or that an archive may expand to.
        encoding: of text that is neither UTF-8 nor marked as UTF-16 or UTF-32, such as
            ``latin-1``; None refuses such text instead of guessing.
    """

    limit: int = 2 * 1024**3
    encoding: str | None = None

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise InvalidInput(f"limit must be at least 1 byte, got {self.limit!r}")
        if self.encoding is not None:
            _check_encoding(self.encoding)

    def parts(self, path: Path, wanted: re.Pattern[str]) -> list[Part]:
        """The file itself, or what ``wanted`` finds in a folder or archive, sorted by name.

        Raises:
            InvalidInput: nothing is there, nothing is wanted, or the archive is damaged or
                expands to more than the limit.
        """
        every = self._every(path)
        if len(every) == 1 and every[0].path == path and not every[0].packed:
            return every
        found = [part for part in every if wanted.search(part.name)]
        if not found:
            raise InvalidInput(
                f"{str(path)!r} must hold a file that fits {wanted.pattern!r}, got "
                f"{[part.name for part in every[:5]]}; pass the file itself or another format"
            )
        if (total := sum(part.size for part in found if part.packed)) > self.limit:
            raise InvalidInput(
                f"{str(path)!r} may expand to {self.limit} bytes, got {total}; "
                "raise the limit if you trust it"
            )
        return found

    def names(self, path: Path) -> list[str]:
        """What a folder or archive holds, or the name of the file."""
        return [part.name for part in self._every(path)]

    def head(self, path: Path) -> bytes:
        """The first bytes of the file, or of the most telling file of a folder or archive."""
        parts = self._every(path)
        best = min(parts, key=lambda part: (_telling(part.name), part.name), default=None)
        if best is None:
            return b""
        with _opened(best) as stream:
            return stream.read(HEAD)

    def content(self, part: Part) -> bytes:
        """All of a part, as it is.

        Raises:
            InvalidInput: it is too long or damaged.
        """
        if part.size > self.limit:
            raise InvalidInput(
                f"{str(part)!r} may have {self.limit} bytes, got {part.size}; "
                "raise the limit or split it"
            )
        with _opened(part) as stream:
            return stream.read()

    def text(self, part: Part) -> str:
        """All of a part, decoded.

        Raises:
            InvalidInput: it is too long, damaged, or no text in a known encoding.
        """
        content = self.content(part)
        encoding = self._encoding(content)
        try:
            return _checked(content.decode(encoding), str(part))
        except UnicodeDecodeError as fault:
            raise _undecodable(f"{part}, byte {fault.start}", encoding) from None

    def lines(self, part: Part) -> Iterator[tuple[int, str]]:
        """Number from 1 and text of each line, without its end; never holds more than one.

        Raises:
            InvalidInput: as ``text``, when the line in question is reached.
        """
        number = 0
        with _opened(part) as stream:
            encoding = self._encoding(stream.read(4))
        with _opened(part) as stream, io.TextIOWrapper(stream, encoding) as text:
            try:
                while line := text.readline(self.limit):
                    number += 1
                    if len(line) == self.limit:
                        raise InvalidInput(
                            f"{part}, line {number}, must have fewer than {self.limit} "
                            "characters, got more; raise the limit or split it"
                        )
                    yield number, _checked(line.rstrip("\n"), f"{part}, line {number}")
            except UnicodeDecodeError:
                raise _undecodable(f"{part}, after line {number}", encoding) from None

    def json(self, part: Part) -> Any:
        """The JSON value that a part is; held whole, several times its size in memory.

        Raises:
            InvalidInput: as ``text``, or it is not JSON; the message says at which line.
        """
        return parsed(self.text(part), str(part))

    def _every(self, path: Path) -> list[Part]:
        if path.is_dir():
            return sorted(_in_folder(path), key=lambda part: part.name)
        if not path.is_file():
            raise InvalidInput(
                f"an import must be a file or a folder, got {str(path)!r}; check the path"
            )
        alone = Part(path, path.name, path.stat().st_size)
        with _opened(alone) as stream:
            if stream.read(len(_ZIP)) != _ZIP:
                return [alone]
        return sorted(_in_archive(path), key=lambda part: part.name)

    def _encoding(self, start: bytes) -> str:
        marked = (name for mark, name in _BOMS if start.startswith(mark))
        return next(marked, self.encoding or "utf-8")


def each_part(parts: Sequence[Part], read: Callable[[Part], Iterator[Found]]) -> Iterator[Found]:
    """Read one part after another; one that is broken is a Problem unless it stands alone.

    Raises:
        InvalidInput: the only part cannot be read.
    """
    for part in parts:
        try:
            yield from read(part)
        except InvalidInput as fault:
            if len(parts) == 1:
                raise
            yield Problem(str(part), str(fault))


def parsed(text: str, where: str) -> Any:
    """The value of a JSON text.

    Raises:
        InvalidInput: it is not JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as fault:
        raise InvalidInput(
            f"{where} must be JSON, but at line {fault.lineno}, column {fault.colno}: {fault.msg}; "
            "is the file cut off?"
        ) from None
    except (ValueError, RecursionError) as fault:
        raise InvalidInput(f"{where} must be JSON that can be held, got: {fault}") from None


def glimpse(head: bytes) -> str:
    """The first bytes as text, to recognise a format by; what cannot be decoded is replaced."""
    encoding = next((name for mark, name in _BOMS if head.startswith(mark)), "utf-8")
    return head.decode(encoding, errors="replace")


def _telling(name: str) -> int:
    ranks = (rank for rank, pattern in enumerate(_TELLING) if pattern.search(name))
    return next(ranks, len(_TELLING))


def _in_folder(folder: Path) -> Iterator[Part]:
    """Every file below, except in what is hidden: ``.git``, ``.obsidian``, ``.trash``."""
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(top, name)
            if not name.startswith(".") and path.is_file():
                yield Part(path, path.relative_to(folder).as_posix(), path.stat().st_size)


def _in_archive(path: Path) -> list[Part]:
    try:
        with zipfile.ZipFile(path) as archive:
            found = [entry for entry in archive.infolist() if not entry.is_dir()]
    except _UNREADABLE as fault:
        raise _damaged(str(path), fault) from fault
    return [
        Part(path, entry.filename, entry.file_size, packed=True)
        for entry in found
        if not entry.filename.startswith("__MACOSX/")
        if not any(name.startswith(".") for name in entry.filename.removeprefix("./").split("/"))
    ]


@contextmanager
def _opened(part: Part) -> Iterator[IO[bytes]]:
    """The bytes of a part; whatever is wrong with them is an InvalidInput that names it."""
    try:
        if not part.packed:
            with part.path.open("rb") as stream:
                yield stream
        else:
            with zipfile.ZipFile(part.path) as archive, archive.open(part.name) as stream:
                yield stream
    except (EngramError, UnicodeError):
        raise
    except _UNREADABLE as fault:
        raise _damaged(str(part), fault) from fault


def _checked(text: str, where: str) -> str:
    if "\0" in text:
        raise InvalidInput(
            f"{where} must be text, got NUL bytes; if it is UTF-16 without a mark, "
            "pass encoding='utf-16-le'"
        )
    return text


def _check_encoding(name: str) -> None:
    try:
        b"aaaa".decode(name)
    except UnicodeError:
        return  # it is known, and these bytes are not in it
    except (LookupError, ValueError):
        raise InvalidInput(
            f"encoding must be one that Python knows, got {name!r}; try 'latin-1'"
        ) from None


def _undecodable(where: str, encoding: str) -> InvalidInput:
    return InvalidInput(
        f"{where} must be {encoding}, got other bytes; pass encoding='latin-1' or the one it has"
    )


def _damaged(where: str, fault: Exception) -> InvalidInput:
    why = str(fault) or type(fault).__name__
    return InvalidInput(f"{where!r} must be readable, got: {why}; export or download it again")

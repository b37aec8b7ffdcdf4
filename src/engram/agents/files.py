"""The file store: paths and their lines, in memory, written whole and never outside.

Source: Holt 2024, L2MAC, ICLR 2024, arXiv:2310.02003, section 3.2.
Differs: a file that is written over must not lose most of its lines, nor be abbreviated; the paper
takes whatever the model writes.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from engram.errors import InvalidInput, NotFound, StoreReadOnly, brief

LONGEST_PATH = 200
GUARDED = 8
"""Lines from which on a file may not shrink by half in one write."""

_LONGEST_NAME = 255  # bytes; what file systems take
_ODD = re.compile(r"[\x00-\x1f\x7f\\:\ud800-\udfff]")
_HALF = re.compile(r"[\ud800-\udfff]")
_ABBREVIATED = re.compile(
    r"^\W*(?:\.\.\.|…)?\s*\(?(?:(?:the )?(?:rest|remainder|remaining|other|existing|previous)\b"
    r"[^=;{}]*\b(?:unchanged|same|omitted|as before|as is|stays?|here)\b"
    r"|(?:unchanged|same as before|omitted)\b)[^=;{}]*$",
    re.IGNORECASE,
)


class FileStore:
    """Files of text by their path, relative and with slashes."""

    def __init__(self, files: Mapping[str, Sequence[str]] | None = None) -> None:
        self.files: dict[str, tuple[str, ...]] = {}
        self._snapshots: dict[str, dict[str, tuple[str, ...]]] = {}
        for path, lines in (files or {}).items():
            self.write(path, lines)

    def paths(self) -> list[str]:
        """Every path, sorted."""
        return sorted(self.files)

    def read(self, path: str, start: int | None = None, end: int | None = None) -> list[str]:
        """The lines of a file, or those from number ``start`` to ``end``, counted from 1.

        Raises:
            NotFound: there is no such file.
        """
        return list(self.files[self._known(path)][max(0, (start or 1) - 1) : end])

    def write(self, path: str, lines: Sequence[str]) -> None:
        """Write a whole file.

        Raises:
            InvalidInput: the path leads out or is taken by a folder, or what is there would be
                lost: fewer than half of its lines are left, or a line stands for others; or it is
                no text. Nothing was written.
        """
        name, fresh = checked_path(path), tuple("\n".join(lines).split("\n")) if lines else ()
        for other in self.files:
            if other.startswith(f"{name}/") or name.startswith(f"{other}/"):
                raise InvalidInput(f"{name!r} cannot be a file and a folder; {other!r} exists")
        if _HALF.search("".join(fresh)):
            raise InvalidInput(f"{name}: text must be whole characters, got half of one")
        if name in self.files:
            _guard(name, self.files[name], fresh)
        self.files[name] = fresh

    def delete(self, path: str) -> None:
        """Take a file away.

        Raises:
            NotFound: there is no such file.
        """
        del self.files[self._known(path)]

    def snapshot(self) -> str:
        """Keep the state of all files; the id is their hash, so equal states have equal ids."""
        told = json.dumps(sorted(self.files.items()), ensure_ascii=True).encode()
        key = hashlib.sha256(told).hexdigest()
        self._snapshots[key] = dict(self.files)
        return key

    def restore(self, key: str) -> None:
        """Go back to a state that ``snapshot`` kept.

        Raises:
            NotFound: there is no such snapshot.
        """
        if key not in self._snapshots:
            raise NotFound(f"no snapshot has the id {brief(key)}; snapshot() gives one")
        self.files = dict(self._snapshots[key])

    def export(self, folder: Path, gone: Iterable[str] = ()) -> None:
        """Write every file below a folder of the disk, as UTF-8.

        Args:
            folder: is made if need be; what else lies in it stays.
            gone: paths that are taken away there first.

        Raises:
            StoreReadOnly: something cannot be written.
        """
        try:
            for path in gone:
                (folder / checked_path(path)).unlink(missing_ok=True)
            for path, lines in self.files.items():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                text = "".join(f"{line}\n" for line in lines)
                target.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise StoreReadOnly(
                f"{folder}: a file cannot be written ({error}); choose another folder"
            ) from error

    def _known(self, path: str) -> str:
        name = checked_path(path)
        if name not in self.files:
            raise NotFound(f"there is no file {name!r}; there are {len(self.files)} others")
        return name


def checked_path(path: object) -> str:
    """A path in its plain form.

    Raises:
        InvalidInput: it is absolute, leads upwards, is empty, too long or odd.
    """
    if not isinstance(path, str) or not 0 < len(path) <= LONGEST_PATH or _ODD.search(path):
        raise InvalidInput(
            f"a path must be 1 to {LONGEST_PATH} plain characters, without backslash or colon, "
            f"got {brief(path)}"
        )
    plain = PurePosixPath(path)
    if plain.is_absolute() or ".." in plain.parts or not plain.parts:
        raise InvalidInput(
            f"a path must be relative and must not lead out of the folder, got {path!r}"
        )
    if any(len(part.encode()) > _LONGEST_NAME for part in plain.parts):
        raise InvalidInput(f"a name must be at most {_LONGEST_NAME} bytes, got {brief(path)}")
    return str(plain)


def _guard(path: str, old: Sequence[str], new: Sequence[str]) -> None:
    known = {line.strip() for line in old}
    short = [line.strip() for line in new if _ABBREVIATED.match(line) and line.strip() not in known]
    if short:
        raise InvalidInput(
            f"{path}: write the whole file, a line stands for others: {brief(short[0])}"
        )
    kept = (Counter(old) & Counter(new)).total()
    if len(old) >= GUARDED and len(new) * 2 < len(old):
        raise InvalidInput(
            f"{path}: {len(old)} lines would become {len(new)}, {kept} of them kept; write the "
            "whole file, or delete it first if it is to be replaced"
        )

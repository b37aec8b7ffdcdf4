"""Which files an index is made of: one small file, replaced whole, after all that it names."""

import json
import os
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from engram.vectors.files import Damaged, remove, sync_folder

NAME = "manifest"
_FORMAT = 1
_LOCKS = {"lock", "merging"}


@dataclass(frozen=True, slots=True)
class Manifest:
    """The names of an index's files.

    Attributes:
        dimension: of the vectors.
        next: number in the name of the next file.
        layout: changes when vectors get other numbers, as they do when some are destroyed.
        pieces: files of vectors, in the order of the log.
        lists: file of lists, or nothing.
        gone: file of removed rows, or nothing.
    """

    dimension: int
    next: int = 1
    layout: int = 0
    pieces: tuple[str, ...] = field(default=())
    lists: str = ""
    gone: str = ""

    def names(self) -> set[str]:
        """Every file."""
        return {*self.pieces, self.lists, self.gone} - {""}


def read(folder: Path, dimension: int) -> Manifest:
    """What the folder says; an empty index where it says nothing that can be used."""
    try:
        checksum, _, text = (folder / NAME).read_bytes().partition(b"\n")
        if int(checksum, 16) != zlib.crc32(text):
            raise Damaged(f"{NAME} is not what was written")
        told: dict[str, Any] = json.loads(text)
    except (OSError, ValueError, Damaged):
        return Manifest(dimension, next=_unused(folder))
    if told.pop("format") != _FORMAT or told["dimension"] != dimension:
        return Manifest(dimension, next=_unused(folder))
    return Manifest(**told | {"pieces": tuple(told["pieces"])})


def _unused(folder: Path) -> int:
    """A number that no file there has in its name."""
    numbers = [path.stem.partition("-")[2] for path in folder.glob("*-*")]
    return 1 + max((int(number) for number in numbers if number.isdigit()), default=0)


def write(folder: Path, manifest: Manifest) -> None:
    """Replace what the folder says; from here on the index is this one."""
    text = json.dumps({"format": _FORMAT} | asdict(manifest)).encode()
    part = folder / f"{NAME}.part"
    with part.open("wb") as file:
        file.write(b"%08x\n" % zlib.crc32(text) + text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / NAME)
    sync_folder(folder)


def sweep(folder: Path, manifest: Manifest) -> None:
    """Take away every file that the manifest does not name."""
    for path in folder.iterdir():
        if path.name not in manifest.names() | _LOCKS | {NAME}:
            remove(path)

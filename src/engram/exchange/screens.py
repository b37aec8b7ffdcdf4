"""Screenshots: images of which the words are kept, with the place and the hash of the image.

A frame that looks like the last one that was kept is the same frame: nothing of it is read. One
that looks otherwise and says the same, such as after a move of the mouse, is read and counted.
Near-duplicates are dropped above a similarity of 0.99, and frames come in batches of twenty, as in
MIRIX (Wang and Chen 2025, arXiv:2507.07957, section 2).
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

from engram.errors import InvalidInput
from engram.exchange.files import Opening, Part
from engram.exchange.roles import Found, Incoming, Problem
from engram.exchange.values import by_day, handle, message
from engram.plaintext.roles import Message
from engram.plaintext.text.times import iso

_FILES = re.compile(r"\.(?:png|jpe?g|webp|bmp|tiff?|gif)$", re.IGNORECASE)
_STAMP = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)[-_.]?(?P<month>\d\d)[-_.]?(?P<day>\d\d)(?:T|[-_ ]+(?:at )?)"
    r"(?P<hour>\d{1,2})[-_.:]?(?P<minute>\d\d)(?:[-_.:]?(?P<second>\d\d))?(?!\d)"
    r"(?:\s(?P<half>[AP])M)?"
)
_EPOCH = re.compile(r"(?P<seconds>1\d{9})(?P<part>\d{3})?(?:\.\d+)?")


class Sight(Protocol):
    """What it takes to see; an adapter answers it."""

    def imprint(self, image: bytes) -> str:
        """Bits as hexadecimal digits, of which few differ between images that look alike."""
        ...

    def words(self, image: bytes) -> str:
        """What is written there."""
        ...


class Progress(Protocol):
    """Is told how many frames were looked at."""

    def __call__(self, done: int, total: int) -> None:
        """``done`` of ``total``."""
        ...


class _Shot(NamedTuple):
    """An image, when it was taken, and whether its name says so."""

    part: Part
    at: float | None
    named: bool


@dataclass(slots=True)
class _Frame:
    """One frame, and those after it that are the same."""

    shot: _Shot
    digest: str
    imprint: str
    words: str
    count: int = 1
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Screens:
    """Each frame with words is one message of a tool, dated by its name or its file.

    Attributes:
        sight: how frames are compared and read.
        opening: how files are opened.
        alike: 0 to 1; a frame that is more alike to the last is the same.
        batch: frames with words that are given at a time.
        progress: called after each frame.
        counts: how many frames were ``seen``, of these ``repeated``, and ``wordless``.
    """

    name: ClassVar[str] = "screens"
    ALIKE: ClassVar[float] = 0.99
    sight: Sight
    opening: Opening = Opening()
    alike: float = ALIKE
    batch: int = 20
    progress: Progress | None = None
    counts: Counter[str] = field(default_factory=Counter)

    def sniff(self, path: Path, head: bytes) -> bool:
        """Nothing but images."""
        return all_images(path, self.opening)

    def read(self, path: Path) -> Iterator[Found]:
        """Yield the frames by their time, some at once, each day a run of its own.

        Raises:
            InvalidInput: there is no image, or the only one cannot be read.
        """
        path = path.resolve()
        parts = self.opening.parts(path, _FILES)
        shots = sorted(map(_shot, parts), key=_order)
        draft = Incoming((), run=handle(f"{self.name} {path.stem}"), source=str(path), infer=False)
        found = self._found(shots)
        while batch := list(islice(found, self.batch)):
            yield from by_day(draft, batch)

    def _found(self, shots: list[_Shot]) -> Iterator[Message | Problem]:
        held: _Frame | None = None
        for done, shot in enumerate(shots, 1):
            try:
                frame = self._seen(shot, held)
            except InvalidInput as fault:
                if len(shots) == 1:
                    raise InvalidInput(f"{shot.part}: {fault}") from None
                frame = None
                yield Problem(str(shot.part), str(fault))
            if frame is not None:
                if held is not None:
                    yield from _said(held)
                held = frame
            if self.progress is not None:
                self.progress(done, len(shots))
        if held is not None:
            yield from _said(held)

    def _seen(self, shot: _Shot, held: _Frame | None) -> _Frame | None:
        """A frame that is another than the last; None where it is the same, which is counted."""
        self.counts["seen"] += 1
        image = self.opening.content(shot.part)
        imprint = self.sight.imprint(image)
        words = None
        if held is None or similarity(held.imprint, imprint) <= self.alike:
            words = self.sight.words(image).strip()
        if held is None or words not in (None, held.words):
            self.counts["wordless"] += not words
            digest = hashlib.sha256(image).hexdigest()
            return _Frame(shot, digest, imprint, words or "")
        self.counts["repeated"] += 1
        held.count, held.until = held.count + 1, shot.at
        if words is not None:  # it looks otherwise, and so will those that follow
            held.imprint = imprint
        return None


def all_images(path: Path, opening: Opening) -> bool:
    """Whether a file is an image, or a folder or an archive holds images and nothing else."""
    names = opening.names(path)
    return bool(names) and all(_FILES.search(name) for name in names)


def similarity(a: str, b: str) -> float:
    """The share of bits that two imprints have in common."""
    bits = 4 * max(len(a), len(b))
    return 1 - (int(a, 16) ^ int(b, 16)).bit_count() / bits


def _said(frame: _Frame) -> Iterator[Message]:
    """The words of a frame; a tool read them, and nobody knows who wrote them."""
    part, at, named = frame.shot
    metadata: dict[str, Any] = {
        "imported_from": Screens.name,
        "modality": "screenshot",
        "path": str(part),
        "sha256": frame.digest,
        "imprint": frame.imprint,
        "frame_time": iso(at),
        "time_from": None if at is None else "name" if named else "file",
        "frames": frame.count,
        "until": iso(frame.until),
    }
    return message(frame.words, "tool", at=at, metadata=metadata)


def _order(shot: _Shot) -> tuple[bool, float, str]:
    return shot.at is None, shot.at or 0.0, shot.part.name


def _shot(part: Part) -> _Shot:
    """What is packed has only its name to tell the time by."""
    named = _named(part.stem)
    if named is not None or part.packed:
        return _Shot(part, named, named is not None)
    return _Shot(part, part.path.stat().st_mtime, False)


def _named(stem: str) -> float | None:
    """Seconds since 1970 of a time in a name; UTC, for no name says its zone."""
    if epoch := _EPOCH.fullmatch(stem):
        return int(epoch["seconds"]) + int(epoch["part"] or 0) / 1000
    for found in _STAMP.finditer(stem):
        hour = int(found["hour"])
        if found["half"]:
            hour = hour % 12 + (12 if found["half"] == "P" else 0)
        year, month, day, minute, second = (
            int(found[key] or 0) for key in ("year", "month", "day", "minute", "second")
        )
        try:
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
        except ValueError:
            continue  # digits that are no time
    return None

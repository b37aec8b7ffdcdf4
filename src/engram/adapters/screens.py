"""Screenshots: what a frame looks like, by imagehash, and what is written on it, by rapidocr.

The models of rapidocr are in its wheel; nothing is downloaded.
"""

import io
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from engram.errors import InvalidInput
from engram.extras import require

_SIDE = 16  # the hash has as many bits on each side; with fewer, a new line of text changes none
_GAP = 1.5  # heights of a line that may lie between two words of it


class Box(NamedTuple):
    """Where some words stand, in pixels, and the words."""

    left: float
    top: float
    right: float
    bottom: float
    words: str


class Eyes:
    """Sees frames one by one, on the processor; models are loaded at once.

    Raises:
        MissingExtra: what it needs is not installed.
    """

    def __init__(self) -> None:
        self._image = _required("PIL.Image")
        self._hashes = _required("imagehash")
        _required("onnxruntime")
        self._read = _required("rapidocr").RapidOCR(params={"Global.log_level": "critical"})

    def imprint(self, image: bytes) -> str:
        """The perceptual hash: 256 bits in hexadecimal, of which few differ in what looks alike.

        Raises:
            InvalidInput: it is no image that can be read.
        """
        return str(self._hashes.phash(self._opened(image), hash_size=_SIDE))

    def words(self, image: bytes) -> str:
        """What is written there, line by line; empty where nothing is.

        Raises:
            InvalidInput: it is no image that can be read.
        """
        found = self._read(np.asarray(self._opened(image))[:, :, ::-1])
        if found.txts is None:
            return ""
        corners = np.asarray(found.boxes, dtype=float)  # (N, 4, 2)
        sides = zip(*corners.min(axis=1).T, *corners.max(axis=1).T, found.txts, strict=True)
        return lined([Box(*side) for side in sides])

    def _opened(self, image: bytes) -> Any:
        """The image on white, without what is transparent."""
        broken = (OSError, ValueError, SyntaxError, self._image.DecompressionBombError)
        try:
            with self._image.open(io.BytesIO(image)) as opened:
                seen = opened.convert("RGBA")
        except broken as fault:
            why = str(fault).split(" <")[0]
            raise InvalidInput(
                f"an image must be one that Pillow can read, got: {why}; convert it to PNG"
            ) from None
        white = self._image.new("RGBA", seen.size, "white")
        white.alpha_composite(seen)
        return white.convert("RGB")


def lined(boxes: Sequence[Box]) -> str:
    """Boxes as text: those side by side on one height are a line, from top to bottom."""
    rows: list[list[Box]] = []
    for box in sorted(boxes, key=lambda each: each.top + each.bottom):
        middle = (box.top + box.bottom) / 2
        if rows and rows[-1][0].top <= middle <= rows[-1][0].bottom:
            rows[-1].append(box)
        else:
            rows.append([box])
    return "\n".join(line for row in rows for line in _lines(row))


def _lines(row: list[Box]) -> list[str]:
    """What stands far apart, such as a menu beside a page, is not read as one line."""
    row.sort()
    lines = [row[0].words]
    for before, box in pairwise(row):
        if box.left - before.right <= _GAP * (box.bottom - box.top):
            lines[-1] += f" {box.words}"
        else:
            lines.append(box.words)
    return lines


def _required(module: str) -> Any:
    return require(module, extra="screens", purpose="reading screenshots")

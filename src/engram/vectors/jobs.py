"""Changes of an index's files in the making: step by step, and published when all is written.

Each makes files of its own beside those that are in use, and says at the end which names the index
then has. One that is given up leaves nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engram.vectors.exact import Mask
from engram.vectors.files import Writer, remove
from engram.vectors.manifest import Manifest
from engram.vectors.opening import Content
from engram.vectors.pieces import Pieces
from engram.vectors.spann.growth import Growth
from engram.vectors.spann.settings import Spann


@dataclass
class Job:
    """One change.

    Attributes:
        folder: of the index.
        base: what it began with.
        steps: makes the files.
        names: of these.
        named: gives the manifest that the index has then, of the one that it has now.
    """

    folder: Path
    base: Manifest
    steps: Iterator[None]
    names: tuple[str, ...]
    named: Callable[[Manifest], Manifest]

    def fits(self, now: Manifest) -> bool:
        """Whether the index is what the change was made for, but for vectors that came since."""
        base = self.base
        same = (now.layout, now.lists) == (base.layout, base.lists)
        return same and now.pieces[: len(base.pieces)] == base.pieces

    def give_up(self) -> None:
        """Leave nothing."""
        close = getattr(self.steps, "close", None)
        if close is not None:
            close()
        for name in self.names:
            remove(self.folder / name)


def grown(folder: Path, content: Content, gone: Mask, settings: Spann) -> Job:
    """All vectors on disk come into lists."""
    base = content.manifest
    name = f"lists-{base.next}"
    growth = Growth(content.pieces, gone, content.lists, settings)
    return Job(
        folder, base, growth.run(folder / name), (name,), lambda now: replace(now, lists=name)
    )


def joined(folder: Path, content: Content, first: int, last: int) -> Job:
    """Pieces from one to before another become one."""
    base = content.manifest
    name = f"vectors-{base.next}"
    some = Pieces(content.pieces.files[first:last], base.dimension)

    def named(now: Manifest) -> Manifest:
        return replace(now, pieces=(*now.pieces[:first], name, *now.pieces[last:]))

    return Job(folder, base, _copied(folder / name, some, np.ones(len(some), bool)), (name,), named)


def without(folder: Path, content: Content, gone: Mask, settings: Spann) -> Job:
    """Everything is written anew that holds anything of removed vectors."""
    base = content.manifest
    kept, steps, at = [], [], 0
    for number, (old, piece) in enumerate(zip(base.pieces, content.pieces.files, strict=True)):
        mine = gone[at : at + len(piece.rows)]
        at += len(piece.rows)
        name = f"vectors-{base.next}.{number}"
        if not mine.any():
            kept.append(old)
        elif not mine.all():
            kept.append(name)
            some = Pieces((piece,), base.dimension)
            steps.append(_copied(folder / name, some, ~mine))
    lists = f"lists-{base.next}" if content.lists is not None and not gone.all() else ""
    if lists:
        growth = Growth(content.pieces, gone, content.lists, settings, doomed=True)
        steps.append(growth.run(folder / lists))

    def named(now: Manifest) -> Manifest:
        pieces_now = (*kept, *now.pieces[len(base.pieces) :])
        return replace(now, pieces=pieces_now, lists=lists, layout=now.layout + 1)

    made = tuple({*kept, lists} - {*base.pieces, ""})
    return Job(folder, base, _one_after_the_other(steps), made, named)


def _one_after_the_other(steps: list[Iterator[None]]) -> Iterator[None]:
    for each in steps:
        yield from each


def _copied(path: Path, some: Pieces, kept: Mask) -> Iterator[None]:
    """Write some vectors to a file of their own; damage is not copied under a new checksum."""
    for piece in some.files:
        piece.reader.check()
        yield None
    out = Writer(path)
    try:
        out.append("rows", some.rows[kept])
        for at, halves in some.stream(0, len(some)):
            out.append("vectors", halves[kept[at : at + len(halves)]])
            yield None
        out.close()
    except BaseException:
        out.discard()
        raise


def due(content: Content, gone: Mask, least: int) -> str:
    """What should be done next, or nothing.

    Args:
        content: what is on disk.
        gone: (N,) what is removed of it.
        least: vectors below which there are no lists.
    """
    count, removed = len(content.pieces), int(np.count_nonzero(gone))
    if removed * _LOOSE > count:
        return "without"
    waiting = count - content.covered
    if content.lists is None and count - removed > least:
        return "grown"
    if content.lists is not None and waiting > max(_WAITING, content.covered // _SHARE):
        return "grown"
    return "joined" if content.pieces.uneven() is not None else ""


_WAITING = 1024  # vectors that wait before a merge begins, at least
_SHARE = 50  # or one for so many that are in lists
_LOOSE = 4  # when one of so many on disk was removed, what is left is written anew

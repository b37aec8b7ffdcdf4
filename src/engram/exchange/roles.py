"""What a reader gives, and what a reader is."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, TypeAlias

from engram.plaintext.roles import Message


@dataclass(frozen=True, slots=True)
class Incoming:
    """One conversation or document of another product, ready for ``Memory.add``.

    Attributes:
        messages: in the order in which they were said; ``at`` is UTC seconds, None when unknown.
        user, agent: whose it is, where the file says so.
        run: id of the conversation, the same at every import, so that a second import of the same
            file, or of a longer export of the same chat, adds only what is new.
        source: file and position, for messages and progress.
        infer: False for reference material, out of which no facts should be read.
    """

    messages: tuple[Message, ...]
    user: str | None = None
    agent: str | None = None
    run: str | None = None
    source: str = ""
    infer: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read and was left out; the rest of the file goes on."""

    source: str
    reason: str


Found: TypeAlias = Incoming | Problem


class Reader(Protocol):
    """Reads one format.

    ``sniff`` looks at the path, at the names inside it, and at ``head``: the first bytes of the
    file, or of the most telling file of a folder or archive. ``read`` yields what is good and what
    is not, in order. It raises InvalidInput where nothing at all can be read.
    """

    name: ClassVar[str]

    def sniff(self, path: Path, head: bytes) -> bool:
        """Whether this looks like the format."""
        ...

    def read(self, path: Path) -> Iterator[Found]:
        """Yield every conversation, and a Problem for each part that cannot be read."""
        ...

"""Folders that hold a model: which one it is, whatever the path."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from engram.errors import InvalidInput

BROKEN = (OSError, ValueError, LookupError, RuntimeError, TypeError, AttributeError, ImportError)
"""What transformers raises over a folder that it cannot use."""

_SAMPLE = 64 * 1024  # bytes read at the start and at the end of a file
_PROSE = frozenset({".md", ".txt.license", ".png", ".jpg"})


def model_folder(path: str, purpose: str) -> Path:
    """The folder that a path means.

    Raises:
        InvalidInput: there is no folder; nothing is ever downloaded.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise InvalidInput(
            f"{purpose} needs the folder of a model, got {path!r}, which is none; download the "
            "model first, for example: hf download MODEL --local-dir FOLDER"
        )
    return folder.resolve()


@contextmanager
def silent(library: Any) -> Iterator[None]:
    """Keep the bars and the advice of transformers off the screen."""
    talk = library.utils.logging
    level, bars = talk.get_verbosity(), talk.is_progress_bar_enabled()
    talk.set_verbosity_error()
    talk.disable_progress_bar()
    try:
        yield
    finally:
        talk.set_verbosity(level)
        if bars:
            talk.enable_progress_bar()


def fingerprint(folder: Path) -> str:
    """Twelve letters that change with the model: sizes and ends of all files that matter.

    Weights are sampled, not read in full: settings and vocabularies are small, and two sets of
    weights with equal sizes, headers and tails are the same.
    """
    total = sha256()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        if path.is_file() and not hidden and path.suffix.lower() not in _PROSE:
            total.update(f"{inside.as_posix()}\n{path.stat().st_size}\n".encode())
            total.update(_sample(path))
    return total.hexdigest()[:12]


def _sample(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(_SAMPLE)
        file.seek(max(file.tell(), path.stat().st_size - _SAMPLE))
        return start + file.read()

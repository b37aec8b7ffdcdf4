"""Every error that engram raises.

::

    EngramError
    ├── InvalidInput (ValueError)     what the caller passed cannot be used
    │   ├── InvalidFilter             a filter expression is malformed
    │   ├── ShapeError                a tensor has other axes than it must have
    │   └── UnknownMethod             no catalogue row, embedder or benchmark has that name
    ├── NotFound (LookupError)        no record or commit with that id in the given scope
    ├── IllegalChange                 the record's life cycle forbids the change
    ├── ConfigError                   an ENGRAM_* variable is unknown or malformed
    ├── MissingExtra (ImportError)    an optional dependency is not installed
    ├── EmbedderFailed                the embedding model or server gave no usable vector
    ├── ModelFailed                   the language model or server gave no usable answer
    │   └── BudgetSpent               the next call could exceed what may be spent
    └── StoreError                    the file
        ├── StoreBusy                 another process held the write lock for too long
        ├── StoreClosed               used after close()
        ├── StoreCorrupt              the file is damaged or is not an engram store
        ├── StoreFull                 no space left on the disk
        ├── StoreReadOnly             the file or its folder cannot be written
        └── StoreTooNew               written by a later version of engram

A message is one line: what must hold, what came, what to do.
"""


class EngramError(Exception):
    """The root: catch this to catch everything that engram raises on purpose."""

    def __str__(self) -> str:
        """The message, on one line whatever a path or a value in it holds."""
        return " ".join(super().__str__().splitlines())


class InvalidInput(EngramError, ValueError):
    """An argument cannot be used; nothing was changed."""


class InvalidFilter(InvalidInput):
    """A filter expression is malformed; nothing was searched."""


class ShapeError(InvalidInput):
    """A tensor has other axes than it must have; the message shows both."""


class UnknownMethod(InvalidInput):
    """No method of that name exists; the message names the nearest."""


class NotFound(EngramError, LookupError):
    """No record or commit has that id in the given scope."""


class IllegalChange(EngramError):
    """The record's life cycle forbids the change; nothing was changed."""


class ConfigError(EngramError):
    """An ``ENGRAM_*`` environment variable is unknown or malformed."""


class MissingExtra(EngramError, ImportError):
    """An optional dependency is not installed; the message holds the install line."""


class EmbedderFailed(EngramError):
    """The embedding model or server gave no usable vector."""


class ModelFailed(EngramError):
    """The language model or its server gave no usable answer.

    ``taken`` is False where no model can have run, so that nothing has to be paid. ``wait`` is the
    seconds after which asking again may help; None where it will not.
    """

    taken: bool = True
    wait: float | None = None


class BudgetSpent(ModelFailed):
    """The next call to a model could exceed what may be spent; it was not made."""

    taken = False


class StoreError(EngramError):
    """The store's file cannot do what was asked."""


class StoreBusy(StoreError):
    """Another process held the write lock for longer than the busy timeout."""


class StoreClosed(StoreError):
    """The memory was used after ``close()``."""


class StoreCorrupt(StoreError):
    """The file is damaged or is not an engram store."""


class StoreFull(StoreError):
    """No space is left on the disk; the transaction was rolled back."""


class StoreReadOnly(StoreError):
    """The file or its folder cannot be written."""


class StoreTooNew(StoreError):
    """The file was written by a later version of engram."""


def brief(value: object, most: int = 80) -> str:
    """A value as a message shows it: its ``repr``, cut to ``most`` characters.

    Some values have none, such as a whole number with more digits than Python writes.
    """
    try:
        shown = repr(value)
    except (ValueError, RecursionError):
        return f"a {type(value).__name__} that is too large to show"
    return shown if len(shown) <= most else f"{shown[:most]}..."

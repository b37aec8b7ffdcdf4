"""One memory for an AI.

A map of the house, from the door inwards:

``memory``      the front door: ``Memory.open``, ``add``, ``search``, ``update``, ``close``...
``keeping``     the same memory kept: ``history``, ``diff``, ``revert``, ``erase``, ``check``...
``catalogue``   every published method as one row of data
``plaintext``   what was said and learned, in words: records, the log, recall
``adapters``    one file for each outside library: embedding models, language models
``exchange``    reading other products' exports, and our own archive
``evals``       did it remember? benchmarks and metrics
``demo``        a conversation of ten months, and what can be asked of it
``cli``         the same from the command line
``errors``      every error, in one tree
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from engram.errors import (
    BudgetSpent,
    ConfigError,
    EmbedderFailed,
    EngramError,
    IllegalChange,
    InvalidFilter,
    InvalidInput,
    MissingExtra,
    ModelFailed,
    NotFound,
    StoreBusy,
    StoreClosed,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreTooNew,
    UnknownMethod,
)

if TYPE_CHECKING:
    from engram.memory import Memory
    from engram.plaintext.receipts import Budget
    from engram.plaintext.roles import Record, Scope, State, Trust

__version__ = "0.1.0"
__all__ = [
    "Budget",
    "BudgetSpent",
    "ConfigError",
    "EmbedderFailed",
    "EngramError",
    "IllegalChange",
    "InvalidFilter",
    "InvalidInput",
    "Memory",
    "MissingExtra",
    "ModelFailed",
    "NotFound",
    "Record",
    "Scope",
    "State",
    "StoreBusy",
    "StoreClosed",
    "StoreCorrupt",
    "StoreError",
    "StoreFull",
    "StoreReadOnly",
    "StoreTooNew",
    "Trust",
    "UnknownMethod",
    "__version__",
]

_LATER = {
    "Budget": "engram.plaintext.receipts",
    "Memory": "engram.memory",
    "Record": "engram.plaintext.roles",
    "Scope": "engram.plaintext.roles",
    "State": "engram.plaintext.roles",
    "Trust": "engram.plaintext.roles",
}


def __getattr__(name: str) -> Any:
    # numpy alone takes longer to import than a command line may take to answer.
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'engram' has no attribute {name!r}")

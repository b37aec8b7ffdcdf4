"""One memory for an AI.

A map of the house, from the door inwards:

``memory``      the front door: ``Memory.open``, ``add``, ``search``, ``update``, ``close``...
``forming``     its forms: ``promote``, ``attach``, ``schedule``...
``keeping``     the same memory kept: ``history``, ``diff``, ``revert``, ``erase``, ``check``...
``catalogue``   every published method as one row of data
``lifecycle``   text becomes activation, and ends with its text
``kv``          the front door of caches: ``MemoryCache.for_model``
``activation``  what a model holds while it runs: which keys and values stay, in which form
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
    ShapeError,
    StoreBusy,
    StoreClosed,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreTooNew,
    UnknownMethod,
)
from engram.extras import require as _require

if TYPE_CHECKING:
    from engram.kv.memory_cache import MemoryCache
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
    "MemoryCache",
    "MissingExtra",
    "ModelFailed",
    "NotFound",
    "Record",
    "Scope",
    "ShapeError",
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
    "MemoryCache": "engram.kv.memory_cache",
    "Record": "engram.plaintext.roles",
    "Scope": "engram.plaintext.roles",
    "State": "engram.plaintext.roles",
    "Trust": "engram.plaintext.roles",
}


def __getattr__(name: str) -> Any:
    if name == "MemoryCache":
        for package in ("torch", "transformers"):
            _require(package, extra="hf", purpose=name)
    # numpy alone takes longer to import than a command line may take to answer.
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'engram' has no attribute {name!r}")

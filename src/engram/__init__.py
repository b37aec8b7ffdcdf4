"""One memory for an AI.

A map of the house, from the door inwards:

``memory``      the front door: ``Memory.open``, ``add``, ``search``, ``revert``, ``erase``...
``catalogue``   every published method as one row of data
``plaintext``   what was said and learned, in words: records, the log, recall
``adapters``    one file for each outside library: embedding models
``exchange``    reading other products' exports, and our own archive
``evals``       did it remember? benchmarks and metrics
``cli``         the same from the command line
``errors``      every error, in one tree
"""

from engram.errors import (
    ConfigError,
    EmbedderFailed,
    EngramError,
    IllegalChange,
    InvalidFilter,
    InvalidInput,
    MissingExtra,
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
from engram.memory import Memory
from engram.plaintext.roles import Record, Scope, State, Trust

__version__ = "0.1.0"
__all__ = [
    "ConfigError",
    "EmbedderFailed",
    "EngramError",
    "IllegalChange",
    "InvalidFilter",
    "InvalidInput",
    "Memory",
    "MissingExtra",
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

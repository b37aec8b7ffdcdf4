"""Vectors on disk and in memory: one index that is searched fast at every size.

``Segments`` is the index; ``Spann`` are its settings. Only numpy is needed.
"""

from engram.vectors.search import Found, Stats
from engram.vectors.segments import Segments
from engram.vectors.spann.settings import Spann

__all__ = ["Found", "Segments", "Spann", "Stats"]

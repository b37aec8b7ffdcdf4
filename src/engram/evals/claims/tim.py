"""Think-in-Memory: conclusions are stored and recalled, not the talk that led to them.

After each exchange the memory thinks again and keeps inductive thoughts, each a relation between
two things: Ana lives in Bergen. Thoughts lie in hash buckets; a query is compared with what lies in
its own. Within the memory thoughts are inserted, forgotten where a newer one contradicts them, and
merged where they say the same.

What differs: one table of buckets, as in the paper, loses two of five neighbours at a cosine of
0.9, so there are eight, in each of which the two likeliest buckets are looked into; up to fifty
thousand rows all are compared, which is quicker. Thoughts that contradict one another seldom share
a bucket, so they are organised by head and relation, across buckets. To forget is to archive with
an interval, as the consolidator of the house does with facts, and to merge is to let the first
thought stand for the others. The messages are kept, every thought names its own, and the buckets
hold both.

```python
from engram import Memory

memory = Memory.open(":memory:", preset="tim")
for day, text in enumerate(["I live in Bergen.", "I moved to Oslo.", "I live in Oslo."], start=1):
    memory.add({"name": "Ana", "role": "user", "content": text, "time": f"2026-01-0{day}"})
states = {"states": ["active", "archived"], "filters": {"kind": "thought"}}
for thought in memory.get_all(**states)["results"]:
    print(thought["memory"], "|", thought["state"], "| until", thought["valid_to"])
```

```text
Ana lives in Bergen | archived | until 2026-01-02T00:00:00Z
Ana lives in Oslo | active | until None
Ana lives in Oslo | archived | until None
```
"""

import random
from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np

from engram.evals.claims.figures import Figure
from engram.memory import Memory
from engram.plaintext.indexes.hashing import hashed, probed, rotations
from engram.plaintext.roles import Floats

_DAY = 86_400.0
_DIMENSION, _PAIRS, _DRAWS, _SEED = 64, 500, 40, 4
_COSINES = (0.95, 0.9, 0.8, 0.6, 0.0)
_MEASURED: Mapping[tuple[int, int], Sequence[float]] = {
    (8, 1): (0.755, 0.658, 0.533, 0.376, 0.123),
    (16, 1): (0.708, 0.600, 0.467, 0.294, 0.064),
    (64, 1): (0.631, 0.503, 0.351, 0.181, 0.015),
    (16, 4): (0.992, 0.977, 0.918, 0.750, 0.223),
    (16, 8): (1.0, 1.0, 0.993, 0.936, 0.410),
}
"""(buckets, tables) -> chance of sharing a bucket in some table, at each cosine."""

_TALK = (
    "I live in Bergen.",
    "I work at Equinor.",
    "I love tea.",
    "I moved to Oslo.",
    "I love tea!",
)


def claim() -> list[Figure]:
    """Eight tables of buckets find the neighbours; merging and forgetting take any order."""
    figures: list[Figure] = []
    for (buckets, tables), published in _MEASURED.items():
        found = [_shared(cosine, buckets, tables) for cosine in _COSINES]
        worst = max(abs(ours - theirs) for ours, theirs in zip(found, published, strict=True))
        figures.append(
            {
                "what": f"chance to share one of {buckets} buckets, {tables} tables, at {_COSINES}",
                "published": ", ".join(f"{each:.3f}" for each in published),
                "measured": ", ".join(f"{each:.3f}" for each in found),
                "ok": worst <= 0.02,
            }
        )
    neighbours, share = _neighbours()
    figures += [
        {
            "what": "neighbours at a cosine of 0.9 found by 8 tables, one probe each",
            "published": ">= 0.95",
            "measured": round(neighbours, 3),
            "ok": neighbours >= 0.95,
        },
        {
            "what": "share of unrelated vectors that has to be compared with them",
            "published": "0.410",
            "measured": round(share, 3),
            "ok": abs(share - 0.41) <= 0.03,
        },
        *_orders(),
    ]
    return figures


def _pairs(cosine: float, dice: np.random.Generator) -> tuple[Floats, Floats]:
    """Unit vectors, and as many at a cosine to these."""
    one, other = dice.standard_normal((2, _PAIRS, _DIMENSION), dtype=np.float32)
    one /= np.linalg.norm(one, axis=1, keepdims=True)
    other -= np.sum(one * other, axis=1, keepdims=True) * one
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    return one, np.float32(cosine) * one + np.float32(np.sqrt(1 - cosine**2)) * other


def _shared(cosine: float, buckets: int, tables: int) -> float:
    """How often two vectors share a bucket in at least one table, over draws of the tables."""
    dice = np.random.default_rng(_SEED)
    found = []
    for draw in range(max(8, _DRAWS // tables)):
        one, other = _pairs(cosine, dice)
        matrices = rotations(_DIMENSION, buckets, tables, draw)
        same = hashed(one, matrices) == hashed(other, matrices)
        found.append(float(same.any(axis=0).mean()))
    return float(np.mean(found))


def _neighbours() -> tuple[float, float]:
    """Shares of neighbours and of strangers that lie in the bucket of a query, in some table."""
    dice, matrices = np.random.default_rng(_SEED), rotations(_DIMENSION, 16, 8, _SEED)
    queries, near = _pairs(0.9, dice)
    _, far = _pairs(0.0, dice)
    asked = np.stack([probed(query, matrices, 1)[:, 0] for query in queries], axis=1)
    near_found, far_found = (
        float((hashed(vectors, matrices) == asked).any(axis=0).mean()) for vectors in (near, far)
    )
    return near_found, far_found


def _orders() -> list[Figure]:
    """In whatever order a talk comes in, the same is remembered, and twice adds nothing."""
    orders = list(permutations(range(len(_TALK))))
    ends = {_thoughts(order) for order in random.Random(_SEED).sample(orders, 24)}
    once, twice = _thoughts(orders[0]), _thoughts((*orders[0], *orders[0]))
    return [
        {
            "what": "different memories after 24 orders of merging and forgetting",
            "published": "1",
            "measured": len(ends),
            "ok": len(ends) == 1,
        },
        {
            "what": "thoughts that hold of five that were told, of which one repeats and one ends",
            "published": "3",
            "measured": sum(state == "active" for _, state, _ in once),
            "ok": sum(state == "active" for _, state, _ in once) == 3,
        },
        {
            "what": "thoughts added by telling it all again",
            "published": "0",
            "measured": len(twice) - len(once),
            "ok": twice == once,
        },
    ]


def _thoughts(order: Sequence[int]) -> tuple[tuple[str, str, str], ...]:
    """What is thought after a talk of some days that is told in an order: text, state and end."""
    with Memory.open(":memory:", preset="tim", embedder="none", durability="off") as memory:
        for day in order:
            memory.add({"name": "Ana", "content": _TALK[day], "time": day * _DAY})
        kept = memory.get_all(states=["active", "archived"], filters={"kind": "thought"})
    return tuple(sorted((t["memory"], t["state"], str(t["valid_to"])) for t in kept["results"]))

"""MemoryAgentBench: a memory is told much, chunk by chunk, and then asked many questions.

Four competencies: to find what was said (accurate retrieval), to learn from examples (test-time
learning), to see the whole (long-range understanding), and to believe the newer of two facts that
contradict one another (conflict resolution, in its data set FactConsolidation).

What differs: synthetic twins whose answers can be read off without a model, so the figures say
nothing about the published data; long-range understanding is the order of events; and the answer is
the filled slot or the last word of the best result. Plain BM25 stands beside every figure, as in
the paper, where it beats several memory systems.

```python
from engram.evals.competencies import accuracy, consolidation, look_up, read_off

case = consolidation(people=12, changes=40, seed=0)
print(accuracy(case, look_up), accuracy(case, read_off, "raw-bm25") < 0.5)
```

```text
1.0 True
```
"""

from engram.evals.claims.figures import Figure
from engram.evals.competencies import (
    Answers,
    Case,
    accuracy,
    consolidation,
    earlier,
    events,
    labels,
    look_up,
    needles,
    read_off,
    vote,
)

_SEED = 17


def claim() -> list[Figure]:
    """Needles, labels, order and conflicts, with BM25 beside."""
    conflicts = consolidation(48, 160, _SEED)
    chained = consolidation(48, 160, _SEED, hops=2)
    return [
        _figure("accurate retrieval: needles", needles(30, 600, _SEED), read_off, 1.0),
        _figure("test-time learning: 20 labels, 15 examples", labels(20, 15, _SEED), vote, 0.95),
        _figure("long-range understanding: order of events", events(40, _SEED), earlier, 1.0),
        _figure("conflict resolution: one hop", conflicts, look_up, 0.99),
        _figure("conflict resolution: two hops", chained, look_up, 0.95),
        _bm25("needles", needles(30, 600, _SEED), read_off),
        _bm25("one hop of conflicts", conflicts, read_off),
    ]


def _figure(what: str, case: Case, answers: Answers, least: float) -> Figure:
    measured = accuracy(case, answers)
    return {
        "what": f"{what}, {len(case.told)} sentences, {len(case.questions)} questions",
        "published": f">= {least:.0%}",
        "measured": f"{measured:.1%}",
        "ok": measured >= least,
    }


def _bm25(what: str, case: Case, answers: Answers) -> Figure:
    """A baseline holds whatever it measures; that it can tell easy from hard is asked elsewhere."""
    measured = accuracy(case, answers, "raw-bm25")
    return {
        "what": f"baseline BM25: {what}",
        "published": "beside every figure",
        "measured": f"{measured:.1%}",
        "ok": True,
    }

"""LongMemEval: five hundred questions, each about a history of chats with an assistant.

Retrieval is scored by session and by turn: whether any, or all, of the evidence is among the first
k, and by nDCG. The official gain weighs ranks 1 and 2 alike, which is not the textbook's; both are
here, by name.

What differs: evidence sessions have "answer" in their ids and ``has_answer`` on their turns, so
sessions are renumbered by date and the mark is dropped before a memory sees them. The date of the
question is the "now" of the memory.

```python
from engram.evals.metrics import ndcg

ranking, gold = ["a", "x", "b"], {"a", "b"}
print(round(ndcg(ranking, gold, 3, dcg="official"), 5), round(ndcg(ranking, gold, 3), 5))
```

```text
0.81546 0.91972
```
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engram.evals.benchmarks import evaluate
from engram.evals.claims.figures import Figure
from engram.evals.metrics import ndcg, recall_all, recall_any
from engram.evals.report import summaries
from engram.evals.roles import Episode
from engram.evals.tasks.longmemeval import LongMemEval

_RANKING, _GOLD = ("a", "x", "b"), {"a", "b"}


def claim() -> list[Figure]:
    """The official metrics are reproduced and the leaks are closed."""
    official = ndcg(_RANKING, _GOLD, 3, dcg="official")
    standard = ndcg(_RANKING, _GOLD, 3)
    marks = [recall_any(_RANKING, _GOLD, 1), recall_all(_RANKING, _GOLD, 1)]
    episode = _episode()
    leaks = _leaks(episode)
    return [
        _number("nDCG of golds at ranks 1 and 3, official gain", "0.81546", official, 0.81546),
        _number("the same, standard gain", "0.91972", standard, 0.91972),
        {
            "what": "recall_any and recall_all at 1 of the same",
            "published": "1 and 0",
            "measured": f"{marks[0]:.0f} and {marks[1]:.0f}",
            "ok": marks == [1.0, 0.0],
        },
        {
            "what": "ids and marks that give the evidence away",
            "published": "0",
            "measured": leaks,
            "ok": leaks == 0,
        },
        {
            "what": "evidence session of the question, after renumbering",
            "published": "the one of 2023/05/20, second by date",
            "measured": str(episode.questions[0].evidence_sessions),
            "ok": episode.questions[0].evidence_sessions == (episode.conversation[1].id,),
        },
        _recall(),
    ]


def _number(what: str, published: str, measured: float, expected: float) -> Figure:
    return {
        "what": what,
        "published": published,
        "measured": round(measured, 5),
        "ok": abs(measured - expected) < 1e-5,
    }


def _episode() -> Episode:
    marked = {"role": "user", "content": "I moved to Oslo.", "has_answer": True}
    plain = {"role": "user", "content": "What is the weather like?"}
    record: dict[str, Any] = {
        "question_id": "q1",
        "question_type": "single-session-user",
        "question": "Where do I live?",
        "answer": "Oslo",
        "question_date": "2023/06/01 (Thu) 10:00",
        "haystack_session_ids": ["answer_7f_1", "noise_2"],
        "haystack_dates": ["2023/05/20 (Sat) 09:00", "2023/04/10 (Mon) 23:07"],
        "haystack_sessions": [[marked], [plain]],
        "answer_session_ids": ["answer_7f_1"],
    }
    with TemporaryDirectory() as folder:
        path = Path(folder, "longmemeval_s.json")
        path.write_text(json.dumps([record]), encoding="utf-8")
        (episode,) = LongMemEval(path).episodes()
    return episode


def _leaks(episode: Episode) -> int:
    """How often what a memory is shown gives the evidence away."""
    shown = repr(episode.conversation)
    return shown.count("answer") + shown.count("has_answer")


def _recall() -> Figure:
    told = {s.subject: s for s in summaries(evaluate("longmemeval", top_k=10))}
    ours, plain = (told[name].depths[-1].sessions for name in ("engram hybrid", "bm25"))
    return {
        "what": "sessions R@10 on the synthetic twin, against BM25 in the same run",
        "published": "at least BM25 (the twin is ours; no published figure)",
        "measured": f"{ours:.3f} against {plain:.3f}",
        "ok": ours >= plain,
    }

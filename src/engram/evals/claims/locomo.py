"""LoCoMo: ten conversations of months between two people, and what can be asked about them.

Recall is the share of a question's evidence turns that come back. Questions are counted by the
number of their category and never by its name, which published tables print in different orders:
1 multi-hop, 2 temporal, 3 open-domain, 4 single-hop, 5 adversarial.

What differs: evidence that is written badly in the file is read as what it means, turns that do not
exist are dropped, and each repair is a note in the report; summaries, observations and the search
queries of pictures are never shown to a memory.

```python
from engram.evals.tasks.locomo import parse_evidence

print(parse_evidence(["D8:6; D9:17", "D:11:26", "D30:05"], {"D8:6", "D9:17", "D11:26", "D30:5"}))
```

```text
('D8:6', 'D9:17', 'D11:26', 'D30:5')
```
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engram.evals.benchmarks import evaluate
from engram.evals.claims.figures import Figure
from engram.evals.report import summaries
from engram.evals.roles import Episode, Probe
from engram.evals.tasks.locomo import Locomo, answer_f1

_DIRT = ("D1:1; D1:2", "D:1:1", "D1:02", "D", "D9:9")
_REPAIRED = (("D1:1", "D1:2"), ("D1:1",), ("D1:2",), (), ())
_SECRET = "zanzibar"


def claim() -> list[Figure]:
    """Dirty evidence is repaired, nothing leaks, answers score by category, recall beats BM25."""
    episode = _episode()
    found = tuple(probe.evidence for probe in episode.questions[: len(_DIRT)])
    shown = " ".join(turn.text for talk in episode.conversation for turn in talk.turns)
    several = Probe("", "", "pottery, painting, camping", "1 multi-hop")
    return [
        {
            "what": f"evidence read as it is meant, of {', '.join(map(repr, _DIRT))}",
            "published": str(_REPAIRED),
            "measured": str(found),
            "ok": found == _REPAIRED,
        },
        {
            "what": "texts around the chat that a memory is shown",
            "published": "0",
            "measured": shown.count(_SECRET),
            "ok": _SECRET not in shown,
        },
        {
            "what": "F1 of 'camping and pottery' where three things are asked for",
            "published": "category 1 averages the best partial F1: 0.444",
            "measured": round(answer_f1("camping and pottery", several), 3),
            "ok": abs(answer_f1("camping and pottery", several) - 4 / 9) < 1e-3,
        },
        _recall(),
    ]


def _episode() -> Episode:
    turns = [
        {"speaker": "Ana", "dia_id": "D1:1", "text": "Look!", "blip_caption": "a red boat"},
        {"speaker": "Ben", "dia_id": "D1:2", "text": "Nice.", "query": f"{_SECRET} boat"},
    ]
    asked = [
        {"question": f"What, {at}?", "answer": "it", "evidence": [raw], "category": 4}
        for at, raw in enumerate(_DIRT)
    ]
    sample: dict[str, Any] = {
        "sample_id": "conv-0",
        "conversation": {
            "speaker_a": "Ana",
            "speaker_b": "Ben",
            "session_1": turns,
            "session_1_date_time": "1:56 pm on 8 May, 2023",
        },
        "qa": asked,
        "observation": {"x": _SECRET},
        "session_summary": {"x": _SECRET},
        "event_summary": {"x": _SECRET},
    }
    with TemporaryDirectory() as folder:
        path = Path(folder, "locomo10.json")
        path.write_text(json.dumps([sample]), encoding="utf-8")
        (episode,) = Locomo(path).episodes()
    return episode


def _recall() -> Figure:
    """The same code on the synthetic twin, with its baselines."""
    told = {s.subject: s for s in summaries(evaluate("locomo", top_k=10))}
    ours, plain = told["engram hybrid"].depths[-1].recall, told["bm25"].depths[-1].recall
    return {
        "what": "R@10 on the synthetic twin, against BM25 in the same run",
        "published": "above BM25 (the twin is ours; no published figure)",
        "measured": f"{ours:.3f} against {plain:.3f}",
        "ok": ours > plain,
    }

"""MemGAS: whole conversations at several granularities, associated, weighed and walked over.

Each conversation is kept as its turns and as three nodes: its text, a summary and key words. A node
is linked with the nodes of other conversations that it resembles: two Gaussians are fitted to its
similarities with the most similar ones, and the upper of them is accepted. For a query each
granularity is asked how sure it is: one whose similarities point at few conversations has little
entropy and weighs more. From the best nodes a walk begins that follows a link one time in ten; a
conversation is worth what the walk leaves at its nodes.

What differs: the published code weighs by one minus an entropy that can exceed one, by which the
least sure granularity weighs most; here entropy is divided by its most (``faithful=True`` of
``Granularities`` does as published). The worth of a conversation is added to those of its turns
that bear on the query, where the paper has a language model cut out what does. Conversations grow a
message at a time, so nodes are written anew as they do. Without a model, summaries are central
sentences and key words are rare words.

```python
from engram import Memory

memory = Memory.open(":memory:", preset="memgas")
talk = ["The regatta starts at the lighthouse.", "Our boat won the regatta.", "No bread."]
memory.add([{"role": "user", "name": "Ana", "content": text} for text in talk], run_id="sunday")
for kind in ["session_summary", "session_keywords"]:
    for node in memory.get_all(filters={"kind": kind})["results"]:
        print(kind, "|", " ".join(node["memory"].split()))
```

```text
session_summary | The regatta starts at the lighthouse. Our boat won the regatta. No bread.
session_keywords | regatta, starts, lighthouse, boat, bread
```
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import numpy as np

from engram.evals.claims.figures import Figure
from engram.evals.claims.opening import opened
from engram.memory import Memory
from engram.plaintext.indexes.granularities import certainty
from engram.plaintext.refiners.walk import Walk
from engram.plaintext.text.graphs import pagerank
from engram.plaintext.text.mixtures import upper_group

_SUBJECTS = {
    "Quentin": ("hive", "honey", "queen", "swarm", "wax", "drone"),
    "Sabine": ("mast", "keel", "rudder", "harbour", "regatta", "tide"),
    "Ingrid": ("dough", "yeast", "oven", "flour", "crust", "loaf"),
    "Tomas": ("gambit", "rook", "bishop", "endgame", "opening", "pawn"),
    "Marisol": ("locomotive", "platform", "signal", "carriage", "rail", "station"),
    "Pavel": ("tulip", "compost", "hedge", "pruning", "bulb", "weeds"),
    "Odile": ("telescope", "nebula", "comet", "orbit", "galaxy", "eclipse"),
    "Rashid": ("violin", "sonata", "cello", "bow", "strings", "quartet"),
    "Yuki": ("kiln", "glaze", "clay", "wheel", "vase", "firing"),
    "Bertil": ("skis", "slope", "glacier", "snow", "avalanche", "lift"),
    "Noor": ("judge", "verdict", "appeal", "lawyer", "jury", "trial"),
    "Calvin": ("enzyme", "protein", "membrane", "virus", "antibody", "genome"),
}
"""Who was there at the first of two conversations about something, and the words of both."""

_TURNS, _DEPTH, _SEEDS = 4, 10, (1, 2, 3)
_DAY, _START = 86_400.0, 1_767_603_600.0
_ENTROPIES, _SESSIONS = (2.22, 3.21, 3.21, 3.20), 27


def claim() -> list[Figure]:
    """The walk, the mixture and the router are exact; links help where two sessions are needed."""
    figures = [_path(), _mixture(), _router(faithful=False), _router(faithful=True)]
    for what, share in (("ranked by the walk alone", 1_000.0), ("as the preset ranks turns", None)):
        off, on = (_both_found(follow, share) for follow in (0.0, Walk().follow))
        figures.append(
            {
                "what": f"both sessions among {_DEPTH} of {2 * len(_SUBJECTS)}, {what}",
                "published": "graph on >= graph off",
                "measured": f"{on:.2f} on, {off:.2f} off",
                "ok": on >= off,
            }
        )
    return figures


def _path() -> Figure:
    edges = np.array([0, 1, 1, 2]), np.array([1, 0, 2, 1])
    found = pagerank(edges, np.array([1, 0, 0], dtype=np.float32), Walk().follow)
    wanted = (0.904545, 0.090909, 0.004545)
    return {
        "what": "PageRank of the path a-b-c from a",
        "published": ", ".join(map(str, wanted)),
        "measured": ", ".join(f"{share:.6f}" for share in found),
        "ok": bool(np.abs(found - wanted).max() < 2e-6),
    }


def _mixture() -> Figure:
    rng = np.random.default_rng(_SEEDS[0])
    low, high = rng.normal(0.2, 0.03, 10), rng.normal(0.8, 0.03, 5)
    accepted = upper_group(np.concatenate([low, high]).astype(np.float32))
    return {
        "what": "of 10 scores near 0.2 and 5 near 0.8, accepted by the mixture",
        "published": "the 5",
        "measured": f"{accepted[10:].sum()} of the 5, {accepted[:10].sum()} of the 10",
        "ok": accepted.tolist() == [False] * 10 + [True] * 5,
    }


def _router(*, faithful: bool) -> Figure:
    wanted = (0.155, 0.282, 0.282, 0.281) if faithful else (0.804, 0.064, 0.063, 0.070)
    found = certainty(_ENTROPIES, [_SESSIONS] * len(_ENTROPIES), faithful=faithful)
    named = "as the published code" if faithful else "over its most"
    return {
        "what": f"weights for entropies {_ENTROPIES} of {_SESSIONS} sessions, {named}",
        "published": ", ".join(f"{weight:.3f}" for weight in wanted),
        "measured": ", ".join(f"{weight:.3f}" for weight in found),
        "ok": max(abs(a - b) for a, b in zip(found, wanted, strict=True)) < 0.005,
    }


def _both_found(follow: float, share: float | None) -> float:
    """How often both conversations about something are found, where one says who was there."""
    hits = [hit for seed in _SEEDS for hit in _asked(seed, follow, share)]
    return sum(hits) / len(hits)


def _asked(seed: int, follow: float, share: float | None) -> Iterator[bool]:
    with _opened(follow, share) as memory:
        for day, (run, talk) in enumerate(_talks(random.Random(seed))):
            at = _START + _DAY * day
            memory.add([{"role": "user", "content": text, "time": at} for text in talk], run_id=run)
        for name in _SUBJECTS:
            query = f"What did they speak about when {name} was there?"
            results = memory.search(query, top_k=1_000)["results"]
            runs = list(dict.fromkeys(result["run_id"] for result in results))[:_DEPTH]
            yield {f"{name} 1", f"{name} 2"} <= set(runs)


def _talks(rng: random.Random) -> list[tuple[str, Sequence[str]]]:
    """Two conversations about each subject, one of which says who was there."""
    talks: list[tuple[str, Sequence[str]]] = []
    for name, words in _SUBJECTS.items():
        for number, last in ((1, [f"{name} was there too."]), (2, [])):
            drawn = [", the ".join(rng.sample(words, 3)) for _ in range(_TURNS)]
            talk = [f"We spoke about the {subjects} again." for subjects in drawn]
            talks.append((f"{name} {number}", talk + last))
    rng.shuffle(talks)
    return talks


def _opened(follow: float, share: float | None) -> AbstractContextManager[Memory]:
    """A memory of the preset, without the refiner that follows names, which would help both."""
    walk = Walk(follow=follow) if share is None else Walk(follow=follow, share=share, cutoff=0.0)
    return opened("memgas", lambda: _START + 365 * _DAY, {"Walk": walk, "Bridges": None})

"""SORT: a reader who remembers is shown two passages and says which came first.

The passages are a few dozen words, begin where sentences begin and do not overlap; half of the
pairs are shown the wrong way round, so that a reader who always says "the first" gets exactly one
half. The trials are drawn evenly over bins of distance. A memory that keeps when each sentence was
said answers all of them; one that is only asked how well a passage fits knows nothing of order.

What differs: the paper compares the log-probabilities of two labels, here a judge of any kind gives
a number; what cannot be decided counts half. The books of the paper are not needed: any text does.

```python
from engram import Memory
from engram.evals.order import Places, ordered, told, trials

text = " ".join(f"On day {n} she wrote {n * n} words and then slept." for n in range(60))
excerpt = told(text)
with Memory.open(":memory:") as memory:
    judge = Places(memory)
    judge.hear(excerpt)
    print(ordered(judge, trials(excerpt, segment=20, count=16, seed=0)).accuracy)
```

```text
1.0
```
"""

import random
from dataclasses import replace
from functools import cache

from engram.evals.claims.figures import Figure
from engram.evals.order import Judge, Order, Places, ordered, trials
from engram.memory import Memory

_SENTENCES, _TRIALS, _SEGMENT = 400, 2_000, 20
_NEAR = 0.03  # the card's bound around one half


def claim() -> list[Figure]:
    """All pairs are put in order with positions, and half of them without."""
    excerpt = _text(seed=18)
    asked = trials(excerpt, _SEGMENT, _TRIALS, seed=18)
    with Memory.open(":memory:", embedder="none", durability="off", clock=lambda: 1e9) as memory:
        knows = Places(memory)
        knows.hear(excerpt)
        with_places = ordered(_remembering(knows), asked)
        without = ordered(_remembering(replace(knows, places=False)), asked)
    constant = ordered(lambda *_: 1.0, asked)
    return [
        _figure("with positions", "100 %", with_places, off=abs(with_places.accuracy - 1.0)),
        _figure("without", "50 ± 3 %", without, off=max(0, abs(without.accuracy - 0.5) - _NEAR)),
        _figure("always the first", "exactly 50 %", constant, off=abs(constant.accuracy - 0.5)),
    ]


def _remembering(judge: Places) -> Judge:
    """The same judge, who looks each passage up once."""
    place = cache(judge.place)
    return lambda first, second: place(second) - place(first)


def _figure(who: str, published: str, found: Order, off: float) -> Figure:
    return {
        "what": f"order right, {who}, {found.trials} pairs",
        "published": published,
        "measured": f"{100 * found.accuracy:.1f} %",
        "ok": off == 0,
    }


def _text(seed: int) -> list[str]:
    """Sentences that say nothing about when they were said."""
    rng = random.Random(seed)
    words = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "klmnrst"]
    return [f"The {' '.join(rng.choices(words, k=rng.randint(6, 12)))}." for _ in range(_SENTENCES)]

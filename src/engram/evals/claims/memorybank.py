"""MemoryBank: what is recalled stays, what is not fades, and the days stay as summaries.

Every memory has a strength, at first 1, and what is left of it after t days without use is
exp(-t / strength). Each recall adds one to the strength and sets t to 0, so that what a user comes
back to lasts and small talk goes. Before it goes, ``tend`` has summed up each day that is over; out
of the days it makes one summary of the whole time, and out of the facts a portrait of each person.

What differs: the paper draws whether a memory is dropped, each time the file is opened, and drops
it for good; here a memory under a floor is archived, once, and can be brought back. The published
code computes exp(-t / 5 * strength), by which what is recalled more fades faster: ``faithful=True``
of ``Forgetting`` does the same, and the figures below show what comes of it. Summaries are quoted
from the day unless a model writes them.

```python
from engram import Memory

memory = Memory.open(":memory:", preset="memorybank", clock=lambda: 1_767_700_000)
for minute, text in enumerate(["Hi there.", "I live in Bergen now.", "I love sailing in Bergen."]):
    memory.add({"name": "Ana", "role": "user", "content": text, "time": f"2026-01-05T09:0{minute}"})
memory.tend()
for record in memory.get_all(filters={"kind": {"in": ["digest", "portrait"]}})["results"]:
    print(f"{record['kind']}: {record['memory']}")
```

```text
digest: 5 January 2026. Ana: Hi there. Ana: I live in Bergen now. Ana: I love sailing in Bergen.
portrait: Ana lives in Bergen. Ana likes sailing.
```
"""

import math
import random
import uuid
from collections import Counter

from engram.evals.claims.figures import Figure, spearman
from engram.memory import Memory
from engram.plaintext.keepers.forgetting import DAY, Forgetting
from engram.plaintext.roles import Edit, EditPlan, Record, Scope
from engram.plaintext.store.store import Store

_VALUES = {(1, 1): 0.3679, (5, 5): 0.3679, (1, 2): 0.6065, (7, 3): 0.0970}
_DAYS, _MEMORIES, _ASKED, _DRAWN = 365, 60, 3, 1_000
_SEED = 7


def claim() -> list[Figure]:
    """R = exp(-t / S) to four digits; over a year, how long a memory lasts follows its use."""
    keeper = Forgetting(stretch=1.0, most=1.0)
    figures: list[Figure] = [_value(keeper, *at) for at in _VALUES]
    lasting = _year(Forgetting(stretch=10.0, most=1.0))
    faulty = _year(Forgetting(stretch=10.0, most=1.0, faithful=True))
    kept, expected, sigma = _draw()
    figures += [
        {
            "what": "rank correlation of recalls and days kept, over a simulated year",
            "published": "> 0.8",
            "measured": round(lasting, 3),
            "ok": lasting > 0.8,
        },
        {
            "what": "the same with the published code's sign",
            "published": "the more recalled, the sooner gone",
            "measured": round(faulty, 3),
            "ok": faulty < 0,
        },
        {
            "what": "rank correlation of uses and retention a week on, right and faulty",
            "published": "1 and -1",
            "measured": f"{_slope(faithful=False):.0f} and {_slope(faithful=True):.0f}",
            "ok": _slope(faithful=False) > 0.999 and _slope(faithful=True) < -0.999,
        },
        {
            "what": f"kept of {_DRAWN} by a draw after a day, with a seed",
            "published": f"{expected:.0f} ± {3 * sigma:.0f}",
            "measured": kept,
            "ok": abs(kept - expected) < 3 * sigma,
        },
        _remembered(),
    ]
    return figures


def _value(keeper: Forgetting, days: int, strength: int) -> Figure:
    used = Record("", "", uses=strength - 1, last_used=0.0)
    found = keeper.retention(used, days * DAY)
    published = _VALUES[days, strength]
    return {
        "what": f"retention after {days} days at strength {strength}",
        "published": f"{published:.4f}",
        "measured": round(found, 4),
        "ok": abs(found - published) < 5e-5,
    }


def _slope(*, faithful: bool) -> float:
    keeper, uses = Forgetting(stretch=1.0, faithful=faithful), range(20)
    left = [keeper.retention(Record("", "", uses=n, last_used=0.0), 7 * DAY) for n in uses]
    return spearman(list(uses), left)


def _fill(store: Store, count: int) -> list[str]:
    """Memories of day 0, with ids that are the same each time."""
    made = [Record(str(uuid.UUID(int=n + 1)), f"memory {n}", event_time=0.0) for n in range(count)]
    with store.write(0.0, method="claim") as transaction:
        transaction.apply(EditPlan(tuple(map(Edit, made))))
    return [record.id for record in made]


def _forgotten(store: Store, keeper: Forgetting, now: float) -> list[str]:
    """Archive what has faded by now, and say what that was."""
    store.flush(now)
    with store.read(Scope()) as view:
        view.narrow(now, None, None, None)
        plan = keeper.keep(now, view)
    with store.write(now, method="claim") as transaction:
        return [record.id for record in transaction.apply(plan)]


def _year(keeper: Forgetting) -> float:
    """Rank correlation of how often memories were recalled and how many days they lasted."""
    dice, recalls = random.Random(_SEED), Counter[str]()
    with Memory.open(":memory:", embedder="none", durability="off", clock=lambda: 0.0) as memory:
        ids = _fill(memory.store, _MEMORIES)
        lasted = dict.fromkeys(ids, _DAYS + 1)
        weights = [1 / (rank + 1) for rank in range(_MEMORIES)]
        for day in range(1, _DAYS + 1):
            asked = [each for each in dice.choices(ids, weights, k=_ASKED) if lasted[each] > _DAYS]
            recalls.update(asked)
            memory.store.used(asked, day * DAY)
            lasted |= dict.fromkeys(_forgotten(memory.store, keeper, day * DAY), day)
    return spearman([recalls[each] for each in ids], [lasted[each] for each in ids])


def _draw() -> tuple[int, float, float]:
    """How many were kept by a draw after a day, how many are expected, and the deviation."""
    keeper = Forgetting(stretch=1.0, most=1.0, seed=_SEED)
    with Memory.open(":memory:", embedder="none", durability="off", clock=lambda: 0.0) as memory:
        _fill(memory.store, _DRAWN)
        gone = _forgotten(memory.store, keeper, DAY)
    chance = math.exp(-1)
    return _DRAWN - len(gone), _DRAWN * chance, math.sqrt(_DRAWN * chance * (1 - chance))


def _remembered() -> Figure:
    """A talk of three days, gone a month later but for what was made of it."""
    said = "I moved to Oslo.", "I adopted a cat.", "I love the cat.", "We sailed to Bergen."
    talk = [
        {"role": "user", "name": "Ana", "content": text, "time": day * DAY + 60 * at}
        for day in range(3)
        for at, text in enumerate(said)
    ]
    with Memory.open(
        ":memory:", preset="memorybank", embedder="none", durability="off", clock=lambda: 30 * DAY
    ) as memory:
        memory.add(talk)
        for moment in (30 * DAY, 60 * DAY):
            memory.clock = lambda moment=moment: moment
            memory.tend()
        left = Counter(record["kind"] for record in memory.get_all()["results"])
    found = f"{left['raw']} turns, {left['digest']} digests, {left['summary']} summary"
    return {
        "what": "left of a talk of three days after a month in which nobody asked",
        "published": "0 turns, 3 digests, 1 summary",
        "measured": found,
        "ok": found == "0 turns, 3 digests, 1 summary",
    }

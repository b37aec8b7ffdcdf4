"""Second Me: above the notes stands what follows from them, worked out before anybody asks.

The memory has layers. L0 is what was said. L1 is what can be written of it for a person to read:
the topics of the notes, shades that several topics share, a short biography, and conclusions. A
model that finds a fact in a long text often fails to join it with a second one, so what follows
from two facts is concluded when the second is stored: of "Ana is married to Otto" and "Otto works
at Norbank", that Ana's partner works at Norbank. A question about it then needs one short record,
however large the memory is.

What differs: L2, a model whose weights hold all of this, is not part of it. No model writes L1:
notes are grouped by what they mean, groups are named by the words that tell them from the others,
biographies are put together from facts, in the second and in the third person. Two facts are
joined where one ends with what the other is about. Every statement keeps the notes that it was
made of. ``tend`` makes the profile anew when these change, and whoever erases a note erases every
statement that holds words of it.

```python
from engram import Memory

memory = Memory.open(":memory:", preset="second-me")
for day, text in enumerate(["My wife, Maja Quill, is kind.", "Maja Quill works at Norbank."], 1):
    memory.add({"name": "Ana", "role": "user", "content": text, "time": f"2026-01-0{day}"})
memory.add({"name": "Ana", "role": "user", "content": "I live in Oslo.", "time": "2026-01-03"})
memory.tend()
for record in memory.get_all(filters={"kind": {"in": ["conclusion", "biography"]}})["results"]:
    print(record["memory"])
```

```text
Ana's partner, Maja Quill, works at Norbank.
Ana's partner is Maja Quill. Ana lives in Oslo.
Your partner is Maja Quill. You live in Oslo.
```
"""

import random
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from engram.evals.claims.figures import Figure
from engram.evals.claims.worlds import NOW, Namer, filled, reader
from engram.memory import Memory
from engram.plaintext.filters import compile_filter
from engram.plaintext.read import Ask, Reader
from engram.plaintext.roles import Record, Scope
from engram.plaintext.text.quoting import line, token_count

_SIZES, _CHAINS, _SEED = (100, 200, 400), 10, 5
_ENOUGH = 10_000  # results; all there are
_BUDGET = 50  # tokens
_L1 = ("topic", "shade", "biography", "conclusion")
_GOSSIP = (
    "{a} saw {b} at the market and said nothing.",
    "The train was late, so {a} read a book.",
    "{a} works at {c}.",
    "{a} is married to {b}.",
    "{a} painted the fence of {b} green.",
    "It rained on {a} all week.",
)
_NOTES = (
    "I live in Bergen.",
    "I am married to Otto Quill.",
    "Otto Quill works at Norbank.",
    "Norbank is based in Zatara.",
    "I love pottery.",
    "The clay was too wet for the kiln today.",
    "My kiln cracked, so the pottery class fired the bowls elsewhere.",
    "I glazed three bowls of clay in pottery class.",
    "We sailed the boat to the island.",
    "The sail of the boat tore in the storm.",
    "Sailing at night with the boat is a joy.",
    "The boat needs a mast and a sail.",
    "I work as a nurse.",
)


class _Chain(NamedTuple):
    """Two facts that answer one question together, and what follows from them."""

    query: str
    facts: tuple[str, str]
    conclusion: str


class _Need(NamedTuple):
    """Share of questions answered within ``_BUDGET`` tokens, and the mean tokens of an answer."""

    answered: float
    tokens: float


def claim() -> list[Figure]:
    """Conclusions answer what takes two facts with few tokens, however much there is besides."""
    needs = [_needs(size) for size in _SIZES]
    concluded, single, double = zip(*needs, strict=True)
    ratio = min(one.tokens / l1.tokens for one, l1 in zip(single, concluded, strict=True))
    l1_tokens = [each.tokens for each in concluded]
    return [
        {
            "what": f"answered within {_BUDGET} tokens, from conclusions and from notes",
            "published": "all, and few",
            "measured": ", ".join(f"{_mean(each):.2f}" for each in (concluded, single)),
            "ok": _mean(concluded) == 1 and _mean(single) <= 0.5,
        },
        {
            "what": "tokens of notes for one of conclusions, all questions answered, at the least",
            "published": ">= 2",
            "measured": round(ratio, 1),
            "ok": ratio >= 2,
        },
        {
            "what": f"tokens of conclusions with {_SIZES} notes",
            "published": "constant",
            "measured": ", ".join(f"{each:.0f}" for each in l1_tokens),
            "ok": max(l1_tokens) <= 1.1 * min(l1_tokens),
        },
        {
            "what": "tokens of notes with as many",
            "published": "growing",
            "measured": ", ".join(f"{each.tokens:.0f}" for each in single),
            "ok": single[-1].tokens > 1.5 * single[0].tokens,
        },
        {
            "what": "tokens of notes where a second round follows names (not in the paper)",
            "published": "more than of conclusions",
            "measured": ", ".join(f"{each.tokens:.0f}" for each in double),
            "ok": all(two.tokens > l1.tokens for two, l1 in zip(double, concluded, strict=True)),
        },
        *_erased(),
    ]


def _erased() -> list[Figure]:
    """What becomes of a profile when one of its notes is erased, each in turn."""
    left, same = _erasures()
    return [
        {
            "what": "statements left that rest on an erased note, over all notes",
            "published": "0",
            "measured": left,
            "ok": left == 0,
        },
        {
            "what": "profiles that are, once rebuilt, as if the erased note had never been",
            "published": f"{len(_NOTES)} of {len(_NOTES)}",
            "measured": f"{same} of {len(_NOTES)}",
            "ok": same == len(_NOTES),
        },
    ]


def _mean(needs: Sequence[_Need]) -> float:
    return float(np.mean([each.answered for each in needs]))


def _haystack(size: int) -> tuple[list[_Chain], list[str]]:
    """Chains of two facts, and these among other talk, some of which is much like them."""
    dice = random.Random(_SEED)
    namer = Namer(dice)
    chains, texts = [], list[str]()
    for _ in range(_CHAINS):
        one, other, firm = namer.person(), namer.person(), namer.name("bank")
        facts = (f"{one} is married to {other}.", f"{other} works at {firm}.")
        follows = f"{one}'s partner, {other}, works at {firm}."
        chains.append(_Chain(f"Where does the partner of {one} work?", facts, follows))
        texts += facts
    while len(texts) < size:
        a, b, c = namer.person(), namer.person(), namer.name("bank")
        texts.append(dice.choice(_GOSSIP).format(a=a, b=b, c=c))
    dice.shuffle(texts)
    return chains, texts


def _needs(size: int) -> tuple[_Need, _Need, _Need]:
    """What conclusions take, what notes take, and what notes take in two rounds."""
    chains, texts = _haystack(size)
    with filled(texts, "second-me") as memory:
        whole, single = reader(memory, "second-me"), reader(memory, "second-me", ("Bridges",))
        return (
            _need(whole, chains, ("conclusion",)),
            _need(single, chains, ("raw",)),
            _need(whole, chains, ("raw",)),
        )


def _need(search: Reader, chains: Sequence[_Chain], kinds: Collection[str]) -> _Need:
    """What has to be read, best first, until both facts or what follows from them were read."""
    only = compile_filter({"kind": {"in": list(kinds)}})
    taken = []
    for chain in chains:
        used, read = 0, set[str]()
        ask = Ask(chain.query, Scope(), NOW, top_k=_ENOUGH, filters=only)
        for answer in search.search(ask).answers:
            used += token_count(line(answer.record) + "\n", 3.5)
            read.add(answer.record.text)
            if chain.conclusion in read or read.issuperset(chain.facts):
                taken.append(used)
                break
    within = sum(each <= _BUDGET for each in taken) / len(chains)
    return _Need(within, float(np.mean(taken)) if len(taken) == len(chains) else float("inf"))


def _erasures() -> tuple[int, int]:
    """Statements that survive the one note they need, and profiles that are rebuilt right."""
    left = same = 0
    for at, note in enumerate(_NOTES):
        with filled(_NOTES, "second-me") as memory:
            memory.tend()
            (told,) = [each for each in memory.get_all()["results"] if each["memory"] == note]
            memory.erase(told["id"])
            left += sum(not _rests(each, told["id"]) for each in _statements(memory))
            memory.tend()
            again = {each.text for each in _statements(memory)}
        with filled((*_NOTES[:at], *_NOTES[at + 1 :]), "second-me") as never:
            never.tend()
            same += again == {each.text for each in _statements(never)}
    return left, same


def _rests(statement: Record, erased: str) -> bool:
    """Whether a statement rests on notes, and not on the erased one."""
    sources = {source.record for source in statement.sources}
    return bool(sources) and erased not in sources


def _statements(memory: Memory) -> list[Record]:
    """Everything of L1 that stands."""
    with memory.store.read(Scope()) as view:
        view.narrow(NOW, None, None, None)
        return view.records(np.flatnonzero(view.live & view.columns.of_kind(*_L1)))

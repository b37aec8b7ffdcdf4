"""A-MEM: notes that link to one another and change as new ones arrive.

For each message a note is written: what was said, keywords, tags and a context, and its vector is
that of all four together. A new note is compared with the nearest older ones. It is linked with
those that belong to it, and their descriptions are brought up to date, after which they are
embedded anew. A search then brings the notes that are linked with its hits along: so an answer is
found that shares no word with the question.

What differs: the messages stay as they were said, beside their notes, and both are searched by
words as well as by vectors. The published code takes the ranks of near notes for positions in its
list, and so rewrites its oldest notes; it cuts before it expands, so that no linked note is seen;
and it never embeds a changed note anew. A model is asked to describe and to decide, over small
numbers. Without one, keywords are the rarest words, notes are linked by two shared keywords or a
cosine of 0.8, and what two linked notes share becomes a tag of both. A note is rewritten only in
the light of notes of its own scope: nothing that was said in one conversation is told in another.

```python
from engram import Memory

memory = Memory.open(":memory:", preset="a-mem")
memory.add("The telescope on my balcony is from Quentin Varga.")
memory.add("Quentin Varga keeps bees near Reykjavik.")
for note in memory.get_all(filters={"kind": "note"})["results"]:
    print(note["fields"]["content"], note["tags"], len(note["links"]))
```

```text
The telescope on my balcony is from Quentin Varga. ['Quentin', 'Varga'] 0
Quentin Varga keeps bees near Reykjavik. ['Quentin', 'Varga'] 1
```
"""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from engram.evals.chatter import small_talk
from engram.evals.claims.figures import Figure
from engram.evals.claims.opening import opened
from engram.memory import Memory
from engram.plaintext.advice import Question
from engram.plaintext.roles import Scope

_CHAINS = (
    ("telescope", "The telescope is from Quentin Varga.", "Quentin Varga keeps bees."),
    ("accordion", "Sabine Okafor mended my accordion.", "Sabine Okafor lives in a lighthouse."),
    ("kayak", "I share the kayak with Ingrid Solheim.", "Ingrid Solheim studies volcanoes."),
    ("typewriter", "Tomas Brandl sold me a typewriter.", "Tomas Brandl hates strawberries."),
    ("loom", "The loom belonged to Marisol Ferrer.", "Marisol Ferrer drives a night train."),
    ("unicycle", "Pavel Dragan taught me the unicycle.", "Pavel Dragan collects stamps."),
)
_CHATTER, _SEED, _DEPTH = 60, 5, 5
_DAY, _START = 86_400.0, 1_767_603_600.0
_TAG = "kaleidoscope"


@dataclass
class _Script:
    """Describes every note alike; once told to, it gives all notes near the next one a tag."""

    rewrites: bool = False
    near: list[str] = field(default_factory=list)

    def ask(self, question: Question) -> Mapping[str, Any]:
        """A description, or a decision over the numbered notes."""
        if question.purpose == "notes":
            return {"keywords": ["thing"], "tags": ["plain"], "context": "About a thing."}
        if not self.rewrites:
            return {"link": [], "tags": [], "changes": []}
        lines = question.content.splitlines()
        self.near = [line.partition("] ")[2] for line in lines if line.startswith("[")]
        change = {"context": "Seen anew.", "tags": [_TAG]}
        changes = [{"note": at, **change} for at in range(len(self.near))]
        return {"link": [0], "tags": [], "changes": changes}


def _clock() -> float:
    return _START + 365 * _DAY


def claim() -> list[Figure]:
    """A two-hop answer is found by links alone; near notes, and no others, evolve and are found."""
    without, one_hop = _chains(expand=False), _chains(expand=True)
    figures: list[Figure] = [
        {
            "what": f"two-hop chains: answer among the best {_DEPTH}, links not followed",
            "published": "0",
            "measured": without,
            "ok": without == 0,
        },
        {
            "what": f"two-hop chains: answer among the best {_DEPTH}, one link away",
            "published": "1.0",
            "measured": one_hop,
            "ok": one_hop == 1,
        },
    ]
    return figures + _evolution()


def _chains(*, expand: bool) -> float:
    """Share of the chains whose second message is found by the first one's word."""
    rng = random.Random(_SEED)
    lines = [text for _, *pair in _CHAINS for text in pair]
    lines += [small_talk(rng) for _ in range(_CHATTER)]
    rng.shuffle(lines)
    # Bridges follows names; here the links of the notes must do it alone.
    changed = {"Bridges": None} if expand else {"Bridges": None, "Linked": None}
    with opened("a-mem", _clock, changed) as memory:
        for day, text in enumerate(lines):
            told = {"role": "user", "name": "Ana", "content": text, "time": _START + _DAY * day}
            memory.add(told)
        found = [
            memory.search(f"What does Ana say about the {thing}?", top_k=_DEPTH)["results"]
            for thing, *_ in _CHAINS
        ]
    answers = [answer for *_, answer in _CHAINS]
    hits = [
        any(result["memory"].startswith(answer) for result in results)
        for answer, results in zip(answers, found, strict=True)
    ]
    return sum(hits) / len(hits)


def _evolution() -> list[Figure]:
    """One arrival after others: what changes, whether it is found, and what a deletion leaves."""
    script = _Script()
    with opened("a-mem", _clock, {}, script) as memory:
        for *_, first, second in _CHAINS:
            memory.add([{"role": "user", "content": text} for text in (first, second)])
        before = _notes(memory)
        script.rewrites = True
        memory.add("The telescope from Quentin Varga has a new lens.")
        script.rewrites = False
        after = _notes(memory)
        changed = [each for each, text in before.items() if after[each] != text]
        strangers = [each for each in changed if " ".join(before[each].split()) not in script.near]
        found = memory.search(_TAG, top_k=len(changed))["results"]
        known = sum(result["id"] in changed for result in found) / max(1, len(changed))
        linked = _links_to(memory, changed)
        for each in changed:
            memory.delete(each)
        dangling = _links_to(memory, changed)
    return [
        {
            "what": "notes that change although the search for near ones did not return them",
            "published": "0",
            "measured": f"{len(strangers)} of {len(before)}; {len(changed)} near ones changed",
            "ok": not strangers and len(changed) == len(script.near) > 0,
        },
        {
            "what": "changed notes among the results for their new tag",
            "published": "all",
            "measured": round(known, 3),
            "ok": known == 1,
        },
        {
            "what": "links to changed notes, and what is left of them when those are deleted",
            "published": "0 left",
            "measured": f"{linked}, then {dangling}",
            "ok": linked > dangling == 0,
        },
    ]


def _notes(memory: Memory) -> dict[str, str]:
    """Id and text of every active note."""
    found = memory.get_all(filters={"kind": "note"}, limit=1_000)["results"]
    return {note["id"]: note["memory"] for note in found}


def _links_to(memory: Memory, notes: Collection[str]) -> int:
    """How many links between live notes touch one of these."""
    with memory.store.read(Scope()) as view:
        view.narrow(memory.clock(), None, None, None)
        ends = [view.columns.ids[rows] for rows in view.edges()]
    return sum(bool({one, other} & set(notes)) for one, other in zip(*ends, strict=True))

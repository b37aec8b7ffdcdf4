"""SirLLM: in an endless talk the tokens that surprised stay, and fade with every turn.

How much a token tells is minus the log of the probability that the model gave it. Beside the first
few tokens a cache keeps those that told most, whatever their age; at each turn of the talk what
they told counts for less, so that what is new has a chance. It needs nothing but the logits that
the model makes anyway.

What differs: a token's surprise is that of the token itself. The published code reads the logits
that came after it, which is how little a repetition was expected. Entries go whenever there are too
many, not only when a turn begins.

```python
import torch

from engram.activation.rating import surprise

odds = torch.tensor([[0.90, 0.05, 0.05], [0.05, 0.90, 0.05], [0.90, 0.05, 0.05]])
said = torch.tensor([[0, 0, 2, 0]])
print([round(each, 1) for each in surprise(said, odds[said].log(), None)[0].tolist()])
```

```text
[3.0, 0.1, 3.0, 0.1]
```
"""

import math
import random
from collections.abc import Iterator, Sequence
from typing import Any

from engram.evals import lexicon
from engram.evals.claims.figures import Figure
from engram.evals.filler import fill
from engram.extras import require

_SEED, _ITEMS, _KEPT, _SINKS = 3, 20, 256, 4
_CHATTER, _TURN = 60, 32  # turns after the shopping, and the words of each
_READ, _SEEN, _SMOOTH = (
    40_000,
    0.01,
    0.05,
)  # words to learn from, items among them, odds of the rest
_CUT = 1.5
_LADDER = ((2.0, 0.9), (4.0, 0.7), (8.0, 0.7), (8.0, 0.9), (20.0, 0.5), (30.0, 0.95))
"""How much a token told, and what is left of it at the next turn."""


def claim() -> list[Figure]:
    """What was to be bought is still held after long chatter, as long as its surprise outlasts."""
    torch: Any = require("torch", extra="hf", purpose="the claim of 'sirllm'")
    odds = _learned(torch)
    turns, items = _shopping()
    kept, told = _talk(torch, odds, turns, "sirllm")
    recent, _ = _talk(torch, odds, turns, "streaming")
    chance, _ = _talk(torch, odds, turns, "random")
    shares = [len(items & held) / len(items) for held in (kept, recent, chance)]
    tokens = sum(map(len, turns))
    return [
        {
            "what": f"of {_ITEMS} items said, held by {_KEPT} entries {tokens:,} tokens later",
            "published": ">= 0.95",
            "measured": shares[0],
            "ok": shares[0] >= 0.95,
        },
        {
            "what": "the same by the first four and the newest, and by chance",
            "published": "about 0; no more than their share",
            "measured": f"{shares[1]:.2f}, {shares[2]:.2f}",
            "ok": shares[1] == 0 and shares[2] <= 4 * _KEPT / tokens,
        },
        _as_published(torch, odds, turns, items),
        _best_of_all(told, kept),
        _faded(torch),
    ]


def _learned(torch: Any) -> Any:
    """Log odds (V, V) of the next word, counted in chatter that names an item now and then."""
    rng = random.Random(f"{_SEED}:read")
    words = fill(rng, _READ)
    for at in range(0, _READ, round(1 / _SEEN)):
        words[at] = rng.choice(lexicon.KEYS)
    ids = torch.tensor([lexicon.number(word) for word in words])
    counts = torch.full((len(lexicon.WORDS),) * 2, _SMOOTH)
    counts.index_put_((ids[:-1], ids[1:]), torch.ones(len(ids) - 1), accumulate=True)
    return (counts / counts.sum(1, keepdim=True)).log()


def _shopping() -> tuple[list[list[int]], set[int]]:
    """Turns of a talk, as ids, and the positions of the items in it."""
    rng = random.Random(f"{_SEED}:talk")
    turns, items, said = [], set(), 0
    for item in rng.sample(lexicon.KEYS, _ITEMS):
        words = [*fill(rng, 9), item, *fill(rng, 6)]
        items.add(said + 9)
        turns.append([lexicon.number(word) for word in words])
        said += len(words)
    turns += [[lexicon.number(word) for word in fill(rng, _TURN)] for _ in range(_CHATTER)]
    return turns, items


def _layer(preset: str, kept: int, decay: float = 1.0) -> Any:
    """A layer that keeps so many entries."""
    # Not at the top: this page is read, and the module imported, where torch is not installed.
    from engram.activation.budgets.uniform import Uniform
    from engram.activation.cache import Layer
    from engram.activation.pagers.growing import Growing
    from engram.activation.policies import Policies
    from engram.activation.roles import Place
    from engram.activation.scorers.chance import Chance
    from engram.activation.scorers.sinks import Sinks
    from engram.activation.scorers.surprisal import Surprisal

    scorers: dict[str, Any] = {
        "sirllm": Surprisal(_SINKS, decay=decay),
        "streaming": Sinks(),
        "random": Chance(),
    }
    policies = Policies(
        pager=Growing(), budget=Uniform(), scorer=scorers[preset], keep=kept, slack=0
    )
    return Layer(policies, Place())


def _talk(
    torch: Any, odds: Any, turns: Sequence[Sequence[int]], preset: str
) -> tuple[set[int], list[float]]:
    """Positions that are held when one more turn begins, and how much each token told."""
    from engram.activation.rating import surprise

    layer, told, before = _layer(preset, _KEPT), [], None
    for turn in turns:
        ids = torch.tensor([turn])
        logits = odds[ids]  # (1, T, V)
        said = surprise(ids, logits, before)
        before = logits[:, -1]
        told += said[0].tolist()
        _turn(torch, layer, said)
    return _held(layer), told


def _turn(torch: Any, layer: Any, told: Any) -> None:
    """A turn begins, is read, and is told of."""
    from engram.activation import turns

    turns.begin(layer, told.shape[1])
    tokens = torch.zeros(1, 1, told.shape[1], 2)
    layer.append(tokens, tokens)
    turns.tell(layer, "surprisal", told)
    layer.settle(force=True)


def _held(layer: Any) -> set[int]:
    """Positions that are held when a turn of the usual length begins."""
    from engram.activation import turns

    turns.begin(layer, _TURN)
    return set(layer.ledger.positions[0, 0].tolist())


def _as_published(torch: Any, odds: Any, turns: Sequence[Sequence[int]], items: set[int]) -> Figure:
    """With the odds of a repetition, moved on by one, as the code of the paper has it."""
    ids = torch.tensor([token for turn in turns for token in turn])
    again = -odds[ids, ids].roll(1)
    best = set(again[_SINKS:].topk(_KEPT - _TURN - _SINKS).indices.add(_SINKS).tolist())
    share = len(best & items) / len(items)
    return {
        "what": "the same by how little a repetition was expected, as the published code reads it",
        "published": "less",
        "measured": share,
        "ok": share < 0.95,
    }


def _best_of_all(told: Sequence[float], kept: set[int]) -> Figure:
    """Where nothing fades, the entries are those that told most in the whole talk."""
    order = sorted(range(_SINKS, len(told)), key=lambda at: (told[at], at), reverse=True)
    wanted = {*range(_SINKS), *order[: _KEPT - _TURN - _SINKS]}
    return {
        "what": "entries that are not the most surprising of the whole talk, where nothing fades",
        "published": "0",
        "measured": len(wanted ^ kept) // 2,
        "ok": wanted == kept,
    }


def _faded(torch: Any) -> Figure:
    """Beside tokens that all tell as much, one that told more outlives them for so many turns."""
    found = [_outlived(torch, told, decay) for told, decay in _LADDER]
    wanted = [math.ceil(math.log(told / _CUT) / -math.log(decay)) for told, decay in _LADDER]
    return {
        "what": "turns that a surprise of 2 to 30 outlives a cut of 1.5, at six rates and sizes",
        "published": ", ".join(map(str, wanted)) + ": log(e / cut) / log(1 / decay), rounded up",
        "measured": ", ".join(map(str, found)),
        "ok": found == wanted,
    }


def _outlived(torch: Any, told: float, decay: float) -> int:
    layer = _layer("sirllm", _SINKS + 2 * _TURN, decay)
    first = torch.full((1, _TURN), _CUT)
    first[0, _SINKS + 1] = told
    for turn in _turns(torch, first):
        _turn(torch, layer, turn)
        if _SINKS + 1 not in layer.ledger.positions[0, 0].tolist():
            break
    return int(layer.seen) // _TURN - 2


def _turns(torch: Any, first: Any) -> Iterator[Any]:
    """One turn with a surprise in it, and others without end."""
    yield first
    while True:
        yield torch.full((1, _TURN), _CUT)

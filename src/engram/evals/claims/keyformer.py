"""Keyformer: attention with noise on its logits tells which tokens are key when others are gone.

Most of the attention falls on few tokens, and not on the newest. A softmax over what is left gives
too much to whoever is left, so its logits get noise of the Gumbel distribution and are divided by a
temperature that rises while text is generated; what a token got in all is what it is worth. The
newest tokens are kept besides. The attention itself stays without noise.

What differs: rows of a batch have scores of their own, where the published code adds them up; query
heads that share a key share its entries; the noise is drawn by the positions of query and key, so
that it is the same at any chunking; what is dropped is freed.

```python
import torch

from engram.activation.scorers.keyformer import Keyformer
from engram.testing.activation import planted

layer = planted(64, rows=1)
print(tuple(Keyformer().score(layer).shape))
```

```text
(1, 2, 64)
```
"""

from typing import Any

from engram.evals.claims.figures import Figure
from engram.extras import require

_HEADS, _SHARED, _WIDTH = 2, 2, 32
_PROMPT, _LATER = 256, 32
_KEY = 0.1  # of the tokens are key: what is asked for points to them
_LOUD = 3.5  # how large what they have in common is; then attention is as narrow as published
_DRAWS, _TRIALS = 8, 100


def claim() -> list[Figure]:
    """Key tokens beat the newest ones alone at an equal budget, and a needle is kept."""
    torch: Any = require("torch", extra="hf", purpose="the claim of 'keyformer'")
    return [_focus(torch), *_ladder(torch), _needle(torch), _plain(torch), *_noise(torch)]


def _layer(scorer: Any, keep: float) -> Any:
    # Not at the top: this page is read, and the module imported, where torch is not installed.
    from engram.activation.budgets.uniform import Uniform
    from engram.activation.cache import Layer
    from engram.activation.pagers.growing import Growing
    from engram.activation.policies import Policies
    from engram.activation.roles import Place

    policies = Policies(
        pager=Growing(), budget=Uniform(), scorer=scorer, keep=keep, position="absolute"
    )
    return Layer(policies, Place())


def _scorers() -> dict[str, Any]:
    from engram.activation.scorers.chance import Chance
    from engram.activation.scorers.keyformer import Keyformer
    from engram.activation.scorers.sinks import Sinks

    return {"keyformer": Keyformer(), "newest": Sinks(), "chance": Chance()}


def _drawn(torch: Any, seed: int, tokens: int) -> tuple[Any, Any, Any]:
    """Queries, keys and values; queries ask for what the keys of some tokens have in common."""
    dice = torch.Generator().manual_seed(seed)

    def noise(heads: int) -> Any:
        return torch.randn(1, heads, tokens, _WIDTH, generator=dice)

    queries, keys, values = noise(_HEADS * _SHARED), noise(_HEADS), noise(_HEADS)
    asked = torch.randn(1, _HEADS, 1, _WIDTH, generator=dice)
    asked = asked / asked.norm(dim=-1, keepdim=True)
    is_key = torch.rand(tokens, generator=dice) < _KEY
    keys = keys + _LOUD * asked * is_key[:, None]
    return queries + _LOUD * asked.repeat_interleave(_SHARED, 1), keys, values


def _read(layer: Any, queries: Any, keys: Any, values: Any) -> Any:
    """The attention of tokens that come."""
    from engram.activation.cache import Call

    layer.append(keys, values)
    return layer.attend(queries, Call(_WIDTH**-0.5))[0]


def _focus(torch: Any) -> Figure:
    """How few tokens most of the attention falls on, in what is measured with."""
    queries, keys, _ = _drawn(torch, 0, _PROMPT)
    shared = keys.repeat_interleave(_SHARED, 1)
    weights = (queries[:, :, -1:] @ shared.mT * _WIDTH**-0.5).softmax(-1)
    sums = weights.sort(-1, descending=True).values.cumsum(-1)
    share = float((sums < 0.9).sum(-1).float().mean() + 1) / _PROMPT
    return {
        "what": "share of the tokens that gets 90 % of the attention, in the made text",
        "published": "about 0.4",
        "measured": round(share, 2),
        "ok": 0.3 <= share <= 0.5,
    }


def _ladder(torch: Any) -> list[Figure]:
    """How far attention is off while text goes on, at three budgets."""
    figures: list[Figure] = []
    for keep in (0.5, 0.25, 0.1):
        off = {
            name: sum(_off(torch, scorer, keep, seed) for seed in range(_DRAWS)) / _DRAWS
            for name, scorer in _scorers().items()
        }
        told = ", ".join(f"{each:.2f}" for each in off.values())
        figures.append(
            {
                "what": f"error of attention with {keep:.0%} kept: keyformer, the newest, chance",
                "published": "keyformer is off less",
                "measured": told,
                "ok": off["keyformer"] < 0.9 * min(off["newest"], off["chance"]),
            }
        )
    return figures


def _off(torch: Any, scorer: Any, keep: float, seed: int) -> float:
    """The error of later tokens, relative to attention over all."""
    drawn = _drawn(torch, seed, _PROMPT + _LATER)
    layer, error = _layer(scorer, keep), 0.0
    _read(layer, *(each[:, :, :_PROMPT] for each in drawn))
    for at in range(_PROMPT, _PROMPT + _LATER):
        queries, keys, values = (each[:, :, : at + 1] for each in drawn)
        found = _read(layer, *(each[:, :, -1:] for each in (queries, keys, values)))
        exact = torch.nn.functional.scaled_dot_product_attention(
            queries[:, :, -1:], keys, values, enable_gqa=True
        )
        error += float((found - exact).norm() / exact.norm())
    return error / _LATER


def _needle(torch: Any) -> Figure:
    """A token in the older half that a tenth of the queries after it look at."""
    kept = dict.fromkeys(_scorers(), 0)
    for trial in range(_TRIALS):
        dice = torch.Generator().manual_seed(1000 + trial)
        queries, keys, values = (
            torch.randn(1, heads, _PROMPT, _WIDTH, generator=dice)
            for heads in (_HEADS * _SHARED, _HEADS, _HEADS)
        )
        place = int(torch.randint(8, _PROMPT // 2, (1,), generator=dice))
        looks = torch.rand(_PROMPT, generator=dice) < 0.1
        needle = keys[:, :, place].repeat_interleave(_SHARED, 1)[:, :, None]
        queries = torch.where(looks[:, None], 1.5 * needle + 0.1 * queries, queries)
        for name, scorer in _scorers().items():
            layer = _layer(scorer, 0.5)
            _read(layer, queries, keys, values)
            held = layer.ledger.positions.expand(1, _HEADS, -1)
            kept[name] += int(bool((held == place).any(-1).all()))
    share, newest = kept["keyformer"] / _TRIALS, kept["newest"] / _TRIALS
    return {
        "what": f"trials of {_TRIALS} in which half of the entries hold a needle: it, the newest",
        "published": ">= 0.99; 0",
        "measured": f"{share:.2f}, {newest:.2f}",
        "ok": share >= 0.99 and newest == 0,
    }


def _plain(torch: Any) -> Figure:
    """Without noise, at a temperature of 1, it is H2O: the sums of a plain softmax."""
    from engram.activation.scorers.keyformer import Keyformer

    different, count, newest = 0, _PROMPT // 4, int(_PROMPT // 4 * 0.3)
    for seed in range(_DRAWS):
        queries, keys, values = _drawn(torch, seed, _PROMPT)
        layer = _layer(Keyformer(noise=False, tau_last=1.0), 0.25)
        _read(layer, queries, keys, values)
        logits = queries @ keys.repeat_interleave(_SHARED, 1).mT * _WIDTH**-0.5
        past = torch.ones(_PROMPT, _PROMPT, dtype=torch.bool).tril()
        mass = logits.masked_fill(~past, -torch.inf).softmax(-1).sum(2)
        mass = mass.view(1, _HEADS, _SHARED, _PROMPT).mean(2)
        mass[..., _PROMPT - newest :] = torch.inf
        wanted = mass.topk(count).indices.sort(-1).values
        held = layer.ledger.positions.expand(1, _HEADS, -1)
        different += int((wanted != held).sum())
    return {
        "what": "entries that differ from those of summed attention, without noise and heat",
        "published": "0",
        "measured": different,
        "ok": different == 0,
    }


def _noise(torch: Any) -> list[Figure]:
    """The same seed keeps the same entries at any chunking; a higher temperature is flatter."""
    from engram.activation.scorers.keyformer import Keyformer

    drawn = _drawn(torch, 0, _PROMPT)
    sums, spreads = [], []
    for chunk in (_PROMPT, 7):
        layer = _layer(Keyformer(tau_last=1.0, seed=5), 1.0)
        for start in range(0, _PROMPT, chunk):
            _read(layer, *(each[:, :, start : start + chunk] for each in drawn))
        sums.append(layer.ledger.facts["mass"])
    for tau in (0.5, 1.0, 2.0, 4.0):
        layer = _layer(Keyformer(tau_first=tau, tau_last=tau), 1.0)
        _read(layer, *drawn)
        odds = layer.ledger.facts["mass"].clamp(min=1e-9)
        odds = odds / odds.sum(-1, keepdim=True)
        spreads.append(float(-(odds * odds.log()).sum(-1).mean()))
    off = float((sums[0] - sums[1]).abs().max() / sums[0].max())
    told = ", ".join(f"{spread:.2f}" for spread in spreads)
    return [
        {
            "what": "largest change of what a token got, with noise, when a prompt comes in pieces",
            "published": "<= 1e-5 of the most",
            "measured": f"{off:.1e}",
            "ok": off <= 1e-5,
        },
        {
            "what": "entropy of what tokens got at temperatures of 0.5, 1, 2 and 4",
            "published": "rises",
            "measured": told,
            "ok": spreads == sorted(spreads),
        },
    ]

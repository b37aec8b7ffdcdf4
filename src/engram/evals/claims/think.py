"""ThinK: the channels of old keys that say least to the newest queries are dropped.

A product of a query and a key is a sum over channels, and most of it comes from few of them. How
much a channel adds to all products is the norm of an outer product, which is the product of two
norms: that of the channel in the newest queries and that in the keys. The channels with the least
are dropped from all but the newest keys, once, when the prompt was read.

What differs: the channels are gone, where the published fast path and kvpress set them to zero;
query heads that share keys share their channels; the newest keys stay whole, also in a comparison
at equal ratio; channels can be dropped in the pairs that a rotary embedding turns together.

```python
import torch

from engram.activation.codecs.channels import Channels

dice = torch.Generator().manual_seed(0)
queries = torch.randn(1, 8, 32, 64, generator=dice)
keys = torch.randn(1, 2, 256, 64, generator=dice)
thinned = Channels(ratio=0.4).prune(queries, keys)
print(tuple(thinned.kept.shape), "and", tuple(thinned.recent.shape))
print(tuple(thinned.scores(queries).shape))
```

```text
(1, 2, 224, 39) and (1, 2, 32, 64)
(1, 8, 32, 256)
```
"""

from typing import Any

from engram.evals.claims.figures import Figure
from engram.extras import require

_HEADS, _SHARED, _TOKENS, _WIDTH = 2, 4, 256, 64
_DRAWS, _CHANCE = 10, 1000


def claim() -> list[Figure]:
    """The product form is exact, bytes fall by what is dropped, and asking queries moves least."""
    # Not at the top: this page is read, and the module imported, where torch is not installed.
    from engram.activation.codecs.channels import Channels

    torch: Any = require("torch", extra="hf", purpose="the claim of 'think'")
    figures = [_product_form(torch), _silent(torch)]
    for ratio in (0.25, 0.5):
        queries, keys = _drawn(torch, 0)
        thinned = Channels(ratio).prune(queries, keys)
        saved = 1 - (thinned.kept.nbytes + thinned.recent.nbytes) / keys.nbytes
        wanted = ratio * (_TOKENS - 32) / _TOKENS
        figures.append(
            {
                "what": f"share of key bytes saved at a ratio of {ratio}, 32 keys whole",
                "published": f"{wanted:.5f}",
                "measured": round(saved, 5),
                "ok": abs(saved - wanted) < 1e-9,
            }
        )
    return [*figures, *_ladder(torch), _packed(torch)]


def _drawn(torch: Any, seed: int) -> tuple[Any, Any]:
    """Queries and keys whose channels differ in size, each in a way of its own."""
    dice = torch.Generator().manual_seed(seed)
    sizes = torch.rand(2, _WIDTH, generator=dice).mul(3).sub(2).exp()
    queries = torch.randn(1, _HEADS * _SHARED, 32, _WIDTH, generator=dice) * sizes[0]
    return queries, torch.randn(1, _HEADS, _TOKENS, _WIDTH, generator=dice) * sizes[1]


def _product_form(torch: Any) -> Figure:
    """Beside the norm of every outer product."""
    from engram.activation.codecs.channels import Channels

    queries, keys = _drawn(torch, 1)
    asked = queries.view(1, _HEADS, _SHARED, 32, _WIDTH)
    outer = torch.einsum("bgrqd,bgtd->bgrqtd", asked, keys)
    norms = outer.square().sum((2, 3, 4))
    off = float((Channels().worth(queries, keys) / norms - 1).abs().max())
    return {
        "what": "worth of a channel beside the norm of its outer product, largest difference",
        "published": "<= 1e-4 of it",
        "measured": f"{off:.1e}",
        "ok": off <= 1e-4,
    }


def _silent(torch: Any) -> Figure:
    """Half of the channels of the keys are zero: these go, and nothing moves."""
    from engram.activation.codecs.channels import Channels

    queries, keys = _drawn(torch, 2)
    keys[..., torch.randperm(_WIDTH, generator=torch.Generator().manual_seed(2))[::2]] = 0
    exact = queries @ keys.repeat_interleave(_SHARED, 1).mT
    found = Channels(ratio=0.5).prune(queries, keys).scores(queries)
    off = float((found - exact).abs().max() / exact.abs().max())
    return {
        "what": "largest change of a product when only silent channels are dropped",
        "published": "<= 1e-6 of the largest",
        "measured": f"{off:.1e}",
        "ok": off <= 1e-6,
    }


def _ladder(torch: Any) -> list[Figure]:
    """How far attention weights move at the same ratio, whoever chooses the channels."""
    from engram.activation.codecs.channels import Channels

    figures: list[Figure] = []
    for ratio in (0.4, 0.5):
        moved = torch.zeros(3)
        for seed in range(_DRAWS):
            queries, keys = _drawn(torch, seed)
            think = Channels(ratio).prune(queries, keys).channels
            large = keys.square().sum(2).topk(think.shape[2]).indices
            # A seed apart from that of the sizes, or chance would draw these and be no chance.
            dice = torch.Generator().manual_seed(_CHANCE + seed)
            chance = torch.rand(1, _HEADS, _WIDTH, generator=dice).topk(think.shape[2]).indices
            moved += torch.tensor([_moved(queries, keys, at) for at in (think, large, chance)])
        think, large, chance = (moved / _DRAWS).tolist()
        figures.append(
            {
                "what": f"weight moved at a ratio of {ratio}: ThinK, the largest keys, chance",
                "published": "ThinK <= the largest keys <= chance",
                "measured": f"{think:.3f}, {large:.3f}, {chance:.3f}",
                "ok": think <= large <= chance,
            }
        )
    return figures


def _moved(queries: Any, keys: Any, channels: Any) -> float:
    """Share of the attention of a query that lands elsewhere, of 1, when others are dropped."""
    kept = keys.new_zeros(1, _HEADS, 1, _WIDTH).scatter(3, channels.unsqueeze(2), 1.0)
    exact, pruned = (
        (queries @ held.repeat_interleave(_SHARED, 1).mT * _WIDTH**-0.5).softmax(-1)
        for held in (keys, keys * kept)
    )
    return float((exact - pruned).abs().sum(-1).mean() / 2)


def _packed(torch: Any) -> Figure:
    """What is left is packed at two bits."""
    from engram.activation.codecs.asymmetric import Asymmetric
    from engram.activation.codecs.channels import Channels

    queries, keys = _drawn(torch, 3)
    thinned = Channels(ratio=0.5).prune(queries, keys)
    bits = 8 * Asymmetric().encode_keys(thinned.kept).nbytes / keys[:, :, :-32].numel()
    return {
        "what": "bits for each number of the old keys, half of the channels at 2 bits",
        "published": "1.5",
        "measured": bits,
        "ok": bits == 1.5,
    }

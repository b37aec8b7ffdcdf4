"""KIVI: keys are held in two bits by channel, values by token, and the newest as they came.

A few channels of the keys are large at every token, so keys are grouped along the tokens of one
channel, where their range is small; values have no such channels and are grouped along the channels
of one token. Each group has a minimum and a step, a number is its code in two or four bits, and the
newest tokens stay in full. Nothing is trained or calibrated.

What differs: the minimum is rounded down and the step up, so that no number is off by more than
half a step in whatever the two are stored; padded tokens have no part in a group's range. Codes are
packed four or two to a byte for a processor, which moves them apart a word at a time; one or two
queries a head are multiplied with the bare codes, more with what the codes stand for.

```python
import torch

from engram.activation.codecs.asymmetric import Asymmetric

codec = Asymmetric(bits_keys=2, bits_values=2)
keys = torch.randn(1, 8, 256, 64, generator=torch.Generator().manual_seed(0))
packed = codec.encode_keys(keys)
print(8 * packed.nbytes / keys.numel(), "bits a number")
print(codec.due(300), "of 300 keys and values are packed, the oldest")
```

```text
3.0 bits a number
(256, 172) of 300 keys and values are packed, the oldest
```
"""

from typing import Any

from engram.evals.claims.figures import Figure
from engram.extras import require

_TOKENS, _WIDTH, _SEED = 512, 64, 4
_LOUD = ((3, 12.0), (17, -9.0), (30, 15.0), (55, -11.0))
"""Channels of the keys that are large at every token, and how large."""


def claim() -> list[Figure]:
    """Two bits hold keys by channel three times better than by token, at 3 bits a number in all."""
    # Not at the top: this page is read, and the module imported, where torch is not installed.
    from engram.activation.codecs.asymmetric import Asymmetric

    torch: Any = require("torch", extra="hf", purpose="the claim of 'kivi'")
    dice = torch.Generator().manual_seed(_SEED)
    keys, values, queries = torch.randn(3, 1, 8, _TOKENS, _WIDTH, generator=dice)
    for channel, size in _LOUD:
        keys[..., channel] += size
    figures: list[Figure] = []
    for bits, published in ((2, 5.33), (4, 3.2)):
        codec = Asymmetric(bits, bits)
        stored = codec.encode_keys(keys).nbytes + codec.encode_values(values).nbytes
        smaller = 2 * (keys.numel() + values.numel()) / stored
        figures += [
            {
                "what": f"bytes in float16 over those at {bits} bits in groups of 32",
                "published": f"{published}",
                "measured": round(smaller, 2),
                "ok": abs(smaller - published) < 0.01,
            },
            _within_half_a_step(codec, keys, values, bits),
        ]
    return [*figures, *_outliers(torch, keys, values, queries), _streamed(torch, keys, values)]


def _within_half_a_step(codec: Any, keys: Any, values: Any, bits: int) -> Figure:
    """The largest error in halves of the step of its group."""
    worst = 0.0
    for x, packed in ((keys, codec.encode_keys(keys)), (values, codec.encode_values(values))):
        shape = *packed.codes.shape[:3], *packed.block[1:]
        off = (x - packed.decode()).abs().view(shape) / packed.scale.float()
        worst = max(worst, 2 * float(off.max()))
    return {
        "what": f"largest error at {bits} bits, in halves of a step",
        "published": "<= 1",
        "measured": round(worst, 3),
        "ok": worst <= 1.0001,
    }


def _outliers(torch: Any, keys: Any, values: Any, queries: Any) -> list[Figure]:
    """Keys with loud channels, grouped along tokens as KIVI does, and along channels."""
    from engram.activation.codecs.asymmetric import Asymmetric

    codec = Asymmetric()
    attend = torch.nn.functional.scaled_dot_product_attention
    exact, errors = attend(queries, keys, values), []
    for held in (codec.encode_keys(keys).decode(), codec.encode_values(keys).decode()):
        moved = attend(queries, held, values) - exact
        errors += [float((held - keys).norm() / keys.norm()), float(moved.norm() / exact.norm())]
    return [
        {
            "what": f"error of {what} with four loud channels: keys by channel, by token",
            "published": "by token at least three times as much",
            "measured": f"{by_channel:.3f}, {by_token:.3f}",
            "ok": 3 * by_channel <= by_token,
        }
        for what, by_channel, by_token in (
            ("the keys", errors[0], errors[2]),
            ("what attention gives", errors[1], errors[3]),
        )
    ]


def _streamed(torch: Any, keys: Any, values: Any) -> Figure:
    """One token after the other, packed when it is due, beside the same in one prompt."""
    from engram.activation.codecs.asymmetric import Asymmetric

    codec, different, done = Asymmetric(), 0, (0, 0)
    at_once = codec.encode_keys(keys), codec.encode_values(values)
    for seen in range(1, _TOKENS + 1):
        due = codec.due(seen)
        for which, (encode, x) in enumerate(
            ((codec.encode_keys, keys), (codec.encode_values, values))
        ):
            new = due[which] - done[which]
            if new:
                packed = encode(x[:, :, done[which] : due[which]])
                wanted = at_once[which].narrow(done[which], new)
                different += int(torch.count_nonzero(packed.codes != wanted.codes))
        done = due
    return {
        "what": f"bytes of codes that differ when {_TOKENS} tokens come one by one",
        "published": "0",
        "measured": different,
        "ok": different == 0 and done == (_TOKENS, _TOKENS - codec.residual),
    }

"""vAttention: keys and values lie in one piece, and their memory comes page by page.

Addresses for the longest text are reserved at once and cost nothing; the system puts memory behind
them when tokens are written. So tensors never move, a token costs the same at any length, and any
attention reads them as they are. A slot whose text has ended keeps its pages for the next one,
until another runs short; a prefix is shared by mapping its pages twice.

What differs: where there is no GPU the pages are those of the process, of a file in memory or of a
sparse file. A cache reserves for each layer rather than for all, so that layers may differ. Pages
are mapped when they are needed, not ahead of it by a thread.

```python
import torch

from engram.activation.pagers.virtual import Virtual

pages = Virtual(max_tokens=1_000_000).open()
for _ in range(3):
    token = torch.ones(1, 8, 1, 64)
    pages.append(0, token, token)
keys, values = pages.view(0)
print(tuple(keys.shape), pages.committed_bytes(), "bytes")
```

```text
(1, 8, 3, 64) 131072 bytes
```
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from engram.evals.claims.figures import Figure
from engram.extras import require

_HEADS, _WIDTH = 8, 64
_SHORT, _LONG = 1024, 16_384
_ROUNDS, _TOKENS = 9, 64


def claim() -> list[Figure]:
    """A token costs the same at any length, at an address that stays, in pages that fit."""
    # Not at the top: this page is read, and the module imported, where torch is not installed.
    from engram.activation.pagers.growing import Growing
    from engram.activation.pagers.virtual import Virtual

    torch: Any = require("torch", extra="hf", purpose="the claim of 'vattention'")
    pagers = {"pages": Virtual().open, "growing in place between its moves": Growing().open}
    return [*_appending(torch, pagers), *_memory(torch), *_slots(torch)]


def _appending(torch: Any, pagers: dict[str, Callable[[], Any]]) -> list[Figure]:
    """The quickest of some rounds, for load of the machine only ever adds."""
    joined = min(_joined(torch) for _ in range(3))
    figures: list[Figure] = []
    for name, opened in pagers.items():
        short, long = _times(torch, opened)
        figures += [
            {
                "what": f"time of a token at {_LONG:,} tokens over that at {_SHORT:,}, {name}",
                "published": "< 1.5",
                "measured": round(long / short, 2),
                "ok": long < 1.5 * short,
            },
            {
                "what": f"time to join {_LONG:,} tokens with one more over that of {name}",
                "published": ">= 10",
                "measured": round(joined / long),
                "ok": joined >= 10 * long,
            },
        ]
    return figures


def _times(torch: Any, opened: Callable[[], Any]) -> Sequence[float]:
    """Seconds for a token behind few and behind many, in turn, once what is held was moved."""
    token, stores = torch.ones(1, _HEADS, 1, _WIDTH), []
    for held in (_SHORT, _LONG):
        store = opened()
        store.append(0, token.expand(-1, -1, held, -1), token.expand(-1, -1, held, -1))
        store.append(0, token, token)
        stores.append(store)
    best = [float("inf"), float("inf")]
    for _ in range(_ROUNDS):
        for at, store in enumerate(stores):
            began = perf_counter()
            for _ in range(_TOKENS):
                store.append(0, token, token)
            best[at] = min(best[at], (perf_counter() - began) / _TOKENS)
            store.release(0, keep=(_SHORT, _LONG)[at])
    return best


def _joined(torch: Any) -> float:
    """Seconds to concatenate keys and values with one token."""
    token = torch.ones(1, _HEADS, 1, _WIDTH)
    held = torch.ones(2, 1, _HEADS, _LONG, _WIDTH)
    began = perf_counter()
    for each in held:
        torch.cat([each, token], 2)
    return perf_counter() - began


def _memory(torch: Any) -> list[Figure]:
    """What a million tokens reserve and 4,000 take."""
    from engram.activation.pagers.virtual import Virtual

    pages, token = Virtual(max_tokens=1_000_000).open(), torch.ones(1, _HEADS, 1, _WIDTH)
    pages.append(0, token, token)
    addresses, before = {pages.view(0)[0].data_ptr()}, _resident()
    for _ in range(40):
        more = token.expand(-1, -1, 100, -1)
        pages.append(0, more, more)
        addresses.add(pages.view(0)[0].data_ptr())
    taken, tokens = _resident() - before, 4001
    figures: list[Figure] = [
        {
            "what": "addresses at which 4,001 tokens lay while they came",
            "published": "1",
            "measured": len(addresses),
            "ok": len(addresses) == 1,
        },
        {
            "what": "pages of 64 KiB for the keys and values of 4,001 tokens of 2 KiB",
            "published": f"{2 * -(-tokens // 32)}",
            "measured": pages.committed_bytes() // 65_536,
            "ok": pages.committed_bytes() == 2 * -(-tokens // 32) * 65_536,
        },
    ]
    if before:
        figures.append(
            {
                "what": "memory that the process took over that of the pages",
                "published": "0.5 to 2",
                "measured": round(taken / pages.committed_bytes(), 2),
                "ok": pages.committed_bytes() < 2 * taken < 4 * pages.committed_bytes(),
            }
        )
    return figures


def _resident() -> int:
    """Bytes of memory that this process has; 0 where the system does not say."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return 1024 * int(lines["VmRSS"].split()[0])


def _slots(torch: Any) -> list[Figure]:
    """Texts that end and begin, and one that begins like another."""
    from engram.activation.pagers.virtual import Virtual
    from engram.activation.pagers.virtual.slots import Shape

    shape = Shape(2, 4, 4096, _HEADS, _WIDTH, torch.float32)
    slots = Virtual(backing="memory").slots(shape)
    first = slots.take(1000)
    slots.keys(1)[first, :1000] = torch.arange(1000.0).view(1000, 1, 1)
    before, second = slots.committed_bytes(), slots.take()
    shared = slots.share(first, second, 1000)
    same = torch.equal(slots.keys(1)[second, :shared], slots.keys(1)[first, :shared])
    figures: list[Figure] = [
        {
            "what": f"bytes that a prefix of {shared} tokens takes when it is shared",
            "published": "0",
            "measured": slots.committed_bytes() - before,
            "ok": same and slots.committed_bytes() == before,
        }
    ]
    slots.free(second)
    slots.free(first)
    held = slots.committed_bytes()
    again = slots.take(1000)
    figures.append(
        {
            "what": "bytes mapped for a text that comes into a freed slot",
            "published": "0",
            "measured": slots.committed_bytes() - held,
            "ok": again == first and slots.committed_bytes() == held,
        }
    )
    return figures

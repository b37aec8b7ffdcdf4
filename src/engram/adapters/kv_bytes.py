"""A cache and the tokens that it holds as bytes, and back: safetensors, and nothing that is run."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from engram.activation import saving
from engram.adapters.kv import LayerwiseCache, MemoryLayer
from engram.errors import InvalidInput

_TOKENS = "tokens"
_WINDOW = {"keys": "keys", "values": "values", "seen": "cumulative_length"}


def content(cache: LayerwiseCache, tokens: Tensor) -> bytes:
    """A cache with the ids that were read into it, (T,).

    Raises:
        InvalidInput: a layer is neither of full nor of sliding attention.
    """
    told = {_TOKENS: tokens}
    for at, layer in enumerate(cache.layers):
        held = saving.state(layer.layer) if isinstance(layer, MemoryLayer) else _window(layer)
        told |= {f"{at}.{name}": each.detach() for name, each in held.items()}
    return save({name: each.clone().contiguous() for name, each in told.items()})


def fill(cache: LayerwiseCache, held: bytes) -> Tensor:
    """Fill an empty cache of the same settings; return the ids of its tokens, (T,).

    What is filled in does not share the bytes, so that they may go.

    Raises:
        InvalidInput: the bytes are not those of such a cache.
    """
    try:
        told = load(held)
        tokens = told.pop(_TOKENS)
        for at, layer in enumerate(cache.layers):
            own = dict(_of(told, f"{at}.", cache.model.device))
            if isinstance(layer, MemoryLayer):
                saving.load(layer.layer, own)
            else:
                _open(layer, own)
    except (SafetensorError, LookupError, RuntimeError) as fault:
        raise InvalidInput(
            f"the bytes of a cache must be those of its model, got {fault!r:.200}; build it anew"
        ) from fault
    return tokens


def _of(told: Mapping[str, Tensor], start: str, device: Any) -> Iterator[tuple[str, Tensor]]:
    for name, each in told.items():
        if name.startswith(start):
            yield name.removeprefix(start), each.to(device)


def _window(layer: Any) -> dict[str, Tensor]:
    """What a layer of transformers with a window holds."""
    if not all(hasattr(layer, name) for name in _WINDOW.values()):
        raise InvalidInput(
            f"layers must be of full or sliding attention to be kept, got {type(layer).__name__!r}"
        )
    return {name: torch.as_tensor(getattr(layer, own)) for name, own in _WINDOW.items()}


def _open(layer: Any, held: Mapping[str, Tensor]) -> None:
    layer.lazy_initialization(held["keys"], held["values"])
    layer.keys, layer.values = held["keys"], held["values"]
    layer.cumulative_length = int(held["seen"])

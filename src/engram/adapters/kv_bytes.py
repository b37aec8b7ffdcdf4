"""A cache and the tokens that it holds as bytes, and back: safetensors, and nothing that is run."""

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from engram.adapters import kv_files
from engram.adapters.kv import LayerwiseCache
from engram.errors import InvalidInput

_TOKENS = "tokens"


def content(cache: LayerwiseCache, tokens: Tensor) -> bytes:
    """A cache with the ids that were read into it, (T,).

    Raises:
        InvalidInput: a layer is neither of full nor of sliding attention.
    """
    return save({_TOKENS: tokens.clone().contiguous(), **kv_files.state(cache)})


def fill(cache: LayerwiseCache, held: bytes) -> Tensor:
    """Fill an empty cache of the same settings; return the ids of its tokens, (T,).

    What is filled in does not share the bytes, so that they may go.

    Raises:
        InvalidInput: the bytes are not those of such a cache.
    """
    try:
        told = load(held)
        tokens = told.pop(_TOKENS)
        kv_files.fill(cache, told)
    except (SafetensorError, LookupError, RuntimeError, InvalidInput) as fault:
        raise InvalidInput(
            f"the bytes of a cache must be those of its model, got {fault!r:.200}; build it anew"
        ) from fault
    return tokens

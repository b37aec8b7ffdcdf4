"""The attention of a transformers model, answered by the cache that it is called with.

A model asks its cache for keys and values and gets the fresh ones alone, with the layer of the
cache attached; the attention that is registered here finds it, lets it attend, and hands on
everything else to the attention that the model had before.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from engram.activation.cache import Call, Layer
from engram.errors import InvalidInput

PREFIX = "engram-"
_TAG = "_engram_layer"
_UNKNOWN = ("s_aux", "position_bias")
"""Arguments that change the softmax in ways that the cache does not know."""


class Extra(TypedDict, total=False):
    """What models pass to their attention by name; what is not read here is handed on."""

    dropout: float
    scaling: float | None
    softcap: float | None
    output_attentions: bool
    position_ids: Tensor | None


class Asked(TypedDict, total=False):
    """What is passed to a mask function by name, some of it; it is handed on as it came."""

    q_length: int
    kv_length: int


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """What a model's mask function was asked, to be answered where somebody needs the answer.

    Attributes:
        padding: (B, tokens seen), false for padding; None where there is none.
        build: makes the mask of the attention that the model had before.
    """

    padding: Tensor | None
    build: Callable[[], Any]


def tagged(keys: Tensor, layer: Layer) -> Tensor:
    """The keys, with the layer of the cache that is to attend."""
    keys = keys.view_as(keys)
    setattr(keys, _TAG, layer)
    return keys


def is_attached(model: nn.Module) -> bool:
    """Whether the model's attention is answered by its cache."""
    return _implementation(model).startswith(PREFIX)


def attach(model: PreTrainedModel) -> None:
    """Let caches answer the model's attention from now on; other caches work as before.

    Raises:
        InvalidInput: the model's attention cannot be chosen.
    """
    before = _implementation(model)
    if before.startswith(PREFIX):
        return
    name = PREFIX + before
    AttentionInterface.register(name, _attention(before))
    AttentionMaskInterface.register(name, _masks(before))
    model.set_attn_implementation(name)
    if not is_attached(model):
        raise InvalidInput(
            f"the attention of {type(model).__name__!r} cannot be chosen; use a preset that needs "
            f"none of it, with attach=False"
        )


def detach(model: PreTrainedModel) -> None:
    """Give the model back the attention that it had."""
    name = _implementation(model)
    if name.startswith(PREFIX):
        model.set_attn_implementation(name.removeprefix(PREFIX))


@contextmanager
def attached(model: PreTrainedModel) -> Iterator[PreTrainedModel]:
    """Attach for the length of a block, and leave the model as it was."""
    before = is_attached(model)
    attach(model)
    try:
        yield model
    finally:
        if not before:
            detach(model)


def _implementation(model: nn.Module) -> str:
    name = getattr(model.config, "_attn_implementation", None)
    return name if isinstance(name, str) else "eager"


def _attention(before: str) -> Callable[..., tuple[Tensor, Tensor | None]]:
    """The attention function for models that had the attention ``before``."""

    def answer(
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Any,
        **extra: Unpack[Extra],
    ) -> tuple[Tensor, Tensor | None]:
        layer: Layer | None = getattr(key, _TAG, None)
        if layer is None:
            mask = attention_mask.build() if isinstance(attention_mask, Mask) else attention_mask
            former = ALL_ATTENTION_FUNCTIONS.get(before) or _own(module)
            found: tuple[Tensor, Tensor | None] = former(module, query, key, value, mask, **extra)
            return found
        _check_extra(extra)
        _check_positions(extra.get("position_ids"), layer, query.shape[2])
        scale = extra.get("scaling") or query.shape[-1] ** -0.5
        valid, mask = _read(attention_mask, layer, query.shape[2])
        layer.append(key, value, valid)
        call = Call(
            scale, extra.get("softcap"), mask, valid, bool(extra.get("output_attentions", False))
        )
        out, weights = layer.attend(query, call)
        return out.transpose(1, 2).contiguous(), weights

    return answer


def _own(module: nn.Module) -> Callable[..., Any]:
    """The attention that is written down beside a model."""
    found: Callable[..., Any] = sys.modules[type(module).__module__].eager_attention_forward
    return found


def _masks(before: str) -> Callable[..., Mask]:
    """The mask function for models that had the attention ``before``."""

    def ask(attention_mask: Tensor | None = None, **extra: Unpack[Asked]) -> Mask:
        def build() -> Any:
            former = ALL_MASK_ATTENTION_FUNCTIONS.get(before)
            return None if former is None else former(attention_mask=attention_mask, **extra)

        return Mask(attention_mask, build)

    return ask


def _read(mask: Any, layer: Layer, count: int) -> tuple[Tensor | None, Tensor | None]:
    """Which of the fresh tokens are no padding, and a mask that the caller made."""
    if isinstance(mask, Tensor):
        wanted = len(layer) + count
        if mask.shape[-1] != wanted:
            raise InvalidInput(
                f"a mask of four axes must cover the {wanted} entries that are held, got "
                f"{tuple(mask.shape)}; pass one row for each sequence, (B, tokens seen)"
            )
        return None, mask
    padding = mask.padding if isinstance(mask, Mask) else None
    if padding is None:
        return None, None
    seen = layer.seen + count
    if padding.shape[1] != seen:
        raise InvalidInput(
            f"attention_mask must cover all {seen} tokens that the cache has seen with these, got "
            f"{padding.shape[1]}; pass all ids, or the new ones with a mask of full length; "
            f"crop(-1) first where the cache holds the whole prompt"
        )
    fresh = padding[:, -count:].bool()
    return (None, None) if bool(fresh.all()) else (fresh, None)


def _check_extra(extra: Mapping[str, Any]) -> None:
    unknown = [name for name in _UNKNOWN if extra.get(name) is not None]
    if unknown:
        raise InvalidInput(
            f"the model's attention takes {unknown!r}, which no cache of engram knows; use the "
            f"model's own cache"
        )


def _check_positions(positions: Tensor | None, layer: Layer, count: int) -> None:
    """Refuse tokens that the cache holds already: a prompt that is fed once more."""
    if positions is None or layer.ledger is None or positions.dim() != 2:
        return
    last, told = positions[:, -1:], layer.ledger.told
    if bool((last < told).all()):
        raise InvalidInput(
            f"fresh tokens must follow the {int(told.max())} that are held, got {count} up "
            f"to position {int(last.max())}; pass the whole text, and crop(-1) first where the "
            f"cache holds all of it"
        )

"""A cache for transformers models whose layers follow the policies of the room ``activation``.

Layers that look at a window, or keep a state, stay those of transformers.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from weakref import ref

import torch
from torch import Tensor
from transformers import Cache, DynamicCache, PreTrainedModel
from transformers.cache_utils import CacheLayerMixin, DynamicLayer

from engram.activation.cache import Layer
from engram.activation.policies import Policies
from engram.activation.positions import Rotary
from engram.activation.roles import Place
from engram.activation.saving import fork
from engram.adapters.attention import is_attached, tagged
from engram.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class MemoryUsage:
    """Bytes of a cache, by what holds them.

    Attributes:
        whole: keys and values as they came, the room ahead among them.
        packed: keys and values in another form.
        facts: positions, facts about entries, and queries that are kept.
        other: layers of transformers: sliding windows and states.
        near: far blocks that were read last and are still at hand.
        host: far blocks in memory of the host, and what is known of all far blocks.
        file: far blocks in files.
    """

    whole: int
    packed: int
    facts: int
    other: int
    near: int = 0
    host: int = 0
    file: int = 0

    @property
    def resident(self) -> int:
        """Bytes on the model's device."""
        return self.whole + self.packed + self.facts + self.other + self.near

    @property
    def total(self) -> int:
        """All bytes."""
        return self.resident + self.host + self.file


class MemoryLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]
    """One layer as transformers knows layers.

    Args:
        layer: what it holds.
        model: tells whether its attention is attached.
    """

    is_sliding = False
    is_croppable = True
    supports_early_init = False

    def __init__(self, layer: Layer, model: Callable[[], Any]) -> None:
        self.layer, self._model = layer, model
        super().__init__()  # type: ignore[no-untyped-call]

    @property
    def keys(self) -> Tensor | None:
        """All keys as they are shown, (B, G, P, D); None while there are none."""
        return self.layer.present()[0] if self.layer.tail.started else None

    @keys.setter
    def keys(self, keys: Tensor | None) -> None:
        _only_empty(keys)

    @property
    def values(self) -> Tensor | None:
        """All values."""
        return self.layer.present()[1] if self.layer.tail.started else None

    @values.setter
    def values(self, values: Tensor | None) -> None:
        _only_empty(values)

    @property
    def is_initialized(self) -> bool:
        """Whether anything was ever held."""
        return self.layer.tail.started

    @is_initialized.setter
    def is_initialized(self, started: bool) -> None:
        """Transformers says False while a layer is made; it is found out here."""

    @property
    def record_past(self) -> bool:
        """Whether tokens may be taken back."""
        return self.layer.recording

    @property
    def batch_size(self) -> int:
        """Rows that are held, -1 while there are none."""
        return self.layer.tail.view[0].shape[0] if self.layer.tail.started else -1

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Nothing is prepared: the first tokens say what is held."""

    def update(self, key_states: Tensor, value_states: Tensor, *_: object) -> tuple[Tensor, Tensor]:
        """Take tokens; return what the attention of this call works with.

        Raises:
            InvalidInput: the policies need the model's attention, and it is not attached.
        """
        model = self._model()
        if model is not None and is_attached(model):
            return tagged(key_states, self.layer), value_states
        _check_plain(self.layer, key_states.shape[0])
        self.layer.append(key_states, value_states)
        return self.layer.present()

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """How many keys the next attention has, and the position of the first."""
        self.layer.settle(force=not self.layer.recording)
        held = len(self.layer)
        return held + query_length, self.layer.seen - held

    def get_seq_length(self) -> int:
        """Tokens seen, whether they are held or not."""
        return self.layer.seen

    def get_max_length(self) -> int:
        """There is none."""
        return -1

    def activate_past_recording(self) -> None:
        """Drop nothing until ``crop`` is called, so that tokens can be taken back."""
        self.layer.settle()
        self.layer.recording = True

    def crop(self, tokens_to_remove: int) -> None:
        """Take back tokens: a count, negative as transformers has it.

        Raises:
            InvalidInput: it is positive.
        """
        if tokens_to_remove > 0:
            raise InvalidInput(
                f"crop takes a negative count of tokens to take back, got {tokens_to_remove!r}"
            )
        self.layer.crop(-tokens_to_remove)

    def reset(self) -> None:
        """Forget everything."""
        self.layer = Layer(self.layer.policies, self.layer.place, self.layer.rotary)

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """Take rows of the batch, as beams have it."""
        self.layer.rows(beam_idx)

    def batch_select_indices(self, indices: Tensor) -> None:
        """Take rows of the batch."""
        rows = indices.nonzero()[:, 0] if indices.dtype == torch.bool else indices
        self.layer.rows(rows)

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Repeat every row of the batch."""
        rows = torch.arange(max(0, self.batch_size))
        self.layer.rows(rows.repeat_interleave(repeats))

    def offload(self) -> None:
        """Where entries lie is for the pager to say."""

    def prefetch(self) -> None:
        """Where entries lie is for the pager to say."""


class LayerwiseCache(Cache):
    """A cache of which every layer of full attention follows policies.

    Args:
        model: the model that it is for.
        policies: by number of the layer among those of full attention.
    """

    def __init__(self, model: PreTrainedModel, policies: Callable[[Place], Policies]) -> None:
        layers = DynamicCache(config=model.config).layers
        ours = [at for at, layer in enumerate(layers) if type(layer) is DynamicLayer]
        if not ours:
            raise InvalidInput(
                f"{type(model).__name__!r} has no layer of full attention that a policy could work "
                f"in; use its own cache"
            )
        self._model, rotary = ref(model), rotary_of(model)
        for number, at in enumerate(ours):
            place = Place(number, len(ours))
            made = Layer(policies(place), place, rotary)
            check_width(made.policies, width_of(model))
            if made.policies.position != "absolute":
                check_turning(model, rotary)
            layers[at] = MemoryLayer(made, self._model)
        super().__init__(layers=layers)
        self.last_logits: Tensor | None = None  # of the token to come, where they are told

    @property
    def model(self) -> PreTrainedModel:
        """The model that it is for.

        Raises:
            InvalidInput: it is gone.
        """
        model = self._model()
        if model is None:
            raise InvalidInput("the model of this cache must be there, got none; keep it")
        return model

    @property
    def ours(self) -> list[Layer]:
        """The layers that follow policies."""
        return [each.layer for each in self.layers if isinstance(each, MemoryLayer)]

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: object
    ) -> tuple[Tensor, Tensor]:
        """Take the tokens of one layer, and settle the layer before it."""
        if layer_idx:
            before = self.layers[layer_idx - 1]
            if isinstance(before, MemoryLayer):
                before.layer.settle()
        layer: Any = self.layers[layer_idx]
        found: tuple[Tensor, Tensor] = layer.update(key_states, value_states)
        return found

    def copy_to(self, twin: "LayerwiseCache") -> None:
        """Let an empty cache of the same settings go on from what is held here."""
        for at, layer in enumerate(self.layers):
            if isinstance(layer, MemoryLayer):
                twin.layers[at] = MemoryLayer(fork(layer.layer), self._model)
            else:
                with torch.no_grad():
                    twin.layers[at] = deepcopy(layer)
        twin.last_logits = self.last_logits

    def memory_usage(self) -> MemoryUsage:
        """Bytes that are held."""
        layers = self.ours
        for layer in layers:
            layer.settle()
        far = [layer.reach.far.bytes for layer in layers if layer.reach is not None]
        return MemoryUsage(
            whole=sum(layer.tail.nbytes for layer in layers),
            packed=sum(layer.old.nbytes for layer in layers if layer.old is not None),
            facts=sum(layer.asked.nbytes for layer in layers)
            + sum(layer.reach.nbytes for layer in layers if layer.reach is not None)
            + sum(layer.ledger.nbytes for layer in layers if layer.ledger is not None),
            other=sum(
                tensor.nbytes
                for layer in self.layers
                if not isinstance(layer, MemoryLayer)
                for tensor in _tensors(layer)
            ),
            near=sum(each.near for each in far),
            host=sum(each.known + each.host for each in far),
            file=sum(each.file for each in far),
        )


def rotary_of(model: PreTrainedModel) -> Rotary | None:
    """How a model turns its keys; None where it does not, or in a way that is not known."""
    found = [module for name, module in model.named_modules() if name.endswith("rotary_emb")]
    frequencies = getattr(found[0], "inv_freq", None) if found else None
    if not isinstance(frequencies, Tensor):
        return None
    scaling = float(getattr(found[0], "attention_scaling", 1.0))
    return Rotary(frequencies, scaling, _pairing(model))


def width_of(model: PreTrainedModel) -> int | None:
    """D, how wide a head is; None where the config does not say."""
    config = model.config.get_text_config(decoder=True)
    width = getattr(config, "head_dim", None)
    hidden, heads = (getattr(config, name, None) for name in ("hidden_size", "num_attention_heads"))
    return width or (hidden // heads if hidden and heads else None)


def check_width(policies: Policies, width: int | None) -> None:
    """Let a codec refuse heads that it cannot pack before anything is read.

    Raises:
        ShapeError: their width does not fit its groups.
    """
    if policies.codec is not None and width is not None:
        policies.codec.encode_values(torch.zeros(1, 1, policies.codec.group_size, width))


def check_turning(model: PreTrainedModel, rotary: Rotary | None) -> None:
    """Refuse to show entries elsewhere where a model would not turn them alike.

    Raises:
        InvalidInput: the model has no rotary positions, or they change with the length.
    """
    config = model.config.get_text_config(decoder=True)
    kind = (getattr(config, "rope_parameters", None) or {}).get("rope_type", "default")
    if rotary is None or kind in {"dynamic", "longrope"}:
        got = "no rotary positions" if rotary is None else f"rotary positions of type {kind!r}"
        raise InvalidInput(
            f"entries can be shown elsewhere only where positions are fixed rotations, got {got} "
            f"in {type(model).__name__!r}; use position='absolute'"
        )


def _pairing(model: PreTrainedModel) -> Any:
    """Which channels turn together, found out by turning a few numbers."""
    module = sys.modules[type(model).__module__]
    turned = getattr(module, "rotate_half", None)
    if turned is None:
        return "halves"
    return "halves" if float(turned(torch.arange(4.0))[0]) == -2.0 else "interleaved"


def _check_plain(layer: Layer, batch: int) -> None:
    """Refuse what plain attention would get wrong without a word."""
    policies = layer.policies
    if policies.asks or isinstance(policies.position, int):
        raise InvalidInput(
            "the policies of this cache work with the model's queries, and its attention is not "
            "attached; call the model inside 'with cache.attached(model):'"
        )
    uneven = layer.ledger is not None and layer.ledger.valid is not None
    if uneven or (policies.scorer is not None and batch > 1):
        raise InvalidInput(
            f"without the model's attention a cache that drops entries cannot see padding, and its "
            f"heads must hold as many, got a batch of {batch}; call the model inside 'with "
            f"cache.attached(model):'"
        )


def _only_empty(given: Tensor | None) -> None:
    """Transformers says None while a layer is made; anything else would be lost."""
    if given is not None:
        raise InvalidInput(
            "keys and values of a memory layer come by update(), got an assignment; its policies "
            "would not know of them"
        )


def _tensors(layer: object) -> Iterator[Tensor]:
    """Tensors that a layer of transformers holds."""
    for value in vars(layer).values():
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, Mapping):
            yield from (each for each in value.values() if isinstance(each, Tensor))
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield from (each for each in value if isinstance(each, Tensor))

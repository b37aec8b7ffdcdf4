"""``MemoryCache``: made by preset, attached to a model, told of turns, forked, saved and loaded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from torch import Tensor
from transformers import PreTrainedModel

from engram.activation import turns
from engram.activation.cache import Layer
from engram.activation.positions import Position
from engram.activation.rating import surprise
from engram.adapters import attention, kv_files
from engram.adapters.kv import LayerwiseCache
from engram.errors import ShapeError
from engram.kv.settings import Settings


class MemoryCache(LayerwiseCache):
    """A cache that keeps what counts, in the form that a preset gives it.

    It is a transformers cache: pass it to ``generate`` or to the model as ``past_key_values``.
    Make one with ``for_model``.
    """

    def __init__(self, model: PreTrainedModel, settings: Settings) -> None:
        super().__init__(model, settings.policies)
        self.settings = settings

    @classmethod
    def for_model(
        cls,
        model: PreTrainedModel,
        preset: str = "full",
        *,
        budget: int | float | None = None,
        position: Position | None = None,
        settings: Settings | None = None,
        attach: bool | None = None,
    ) -> Self:
        """Return an empty cache for a model.

        Args:
            model: a causal language model of transformers.
            preset: keys of the room ``activation``, joined by ``+``: ``"kivi+snapkv"``.
            budget: what a head keeps in the mean: tokens (int), or a share of those seen (float).
                Presets that drop entries need one.
            position: ``absolute``; to go past the length that the model was trained for
                ``compact``, side by side, or a number: no further away than so many tokens. None is
                what the preset's paper does.
            settings: all of these at once and more, in their place.
            attach: let the cache answer the model's attention from now on, which presets need that
                read queries, and padding where entries are dropped. Other caches work as before.
                None does so where the preset is any other than one that keeps everything whole.

        Raises:
            InvalidInput: the settings do not go together, or not with the model.
            UnknownMethod: a preset is not known; the message names the nearest.
        """
        chosen = settings or Settings(preset, budget, position)
        cache = cls(model, chosen)
        if attach or (attach is None and any(map(_is_more, cache.ours))):
            attention.attach(model)
        return cache

    @contextmanager
    def attached(self, model: PreTrainedModel) -> Iterator[Self]:
        """Attach for the length of a block; then the model has the attention that it had before."""
        with attention.attached(model):
            yield self

    def observe_logits(self, input_ids: Tensor, logits: Tensor) -> None:
        """Tell how the tokens that were read last were expected, for presets that need it.

        Args:
            input_ids: (B, T), the tokens of the last forward pass.
            logits: (B, T, vocabulary), that came of it.

        Raises:
            ShapeError: there are not as many logits as tokens.
        """
        if logits.shape[:2] != input_ids.shape:
            raise ShapeError(
                f"logits must be (B, T, vocabulary) for tokens {tuple(input_ids.shape)}, got "
                f"{tuple(logits.shape)}; ask the model for all of them (logits_to_keep=0)"
            )
        told = surprise(input_ids, logits, self.last_logits)
        for layer in self.ours:
            turns.tell(layer, "surprisal", told)
        self.last_logits = logits[:, -1].detach().clone()

    def begin_turn(self, n_incoming: int = 0) -> None:
        """Begin a turn of a talk: make room for tokens to come; what surprised does so less."""
        for layer in self.ours:
            turns.begin(layer, n_incoming)

    def fork(self) -> Self:
        """Return a cache that goes on from here by itself; what is held is shared until it changes.

        Raises:
            InvalidInput: the model is gone.
        """
        twin = type(self)(self.model, self.settings)
        self.copy_to(twin)
        return twin

    def save(self, path: str | Path, tokenizer: Any = None) -> None:
        """Write everything that is held into a folder: tensors, and a sidecar of JSON.

        Args:
            path: the folder; it is made, and an older cache in it is replaced.
            tokenizer: becomes a part of what a model must match to load it.
        """
        kv_files.save(self, Path(path), kv_files.fingerprint(self.model, tokenizer), self.settings)

    @classmethod
    def load(cls, path: str | Path, model: PreTrainedModel, tokenizer: Any = None) -> Self:
        """Return the cache that was saved in a folder.

        Raises:
            InvalidInput: it was made with another model or tokenizer, or is no saved cache.
        """
        folder = Path(path)
        told = kv_files.settings(folder, kv_files.fingerprint(model, tokenizer))
        per_layer = {int(layer): own for layer, own in told.pop("per_layer").items()}
        cache = cls.for_model(model, settings=Settings(**told, per_layer=per_layer))
        kv_files.load(cache, folder)
        return cache


def _is_more(layer: Layer) -> bool:
    """Whether a layer does more than to keep everything as it came."""
    policies = layer.policies
    clamps = isinstance(policies.position, int)
    return clamps or bool(policies.scorer or policies.codec or policies.thinner)

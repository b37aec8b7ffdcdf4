"""A cache in a folder: its tensors as safetensors, what it is for as JSON. Nothing in it is run."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import PreTrainedModel

from engram.activation import saving
from engram.adapters.kv import LayerwiseCache, MemoryLayer
from engram.errors import InvalidInput

_TENSORS, _SIDECAR, _VERSION = "cache.safetensors", "cache.json", 1
_WHOLE = 1 << 20  # bytes of a weight up to which all of it is read
_SOME = 1 << 16  # numbers of a larger one, evenly spread
_PASSING = ("transformers_version", "_name_or_path", "dtype", "torch_dtype", "use_cache")
"""What a config says that makes no other model."""


def fingerprint(model: PreTrainedModel, tokenizer: Any = None) -> str:
    """What a model computes with, as a short name: config, weights, and how text becomes tokens.

    Of a large weight some numbers are read, evenly spread, so that it takes seconds.
    """
    told = hashlib.blake2b(digest_size=16)
    config = {key: value for key, value in model.config.to_dict().items() if key not in _PASSING}
    told.update(json.dumps(config, sort_keys=True, default=str).encode())
    for name, weight in sorted(model.state_dict().items()):
        told.update(f"{name} {tuple(weight.shape)} {weight.dtype}".encode())
        flat = weight.detach().reshape(-1)
        if flat.nbytes > _WHOLE:
            flat = flat[:: max(1, flat.numel() // _SOME)]
        told.update(flat.contiguous().cpu().view(torch.uint8).numpy().tobytes())
    if tokenizer is not None:
        vocabulary = json.dumps(tokenizer.get_vocab(), sort_keys=True)
        template = getattr(tokenizer, "chat_template", None)
        told.update(f"{vocabulary} {template!r}".encode())
    return told.hexdigest()


def save(cache: LayerwiseCache, folder: Path, name: str, settings: Any) -> None:
    """Write a cache; the sidecar comes last, so that half a cache is none."""
    tensors = state(cache)
    if cache.last_logits is not None:
        tensors["logits"] = cache.last_logits.contiguous()
    folder.mkdir(parents=True, exist_ok=True)
    sidecar = {"version": _VERSION, "model": name, "settings": asdict(settings)}
    (folder / _SIDECAR).unlink(missing_ok=True)
    fresh = folder / f"{_TENSORS}.fresh"
    save_file(tensors, fresh)
    fresh.replace(folder / _TENSORS)
    fresh = folder / f"{_SIDECAR}.fresh"
    fresh.write_text(json.dumps(sidecar, indent=1), encoding="utf-8")
    fresh.replace(folder / _SIDECAR)


def settings(folder: Path, name: str) -> dict[str, Any]:
    """The settings of a saved cache, if it was made with the model of that name.

    Raises:
        InvalidInput: it was made with another, or is no saved cache.
    """
    try:
        sidecar = json.loads((folder / _SIDECAR).read_text(encoding="utf-8"))
        version, model, told = sidecar["version"], sidecar["model"], dict(sidecar["settings"])
    except (OSError, ValueError, LookupError, TypeError) as fault:
        raise InvalidInput(
            f"a saved cache is a folder with {_SIDECAR!r} and {_TENSORS!r}, got {str(folder)!r} "
            f"({fault!r:.100}); save it again"
        ) from fault
    if version != _VERSION:
        raise InvalidInput(
            f"a saved cache must be of version {_VERSION}, got {version!r}; rebuild it"
        )
    if model != name:
        raise InvalidInput(
            f"a cache fits only the model and tokenizer that made it, {model}, got {name}; build "
            f"it anew with this one"
        )
    return told


def load(cache: LayerwiseCache, folder: Path) -> None:
    """Fill an empty cache with what was saved.

    Raises:
        InvalidInput: the tensors are damaged or not those of such a cache.
    """
    try:
        tensors = load_file(folder / _TENSORS)
    except (OSError, SafetensorError) as fault:
        raise InvalidInput(
            f"the saved tensors cannot be read: {fault!r:.200}; save it again"
        ) from fault
    logits = tensors.pop("logits", None)
    cache.last_logits = None if logits is None else logits.to(cache.model.device)
    fill(cache, tensors)


def state(cache: LayerwiseCache) -> dict[str, Tensor]:
    """What all layers hold, by number and name, in tensors of their own.

    Raises:
        InvalidInput: a layer is neither of full nor of sliding attention.
    """
    tensors: dict[str, Tensor] = {}
    for at, layer in enumerate(cache.layers):
        held = saving.state(layer.layer) if isinstance(layer, MemoryLayer) else _state(layer)
        tensors |= {
            f"{at}.{key}": value.detach().clone().contiguous() for key, value in held.items()
        }
    return tensors


def fill(cache: LayerwiseCache, tensors: Mapping[str, Tensor]) -> None:
    """Fill an empty cache with what ``state`` gave.

    Raises:
        InvalidInput: something is missing.
    """
    for at, layer in enumerate(cache.layers):
        start = f"{at}."
        held = {key[len(start) :]: tensors[key] for key in tensors if key.startswith(start)}
        held = {key: value.to(cache.model.device) for key, value in held.items()}
        try:
            if isinstance(layer, MemoryLayer):
                saving.load(layer.layer, held)
            else:
                _load(layer, held)
        except LookupError as fault:
            raise InvalidInput(
                f"layer {at} of the saved cache lacks {fault}; save it again"
            ) from fault


def _state(layer: Any) -> dict[str, Tensor]:
    """Of a layer of transformers that looks at a window.

    Raises:
        InvalidInput: it is of another kind.
    """
    if not getattr(layer, "is_sliding", False) or not hasattr(layer, "cumulative_length"):
        raise InvalidInput(
            f"only layers of full or sliding attention can be saved, got {type(layer).__name__!r}"
        )
    if not layer.is_initialized:
        return {}
    seen = torch.tensor([layer.cumulative_length])
    return {"keys": layer.keys, "values": layer.values, "seen": seen}


def _load(layer: Any, held: Mapping[str, Tensor]) -> None:
    if held:
        layer.lazy_initialization(held["keys"], held["values"])
        layer.keys, layer.values = held["keys"], held["values"]
        layer.cumulative_length = int(held["seen"])

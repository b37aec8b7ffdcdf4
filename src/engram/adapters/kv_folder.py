"""A folder of this machine as a model that reads through caches. Needs torch and transformers."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from engram.adapters.folders import BROKEN, model_folder, silent
from engram.adapters.kv_reading import Reader
from engram.errors import InvalidInput
from engram.extras import require


def reader(path: str, device: str = "cpu") -> Reader:
    """The causal language model in a folder; never downloads, never runs code of the folder.

    Args:
        path: the folder.
        device: as torch names it, such as ``cuda:0``.

    Raises:
        InvalidInput: there is no such folder, it holds no such model, or there is no such device.
        MissingExtra: transformers or torch is not installed.
    """
    folder = model_folder(path, "engram kv")
    for package in ("torch", "transformers"):
        require(package, extra="hf", purpose="engram kv")
    library: Any = import_module("transformers")
    local = {"local_files_only": True, "trust_remote_code": False}
    wanted = "MODEL must be a folder with a causal language model of transformers and its tokenizer"
    if not (folder / "config.json").is_file():
        raise InvalidInput(f"{wanted}, got {path!r}, which holds no config.json")
    try:
        with silent(library):
            tokenizer = library.AutoTokenizer.from_pretrained(folder, **local)
            model = library.AutoModelForCausalLM.from_pretrained(folder, **local)
    except BROKEN as fault:
        raise InvalidInput(
            f"{wanted}, got {path!r}, over which {type(fault).__name__} was raised: {fault!s:.160}"
        ) from fault
    model = _moved(model, device).eval()
    config = model.config.get_text_config(decoder=True)
    return Reader(
        model.requires_grad_(False),
        _encoder(tokenizer),
        lambda ids: str(tokenizer.decode(ids, skip_special_tokens=True)),
        _ends(model, tokenizer),
        getattr(config, "max_position_embeddings", None),
    )


def plain_bytes(model: Any, tokens: int) -> int:
    """Bytes of keys and values that transformers' own cache would hold of so many tokens."""
    torch: Any = import_module("torch")
    library: Any = import_module("transformers")
    cache = library.DynamicCache(config=model.config)
    one = torch.zeros(1, 1, dtype=torch.long, device=model.device)
    with torch.inference_mode():
        model(input_ids=one, past_key_values=cache, use_cache=True)
    total = 0
    for layer in cache.layers:
        each = sum(held.nbytes for held in (layer.keys, layer.values) if held is not None)
        window = getattr(layer, "sliding_window", None)
        total += each * (tokens if window is None else min(tokens, window - 1))
    return total


def _moved(model: Any, device: str) -> Any:
    try:
        return model.to(device)
    except (RuntimeError, AssertionError) as fault:  # how torch says that there is none
        raise InvalidInput(
            f"device must be one that torch has here, such as cpu, got {device!r} ({fault!s:.80})"
        ) from fault


def _encoder(tokenizer: Any) -> Any:
    """The ids of a text, with the token that begins a text where it is asked for."""

    def encode(text: str, start: bool) -> Sequence[int]:
        ids: list[int] = tokenizer(text, add_special_tokens=start, verbose=False).input_ids
        return ids

    return encode


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    """Ids that end a text, by the model or by its tokenizer."""
    told = getattr(model.generation_config, "eos_token_id", None)
    many = told if isinstance(told, list) else [told]
    return frozenset(end for end in [*many, tokenizer.eos_token_id] if end is not None)

"""A causal language model of transformers and its tokenizer, as passed or out of a folder."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from engram.adapters.folders import BROKEN, model_folder, silent
from engram.errors import InvalidInput, brief
from engram.extras import require


@dataclass(frozen=True, slots=True, eq=False)
class Pretrained:
    """A model and the tokenizer that goes with it."""

    model: Any
    tokenizer: Any


def pretrained(model: Any, tokenizer: Any = None) -> Pretrained:
    """The model and tokenizer that a caller means; never downloads, never runs code of a folder.

    Args:
        model: of transformers, or the path of a folder that holds one.
        tokenizer: of transformers, or the path of a folder; None for that of the model's folder.

    Raises:
        InvalidInput: there is no such folder, or it holds no model.
        MissingExtra: torch or transformers is not installed.
    """
    for package in ("torch", "transformers"):
        require(package, extra="hf", purpose="a form")
    folder = isinstance(model, str) or hasattr(model, "__fspath__")
    words = (model if folder else None) if tokenizer is None else tokenizer
    if words is None:
        raise InvalidInput(
            "a model needs its tokenizer, got None; pass tokenizer=, or the model's folder"
        )
    found = Pretrained(_opened(model, "AutoModelForCausalLM"), _opened(words, "AutoTokenizer"))
    if not hasattr(found.model, "config") or not callable(found.tokenizer):
        raise InvalidInput(
            f"model and tokenizer must be those of transformers, got {brief(type(model).__name__)} "
            f"and {brief(type(words).__name__)}"
        )
    return found


def _opened(given: Any, kind: str) -> Any:
    if not isinstance(given, str) and not hasattr(given, "__fspath__"):
        return given
    folder = _folder(str(given))
    library: Any = import_module("transformers")
    try:
        with silent(library):
            made = getattr(library, kind).from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
    except BROKEN as fault:
        raise InvalidInput(
            f"a form needs a folder with a model and its tokenizer, {folder.name!r} raised "
            f"{fault!r:.200}; check the folder"
        ) from fault
    return made.eval() if hasattr(made, "eval") else made


def _folder(path: str) -> Path:
    try:
        return model_folder(path, "a form")
    except (OSError, RuntimeError) as fault:  # no file system has such a name
        raise InvalidInput(
            f"a form needs the folder of a model, got {brief(path)} ({fault})"
        ) from fault

"""Language models by name. Nothing is imported before its name is asked for."""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module

from engram.errors import InvalidInput, UnknownMethod, brief
from engram.ports import LanguageModel

MODELS: Mapping[str, str] = {
    "anthropic": "engram.adapters.anthropic:Anthropic",
    "hf": "engram.adapters.causal:Causal",
    "ollama": "engram.adapters.ollama_chat:OllamaChat",
    "openai": "engram.adapters.chat:Chat",
}
"""Kind -> ``module:class``. All take a model after a colon; ``hf`` takes a folder."""


def model(spec: str | LanguageModel | None) -> LanguageModel | None:
    """The language model that a name stands for.

    Args:
        spec: None or ``"none"`` for none; ``"kind:model"``; or an object that is one.

    Raises:
        UnknownMethod: no kind has that name; the message names the nearest.
        InvalidInput: the model after the colon is missing, or the object is no language model.
        MissingExtra: the kind's package is not installed.
    """
    if spec is None or spec == "none":
        return None
    if not isinstance(spec, str):
        return _own(spec)
    kind, _, name = spec.partition(":")
    if kind not in MODELS:
        near = get_close_matches(kind, [*MODELS, "none"], n=1, cutoff=0.4)
        hint = f"nearest: {near[0]}" if near else f"known: none, {', '.join(MODELS)}"
        raise UnknownMethod(f"no language model is called {brief(spec)}; {hint}")
    if not name:
        raise InvalidInput(f"a language model is written '{kind}:MODEL', got {brief(spec)}")
    module, _, made = MODELS[kind].partition(":")
    built: LanguageModel = getattr(import_module(module), made)(name)
    return built


def _own(built: LanguageModel) -> LanguageModel:
    named = isinstance(getattr(built, "name", None), str)
    if not (named and callable(getattr(built, "complete", None))):
        raise InvalidInput(
            "a language model is a name, or an object with name and complete, got "
            f"{type(built).__name__}"  # not its repr, which may show a key
        )
    return built

"""Embedders by name. Nothing is imported before its name is asked for."""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module

from engram.errors import InvalidInput, UnknownMethod, brief
from engram.ports import Embedder

DEFAULT = "wordllama"

EMBEDDERS: Mapping[str, str] = {
    "fastembed": "engram.adapters.fastembed:FastEmbed",
    "model2vec": "engram.adapters.model2vec:Model2Vec",
    "ollama": "engram.adapters.ollama:Ollama",
    "openai": "engram.adapters.openai:OpenAI",
    "sentence-transformers": "engram.adapters.sentence_transformers:SentenceTransformers",
    "wordllama": "engram.adapters.wordllama:WordLlama",
}
"""Kind -> ``module:class``. All but ``wordllama`` take a model after a colon."""


def embedder(spec: str | Embedder | None) -> Embedder | None:
    """The embedder that a name stands for.

    Args:
        spec: None or ``"wordllama"`` for the built-in one; ``"none"`` for none: words only;
            ``"kind:model"``; or an object that is one.

    Raises:
        UnknownMethod: no kind has that name; the message names the nearest.
        InvalidInput: the model after the colon is missing, or stands where none belongs.
        MissingExtra: the kind's package is not installed.
    """
    if spec is None:
        spec = DEFAULT
    if not isinstance(spec, str):
        return _own(spec)
    kind, _, model = spec.partition(":")
    if spec == "none":
        return None
    if kind not in EMBEDDERS:
        raise _unknown(spec, kind)
    if (kind == DEFAULT) == bool(model):
        shape = f"{kind!r}, it has one model only" if model else f"'{kind}:MODEL'"
        raise InvalidInput(f"an embedder of this kind is written {shape}, got {brief(spec)}")
    module, _, name = EMBEDDERS[kind].partition(":")
    build = getattr(import_module(module), name)
    made: Embedder = build(model) if model else build()
    return made


def _own(made: Embedder) -> Embedder:
    named = isinstance(getattr(made, "name", None), str)
    sized = isinstance(getattr(made, "dimension", None), int)
    if not (named and sized and callable(getattr(made, "embed", None))):
        raise InvalidInput(
            f"an embedder is a name, or an object with name, dimension and embed, got {brief(made)}"
        )
    return made


def _unknown(spec: str, kind: str) -> UnknownMethod:
    near = get_close_matches(kind, [*EMBEDDERS, "none"], n=1, cutoff=0.4)
    hint = f"nearest: {near[0]}" if near else f"known: none, {', '.join(EMBEDDERS)}"
    return UnknownMethod(f"no embedder is called {brief(spec)}; {hint}")

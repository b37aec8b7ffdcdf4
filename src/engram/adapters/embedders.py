"""Embedders by name. Nothing is imported before its name is asked for."""

from difflib import get_close_matches
from importlib import import_module

from engram.errors import InvalidInput, UnknownMethod
from engram.ports import Embedder

EMBEDDERS = {
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
        UnknownMethod: no kind has that name.
        InvalidInput: the model after the colon is missing.
        MissingExtra: the kind's package is not installed.
    """
    if spec is None:
        spec = "wordllama"
    if not isinstance(spec, str):
        return spec
    kind, _, model = spec.partition(":")
    if kind == "none":
        return None
    if kind not in EMBEDDERS:
        near = get_close_matches(kind, [*EMBEDDERS, "none"], n=1)
        hint = f"nearest: {near[0]}" if near else f"known: none, {', '.join(EMBEDDERS)}"
        raise UnknownMethod(f"no embedder is called {spec!r}; {hint}")
    if kind != "wordllama" and not model:
        raise InvalidInput(f"embedder {kind!r} needs a model: {kind}:MODEL")
    module, _, name = EMBEDDERS[kind].partition(":")
    made: Embedder = getattr(import_module(module), name)(*([model] if model else []))
    return made

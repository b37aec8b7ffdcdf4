"""Tiny models of the architectures that caches are tested with; random weights, one thread."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

SIZES = {
    "vocab_size": 61,
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 256,
    "bos_token_id": 1,
    "eos_token_id": None,
    "pad_token_id": 0,
    "initializer_range": 0.3,
}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", {}),
    "qwen2": ("Qwen2", {}),
    "qwen3": ("Qwen3", {}),
    "mistral": ("Mistral", {"sliding_window": None}),
    "phi3": ("Phi3", {"hidden_size": 64, "head_dim": 16}),
    "neox": ("GPTNeoX", {"num_key_value_heads": 4, "rotary_pct": 0.5, "hidden_size": 64}),
    "gemma2": ("Gemma2", {"sliding_window": 8}),
}


@cache
def model_of(kind: str, **differs: Any) -> Any:
    """A model of a kind; the same one for the same arguments."""
    import torch
    import transformers

    name, special = KINDS[kind]
    config = getattr(transformers, f"{name}Config")(**{**SIZES, **special, **differs})
    torch.manual_seed(0)
    model = getattr(transformers, f"{name}ForCausalLM")(config).eval().requires_grad_(False)
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny models are quickest on one."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def tiny() -> Iterator[Callable[..., Any]]:
    """Makes a tiny model by kind; what was attached to it is taken off afterwards."""
    from engram.adapters.attention import detach

    made = []

    def make(kind: str = "llama", **differs: Any) -> Any:
        made.append(model_of(kind, **differs))
        return made[-1]

    yield make
    for model in made:
        detach(model)


@pytest.fixture
def prompt() -> Callable[..., Any]:
    """Random tokens, (rows, length), none of them the one that pads."""
    import torch

    def make(length: int, rows: int = 1, seed: int = 0) -> Any:
        drawn = torch.Generator().manual_seed(seed)
        return torch.randint(2, 61, (rows, length), generator=drawn)

    return make


@pytest.fixture
def greedy() -> Callable[..., Any]:
    """Generates with the likeliest token at each step; returns ids and logits."""

    def run(model: Any, ids: Any, cache: Any = None, **how: Any) -> Any:
        plan = {"max_new_tokens": 6, "do_sample": False, "output_logits": True, **how}
        return model.generate(
            ids, past_key_values=cache, return_dict_in_generate=True, use_cache=True, **plan
        )

    return run

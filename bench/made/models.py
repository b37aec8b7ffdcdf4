"""A model with random weights of which the cache is nearly all that a run takes."""

from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

LAYERS, HEADS, WIDTH = 4, 8, 64
TOKEN = 2 * LAYERS * HEADS * WIDTH * 4
"""Bytes of the keys and values of a token, float32."""

WORDS = 64


def wide(seed: int) -> Any:
    """Four layers with eight key heads of 64, and hardly anything besides."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=WORDS,
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        head_dim=WIDTH,
        max_position_embeddings=32_768,
    )
    return LlamaForCausalLM(config).eval().requires_grad_(False)


def text(seed: int, tokens: int) -> list[int]:
    """Ids drawn by chance."""
    dice = torch.Generator().manual_seed(seed)
    ids: list[int] = torch.randint(3, WORDS, (tokens,), generator=dice).tolist()
    return ids

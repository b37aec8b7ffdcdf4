"""Turns of a talk: what surprised is told, fades, and gives way to what comes."""

import torch
from torch import Tensor

from engram.activation.cache import Layer


def tell(layer: Layer, name: str, values: Tensor) -> None:
    """Tell a layer a fact about its newest tokens, (B, T), the last of them last."""
    if layer.ledger is None or name not in layer.policies.facts:
        return
    fact, count = layer.ledger.facts[name], values.shape[1]
    at = layer.ledger.positions - (layer.ledger.told[..., None] - count)
    groups = max(at.shape[1], fact.shape[1])
    at = at.expand(len(values), groups, -1)
    told = values.float()[:, None].expand(-1, groups, -1)
    told = told.gather(2, at.long().clamp(0, count - 1))
    layer.ledger.note({name: torch.where(at >= 0, told, fact)})
    layer.heard = True
    layer.settle()


def begin(layer: Layer, incoming: int = 0) -> None:
    """Make room for tokens to come, and let facts age."""
    layer.settle(force=True)
    if layer.ledger is None:
        return
    layer.evict(spare=incoming)
    if layer.policies.turn is not None:
        layer.ledger.note(layer.policies.turn(layer.told()))

"""A layer as another one, and as a flat dict of tensors and back."""

from collections.abc import Mapping

import torch
from torch import Tensor

from engram.activation.cache import Layer
from engram.activation.forms import Old, kinds
from engram.activation.ledger import Ledger


def fork(layer: Layer) -> Layer:
    """Another that holds the same; neither sees what becomes of the other."""
    layer.settle()
    twin = Layer(layer.policies, layer.place, layer.rotary)
    twin.tail, twin.old, twin.asked = layer.tail.copy(), layer.old, layer.asked.copy()
    twin.ledger = None if layer.ledger is None else layer.ledger.copy()
    twin.seen, twin.waiting, twin.recording = layer.seen, layer.waiting, layer.recording
    twin.heard = layer.heard
    twin.scale, twin.softcap = layer.scale, layer.softcap
    if layer.reach is not None and twin.reach is not None:
        layer.reach.copy_to(twin.reach)
    return twin


def state(layer: Layer) -> dict[str, Tensor]:
    """Everything that a layer holds, by name; nothing where it holds nothing."""
    layer.settle(force=True)
    if layer.ledger is None:
        return {}
    keys, values = layer.tail.view
    held = {f"ledger.{name}": told for name, told in layer.ledger.state().items()}
    for queries, counts in layer.asked.held:
        held |= {"asked.queries": queries, "asked.counts": counts}
    held |= {"keys": keys, "values": values, "seen": torch.tensor([layer.seen])}
    held["rates"] = torch.tensor([layer.scale, layer.softcap], dtype=torch.float64)
    if layer.reach is not None:
        held |= {f"far.{name}": told for name, told in layer.reach.far.state().items()}
    if layer.old is not None:
        held |= {f"old.keys.{name}": told for name, told in layer.old.keys.state().items()}
        held |= {f"old.values.{name}": told for name, told in layer.old.values.state().items()}
        if layer.old.channels is not None:
            held["old.channels"] = layer.old.channels
    return held


def load(layer: Layer, held: Mapping[str, Tensor]) -> None:
    """Fill an empty layer, of the same policies, with what ``state`` gave.

    Raises:
        KeyError: something is missing.
    """
    if not held:
        return
    keys = held["keys"]
    layer.tail.append(keys, held["values"])
    layer.ledger = Ledger(layer.policies.facts, keys.device)
    layer.ledger.load(_part(held, "ledger."))
    if "asked.queries" in held:
        layer.asked.held = [(held["asked.queries"], held["asked.counts"])]
    layer.seen = int(held["seen"])
    layer.scale, layer.softcap = held["rates"].tolist()
    if layer.reach is not None:
        layer.reach.far.load(_part(held, "far."), keys, held["values"])
    old = _part(held, "old.keys."), _part(held, "old.values.")
    if old[0]:
        codec = layer.policies.codec
        of_keys, of_values = kinds(codec, keys, held["values"])
        forms = of_keys.from_state(old[0]), of_values.from_state(old[1])
        step = 1 if codec is None else codec.group_size
        layer.old = Old(*forms, held.get("old.channels"), keys.shape[3], step)


def _part(held: Mapping[str, Tensor], start: str) -> dict[str, Tensor]:
    return {name[len(start) :]: held[name] for name in held if name.startswith(start)}

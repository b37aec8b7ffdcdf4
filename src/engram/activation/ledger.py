"""What is known of each entry of a layer: its position, whether it is there, and facts about it.

Every tensor is (B, G, P). An axis B or G along which nothing differs has the size 1, so that a
cache that drops nothing keeps one number for each token.
"""

from collections.abc import Mapping

import torch
from torch import Tensor


class Strip:
    """A tensor that grows along its last axis, in place where there is room."""

    def __init__(self, rows: Tensor) -> None:
        self._room = rows
        self._length = rows.shape[-1]
        self._shared = True  # what was passed in is another's; it is never written to

    @property
    def view(self) -> Tensor:
        """What it holds; valid until it changes."""
        return self._room[..., : self._length]

    @property
    def nbytes(self) -> int:
        """Bytes, the room ahead among them."""
        return self._room.nbytes

    def append(self, more: Tensor) -> None:
        """Write entries behind those that are held; the other axes are broadcast."""
        held, needed = self._length, self._length + more.shape[-1]
        wide = _broadcast(self._room, more)
        if self._shared or wide != self._room.shape[:-1] or needed > self._room.shape[-1]:
            with torch.inference_mode(mode=False):
                room = self._room.new_empty(*wide, needed + needed // 2 + 16)
            room[..., :held] = self.view
            self._room, self._shared = room, False
        self._room[..., held:needed] = more
        self._length = needed

    def drop(self, count: int) -> None:
        """Forget the newest entries."""
        self._length -= count

    def copy(self) -> "Strip":
        """Another that holds the same and grows on its own; what is held is copied later."""
        self._shared = True
        return Strip(self.view)


class _Strips:
    """Strips by name, of the same entries: what can be done to all of them alike."""

    def __init__(self, strips: dict[str, Strip], told: Tensor) -> None:
        self.strips = strips
        self.told = told
        """(B, 1), how many tokens each row was given, padding not counted."""

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors, the room ahead among them."""
        return sum(strip.nbytes for strip in self.strips.values()) + self.told.nbytes

    def drop(self, count: int) -> None:
        """Forget the newest tokens, which are the last entries of every head."""
        for strip in self.strips.values():
            strip.drop(count)
        self.told = self.told - count

    def rows(self, rows: Tensor) -> None:
        """Take rows of the batch, in this order and as often as they are named."""
        for name, strip in self.strips.items():
            if strip.view.shape[0] > 1:
                self.strips[name] = Strip(strip.view.index_select(0, rows))
        if self.told.shape[0] > 1:
            self.told = self.told.index_select(0, rows)

    def state(self) -> dict[str, Tensor]:
        """Everything by name."""
        return {"told": self.told} | {name: strip.view for name, strip in self.strips.items()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over what ``state`` gave.

        Raises:
            KeyError: something is missing.
        """
        needed = self.strips.keys() | (state.keys() & {"valid"})
        self.told = state["told"]
        self.strips = {name: Strip(state[name]) for name in sorted(needed)}


class Ledger(_Strips):
    """Positions, validity and facts of all entries of one layer.

    Args:
        facts: names, and what a fresh entry has there.
        device: where to keep them.
    """

    def __init__(self, facts: Mapping[str, float], device: torch.device) -> None:
        self._fresh = dict(facts)
        strips = {name: Strip(torch.zeros(1, 1, 0, device=device)) for name in facts}
        strips["positions"] = Strip(torch.zeros(1, 1, 0, dtype=torch.int32, device=device))
        super().__init__(strips, torch.zeros(1, 1, dtype=torch.int32, device=device))

    def __len__(self) -> int:
        """How many entries a head holds at most."""
        return self.positions.shape[-1]

    @property
    def positions(self) -> Tensor:
        """Number of the token in its row, padding not counted."""
        return self.strips["positions"].view

    @property
    def valid(self) -> Tensor | None:
        """False for padding and what is not there; None while all is."""
        return self.strips["valid"].view if "valid" in self.strips else None

    @property
    def facts(self) -> dict[str, Tensor]:
        """The facts by name."""
        return {name: self.strips[name].view for name in self._fresh}

    def append(self, count: int, valid: Tensor | None = None) -> None:
        """Note fresh entries, ``valid`` (B, count) where some are padding."""
        steps = torch.arange(count, dtype=torch.int32, device=self.told.device)[None]
        if valid is not None:
            steps = (valid.cumsum(-1, dtype=torch.int32) - 1).clamp_(min=0)
        if valid is not None and "valid" not in self.strips:
            self.strips["valid"] = Strip(torch.ones_like(self.positions, dtype=torch.bool))
        if "valid" in self.strips:
            fresh = torch.ones_like(steps, dtype=torch.bool) if valid is None else valid
            self.strips["valid"].append(fresh[:, None])
        self.strips["positions"].append((self.told + steps)[:, None])
        for name, start in self._fresh.items():
            self.strips[name].append(torch.full((1, 1, count), start, device=steps.device))
        self.told = self.told + (count if valid is None else valid.sum(-1, keepdim=True).int())

    def note(self, facts: Mapping[str, Tensor]) -> None:
        """Replace facts by what they are now."""
        for name, fact in facts.items():
            assert name in self._fresh, "a fact of this ledger"
            assert fact.shape[-1] == len(self), "a fact of every entry"
            self.strips[name] = Strip(fact)

    def keep(self, index: Tensor, valid: Tensor | None) -> None:
        """Keep entries by number, (B, G, P') broadcast; ``valid`` tells which are no filling."""
        for name, strip in self.strips.items():
            wide = _broadcast(strip.view, index)
            rows = strip.view.expand(*wide, -1).gather(2, index.expand(*wide, -1))
            self.strips[name] = Strip(rows)
        if valid is not None:
            held = self.valid
            self.strips["valid"] = Strip(valid if held is None else valid & held)
        if self.valid is not None and bool(self.valid.all()):
            del self.strips["valid"]

    def hide(self, start: Tensor) -> None:
        """Forget tokens from a position (B, 1) on; their entries stay, and are not there."""
        held = (
            torch.ones_like(self.positions, dtype=torch.bool) if self.valid is None else self.valid
        )
        self.strips["valid"] = Strip(held & (self.positions < start[..., None]))
        self.told = torch.minimum(self.told, start.int())

    def copy(self) -> "Ledger":
        """Another that knows the same and goes on by itself."""
        twin = Ledger(self._fresh, self.told.device)
        twin.strips = {name: strip.copy() for name, strip in self.strips.items()}
        twin.told = self.told
        return twin


def _broadcast(one: Tensor, other: Tensor) -> tuple[int, ...]:
    """The axes before the last that hold both."""
    return tuple(max(pair) for pair in zip(one.shape[:-1], other.shape[:-1], strict=True))

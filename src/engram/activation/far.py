"""The far part of a layer: blocks in a depot, what is known of them, and those that are at hand."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from engram.activation.forms import Whole, kinds
from engram.activation.ledger import Strip
from engram.activation.roles import Block, Codec, Depot, Form, Offload

_SIDES = "keys", "values"


class Row:
    """The far blocks of one row of the batch, and what is known of each, (C, N)."""

    def __init__(self, blocks: Sequence[Block] = (), units: Strip | None = None) -> None:
        self.blocks = list(blocks)
        self.units = units

    @property
    def known(self) -> Tensor:
        """(N, C), in memory of the host."""
        return torch.empty(0, 0) if self.units is None else self.units.view.mT

    def note(self, units: Tensor) -> None:
        """Add what is known of more blocks, (N, C)."""
        if self.units is None:
            self.units = Strip(torch.empty(units.shape[1], 0))
        self.units.append(units.float().cpu().mT)

    def copy(self) -> "Row":
        """Another with the same blocks, that goes on by itself."""
        return Row(self.blocks, None if self.units is None else self.units.copy())


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes of a far part.

    Attributes:
        near: of blocks at hand, where they are not the very ones of the depot.
        known: of what is known of blocks, in memory of the host.
        host, file: of blocks in a depot; what rows share counts once.
    """

    near: int
    known: int
    host: int
    file: int


class Far:
    """Blocks of keys, not turned, and values. They are never written to, so that forks share them.

    Args:
        offload: where they lie, and how many stay at hand.
        codec: the form in which they lie; None leaves them.
    """

    def __init__(self, offload: Offload, codec: Codec | None = None) -> None:
        self._offload, self._codec = offload, codec
        self._depot: Depot = offload.open()
        self._kinds: tuple[type[Form], type[Form]] = Whole, Whole
        self._near: OrderedDict[Block, tuple[Tensor, Tensor, int]] = OrderedDict()
        self.rows: list[Row] = []
        self.hits = self.misses = 0

    @property
    def bytes(self) -> Bytes:
        """What is held where."""
        blocks = {each for row in self.rows for each in row.blocks}
        lying = sum(block.nbytes for block in blocks)
        return Bytes(
            near=sum(size for _, _, size in self._near.values()),
            known=sum(row.units.nbytes for row in self.rows if row.units is not None),
            host=lying if self._offload.tier == "host" else 0,
            file=lying if self._offload.tier == "file" else 0,
        )

    def append(self, row: int, keys: Tensor, values: Tensor, units: Tensor) -> None:
        """Add the newest blocks of a row: (N, G, S, D), (N, G, S, E), and (N, C) about them."""
        self._kinds = kinds(self._codec, keys, values)
        with torch.inference_mode(mode=False):  # what is made inside it cannot be used outside
            made = [self._depot.put(tensors) for tensors in _packed(self._codec, keys, values)]
        self.rows[row].blocks += made
        self.rows[row].note(units)

    def take(
        self, chosen: Sequence[Sequence[int]], device: torch.device
    ) -> tuple[Tensor, Tensor, Tensor | None] | None:
        """Keys and values (B, G, T, D) of blocks by number for each row, and which are there.

        The last is (B, 1, T), None where all are; there is nothing where no row names a block.
        """
        found = [
            [self._load(row.blocks[number], device) for number in numbers]
            for row, numbers in zip(self.rows, chosen, strict=True)
        ]
        if not any(found):
            return None
        some = next(pairs[0] for pairs in found if pairs)
        sides = [
            [
                torch.cat([pair[side] for pair in pairs], 1) if pairs else some[side][:, :0]
                for pairs in found
            ]
            for side in (0, 1)
        ]
        lengths = [each.shape[1] for each in sides[0]]
        most = max(lengths)
        if min(lengths) == most:
            keys, values = (torch.stack(side) for side in sides)
            return keys, values, None
        keys, values = (
            torch.stack([pad(each, (0, 0, most - each.shape[1], 0)) for each in side])
            for side in sides
        )
        first = most - torch.tensor(lengths, device=device)
        there = torch.arange(most, device=device) >= first[:, None]
        return keys, values, there[:, None]

    def take_rows(self, rows: Sequence[int]) -> None:
        """Take rows of the batch, in this order and as often as they are named."""
        self.rows = [self.rows[row].copy() for row in rows]

    def copy(self) -> "Far":
        """Another with the same blocks, that goes on by itself."""
        twin = Far(self._offload, self._codec)
        twin._depot, twin._kinds, twin._near = self._depot, self._kinds, self._near.copy()
        twin.rows = [row.copy() for row in self.rows]
        return twin

    def state(self) -> dict[str, Tensor]:
        """Everything by name, the blocks of all rows in one."""
        blocks = [block.read() for row in self.rows for block in row.blocks]
        held = {"counts": torch.tensor([len(row.blocks) for row in self.rows])}
        if blocks:
            held["known"] = torch.cat([row.known for row in self.rows if row.blocks])
            for name in blocks[0]:
                held[f"block.{name}"] = torch.stack([block[name] for block in blocks])
        return held

    def load(self, held: Mapping[str, Tensor], keys: Tensor, values: Tensor) -> None:
        """Take over what ``state`` gave; blocks are of keys and values such as these.

        Raises:
            KeyError: something is missing.
        """
        self._kinds = kinds(self._codec, keys, values)
        counts = held["counts"].tolist()
        names = [name for name in held if name.startswith("block.")]
        self.rows, start = [Row() for _ in counts], 0
        for row, count in zip(self.rows, counts, strict=True):
            if count:
                row.note(held["known"][start : start + count])
            for at in range(start, start + count):
                row.blocks.append(self._depot.put({name[6:]: held[name][at] for name in names}))
            start += count

    def _load(self, block: Block, device: torch.device) -> tuple[Tensor, Tensor]:
        """Keys and values of a block, from those at hand if it is there."""
        found = self._near.get(block)
        if found is not None:
            self.hits += 1
            self._near.move_to_end(block)
            return found[:2]
        self.misses += 1
        with torch.inference_mode(mode=False):
            held = block.read()
            keys, values = (
                _form(kind, side, held, device).decode()[0]
                for kind, side in zip(self._kinds, _SIDES, strict=True)
            )
        lying = {each.data_ptr() for each in held.values()}
        lent = self._offload.tier == "host" and keys.data_ptr() in lying
        own = 0 if lent else keys.nbytes + values.nbytes
        self._near[block] = keys, values, own
        while len(self._near) > self._offload.max_resident * len(self.rows):
            self._near.popitem(last=False)
        return keys, values


def _packed(codec: Codec | None, keys: Tensor, values: Tensor) -> Iterator[dict[str, Tensor]]:
    """The tensors of each block of N in the form in which it lies in the depot."""
    sides: list[Form] = [Whole(keys), Whole(values)]
    if codec is not None:
        sides = [codec.encode_keys(keys), codec.encode_values(values)]
    for number in torch.arange(len(keys), device=keys.device)[:, None]:
        states = [form.select(number).state() for form in sides]
        yield {
            f"{side}.{name}": tensor
            for side, state in zip(_SIDES, states, strict=True)
            for name, tensor in state.items()
        }


def _form(kind: type[Form], side: str, held: Mapping[str, Tensor], device: torch.device) -> Form:
    """Keys or values of a block as they lay in the depot, on a device."""
    start = f"{side}."
    return kind.from_state(
        {
            name.removeprefix(start): tensor.to(device)
            for name, tensor in held.items()
            if name.startswith(start)
        }
    )

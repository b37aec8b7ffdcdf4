"""How a layer looks back further than its window: blocks leave it, and some are chosen again.

Near a query, less than ``n_local`` tokens away, keys stand where they were read. All others stand
at that edge: the first tokens, what fills no block yet, and the blocks that are chosen. One softmax
goes over all of them. Entries that are too old for the query to come leave in whole blocks.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from engram.activation.attending import Sight, blocks, dot, shares
from engram.activation.far import Far, Row
from engram.activation.forms import fold, gather, unfold
from engram.activation.ledger import Ledger
from engram.activation.policies import MASS, Policies
from engram.activation.positions import Rotary
from engram.activation.tail import Tail
from engram.errors import InvalidInput

Products = Callable[[slice], Tensor]

_GUESS = 32
"""Queries of a call that may be taken back one by one; more of them are a prompt."""


class Reach:
    """The far part of a layer, and how it comes about.

    Args:
        policies: with a selector and a place for what is far.
        rotary: how the model turns keys.

    Raises:
        InvalidInput: the model does not turn its keys.
    """

    def __init__(self, policies: Policies, rotary: Rotary | None) -> None:
        assert policies.selector is not None, "a selector"
        assert policies.offload is not None, "a place for what is far"
        if rotary is None:
            raise InvalidInput(
                "far blocks stand at the edge of a window, which needs rotary positions, got a "
                "model without; use a preset without a selector"
            )
        self._rotary = rotary
        self.selector = policies.selector
        self.far = Far(policies.offload, policies.codec)
        self.guessed: list[Tensor] = []  # weights (B, H, X, P) of queries that may be taken back

    @property
    def nbytes(self) -> int:
        """Bytes on the model's device, but for those of far blocks."""
        return sum(each.nbytes for each in self.guessed)

    def parts(self, count: int) -> Iterator[slice]:
        """The queries of a call, as many at a time as share a choice."""
        step = self.selector.exec_block
        for start in range(0, count, step):
            yield slice(start, min(start + step, count))

    def attend(
        self, queries: Tensor, tail: Tail, ledger: Ledger, sight: Sight, *, guess: bool = False
    ) -> Tensor:
        """The attention (B, H, X, E) of queries that share a choice, the newest of all tokens.

        What each entry got of it while it was near is noted in the ledger, or, where it is a
        guess, by ``settle``.
        """
        if not self.far.rows:
            self.far.rows = [Row() for _ in queries]
        keys, values = tail.view
        held = ledger.positions
        asked = held[:, :1, -queries.shape[2] :]
        outside = asked[..., None] - held[:, :, None] >= self.selector.n_local  # (B, 1, X, P)
        moved = self._moved(queries, asked, self.selector.n_local - 1)
        chosen = self.far.take(self._chosen(moved, sight.own), queries.device)
        products = self._products((queries, moved), keys, held, outside)
        split = 0
        if chosen is not None:
            split = chosen[0].shape[2]
            products = _beside(dot(moved, chosen[0]), products)
            sight = _with(sight, chosen[2], split, held)
            values = torch.cat([chosen[1], values], dim=2)
        outs, mass = [], ledger.facts[MASS]
        for part, logits in blocks(queries, products, values.shape[2], sight):
            weights = shares(logits)
            near = weights.detach()[..., split:].masked_fill(outside[:, :, part], 0.0)
            if guess and queries.shape[2] <= _GUESS:
                self.guessed.append(near)
            else:
                mass = mass + near.sum(2)
            mixed = fold(weights.to(values.dtype), values.shape[1]) @ values
            outs.append(unfold(mixed, weights).to(queries.dtype))
        ledger.note({MASS: mass})
        return torch.cat(outs, dim=2)

    def copy_to(self, twin: "Reach") -> None:
        """Let another go on from what is held here."""
        twin.far, twin.guessed = self.far.copy(), list(self.guessed)

    def settle(self, tail: Tail, ledger: Ledger) -> None:
        """Note what guesses looked at; let whole blocks leave that are too old for a next query."""
        self._note(ledger)
        first, size = self.selector.n_init, self.selector.block_size
        past = ledger.told[:, 0].expand(len(self.far.rows)) - self.selector.n_local + 1 - first
        done = [len(row.blocks) for row in self.far.rows]
        due = [count // size for count in past.tolist()]
        if not any(count > had for count, had in zip(due, done, strict=True)):
            return
        keys, _ = tail.view
        shape = len(keys), len(ledger)
        at = ledger.positions[:, 0].expand(shape)
        stays = torch.ones_like(at, dtype=torch.bool)
        if ledger.valid is not None:
            stays = ledger.valid[:, 0].expand(shape).clone()
        for row, (count, had) in enumerate(zip(due, done, strict=True)):
            if count > had:
                goes = (
                    stays[row] & (at[row] >= first + had * size) & (at[row] < first + count * size)
                )
                self._leave(row, goes.nonzero()[:, 0], tail, ledger)
                stays[row] &= ~goes
        self._keep(stays, tail, ledger)

    def drop(self, count: int) -> None:
        """Take back the newest ``count`` queries, where they may be."""
        while count and self.guessed:
            weights = self.guessed.pop()
            gone = min(count, weights.shape[2])
            if gone < weights.shape[2]:
                self.guessed.append(weights[:, :, :-gone, :-gone])
            count -= gone

    def rows(self, rows: Tensor) -> None:
        """Take rows of the batch, in this order and as often as they are named."""
        self.far.take_rows(rows.tolist())
        self.guessed = [each.index_select(0, rows) for each in self.guessed]

    def check_crop(self, count: int, ledger: Ledger) -> None:
        """Refuse to take back tokens that are far.

        Raises:
            InvalidInput: one of them is.
        """
        gone = [len(row.blocks) * self.selector.block_size for row in self.far.rows]
        held = [
            told - self.selector.n_init - away
            for told, away in zip(ledger.told[:, 0].expand(len(gone)).tolist(), gone, strict=True)
            if away
        ]
        if held and count > min(held):
            raise InvalidInput(
                f"the newest {min(held)} tokens can be taken back, those before them are in far "
                f"blocks, got {count!r}; fork the cache before it goes on"
            )

    def _note(self, ledger: Ledger) -> None:
        """Add to the ledger what was looked at by queries that are not taken back any more."""
        if not self.guessed:
            return
        mass = torch.zeros(*self.guessed[0].shape[:2], len(ledger), device=ledger.told.device)
        mass += ledger.facts[MASS]
        for weights in self.guessed:  # entries may have come behind since
            mass[..., : weights.shape[3]] += weights.sum(2)
        self.guessed = []
        ledger.note({MASS: mass})

    def _chosen(self, queries: Tensor, own: Tensor | None) -> list[list[int]]:
        """Which blocks each row attends to."""
        chosen: list[list[int]] = []
        for at, row in enumerate(self.far.rows):
            asks = queries[at] if own is None else queries[at][:, own[at]]
            some = row.blocks and asks.shape[1]
            chosen.append(self.selector.select(asks, row.known).tolist() if some else [])
        return chosen

    def _products(
        self, queries: tuple[Tensor, Tensor], keys: Tensor, held: Tensor, outside: Tensor
    ) -> Products:
        """Queries as they are with keys that are near, turned to the edge with the others."""
        asked, moved = queries
        near = dot(asked, keys)
        columns = outside.any(dim=2).flatten(0, 1).any(dim=0).nonzero()
        if not len(columns):
            return near
        edge = int(columns[-1]) + 1
        far = dot(moved, self._moved(keys[:, :, :edge], held[..., :edge], 0))

        def products(part: slice) -> Tensor:
            logits = near(part)
            at_edge = torch.where(outside[:, :, part, :edge], far(part), logits[..., :edge])
            return torch.cat([at_edge, logits[..., edge:]], dim=-1)

        return products

    def _moved(self, states: Tensor, at: Tensor, to: int) -> Tensor:
        return self._rotary.move(states, at, torch.full_like(at, to))

    def _leave(self, row: int, tokens: Tensor, tail: Tail, ledger: Ledger) -> None:
        """Put tokens of a row, whole blocks of them, where what is far lies."""
        size = self.selector.block_size
        keys, values = (each[row : row + 1, :, tokens] for each in tail.view)
        at = ledger.positions.expand(len(tail.view[0]), -1, -1)[row : row + 1, :, tokens]
        mass = ledger.facts[MASS]
        mass = mass[row if len(mass) > 1 else 0][:, tokens]
        keys, values = (
            _cut(each[0], size).transpose(0, 1) for each in (self._moved(keys, at, 0), values)
        )
        units = self.selector.units(keys, _cut(mass, size).transpose(0, 1))
        self.far.append(row, keys, values, units)

    def _keep(self, stays: Tensor, tail: Tail, ledger: Ledger) -> None:
        """Keep those entries (B, P) alone; rows that have fewer are filled up at the front."""
        width = int(stays.sum(-1).max())
        index = stays.byte().argsort(dim=-1, stable=True)[:, None, stays.shape[1] - width :]
        there = stays[:, None].gather(2, index)
        keys, values = tail.view
        tail.replace(gather(keys, index), gather(values, index))
        if bool((index == index[:1]).all()):
            index = index[:1]
        ledger.keep(index, None if bool(there.all()) else there)


def _cut(states: Tensor, size: int) -> Tensor:
    """(G, N S, ...) as (G, N, S, ...)."""
    return states.reshape(states.shape[0], -1, size, *states.shape[2:])


def _beside(far: Products, near: Products) -> Products:
    return lambda part: torch.cat([far(part), near(part)], dim=-1)


def _with(sight: Sight, there: Tensor | None, chosen: int, like: Tensor) -> Sight:
    """The same sight of entries behind so many of blocks, of which ``there`` (B, 1, T) are."""
    if there is None and sight.valid is None:
        return sight
    entries = torch.ones_like(like, dtype=torch.bool) if sight.valid is None else sight.valid
    if there is None:
        there = entries.new_ones(1, 1, chosen)
    rows = max(len(there), len(entries))
    sides = (each.expand(rows, -1, -1) for each in (there, entries))
    return replace(sight, valid=torch.cat(list(sides), dim=-1))

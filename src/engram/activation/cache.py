"""One layer of a cache: the only code that drops, packs, moves or brings back entries.

Entries come in order and leave after the attention of the call that brought them: first what
scorers gather, then eviction, then the form of what grew old. While a caller may take tokens back
(``recording``), all three wait for ``crop``, so that a rollback leaves no trace.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engram.activation import evicting
from engram.activation.attending import (
    Sight,
    attend,
    attend_by,
    attend_old,
    attend_slowly,
    blocks,
    clamped,
    dot,
)
from engram.activation.forms import Old, Whole, gather
from engram.activation.ledger import Ledger
from engram.activation.policies import Policies
from engram.activation.positions import Rotary, side_by_side
from engram.activation.queries import Asked, joined
from engram.activation.reaching import Reach
from engram.activation.roles import LayerCache, Place
from engram.activation.tail import Tail
from engram.errors import InvalidInput, ShapeError

_FEW = 8
"""Queries up to which packed entries are attended in their form, and not decoded first."""

_ROLLBACK = 128
"""Tokens that no caller takes back at once; more of them are settled even while recording."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One call of a model's attention.

    Attributes:
        scale, softcap, mask: see ``Sight``.
        valid: (B, Q), False for padding among the fresh tokens; None where there is none.
        weights: whether the weights are asked for.
    """

    scale: float
    softcap: float | None = None
    mask: Tensor | None = None
    valid: Tensor | None = None
    weights: bool = False


class Layer:
    """What one layer holds.

    Args:
        policies: what to keep, and how.
        place: which layer this is.
        rotary: how the model turns keys, None where it does not.
    """

    def __init__(self, policies: Policies, place: Place, rotary: Rotary | None = None) -> None:
        self.policies, self.place, self.rotary = policies, place, rotary
        self.tail = Tail(policies.pager, place.layer)
        self.old: Old | None = None
        self.reach: Reach | None = None
        if policies.selector is not None:
            self.reach = Reach(policies, rotary)
        self.coming: tuple[Tensor, Tensor, Tensor | None] | None = None
        self.ledger: Ledger | None = None
        self.asked = Asked(policies.window)
        self.seen = 0
        self.recording = False
        self.scale, self.softcap = 1.0, 0.0
        self.waiting = 0  # tokens that were appended and not settled
        self.heard = True  # whether a scorer that listens was told of them

    def __len__(self) -> int:
        """How many entries a head holds at most."""
        return 0 if self.ledger is None else len(self.ledger)

    def append(self, keys: Tensor, values: Tensor, valid: Tensor | None = None) -> None:
        """Add tokens, (B, G, T, D).

        Args:
            keys: turned to their positions.
            values: one for each key.
            valid: (B, T), False for padding.

        Raises:
            ShapeError: they are not of the shape of what is held.
        """
        _check(keys, values, self.tail)
        if self.reach is None:
            self._take(keys, values, valid)
        else:  # they are taken a few at a time, so that no more are held than are near
            self.coming = keys, values, valid

    def _take(self, keys: Tensor, values: Tensor, valid: Tensor | None) -> None:
        if not self.recording or self.waiting >= _ROLLBACK:
            self.settle(force=True)
        if self.ledger is None:
            self.ledger = Ledger(self.policies.facts, keys.device)
        self.tail.append(keys, values)
        self.ledger.append(keys.shape[2], valid)
        self.seen += keys.shape[2]
        self.waiting += keys.shape[2]
        self.heard = not self.policies.listens

    def attend(self, queries: Tensor, call: Call) -> tuple[Tensor, Tensor | None]:
        """The attention of the tokens that were appended last, then what waits for it.

        Args:
            queries: (B, H, T, D), turned; one for each token of the last ``append``.
            call: how.

        Returns:
            (B, H, T, E), and the weights (B, H, T, P) where they are asked for.
        """
        self.scale, self.softcap = call.scale, call.softcap or 0.0
        if self.reach is not None:
            return self._walk(self.reach, queries, call), None
        assert self.ledger is not None, "append comes first"
        sight = Sight(call.scale, call.softcap, self.ledger.valid, call.mask)
        window = self.policies.position
        found: tuple[Tensor, Tensor | None]
        fused = window != "compact" and queries.shape[2] <= _FEW
        if isinstance(window, int) and self.rotary is not None and self.seen > window:
            found = self._attend_clamped(queries, window, self.rotary, sight)
        elif self.old is not None and fused:
            found = attend_old(queries, self.old, self.tail.view, sight)
        elif call.weights:
            found = attend_slowly(queries, *self.present(), sight)
        else:
            found = attend(queries, *self.present(), sight), None
        if self.policies.asks:
            self.asked.append(queries, call.valid)
        self.settle()
        return found

    def _walk(self, reach: Reach, queries: Tensor, call: Call) -> Tensor:
        """Take the tokens that were appended, attend, and let go what is too old, by and by."""
        if call.mask is not None or call.weights:
            other = "weights of attention" if call.weights else "a mask of four axes"
            raise InvalidInput(
                f"a cache that looks back by blocks attends to other entries in each, got a call "
                f"with {other}; ask for none, and pass padding as one row for each sequence"
            )
        assert self.coming is not None, "append comes first"
        (keys, values, valid), self.coming = self.coming, None
        outs = []
        for part in reach.parts(queries.shape[2]):
            own = None if valid is None else valid[:, part]
            self._take(keys[:, :, part], values[:, :, part], own)
            assert self.ledger is not None, "tokens were taken"
            sight = Sight(call.scale, call.softcap, self.ledger.valid, own=own)
            asked, guess = queries[:, :, part], self.recording
            outs.append(reach.attend(asked, self.tail, self.ledger, sight, guess=guess))
            self.settle()
        return torch.cat(outs, dim=2)

    def _attend_clamped(
        self, queries: Tensor, window: int, rotary: Rotary, sight: Sight
    ) -> tuple[Tensor, Tensor]:
        assert self.ledger is not None, "there are entries"
        keys, values = self.present()
        held = self.ledger.positions
        asked = held[:, 0, -queries.shape[2] :]
        products = clamped(queries, keys, (asked, held), window, rotary)
        return attend_by(products, queries, values, sight)

    def present(self) -> tuple[Tensor, Tensor]:
        """All keys and values, (B, G, P, D), the keys turned to where they are shown.

        They are valid until the layer changes.
        """
        keys, values = self.tail.view
        if self.old is not None:
            keys = torch.cat([self.old.decode_keys(), keys], dim=2)
            values = torch.cat([self.old.values.decode(), values], dim=2)
        ledger = self.ledger
        if self.policies.position == "compact" and ledger is not None and self.rotary is not None:
            shown = side_by_side(ledger.positions, ledger.valid)
            if not torch.equal(shown, ledger.positions):
                keys = self.rotary.move(keys, ledger.positions, shown)
        return keys, values

    def settle(self, *, force: bool = False) -> None:
        """Do what waits for the attention of the last call: gather, evict, pack.

        It waits further while tokens may be taken back or a scorer has not heard of them.
        """
        if not self.waiting or ((self.recording or not self.heard) and not force):
            return
        if self.reach is not None and self.ledger is not None:
            self.reach.settle(self.tail, self.ledger)
        else:
            self._gather()
            self.evict()
            self._pack()
        self.asked.settle()
        self.waiting = 0

    def crop(self, count: int) -> None:
        """Take back the newest ``count`` tokens, then do what waits.

        What was settled before is not undone: an entry that gave way to a token stays away.
        """
        count = min(count, self.seen)
        if self.reach is not None and self.ledger is not None:
            self.reach.check_crop(count, self.ledger)
            self.reach.drop(count)
        if count:
            self._unpack(count)
            self._forget(count)
        self.settle(force=True)

    def rows(self, rows: Tensor) -> None:
        """Take rows of the batch, in this order and as often as they are named."""
        self.settle()
        if self.ledger is None:
            return
        keys, values = self.tail.view
        rows = rows.to(keys.device)
        self.tail.replace(keys.index_select(0, rows), values.index_select(0, rows))
        self.ledger.rows(rows)
        self.old = None if self.old is None else self.old.select(rows)
        self.asked.rows(rows)
        if self.reach is not None:
            self.reach.rows(rows)

    def told(self) -> LayerCache:
        """What policies see."""
        assert self.ledger is not None, "there are entries"
        keys, values = self.present()
        shape, valid = keys.shape[:3], self.ledger.valid
        queries, counts = self.asked.view(keys)
        if valid is None:
            valid = keys.new_ones(1, 1, 1, dtype=torch.bool)
        return LayerCache(
            keys=keys,
            values=values,
            positions=self.ledger.positions.expand(shape),
            valid=valid.expand(shape),
            ledger={name: fact.expand(shape) for name, fact in self.ledger.facts.items()},
            queries=queries,
            asked=counts,
            scale=self.scale,
            rotary=self.rotary,
            place=self.place,
            total=self.policies.total(self.ledger.told, self.place).expand(shape[0]),
        )

    def _gather(self) -> None:
        """Tell the scorer of the queries that wait."""
        observe = self.policies.observe
        if observe is None or self.ledger is None or not self.asked.fresh:
            return
        queries, counts = joined(self.asked.fresh)
        own = None if bool(counts.all()) else counts
        sight = Sight(self.scale, self.softcap or None, self.ledger.valid, own=own)
        view = self.told()
        for _, logits in blocks(queries, dot(queries, view.keys), len(self), sight):
            view = replace(view, ledger={**view.ledger, **observe(view, logits)})
        self.ledger.note({name: view.ledger[name] for name in self.policies.facts})

    def evict(self, spare: int = 0) -> None:
        """Drop what is worth least, where there is more than may be; ``spare`` are to come."""
        scorer, ledger = self.policies.scorer, self.ledger
        if scorer is None or ledger is None:
            return
        total = self.policies.total(ledger.told, self.place, spare)
        if len(self) <= int(total.min()):
            return
        view = self.told()
        held = view.valid.sum(-1)  # (B, G)
        over = held.sum(-1) > total * held.shape[1]
        if not bool(over.any()):
            return
        scores = scorer.score(view).float().masked_fill(~view.valid, -torch.inf)
        total = total - self._slack(total)
        counts = self.policies.budget.split(scores, total.clamp(min=1).expand(len(scores)))
        counts = torch.where(over[:, None], torch.minimum(counts, held), held)
        if bool((counts < held).any()):
            self._keep(counts, scores)

    def _slack(self, total: Tensor) -> Tensor:
        """How many entries below its budget a head goes down to."""
        slack = self.policies.slack
        below = total // 16 if slack is None else torch.full_like(total, slack)
        return below if 0 < self.waiting <= int(below.max()) else torch.zeros_like(total)

    def _keep(self, counts: Tensor, scores: Tensor) -> None:
        """Keep the best of each head."""
        assert self.ledger is not None, "there are entries"
        old, step = (0, 1) if self.old is None else (len(self.old), self.old.step)
        kept = evicting.plan(scores, counts, old, step)
        if kept.tail is not None:
            keys, values = self.tail.view
            self.tail.replace(gather(keys, kept.tail), gather(values, kept.tail))
        if self.old is not None and kept.blocks is not None:
            self.old = self.old.take(kept.blocks) if kept.blocks.shape[-1] else None
        index, valid = kept.index, kept.valid
        for axis in (0, 1):
            one = index.narrow(axis, 0, 1)
            if (index.shape[axis] > 1 and valid is None) and bool((index == one).all()):
                index = one
        self.ledger.keep(index, valid)

    def _pack(self) -> None:
        """Give what grew old its form: thinned once, packed in whole groups."""
        codec, thinner, ledger = self.policies.codec, self.policies.thinner, self.ledger
        if ledger is None or (codec is None and thinner is None):
            return
        step = 1 if codec is None else codec.group_size
        newest = max(
            0 if codec is None else codec.residual, 0 if thinner is None else thinner.recent
        )
        count = max(0, len(self.tail) - newest) // step * step
        if not count or (codec is None and self.old is not None):
            return
        keys, values = self.tail.view
        start = 0 if self.old is None else len(self.old)
        valid = _seen(ledger.valid, start, count)
        channels = None if self.old is None else self.old.channels
        if thinner is not None and self.old is None:
            queries, _ = self.asked.view(keys)
            every = _seen(ledger.valid, start, len(self.tail))
            channels = thinner.prune(queries, keys, every).channels
        aged, rest = keys[:, :, :count], values[:, :, :count]
        if channels is not None:
            aged = aged.gather(3, channels[:, :, None].expand(-1, -1, count, -1))
        if codec is None:
            more = Old(Whole(aged.clone()), Whole(rest.clone()), channels, keys.shape[3], step)
        else:
            forms = codec.encode_keys(aged, valid), codec.encode_values(rest, valid)
            more = Old(*forms, channels, keys.shape[3], step)
        self.old = more if self.old is None else self.old.join(more)
        self.tail.replace(keys[:, :, count:].clone(), values[:, :, count:].clone())

    def _unpack(self, count: int) -> None:
        """Bring back as whole entries the old ones that are to be taken back."""
        over = count - len(self.tail)
        if self.old is None or over <= 0:
            return
        start = max(0, len(self.old) - -(-over // self.old.step) * self.old.step)
        aged = self.old.narrow(start, len(self.old) - start)
        back = aged.decode_keys(), aged.values.decode()
        keys, values = (
            torch.cat([old, new], dim=2) for old, new in zip(back, self.tail.view, strict=True)
        )
        self.old = self.old.narrow(0, start) if start else None
        self.tail.replace(keys, values)

    def _forget(self, count: int) -> None:
        """Drop the newest tokens, wherever their entries are."""
        assert self.ledger is not None, "there are tokens"
        self.asked.drop(count)
        newest = self.ledger.positions[..., -count:]
        ahead = torch.arange(newest.shape[-1], 0, -1, device=newest.device)
        last = newest.shape[-1] == count and bool(
            (newest == self.ledger.told[..., None] - ahead).all()
        )
        if count <= self.waiting or last:
            self.ledger.drop(count)
            self.tail.drop(count)
        else:  # some of them gave way to older ones
            self.ledger.hide(self.ledger.told - count)
        self.seen -= count
        self.waiting = max(0, self.waiting - count)


def _seen(valid: Tensor | None, start: int, count: int) -> Tensor | None:
    """(B, count), false for tokens that no head has; None where all have all."""
    return None if valid is None else valid[..., start : start + count].any(1)


def _check(keys: Tensor, values: Tensor, tail: Tail) -> None:
    shape = tuple(keys.shape)
    if keys.dim() != 4 or values.shape[:3] != keys.shape[:3]:
        raise ShapeError(
            f"keys and values must be (B, G, T, D) each, got {shape} and {tuple(values.shape)}"
        )
    if tail.started:
        held = tail.view[0].shape
        if (held[0], held[1], held[3]) != (shape[0], shape[1], shape[3]):
            raise ShapeError(
                f"keys must be (B={held[0]}, G={held[1]}, T, D={held[3]}) as those that are held, "
                f"got {shape}; for another batch repeat the rows or take an empty cache"
            )

"""What a policy of the cache sees, and the roles that policies play.

A method is a frozen dataclass with one verb, and two where it gathers facts. Facts about entries
lie in the cache's ledger, beside the entries, and are dropped, reordered and saved with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol, Self

from torch import Tensor

from engram.activation.positions import Rotary


class Need(StrEnum):
    """What a scorer reads beyond keys, values and positions; the cache gathers no more."""

    QUERIES = "queries"
    """The newest queries. Needs the model's attention; so do logits."""
    LOGITS = "logits"
    """``Observer.observe`` is told the logits of every query."""
    SURPRISAL = "surprisal"
    """The ledger's fact ``surprisal``, of the language model's own logits."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which layer this is.

    Attributes:
        layer: its number among the layers of the cache, from 0.
        layers: how many there are.
    """

    layer: int = 0
    layers: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class LayerCache:
    """What one layer holds, oldest first. To be read only.

    Attributes:
        keys: (B, G, P, D), turned to where they are shown.
        values: (B, G, P, E).
        positions: (B, G, P), the number of the token in its row, padding not counted.
        valid: (B, G, P), False for padding and for what is not there.
        ledger: facts by name, (B, G, P) each.
        queries: (B, H, W, D), the newest ones, turned; W is 0 where the scorer needs none.
        asked: (B, W), False for queries of padding.
        scale: what a dot product is multiplied by.
        rotary: how the model turns keys; None where it does not.
        place: which layer this is.
        total: (B,), how many entries a head keeps in the mean; all where there is no budget.
    """

    keys: Tensor
    values: Tensor
    positions: Tensor
    valid: Tensor
    ledger: Mapping[str, Tensor]
    queries: Tensor
    asked: Tensor
    scale: float
    rotary: Rotary | None
    place: Place
    total: Tensor

    @property
    def seen(self) -> Tensor:
        """(B, 1, 1), how many tokens each row was given, padding not counted."""
        shown = self.positions.masked_fill(~self.valid, -1)
        return shown.amax(-1, keepdim=True).amax(1, keepdim=True) + 1


class Scorer(Protocol):
    """Rates entries. (B, G, P), finite, larger is worth more; what is not valid may hold anything.

    A row's scores do not depend on its neighbours in the batch.
    """

    needs: ClassVar[frozenset[Need]]

    def score(self, layer: LayerCache) -> Tensor: ...


class Windowed(Protocol):
    """A scorer that reads the last ``window`` queries."""

    window: int


class Observer(Scorer, Protocol):
    """A scorer that gathers facts. It is told of every query once, a block of them at a time.

    ``facts`` are the names of what it keeps in the ledger, and what a fresh entry has there.
    ``observe`` is given logits (B, H, Q, P), scaled, minus infinity where a query does not look,
    and returns the facts as they are now.
    """

    facts: ClassVar[Mapping[str, float]]

    def observe(self, layer: LayerCache, logits: Tensor) -> Mapping[str, Tensor]: ...


class Turning(Protocol):
    """A scorer whose facts change when a turn of a talk begins."""

    def turn(self, layer: LayerCache) -> Mapping[str, Tensor]: ...


class Budget(Protocol):
    """Shares out how many entries are kept, in whole numbers.

    ``share`` says how much of ``total`` (B,), the mean over all layers and at most ``seen`` (B,),
    the tokens there are, this layer gets. ``split`` shares that out among heads, (B, G); what is
    not valid is scored minus infinity.
    """

    def share(self, total: Tensor, seen: Tensor, place: Place) -> Tensor: ...
    def split(self, scores: Tensor, total: Tensor) -> Tensor: ...


class Blocks(Protocol):
    """Tokens in N blocks that are never written to, and cut at their ends only.

    ``take`` gathers blocks (B, G, N') by number for each head.
    """

    @property
    def tokens(self) -> int: ...
    def select(self, rows: Tensor) -> Self: ...
    def take(self, blocks: Tensor) -> Self: ...
    def narrow(self, start: int, length: int) -> Self: ...
    @classmethod
    def cat(cls, parts: Sequence[Self]) -> Self: ...


class Form(Blocks, Protocol):
    """Keys or values as a codec holds them.

    ``scores`` and ``mix`` attend without a decoded copy: queries (B, H, Q, D) to (B, H, Q, T), not
    scaled, and weights (B, H, Q, T) to (B, H, Q, D). ``state`` is a flat dict of tensors, and
    ``from_state`` its inverse.
    """

    @property
    def nbytes(self) -> int: ...
    def decode(self) -> Tensor: ...
    def scores(self, queries: Tensor) -> Tensor: ...
    def mix(self, weights: Tensor) -> Tensor: ...
    def state(self) -> dict[str, Tensor]: ...
    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> Self: ...


class Codec(Protocol):
    """Holds old entries in fewer bytes: whole groups, all but the newest ``residual``.

    ``encode_keys`` and ``encode_values`` take (B, G, T, D), T a multiple of ``group_size``, and
    ``valid`` (B, T), False for what is to have no part in a range.
    """

    @property
    def group_size(self) -> int: ...
    @property
    def residual(self) -> int: ...
    def encode_keys(self, keys: Tensor, valid: Tensor | None = None) -> Form: ...
    def encode_values(self, values: Tensor, valid: Tensor | None = None) -> Form: ...


class Thinned(Protocol):
    """Which channels (B, G, K) of old keys are left, ascending."""

    @property
    def channels(self) -> Tensor: ...


class Thinner(Protocol):
    """Drops channels of old keys, chosen once, when the first tokens grow old."""

    @property
    def window(self) -> int: ...
    @property
    def recent(self) -> int: ...
    @property
    def paired(self) -> bool: ...
    def prune(self, queries: Tensor, keys: Tensor, valid: Tensor | None = None) -> Thinned: ...


class Selector(Protocol):
    """Chooses which far blocks a few queries attend to, for one row of the batch.

    The first ``n_init`` tokens stay, and so do all that are nearer than ``n_local``; the others
    leave in whole blocks of ``block_size``. Queries come ``exec_block`` at a time.

    ``units`` says what to know of N blocks, (N, C) in float32: their keys (N, G, S, D), not turned,
    and the attention (N, H, S) that each token got while it was near. ``select`` is given queries
    (H, X, D), turned as all far ones are, and the units of the row; it returns numbers of blocks,
    ascending, (K,).
    """

    @property
    def n_init(self) -> int: ...
    @property
    def n_local(self) -> int: ...
    @property
    def block_size(self) -> int: ...
    @property
    def exec_block(self) -> int: ...
    def units(self, keys: Tensor, mass: Tensor) -> Tensor: ...
    def select(self, queries: Tensor, units: Tensor) -> Tensor: ...


class Block(Protocol):
    """Tensors by name that lie in a depot until nobody holds the block any more."""

    @property
    def nbytes(self) -> int: ...
    def read(self) -> dict[str, Tensor]: ...


class Depot(Protocol):
    """Where far blocks lie. All blocks are of the same shapes, and none is ever written to."""

    def put(self, tensors: Mapping[str, Tensor]) -> Block: ...


class Offload(Protocol):
    """Opens depots, and says how many of a row's blocks stay at hand once they were read."""

    @property
    def tier(self) -> str: ...
    @property
    def max_resident(self) -> int: ...
    def open(self) -> Depot: ...


class Store(Protocol):
    """Where whole keys and values lie. Tokens are axis 2; a view holds until the layer changes."""

    def append(self, layer: int, keys: Tensor, values: Tensor) -> None: ...
    def view(self, layer: int) -> tuple[Tensor, Tensor]: ...
    def release(self, layer: int, keep: int = 0) -> None: ...
    def committed_bytes(self) -> int: ...


class Pager(Protocol):
    """Opens stores."""

    def open(self) -> Store: ...

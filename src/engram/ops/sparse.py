"""Which tiles of attention are looked at: fixed patterns whose cost is less than T x T.

Source: Dao et al. 2022, "FlashAttention", NeurIPS 2022, arXiv:2205.14135, section 3.3; the
    butterfly is that of Dao et al. 2022, "Pixelated Butterfly", ICLR 2022, arXiv:2112.00029.
Differs: patterns can be joined by ``+``; local and global count tiles.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from engram.errors import InvalidInput


def block_sparse_mask(
    length: int,
    block: int,
    pattern: str = "butterfly",
    *,
    n_local: int = 1,
    n_global: int = 1,
) -> Tensor:
    """The tiles that a pattern looks at, for ``tiled_attention`` with both blocks of this size.

    Each tile on the diagonal is looked at.

    Args:
        length: tokens T, of queries and of keys.
        block: tokens of a tile.
        pattern: ``"butterfly"``, ``"local"``, ``"global"`` or several joined by ``+``. A butterfly
            looks at the tiles whose number differs in one bit: log2 of them in a row.
        n_local: tiles to each side of the diagonal that are local.
        n_global: first tiles that see all and that all see.

    Returns:
        (N, N) of bools, N = T / block rounded up.

    Raises:
        InvalidInput: a size is negative, or the pattern is not known.
    """
    if length < 0 or block < 1 or n_local < 0 or n_global < 0:
        raise InvalidInput(
            f"length, n_local and n_global must be at least 0 and block at least 1, got {length!r},"
            f" {n_local!r}, {n_global!r} and {block!r}; pass counts"
        )
    number = torch.arange(-(-length // block))
    rows, columns = number[:, None], number[None, :]
    seen = rows == columns
    for name in pattern.split("+"):
        if name not in _PATTERNS:
            raise InvalidInput(
                f"a pattern is made of {', '.join(_PATTERNS)} joined by '+', got {pattern!r}; "
                f"take 'local+global'"
            )
        seen = seen | _PATTERNS[name](rows, columns, n_global if name == "global" else n_local)
    return seen


def _butterfly(rows: Tensor, columns: Tensor, _: int) -> Tensor:
    differing = rows ^ columns
    return (differing & (differing - 1)) == 0


def _local(rows: Tensor, columns: Tensor, count: int) -> Tensor:
    return (rows - columns).abs() <= count


def _global(rows: Tensor, columns: Tensor, count: int) -> Tensor:
    return (rows < count) | (columns < count)


_PATTERNS: Mapping[str, Callable[[Tensor, Tensor, int], Tensor]] = {
    "butterfly": _butterfly,
    "local": _local,
    "global": _global,
}

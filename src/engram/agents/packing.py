"""Packing: all turns of a trajectory as one sequence, with a mask of who sees whom.

Source: Zhou 2025, MEM1, arXiv:2506.15841, section 3.
Differs: the paper keeps one copy of each token. From the third turn on that cannot give what the
rollout gave, for the copy of an output has looked at the turn before it, which the rollout had
dropped. ``exact`` gives each turn its own copy of the output and observation that it saw.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engram.agents.constant import Trajectory
from engram.errors import InvalidInput

Mode: TypeAlias = Literal["exact", "paper", "per_turn"]
Tokenizer: TypeAlias = Callable[[str], Sequence[int]]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]


class Packed(NamedTuple):
    """A sequence of N tokens.

    ``mask_2d[a, b]`` says that token a may look at token b. ``loss_mask`` marks the tokens to be
    learned: outputs, each once, and never an observation.
    """

    ids: Ints
    position_ids: Ints
    mask_2d: Bools
    loss_mask: Bools


class _Piece(NamedTuple):
    """A run of tokens; ``sees`` are the numbers of the pieces before it that it looks at."""

    ids: Sequence[int]
    start: int
    sees: tuple[int, ...]
    learned: bool = False


def pack(trajectory: Trajectory, tokenizer: Tokenizer, mode: Mode = "exact") -> Packed:
    """Lay out the turns of a trajectory.

    Args:
        trajectory: its prompt, outputs and observations are tokenized one by one. The last
            observation is left out if no output followed it.
        tokenizer: gives the ids of a text.
        mode: ``"exact"`` copies what each turn saw, and positions start again after the prompt;
            ``"per_turn"`` repeats the prompt as well, so that turns share nothing; ``"paper"`` has
            one copy of each token and differs from the rollout from the third turn on.

    Raises:
        InvalidInput: the mode is unknown.
    """
    prompt = tokenizer(trajectory.prompt)
    outputs = [tokenizer(turn.output) for turn in trajectory.turns]
    seen = [tokenizer(turn.observation) for turn in trajectory.turns]
    if mode == "paper":
        return _laid(_single(prompt, outputs, seen))
    if mode in ("exact", "per_turn"):
        return _laid(_copied(prompt, outputs, seen, shared=mode == "exact"))
    raise InvalidInput(f"mode must be 'exact', 'paper' or 'per_turn', got {mode!r}")


def predictors(packed: Packed) -> Ints:
    """For each token to be learned, the place of the token whose logits predict it.

    That is the nearest one before it that it sees. Where a prompt is empty nothing predicts the
    first token, and its place is -1.
    """
    learned = np.flatnonzero(packed.loss_mask)
    places = [max(np.flatnonzero(packed.mask_2d[at, :at]), default=-1) for at in learned]
    return np.array(places, dtype=np.int64)


def _copied(
    prompt: Sequence[int],
    outputs: Sequence[Sequence[int]],
    seen: Sequence[Sequence[int]],
    *,
    shared: bool,
) -> list[_Piece]:
    pieces = [_Piece(prompt, 0, ())] if shared else []
    for turn, output in enumerate(outputs):
        if not shared:
            pieces.append(_Piece(prompt, 0, ()))
        root, start = 0 if shared else len(pieces) - 1, len(prompt)
        sees: list[int] = []
        for copy in (outputs[turn - 1], seen[turn - 1]) if turn else ():
            pieces.append(_Piece(copy, start, (root, *sees)))
            sees.append(len(pieces) - 1)
            start += len(copy)
        pieces.append(_Piece(output, start, (root, *sees), learned=True))
    return pieces


def _single(
    prompt: Sequence[int], outputs: Sequence[Sequence[int]], seen: Sequence[Sequence[int]]
) -> list[_Piece]:
    """One copy of each, at the position that it has in the turn where it first stands."""
    pieces, context = [_Piece(prompt, 0, ())], len(prompt)
    sees: tuple[int, ...] = (0,)
    for turn, output in enumerate(outputs):
        pieces.append(_Piece(output, context, sees, learned=True))
        if turn + 1 < len(outputs):
            said = len(pieces) - 1
            pieces.append(_Piece(seen[turn], len(prompt) + len(output), (0, said)))
            sees = (0, said, said + 1)
            context = len(prompt) + len(output) + len(seen[turn])
    return pieces


def _laid(pieces: Sequence[_Piece]) -> Packed:
    ends = np.cumsum([0, *(len(piece.ids) for piece in pieces)])
    places = [slice(int(start), int(end)) for start, end in pairwise(ends)]
    packed = Packed(
        np.zeros(ends[-1], np.int64),
        np.zeros(ends[-1], np.int64),
        np.zeros((ends[-1], ends[-1]), np.bool_),
        np.zeros(ends[-1], np.bool_),
    )
    for piece, here in zip(pieces, places, strict=True):
        size = len(piece.ids)
        packed.ids[here] = piece.ids
        packed.position_ids[here] = piece.start + np.arange(size)
        packed.loss_mask[here] = piece.learned
        packed.mask_2d[here, here] = np.tri(size, dtype=np.bool_)
        for other in piece.sees:
            packed.mask_2d[here, places[other]] = True
    return packed

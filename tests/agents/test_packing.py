"""Packing: each token sees what it saw in the rollout, at the position that it had there."""

from collections.abc import Sequence

import numpy as np
import pytest

from engram.agents.constant import Trajectory, Turn
from engram.agents.packing import Mode, Packed, pack, predictors
from engram.errors import InvalidInput

EXACT: list[Mode] = ["exact", "per_turn"]


def letters(text: str) -> list[int]:
    """One token a letter."""
    return [ord(each) for each in text]


def trajectory(prompt: str, turns: Sequence[tuple[str, str]]) -> Trajectory:
    """Turns of outputs and observations, with the contexts that they have in a rollout."""
    made, last = list[Turn](), ""
    for output, seen in turns:
        made.append(Turn(prompt + last, output, seen))
        last = output + seen
    return Trajectory(prompt, tuple(made))


def seen_by(packed: Packed, at: int) -> str:
    """The text that a token looks at, itself the last, in the order of its positions."""
    places = np.flatnonzero(packed.mask_2d[at])
    ordered = places[np.argsort(packed.position_ids[places])]
    return "".join(chr(packed.ids[each]) for each in ordered)


SIZES = [
    [("ab", "cd")],
    [("abc", "d"), ("ef", "ghij"), ("k", "")],
    [("a", "b"), ("c", ""), ("", "d"), ("efg", "h"), ("i", "")],
    [("x" * 63, "y" * 63), ("z" * 3, "w"), ("v", "u" * 5)],
]


@pytest.mark.parametrize("mode", EXACT)
@pytest.mark.parametrize("turns", SIZES)
@pytest.mark.parametrize("prompt", ["pq", "p"])
def test_every_learned_token_sees_its_context_and_nothing_else(
    mode: Mode, turns: list[tuple[str, str]], prompt: str
) -> None:
    """In order, at positions that count from 0."""
    done = trajectory(prompt, turns)
    packed = pack(done, letters, mode)

    contexts = [
        turn.context + turn.output[:end]
        for turn in done.turns
        for end in range(1, len(turn.output) + 1)
    ]

    learned = np.flatnonzero(packed.loss_mask)
    assert [seen_by(packed, int(at)) for at in learned] == contexts
    assert [packed.position_ids[at] for at in learned] == [len(each) - 1 for each in contexts]


@pytest.mark.parametrize("mode", EXACT)
@pytest.mark.parametrize("turns", SIZES)
def test_whatever_a_learned_token_sees_has_seen_no_more_than_in_the_rollout(
    mode: Mode, turns: list[tuple[str, str]]
) -> None:
    """Else its hidden state would hold what the rollout had dropped."""
    packed = pack(trajectory("pq", turns), letters, mode)

    for at in np.flatnonzero(packed.loss_mask):
        for other in np.flatnonzero(packed.mask_2d[at]):
            assert not (packed.mask_2d[other] & ~packed.mask_2d[at]).any()


@pytest.mark.parametrize("mode", [*EXACT, "paper"])
@pytest.mark.parametrize("turns", SIZES)
def test_only_outputs_are_learned_and_each_once(mode: Mode, turns: list[tuple[str, str]]) -> None:
    """No copy, no prompt and no observation counts."""
    packed = pack(trajectory("pq", turns), letters, mode)

    said = "".join(chr(each) for each in packed.ids[packed.loss_mask])
    assert said == "".join(output for output, _ in turns)


@pytest.mark.parametrize("mode", [*EXACT, "paper"])
def test_what_predicts_a_token_is_the_one_before_it_in_its_context(mode: Mode) -> None:
    """Over the ends of pieces, empty ones too."""
    done = trajectory("pq", SIZES[1])
    packed = pack(done, letters, mode)

    before = "".join(chr(packed.ids[at]) for at in predictors(packed))

    told = [turn.context[-1] + turn.output[:-1] for turn in done.turns]
    assert before == "".join(told)


def test_one_copy_looks_at_what_the_rollout_had_dropped() -> None:
    """From the third turn on: the paper's form, shipped for comparison."""
    packed = pack(trajectory("p", [("a", "b"), ("c", "d"), ("e", "f")]), letters, "paper")

    text = "".join(chr(each) for each in packed.ids)
    assert text == "pabcde"
    assert seen_by(packed, text.index("e")) in ("pcde", "pdce", "pced")
    assert packed.mask_2d[text.index("c"), text.index("a")]
    assert not packed.mask_2d[text.index("e"), text.index("a")]


def test_one_copy_is_the_shortest() -> None:
    """Copies cost tokens; a prompt for each turn costs the most."""
    done = trajectory("p" * 20, [("a" * 9, "b" * 9)] * 4)

    paper, exact, alone = (
        len(pack(done, letters, mode).ids) for mode in ("paper", "exact", "per_turn")
    )

    assert paper == 20 + 4 * 9 + 3 * 9
    assert exact == paper + 3 * 9
    assert alone == exact + 3 * 20


@pytest.mark.parametrize("mode", [*EXACT, "paper"])
def test_nothing_can_be_packed(mode: Mode) -> None:
    """A trajectory without turns has nothing to learn."""
    packed = pack(Trajectory("pq"), letters, mode)

    assert not packed.loss_mask.any()
    assert predictors(packed).tolist() == []


def test_without_a_prompt_nothing_predicts_the_first_token() -> None:
    """It has no place."""
    assert predictors(pack(trajectory("", [("ab", "")]), letters)).tolist() == [-1, 0]


def test_an_unknown_mode_is_refused() -> None:
    """The message names the modes."""
    wrong: Mode = "fast"  # type: ignore[assignment]

    with pytest.raises(InvalidInput, match=r"'exact', 'paper' or 'per_turn', got 'fast'"):
        pack(Trajectory("p"), letters, wrong)

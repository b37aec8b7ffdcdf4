"""What surprised stays, and fades with every turn."""

import math
from dataclasses import replace

import pytest
import torch

from engram.activation.rating import surprise
from engram.activation.scorers.surprisal import Surprisal
from engram.errors import InvalidInput
from engram.testing.activation import planted


def test_surprise_is_that_of_the_token_itself() -> None:
    """On a toy language of known odds it is minus the log of what came, not of a repetition."""
    odds = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.25, 0.25, 0.5]])
    tokens = torch.tensor([[0, 1, 1, 2, 0]])

    told = surprise(tokens, odds[tokens].log(), None)

    expected = [-math.log(p) for p in (0.2, 0.6, 0.3, 0.25)]
    assert torch.allclose(told[0, 1:], torch.tensor(expected), atol=1e-6)
    assert told[0, 0] == told[0, 1:].max()


def test_a_later_chunk_knows_what_the_one_before_expected() -> None:
    """In chunks it is what it is in one piece."""
    drawn = torch.Generator().manual_seed(0)
    logits, tokens = (
        torch.randn(2, 9, 11, generator=drawn),
        torch.randint(0, 11, (2, 9), generator=drawn),
    )
    whole = surprise(tokens, logits, None)

    first = surprise(tokens[:, :4], logits[:, :4], None)
    later = surprise(tokens[:, 4:], logits[:, 4:], logits[:, 3])

    assert torch.allclose(torch.cat([first, later], 1)[:, 1:], whole[:, 1:])


def test_the_kept_set_is_that_of_a_list() -> None:
    """Sinks, then the newest, then the most surprising, as ten lines of Python choose."""
    for seed in range(20):
        told = torch.rand(1, 1, 30, generator=torch.Generator().manual_seed(seed))
        layer = replace(planted(30, rows=1), ledger={"surprisal": told.expand(1, 2, 30)})
        kept = {0, 1, 2, 3, 28, 29}
        rest = sorted(set(range(30)) - kept, key=lambda at: -float(told[0, 0, at]))
        kept |= set(rest[:6])

        best = Surprisal(recent=2).score(layer)[0, 0].topk(12).indices

        assert set(best.tolist()) == kept


def test_a_surprise_outlives_as_many_turns_as_it_is_large() -> None:
    """It is below a cut after log(e / cut) / log(1 / decay) turns."""
    scorer, told, cut = Surprisal(decay=0.7), 8.0, 1.5
    layer = replace(planted(3, rows=1), ledger={"surprisal": torch.full((1, 2, 3), told)})

    turns = 0
    while float(layer.ledger["surprisal"][0, 0, 0]) >= cut:
        layer = replace(layer, ledger=scorer.turn(layer))
        turns += 1

    assert turns == math.ceil(math.log(told / cut) / math.log(1 / 0.7))


def test_what_is_not_told_yet_is_kept_and_does_not_fade() -> None:
    """The logits of a turn come after its tokens."""
    told = torch.tensor([5.0, 5.0, 5.0, 5.0, 3.0, -1.0]).expand(1, 2, 6)
    layer = replace(planted(6, rows=1), ledger={"surprisal": told})

    assert Surprisal(n_sink=0).score(layer)[0, 0].argmax() == 5
    assert Surprisal().turn(layer)["surprisal"][0, 0].tolist()[-1] == -1.0


@pytest.mark.parametrize("decay", [0.0, 1.1, float("nan")])
def test_a_surprise_does_not_grow(decay: float) -> None:
    """Nor is it gone at once."""
    with pytest.raises(InvalidInput, match="decay must be above 0"):
        Surprisal(decay=decay)

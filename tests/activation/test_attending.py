"""Attention over a layer in all its ways is one loop."""

import pytest
import torch
from torch import Tensor

from engram.activation.attending import Sight, attend, attend_old, attend_slowly, shares
from engram.activation.codecs.asymmetric import Asymmetric
from engram.activation.forms import Old, Whole


def drawn(queries: int, tokens: int) -> tuple[Tensor, Tensor, Tensor]:
    """Queries of four heads, keys and values of two."""
    dice = torch.Generator().manual_seed(queries * 100 + tokens)
    sizes = ((2, 4, queries, 32), (2, 2, tokens, 32), (2, 2, tokens, 32))
    asked, keys, values = (torch.randn(size, generator=dice) for size in sizes)
    return asked, keys, values


def loop(queries: Tensor, keys: Tensor, values: Tensor, sight: Sight) -> Tensor:
    """One query after the other."""
    out = torch.zeros_like(queries)
    count, tokens = queries.shape[2], keys.shape[2]
    for row in range(queries.shape[0]):
        for head in range(4):
            for at in range(count):
                logits = keys[row, head // 2] @ queries[row, head, at] * sight.scale
                if sight.softcap:
                    logits = sight.softcap * torch.tanh(logits / sight.softcap)
                seen = torch.arange(tokens) <= at + tokens - count
                if sight.valid is not None:
                    seen = seen & sight.valid.expand(2, 2, -1)[row, head // 2]
                if seen.any():
                    weights = logits.masked_fill(~seen, -torch.inf).softmax(0)
                    out[row, head, at] = weights @ values[row, head // 2]
    return out


@pytest.mark.parametrize(("queries", "tokens"), [(1, 1), (1, 40), (3, 3), (7, 40), (63, 63)])
@pytest.mark.parametrize("hidden", ["none", "rows", "heads", "all"])
@pytest.mark.parametrize("softcap", [None, 2.0])
def test_attention_is_that_of_a_loop(
    queries: int, tokens: int, hidden: str, softcap: float | None
) -> None:
    """With and without what is hidden, capped and not, by all ways there are."""
    asked, keys, values = drawn(queries, tokens)
    dice = torch.Generator().manual_seed(1)
    valid = {
        "none": None,
        "rows": torch.rand(2, 1, tokens, generator=dice) > 0.3,
        "heads": torch.rand(2, 2, tokens, generator=dice) > 0.3,
        "all": torch.zeros(2, 1, tokens, dtype=torch.bool),
    }[hidden]
    sight = Sight(0.2, softcap, valid)

    expected = loop(asked, keys, values, sight)

    assert torch.allclose(attend(asked, keys, values, sight), expected, atol=1e-5)
    assert torch.allclose(attend_slowly(asked, keys, values, sight)[0], expected, atol=1e-5)


@pytest.mark.parametrize("channels", [False, True], ids=["whole", "thinned"])
@pytest.mark.parametrize("packed", [False, True], ids=["as it came", "packed"])
def test_old_entries_are_attended_as_if_they_were_decoded(channels: bool, packed: bool) -> None:
    """One softmax over both parts, and the weights are shares of one."""
    asked, keys, values = drawn(3, 50)
    kept = torch.arange(0, 32, 2).expand(2, 2, 16) if channels else None
    aged = keys[:, :, :32]
    if kept is not None:
        aged = aged.gather(3, kept[:, :, None].expand(-1, -1, 32, -1))
    codec = Asymmetric(bits_keys=8, bits_values=8, group_size=16, residual=16)
    if packed:
        old = Old(codec.encode_keys(aged), codec.encode_values(values[:, :, :32]), kept, 32, 16)
    else:
        old = Old(Whole(aged), Whole(values[:, :, :32]), kept, 32, 1)
    sight = Sight(0.2, None, torch.rand(2, 2, 50, generator=torch.Generator().manual_seed(2)) > 0.2)
    whole = [
        torch.cat([before, after[:, :, 32:]], 2)
        for before, after in zip(
            (old.decode_keys(), old.values.decode()), (keys, values), strict=True
        )
    ]

    out, weights = attend_old(asked, old, (keys[:, :, 32:], values[:, :, 32:]), sight)

    assert torch.allclose(out, loop(asked, whole[0], whole[1], sight), atol=1e-4)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 4, 3), atol=1e-5)


def test_a_row_that_sees_nothing_has_no_shares() -> None:
    """Zero in place of one divided by nothing."""
    logits = torch.tensor([[-torch.inf, -torch.inf], [0.0, -torch.inf]])

    assert shares(logits).tolist() == [[0.0, 0.0], [1.0, 0.0]]

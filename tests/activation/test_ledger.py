"""What is known of entries grows in place, and goes where the entries go."""

import torch

from engram.activation.ledger import Ledger, Strip

CPU = torch.device("cpu")


def test_a_strip_holds_what_was_appended_in_order() -> None:
    """Whatever the sizes, and without writing to what it was given."""
    start = torch.arange(3.0)[None, None]
    strip, whole = Strip(start), start

    for count in (1, 0, 63, 2, 200):
        more = torch.rand(1, 1, count, generator=torch.Generator().manual_seed(count))
        strip.append(more)
        whole = torch.cat([whole, more], -1)

    assert torch.equal(strip.view, whole)
    assert start.tolist() == [[[0.0, 1.0, 2.0]]]


def test_a_strip_seldom_moves() -> None:
    """A thousand entries one by one take a few moves, not a thousand."""
    strip, places = Strip(torch.zeros(1, 1, 0)), set()

    for _ in range(1000):
        strip.append(torch.zeros(1, 1, 1))
        places.add((strip.view.data_ptr(), strip.nbytes))

    assert len(places) < 15


def test_a_strip_that_was_copied_writes_over_nothing() -> None:
    """Both go on from what they shared."""
    strip = Strip(torch.zeros(1, 1, 0))
    strip.append(torch.arange(5.0)[None, None])
    twin = strip.copy()

    strip.drop(2)
    strip.append(torch.full((1, 1, 3), 9.0))
    twin.append(torch.full((1, 1, 1), 7.0))

    assert strip.view[0, 0].tolist() == [0, 1, 2, 9, 9, 9]
    assert twin.view[0, 0].tolist() == [0, 1, 2, 3, 4, 7]


def test_a_cache_that_drops_nothing_keeps_one_number_for_a_token() -> None:
    """Rows and heads that do not differ are held once."""
    ledger = Ledger({}, CPU)

    ledger.append(100)

    assert ledger.positions.shape == (1, 1, 100)
    assert ledger.valid is None
    assert ledger.nbytes < 100 * 4 * 2


def test_padding_has_no_position_of_its_own() -> None:
    """Positions count the tokens of a row, and go on where they stopped."""
    ledger = Ledger({"mass": 0.0}, CPU)

    ledger.append(4, torch.tensor([[True] * 4, [False, False, True, True]]))
    ledger.append(2)

    assert ledger.positions[:, 0].tolist() == [[0, 1, 2, 3, 4, 5], [0, 0, 0, 1, 2, 3]]
    assert ledger.told[:, 0].tolist() == [6, 4]
    assert ledger.valid is not None
    assert ledger.valid[1, 0].tolist() == [False, False, True, True, True, True]


def test_facts_go_with_their_entries() -> None:
    """Kept, reordered and forgotten together."""
    ledger = Ledger({"mass": 0.0}, CPU)
    ledger.append(5)
    ledger.note({"mass": torch.arange(20.0).view(2, 2, 5)})

    ledger.keep(torch.tensor([[[0, 2, 4]]]), None)
    ledger.rows(torch.tensor([1, 1, 0]))
    ledger.append(1)
    ledger.drop(2)

    assert ledger.facts["mass"][:, 0].tolist() == [[10, 12], [10, 12], [0, 2]]
    assert ledger.positions[0, 0].tolist() == [0, 2]


def test_filling_is_not_there() -> None:
    """And once nothing is filled up any more, all is."""
    ledger = Ledger({}, CPU)
    ledger.append(4)
    there = torch.tensor([[[True, True], [False, True]]])

    ledger.keep(torch.tensor([[[1, 3], [0, 2]]]), there)
    held = ledger.valid
    ledger.keep(torch.tensor([[[1], [1]]]), None)

    assert torch.equal(held, there) if held is not None else False
    assert ledger.valid is None
    assert ledger.positions[0].tolist() == [[3], [2]]


def test_a_saved_ledger_knows_the_same() -> None:
    """State and load are each other's inverse."""
    ledger, back = Ledger({"mass": 1.0}, CPU), Ledger({"mass": 1.0}, CPU)
    ledger.append(3, torch.tensor([[False, True, True]]))

    back.load(ledger.state())
    back.append(1)
    ledger.append(1)

    assert {name: told.tolist() for name, told in back.state().items()} == {
        name: told.tolist() for name, told in ledger.state().items()
    }

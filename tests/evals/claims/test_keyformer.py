"""What Keyformer claims, as ``engram verify keyformer`` measures it."""

from collections.abc import Iterator

import pytest

from engram.evals.claims.keyformer import claim

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small tensors are quickest on one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_every_figure_of_keyformer_holds() -> None:
    """Key tokens beat the newest, a needle is kept, and noise is the same at any chunking."""
    figures = claim()

    assert len(figures) == 8
    assert [figure for figure in figures if not figure["ok"]] == []

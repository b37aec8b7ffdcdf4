"""What the measurements of caches count: texts held out, perplexity, bits, and who beats whom."""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """A script as a module, on one thread as it runs by itself."""
    monkeypatch.syspath_prepend(str(BENCH))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield importlib.import_module
    torch.set_num_threads(threads)


def test_the_last_text_is_never_learned_from(bench: Any, tmp_path: Path) -> None:
    """Not by the tokenizer either; a single text is not enough."""
    train = bench("train_text")
    (tmp_path / "a.txt").write_text("one two two", encoding="utf-8")
    with pytest.raises(SystemExit, match="two texts or more"):
        train.texts(tmp_path)
    (tmp_path / "b.md").write_text("zebra", encoding="utf-8")

    assert train.texts(tmp_path) == (["one two two"], "zebra")


def test_a_tokenizer_reads_whatever_it_never_saw(bench: Any) -> None:
    """Every byte is a token at least, and comes back."""
    train = bench("train_text")
    reads = train.tokenizer(["the cat and the hat"] * 9, train.Plan(words=300))

    for text in ("the hat", "naïve café 猫", " \n"):
        assert reads.decode(reads(text).input_ids) == text
    assert len(reads("the hat").input_ids) < len("the hat")


def test_a_small_model_learns_a_text(bench: Any) -> None:
    """The loss of what it reads again and again falls; the same seed gives the same curve."""
    train = bench("train_text")
    plan = train.Plan(window=16, layers=1, width=32, steps=90, rows=4, rate=1e-2)
    ids = torch.arange(64) % 7 + 2

    def curve(seed: int) -> Any:
        model = train.build(plan, 16, seed)
        losses = [row[1] for row in train.train(model, ids, plan, seed, lambda _: None)]
        return losses, train.held_out_loss(model, ids, plan)

    one, (count, loss) = curve(1)

    assert count == 4 * 15
    assert loss < 0.5
    assert curve(1)[0] == one != curve(2)[0]


def test_a_full_cache_expects_as_transformers_own_does(bench: Any) -> None:
    """Token by token; packed keys and values take three bits a number at two, five at four."""
    perplexity, train = bench("kv_perplexity"), bench("train_text")
    model = train.build(train.Plan(layers=2, width=32), 40, 0).eval().requires_grad_(False)
    rows = torch.randint(2, 40, (3, 160), generator=torch.Generator().manual_seed(0))
    caches = perplexity.caches(32)

    found = {
        name: perplexity.measured(model, rows, caches[name])
        for name in ("DynamicCache", "full", *(f"kivi, {n} bit, newest 32 whole" for n in (2, 4)))
    }

    whole, full, two, four = found.values()
    assert whole.loss.shape == (3 * 80,)
    assert torch.allclose(full.loss, whole.loss, atol=1e-4)
    assert (two.packed, four.packed) == (3.0, 5.0)
    assert full.packed != full.packed
    assert full.all > 32


def test_a_policy_wins_where_it_beats_both_plain_ones(bench: Any) -> None:
    """In the mean over seeds."""
    recall = bench("kv_recall")
    found = {(name, share): [0.2, 0.4] for name in recall.PLAIN for share in recall.SHARES}
    found["streaming", 0.5] = [0.5, 0.5]
    found |= {("h2o", 0.5): [0.4, 0.6], ("h2o", 0.25): [0.1, 0.6], ("h2o", 0.1): [0.3, 0.3]}

    assert recall.verdict(found, "h2o") == "25%"
    assert recall.verdict(found, "random") == ""
    assert recall.verdict({**found, ("h2o", 0.25): [0.0, 0.0]}, "h2o") == "nowhere"


def test_rows_are_as_many_as_were_asked_for(bench: Any) -> None:
    """Or a context more; other seeds give others."""
    task = bench("kv_recall").Task

    for name, length in (("recall", 64), ("passkey", 40)):
        rows = list(task(name, length, 8).prompts(101, aware=True))
        assert 8 <= len(rows) < 8 + 5
        assert rows != list(task(name, length, 8).prompts(102, aware=True))

"""The training of tiny models: its texts, its helping loss, and a run of twenty steps."""

import importlib
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engram.evals import lexicon
from engram.evals.tasks.ruler import Ruler

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def train(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The script as a module, on one thread as it runs by itself."""
    monkeypatch.syspath_prepend(str(BENCH))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield importlib.import_module("train_recall")
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_twenty_steps_make_a_folder_that_transformers_opens(tmp_path: Path) -> None:
    """Model and tokenizer, a curve, and scores at up to sixteen times the window."""
    command = [sys.executable, str(BENCH / "train_recall.py"), "--quick", "--task", "both"]
    target, figures = tmp_path / "tiny", tmp_path / "figures.json"
    command += ["--length", "64", "--into", str(target), "--json", str(figures)]

    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    curve, scores = json.loads(figures.read_text())["tables"]
    assert [row[:2] for row in curve["rows"]] == [[32, 10], [64, 20]]
    assert {tuple(row[:2]) for row in scores["rows"]} == {
        (task, length) for task in ("recall", "passkey") for length in (32, 64, 256, 1024)
    }
    model = transformers.AutoModelForCausalLM.from_pretrained(target)
    assert model.config.max_position_embeddings == 64
    assert model.config.num_key_value_heads < model.config.num_attention_heads
    assert transformers.AutoTokenizer.from_pretrained(target)("Amber?").input_ids == [
        lexicon.START,
        *lexicon.ids("amber ?"),
    ]


def test_the_saved_tokenizer_reads_as_the_lexicon_does(train: Any) -> None:
    """On every task of RULER, with the token that begins a text before it."""
    tokenizer = train.tokenizer(4096)

    for row in Ruler(600, count=1).prompts():
        assert tokenizer(row.text).input_ids == [lexicon.START, *lexicon.ids(row.text)]


def test_a_seed_trains_the_same_weights_again(train: Any) -> None:
    """Bit for bit; another seed gives others."""
    plan = train.Plan(("recall",), 64, grow=3, last=3, tokens=128)

    def trained(seed: int) -> Any:
        model = train.build(train.Size(width=16, head_width=8), 64, seed)
        train.Course(model, train.replace(plan, seed=seed), lambda _: None).run()
        return model.state_dict()["model.layers.1.self_attn.q_proj.weight"]

    assert torch.equal(trained(4), trained(4))
    assert not torch.equal(trained(4), trained(5))


def test_a_minute_model_learns_in_some_steps(train: Any) -> None:
    """The loss falls well below that of a model that says every word equally often."""
    plan = train.Plan(("passkey",), 32, grow=0, last=60, tokens=512)
    course = train.Course(train.build(train.Size(width=32), 32, 0), plan, lambda _: None)

    course.run()

    helper = None
    before, _ = train.Course(train.build(train.Size(width=32), 32, 0), plan, print).loss(
        train.texts(plan, random.Random(1), 32), helper
    )
    after, _ = course.loss(train.texts(plan, random.Random(1), 32), helper)
    assert float(after.detach()) < 0.6 * float(before.detach())


def test_looking_at_the_right_place_costs_nothing(train: Any) -> None:
    """And at any other place much; where the word was never followed by it, nothing is asked."""
    ids = torch.tensor([[5, 7, 8, 6, 7, 8]])
    answers = torch.tensor([[False, False, True, False, False, True]])
    batch = train.Texts(ids, answers)
    right, wrong = torch.zeros(1, 2, 6, 6), torch.zeros(1, 2, 6, 6)
    right[0, :, 4, 2] = 1.0
    wrong[0, :, 4, 1] = 1.0

    assert float(train.looking(right, batch)) == pytest.approx(0.0, abs=1e-4)
    assert float(train.looking(wrong, batch)) > 10


@pytest.mark.parametrize(
    ("length", "stages"),
    [
        (32, [(32, 9)]),
        (48, [(32, 5), (48, 9)]),
        (64, [(32, 5), (64, 9)]),
        (200, [(32, 5), (64, 5), (128, 5), (200, 9)]),
    ],
)
def test_lengths_double_up_to_the_window(
    train: Any, length: int, stages: list[tuple[int, int]]
) -> None:
    """The window itself comes last, and once."""
    assert train.Plan(("recall",), length, grow=5, last=9).stages == stages


def test_tasks_take_turns_in_a_batch(train: Any) -> None:
    """Every row has the length of the batch, and answers in it."""
    plan = train.Plan(("recall", "passkey"), 64, tokens=256)

    batch = train.texts(plan, random.Random(0), 64)

    assert batch.ids.shape == batch.answers.shape == (4, 64)
    assert batch.answers.any(1).all()
    assert batch.answers[1].nonzero().flatten().tolist()[4:] == [59, 60, 61, 62, 63]

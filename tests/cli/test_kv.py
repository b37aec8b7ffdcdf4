"""The commands of caches, on a random model of two layers in a folder."""

import contextlib
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from engram.adapters.kv_eval import Figures
from engram.cli.kv_screen import by_group, compared, heard
from engram.cli.output import Output
from engram.evals.tasks.ruler import KINDS

torch = pytest.importorskip("torch")

BENCH = Path(__file__).resolve().parents[2] / "bench"
PLAIN: Output = {"as_json": False, "quiet": False}
PROMPT = "stove amber key oak ? stove"


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny models are quickest on one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows nothing, with a window of 256 words."""
    made = tmp_path_factory.mktemp("model")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCH))
        train = import_module("train_recall")
        train.build(train.Size(width=16), 256, 0).save_pretrained(made)
        train.tokenizer(256).save_pretrained(made)
    return made


def test_a_run_shows_text_speed_and_bytes(run: Any, folder: Path) -> None:
    """And how many entries a head has kept, beside transformers' own cache."""
    told = run("kv", "run", folder, "--prompt", PROMPT, "--max-new-tokens", "3").stdout

    text, _, *table = told.splitlines()
    rows = {line.rsplit("  ", 1)[0].strip(): line.split()[-1] for line in table}
    assert len(text.split()) == 3
    assert (rows["prompt, tokens"], rows["written, tokens"], rows["tokens seen"]) == ("7", "3", "9")
    assert rows["entries kept of them"] == "100%"
    assert float(rows["DynamicCache, MB"]) == pytest.approx(9 * 2 * 2 * 2 * 32 * 4 / 1e6, abs=1e-3)


def test_a_program_gets_every_figure_of_a_run(run: Any, folder: Path) -> None:
    """The text, its tokens, times, and bytes by what holds them."""
    args = ["--preset", "snapkv", "--budget", "4", "--max-new-tokens", "5", "--json"]

    told = json.loads(run("kv", "run", folder, "--prompt", PROMPT, *args).stdout)

    (ran,) = told["runs"]
    assert (told["window"], told["beyond_window"]) == (256, False)
    assert (ran["preset"], ran["budget"], ran["prompt"], ran["seen"]) == ("snapkv", 4, 7, 11)
    assert len(ran["ids"]) == len(ran["text"].split()) == 5
    assert ran["kept"] == 4
    assert sum(ran["usage"].values()) == ran["total"]
    assert ran["plain"] == 11 * 2 * 2 * 2 * 32 * 4
    assert min(ran["first"], ran["writing"], ran["pace"]) > 0


def test_one_token_has_no_pace(run: Any, folder: Path) -> None:
    """A figure that was not measured is no number, for people and for programs."""
    args = ["kv", "run", folder, "--prompt", PROMPT, "--max-new-tokens", "1"]

    assert json.loads(run(*args, "--json").stdout)["runs"][0]["pace"] is None
    assert "–" in run(*args).stdout


def test_two_presets_stand_side_by_side(run: Any, folder: Path) -> None:
    """A budget is for the one that drops entries, whichever it is."""
    args = ["kv", "run", folder, "--prompt", PROMPT, "--max-new-tokens", "2", "--budget", "0.5"]

    for pair in (("h2o", "full"), ("full", "h2o")):
        told = run(*args, "--preset", pair[0], "--against", pair[1])
        lines = told.stdout.splitlines()
        assert [lines[0], lines[2], lines[5].split()] == [*pair, [*pair]]
        kept = next(line for line in lines if line.startswith("entries kept")).split()[4:]
        assert kept[1::2] == (["50%", "100%"] if pair[0] == "h2o" else ["100%", "50%"])


def test_a_prompt_comes_out_of_a_file_or_stdin(run: Any, folder: Path, tmp_path: Path) -> None:
    """The same text, the same answer."""
    file = tmp_path / "prompt.txt"
    file.write_text(PROMPT, encoding="utf-8")
    args = ["kv", "run", folder, "--max-new-tokens", "4", "--json", "--prompt-file"]

    answers = [run(*args, file), run(*args, "-", input=PROMPT)]

    ids = [json.loads(told.stdout)["runs"][0]["ids"] for told in answers]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 4


def test_a_prompt_that_is_longer_than_the_window_is_read_all_the_same(
    run: Any, folder: Path
) -> None:
    """It is said in one line."""
    long = " ".join(["amber"] * 300)

    told = run("kv", "run", folder, "--prompt", long, "--max-new-tokens", "2")

    assert "303 tokens and the model was trained to read 256" in " ".join(told.stderr.split())
    assert "tokens seen" in told.stdout


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--prompt", ""], "at least one token, got ''"),
        ([], "one of --prompt and --prompt-file must be given, got none"),
        (["--prompt", "a", "--prompt-file", "b"], "got both"),
        (["--prompt-file", "/no/such"], "cannot be read"),
        (["--prompt", "a", "--preset", "snapvk"], "nearest: snapkv"),
        (["--prompt", "a", "--preset", "snapkv"], "needs --budget, got none"),
        (["--prompt", "a", "--against", "h2o"], "needs --budget, got none"),
        (["--prompt", "a", "--preset", "snapkv", "--budget", "0"], "got '0'"),
        (["--prompt", "a", "--preset", "snapkv", "--budget", "1.5"], "got '1.5'"),
        (["--prompt", "a", "--preset", "snapkv", "--budget", "nan"], "got 'nan'"),
        (["--prompt", "a", "--preset", "snapkv", "--budget", "half"], "got 'half'"),
        (["--prompt", "a", "--preset", "kivi", "--budget", "9"], "keeps every entry"),
        (["--prompt", "a", "--preset", "h2o+tova", "--budget", "9"], "two for 'scorer'"),
        (["--prompt", "a", "--device", "abacus"], "device must be one that torch has here"),
    ],
)
def test_a_mistake_in_a_run_is_one_line(
    args: list[str], expected: str, run: Any, folder: Path
) -> None:
    """What must hold, and what came."""
    done = run("kv", "run", folder, *args, code=1)

    assert expected in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["compare", "--ratios", "1"], "from 0 to below 1, got '1'"),
        (["compare", "--ratios", "much"], "got 'much'"),
        (["compare", "--tasks", "riddles"], "got 'riddles'"),
        (["compare", "--presets", ","], "at least one, got ','"),
        (["compare", "--presets", "hybrid"], "no preset of activation"),
        (["bench", "--ratio", "0.1,0.2"], "--ratio takes one share"),
        (["bench", "--length", "50"], "length must be at least"),
    ],
)
def test_a_mistake_in_a_comparison_is_one_line(
    args: list[str], expected: str, run: Any, folder: Path
) -> None:
    """And it comes before anything is measured."""
    done = run("kv", args[0], folder, *args[1:], code=1)

    assert expected in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_without_a_model_is_no_model(run: Any, tmp_path: Path) -> None:
    """Nor is a folder that is not there, or one with something else in it."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text('{"model_type": "vit"}', encoding="utf-8")

    for path, expected in (
        (tmp_path, "holds no config.json"),
        (tmp_path / "none", "download the model first"),
        (tmp_path / "other", "was raised"),
    ):
        done = run("kv", "run", path, "--prompt", "a", code=1)
        assert expected in done.stderr
        assert done.stderr.count("\n") == 1


def test_presets_are_compared_at_ratios(run: Any, folder: Path) -> None:
    """Full once, one that drops nothing once, the others at each ratio; a front with a star."""
    args = ["--presets", "kivi,streaming", "--ratios", "0.5,0.75", "--tasks", "recall"]

    told = run("kv", "compare", folder, *args, "--length", "64", "--count", "1", "--query-aware")

    title, _, *rows = told.stdout.splitlines()
    found = [row.replace("*", " ").split()[:2] for row in rows]
    assert title == "4 rows of 64 tokens, question known"
    assert found == [["full", "0%"], ["kivi", "0%"], ["streaming", "50%"], ["streaming", "75%"]]
    assert any(row.startswith("*") for row in rows)


def test_a_comparison_is_kept_where_it_is_wanted(run: Any, folder: Path, tmp_path: Path) -> None:
    """Figures, tables and a picture; the document is the same as on stdout."""
    out = tmp_path / "deep" / "kv"
    args = ["--presets", "streaming", "--ratios", "0.5", "--tasks", "passkey,recall"]

    told = run(
        "kv", "compare", folder, *args, "--length", "64", "--count", "1", "--out", out, "--json"
    )

    document = json.loads(told.stdout)
    assert sorted(path.name for path in out.iterdir()) == ["kv.json", "kv.md", "kv.png"]
    assert json.loads((out / "kv.json").read_text()) == document
    assert [(each["preset"], each["task"]) for each in document["tasks"]] == [
        ("full", "passkey"),
        ("streaming", "passkey"),
        ("full", "recall"),
        ("streaming", "recall"),
    ]
    assert [each["ratio"] for each in document["entries"]] == [0.0, 0.5]


def test_a_bench_has_a_column_for_each_group(run: Any, folder: Path) -> None:
    """And a line for each task, while there are few presets."""
    args = ["--tasks", "tracking,qa_1,qa_2", "--length", "250", "--count", "1"]

    told = run("kv", "bench", folder, *args).stdout

    title, heads, _, _, tasks, *rows = told.splitlines()
    assert title == "3 rows of 250 tokens, question unknown"
    assert heads.split() == ["preset", "tracking", "questions", "all", "MB"]
    assert tasks.split() == ["task", "full"]
    assert [row.split()[0] for row in rows] == ["vt", "qa_1", "qa_2"]


def test_tables_fit_eighty_columns() -> None:
    """With the longest names, every group, and figures of a model that fills a machine."""
    presets = ["full", "kivi+expected-attention", "think+kivi+h2o"]
    found = [
        Figures(
            preset, ratio, task, 5, 0.5, 8.4e9 * (1 - ratio), 12.345, 0.1234, 0.5, 0.25, 12, 1.5
        )
        for task in KINDS
        for preset, ratio in zip(presets, (0.0, 0.75, 0.9), strict=True)
    ]
    console = Console(width=80, file=io.StringIO())

    console.print(compared(found), *by_group(found))

    shown = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, shown)) <= 80
    assert not any("…" in line for line in shown)
    assert sum("12,345" in line for line in shown) == 3


def test_a_folder_that_cannot_be_made_is_said_at_once(run: Any, folder: Path) -> None:
    """What cannot be written is not measured first."""
    done = run("kv", "bench", folder, "--out", "/dev/null/x", code=2)

    assert "no folder can be made here" in done.stderr
    assert done.stderr.count("\n") == 1


class Terminal(io.StringIO):
    """Somewhere that a person looks at."""

    def isatty(self) -> bool:
        return True


def test_text_stands_over_a_bar_while_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """And stays on stdout when the bar has gone, without what could move a cursor."""
    out, screen = Terminal(), Terminal()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")

    with heard(PLAIN, "kivi") as ear:
        ear("reading", 5, 9, "")
        ear("writing", 1, 2, "one\x1b[2J")
        ear("writing", 2, 2, " two")

    assert "2/2" in screen.getvalue()
    assert "one" in screen.getvalue()
    assert out.getvalue() == "one\\x1b[2J two\n"


def test_text_is_left_when_a_run_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written so far, on a line of its own."""
    for kind in (Terminal, io.StringIO):
        out = kind()
        monkeypatch.setattr("sys.stdout", out)
        monkeypatch.setattr("sys.stderr", kind())
        monkeypatch.setenv("TERM", "xterm")

        with contextlib.suppress(KeyboardInterrupt), heard(PLAIN, "kivi") as ear:
            ear("writing", 1, 9, "one")
            raise KeyboardInterrupt

        assert out.getvalue() == "one\n"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_an_interrupt_ends_a_run_without_a_traceback(
    folder: Path, process: Callable[..., Any]
) -> None:
    """The exit code is that of an interrupted program."""
    args = ["--prompt", PROMPT, "--max-new-tokens", "100000", "--quiet"]
    running = process("kv", "run", folder, *args, stdout=-1, stderr=-1)
    first = os.read(running.stdout.fileno(), 1)

    running.send_signal(signal.SIGINT)
    rest, said = running.communicate(timeout=60)

    assert first
    assert (running.returncode, said) == (130, b"")
    assert rest.endswith(b"\n")

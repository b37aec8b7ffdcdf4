"""The command that shows what a memory can do: demo."""

import json
from pathlib import Path
from typing import Any

import pytest


def test_a_program_gets_what_was_measured(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every act with its verdict, and where the memory is, to be asked again."""
    monkeypatch.delenv("ENGRAM_EMBEDDER")
    path = tmp_path / "demo.db"

    done = run("demo", "--fast", "--json", "--path", path)

    results = json.loads(done.stdout)
    assert done.stderr == ""
    assert results["held"] is True
    assert [*results["acts"]] == [
        "recall",
        "superseded",
        "clocks",
        "revert",
        "quarantine",
        "erase",
        "unknown",
        "latency",
    ]
    assert all(act["held"] for act in results["acts"].values())
    assert results["path"] == str(path)
    assert results["bytes"] == path.stat().st_size
    assert "cello" in run("ask", "who repaired the cello?", "--path", path).stdout


def test_the_demo_never_touches_a_file_that_is_there(run: Any, store: Path) -> None:
    """It would be somebody's memory."""
    before = store.read_bytes()

    done = run("demo", "--fast", "--path", store, code=1)

    assert "the demo needs a new file" in done.stderr
    assert store.read_bytes() == before


def test_a_file_that_is_no_benchmark_is_one_clear_error(run: Any, tmp_path: Path) -> None:
    """For people and for programs."""
    (tmp_path / "x.json").write_text("{}", encoding="utf-8")

    done = run("demo", "--fast", "--data", tmp_path / "x.json", code=1)

    assert done.stderr.startswith("error: data must be a LoCoMo file")
    assert done.stdout == ""


def test_a_promise_that_is_not_kept_is_an_exit_code(run: Any, tmp_path: Path) -> None:
    """So that a script sees it: here the true evidence is a line that says nothing of it."""
    turns = [{"speaker": "Mel", "dia_id": "D1:1", "text": "I adopted a guinea pig."}]
    asked = {"question": "Which pet was adopted?", "answer": "none", "evidence": ["D9:9"]}
    talk = {"session_1_date_time": "1:56 pm on 8 May, 2023", "session_1": turns}
    file = tmp_path / "locomo.json"
    file.write_text(json.dumps([{"sample_id": "x", "conversation": talk, "qa": [asked]}]))

    done = run("demo", "--fast", "--data", file, "--path", tmp_path / "a.db", code=1)

    assert "✗" in done.stdout
    assert "0 of 1" in done.stdout

"""The judge of ``bench/durability.py`` finds what is missing, and nothing where nothing is."""

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engram import Memory

BENCH = Path(__file__).resolve().parent.parent.parent / "bench"


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A siege whose one writer made forty calls and was told of each."""
    monkeypatch.syspath_prepend(str(BENCH))
    load = importlib.import_module("killed.load")
    siege = importlib.import_module("durability").Siege(tmp_path, seed=3)
    shift = siege.shift(1, 0, calls=40)
    with load.Journal(shift.journal) as journal, Memory.open(shift.file) as memory:
        writer = load.Writer(memory, journal, shift)
        for _ in range(shift.calls):
            writer.step()
    siege.truth.hear(shift.journal, 0)
    return siege


def damage(siege: Any, statement: str) -> None:
    """Change the file behind the store's back."""
    with Memory.open(siege.file) as memory:
        memory.store.connections.get().execute(statement)


def live(siege: Any) -> str:
    """A record that must be active."""
    known = siege.truth.records.items()
    return next(r for r, k in known if k.standing == "live" and r not in siege.truth.erased)


def test_an_unhurt_file_is_found_whole(judged: Any) -> None:
    """Forty calls of every kind leave nothing to report."""
    judged.judge(1)

    assert judged.problems == []
    assert judged.truth.ended.total() > 20
    assert judged.erased > 0


def test_a_record_that_is_gone_is_reported(judged: Any) -> None:
    """Losing one acknowledged record is the loss that the bench is there for."""
    gone = live(judged)
    damage(judged, f"DELETE FROM log WHERE record='{gone}'")

    judged.judge(1)

    assert any(gone in problem and "not in the log" in problem for problem in judged.problems)


def test_a_missing_vector_is_reported(judged: Any) -> None:
    """A record without its vector is half stored."""
    damage(judged, "DELETE FROM vectors")

    judged.judge(1)

    assert any("has no vector" in problem for problem in judged.problems)


def test_missing_words_are_reported(judged: Any) -> None:
    """A record that no word leads to is half stored."""
    damage(judged, "INSERT INTO terms(terms) VALUES('delete-all')")

    judged.judge(1)

    assert any("not in the index" in problem for problem in judged.problems)


def test_an_older_text_is_reported(judged: Any) -> None:
    """The text must be the last one that was acknowledged."""
    changed = live(judged)
    older = """replace(body, '"text":"', '"text":"Once, ')"""
    damage(judged, f"UPDATE log SET body={older} WHERE record='{changed}'")

    judged.judge(1)

    assert any(changed in problem and "acknowledged" in problem for problem in judged.problems)


def test_bytes_of_an_erased_text_are_reported(judged: Any) -> None:
    """An erase that leaves its text anywhere in the file is none."""
    gone = next(iter(judged.truth.erased))
    (text, *_) = judged.truth.records[gone].texts
    with Memory.open(judged.file) as memory:
        db = memory.store.connections.get()
        db.execute("UPDATE meta SET value=value||? WHERE key='epoch'", (text,))

    judged.judge(1)

    assert any("which was erased" in problem for problem in judged.problems)


def test_a_call_that_was_cut_may_have_happened_or_not(judged: Any, tmp_path: Path) -> None:
    """An add that was begun and never ended is no loss when it is not there."""
    load = importlib.import_module("killed.load")
    with load.Journal(tmp_path / "cut.jsonl") as journal:
        journal.tell(ready=True)
        journal.tell(begin="add", user="ana", messages=[{"content": "Never zqbbbbbbbb stored."}])
    judged.truth.hear(tmp_path / "cut.jsonl", 1)

    judged.judge(1)

    assert judged.problems == []
    assert judged.truth.cut["add"] == 1


@pytest.mark.slow
def test_killed_writers_lose_nothing(tmp_path: Path) -> None:
    """The bench itself, with four kills, as ``make bench`` runs it."""
    command = [sys.executable, str(BENCH / "durability.py"), "--kills", "4", "--adds", "0"]

    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing was lost" in done.stdout

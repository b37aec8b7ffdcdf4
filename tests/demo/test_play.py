"""The whole evening: every act keeps its promise, and the page is fit to be read."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from engram import Memory
from engram.demo.play import ACTS, Results, play
from engram.demo.questions import QUESTIONS
from engram.demo.stage import WIDEST
from engram.demo.trust import SECRET
from engram.errors import InvalidInput


@dataclass(frozen=True)
class Evening:
    """What was shown on a page of some width, and what was measured."""

    width: int
    shown: str
    results: Results


def evening(path: Path, width: int, data: Path | None = None) -> Evening:
    """Play into a page of this width."""
    out = io.StringIO()
    results = play(path, out=Console(file=out, width=width, highlight=False), data=data)
    return Evening(width, out.getvalue(), results)


@pytest.fixture(scope="module", params=[80, 120])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Evening:
    """One evening on a small and one on a large page."""
    return evening(tmp_path_factory.mktemp("evening") / "demo.db", request.param)


def test_every_act_keeps_its_promise(played: Evening) -> None:
    """Recall, change, two clocks, an undone edit, a locked-up order, an erase, doubt, speed."""
    assert [*played.results.acts] == [key for key, _, _ in ACTS]
    assert {key: act["held"] for key, act in played.results.acts.items()} == dict.fromkeys(
        played.results.acts, True
    )
    assert played.results.held


def test_what_is_shown_is_what_was_measured(played: Evening) -> None:
    """The verdicts, the secret that went, the hash that came back."""
    acts, shown = played.results.acts, played.shown

    assert shown.count("✓") == len(ACTS) + 2
    assert "✗" not in shown
    assert acts["revert"]["before"] == acts["revert"]["after"] != acts["revert"]["during"]
    assert acts["revert"]["before"][:16] in shown
    assert acts["erase"]["before"] > acts["erase"]["after"] == 0
    assert all(one in shown for one in acts["erase"]["ids"])
    assert acts["superseded"]["then"] in shown
    assert acts["superseded"]["now"] in shown
    assert f"p50 {acts['latency']['p50_ms']:.1f} ms" in shown


def test_every_answer_is_the_line_that_holds_it(played: Evening) -> None:
    """With who said it, when and in which chat."""
    rows = played.results.acts["recall"]["questions"]

    assert [row["question"] for row in rows] == [
        question.text for question in QUESTIONS if question.staged and question.answerable
    ]
    for row in rows:
        assert row["expected"] in row["answer"]
        assert f"{row['speaker']} · " in played.shown
        assert row["run_id"] in played.shown


def test_the_page_is_fit_to_be_read(played: Evening) -> None:
    """No line is too wide or ends in blanks; only the command to copy stays in one piece."""
    *lines, command, blank = played.shown.splitlines()

    assert blank == ""
    assert command.startswith("  Ask it yourself:  engram search ")
    assert max(map(len, lines)) <= min(played.width, WIDEST)
    assert [line for line in lines if line != line.rstrip()] == []
    assert "\n\n\n" not in played.shown


def test_the_file_stays_and_holds_what_was_said(played: Evening) -> None:
    """All but the secret, sound by its own log."""
    path = Path(played.results.path)

    assert SECRET.encode() not in path.read_bytes().lower()
    with Memory.open(path) as memory:
        assert memory.check()["ok"]
        found = memory.search("Who repaired the cello?", top_k=1)["results"]
        assert "Ingrid" in found[0]["memory"]


def test_the_results_are_json_values(played: Evening) -> None:
    """So that a program can hold the demo to its word."""
    plain = played.results.plain()

    assert json.loads(json.dumps(plain)) == plain
    assert plain["messages"] == 412
    assert plain["held"] is True


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    """The message asks for another."""
    (tmp_path / "mine.db").write_text("mine", encoding="utf-8")

    with pytest.raises(InvalidInput, match=r"'.*mine\.db' exists; name another"):
        evening(tmp_path / "mine.db", 80)


def test_without_a_path_the_file_is_in_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: Path
) -> None:
    """And it is not removed: the last line says where it is."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    out = io.StringIO()

    results = play(out=Console(file=out, width=80), data=small)

    assert Path(results.path).is_relative_to(tmp_path)
    assert Path(results.path).exists()
    assert results.path in out.getvalue()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A benchmark of one session with a question that its first line answers."""
    says = ["I adopted a guinea pig.", "How nice!", "The weather is bad.", "So it is."]
    turns = [
        {"speaker": "Mel", "dia_id": f"D1:{at + 1}", "text": text} for at, text in enumerate(says)
    ]
    talk = {"session_1_date_time": "1:56 pm on 8 May, 2023", "session_1": turns}
    asked = {"question": "Which pet was adopted?", "answer": "a guinea pig", "evidence": ["D1:1"]}
    file = tmp_path / "locomo.json"
    document = [{"sample_id": "tiny", "conversation": talk, "qa": [asked]}]
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


def test_a_benchmark_is_played_beside_its_true_evidence(tmp_path: Path, small: Path) -> None:
    """What was found, what should have been, and the answer of the benchmark."""
    seen = evening(tmp_path / "demo.db", 80, small)

    assert [*seen.results.acts] == ["recall", "latency"]
    assert seen.results.acts["recall"]["hits"] == 1
    assert "found D1:1" in seen.shown
    assert "true evidence D1:1" in " ".join(seen.shown.split())


def test_a_screen_shows_the_lines_as_they_are_said(tmp_path: Path, small: Path) -> None:
    """With how far it is; in a pipe only the summary is left."""
    out = io.StringIO()
    screen = Console(file=out, width=80, force_terminal=True, highlight=False)

    play(tmp_path / "demo.db", out=screen, data=small)

    assert "4 of 4" in out.getvalue()
    assert "messages/s" in out.getvalue()
    assert "messages/s" not in evening(tmp_path / "pipe.db", 80, small).shown


def test_the_published_benchmark_is_played(tmp_path: Path, shared: Callable[[str], Path]) -> None:
    """True evidence is found for most of the questions that are asked."""
    seen = evening(tmp_path / "demo.db", 100, shared("data/locomo/locomo_first5.json"))

    assert seen.results.held
    assert seen.results.messages > 300
    assert seen.results.acts["recall"]["hits"] >= 4

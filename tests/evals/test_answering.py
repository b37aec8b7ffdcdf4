"""Answers and marks: the prompts, the rules, the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from engram.errors import InvalidInput
from engram.evals.answering import answer_all, answer_table, judged
from engram.evals.roles import Probe
from engram.evals.run import run
from engram.evals.subjects.bm25 import Bm25
from engram.evals.tasks.planted import Planted
from engram.ports import Completion


@dataclass
class Says:
    """A model that always says the same, and remembers what it was asked."""

    text: str
    asked: list[Sequence[Mapping[str, str]]] = field(default_factory=list)
    name: str = "parrot"

    def complete(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 1024,
    ) -> Completion:
        self.asked.append(messages)
        return Completion(self.text)


def test_the_reader_sees_dated_excerpts_and_never_the_gold() -> None:
    """As many lines as turns were asked for, in order of time, and the question."""
    task = Planted(count=1)
    trial = run(task, [Bm25], ks=(10,), limit=20).trials[0]
    model = Says("Oslo")
    answered = answer_all(task, trial, model, k=3)

    assert len(answered) == len(model.asked) == 20
    for one, messages in zip(answered, model.asked, strict=True):
        shown = messages[1]["content"]
        excerpts = shown.partition("\n\nToday:")[0].splitlines()[1:]
        assert len(excerpts) <= 3
        assert one.probe.question in shown
        assert all(" 2024] " in line for line in excerpts)
        assert one.f1 is None or (one.f1 == 1.0) == (one.probe.answer == "Oslo")
        assert one.judged is None


@pytest.mark.parametrize(
    ("category", "answerable", "rule"),
    [
        ("2 temporal", True, "off by one"),
        ("temporal-reasoning", True, "off by one"),
        ("knowledge-update", True, "newest value"),
        ("single-session-preference", True, "wish of the user"),
        ("4 single-hop", True, "in full"),
        ("knowledge-update", False, "cannot be answered"),
    ],
)
def test_a_judge_gets_the_rule_of_the_kind_of_question(
    category: str, answerable: bool, rule: str
) -> None:
    """Five rules, chosen by category and by whether there is an answer."""
    judge = Says("Yes.")

    assert judged(judge, Probe("p", "?", "gold", category, answerable=answerable), "said")
    assert rule in judge.asked[0][0]["content"]


@pytest.mark.parametrize("verdict", ["No.", "", "I think so, yes", "maybe"])
def test_anything_but_a_clear_yes_is_a_no(verdict: str) -> None:
    """A judge that talks around it has not said yes."""
    assert not judged(Says(verdict), Probe("p", "?", "gold", "x"), "said")


def test_the_table_has_a_row_a_category_and_one_for_all() -> None:
    """Unmarked columns stay empty; a measure of the benchmark's own replaces F1."""
    task = Planted(count=1)
    trial = run(task, [Bm25], ks=(10,), limit=30).trials[0]
    answered = answer_all(
        task, trial, Says("x"), k=1, judge=Says("yes"), score=lambda said, _: float(said == "x")
    )
    lines = answer_table(answered).splitlines()

    assert lines[-1] == "| all | 30 | 100.0 | 0.0 | 100.0 |"
    assert len(lines) == 2 + len({one.probe.category for one in answered}) + 1


def test_no_turn_to_read_is_refused() -> None:
    """Zero turns would measure the model alone."""
    trial = run(Planted(count=1), [Bm25], ks=(1,), limit=1).trials[0]

    with pytest.raises(InvalidInput, match="k must be at least 1"):
        answer_all(Planted(count=1), trial, Says(""), k=0)

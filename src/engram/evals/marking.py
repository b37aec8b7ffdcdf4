"""Answers without a model: how right is a reader who follows rules with what was brought back?"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from engram.evals.metrics import answer_words
from engram.evals.roles import Grade, Probe, Task, Turn
from engram.evals.run import Outcome, Report, Trial

_OPINIONS = {"yes", "no"}  # stand in any text, whatever it says


def marked(report: Report, task: Task, grade: Grade) -> Report:
    """The report with marks for every question that can be answered, at each of its depths.

    What is read is what a prompt would hold: of a turn that is shown in part, that part.

    Args:
        report: of ``run``.
        task: the one that was run, for the text of its turns.
        grade: marks one question.
    """
    said: dict[str, dict[str, Turn]] = {}
    for episode in task.episodes():
        turns = {turn.id: turn for session in episode.conversation for turn in session.turns}
        said.update(dict.fromkeys((probe.id for probe in episode.questions), turns))

    def mark(trial: Trial, outcome: Outcome) -> Outcome:
        turns = said[outcome.probe.id]
        read = [turns[turn] for turn in outcome.turns]
        if outcome.texts:
            shown = zip(read, outcome.texts, strict=True)
            read = [replace(turn, text=text) for turn, text in shown]
        cuts = report.ks if trial.ranked else (len(read),)
        found = [grade(outcome.probe, read[:cut]) for cut in cuts if outcome.probe.answerable]
        marks = tuple(each for each in found if each is not None)
        return replace(outcome, marks=marks if trial.ranked else marks * len(report.ks))

    trials = tuple(
        replace(trial, outcomes=tuple(mark(trial, outcome) for outcome in trial.outcomes))
        for trial in report.trials
    )
    return replace(report, trials=trials)


def held(probe: Probe, turns: Sequence[Turn]) -> float | None:
    """Whether the words of the answer stand together in one of the turns.

    A bound: no reader that only copies can be right more often. None for yes and no.
    """
    wanted = _padded(probe.answer)
    if not wanted.strip() or probe.answer.strip().lower() in _OPINIONS:
        return None
    return float(any(wanted in _padded(turn.text) for turn in turns))


@lru_cache(maxsize=1 << 15)
def _padded(text: str) -> str:
    """The words of a text as answers are compared, each between blanks."""
    return f" {' '.join(answer_words(text))} "

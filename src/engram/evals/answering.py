"""Answers and their scores, from any language model. Optional: retrieval is measured without.

The prompts are the same for every subject, so that a difference between two subjects is a
difference between what they brought back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from engram.errors import InvalidInput
from engram.evals.metrics import contains, token_f1
from engram.evals.roles import Episode, Probe, Task, Turn
from engram.evals.run import Outcome, Trial
from engram.ports import LanguageModel

_READ = (
    "You answer questions about a past conversation. Use only the excerpts. Work out relative "
    "dates such as 'last week' from the date of the excerpt. Answer in a few words. If the "
    "excerpts do not hold the answer, say: no information available."
)
_JUDGE = (
    "You mark answers. You see a question, the right answer and an answer to mark. Reply with "
    "one word: yes or no. "
)
_RULES: Mapping[str, str] = {
    "general": "Say yes if the answer holds the right answer in full; a part of it is a no.",
    "temporal": "Say yes if the times agree; a count of days, weeks or months may be off by one.",
    "update": "Say yes if the newest value is given; the old value may be mentioned beside it.",
    "preference": "The right answer is a wish of the user. Say yes if the answer respects it.",
    "abstention": "The question cannot be answered. Say yes if the answer says so.",
}
_RULE_OF = (("temporal", "temporal"), ("update", "update"), ("preference", "preference"))


LONGEST = 512
"""Tokens of an answer, and of a verdict."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer with its scores. ``judged`` is None where nobody judged.

    ``f1`` and ``contains`` compare words with the gold answer; they stand in for a judge and are
    None where the question has no gold answer.
    """

    probe: Probe
    answer: str
    f1: float | None
    contains: bool | None
    judged: bool | None


def answer_all(
    task: Task,
    trial: Trial,
    model: LanguageModel,
    *,
    k: int,
    judge: LanguageModel | None = None,
    score: Callable[[str, Probe], float] | None = None,
) -> list[Answered]:
    """Answer the questions of a trial from the first k turns that it brought back.

    Args:
        task: the task of the trial, for the text of its turns.
        trial: of ``run``.
        model: writes the answers.
        k: turns to read; everything, for a subject that does not rank.
        judge: marks them; None leaves ``judged`` empty.
        score: the benchmark's own measure in place of the plain F1, such as
            ``tasks.locomo.answer_f1``.

    Raises:
        InvalidInput: k is below 1.
        ModelFailed: a model gave no answer.
    """
    if k < 1:
        raise InvalidInput(f"k must be at least 1 turn, got {k!r}")
    turns = {episode.id: _texts(episode) for episode in task.episodes()}
    home = {p.id: episode.id for episode in task.episodes() for p in episode.questions}
    answered = []
    for outcome in trial.outcomes:
        texts = turns[home[outcome.probe.id]]
        read = outcome.turns[:k] if trial.ranked else outcome.turns
        said = _said(model, _prompt(outcome, [texts[turn] for turn in read]))
        answered.append(_scored(outcome.probe, said, judge, score))
    return answered


def _texts(episode: Episode) -> dict[str, Turn]:
    return {turn.id: turn for session in episode.conversation for turn in session.turns}


def _prompt(outcome: Outcome, turns: Sequence[Turn]) -> list[dict[str, str]]:
    dated = sorted(turns, key=lambda turn: (turn.at is None, turn.at or 0.0))
    excerpts = "\n".join(f"[{_day(turn.at)}] {turn.shown}" for turn in dated)
    probe = outcome.probe
    asked = f"Excerpts:\n{excerpts}\n\nToday: {_day(probe.at)}\nQuestion: {probe.question}"
    return [{"role": "system", "content": _READ}, {"role": "user", "content": asked}]


def _day(at: float | None) -> str:
    return "no date" if at is None else f"{datetime.fromtimestamp(at, UTC):%A %d %B %Y}"


def _scored(
    probe: Probe,
    said: str,
    judge: LanguageModel | None,
    score: Callable[[str, Probe], float] | None,
) -> Answered:
    gold = probe.answerable and probe.answer
    plain = token_f1(said, probe.answer) if gold else None
    return Answered(
        probe=probe,
        answer=said,
        f1=score(said, probe) if score else plain,
        contains=contains(said, probe.answer) if gold else None,
        judged=judged(judge, probe, said) if judge else None,
    )


def judged(judge: LanguageModel, probe: Probe, answer: str) -> bool:
    """Ask a model whether an answer is right, by the rule of the question's kind.

    Anything but a clear yes is a no. Such judges accept vague answers too often: publish the
    model's name with the figure, and never beside figures of another judge.
    """
    name = probe.category.lower()
    kind = next((rule for word, rule in _RULE_OF if word in name), "general")
    rule = _RULES[kind if probe.answerable else "abstention"]
    asked = f"Question: {probe.question}\nRight answer: {probe.answer}\nAnswer: {answer}"
    told = [{"role": "system", "content": _JUDGE + rule}, {"role": "user", "content": asked}]
    return _said(judge, told).strip().lower().startswith("yes")


def _said(model: LanguageModel, messages: Sequence[Mapping[str, str]]) -> str:
    return model.complete(messages, max_tokens=LONGEST).text


def answer_table(answered: Sequence[Answered]) -> str:
    """Write answer scores by category as Markdown: questions, F1, containment, judge, in %."""
    lines = ["| category | questions | F1 | contains | judge |", "| --- | --- | --- | --- | --- |"]
    names = sorted({one.probe.category for one in answered})
    for name in [*names, "all"]:
        group = [one for one in answered if name in (one.probe.category, "all")]
        cells = [_mean([one.f1 for one in group]), _mean([one.contains for one in group])]
        cells.append(_mean([one.judged for one in group]))
        lines.append(f"| {name} | {len(group)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{100 * sum(known) / len(known):.1f}" if known else "–"

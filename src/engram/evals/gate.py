"""A gate for changes: was less found than at an earlier run, beyond what chance explains?"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engram.errors import InvalidInput
from engram.evals.metrics import bootstrap, recall
from engram.evals.run import Report


@dataclass(frozen=True, slots=True)
class Change:
    """What a change did to recall, question by question.

    ``delta`` is the mean difference, a share, and ``low`` to ``high`` its 95 % interval. ``worse``:
    the whole interval lies below 0.
    """

    subject: str
    questions: int
    delta: float
    low: float
    high: float

    @property
    def worse(self) -> bool:
        """Whether chance does not explain the loss."""
        return self.high < 0


def changes(before: Path, report: Report) -> list[Change]:
    """Compare a report with an earlier one of the same questions.

    Args:
        before: the JSON file that an earlier run wrote.
        report: of the run now.

    Raises:
        InvalidInput: the file is no report, or asks none of the same questions.
    """
    earlier = _earlier(before)
    found = []
    for trial in report.trials:
        then = earlier.get(trial.subject, {})
        pairs = [
            recall(outcome.turns, outcome.probe.evidence, report.depth) - then[outcome.probe.id]
            for outcome in trial.outcomes
            if outcome.probe.id in then and outcome.probe.evidence
        ]
        if pairs:
            low, high = bootstrap(pairs, seed=report.seed)
            found.append(Change(trial.subject, len(pairs), sum(pairs) / len(pairs), low, high))
    if not found:
        raise InvalidInput(
            f"the earlier run must have asked some of the same questions, {str(before)!r} asked "
            "none; run it again with the same probes"
        )
    return found


def _earlier(path: Path) -> dict[str, dict[str, float]]:
    """Subject -> question -> recall at the depth of that run."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        depth = int(document["depth"])
        return {
            trial["subject"]: _recalls(trial["questions"], depth) for trial in document["trials"]
        }
    except (OSError, ValueError, LookupError, TypeError) as fault:
        raise InvalidInput(
            f"the earlier run must be a report in JSON, {str(path)!r} is not ({fault})"
        ) from None


def _recalls(questions: Sequence[Mapping[str, Any]], depth: int) -> dict[str, float]:
    return {
        question["id"]: recall(question["found"], question["evidence"], depth)
        for question in questions
        if question["evidence"] and isinstance(question["found"], list)
    }

"""The play with a conversation of the LoCoMo benchmark: evidence found beside true evidence.

Source: Maharana et al., Evaluating Very Long-Term Conversational Memory of LLM Agents, ACL 2024.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.text import Text

from engram.demo.recall import Outcome
from engram.demo.script import Line
from engram.demo.stage import Stage, evidence
from engram.errors import InvalidInput
from engram.memory import Memory

ASKED = 5
REACH = 5
"""Results among which the true evidence should be."""
_SAID = "%I:%M %p on %d %B, %Y"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What could move a terminal's cursor: anybody may have written the file."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the benchmark with its true answer and the ids of the turns that hold it."""

    text: str
    answer: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One conversation of the file and what is asked of it."""

    name: str
    script: Sequence[Line]
    questions: Sequence[Asked]


def read(path: Path) -> Sample:
    """The first conversation of a LoCoMo file.

    Raises:
        InvalidInput: the file cannot be read, or it is no LoCoMo file.
    """
    try:
        first = _visible(json.loads(path.read_text(encoding="utf-8"))[0])
        script = list(_lines(first["conversation"]))
        asked = [_asked(row) for row in first["qa"]]
        if not (script and asked):
            raise ValueError("it has no turns or no questions")
        return Sample(str(first["sample_id"]), script, asked)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as fault:
        raise InvalidInput(
            f"data must be a LoCoMo file, got {str(path)!r} ({type(fault).__name__}: {fault}); "
            "pass the published locomo10.json"
        ) from fault


def _visible(value: Any) -> Any:
    """A JSON value without control characters in its texts."""
    if isinstance(value, str):
        return _CONTROL.sub(" ", value)
    if isinstance(value, list):
        return [_visible(inner) for inner in value]
    if isinstance(value, dict):
        return {key: _visible(inner) for key, inner in value.items()}
    return value


def _lines(talk: Mapping[str, Any]) -> Iterator[Line]:
    number = 1
    while f"session_{number}" in talk:
        at = datetime.strptime(talk[f"session_{number}_date_time"], _SAID).replace(tzinfo=UTC)
        for place, turn in enumerate(talk[f"session_{number}"]):
            picture = turn.get("blip_caption")
            yield Line(
                role="user",
                name=turn["speaker"],
                content=turn["text"] + (f" [a picture: {picture}]" if picture else ""),
                time=(at + timedelta(seconds=20 * place)).isoformat().replace("+00:00", "Z"),
                run_id=f"session {number}",
                metadata={"turn": turn["dia_id"]},
            )
        number += 1


def _asked(row: Mapping[str, Any]) -> Asked:
    found = tuple(map(str, row.get("evidence", ())))
    return Asked(str(row["question"]), str(row.get("answer", "")), found)


def chosen(questions: Sequence[Asked]) -> Sequence[Asked]:
    """Five questions, evenly over the file, that have an answer and evidence; fewer if need be."""
    fit = [question for question in questions if question.answer and question.evidence]
    count = min(ASKED, len(fit))
    return [fit[at * len(fit) // count] for at in range(count)]


def with_evidence(stage: Stage, memory: Memory, questions: Sequence[Asked]) -> Outcome:
    """What the memory finds for each question, beside the evidence that the benchmark names."""
    rows = []
    for question in questions:
        found = memory.search(question.text, top_k=REACH)["results"]
        turns = [str(evidence(result).metadata["turn"]) for result in found]
        rows.append({"question": question.text, "found": turns, "true": list(question.evidence)})
        stage.asks(question.text)
        for best in found[:1]:
            stage.quote(evidence(best), best["score"])
        stage.show(
            Text.assemble(
                ("found ", "dim"),
                _marked(turns, question.evidence),
                ("   true evidence ", "dim"),
                " ".join(question.evidence),
                ("   answer ", "dim"),
                question.answer,
            ),
            indent=4,
        )
        stage.console.print()
        stage.wait(40)
    right = sum(bool(set(row["found"]) & set(row["true"])) for row in rows)
    held = 2 * right > len(rows)
    stage.verdict(f"true evidence among the first {REACH} for {right} of {len(rows)}", held=held)
    return Outcome(held, {"questions": rows, "hits": right})


def _marked(turns: Sequence[str], true: Sequence[str]) -> Text:
    return Text(" ").join(
        Text(turn, style="bold green" if turn in true else "dim") for turn in turns
    )

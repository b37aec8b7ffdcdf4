"""Constant memory: each turn sees the task, the last output and the last observation, no more.

Source: Zhou 2025, MEM1: Learning to Synergize Memory and Reasoning for Efficient Long-Horizon
Agents, arXiv:2506.15841.
Differs: what leaves the context is kept in a memory, and the tag ``recall`` searches it; the peak
counts every task and not only those that were answered; without a model, rules are the policy.
"""

import hashlib
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from engram.agents.extractive import Extractive
from engram.errors import InvalidInput, brief
from engram.memory import Memory
from engram.plaintext.text.tokens import estimated

Environment: TypeAlias = Callable[[str], str | Sequence[str]]
"""Answers a query with a text, or with documents, best first."""

LONGEST = 1000
"""Tokens of an output and of an observation; what is longer is cut."""

PROMPT = """\
Answer the task. Each turn you see this, your last output and the last information, nothing else.
Write <think>everything that is worth keeping</think>, then one of
<search>a query to the outside</search>
<recall>a query to what you have seen in earlier turns</recall>
<answer>the answers, separated by semicolons</answer>
Task: """
_ACTION = re.compile(r"<(search|recall|answer)>(.*?)</\1>", re.DOTALL)
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_UNMARKED = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True, slots=True)
class Turn:
    """One output, the context that it was written in, and what came back; empty at the end."""

    context: str
    output: str
    observation: str = ""

    @property
    def tokens(self) -> int:
        """What the model holds at the end of the turn."""
        return estimated(self.context + self.output)


@dataclass(frozen=True, slots=True)
class Trajectory:
    """All turns of a task. ``prompt`` opens every context; ``answer`` is None if none came."""

    prompt: str
    turns: tuple[Turn, ...] = ()
    answer: str | None = None

    @property
    def peak_tokens(self) -> int:
        """The most tokens of any turn, whether or not the task was answered."""
        return max((turn.tokens for turn in self.turns), default=0)

    @property
    def answers(self) -> list[str]:
        """One for each objective."""
        return [each.strip() for each in self.answer.split(";")] if self.answer else []


@dataclass(frozen=True, slots=True)
class ConstantMemoryAgent:
    """Works on a task turn by turn; see ``run``.

    Attributes:
        policy: continues a context; None for rules that need no model.
        env: answers the queries of ``search``.
        max_turns: outputs for one task, at least 1.
        top_k: documents of a search, and memories of a recall, that are read.
        memory: keeps the observations that leave the context; None for one that vanishes with the
            task. Those of one task are in a run of their own.
    """

    policy: Callable[[str], str] | None
    env: Environment
    max_turns: int = 6
    top_k: int = 3
    memory: Memory | None = None

    def __post_init__(self) -> None:
        """Refuse what can never answer."""
        for name in ("max_turns", "top_k"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"{name} must be at least 1, got {getattr(self, name)!r}")

    def run(self, task: str) -> Trajectory:
        """Every turn up to the answer, or up to ``max_turns``.

        Raises:
            InvalidInput: the task says nothing.
        """
        if not task.strip():
            raise InvalidInput(f"a task must be text that says something, got {brief(task)}")
        if self.memory is not None:
            return self._run(task, self.memory)
        with Memory.open(":memory:", embedder="none", model="none") as memory:
            return self._run(task, memory)

    def _run(self, task: str, memory: Memory) -> Trajectory:
        prompt, fresh, answer = f"{PROMPT}{task}\n", "", None
        turns: list[Turn] = []
        policy = self.policy or Extractive()
        for left in range(self.max_turns - 1, -1, -1):
            last = turns[-1].output + turns[-1].observation if turns else ""
            output = stopped(policy(prompt + last))
            verb, asked = action(output)
            if verb == "answer":
                turns.append(Turn(prompt + last, output))
                answer = asked
                break
            # the last observation leaves the context only now, and a recall is for what has left
            _keep(fresh, task, memory)
            seen = self._recalled(asked, task, memory) if verb == "recall" else self._seen(asked)
            fresh = seen if verb == "search" else ""
            turns.append(Turn(prompt + last, output, wrapped(seen, left)))
        _keep(fresh, task, memory)
        return Trajectory(prompt, tuple(turns), answer)

    def _seen(self, query: str) -> str:
        if not query:
            return "Nothing was asked. Write one search, recall or answer."
        found = self.env(query)
        return found if isinstance(found, str) else "\n".join(found[: self.top_k])

    def _recalled(self, query: str, task: str, memory: Memory) -> str:
        if not query:
            return self._seen(query)
        found = memory.search(query, top_k=self.top_k, run_id=run_of(task))["results"]
        return "\n".join(result["memory"] for result in found) or "Nothing of that was seen."


def _keep(seen: str, task: str, memory: Memory) -> None:
    if seen.strip():
        memory.add({"role": "tool", "content": seen}, run_id=run_of(task))


def run_of(task: str) -> str:
    """The ``run_id`` under which a memory keeps what was observed for a task."""
    return f"mem1-{hashlib.sha256(task.encode()).hexdigest()[:16]}"


def action(output: str) -> tuple[str, str]:
    """The tag that an output ends with and what it holds; two empty texts if there is none."""
    found = _ACTION.search(output)
    return (found[1], found[2].strip()) if found else ("", "")


def stopped(output: str) -> str:
    """An output up to the end of its first action, as generation stops there, and not too long."""
    found = _ACTION.search(output)
    return shortened(output[: found.end() if found else None])


def wrapped(seen: str, left: int) -> str:
    """An observation as a context shows it. It cannot close its own tag."""
    cut = shortened(seen).replace("</information", "<\\/information")
    return f"\n<information>{cut}\n[turns left: {left}]</information>\n"


def shortened(text: str, most: int = LONGEST) -> str:
    """The start of a text, of at most so many tokens."""
    while (tokens := estimated(text)) > most:
        text = text[: len(text) * (most - 1) // tokens]
    return text


def em_multi(pred: Sequence[str], gold: Sequence[Sequence[str]]) -> float:
    """Objectives answered exactly: their number, not their share.

    Case, articles, punctuation and spacing do not count.

    Args:
        pred: an answer for each objective, in order; missing ones are wrong.
        gold: the answers that are right, for each objective.
    """
    pairs = zip(pred, gold, strict=False)
    return float(sum(_plain(one) in {_plain(right) for right in known} for one, known in pairs))


def _plain(text: str) -> str:
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_UNMARKED)).split())

"""A policy of rules: it keeps the best sentence for each objective, within a token budget.

Source: engram 2026; it stands in for the trained model of MEM1, arXiv:2506.15841.
Differs: not a published method: it copies sentences and does not reason.
"""

import re
from dataclasses import dataclass

from engram.plaintext.text.sentences import sentences
from engram.plaintext.text.tokens import estimated
from engram.plaintext.text.words import terms

_TASK = re.compile(r"^Task: (.*?)\s*(?=^<think>|\Z)", re.MULTILINE | re.DOTALL)
_HELD = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)
_INFORMATION = re.compile(r"<information>(.*?)\n\[turns left: (\d+)\]</information>", re.DOTALL)
_THOUGHT = re.compile(r"<think>(.*?)</think>", re.DOTALL)
_TAG = re.compile(r"</?\w+>")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
NOTHING = "unknown"


@dataclass(frozen=True, slots=True)
class Extractive:
    """Asks for each objective in turn; the task names them, separated by semicolons.

    Attributes:
        tokens: of all sentences that are kept; the ones that bear least on their objective go
            first.
    """

    tokens: int = 256

    def __call__(self, context: str) -> str:
        """The next output: a state, and a search or the answer."""
        named = _TASK.search(context)
        task, past = (named[1], context[named.end() :]) if named else ("", "")
        goals = [" ".join(each.split()) for each in task.split(";") if each.strip()]
        # the state is what was thought, and comes before what was seen, which may pose as one
        thought = _THOUGHT.search(past)
        held = {int(at): said for at, said in _HELD.findall(thought[1] if thought else "")}
        seen = _INFORMATION.search(past)
        if seen and len(held) < len(goals):
            held[len(held) + 1] = _best(goals[len(held)], seen[1])
        kept = self._kept(held, goals)
        state = "".join(f"{at}. {said}\n" for at, said in kept.items())
        # with one turn left the answer cannot wait for the objectives that are still open
        if len(kept) >= len(goals) or (seen and int(seen[2]) <= 1):
            said = [_short(goal, kept.get(at, NOTHING)) for at, goal in enumerate(goals, 1)]
            return f"<think>\n{state}</think>\n<answer>{'; '.join(said) or NOTHING}</answer>"
        return f"<think>\n{state}</think>\n<search>{goals[len(kept)]}</search>"

    def _kept(self, held: dict[int, str], goals: list[str]) -> dict[int, str]:
        kept = {at: said for at, said in held.items() if 1 <= at <= len(goals)}
        worth = {at: _shared(goals[at - 1], said) for at, said in kept.items()}
        for at in sorted(worth, key=lambda one: (worth[one], -one)):
            if sum(estimated(said) for said in kept.values() if said != NOTHING) <= self.tokens:
                break
            kept[at] = NOTHING
        return kept


def _best(goal: str, seen: str) -> str:
    """The sentence that has most words of an objective; tags are no part of any."""
    plain = _TAG.sub(" ", seen)
    said = [" ".join(plain[start:end].split()) for start, end in sentences(plain)]
    best = max(said, key=lambda one: _shared(goal, one), default=NOTHING)
    return best if _shared(goal, best) else NOTHING


def _short(goal: str, said: str) -> str:
    """The longest part of a sentence that the objective does not say; all of it if there is none.

    It begins and ends with a word that is not grammar, and holds no semicolon.
    """
    plain, asked = said.replace(";", ","), set(terms(goal).content)
    runs: list[list[tuple[int, int]]] = [[]]
    for word in _WORD.finditer(plain):
        content = terms(word.group()).content
        if asked.intersection(content):
            runs.append([])
        elif content:
            runs[-1].append(word.span())
    longest = max(runs, key=len)
    return plain[longest[0][0] : longest[-1][1]] if longest else plain


def _shared(goal: str, said: str) -> int:
    """Words of an objective that a sentence has too, those of grammar left out."""
    return len(set(terms(goal).content).intersection(terms(said).content))

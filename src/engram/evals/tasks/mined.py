"""Questions mined from somebody's own logs: what was said becomes what must be found again.

Source: known-item search as in Azzopardi et al. 2007, Building Simulated Queries for Known-Item
    Topics, SIGIR 2007, section 3: a query is drawn from the rare words of one document.
Differs: facts that the rules read are asked for too, as a person would ask; no model is needed.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engram.errors import InvalidInput
from engram.evals.roles import Episode, Probe, Session, Turn
from engram.exchange.formats import detect
from engram.exchange.roles import Incoming
from engram.plaintext.text.statements import statements
from engram.plaintext.text.words import GRAMMAR

_ASKED: Mapping[str, str] = {
    "lives_in": "Where {do} {who} live?",
    "works_at": "Where {do} {who} work?",
    "born_in": "Where {were} {who} born?",
    "birthday": "When is {whose} birthday?",
    "age": "How old {are} {who}?",
}
_FEWEST = 6  # rare words; a turn with fewer is no item that anybody would look for
_QUERY = 4  # words of a query


@dataclass(frozen=True, slots=True)
class Mined:
    """One episode out of a log that ``engram import`` can read.

    Attributes:
        data: file, folder or archive.
        most: questions of each kind.
        seed: draws them.
    """

    data: Path
    most: int = 100
    seed: int = 0
    name: str = "mined"

    def episodes(self) -> Iterator[Episode]:
        """Yield one episode with all conversations of the log."""
        found = list(detect(self.data).read(self.data))
        talks = [each for each in found if isinstance(each, Incoming)]
        notes = tuple(
            f"{each.source}: {each.reason}" for each in found if not isinstance(each, Incoming)
        )
        sessions = tuple(_session(at, talk) for at, talk in enumerate(talks))
        turns = [turn for session in sessions for turn in session.turns]
        home = {turn.id: session.id for session in sessions for turn in session.turns}
        asked = max((turn.at or 0.0 for turn in turns), default=0.0) + 86_400.0
        mined = [*_items(turns, self.most, self.seed), *_facts(turns)[-self.most :]]
        if not mined:
            raise InvalidInput(
                f"a log must hold something to ask for, {str(self.data)!r} holds {len(turns)} "
                "turns and nothing rare; take a longer one"
            )
        probes = tuple(
            Probe(
                id=f"{kind}:{turn.id}",
                question=question,
                answer="",
                category=kind,
                evidence=(turn.id,),
                evidence_sessions=(home[turn.id],),
                at=asked,
            )
            for kind, question, turn in mined
        )
        yield Episode(self.data.name, sessions, probes, notes)


def _session(number: int, talk: Incoming) -> Session:
    turns = tuple(
        Turn(
            id=f"S{number}:{at}",
            text=said.text,
            role="assistant" if said.role == "assistant" else "user",
            speaker=said.name or "",
            at=said.at,
        )
        for at, said in enumerate(talk.messages)
        if said.role in ("user", "assistant")
    )
    return Session(f"S{number}", turns, turns[0].at if turns else None)


def _items(turns: Sequence[Turn], most: int, seed: int) -> list[tuple[str, str, Turn]]:
    """Turns with rare words, each asked for by some of these, in the order in which they stand."""
    spread = Counter(word for turn in turns for word in set(_words(turn.text)))
    chosen = [turn for turn in turns if len(set(_words(turn.text))) >= _FEWEST]
    random.Random(seed).shuffle(chosen)
    found = []
    for turn in chosen[:most]:
        words = list(dict.fromkeys(_words(turn.text)))
        rare = sorted(words, key=lambda word: spread[word])[:_QUERY]
        found.append(("item", " ".join(word for word in words if word in rare), turn))
    return found


def _facts(turns: Sequence[Turn]) -> list[tuple[str, str, Turn]]:
    """The newest statement about each thing, asked for in a question; in order of time."""
    newest: dict[str, tuple[str, str, Turn]] = {}
    for turn in turns:
        if turn.role != "user":
            continue
        for said in statements(turn.text, turn.at):
            who = said.subject or turn.speaker
            if said.name in _ASKED and not who.startswith("my "):
                question = _question(said.name, who)
                newest.pop(question, None)
                newest[question] = ("fact", question, turn)
    return list(newest.values())


def _question(relation: str, who: str) -> str:
    if not who:
        you = {"do": "do", "who": "I", "were": "was", "are": "am", "whose": "my"}
        return _ASKED[relation].format(**you)
    them = {"do": "does", "who": who, "were": "was", "are": "is", "whose": f"{who}'s"}
    return _ASKED[relation].format(**them)


def _words(text: str) -> list[str]:
    plain = ("".join(c if c.isalnum() else " " for c in text.lower())).split()
    return [word for word in plain if len(word) > 3 and word not in GRAMMAR]

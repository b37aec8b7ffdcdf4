"""LoCoMo: ten very long chats between two people, with questions in five categories.

Source: Maharana et al., Evaluating Very Long-Term Conversational Memory of LLM Agents, ACL 2024.
Differs: malformed evidence is repaired; of what surrounds the chat, only image captions are shown.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engram.errors import InvalidInput
from engram.evals.files import only, read_json, stamp
from engram.evals.metrics import answer_words, token_f1
from engram.evals.roles import Episode, Probe, Session, Turn

# The paper's table prints other names beside these numbers than most later tables do.
CATEGORIES: Mapping[int, str] = {
    1: "1 multi-hop",
    2: "2 temporal",
    3: "3 open-domain",
    4: "4 single-hop",
    5: "5 adversarial",
}
_ADVERSARIAL = 5
_TURN = re.compile(r"D:?0*(\d+):0*(\d+)")
_SESSION = re.compile(r"session_(\d+)$")
_DATE = "%I:%M %p on %d %B, %Y"
_DAY = 86_400.0  # seconds
_REFUSALS = ("no information available", "not mentioned")


@dataclass(frozen=True, slots=True)
class Locomo:
    """The conversations of one file.

    Attributes:
        data: ``locomo10.json``, or a folder with ``locomo*.json``.
        captions: show the caption of a shared picture, as its reader saw the picture. The search
            query that found the picture is never shown: nobody in the chat saw it.
    """

    data: Path
    captions: bool = True
    name: str = "locomo"

    def episodes(self) -> Iterator[Episode]:
        """Yield one episode a conversation, with its questions in the order of the file."""
        path = only(self.data, "locomo*.json")
        samples = read_json(path)
        if not isinstance(samples, list) or not all("conversation" in s for s in samples):
            raise InvalidInput(
                f"a LoCoMo file must be a list of samples with 'conversation' and 'qa', "
                f"{str(path)!r} is not; pass the published locomo10.json"
            )
        for sample in samples:
            yield self._episode(sample)

    def _episode(self, sample: Mapping[str, Any]) -> Episode:
        talk = sample["conversation"]
        numbers = sorted(int(m[1]) for m in map(_SESSION.match, talk) if m)
        sessions = tuple(self._session(talk, number) for number in numbers)
        known = {turn.id for session in sessions for turn in session.turns}
        asked = max(session.at or 0.0 for session in sessions) + _DAY
        probes, notes = [], []
        for index, entry in enumerate(sample["qa"]):
            evidence = parse_evidence(entry.get("evidence", ()), known)
            if list(evidence) != list(dict.fromkeys(entry.get("evidence", ()))):
                notes.append(f"{entry['question']!r}: {entry['evidence']} read as {[*evidence]}")
            probes.append(_probe(f"{sample['sample_id']}:{index}", entry, evidence, asked))
        return Episode(sample["sample_id"], sessions, tuple(probes), tuple(notes))

    def _session(self, talk: Mapping[str, Any], number: int) -> Session:
        at = stamp(talk[f"session_{number}_date_time"], _DATE)
        turns = tuple(
            Turn(
                id=said["dia_id"],
                text=self._text(said),
                role="user" if said["speaker"] == talk["speaker_a"] else "assistant",
                speaker=said["speaker"],
                at=at + second,
            )
            for second, said in enumerate(talk[f"session_{number}"])
        )
        return Session(f"D{number}", turns, at)

    def _text(self, said: Mapping[str, Any]) -> str:
        caption = said.get("blip_caption") if self.captions else None
        return f"{said['text']} [shares an image: {caption}]".strip() if caption else said["text"]


def _probe(probe_id: str, entry: Mapping[str, Any], evidence: tuple[str, ...], at: float) -> Probe:
    category = int(entry["category"])
    return Probe(
        id=probe_id,
        question=entry["question"],
        answer=str(entry.get("answer", "")),
        category=CATEGORIES[category],
        evidence=evidence,
        evidence_sessions=tuple(dict.fromkeys(turn.partition(":")[0] for turn in evidence)),
        at=at,
        answerable=category != _ADVERSARIAL,
    )


def parse_evidence(raw: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """Read evidence ids tolerantly: several in one string, a stray colon, leading zeros.

    Ids of turns that do not exist are dropped: nobody can retrieve them.
    """
    ids = (f"D{int(m[1])}:{int(m[2])}" for entry in raw for m in _TURN.finditer(entry))
    return tuple(dict.fromkeys(turn for turn in ids if turn in known))


def answer_f1(predicted: str, probe: Probe) -> float:
    """Score an answer as the paper does, by category.

    Multi-hop golds are lists: each part takes its best match among the parts of the prediction.
    Open-domain golds end in a reason, which is cut off. An adversarial question wants a refusal.
    """
    category = next(number for number, name in CATEGORIES.items() if name == probe.category)
    if category == _ADVERSARIAL:
        return float(any(refusal in predicted.lower() for refusal in _REFUSALS))
    if category == 1:
        parts = [part for part in probe.answer.split(",") if answer_words(part)]
        said = predicted.split(",")
        return sum(max(token_f1(s, part) for s in said) for part in parts) / max(1, len(parts))
    gold = probe.answer.split(";")[0] if category == 3 else probe.answer
    return token_f1(predicted, gold)

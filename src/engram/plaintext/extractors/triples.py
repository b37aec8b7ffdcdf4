"""Facts as head, relation and tail, read by patterns and only where they are plainly stated.

Source: Banko et al., Open Information Extraction from the Web, IJCAI 2007, section 2, for triples
    with their evidence; the functional slots follow Mem0 (Chhikara et al. 2025, arXiv:2504.19413).
Differs: a closed table of relations instead of any verb, and no language model, so that what is
    read is nearly always right and much is left unread; the text itself is kept anyway.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engram.plaintext.roles import Candidate, Record
from engram.plaintext.text.statements import Statement, statements

_SURE = 0.9
_OF_OTHERS = 0.75  # people know less about others, and a name may mean two people
_SILENT = frozenset({"system", "tool"})


@dataclass(frozen=True, slots=True)
class Triples:
    """Reads statements about the speaker and about people whom the speaker names.

    Attributes:
        kinds: which kinds of candidates to read: ``fact``, ``preference``.
        longest: characters of a text that are read; a longer one is a document, not talk.
    """

    kinds: tuple[str, ...] = ("fact", "preference")
    longest: int = 20_000

    def extract(self, record: Record) -> Sequence[Candidate]:
        """One candidate a statement. The system, tools and an unnamed assistant state nothing."""
        speaker = str(record.fields.get("speaker") or "")
        role = record.fields.get("role", "user")
        if role in _SILENT or (role == "assistant" and not speaker):
            return ()
        found = statements(record.text[: self.longest], record.event_time)
        return [
            _candidate(each, speaker, record) for each in found if each.relation.kind in self.kinds
        ]


def _candidate(said: Statement, speaker: str, record: Record) -> Candidate:
    shown, head = _head(said.subject, speaker)
    return Candidate(
        kind=said.relation.kind,
        text=said.relation.phrase.format(head=shown, tail=said.tail, what=said.what),
        start=said.start,
        end=said.end,
        fields={
            "head": head,
            "relation": said.name,
            "tail": said.tail,
            "functional": said.relation.functional,
        },
        valid_from=record.event_time if said.since is None else said.since,
        confidence=_OF_OTHERS if said.subject else _SURE,
        method="triples",
        source=record,
    )


def _head(subject: str, speaker: str) -> tuple[str, str]:
    """How the head is shown, and how it is stored: lower case, "user" for a nameless speaker."""
    if subject.startswith("my "):
        whose = f"'s {subject.removeprefix('my ')}"
        return (speaker or "The user") + whose, (speaker or "user").lower() + whose
    shown = subject or speaker or "The user"
    return shown, shown.lower() if subject or speaker else "user"

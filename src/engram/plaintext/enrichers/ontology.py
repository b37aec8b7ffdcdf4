"""What was said becomes thoughts, each filed under one topic of a fixed ontology.

Source: Westhäußer et al. 2025, CAIM, arXiv:2505.13044, section 3.3: after a session, events become
    inductive thoughts with tags of the ontology; an unseen topic gets the closest tag.
Differs: right after a message is stored; a thought is what one message says on one topic, quoted
    where no model words it. The ontology is the house's own, theirs is not published.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engram.plaintext.advice import Advisor, Question, fields, numbered
from engram.plaintext.derived import derived
from engram.plaintext.roles import Edit, EditPlan, Record, State, View
from engram.plaintext.text.ontology import TOPICS, VERSION, nearest, spoken_of
from engram.plaintext.text.sentences import sentences
from engram.plaintext.text.slots import is_person
from engram.plaintext.text.words import terms
from engram.ports import Embedder

_TEXT = {"type": "string"}
_ASKED = (
    "Read these numbered messages of a conversation. For each that says something worth knowing "
    "later, write a thought: one sentence in the third person that stands on its own, and the one "
    "topic that fits it best. Leave out greetings and small talk."
)


@dataclass(frozen=True, slots=True)
class Ontology:
    """Makes ``thought`` records; their one tag is the topic, and the slot they are found by.

    Attributes:
        least: words that are not mere grammar from which a sentence is worth a thought.
        most: thoughts of one message.
        embedder: finds the nearest topic where no word speaks for one; without it such sentences
            become no thought.
        advisor: words the thoughts; None for quoting.
    """

    least: int = 2
    most: int = 3
    embedder: Embedder | None = None
    advisor: Advisor | None = None

    def enrich(self, fresh: Sequence[Record], now: float, view: View) -> EditPlan:
        """Return the thoughts of what people said that are not there yet."""
        said = [record for record in fresh if is_person(record)]
        told = self._advised(said)
        found = self._quoted(said) if told is None else told
        new = [
            _thought(said[at], topic, text)
            for at, topics in found.items()
            for topic, text in list(topics.items())[: self.most]
        ]
        held = view.current(thought.id for thought in new)
        edits = [edit for thought in new for edit in _put(thought, held.get(thought.id))]
        return EditPlan(tuple(edits), "ontology", f"topics of version {VERSION}")

    def _quoted(self, said: Sequence[Record]) -> dict[int, dict[str, str]]:
        """Number of the message -> topic -> its sentences on that topic."""
        found: dict[int, dict[str, str]] = {}
        for at, record in enumerate(said):
            spans = [record.text[s.start : s.end] for s in sentences(record.text)]
            telling = [text for text in spans if len(set(terms(text).content)) >= self.least]
            whole = self._topic(record.text) if telling else ""
            for text in telling:
                if topic := next(iter(spoken_of(text)), whole):
                    topics = found.setdefault(at, {})
                    topics[topic] = f"{topics[topic]} {text}" if topic in topics else text
        return found

    def _topic(self, text: str) -> str:
        """The topic of a text; "" where neither a word nor an embedder tells."""
        if spoken := spoken_of(text):
            return spoken[0]
        return (
            ""
            if self.embedder is None
            else nearest(self.embedder.embed([text])[0], self.embedder)[0]
        )

    def _advised(self, said: Sequence[Record]) -> dict[int, dict[str, str]] | None:
        """What a model makes of the messages; None where it makes nothing that can be used."""
        if self.advisor is None or not said:
            return None
        one = fields(
            {
                "of": {"type": "integer", "minimum": 0, "maximum": len(said) - 1},
                "text": _TEXT,
                "topic": {"type": "string", "enum": list(TOPICS)},
            }
        )
        asked = fields({"thoughts": {"type": "array", "items": one}})
        shown = numbered(f"{_who(record)}: {record.text}" for record in said)
        answer = self.advisor.ask(Question("thoughts", _ASKED, shown, asked, 4096))
        return None if answer is None else _by_message(answer["thoughts"], said)


def _by_message(
    thoughts: Sequence[Mapping[str, str]], said: Sequence[Record]
) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for thought in thoughts:
        at, text = int(thought["of"]), " ".join(thought["text"].split())
        # A thought is about as long as what it was made of; a much longer one was made up.
        if text and len(text) <= 2 * len(said[at].text) + 100:
            found.setdefault(at, {}).setdefault(thought["topic"], text)
    return found


def _who(record: Record) -> str:
    return str(record.fields.get("speaker") or record.fields.get("role") or "user")


def _thought(source: Record, topic: str, text: str) -> Record:
    filed = {"head": topic, "relation": "topic", "ontology": VERSION}
    speaker = source.fields.get("speaker")
    return derived(
        [source],
        "thought",
        text,
        "ontology",
        key=topic,
        fields=filed | ({"speaker": speaker} if speaker else {}),
        tags=(topic,),
        valid_from=source.valid_from,
    )


def _put(new: Record, held: Record | None) -> Iterator[Edit]:
    """Add it, or bring it back where the text that it was made of has changed."""
    if held is None:
        yield Edit(new)
    elif held.state is not State.ACTIVE and held.superseded_by is None and not held.frozen:
        yield Edit(new, basis=held.version)

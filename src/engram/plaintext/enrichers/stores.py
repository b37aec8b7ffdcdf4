"""A message is filed in every store that it may belong in: core, episodes, concepts, ways, sources.

Source: Wang and Chen 2025, MIRIX, arXiv:2507.07957, section 3: six memory components, a meta memory
    manager that routes to them, and managers that search their store before they write.
Differs: rules route, or a model where there is one, over the five stores that are open; the vault
    takes its part before anything is stored. All items of a message rest on that message, so recall
    shows one of them. What says the same is merged, and a newer item takes the place of an older
    one of its name that it mostly repeats; nothing is deleted. Episodes are not rewritten into one
    another, and a document is kept once, as the message that it came in.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from engram.plaintext.advice import Advisor, Question, choices, fields, numbered
from engram.plaintext.derived import derived
from engram.plaintext.roles import Edit, EditPlan, Record, Source, View
from engram.plaintext.text.drafts import Drafts
from engram.plaintext.text.filing import STORES, Item, items, whole
from engram.plaintext.text.slots import is_person, placed, rivals, said_at, told
from engram.plaintext.text.wording import lasts, merged, overlap
from engram.plaintext.text.words import same_text

_METHOD = "stores"
_INSTRUCTIONS = (
    "Sort the numbered messages into stores, by their numbers. core: what people say of themselves "
    "that lasts, and how they want the assistant to be. episodic: what happened or will happen at "
    "some time. semantic: what something or somebody is. procedural: how something is done. "
    "resource: documents, files and links. A message may be in several, small talk in none; where "
    "it may belong in a store, put it there."
)


@dataclass(frozen=True, slots=True)
class Stores:
    """Makes ``core``, ``episodic``, ``semantic``, ``procedural`` and ``resource`` records.

    Attributes:
        alike: share of words in common from which a newer item of one name replaces an older.
        similar: nearest items of a store among which one that says the same is looked for.
        batch: messages that a model sorts at once.
        advisor: sorts the messages, where there is one.
    """

    alike: float = 0.5
    similar: int = 10
    batch: int = 8
    advisor: Advisor | None = None

    def enrich(self, fresh: Sequence[Record], now: float, view: View) -> EditPlan:
        """Return new items, those that say what is known already, and those that ended."""
        drafts = {store: Drafts(view, store, None) for store in STORES}
        for start in range(0, len(fresh), self.batch):
            group = fresh[start : start + self.batch]
            sorted_out = self._sorted(group)
            for at, record in enumerate(group):
                for item in _chosen(record, sorted_out, at):
                    self._file(record, item, drafts[item.store])
        edits: list[Edit] = [edit for each in drafts.values() for edit in each.edits()]
        return EditPlan(tuple(edits), _METHOD)

    def _sorted(self, group: Sequence[Record]) -> Mapping[str, Sequence[int]] | None:
        """Store -> numbers of messages, by a model; None where the rules decide."""
        which = choices(len(group))
        shape = fields(dict.fromkeys(STORES, which))
        content = numbered(record.text for record in group)
        question = Question(_METHOD, _INSTRUCTIONS, content, shape)
        return self.advisor.ask(question) if self.advisor else None

    def _file(self, record: Record, item: Item, drafts: Drafts) -> None:
        new = drafts.unsettled(_filed(record, item))
        if new is None:
            return
        for known, _ in drafts.near(new, self.similar):
            if same_text(known.text) == same_text(new.text) and lasts(known, new):
                drafts.lay(merged(new, known))
                return
        others = rivals(new, drafts.filling(new))
        if item.store != "core":
            others = [each for each in others if overlap(each.text, new.text) >= self.alike]
        drafts.lay(*placed(new, others))


def _chosen(
    record: Record, sorted_out: Mapping[str, Sequence[int]] | None, at: int
) -> Iterator[Item]:
    """The items of a message; where a model chose a store that no rule reads, all of it."""
    found = items(record.text, said_at(record), person=is_person(record))
    if sorted_out is None:
        yield from found
        return
    for store in STORES:
        if at in sorted_out[store]:
            yield from [item for item in found if item.store == store] or [
                whole(store, record.text)
            ]


def _filed(record: Record, item: Item) -> Record:
    about = {**item.fields, **_slot(record, item)}
    speaker = record.fields.get("speaker")
    if speaker:
        about |= {"speaker": speaker, "actor": speaker}
    held = said_at(record) if "relation" in about else None
    made = derived(
        [record],
        item.store,
        item.text,
        _METHOD,
        key=f"{item.start} {item.text}",
        fields=about,
        valid_from=held,
    )
    return replace(made, sources=(Source(record.id, item.start, item.end),))


def _slot(record: Record, item: Item) -> Mapping[str, object]:
    """What the item fills: of core the slot that it states, of the others their name."""
    if item.store == "core":
        within = [each for each in told(record) if item.start <= each.start < item.end]
        return within[0].slot if len(within) == 1 else {}
    if not item.name:
        return {}
    slot = {"head": item.name, "relation": item.store, "tail": item.text}
    return {**slot, "functional": True}

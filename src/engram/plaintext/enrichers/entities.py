"""Entities become nodes and what is said of them becomes edges, which end but are never deleted.

Source: Chhikara et al. 2025, Mem0, arXiv:2504.19413, section 2.2 (Mem0 with graph memory).
Differs: one question finds entities and relations; each must be named in the message that it rests
    on. Names are one node when they are equal, or near and of as many words and one kind: nearness
    alone takes the University of Oslo for Oslo. Edges end in the world's time. A model calls edges
    obsolete by small numbers and within a quota, and only where a new edge leaves the same node.
    Without a model, names are found by their form, edges are triples read by rules, and the latest
    value of a slot wins.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engram.plaintext.advice import Advisor, Question, choices, fields, numbered
from engram.plaintext.derived import derived
from engram.plaintext.roles import EditPlan, Record, Source, State, View
from engram.plaintext.text import slots
from engram.plaintext.text.drafts import Drafts
from engram.plaintext.text.entities import IS_A, alike, entities
from engram.plaintext.text.entities import nodes as known_nodes
from engram.plaintext.text.wording import merged
from engram.plaintext.text.words import same_text
from engram.ports import Embedder

NODE, EDGE = "fact", "edge"
_NEAR = 10  # known edges that a new one is compared with
_LABEL = re.compile(r"[a-z][a-z_ ]{0,40}")
_NUMBER = {"type": "integer", "minimum": 0}
_KINDS = ["person", "place", "organisation", "title", "thing", "other"]
_NAMED = fields({"name": {"type": "string", "maxLength": 60}, "kind": {"enum": _KINDS}})
_RELATED = fields({"head": _NUMBER, "relation": {"type": "string"}, "tail": _NUMBER})
_GRAPH = (
    "Draw a graph of what the message tells. entities: the people, places, organisations and "
    "things that it names, by the very words of the message; whoever speaks is one. relations: "
    "what it says of two of them, with a label of few words such as lives_in; head and tail are "
    "the positions of the two in your list of entities, counted from 0. Leave out small talk."
)
_OBSOLETE = (
    "New edges of a graph, and known ones of the same nodes. obsolete: known edges that cannot be "
    "true any longer, each with the number of the new one that ends it as by. Edges that may be "
    "true together are not obsolete."
)


@dataclass(frozen=True, slots=True)
class Entities:
    """Keeps a graph of what is named.

    Attributes:
        threshold: cosine from which two names are one node.
        makes: which parts of the graph: ``nodes``, ``edges``.
        evidence: messages that a node rests on at most.
        quota: edges that those of one message may end on a model's word.
        embedder: finds near names; without it only equal ones are one node.
        advisor: draws the graph, where there is one.
    """

    threshold: float = 0.7
    makes: tuple[str, ...] = ("nodes", "edges")
    evidence: int = 16
    quota: int = 5
    embedder: Embedder | None = None
    advisor: Advisor | None = None

    def enrich(self, fresh: Sequence[Record], now: float, view: View) -> EditPlan:
        """Return new nodes and edges, and those that change because of them."""
        nodes, edges = Drafts(view, NODE, None), Drafts(view, EDGE, self.embedder)
        known = {same_text(node.text): node for _, node in known_nodes(view)}
        for said in fresh:
            names, found = self._graph(said)
            ends = {name: "other" for each in found for name in (each.head, each.tail)}
            at: dict[str, Record] = {}
            for name, kind in (ends | dict(names)).items():
                at[name] = self._node(_made(name, kind, said), nodes, known)
                known[same_text(at[name].text)] = at[name]
                nodes.lay(at[name])
            new = []
            for each in found:
                edge = edges.unsettled(_edge(each, said, at[each.head], at[each.tail]))
                if edge is not None:
                    edges.lay(*_placed(edge, edges.filling(edge), now))
                    new.append(edge)
            self._end_obsolete(new, edges, now)
        return EditPlan((*nodes.edits(), *edges.edits()), "entities")

    def _graph(self, said: Record) -> tuple[Mapping[str, str], Sequence[slots.Told]]:
        """The names in a message with their kinds, and what it says of two of them."""
        speaker = str(said.fields.get("speaker") or "")
        shape = fields({"entities": _listed(_NAMED), "relations": _listed(_RELATED)})
        shown = f"{speaker or said.fields.get('role')}: {said.text}"
        answer = self.advisor and self.advisor.ask(Question("graph", _GRAPH, shown, shape))
        found: Iterable[slots.Told] = slots.told(said)
        names = {speaker: "person"} if speaker else {}
        if answer:
            named = [(str(each["name"]), str(each["kind"])) for each in answer["entities"]]
            names |= {name: kind for name, kind in named if _stands(name, shown)}
            found = _related([name for name, _ in named], answer["relations"], said)
        else:
            plain = (each for each in entities(said.text) if each.kind != "thing")
            names |= {each.text: each.kind for each in plain}
        return names, list(found) if "edges" in self.makes else []

    def _node(self, made: Record, nodes: Drafts, known: Mapping[str, Record]) -> Record:
        """The node that a name stands for, resting on the message too, or a new one."""
        if node := known.get(same_text(made.text)):
            return self._heard(node, made)
        others = list(known.values())
        like = alike(made.text, [node.text for node in others], self.embedder, self.threshold)
        near = next((others[at] for at, _ in like if _may_be_one(others[at], made)), None)
        return near or nodes.unsettled(made) or nodes.held(made)

    def _heard(self, known: Record, again: Record) -> Record:
        """What is known already, with one more message that it rests on."""
        rests = {each.record for each in known.sources}
        if known.frozen or len(rests) >= self.evidence or again.sources[0].record in rests:
            return known
        return replace(known, sources=(*known.sources, *again.sources))

    def _end_obsolete(self, new: Sequence[Record], edges: Drafts, now: float) -> None:
        """End what the model calls obsolete, as far as it may."""
        ids = {edge.id for edge in new} if self.advisor else set()
        near = [(edge, each) for edge in new if ids for each, _ in edges.near(edge, _NEAR)]
        leave = [each for edge, each in near if _leave_one(edge, each)]
        old = list({each.id: each for each in leave if each.id not in ids}.values())
        if not old or self.advisor is None:
            return
        fresh, known = (numbered(each.text for each in group) for group in (new, old))
        ends = {"edge": choices(len(old))["items"], "by": choices(len(new))["items"]}
        shape = fields({"obsolete": _listed(fields(ends))})
        content = f"New:\n{fresh}\n\nKnown:\n{known}"
        answer = self.advisor.ask(Question("obsolete", _OBSOLETE, content, shape))
        for each in answer["obsolete"][: self.quota] if answer else ():
            by, other = edges.held(new[each["by"]]), edges.held(old[each["edge"]])
            if by.state is other.state is State.ACTIVE and _leave_one(by, other):
                edges.lay(*slots.placed(by, [other], now))


def _listed(one: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"type": "array", "items": one, "maxItems": 20}


def _leave_one(edge: Record, other: Record) -> bool:
    return bool(edge.fields["head"] == other.fields["head"])


def _stands(name: str, shown: str) -> bool:
    """Whether a name stands in a text as whole words."""
    return bool(same_text(name)) and f" {same_text(name)} " in f" {same_text(shown)} "


def _made(name: str, kind: str, said: Record) -> Record:
    slot = {"head": name.lower(), "relation": IS_A, "tail": kind}
    return derived([said], NODE, name, "entities", f"node {same_text(name)}", fields=slot)


def _may_be_one(known: Record, made: Record) -> bool:
    kinds = {str(each.fields["tail"]) for each in (known, made)} - {"other"}
    return len(kinds) < 2 and len(known.text.split()) == len(made.text.split())


def _related(
    named: Sequence[str], relations: Sequence[Mapping[str, Any]], said: Record
) -> Iterator[slots.Told]:
    """The edges of a model, where they run between two names that stand in the message."""
    shown = f"{said.fields.get('speaker') or ''} {said.text}"
    for each in relations if slots.is_person(said) else ():
        ends = [named[at] for at in (each["head"], each["tail"]) if at < len(named)]
        label = each["relation"].lower().strip()
        if len(ends) == 2 and _LABEL.fullmatch(label) and all(_stands(e, shown) for e in ends):
            head, tail = ends
            text = f"{head} {label.replace('_', ' ')} {tail}"
            plain = {"head": head.lower(), "relation": label, "tail": tail, "functional": False}
            if same_text(head) != same_text(tail):
                slot = slots.slot_of(text) or plain
                yield slots.Told(text, head, tail, slot, 0, len(said.text))


def _placed(edge: Record, history: Sequence[Record], now: float) -> list[Record]:
    """The after-images: it is known, or takes its place in the history of its slot."""
    for known in history:
        if known.state is State.ACTIVE and slots.agrees(known, edge):
            return [merged(edge, known)]
    return slots.placed(edge, slots.rivals(edge, history), now)


def _edge(each: slots.Told, said: Record, head: Record, tail: Record) -> Record:
    """The edge between two nodes; its slot is the node's, whatever name the message has for it."""
    known = same_text(head.text) == same_text(each.head)
    slot = each.slot if known else {**each.slot, "head": head.text.lower()}
    links = {tail.id: "tail", head.id: "head"}
    begun = slots.said_at(said) if each.since is None else each.since
    edge = derived([said], EDGE, each.text, "entities", fields=slot, links=links, valid_from=begun)
    return replace(edge, sources=(Source(said.id, each.start, each.end),))

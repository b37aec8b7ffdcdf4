"""Items are organised as a tree: topics, their concepts, and the items below.

Source: Li et al. 2025, MemOS, arXiv:2507.03724, the reorganiser of the repository MemTensor/MemOS
    (version 2): from 20 items on, clusters of at most 20, those of more than 10 split by theme,
    and a parent with a summary for four children or more.
Differs: topics are groups around a middle, and only what a topic has too much of is parted by
    2-means, so nothing depends on chance. Edges lead from parent to child. An item near nothing
    has no parent. Without a model a theme is not split, and a summary is the words that tell the
    group from others and sentences that hold them. A run replaces at most a share of the topics.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from engram.plaintext.advice import Advisor, Question, choices, fields, numbered
from engram.plaintext.derived import derived
from engram.plaintext.roles import EditPlan, Floats, Record, View
from engram.plaintext.text import branches
from engram.plaintext.text.standing import laid_down, raised
from engram.plaintext.text.tiers import KIND, firsts
from engram.plaintext.text.topics import (
    around_mean,
    groups,
    speaking_of,
    titles,
    word_vectors,
)
from engram.plaintext.text.wording import grounded

_METHOD, _TOPIC, _CONCEPT = "tree", "topic", "concept"
_WORDS, _QUOTES, _SENTENCES = 3, 4, 2  # of a title and of a summary that no model wrote
_SHOWN = 40  # texts that a model sums up
_TEXT = {"type": "string", "minLength": 1, "maxLength": 1_000}
_SPLIT = (
    "These numbered memories are about related things. Split them by theme where there are several "
    "themes. members: the numbers of the memories of a theme, each in one theme at most. An empty "
    "list of themes when they have one theme only."
)
_SUM_UP = (
    "Sum up these numbered memories. title: two to five words that name what they have in common. "
    "text: two to four sentences that say what they tell, with names, numbers and dates."
)


class _Node(NamedTuple):
    """Items that get a parent, their vectors, and the words that tell them from others."""

    items: Sequence[Record]
    vectors: Floats
    words: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """Makes ``topic`` and ``concept`` records over ``item`` records.

    Attributes:
        candidates: items from which on there is a tree.
        near: cosine with the middle of a topic from which on an item belongs to it; -1 to 1.
        most: children of a parent that is made of items.
        small: items that are not split by theme.
        least: children of a parent.
        share: of the topics that stand, how many one run may replace; 0 to 1, at least one topic.
        advisor: splits and sums up, where there is one.
    """

    candidates: int = 20
    near: float = 0.35
    most: int = 20
    small: int = 10
    least: int = 4
    share: float = 0.5
    advisor: Advisor | None = None

    def keep(self, now: float, view: View) -> EditPlan:
        """Make what the items now give; lay down what they gave and give no longer."""
        if view.scope.run is not None or view.scope.agent is not None:
            return EditPlan(method=_METHOD)  # a tree is of everything that is known
        made = np.flatnonzero(view.live & view.columns.of_kind(_TOPIC, _CONCEPT))
        held = {each.id: each for each in view.records(made) if each.method == _METHOD}
        roots = [each for each in held if branches.stands_whole(each, _TOPIC, held, view)]
        old = {root: branches.leaves(root, held) for root in roots}
        nodes = self._groups(view)
        sets = [frozenset(item.id for item in node.items) for node in nodes]
        left = quota = math.ceil(self.share * len(old))
        wanted, kept = list[Record](), set[str]()
        for change in branches.regrouped(sets, list(old.values())):
            new, former = [nodes[at] for at in change.new], [roots[at] for at in change.old]
            same = {sets[at] for at in change.new} == {old[root] for root in former}
            if same or (len(former) > left and left < quota):
                kept.update(each for root in former for each in branches.subtree(root, held))
                continue
            left -= len(former)
            new = [node for node in new if not branches.turned_down(_blank(node, _TOPIC).id, view)]
            wanted += [record for tree in self._grown(new, _TOPIC) for record in tree]
        kept.update(record.id for record in wanted)
        over = [each for each in held.values() if each.id not in kept]
        edits = (*raised(wanted, view), *laid_down(over))
        return EditPlan(edits, _METHOD, "topics and concepts, as the items now are")

    def _groups(self, view: View) -> list[_Node]:
        """The items of each topic, the largest first."""
        columns = view.columns
        rows = np.flatnonzero(view.live & columns.of_kind(KIND))
        rows = rows[np.argsort(firsts(columns)[rows], kind="stable")]
        if len(rows) < self.candidates:
            return []
        items = view.records(rows)
        seen, texts = columns.embedded[rows].all(), [item.text for item in items]
        vectors = around_mean(columns.vectors[rows]) if seen else word_vectors(texts)
        labels = groups(vectors, self.near)
        sets = [np.flatnonzero(labels == number) for number in range(int(labels.max()) + 1)]
        sets = [each for each in sets if len(each) >= self.least and vectors[each].any()]
        return _named([_Node([items[at] for at in each], vectors[each]) for each in sets])

    def _grown(self, nodes: Sequence[_Node], kind: str) -> list[list[Record]]:
        """The tree of each node: its parent, then everything below that is no item."""
        grown = []
        for node in nodes:
            below = self._grown(parts, _CONCEPT) if (parts := self._split(node)) else []
            within = {item.id for part in parts for item in part.items}
            loose = [item for item in node.items if item.id not in within]
            parent = self._parent(node, kind, [*(tree[0] for tree in below), *loose])
            grown.append([parent, *(each for tree in below for each in tree)])
        return grown

    def _split(self, node: _Node) -> list[_Node]:
        count = len(node.items)
        if count > self.most:
            parts = [part.tolist() for part in branches.parted(node.vectors, self.most)]
        else:
            parts = self._themes(node.items) if count > self.small else []
        parts = [part for part in parts if self.least <= len(part) < count]
        return _named([_Node([node.items[m] for m in part], node.vectors[part]) for part in parts])

    def _themes(self, items: Sequence[Record]) -> list[list[int]]:
        """Places of the items of each theme that a model sees; none where it gives no answer."""
        one = fields({"members": choices(len(items))})
        shape = fields({"themes": {"type": "array", "items": one, "maxItems": len(items)}})
        answer = self._ask("themes", _SPLIT, [item.text for item in items], shape)
        first: dict[int, int] = {}  # an item is in the first theme that names it
        for at, theme in enumerate(answer["themes"] if answer else ()):
            first = dict.fromkeys(theme["members"], at) | first
        return [sorted(m for m in first if first[m] == at) for at in sorted(set(first.values()))]

    def _parent(self, node: _Node, kind: str, children: Sequence[Record]) -> Record:
        shown = children[:_SHOWN]
        title, text = self._summed_up(shown)
        if not text:
            title = ", ".join(node.words)
            shown = _quoted(node)
            text = " ".join(speaking_of(title, branches.spoken(shown), _SENTENCES))
        sources = dict.fromkeys(source for each in shown for source in each.sources)
        return replace(
            _blank(node, kind),
            text=f"{title}. {text}",
            fields={"title": title, "items": len(node.items)},
            tags=tuple(title.split(", ")),
            links={child.id: "parent" for child in children},
            sources=tuple(sources),
            parents=tuple(child.id for child in children),
        )

    def _summed_up(self, children: Sequence[Record]) -> tuple[str, str]:
        """Title and text by a model; "" without one, or where it says what was not shown."""
        texts = [child.text for child in children]
        shape = fields({"title": {"type": "string", "maxLength": 80}, "text": _TEXT})
        answer = self._ask("summary", _SUM_UP, texts, shape)
        title, text = (
            " ".join(answer[part].split()) if answer else "" for part in shape["required"]
        )
        fits = len(text) <= sum(map(len, texts)) and grounded(f"{title}. {text}", " ".join(texts))
        return (title, text) if fits and title and text else ("", "")

    def _ask(
        self, purpose: str, asked: str, texts: Sequence[str], shape: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        question = Question(purpose, asked, numbered(texts), shape)
        return self.advisor.ask(question) if self.advisor else None


def _named(nodes: Sequence[_Node]) -> list[_Node]:
    """The nodes with the words that tell what they quote from others; speakers name none."""
    texts = [" ".join(item.text for item in _quoted(node)) for node in nodes]
    named = titles(texts, _WORDS, [branches.speaker(item) for node in nodes for item in node.items])
    return [node._replace(words=words) for node, words in zip(nodes, named, strict=True)]


def _quoted(node: _Node) -> list[Record]:
    return [node.items[at] for at in branches.middlemost(node.vectors, _QUOTES)]


def _blank(node: _Node, kind: str) -> Record:
    """The parent of some items, whatever it says: its id follows from them."""
    return derived(node.items, kind, "", _METHOD, key=" ".join(item.id for item in node.items))

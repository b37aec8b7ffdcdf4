"""Shorter forms of texts: the sentences that say most, and trees of summaries for long documents.

Every form keeps to its length in tokens, whatever it is given.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from engram.plaintext.text.salience import LONGEST, central
from engram.plaintext.text.sentences import sentences
from engram.plaintext.text.tokens import estimated

_LEFT_OUT = " … "


class Node(NamedTuple):
    """A text and what it sums up; a leaf sums up nothing and is a chunk as it was passed."""

    text: str
    parts: "tuple[Node, ...]" = ()

    def leaves(self) -> Iterator[str]:
        """The chunks below, in their order."""
        if not self.parts:
            yield self.text
        for part in self.parts:
            yield from part.leaves()


def shorten(text: str, most: int) -> str:
    """The sentences of a text that say most, in their order, in at most so many tokens.

    What is left out between two of them is marked. Where not even one sentence fits, the
    beginning of the best is taken; of very long texts only the first sentences are compared.
    """
    if estimated(text) <= most:
        return text
    said = [text[span.start : span.end] for span in sentences(text)][:LONGEST]

    def form(count: int) -> str:
        return _joined(said, central(said, count))

    fitting = bisect_right(range(1, len(said) + 1), most, key=lambda count: estimated(form(count)))
    best = form(max(1, fitting))
    return best if estimated(best) <= most else _cut(best, most)


def pieces(text: str, most: int) -> list[str]:
    """A text in pieces of whole sentences, each of at most so many tokens unless it is one."""
    found: list[str] = []
    for span in sentences(text):
        said = text[span.start : span.end]
        longer = f"{found[-1]} {said}" if found else ""
        if longer and estimated(longer) <= most:
            found[-1] = longer
        else:
            found.append(said)
    return found


def _joined(said: Sequence[str], chosen: Sequence[int]) -> str:
    """Sentences in their order; neighbours stand side by side, others are set apart."""
    pieces = [
        (" " if before + 1 == at else _LEFT_OUT) + said[at]
        for before, at in zip([-1, *chosen], chosen, strict=False)
    ]
    ends = _LEFT_OUT if chosen and chosen[-1] < len(said) - 1 else ""
    return ("".join(pieces) + ends).strip()


def _cut(text: str, most: int) -> str:
    """The longest beginning of a text that fits, ending between two words where it can."""
    room = bisect_right(range(len(text) + 1), most, key=lambda end: estimated(text[:end] + "…")) - 1
    if room <= 0:
        return ""
    head = text[:room]
    whole = head.rpartition(" ")[0] if room < len(text) else head
    return (whole or head).rstrip() + "…"


def hierarchical_summary(
    chunks: Sequence[str],
    summarise: Callable[[str, int], str] = shorten,
    group: int = 2_300,
    most: int = 1_000,
    last: int = 1_500,
) -> Node:
    """Sum up a document that is longer than anything that can be read at once.

    Each chunk is summed up, then summaries that stand together in groups, until one is left. Every
    chunk is a leaf of the tree, once and in its place.

    Args:
        chunks: the document in pieces.
        summarise: gives a shorter text of a text, in at most so many tokens; what comes back
            longer is cut.
        group: tokens that are summed up together; at least twice ``most``.
        most: tokens of a summary.
        last: tokens of the summary at the root.
    """
    assert group >= 2 * most > 0, "two summaries must fit into a group, or it never ends"
    if not chunks:
        return Node("")
    alone = len(chunks) == 1
    nodes = [_summed([Node(chunk)], summarise, last if alone else most) for chunk in chunks]
    while len(nodes) > 1:
        groups = _grouped(nodes, group)
        room = last if len(groups) == 1 else most
        nodes = [_summed(each, summarise, room) for each in groups]
    return nodes[0]


def _summed(nodes: Sequence[Node], summarise: Callable[[str, int], str], most: int) -> Node:
    said = "\n".join(node.text for node in nodes)
    short = said if estimated(said) <= most else summarise(said, most)
    return Node(short if estimated(short) <= most else _cut(short, most), tuple(nodes))


def _grouped(nodes: Sequence[Node], most: int) -> list[list[Node]]:
    """Neighbours together as long as they fit, at least two wherever two are left."""
    groups: list[list[Node]] = [[]]
    for node in nodes:
        said = "\n".join(each.text for each in [*groups[-1], node])
        if len(groups[-1]) > 1 and estimated(said) > most:
            groups.append([])
        groups[-1].append(node)
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [[*groups[-2], *groups[-1]]]
    return groups

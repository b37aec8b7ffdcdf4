"""Branches: vectors parted until no part is large, trees of records, and what changes together."""

from collections.abc import Hashable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple, TypeVar

import numpy as np

from engram.plaintext.roles import Floats, Mask, Record, Rows, State, View
from engram.plaintext.text.sentences import sentences
from engram.plaintext.text.standing import stands
from engram.plaintext.text.topics import middles_of

_ROUNDS = 10
_STEPS = 20
Leaf = TypeVar("Leaf", bound=Hashable)


class Regrouped(NamedTuple):
    """Groups that share leaves, directly or through one another: places of the new and the old."""

    new: list[int]
    old: list[int]


def parted(vectors: Floats, most: int) -> list[Rows]:
    """Places of the vectors in parts of at most ``most``, by 2-means again and again.

    The halves begin on both sides of the longest axis, so nothing is chosen by chance. What cannot
    be told apart is parted in the middle.

    Args:
        vectors: (N, D).
        most: largest part; at least 1.
    """
    whole = np.arange(len(vectors))
    if len(vectors) <= most:
        return [whole] if len(vectors) else []
    right = _right(vectors)
    halves = [whole[~right], whole[right]]
    return [half[part] for half in halves for part in parted(vectors[half], most)]


def _right(vectors: Floats) -> Mask:
    """(N,) which of the two halves each is in; neither is empty."""
    around = vectors - vectors.mean(axis=0)
    axis = around[int(np.argmax((around**2).sum(axis=1)))].astype(np.float64)
    for _ in range(_STEPS):
        axis = around.T @ (around @ axis)
        axis /= max(float(np.linalg.norm(axis)), 1e-12)
    right: Mask = around @ axis > 1e-9
    if right.all() or not right.any():
        return np.arange(len(vectors)) >= len(vectors) // 2
    for _ in range(_ROUNDS):
        likes = vectors @ middles_of(vectors, right.astype(np.int64)).T
        moved = likes[:, 1] > likes[:, 0] + 1e-9
        if moved.all() or not moved.any() or np.array_equal(moved, right):
            break
        right = moved
    return right


def regrouped(new: Sequence[Set[Leaf]], old: Sequence[Set[Leaf]]) -> Iterator[Regrouped]:
    """What must change together for no leaf to be in two groups or lose its own.

    Args:
        new: disjoint groups of leaves.
        old: disjoint groups, some leaves of which may be gone.

    Yields:
        every group once, in the order of the new ones; old groups alone come last.
    """
    of_new = {leaf: at for at, group in enumerate(new) for leaf in group}
    of_old = {leaf: at for at, group in enumerate(old) for leaf in group}
    seen_new: set[int] = set()
    seen_old: set[int] = set()
    for start in range(len(new)):
        if start in seen_new:
            continue
        found, wait = Regrouped([], []), [start]
        seen_new.add(start)
        while wait:
            at = wait.pop()
            found.new.append(at)
            for group in sorted({of_old[leaf] for leaf in new[at] if leaf in of_old} - seen_old):
                seen_old.add(group)
                found.old.append(group)
                more = {of_new[leaf] for leaf in old[group] if leaf in of_new} - seen_new
                seen_new |= more
                wait += sorted(more)
        yield found
    yield from (Regrouped([], [at]) for at in range(len(old)) if at not in seen_old)


def subtree(root: str, held: Mapping[str, Record]) -> list[str]:
    """A parent and all parents below it."""
    below = [each for child in held[root].parents if child in held for each in subtree(child, held)]
    return [root, *below]


def leaves(root: str, held: Mapping[str, Record]) -> frozenset[str]:
    """The items below a parent."""
    tree = subtree(root, held)
    return frozenset(child for each in tree for child in held[each].parents if child not in held)


def stands_whole(parent: str, kind: str, held: Mapping[str, Record], view: View) -> bool:
    """Whether a parent is of a kind and stands with all that is below it."""
    whole = held[parent].kind == kind
    return whole and all(stands(held[each], view) for each in subtree(parent, held))


def middlemost(vectors: Floats, count: int) -> list[int]:
    """Places of the vectors that are nearest to the middle of all, in their order."""
    middle = middles_of(vectors, np.zeros(len(vectors), dtype=np.int64))[0]
    return sorted(np.argsort(-(vectors @ middle).round(5), kind="stable")[:count].tolist())


def speaker(item: Record) -> str:
    """Who said it, as it is shown."""
    return str(item.fields.get("speaker") or "User")


def spoken(items: Sequence[Record]) -> list[str]:
    """The sentences of some items, each with who said it."""
    return [
        f"{speaker(item)}: {item.text[span.start : span.end]}"
        for item in items
        for span in sentences(item.text)
    ]


def turned_down(record_id: str, view: View) -> bool:
    """Whether somebody put a parent out of recall; an erased one is gone for good."""
    held = view.get(record_id)
    if held is None:
        return bool(np.any(view.columns.ids == record_id))
    return held.state is State.ARCHIVED and "laid_down" not in held.fields

"""Recall by store, each under its name: core first, then what happened, what is, how it is done.

Source: Wang and Chen 2025, MIRIX, arXiv:2507.07957, section 4.1: what was retrieved goes into the
    system prompt, tagged by the component that it comes from; section 3.1, core holds up to 5,000
    characters.
Differs: messages that no store holds have a part of their own; the whole is quoted as data and
    keeps to the budget. Of secrets only the captions are shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engram.plaintext.roles import Pack, Record
from engram.plaintext.text.quoting import happened, line, token_count, wrapped

_HEADINGS: Mapping[str, str] = {
    "core": "core:",
    "episodic": "episodic:",
    "semantic": "semantic:",
    "procedural": "procedural:",
    "resource": "resource:",
    "secret": "vault, captions only:",
}
_OTHERS = "messages:"


@dataclass(frozen=True, slots=True)
class Stores:
    """Takes core, then the best hits that fit; within a store they are in the order of time.

    Attributes:
        core: characters of core that go before everything else.
        characters_per_token: how tokens are counted without knowing the reader's tokenizer.
    """

    core: int = 5_000
    characters_per_token: float = 3.5

    def pack(self, hits: Sequence[Record], tokens: int) -> Pack:
        """Write core, then the other hits, best first, until the budget is used up."""
        room = tokens - self._count(wrapped(()))
        parts: dict[str, list[tuple[float, int, Record]]] = {}
        for rank, record in self._in_turn(hits):
            heading = _HEADINGS.get(record.kind, _OTHERS)
            cost = self._count(line(record) + "\n")
            cost += 0 if heading in parts else self._count(heading + "\n")
            if cost <= room:
                room -= cost
                parts.setdefault(heading, []).append((happened(record), rank, record))
        if not parts:
            return Pack("", (), 0)
        lines, ids = [], []
        for heading in [name for name in (*_HEADINGS.values(), _OTHERS) if name in parts]:
            chosen = [record for *_, record in sorted(parts[heading], key=lambda item: item[:2])]
            lines += [heading, *map(line, chosen)]
            ids += [record.id for record in chosen]
        text = wrapped(lines)
        return Pack(text, tuple(ids), self._count(text))

    def _in_turn(self, hits: Sequence[Record]) -> list[tuple[int, Record]]:
        """Hits with their rank: core as far as it goes first, then all others."""
        first: list[tuple[int, Record]] = []
        later: list[tuple[int, Record]] = []
        size = 0
        for rank, record in enumerate(hits):
            size += len(record.text) if record.kind == "core" else 0
            mine = record.kind == "core" and size <= self.core
            (first if mine else later).append((rank, record))
        return [*first, *later]

    def _count(self, text: str) -> int:
        return token_count(text, self.characters_per_token)

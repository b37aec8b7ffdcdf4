"""Recall in the order in which it happened, dated, quoted and named, within a token budget.

Source: Wu et al. 2024, LongMemEval, arXiv:2410.10813, section 5.5: time-stamped items in the order
    of time help a reader more than items in the order of score.
Differs: recall is wrapped and quoted as data, so that a model does not take it for instructions
    and the system knows its own words when they come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engram.plaintext.roles import Pack, Record
from engram.plaintext.text.quoting import happened, line, token_count, wrapped


@dataclass(frozen=True, slots=True)
class Chronological:
    """Takes the best hits that fit, then puts them in order of time.

    Attributes:
        characters_per_token: how tokens are counted without knowing the reader's tokenizer; the
            default errs on the safe side for English.
    """

    characters_per_token: float = 3.5

    def pack(self, hits: Sequence[Record], tokens: int) -> Pack:
        """Write hits, best first, until the budget is used up."""
        room = tokens - self._count(wrapped(()))
        chosen: list[tuple[float, int, Record, str]] = []
        for rank, record in enumerate(hits):
            shown = line(record)
            cost = self._count(shown + "\n")
            if cost <= room:
                room -= cost
                chosen.append((happened(record), rank, record, shown))
        if not chosen:
            return Pack("", (), 0)
        chosen.sort(key=lambda item: item[:2])
        text = wrapped(shown for *_, shown in chosen)
        return Pack(text, tuple(record.id for _, _, record, _ in chosen), self._count(text))

    def _count(self, text: str) -> int:
        return token_count(text, self.characters_per_token)

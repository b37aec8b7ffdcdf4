"""What does not fit in full is shown in a shorter form, and left out only where that does not fit.

Source: Wang et al. 2023, SCM, arXiv:2304.13343, section 2.3: raw turns within the budget, else
    summaries of the less relevant, the most relevant turn raw; in the order of time.
Differs: a turn's place among the hits says how relevant it is, in place of two questions to a model
    for each turn, which would judge pieces of one answer apart. Summaries are extracted when they
    are needed. Everything is shortened before anything is dropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engram.plaintext.roles import Pack, Record
from engram.plaintext.text.quoting import happened, line, token_count, wrapped
from engram.plaintext.text.shortening import hierarchical_summary, pieces, shorten


@dataclass(frozen=True, slots=True)
class Forms:
    """Raw, summary or nothing, for each hit; the best stays raw where it fits alone.

    Attributes:
        over: tokens above which a turn has a shorter form.
        short: tokens of that form; fewer where the best hit would not fit otherwise.
        chunk: tokens of the summaries from which that of a long document is made.
        characters_per_token: how tokens are counted without knowing the reader's tokenizer.
    """

    over: int = 300
    short: int = 100
    chunk: int = 1_000
    characters_per_token: float = 3.5

    def pack(self, hits: Sequence[Record], tokens: int) -> Pack:
        """Shorten what is long until all fits, drop the worst if it still does not."""
        room = tokens - self._count(wrapped(()))
        shown = self._all(hits, room) or self._some(hits, room)
        if not shown:
            return Pack("", (), 0)
        order = sorted(shown, key=lambda rank: (happened(hits[rank]), rank))
        text = wrapped(shown[rank] for rank in order)
        return Pack(text, tuple(hits[rank].id for rank in order), self._count(text))

    def _all(self, hits: Sequence[Record], room: int) -> dict[int, str]:
        """Every hit in full; nothing where that is too much."""
        raw = dict(enumerate(map(line, hits)))
        return raw if sum(map(self._cost, raw.values())) <= room else {}

    def _some(self, hits: Sequence[Record], room: int) -> dict[int, str]:
        """The best raw, the others in their shortest form as long as these fit, then raw again."""
        shown: dict[int, str] = {}
        for rank, hit in enumerate(hits):
            for form in self._forms(hit, best=rank == 0):
                if self._cost(form) <= room:
                    shown[rank] = form
                    room -= self._cost(form)
                    break
        for rank, form in shown.items():
            more = self._cost(line(hits[rank])) - self._cost(form)
            if 0 < more <= room:
                shown[rank] = line(hits[rank])
                room -= more
        return shown

    def _forms(self, hit: Record, *, best: bool) -> Sequence[str]:
        """What may be shown of a hit, the preferred first."""
        if self._count(hit.text) <= self.over:
            return (line(hit),)
        short = line(hit, self._summary(hit.text))
        return (line(hit), short) if best else (short,)

    def _summary(self, text: str) -> str:
        chunk = max(self.chunk, 1)
        root = hierarchical_summary(
            pieces(text, 2 * chunk), shorten, group=2 * chunk, most=chunk, last=self.short
        )
        return root.text

    def _cost(self, shown: str) -> int:
        return self._count(shown + "\n")

    def _count(self, text: str) -> int:
        return token_count(text, self.characters_per_token)

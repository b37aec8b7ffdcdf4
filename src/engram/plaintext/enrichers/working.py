"""What was just said, and what the last query needs, is at hand in working memory.

Source: Li et al. 2025, MemOS, arXiv:2507.03724, MemScheduler, and the scheduler of the
    repository MemTensor/MemOS (version 2): messages are labelled; for a query that working memory
    does not cover, long-term memory is searched, and all of it is ranked anew.
Differs: the log is the queue, and its order the only priority. A turn that ends in a question is a
    query, whoever asks. An item is marked as at hand, never copied. What was said since the last
    query comes first, then what that query needs: unless an item gives way, the same log gives the
    same working memory, however it was cut into batches. Without a model, a query is covered when
    what is at hand holds most of its words, and vectors and words rank.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from engram.plaintext.advice import Advisor, Question, choices, fields, numbered
from engram.plaintext.columns import highest
from engram.plaintext.roles import Edit, EditPlan, Record, View
from engram.plaintext.text.needs import Label, Needs
from engram.plaintext.text.tiers import WORKING, changes, standing_in
from engram.plaintext.text.words import terms

_METHOD = "working"
_WORDS = {"type": "array", "items": {"type": "string", "maxLength": 40}, "maxItems": 12}
_INTENT = (
    "Somebody asks this. Can it be answered from the numbered memories alone? missing: the words "
    "to search for to find what they do not tell; an empty list when they suffice."
)
_RANK = (
    "Somebody asks this. order: the numbers of the memories that help to answer it, the most "
    "helpful first; leave out those that do not help."
)


@dataclass(frozen=True, slots=True)
class Working:
    """Moves items in and out of working memory.

    Attributes:
        most: items at hand.
        found: items that a query brings in at most.
        covered: share of a query's words from which on nothing is looked for; 0 to 1.
        recent: queries whose words count for an item.
        faithful: weigh words and uses twice, as the published code does, so that they hardly count.
        advisor: says what is missing and ranks, where there is one.
    """

    most: int = 20
    found: int = 10
    covered: float = 0.8
    recent: int = 3
    faithful: bool = False
    advisor: Advisor | None = None

    def enrich(self, fresh: Sequence[Record], now: float, view: View) -> EditPlan:
        """Return the items that move; the reason says what arrived."""
        needs = Needs(view, fresh, self.recent, faithful=self.faithful)
        before = standing_in(view, WORKING)
        hand = needs.rows([item.id for item in before])
        labels: Counter[str] = Counter()
        for record in fresh:
            said = needs.label(record)
            labels[said] += 1
            if said is Label.QUERY:
                hand = self._asked(record, hand, needs)
            hand = list(dict.fromkeys([*hand, *needs.said_in(record)]))
            if len(hand) > self.most:
                hand = needs.ordered(hand)[: self.most]
        moves = changes(before, needs.items(hand))
        reason = ", ".join(f"{count} {name}" for name, count in sorted(labels.items()))
        return EditPlan(tuple(Edit(each, basis=each.version) for each in moves), _METHOD, reason)

    def _asked(self, query: Record, hand: Sequence[int], needs: Needs) -> list[int]:
        """What is at hand and what the query needs besides; at most ``most``, the best of them."""
        needs.queries.append(query)
        wanted = self._missing(query, hand, needs)
        pool = list(hand)
        if wanted:
            before = needs.before(query)
            best = highest(needs.likeness(query, wanted)[before], self.found)
            pool = list(dict.fromkeys([*pool, *before[best].tolist()]))
        ordered = needs.ordered(pool)
        return [*dict.fromkeys([*self._ranked(query, ordered, needs), *ordered])][: self.most]

    def _missing(self, query: Record, hand: Sequence[int], needs: Needs) -> list[str]:
        """The terms to look for; none where what is at hand suffices."""
        words = list(dict.fromkeys(terms(query.text, query=True).content))
        if self.advisor is not None and hand:
            shape = fields({"missing": _WORDS})
            told = self.advisor.ask(Question("intent", _INTENT, _shown(query, hand, needs), shape))
            if told is not None:
                return list(dict.fromkeys(terms(" ".join(told["missing"]), query=True).content))
        held = needs.held(words, hand)
        return [] if words and len(held) >= self.covered * len(words) else words

    def _ranked(self, query: Record, pool: Sequence[int], needs: Needs) -> list[int]:
        """Those that a model finds helpful, the most helpful first."""
        if self.advisor is None or not pool:
            return []
        shape = fields({"order": choices(len(pool))})
        told = self.advisor.ask(Question("ranking", _RANK, _shown(query, pool, needs), shape))
        return [pool[at] for at in told["order"]] if told else []


def _shown(query: Record, rows: Sequence[int], needs: Needs) -> str:
    return f"Asked:\n{query.text}\n\nMemories:\n{numbered(i.text for i in needs.items(rows))}"

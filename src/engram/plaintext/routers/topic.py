"""The current topic is what is searched for: the last turn of the user, and its rarest words again.

Source: Wang and Chen 2025, MIRIX, arXiv:2507.07957, section 4.1, active retrieval: a topic is made
    of the conversation before each answer, and all components are searched for it.
Differs: no model makes the topic. A query that is no dialogue is read as it stands.
"""

import re
from dataclasses import dataclass, replace

from engram.plaintext.roles import Route, Router, View
from engram.plaintext.text.salience import keywords, rarity_in

_TURN = re.compile(
    r"^[ \t]*(?P<role>user|human|assistant|ai|bot|system|tool)[ \t]*:[ \t]*", re.I | re.M
)


@dataclass(frozen=True, slots=True)
class Topic:
    """Reads a dialogue as its current topic, with another router.

    Attributes:
        reader: reads the turn.
        rare: words of the turn that are said once more.
    """

    reader: Router
    rare: int = 3

    def route(self, query: str, now: float, view: View) -> Route:
        """The reader's route for the last turn of the user; for any other query its own."""
        turn = _last_turn(query)
        if not turn:
            return self.reader.route(query, now, view)
        route = self.reader.route(turn, now, view)
        rarity = rarity_in(view, view.live & view.columns.of_kind("raw"))
        rare = [each.word for each in keywords(route.content, rarity, self.rare)]
        return replace(route, query=query, content=" ".join([route.content, *rare]))


def _last_turn(query: str) -> str:
    """What the user said last in a dialogue whose lines begin with roles; else nothing."""
    starts = list(_TURN.finditer(query))
    ends = [*(start.start() for start in starts[1:]), len(query)][: len(starts)]
    turns = [
        query[start.end() : end].strip()
        for start, end in zip(starts, ends, strict=True)
        if start["role"].lower() in {"user", "human"}
    ]
    return turns[-1] if len(starts) > 1 and turns else ""

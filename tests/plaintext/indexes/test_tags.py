"""Tags boost what is filed under the topics of a query, and gate nothing."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pytest

from engram.plaintext.derived import derived
from engram.plaintext.indexes.tags import Tags
from engram.plaintext.roles import Floats, Period, Record, Route, View
from engram.testing.ports import Buckets

Look = Callable[..., AbstractContextManager[View]]
IDS = [f"00000000-0000-0000-0000-00000000000{n}" for n in range(1, 10)]
DAY = 86_400.0


def filed(topic: str, source: int, text: str = "thought") -> Record:
    """A thought under a topic that rests on the message of this number."""
    raw = Record(IDS[source], "message", event_time=source * DAY)
    slot = {"head": topic, "relation": "topic"}
    return derived([raw], "thought", text, "ontology", key=topic, fields=slot, tags=(topic,))


def talk(*thoughts: Record, messages: int = 3) -> Sequence[Record]:
    """Messages of the first days, and thoughts that rest on them."""
    return [*(Record("", "message", event_time=n * DAY) for n in range(messages)), *thoughts]


def search(
    look: Look, said: Sequence[Record], route: Route, index: Tags | None = None, **more: object
) -> list[float]:
    """What the channel gives every row."""
    with look(said, **more) as view:
        found: list[float] = (index or Tags()).search(route, view).tolist()
        return found


def test_what_is_filed_under_a_topic_of_the_query_is_boosted_with_its_message(
    view_of: Look,
) -> None:
    """The thought, and the message that it rests on; nothing else."""
    said = talk(filed("music", 1), filed("food", 2))

    assert search(view_of, said, Route("", "the violin", 0.0)) == [0, 1, 0, 1, 0]


def test_a_query_on_no_topic_boosts_nothing(view_of: Look) -> None:
    """Without an embedder, words alone tell."""
    said = talk(filed("music", 1))

    assert search(view_of, said, Route("", "hello there", 0.0)) == [0, 0, 0, 0]


def test_of_two_under_a_topic_the_likelier_gains_more(view_of: Look) -> None:
    """Half the way from opposite to equal is half a point."""
    said = talk(filed("music", 0), filed("music", 1), filed("music", 2))
    vectors = {3: [1, 0, 0, 0], 4: [0, 1, 0, 0], 5: [-1, 0, 0, 0]}
    route = Route("", "the violin", 0.0, vector=np.array([1, 0, 0, 0], dtype=np.float32))

    found = search(view_of, said, route, vectors=vectors)

    assert found == pytest.approx([1, 0.5, 0, 1, 0.5, 0])


def test_only_what_was_said_in_the_time_of_the_query_is_looked_at(view_of: Look) -> None:
    """The first moment of a period is in it, the last is not."""
    said = talk(filed("music", 0), filed("music", 1), filed("music", 2))
    route = Route("", "the violin", 0.0, periods=(Period(DAY, 2 * DAY),))

    assert search(view_of, said, route) == [0, 1, 0, 0, 1, 0]


def test_so_many_topics_are_looked_under_and_no_more(view_of: Look) -> None:
    """Those of which the query says most."""
    said = talk(filed("music", 0), filed("food", 1), filed("pets", 2))
    query = Route("", "concert song guitar dinner recipe cat", 0.0)

    assert search(view_of, said, query, Tags(topics=1))[3:] == [1, 0, 0]
    assert search(view_of, said, query, Tags(topics=2))[3:] == [1, 1, 0]


def test_the_nearest_topic_is_looked_under_where_no_word_tells(view_of: Look) -> None:
    """An embedder that knows only one topic's words sends every query there."""

    class Musical(Buckets):
        def embed(self, texts: Sequence[str]) -> Floats:
            return np.array(
                [[1, 0, 0, 0] if "violin" in t else [0, 1, 0, 0] for t in texts], dtype=np.float32
            )

    said = talk(filed("music", 0), filed("food", 1))
    vector = np.array([1, 0, 0, 0], dtype=np.float32)

    found = search(
        view_of, said, Route("", "hello", 0.0, vector=vector), Tags(1, Musical("musical", 4))
    )

    assert [score > 0 for score in found] == [True, False, False, True, False]


def test_hidden_thoughts_boost_nothing(view_of: Look) -> None:
    """What may not be recalled speaks for nothing."""
    said = talk(filed("music", 1))

    assert search(view_of, said, Route("", "the violin", 0.0), hidden=[3]) == [0, 0, 0, 0]


def test_an_empty_memory_has_nothing_to_boost(view_of: Look) -> None:
    """(0,) scores for no rows."""
    assert search(view_of, [], Route("", "the violin", 0.0)) == []

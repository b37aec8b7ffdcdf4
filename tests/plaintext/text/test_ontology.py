"""A fixed ontology: every topic speaks for itself, and what no word tells the vector does."""

import pytest

from engram.adapters.embedders import embedder
from engram.plaintext.text.ontology import TOPICS, WORDS, nearest, spoken_of
from engram.ports import Embedder


@pytest.fixture(scope="module")
def encoder() -> Embedder:
    """The built-in one."""
    found = embedder(None)
    assert found is not None
    return found


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_is_spoken_of_by_its_name_and_first_by_its_words(topic: str) -> None:
    """Words that speak for several topics count for each in part."""
    assert topic in spoken_of(topic)
    assert spoken_of(WORDS[topic])[0] == topic


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("My violin teacher praised me.", ["music", "study"]),
        ("We hiked up to the glacier.", ["nature"]),
        ("Hello there.", []),
        ("", []),
        ("カラオケ", []),
    ],
)
def test_a_text_is_about_what_its_words_speak_for(text: str, topics: list[str]) -> None:
    """Those with most to say first; none where no word says anything."""
    assert spoken_of(text) == topics


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("My tooth aches", "health"),
        ("The sourdough rose", "food"),
        ("We adopted a beagle", "pets"),
        ("The gearbox broke on the motorway", "transport"),
    ],
)
def test_an_unseen_word_goes_to_the_nearest_topic(text: str, topic: str, encoder: Embedder) -> None:
    """None of these holds a word of the ontology."""
    assert spoken_of(text) == []
    assert nearest(encoder.embed([text])[0], encoder)[0] == topic


def test_every_topic_has_a_place_among_the_nearest(encoder: Embedder) -> None:
    """Once each, even for a text that says nothing."""
    assert sorted(nearest(encoder.embed([""])[0], encoder)) == sorted(TOPICS)

"""What is plainly stated is read; what is asked, supposed, denied, quoted or joked is not."""

from datetime import UTC, datetime
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.plaintext.text.statements import statements

SAID = datetime(2023, 6, 9, 13, tzinfo=UTC).timestamp()


def read(text: str) -> list[tuple[str, str, str]]:
    """Relation, subject and tail of each statement."""
    return [(found.name, found.subject, found.tail) for found in statements(text, SAID)]


@pytest.mark.parametrize(
    ("text", "name", "tail"),
    [
        ("I moved to Oslo in May.", "lives_in", "Oslo"),
        ("I've moved from Bergen to Oslo", "lives_in", "Oslo"),
        ("We just relocated to Rome last week!", "lives_in", "Rome"),
        ("I live in New York.", "lives_in", "New York"),
        ("i live in oslo", "lives_in", "oslo"),
        ("I'm living in Oslo, Norway.", "lives_in", "Oslo"),
        ("I'm based in Berlin now", "lives_in", "Berlin"),
        ("My home is now in Lisbon.", "lives_in", "Lisbon"),
        ("I've lived in Oslo since 2016.", "lives_in", "Oslo"),
        ("Last month I moved to Oslo.", "lives_in", "Oslo"),
        ("It is cold here, but I live in Oslo", "lives_in", "Oslo"),
        ("I started working at Acme Inc. yesterday", "works_at", "Acme Inc"),
        ("I got a job at Google!", "works_at", "Google"),
        ("I joined Spotify last month", "works_at", "Spotify"),
        ("I now work for Siemens.", "works_at", "Siemens"),
        ("I left Google for Apple.", "works_at", "Apple"),
        ("I work at a small hospital", "works_at", "small hospital"),
        ("I'm a nurse.", "job", "nurse"),
        ("I'm a software engineer at Acme", "job", "engineer"),
        ("I work as a data scientist.", "job", "data scientist"),
        ("My wife is called Anna.", "partner", "Anna"),
        ("I got married to Tom!", "partner", "Tom"),
        ("I'm divorced.", "status", "divorced"),
        ("My favourite colour is blue.", "favourite:colour", "blue"),
        ("my favorite food is Thai curry", "favourite:food", "Thai curry"),
        ("Luna is my favourite cat.", "favourite:cat", "Luna"),
        ("I have two cats.", "count:cat", "2"),
        ("We've got 3 kids", "count:child", "3"),
        ("I'm 34.", "age", "34"),
        ("I'm 34 years old", "age", "34"),
        ("I just turned 30!", "age", "30"),
        ("My birthday is on 3 May.", "birthday", "3 May"),
        ("I was born in Madrid.", "born_in", "Madrid"),
        ("I'm originally from Spain.", "comes_from", "Spain"),
        ("I'm studying at Oxford", "studies_at", "Oxford"),
        ("My name is Bob.", "name", "Bob"),
        ("I drive a Volvo.", "drives", "Volvo"),
        ("My phone number is +47 123 45 678.", "phone", "+47 123 45 678"),
        ("my email is a.b@example.org", "email", "a.b@example.org"),
        ("I'm vegetarian.", "diet", "vegetarian"),
        ("I adopted a puppy.", "has_pet", "puppy"),
        ("My dog is called Rex.", "has_pet", "dog called Rex"),
        ("My daughter is called Mia.", "has_child", "Mia"),
        ("I'm severely allergic to peanuts.", "allergic_to", "peanuts"),
        ("I speak Norwegian.", "speaks", "Norwegian"),
        ("I went to Paris last summer.", "visited", "Paris"),
        ("I play the guitar.", "plays", "guitar"),
        ("I own a sailing boat.", "owns", "sailing boat"),
        ("I prefer tea over coffee.", "prefers", "tea"),
        ("I hate mushrooms.", "dislikes", "mushrooms"),
        ("I don't like olives.", "dislikes", "olives"),
        ("I love hiking in the mountains.", "likes", "hiking"),
        ("I really enjoy chess and long walks.", "likes", "chess and long walks"),
    ],
)
def test_a_statement_about_the_speaker_is_read(text: str, name: str, tail: str) -> None:
    """In the common ways of saying it."""
    assert (name, "", tail) in read(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ana lives in Oslo.", ("lives_in", "Ana", "Oslo")),
        ("my sister moved to Rome", ("lives_in", "my sister", "Rome")),
        ("My friend Anna works at Netflix.", ("works_at", "Anna", "Netflix")),
        ("My mom is a teacher.", ("job", "my mom", "teacher")),
        ("My wife Anna loves pizza", ("likes", "Anna", "pizza")),
        ("Ana's favourite colour is green.", ("favourite:colour", "Ana", "green")),
    ],
)
def test_a_statement_about_somebody_else_has_them_as_its_subject(
    text: str, expected: tuple[str, str, str]
) -> None:
    """By name, or by what they are to the speaker."""
    assert expected in read(text)


@pytest.mark.parametrize(
    "text",
    [
        "I don't live in Bergen any more.",
        "I no longer work at Acme.",
        "I live in Bergen no longer",
        "I'm not allergic to nuts.",
        "I'm not a nurse",
        "I never lived in Paris",
        "I used to live in Paris.",
        "When I lived in Paris I was happy.",
        "I lived in Paris once.",
        "If I lived in Paris, I'd be happy",
        "I wish I lived in Paris",
        "I would love to live in Paris.",
        "I'd like to live in Rome",
        "I might move to Paris",
        "Maybe I move to Paris",
        "I'm thinking of moving to Paris.",
        "I'm moving to Paris",
        "I'll move to Paris",
        "I hope to work at Google",
        "I dream that I live in Rome",
        "Imagine I live in Rome",
        "Do you live in Oslo?",
        "I live in Oslo?",
        "Should I move to Oslo?",
        "I live in Oslo. Just kidding!",
        "I live on Mars, haha jk",
        "I'm a doctor. Haha, kidding",
        "My brother says he lives in Rome",
        "Tom said I live in Rome",
        'Tom: "I live in Rome"',
        'He shouted "I am a doctor."',
        "> I live in Rome",
        "Ana told me she works at Google",
        "She lives in Oslo",
        "They work at Google",
        "Everyone loves pizza.",
        "Nobody lives in Oslo",
        "Who lives in Oslo",
        "Themes like love matter",
        "Seems like forever",
        "The cat lives in Oslo",
        "I moved to Linux.",
        "I moved to the sofa",
        "I live in fear",
        "I live in peace",
        "I'm a huge fan",
        "I'm a good cook",
        "I'm a bit tired",
        "I'm 5 minutes away",
        "I'm 100% sure",
        "I'm 34 weeks pregnant",
        "I have two meetings",
        "I love it!",
        "I love you",
        "I love to.",
        "I love how calm it is",
        "I like your hat",
        "Glad you like it",
        "I'd love a coffee",
        "That's my favourite part",
        "My favourite part is when he sings",
        "My favorite is blue",
        "My wife is Swedish",
        "My wife and I left",
        "I'm from work",
        "I'm single-minded",
        "I was going to move to Oslo",
        "I moved to Oslo and then moved back to Bergen",
        "I stayed in Oslo for a week",
        "I'm living in Oslo for a month",
        "I joined the gym",
        "The hero says: I live in Narnia",
        "I almost moved to Oslo",
        "I guess I live in chaos",
        "",
        "我住在奥斯陆。",
        "Ich wohne in Oslo.",
        "👍",
    ],
)
def test_what_is_not_plainly_stated_is_not_read(text: str) -> None:
    """Denied, past, supposed, asked, joked, quoted, reported, vague or about nobody."""
    assert read(text) == []


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("I moved to Oslo in May.", (2023, 5, 1)),
        ("Last month I moved to Oslo.", (2023, 5, 1)),
        ("I've lived in Oslo since 2016.", (2016, 1, 1)),
        ("I'm going to move to Oslo next month.", (2023, 7, 1)),
        ("I'm moving to Oslo in August.", (2023, 8, 1)),
    ],
)
def test_a_statement_holds_from_the_date_beside_it(text: str, day: tuple[int, int, int]) -> None:
    """Plans are read with their date, and only so."""
    assert statements(text, SAID)[0].since == datetime(*day, tzinfo=UTC).timestamp()


def test_a_date_elsewhere_in_the_sentence_is_not_the_beginning() -> None:
    """What happened yesterday says nothing about the home."""
    assert statements("I live in Oslo and yesterday it rained.", SAID)[0].since is None
    assert statements("I'm moving to Oslo in August.", None) == []


def test_each_thing_is_said_once_with_its_evidence() -> None:
    """Repetition in one text adds nothing; the span is where it was first said."""
    text = "Hi! I live in Oslo. Yes, I live in Oslo."
    found = statements(text, SAID)

    assert [text[each.start : each.end] for each in found] == ["I live in Oslo"]


def test_a_list_gives_a_statement_each() -> None:
    """Allergies and languages come in lists."""
    assert [tail for _, _, tail in read("I'm allergic to nuts, eggs and shellfish.")] == [
        "nuts",
        "eggs",
        "shellfish",
    ]


@given(st.text(max_size=60))
def test_any_text_is_safe(text: str) -> None:
    """Spans lie in the text and tails are not empty."""
    text = f"I live in {text}. I love {text}"

    for found in statements(text, SAID):
        assert found.tail
        assert 0 <= found.start < found.end <= len(text)


@pytest.mark.parametrize(
    "piece",
    [
        "I ",
        "A",
        "my sister ",
        "I live in ",
        "I love ",
        "I love pizza. ",
        "I'm ",
        "allergic to a, ",
        '"',
        "if ",
        " ",
        "I live in Oslo. ",
        "my favourite ",
        "\n",
        "love ",
    ],
)
def test_hostile_text_is_quick(piece: str) -> None:
    """Twenty thousand characters, as many as the extractor reads, take under a second."""
    text = (piece * 20_000)[:20_000]
    start = process_time()

    statements(text, SAID)

    assert process_time() - start < 1

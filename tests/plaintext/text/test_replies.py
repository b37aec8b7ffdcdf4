"""Finding the object in what a model says."""

import time
from typing import Any

import pytest

from engram.plaintext.advice import choices, fields
from engram.plaintext.text.replies import object_in
from engram.testing.model_server import NONSENSE

IDS = fields({"ids": choices(3)})
GOOD = '{"ids": [2, 0]}'


@pytest.mark.parametrize(
    "reply",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"Of course! Here it is:\n\n{GOOD}\n\nAnything else?",
        f"<think>Perhaps {{0}}, or {{'ids': 1}}?</think>\n{GOOD}",
        f"The set {{0, 2}} matters, so {GOOD}",
        f'{{"answer": {GOOD}}}',
        f"{GOOD}\n{GOOD}",
        '{"ids": [2.0, 0e0]}',
        f"<think>done</think>{GOOD}</think>",
    ],
)
def test_the_object_is_found_among_courtesies(reply: str) -> None:
    """Fences, thoughts, sets in curly brackets, a wrapper that nobody asked for."""
    found, wrong = object_in(reply, IDS)

    assert found == {"ids": [2, 0]}
    assert wrong == ""


def test_a_whole_number_is_an_integer_however_it_is_written() -> None:
    """A list is indexed with it."""
    found, _ = object_in('{"ids": [1.0]}', IDS)

    assert found is not None
    assert [type(each) for each in found["ids"]] == [int]


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_refused_in_one_line(name: str) -> None:
    """Quickly, however long or deep it is."""
    began = time.process_time()
    found, wrong = object_in(NONSENSE[name], IDS)

    assert found is None
    assert 0 < len(wrong) < 300
    assert "\n" not in wrong
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    ("reply", "wrong"),
    [
        ('{"ids": [0, 3]}', "ids/1: 3 is greater than the maximum of 2"),
        ('{"ids": [-1]}', "ids/0: -1 is less than the minimum of 0"),
        ('{"ids": [true]}', "ids/0: True is not of type 'integer'"),
        ('{"ids": ["0"]}', "ids/0: '0' is not of type 'integer'"),
        ('{"ids": 0}', "ids: 0 is not of type 'array'"),
        ("{}", "the object: 'ids' is a required property"),
        ('{"ids": [], "delete": true}', "the object: Additional properties are not allowed"),
        ("nothing at all", "it holds no JSON object"),
    ],
)
def test_the_complaint_says_what_is_wrong_and_where(reply: str, wrong: str) -> None:
    """The model gets to read it, and may do better."""
    assert object_in(reply, IDS)[1].startswith(wrong)


@pytest.mark.parametrize("count", [0, 1])
def test_of_no_texts_none_can_be_chosen(count: int) -> None:
    """An empty list is the only answer about nothing."""
    schema = fields({"ids": choices(count)})

    assert object_in('{"ids": []}', schema)[0] == {"ids": []}
    assert (object_in('{"ids": [0]}', schema)[0] is None) == (count == 0)


@pytest.mark.parametrize("word", ["<think>", "</think>", "{", '{"ids": ', "{}", '{"ids":[9]}'])
def test_repeating_itself_for_ever_costs_no_time(word: str) -> None:
    """A model that is stuck is refused as quickly as any other."""
    began = time.process_time()
    found, _ = object_in(word * (390_000 // len(word)), IDS)

    assert found is None
    assert time.process_time() - began < 2.0


def test_text_comes_through_unchanged() -> None:
    """Every script, and what JSON escapes."""
    said: dict[str, Any] = {"text": 'カラオケ 🎉 "quoted" \\ \n <b>'}
    reply = '{"text": "カラオケ 🎉 \\"quoted\\" \\\\ \\n <b>"}'

    assert object_in(reply, fields({"text": {"type": "string"}}))[0] == said

"""Chat messages as JSON lines: single messages, or conversations, in the usual dialects."""

import json
from pathlib import Path
from typing import Any

import pytest

from engram.errors import InvalidInput
from engram.exchange.files import Opening
from engram.exchange.jsonl import Jsonl
from engram.exchange.roles import Incoming, Problem


def read(path: Path, *lines: Any, name: str = "chat.jsonl") -> tuple[list[Incoming], list[Problem]]:
    """Everything that the reader yields for these lines, the good and the bad apart."""
    file = path / name
    written = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_text("\n".join(written), encoding="utf-8")
    found = list(Jsonl().read(file))
    good = [one for one in found if isinstance(one, Incoming)]
    return good, [one for one in found if isinstance(one, Problem)]


def test_neighbours_of_one_run_are_one_conversation(tmp_path: Path) -> None:
    """Whatever a dialect calls the id; without one the file is the run."""
    found, problems = read(
        tmp_path,
        {"role": "user", "content": "Hi", "session_id": "s1", "user_id": "ana"},
        {"role": "assistant", "content": "Hello", "session_id": "s1", "user_id": "ana"},
        {"role": "user", "content": "Bye", "thread_id": 2},
        {"role": "user", "content": "Loose"},
    )

    assert problems == []
    assert [(one.run, one.user, len(one.messages)) for one in found] == [
        ("s1", "ana", 2),
        ("2", None, 1),
        ("chat", None, 1),
    ]


def test_a_conversation_on_one_line_has_the_line_as_its_run(tmp_path: Path) -> None:
    """As the files for fine-tuning have it; what stands beside the messages is kept."""
    (first, second), _ = read(
        tmp_path,
        {"messages": [{"role": "user", "content": "Hi"}], "topic": "greeting", "tools": [{}]},
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]},
    )

    assert (first.run, second.run) == ("chat 1", "chat 2")
    assert first.messages[0].metadata == {"topic": "greeting", "imported_from": "jsonl"}
    assert [(one.role, one.text) for one in second.messages] == [
        ("user", "Hi"),
        ("assistant", "Hello"),
    ]


def test_times_names_and_metadata_are_kept(tmp_path: Path) -> None:
    """Every key that is not read otherwise ends in the metadata."""
    (incoming,), _ = read(
        tmp_path,
        {
            "role": "user",
            "name": "Ana",
            "content": "Hi",
            "timestamp": 1_715_169_600,
            "metadata": {"city": "Oslo"},
            "rating": 5,
        },
    )

    (message,) = incoming.messages
    assert (message.name, message.at) == ("Ana", 1_715_169_600.0)
    assert message.metadata == {"rating": 5, "city": "Oslo", "imported_from": "jsonl"}


def test_parts_are_joined_and_calls_say_nothing(tmp_path: Path) -> None:
    """A picture beside the words is left out; so is a message that only calls a tool."""
    picture = {"type": "image_url", "image_url": {"url": "x"}}
    (incoming,), problems = read(
        tmp_path,
        {"role": "user", "content": [{"type": "text", "text": "What"}, picture, "is it?"]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
        {"role": "function", "content": "a cat"},
    )

    assert problems == []
    assert [(one.role, one.text) for one in incoming.messages] == [
        ("user", "What\nis it?"),
        ("tool", "a cat"),
    ]


def test_dirty_lines_are_problems_and_the_rest_is_read(tmp_path: Path) -> None:
    """Broken JSON, no object, no role, no words, a time that is none."""
    (incoming,), problems = read(
        tmp_path,
        {"role": "user", "content": "one"},
        '{"role": "user", "con',
        "[]",
        {"role": "nobody", "content": "x"},
        {"role": "user"},
        {"role": "user", "content": "x", "time": "noon"},
        {"role": "user", "content": "two"},
    )

    assert [one.text for one in incoming.messages] == ["one", "two"]
    assert [one.source.rpartition(", ")[2] for one in problems] == [
        f"line {number}" for number in (2, 3, 4, 5, 6)
    ]


def test_a_json_file_is_a_list_of_such_lines(tmp_path: Path) -> None:
    """Or one of them alone."""
    message = {"role": "user", "content": "Hi"}

    listed, _ = read(tmp_path, json.dumps([message, message], indent=1), name="chat.json")
    alone, _ = read(tmp_path, message, name="chat.json")

    assert [len(one.messages) for one in listed] == [2]
    assert [len(one.messages) for one in alone] == [1]


def test_a_long_chat_comes_in_several_parts_of_one_run(tmp_path: Path) -> None:
    """Each is added in one transaction, so none may be endless."""
    lines = [{"role": "user", "content": str(number), "run_id": "r"} for number in range(1001)]

    found, _ = read(tmp_path, *lines)

    assert [(one.run, len(one.messages)) for one in found] == [("r", 1000), ("r", 1)]


def test_nothing_but_blank_lines_is_nothing(tmp_path: Path) -> None:
    """No conversation and no problem."""
    assert read(tmp_path, "", "  ", "") == ([], [])


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (b'{"role": "user", "content": "Hi"}', True),
        (b'\xef\xbb\xbf[\n {"from": "human", "value": "Hi"}]', True),
        (b'{"name": "no chat", "content": "x"}', False),
        (b'"role": "user", "content": "Hi"', False),
        (b"", False),
    ],
)
def test_a_chat_is_recognised_by_its_first_line(head: bytes, known: bool) -> None:
    """It opens an object or a list, and has a role and words."""
    assert Jsonl().sniff(Path("chat.jsonl"), head) is known


def test_a_json_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    """There are no lines to skip."""
    (tmp_path / "chat.json").write_text('[{"role": "user"', encoding="utf-8")

    with pytest.raises(InvalidInput, match="is the file cut off"):
        list(Jsonl(Opening()).read(tmp_path / "chat.json"))

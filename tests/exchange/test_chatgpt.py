"""ChatGPT's data export: trees of messages, of which one branch was shown."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from engram.errors import InvalidInput
from engram.exchange.chatgpt import ChatGPT
from engram.exchange.roles import Incoming, Problem


def node(
    key: str, parent: str | None, role: str = "user", text: str = "", **more: Any
) -> dict[str, Any]:
    """One node of a tree, with the message that it holds."""
    said = {
        "id": key,
        "author": {"role": role, "name": None, "metadata": {}},
        "create_time": 1_700_000_000.5,
        "content": {"content_type": "text", "parts": [text]},
        "metadata": {},
        "recipient": "all",
        **more,
    }
    return {"id": key, "message": said, "parent": parent, "children": []}


def talk(*nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A conversation whose root is empty, as ChatGPT writes it; each node knows its children."""
    tree: dict[str, Any] = {"root": {"id": "root", "message": None, "parent": None, "children": []}}
    tree.update({each["id"]: each for each in nodes})
    for each in nodes:
        tree[each["parent"]]["children"].append(each["id"])
    return {
        "title": "Whales",
        "create_time": 1_700_000_000.0,
        "mapping": tree,
        "current_node": nodes[-1]["id"] if nodes else "root",
        "conversation_id": "conv-1",
        **more,
    }


def written(path: Path, *talks: Any) -> Path:
    """``conversations.json`` in a folder."""
    file = path / "conversations.json"
    file.write_text(json.dumps(talks), encoding="utf-8")
    return file


def read(path: Path) -> tuple[list[Incoming], list[Problem]]:
    """Everything that the reader yields, the good and the bad apart."""
    found = list(ChatGPT().read(path))
    good = [one for one in found if isinstance(one, Incoming)]
    return good, [one for one in found if isinstance(one, Problem)]


def test_a_conversation_is_read_in_order_with_roles_and_times(tmp_path: Path) -> None:
    """The empty root says nothing; the run is the conversation's id."""
    file = written(
        tmp_path,
        talk(
            node("a", "root", "user", "Do whales sing?"),
            node("b", "a", "assistant", "Yes.", metadata={"model_slug": "gpt-5"}),
            node("c", "b", "tool", "[1] whales.org", author={"role": "tool", "name": "browser"}),
        ),
    )

    (incoming,), problems = read(file)

    assert problems == []
    assert incoming.run == "conv-1"
    assert [(one.role, one.text) for one in incoming.messages] == [
        ("user", "Do whales sing?"),
        ("assistant", "Yes."),
        ("tool", "[1] whales.org"),
    ]
    assert [one.at for one in incoming.messages] == [1_700_000_000.5] * 3
    assert incoming.messages[1].metadata["model"] == "gpt-5"
    assert incoming.messages[1].metadata["title"] == "Whales"
    assert incoming.messages[2].name == "browser"


def test_only_the_branch_that_is_shown_is_read(tmp_path: Path) -> None:
    """A prompt that was edited, and the answer to its first wording, are left out."""
    file = written(
        tmp_path,
        talk(
            node("a", "root", "user", "Do wales sing?"),
            node("b", "a", "assistant", "Wales has choirs."),
            node("c", "root", "user", "Do whales sing?"),
            node("d", "c", "assistant", "Yes."),
        ),
    )

    (incoming,), _ = read(file)

    assert [one.text for one in incoming.messages] == ["Do whales sing?", "Yes."]


@pytest.mark.parametrize("times", [(5.0, 9.0), (5, 9)])
def test_without_a_current_node_the_newest_leaf_is_shown(
    tmp_path: Path, times: tuple[float, float]
) -> None:
    """Old exports lack it; the branch that was last added to is the one that was open."""
    early, late = times
    file = written(
        tmp_path,
        talk(
            node("a", "root", "user", "first", create_time=late),
            node("b", "root", "user", "second", create_time=early),
            current_node=None,
        ),
    )

    (incoming,), _ = read(file)

    assert [one.text for one in incoming.messages] == ["first"]


def test_a_tree_that_bites_its_tail_ends(tmp_path: Path) -> None:
    """A broken file can name a child as its own ancestor."""
    tree = talk(node("a", "root", "user", "one"), node("b", "a", "user", "two"))
    tree["mapping"]["a"]["parent"] = "b"
    file = written(tmp_path, tree)

    (incoming,), _ = read(file)

    assert [one.text for one in incoming.messages] == ["one", "two"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"content_type": "code", "language": "python", "text": "print(1)"}, "print(1)"),
        ({"content_type": "execution_output", "text": "1"}, "1"),
        ({"content_type": "tether_quote", "title": "Whales", "text": "sing"}, "Whales\n\nsing"),
        (
            {
                "content_type": "multimodal_text",
                "parts": [{"asset_pointer": "file-service://file-1"}, "What is this?"],
            },
            "What is this?",
        ),
        ({"content_type": "citable", "parts": "one piece"}, "one piece"),
        (
            {
                "content_type": "multimodal_text",
                "parts": [{"content_type": "audio_transcription", "text": "Hello there."}],
            },
            "Hello there.",
        ),
    ],
)
def test_each_kind_of_content_gives_its_words(
    tmp_path: Path, content: dict[str, Any], text: str
) -> None:
    """Code, its output, quotations, pictures with a question, recordings with a transcript."""
    file = written(tmp_path, talk(node("a", "root", content=content)))

    (incoming,), problems = read(file)

    assert problems == []
    assert [one.text for one in incoming.messages] == [text]
    assert incoming.messages[0].metadata["content_type"] == content["content_type"]


def test_pictures_are_named_but_not_read(tmp_path: Path) -> None:
    """What they point to lies beside the file and is no text."""
    parts = [{"asset_pointer": "sediment://file-9"}, "Look!"]
    content = {"content_type": "multimodal_text", "parts": parts}
    file = written(tmp_path, talk(node("a", "root", content=content)))

    (incoming,), _ = read(file)

    assert incoming.messages[0].metadata["assets"] == ["sediment://file-9"]


@pytest.mark.parametrize(
    "hidden",
    [
        {"metadata": {"is_visually_hidden_from_conversation": True}},
        {"content": {"content_type": "thoughts", "thoughts": [{"content": "hm"}]}},
        {"content": {"content_type": "reasoning_recap", "content": "Thought for 3 seconds"}},
        {"content": {"content_type": "model_editable_context", "model_set_context": "1. x"}},
        {"content": {"content_type": "text", "parts": ["", "  "]}},
    ],
)
def test_what_nobody_said_is_left_out(tmp_path: Path, hidden: dict[str, Any]) -> None:
    """Hidden messages, thoughts and blanks are neither messages nor problems."""
    file = written(tmp_path, talk(node("a", "root", text="Hi"), node("b", "a", **hidden)))

    (incoming,), problems = read(file)

    assert [one.text for one in incoming.messages] == ["Hi"]
    assert problems == []


def test_custom_instructions_come_once_for_each_wording(tmp_path: Path) -> None:
    """They stand at the top of every conversation, mostly the same."""

    def instructed(key: str, text: str) -> dict[str, Any]:
        about = {
            "is_user_system_message": True,
            "user_context_message_data": {"about_user_message": text},
        }
        content = {"content_type": "user_editable_context", "user_profile": text}
        top = node("i", "root", "user", metadata=about, content=content)
        return talk(top, node("a", "i", text=f"Hi {key}"), conversation_id=key)

    file = written(
        tmp_path, instructed("1", "I am Ana"), instructed("2", "I am Ana"), instructed("3", "Bo")
    )

    incoming, _ = read(file)

    assert [[one.text for one in each.messages] for each in incoming] == [
        ["I am Ana", "Hi 1"],
        ["Hi 2"],
        ["Bo", "Hi 3"],
    ]
    assert incoming[0].messages[0].metadata["custom_instructions"] == "about_user_message"


def test_a_gpt_is_an_agent_and_a_project_is_not(tmp_path: Path) -> None:
    """Both have gizmo ids; those of projects begin with g-p-."""
    file = written(
        tmp_path,
        talk(node("a", "root", text="Hi"), conversation_id="1", gizmo_id="g-abc"),
        talk(node("a", "root", text="Hi"), conversation_id="2", gizmo_id="g-p-abc"),
    )

    incoming, _ = read(file)

    assert [one.agent for one in incoming] == ["g-abc", None]


def test_dirty_parts_are_problems_and_the_rest_is_read(tmp_path: Path) -> None:
    """An odd role, content of an unknown kind, a conversation without an id, one that is none."""
    good = talk(
        node("a", "root", "user", "Hi"),
        node("b", "a", "king", "Kneel."),
        node("c", "b", "assistant", "Hello."),
        node("d", "c", content={"content_type": "hologram"}),
    )
    nameless = talk(node("a", "root", text="Hi"), conversation_id=None)
    file = written(tmp_path, good, nameless, 7)

    (incoming,), problems = read(file)

    assert [one.text for one in incoming.messages] == ["Hi", "Hello."]
    assert [one.source.removeprefix(f"{file}, ") for one in problems] == [
        "item 1, message 3",
        "item 1, message 5",
        "item 2",
        "item 3",
    ]
    assert "'king'" in problems[0].reason
    assert "content of type 'hologram' must have" in problems[1].reason
    assert "got neither" in problems[2].reason
    assert problems[3].reason == "a conversation must be an object, got 7"


def test_an_archive_and_a_folder_of_shards_read_alike(tmp_path: Path) -> None:
    """Large exports are cut into numbered files; the other files of an export are no matter."""
    folder = tmp_path / "export"
    folder.mkdir()
    for number in range(2):
        one = talk(node("a", "root", text=f"shard {number}"), conversation_id=f"c{number}")
        name = f"conversations-00{number}.json"
        (folder / name).write_text(json.dumps([one]), encoding="utf-8")
    (folder / "user.json").write_text('{"id": "user-1"}', encoding="utf-8")
    (folder / "chat.html").write_text("<html>", encoding="utf-8")
    packed = tmp_path / "export.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"deep/{file.name}")

    runs = [[one.run for one in read(path)[0]] for path in (folder, packed)]

    assert runs == [["c0", "c1"], ["c0", "c1"]]


def test_an_export_that_is_cut_off_says_where(tmp_path: Path) -> None:
    """Downloads break; the message names the line and asks the right question."""
    file = written(tmp_path, talk(node("a", "root", text="Hi")))
    file.write_bytes(file.read_bytes()[:-20])

    with pytest.raises(InvalidInput, match=r"line 1, column \d+.*is the file cut off\?"):
        read(file)

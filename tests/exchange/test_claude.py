"""Claude's data export: conversations, projects and what Claude remembered."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from engram.errors import InvalidInput
from engram.exchange.claude import Claude
from engram.exchange.roles import Incoming, Problem


def said(sender: str, text: str, **more: Any) -> dict[str, Any]:
    """One message, with its words in a block as Claude writes them since 2024."""
    return {
        "uuid": f"message of {sender}",
        "text": text,
        "content": [{"type": "text", "text": text}],
        "sender": sender,
        "created_at": "2026-03-02T18:00:00.123456Z",
        "attachments": [],
        "files": [],
        **more,
    }


def talk(*messages: Any, **more: Any) -> dict[str, Any]:
    """One conversation."""
    return {"uuid": "chat-1", "name": "Dinner", "chat_messages": list(messages), **more}


def read(path: Path) -> tuple[list[Incoming], list[Problem]]:
    """Everything that the reader yields, the good and the bad apart."""
    found = list(Claude().read(path))
    good = [one for one in found if isinstance(one, Incoming)]
    return good, [one for one in found if isinstance(one, Problem)]


def written(path: Path, name: str, document: Any) -> Path:
    """A JSON file of the export."""
    file = path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


def test_a_conversation_is_read_with_roles_and_times(tmp_path: Path) -> None:
    """The sender ``human`` is the user; times are UTC to the microsecond."""
    file = written(
        tmp_path,
        "conversations.json",
        [talk(said("human", "A table for six?"), said("assistant", "At seven."))],
    )

    (incoming,), problems = read(file)

    assert problems == []
    assert incoming.run == "chat-1"
    assert [(one.role, one.text) for one in incoming.messages] == [
        ("user", "A table for six?"),
        ("assistant", "At seven."),
    ]
    assert incoming.messages[0].at == pytest.approx(1_772_474_400.123456)
    assert incoming.messages[0].metadata["title"] == "Dinner"


def test_an_attachment_comes_before_the_message_that_brought_it(tmp_path: Path) -> None:
    """Its text was pasted or extracted; files without text are only named."""
    message = said(
        "human",
        "Please shorten this.",
        attachments=[{"file_name": "long.txt", "extracted_content": "Once upon a time."}],
        files=[{"file_name": "cat.png"}],
    )
    file = written(tmp_path, "conversations.json", [talk(message)])

    (incoming,), _ = read(file)

    attached, asked = incoming.messages
    assert (attached.text, attached.metadata["attachment"]) == ("Once upon a time.", "long.txt")
    assert (asked.text, asked.metadata["files"]) == ("Please shorten this.", ["cat.png"])


def test_words_come_from_the_blocks_and_old_exports_have_only_text(tmp_path: Path) -> None:
    """Calls of tools are named; the notice that stands for them in ``text`` is not repeated."""
    blocks = [
        {"type": "text", "text": "I will look."},
        {"type": "tool_use", "name": "web_search", "input": {}},
        {"type": "tool_result", "content": [{"type": "text", "text": "page"}]},
        {"type": "text", "text": "It opens at six."},
    ]
    late = said("assistant", "I will look. This block is not supported.", content=blocks)
    early = said("human", "When?")
    del early["content"]
    file = written(tmp_path, "conversations.json", [talk(early, late)])

    (incoming,), _ = read(file)

    assert [one.text for one in incoming.messages] == ["When?", "I will look.\n\nIt opens at six."]
    assert incoming.messages[1].metadata["tools"] == ["web_search"]


def test_a_project_is_reference_material(tmp_path: Path) -> None:
    """Its documents are kept and searched, and no facts are read out of them."""
    project = {
        "uuid": "p-1",
        "name": "Thesis",
        "description": "On whales.",
        "prompt_template": "Be brief.",
        "created_at": "2026-01-01T00:00:00Z",
        "docs": [
            {
                "uuid": "d",
                "filename": "a.md",
                "content": "Fin whales.",
                "created_at": "2026-02-01T00:00:00Z",
            }
        ],
    }
    file = written(tmp_path, "projects.json", [project])

    (incoming,), problems = read(file)

    assert problems == []
    assert not incoming.infer
    assert [(one.text, one.metadata["document"]) for one in incoming.messages] == [
        ("On whales.", "description"),
        ("Be brief.", "prompt"),
        ("Fin whales.", "a.md"),
    ]


def test_what_claude_remembered_comes_paragraph_by_paragraph(tmp_path: Path) -> None:
    """Under the headings that it wrote; it was the assistant who said it."""
    memories = [
        {
            "account_uuid": "acc",
            "conversations_memory": "**Work context**\n\nAna is an acoustician.\n\n# Home\n\nOslo.",
            "project_memories": {"p-1": "The thesis is due in May."},
        }
    ]
    file = written(tmp_path, "memories.json", memories)

    (own, project), _ = read(file)

    assert [(one.role, one.text, one.metadata["heading"]) for one in own.messages] == [
        ("assistant", "Ana is an acoustician.", "Work context"),
        ("assistant", "Oslo.", "Home"),
    ]
    assert [one.metadata["project_id"] for one in project.messages] == ["p-1"]
    assert own.run != project.run


def test_dirty_parts_are_problems_and_the_rest_is_read(tmp_path: Path) -> None:
    """A bad sender, a time that is none, a chat without an id, something else altogether."""
    good = talk(
        said("human", "Hi"),
        said("narrator", "Meanwhile"),
        said("assistant", "Hello", created_at="soon"),
        said("assistant", "Hello again"),
    )
    file = written(tmp_path, "conversations.json", [good, talk(uuid=""), {"name": "odd"}])

    (incoming,), problems = read(file)

    assert [one.text for one in incoming.messages] == ["Hi", "Hello again"]
    reasons = [one.reason for one in problems]
    assert "'narrator'" in reasons[0]
    assert "'created_at' of a message must be ISO 8601" in reasons[1]
    assert reasons[2] == "an item must have a 'uuid', got ''"
    assert "got ['name']" in reasons[3]


def test_the_archive_reads_as_the_files_do(tmp_path: Path) -> None:
    """Conversations, projects and memories; the list of users is no memory."""
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("conversations.json", json.dumps([talk(said("human", "Hi"))]))
        archive.writestr("memories.json", json.dumps([{"conversations_memory": "Ana."}]))
        archive.writestr("users.json", json.dumps([{"uuid": "u", "full_name": "Ana"}]))

    incoming, problems = read(tmp_path / "data.zip")

    assert [one.messages[0].text for one in incoming] == ["Hi", "Ana."]
    assert problems == []


def test_one_broken_file_of_an_archive_does_not_spoil_the_others(tmp_path: Path) -> None:
    """Where it stands alone it is an error."""
    written(tmp_path, "export/conversations.json", [talk(said("human", "Hi"))])
    broken = tmp_path / "export" / "memories.json"
    broken.write_text('[{"conversations_memory": "An', encoding="utf-8")

    incoming, problems = read(tmp_path / "export")

    assert len(incoming) == 1
    assert [one.source for one in problems] == [str(broken)]
    with pytest.raises(InvalidInput, match="must be JSON"):
        read(broken)

"""All readers together: which file is whose, what comes twice, and what nobody should write."""

import json
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram import Memory
from engram.errors import EngramError, InvalidInput, UnknownMethod
from engram.exchange.files import Opening
from engram.exchange.formats import READERS, detect, reader
from engram.exchange.roles import Incoming, Problem

SAID = ["I live in Bergen.", "It rains a lot.", "I moved to Oslo!", "The cat came along."]
NOON = 1_715_169_600


def chatgpt(said: list[str]) -> Any:
    """One conversation in which each message answers the one before."""
    tree = {
        str(at): {
            "id": str(at),
            "parent": str(at - 1),
            "children": [],
            "message": {
                "author": {"role": "user"},
                "create_time": NOON + at,
                "content": {"content_type": "text", "parts": [text]},
            },
        }
        for at, text in enumerate(said)
    }
    return [{"id": "c", "mapping": tree, "current_node": str(len(said) - 1)}]


def claude(said: list[str]) -> Any:
    """One conversation."""
    messages = [
        {"sender": "human", "text": text, "created_at": f"2024-05-08T12:00:{at:02}Z"}
        for at, text in enumerate(said)
    ]
    return [{"uuid": "c", "name": "x", "chat_messages": messages}]


def mem0(said: list[str]) -> Any:
    """One memory for each message."""
    return {
        "results": [
            {"id": str(at), "memory": text, "user_id": "ana", "created_at": f"2024-05-{at + 1:02}"}
            for at, text in enumerate(said)
        ]
    }


def telegram(said: list[str]) -> Any:
    """One chat."""
    messages = [
        {"id": at, "type": "message", "date_unixtime": str(NOON + at), "from": "Ana", "text": text}
        for at, text in enumerate(said)
    ]
    return {"name": "chat", "id": 1, "messages": messages}


def slack(said: list[str]) -> Any:
    """One day of one channel."""
    return [
        {"type": "message", "user": "U1", "text": text, "ts": f"{NOON + at}.000100"}
        for at, text in enumerate(said)
    ]


def mcp_memory(said: list[str]) -> str:
    """One entity."""
    return json.dumps(
        {"type": "entity", "name": "Ana", "entityType": "person", "observations": said}
    )


def jsonl(said: list[str]) -> str:
    """One message a line."""
    return "\n".join(
        json.dumps({"role": "user", "content": text, "time": NOON + at})
        for at, text in enumerate(said)
    )


def chatlog(said: list[str]) -> str:
    """One line a message."""
    return "\n".join(f"[08.05.24, 12:00:{at:02}] Ana: {text}" for at, text in enumerate(said))


def markdown(said: list[str]) -> str:
    """One section a message, below settings."""
    return "---\ntitle: Moving\ntags: home\n---\n" + "\n\n".join(
        f"# {at}\n\n{text}" for at, text in enumerate(said)
    )


SAMPLES: dict[str, tuple[str, Callable[[list[str]], Any]]] = {
    "chatgpt": ("conversations.json", chatgpt),
    "chatlog": ("chat.txt", chatlog),
    "claude": ("conversations.json", claude),
    "jsonl": ("chat.jsonl", jsonl),
    "markdown": ("note.md", markdown),
    "mcp-memory": ("memory.jsonl", mcp_memory),
    "mem0": ("dump.json", mem0),
    "slack": ("general/2024-05-08.json", slack),
    "telegram": ("result.json", telegram),
}
every_format = pytest.mark.parametrize("form", sorted(SAMPLES))


def sample(folder: Path, form: str, said: list[str]) -> Path:
    """A file of a format, in a folder of its own."""
    name, write = SAMPLES[form]
    made = write(said)
    file = folder / form / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(made if isinstance(made, str) else json.dumps(made), encoding="utf-8")
    return file


def bring(memory: Memory, path: Path) -> Counter[str]:
    """Add what a file holds, as ``engram import`` does; what became of the messages."""
    events: Counter[str] = Counter()
    for found in detect(path).read(path):
        assert isinstance(found, Incoming), found
        added = memory.add(
            list(found.messages), user_id=found.user, run_id=found.run, infer=found.infer
        )
        events.update(one["event"] for one in added["results"] if one["kind"] == "raw")
    return events


def texts(memory: Memory) -> list[str]:
    """Every message that recall can reach, in order."""
    found = [
        one["memory"]
        for user in ("default", "ana")
        for one in memory.get_all(user_id=user, filters={"kind": "raw"})["results"]
    ]
    return [text for said in SAID for text in found if said in text]


def test_a_sample_stands_here_for_every_reader() -> None:
    """A reader without one is not tested below."""
    assert sorted(SAMPLES) == sorted(READERS)
    assert {name: reader(name).name for name in READERS} == {name: name for name in READERS}


@every_format
def test_a_file_its_folder_and_its_archive_are_recognised(form: str, tmp_path: Path) -> None:
    """By what is in them, among all formats."""
    file = sample(tmp_path, form, SAID)
    folder = tmp_path / form
    packed = tmp_path / "export.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(file, file.relative_to(folder))

    assert {detect(path).name for path in (file, folder, packed)} == {form}


@every_format
def test_a_second_import_adds_nothing(form: str, tmp_path: Path) -> None:
    """Dated messages are known by their time and run, undated ones by their words."""
    file = sample(tmp_path, form, SAID)
    with Memory.open(tmp_path / "m.db", embedder="none") as memory:
        first = bring(memory, file)
        once = texts(memory)

        second = bring(memory, file)

        assert first == {"ADD": len(SAID)}
        assert set(second) <= {"NOOP", "MERGE"}
        assert texts(memory) == once
        assert len(once) == len(SAID)


@every_format
def test_a_longer_export_of_the_same_chat_adds_only_the_new(form: str, tmp_path: Path) -> None:
    """People export again after a month."""
    with Memory.open(tmp_path / "m.db", embedder="none") as memory:
        bring(memory, sample(tmp_path, form, SAID[:2]))

        again = bring(memory, sample(tmp_path, form, SAID))

        assert again["ADD"] == 2
        assert len(texts(memory)) == len(SAID)


def test_an_unknown_format_names_the_nearest() -> None:
    """Or all of them, where none is near."""
    with pytest.raises(UnknownMethod, match=r"no format is called 'chatgtp'; nearest: chatgpt"):
        reader("chatgtp")
    with pytest.raises(UnknownMethod, match="there are: chatgpt, claude"):
        reader("word")


@pytest.mark.parametrize("content", [b"", b"prose and no more", b"\x89PNG\r\n\x1a\n", b"{}", b"[]"])
def test_a_file_of_no_format_says_which_there_are(tmp_path: Path, content: bytes) -> None:
    """And that one may be named."""
    (tmp_path / "x.dat").write_bytes(content)

    with pytest.raises(InvalidInput, match="looks like none of them; name the format"):
        detect(tmp_path / "x.dat")


KEYS = """
about_user_message author category chat_messages chats children content content_type conversations
conversations_memory create_time created_at current_node date date_unixtime docs entityType files
from from_id id left_chats list mapping memory message messages metadata name observations parent
parts project_memories prompt_template relations relationType results role sender source target
text time to ts type user user_id users uuid
""".split()
WORDS = [
    "message",
    "text",
    "user",
    "human",
    "entity",
    "relation",
    "tool_use",
    "2024-05-08",
    "0",
    "",
]
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS), inner, min_size=1, max_size=5)
    ),
    max_leaves=25,
)


def consume(path: Path) -> int:
    """Let every reader look at a file and read it; how many of them had something to say."""
    spoke = 0
    for name in READERS:
        one = reader(name)
        try:
            assert isinstance(one.sniff(path, Opening().head(path)), bool)
            found = list(one.read(path))
        except EngramError as refused:
            assert "\n" not in str(refused)  # noqa: PT017
            spoke += 1
        else:
            assert all(isinstance(each, (Incoming, Problem)) for each in found)
            spoke += bool(found)
    return spoke


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that many examples share."""
    return tmp_path_factory.mktemp("odd")


@given(content=st.binary(max_size=300), suffix=st.sampled_from(["json", "jsonl", "md", "txt"]))
def test_any_bytes_are_read_or_refused(room: Path, content: bytes, suffix: str) -> None:
    """No reader fails with anything but an error of ours, in one line."""
    file = room / f"bytes.{suffix}"
    file.write_bytes(content)

    consume(file)


@settings(max_examples=200)
@given(document=ODD, suffix=st.sampled_from(["json", "jsonl"]))
def test_any_json_is_read_or_refused(room: Path, document: Any, suffix: str) -> None:
    """Also where it has the right keys in the wrong places."""
    file = room / f"document.{suffix}"
    file.write_text(json.dumps(document), encoding="utf-8")

    assert consume(file) > 0


@given(form=st.sampled_from(sorted(SAMPLES)), data=st.data())
def test_a_damaged_export_is_read_or_refused(room: Path, form: str, data: st.DataObject) -> None:
    """Cut off anywhere, or with some bytes of another file in the middle."""
    file = sample(room, form, SAID)
    whole = file.read_bytes()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(start + 9, len(whole))))
    file.write_bytes(whole[:start] + data.draw(st.binary(max_size=9)) + whole[end:])

    consume(file)


@given(content=st.binary(max_size=200), start=st.integers(0, 300))
def test_a_damaged_archive_is_read_or_refused(room: Path, content: bytes, start: int) -> None:
    """A zip with some bytes overwritten."""
    packed = room / "odd.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", json.dumps(chatgpt(SAID)))
    whole = packed.read_bytes()
    packed.write_bytes((whole[:start] + content + whole[start + len(content) :])[: len(whole)])

    consume(packed)


@pytest.mark.parametrize("deep", range(60, 1000, 47))
def test_nesting_without_end_is_refused_and_never_a_crash(tmp_path: Path, deep: int) -> None:
    """What JSON can just be read with is more than a message about it could show."""
    file = tmp_path / "deep.json"
    file.write_text('{"messages": [' + "[" * deep + "]" * deep + "]}", encoding="utf-8")

    assert consume(file) == len(READERS)

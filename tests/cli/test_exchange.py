"""Commands through which memories come and go: import, export."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from engram import Memory
from engram.cli.exchange import Intake
from engram.exchange.roles import Found, Incoming
from engram.plaintext.roles import Message

LOG = [
    "[05.01.26, 09:00:00] Ana: I live in Bergen.",
    "[31.02.26, 09:00:00] Ana: A day that does not exist.",
    "[20.05.26, 09:00:00] Ana: I moved to Oslo!",
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A chat log with one line that cannot be read."""
    file = tmp_path / "friends.txt"
    file.write_text("\n".join(LOG), encoding="utf-8")
    return file


def raw(run: Any, path: Path, *more: str) -> list[dict[str, Any]]:
    """The messages that a store holds."""
    done = run("get", "--all", "--path", path, "--json", "--filter", '{"kind": "raw"}', *more)
    return list(json.loads(done.stdout)["results"])


def test_an_import_counts_what_came_and_lists_what_did_not(
    run: Any, log: Path, tmp_path: Path
) -> None:
    """The format is recognised and named; a bad line costs only itself."""
    done = run("import", log, "--path", tmp_path / "a.db")

    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert done.stderr.endswith("format: chatlog\n")
    assert lines[:3] == ["format chatlog", "conversations 2", "messages 2"]
    assert lines[3].startswith("events ADD: 4, SUPERSEDE: 1")
    assert lines[4] == "left out why"
    assert "line 2" in " ".join(lines[5:])
    assert "31.02.26" in " ".join(lines[5:])


def test_an_import_can_be_asked_about_at_once(run: Any, log: Path, tmp_path: Path) -> None:
    """With the times at which things were said, so that both clocks work."""
    where = ["--path", str(tmp_path / "a.db")]
    run("import", log, *where)

    now = run("ask", "where does Ana live", *where).stdout
    april = run("ask", "where does Ana live", *where, "--as-of", "2026-04-01").stdout

    assert now.startswith("Ana lives in Oslo\n")
    assert april.startswith("Ana lives in Bergen\n")


def test_a_second_import_adds_nothing_and_a_longer_one_only_the_new(
    run: Any, log: Path, tmp_path: Path
) -> None:
    """People export again after a month."""
    path = tmp_path / "a.db"

    def events() -> dict[str, int]:
        counted = json.loads(run("import", log, "--path", path, "--json").stdout)["events"]
        return {name: counted[name] for name in counted}

    first, second = events(), events()
    log.write_text("\n".join([*LOG, "[21.05.26, 09:00:00] Ana: Boxes."]), encoding="utf-8")
    third = events()

    assert first["ADD"] == 4
    assert second == {"NOOP": 2}
    assert third == {"NOOP": 2, "ADD": 1}
    assert len(raw(run, path)) == 3


def test_the_scope_that_is_given_wins_over_that_of_the_file(run: Any, tmp_path: Path) -> None:
    """Without one the file decides whose it is."""
    dump, path = tmp_path / "dump.json", tmp_path / "a.db"
    memory = {"id": "1", "memory": "Likes tea.", "user_id": "ben", "created_at": "2026-01-01"}
    dump.write_text(json.dumps({"results": [memory]}), encoding="utf-8")

    run("import", dump, "--path", path)
    run("import", dump, "--path", path, "--user", "ana", "--run", "mine")

    assert [one["run_id"] for one in raw(run, path, "--user", "ben")] == [None]
    assert [one["run_id"] for one in raw(run, path, "--user", "ana")] == ["mine"]


def test_a_format_can_be_named_and_facts_left_unread(run: Any, log: Path, tmp_path: Path) -> None:
    """For a file that is not recognised, and for one whose sentences are no statements."""
    odd = log.rename(tmp_path / "friends.dat")
    path = tmp_path / "a.db"

    run("import", odd, "--format", "chatlog", "--no-infer", "--path", path)

    every = json.loads(run("get", "--all", "--path", path, "--json").stdout)["results"]
    assert {one["kind"] for one in every} == {"raw"}
    assert "nearest: chatlog" in run("import", odd, "--format", "chatlogs", code=1).stderr


def test_an_old_encoding_can_be_named(run: Any, tmp_path: Path) -> None:
    """Without it the message says how, and nothing is guessed."""
    odd, path = tmp_path / "old.txt", tmp_path / "a.db"
    odd.write_bytes("[05.01.26, 09:00:00] Ana: Tromsø".encode("latin-1"))

    assert "encoding='latin-1'" in run("import", odd, "--path", path, code=1).stderr
    run("import", odd, "--encoding", "latin-1", "--path", path)

    assert [one["memory"] for one in raw(run, path)] == ["Tromsø"]
    assert "one that Python knows" in run("import", odd, "--encoding", "x-y", code=1).stderr


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "looks like none of them"),
        (b"just prose", "looks like none of them"),
        (b"PK\x03\x04 and no archive", "must be readable"),
        (b'[{"mapping": {"a": {"parent": ', "is the file cut off?"),
        (b'{"engram":"archive","format":9}\n', 'an archive begins with {"engram":"archive"'),
        (b'{"engram":"archive","format":1}\n{"commit": ', "line 2 of the archive is not JSON"),
        (b'{"engram":"archive","format":1}\n\xff\n', "must be utf-8"),
        (b'{"engram":"archive","format":1}\n' + b"[" * 99_999, "line 2 of the archive"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_error(
    content: bytes, expected: str, run: Any, tmp_path: Path
) -> None:
    """Exit code 1; a store that is there is as it was before."""
    odd = tmp_path / "odd.dat"
    odd.write_bytes(content)

    done = run("import", odd, "--path", tmp_path / "a.db", "--quiet", code=1)

    assert expected in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_folder_is_no_archive_of_ours(run: Any, tmp_path: Path) -> None:
    """Where it is named as one."""
    done = run("import", tmp_path, "--format", "engram", "--path", tmp_path / "a.db", code=1)

    assert done.stderr.splitlines()[-1].startswith("error: ")


def test_an_archive_moves_everything_and_a_second_time_nothing(
    run: Any, store: Path, tmp_path: Path
) -> None:
    """Versions, times and proofs: both stores have the same contents by their hash."""
    archive, copy = tmp_path / "backup.jsonl", tmp_path / "copy.db"

    said = run("export", archive, "--path", store).stdout
    first = json.loads(run("import", archive, "--path", copy, "--json").stdout)
    second = json.loads(run("import", archive, "--path", copy, "--json").stdout)

    assert said.startswith("4 commits, ")
    assert said.endswith(f" entries -> {archive}\n")
    assert (first["format"], first["commits"], first["skipped"]) == ("engram", 4, 0)
    assert (second["commits"], second["skipped"]) == (0, 4)
    hashes = [
        json.loads(run("stats", "--path", path, "--json").stdout)["content_hash"]
        for path in (store, copy)
    ]
    assert hashes[0] == hashes[1]


def test_only_the_space_that_is_named_is_exported(run: Any, store: Path, tmp_path: Path) -> None:
    """Nothing of another user leaves with it."""
    archive = tmp_path / "ben.jsonl"

    done = run("export", archive, "--user", "ben", "--path", store, "--json")

    assert json.loads(done.stdout) == {
        "path": str(archive),
        "commits": 1,
        "entries": 1,
        "skipped": 0,
    }
    assert "Oslo" not in archive.read_text(encoding="utf-8")


def test_an_archive_on_stdout_is_alone_there(run: Any, store: Path, tmp_path: Path) -> None:
    """The counts are on stderr, and the bytes are those of the file."""
    archive = tmp_path / "backup.jsonl"
    run("export", archive, "--path", store)

    done = run("export", "-", "--path", store)

    assert done.stdout == archive.read_text(encoding="utf-8")
    assert "4 commits, " in done.stderr


def test_an_export_never_replaces_its_own_store(run: Any, store: Path, tmp_path: Path) -> None:
    """Also not by another name for it."""
    before = store.read_bytes()
    (tmp_path / "link").symlink_to(store)

    for target in (store, tmp_path / "link", tmp_path / "x" / ".." / store.name):
        done = run("export", target, "--path", store, code=1)
        assert "an export must not replace its own store" in done.stderr

    assert store.read_bytes() == before


class Odd:
    """A reader that lets through what the front door refuses."""

    name: ClassVar[str] = "odd"

    def sniff(self, path: Path, head: bytes) -> bool:
        """It knows nothing by sight."""
        return False

    def read(self, path: Path) -> Iterator[Found]:
        """A good conversation, a blank one, and another good one."""
        for text in ("Fine.", " ", "Also fine."):
            yield Incoming((Message(text),), source=f"talk {text!r}")


def test_what_the_front_door_refuses_is_left_out_and_named(tmp_path: Path) -> None:
    """The conversations around it come in."""
    ticks: list[int] = []

    def tick(done: int, total: int, what: str = "") -> None:
        ticks.append(done)

    with Memory.open(tmp_path / "a.db", embedder="none") as memory:
        intake = Intake(memory, {}, infer=True)

        counted = intake.take(Odd(), tmp_path, tick)

        stored = [one["memory"] for one in memory.get_all()["results"]]
    assert stored == ["Fine.", "Also fine."]
    assert [one["source"] for one in counted["problems"]] == ["talk ' '"]
    assert (counted["conversations"], counted["messages"]) == (3, 2)
    assert ticks == [1, 2, 3]


def test_an_option_that_cannot_be_used_is_said_once(run: Any, log: Path, tmp_path: Path) -> None:
    """And not once for each conversation."""
    done = run("import", log, "--run", "", "--path", tmp_path / "a.db", "--quiet", code=1)

    assert done.stderr == "error: run_id must have 1 to 256 characters, got ''\n"


def test_an_imported_store_is_sound(run: Any, log: Path, tmp_path: Path) -> None:
    """Everything that follows from the log agrees with it."""
    run("import", log, "--path", tmp_path / "a.db")

    with Memory.open(tmp_path / "a.db", embedder="none") as memory:
        assert memory.check()["ok"]

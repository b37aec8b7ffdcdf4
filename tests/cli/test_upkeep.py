"""Commands that keep a store: erase, tend, check, stats."""

import json
import os
import pty
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from engram import Memory

CAT = "The cat gets her pills at eight."


def cat(run: Any, path: Path) -> str:
    """The id of the memory of the cat."""
    done = run("get", "--all", "--user", "ana", "--path", path, "--json")
    (found,) = [one["id"] for one in json.loads(done.stdout)["results"] if one["memory"] == CAT]
    return str(found)


def holds(path: Path, words: str) -> bool:
    """Whether these bytes stand anywhere in the file."""
    return words.encode() in path.read_bytes()


def test_an_erase_leaves_no_byte_and_says_so(run: Any, store: Path) -> None:
    """The receipt is proof: what went, and that the file was rewritten."""
    one = cat(run, store)
    assert holds(store, CAT)

    shown = run("erase", one, "--yes", "--path", store).stdout

    assert "erased            1 memories, 1 versions" in shown
    assert "left in the file  no" in shown
    assert not holds(store, CAT)
    assert "no memory has the id" in run("get", one, "--path", store, code=1).stderr


def test_all_of_a_user_can_be_erased(run: Any, store: Path) -> None:
    """Of this user and of no other; a program gets the receipt."""
    done = run("erase", "--all", "--user", "ana", "--yes", "--path", store, "--json")

    receipt = json.loads(done.stdout)
    assert receipt["scrubbed"]
    assert len(receipt["ids"]) == 5
    assert not holds(store, "Bergen")
    assert "Hello." in run("get", "--all", "--user", "ben", "--path", store).stdout


def test_an_erase_asks_where_somebody_can_answer(store: Path, run: Any, process: Any) -> None:
    """A no leaves everything; only a yes destroys."""
    one = cat(run, store)

    def answered(answer: bytes) -> tuple[int, bytes]:
        person, side = pty.openpty()
        running = process("erase", one, "--path", store, stdin=side, stdout=-1, stderr=-1)
        os.close(side)
        os.write(person, answer)
        _, asked = running.communicate()
        os.close(person)
        return running.returncode, asked

    code, asked = answered(b"n\n")
    assert code == 1
    assert f"Destroy '{CAT}' in {store}, for good?".encode() in asked
    assert holds(store, CAT)

    code, asked = answered(b"y\n")
    assert code == 0, asked
    assert not holds(store, CAT)


@pytest.mark.parametrize("what", [["--all"], ["01a2"]])
def test_without_a_person_an_erase_needs_a_yes(what: list[str], run: Any, store: Path) -> None:
    """A script that forgets it destroys nothing."""
    one = [cat(run, store)] if what != ["--all"] else what

    done = run("erase", *one, "--user", "ana", "--path", store, code=2)

    assert "erase needs --yes where nobody can be asked" in done.stderr
    assert holds(store, CAT)


def test_a_sound_store_is_sound(run: Any, store: Path) -> None:
    """With counts, and the hash that proves the contents."""
    shown = run("check", "--path", store).stdout
    health = json.loads(run("check", "--path", store, "--json").stdout)

    assert shown.startswith("store         sound\n")
    assert health["ok"] is True
    assert health["content_hash"] in shown


def test_damage_is_found_named_and_where_possible_mended(run: Any, store: Path) -> None:
    """Exit code 1 until it is mended; what follows from the log can be."""
    with sqlite3.connect(store) as db:
        db.execute("DELETE FROM rows WHERE row=(SELECT max(row) FROM rows)")
    db.close()

    found = run("check", "--path", store, code=1).stdout
    as_json = json.loads(run("check", "--path", store, "--json", code=1).stdout)
    mended = run("check", "--repair", "--path", store).stdout

    assert found.startswith("store         damaged")
    assert "problem" in found
    assert as_json["ok"] is False
    assert len(as_json["problems"]) > 0
    assert "what follows from the log was rebuilt" in mended
    assert "Hello." in run("get", "--all", "--user", "ben", "--path", store).stdout


@pytest.mark.parametrize("content", [b"no database at all, but long enough" * 99, b"\0" * 4096])
def test_a_file_that_is_no_store_is_one_clear_error(
    content: bytes, run: Any, tmp_path: Path
) -> None:
    """It is not touched."""
    (tmp_path / "x.db").write_bytes(content)

    for name in ("check", "stats"):
        said = run(name, "--path", tmp_path / "x.db", code=1).stderr
        assert said.startswith("error: ")
        assert said.count("\n") == 1
    assert (tmp_path / "x.db").read_bytes() == content


def test_what_is_due_is_tended(run: Any, tmp_path: Path) -> None:
    """What was to expire is expired, the second time nothing is due."""
    path = tmp_path / "a.db"
    with Memory.open(path, embedder="none", clock=lambda: 1_000.0) as memory:
        memory.add({"role": "user", "content": "Short-lived.", "expires_at": 2_000.0})

    first = run("tend", "--path", path).stdout
    second = run("tend", "--path", path).stdout

    assert "commit " in first
    assert second == "Nothing was due.\n"
    assert json.loads(run("tend", "--path", path, "--json").stdout)["commits"] == []


def test_counts_are_of_the_store_or_of_a_user(run: Any, store: Path) -> None:
    """One name and value a line; a program gets an object."""
    shown = dict(
        line.split(maxsplit=1) for line in run("stats", "--path", store).stdout.splitlines()
    )
    of_ben = json.loads(run("stats", "--user", "ben", "--path", store, "--json").stdout)

    assert shown["path"].strip() == str(store)
    assert shown["records"].strip() == "fact active: 1, fact archived: 1, raw active: 4"
    assert of_ben["records"] == {"raw active": 1}

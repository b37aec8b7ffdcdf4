"""A secret is sealed before anything is stored, revealed with a reason, and erased for good."""

import os
import sys
from pathlib import Path

import pytest

from engram import Memory
from engram.errors import ConfigError, InvalidInput, MissingExtra
from engram.plaintext.cipher import key_file
from engram.plaintext.roles import Message
from engram.plaintext.sealers.vault import Vault

SECRET = "hunter2-Xk9Qz77LmP"


def secret_of(memory: Memory) -> str:
    """The id of the only secret."""
    (found,) = memory.get_all(filters={"kind": "secret"})["results"]
    return str(found["id"])


def test_a_secret_stands_in_no_byte_of_the_files(tmp_path: Path) -> None:
    """Neither where it was said, nor where it was said again, nor in metadata."""
    said = f"My password is {SECRET}. I typed {SECRET} twice."
    with Memory.open(tmp_path / "m.db", preset="mirix", embedder="none") as memory:
        memory.add(said, metadata={"note": f"about {SECRET}"})
        first = memory.get_all(filters={"kind": "raw"})["results"][0]["id"]
        memory.update(first, f"The password is now {SECRET}-2.")
        memory.export(tmp_path / "m.jsonl")

    held = [file.name for file in tmp_path.glob("m.*") if SECRET.encode() in file.read_bytes()]

    assert held == []


def test_a_search_finds_the_caption(tmp_path: Path) -> None:
    """And not the value."""
    with Memory.open(tmp_path / "m.db", preset="mirix") as memory:
        memory.add(f"My password for the bank is {SECRET}.")

        best = memory.search("password for the bank")["results"][0]

    assert best["kind"] == "secret"
    assert best["memory"] == "password: My password for the bank is …."


def test_a_reveal_is_exact_and_leaves_a_commit(tmp_path: Path) -> None:
    """It says who and why; the key file is for its owner alone."""
    with Memory.open(tmp_path / "m.db", preset="mirix", embedder="none", actor="ana") as memory:
        memory.add(f"My password is {SECRET}.")
        record = secret_of(memory)

        told = memory.reveal(record, reason="to log in")
        newest = memory.log(1)[0]

    assert told["value"] == SECRET
    assert (newest["id"], newest["actor"], newest["method"]) == (told["commit"], "ana", "reveal")
    assert newest["reason"] == f"{record}: to log in"
    assert key_file(os.environ).stat().st_mode & 0o777 == 0o600


def test_another_key_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So are a key that is none and a key that is gone; nothing is told and nothing is logged."""
    with Memory.open(tmp_path / "m.db", preset="mirix", embedder="none") as memory:
        memory.add(f"My password is {SECRET}.")
        record, before = secret_of(memory), len(memory.log(100))

        monkeypatch.setenv("ENGRAM_VAULT_KEY", "ab" * 64)
        with pytest.raises(ConfigError, match="the key that sealed it, got another"):
            memory.reveal(record, reason="a test")
        monkeypatch.setenv("ENGRAM_VAULT_KEY", "short")
        with pytest.raises(ConfigError, match="128 hexadecimal digits"):
            memory.reveal(record, reason="a test")
        monkeypatch.delenv("ENGRAM_VAULT_KEY")
        key_file(os.environ).unlink()
        with pytest.raises(ConfigError, match="needs its key, got none"):
            memory.reveal(record, reason="a test")

        assert len(memory.log(100)) == before


def test_only_secrets_are_revealed_and_only_for_a_reason(tmp_path: Path) -> None:
    """A message is no secret, and a blank is no reason."""
    with Memory.open(tmp_path / "m.db", preset="mirix", embedder="none") as memory:
        said = memory.add("Dinner is at eight.")["results"][0]["id"]

        with pytest.raises(InvalidInput, match="only a memory of kind 'secret'"):
            memory.reveal(said, reason="a test")
        with pytest.raises(InvalidInput, match="reason"):
            memory.reveal(said, reason=" ")


def test_equal_secrets_are_sealed_alike_and_others_apart() -> None:
    """So a message that is said twice is one, and one with another secret is not."""
    texts = [Vault().seal(Message(f"My PIN is {pin}."))[0].text for pin in (4821, 4821, 4822)]

    assert texts[0] == texts[1] != texts[2]


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, before anything is stored."""
    for name in [each for each in sys.modules if each.startswith("cryptography")]:
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(MissingExtra, match=r"engram\[vault\]"):
        Vault()

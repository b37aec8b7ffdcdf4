"""The door of the vault: reveal."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from engram import Memory
from engram.plaintext.cipher import key_file

SECRET = "hunter2-Xk9Qz77LmP"


@pytest.fixture
def secret(tmp_path: Path) -> tuple[str, list[str]]:
    """A sealed secret of Ana's: its id, and the options that name the store and her."""
    path = tmp_path / "vault.db"
    with Memory.open(path, preset="mirix", embedder="none") as memory:
        memory.add(f"My password for the bank is {SECRET}.", user_id="ana")
        (found,) = memory.get_all(user_id="ana", filters={"kind": "secret"})["results"]
    return str(found["id"]), ["--path", str(path), "--user", "ana"]


def test_a_secret_alone_is_on_stdout(run: Any, secret: tuple[str, list[str]]) -> None:
    """So it can be piped; what it is, and the commit, are notes for people."""
    record, where = secret

    done = run("reveal", record, "--reason", "to log in", *where)

    assert done.stdout == f"{SECRET}\n"
    assert "password: My password for the bank is …." in done.stderr
    assert SECRET not in done.stderr


def test_a_program_gets_one_document(run: Any, secret: tuple[str, list[str]]) -> None:
    """The log names the commit, the secret and the reason, and not the value."""
    record, where = secret

    told = json.loads(run("reveal", record, "--reason", "to log in", "--json", *where).stdout)
    log = run("log", "--json", *where[:2]).stdout

    assert told["value"] == SECRET
    newest = json.loads(log)["results"][0]
    assert (newest["id"], newest["reason"]) == (told["commit"], f"{record}: to log in")
    assert SECRET not in log


def test_without_a_reason_nothing_is_shown(run: Any, secret: tuple[str, list[str]]) -> None:
    """Neither left out nor blank."""
    record, where = secret

    missing = run("reveal", record, *where, code=2)
    blank = run("reveal", record, "--reason", " ", *where, code=1)

    assert "--reason" in missing.stderr
    assert "the reason must not be blank" in blank.stderr
    assert SECRET not in missing.stdout + blank.stdout


def test_the_wrong_key_is_one_line(
    run: Any, secret: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says which key, and where it is looked for; so does a key that is gone."""
    record, where = secret
    asked = ["reveal", record, "--reason", "a test", *where]

    monkeypatch.setenv("ENGRAM_VAULT_KEY", "ab" * 64)
    wrong = run(*asked, code=1).stderr.splitlines()
    monkeypatch.delenv("ENGRAM_VAULT_KEY")
    key_file(os.environ).unlink()
    gone = run(*asked, "--json", code=1)

    assert wrong[-1].startswith("error: a secret can only be revealed with the key that sealed it")
    assert str(key_file(os.environ)) in wrong[-1]
    assert gone.stdout == ""
    assert json.loads(gone.stderr)["error"]["kind"] == "ConfigError"


def test_what_is_no_secret_and_what_is_not_there_are_told_apart(
    run: Any, store: Path, secret: tuple[str, list[str]]
) -> None:
    """A message, an unknown id, and the secret of another user."""
    record, where = secret
    listed = run("get", "--all", "--json", "--path", store, "--user", "ana").stdout
    said = json.loads(listed)["results"][0]["id"]

    plain = run("reveal", said, "--reason", "a test", "--path", store, code=1)
    unknown = run("reveal", record, "--reason", "a test", "--path", store, code=1)
    other = run("reveal", record, "--reason", "a test", *where[:3], "ben", code=1)

    assert "only a memory of kind 'secret' can be revealed" in plain.stderr
    assert f"no memory has the id '{record}' here" in unknown.stderr
    assert f"no memory has the id '{record}' here" in other.stderr

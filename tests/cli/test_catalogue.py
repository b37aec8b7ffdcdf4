"""Commands on the directory of methods: list, show, verify."""

import json
import re
from typing import Any

import pytest

from engram.catalogue import ROWS
from engram.cli.catalogue import verdict

KEYS = sorted(row.key for row in ROWS)
UNPROVED = sorted(row.key for row in ROWS if not row.claim)


def test_every_system_is_listed_with_its_source(run: Any) -> None:
    """Under the key by which it is opened."""
    listed = json.loads(run("list", "--json").stdout)["results"]
    shown = run("list").stdout

    assert sorted(one["key"] for one in listed) == KEYS
    assert all(one["source"] for one in listed)
    assert all(f"\n{key} " in shown for key in KEYS)


def test_one_room_can_be_listed(run: Any) -> None:
    """A room that is not there is a misuse, and the message names those that are."""
    listed = json.loads(run("list", "--room", "plaintext", "--json").stdout)["results"]

    assert {one["room"] for one in listed} == {"plaintext"}
    assert "plaintext" in run("list", "--room", "cellar", code=2).stderr


@pytest.mark.parametrize("key", sorted(row.key for row in ROWS if row.parts))
def test_a_system_is_shown_with_its_parts_and_its_use(key: str, run: Any) -> None:
    """Each part with the idea in a sentence."""
    shown = run("show", key).stdout
    document = json.loads(run("show", key, "--json").stdout)

    assert document["key"] == key
    assert document["parts"]
    assert all(part["role"] and ":" in part["part"] and part["idea"] for part in document["parts"])
    assert shown.split()[:2] == ["key", key]
    searched = f"engram search QUERY --preset {key}" in shown
    assert searched == (document["room"] == "plaintext")


def test_a_system_without_parts_is_shown_with_its_claim(run: Any) -> None:
    """An evaluation is no memory that could be opened."""
    shown = run("show", "locomo").stdout

    assert "engram verify locomo" in shown
    assert "--preset" not in shown


def test_weights_and_numbers_are_shown(run: Any) -> None:
    """What each channel counts, and from where on nothing is known."""
    shown = run("show", "hybrid").stdout

    assert re.search(r"\nchannels words × \d", shown)
    assert re.search(r"\nabstain_below +0\.\d", shown)


@pytest.mark.parametrize("key", UNPROVED)
def test_a_system_without_a_claim_cannot_be_verified(key: str, run: Any) -> None:
    """Exit code 2, which says neither yes nor no."""
    done = run("verify", key, code=2)

    assert done.stdout == ""
    assert f"{key} has no claim to verify" in done.stderr


def test_a_verdict_is_in_words() -> None:
    """Colour alone is lost in a file."""
    assert verdict({"ok": True}).plain == "holds"
    assert verdict({"ok": False}).plain == "fails"

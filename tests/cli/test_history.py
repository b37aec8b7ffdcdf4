"""Commands that look back and undo: history, diff, log, revert."""

import json
from pathlib import Path
from typing import Any


def document(run: Any, path: Path, *args: str) -> Any:
    """What a command says to a program."""
    return json.loads(run(*args, "--path", path, "--json").stdout)


def fact(run: Any, path: Path, tail: str, as_of: str = "2026-06-01") -> str:
    """The id of the fact that ends so, and that was true then."""
    only = ["--filter", '{"kind": "fact"}', "--as-of", as_of]
    every = document(run, path, "get", "--all", "--user", "ana", *only)
    (found,) = [one["id"] for one in every["results"] if one["memory"].endswith(tail)]
    return str(found)


def test_a_history_names_versions_commits_and_relatives(run: Any, store: Path) -> None:
    """What it was read out of, what it replaced, and what replaced it."""
    shown = run("history", fact(run, store, "Oslo"), "--path", store).stdout
    older = run("history", fact(run, store, "Bergen", "2026-04-01"), "--path", store).stdout

    assert "v1" in shown
    assert "rests on" in shown
    assert "“I moved to Oslo!”" in shown
    assert "v2" in older
    assert "replaced by" in older
    assert "Ana lives in Oslo" in older


def test_a_history_holds_all_of_it_for_programs(run: Any, store: Path) -> None:
    """Versions with their commits, and the relatives with what they are."""
    found = document(run, store, "history", fact(run, store, "Bergen", "2026-04-01"))

    assert [one["version"] for one in found["versions"]] == [1, 2]
    assert all(one["commit"]["method"] == "add" for one in found["versions"])
    assert {one["as"] for one in found["related"]} == {"rests on", "replaced by"}


def test_an_erased_relative_is_said_to_be_erased(run: Any, store: Path) -> None:
    """A fact that was said twice loses one ground; that it was there is all that is left."""
    again = [
        "I moved to Oslo, as you know.",
        "--name",
        "Ana",
        "--user",
        "ana",
        "--path",
        str(store),
    ]
    run("add", *again, "--time", "2026-06-02")
    every = document(run, store, "get", "--all", "--user", "ana")["results"]
    first = next(one["id"] for one in every if one["memory"] == "I moved to Oslo!")
    oslo = fact(run, store, "Oslo", "2026-07-01")

    run("erase", first, "--yes", "--path", store)

    shown = run("history", oslo, "--path", store).stdout
    related = document(run, store, "history", oslo)["related"]
    assert f"(erased)  {first}" in shown
    assert {"id": first, "memory": None} in [
        {"id": one["id"], "memory": one["memory"]} for one in related
    ]


def test_the_log_is_newest_first_and_names_why(run: Any, store: Path) -> None:
    """A program gets the same."""
    run("delete", "--all", "--user", "ben", "--path", store)
    last = document(run, store, "log")["results"][0]["id"]
    run("revert", last, "--reason", "a mistake", "--path", store)

    lines = run("log", "-n", "3", "--path", store).stdout.splitlines()

    assert [line.split()[2] for line in lines[1:]] == ["revert", "delete", "add"]
    assert "a mistake" in lines[1]
    assert [one["method"] for one in document(run, store, "log", "-n", "2")["results"]] == [
        "revert",
        "delete",
    ]


def test_a_difference_shows_what_went_and_what_came(run: Any, store: Path) -> None:
    """Where the words are the same, the parts that are not."""
    before = document(run, store, "log")["results"][0]["id"]
    every = document(run, store, "get", "--all", "--user", "ana")["results"]
    cat = next(one["id"] for one in every if one["memory"].startswith("The cat"))
    run("update", cat, "The cat gets none.", "--path", store)
    run("delete", "--all", "--user", "ben", "--path", store)

    shown = run("diff", before, "--path", store).stdout

    assert f"raw {cat}" in shown
    assert "  - The cat gets her pills at eight." in shown
    assert "  + The cat gets none." in shown
    assert "  - state: active" in shown
    assert "  + state: archived" in shown
    assert [one["id"] for one in document(run, store, "diff", before)["results"]].count(cat) == 1


def test_no_difference_is_said(run: Any, store: Path) -> None:
    """Between the last commit and now."""
    last = document(run, store, "log")["results"][0]["id"]

    assert run("diff", last, "--path", store).stdout == "Nothing changed.\n"
    assert run("diff", "2020-01-01", "2020-02-01", "--path", store).stdout == "Nothing changed.\n"


def test_a_commit_is_named_by_how_it_begins(run: Any, store: Path) -> None:
    """As far as it is unique; what is reverted is said."""
    last = document(run, store, "log")["results"][0]["id"]

    done = document(run, store, "revert", last[:30])

    assert done["commit"]
    assert "Hello." not in run("get", "--all", "--user", "ben", "--path", store).stdout

"""The control unit with a model behind a real server, which answers rightly, wrongly or not."""

from collections.abc import Iterator

import pytest

from engram.adapters.chat import Chat
from engram.adapters.server import Server
from engram.agents.control import REPEATS, ControlUnit
from engram.agents.program import Program
from engram.agents.registry import InstructionRegistry
from engram.testing.model_server import FAULTS, ModelServer, model_server

DONE = {"tool": "done", "summary": "It is done."}


def write(path: str, text: str) -> dict[str, str]:
    """A call that writes a file."""
    return {"tool": "write", "path": path, "text": text}


def program(*instructions: str) -> Program:
    """A program with these instructions."""
    return Program("The task.", InstructionRegistry(instructions or ["Do it."]))


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A server of its own for each test."""
    with model_server() as made:
        yield made


def test_a_model_behind_a_server_plans_and_writes(server: ModelServer) -> None:
    """Over a real connection, with a schema that it is held to."""
    steps = {"instructions": ["Write a.", "Write b."]}
    server.script = [steps, steps, write("a.py", "x = 1"), DONE, write("b.md", "y"), DONE]
    unit = ControlUnit(Chat("small", Server(f"{server.url}/v1", attempts=1)))

    work = unit.plan("Two files.")
    report = unit.run(work)

    assert report.ok
    assert work.store.paths() == ["a.py", "b.md"]
    assert server.requests[2]["max_tokens"] == 8192 // 4
    assert server.requests[2]["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize("fault", ["wrong key", "hangs up", "HTML", "junk bytes", "no text"])
def test_a_server_that_fails_ends_in_a_report(server: ModelServer, fault: str) -> None:
    """And in the files of the last step."""
    server.script = [write("a.md", "x"), DONE, write("b.md", "y"), *[FAULTS[fault]] * 3]
    chat = Chat("small", Server(f"{server.url}/v1", attempts=1, pause=0.0))
    work = program("One.", "Two.")

    report = ControlUnit(chat).run(work)

    assert report.why
    assert work.store.paths() == ["a.md"]


def test_a_server_that_answers_at_random_is_stopped(server: ModelServer) -> None:
    """Without a script it says the least that fits the schema, again and again."""
    report = ControlUnit(Chat("small", Server(f"{server.url}/v1"))).run(program())

    assert report.steps[0].calls == REPEATS
    assert not report.ok

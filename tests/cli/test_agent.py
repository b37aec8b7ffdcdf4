"""``engram agent run`` against a scripted model server: plan, write, stop, go on."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engram.testing.model_server import FAULTS, ModelServer, model_server

Agent = Callable[..., Any]

PLAN = {"instructions": ["Write a.", "Write b."]}
DONE = {"tool": "done", "summary": "Written."}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A server of its own for each test, which the environment names."""
    with model_server() as made:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{made.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        yield made


@pytest.fixture
def agent(run: Agent, server: ModelServer, tmp_path: Path) -> Agent:
    """``agent("Task")`` works in a folder of the test."""

    def work(*args: str, code: int = 0, model: str = "openai:small") -> Any:
        return run("agent", "run", *args, "--folder", tmp_path / "out", "--model", model, code=code)

    return work


def write(path: str, text: str = "x = 1") -> dict[str, str]:
    """A call that writes a file."""
    return {"tool": "write", "path": path, "text": text}


def files(tmp_path: Path) -> list[str]:
    """What lies in the folder of files."""
    folder = tmp_path / "out" / "files"
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def test_a_task_is_planned_and_carried_out(
    agent: Agent, server: ModelServer, tmp_path: Path
) -> None:
    """The files lie in the folder, and a person sees what was done."""
    server.script = [PLAN, PLAN, write("p/a.py"), DONE, write("b.md", "ä"), DONE]

    done = agent("Two files.")

    assert files(tmp_path) == ["b.md", "p/a.py"]
    assert (tmp_path / "out/files/b.md").read_text(encoding="utf-8") == "ä\n"
    assert "2 of 2 instructions are done" in done.stdout
    assert "to do 1/2: Write a." in done.stderr
    assert "done 2/2" in done.stderr


def test_a_program_gets_one_document_about_a_run(
    agent: Agent, server: ModelServer, tmp_path: Path
) -> None:
    """Each step with what it took; nothing on stderr."""
    server.script = [PLAN, PLAN, write("a.py"), DONE, DONE]

    done = agent("Two files.", "--json")

    told = json.loads(done.stdout)
    assert done.stderr == ""
    assert (told["ok"], told["done"], told["instructions"], told["why"]) == (True, 2, 2, "")
    assert told["files"] == [str(tmp_path / "out" / "files" / "a.py")]
    assert [(each["number"], each["calls"], each["summary"]) for each in told["steps"]] == [
        (1, 2, "Written."),
        (2, 1, "Written."),
    ]


def test_a_run_that_failed_goes_on_where_it_ended(
    agent: Agent, server: ModelServer, tmp_path: Path
) -> None:
    """Without a new plan; what a later step takes away is gone from the folder too."""
    server.script = [PLAN, PLAN, write("a.py"), DONE, write("b.py"), FAULTS["wrong key"]]

    failed = agent("Two files.", code=1)
    held = files(tmp_path)
    server.script = [{"tool": "delete", "path": "a.py"}, write("b.py"), DONE]
    again = agent("Two files.")

    assert "1 of 2 instructions are done" in failed.stdout
    assert "must accept the request" in failed.stdout
    assert held == ["a.py"]
    assert "2 of 2 instructions are done" in again.stdout
    assert files(tmp_path) == ["b.py"]


def test_a_run_that_is_done_asks_nothing_more(agent: Agent, server: ModelServer) -> None:
    """It says what there is."""
    server.script = [PLAN, PLAN, write("a.py"), DONE, DONE]
    agent("Two files.")
    server.seen.clear()

    done = agent("Two files.", "--json")

    assert json.loads(done.stdout)["ok"]
    assert not server.seen


def test_the_folder_of_another_task_is_refused(
    agent: Agent, server: ModelServer, tmp_path: Path
) -> None:
    """Nothing of it is touched."""
    server.script = [PLAN, PLAN, write("a.py"), DONE, DONE]
    agent("Two files.")

    assert "the work on another task" in agent("Three files.", code=1).stderr
    assert files(tmp_path) == ["a.py"]


@pytest.mark.skipif(os.name != "posix", reason="limits are of POSIX systems")
def test_tests_run_only_when_that_is_asked_for(
    agent: Agent, server: ModelServer, tmp_path: Path
) -> None:
    """Then one that fails is named, and the exit code is 1."""
    wrong = write("test_a.py", "def test_it():\n    assert False")
    one = {"instructions": ["Write a."]}
    server.script = [one, one, wrong, DONE]
    agent("One file.")
    (tmp_path / "out" / "checkpoint.json").unlink()
    server.script = [one, one, wrong, *[DONE] * 4]

    done = agent("One file.", "--test", code=1)

    assert "fails: test_a.py::test_it" in done.stdout


def test_an_agent_needs_a_model_and_a_task(agent: Agent, tmp_path: Path) -> None:
    """Each error is one line; nothing is begun."""
    assert "--model" in agent("Two files.", model="none", code=1).stderr
    assert "TASK must be text" in agent(" ", code=1).stderr
    assert not (tmp_path / "out").exists()


def test_a_damaged_checkpoint_is_told(agent: Agent, tmp_path: Path) -> None:
    """And is left as it is."""
    path = tmp_path / "out" / "checkpoint.json"
    path.parent.mkdir()
    path.write_text("{")

    assert "must be a checkpoint of an agent" in agent("Two files.", code=1).stderr
    assert path.read_text() == "{"

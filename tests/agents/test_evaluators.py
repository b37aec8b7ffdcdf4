"""Checks of what an agent wrote: by reading it, and by running it with limits."""

import os
import sys
import time
import warnings
from pathlib import Path

import pytest

from engram.agents.evaluators import LONGEST_OUTPUT, Sandbox, judged, syntax
from engram.agents.files import FileStore
from engram.errors import InvalidInput

posix = pytest.mark.skipif(os.name != "posix", reason="limits are of POSIX systems")


def python(code: str, seconds: int = 20, megabytes: int = 1024) -> tuple[int | None, str]:
    """The exit code and the output of a program."""
    store = FileStore({"main.py": code.split("\n"), "data/note.txt": ["hello"]})
    done = Sandbox(seconds, megabytes).run(store, ["main.py"])
    return done.code, done.output


@pytest.mark.parametrize(
    "text", ["", "x = 1", "def f():\n    return 1\n", "# ä", "async def f(): ...", r"x = '\d'"]
)
def test_right_syntax_is_passed(text: str) -> None:
    """Without a warning, which is for whoever runs it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        assert syntax("a.py", text) == ""


@pytest.mark.parametrize("text", ["def", "x = (1", "if x:\nreturn", "\0", "(" * 5_000, " x\ny"])
def test_wrong_syntax_is_told_with_its_line(text: str) -> None:
    """In one line, whatever is wrong."""
    wrong = syntax("a/b.py", text)

    assert wrong.startswith("a/b.py:")
    assert "\n" not in wrong


def test_other_files_have_no_syntax() -> None:
    """They are taken as they are."""
    assert syntax("a.md", "def") == syntax("Makefile", "\0") == ""


@posix
def test_a_program_sees_a_copy_of_the_files() -> None:
    """What it writes is thrown away; it knows little of where it runs."""
    store = FileStore({"main.py": ["print(open('a').read())", "open('a', 'w').write('x')"]})
    store.write("a", ["hello"])

    done = Sandbox().run(store, ["main.py"])

    assert (done.code, done.output.strip()) == (0, "hello")
    assert store.read("a") == ["hello"]


@posix
def test_secrets_of_the_environment_are_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is set for the model is none of a program's business."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")

    code, said = python("import os\nprint(sorted(os.environ), os.environ['HOME'] == os.getcwd())")

    assert code == 0
    assert "OPENAI" not in said
    assert said.rstrip().endswith("True")


@posix
def test_a_program_that_hangs_is_ended_with_its_children() -> None:
    """By the clock, though it takes no time of the processor."""
    began = time.monotonic()
    code, said = python(
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)",
        seconds=2,
    )

    assert code is None
    assert time.monotonic() - began < 30
    assert _gone(int(said))


@posix
def test_a_child_that_is_left_behind_is_ended() -> None:
    """The program itself was done in time."""
    code, said = python(
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True)"
    )

    assert code == 0
    assert _gone(int(said))


def _gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has asked after is still listed."""
    for _ in range(500):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{pid}/stat")
        if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        os.sched_yield()
    return False


@posix
@pytest.mark.parametrize(
    "code",
    [
        "x = b'x' * (3 << 30)",
        "open('big', 'wb').write(b'x' * (300 << 20))",
        "while True: pass",
        "while True: print('x' * 100_000)",
    ],
)
def test_a_program_that_takes_too_much_fails(code: str) -> None:
    """Memory, disk, processor, output: each has its limit."""
    ended, said = python(code, seconds=3)

    assert ended != 0
    assert len(said) <= LONGEST_OUTPUT


@posix
def test_a_file_of_the_store_cannot_take_the_limits_away() -> None:
    """It may be called like the module that sets them."""
    fake = ["RLIMIT_CPU = RLIMIT_AS = RLIMIT_FSIZE = RLIMIT_CORE = 0"]
    fake += ["def setrlimit(kind, limits): print('no limits')"]
    store = FileStore({"resource.py": fake, "main.py": ["x = b'x' * (3 << 30)"]})

    done = Sandbox().run(store, ["main.py"])

    assert done.code == 1
    assert "no limits" not in done.output
    assert "MemoryError" in done.output


@posix
def test_the_end_of_a_long_output_is_shown() -> None:
    """Where the error stands; bytes that are no text do not matter."""
    code, said = python("import sys\nprint('x' * 99_999)\nsys.stdout.buffer.write(b'\\xffend')")

    assert code == 0
    assert len(said) == LONGEST_OUTPUT
    assert said.endswith("\ufffdend") or "end" in said


GOOD = ["def test_good_things_are_good():", "    assert True"]
BAD = ["def test_bad_things_are_good():", "    assert False"]


@posix
def test_failing_tests_are_named() -> None:
    """By file and function, with what they printed."""
    store = FileStore({"tests/test_a.py": GOOD, "tests/test_b.py": [*GOOD, *BAD]})

    verdict = judged(store, Sandbox())

    assert verdict.failing == {"tests/test_b.py::test_bad_things_are_good"}
    assert "assert False" in verdict.output


@posix
def test_modules_of_the_store_are_found_by_its_tests() -> None:
    """From its root, as a person would run them."""
    test = ["from pack.a import x", "def test_x_is_one():", "    assert x == 1"]

    right = judged(FileStore({"pack/a.py": ["x = 1"], "tests/test_a.py": test}), Sandbox())
    wrong = judged(FileStore({"pack/a.py": ["x = 2"], "tests/test_a.py": test}), Sandbox())

    assert right.failing == frozenset()
    assert "1 passed" in right.output
    assert wrong.failing == {"tests/test_a.py::test_x_is_one"}


@posix
@pytest.mark.parametrize(
    ("lines", "seconds", "named"),
    [
        (["import nowhere"], 20, "test_a.py"),
        (["import os", "os._exit(3)"], 20, "pytest: exit code 3"),
        (["import time", "time.sleep(600)"], 2, "pytest: too slow"),
    ],
)
def test_tests_that_cannot_be_run_fail(lines: list[str], seconds: int, named: str) -> None:
    """One name stands for all of them."""
    verdict = judged(FileStore({"test_a.py": lines}), Sandbox(seconds))

    assert verdict.failing == {named}


def test_without_tests_nothing_is_run() -> None:
    """A file that only sounds like a test is none."""
    files = {"a.py": ["x = 1"], "contest_a.py": BAD, "test_notes.md": ["no"]}

    assert judged(FileStore(files), Sandbox()).failing == frozenset()


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"megabytes": 0}])
def test_limits_of_nothing_are_refused(wrong: dict[str, int]) -> None:
    """By the name of the setting."""
    with pytest.raises(InvalidInput, match="must be at least 1, got 0"):
        Sandbox(**wrong)


@posix
def test_the_interpreter_is_the_one_that_runs_here() -> None:
    """So that what is installed here can be used."""
    assert python("import sys\nprint(sys.executable)")[1].strip() == sys.executable

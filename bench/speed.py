"""How fast: search, context, adding in batches and one by one, opening, importing.

The plain baseline, measured in the same loop, is what a short script would do: one SQLite file
with a full-text table and a float32 matrix, the same embedder, the ten best of each.
"""

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engram import Memory
from engram.adapters.embedders import embedder
from harness import RUNS, Goal, Sheet, draw, options, ratio, spread, took
from made.chat import questions, turns

MS = 1000.0
BATCH = 100
STEPS = """
import json, sys, time
times = []
def step():
    times.append((time.perf_counter(), time.thread_time()))
step()
"""
OPEN = f"""{STEPS}
from engram import Memory
step()
memory = Memory.open(sys.argv[1])
step()
for _ in range(2):
    memory.search(sys.argv[2], user_id="ana")
    step()
print(json.dumps(times))
memory.close()
"""
PLAIN_OPEN = f"""{STEPS}
import sqlite3
step()
sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM sqlite_master").fetchone()
step()
print(json.dumps(times))
"""


class Plain:
    """A full-text table and a matrix: what a memory must be compared with."""

    def __init__(self, path: Path) -> None:
        self.model = embedder(None)
        self.db = bare(path)
        self.db.execute("CREATE VIRTUAL TABLE turns USING fts5(text)")
        self.db.execute("CREATE TABLE vectors(row INTEGER PRIMARY KEY, vector BLOB)")
        self.matrix = np.zeros((0, 256), np.float32)
        self._waiting: list[Any] = []

    def add(self, texts: Sequence[str]) -> None:
        """Store a batch in one transaction."""
        assert self.model is not None
        vectors = self.model.embed(texts)
        self.db.execute("BEGIN IMMEDIATE")
        for text, vector in zip(texts, vectors, strict=True):
            row = self.db.execute("INSERT INTO turns(text) VALUES(?)", (text,)).lastrowid
            self.db.execute("INSERT INTO vectors VALUES(?,?)", (row, vector.tobytes()))
        self.db.execute("COMMIT")
        self._waiting.append(vectors)

    def load(self) -> None:
        """Take what was added into the matrix; part of no figure."""
        self.matrix = np.concatenate([self.matrix, *self._waiting])
        self._waiting = []

    def search(self, query: str) -> list[str]:
        """The ten best by words and the ten best by meaning, as texts."""
        assert self.model is not None
        words = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", query))
        by_words = self.db.execute(
            "SELECT rowid FROM turns WHERE turns MATCH ? ORDER BY rank LIMIT 10", (words,)
        ).fetchall()
        scores = self.matrix @ self.model.embed([query])[0]
        best = np.argpartition(-scores, min(10, len(scores) - 1))[:10]
        rows = {row for (row,) in by_words} | {int(at) + 1 for at in best}
        marks = ",".join("?" * len(rows))
        found = self.db.execute(f"SELECT text FROM turns WHERE rowid IN ({marks})", [*rows])
        return [text for (text,) in found]


class Interpreter:
    """Fresh interpreters that find byte code, as those of an installed package do."""

    def __init__(self, folder: Path) -> None:
        self._env = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder)}
        self._env.pop("PYTHONDONTWRITEBYTECODE", None)

    def run(self, code: str, *arguments: str) -> str:
        """What one prints."""
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=self._env)
        return done.stdout


def bare(path: Path) -> sqlite3.Connection:
    """A SQLite file as safe as engram's default."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    return db


def fill(memory: Memory, plain: Plain, seed: int, first: int, count: int) -> NDArray[np.float64]:
    """Add turns to both in batches, taking turns. (both, parts, clock and work) messages/s."""
    said = list(turns(draw(seed, "turns", first), count, first))
    batches = [said[at : at + BATCH] for at in range(0, len(said), BATCH)]
    rates = np.zeros((2, RUNS, 2))
    for run, share in enumerate(np.array_split(np.arange(len(batches)), RUNS)):
        spent = np.zeros((2, 2))
        for at in share:
            talk = f"talk-{first + at * BATCH}"
            spent[0] += took(partial(memory.add, user_id="ana", run_id=talk), batches[at])
            spent[1] += took(plain.add, [message["content"] for message in batches[at]])
        rates[:, run] = BATCH * len(share) / spent
    plain.load()
    return rates


def adding(sheet: Sheet, size: int, rates: NDArray[np.float64]) -> None:
    """The table of batches."""
    rows = [
        (
            name,
            spread(rates[at, :, 0]),
            spread(rates[at, :, 1]),
            ratio(rates[1, :, 1], rates[at, :, 1]),
        )
        for at, name in enumerate(("engram", "plain"))
    ]
    sheet.table(
        f"Adding in batches of {BATCH} up to {size:,} messages, in five parts",
        ("messages", "a second", "a second of work", "work / plain"),
        rows,
    )
    if size == 10_000:
        least = spread(rates[0, :, 0]).median
        sheet.goals.append(Goal("add at 10k, messages/s", least, least=500))


def measured(
    calls: Sequence[Callable[[Any], object]], arguments: Sequence[Any]
) -> NDArray[np.float64]:
    """(calls, runs, arguments, clock and work) ms; each argument goes to each call in turn."""
    for argument in arguments[:5]:
        for call in calls:
            call(argument)
    every = np.zeros((len(calls), RUNS, len(arguments), 2))
    for run in range(RUNS):
        for at, argument in enumerate(arguments):
            for which, call in enumerate(calls):
                every[which, run, at] = took(call, argument)
    return MS * every


QUANTILES = ("ms", "p50", "p95", "p50 of work", "p95 of work", "p50 / plain", "work / plain")


def quantiles(names: Sequence[str], every: NDArray[np.float64]) -> list[tuple[object, ...]]:
    """The rows under ``QUANTILES``; the last call is the plain one."""
    p50, p95 = (np.quantile(every, q, axis=2) for q in (0.5, 0.95))
    return [
        (
            name,
            *(spread(p[at, :, clock]) for clock in (0, 1) for p in (p50, p95)),
            *(ratio(p50[at, :, clock], p50[-1, :, clock]) for clock in (0, 1)),
        )
        for at, name in enumerate(names)
    ]


def searching(sheet: Sheet, memory: Memory, plain: Plain, asked: list[str], size: int) -> None:
    """Search, context and the plain baseline over one size of scope."""
    search = partial(memory.search, user_id="ana")
    context = partial(memory.context, user_id="ana")
    every = measured([search, context, plain.search], asked)
    counts = memory.stats(user_id="ana")["records"]
    sheet.table(
        f"{len(asked)} questions in a scope of {size:,} messages, {sum(counts.values()):,} records",
        QUANTILES,
        quantiles(["search", "context", "plain"], every),
    )
    if size == 10_000:
        p50, p95 = (spread(np.quantile(every[0, :, :, 0], q, axis=1)).median for q in (0.5, 0.95))
        sheet.goals.append(Goal("search p50 at 10k, ms", p50, most=5))
        sheet.goals.append(Goal("search p95 at 10k, ms", p95, most=12))


def single(sheet: Sheet, args: Namespace, folder: Path) -> None:
    """One durable message at a time, beside what people write by hand and a commit of one row."""
    said = "I bought a coat in Glenford on Monday and it cost me {} euros."
    each = 20 if args.quick else 200
    number = count()
    with (
        Memory.open(folder / "single.db") as full,
        Memory.open(folder / "words.db", embedder="none") as words,
    ):
        db, plain = bare(folder / "bare.db"), Plain(folder / "by-hand.db")
        db.execute("CREATE TABLE messages(id INTEGER PRIMARY KEY, text TEXT)")
        for memory in (full, words):
            memory.add(list(turns(draw(args.seed, "single"), 1000)), user_id="ana")

        def message() -> dict[str, Any]:
            at = next(number)
            return {"role": "user", "content": said.format(at), "time": 1.76e9 + at}

        calls: list[Callable[[Any], object]] = [
            lambda _: full.add(message(), user_id="ana"),
            lambda _: words.add(message(), user_id="ana", infer=False),
            lambda _: plain.add([message()["content"]]),
            lambda _: db.execute("INSERT INTO messages(text) VALUES(?)", (message()["content"],)),
        ]
        every = measured(calls, range(each))
        db.close()
    names = ["add", "add, infer=False, embedder none", "text, words, vector", "bare commit"]
    title = f"One durable message at a time, {each} a run; plain is the bare commit"
    sheet.table(title, QUANTILES, quantiles(names, every))
    p50 = np.median(every[:, :, :, 0], axis=2)
    sheet.goals.append(Goal("single add / bare commit", ratio(p50[0], p50[3]).median, most=1.5))


def opening(sheet: Sheet, python: Interpreter, folder: Path, size: int, query: str) -> None:
    """Fresh processes that open the file and search; its pages are in the system's cache."""
    file = folder / "memory.db"
    every = []
    for _ in range(RUNS + 1):
        ours = np.diff(json.loads(python.run(OPEN, str(file), query)), axis=0)
        plain = np.diff(json.loads(python.run(PLAIN_OPEN, str(folder / "plain.db"))), axis=0)
        every.append(np.concatenate([ours, plain]))
    steps = MS * np.array(every[1:])  # the first writes byte code
    names = [f"engram: {step}" for step in ("import", "open", "first search", "second search")]
    names += [f"bare SQLite: {step}" for step in ("import", "open")]
    sheet.table(
        f"A fresh process on a file of {size:,} messages, {file.stat().st_size / 1e6:,.0f} MB",
        ("ms", "clock", "work"),
        [(name, *(spread(steps[:, at, c]) for c in (0, 1))) for at, name in enumerate(names)],
    )
    if size == 100_000:
        opened = spread(steps[:, 1, 0]).median
        sheet.goals.append(Goal("open at 100k, ms", opened, most=150))


def importing(sheet: Sheet, python: Interpreter) -> None:
    """Whole interpreters, one after the other; the bare one is the baseline."""
    codes = ("pass", "import numpy", "import engram", "from engram import Memory")
    every = np.zeros((RUNS + 1, len(codes), 2))
    for run in range(RUNS + 1):
        for at, code in enumerate(codes):
            began = time.perf_counter()
            work = python.run(f"{code}\nimport time\nprint(time.thread_time())")
            every[run, at] = time.perf_counter() - began, float(work)
    took_ms = MS * every[1:]  # the first writes byte code
    above = took_ms - took_ms[:, :1]
    rows = [
        (code, spread(took_ms[:, at, 0]), *(spread(above[:, at, c]) for c in (0, 1)))
        for at, code in enumerate(codes)
    ]
    head = ("ms", "whole process", "above a bare one", "work, above a bare one")
    sheet.table("Importing", head, rows)
    sheet.goals.append(Goal("import engram, ms", spread(above[:, 2, 0]).median, most=200))


def main() -> int:
    """Measure everything, smallest scope first."""
    parser = options("How fast engram is, beside a plain SQLite script.")
    parser.add_argument("--large", action="store_true", help="also 100,000 messages; minutes")
    args = parser.parse_args()
    sizes = [500, 1000] if args.quick else [1000, 10_000, *([100_000] if args.large else [])]
    asked = questions(draw(args.seed, "questions"), 40 if args.quick else 400)
    sheet = Sheet("Speed", args.seed, args.json)
    with ExitStack() as opened:
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="engram-speed-")))
        python = Interpreter(folder / "byte-code")
        importing(sheet, python)
        single(sheet, args, folder)
        memory = opened.enter_context(Memory.open(folder / "memory.db"))
        plain, held = Plain(folder / "plain.db"), 0
        for size in sizes:
            rates = fill(memory, plain, args.seed, held, size - held)
            held = size
            adding(sheet, size, rates)
            searching(sheet, memory, plain, asked if size <= 10_000 else asked[:100], size)
            opening(sheet, python, folder, size, asked[-1])
        plain.db.close()
    sheet.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Does an acknowledged write survive ``kill -9``? And eight processes that write at once?

Writers add, update, delete, erase and tend on one file until they are killed. After each round the
file is compared with what they were told: log, rows, word index, vectors, and the bytes of what
was erased; then it is checked, and rebuilt out of its log beside itself. Exits with 1 on any loss.
"""

import multiprocessing
import sys
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.context import SpawnProcess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from engram import Memory
from engram.plaintext.store.connect import Durability
from harness import RUNS, Sheet, draw, options, ratio, spread
from killed.load import Shift, besiege, crowd, crowd_plain
from killed.truth import LIVE, Truth, lines
from killed.verdict import SAMPLE, left_behind, lost, read, settle, unseen, unsound, wrong_vectors

WRITERS = 4
LEVELS: tuple[Durability, ...] = ("full", "full", "normal", "off")
"""One a writer: a killed process loses nothing at any of them."""

HELD = 60  # records of former shifts that a writer may change
LONGEST = 0.8  # seconds that a writer lives after it has opened the file
EARLY, OPENING = 0.15, 0.2  # share of the kills while the file is opened; seconds that this takes
PATIENCE = 120.0  # seconds; a writer that is not ready by then has failed
SHOWN = 20  # problems; one loss often shows in many places
SPAWN = multiprocessing.get_context("spawn")


@dataclass(slots=True)
class Siege:
    """One file, its writers, and what became of them."""

    folder: Path
    seed: int
    truth: Truth = field(default_factory=Truth)
    problems: list[str] = field(default_factory=list)
    kills: int = 0
    erased: int = 0
    stats: dict[str, int] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The store."""
        return self.folder / "memory.db"

    def round(self, number: int, writers: int) -> None:
        """Let writers work, kill each at a moment of its own, and judge the file."""
        rng = draw(self.seed, "round", number)
        shifts = [self.shift(number, writer) for writer in range(writers)]
        running = [started(besiege, shift) for shift in shifts]
        plans = [_plan(early=rng.random() < EARLY, share=rng.random()) for _ in shifts]
        for at, process in killed(shifts, running, plans):
            self.kills += 1
            if process.exitcode != -9:
                why = [line["failed"] for line in lines(shifts[at].journal) if "failed" in line]
                self.problems.append(f"round {number}: writer {at} ended by itself {why}")
        for shift in shifts:
            self.truth.hear(shift.journal, shift.writer)
        self.judge(number)

    def judge(self, number: int) -> None:
        """Compare the file with what was acknowledged."""
        copy = self.folder / f"copy-{number}.db"
        with Memory.open(self.file) as memory:
            with memory.store.snapshot() as db:
                held = read(db)
            found = [*lost(self.truth, held), *wrong_vectors(self.truth, held)]
            settle(self.truth, held)
            live = [r for r, known in self.truth.records.items() if known.standing == LIVE]
            sample = draw(self.seed, "sample", number).sample(live, min(SAMPLE, len(live)))
            found += unseen(self.truth, held, memory, sample)
            found += unsound(memory, copy)
        found += left_behind(self.truth, held, self.file)
        self.problems += [f"round {number}: {problem}" for problem in found]
        versions = sum(map(len, held.log.values()))
        self.stats = {"records": len(held.log), "versions": versions, "commits": len(held.commits)}
        self.erased = len(set().union(*held.erases))
        for part in self.folder.glob(f"{copy.name}*"):
            part.unlink()

    def shift(self, number: int, writer: int, calls: int = 0) -> Shift:
        """The work of one writer in one round."""
        return Shift(
            file=self.file,
            journal=self.folder / f"journal-{number}-{writer}.jsonl",
            writer=writer,
            number=number,
            seed=self.seed,
            durability=LEVELS[0] if calls else LEVELS[writer % len(LEVELS)],
            held=self.truth.held(writer, HELD),
            calls=calls,
        )


Plan = tuple[str, float]
"""Kill a writer so many seconds after its journal has a line with this word."""


def _plan(*, early: bool, share: float) -> Plan:
    return ("opening", share * OPENING) if early else ("ready", share * LONGEST)


def started(work: Callable[..., None], *arguments: object) -> SpawnProcess:
    """A process of its own that works."""
    process = SPAWN.Process(target=work, args=arguments)
    process.start()
    return process


def killed(
    shifts: Sequence[Shift], running: Sequence[SpawnProcess], plans: Sequence[Plan]
) -> Iterator[tuple[int, SpawnProcess]]:
    """Kill every process by its plan, and yield each once it is gone."""
    due = dict.fromkeys(range(len(shifts)), time.monotonic() + PATIENCE)
    told: set[int] = set()
    while due:
        for at, when in list(due.items()):
            word, delay = plans[at]
            if at not in told and any(word in line for line in lines(shifts[at].journal)):
                told.add(at)
                due[at] = time.monotonic() + delay
            elif time.monotonic() >= when or not running[at].is_alive():
                running[at].kill()
                running[at].join()
                del due[at]
                yield at, running[at]
        time.sleep(0.002)


def siege(sheet: Sheet, args: Namespace, folder: Path) -> bool:
    """All rounds, and their table; whether nothing was lost."""
    state, began, number = Siege(folder, args.seed), time.monotonic(), 0
    while state.kills < args.kills and len(state.problems) < SHOWN:
        number += 1
        state.round(number, min(WRITERS, args.kills - state.kills))
    truth = state.truth
    rows: list[tuple[str, object]] = [
        ("kills", state.kills),
        ("while", _counted(truth.cut)),
        ("acknowledged calls", f"{truth.ended.total():,}: {_counted(truth.ended)}"),
        *((name, f"{count:,}") for name, count in state.stats.items()),
        ("erased records", f"{state.erased:,}"),
        ("problems", len(state.problems)),
        ("seconds", time.monotonic() - began),
    ]
    title = f"kill -9 of {WRITERS} writers, {number} rounds, durability {', '.join(LEVELS)}"
    sheet.table(title, ("what", "how many"), rows)
    for problem in state.problems[:SHOWN]:
        sheet.note(problem)
    return not state.problems


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counter.most_common())


@dataclass(frozen=True, slots=True)
class Wave:
    """Processes that wrote at once: milliseconds of every call, and calls a second in all."""

    took: list[float]
    rate: float

    def at(self, quantile: float) -> float:
        """Milliseconds of a call at a quantile."""
        return float(np.quantile(self.took, quantile))


def wave(work: Callable[..., None], shifts: Sequence[Shift]) -> Wave:
    """Let processes begin together and wait for the last.

    Raises:
        RuntimeError: one of them failed; its traceback is on stderr.
    """
    start = SPAWN.Barrier(len(shifts) + 1)
    running = [started(work, shift, start) for shift in shifts]
    start.wait(PATIENCE)
    for process in running:
        process.join()
    failed = [at for at, process in enumerate(running) if process.exitcode]
    if failed:
        raise RuntimeError(f"every process must end well, these failed: {failed}")
    calls = [line for shift in shifts for line in lines(shift.journal) if "ended" in line]
    spent = max(call["ended"] for call in calls) - min(call["began"] for call in calls)
    took = [1000 * (call["ended"] - call["began"]) for call in calls]
    return Wave(took, len(took) / spent)


def together(sheet: Sheet, args: Namespace, folder: Path) -> bool:
    """Processes that add at once, beside as many that commit bare rows; whether none was lost."""
    state, each = Siege(folder, args.seed), max(1, args.adds // RUNS)
    ours, plain = [], []
    for part in range(RUNS):
        shifts = [state.shift(part, writer, calls=each) for writer in range(args.processes)]
        others = [
            replace(s, file=folder / "plain.db", journal=s.journal.with_suffix(".plain"))
            for s in shifts
        ]
        ours.append(wave(crowd, shifts))
        plain.append(wave(crowd_plain, others))
        for shift in shifts:
            state.truth.hear(shift.journal, shift.writer)
    state.judge(0)
    _compare(sheet, f"{args.processes} processes, {each * RUNS} durable adds each", ours, plain)
    told = state.truth.ended["add"]
    sheet.note(f"{told:,} adds acknowledged, {len(state.problems)} problems; {state.stats}")
    for problem in state.problems[:SHOWN]:
        sheet.note(problem)
    return not state.problems and told == each * RUNS * args.processes


def _compare(sheet: Sheet, title: str, ours: list[Wave], plain: list[Wave]) -> None:
    rows = []
    for name, waves in (("add", ours), ("bare commit", plain)):
        cells = [spread(wave.at(q) for wave in waves) for q in (0.5, 0.95, 0.99, 1)]
        rows.append((name, *cells, spread(wave.rate for wave in waves)))
    cells = [
        ratio([wave.at(q) for wave in ours], [wave.at(q) for wave in plain])
        for q in (0.5, 0.95, 0.99, 1)
    ]
    rates = ratio([wave.rate for wave in plain], [wave.rate for wave in ours])
    rows.append(("add / bare commit", *cells, rates))
    sheet.table(title, ("ms", "p50", "p95", "p99", "longest", "a second, all"), rows)


def main() -> int:
    """Kill, crowd, and say whether anything was lost."""
    parser = options("Does an acknowledged write survive kill -9, and a crowd of writers?")
    parser.add_argument("--kills", type=int, metavar="N", help="default 200, quick 8")
    parser.add_argument("--processes", type=int, metavar="N", help="1 to 18; default 8, quick 3")
    parser.add_argument("--adds", type=int, metavar="N", help="a process; default 1000, quick 20")
    args = parser.parse_args()
    args.kills = (8 if args.quick else 200) if args.kills is None else args.kills
    args.processes = args.processes or (3 if args.quick else 8)
    args.adds = (20 if args.quick else 1000) if args.adds is None else args.adds
    sheet = Sheet("Durability", args.seed, args.json)
    kept = True
    for measure, wanted in ((siege, args.kills), (together, args.adds)):
        if wanted:
            with TemporaryDirectory(prefix="engram-durability-") as folder:
                kept &= measure(sheet, args, Path(folder))
    sheet.note("nothing was lost" if kept else "LOST: see above")
    sheet.close()
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())

"""What every measurement shares: its options, the machine it ran on, its tables.

Run by itself it prints the machine. A script makes a ``Sheet``, adds tables and goals, and ends
with ``sheet.close()``.
"""

import argparse
import json
import os
import platform
import random
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

import engram

ROOT = Path(__file__).resolve().parent.parent
RUNS = 5
"""How often a figure is measured; what is shown is the median of the runs and their range."""


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over several runs."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{figure(self.median)} ({figure(self.low)} to {figure(self.high)})"


def spread(values: Iterable[float]) -> Spread:
    """The median of some runs and their range."""
    runs = sorted(values)
    return Spread(float(np.median(runs)), runs[0], runs[-1])


def ratio(ours: Iterable[float], plain: Iterable[float]) -> Spread:
    """Ours over the plain one, run by run: the two of a run met the same load."""
    return spread(a / b for a, b in zip(ours, plain, strict=True))


def figure(value: float) -> str:
    """A number in three digits; a large one in full."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


class Took(NamedTuple):
    """What a call took: seconds on the clock, and seconds that its own thread worked.

    Work leaves out waits for a disk or for a busy core, so it moves less on a shared machine. It
    also leaves out what libraries do in threads of their own, so it is no bound from above: numpy
    multiplies on every core. The time of the whole process would count those threads while they
    spin, twice the work here.
    """

    clock: float
    work: float


def took(call: Callable[..., object], *arguments: object) -> Took:
    """What one call takes."""
    clock, work = time.perf_counter(), time.thread_time()
    call(*arguments)
    return Took(time.perf_counter() - clock, time.thread_time() - work)


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure and the most, or the least, that it may be."""

    what: str
    got: float
    most: float | None = None
    least: float | None = None

    @property
    def met(self) -> bool:
        """Whether the figure is within its limits."""
        most_ok = self.most is None or self.got <= self.most
        return most_ok and (self.least is None or self.got >= self.least)


@dataclass(slots=True)
class Sheet:
    """What one script prints and, with ``--json``, writes."""

    title: str
    seed: int
    target: Path | None = None
    machine: dict[str, str] = field(default_factory=dict)
    tables: list[dict[str, Any]] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    console: Console = field(default_factory=lambda: Console(width=_width(), highlight=False))

    def __post_init__(self) -> None:
        """Say at once what is run, and where."""
        self.machine = machine()
        self.console.print(self.title, style="bold", markup=False)
        for name, value in (self.machine | {"seed": str(self.seed)}).items():
            self.console.print(f"{name:>10}  {value}", markup=False, soft_wrap=True)

    def table(self, title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print a table and keep it for the file."""
        shown = Table(title=title, title_justify="left", title_style="bold")
        for at, name in enumerate(head):
            shown.add_column(name, justify="right" if at else "left")
        for row in rows:
            shown.add_row(*(_cell(value) for value in row))
        self.console.print()
        self.console.print(shown)
        kept = [[asdict(v) if isinstance(v, Spread) else v for v in row] for row in rows]
        self.tables.append({"title": title, "head": list(head), "rows": kept})

    def note(self, text: str) -> None:
        """Print a line that is no figure."""
        self.console.print(text, style="dim", markup=False)

    def close(self) -> int:
        """Show the goals, write the file; 1 when a goal was missed."""
        if self.goals:
            limits = [_limit(goal) for goal in self.goals]
            rows = [
                (goal.what, goal.got, limit, "met" if goal.met else "MISSED")
                for goal, limit in zip(self.goals, limits, strict=True)
            ]
            self.table("Goals", ("goal", "got", "wanted", ""), rows)
        self.note(f"load at the end: {load()}")
        if self.target is not None:
            told = {"title": self.title, "seed": self.seed, "machine": self.machine}
            told |= {"load at the end": load(), "tables": self.tables}
            self.target.write_text(json.dumps(told, ensure_ascii=False, indent=1), "utf-8")
        return int(not all(goal.met for goal in self.goals))


def _limit(goal: Goal) -> str:
    sides = [("at most", goal.most), ("at least", goal.least)]
    return ", ".join(f"{side} {figure(value)}" for side, value in sides if value is not None)


def _cell(value: object) -> str:
    return figure(value) if isinstance(value, float) else str(value)


def _width() -> int | None:
    """A pipe has no width; a table that is cut says nothing."""
    return None if os.isatty(1) else 200


def options(description: str) -> argparse.ArgumentParser:
    """The options of every script."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="small sizes: a smoke run of seconds")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every table there, too")
    return parser


def draw(seed: int, *names: object) -> random.Random:
    """A source of chance of its own for each use, the same for the same seed."""
    return random.Random(":".join(map(str, (seed, *names))))


def machine() -> dict[str, str]:
    """What a figure depends on besides the code."""
    return {
        "hardware": f"{_processor()}, {os.cpu_count()} cores, {_memory():.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "software": f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"numpy {np.__version__}, engram {engram.__version__}",
        "commit": commit(),
        "load": load(),
    }


def commit() -> str:
    """The commit that is checked out, and whether the package differs from it."""
    git = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT)]
    try:
        head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], **_QUIET).stdout.strip()
        changed = subprocess.run([*git, "status", "--porcelain", "--", "src"], **_QUIET).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        return "unknown: no git here"
    return f"{head} with changes in src" if changed else head


_QUIET: Any = {"capture_output": True, "text": True, "check": True}


def load() -> str:
    """How busy the machine is: waiting processes over one and five minutes."""
    if not hasattr(os, "getloadavg"):
        return "unknown"
    one, five, _ = os.getloadavg()
    return f"{one:.2f} over a minute, {five:.2f} over five"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> float:
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return float("nan")
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30


if __name__ == "__main__":
    Sheet("The machine that measures", seed=0)

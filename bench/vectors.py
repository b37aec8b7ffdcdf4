"""How fast the index of vectors is, how much memory and disk it takes, and what it survives.

Every index is in a process of its own; their turns at the same queries are interleaved. Each gets
the least effort with which it finds 95.5 of 100 of the ten nearest, of queries that are not timed.
One that never does, or that returns a row twice, counts for no goal. Peers are optional: one whose
package is missing is skipped with a line.
"""

import json
import subprocess
import sys
import tempfile
from argparse import Namespace
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np

from engram.extras import require
from engram.vectors import Segments
from harness import RUNS, Goal, Sheet, options, spread, took
from killed.index import siege
from made.points import nearest, points
from peers.nearest import EXACT, KINDS, K

MS, MB = 1000.0, 1e6
RECALL, MARGIN = 0.95, 0.005
QUERIES = 1000
OURS = {"engram", "numpy"}
PEERS = Path(__file__).parent / "peers" / "nearest.py"


class Contender:
    """An index in a process of its own."""

    def __init__(self, name: str, folder: Path, python: str) -> None:
        self.name = name
        self.curve: list[tuple[int, float, float]] = []
        self.effort = 0
        self.work = 0.0
        self.sound = True
        using = sys.executable if name in OURS else python
        self._command = [using, str(PEERS), name, str(folder)]
        self._begin()

    def _begin(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, do: str, **told):
        """Send an order, wait for the answer."""
        self._process.stdin.write(json.dumps({"do": do} | told) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        return json.loads(line) if line else {"missing": f"its process ended at {do!r}"}

    def again(self):
        """Open what was built in a fresh process."""
        self.close()
        self._begin()
        return self.ask("load")

    def search(self, first: int, last: int, effort: int, *, cold: bool = False):
        """(queries, clock and work) ms, and the rows found."""
        told = self.ask("search", first=first, last=last, effort=effort, cold=cold)
        return MS * np.array(told["times"]), np.array(told["rows"])

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def share(found, true) -> float:
    """Of the true nearest, what was found."""
    return (
        float(np.mean([len(np.intersect1d(*pair)) for pair in zip(found, true, strict=True)])) / K
    )


def built(sheet: Sheet, args: Namespace, folder: Path, stack: ExitStack) -> list[Contender]:
    """Build all that are installed, one after the other."""
    rows, found = [], []
    for name in args.only.split(",") if args.only else KINDS:
        each = Contender(name, folder, args.python)
        told = each.ask("build")
        opened = told if "missing" in told else each.again()
        if "missing" in opened:
            sheet.note(f"{name} is skipped: {opened['missing']}")
            each.close()
            continue
        stack.callback(each.close)
        found.append(each)
        each.before, each.work = opened["before"], told["work"]
        rows.append(
            (name, told["seconds"], told["work"], opened["seconds"] * MS, told["disk"] / MB)
        )
    head = ("one thread", "build, s", "work, s", "open, ms", "disk, MB")
    sheet.table("Building and opening", head, rows)
    return found


def tuned(sheet: Sheet, contenders: list[Contender], true) -> None:
    """Find the least effort that is enough, half of the queries being asked for it."""
    rows, half = [], len(true) // 2
    for each in contenders:
        for effort in KINDS[each.name].efforts:
            times, found = each.search(0, half, effort)
            each.sound &= all(len(set(row)) == K for row in found.tolist())
            each.curve.append((effort, share(found, true[:half]), float(np.median(times[:, 0]))))
        enough = [effort for effort, recall, _ in each.curve if recall >= RECALL + MARGIN]
        each.sound &= bool(enough)
        if not each.sound:
            sheet.note(f"{each.name} returns a row twice or too few of the nearest: no goal")
        each.effort = enough[0] if enough else each.curve[-1][0]
        rows += [(f"{each.name}, {effort}", recall, ms) for effort, recall, ms in each.curve]
    sheet.table("Effort, recall@10 and p50", ("effort", "recall", "ms"), rows)


def compared(sheet: Sheet, contenders: list[Contender], true) -> None:
    """All at their efforts, query by query in turns."""
    half, step = len(true) // 2, 25
    every = {each.name: [[] for _ in range(RUNS)] for each in contenders}
    recall: dict[str, list[float]] = {each.name: [] for each in contenders}
    for run in range(RUNS):
        for at in range(half, len(true), step):
            last = min(at + step, len(true))
            for each in contenders:
                times, found = each.search(at, last, each.effort)
                every[each.name][run].append(times)
                recall[each.name].append(share(found, true[at:last]))
    rows, p50 = [], {}
    for each in contenders:
        runs = [np.concatenate(parts) for parts in every[each.name]]
        p50[each.name] = spread(np.median(run[:, 0]) for run in runs)
        memory = np.array(each.ask("memory")["memory"]) - np.array(each.before)
        work = spread(np.median(run[:, 1]) for run in runs)
        p95 = spread(np.quantile(run[:, 0], 0.95) for run in runs)
        found = float(np.mean(recall[each.name]))
        rows.append((each.name, found, p50[each.name], work, p95, *(memory / MB)))
    head = (
        "warm",
        "recall",
        "p50, ms",
        "p50 of work",
        "p95, ms",
        "resident, MB",
        "of these anonymous",
    )
    sheet.table(f"Interleaved, {len(true) - half} queries a run", head, rows)
    against(sheet, contenders, p50, {row[0]: row[-2] for row in rows})
    sheet.goals.append(Goal("recall@10 of engram", rows[0][1], least=RECALL))


def against(sheet: Sheet, contenders: list[Contender], p50, resident) -> None:
    """The goals beside peers, of those that find what they should."""
    sound = {each.name: each for each in contenders if each.sound}
    if {"engram", "usearch"} <= sound.keys():
        ratio = resident["engram"] / resident["usearch"]
        sheet.goals.append(Goal("resident memory, engram / usearch", ratio, most=0.2))
    if {"engram", "diskannpy"} <= sound.keys():
        ratio = p50["engram"].median / p50["diskannpy"].median
        sheet.goals.append(Goal("p50, engram / diskannpy", ratio, most=1))
        ratio = sound["diskannpy"].work / sound["engram"].work
        sheet.goals.append(Goal("build work, diskannpy / engram", ratio, least=3))


def cold(sheet: Sheet, contenders: list[Contender], count: int) -> None:
    """Nothing of the files is in the system's cache before a query; for what is on disk."""
    rows = []
    for each in contenders:
        if each.name in {"engram", "diskannpy"}:
            times, _ = each.search(0, count, each.effort, cold=True)
            rows.append(
                (each.name, float(np.median(times[:, 0])), float(np.quantile(times[:, 0], 0.95)))
            )
    sheet.table(f"Cold, {count} queries", ("cold", "p50, ms", "p95, ms"), rows)


def plotted(contenders: list[Contender], path: Path) -> None:
    """Recall against time."""
    pyplot = require("matplotlib.pyplot", extra="plot", purpose="--plot")
    figure, axes = pyplot.subplots()
    for each in contenders:
        _, recall, ms = zip(*each.curve, strict=True)
        axes.plot(recall, ms, marker="o", label=each.name)
    axes.set(xlabel="recall@10", ylabel="p50, ms", yscale="log")
    axes.legend()
    figure.savefig(path)


def scoped(sheet: Sheet, folder: Path) -> None:
    """An exact search of few rows, beside numpy over the same rows in memory."""
    vectors, queries = np.load(folder / "vectors.npy"), np.load(folder / "queries.npy")
    index = Segments.open(folder / "engram", vectors.shape[1], exact=EXACT)
    rows, rng, first = [], np.random.default_rng(0), len(vectors) // 3
    for share in (1000, 100, 10):
        size = len(vectors) // share
        scattered = np.sort(rng.choice(len(vectors), size, replace=False))
        for kind, at in (("scattered", scattered), ("a piece", np.arange(first, first + size))):
            calls = (partial(floor, vectors, at), partial(among, index, at + 1))
            times = np.zeros((2, RUNS, 40))
            for run in range(RUNS):
                for turn, query in enumerate(queries[:40]):
                    times[:, run, turn] = [MS * took(call, query).clock for call in calls]
            plain, ours = np.median(times, axis=2)
            over = spread(ours / plain)
            rows.append((f"{size:,} rows, {kind}", spread(plain), spread(ours), over))
            if share == 100:
                goal = f"scope of a hundredth, {kind}, engram / numpy"
                sheet.goals.append(Goal(goal, over.median, most=3))
    sheet.table(
        "Scoped; a tenth is searched through lists",
        ("scope", "numpy, ms", "engram, ms", "engram / numpy"),
        rows,
    )


def floor(vectors, at, query):
    """What numpy takes at least."""
    return at[np.argpartition(-(vectors[at] @ query), K)[:K]]


def among(index: Segments, rows, query):
    """The same of an index."""
    return index.search(query[None], K, allowed=rows)


def updated(sheet: Sheet, folder: Path, count: int, dimension: int) -> None:
    """Three vectors for ten come from elsewhere, in batches, and are followed or built anew."""
    vectors = np.concatenate(
        [points(count, dimension, 5), points(3 * count // 10, dimension, 6, moved=1)]
    )
    queries = np.concatenate([points(150, dimension, 7), points(150, dimension, 8, moved=1)])
    true, rows = nearest(vectors.astype(np.float16), queries, K), []
    for name, batch in (("built at once", len(vectors)), ("in batches", count // 20)):
        index = Segments.open(folder / name.replace(" ", "-"), dimension, exact=1000)
        for last in [*range(count, len(vectors), batch), len(vectors)]:
            last = len(vectors) if batch == len(vectors) else last
            index.extend(np.arange(index.fed + 1, last + 1), vectors[index.fed : last])
            index.seal()
            index.merge()
        found = index.search(queries, K)
        lists = index.search(queries[:1], K, heads=10**9).stats
        memory = index.memory_bytes() / vectors.nbytes
        rows.append(
            (name, share(found.rows - 1, true), found.stats.scanned / 300, memory, lists.postings)
        )
    head = ("updates", "recall", "scanned", "memory / vectors", "lists")
    sheet.table(f"{count:,} vectors, and {3 * count // 10:,} that drifted", head, rows)
    sheet.goals.append(Goal("recall lost in batches", rows[0][1] - rows[1][1], most=0.02))
    sheet.goals.append(Goal("memory / vectors", rows[1][3], most=0.25))


def main() -> int:
    """Measure everything."""
    parser = options("The index of vectors beside others.")
    parser.add_argument("--count", type=int, default=100_000, help="vectors")
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--only", default="", metavar="NAMES", help="some of the indexes")
    parser.add_argument("--vectors", type=Path, metavar="FILE", help="unit vectors, as .npy")
    parser.add_argument("--python", default=sys.executable, help="interpreter of the peers")
    parser.add_argument("--plot", type=Path, metavar="FILE")
    parser.add_argument("--kills", type=int, default=100)
    args = parser.parse_args()
    count = 20_000 if args.quick else args.count
    sheet = Sheet("Vectors", args.seed, args.json)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="engram-vectors-")))
        vectors, queries = made(args, count)
        np.save(folder / "vectors.npy", vectors)
        np.save(folder / "queries.npy", queries)
        true = nearest(vectors, queries, K)
        sheet.note(f"{len(vectors):,} vectors of {vectors.shape[1]} numbers")
        del vectors
        contenders = built(sheet, args, folder, stack)
        tuned(sheet, contenders, true)
        compared(sheet, contenders, true)
        cold(sheet, contenders, 20 if args.quick else 100)
        if args.plot:
            plotted(contenders, args.plot)
        scoped(sheet, folder)
        updated(sheet, folder, min(count, 20_000), args.dimension)
        siege(sheet, folder / "killed", 5 if args.quick else args.kills)
    return sheet.close()


def made(args: Namespace, count: int):
    """Vectors and queries, of a file or drawn."""
    if args.vectors is None:
        return points(count, args.dimension, args.seed), points(
            QUERIES, args.dimension, args.seed + 1
        )
    given = np.load(args.vectors)[: count + QUERIES]
    return given[QUERIES:], given[:QUERIES]


if __name__ == "__main__":
    sys.exit(main())

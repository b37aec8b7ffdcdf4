"""An index of vectors whose writer is killed again and again: what was sealed is found, always."""

import os
import random
import signal
from pathlib import Path

import numpy as np

from engram.vectors import Segments
from harness import Goal, Sheet
from made.points import nearest, points

COUNT, DIMENSION, K = 6000, 64, 10
_DIGITS = 2.9  # of the most steps before a kill: long enough for an erase


def opened(folder: Path) -> Segments:
    """The index, with lists from a thousand vectors on."""
    return Segments.open(folder, DIMENSION, exact=1000)


def work(folder: Path, vectors, line: int) -> None:
    """Feed, seal and merge step by step, erase now and then; tell of each, until killed."""
    index = opened(folder)
    while True:
        last = min(COUNT, index.fed + 700)
        index.extend(np.arange(index.fed + 1, last + 1), vectors[index.fed : last])
        index.remove(np.arange(1, last, 50))
        index.seal()
        os.write(line, b"s")
        while not index.merge(seconds=0):
            os.write(line, b"m")
        if index.reach == COUNT:
            index.erase(np.arange(1, COUNT, 50))
            os.write(line, b"e")


def _forked(folder: Path, vectors, line: int) -> int:
    """A child at work."""
    process = os.fork()
    if not process:
        try:
            work(folder, vectors, line)
        finally:
            os._exit(1)
    os.close(line)
    return process


def siege(sheet: Sheet, folder: Path, kills: int) -> None:
    """Kill a writer at some step, open what it left, compare; four times each index."""
    folder.mkdir()
    vectors = points(COUNT, DIMENSION, 0, topics=60).astype(np.float16).astype(np.float32)
    queries = points(60, DIMENSION, 1, topics=60)
    alive = np.ones(COUNT, bool)
    alive[np.arange(0, COUNT - 1, 50)] = False
    true = np.flatnonzero(alive)[nearest(vectors[alive], queries, K)]
    rng, wrong, least = random.Random(0), 0, 1.0
    last = dict.fromkeys("sme", 0)
    for kill in range(kills):
        here = folder / str(kill // 4)
        last[killed(here, vectors, round(10 ** rng.uniform(0, _DIGITS)))] += 1
        index = opened(here)
        damaged = index.verify()
        index.extend(np.arange(index.fed + 1, COUNT + 1), vectors[index.fed :])
        index.remove(np.arange(1, COUNT, 50))
        whole = index.search(queries, K, heads=10**9).rows - 1
        some = index.search(queries, K).rows - 1
        wrong += bool(damaged) or not np.array_equal(np.sort(whole), np.sort(true))
        shares = [np.isin(*pair).mean() for pair in zip(some, true, strict=True)]
        least = min(least, float(np.mean(shares)))
    rows = [(_NAMES[step], count) for step, count in last.items()]
    sheet.table(f"{kills} kills of a writer, by what it did last", ("killed after", "times"), rows)
    sheet.goals.append(Goal("killed indexes that differ", wrong, most=0))
    sheet.goals.append(Goal("least recall after a kill", least, least=0.95))


_NAMES = {"s": "a seal", "m": "a step of a merge", "e": "an erase"}


def killed(folder: Path, vectors, steps: int) -> str:
    """Kill a child after so many steps; what the last one was."""
    reading, writing = os.pipe()
    process, told = _forked(folder, vectors, writing), b""
    while len(told) < steps:
        told += os.read(reading, 1)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    os.close(reading)
    return told[-1:].decode()

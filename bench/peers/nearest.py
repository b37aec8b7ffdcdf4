"""One index in a process of its own: it reads orders, a line each, and answers in lines.

    python bench/peers/nearest.py NAME FOLDER

FOLDER holds vectors.npy and queries.npy. So the memory of each index is its own, and their turns
can be interleaved; and peers may have an interpreter with the numpy that they were built for: under
numpy 2 diskannpy 0.7 returns one row ten times.
"""

import json
import os
import sys
import time
from pathlib import Path

for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402

K = 10
EXACT = 10_000  # vectors up to which ours compares with all


class Engram:
    """Ours; the effort is lists read."""

    efforts = (32, 48, 64, 96, 128, 192, 256)

    def build(self, folder, vectors):
        self.load(folder, vectors)
        for at in range(0, len(vectors), 65_536):
            some = np.asarray(vectors[at : at + 65_536])
            self.index.extend(np.arange(at + 1, at + 1 + len(some)), some)
            self.index.seal()
        self.index.merge()

    def load(self, folder, vectors):
        from engram.vectors import Segments

        self.index = Segments.open(folder / "engram", vectors.shape[1], exact=EXACT)

    def search(self, query, effort):
        return self.index.search(query[None], K, heads=effort).rows[0] - 1

    def files(self, folder):
        return [*(folder / "engram").iterdir()]


class Usearch:
    """HNSW in memory, as float32; the effort is its expansion."""

    efforts = (16, 32, 64, 128, 256, 512)

    def _new(self, dimension):
        from usearch.index import Index

        return Index(ndim=dimension, metric="ip", dtype="f32")

    def build(self, folder, vectors):
        self.index = self._new(vectors.shape[1])
        self.index.add(np.arange(len(vectors)), np.asarray(vectors), threads=1)
        self.index.save(str(folder / "usearch"))

    def load(self, folder, vectors):
        self.index = self._new(vectors.shape[1])
        self.index.load(str(folder / "usearch"))

    def search(self, query, effort):
        self.index.expansion_search = effort
        return self.index.search(query, K, threads=1).keys

    def files(self, folder):
        return [folder / "usearch"]


class Hnswlib:
    """HNSW in memory; the effort is ef."""

    efforts = (10, 20, 40, 80, 160, 320)

    def build(self, folder, vectors):
        import hnswlib

        self.index = hnswlib.Index("ip", vectors.shape[1])
        self.index.init_index(len(vectors), M=16, ef_construction=128)
        self.index.add_items(np.asarray(vectors), num_threads=1)
        self.index.save_index(str(folder / "hnswlib"))

    def load(self, folder, vectors):
        import hnswlib

        self.index = hnswlib.Index("ip", vectors.shape[1])
        self.index.load_index(str(folder / "hnswlib"))

    def search(self, query, effort):
        self.index.set_ef(effort)
        return self.index.knn_query(query, K, num_threads=1)[0][0].astype(np.int64)

    def files(self, folder):
        return [folder / "hnswlib"]


class Faiss:
    """Inverted lists of 8-bit vectors in memory; the effort is lists read."""

    efforts = (4, 8, 16, 32, 64, 128)

    def build(self, folder, vectors):
        import faiss

        cells = round(4 * len(vectors) ** 0.5)
        self.index = faiss.index_factory(
            vectors.shape[1], f"IVF{cells},SQ8", faiss.METRIC_INNER_PRODUCT
        )
        self.index.train(np.asarray(vectors[: 50 * cells]))
        for at in range(0, len(vectors), 65_536):
            self.index.add(np.asarray(vectors[at : at + 65_536]))
        faiss.write_index(self.index, str(folder / "faiss"))

    def load(self, folder, _):
        import faiss

        self.index = faiss.read_index(str(folder / "faiss"))

    def search(self, query, effort):
        self.index.nprobe = effort
        return self.index.search(query[None], K)[1][0]

    def files(self, folder):
        return [folder / "faiss"]


class Diskann:
    """A graph on disk, read past the system's cache; the effort is the length of its list.

    Compressed vectors are in memory, as many bytes as our heads take.
    """

    efforts = (10, 15, 20, 30, 50, 80, 120, 200)
    share = 0.06  # of the vectors' bytes

    def build(self, folder, vectors):
        import diskannpy

        (folder / "diskann").mkdir(exist_ok=True)
        diskannpy.build_disk_index(
            data=np.asarray(vectors),
            distance_metric="l2",
            index_directory=str(folder / "diskann"),
            complexity=64,
            graph_degree=32,
            search_memory_maximum=self.share * vectors.nbytes / 2**30,
            build_memory_maximum=8.0,
            num_threads=1,
            vector_dtype=np.float32,
        )
        self.load(folder, vectors)

    def load(self, folder, vectors):
        import diskannpy

        self.index = diskannpy.StaticDiskIndex(
            index_directory=str(folder / "diskann"),
            num_threads=2,  # a search takes one; with a pool of one, loading waits for ever
            num_nodes_to_cache=1000,
            vector_dtype=np.float32,
            distance_metric="l2",
            dimensions=vectors.shape[1],
        )

    def search(self, query, effort):
        return self.index.search(query, K, effort, 4).identifiers.astype(np.int64)

    def files(self, folder):
        return [*(folder / "diskann").iterdir()]


class Numpy:
    """All vectors in memory, compared one and all."""

    efforts = (1,)

    def build(self, folder, vectors):
        self.load(folder, vectors)

    def load(self, _, vectors):
        self.vectors = np.array(vectors)

    def search(self, query, _):
        scores = self.vectors @ query
        return np.argpartition(-scores, K)[:K]

    def files(self, folder):
        return [folder / "vectors.npy"]


KINDS = {
    "engram": Engram,
    "diskannpy": Diskann,
    "usearch": Usearch,
    "hnswlib": Hnswlib,
    "faiss": Faiss,
    "numpy": Numpy,
}


def memory():
    """(resident, not of files) bytes of this process."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return [1024 * int(lines[name].split()[0]) for name in ("VmRSS", "RssAnon")]


def forget(files):
    """Take files out of the system's cache, where it can."""
    for path in files:
        handle = os.open(path, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def answer(kind, folder, order):
    """Do what a line says."""
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    if order["do"] in {"build", "load"}:
        before = memory()
        began, worked = time.perf_counter(), time.process_time()
        getattr(kind, order["do"])(folder, vectors)
        took = time.perf_counter() - began, time.process_time() - worked
        sizes = [path.stat().st_size for path in kind.files(folder)]
        return {"seconds": took[0], "work": took[1], "disk": sum(sizes), "before": before}
    if order["do"] == "memory":
        return {"memory": memory()}
    queries = np.load(folder / "queries.npy")[order["first"] : order["last"]]
    times, rows = [], []
    for query in queries:
        if order.get("cold"):
            forget(kind.files(folder))
        began, worked = time.perf_counter(), time.thread_time()
        found = kind.search(query, order["effort"])
        times.append((time.perf_counter() - began, time.thread_time() - worked))
        rows.append([int(row) for row in found])
    return {"times": times, "rows": rows}


def main():
    """Answer until there are no more lines."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    kind, folder = KINDS[sys.argv[1]](), Path(sys.argv[2])
    for line in sys.stdin:
        try:
            told = answer(kind, folder, json.loads(line))
        except ImportError as missing:
            told = {"missing": str(missing)}
        out.write(json.dumps(told) + "\n")
        out.flush()


if __name__ == "__main__":
    main()

"""Approximate indexes against exact search: how much faster, and how much they find.

    python benchmarks/index.py --rows 200000 --width 1280
    python benchmarks/index.py --features rows.h5

Rows are made as features of photos are: of few causes (32), in 1,000 overlapping clusters, through
two layers with rectifiers, and with noise. Independent random numbers, in which all rows are about
equally far, are the worst case for any index, and no case of search: `--random` shows it. Times of
searches are of CPU, since others use the machine, too; run it with OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

import penult


def made_rows(count: int, width: int, seed: int) -> np.ndarray:
    fixed = np.random.default_rng(0)
    centers = fixed.standard_normal((1000, 32), np.float32)
    first = fixed.standard_normal((32, 256), np.float32) / 32**0.5
    second = fixed.standard_normal((256, width), np.float32) / 16
    rng = np.random.default_rng(seed)
    rows = np.empty((count, width), np.float32)
    for start in range(0, count, 10_000):
        part = rows[start : start + 10_000]
        causes = centers[rng.integers(0, 1000, len(part))]
        causes += 0.7 * rng.standard_normal(causes.shape, np.float32)
        part[:] = np.maximum(np.maximum(causes @ first, 0) @ second, 0)
        part += 0.05 * np.abs(rng.standard_normal(part.shape, np.float32))
    return rows


def seconds(function: Callable[[], object], most: int = 5) -> float:
    """The best of some runs, in seconds of one core: others use the machine, too."""
    function()
    times = []
    for _ in range(most):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--random", action="store_true")
    parser.add_argument("--features", type=Path)
    parser.add_argument("--kinds", nargs="+", default=["hnsw", "ivfpq"])
    options = parser.parse_args()
    queries_wanted = 256
    if options.features:
        rows = penult.load(options.features).features[:]
        rows = rows.reshape(len(rows), -1)
        chosen = np.random.default_rng(0).permutation(len(rows))
        queries, rows = rows[chosen[:queries_wanted]], rows[np.sort(chosen[queries_wanted:])]
    elif options.random:
        rng = np.random.default_rng(1)
        rows = rng.standard_normal((options.rows, options.width), np.float32)
        queries = rng.standard_normal((queries_wanted, options.width), np.float32)
    else:
        rows = made_rows(options.rows, options.width, 1)
        queries = made_rows(queries_wanted, options.width, 2)
    ids = [str(k) for k in range(len(rows))]
    exact = penult.Index.of(rows, ids)
    wanted = exact.search(queries, 10)
    many = seconds(lambda: exact.search(queries, 10), 3)
    one = seconds(lambda: exact.search(queries[:1], 10))
    print(
        f"{len(rows):,} × {rows.shape[1]:,}, {len(queries)} queries, k = 10; times are ms a query"
    )
    print("kind     build s   of CPU  recall  at build  file MB  one query    of 256  peak GB")
    print(f"{'flat':6} {one * 1e3:55.2f} {many / len(queries) * 1e3:15.3f}")
    with tempfile.TemporaryDirectory() as folder:
        for kind in options.kinds:
            path = Path(folder, f"{kind}.index")
            start, used = time.perf_counter(), time.process_time()
            penult.Index.of(rows, ids, kind=kind).save(path)
            build, used = time.perf_counter() - start, time.process_time() - used
            index = penult.Index.open(path)
            index.search(queries, 10)
            found = index.search(queries, 10)
            recall = np.mean(found.values >= wanted.values[:, -1:])
            singly = seconds(partial(one_by_one, index, queries[:32])) / 32
            together = seconds(partial(index.search, queries, 10))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
            print(
                f"{kind:6} {build:9.1f} {used:8.1f}  {recall:6.4f}  {index.recall.value:8.4f} "
                f"{path.stat().st_size / 1e6:8,.0f} {singly * 1e3:6.2f} ×{one / singly:<4.0f} "
                f"{together / len(queries) * 1e3:6.3f} ×{many / together:<4.0f} {peak:5.1f}  "
                f"{index.effort}",
                flush=True,
            )
            path.unlink()


def one_by_one(index: penult.Index, queries: np.ndarray) -> None:
    for query in queries:
        index.search(query[None], 10)


if __name__ == "__main__":
    main()

"""Exact search beside faiss called directly, and beside reading the rows once.

    python benchmarks/search.py                             200,000 random rows of 1,280
    python benchmarks/search.py --rows 1000000 --rounds 3   5 GB of them, and half as much again
    python benchmarks/search.py --features flowers.h5       rows like those of a feature file
    python benchmarks/search.py --cases batch               some of the contests only

In each round the contestants run one after the other; printed are the median seconds of each, and
the median of the rounds' ratios to the yardstick of its contest:

batch   256 queries at once; yardstick: `faiss.knn` by inner product
single  one query; yardstick: NumPy's sum over the float32 rows, which reads them once
half    one query on the same rows in half precision; yardstick: that sum, too

"measured" rows have lengths that are known, as those of an index have; "plain" ones are measured in
each search, as arrays are. Before
anything is timed, what is found is compared with what faiss finds. CPU is that of all threads,
those that wait for others actively included.

Rows "like those of a feature file" are mixtures of two of its rows each, since few files have as
many as are wanted; they lie closer together than random ones.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from unittest import mock

import faiss
import numpy as np
from threadpoolctl import threadpool_info

import penult
from penult.neighbors.candidates import faiss_flat
from penult.neighbors.exact import nearest
from penult.neighbors.searchable import require_searchable
from penult.neighbors.unit import unit_rows

CASES = ("batch", "single", "half")
BLOCK = 10_000


def random_rows(rng: np.random.Generator, n: int, width: int) -> np.ndarray:
    return rng.standard_normal((n, width), dtype=np.float32)


def mixed_rows(rng: np.random.Generator, n: int, given: np.ndarray) -> np.ndarray:
    first, second = rng.integers(0, len(given), (2, n))
    share = rng.uniform(0, 0.5, (n, 1)).astype(np.float32)
    return given[first] + share * (given[second] - given[first])


def without_faiss(search: Callable[[], object]) -> Callable[[], object]:
    def run() -> object:
        with mock.patch.object(faiss_flat, "is_installed", return_value=False):
            return search()

    return run


def contests(
    rows: np.ndarray, queries: np.ndarray, k: int, cases: tuple[str, ...]
) -> dict[str, dict[str, Callable[[], object]]]:
    """Contests by name; of each, the first contestant is the yardstick."""
    one, inner = queries[:1], faiss.METRIC_INNER_PRODUCT
    found: dict[str, dict[str, Callable[[], object]]] = {}
    lengths = require_searchable(rows, None, "cosine")

    def read() -> object:
        return rows.sum()

    if "batch" in cases:
        found["batch"] = {
            "faiss": lambda: faiss.knn(queries, rows, k, inner),
            "penult, measured": lambda: nearest(rows, queries, k, lengths=lengths),
            "penult, measured, without faiss": without_faiss(
                lambda: nearest(rows, queries, k, lengths=lengths)
            ),
        }
    if "single" in cases:
        found["single"] = {
            "numpy's sum": read,
            "numpy's matrix-vector product": lambda: rows @ one[0],
            "faiss": lambda: faiss.knn(one, rows, k, inner),
            "penult, measured": lambda: nearest(rows, one, k, lengths=lengths),
            "penult, plain": lambda: nearest(rows, one, k),
        }
    if "half" in cases:
        half = rows.astype(np.float16)
        known = require_searchable(half, None, "cosine")
        found["half"] = {
            "numpy's sum": read,
            "penult, measured": lambda: nearest(half, one, k, lengths=known),
            "penult, measured, without faiss": without_faiss(
                lambda: nearest(half, one, k, lengths=known)
            ),
        }
    return found


def timed(run: Callable[[], object]) -> tuple[float, float]:
    start, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - start, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--width", type=int, default=1280, help="numbers a row, of random ones")
    parser.add_argument("--queries", type=int, default=256)
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--features", type=Path, help="feature file whose rows are mixed")
    parser.add_argument("--cases", choices=CASES, nargs="+", default=CASES)
    options = parser.parse_args()

    rng = np.random.default_rng(0)
    given = None
    if options.features:
        given = np.asarray(penult.load(options.features).features[:], np.float32)
        given = given.reshape(len(given), -1)
    width = options.width if given is None else given.shape[1]

    def made(n: int) -> np.ndarray:
        return random_rows(rng, n, width) if given is None else mixed_rows(rng, n, given)

    rows = np.empty((options.rows, width), np.float32)
    for start in range(0, len(rows), BLOCK):
        rows[start : start + BLOCK] = unit_rows(made(min(BLOCK, len(rows) - start)))
    queries = unit_rows(made(options.queries))

    pools = {(pool["internal_api"], pool["num_threads"]) for pool in threadpool_info()}
    libraries = (f"{name} {version(name)}" for name in ("numpy", "faiss-cpu"))
    print(platform.machine(), *libraries, *(f"{api}: {n} threads" for api, n in sorted(pools)))
    kind = "random" if given is None else f"like {options.features.name}"
    print(f"{len(rows):,} × {width:,} rows ({kind}), k = {options.k}", flush=True)

    theirs = faiss.knn(queries, rows, options.k, faiss.METRIC_INNER_PRODUCT)[1]
    ours = nearest(rows, queries, options.k).places
    print(f"{np.mean(theirs == ours):.2%} of the places are those that faiss gives", flush=True)

    for name, runners in contests(rows, queries, options.k, tuple(options.cases)).items():
        taken = {runner: [timed(run)] for runner, run in runners.items()}  # a round to warm up
        for _ in range(options.rounds):
            for runner, run in runners.items():
                taken[runner].append(timed(run))
        wall = {runner: np.array(times)[1:, 0] for runner, times in taken.items()}
        cpu = {runner: np.array(times)[1:, 1] for runner, times in taken.items()}
        yardstick = next(iter(runners))
        print(f"\n{name}: seconds, of CPU, ratio, of CPU; load {os.getloadavg()[0]:.1f}")
        for runner in runners:
            ratio = np.median(wall[runner] / wall[yardstick])
            work = np.median(cpu[runner] / cpu[yardstick])
            print(
                f"  {runner:32} {np.median(wall[runner]):7.3f} {np.median(cpu[runner]):7.3f} "
                f"{ratio:6.2f} {work:6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()

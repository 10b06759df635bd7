"""All near pairs of many rows, beside the matrix products alone that find them.

    python benchmarks/duplicates.py                             20,000 random rows of 1,280 numbers
    python benchmarks/duplicates.py --rows 100000 --rounds 1    minutes
    python benchmarks/duplicates.py --features flowers.h5 --times 15
    python benchmarks/duplicates.py --memory 100 --on-disk      in panels from a file

Random rows are positive, as a network's are after its last ReLU, so that any two have a cosine of
about 0.64; one in fifty is a copy of another, one in fifty is another with a little noise. Of a
feature file, each row is taken so many times, with as much noise as a picture saved anew has.

"products" are the float32 products of the same tiles, of rows that lie in memory at length one
already: the least that any complete join by products needs. Both are run in turn, and the ratios
are those of the CPU time, then of the clock. "memory" is the peak above the rows.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import scipy.sparse.csgraph  # noqa: F401 - not in the time of the join

from penult.features.read import load
from penult.neighbors.forest import Forest
from penult.neighbors.pairs import near_pairs
from penult.neighbors.unit import unit_rows

BLOCK = 2048  # as penult.neighbors.join has it


def random_rows(count: int, width: int) -> np.ndarray:
    """Rows like a network's, with copies and near-duplicates among them."""
    rng = np.random.default_rng(0)
    rows = np.abs(rng.standard_normal((count, width), np.float32))
    to = rng.permutation(count)[: count // 25]
    copies, near = np.array_split(to, 2)
    rows[copies] = rows[rng.integers(0, count, len(copies))]
    noise = rng.standard_normal((len(near), width), np.float32)
    rows[near] = np.abs(rows[rng.integers(0, count, len(near))] + 0.2 * noise)
    return rows


def repeated_rows(file: str, times: int) -> np.ndarray:
    """The rows of a file, and each some times more with a little noise."""
    rows = np.asarray(load(file).features, np.float32)
    rows = np.tile(rows.reshape(len(rows), -1), (times, 1))
    noise = np.random.default_rng(0).standard_normal(rows.shape, np.float32)
    rows += noise * 0.2 * rows.std(axis=1, keepdims=True)
    return rows


def products(units: np.ndarray) -> None:
    """The upper half of all products, and nothing done with them."""
    tile = np.empty(BLOCK * BLOCK, np.float32)
    for top in range(0, len(units), BLOCK):
        rows = units[top : top + BLOCK]
        for low in range(top, len(units), BLOCK):
            columns = units[low : low + BLOCK].T
            shape = len(rows), columns.shape[1]
            np.matmul(rows, columns, out=tile[: shape[0] * shape[1]].reshape(shape))


def peak() -> int:
    """The most bytes that the process has held since that was last forgotten."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@contextmanager
def above_now(result: dict[str, float]) -> Iterator[None]:
    """Note the memory that is taken, at the most, above what is held now."""
    Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    yield
    result["memory"] = peak() - before


def timed(what: Callable[[], object]) -> tuple[float, float]:
    """Seconds of CPU, and of the clock."""
    cpu, wall = time.process_time(), time.perf_counter()
    what()
    return time.process_time() - cpu, time.perf_counter() - wall


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--features", help="a feature file, instead of random rows")
    parser.add_argument("--times", type=int, default=15, help="how often each row is taken")
    parser.add_argument("--threshold", type=float, default=0.95)
    parser.add_argument("--memory", type=int, help="megabytes that the join may take")
    parser.add_argument("--on-disk", action="store_true", help="read the rows from a file")
    parser.add_argument("--half", action="store_true", help="float16 rows")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.features:
        rows = repeated_rows(options.features, options.times)
    else:
        rows = random_rows(options.rows, options.width)
    if options.half:
        rows = rows.astype(np.float16)
    found: dict[str, float] = {}
    memory = None if options.memory is None else options.memory * 1_000_000

    def join() -> None:
        forest, pairs = Forest(len(rows)), 0
        for block in near_pairs(given, options.threshold, memory=memory):
            forest.add(block)
            pairs += block.count
        found.update(pairs=pairs, links=len(forest.links()))

    with tempfile.NamedTemporaryFile(suffix=".h5") as file, h5py.File(file.name, "w") as opened:
        given = rows
        if options.on_disk:
            given = opened.create_dataset("rows", data=rows, chunks=(64, rows.shape[1]))
        seconds = []
        for _ in range(options.rounds):
            with above_now(found):
                joined = timed(join)
            units = unit_rows(rows)
            seconds.append((joined, timed(lambda units=units: products(units))))
            del units
    print(f"{len(rows):,} x {rows.shape[1]:,} {rows.dtype}, threshold {options.threshold:g}")
    print(
        f"{found['pairs']:,.0f} pairs, {found['links']:,.0f} links, {found['memory'] / 1e6:,.0f} MB"
    )
    for (cpu, wall), (cpu_alone, wall_alone) in seconds:
        print(
            f"join {cpu:.1f} s of CPU, {wall:.1f} s; products {cpu_alone:.1f}, {wall_alone:.1f}; "
            f"ratios {cpu / cpu_alone:.3f}, {wall / wall_alone:.3f}"
        )


if __name__ == "__main__":
    main()

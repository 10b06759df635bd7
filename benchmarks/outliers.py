"""Odd pictures: the scores of cleanvision, and the time of both; and rows by the hundred thousand.

    python benchmarks/outliers.py PHOTOS              needs cleanvision: pip install cleanvision
    python benchmarks/outliers.py --rows 100000       time, and the memory above what was there

PHOTOS is a folder of pictures. cleanvision runs in as many processes as there are cores, penult in
as many threads. Rows are of 50 blobs, as in benchmarks/cluster.py.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from cluster import write_rows

import penult
from penult.explore.outliers.issues import find_issues
from penult.explore.outliers.picture_reader import MEASURES, measure_pictures
from penult.machine import cores
from penult.records import Progress


def compare_pictures(folder: Path) -> None:
    """Measure pictures by both, and print how far their scores are apart and what they list."""
    from cleanvision import Imagelab

    wanted = ("dark", "light", "blurry", "low_information", "odd_aspect_ratio", "grayscale")
    start = time.perf_counter()
    lab = Imagelab(data_path=str(folder), verbose=False)
    lab.find_issues({name: {} for name in (*wanted, "odd_size")}, n_jobs=cores(), verbose=False)
    theirs = time.perf_counter() - start
    ids = [*map(str, lab.issues.index)]
    start = time.perf_counter()
    measures, failures = measure_pictures(ids, lambda one: Path(one).read_bytes(), lambda _: None)
    ours = time.perf_counter() - start
    print(f"{len(ids):,} pictures, {len(failures)} failed, {cores()} cores")
    print(f"cleanvision {theirs:.1f} s, penult {ours:.1f} s")
    found = {one.reason: {*one.ids} for one in find_issues(ids, measures)}
    found["odd_size"] = found.get("tiny", set()) | found.get("large", set())
    columns = dict(zip(MEASURES, measures.T, strict=True))
    for name in (*wanted, "odd_size"):
        listed = {*map(str, lab.issues.index[lab.issues[f"is_{name}_issue"]])}
        apart = np.zeros(1)
        if name in columns:
            apart = np.abs(columns[name] - lab.issues[f"{name}_score"].to_numpy(float))
        mine = found.get(name, set())
        print(
            f"{name}: cleanvision lists {len(listed)}, penult {len(mine)}, both "
            f"{len(listed & mine)}; scores apart by {np.median(apart):.4f} in the median, "
            f"{apart.max():.4f} at most"
        )
        for one in sorted(listed ^ mine)[:5]:
            print(f"  {'cleanvision' if one in listed else 'penult'} alone: {one}")


def measure_rows(count: int, width: int, reference: str) -> None:
    """Compare rows of a feature file, and print the time and the memory taken."""
    process = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.h5"
        write_rows(path, count, width)
        before, peak = process.memory_info().rss, 0

        def tell(_: Progress) -> None:
            nonlocal peak
            peak = max(peak, process.memory_info().rss)

        start = time.perf_counter()
        found = penult.outliers(path, reference=reference, pictures=False, progress=tell)
        took = time.perf_counter() - start
    print(
        f"{count:,} x {width}, {reference}: {took:.1f} s, {(peak - before) / 1e6:.0f} MB, "
        f"{len(found.unusual)} unusual, {cores()} cores"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="?", type=Path)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--reference", default="class")
    given = parser.parse_args()
    if given.photos is not None:
        compare_pictures(given.photos)
    if given.rows is not None:
        measure_rows(given.rows, given.width, given.reference)


if __name__ == "__main__":
    main()

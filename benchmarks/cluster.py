"""Clusters of very many rows: time, and how much memory is taken above what is there before.

    python benchmarks/cluster.py                   100,000 rows of 1,280 numbers, 17 clusters
    python benchmarks/cluster.py --rows 10000 -k 2:30

Rows are of 50 blobs that overlap, positive, as a network's are after its last ReLU. They are
written to a feature file first, a part at a time, and read from there.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

import penult
from penult.features.write import Columns, FeatureWriter
from penult.machine import cores
from penult.recipe import BackboneRecipe, Preprocessing
from penult.records import ImageRecord, Progress

PART = 1000


def write_rows(path: Path, count: int, width: int) -> None:
    """Write a feature file of random rows."""
    rng = np.random.default_rng(0)
    middles = 0.5 * rng.standard_normal((50, width), np.float32)
    recipe = BackboneRecipe(
        architecture="random",
        weights_sha256="00" * 32,
        layer="penultimate",
        pooling="none",
        preprocessing=Preprocessing(
            resize=4, crop=(4, 4), interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3
        ),
        backbone="random",
    )
    labels = rng.integers(0, 50, count)
    records = [
        ImageRecord(f"{k}.jpg", io.BytesIO, (str(label),), None, None)
        for k, label in enumerate(labels)
    ]
    writer = FeatureWriter(path, [recipe], Columns.of(records))
    for start in range(0, count, PART):
        part = slice(start, start + PART)
        rows = middles[labels[part]]
        rows = np.maximum(rows + rng.standard_normal(rows.shape, np.float32), 0)
        writer.append(records[part], [f"{k:032x}" for k in range(start, start + len(rows))], [rows])
    writer.finish(())
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("-k", default="17")
    parser.add_argument("--method", default="kmeans")
    given = parser.parse_args()
    process, most = psutil.Process(), 0

    def watch(_: Progress) -> None:
        nonlocal most
        most = max(most, process.memory_info().rss)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.h5"
        write_rows(path, given.rows, given.width)
        before = process.memory_info().rss
        start = time.perf_counter()
        found = penult.cluster(path, method=given.method, k=given.k, progress=watch)
        seconds = time.perf_counter() - start
    print(
        f"{given.rows:,} rows of {given.width:,}, {4 * given.rows * given.width / 2**20:,.0f} MB, "
        f"{cores()} cores: {seconds:.1f} s, {(most - before) / 2**20:,.0f} MB more than before"
    )
    print(found)


if __name__ == "__main__":
    main()

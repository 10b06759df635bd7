"""What each command takes with very many rows: seconds, seconds of CPU, and the most memory.

    python benchmarks/million_rows.py                                 100,000 rows of 256
    python benchmarks/million_rows.py --rows 1000000 --commands train search
    python benchmarks/million_rows.py --rows 1000000 --limit 600      none of them longer than that
    python benchmarks/million_rows.py --folder /tmp/rows              keep the files, use them again

Each command runs in a process of its own, as at the command line, on a feature file of made-up
rows. They are as a network's: of 64 causes, in overlapping classes, none below 0. One in a hundred
is another with a little noise, so that there are near-duplicates.

Memory is the most that the process had of its own (RssAnon), and in brackets with the pages of
files that it had mapped. "silent" is the longest time without a line, of progress or of the result.
A command that goes beyond the limit is stopped, and its line says so. What it said stands beside
the rows, with the second of each line, where `--folder` keeps them.
"""

from __future__ import annotations

import argparse
import os
import platform
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import IO, Literal

import numpy as np

from penult.features.write import Columns, FeatureWriter
from penult.recipe import BackboneRecipe, Preprocessing
from penult.records import ImageRecord

BLOCK = 10_000
COMMANDS = {
    "info": "info rows.h5",
    "search-id": "search rows.h5 --id {first}",
    "search": "search rows.h5 queries.h5 -o hits.csv",
    "index-flat": "index rows.h5 -o flat.index --kind flat",
    "search-flat": "search flat.index queries.h5 -o flat.csv",
    "index": "index rows.h5 -o gallery.index",
    "search-index": "search gallery.index queries.h5 -o gallery.csv",
    "search-index-id": "search gallery.index --id {first}",
    "info-index": "info gallery.index",
    "train": "train rows.h5 -o classes.skops --results scores",
    "evaluate": "evaluate classes.skops rows.h5 --results evaluated",
    "info-classifier": "info classes.skops",
    "train-centroid": "train rows.h5 -o centroid.skops --classifier centroid",
    "train-ridge": "train rows.h5 -o ridge.skops --classifier ridge",
    "cluster": "cluster rows.h5 -o clusters.csv -o clusters.html",
    "map-pca": "map rows.h5 --method pca -o pca.csv -o pca.png -o pca.html",
    "map": "map rows.h5 -o map.csv -o map.png -o map.html",
    "export-rows": "export-rows rows.h5 -o rows.parquet",
    "export-csv": "export-rows rows.h5 -o rows.csv",
    "duplicates": "duplicates rows.h5 -o duplicates.html --write-list drop.txt",
}


def rows_in_blocks(
    rows: int, width: int, classes: int, seed: int = 1
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows and the classes they are of, a block at a time."""
    fixed = np.random.default_rng(0)
    centers = 0.6 * fixed.standard_normal((classes, 64), np.float32)
    mixing = fixed.standard_normal((64, width), np.float32) / 8
    rng = np.random.default_rng(seed)
    for start in range(0, rows, BLOCK):
        size = min(BLOCK, rows - start)
        labels = rng.integers(0, classes, size)
        causes = centers[labels] + rng.standard_normal((size, 64), np.float32)
        block = causes @ mixing
        block += 0.2 * rng.standard_normal(block.shape, np.float32)
        copies = rng.permutation(size)[: size // 100]
        block[copies] = block[rng.integers(0, size, len(copies))]
        block[copies] += 0.03 * rng.standard_normal((len(copies), width), np.float32)
        yield np.maximum(block, 0), labels


def name_of(place: int, label: int) -> str:
    return f"class_{label:03}/image_{place:07}.jpg"


def write_rows(
    path: Path, rows: int, width: int, classes: int, dtype: Literal["float32", "float16"], seed: int
) -> str:
    """Write a feature file; the id of its first row."""
    recipe = BackboneRecipe(
        architecture="made/up",
        weights_sha256="00" * 32,
        layer="penultimate",
        pooling="none",
        preprocessing=Preprocessing(
            resize=4, crop=(4, 4), interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3
        ),
        backbone="made:up",
    )
    names = tuple(f"class_{k:03}" for k in range(classes))
    writer = FeatureWriter(path, [recipe], Columns(names), dtype=dtype)
    place, first = 0, ""
    for block, labels in rows_in_blocks(rows, width, classes, seed):
        ids = [name_of(place + k, label) for k, label in enumerate(labels)]
        first = first or ids[0]
        records = [
            ImageRecord(one, None, (names[label],))  # type: ignore[arg-type]
            for one, label in zip(ids, labels, strict=True)
        ]
        digests = [f"{seed:016x}{place + k:016x}" for k in range(len(ids))]
        writer.append(records, digests, [block])
        place += len(block)
    writer.finish([])
    writer.close()
    return first


def memory(pid: int) -> tuple[int, int]:
    """Memory of a process's own, and with what it has mapped, in bytes; 0 once it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0, 0
    found = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    own, whole = (int(found.get(key, "0").split()[0]) * 1024 for key in ("RssAnon", "VmRSS"))
    return own, whole


def run(command: str, folder: Path, limit: float) -> tuple[str, str]:
    """Run a command; the line of the table, and the end of what it said."""
    begun = time.perf_counter()
    written = ["--overwrite"] if "-o " in command or "--results " in command else []
    process = subprocess.Popen(
        [sys.executable, "-m", "penult", *command.split(), *written],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    lines: queue.Queue[tuple[float, bytes]] = queue.Queue()

    def read(pipe: IO[bytes]) -> None:
        for line in pipe:
            lines.put((time.perf_counter(), line))

    reader = threading.Thread(target=read, args=(process.stdout,))
    reader.start()
    own = whole = 0
    stopped = False
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        now, mapped = memory(process.pid)
        own, whole = max(own, now), max(whole, mapped)
        if time.perf_counter() - begun > limit and not stopped:
            stopped = True
            process.kill()
        time.sleep(0.05)
    end = time.perf_counter()
    process.returncode = os.waitstatus_to_exitcode(status)
    reader.join()
    times, said = [begun], []
    while not lines.empty():
        at, line = lines.get()
        times.append(at)
        said.append(f"    {at - begun:7.1f}  {line.decode(errors='replace').rstrip()}")
    silent = max(b - a for a, b in zip(times, [*times[1:], end], strict=True))
    cpu = usage.ru_utime + usage.ru_stime
    result = (
        "" if not process.returncode else f"stopped after {limit:.0f} s" if stopped else "FAILED"
    )
    whole = max(whole, usage.ru_maxrss * 1024)
    row = (
        f"{end - begun:8.1f} {cpu:8.1f} {own / 1e6:8,.0f} ({whole / 1e6:,.0f})".ljust(36)
        + f"{silent:7.1f}  {result}"
    )
    return row, "\n".join(said)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--queries", type=int, default=256)
    parser.add_argument("--dtype", choices=("float32", "float16"), default="float32")
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    parser.add_argument("--limit", type=float, default=900, help="seconds a command may take")
    parser.add_argument("--folder", type=Path, help="keep the files here, and use those there")
    options = parser.parse_args()

    versions = (f"{name} {version(name)}" for name in ("numpy", "scikit-learn", "faiss-cpu"))
    print(platform.machine(), f"{os.cpu_count()} cores,", *versions)
    print(
        f"{options.rows:,} × {options.width:,} rows of {options.dtype}, {options.classes} classes"
    )
    with tempfile.TemporaryDirectory() as made:
        folder = options.folder or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        shape = options.width, options.classes, options.dtype
        if not (folder / "first.txt").exists():
            first = write_rows(folder / "rows.h5", options.rows, *shape, 1)
            write_rows(folder / "queries.h5", options.queries, *shape, 2)
            (folder / "first.txt").write_text(first)
        first = (folder / "first.txt").read_text()
        print(f"{'command':16}  seconds   of CPU  MB (with files)  silent", flush=True)
        for name in options.commands:
            row, said = run(COMMANDS[name].format(first=first), folder, options.limit)
            print(f"{name:16} {row}", flush=True)
            (folder / f"{name}.txt").write_text(said)
            if "FAILED" in row:
                print(said, flush=True)
        for file in sorted(folder.rglob("*.*")):
            print(f"{file.relative_to(folder)!s:32} {file.stat().st_size / 1e6:10,.1f} MB")


if __name__ == "__main__":
    main()

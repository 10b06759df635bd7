"""Representation similarity: streamed CKA beside one of whole matrices, and a comparison's share.

    python benchmarks/similarity.py                 both tables
    python benchmarks/similarity.py --rounds 1      quicker

Rows are random float32 numbers, half of them the same in both representations. Each measurement
runs in a process of its own, in turns, the best of all rounds; memory is the most that the process
held above its rows. "Whole matrices" is debiased CKA as it is usually written: both (N, N) Gram
matrices in float64, U-centred, multiplied. "From disk" reads datasets as feature files have them.

The second table is what `penult compare` does with six networks of so many images: CKA, RSA and the
permutation nulls of their fifteen pairs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import h5py
import numpy as np

import penult
from penult.comparison.similarities import find_similarities
from penult.recipe import BackboneRecipe, Preprocessing

SIZES = (
    (1_360, 1_280, 1_280),
    (1_360, 25_088, 1_280),
    (5_000, 1_280, 1_280),
    (5_000, 25_088, 1_280),
    (20_000, 1_280, 1_280),
)
WAYS = ("whole", "streamed", "disk")
NETWORKS, IMAGES, WIDTH = 6, (1_360, 10_000), 1_280


def make_rows(n: int, width: int, seed: int, shared: np.ndarray) -> np.ndarray:
    """Rows of which the first numbers are `shared`, shape (n, width), float32."""
    rows = np.random.default_rng(seed).standard_normal((n, width), np.float32)
    rows[:, : shared.shape[1]] += shared
    return rows


def make_pair(n: int, first: int, second: int) -> list[np.ndarray]:
    """Two representations that are alike in part."""
    shared = np.random.default_rng(0).standard_normal((n, min(first, second) // 2), np.float32)
    return [make_rows(n, first, 1, shared), make_rows(n, second, 2, shared)]


def whole(a: np.ndarray, b: np.ndarray) -> float:
    """Debiased CKA with (N, N) matrices."""
    centered = []
    for rows in (a, b):
        rows = rows.astype(np.float64)
        gram = rows @ rows.T
        np.fill_diagonal(gram, 0)
        n = len(gram)
        means = gram.sum(axis=0) / (n - 2)
        means -= means.sum() / (2 * (n - 1))
        gram -= means[:, None]
        gram -= means
        np.fill_diagonal(gram, 0)
        centered.append(gram)
    x, y = centered
    return float(np.vdot(x, y) / (np.linalg.norm(x) * np.linalg.norm(y)))


def held(what: str = "VmHWM") -> float:
    """Megabytes that this process holds (VmRSS), or held at the most since `forget_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(one.split()[1]) for one in lines if one.startswith(what)) / 1000


def forget_peak() -> float:
    """Begin anew, and return the megabytes that are held."""
    Path("/proc/self/clear_refs").write_text("5")
    return held("VmRSS")


def measure_one(way: str, sizes: list[int]) -> dict[str, float]:
    """Measure in this process: seconds, megabytes above those of the rows, and the value."""
    with tempfile.TemporaryDirectory() as folder:
        a, b = make_pair(*sizes)
        penult.cka(np.eye(5), np.eye(5)[::-1] + 1)  # what is imported
        if way == "disk":
            path = Path(folder) / "rows.h5"
            with h5py.File(path, "w") as file:
                for name, rows in (("a", a), ("b", b)):
                    chunk = max(1, (256 << 10) // rows[0].nbytes)
                    file.create_dataset(name, data=rows, chunks=(chunk, rows.shape[1]))
            file = h5py.File(path)
            del rows
            a, b = file["a"], file["b"]
        before, start = forget_peak(), time.perf_counter()
        value = (whole if way == "whole" else penult.cka)(a, b)
        return {
            "seconds": time.perf_counter() - start,
            "megabytes": held() - before,
            "value": value,
        }


def measure(way: str, sizes: tuple[int, ...]) -> dict[str, float]:
    """Measure in a process of its own."""
    typed = [sys.executable, __file__, "--one", way, *map(str, sizes)]
    done = subprocess.run(typed, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def compare_networks(n: int) -> dict[str, float]:
    """Compare networks as `penult compare` does, in this process."""
    shared = np.random.default_rng(0).standard_normal((n, WIDTH // 2), np.float32)
    look = Preprocessing(
        resize=224, crop=(224, 224), interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3
    )
    networks = {
        str(k): penult.Features(
            features=make_rows(n, WIDTH, k + 1, shared),
            ids=[f"{i:06}.jpg" for i in range(n)],
            labels=np.zeros(n, np.int64),
            label_names=("a",),
            recipe=BackboneRecipe(
                architecture=f"{k}",
                weights_sha256="0" * 64,
                layer="penultimate",
                pooling="none",
                preprocessing=look,
                backbone=f"{k}",
            ),
        )
        for k in range(NETWORKS)
    }
    penult.rsa(np.random.default_rng(1).normal(size=(5, 3)), np.eye(5))
    before, start = forget_peak(), time.perf_counter()
    cka, rsa = find_similarities(networks, kept=None, seed=0, tell=lambda _: None)
    return {
        "seconds": time.perf_counter() - start,
        "megabytes": held() - before,
        "rsa": rsa.n,
        "null": cka.null_n,
    }


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one and given.one[0] == "networks":
        print(json.dumps(compare_networks(int(given.one[1]))))
        return
    if given.one:
        print(json.dumps(measure_one(given.one[0], [int(one) for one in given.one[1:]])))
        return
    libraries = ", ".join(f"{one} {version(one)}" for one in ("penult", "numpy", "scipy"))
    print(f"{platform.machine()}, {os.cpu_count()} cores; {libraries}\n")
    print("| images, numbers | whole matrices | streamed | from disk | differ by |")
    print("|---|---|---|---|---|")
    for sizes in SIZES:
        rounds = [{way: measure(way, sizes) for way in WAYS} for _ in range(given.rounds)]
        best = {
            way: {key: min(one[way][key] for one in rounds) for key in ("seconds", "megabytes")}
            for way in WAYS
        }
        base = best["whole"]
        cells = [f"{base['seconds']:.2f} s, {base['megabytes']:,.0f} MB"]
        for way in WAYS[1:]:
            time_ratio = best[way]["seconds"] / base["seconds"]
            memory_ratio = best[way]["megabytes"] / base["megabytes"]
            cells.append(
                f"{best[way]['seconds']:.2f} s ({time_ratio:.2f}×), "
                f"{best[way]['megabytes']:,.0f} MB ({memory_ratio:.2f}×)"
            )
        values = [one["value"] for one in rounds[0].values()]
        n, *widths = sizes
        name = f"{n:,}; " + " and ".join(f"{one:,}" for one in widths)
        print(f"| {name} | {' | '.join(cells)} | {max(values) - min(values):.0e} |", flush=True)
    print("\n| images | CKA, RSA and nulls of 15 pairs | RSA of | null of |\n|---|---|---|---|")
    for n in IMAGES:
        found = measure("networks", (n,))
        print(
            f"| {n:,} | {found['seconds']:.1f} s, {found['megabytes']:,.0f} MB "
            f"| {found['rsa']:,} | {found['null']:,} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

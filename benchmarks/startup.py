"""How long a short command takes from typing to its end, as a process of its own.

    python benchmarks/startup.py [PHOTO]
    python benchmarks/startup.py --rounds 20

Prints the seconds of `penult --help`, of `penult predict` of one photo by a classifier of the
default kind, and of `penult extract` of one photo; with an empty cache each time, as on a new
machine. CPU is user and system time of all threads, the least of the rounds: what the command
takes, nearly however busy the machine is. Wall is the least and the median of the same rounds. The
disk is warm.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image

import penult

SIDE = (590, 540)
"""Of the made-up photo: the usual size of a photo of Flowers-17."""


def make_photo(path: Path, seed: int) -> None:
    """Write a JPEG with large and small structure."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (12, 13, 3), np.uint8).astype(np.uint8))
    fine = rng.normal(0, 12, (SIDE[1], SIDE[0], 3))
    pixels = np.asarray(coarse.resize(SIDE, Image.Resampling.BICUBIC)) + fine
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, quality=90)


def train(folder: Path) -> Path:
    """Train a classifier of the default kind on made-up photos."""
    for k in range(24):
        path = folder / "photos" / ("one", "two", "three")[k % 3] / f"{k}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        make_photo(path, k + 1)
    features = penult.extract(folder / "photos", progress=False)
    penult.train(features, progress=False).save(folder / "classifier.skops")
    return folder / "classifier.skops"


def seconds_of(arguments: list[str], cache: Path) -> tuple[float, float]:
    """Run a command; its seconds of CPU and of wall time."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [str(Path(sys.executable).parent / "penult"), *arguments],
        env={**os.environ, "PENULT_CACHE": str(cache)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall


def main() -> None:
    """Measure all commands in turns, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("photo", nargs="?", type=Path, help="a photo; by default one is made up")
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    names = ("penult", "openvino", "numpy", "typer", "pillow")
    print(f"Python {platform.python_version()},", ", ".join(f"{n} {version(n)}" for n in names))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = options.photo or folder / "photo.jpg"
        if options.photo is None:
            make_photo(photo, 0)
        classifier = train(folder)
        commands = {
            "--help": ["--help"],
            "predict of one photo": ["predict", str(classifier), str(photo)],
            "extract of one photo": ["extract", str(photo), "-o", "ROWS"],
        }
        found: dict[str, list[tuple[float, float]]] = {what: [] for what in commands}
        for turn in range(-1, options.rounds):  # the first warms the disk
            for what, arguments in commands.items():
                rows = str(folder / f"{turn}.h5")
                given = [rows if argument == "ROWS" else argument for argument in arguments]
                seconds = seconds_of(given, folder / f"cache{turn}")
                if turn >= 0:
                    found[what].append(seconds)
    print("| | CPU, s | wall, s | median |\n|---|---|---|---|")
    for what, each in found.items():
        cpu, wall = zip(*each, strict=True)
        print(f"| {what} | {min(cpu):.2f} | {min(wall):.2f} | {statistics.median(wall):.2f} |")


if __name__ == "__main__":
    main()

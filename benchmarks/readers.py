"""Threads and processes that read photos, in turns: images a second, and what the parent pays.

    python benchmarks/readers.py FOLDER                  as many readers as cores
    python benchmarks/readers.py FOLDER --readers 8 16 --images 20000

The network is replaced by one that costs next to nothing, so that reading is what is measured:
files, decoding, resizing for EfficientNet-Lite0, and the way of the pixels to the network's thread.
"ms" is of a processor core, a photo: in the process that runs the network. What it holds Python's
lock for is less than that; a thousand divided by it is the least that any number of processes give.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from penult.backbones.registry import open_backbone
from penult.engines import photo_readers
from penult.engines.pipeline import run
from penult.images.listing import list_images
from penult.images.pixels.compiled_resize import preload
from penult.machine import cores
from penult.recipe import Recipe


class OnePixel:
    """In place of a network: the first pixel."""

    batch_size, concurrency, row_shapes = 16, 1, ((3,),)

    def __init__(self, recipe: Recipe) -> None:
        self.recipes = (recipe,)

    def run(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        return [images[:, 0, 0].astype(np.float32)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--readers", type=int, nargs="+", default=[cores()])
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    records = list(list_images([arguments.folder], labels="none").records)
    records = [records[k % len(records)] for k in range(arguments.images)]
    engine = OnePixel(open_backbone("efficientnet_lite0").recipe())
    photo_readers._CORES, photo_readers._WORTH_STARTING = 1, 0
    preload()
    ways = [(n, total) for n in arguments.readers for total in (None, len(records))]
    found: dict[tuple[int, int | None], list[tuple[float, float]]] = {way: [] for way in ways}
    photo_readers.cores = lambda: max(arguments.readers)
    for _ in range(arguments.turns):
        for count, total in ways:
            wall, core = time.perf_counter(), time.process_time()
            done = sum(
                len(block.good) for block in run(records, engine, workers=count, total=total)
            )
            found[count, total].append(
                (
                    done / (time.perf_counter() - wall),
                    1000 * (time.process_time() - core) / done,
                )
            )
    print(f"{'':24}images/s        ms")
    for (count, total), turns in found.items():
        kind = "processes" if total else "threads"
        rate, ms = (median(values) for values in zip(*turns, strict=True))
        print(f"{count:4} {kind:18} {rate:9.0f} {ms:9.3f}")


if __name__ == "__main__":
    main()

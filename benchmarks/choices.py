"""What each choice of precision and resize gives, in turns too short for the machine to change.

    python benchmarks/choices.py FOLDER [--model efficientnet_lite0] [--choices float32 …]
        [--turns 30] [--images 150]

Each choice is an opened `penult.Extractor`, and a turn of it reads, decodes and runs so many
photos, spread over the folder, as `penult extract` does. The turns of all choices follow each other
with the same photos, and a turn of one is divided by the turn of another right before or after it,
so that what other guests of the machine take falls on both. Opening is left out: it happens once,
whatever the number of photos (`benchmarks/extract.py` has it in). Stated are medians, by the clock
and by processor time, with the quartiles of the ratios.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
from extract import CHOICES, print_machine, resized_by_pillow

import penult
from penult.images.listing import list_images
from penult.images.pixels.compiled_resize import resizer

Turn = tuple[float, float]


def timed(call: Callable[[], object], images: int) -> Turn:
    """Milliseconds an image: by the clock, and of a core."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return 1e3 * wall / images, 1e3 * cpu / images


def ratios(first: list[Turn], other: list[Turn], which: int) -> str:
    of_turns = [a[which] / b[which] for a, b in zip(first, other, strict=True)]
    low, middle, high = np.percentile(of_turns, [25, 50, 75])
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="efficientnet_lite0")
    default = ["float32, Pillow", "float32", "bfloat16, Pillow", "bfloat16"]
    default.append("bfloat16, fast resize")
    parser.add_argument("--choices", nargs="+", choices=CHOICES, default=default)
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--images", type=int, default=150, help="of a turn")
    options = parser.parse_args()
    resizer.preload()
    print_machine()

    records = list(list_images([options.folder], labels="none").records)
    parts = max(1, len(records) // options.images)
    turns: dict[str, list[Turn]] = {choice: [] for choice in options.choices}
    extractors = {
        choice: penult.Extractor(options.model, device="cpu", **CHOICES[choice]) for choice in turns
    }
    for turn in range(options.turns + 1):
        photos = records[turn % parts :: parts]
        for choice, extractor in extractors.items():

            def extract(extractor: penult.Extractor = extractor, photos: list = photos) -> None:
                deque(extractor.blocks(photos), maxlen=0)

            call = resized_by_pillow(extract) if choice.endswith("Pillow") else extract
            one = timed(call, len(photos))
            if turn:  # The first one warms up.
                turns[choice].append(one)

    print(f"\n{options.model}: {options.turns} turns of {len(photos)} of {len(records)} photos")
    compared = [choice for choice in ("float32, Pillow", "float32") if choice in turns]
    heads = ["ms", "of a core"]
    heads += [head for choice in compared for head in (f"÷ {choice}", "by CPU")]
    print(f"{'':24}" + "".join(f"{head:>20}" for head in heads))
    for choice, mine in turns.items():
        cells = [f"{statistics.median(turn[which] for turn in mine):.2f}" for which in (0, 1)]
        cells += [ratios(turns[other], mine, which) for other in compared for which in (0, 1)]
        print(f"{choice:24}" + "".join(f"{cell:>20}" for cell in cells))


if __name__ == "__main__":
    main()

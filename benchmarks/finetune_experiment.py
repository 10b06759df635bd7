"""When fine-tuning pays, and when it does not: two sets of photos, three seeds each.

``weaves``: ten classes of fine texture, noise in one ring of fine frequencies that is a little
stronger along one direction, by steps of 18 degrees. No class has a colour, a shape or an outline,
and what tells them apart is no part of what ImageNet's classes are told apart by.

``inverted``: every third photo of the 17 flowers, with inverted colours, turned by a multiple of 90
degrees.

    python benchmarks/finetune_experiment.py flowers17 /tmp/finetune

Prints the table of docs/finetune.md. ``--set weaves`` and ``--seed 0`` run a part of it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

import penult

CLASSES, EACH, SIZE = 10, 60, 64
ANISOTROPY = 0.3  # how much stronger along the direction, and weaker across it
OPTIONS = {
    # All textures are alike to the network as it is.
    "weaves": {"unfreeze": 6, "epochs": 8, "patience": 8, "near_duplicates": 1.0},
    "inverted": {"unfreeze": 5, "epochs": 8, "patience": 8},
}


def weaves(folder: Path) -> None:
    chance = np.random.default_rng(0)
    frequency = np.fft.fftfreq(SIZE)
    x, y = np.meshgrid(frequency, frequency)
    ring = np.exp(-(((np.hypot(x, y) - 0.35) / 0.08) ** 2))
    for number in range(CLASSES):
        along = np.cos(2 * (np.arctan2(y, x) - np.pi * number / CLASSES))
        gain = ring * (1 + ANISOTROPY * along)
        (folder / f"weave{number}").mkdir(parents=True, exist_ok=True)
        for k in range(EACH):
            noise = np.fft.fft2(chance.normal(size=(SIZE, SIZE)))
            grey = np.fft.ifft2(noise * gain).real
            pixels = (128 + 50 * grey / grey.std()).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"weave{number}" / f"{k:03}.png")


def inverted(flowers: Path, folder: Path) -> None:
    chance = np.random.default_rng(0)
    for path in sorted(flowers.glob("*/*.jpg"))[::3]:
        photo = ImageOps.invert(Image.open(path).convert("RGB"))
        scale = 256 / min(photo.size)
        photo = photo.resize([round(scale * edge) for edge in photo.size], Image.Resampling.BICUBIC)
        target = folder / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        photo.rotate(90 * int(chance.integers(4)), expand=True).save(target, quality=92)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("flowers", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", choices=OPTIONS, action="append")
    parser.add_argument("--seed", type=int, action="append")
    asked = parser.parse_args()
    print(
        "| set | seed | test | probe | fine-tuned | difference | 95% interval | more than noise |"
    )
    print("|---|---|---:|---:|---:|---:|---|---|")
    for name in asked.set or OPTIONS:
        photos = asked.folder / name
        if not photos.exists():
            weaves(photos) if name == "weaves" else inverted(asked.flowers, photos)
        for seed in asked.seed or (0, 1, 2):
            output = asked.folder / f"{name}{seed}.ckpt"
            if not (output / "scores.json").exists():
                penult.finetune(
                    photos,
                    output,
                    augment="none",
                    lr=1e-3,
                    seed=seed,
                    resume=True,
                    **OPTIONS[name],
                )
            found = json.loads((output / "scores.json").read_text())
            by, probe, tuned = found["difference"], found["probe"], found["test"]
            print(
                f"| {name} | {seed} | {tuned['images']} | "
                f"{100 * probe['accuracy']:.1f}% | {100 * tuned['accuracy']:.1f}% | "
                f"{100 * by['difference']:+.1f} | "
                f"{100 * by['low']:.1f} to {100 * by['high']:.1f} | "
                f"{'yes' if by['separable'] else 'no'} |",
                flush=True,
            )


if __name__ == "__main__":
    main()

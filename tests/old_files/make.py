"""Write this folder's files with the penult that is installed: run once a release, never by the tests.

The toys are those of the same release, for both see README.md:

    PYTHONPATH=src:tests python tests/old_files/make.py tests/old_files/0.1.0
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from toys import TinyNetwork, _build_tiny

import penult
from penult.backbones.checkpoint import read_checkpoint, save_checkpoint
from penult.backbones.registry import open_backbone, register
from penult.engines import measure

MODEL = "tiny:network"
GRIDS = {
    "logistic": {"C": [1, 100]},
    "svm": {"C": [1]},
    "ridge": {"alpha": [1]},
    "knn": {"n_neighbors": [1, 3]},
    "forest": {"max_features": ["sqrt"]},
    "centroid": {},
}
LAYERS = ["maps", "penultimate"]


def make_photos(folder: Path) -> None:
    """24 photos of two flowers in groups of four, two groups for testing; one is damaged."""
    rng = np.random.default_rng(0)
    lines = ["path,labels,split,group"]
    for number in range(24):
        label, hue = (("iris", 60), ("poppy", 200))[number % 2]
        colour = np.array([hue, 90 + 4 * number % 60, 220 - hue])
        pixels = (rng.integers(0, 90, (6, 6, 3)) + colour).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).resize((24, 20)).save(folder / f"{number:02}.png")
        labels = "iris|poppy" if number == 5 else label
        lines.append(f"{number:02}.png,{labels},{'test' if number > 15 else 'train'},{number // 4}")
    (folder / "damaged.png").write_bytes((folder / "00.png").read_bytes()[:60])
    lines.append("damaged.png,iris,train,9")
    (folder / "several.csv").write_text("\n".join(lines) + "\n")
    single = [line.replace("iris|poppy", "poppy").replace("labels", "label") for line in lines]
    (folder / "single.csv").write_text("\n".join(single[:-1]) + "\n")


def described(path: Path) -> dict:
    """What `penult info --json` says of a file."""
    command = [sys.executable, "-c", "from penult.cli import main; main()", "info", path, "--json"]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def make(folder: Path) -> None:
    register(TinyNetwork())
    measure.SECONDS = 0.02  # of the int8 card: nobody reads how fast a toy is
    folder.mkdir(parents=True)
    os.chdir(folder)  # a file notes where its images were
    folder, photos = Path(), Path("photos")
    photos.mkdir()
    make_photos(photos)
    several, single = photos / "several.csv", photos / "single.csv"
    expected = {}

    features = penult.extract(several, folder / "features.h5", model=MODEL, layer=LAYERS)
    for layer in LAYERS:
        expected[f"features.h5 {layer}"] = penult.load(folder / "features.h5", layer).features[:]
    expected["targets"], expected["splits"] = features.targets, features.splits
    expected["groups"], expected["ids"] = features.groups, list(features.ids)

    rows = penult.extract(single, model=MODEL)
    for name, grid in GRIDS.items():
        classifier = penult.train(rows, classifier=name, grid=grid)
        classifier.save(folder / f"{name}.skops")
        expected[f"{name}.skops"] = classifier.predict_features(rows.features[:])
    classifier = penult.train(features, grid={"C": [1, 100]})
    classifier.save(folder / "several.skops")
    expected["several.skops"] = classifier.predict_features(features.features[:])

    network = _build_tiny()
    with torch.no_grad():
        network.last[0].weight.mul_(-1)  # its own, and not those of tiny:network
    backbone = open_backbone(MODEL)
    save_checkpoint(
        folder / "tuned.ckpt",
        network,
        architecture=MODEL,
        preprocessing=backbone.preprocessing,
        label_names=["iris", "poppy", "rose", "tulip"],
        training={"epochs": 5},
    )
    penult.quantize(MODEL, single, folder / "int8.ckpt", layer=LAYERS, images=10)
    for name in ("tuned.ckpt", "int8.ckpt"):
        rows = penult.extract(single, model=str(folder / name))
        expected[name] = rows.features[:]
        expected[f"{name} recipe"] = rows.recipe.to_json()

    made = sorted(path for path in folder.glob("*.*") if path.suffix in {".h5", ".ckpt", ".skops"})
    words = {path.name: described(path) for path in made if path.name != "tuned.ckpt"}
    words["tuned.ckpt"] = dataclasses.asdict(read_checkpoint(folder / "tuned.ckpt"))
    (folder / "described.json").write_text(json.dumps(words, indent=1, sort_keys=True) + "\n")
    np.savez_compressed(folder / "expected.npz", **expected)
    for path in made:
        with gzip.GzipFile(f"{path}.gz", "wb", mtime=0) as packed:
            packed.write(path.read_bytes())
        path.unlink()


if __name__ == "__main__":
    make(Path(sys.argv[1]))

"""Extraction on a CPU, side by side with plain scripts, and with what the machine allows.

    python benchmarks/extract.py FOLDER [--models efficientnet_lite0 VGG16 …] [--images 256]

In one run, several rounds of each, in turns, on the same images: penult from files to feature file;
a plain timm + DataLoader script; the same with channels-last and the best number of workers;
decoding and transforming alone; and the engine alone. All after everything is loaded and converted:
what is measured is a long run's rate, not a start.

The limit is what decoding and the network alone allow on these cores: cores / (CPU seconds to
decode one image + CPU seconds to run one). Ratios are of medians. Nothing passes or fails by the
clock.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import timm
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

import penult
from penult.backbones.base import WeightsChoice
from penult.backbones.registry import open_backbone
from penult.backbones.select import select
from penult.engines.choose import open_engine
from penult.images.read import read_pixels
from penult.images.sources import list_images
from penult.images.transform import Transform

# Name to penult's own options, and the timm architecture of the script that it is compared with.
MODELS = {
    "efficientnet_lite0": ({}, "tf_efficientnet_lite0"),
    "resnet50": ({}, "resnet50"),
    "VGG16": ({"layer": "features", "pool": "flatten"}, "vgg16"),
    "InceptionV3": ({}, "inception_v3"),
}


class Photos(Dataset):
    """What every tutorial writes."""

    def __init__(self, paths: list[Path], transform: Callable) -> None:
        self.paths, self.transform = paths, transform

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, k: int) -> torch.Tensor:
        return self.transform(Image.open(self.paths[k]).convert("RGB"))


def script(
    paths: list[Path], network: torch.nn.Module, workers: int, *, tuned: bool
) -> Callable[[], object]:
    transform = timm.data.create_transform(**timm.data.resolve_data_config({}, model=network))
    loader = DataLoader(Photos(paths, transform), batch_size=32, num_workers=workers)

    def run() -> np.ndarray:
        rows = []
        with torch.inference_mode():
            for batch in loader:
                images = batch.to(memory_format=torch.channels_last) if tuned else batch
                rows.append(network(images).flatten(1))
        return torch.cat(rows).numpy()

    return run


def cpu_seconds(call: Callable[[], object]) -> tuple[float, float]:
    """(wall, processor time of this process's threads) of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(name: str, folder: Path, count: int, rounds: int) -> None:
    options, architecture = MODELS.get(name, ({}, name))
    paths = [r.path for r in list_images([folder], labels="none").records]
    # Spread over the folder, so that no class or camera is all there is.
    chosen = [paths[k] for k in np.linspace(0, len(paths) - 1, min(count, len(paths))).astype(int)]
    bundled = name.startswith("efficientnet_lite")
    weights = None if bundled else "random"
    backbone = open_backbone(name, WeightsChoice(given=weights))
    recipes = select(backbone, [options.get("layer", "penultimate")], options.get("pool"))
    engine = open_engine(backbone, recipes, device="cpu")
    transform = Transform(backbone.preprocessing)
    records = list_images(chosen, labels="none").records
    pixels = np.stack([read_pixels(record, transform)[0] for record in records[:64]])

    flat = "flatten" in options.values()
    pool = {"global_pool": ""} if flat else {}
    network = timm.create_model(architecture, pretrained=False, num_classes=0, **pool).eval()
    if flat:
        network = network.features if hasattr(network, "features") else network
        network.pretrained_cfg = timm.get_pretrained_cfg(architecture).to_dict()

    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "features.h5"

        def ours() -> object:
            return penult.extract(
                chosen, out, model=name, weights=weights, device="cpu", overwrite=True, **options
            )

        plain = script(chosen, network, 0, tuned=False)
        tuned = [script(chosen, network, n, tuned=True) for n in range(cores + 1)]
        calls: dict[str, Callable[[], object]] = {
            "penult, files to file": ours,
            "plain timm + DataLoader": plain,
            **{f"tuned, {n} workers": call for n, call in enumerate(tuned)},
            "decode and transform only": lambda: [read_pixels(r, transform) for r in records],
            "engine only": lambda: [engine.run(pixels) for _ in range(len(chosen) // 64 or 1)],
        }
        ours()
        times: dict[str, list[tuple[float, float]]] = {what: [] for what in calls}
        for _ in range(rounds):
            for what, call in calls.items():
                if what.startswith("tuned"):
                    network.to(memory_format=torch.channels_last)
                elif what.startswith("plain"):
                    network.to(memory_format=torch.contiguous_format)
                times[what].append(cpu_seconds(call))
    images = {what: len(chosen) for what in calls}
    images["engine only"] = 64 * (len(chosen) // 64 or 1)
    rate = {
        what: images[what] / statistics.median(wall for wall, _ in values)
        for what, values in times.items()
    }
    decode, forward = (
        statistics.median(cpu for _, cpu in times[what]) / images[what]
        for what in ("decode and transform only", "engine only")
    )
    limit = cores / (decode + forward)
    mine = rate["penult, files to file"]
    print(f"\n{name}: {len(chosen)} images, {rounds} rounds, engine {engine.name}")
    for what, value in rate.items():
        print(f"  {what:28} {value:8.1f} images/s   penult is {mine / value:5.2f} times this")
    print(
        f"  {'limit':28} {limit:8.1f} images/s   penult is {mine / limit:5.1%} of this   "
        f"(decode {1e3 * decode:.2f} ms + forward {1e3 * forward:.2f} ms of CPU an image)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    libraries = ("penult", "torch", "timm", "openvino", "pillow", "numpy")
    print(f"{platform.processor() or platform.machine()}, {len(os.sched_getaffinity(0))} cores")
    print(", ".join(f"{name} {version(name)}" for name in libraries))
    for name in options.models:
        measure(name, options.folder, options.images, options.rounds)


if __name__ == "__main__":
    main()

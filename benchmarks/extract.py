"""Extraction on a CPU, side by side with plain scripts, and with what the machine allows.

    python benchmarks/extract.py FOLDER [--models resnet50 VGG16 resnet50-int8.ckpt=resnet50 …]

In one run, several rounds of each, in turns. Penult from files to feature file, over all images;
over some of them: a plain timm + DataLoader script; the same with channels-last and the best
number of workers; decoding and transforming alone, on all cores; the engine alone, on all cores.
Everything was loaded and converted before, but for penult's engine, which it opens anew each time.

The limit is what decoding alone and the network alone allow on these cores: 1 / (1 / rate of
decoding + 1 / rate of the network). Beside it stands the same from the processor time of one core
that is busy alone, which the cores of most machines cannot keep up when all are busy: they share
cache, memory and clock. Ratios are of medians. Nothing passes or fails by the clock.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np
import timm
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

import penult
from penult.backbones.recipe_selection import select
from penult.backbones.registry import open_backbone
from penult.backbones.weights.choice import WeightsChoice
from penult.engines.registry import open_engine
from penult.images.listing import list_images
from penult.images.pixels.transform import Transform
from penult.images.read import read_pixels

# Name to penult's own options, and the timm architecture of the script that it is compared with.
MODELS = {
    "efficientnet_lite0": ({}, "tf_efficientnet_lite0"),
    "resnet50": ({}, "resnet50"),
    "VGG16": ({"layer": "features", "pooling": "flatten"}, "vgg16"),
    "InceptionV3": ({}, "inception_v3"),
}

PENULT, DECODE, NETWORK = "penult, files to file", "decode and transform only", "network only"


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


def measure(name: str, folder: Path, few: int, rounds: int) -> None:
    given, _, base = name.partition("=")
    options, architecture = MODELS.get(base or given, ({}, base or given))
    paths = [record.path for record in list_images([folder], labels="none").records]
    # Spread over the folder, so that no class or camera is all there is.
    chosen = [paths[k] for k in np.linspace(0, len(paths) - 1, min(few, len(paths))).astype(int)]
    with tempfile.TemporaryDirectory() as scratch:
        weights = _weights(given, Path(scratch))
        backbone = open_backbone(given, WeightsChoice(weights=weights))
        recipes = select(backbone, [options.get("layer", "penultimate")], options.get("pooling"))
        engine = open_engine(backbone, recipes, device="cpu")
        transform = Transform(backbone.preprocessing)
        records = list(list_images(chosen, labels="none").records)
        pixels = np.stack([read_pixels(record, transform)[0] for record in records[:32]])
        out = Path(scratch) / "features.h5"
        cores = len(os.sched_getaffinity(0))
        passes = max(1, len(chosen) // len(pixels) // engine.concurrency)

        def ours(images: list[Path] = paths) -> object:
            return penult.extract(
                images, out, model=given, weights=weights, device="cpu", overwrite=True, **options
            )

        def decode_all() -> None:
            with ThreadPoolExecutor(cores) as pool:
                deque(pool.map(lambda r: read_pixels(r, transform), records), maxlen=0)

        def run_all() -> None:
            with ThreadPoolExecutor(engine.concurrency) as pool:
                for _ in range(engine.concurrency):
                    pool.submit(lambda: [engine.run(pixels) for _ in range(passes)])

        network = _network(architecture, flat="flatten" in options.values())
        calls: dict[str, tuple[int, Callable[[], object]]] = {
            PENULT: (len(paths), ours),
            "plain timm + DataLoader": (len(chosen), script(chosen, network, 0, tuned=False)),
            **{
                f"tuned, {n} workers": (len(chosen), script(chosen, network, n, tuned=True))
                for n in range(cores + 1)
            },
            DECODE: (len(chosen), decode_all),
            NETWORK: (len(pixels) * passes * engine.concurrency, run_all),
            "one core: decode": (
                len(chosen),
                lambda: [read_pixels(record, transform) for record in records],
            ),
            "one core: network": (len(pixels), lambda: engine.run(pixels)),
        }
        ours(chosen)
        times: dict[str, list[tuple[float, float]]] = {what: [] for what in calls}
        for _ in range(rounds):
            for what, (_, call) in calls.items():
                if what.startswith("tuned"):
                    network.to(memory_format=torch.channels_last)
                elif what.startswith("plain"):
                    network.to(memory_format=torch.contiguous_format)
                times[what].append(cpu_seconds(call))
    middle = {
        what: [statistics.median(both) / calls[what][0] for both in zip(*values, strict=True)]
        for what, values in times.items()
    }
    limit = 1 / (middle[DECODE][0] + middle[NETWORK][0])
    alone = cores / (middle["one core: decode"][1] + middle["one core: network"][1])
    mine = 1 / middle[PENULT][0]
    print(f"\n{name}: {len(paths)} images, {len(chosen)} for the others, {rounds} rounds")
    print(f"  {'':28} {'images/s':>9} {'penult ÷ this':>14} {'CPU ms an image':>16}")
    for what, (wall, cpu) in middle.items():
        print(f"  {what:28} {1 / wall:9.1f} {mine * wall:13.2f}× {1e3 * cpu:16.2f}")
    print(f"  {'limit':28} {limit:9.1f} {mine / limit:14.1%}")
    print(f"  {'limit, of one core alone':28} {alone:9.1f} {mine / alone:14.1%}", flush=True)


def _weights(name: str, scratch: Path) -> Path | None:
    """A file of untrained weights, where trained ones would have to be downloaded."""
    if name.startswith("efficientnet_lite") or Path(name).is_file():
        return None
    path = scratch / "untrained.pth"
    torch.save(
        open_backbone(name, WeightsChoice(weights="random")).network.module.state_dict(), path
    )
    return path


def _network(architecture: str, *, flat: bool) -> torch.nn.Module:
    pool = {"global_pool": ""} if flat else {}
    network = timm.create_model(architecture, pretrained=False, num_classes=0, **pool).eval()
    if flat:
        network = network.features if hasattr(network, "features") else network
        network.pretrained_cfg = timm.get_pretrained_cfg(architecture).to_dict()
    return network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--images", type=int, default=128, help="for all but penult")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    libraries = ("penult", "torch", "timm", "openvino", "pillow", "numpy")
    print(f"{platform.processor() or platform.machine()}, {len(os.sched_getaffinity(0))} cores")
    print(", ".join(f"{name} {version(name)}" for name in libraries))
    for name in options.models:
        measure(name, options.folder, options.images, options.rounds)


if __name__ == "__main__":
    main()

"""Extraction on a CPU, side by side with plain scripts, and with what the machine allows.

    python benchmarks/extract.py FOLDER [--models resnet50 VGG16 …] [--choices float32 bfloat16 …]
        [--int8 lite0.ckpt=efficientnet_lite0 …]

In one run, several rounds of each, in turns. Penult from files to feature file, over all images, by
each of its choices; over some of them: a plain timm + DataLoader script; the same with
channels-last and the best number of workers; and for each choice decoding and transforming alone,
on all cores, and the engine alone, on all cores. Everything was loaded, converted and compiled
before, but for penult's engine, which it opens anew each time. The choices with "Pillow" resize as
without the extra `fast`. Penult is given the folder, as a user gives it.

The limit is what decoding alone and the network alone allow on these cores: 1 / (1 / rate of
decoding + 1 / rate of the network). Beside it stands the same from the processor time of one core
that is busy alone, which the cores of most machines cannot keep up when all are busy: they share
cache, memory and clock. Ratios to float32 are medians of the rounds' own ratios, all others are of
medians. Nothing passes or fails by the clock.
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
from unittest import mock

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
from penult.images.pixels.compiled_resize import resizer
from penult.images.pixels.transform import Transform
from penult.images.read import read_pixels

# Name to penult's own options, and the timm architecture of the script that it is compared with.
MODELS = {
    "efficientnet_lite0": ({}, "tf_efficientnet_lite0"),
    "resnet50": ({}, "resnet50"),
    "VGG16": ({"layer": "features", "pooling": "flatten"}, "vgg16"),
    "InceptionV3": ({}, "inception_v3"),
}

CORES = len(os.sched_getaffinity(0))

# What costs and gives something; int8 is a network of its own, beside these.
CHOICES = {
    "float32": {},
    "bfloat16": {"precision": "bfloat16"},
    "bfloat16, fast resize": {"precision": "bfloat16", "resize": "fast"},
    "float32, fast resize": {"resize": "fast"},
    # As without LLVM, which the extra `fast` brings.
    "float32, Pillow": {},
    "bfloat16, Pillow": {"precision": "bfloat16"},
}

PENULT, DECODE, NETWORK = "penult, files to file", "decode and transform only", "network only"
ONE_DECODE, ONE_NETWORK = "one core: decode", "one core: network"
PLAIN = "plain timm + DataLoader"


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


class Choice:
    """One way to run a network, opened."""

    def __init__(
        self,
        model: str,
        options: dict,
        how: dict,
        folder: Path,
        records: list,
        images: list[Path],
        scratch: Path,
    ) -> None:
        weights = _weights(model, scratch)
        backbone = open_backbone(model, WeightsChoice(weights=weights))
        chosen = select(backbone, [options.get("layer", "penultimate")], options.get("pooling"))
        resampling, precision = how.get("resize", "exact"), how.get("precision", "float32")
        recipes = [r.with_options(resampling=resampling, precision=precision) for r in chosen]
        engine = open_engine(backbone, recipes, device="cpu")
        transform = Transform(recipes[0].preprocessing)
        pixels = np.stack([read_pixels(record, transform)[0] for record in records[:32]])
        passes = max(1, len(records) // len(pixels) // engine.concurrency)
        out = scratch / "features.h5"

        def ours(images: list[Path] | Path = folder) -> None:
            penult.extract(
                images,
                out,
                model=model,
                weights=weights,
                device="cpu",
                overwrite=True,
                **options,
                **how,
            )

        def decode_all() -> None:
            with ThreadPoolExecutor(CORES) as pool:
                deque(pool.map(lambda r: read_pixels(r, transform), records), maxlen=0)

        def run_all() -> None:
            with ThreadPoolExecutor(engine.concurrency) as pool:
                for _ in range(engine.concurrency):
                    pool.submit(lambda: [engine.run(pixels) for _ in range(passes)])

        self.calls: dict[str, tuple[int, Callable[[], object]]] = {
            PENULT: (len(images), ours),
            DECODE: (len(records), decode_all),
            NETWORK: (len(pixels) * passes * engine.concurrency, run_all),
            ONE_DECODE: (len(records), lambda: [read_pixels(r, transform) for r in records]),
            ONE_NETWORK: (len(pixels), lambda: engine.run(pixels)),
        }
        ours(images[:8])


def resized_by_pillow(call: Callable[[], object]) -> Callable[[], object]:
    def without_compiled_loops() -> None:
        with (
            mock.patch.object(resizer, "_LOADING", resizer._Loading()),
            mock.patch.object(resizer, "is_installed", return_value=False),
        ):
            call()

    return without_compiled_loops


def measure(
    name: str, folder: Path, few: int, rounds: int, choices: list[str], int8: Path | None
) -> None:
    options, architecture = MODELS.get(name, ({}, name))
    paths = [record.path for record in list_images([folder], labels="none").records]
    # Spread over the folder, so that no class or camera is all there is.
    chosen = [paths[k] for k in np.linspace(0, len(paths) - 1, min(few, len(paths))).astype(int)]
    records = list(list_images(chosen, labels="none").records)
    ways = {choice: (name, CHOICES[choice]) for choice in choices}
    if int8 is not None:
        ways["int8"] = (str(int8), {})
    with tempfile.TemporaryDirectory() as scratch:
        opened = {
            choice: Choice(model, options, how, folder, records, paths, Path(scratch))
            for choice, (model, how) in ways.items()
        }
        network = _network(architecture, flat="flatten" in options.values())
        tuned = [f"tuned, {n} workers" for n in range(CORES + 1)]
        scripts = {
            PLAIN: script(chosen, network, 0, tuned=False),
            **{what: script(chosen, network, n, tuned=True) for n, what in enumerate(tuned)},
        }
        calls = {("", what): (len(chosen), call) for what, call in scripts.items()}
        for choice, way in opened.items():
            for what, (number, call) in way.calls.items():
                if choice.endswith("Pillow"):
                    call = resized_by_pillow(call)
                calls[choice, what] = number, call
        times: dict[tuple[str, str], list[tuple[float, float]]] = {key: [] for key in calls}
        for _ in range(rounds):
            # By what is measured, so that choices follow each other.
            for key in sorted(calls, key=lambda key: key[1]):
                if not key[0]:
                    layout = torch.contiguous_format if key[1] == PLAIN else torch.channels_last
                    network.to(memory_format=layout)
                times[key].append(cpu_seconds(calls[key][1]))
    middle = {
        key: [statistics.median(both) / calls[key][0] for both in zip(*values, strict=True)]
        for key, values in times.items()
    }
    best = min(middle["", what][0] for what in tuned)
    print(f"\n{name}: {len(paths)} images, {len(chosen)} for the others, {rounds} rounds")
    print(f"  plain script {1 / middle['', PLAIN][0]:.1f} images/s, tuned {1 / best:.1f}")
    heads = ("images/s", "÷ plain", "÷ tuned", "÷ first", "decode/s", "network/s", "limit", "of it")
    print(f"  {'':24}" + "".join(f"{head:>11}" for head in heads))
    first = times[next(iter(ways)), PENULT]
    for choice in ways:
        wall = middle[choice, PENULT][0]
        limit = 1 / (middle[choice, DECODE][0] + middle[choice, NETWORK][0])
        gain = statistics.median(
            a[0] / b[0] for a, b in zip(first, times[choice, PENULT], strict=True)
        )
        cells = (
            f"{1 / wall:.1f}", f"{middle['', PLAIN][0] / wall:.2f}×", f"{best / wall:.2f}×",
            f"{gain:.2f}×", f"{1 / middle[choice, DECODE][0]:.0f}",
            f"{1 / middle[choice, NETWORK][0]:.1f}", f"{limit:.1f}", f"{1 / wall / limit:.1%}",
        )  # fmt: skip
        print(f"  {choice:24}" + "".join(f"{cell:>11}" for cell in cells))
    print("  milliseconds of CPU an image")
    heads = (
        "penult",
        "÷ first",
        "decode",
        "network",
        "one core:",
        "decode",
        "network",
        "its limit",
    )
    print(f"  {'':24}" + "".join(f"{head:>11}" for head in heads))
    for choice in ways:
        cpu = {what: 1e3 * middle[choice, what][1] for what in opened[choice].calls}
        gain = statistics.median(
            a[1] / b[1] for a, b in zip(first, times[choice, PENULT], strict=True)
        )
        alone = 1e3 * CORES / (cpu[ONE_DECODE] + cpu[ONE_NETWORK])
        cells = (
            f"{cpu[PENULT]:.2f}", f"{gain:.2f}×", f"{cpu[DECODE]:.2f}", f"{cpu[NETWORK]:.2f}", "",
            f"{cpu[ONE_DECODE]:.2f}", f"{cpu[ONE_NETWORK]:.2f}", f"{alone:.1f}/s",
        )  # fmt: skip
        print(f"  {choice:24}" + "".join(f"{cell:>11}" for cell in cells), flush=True)


def _weights(name: str, scratch: Path) -> Path | None:
    """A file of untrained weights, where trained ones would have to be downloaded."""
    if name.startswith("efficientnet_lite") or Path(name).is_file():
        return None
    path = scratch / "untrained.pth"
    if not path.is_file():
        random = open_backbone(name, WeightsChoice(weights="random"))
        torch.save(random.network.module.state_dict(), path)
    return path


def _network(architecture: str, *, flat: bool) -> torch.nn.Module:
    pool = {"global_pool": ""} if flat else {}
    network = timm.create_model(architecture, pretrained=False, num_classes=0, **pool).eval()
    if flat:
        network = network.features if hasattr(network, "features") else network
        network.pretrained_cfg = timm.get_pretrained_cfg(architecture).to_dict()
    return network


def print_machine() -> None:
    libraries = (
        "penult",
        "torch",
        "timm",
        "openvino",
        "pillow",
        "cykooz.resizer",
        "llvmlite",
        "numpy",
    )
    print(f"{platform.processor() or platform.machine()}, {CORES} cores")
    print(", ".join(f"{name} {version(name)}" for name in libraries))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument(
        "--choices", nargs="+", choices=CHOICES, default=list(CHOICES)[:3], help="the first is 1×"
    )
    parser.add_argument(
        "--int8", nargs="*", default=[], metavar="FILE=MODEL", help="of `penult quantize`"
    )
    parser.add_argument("--images", type=int, default=128, help="for all but penult")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    resizer.preload()
    int8 = {model: Path(file) for file, _, model in (one.partition("=") for one in options.int8)}
    print_machine()
    for name in options.models:
        few, rounds = options.images, options.rounds
        measure(name, options.folder, few, rounds, options.choices, int8.get(name))


if __name__ == "__main__":
    main()

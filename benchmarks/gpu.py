"""The torch engine on a GPU: its rows, its batch sizes, its speed, and plain scripts beside it.

    python benchmarks/gpu.py FOLDER [--models efficientnet_lite0 resnet50 VGG16] [--compile]

For each model, in one run: rows on the GPU against those on the CPU; images a second for each batch
size; the engine as it is, with one thread instead of two, without pinned memory and streams, with
TensorFloat-32, in half precision; and from files to feature file, over the folder as often as
``--copies`` says, beside a plain timm + DataLoader script and the same tuned (channels last,
float16, pinned memory, the best of some numbers of workers) and decoding alone. Nothing passes or
fails by the clock.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from unittest import mock

import numpy as np
import timm
import torch
from extract import MODELS, Photos, _network, _weights
from torch.utils.data import DataLoader

import penult
from penult.backbones.recipe_selection import select
from penult.backbones.registry import open_backbone
from penult.backbones.weights.choice import WeightsChoice
from penult.engines import torch as torch_engine
from penult.engines.agreement import cosines, relative_error
from penult.engines.base import Engine
from penult.engines.registry import open_engine
from penult.images.listing import list_images
from penult.images.pixels.transform import Transform
from penult.images.read import read_pixels

HALVES = ("float16", "bfloat16")
SECONDS = 1.0


def rate(engine: Engine, pixels: np.ndarray, threads: int | None = None) -> float:
    """Images a second that an engine gives, asked by as many threads as it wants."""
    threads = threads or engine.concurrency
    for _ in range(2):
        engine.run(pixels)
    start = time.perf_counter()

    def work(_: int) -> int:
        done = 0
        while time.perf_counter() - start < SECONDS:
            engine.run(pixels)
            done += len(pixels)
        return done

    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(work, range(threads)))
    return done / (time.perf_counter() - start)


def simple_run(engine: torch_engine.TorchEngine) -> Callable[[np.ndarray], list[np.ndarray]]:
    """What the engine would do without streams and pinned memory."""

    def run(images: np.ndarray) -> list[np.ndarray]:
        with torch.inference_mode():
            rows = engine._pass(torch.from_numpy(images).to(engine._device.place))
            return [row.cpu().numpy() for row in rows]

    return run


def repeated(pixels: np.ndarray, size: int) -> np.ndarray:
    return pixels[np.arange(size) % len(pixels)]


def measure_engine(name: str, pixels: np.ndarray, device: str, *, compiled: bool) -> None:
    options, _ = MODELS.get(name, ({}, name))
    with tempfile.TemporaryDirectory() as scratch:
        choice = WeightsChoice(weights=_weights(name, Path(scratch)))

        def opened(device: str, precision: str = "float32", **settings: object) -> Engine:
            backbone = open_backbone(name, choice)
            layers = [options.get("layer", "penultimate")]
            recipes = [
                recipe.with_options(decode="exact", precision=precision)
                for recipe in select(backbone, layers, options.get("pooling"))
            ]
            return open_engine(backbone, recipes, engine="torch", device=device, **settings)

        expected = opened("cpu").run(pixels)[0]
        start = time.perf_counter()
        engine = opened(device)
        first = time.perf_counter() - start
        print(f"\n{name}: opened in {first:.2f} s", flush=True)
        row = engine.run(pixels)[0]
        worst = max(relative_error(a, b) for a, b in zip(row, expected, strict=True))
        print(f"  float32: greatest relative error of a row {worst:.1e}")
        for label, size in (("alone", 1), ("by 7", 7)):
            parts = [engine.run(pixels[k : k + size])[0] for k in range(0, 28, size)]
            print(f"    {label}: {relative_error(np.concatenate(parts), expected[:28]):.1e}")
        halves = {half: opened(device, half) for half in HALVES}
        for half, other in halves.items():
            least = cosines(other.run(pixels)[0], expected)
            print(f"  {half}: cosine {least.mean():.6f}, least {least.min():.6f}", flush=True)
        with mock.patch.object(torch_engine, "_arithmetic", return_value=nullcontext()):
            engine.run(pixels)
            torch.backends.cuda.matmul.allow_tf32 = True
            torch.backends.cudnn.allow_tf32 = True
            row = engine.run(pixels)[0]
            worst = max(relative_error(a, b) for a, b in zip(row, expected, strict=True))
            print(f"  TensorFloat-32: greatest relative error of a row {worst:.1e}")
            tf32 = rate(engine, repeated(pixels, engine.batch_size))
            torch.backends.cuda.matmul.allow_tf32 = False
        by_size = {}
        for size in (1, 8, 32, 64, 128, 256, 512):
            try:
                by_size[size] = round(
                    rate(opened(device, batch_size=size, images=size), repeated(pixels, size))
                )
            except (torch.OutOfMemoryError, penult.EngineError):
                break
        print(f"  images/s by batch, float32: {by_size}", flush=True)
        batch = repeated(pixels, engine.batch_size)
        speeds = {
            "float32": rate(engine, batch),
            "  one thread": rate(engine, batch, 1),
            "  TensorFloat-32": tf32,
        }
        with mock.patch.object(engine, "_run", simple_run(engine)):
            speeds["  no streams, no pinned memory"] = rate(engine, batch, 1)
        for half, other in halves.items():
            speeds[f"{half}"] = rate(other, batch)
            speeds[f"  {half}, one thread"] = rate(other, batch, 1)
        if compiled:
            for what, other in {"float32": engine, "float16": halves["float16"]}.items():
                start = time.perf_counter()
                other._network = torch.compile(other._network)
                try:
                    other.run(batch)
                    took = time.perf_counter() - start
                    speeds[f"{what}, torch.compile ({took:.0f} s)"] = rate(other, batch)
                except Exception as error:  # a figure less
                    print(f"  torch.compile: {str(error).splitlines()[0][:150]}")
        for what, speed in speeds.items():
            print(f"  {what:40} {speed:10.0f} images/s", flush=True)


def script(
    paths: list[Path], network: torch.nn.Module, workers: int, device: str, *, tuned: bool
) -> Callable[[], object]:
    """What a tutorial writes for a GPU."""
    transform = timm.data.create_transform(**timm.data.resolve_data_config({}, model=network))
    loader = DataLoader(
        Photos(paths, transform), batch_size=64, num_workers=workers, pin_memory=tuned
    )

    def run() -> np.ndarray:
        rows = []
        half = torch.autocast("cuda", torch.float16) if tuned else nullcontext()
        with torch.inference_mode(), half:
            for batch in loader:
                if tuned:
                    images = batch.to(device, non_blocking=True, memory_format=torch.channels_last)
                else:
                    images = batch.to(device)
                rows.append(network(images).flatten(1).float().cpu())
        return torch.cat(rows).numpy()

    return run


@contextmanager
def utilisation() -> Iterator[list[float]]:
    """Fill a list with what nvidia-smi says of the GPU meanwhile."""
    seen: list[float] = []
    query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    try:
        process = subprocess.Popen([*query, "-lms", "100"], stdout=subprocess.PIPE, text=True)
    except OSError:
        yield seen
        return

    def read() -> None:
        for line in process.stdout:
            if line.strip().isdigit():
                seen.append(float(line))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield seen
    finally:
        process.terminate()
        reader.join(2)


def measure_files(name: str, folder: Path, device: str, rounds: int) -> None:
    options, architecture = MODELS.get(name, ({}, name))
    records = list(list_images([folder], labels="none").records)
    paths = [record.path for record in records]
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as scratch:
        weights = _weights(name, Path(scratch))
        transform = Transform(open_backbone(name, WeightsChoice(weights=weights)).preprocessing)
        out = Path(scratch) / "features.h5"

        def ours(**how: object) -> object:
            given = {"weights": weights, "device": device, "engine": "torch", "overwrite": True}
            return penult.extract(folder, out, model=name, **given, **options, **how)

        def decode_all() -> None:
            with ThreadPoolExecutor(cores) as pool:
                deque(pool.map(lambda r: read_pixels(r, transform), records), maxlen=0)

        network = _network(architecture, flat="flatten" in options.values()).to(device)
        calls: dict[str, Callable[[], object]] = {
            "penult, files to file": ours,
            "penult, --workers 8": lambda: ours(workers=8),
            "penult, --precision float16": lambda: ours(precision="float16"),
            "plain timm + DataLoader, no workers": script(paths, network, 0, device, tuned=False),
            "plain, 4 workers": script(paths, network, 4, device, tuned=False),
            **{
                f"tuned, {n} workers": script(paths, network, n, device, tuned=True)
                for n in (cores // 2, cores)
            },
            "decode and transform only": decode_all,
        }
        times: dict[str, list[float]] = {what: [] for what in calls}
        busy: dict[str, list[float]] = {what: [] for what in calls}
        for _ in range(rounds):
            for what, call in calls.items():
                network.to(
                    memory_format=torch.channels_last
                    if what.startswith("tuned")
                    else torch.contiguous_format
                )
                with utilisation() as seen:
                    start = time.perf_counter()
                    call()
                    times[what].append(time.perf_counter() - start)
                busy[what] += seen
    mine = len(paths) / statistics.median(times["penult, files to file"])
    print(f"\n{name}: {len(paths)} images, {rounds} rounds")
    print(f"  {'':36} {'images/s':>9} {'penult ÷ this':>14} {'GPU busy':>9}")
    for what, seconds in times.items():
        speed = len(paths) / statistics.median(seconds)
        share = statistics.mean(busy[what]) if busy[what] else float("nan")
        print(f"  {what:36} {speed:9.0f} {mine / speed:13.2f}× {share:8.0f}%", flush=True)


@contextmanager
def copied(folder: Path, copies: int) -> Iterator[Path]:
    """The folder's photos, as often as asked."""
    with tempfile.TemporaryDirectory() as scratch:
        for k in range(copies):
            shutil.copytree(folder, Path(scratch) / f"{k:03}")
        yield Path(scratch)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs="+", default=["efficientnet_lite0", "resnet50", "VGG16"])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--parts", nargs="+", default=["engine", "files"])
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    if options.device == "cuda":
        print(torch.cuda.get_device_name(), f"{len(os.sched_getaffinity(0))} cores")
    for name in ("torch", "torchvision", "timm", "pillow", "numpy"):
        try:
            print(f"{name} {version(name)}", end=", ")
        except PackageNotFoundError:
            print(f"no {name}", end=", ")
    print()
    records = list(list_images([options.folder], labels="none").records)
    chosen = [records[k] for k in np.linspace(0, len(records) - 1, 64).astype(int)]
    for name in options.models:
        if "engine" in options.parts:
            transform = Transform(open_backbone(name, WeightsChoice("random")).preprocessing)
            pixels = np.stack([read_pixels(record, transform)[0] for record in chosen])
            measure_engine(name, pixels, options.device, compiled=options.compile)
    if "files" in options.parts:
        with copied(options.folder, options.copies) as folder:
            for name in options.models:
                measure_files(name, folder, options.device, options.rounds)


if __name__ == "__main__":
    main()

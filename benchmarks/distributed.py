"""A large extraction on a local cluster of Ray: memory, overhead a part, scaling, killed workers.

    python benchmarks/distributed.py                    1,000,000 images of 8 × 8 pixels
    python benchmarks/distributed.py --images 20000     a short run
    python benchmarks/distributed.py --only kills       ten workers killed at random
    python benchmarks/distributed.py --only nodes       two machines, of which one vanishes

Images are in tar shards; the network is a toy (the mean of each colour), so that what is measured
is the way of an image through decoding, parts, Ray and the driver. `scaling` takes a network of
the bundled ones on photos of `--photos`, or the toy on tiny images, one thread a worker.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import signal
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

import h5py
import numpy as np
import psutil
from PIL import Image

import penult
from penult.backbones.registry import register
from penult.distributed.quiet import prepare
from penult.engines.registry import ENGINES, EngineEntry
from penult.records import Progress

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from ray_workers import workers
from toys import ChannelMeans, LightMeanColour, SlowMeans

SHARD = 10_000
TILES = 500  # different images, each of one class; the names of all are different
MB = 1 << 20
TOY = {"model": "light:mean-colour", "engine": "means"}


def write_shards(folder: Path, images: int) -> str:
    """Tar shards of tiny images, as a pattern that extract takes."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    tiles = []
    for pixels in rng.integers(0, 255, (TILES, 8, 8, 3), dtype=np.uint8):
        Image.fromarray(pixels).save(file := io.BytesIO(), "BMP")
        tiles.append(file.getvalue())
    shards = -(-images // SHARD)
    for shard in range(shards):
        path = folder / f"{shard:04}.tar"
        count = min(SHARD, images - shard * SHARD)
        if path.exists():
            continue
        with tarfile.open(path, "w") as archive:
            for k in range(count):
                number = shard * SHARD + k
                data = tiles[number % TILES]
                member = tarfile.TarInfo(f"{number % 10}/{number:08}.bmp")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return (
        str(folder / f"{{0000..{shards - 1:04}}}.tar") if shards > 1 else str(folder / "0000.tar")
    )


class Memory:
    """The resident memory of this process and of its workers, sampled while a block runs."""

    def __init__(self, seconds: float) -> None:
        self.samples: list[tuple[float, float, list[float]]] = []
        self._over, self._seconds = threading.Event(), seconds
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Memory:
        self._begun = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(self._seconds):
            own = psutil.Process().memory_info()
            each = []
            for one in workers():
                try:
                    found = one.memory_info()
                    each.append((found.rss - found.shared) / MB)
                except psutil.Error:
                    continue
            passed = time.monotonic() - self._begun
            self.samples.append((passed, own.rss / MB, each))

    def show(self) -> None:
        """Print ten of the samples, of those with workers."""
        working = [one for one in self.samples if one[2]]
        print("seconds   driver, MB   workers without shared memory, MB")
        for k in np.linspace(0, len(working) - 1, min(10, len(working))).astype(int):
            passed, driver, each = working[k]
            print(f"{passed:7.0f}   {driver:10.0f}   {', '.join(f'{one:.0f}' for one in each)}")


def rate(images: str, output: Path, **options: object) -> tuple[float, float]:
    """Extract; images a second between the first progress and the last, and seconds in all."""
    told: list[tuple[float, Progress]] = []
    begun = time.monotonic()
    penult.extract(
        images,
        output,
        **options,
        progress=lambda now: told.append((time.monotonic(), now)),
    )
    passed = time.monotonic() - begun
    steps = [(when, now.done) for when, now in told if now.stage == "extract"]
    # From the first part on: before that, workers start and open the network.
    (start, before), (end, done) = next(s for s in steps if s[1]), steps[-1]
    return (done - before) / max(1e-9, end - start), passed


def without_time(path: Path) -> bytes:
    """The bytes of a feature file, its time of creation blanked."""
    with h5py.File(path) as file:
        created = str(file.attrs["created"]).encode()
    return path.read_bytes().replace(created, b"0" * len(created))


def is_as_of_one(rows: Path, images: str) -> bool:
    """Whether a folder of rows, merged, is the file that one process writes of the same images."""
    merged, alone = rows.with_suffix(".h5"), rows.with_suffix(".one.h5")
    penult.merge(rows, merged)
    penult.extract(images, alone, **TOY)
    return without_time(merged) == without_time(alone)


def show_memory(images: str, folder: Path, count: int) -> None:
    """One folder of rows by two workers, its memory, and its bytes beside one machine's."""
    rows = folder / "photos.rows"
    with Memory(max(0.5, count / 1e6 * 10)) as memory:
        per_second, passed = rate(images, rows, **TOY, ray=True, ray_workers=2)
    parts = len(list(rows.glob("rows-*.h5")))
    print(
        f"{count:,} images, {parts} parts of 4,096, two workers: {passed:.0f} s, of which "
        f"{per_second:,.0f} images/s while both work"
    )
    memory.show()
    begun = time.monotonic()
    penult.merge(rows, folder / "merged.h5")
    print(f"merged in {time.monotonic() - begun:.0f} s")
    alone, passed = rate(images, folder / "one.h5", **TOY)
    print(f"one process, one file: {passed:.0f} s, {alone:,.0f} images/s")
    same = without_time(folder / "merged.h5") == without_time(folder / "one.h5")
    print("equal to the byte after merging:", same)


def show_overhead(images: str, folder: Path, count: int) -> None:
    """What a part costs beside its images: the same images in few parts and in many."""
    took = {}
    for size in (4096, 64):
        output = folder / f"parts-{size}.rows"
        per_second, _ = rate(images, output, **TOY, part_images=size, ray=True, ray_workers=1)
        took[size] = count / per_second
    parts = {size: -(-count // size) for size in took}
    each = (took[64] - took[4096]) / (parts[64] - parts[4096])
    print(
        f"overhead a part, one worker: {1000 * each:.1f} ms "
        f"({parts[4096]} parts in {took[4096]:.1f} s, {parts[64]} in {took[64]:.1f} s)"
    )


def show_scaling(images: str, folder: Path, **options: object) -> None:
    """One worker and two, one thread each, in turns."""
    found: dict[int, list[float]] = {1: [], 2: []}
    for several in (1, 2, 2, 1):
        output = folder / f"scaling-{several}-{len(found[several])}.rows"
        per_second, _ = rate(images, output, **options, ray=True, ray_workers=several, ray_cpus=1)
        found[several].append(per_second)
        print(f"{several} worker{'s' * (several > 1)}: {per_second:,.1f} images/s")
    print(f"scaling from 1 to 2: {sum(found[2]) / sum(found[1]):.2f}")


def show_kills(images: str, folder: Path, kills: int) -> None:
    """Workers killed at random, and the file beside that of one machine."""
    chance, killed, over = random.Random(0), [], threading.Event()

    def kill() -> None:
        while len(killed) < kills and not over.wait(chance.uniform(0.2, 2)):
            there = workers()
            if there:
                os.kill(one := chance.choice(there).pid, signal.SIGKILL)
                killed.append(one)

    killer = threading.Thread(target=kill)
    killer.start()
    rows = folder / "killed.rows"
    penult.extract(images, rows, **TOY, part_images=256, ray=True, ray_workers=2)
    over.set()
    killer.join()
    same = is_as_of_one(rows, images)
    print(f"{len(killed)} workers killed; equal to the byte after merging: {same}")


def show_nodes(images: str, folder: Path) -> None:
    """Two nodes of one core each, of which one is killed in the middle, beside one machine."""
    with tempfile.TemporaryDirectory(prefix="r") as short:  # names of sockets are short
        os.environ["RAY_TMPDIR"] = short  # so that no other run on this machine finds this cluster
        prepare()
        from ray.cluster_utils import Cluster

        cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
        )
        second, rows, over = cluster.add_node(num_cpus=1), folder / "nodes.rows", threading.Event()

        def kill() -> None:
            while not over.wait(0.05):
                if len(list(rows.glob("rows-*.h5"))) >= 8:
                    raylet = second.all_processes["raylet"][0].process
                    os.kill(raylet.pid, signal.SIGKILL)
                    print("one of two nodes killed")
                    return

        killer = threading.Thread(target=kill)
        killer.start()
        slow = {**TOY, "engine": "slow-means", "part_images": 16}
        begun = time.monotonic()
        penult.extract(images, rows, **slow, ray=cluster.address, ray_workers=2)
        passed = time.monotonic() - begun
        over.set()
        killer.join()
        cluster.shutdown()
    same = is_as_of_one(rows, images)
    print(f"two nodes, {passed:.0f} s; equal to the byte after merging: {same}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where images are made; kept")
    parser.add_argument("--photos", help="real photos, for scaling")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--only", choices=("memory", "overhead", "scaling", "kills", "nodes"))
    options = parser.parse_args()
    for engine in (ChannelMeans, SlowMeans):
        ENGINES[engine.name] = EngineEntry(engine, devices=("cpu",), forms=("openvino",))
    register(LightMeanColour())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.only == "nodes":
            show_nodes(write_shards(folder / "nodes", 480), folder)
            return
        images = write_shards(options.folder or folder / "shards", options.images)

        def wanted(what: str) -> bool:
            return options.only in (None, what)

        if wanted("memory"):
            show_memory(images, folder, options.images)
        few = write_shards(folder / "few", min(options.images, 2 * SHARD))
        if wanted("overhead"):
            show_overhead(few, folder, min(options.images, 2 * SHARD))
        if wanted("scaling") and options.photos:
            show_scaling(options.photos, folder, part_images=32)
        elif wanted("scaling"):
            show_scaling(images, folder, **TOY)
        if wanted("kills"):
            show_kills(few, folder, options.kills)
        if wanted("nodes"):
            show_nodes(write_shards(folder / "nodes", 480), folder)


if __name__ == "__main__":
    main()

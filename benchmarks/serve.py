"""The service under load, over loopback, beside what the engine can do with the same photos.

    python benchmarks/serve.py FOLDER [--clients 1 8 64] [--seconds 6] [--rounds 7]
    python benchmarks/serve.py FOLDER --requests 20000    and does its memory grow?
    python benchmarks/serve.py FOLDER --profile           and which threads of it are busy?

A classifier is trained on the photos of FOLDER, which has a folder for each class. The engine's
limit is an opened `penult.Extractor` over some of those photos, in this process: read, decoded, run
in batches on all cores. Then ``penult serve`` runs in a process of its own, and each number of
clients sends those photos to ``/v1/classify`` for so many seconds, each client the next photo when
it has the answer to the last; one that is refused (503) waits as long as it is told to, and the
refusal is counted. In each round all contestants have their turn, and the limit is measured between
any two of them. Stated are medians of the rounds: photos answered in a second, that rate's share of
the limit before and after it, since other guests of the machine change both; the 50th and the
99th percentile of the milliseconds from the first byte sent to the last byte received; and what a
photo takes of a core, beside what it takes of it at the limit, which a busy machine changes less.

Clients are plain sockets in one thread, since they share the cores with the service: what they
take of a core for a photo is stated, too.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import itertools
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

import penult

SMALL = (64, 48)
CORES = len(os.sched_getaffinity(0))


@dataclass
class Load:
    """What clients have seen.

    Attributes
    ----------
    milliseconds : list of float
        Of each answer of success.
    statuses : Counter
        How often each HTTP status was answered.
    seconds : float
        How long it took in all.
    cpu, server_cpu : float
        Seconds of a core that the clients themselves took, and the service.
    """

    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    cpu: float = 0.0
    server_cpu: float = 0.0

    def milliseconds_of(self, cpu: float) -> float:
        """What an answer took of some seconds."""
        return 1000 * cpu / len(self.milliseconds)

    @property
    def rate(self) -> float:
        return len(self.milliseconds) / self.seconds

    def percentile(self, q: float) -> float:
        return float(np.percentile(self.milliseconds, q))


class Sender:
    """Clients of ``/v1/classify``, as many as are wanted.

    Parameters
    ----------
    port : int
        Where the service listens on this machine.
    photos : list of bytes
        Sent in turn, by whichever client is free.
    """

    def __init__(self, port: int, photos: list[bytes]) -> None:
        self._port = port
        head = "POST /v1/classify HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: {}\r\n"
        kind = "Content-Type: application/octet-stream\r\n\r\n"
        self._requests = itertools.cycle(
            [(head.format(port, len(one)) + kind).encode() + one for one in photos]
        )

    def load(self, clients: int, *, seconds: float = 1e9, requests: int = sys.maxsize) -> Load:
        """Send photos for some seconds, or so many of them."""
        return asyncio.run(self._load(clients, seconds, requests))

    async def _load(self, clients: int, seconds: float, requests: int) -> Load:
        load = Load()
        cpu, start = time.process_time(), time.perf_counter()
        left = iter(range(requests))
        await asyncio.gather(*(self._client(load, start + seconds, left) for _ in range(clients)))
        load.seconds, load.cpu = time.perf_counter() - start, time.process_time() - cpu
        return load

    async def _client(self, load: Load, end: float, left: Iterator[int]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        while time.perf_counter() < end and next(left, None) is not None:
            start = time.perf_counter()
            writer.write(next(self._requests))
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            await reader.readexactly(int(length[1]))
            status = int(head[9:12])
            load.statuses[status] += 1
            if status == 200:
                load.milliseconds.append(1000 * (time.perf_counter() - start))
            elif status == 503:
                after = re.search(rb"retry-after: (\d+)", head, re.IGNORECASE)
                await asyncio.sleep(int(after[1]))
            else:
                raise SystemExit(f"the service answered {head.decode('latin-1')}")
        writer.close()


class Server:
    """The process of the service.

    Parameters
    ----------
    process : psutil.Process
    port : int
    """

    def __init__(self, process: psutil.Process, port: int) -> None:
        self._process, self.port = process, port

    @property
    def megabytes(self) -> float:
        """Resident memory."""
        return self._process.memory_info().rss / 1e6

    @property
    def cpu(self) -> float:
        """Seconds of a core that it has taken so far."""
        times = self._process.cpu_times()
        return times.user + times.system

    def by_thread(self) -> Counter[str]:
        """Seconds of a core that its threads have taken so far, by their names."""
        seconds: Counter[str] = Counter()
        for one in self._process.threads():
            task = Path(f"/proc/{self._process.pid}/task/{one.id}/comm")
            seconds[task.read_text().strip()] += one.user_time + one.system_time
        return seconds


@contextmanager
def serving(classifier: Path, scratch: Path) -> Iterator[Server]:
    """``penult serve`` on a free port of this machine, until the block ends."""
    command = [sys.executable, "-m", "penult", "serve", "--classifier", str(classifier)]
    said = scratch / "said.txt"
    with said.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--port", "0"], stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
    try:
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", said.read_text())):
            if process.poll() is not None:
                raise SystemExit(said.read_text())
            time.sleep(0.1)
        yield Server(psutil.Process(process.pid), int(found[1]))
    finally:
        process.terminate()
        process.wait(60)


def small_photos(number: int) -> list[bytes]:
    """JPEGs that are soon decoded, each another one."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(number):
        coarse = rng.integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(coarse).resize(SMALL).save(file := io.BytesIO(), "JPEG")
        found.append(file.getvalue())
    return found


def measure_rates(
    server: Server, extractor: penult.Extractor, paths: list[Path], options: argparse.Namespace
) -> None:
    photos = [path.read_bytes() for path in paths]
    sender = Sender(server.port, photos)
    extractor(paths[:64])
    sender.load(8, requests=64)
    limits: list[float] = []
    costs: list[float] = []  # milliseconds of a core for an image
    loads: dict[int, list[Load]] = {clients: [] for clients in options.clients}
    shares: dict[int, list[float]] = {clients: [] for clients in options.clients}

    def measure_limit() -> None:
        start, cpu = time.perf_counter(), time.process_time()
        extractor(paths)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        limits.append(len(paths) / seconds)
        costs.append(1000 * cpu / len(paths))
        print(f"limit: {limits[-1]:.1f} images/s, {costs[-1]:.1f} ms of a core an image")

    measure_limit()
    for clients in [*options.clients] * options.rounds:
        before, threads = server.cpu, server.by_thread()
        load = sender.load(clients, seconds=options.seconds)
        load.server_cpu = server.cpu - before
        loads[clients].append(load)
        spent = f"{load.milliseconds_of(load.server_cpu):.1f} ms of a core an image"
        print(f"{clients} clients: {load.rate:.1f} images/s, {spent}", flush=True)
        if options.profile:
            busy = server.by_thread()
            busy.subtract(threads)
            told = [f"{name} {s / load.seconds:.2f}" for name, s in busy.most_common(8)]
            print("  cores by thread: " + ", ".join(told))
        measure_limit()
        shares[clients].append(load.rate / statistics.mean(limits[-2:]))
    print(
        f"\nthe engine's limit, with decoding: {statistics.median(limits):.1f} images/s, "
        f"{statistics.median(costs):.1f} ms of a core an image\n"
    )
    print(
        "| clients | images/s | of the limit | p50, ms | p99, ms | refused | ms of a core | "
        "of the clients |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for clients, rounds in loads.items():
        cells = [
            str(clients),
            f"{statistics.median(one.rate for one in rounds):.1f}",
            f"{statistics.median(shares[clients]):.0%}",
            f"{statistics.median(one.percentile(50) for one in rounds):.0f}",
            f"{statistics.median(one.percentile(99) for one in rounds):.0f}",
            str(sum(one.statuses[503] for one in rounds)),
            f"{statistics.median(one.milliseconds_of(one.server_cpu) for one in rounds):.1f}",
            f"{statistics.median(one.milliseconds_of(one.cpu) for one in rounds):.2f}",
        ]
        print(f"| {' | '.join(cells)} |")


def measure_memory(server: Server, requests: int) -> None:
    sender = Sender(server.port, small_photos(200))
    sender.load(8, requests=min(500, requests))  # what grows once: threads, buffers, the heap
    print("\n| requests | resident, MB |\n|---|---|")
    print(f"| 0 | {server.megabytes:.1f} |")
    for tenth in range(1, 11):
        sender.load(8, requests=requests // 10)
        print(f"| {tenth * requests // 10:,} | {server.megabytes:.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=512, help="how many of them are sent")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=7, help="0 for the memory alone")
    parser.add_argument("--requests", type=int, default=0, help="of small photos, for the memory")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    libraries = (
        *("penult", "openvino", "fastapi", "starlette", "uvicorn", "httptools"),
        *("pillow", "numpy"),
    )
    print(f"{platform.processor() or platform.machine()}, {CORES} cores")
    print(", ".join(f"{name} {version(name)}" for name in libraries))
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        features = penult.extract(options.folder, scratch / "rows.h5", progress=False)
        penult.train(features, output=scratch / "classes.skops", progress=False)
        paths = sorted(options.folder.rglob("*.jpg"))
        step = max(1, len(paths) // options.images)  # of all classes
        with serving(scratch / "classes.skops", scratch) as server:
            if options.rounds:
                with penult.Extractor(features.recipe) as extractor:
                    measure_rates(server, extractor, paths[::step][: options.images], options)
            if options.requests:
                measure_memory(server, options.requests)


if __name__ == "__main__":
    main()

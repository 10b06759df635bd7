"""The service under load, over loopback, beside what the engine can do with the same photos.

    python benchmarks/serve.py FOLDER [--clients 1 8 64] [--seconds 6] [--rounds 7]
    python benchmarks/serve.py FOLDER --clients 8 --seconds 15  8 clients alone: three minutes
    python benchmarks/serve.py FOLDER --requests 20000    and does its memory grow?
    python benchmarks/serve.py FOLDER --profile           and which threads of it are busy?

A classifier is trained on the photos of FOLDER, which has a folder for each class. The engine's
limit is an opened `penult.Extractor` over some of those photos, in this process: read, decoded, run
in batches on all cores. Then ``penult serve`` runs in a process of its own, and each number of
clients sends those photos to ``/v1/classify`` for so many seconds, each client the next photo when
it has the answer to the last; one that is refused (503) waits as long as it is told to, and the
refusal is counted. In each round all contestants have their turn, and the limit is measured between
any two of them. Each answer's status is checked as it comes, and its class afterwards, against what
the classifier says of the photo's row in the feature file.

Stated are medians of the rounds: photos answered in a second; the 50th and the 99th percentile of
the milliseconds from the first byte sent to the last byte received; what a photo takes of a core in
the service, and in its clients; and the rate as three shares of the limit before and after it,
since other guests of the machine change both:

of the limit
    By the clock, with all that clients take. Of the rest a part is work beside the network's, and a
    part is cores that wait.
of what clients leave
    The same, of that part of the limit for which the clients have left the cores: of S seconds on C
    cores they took t, so that 1 - t / (C S) was left.
by CPU
    Milliseconds of a core for a photo, at the limit and in the service. A busy machine changes this
    share the least. Cores that wait are not seen in it.

Clients are plain sockets in one thread that send bytes prepared beforehand, and read no more of an
answer than its status and length. They share the cores with the service, and most of what they take
is the kernel's way of the photo from one socket to the other.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import os
import platform
import re
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    answers : list of (int, bytes)
        Their bodies, each with the place of its photo.
    refused : int
        How often the service had no room (503).
    seconds : float
        How long it took in all.
    cpu, server_cpu : float
        Seconds of a core that the clients themselves took, and the service.
    """

    milliseconds: list[float] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    refused: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    server_cpu: float = 0.0

    def milliseconds_of(self, cpu: float) -> float:
        """What an answer took of some seconds."""
        return 1000 * cpu / len(self.milliseconds)

    @property
    def rate(self) -> float:
        return len(self.milliseconds) / self.seconds

    @property
    def left(self) -> float:
        """The share of the cores that the clients did not take."""
        return 1 - self.cpu / (CORES * self.seconds)

    def percentile(self, q: float) -> float:
        return float(np.percentile(self.milliseconds, q))

    def require_labels(self, labels: list[str]) -> None:
        """Stop unless each photo was said to be of its class."""
        for place, body in self.answers:
            if (told := json.loads(body)["label"]) != labels[place]:
                raise SystemExit(f"photo {place} is {labels[place]!r}, and was answered {told!r}")


class Client:
    """One connection, and the one request that is on its way there.

    Parameters
    ----------
    port : int
        Where the service listens on this machine.
    selector : BaseSelector
        Tells when the connection can be read, and written to where a photo waits for that.
    """

    def __init__(self, port: int, selector: selectors.BaseSelector) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)  # a photo at once
        self._selector = selector
        self._unsent, self._answer = memoryview(b""), b""
        self.place, self.start = -1, 0.0
        selector.register(self._socket, selectors.EVENT_READ, self)

    def ask(self, place: int, request: bytes) -> None:
        """Send the photo of a place."""
        self.place, self._answer, self.start = place, b"", time.perf_counter()
        self._unsent = memoryview(request)
        self._send()
        if self._unsent:
            self._wait_for(selectors.EVENT_READ | selectors.EVENT_WRITE)

    def _send(self) -> None:
        with suppress(BlockingIOError):
            while self._unsent:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]

    def _wait_for(self, events: int) -> None:
        self._selector.modify(self._socket, events, self)

    def answer(self, events: int) -> tuple[bytes, bytes] | None:
        """Go on with what is on its way; the head and the body of the answer, once it is whole."""
        if events & selectors.EVENT_WRITE:
            self._send()
            if not self._unsent:
                self._wait_for(selectors.EVENT_READ)
        if not events & selectors.EVENT_READ:
            return None
        if not (data := self._socket.recv(1 << 16)):
            raise SystemExit(f"the service closed a connection after {self._answer!r}")
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        return (head, body) if end and len(body) >= int(_field(head, b"content-length")) else None

    def close(self) -> None:
        self._selector.unregister(self._socket)
        self._socket.close()


def _field(head: bytes, name: bytes) -> bytes:
    """A field of an answer of the service, which has its names in lower case."""
    return head.partition(b"\r\n" + name + b": ")[2].partition(b"\r\n")[0]


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
        whole = [(head.format(port, len(one)) + kind).encode() + one for one in photos]
        self._requests = itertools.cycle(enumerate(whole))

    def load(self, clients: int, *, seconds: float = 1e9, requests: int = sys.maxsize) -> Load:
        """Send photos for some seconds, or so many of them."""
        load, resting = Load(), list[tuple[float, Client]]()
        with selectors.DefaultSelector() as selector:
            idle = [Client(self._port, selector) for _ in range(clients)]
            every, asking = tuple(idle), 0
            cpu, start = time.thread_time(), time.perf_counter()
            while True:
                now = time.perf_counter()
                idle += [one for until, one in resting if until <= now]
                resting = [one for one in resting if one[0] > now]
                while idle and requests and now < start + seconds:
                    idle.pop().ask(*next(self._requests))
                    asking, requests = asking + 1, requests - 1
                if not asking and (not resting or not requests or now >= start + seconds):
                    break
                wait = min((until - now for until, _ in resting), default=None)
                for key, events in selector.select(wait):
                    if (answer := key.data.answer(events)) is None:
                        continue
                    asking -= 1
                    if rest := self._note(load, key.data, *answer):
                        resting.append((time.perf_counter() + rest, key.data))
                    else:
                        idle.append(key.data)
            load.seconds, load.cpu = time.perf_counter() - start, time.thread_time() - cpu
            for one in every:
                one.close()
        return load

    def _note(self, load: Load, client: Client, head: bytes, body: bytes) -> float:
        """Note an answer; the seconds that the client has to wait now."""
        if head.startswith(b"HTTP/1.1 200 "):
            load.milliseconds.append(1000 * (time.perf_counter() - client.start))
            load.answers.append((client.place, body))
            return 0
        if head.startswith(b"HTTP/1.1 503 "):
            load.refused += 1
            return float(_field(head, b"retry-after"))
        raise SystemExit(f"the service answered {head.decode('latin-1')}")


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
            is_main = one.id == self._process.pid  # others may not tell the system their names
            task = Path(f"/proc/{self._process.pid}/task/{one.id}/comm")
            name = "event loop" if is_main else f"{task.read_text().strip()} {one.id}"
            seconds[name] += one.user_time + one.system_time
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
    server: Server,
    extractor: penult.Extractor,
    paths: list[Path],
    labels: list[str],
    options: argparse.Namespace,
) -> None:
    sender = Sender(server.port, [path.read_bytes() for path in paths])
    extractor(paths[:64])
    sender.load(8, requests=64)
    limits: list[float] = []
    costs: list[float] = []  # milliseconds of a core for an image
    loads: dict[int, list[Load]] = {clients: [] for clients in options.clients}
    shares: dict[int, list[tuple[float, float, float]]] = {n: [] for n in options.clients}

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
        load.require_labels(labels)
        share = load.rate / statistics.mean(limits[-2:])
        cost = statistics.mean(costs[-2:]) / load.milliseconds_of(load.server_cpu)
        shares[clients].append((share, share / load.left, cost))
    print(
        f"\nthe engine's limit, with decoding: {statistics.median(limits):.1f} images/s, "
        f"{statistics.median(costs):.1f} ms of a core an image\n"
    )
    print(
        "| clients | images/s | of the limit | of what clients leave | by CPU | p50, ms | "
        "p99, ms | refused | ms of a core | of the clients |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for clients, rounds in loads.items():
        cells = [
            str(clients),
            f"{statistics.median(one.rate for one in rounds):.1f}",
            *(f"{statistics.median(each):.0%}" for each in zip(*shares[clients], strict=True)),
            f"{statistics.median(one.percentile(50) for one in rounds):.0f}",
            f"{statistics.median(one.percentile(99) for one in rounds):.0f}",
            str(sum(one.refused for one in rounds)),
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
        classifier = penult.train(features, output=scratch / "classes.skops", progress=False)
        paths = sorted(options.folder.rglob("*.jpg"))
        step = max(1, len(paths) // options.images)  # of all classes
        with serving(scratch / "classes.skops", scratch) as server:
            if options.rounds:
                with penult.Extractor(features.recipe) as extractor:
                    sent = paths[::step][: options.images]
                    scores = classifier.predict_features(features)
                    told = classifier.predictions(features.ids, scores)
                    by_id = {one.id: one.label for one in told}
                    labels = [by_id[one.relative_to(options.folder).as_posix()] for one in sent]
                    measure_rates(server, extractor, sent, labels, options)
            if options.requests:
                measure_memory(server, options.requests)


if __name__ == "__main__":
    main()

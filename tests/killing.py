"""Runs that are killed, at any moment or at a chosen step; a program of its own, see `serve`.

The parent imports all that a run needs and forks a child a run, so that thirty runs cost thirty
forks and not thirty imports. It has no thread but its own (and checks that), or forking would not be
sound: the child would inherit the locks of threads that it does not have.
"""

from __future__ import annotations

import gc
import importlib.metadata
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from installed import once_for_each_path

# What a run imports, once for all children.
IMPORTED = [
    "numpy.ma",
    "numpy.random",
    "penult.backbones.torch_cut",
    "penult.engines.torch",
    "penult.extraction",
    "penult.features.changes",
    "penult.images.pixels.fast_resize",
    "penult.images.read",
    "penult.images.sources.open",
]
IMAGES_A_PART = 3
WRITES_A_STEP = 25  # HDF5 writes its caches in many small blocks


def extract(call: dict, steps_to_live: int | None = None) -> int:
    """One run, in the child: end by SIGKILL before a step, or return how many steps there were.

    A step is whatever changes what is on the disk for good: a sync, a rename, a removal, and each
    block of the file that is being put together.
    """
    import penult.errors
    from penult.features.resume import store
    from penult.features.watched_file import WatchedFile

    store.LIMITS = store.Limits(images=IMAGES_A_PART)
    taken = 0.0

    def counted(function, weight=1.0):
        def step(*args, **options):
            nonlocal taken
            if steps_to_live is not None and taken >= steps_to_live:
                os.kill(os.getpid(), signal.SIGKILL)
            taken += weight
            return function(*args, **options)

        return step

    os.fsync = counted(lambda _file: None)  # it is for power cuts, and slow
    for name in ("replace", "unlink", "rmdir"):
        setattr(os, name, counted(getattr(os, name)))
    WatchedFile.write = counted(WatchedFile.write, 1 / WRITES_A_STEP)
    output = Path(call["output"])
    manifest = output.with_name(f"{output.name}.parts") / "run.json"
    nothing_left_to_do = output.exists() and not manifest.exists()
    try:
        run(call)
    except penult.errors.OutputExistsError:
        if not nothing_left_to_do:
            raise
    return round(taken)


def run(call: dict) -> None:
    import penult

    penult.extract(
        call["images"],
        call["output"],
        model="toy:mean-colour",
        engine="torch",
        device="cpu",
        batch_size=1,
        workers=1,
        **call.get("options", {}),
    )


def fork(call: dict, steps_to_live: int | None = None) -> tuple[int, int]:
    """Begin a run in a child: its process id, and a pipe that will say how many steps it took."""
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "forking with threads is not sound"
    receive, send = os.pipe()
    child = os.fork()
    if child:
        os.close(send)
        return child, receive
    try:
        os.write(send, str(extract(call, steps_to_live)).encode())
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def ended(child: int, receive: int) -> int | None:
    """The number of steps of a run that came to its end; None of one that was killed."""
    _, status = os.waitpid(child, 0)
    said = os.read(receive, 100)
    os.close(receive)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return None
    assert os.WEXITSTATUS(status) == 0, "the run failed"
    return int(said)


def is_finished(call: dict) -> bool:
    """Killed when there was nothing left to do."""
    output = Path(call["output"])
    return output.exists() and not output.with_name(f"{output.name}.parts").exists()


def phase(call: dict) -> str:
    """How far a run was when it was killed."""
    parts = Path(call["output"] + ".parts")
    if Path(call["output"]).exists():
        return "tidying up"
    if list(parts.glob(".*.partial")):
        return "putting together"
    return "computing" if list(parts.glob("*.safetensors")) else "beginning"


def at_random(call: dict, kills: int, seed: int) -> dict:
    """Kill runs at random moments until there were enough kills, each chain going on to its end.

    Enough is also that a kill fell into the computing and into the putting together, which on a
    busy machine may take more than `kills`; ten times as many have to do.
    """
    start = time.monotonic()
    ended(*fork({**call, "output": call["output"] + ".clean"}))
    length = time.monotonic() - start
    chosen, phases, outputs = random.Random(seed), [], []
    long_ones = {"computing", "putting together"}
    while len(phases) < kills or not (long_ones <= set(phases) or len(phases) >= 10 * kills):
        one = {**call, "output": f"{call['output']}.{len(outputs)}"}
        outputs.append(one["output"])
        while True:
            child, receive = fork(one)
            time.sleep(chosen.uniform(0, 1.1 * length))
            os.kill(child, signal.SIGKILL)  # a child that has ended is still there to be waited for
            if ended(child, receive) is not None:
                break
            phases.append(phase(one))
            if is_finished(one):
                break
    return {"phases": phases, "outputs": outputs}


def at_every_step(calls: list[dict]) -> list[int]:
    """Kill the n-th run before its n-th step, and let it go on to its end, until one lives through."""
    steps = []
    for n, call in enumerate(calls):
        if ended(*fork(call, n)) is not None:
            return steps
        steps.append(n)
        if not is_finished(call):
            ended(*fork(call))
    raise AssertionError(f"more than {len(calls)} steps")


def run_once() -> None:
    """A run of one image, whose threads have ended when it returns."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "one.png"
        Image.new("RGB", (9, 7)).save(image)
        run({"images": str(image), "output": f"{folder}/f.h5"})


def serve() -> None:
    """Answer requests, one a line: from standard input to standard output."""
    importlib.metadata.version = once_for_each_path(importlib.metadata.version)
    for name in IMPORTED:
        importlib.import_module(name)
    import torch
    from toys import MeanColour

    from penult.backbones.registry import register

    torch.set_num_threads(1)
    register(MeanColour())
    run_once()  # and what is looked up once is known to all children
    gc.freeze()  # or a child that looks for garbage copies all of it
    for line in sys.stdin:
        function, arguments = json.loads(line)
        answer = {"at_random": at_random, "at_every_step": at_every_step}[function](*arguments)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()

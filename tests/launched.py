"""What each process of a launched fine-tuning does: see finetuning/test_processes.py.

As a program, it runs torchrun, whose processes are forked from one that has imported all they need.
"""

from __future__ import annotations

import atexit
import faulthandler
import importlib
import json
import logging
import os
import pkgutil
import socket
import sys
from pathlib import Path

import pytest
import torch
import warm
from normed import NormedNetwork
from torch.distributed.run import main as run_by_torchrun

import penult
import penult.finetuning
from penult.cli import main
from penult.errors import ImageError, PenultError
from penult.finetuning import checkpoint_folder, pixels
from penult.finetuning.losses import Loss

# Five photos a step are three and two; of one photo a step, the second process has none.
OPTIONS = {"model": "normed:network", "epochs": 2, "train_batch_size": 5, "near_duplicates": 1.0}
# What the processes import beside penult.finetuning.
IMPORTED = ["accelerate", "penult.engines.torch", "penult.images.read", "sklearn.linear_model"]
VARIANTS = {
    "changed": {"augment": "light", "class_weight": "balanced", "lr": 0.02, "wise_ft": True},
    "kept": {"augment": "none", "head": "mlp:8", "epochs": 1, "lr": 0.01, "train_batch_size": 1},
}


def tear(patch: pytest.MonkeyPatch) -> None:
    """Have the fifth photo of each class be unreadable in training."""
    read = pixels.read_image

    def torn(record, *args, **options):
        if record.id.endswith("_05.jpg"):
            raise ImageError("is torn")
        return read(record, *args, **options)

    patch.setattr(pixels, "read_image", torn)


def run(photos: Path, output: Path, **options):
    return penult.finetune(photos, output, **{"progress": False, **OPTIONS, **options})


def told(found) -> dict:
    return {
        "epochs": [one.validation_loss for one in found.epochs],
        "failures": sorted(one.id for one in found.failures),
        "stopped": found.stopped,
        "accuracy": found.scores.accuracy,
    }


class Follower:
    """What differs in the process that is not the first."""

    def __init__(self, patch: pytest.MonkeyPatch, number: int) -> None:
        self.patch, self.number = patch, number
        self.total = Loss.total

    def losing(self, total) -> None:
        """Have its loss be another."""
        if self.number == 1:
            self.patch.setattr(Loss, "total", total)

    def with_little_memory(self) -> None:
        def total(loss, logits, truth):
            if len(logits) > 1:
                raise torch.OutOfMemoryError("out of memory")
            return self.total(loss, logits, truth)

        self.losing(total)

    def without_number(self) -> None:
        self.losing(lambda *args: self.total(*args) * float("nan"))

    def failing(self) -> None:
        def total(*_args):
            raise ImageError("daisy/daisy_01.jpg is gone")

        self.losing(total)

    def as_before(self) -> None:
        self.patch.setattr(Loss, "total", self.total)


def work(photos: Path, folder: Path) -> None:
    number = int(os.environ["RANK"])
    patch = pytest.MonkeyPatch()
    patch.setattr(checkpoint_folder, "draw_curves", lambda path, *_: path.write_bytes(b""))
    logged: list[str] = []
    log = logging.getLogger("penult")
    log.addHandler(handler := logging.Handler())
    handler.emit = lambda record: logged.append(record.getMessage())
    follower = Follower(patch, number)
    found, seen = {}, []

    with patch.context() as torn:
        tear(torn)
        follower.with_little_memory()
        options = {**VARIANTS["changed"], "resume": True, "progress": seen.append}
        found["changed"] = told(run(photos, folder / "changed.ckpt", **options))
    follower.as_before()
    found["kept"] = told(run(photos, folder / "kept.ckpt", **VARIANTS["kept"]))
    follower.without_number()
    found["no number"] = told(run(photos, folder / "nan.ckpt"))
    follower.failing()
    for name, options in {"failing": {}, "batch": {"batch_norm": "train"}}.items():
        try:
            run(photos, folder / f"{name}.ckpt", **options)
        except PenultError as error:
            found[name] = f"{type(error).__name__}: {error}"
    follower.as_before()
    found |= {"logged": logged, "stages": sorted({str(one.stage)[:11] for one in seen})}
    (folder / f"{number}.json").write_text(json.dumps(found))
    sys.argv = ["penult", "finetune", str(photos), "-o", str(folder / "typed.ckpt")]
    sys.argv += ["-m", OPTIONS["model"], "--epochs", "1", "--near-duplicates", "1"]
    main()


def work_as_told() -> None:
    """In a process that the launcher started: by its arguments, and ended as Python ends."""
    faulthandler.dump_traceback_later(200, exit=True)  # rather than wait for each other for ever
    try:
        work(*map(Path, sys.argv[1:]))
    finally:
        atexit._run_exitfuncs()


def launch(folder: Path, *arguments: str) -> None:
    """Have torchrun start two processes, each of which is a child of one that is forked here."""
    for module in pkgutil.iter_modules(penult.finetuning.__path__, "penult.finetuning."):
        importlib.import_module(module.name)
    for name in IMPORTED:
        importlib.import_module(name)
    address, client = folder / "socket", folder / "work"
    warm.write_client(client, folder)
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "forking with threads is not sound"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(address))
        server.listen()
        if not os.fork():
            server.settimeout(60)
            for _ in range(2):
                warm.take(server, work_as_told)
            for _ in range(2):
                os.wait()
            os._exit(0)
    run_by_torchrun(
        ["--nproc-per-node", "2", "--standalone", "--no-python", str(client), *arguments]
    )


if __name__ == "__main__":
    from penult.backbones.registry import register

    register(NormedNetwork())
    launch(Path(sys.argv[2]), *sys.argv[1:])

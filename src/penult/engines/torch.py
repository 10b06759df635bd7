"""The reference engine: PyTorch, eager, on a CPU or a GPU."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from queue import LifoQueue
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from penult.backbones.backbone import Backbone
from penult.backbones.forked import torch_in_one_thread
from penult.engines.base import Engine, EngineSettings
from penult.engines.batches import best_batch, in_batches
from penult.engines.row_network import RowNetwork
from penult.errors import EngineError
from penult.interface import option
from penult.recipe import Recipe

__all__ = ["TorchEngine"]

# A network is cut by hooks, which live for one pass: all engines of a backbone take turns.
_passing = WeakKeyDictionary[Backbone, Lock]()


class TorchEngine(Engine):
    """Runs in eval and inference mode, channels last, on the device asked for.

    On a GPU, in float32 (and not TensorFloat-32, which torch takes for convolutions and which
    moves rows by 1e-3), or under autocast where the recipe says so. Two threads take turns in
    handing it work, from pinned memory, so that one's images are copied while the other's are in
    the network.

    Parameters
    ----------
    backbone : Backbone
        One that can be cut as a torch module.
    recipes : sequence of Recipe
        What is to be computed.
    settings : EngineSettings
        The device ``"auto"`` is CUDA where there is one, else the CPU. On a GPU, the batch size is
        by default the one that it is fastest with; what does not fit into its memory is halved.

    Raises
    ------
    EngineError
        If torch does not know the device or cannot reach it.
    """

    name = "torch"

    def __init__(
        self,
        backbone: Backbone,
        recipes: Sequence[Recipe],
        settings: EngineSettings,
    ) -> None:
        torch_in_one_thread()
        self._device = _device(settings.device)
        self.device = str(self._device)
        self.recipes = tuple(recipes)
        self._precision = recipes[0].precision
        self._network = RowNetwork(backbone, recipes).eval().requires_grad_(False)
        self._network.to(self._device).to(memory_format=torch.channels_last)
        self._passing = _passing.setdefault(backbone, Lock())
        self._most: int | None = None
        on_gpu = self._device.type == "cuda"
        self.concurrency = 2 if on_gpu else 1
        self._streams = LifoQueue[torch.cuda.Stream]()
        if on_gpu:
            torch.cuda.synchronize(self._device)  # streams do not wait for the network's way here
            for _ in range(self.concurrency):
                self._streams.put(torch.cuda.Stream(self._device))  # type: ignore[no-untyped-call]
        images = settings.images
        if settings.batch_size is not None:
            self.batch_size = settings.batch_size
        elif on_gpu and (images is None or images > self.batch_size):
            self.batch_size = best_batch(self._rate, start=self.batch_size, most=images)

    def run(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """See `Engine.run`."""
        rows, most = in_batches(self._run, images, self._most, torch.OutOfMemoryError)
        if most < len(images) and most != self._most:
            logging.getLogger("penult").warning(
                "penult: %d images do not fit into the memory of %s; going on with %d at a time",
                len(images),
                self.device,
                most,
            )
            self._most = most
        return rows

    def _run(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        if self._device.type != "cuda":
            torch_in_one_thread()  # an engine that was opened before a fork
            with torch.inference_mode():
                rows = self._pass(torch.from_numpy(images).to(self._device))
            return [np.ascontiguousarray(row.cpu().numpy()) for row in rows]
        # In a stream that no other call is in, so that it waits for no other's copies or kernels.
        # Streams are used again: the memory that torch reserves stays with the stream it was for.
        stream = self._streams.get()
        try:
            with torch.inference_mode(), torch.cuda.stream(stream):
                pinned = torch.from_numpy(images).pin_memory()
                rows = self._pass(pinned.to(self._device, non_blocking=True))
                back = [torch.empty(row.shape, dtype=row.dtype, pin_memory=True) for row in rows]
                for target, row in zip(back, rows, strict=True):
                    target.copy_(row, non_blocking=True)
                stream.synchronize()
        finally:
            self._streams.put(stream)
        # Pinned memory is scarce, and rows are kept.
        return [target.numpy().copy() for target in back]

    def _pass(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        with self._passing, _arithmetic(self._device.type, self._precision):
            rows: tuple[torch.Tensor, ...] = self._network(images)
        return rows

    def _rate(self, images: int) -> float:
        black = np.zeros((images, *self.recipes[0].preprocessing.input_size, 3), np.uint8)
        try:
            self._run(black)  # the first of its size chooses kernels
            start = time.perf_counter()
            self._run(black)
        except torch.OutOfMemoryError:
            return 0.0
        return images / (time.perf_counter() - start)


@contextmanager
def _arithmetic(device: str, precision: str) -> Iterator[None]:
    if device != "cuda":
        yield
        return
    autocast: Any = nullcontext()
    if precision != "float32":
        autocast = torch.autocast("cuda", getattr(torch, precision))
    of_products = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False), autocast:
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = of_products


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    why = _missing(device)
    try:
        if not why:
            torch.zeros(1, device=device).cpu()
    except (RuntimeError, AssertionError) as error:
        # Such as a GPU that another program has to itself: torch says what it is.
        why = str(error).splitlines()[0].partition(". ")[0]
        if "forked subprocess" in why:
            raise EngineError(
                "this process was forked from one that had used the GPU, which a fork cannot; "
                "start processes by multiprocessing.get_context('spawn') or 'forkserver' (in "
                "joblib, by its default, loky), or give the device cpu"
            ) from error
    if why:
        raise EngineError(
            f"the device {name!r} cannot be used: {why}; give {option('device', 'auto')} or cpu"
        )
    return device


def _missing(device: torch.device) -> str:
    """Say what this machine lacks for a device; empty where nothing is known to be missing."""
    if device.type == "mps" and not torch.backends.mps.is_available():
        return "torch finds no Apple GPU here"
    if device.type != "cuda":
        return ""
    if torch.version.cuda is None and torch.version.hip is None:
        return "this torch was built without CUDA"
    count = torch.cuda.device_count()
    if count == 0:
        return "torch finds no NVIDIA GPU here, or no driver for one"
    if (device.index or 0) >= count:
        return f"torch finds GPUs up to cuda:{count - 1} here"
    return ""

"""The reference engine: PyTorch, eager, on a CPU or a GPU."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from queue import LifoQueue
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from penult.backbones.backbone import Backbone
from penult.backbones.forked import torch_in_one_thread
from penult.engines.agreement import check_image, relative_error
from penult.engines.base import TOLERANCE, Engine, EngineSettings
from penult.engines.batches import PreparedSizes, in_batches
from penult.engines.row_network import RowNetwork
from penult.engines.torch_device import by_launcher, find_device, lies_channels_last, memory_errors
from penult.errors import BackboneError, EngineError
from penult.interface import option
from penult.machine import cores
from penult.messages import first_line
from penult.recipe import BackboneRecipe

__all__ = ["TorchEngine"]

# A network is cut by hooks, which live for one pass: all engines of a backbone take turns.
_passing = WeakKeyDictionary[Backbone, Lock]()

# As fast as any larger one, as long as images are decoded on the cores beside the GPU.
_BATCH_ON_GPU = 64


class TorchEngine(Engine):
    """Runs in eval and inference mode, on the device asked for.

    On a GPU, in float32 (and not TensorFloat-32, which torch takes for convolutions and which
    moves rows by 1e-3), or under autocast where the recipe says so. Two threads take turns in
    handing it work, from pinned memory, so that one's images are copied while the other's are in
    the network.

    Parameters
    ----------
    backbone : Backbone
        One that can be cut as a torch module.
    recipes : sequence of BackboneRecipe
        What is to be computed.
    settings : EngineSettings
        The device ``"auto"`` is CUDA where there is one, else the CPU. A batch that does not fit
        into a GPU's memory is halved.

    Raises
    ------
    EngineError
        If torch does not know the device or cannot reach it, or the rows there are not those of
        the CPU to `TOLERANCE`.
    """

    name = "torch"

    def __init__(
        self,
        backbone: Backbone,
        recipes: Sequence[BackboneRecipe],
        settings: EngineSettings,
    ) -> None:
        torch_in_one_thread()
        self._device = find_device(settings.device)
        self.device = settings.device if settings.device != "auto" else self._device.kind
        self.recipes = tuple(recipes)
        self._precision = recipes[0].precision
        self._passing = _passing.setdefault(backbone, Lock())
        on_gpu = self._device.kind != "cpu"
        self.batch_size = settings.batch_size or (_BATCH_ON_GPU if on_gpu else self.batch_size)
        self._most, self._settling = self.batch_size, Lock()
        self._sizes = PreparedSizes(self.batch_size)
        last = lies_channels_last(self._device.kind, self._precision)
        self._network = RowNetwork(backbone, recipes, channels_last=last).eval()
        self._network.requires_grad_(False)
        layout = torch.channels_last if last else torch.contiguous_format
        if not on_gpu:
            if torch.get_num_threads() > cores():  # torch knows nothing of a container's quota
                torch.set_num_threads(cores())
            self._network.to(self._device.place).to(memory_format=layout)
            return
        check = check_image(recipes[0].preprocessing.input_size)[None]
        expected = self._rows_on_cpu(check)
        try:
            with memory_errors():
                self._network.to(self._device.place).to(memory_format=layout)
            if self._device.kind == "cuda":
                torch.cuda.synchronize(self._device.place)  # streams do not wait for its way there
                self.concurrency = 2
                self._streams = LifoQueue[torch.cuda.Stream]()
                for _ in range(self.concurrency):
                    self._streams.put(torch.cuda.Stream(self._device.place))  # type: ignore[no-untyped-call]
            # In the size that comes first, so that nothing is prepared that is not needed.
            first = min(settings.images or self.batch_size, self.batch_size)
            rows = self.run(np.repeat(check, first, axis=0))
        except torch.OutOfMemoryError as error:
            self._network.to("cpu")  # what had fitted
            raise EngineError(
                f"the weights of {backbone.described} do not fit into the memory of {self.device}; "
                f"close what else uses it, or give {option('device', 'cpu')}"
            ) from error
        except EngineError:  # which is a RuntimeError: not even one image fits
            raise
        except (RuntimeError, TypeError, BackboneError) as error:
            # Such as an operation that Apple's GPUs lack, or weights in float64.
            raise EngineError(
                f"{backbone.described} cannot run on {self.device}: {first_line(error)}; give "
                f"{option('device', 'cpu')}"
            ) from error
        self._compare(rows, expected)

    def run(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """See `Engine.run`."""
        rows, most = in_batches(self._run, images, self._most, torch.OutOfMemoryError)
        with self._settling:
            before, self._most = self._most, min(most, self._most)
        # Said once: a batch may fit alone, and no more when another thread has one there, too.
        if most < before == self.batch_size:
            logging.getLogger("penult").warning(
                "penult: %d images do not fit into the memory of %s; going on with at most %d at a "
                "time",
                min(len(images), before),
                self.device,
                most,
            )
        return rows

    def _run(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        if self._device.kind == "cpu":
            torch_in_one_thread()  # an engine that was opened before a fork
            with torch.inference_mode():
                rows = self._pass(torch.from_numpy(images))
            return [np.ascontiguousarray(row.numpy()) for row in rows]
        while True:
            size = self._sizes.to_run(len(images))
            try:
                with memory_errors():
                    return self._run_on_gpu(images, size)
            except torch.OutOfMemoryError:
                self._sizes.drop(size)
                if size == len(images):
                    raise

    def _run_on_gpu(self, images: NDArray[np.uint8], size: int) -> list[NDArray[np.float32]]:
        """Fill up to `size` images, and run them."""
        n_images, on_cuda = len(images), self._device.kind == "cuda"
        shape = (size, *images.shape[1:])
        filled_up = torch.empty(shape, dtype=torch.uint8, pin_memory=on_cuda)
        filled_up[:n_images] = torch.from_numpy(images)
        filled_up[n_images:] = 0
        run = self._run_on_cuda if on_cuda else self._run_on_mps
        # Pinned memory is scarce, and rows are kept.
        return [rows.numpy().copy() for rows in run(filled_up, n_images)]

    def _run_on_cuda(self, images: torch.Tensor, n_rows: int) -> list[torch.Tensor]:
        # In a stream that no other call is in, so that it waits for no other's copies or kernels.
        # Streams are used again: the memory that torch reserves stays with the stream it was for.
        def enqueue(stream: torch.cuda.Stream) -> list[torch.Tensor]:
            with torch.inference_mode(), torch.cuda.stream(stream):
                rows = self._pass(images.to(self._device.place, non_blocking=True))
                back = [
                    torch.empty((n_rows, *row.shape[1:]), dtype=row.dtype, pin_memory=True)
                    for row in rows
                ]
                for target, row in zip(back, rows, strict=True):
                    target.copy_(row[:n_rows], non_blocking=True)
                return back

        stream = self._streams.get()
        try:
            back = by_launcher(partial(enqueue, stream))
            stream.synchronize()
        finally:
            self._streams.put(stream)
        return back

    def _run_on_mps(self, images: torch.Tensor, n_rows: int) -> list[torch.Tensor]:
        def run() -> list[torch.Tensor]:
            with torch.inference_mode():
                return [row.cpu()[:n_rows] for row in self._pass(images.to(self._device.place))]

        return by_launcher(run)

    def _pass(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        with self._passing, _arithmetic(self._device.kind, self._precision):
            rows: tuple[torch.Tensor, ...] = self._network(images)
        return rows

    def _rows_on_cpu(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]] | None:
        """What a GPU has to give, or None where that is not known."""
        places = {tensor.device.type for tensor in self._network.parameters()}
        if self._precision != "float32" or not places <= {"cpu"}:
            return None  # an engine that was compared has taken the network there
        with torch.inference_mode(), self._passing:
            rows = [row.numpy() for row in self._network(torch.from_numpy(images))]
        return rows if all(np.isfinite(row).all() for row in rows) else None

    def _compare(
        self, rows: list[NDArray[np.float32]], expected: list[NDArray[np.float32]] | None
    ) -> None:
        for recipe, row, theirs in zip(self.recipes, rows, expected or rows, strict=True):
            relative = relative_error(row[:1], theirs[:1])
            if expected is not None and not relative <= TOLERANCE:
                raise EngineError(
                    f"the rows of {recipe.layer} on {self.device} differ from the CPU's by "
                    f"{relative:.1e}, more than {TOLERANCE:.0e}; give {option('device', 'cpu')}"
                )


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

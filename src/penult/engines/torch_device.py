"""The devices that torch has, and what differs between them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple, TypeVar

import torch

from penult.errors import BackboneError, EngineError
from penult.interface import option
from penult.messages import first_line

__all__ = [
    "Device",
    "by_launcher",
    "find_device",
    "lies_channels_last",
    "memory_errors",
    "most_allocated",
    "name_of_gpu",
]

_Given = TypeVar("_Given")


class Device(NamedTuple):
    """Where tensors go, and what is there.

    Attributes
    ----------
    place : torch.device
    kind : {"cpu", "cuda", "mps"}
    """

    place: torch.device
    kind: str


def find_device(name: str) -> Device:
    """Find a device by the name a user types, and try it.

    Raises
    ------
    EngineError
        If it is not here, or cannot be used.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if why := _missing(device):
        raise EngineError(
            f"the device {name!r} cannot be used: {why}; give {option('device', 'auto')} or cpu"
        )
    try:
        torch.zeros(1, device=device).cpu()
    except (RuntimeError, AssertionError) as error:
        # Such as a GPU that another program has to itself: torch says what it is.
        why = first_line(error).partition(". ")[0]
        if "forked subprocess" in why:
            raise EngineError(
                "this process was forked from one that had used the GPU, which a fork cannot; "
                "start processes by multiprocessing.get_context('spawn') or 'forkserver' (in "
                f"joblib, by its default, loky), or give {option('device', 'cpu')}"
            ) from error
        # It is here: `auto` would take it, too.
        raise EngineError(
            f"the device {name!r} cannot be used: {why}; give {option('device', 'cpu')}"
        ) from error
    return Device(device, device.type)


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


def lies_channels_last(device: str, precision: str) -> bool:
    """Say whether a network's maps are to lie channels last in memory.

    Not on a GPU in float32: cuDNN's kernels for it are no faster there (of ResNet50, slower by a
    sixth), and those for depthwise convolutions are compiled anew for every shape.

    Parameters
    ----------
    device : {"cpu", "cuda", "mps"}
    precision : {"float32", "float16", "bfloat16"}
    """
    return device == "cpu" or precision != "float32"


def by_launcher(work: Callable[[], _Given]) -> _Given:
    """Run in the one thread that hands GPUs their work.

    The kernels that cuDNN has chosen or compiled for a shape it keeps for the thread that asked:
    for EfficientNet-Lite0 that takes a second and a half. And the switches for TensorFloat-32 are
    the process's.
    """
    return _launcher(os.getpid()).submit(work).result()


@cache
def _launcher(process: int) -> ThreadPoolExecutor:  # a forked child has no thread of its parent's
    return ThreadPoolExecutor(1, thread_name_prefix="gpu")


@contextmanager
def memory_errors() -> Iterator[None]:
    """Give each lack of memory the one type: pinned memory, cuDNN, and Apple's have others."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, BackboneError) as error:
        text = str(error)
        if any(sign in text for sign in ("out of memory", "ALLOC_FAILED", "Invalid buffer size")):
            raise torch.OutOfMemoryError(text) from error
        raise


def most_allocated(device: str) -> int:
    """Bytes of a CUDA GPU's memory that tensors of this process have taken at most."""
    return int(torch.cuda.max_memory_allocated(device))


def name_of_gpu(device: str) -> str:
    """What a CUDA GPU is called."""
    return torch.cuda.get_device_name(device)

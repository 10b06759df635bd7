"""Where a network is trained."""

from __future__ import annotations

import os

from penult.engines.registry import require_device
from penult.engines.torch_device import Device, find_device
from penult.errors import EngineError, UsageError
from penult.finetuning.launched import launched_number, require_numbers
from penult.finetuning.processes import Processes
from penult.interface import option
from penult.messages import first_line
from penult.wording import count

__all__ = ["open_processes"]

_DIVIDING = frozenset({"DEEPSPEED", "FSDP", "MEGATRON_LM"})  # the network itself
_TOLD = ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")  # by every launcher


def open_processes(device: str) -> Processes:
    """Open accelerate for a device, or for those of all processes that a launcher started.

    Of the libraries for that, it is the one whose loop stays the caller's and that brings nothing
    that torch's extra does not have already. Precision is not its business here: what it knows of
    that is the process's, and a second run may want another.

    Parameters
    ----------
    device : str
        As a user types it.

    Raises
    ------
    UsageError
        If the launcher started more processes than there can be here, or one device was given; or
        if what it told is no number.
    EngineError
        If the device is not here, or this process has opened accelerate otherwise before.
    """
    import torch
    from accelerate import Accelerator

    require_device(device)
    require_numbers()
    started = launched_number("WORLD_SIZE", 1)
    if started > 1 and not all(map(os.environ.get, _TOLD)):
        raise _unconnected(started, device)
    own = launched_number("LOCAL_RANK", 0)
    if started > 1 and device != "cpu" and own < torch.cuda.device_count():
        # Or each would take memory of the first GPU, too.
        torch.cuda.set_device(own)  # pragma: no cover - needs a GPU
    found = find_device(device)
    if started > 1:
        _require_devices(found, device, started)
    if found.kind == "cuda" and found.place.index is not None:
        torch.cuda.set_device(found.place)
    try:
        accelerator = Accelerator(cpu=found.kind == "cpu", mixed_precision="no")
    except (ValueError, RuntimeError) as error:  # its state is the process's
        raise EngineError(
            f"accelerate cannot train on {device} here: {first_line(error)}; start another process"
        ) from error
    if accelerator.num_processes != started > 1:
        raise _unconnected(started, device)
    if (kind := accelerator.distributed_type.value) in _DIVIDING:
        raise UsageError(
            f"accelerate launch was asked for {kind}, which divides a network among GPUs; "
            "penult divides the photos: have it divide batches (multi_gpu) instead"
        )
    return Processes(accelerator)


def _unconnected(started: int, device: str) -> UsageError:
    return UsageError(
        f"{started} processes were started (WORLD_SIZE), and they cannot find each other to train "
        f"on {device}; start them by torchrun or accelerate launch, with a GPU for each or "
        f"{option('device', 'cpu')}, or start one, without WORLD_SIZE"
    )


def _require_devices(found: Device, given: str, started: int) -> None:
    """Refuse what several processes cannot share."""
    import torch

    if found.place.index is not None:
        raise UsageError(
            f"{option('device', given)} was given to {started} processes, of which each takes a "
            f"GPU of its own; give {option('device', found.kind)}, or start one process"
        )
    here = launched_number("LOCAL_WORLD_SIZE", 1)
    if found.kind == "cuda" and here > (gpus := torch.cuda.device_count()):
        raise UsageError(
            f"{here} processes were started, and torch finds {count(gpus, 'GPU')} here; start as "
            f"many as there are GPUs"
        )

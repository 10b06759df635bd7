"""Where a network is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.engines.torch_device import find_device
from penult.errors import EngineError
from penult.messages import first_line

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["open_accelerator"]


def open_accelerator(device: str) -> Accelerator:
    """Open accelerate for a device.

    Of the libraries for that, it is the one whose loop stays the caller's and that brings nothing
    that torch's extra does not have already. Precision is not its business here: what it knows of
    that is the process's, and a second run may want another.

    Parameters
    ----------
    device : str
        As a user types it.

    Raises
    ------
    EngineError
        If the device is not here, or this process has opened accelerate otherwise before.
    """
    import torch
    from accelerate import Accelerator

    found = find_device(device)
    if found.kind == "cuda" and found.place.index is not None:
        torch.cuda.set_device(found.place)
    try:
        return Accelerator(cpu=found.kind == "cpu", mixed_precision="no")
    except (ValueError, RuntimeError) as error:  # its state is the process's
        raise EngineError(
            f"accelerate cannot train on {device} here: {first_line(error)}; start another process"
        ) from error

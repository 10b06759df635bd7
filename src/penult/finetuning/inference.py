"""A network run over one batch without gradients, in parts where memory is too small for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from penult.engines.batches import in_batches
from penult.engines.torch_device import memory_errors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["infer"]


def infer(
    run: Callable[[torch.Tensor], torch.Tensor], inputs: torch.Tensor, device: torch.device
) -> NDArray[np.float32]:
    """Run a network over a batch.

    Parameters
    ----------
    run : callable
        What is run, in eval mode, of which no image depends on another.
    inputs : tensor, shape (n, ...)
        On the CPU; one image or more.
    device : torch.device
        Where it is run.

    Returns
    -------
    float32 array, shape (n, ...)

    Raises
    ------
    EngineError
        If not even one image at a time fits into memory.
    """

    def part(images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        with memory_errors(), torch.inference_mode():
            return [run(torch.from_numpy(images).to(device)).float().cpu().numpy()]

    (found,), _ = in_batches(part, inputs.numpy(), len(inputs), torch.OutOfMemoryError)
    return found

"""What a network says of photos in eval mode, and how good that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import EngineError
from penult.finetuning.calibration import fit_temperature, mean_loss
from penult.finetuning.feeds import in_batches
from penult.finetuning.inference import infer
from penult.finetuning.step import arithmetic

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    from penult.finetuning.feeds import Feed
    from penult.finetuning.processes import Processes
    from penult.recipe import Precision

__all__ = ["Evaluation"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """A network that is trained, and what it is fed with.

    Attributes
    ----------
    model : torch.nn.Module
        What turns the feed's batches into logits.
    feed : Feed
    truth : int64 array, shape (N,), or bool array, shape (N, K)
        By row number.
    batch_size : int
    processes : Processes
        Each runs a part of the photos, and all know what the others found.
    precision : {"float32", "bfloat16"}
        Of the forward pass.
    """

    model: nn.Module
    feed: Feed
    truth: NDArray[Any]
    batch_size: int
    processes: Processes
    precision: Precision

    def logits(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Run the network in eval mode.

        Parameters
        ----------
        rows : int64 array
            Row numbers.

        Returns
        -------
        rows : int64 array, shape (n,)
            Those that could be read.
        logits : float32 array, shape (n, K)

        Raises
        ------
        EngineError
            If none could be read, or not even one fits into memory.
        """
        self.model.eval()
        mine = []
        batches = in_batches(self.processes.part(rows), self.batch_size)
        with arithmetic(self.processes.device, self.precision):
            for numbers, inputs in self.feed.batches(batches):
                if len(numbers):
                    mine.append((numbers, infer(self.model, inputs, self.processes.device)))
        found = [one for part in self.processes.gather(mine) for one in part]
        if not found:
            raise EngineError("none of the images can be read any more")
        kept, logits = zip(*found, strict=True)
        return np.concatenate(kept), np.concatenate(logits)

    def score(self, rows: NDArray[np.int64]) -> tuple[float, float]:
        """Give the mean loss, at the temperature that suits it best, and the accuracy."""
        read, logits = self.logits(rows)
        truth = self.truth[read]
        loss = mean_loss(logits, truth, temperature=fit_temperature(logits, truth))
        return loss, float(_is_right(logits, truth).mean())


def _is_right(logits: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.bool_]:
    """Which images are right: in their class; of several labels, all, each cut at 1/2."""
    if truth.ndim == 2:
        return np.asarray(((logits > 0) == truth).all(axis=1))
    return np.asarray(logits.argmax(axis=1) == truth)

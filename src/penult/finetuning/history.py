"""The epochs that a training has been through, and the weights of the best of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from penult.records import FinetuneEpoch

if TYPE_CHECKING:
    import torch

__all__ = ["History"]


@dataclass(kw_only=True, eq=False)
class History:
    """What a training came to so far.

    Attributes
    ----------
    epochs : list of FinetuneEpoch
        All of them, epoch 0, the start, first.
    best : int
        The epoch of least loss on the validation part; 0 for the start.
    learned : dict of str to tensor
        Of that epoch; see `HeadedNetwork.learned`.
    start : dict of str to tensor
        What the training started from.
    stopped : str
        Why it ended before the last epoch, in words; empty where it did not.
    before : list of FinetuneEpoch
        The epochs of the stages before this training, in their order.
    """

    epochs: list[FinetuneEpoch] = field(default_factory=list)
    best: int = 0
    learned: dict[str, torch.Tensor] = field(default_factory=dict)
    start: dict[str, torch.Tensor] = field(default_factory=dict)
    stopped: str = ""
    before: list[FinetuneEpoch] = field(default_factory=list)

    def is_best(self, now: FinetuneEpoch) -> bool:
        """Whether an epoch that is not yet taken down is better than all of them."""
        return not self.epochs or now.validation_loss < self.epochs[self.best].validation_loss

    def add(self, now: FinetuneEpoch, learned: dict[str, torch.Tensor] | None) -> None:
        """Take an epoch down.

        Parameters
        ----------
        now : FinetuneEpoch
        learned : dict of str to tensor or None
            Its weights, if it is the best so far.
        """
        if learned is not None:
            self.best, self.learned = now.epoch, learned
            if not self.epochs:
                self.start = learned
        self.epochs.append(now)

    def state(self) -> dict[str, Any]:
        """Write it as tensors and plain values."""
        return {
            "epochs": [one.to_dict() for one in self.epochs],
            "best": self.best,
            "learned": self.learned,
            "start": self.start,
        }

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Self:
        """Read what `state` wrote."""
        return cls(
            epochs=[FinetuneEpoch(**one) for one in state["epochs"]],
            best=state["best"],
            learned=state["learned"],
            start=state["start"],
        )

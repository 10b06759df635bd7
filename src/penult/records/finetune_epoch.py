"""What one epoch of a fine-tuning came to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from penult.representation import short_repr

__all__ = ["FinetuneEpoch"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class FinetuneEpoch:
    """What one epoch of a fine-tuning came to.

    Attributes
    ----------
    stage : {"head", "fine-tuning"}
        Which training it is of: a head with a hidden layer is trained alone on the rows of the
        frozen network, as is any head where nothing else learns; the other is what comes after it.
    epoch : int
        From 1 in each stage; 0 is what that started from.
    train_loss : float or None
        Mean cross-entropy of the training images while the epoch went on, changed at random where
        they are, in nats; label smoothing and class weights, with which they are learned, are left
        out. None of epoch 0.
    validation_loss : float
        Mean cross-entropy of the validation images, in nats, at the temperature that suits them
        best in that epoch: by it the best epoch is chosen.
    validation_accuracy : float
        Share of the validation images that are right; of several labels, all of them.
    lr : float or None
        Learning rate of the head in the last step; None of epoch 0.
    seconds : float
        That the epoch took, validation included.
    images_per_second : float or None
        In training; None of epoch 0.
    """

    stage: str = "fine-tuning"
    epoch: int
    train_loss: float | None
    validation_loss: float
    validation_accuracy: float
    lr: float | None
    seconds: float
    images_per_second: float | None

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            Its attributes, by their names.
        """
        return asdict(self)

"""What training makes small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from penult.classify.linear.losses import class_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Loss", "loss_weights"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Loss:
    """Cross-entropy of one label an image, or binary cross-entropy of several, as sums.

    Sums, and what they are divided by, so that the gradient of a batch is that of its parts.

    Attributes
    ----------
    smoothing : float
        Share of the truth that is spread evenly over the classes (Szegedy et al., "Rethinking the
        Inception Architecture", CVPR 2016, section 7); of several labels, between yes and no.
    weights : float tensor, or None
        Of each class, (K,); of several labels (2, K), where a label is absent and where it is
        there. None where all count alike.
    """

    smoothing: float
    weights: torch.Tensor | None = None

    def to(self, device: torch.device) -> Loss:
        """The same on a device."""
        weights = None if self.weights is None else self.weights.to(device)
        return Loss(smoothing=self.smoothing, weights=weights)

    @property
    def plain(self) -> Loss:
        """The cross-entropy alone: without smoothing and weights, as photos are validated by it."""
        return Loss(smoothing=0.0)

    def total(self, logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """Sum it over images.

        Parameters
        ----------
        logits : float tensor, shape (n, K)
        truth : int64 tensor, shape (n,), or float tensor, shape (n, K), of 0 and 1
        """
        if truth.ndim == 1:
            return functional.cross_entropy(
                logits.float(),
                truth,
                weight=self.weights,
                label_smoothing=self.smoothing,
                reduction="sum",
            )
        smoothed = truth * (1 - self.smoothing) + self.smoothing / 2
        each = functional.binary_cross_entropy_with_logits(
            logits.float(), smoothed, weight=self._of_labels(truth), reduction="none"
        )
        return each.sum()

    def divisor(self, truth: torch.Tensor) -> float:
        """What the sum over these images is divided by: as many, or the sum of their weights."""
        if truth.ndim == 2:
            weights = self._of_labels(truth)
            return float(truth.numel() if weights is None else weights.sum())
        return float(len(truth) if self.weights is None else self.weights[truth].sum())

    def _of_labels(self, truth: torch.Tensor) -> torch.Tensor | None:
        if self.weights is None:
            return None
        return torch.where(truth > 0.5, self.weights[1], self.weights[0])


def loss_weights(
    labels: NDArray[Any], classes: int, class_weight: str | None
) -> torch.Tensor | None:
    """Weigh the classes of the training photos, as `Loss.weights` has it.

    Parameters
    ----------
    labels : int64 array, shape (n,), or bool array, shape (n, K)
    classes : int
        K; those that no photo has weigh nothing.
    class_weight : {"balanced"} or None

    Returns
    -------
    float tensor, or None
    """
    if class_weight is None:
        return None
    present = np.arange(classes)
    if labels.ndim == 1:
        present, labels = np.unique(labels, return_inverse=True)
    found = np.asarray(class_weights(labels, class_weight))
    weights = np.zeros((*found.shape[:-1], classes), np.float32)
    weights[..., present] = found
    return torch.from_numpy(weights)

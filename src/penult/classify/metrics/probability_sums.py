"""What scores add up of the probabilities of images, so that nobody has to hold all of these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ProbabilitySums"]

_BINS = 15  # of confidence
_TOP = 5
_BLOCK_BYTES = 16 << 20  # of probabilities at a time: there are copies of them


class ProbabilitySums:
    """The scores on probabilities, of images that come a block at a time.

    Parameters
    ----------
    classes : int
        How many there are, K.
    """

    def __init__(self, classes: int) -> None:
        self.images = 0
        self._counts = np.zeros(classes, np.int64)
        self._right = np.zeros(classes)  # of each class, the probabilities of its own images
        self._every = np.zeros(classes)  # and those of all images
        self._losses = 0.0
        self._gaps = np.zeros(_BINS)
        self._in_top = 0

    @classmethod
    def of(cls, truth: NDArray[np.int64], probabilities: NDArray[np.floating[Any]]) -> Self:
        """The sums of some images; the parameters are those of `add`."""
        sums = cls(probabilities.shape[1])
        sums.add(truth, probabilities)
        return sums

    def add(self, truth: NDArray[np.int64], probabilities: NDArray[np.floating[Any]]) -> None:
        """Take further images into account.

        Parameters
        ----------
        truth : int64 array, shape (m,)
            Their classes.
        probabilities : array, shape (m, K)
            Rows summing to one.
        """
        step = max(1, _BLOCK_BYTES // (8 * len(self._counts)))
        for start in range(0, len(truth), step):
            self._add(truth[start : start + step], probabilities[start : start + step])

    def _add(self, truth: NDArray[np.int64], probabilities: NDArray[np.floating[Any]]) -> None:
        classes = len(self._counts)
        right = probabilities[np.arange(len(truth)), truth]
        self.images += len(truth)
        self._counts += np.bincount(truth, minlength=classes)
        self._right += np.bincount(truth, weights=right, minlength=classes)
        self._every += probabilities.sum(axis=0, dtype=np.float64)
        clipped = right.clip(np.finfo(probabilities.dtype).eps)
        self._losses -= float(np.log(clipped).sum(dtype=np.float64))
        confidence = probabilities.max(axis=1).astype(np.float64)
        hits = probabilities.argmax(axis=1) == truth
        # Bins are ((m-1)/M, m/M], as in the paper.
        place = (np.ceil(confidence * _BINS).astype(int) - 1).clip(0, _BINS - 1)
        self._gaps += np.bincount(place, weights=hits - confidence, minlength=_BINS)
        if classes > _TOP:
            best = np.argpartition(-probabilities, _TOP - 1, axis=1)[:, :_TOP]
            self._in_top += int((best == truth[:, None]).any(axis=1).sum())

    @property
    def soft_f1(self) -> float:
        """Macro F1 with probabilities in place of decisions.

        For a class of truth ``y`` in {0, 1} and probability ``p``: ``tp = sum(p y)``,
        ``fp = sum(p (1 - y))``, ``fn = sum((1 - p) y)``, its soft F1 is
        ``2 tp / (2 tp + fp + fn)``, and the result is the mean over the classes that have images
        here. It is the ``macro_soft_f1`` of A. Maiza, "The Unknown Benefits of using a Soft-F1
        Loss in Classification Systems" (2019), as a score instead of a loss.
        """
        # 2 tp + fp + fn = sum(p) + sum(y)
        soft = 2 * self._right / (self._every + self._counts).clip(1e-300)
        return float(soft[self._counts > 0].mean())

    @property
    def log_loss(self) -> float:
        """Mean of ``-log(probability of the true class)`` in nats, clipped as in scikit-learn."""
        return self._losses / self.images

    @property
    def calibration_error(self) -> float:
        """Expected calibration error: how far confidence is from accuracy, in [0, 1].

        The winning probabilities fall into 15 bins of equal width; the mean over bins of
        ``|accuracy - mean confidence|``, weighted by their images (Guo et al., "On Calibration of
        Modern Neural Networks", ICML 2017, equation 3).
        """
        return float(np.abs(self._gaps).sum() / self.images)

    @property
    def top5(self) -> float | None:
        """Share of the images whose class is among the five most probable; None of five classes."""
        return self._in_top / self.images if len(self._counts) > _TOP else None

"""Rows in memory, labels, and how a classifier is to be trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from penult.classify.preparation import Preparation, Step, make_steps
from penult.partition.augmented import read_rows_with_views

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.partition.splits import Fold
    from penult.records import Features

__all__ = ["TrainingData"]


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingData:
    """Rows in memory and how a classifier is to be trained on them.

    Attributes
    ----------
    rows : float32 array, shape (n, D)
        In memory: those of the photos, and then those of their augmented views, if any.
    labels : int64 array, shape (n,), or bool array, shape (n, K)
        Classes; or several labels an image.
    folds : sequence of Fold
        Of each, the places of its training and test rows; empty where nothing is cross-validated.
        Augmented views train with their photo, and are in no test part.
    scale : str
        As in `penult.classify.preparation.make_scaler`.
    seed : int
        Of the classifier.
    class_weight : {"balanced"} or None
        How much the rows of each class count, as in scikit-learn.
    reduce : int or None
        How many numbers rows are reduced to before they are learned from.
    views : int
        How many of the rows, the last ones, are augmented views: they are fitted on, and never
        scored or calibrated on.
    """

    rows: NDArray[np.float32]
    labels: NDArray[Any]
    folds: Sequence[Fold] = ()
    scale: str = "l2"
    seed: int = 0
    class_weight: str | None = None
    reduce: int | None = None
    views: int = 0

    @classmethod
    def read(
        cls,
        features: Features,
        chosen: NDArray[np.int64],
        labels: NDArray[Any],
        *,
        folds: Sequence[Fold] = (),
        **options: Any,
    ) -> Self:
        """Read the rows of some photos and of their augmented views.

        Parameters
        ----------
        features : Features
            The rows, and perhaps the augmented ones.
        chosen : int64 array, shape (p,)
            Row numbers of the photos, ascending.
        labels : array, shape (p,) or (p, K)
            Of each photo.
        folds : sequence of Fold
            Places among the photos.
        **options : Any
            Other attributes.

        Raises
        ------
        TrainingError
            If a row holds a NaN or an infinity; names the ids.
        """
        rows, views = read_rows_with_views(features, chosen)
        return cls(
            rows=rows,
            labels=np.concatenate([labels, labels[views.of]]),
            folds=[(views.beside(train), test) for train, test in folds],
            views=len(views),
            **options,
        )

    @property
    def photos(self) -> int:
        """How many of the rows, the first ones, may be scored."""
        return len(self.rows) - self.views

    def take(self, places: NDArray[np.int64]) -> Self:
        """Some of the rows, without folds; their places ascending."""
        views = int((places >= self.photos).sum())
        rows, labels = self.rows[places], self.labels[places]
        return replace(self, rows=rows, labels=labels, folds=(), views=views)

    def steps(self) -> list[Step]:
        """Build the unfitted steps before the classifier."""
        return make_steps(self.scale, self.reduce, self.rows.shape)

    def prepared(self) -> tuple[Preparation, Self]:
        """Scale and reduce the rows, by what is learned from all of them.

        Returns
        -------
        preparation : Preparation
            To be applied to other rows.
        data : TrainingData
            With the rows as they come out, to be taken as they are.
        """
        preparation, rows = Preparation.fit(self.rows, self.scale, self.reduce)
        return preparation, replace(self, rows=rows, scale="none", reduce=None)

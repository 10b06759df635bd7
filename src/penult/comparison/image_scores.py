"""The scores of each image in each run, of which differences are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from penult.records import RunScores

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PER_IMAGE", "ImageScores"]

PER_IMAGE = ("accuracy", "knn_accuracy", "hit@1", "hit@5", "precision@5")
"""Scores that are means over images, by which networks can be ranked and told apart."""


@dataclass(frozen=True, kw_only=True)
class ImageScores:
    """How rows did on each of N images in each of R runs.

    Attributes
    ----------
    same : mapping of str to float64 array, shape (R, N)
        Name, one of `PER_IMAGE`, to what each image scored; NaN where it was not held out, or could
        not be scored.
    any_label : mapping of str to float64 array, shape (R, N)
        The same where it is enough that one label is right.
    whole : mapping of str to RunScores
        Scores that are no means over images.
    """

    same: Mapping[str, NDArray[np.float64]]
    any_label: Mapping[str, NDArray[np.float64]]
    whole: Mapping[str, RunScores] = field(default_factory=dict)

    @property
    def scores(self) -> dict[str, RunScores]:
        """Of each run, the means over its images, and those that are no means."""
        return {**_means(self.same), **self.whole}

    @property
    def any_label_scores(self) -> dict[str, RunScores]:
        """Of each run, the means where it is enough that one label is right."""
        return _means(self.any_label)


def _means(values: Mapping[str, NDArray[np.float64]]) -> dict[str, RunScores]:
    found = {}
    for name, one in values.items():
        scored = np.isfinite(one)
        sums = np.where(scored, one, 0).sum(axis=1)
        with np.errstate(invalid="ignore"):
            found[name] = RunScores(tuple((sums / scored.sum(axis=1)).tolist()))
    return found

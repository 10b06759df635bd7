"""How far rows of an int8 network are from those in float32, and what that costs a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.classify.kinds.base import TrainingData
from penult.classify.training.grid import expand_grids
from penult.classify.training.search import search
from penult.engines.agreement import cosines
from penult.partition.splits import cross_validation
from penult.quantization.card import LayerCosine, ProbeAccuracy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.recipe import BackboneRecipe
    from penult.records import ImageRecord

__all__ = ["layer_cosine", "probe_accuracy"]

FOLDS = 4
SEEDS = 5


def layer_cosine(
    recipe: BackboneRecipe,
    records: Sequence[ImageRecord],
    float_rows: NDArray[np.float32],
    int8_rows: NDArray[np.float32],
) -> LayerCosine:
    """Compare the rows of one layer, image by image."""
    found = cosines(int8_rows, float_rows)
    lowest = int(found.argmin())
    return LayerCosine(
        layer=recipe.layer,
        pooling=recipe.pooling,
        mean=float(found.mean()),
        lowest=float(found[lowest]),
        lowest_id=records[lowest].id,
    )


def probe_accuracy(
    records: Sequence[ImageRecord],
    recipe: BackboneRecipe,
    float_rows: NDArray[np.float32],
    int8_rows: NDArray[np.float32],
    seed: int,
) -> ProbeAccuracy | None:
    """Of the images with one label, in classes large enough; None where there are not two."""
    labels = np.array([r.labels[0] if len(r.labels) == 1 else "" for r in records])
    names, counts = np.unique(labels, return_counts=True)
    kept = np.isin(labels, [x for x, n in zip(names, counts, strict=True) if x and n >= FOLDS])
    classes, truth = np.unique(labels[kept], return_inverse=True)
    if len(classes) < 2:
        return None
    candidates = expand_grids(["logistic"])
    accuracies: list[list[float]] = [[], []]
    for number in range(seed, seed + SEEDS):
        folds = cross_validation(truth, None, folds=FOLDS, seed=number)
        for found, rows in zip(accuracies, (float_rows, int8_rows), strict=True):
            flat = rows[kept].reshape(len(truth), -1)
            data = TrainingData(rows=flat, labels=truth, folds=folds, scale="l2", seed=number)
            trials = search(data, candidates).trials
            found.append(max(trial.mean for trial in trials))
    return ProbeAccuracy(
        layer=recipe.layer,
        images=len(truth),
        classes=len(classes),
        folds=FOLDS,
        seeds=SEEDS,
        float32=float(np.mean(accuracies[0])),
        int8=float(np.mean(accuracies[1])),
        differences=tuple(b - a for a, b in zip(*accuracies, strict=True)),
    )

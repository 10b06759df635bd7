"""Training takes no more memory than decides whether rows are held, also of many classes."""

import tracemalloc

import numpy as np
import pytest

from penult.classify.kinds.training_data import TrainingData
from penult.classify.linear import basis, logistic_path
from penult.classify.training.search import search
from penult.classify.training.training_set import row_bytes
from penult.partition.splits import cross_validation

WIDTH, CLASSES, ROWS = 8, 50, 1_500


def blobs(rows):
    labels = np.arange(rows) % CLASSES
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(CLASSES, WIDTH))
    return TrainingData(
        rows=(centers[labels] + rng.normal(size=(rows, WIDTH))).astype(np.float32),
        labels=labels,
        folds=cross_validation(labels, None),
        scale="l2",
    )


@pytest.mark.parametrize(
    "candidates", [{"logistic": [{"C": 0.1}]}, {"ridge": [{"alpha": 1.0}]}, {"centroid": [{}]}]
)
def test_training_takes_no_more_than_was_reckoned_for_its_rows(candidates, monkeypatch):
    # What is taken for a block of 20 rows is not a row's; nor are imports. Threads meet by chance.
    monkeypatch.setattr(basis, "BLOCK_BYTES", 20 * 4 * CLASSES)
    monkeypatch.setattr(logistic_path, "cores", lambda: 1)
    search(blobs(3 * CLASSES), candidates)
    data = blobs(ROWS)
    tracemalloc.start()
    try:
        search(data, candidates)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    numbers = 20 * 8  # a row's label and places in the folds, int64, and what blocks take
    assert peak < ROWS * (row_bytes(WIDTH, CLASSES, folds=3) + numbers)

"""Which rows are relevant to which query."""

from __future__ import annotations

import numpy as np
import pytest

from penult.retrieve.evaluation.relevance import LabelSets

pytestmark = pytest.mark.light

CHAIR, SOFA, RED = [1, 0, 0], [0, 1, 0], [0, 0, 1]
RED_CHAIR, RED_SOFA = [1, 0, 1], [0, 1, 1]


def test_rows_of_one_label_are_relevant_to_those_of_the_same():
    labels = LabelSets.from_labels(np.array([0, 1, 1]), 2)
    query, ranked = np.array([1]), np.array([[0, 2]])
    assert labels.same(query, ranked).tolist() == [[False, True]]
    assert labels.jaccard(query, ranked).tolist() == [[0, 1]]
    assert not labels.several


def test_exactly_the_same_labels_are_wanted_and_sharing_some_is_graded():
    rows = [RED_CHAIR, RED_CHAIR, CHAIR, RED_SOFA, SOFA]
    labels = LabelSets.from_targets(np.array(rows, bool))
    query, ranked = np.array([0]), np.array([[1, 2, 3, 4]])
    assert labels.several
    assert labels.same(query, ranked).tolist() == [[True, False, False, False]]
    # Both of two; one of two; one of three; none.
    assert labels.jaccard(query, ranked) == pytest.approx(np.array([[1, 1 / 2, 1 / 3, 0]]))


def test_targets_of_one_label_each_are_not_several():
    assert not LabelSets.from_targets(np.array([CHAIR, SOFA, RED], bool)).several


def test_jaccards_index_is_that_of_scikit_learn():
    from sklearn.metrics import jaccard_score

    targets = np.random.default_rng(0).random((12, 5)) < 0.4
    targets[:, 0] |= ~targets.any(axis=1)
    labels = LabelSets.from_targets(targets)
    every = np.arange(12)
    found = labels.jaccard(every, np.tile(every, (12, 1)))
    expected = [[jaccard_score(one, other) for other in targets] for one in targets]
    np.testing.assert_allclose(found, expected)

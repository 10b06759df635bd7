import numpy as np
import pytest

from penult.partition.sampling import (
    affordable_rows,
    balanced_sample,
    rank_within_class,
    stratified_sample,
)


def test_a_part_has_each_class_as_often_as_the_whole():
    labels = np.repeat([0, 1, 2], [100, 50, 10])
    part = stratified_sample(labels, 32)
    assert np.bincount(labels[part]).tolist() == [20, 10, 2]
    assert (np.diff(part) > 0).all()
    assert stratified_sample(labels, 160).tolist() == list(range(160))


def test_two_of_a_rare_class_are_always_there():
    labels = np.r_[np.zeros(1000, int), [1, 1, 1, 2]]
    assert np.bincount(labels[stratified_sample(labels, 10)]).tolist() == [7, 2, 1]
    assert np.bincount(labels[stratified_sample(labels, 2)]).tolist() == [2, 2, 1]


def test_ranks_count_within_a_class():
    assert rank_within_class(np.array([2, 0, 2, 2, 0])).tolist() == [0, 0, 1, 2, 1]


@pytest.mark.parametrize(("width", "rows"), [(1280, 10_000), (25_088, 5_349)])
def test_longer_rows_are_fewer(width, rows):
    class Given:
        features, augmented = np.empty((0, width)), None

    assert affordable_rows(Given) == rows


def test_a_balanced_sample_has_small_classes_whole_and_as_many_of_each_other():
    labels = np.repeat([0, 1, 2], [100, 3, 50])
    drawn = labels[balanced_sample(labels, 23, seed=1)]
    assert np.bincount(drawn).tolist() == [10, 3, 10]
    assert len(balanced_sample(labels, 1000)) == 153

import numpy as np
import pytest
from map_rows import blobs, features_of
from sklearn.manifold import trustworthiness

from penult.explore.row_map import quality as quality_module
from penult.explore.row_map.quality import kept_neighbors, measure_quality


def measured(full, xy, metric="euclidean"):
    features = features_of(full)
    return measure_quality(features, np.arange(len(full)), np.asarray(xy, np.float32), metric)


def test_quality_of_five_points_is_as_worked_out_by_hand():
    """On a line at 0, 1, 3, 7, 15; on the map the first and the last have changed places.

    k = 2. The two nearest of each, in full: of 0: {1, 3}; 1: {0, 3}; 3: {1, 0}; 7: {3, 1}; 15: {7, 3}.
    On the map, where 0 is at 15 and 15 at 0: of 0: {7, 3}; 1: {15, 3}; 3: {1, 15}; 7: {3, 1};
    15: {1, 3}. Kept are 1 + 1 + 1 + 2 + 1 of 10. Those on the map that are not among the two nearest
    have, in full, ranks: 7 for 0: 3rd, by 1 too far; 15 for 1: 4th, by 2; 15 for 3: 4th, by 2; 1 for
    15: 3rd, by 1. So trustworthiness is 1 - 2 / (5 · 2 · (2 · 5 - 3 · 2 - 1)) · 6 = 1 - 2/30 · 6.
    """
    full = np.array([[0.0], [1], [3], [7], [15]])
    xy = np.zeros((5, 2))
    xy[:, 0] = [15, 1, 3, 7, 0]
    found = measured(full, xy)
    assert found.neighbors == 2
    assert found.kept == pytest.approx(0.6)
    assert found.chance == pytest.approx(2 / 4)
    assert found.trustworthiness == pytest.approx(1 - 2 / 30 * 6)
    assert (found.measured, found.compared) == (5, 5)


def test_trustworthiness_is_scikit_learns_by_cosine_too():
    rng = np.random.default_rng(0)
    full, xy = rng.standard_normal((40, 6)), rng.standard_normal((40, 2)).astype(np.float32)
    found = measured(full, xy, "cosine")
    assert found.trustworthiness == pytest.approx(
        trustworthiness(full, xy, n_neighbors=10, metric="cosine")
    )


def test_kept_neighbors_are_counted_as_a_slow_search_counts_them():
    rng = np.random.default_rng(1)
    full, xy = rng.standard_normal((50, 5)), rng.standard_normal((50, 2))

    def nearest(rows, row):
        away = np.linalg.norm(rows - rows[row], axis=1)
        return {k for k in np.argsort(away) if k != row and sorted(away).index(away[k]) <= 10}

    slow = np.mean([len(nearest(full, k) & nearest(xy, k)) / 10 for k in range(50)])
    assert measured(full, xy).kept == pytest.approx(slow)


def test_the_full_space_itself_as_a_map_keeps_all():
    points = np.random.default_rng(0).random((30, 2)).astype(np.float32)
    near = np.argsort(np.linalg.norm(points[:, None] - points, axis=2), axis=1)[:, 1:6]
    assert kept_neighbors(near, points, np.arange(30)) == 1
    assert kept_neighbors(near[:3], points, np.arange(3)) == 1


def test_of_many_rows_a_sample_is_measured_among_all(monkeypatch):
    features = blobs(6, 11)
    xy = np.asarray(features.features[:, :2] + features.features[:, 2:4] * 3, np.float32)
    rows = np.arange(66)
    every = measure_quality(features, rows, xy, "euclidean")
    monkeypatch.setattr(quality_module, "_MEASURED", 40)
    some = measure_quality(features, rows, xy, "euclidean")
    assert (some.measured, some.compared) == (40, 40)
    assert some.chance == every.chance  # the neighbours are still those among all
    assert some.kept == pytest.approx(every.kept, abs=0.1)


def test_only_rows_on_the_map_are_neighbors():
    full = np.array([[0.0], [0.1], [1], [1.1], [2], [2.1], [3], [3.1]])
    shown = np.array([0, 2, 4, 6, 7])
    xy = np.zeros((5, 2), np.float32)
    xy[:, 0] = full[shown, 0]
    found = measure_quality(features_of(full), shown, xy, "euclidean")
    assert found.kept == 1


def test_three_rows_have_no_quality():
    assert measured(np.eye(3), np.zeros((3, 2))) is None


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_copies_count_once_for_which_of_them_is_nearest_is_chance(metric):
    rng = np.random.default_rng(0)
    full, xy = rng.random((12, 5)), rng.random((12, 2))
    once = measured(full, xy, metric)
    copies = np.r_[np.arange(12), np.full(30, 3)]
    assert measured(full[copies], xy[copies], metric) == once
    two_heaps = np.arange(40) % 2
    assert measured(full[two_heaps], xy[two_heaps], metric) is None


def test_of_long_rows_fewer_are_held(monkeypatch):
    rng = np.random.default_rng(0)
    full, xy = rng.random((60, 5)), rng.random((60, 2))
    every = measured(full, xy)
    monkeypatch.setattr(quality_module, "_SAMPLE_BYTES", 30 * 4 * 5)
    some = measured(full, xy)
    assert (some.measured, some.chance) == (30, every.chance)

"""Scores of clusters: by hand, and as scikit-learn has them."""

import numpy as np
import pytest
from map_rows import features_of
from sklearn import metrics
from sklearn.preprocessing import normalize

import penult
from penult.explore.clustering.agreement import label_counts, measure_agreement
from penult.explore.clustering.means import davies_bouldin, measure_means
from penult.explore.clustering.numbering import by_size
from penult.explore.clustering.silhouette import MOST_ROWS, Silhouettes

pytestmark = pytest.mark.light


def silent(_):
    pass


def drawn(n=40, k=4, width=6):
    rng = np.random.default_rng(1)
    return features_of(rng.standard_normal((n, width))), rng.integers(0, k, n)


def test_clusters_are_numbered_by_size_and_then_by_their_first_row():
    assert by_size(np.array([7, -3, 5, 5, 2, 7, 9])).tolist() == [0, -1, 1, 1, 2, 0, 3]
    assert by_size(np.array([-1, -1])).tolist() == [-1, -1]


def test_means_distances_and_their_index_by_hand():
    # Two clusters on a line: means 1 and 11, both with a mean distance of 1, 10 apart.
    found = measure_means(
        features_of([[0], [2], [50], [10], [12]]), np.array([0, 0, -1, 1, 1]), "euclidean", silent
    )
    assert found.means.tolist() == [[1], [11]]
    np.testing.assert_array_equal(found.distances, [1, 1, np.nan, 1, 1])
    assert davies_bouldin(found) == pytest.approx((1 + 1) / 10)


def test_cosine_scales_rows_to_length_one_and_a_row_of_zeros_is_at_a_right_angle():
    features = features_of([[3, 0], [0, 5], [0, 0]])
    found = measure_means(features, np.array([0, 0, 0]), "cosine", silent)
    np.testing.assert_allclose(found.means, [[1 / 3, 1 / 3]])
    np.testing.assert_allclose(found.distances, [1 - 2**-0.5, 1 - 2**-0.5, 1], atol=1e-6)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_silhouette_and_davies_bouldin_are_those_of_scikit_learn(metric):
    features, given = drawn()
    rows = normalize(features.features) if metric == "cosine" else features.features
    ours = Silhouettes(features, metric).mean(given)
    assert ours == pytest.approx(metrics.silhouette_score(rows, given, metric=metric), abs=1e-5)
    index = davies_bouldin(measure_means(features, given, metric, silent))
    assert index == pytest.approx(metrics.davies_bouldin_score(rows, given), rel=1e-5)


def test_noise_has_no_silhouette_and_is_nobodys_next_cluster():
    features, given = drawn()
    given[::3] = -1
    kept = given >= 0
    places, values = Silhouettes(features, "cosine").of(given)
    assert places.tolist() == np.flatnonzero(kept).tolist()
    theirs = metrics.silhouette_samples(features.features[kept], given[kept], metric="cosine")
    np.testing.assert_allclose(values, theirs, atol=1e-5)


@pytest.mark.parametrize("given", [[0, 0, 0], [0, 1, 2], [-1, -1, -1]])
def test_there_is_no_silhouette_of_one_cluster_or_of_clusters_of_one(given):
    assert Silhouettes(features_of(np.eye(3)), "cosine").mean(np.array(given)) is None


def test_of_many_rows_a_random_part_is_measured_always_the_same():
    rows = np.random.default_rng(0).standard_normal((MOST_ROWS + 500, 2))
    given = (rows[:, 0] > 0).astype(int)
    one, other = (Silhouettes(features_of(rows), "euclidean").of(given) for _ in range(2))
    assert len(one[0]) == MOST_ROWS
    np.testing.assert_array_equal(one[0], other[0])
    near = metrics.silhouette_score(rows, given, sample_size=2000, random_state=0)
    assert one[1].mean() == pytest.approx(near, abs=0.03)


def test_agreement_by_hand():
    # Purity: of a, a, b | b, b and noise of an a, that is 2 + 2 + 1 of 6; the last has no label.
    assignments = np.array([0, 0, 0, 1, 1, -1, 0])
    labels = np.array([0, 0, 1, 1, 1, 0, -1])
    assert label_counts(assignments, labels).tolist() == [[2, 1], [0, 2], [1, 0]]
    found = measure_agreement(assignments, labels)
    assert found.labelled == 6
    assert found.purity == pytest.approx(5 / 6)
    same = measure_agreement(np.array([1, 1, 0, 0]), np.array([0, 0, 1, 1]))
    assert (same.nmi, same.ari, same.purity, same.v_measure) == pytest.approx((1, 1, 1, 1))
    assert measure_agreement(np.array([0, 1]), np.array([-1, -1])) is None


def test_agreement_is_that_of_scikit_learn_and_v_measure_is_nmi():
    _, given = drawn(60)
    truth = np.random.default_rng(2).integers(0, 3, 60)
    found = measure_agreement(given, truth)
    assert found.nmi == pytest.approx(metrics.normalized_mutual_info_score(truth, given))
    assert found.ari == pytest.approx(metrics.adjusted_rand_score(truth, given))
    assert found.v_measure == pytest.approx(metrics.v_measure_score(truth, given))
    assert found.nmi == pytest.approx(found.v_measure)
    assert found.homogeneity == pytest.approx(metrics.homogeneity_score(truth, given))
    assert found.completeness == pytest.approx(metrics.completeness_score(truth, given))


def test_a_medoid_has_the_least_sum_of_cosine_distances():
    features, _ = drawn(30, width=4)
    found = penult.cluster(features, k=3, progress=False)
    away = metrics.pairwise_distances(features.features, metric="cosine")
    for one in found.clusters:
        members = np.flatnonzero(found.assignments == one.number)
        best = members[away[np.ix_(members, members)].sum(axis=1).argmin()]
        assert one.medoid == features.ids[best]
        assert one.size == len(members)

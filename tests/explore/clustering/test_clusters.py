"""Clusters that a method makes, and how many."""

import logging

import numpy as np
import pytest
from map_rows import blobs, features_of
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import normalize

import penult
from penult.errors import TrainingError, UsageError
from penult.explore.clustering import kmeans as kmeans_module
from penult.explore.clustering import make as make_module
from penult.explore.clustering.agglomerative import MergeTree

pytestmark = pytest.mark.light


def cluster(features, **options):
    return penult.cluster(features, progress=False, **options)


def noise(n=50, width=5):
    return features_of(np.random.default_rng(3).standard_normal((n, width)))


@pytest.mark.parametrize("method", ["kmeans", "agglomerative", "hdbscan"])
def test_clusters_of_very_small_numbers_are_those_of_the_same_numbers_larger(method):
    rows = noise().features
    options = {"method": method, "metric": "euclidean"}
    found = cluster(features_of(rows), **options)
    tiny = cluster(features_of(np.ldexp(rows, -100)), **options)
    assert tiny.assignments.tolist() == found.assignments.tolist()
    assert tiny.silhouette == found.silhouette


@pytest.mark.parametrize("method", ["kmeans", "agglomerative"])
def test_of_separated_blobs_as_many_clusters_are_chosen_as_there_are_blobs(method):
    features = blobs(5, of=8)
    found = cluster(features, method=method, k="2:9")
    assert found.k == 5
    assert [one.k for one in found.curve] == [*range(2, 10)]
    best = max(found.curve, key=lambda one: one.silhouette)
    assert (best.k, best.silhouette) == (5, found.silhouette)
    assert (found.agreement.nmi, found.agreement.purity) == pytest.approx((1, 1))
    assert {one.name for one in found.clusters} == {f"blob {k} (100%)" for k in range(5)}
    assert "number of clusters chosen from 2 to 9 by the highest silhouette: 5" in found.choice_line


def test_without_a_number_two_to_thirty_are_tried_as_far_as_there_are_rows():
    curve = cluster(blobs(3, of=3)).curve
    assert [one.k for one in curve] == [*range(2, 9)]
    assert cluster(features_of(np.eye(2))).k == 2


@pytest.mark.parametrize("k", ["2:5", (2, 5), [2, 5], range(2, 6), np.array([2, 3, 4, 5])])
def test_a_range_is_a_text_a_pair_or_python_s_own(k):
    found = penult.cluster(blobs(3, 8), k=k, progress=False)
    assert [one.k for one in found.curve] == [2, 3, 4, 5]


@pytest.mark.parametrize("k", [(2,), range(2, 12, 3), (2, 9, 4)])
def test_numbers_that_are_no_range_are_refused(k):
    with pytest.raises(UsageError, match=r"the ends of a range to choose from, \(2, 30\)"):
        penult.cluster(blobs(3, 8), k=k, progress=False)


def test_where_the_best_is_the_last_that_was_tried_it_is_said():
    more = "; it is the highest number that was tried, and more may be better"
    assert cluster(blobs(5, of=4), k="2:4").choice_line.endswith(more)
    assert more not in cluster(blobs(5, of=4), k="2:6").choice_line
    assert more not in cluster(features_of(np.eye(3)), k=None).choice_line
    assert cluster(blobs(2, of=4), k=2).choice_line == ""


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_methods_are_those_of_scikit_learn(metric):
    features = noise()
    rows = features.features if metric == "euclidean" else normalize(features.features)
    made = {
        "kmeans": KMeans(4, n_init=10, random_state=0),
        "agglomerative": AgglomerativeClustering(4),
        "hdbscan": HDBSCAN(min_cluster_size=3, copy=True),
    }
    for method, theirs in made.items():
        options = {"min_cluster_size": 3} if method == "hdbscan" else {"k": 4}
        ours = cluster(features, method=method, metric=metric, **options)
        # Of as few dimensions, principal components are the rows turned.
        assert adjusted_rand_score(theirs.fit_predict(rows), ours.assignments) == 1, method


def test_a_tree_is_cut_as_scikit_learn_cuts_it():
    rows = noise().features
    tree = MergeTree(rows)
    for k in (1, 2, 7, 49, 50):
        theirs = AgglomerativeClustering(k).fit_predict(rows)
        assert adjusted_rand_score(theirs, tree.cut(k)) == 1, k


def test_rows_between_dense_ones_are_noise():
    rng = np.random.default_rng(0)
    dense = [10 * np.eye(3)[k % 2] + 0.01 * rng.standard_normal(3) for k in range(20)]
    features = features_of([*dense, [50, 50, 50], [-70, 20, 90]])
    found = cluster(features, method="hdbscan", metric="euclidean")
    assert found.k == 2
    assert found.assignments[-2:].tolist() == [-1, -1]
    assert np.isnan(found.distances[-2:]).all()
    assert found.noise == 2
    assert "2 rows (9.1%) are noise" in found.quality_line
    assert found.silhouette_rows == 20


def test_where_all_is_noise_there_is_no_cluster_and_no_score():
    features = features_of(100 * np.eye(8), [0] * 8, names=["a"])
    found = cluster(features, method="hdbscan", min_cluster_size=8)
    assert (found.k, found.noise) == (0, 8)
    assert found.silhouette is None
    assert found.davies_bouldin is None
    assert found.to_dict()["sizes"] == []


def test_one_cluster_has_all_rows_and_a_cluster_a_row_has_no_score():
    features = blobs(2, of=3)
    one = cluster(features, k=1)
    assert one.assignments.tolist() == [0] * 6
    assert one.silhouette is None
    assert one.davies_bouldin is None
    assert one.clusters[0].share == pytest.approx(0.5)
    each = cluster(features, k=6)
    assert each.assignments.tolist() == [0, 1, 2, 3, 4, 5]
    assert each.silhouette is None
    assert each.davies_bouldin is None


def test_fewer_clusters_are_left_where_fewer_rows_differ_and_that_is_said(caplog):
    features = features_of([[1, 0], [0, 1]] * 3)
    with caplog.at_level(logging.WARNING, "penult"):
        assert cluster(features, k=4).k == 2
    assert "2 clusters of the 4 asked for are left: no more rows differ" in caplog.text


def test_a_seed_gives_the_same_clusters_and_another_may_not():
    features = noise(80)
    first, again, other = (cluster(features, k=9, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.assignments, again.assignments)
    assert (first.assignments != other.assignments).any()


def test_of_very_many_rows_means_are_moved_by_a_part_at_a_time(monkeypatch):
    features = blobs(4, of=30)
    monkeypatch.setattr(kmeans_module, "LARGE", 100)
    monkeypatch.setattr("sklearn.cluster.KMeans.fit", None)
    assert cluster(features, k=4).agreement.ari == 1


def test_rows_that_are_read_block_by_block_give_the_same(monkeypatch):
    features = noise()
    whole = cluster(features, k=4)
    monkeypatch.setattr("penult.partition.rows.read_blocks.__kwdefaults__", {"block_bytes": 60})
    parts = cluster(features, k=4)
    np.testing.assert_array_equal(whole.assignments, parts.assignments)
    np.testing.assert_allclose(whole.distances, parts.distances, atol=1e-6)
    assert whole.davies_bouldin == pytest.approx(parts.davies_bouldin)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 13}, "k is 13; allowed for 12 rows: 1 to 12"),
        ({"k": 0}, "k is 0; allowed for 12 rows: 1 to 12"),
        ({"k": "2:12"}, "k is 2:12; allowed for 12 rows: a lower end of 2 or more and a higher"),
        ({"k": "1:4"}, "k is 1:4; allowed"),
        ({"k": "6:4"}, "k is 6:4; the lower end comes first; give k='4:6'"),
        ({"k": (4, 4)}, "k is 4:4; that is one number of clusters; give k=4"),
        ({"k": "many"}, "k is 'many'; give how many clusters, 10, or the ends of a range"),
        ({"k": 3, "method": "hdbscan"}, "finds how many clusters there are, and takes no k"),
        ({"min_cluster_size": 3}, "min_cluster_size is for method='hdbscan'"),
        (
            {"method": "hdbscan", "min_cluster_size": 13},
            "min_cluster_size is 13; allowed for 12 rows: 2 to 12",
        ),
        ({"seed": -1}, "seed is -1; give a whole number from 0 to"),
        ({"copy_mode": "symlink"}, "copy_mode='symlink' is about photos that are sorted"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(options, message):
    with pytest.raises(UsageError, match=r"^[^\n]*$") as error:
        cluster(blobs(3, of=4), **options)
    assert message in str(error.value)


def test_too_few_and_too_many_rows_are_refused(monkeypatch):
    with pytest.raises(UsageError, match="1 row cannot be clustered"):
        cluster(features_of([[1, 2]]))
    monkeypatch.setattr(make_module, "MOST_ROWS", {"agglomerative": 11})
    with pytest.raises(UsageError, match=r"takes 11 rows at most.* and these are 12; give method"):
        cluster(blobs(3, of=4), method="agglomerative", k=2)


def test_rows_that_are_no_numbers_or_all_the_same_are_refused():
    with pytest.raises(TrainingError, match=r"1 row with NaN or infinite numbers: 1\.jpg"):
        cluster(features_of([[1, 0], [np.nan, 1], [0, 1]]), k=2)
    with pytest.raises(TrainingError, match="the same"):
        cluster(features_of([[1, 0]] * 4), k=2)


def test_a_clustering_shows_itself_in_short_and_as_a_table():
    found = cluster(blobs(3, of=4), k=3)
    assert repr(found).startswith("Clustering(3 clusters, of 12 rows, k-means, layer penultimate,")
    assert repr(found).endswith("NMI 1.00, ARI 1.00)")
    assert "<b>Clustering</b>" in found._repr_html_()
    assert "blob 1 (100%)" in found._repr_html_()
    told = found.to_dict()
    expected = {"k", "silhouette", "davies_bouldin", "nmi", "ari", "purity", "sizes"}
    assert expected <= told.keys()
    assert told["sizes"] == [4, 4, 4]


@pytest.mark.needs("pandas")
def test_a_clustering_is_a_dataframe():
    frame = cluster(blobs(3, of=4), k=3).to_dataframe()
    assert frame.columns.tolist() == ["id", "cluster", "distance"]
    assert frame["cluster"].tolist() == [0, 1, 2] * 4


def test_labels_of_which_a_row_has_several_do_not_count():
    targets = np.array([[True, False]] * 2 + [[True, True]] + [[False, True]] * 3)
    features = features_of(
        np.eye(2)[[0, 0, 0, 1, 1, 1]] + 0.01 * np.random.default_rng(0).random((6, 2)),
        [0, 0, -1, 1, 1, 1],
        names=["a", "b"],
        targets=targets,
    )
    found = cluster(features, k=2)
    assert found.agreement.labelled == 5
    assert sorted((one.label, one.labelled) for one in found.clusters) == [("a", 2), ("b", 3)]

"""Rows far from others, and local outliers: values by hand, and scikit-learn's."""

import numpy as np
import pytest
from map_rows import blobs, features_of
from scipy.stats import percentileofscore

import penult
from penult.errors import SearchError, UsageError
from penult.explore.outliers import search
from penult.explore.outliers.ranking import percentiles_of, upper_fence

pytestmark = pytest.mark.light


def judged(features, **options):
    options = {"metric": "euclidean", "pictures": False, "progress": False, **options}
    return penult.outliers(features, **options)


def on_a_line(*values, **more):
    return features_of([[value] for value in values], **more)


def test_the_distance_of_a_point_on_a_line_is_the_mean_to_its_nearest():
    # Of 0: 1 and 3; of 1: 1 and 2; of 3: 2 and 3; of 10: 7 and 9.
    found = judged(on_a_line(0, 1, 3, 10), k=2)
    np.testing.assert_allclose(found.distances, [2, 1.5, 2.5, 8])
    np.testing.assert_array_equal(found.distance_percentiles, [25, 0, 50, 75])
    assert found.neighbors.tolist() == [[1, 2, -1], [0, 2, -1], [1, 0, -1], [2, 1, -1]]
    assert next(iter(found)).id == "3.jpg"


def test_the_local_outlier_factor_is_worked_out_by_hand():
    # k = 1. Nearest: 0 -> 1, 1 -> 0, 3 -> 1; distances to them 1, 1, 2. The reachability of 3 from
    # 1 is 2, and densities are 1, 1 and 1/2.
    found = judged(on_a_line(0, 1, 3), k=1)
    np.testing.assert_allclose(found.lof, [1, 1, 2])
    np.testing.assert_allclose(found.lof_percentiles, [0, 0, 200 / 3])


@pytest.mark.parametrize("unit", [1e-30, 1e-9, 1e30])
def test_the_factor_has_no_unit(unit):
    np.testing.assert_allclose(judged(on_a_line(0, unit, 3 * unit), k=1).lof, [1, 1, 2], rtol=1e-5)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_factors_are_those_of_a_search_by_scikit_learn(metric):
    from sklearn.neighbors import LocalOutlierFactor

    rows = np.random.default_rng(1).standard_normal((80, 5)).astype(np.float32)
    found = judged(features_of(rows), k=7, metric=metric)
    theirs = LocalOutlierFactor(n_neighbors=7, metric=metric).fit(rows.astype(float))
    np.testing.assert_allclose(found.lof, -theirs.negative_outlier_factor_, rtol=1e-5)
    away, near = theirs.kneighbors()
    np.testing.assert_allclose(found.distances, away.mean(axis=1), atol=1e-6)
    assert (found.neighbors == near[:, :3]).all()


def test_rows_outside_the_training_part_are_compared_with_it_and_its_own_with_the_others():
    from sklearn.neighbors import LocalOutlierFactor

    rows = np.random.default_rng(2).standard_normal((60, 4)).astype(np.float32)
    rows[50] = 30
    train = np.arange(60) < 40
    splits = ["train" if one else "test" for one in train]
    found = judged(features_of(rows, splits=splits), k=5, reference="train")
    theirs = LocalOutlierFactor(n_neighbors=5, novelty=True).fit(rows[train].astype(float))
    np.testing.assert_allclose(found.lof[train], -theirs.negative_outlier_factor_, rtol=1e-5)
    np.testing.assert_allclose(
        found.lof[~train], -theirs.score_samples(rows[~train].astype(float)), rtol=1e-5
    )
    assert set(found.neighbors.ravel()) <= set(range(40))
    assert found.distance_percentiles[50] == found.lof_percentiles[50] == 100
    assert found.reasons[50] == ("knn_distance", "lof")
    assert next(iter(found)).id == "50.jpg"
    assert [one.rows for one in found.references] == [40]


def test_a_row_of_the_wrong_class_is_far_from_its_class_alone():
    features = blobs(3, of=14, width=6)
    features.labels[4] = 0  # it lies in blob 1
    by_class, by_all = judged(features), judged(features, reference="all")
    assert by_class.reference == "class"  # as there are labels
    assert by_class.k == 10
    assert next(iter(by_class)).id == "4.jpg"
    assert by_class.reasons[4] == ("knn_distance", "lof")
    assert [one.name for one in by_class.references] == ["blob 0", "blob 1", "blob 2"]
    assert [one.rows for one in by_class.references] == [15, 13, 14]
    assert by_all.reasons[4] == ()
    # What a class is compared with is the class by itself.
    own = np.flatnonzero(features.labels == 2)
    alone = judged(features_of(np.asarray(features.features)[own]), k=10)
    np.testing.assert_allclose(by_class.distances[own], alone.distances)
    np.testing.assert_allclose(by_class.lof[own], alone.lof)
    np.testing.assert_array_equal(by_class.lof_percentiles[own], alone.lof_percentiles)
    assert (by_class.neighbors[own] == own[alone.neighbors]).all()


def test_copies_count_once_and_each_has_what_the_others_have():
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((30, 4))
    copied = np.concatenate([rows, np.repeat(rows[:1], 20, axis=0), rows[5:6]])
    found, alone = judged(features_of(copied), k=5), judged(features_of(rows), k=5)
    np.testing.assert_array_equal(found.lof[:30], alone.lof)
    assert (found.lof[30:50] == alone.lof[0]).all()
    assert found.lof[50] == alone.lof[5]
    assert (found.distance_percentiles[:30] == alone.distance_percentiles).all()
    assert found.lof.max() < 10


def test_a_test_row_equal_to_a_training_row_is_what_that_one_is():
    values = (0, 1, 3, 7, 3)
    found = judged(on_a_line(*values, splits=[*["train"] * 4, "test"]), k=1, reference="train")
    assert found.distances.tolist() == [1, 1, 2, 4, 2]
    assert found.neighbors[4, 0] == found.neighbors[2, 0] == 1


def test_rows_without_a_class_or_in_a_small_one_are_told_and_not_compared():
    features = on_a_line(
        *(0, 1, 2, 3, 4, 5, 6), *(100, 101), 50, labels=[0] * 7 + [1] * 2 + [-1], names=("a", "b")
    )
    found = judged(features, k=3)
    assert np.flatnonzero(np.isnan(found.percentiles)).tolist() == [7, 8, 9]
    assert found.not_compared == {
        "without one label": 1,
        "in 1 class of 3 different rows or fewer": 2,
    }
    told = "not compared: 1 row without one label; 2 rows in 1 class of 3 different rows or fewer"
    assert found.not_compared_line == told
    assert [one.percentile for one in found][-3:] == [None] * 3
    assert next(iter(found)).to_dict()["percentile"] is not None
    assert found.at(9).to_dict()["lof"] is None


def test_a_row_of_zeros_has_no_cosine_and_is_a_point_for_the_other_metric():
    rows = [[1, 0], [1, 0.1], [0, 1], [0, 0], [0, 0]]
    by_cosine = judged(features_of(rows), k=1, metric="cosine")
    assert np.isnan(by_cosine.lof).tolist() == [False] * 3 + [True] * 2
    assert by_cosine.not_compared == {"of zeros, which has no cosine": 2}
    found = judged(features_of(rows), k=1)
    assert found.distances[3] == found.distances[4] == 1


def test_few_labels_are_no_classes():
    features = blobs(3, of=14)
    features.labels[10:] = -1
    assert judged(features).reference == "all"
    assert judged(blobs(6, of=5)).reference == "all"


def test_few_rows_of_a_clean_set_are_unusual():
    rng = np.random.default_rng(5)
    found = judged(features_of(rng.standard_normal((2000, 8))), metric="euclidean")
    assert 0 < len(found.unusual) < 30
    assert {one for reasons in found.reasons for one in reasons} <= {"knn_distance", "lof"}


def test_percentiles_are_scipys_and_the_fence_is_of_quartiles():
    reference = np.array([4.0, 1, 3, 2, 3])
    values = [0.0, 1, 3, 4, 5]
    theirs = [percentileofscore(reference, one, kind="strict") for one in values]
    np.testing.assert_allclose(percentiles_of(np.array(values), reference), theirs)
    assert theirs == [0, 0, 40, 80, 100]
    assert upper_fence(np.array([0.0, 1, 2, 3, 4])) == 3 + 3 * 2


def test_rows_are_read_in_parts_and_the_result_is_the_same(tmp_path, monkeypatch):
    from feature_files import record, write

    rng = np.random.default_rng(6)
    rows = rng.standard_normal((90, 6)).astype(np.float32)
    records = [record(f"{k:02}.jpg", "abc"[k % 3]) for k in range(90)]
    features = penult.load(write(tmp_path / "f.h5", records, [rows]))
    whole = [judged(features, reference=one) for one in ("class", "all")]
    monkeypatch.setattr(search, "_QUERIES", 7)
    for most in (30, 70):  # a class at a time where it lies, or two in memory
        monkeypatch.setattr(search, "_BYTES", 4 * 6 * most - 1 + (most > 30))
        for before, reference in zip(whole, ("class", "all"), strict=True):
            now = judged(features, reference=reference)
            np.testing.assert_array_equal(now.lof, before.lof)
            np.testing.assert_array_equal(now.neighbors, before.neighbors)


def test_rows_of_feature_maps_are_flattened():
    rows = np.random.default_rng(7).standard_normal((12, 3, 2, 2))
    flat = judged(features_of(rows.reshape(12, 12)), k=3)
    np.testing.assert_array_equal(judged(features_of(rows), k=3).lof, flat.lof)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k is 0; give 1 or more"),
        ({"k": 4}, "k is 4, and there are 4 different rows; give 3 or less"),
        ({"reference": "class"}, "needs rows that have one label, and none has"),
        ({"reference": "train"}, "needs rows of a training part, and the features name none"),
    ],
)
def test_what_cannot_be_compared_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        judged(on_a_line(0, 1, 3, 10, 10), **options)


def test_classes_smaller_than_k_are_refused_with_the_largest():
    features = on_a_line(0, 1, 3, 10, labels=[0, 0, 0, 1], names=("a", "b"))
    message = (
        "k is 3, and the largest class has 3 different rows; give 2 or less, or reference='all'"
    )
    with pytest.raises(UsageError, match=message):
        judged(features, k=3, reference="class")
    with pytest.raises(UsageError, match="there is 1 different row, so there is nothing"):
        judged(on_a_line(1, 1))


def test_rows_that_are_not_finite_are_named():
    with pytest.raises(SearchError, match=r"1\.jpg"):
        judged(on_a_line(0, np.nan, 3))


@pytest.mark.needs("pandas")
def test_rows_are_a_table_of_pandas_the_most_unusual_first():
    labels = [0, 0, 0, 0, -1]
    found = judged(on_a_line(0, 1, 3, 10, 4, labels=labels, names=("a",)), k=2, reference="class")
    frame = found.to_dataframe()
    assert [*frame.columns[:4]] == ["id", "label", "reasons", "percentile"]
    assert frame["id"].tolist() == [one.id for one in found]
    assert frame["id"].iloc[0] == "3.jpg"
    assert frame["lof"].isna().tolist() == [False] * 4 + [True]
    assert frame["label"].isna().tolist() == [False] * 4 + [True]

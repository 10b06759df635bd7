"""Augmented rows train together with their photo, and are in nothing else."""

import h5py
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.svm import LinearSVC

import penult
from penult.classify.diagnosis.label_errors import find_label_issues
from penult.classify.diagnosis.learning_curve import learning_curve
from penult.classify.kinds.base import TrainingData
from penult.classify.kinds.registry import all_kinds, find_kind
from penult.classify.loading import load_classifier
from penult.classify.training.train import train
from penult.errors import TrainingError, UsageError
from penult.partition.augmented import AugmentedViews
from penult.partition.splits import cross_validation
from penult.recipe import AugmentedRecipe
from penult.records import AugmentedRows

COUNTS = {"daisy": 40, "rose": 40}
QUICK = {"C": [10], "alpha": [0.01], "n_neighbors": [1], "max_features": ["sqrt"]}
# Rows of 6 numbers, and of 60: what they and their copies need.
LITTLE = {6: 10_000, 60: 200_000}
WAYS = [
    pytest.param(kind.name, on_disk, id=f"{kind.name}, {'on disk' if on_disk else 'in memory'}")
    for kind in all_kinds()
    for on_disk in (False, True)[: 1 + kind.streams]
]  # fmt: skip


def quick(kind):
    return {k: v for k, v in QUICK.items() if k in find_kind(kind).grid}


def with_views(features, rows, of, **fields):
    of = np.asarray(of, np.int64)
    view = np.ones(len(of), np.int64)
    augmented = AugmentedRows(
        features=np.asarray(rows, np.float32),
        of=of,
        view=view,
        recipe=AugmentedRecipe(features.recipe, "light", 0),
    )
    return type(features)(**{**vars(features), "augmented": augmented, **fields})


def without_views(features):
    return type(features)(**{**vars(features), "augmented": None})


def giving_away(make_features, **fields):
    """Rows that say nothing of their class, and of each photo a view that is the same row."""
    rows = np.random.default_rng(1).normal(size=(80, 60)).astype(np.float32)
    features = make_features(COUNTS, features=rows, **fields)
    return with_views(features, rows, np.arange(80))


def only_views_tell(make_features, **fields):
    """Photos that train, told apart by columns 0 and 1, and are held out, by 2 and 3, as views are."""
    splits = (["train"] * 20 + ["test"] * 20) * 2
    features = make_features(COUNTS, splits=splits, **fields)
    seen = np.flatnonzero(np.array(splits) == "train")
    features.features[:, 2:] = 0
    views = np.roll(features.features, 2, axis=1)
    features.features[~np.isin(np.arange(80), seen)] = views[~np.isin(np.arange(80), seen)]
    return with_views(features, views[seen], seen)


@pytest.mark.parametrize(("kind", "on_disk"), WAYS)
def test_a_view_of_a_photo_that_is_scored_gives_nothing_away(make_features, kind, on_disk):
    features = giving_away(make_features)
    found = train(
        features,
        classifier=kind,
        grid=quick(kind) or None,
        max_memory=LITTLE[60] if on_disk else None,
    )
    assert found.scores.accuracy < 0.8
    assert max(trial.mean for trial in found.settings.grid) < 0.7
    # Nor does it make the probabilities surer than they are right.
    if kind != "knn":
        assert found.scores.log_loss < 3 * np.log(2)


@pytest.mark.parametrize(("kind", "on_disk"), WAYS)
def test_views_of_the_photos_that_train_are_learned_from(make_features, kind, on_disk):
    features = only_views_tell(make_features)
    options = {
        "classifier": kind,
        "grid": quick(kind) or None,
        "max_memory": LITTLE[6] if on_disk else None,
    }
    assert train(features, **options).scores.accuracy == 1
    without = without_views(features)
    assert train(without, **options).scores.accuracy < 0.8


@pytest.mark.parametrize("kind", [kind.name for kind in all_kinds() if kind.multilabel])
def test_so_it_is_where_images_have_several_labels(make_features, kind):
    options = {"classifier": kind, "grid": quick(kind) or None}
    targets = np.eye(2, dtype=bool)[np.arange(80) // 40]
    targets[::7] = True
    found = train(giving_away(make_features, targets=targets), **options)
    assert max(trial.mean for trial in found.settings.grid) < 0.85  # a label is on 4 of 7
    features = only_views_tell(make_features, targets=np.eye(2, dtype=bool)[np.arange(80) // 40])
    assert train(features, **options).scores.mean_average_precision == 1


@pytest.mark.parametrize("memory", [None, LITTLE[6]])
def test_every_fit_has_the_rows_of_photos_and_views_and_no_other(make_features, memory):
    # The nearest mean of rows as they are, so that it can be worked out by hand.
    splits = (["train"] * 20 + ["test"] * 20) * 2
    features = make_features(COUNTS, splits=splits, noise=2)
    of = np.repeat([3, 0, 45, 70], 5)
    rows = np.random.default_rng(2).normal(size=(20, 6))
    features = with_views(features, rows, of)
    options = {"classifier": "centroid", "scale": "none", "max_memory": memory}
    for refit in (False, True):
        found = train(features, refit=refit, **options)
        seen = np.flatnonzero((np.array(splits) == "train") | refit)
        mine = np.isin(of, seen)
        means = [
            np.concatenate(
                [
                    features.features[seen][features.labels[seen] == k],
                    rows[mine][features.labels[of[mine]] == k],
                ]
            ).mean(axis=0)
            for k in (0, 1)
        ]
        expected = 2 * (means[1] - means[0])
        direction = found.pipeline[-1].coef_[0]
        np.testing.assert_allclose(
            direction / np.linalg.norm(direction), expected / np.linalg.norm(expected), atol=1e-5
        )
        assert found.settings.train_images == len(seen)
        assert found.settings.augmented == mine.sum() == (20 if refit else 15)


THEIRS = {
    "logistic": LogisticRegression(C=10, tol=1e-8, max_iter=10_000),
    "svm": LinearSVC(C=10, max_iter=100_000),
    "ridge": RidgeClassifier(alpha=0.01),
    "knn": KNeighborsClassifier(1, metric="cosine"),
    "centroid": NearestCentroid(),
}


@pytest.mark.parametrize(("kind", "on_disk"), [way for way in WAYS if way.values[0] in THEIRS])
def test_each_fold_learns_from_the_views_of_its_photos(make_features, kind, on_disk):
    splits = (["train"] * 30 + ["test"] * 10) * 2
    features = make_features(COUNTS, splits=splits, noise=3)
    of = np.random.default_rng(3).integers(0, 80, 60)
    views = np.random.default_rng(4).normal(size=(60, 6)) * 3
    features = with_views(features, views, of)
    options = {"classifier": kind, "grid": quick(kind) or None, "scale": "none"}
    found = train(features, **options, max_memory=LITTLE[6] if on_disk else None)
    seen = np.flatnonzero(np.array(splits) == "train")
    accuracies = []
    for fitted, judged in cross_validation(features.labels[seen], None):
        mine = np.isin(of, seen[fitted])
        rows = np.concatenate([features.features[seen[fitted]], views[mine]])
        labels = np.concatenate([features.labels[seen[fitted]], features.labels[of[mine]]])
        theirs = clone(THEIRS[kind]).fit(rows, labels)
        accuracies.append(theirs.score(features.features[seen[judged]], features.labels[seen[judged]]))  # fmt: skip
    assert found.settings.grid[0].mean == pytest.approx(np.mean(accuracies))


def test_the_folds_of_photos_are_what_they_are_without_views(make_features):
    features = make_features(COUNTS)
    views = AugmentedViews.find(
        with_views(features, np.zeros((3, 6)), [7, 2, 7]), np.array([2, 5, 7])
    )
    assert views.numbers.tolist() == [0, 1, 2]
    assert views.of.tolist() == [2, 0, 2]
    assert views.beside(np.array([1, 2])).tolist() == [1, 2, 3, 5]
    data = TrainingData.read(
        with_views(features, np.zeros((3, 6)), [7, 2, 7]),
        np.array([2, 5, 7]),
        np.array([0, 1, 1]),
        folds=[(np.array([1, 2]), np.array([0]))],
    )
    assert data.labels.tolist() == [0, 1, 1, 1, 0, 1]
    assert (data.photos, data.views) == (3, 3)
    (train_part, test_part), = data.folds  # fmt: skip
    assert train_part.tolist() == [1, 2, 3, 5]
    assert test_part.tolist() == [0]
    assert data.take(train_part).views == 2


def test_what_is_kept_scored_and_recognised_is_of_photos(make_features):
    features = only_views_tell(make_features, content=[f"{k:032x}" for k in range(80)])
    with_them = train(features)
    without = train(without_views(features))
    assert with_them.held_out.ids == without.held_out.ids
    assert with_them.settings.held_out_images == 40
    assert with_them.settings.classes == {"daisy": 20, "rose": 20}
    assert (with_them.trained_on == without.trained_on).all()
    np.testing.assert_array_equal(with_them.likeness.rows, without.likeness.rows)


def test_those_of_a_file_are_read_where_they_are(make_features, tmp_path):
    features = only_views_tell(make_features)
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        stored = file.create_dataset("rows", data=features.augmented.features)
        on_disk = without_views(features)
        augmented = AugmentedRows(**{**vars(features.augmented), "features": stored})
        on_disk = type(features)(**{**vars(on_disk), "augmented": augmented})
        assert train(on_disk).held_out == train(features).held_out


def test_the_curve_learns_from_them(make_features):
    features = only_views_tell(make_features)
    found = train(features)
    assert learning_curve(found, features, sizes=[5])[0].mean == 1
    assert learning_curve(found, without_views(features), sizes=[5])[0].mean < 1


def test_a_wrong_label_is_found_by_views_of_other_photos(make_features):
    # What the classes look like in columns 2 and 3, views alone show: photo 5 looks like a rose.
    features = make_features(COUNTS)
    features.features[:, 2:] = 0
    views = np.roll(features.features, 2, axis=1)
    features.features[5] = views[60]
    features = with_views(features, views, np.arange(80))
    features.augmented.features[5] = features.features[5]  # and its own view has its wrong label
    found = train(features)
    assert [issue.id for issue in find_label_issues(found, features)] == ["daisy/005.jpg"]
    assert find_label_issues(found, without_views(features)) == []


def test_the_photos_that_are_taken_bring_theirs(make_features):
    features = with_views(make_features(COUNTS), np.arange(18).reshape(3, 6), [7, 2, 7])
    taken = features.take([7, 9, 2, 7])
    assert taken.augmented.of.tolist() == [0, 0, 2, 3, 3]
    assert taken.augmented.features[:, 0].tolist() == [0, 12, 6, 0, 12]
    assert make_features(COUNTS).take([1]).augmented is None


def test_the_settings_say_how_many_there_were(make_features, tmp_path):
    penult.train(only_views_tell(make_features), tmp_path / "a.skops")
    settings = load_classifier(tmp_path / "a.skops").settings
    assert settings.augmented == 40
    assert settings.images_in_words == "40 images and 40 augmented views of them"
    assert "40 augmented views" in repr(settings)
    penult.train(make_features(COUNTS), tmp_path / "b.skops")
    assert "augmented" not in load_classifier(tmp_path / "b.skops").settings.to_dict()


def test_one_that_is_no_number_is_named(make_features):
    features = only_views_tell(make_features)
    features.augmented.features[3, 2] = np.nan
    with pytest.raises(
        TrainingError, match=r"1 row with NaN .*: daisy/003\.jpg \(augmented view 1\)"
    ):
        train(features)


@pytest.mark.parametrize(
    ("rows", "of", "message"),
    [
        (np.zeros((1, 6)), [80], "photos 80 to 80, of 80 photos; give places counted from 0"),
        (np.zeros((1, 6)), [-1], "photos -1 to -1"),
        (np.zeros((2, 6)), [0], r"augmented rows of 2 × 6 for 1 photo"),
        (np.zeros((1, 5)), [0], r"augmented rows of 1 × 5 .* as long as the photos' rows"),
    ],
)
def test_those_that_cannot_be_are_refused(make_features, rows, of, message):
    with pytest.raises(UsageError, match=message):
        penult.train(with_views(make_features(COUNTS), rows, of))

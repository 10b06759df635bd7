import dataclasses

import pytest

from penult.classify.diagnosis.learning_curve import learning_curve
from penult.classify.kinds.registry import find_kind, kind_names
from penult.classify.training.train import train
from penult.errors import RecipeMismatchError, UsageError

COUNTS = {"daisy": 30, "rose": 30, "tulip": 30}
QUICK = {"C": [10], "alpha": [1], "n_neighbors": [5], "max_features": ["sqrt"]}


@pytest.mark.parametrize("kind", sorted({*kind_names()} - {"forest"}))
def test_the_learning_curve_rises_to_the_score_itself(make_features, kind):
    features = make_features(COUNTS, noise=1.5)
    grid = {k: v for k, v in QUICK.items() if k in find_kind(kind).grid}
    classifier = train(features, classifier=kind, grid=grid, scale="none")
    points = learning_curve(classifier, features, draws=4)
    assert [point.per_class for point in points][:4] == [1, 2, 5, 10]
    assert points[0].images == 3
    assert len(points[0].accuracies) == 4
    assert points[0].mean < points[-1].mean
    assert points[-1].images == classifier.settings.train_images
    assert points[-1].accuracies == (classifier.scores.accuracy,)


def test_a_larger_part_of_the_curve_contains_the_smaller_ones_and_is_the_same_again(make_features):
    features = make_features(COUNTS, noise=2)
    classifier = train(features)
    first = learning_curve(classifier, features, sizes=[2, 7])
    assert first == learning_curve(classifier, features, sizes=[7, 2])
    assert [p.per_class for p in learning_curve(classifier, features, sizes=[500])] == [23]


def test_the_curve_of_other_rows_is_refused(make_features, recipe):
    features = make_features(COUNTS)
    classifier = train(features)
    other = dataclasses.replace(features, ids=[f"other/{i}" for i in range(90)])
    with pytest.raises(UsageError, match="has 0 of the 23 images"):
        learning_curve(classifier, other)
    with pytest.raises(RecipeMismatchError):
        learning_curve(classifier, make_features(COUNTS, recipe=dataclasses.replace(recipe, layer="x")))  # fmt: skip


def test_more_neighbours_than_images_are_passed_over(make_features):
    features = make_features({"daisy": 6, "rose": 6})
    classifier = train(features, classifier="knn")
    assert [result.params["n_neighbors"] for result in classifier.settings.grid] == [1, 3, 5]
    with pytest.raises(UsageError, match="give fewer n_neighbors"):
        train(features, classifier="knn", grid={"n_neighbors": [50]})


def test_sizes_that_take_too_many_images_are_left_out_but_for_the_classifier_itself(make_features):
    features = make_features(COUNTS, noise=1.5)
    classifier = train(features)
    told = []
    points = learning_curve(classifier, features, max_rows=20, progress=told.append)
    # 10 images a class would be 30. Of the 23 images held out, 20 are scored.
    assert [point.per_class for point in points] == [1, 2, 5, 23]
    assert all(a * 20 == pytest.approx(round(a * 20)) for p in points for a in p.accuracies)
    assert (told[-1].done, told[-1].total) == (9, 9)


def test_a_classifier_fitted_again_on_everything_is_no_point_of_the_curve(make_features):
    features = make_features(COUNTS, noise=1.5)
    once, again = train(features), train(features, refit=True)
    assert learning_curve(once, features) == learning_curve(again, features)
    assert [p.per_class for p in learning_curve(again, features, max_rows=20)] == [1, 2, 5]


def test_options_that_divide_these_rows_no_more_leave_all_others_to_be_drawn(make_features):
    features = make_features(COUNTS, splits=["train", "train", "test"] * 30)
    classifier = train(features)
    held_out_alone = dataclasses.replace(features, splits=["test"] * 90)
    [point] = learning_curve(classifier, held_out_alone, sizes=[5])
    assert (point.per_class, len(point.accuracies)) == (5, 3)

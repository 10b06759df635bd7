import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from archives import rewrite

from penult.classify.evaluation.evaluate import evaluate
from penult.classify.loading import describe_classifier, load_classifier
from penult.classify.training.train import train
from penult.errors import ClassifierFileError
from penult.likeness import Likeness, likeness
from penult.likeness.threshold import ROUNDING, Usual, find_apart, lower_limit

CORNER = np.eye(6, dtype=np.float32)  # `make_features` has its classes at the first ones


def likeness_of(features, groups=None):
    return Likeness.of(features, np.arange(len(features)), features.labels, groups, seed=0)


def marked(found, features):
    return float((found.similarity(features.features) < found.threshold).mean())


def test_the_limit_is_the_quantile_that_is_right_on_average():
    # Of 199 values the second smallest has a hundredth of all below it: 2 / 200.
    assert lower_limit(np.arange(1.0, 200), 199) == pytest.approx(2 - ROUNDING)


def test_the_limit_of_few_is_that_of_students_t():
    # Mean 0, standard deviation 2, and the 99th percentile of t with 2 degrees of freedom is 6.965.
    limit = lower_limit(np.array([-2.0, 0, 2]), 3)
    assert limit == pytest.approx(-6.965 * 2 * np.sqrt(4 / 3) - ROUNDING, abs=1e-2)


@pytest.mark.parametrize("most", [1000, 60])
def test_one_in_a_hundred_new_rows_is_marked_and_all_of_another_kind(
    make_features, monkeypatch, most
):
    monkeypatch.setattr(likeness, "MOST_ROWS", most)
    found = likeness_of(make_features({"a": 300, "b": 300, "c": 300}))
    assert (found.kept, found.calibrated) == (min(900, most), 900)
    assert 0.003 < marked(found, make_features({"a": 2000, "b": 2000, "c": 2000}, seed=1)) < 0.02
    assert (found.similarity(CORNER[3:]) < found.threshold).all()
    assert (found.similarity(CORNER[:3]) > found.threshold).all()


def test_shots_of_one_thing_find_none_of_their_own(make_features):
    # Ten shots of each: the others of a burst are nearer than any new photo can be.
    single = make_features({"a": 60, "b": 60})
    burst = np.repeat(single.features, 10, axis=0)
    burst += 0.01 * np.random.default_rng(1).normal(size=burst.shape)
    labels, things = np.repeat(single.labels, 10), np.repeat(np.arange(120), 10).astype(str)
    many = replace(single, features=burst, labels=labels, ids=[str(i) for i in range(1200)])
    new = make_features({"a": 2000, "b": 2000}, seed=2)
    assert marked(likeness_of(many, things), new) < 0.05
    assert marked(likeness_of(many), new) > 0.1


@pytest.mark.parametrize(
    ("counts", "strays"), [({"a": 32, "b": 32}, 1), ({"a": 400, "b": 400}, 16)]
)
def test_a_few_stray_photos_do_not_decide_and_are_named(make_features, counts, strays):
    features = make_features(counts)
    clean = likeness_of(features)
    assert len(clean.strays) <= 1 + len(features) / 100
    other = np.random.default_rng(3).normal(size=(strays, 6)).astype(np.float32)
    other[:, :2] = -1  # away from both classes
    features.features[:strays] = other
    found = likeness_of(features)
    # The least alike come first, before the one in a hundred that is so by nature.
    assert set(found.strays[:strays]) == set(map(str, features.ids[:strays]))
    assert len(found.strays) - strays <= 1 + len(features) / 100
    assert found.threshold == pytest.approx(clean.threshold, abs=0.05)
    new = make_features({"a": 500, "b": 500}, seed=1)
    assert marked(found, new) < 0.1
    assert (found.similarity(-CORNER[:2]) < found.threshold).all()


def test_a_small_class_of_another_kind_is_no_stray():
    # Ten alike and one apart, which is all of its class; or one of ten.
    similarities = np.array([0.9, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.1])
    classes = np.zeros(11, np.int64)
    assert find_apart(similarities, classes).tolist() == [10]
    classes[10] = 1
    assert find_apart(similarities, classes).tolist() == []


def test_of_twenty_one_at_most_is_a_stray():
    similarities = np.append(np.linspace(0.9, 1, 36), [0.4, 0.3, 0.2])
    assert find_apart(similarities, np.zeros(39, np.int64)).tolist() == [38]


@pytest.mark.parametrize("counts", [{"a": 3, "b": 2}, {"a": 1, "b": 1}])
def test_of_fewer_than_six_rows_nothing_is_said(make_features, counts):
    assert likeness_of(make_features(counts)) is None


def test_rows_of_zeros_are_unlike(make_features):
    found = likeness_of(make_features({"a": 100, "b": 100}))
    assert found.similarity(np.zeros((1, 6), np.float32)) == [0]
    features = make_features({"a": 30, "b": 30})
    features.features[:40] = 0
    assert np.isfinite(likeness_of(features).threshold)


def test_long_rows_are_few(make_features, monkeypatch):
    monkeypatch.setattr(likeness, "MOST_BYTES", 500)
    found = likeness_of(make_features({"a": 40, "b": 40}, width=50))
    assert found.rows.shape == (10, 50)
    found = likeness_of(make_features({"a": 40, "b": 40}, width=500))
    assert found.rows.shape == (6, 500)


@pytest.mark.parametrize("kind", ["logistic", "knn", "forest"])
@pytest.mark.parametrize("options", [{}, {"refit": True}], ids=["", "refit"])
def test_every_classifier_knows_it_and_its_file_too(make_features, tmp_path, kind, options):
    trained = train(make_features({"a": 40, "b": 40, "c": 40}), classifier=kind, **options)
    assert trained.likeness.kept == (120 if options else 90)
    assert 0 <= trained.likeness.held_out_share <= 0.1
    trained.save(tmp_path / "a.skops")
    loaded = load_classifier(tmp_path / "a.skops")
    rows = np.random.default_rng(0).normal(size=(50, 6))
    assert (loaded.similarity(rows) == trained.similarity(rows)).all()
    assert loaded.likeness == trained.likeness == describe_classifier(tmp_path / "a.skops").likeness
    assert describe_classifier(tmp_path / "a.skops").likeness.rows is None


def test_rows_on_disk_give_the_same(make_features):
    features = make_features({"a": 400, "b": 400}, noise=1)
    held, streamed = (train(features, grid={"C": [1]}, max_memory=m) for m in (None, 20_000))
    assert streamed.likeness == held.likeness
    assert (streamed.likeness.rows == held.likeness.rows).all()


def test_several_labels_an_image_are_no_hindrance(make_features):
    features = make_features({"a": 60, "b": 60})
    targets = np.eye(2, dtype=bool)[features.labels]
    targets[:5] = True
    features.labels[:5] = -1
    trained = train(replace(features, targets=targets))
    (wrong,) = trained.predictions(
        ["x"], trained.predict_features(CORNER[5:]), similarity=trained.similarity(CORNER[5:])
    )
    assert wrong.unlike
    assert wrong.similarity < trained.likeness.threshold


def test_an_evaluation_counts_them_among_the_known_and_the_unknown(make_features):
    trained = train(make_features({"a": 60, "b": 60}))
    new = make_features({"a": 50, "b": 50, "c": 20}, seed=1)
    found = evaluate(trained, new)
    assert found.unlike <= 5
    assert (found.unseen_unlike, len(found.unseen.ids)) == (20, 20)


def test_a_file_from_before_opens_and_says_nothing_of_it(make_features, tmp_path):
    path = tmp_path / "a.skops"
    train(make_features({"a": 40, "b": 40})).save(path)

    def forget(members):
        description = json.loads(members["penult.json"])
        del description["likeness"], description["members"], members["kept_rows.bin"]
        members["penult.json"] = json.dumps(description).encode()

    rewrite(path, forget)
    loaded = load_classifier(path)
    assert loaded.likeness is None
    assert loaded.similarity(CORNER) is None
    (told,) = loaded.predictions(["x"], loaded.predict_features(CORNER[:1]))
    assert (told.unlike, told.similarity) == (None, None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b'"kept": 60', b'"kept": 61', id="another number of rows"),
        pytest.param(b'"neighbours": 5', b'"neighbours": 0', id="no neighbour"),
        pytest.param(b'"neighbours": 5', b'"neighbours": 99', id="more neighbours than rows"),
        pytest.param(b'"threshold": ', b'"threshold": NaN, "was": ', id="no threshold"),
        pytest.param(b'"kept": 60', b'"kept": "60"', id="no number"),
    ],
)
def test_a_file_whose_rows_do_not_fit_is_refused(make_features, tmp_path, old, new):
    path = tmp_path / "a.skops"
    train(make_features({"a": 40, "b": 40})).save(path)

    def change(members):
        assert old in members["penult.json"]
        members["penult.json"] = members["penult.json"].replace(old, new)

    rewrite(path, change)
    with pytest.raises(ClassifierFileError):
        load_classifier(path)


def test_a_hard_photo_as_near_as_the_other_classes_are_is_no_stray():
    # Shots in a row, and another photo of the class, 2.7 of the scale away.
    similarities = np.append(np.linspace(0.9, 0.97, 75), 0.87)
    classes = np.zeros(76, np.int64)
    assert find_apart(similarities, classes, floor=0.88).tolist() == [75]
    assert find_apart(similarities, classes, floor=0.8).tolist() == []
    similarities[75] = 0.2
    assert find_apart(similarities, classes, floor=0.1).tolist() == [75]  # so far it is one


def shots_in_a_row(make_features):
    """Two classes that train with half their spread, and new photos with all of it."""
    return make_features({"a": 60, "b": 60}, noise=0.15), make_features(
        {"a": 40, "b": 40}, noise=0.4, seed=1
    )


def test_held_out_photos_are_believed_where_many_are_marked(make_features):
    training, new = shots_in_a_row(make_features)
    strict = likeness_of(training)
    found = strict.tried_on(strict.similarity(new.features))
    assert marked(strict, new) > 0.1
    assert found.lowered_from == strict.threshold > found.threshold
    assert found.held_out_share == marked(found, new) < 0.05
    assert (found.similarity(CORNER[3:]) < found.threshold).all()


def test_a_stray_among_the_held_out_photos_does_not_decide(make_features):
    training, new = shots_in_a_row(make_features)
    strict = likeness_of(training)
    similarity = strict.similarity(new.features)
    clean = strict.tried_on(similarity)
    similarity[:2] = -0.9
    assert strict.tried_on(similarity).threshold == pytest.approx(clean.threshold, abs=0.03)


def test_one_held_out_photo_that_is_marked_changes_nothing(make_features):
    # One of 25 is what chance does in more than one case of five, two in fewer than 1 of 30.
    found = likeness_of(make_features({"a": 60, "b": 60}))
    assert not found.is_high(1, 25)
    assert found.is_high(2, 25)
    tried = found.tried_on(np.array([-1.0] + [0.99] * 24, np.float32))
    assert (tried.threshold, tried.lowered_from) == (found.threshold, None)
    assert tried.held_out_share == pytest.approx(1 / 25)


def test_training_lowers_the_threshold_and_its_file_says_so(make_features, tmp_path):
    training, new = shots_in_a_row(make_features)
    trained = train(training, test_features=new)
    assert trained.likeness.lowered_from > trained.likeness.threshold
    trained.save(tmp_path / "a.skops")
    assert describe_classifier(tmp_path / "a.skops").likeness == trained.likeness


@pytest.mark.parametrize(
    "name", ["likeness\n_Usual", "likeness_threshold\nUsual", "likeness\nUsual"]
)
def test_a_likeness_pickled_by_an_older_version_opens(name):
    written = (
        f"ccopy_reg\n_reconstructor\np0\n(cpenult.classify.{name}\np1\n"
        "c__builtin__\nobject\np2\nNtp3\nRp4\n(dp5\nVsimilarities\np6\nNsVcount\np7\nI7\n"
        "sVfloor\np8\nF0.5\nsb."
    )
    assert pickle.loads(written.encode()) == Usual(None, 7, 0.5)


def test_a_likeness_pickled_where_it_once_was_opens(make_features):
    found = likeness_of(make_features({"a": 40, "b": 40}))
    written = pickle.dumps(found, 0).replace(
        b"cpenult.likeness.likeness\nLikeness", b"cpenult.classify.likeness\nLikeness"
    )
    assert b"penult.classify.likeness" in written
    assert pickle.loads(written) == found

import dataclasses
import tracemalloc
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from penult.classify.evaluation.evaluate import evaluate, evaluate_pipeline
from penult.classify.loading import load_classifier
from penult.classify.outcome import runs_line
from penult.classify.training.train import train
from penult.errors import RecipeMismatchError, UsageError
from penult.partition.rows import read_blocks

COUNTS = {"daisy": 24, "rose": 24, "tulip": 24}


@pytest.fixture
def classifier(make_features):
    return train(make_features(COUNTS))


def test_labels_are_matched_by_name_and_not_by_number(make_features, classifier):
    # Without daisies, rose is class 0 of the other file and class 1 of the classifier.
    other = make_features({"rose": 5, "tulip": 4}, seed=1)
    other = dataclasses.replace(other, features=np.roll(other.features, 1, axis=1))
    found = evaluate(classifier, other)
    assert found.scores.accuracy == 1
    assert [c.support for c in found.scores.classes] == [0, 5, 4]
    assert found.images.truth == ("rose",) * 5 + ("tulip",) * 4


def test_labels_are_matched_in_either_unicode_form(make_features):
    # Older files have the forms that the folders had: composed, or e and an accent.
    for ours, theirs in (("caf\u00e9", "cafe\u0301"), ("cafe\u0301", "caf\u00e9")):
        classifier = train(make_features({ours: 24, "rose": 24}))
        found = evaluate(classifier, make_features({theirs: 5, "rose": 4}, seed=1))
        assert (found.scores.images, found.scores.accuracy) == (9, 1)
        assert found.images.truth == found.images.predicted


def test_of_two_classes_that_differ_in_form_alone_each_is_matched_by_its_own(make_features):
    counts = {"caf\u00e9": 24, "cafe\u0301": 24}
    found = evaluate(train(make_features(counts)), make_features(counts, seed=1))
    assert [c.support for c in found.scores.classes] == [24, 24]


def test_labels_never_seen_are_told_apart_and_in_no_score(make_features, classifier):
    found = evaluate(classifier, make_features({**COUNTS, "weed": 7}, seed=1))
    assert found.scores.accuracy == 1
    assert found.scores.images == 72
    assert found.unseen_labels == {"weed": 7}
    assert set(found.unseen.predicted) <= {"daisy", "rose", "tulip"}


def test_unlabelled_images_are_counted(make_features, classifier):
    other = make_features(COUNTS, seed=1)
    other.labels[:10] = -1
    assert evaluate(classifier, other).unlabelled == 10


def test_rows_of_another_recipe_are_refused(make_features, classifier, recipe):
    other = make_features(COUNTS, recipe=dataclasses.replace(recipe, pooling="max"))
    with pytest.raises(RecipeMismatchError, match="'avg' and 'max'"):
        evaluate(classifier, other)


def test_only_labels_never_seen_is_refused(make_features, classifier):
    with pytest.raises(UsageError, match="it knows daisy, rose, tulip"):
        evaluate(classifier, make_features({"weed": 3, "moss": 3}))


def test_the_held_out_part_may_be_another_file(make_features):
    features, other = make_features(COUNTS), make_features({**COUNTS, "weed": 5}, seed=1)
    classifier = train(features, test_features=other)
    assert classifier.settings.train_images == 72
    assert classifier.scores.images == 72
    assert classifier.scores.split == "another file"
    said = "test images of class weed, which has no training image"
    assert classifier.settings.left_out == {said: 5}


def test_a_test_file_of_another_recipe_is_refused(make_features, recipe):
    other = make_features(COUNTS, recipe=dataclasses.replace(recipe, layer="x"))
    with pytest.raises(RecipeMismatchError, match="the test features"):
        train(make_features(COUNTS), test_features=other)


def test_runs_repeat_over_seeds_and_the_first_is_returned(make_features):
    features = make_features(COUNTS, noise=2)
    classifier = train(features, runs=3)
    told = classifier.settings.runs
    scores = [train(features, seed=s).scores for s in range(3)]
    alone = [one.accuracy for one in scores]
    assert told.accuracies == tuple(alone)
    assert told.mean == pytest.approx(np.mean(alone))
    assert told.std == pytest.approx(np.std(alone, ddof=1))
    assert classifier.scores.accuracy == alone[0]
    recalls = [{c.label: c.recall for c in one.classes} for one in scores]
    mean = {label: np.mean([one[label] for one in recalls]) for label in recalls[0]}
    assert told.recalls == pytest.approx(mean)
    assert told.balanced_accuracy == pytest.approx(np.mean(list(mean.values())))
    lowest = min(mean, key=mean.get)
    assert f"lowest recalls: {lowest} {mean[lowest]:.1%}" in runs_line(classifier.settings)


@pytest.mark.parametrize("fixed", ["splits", "another file"])
def test_runs_that_would_all_be_the_same_are_refused(make_features, fixed):
    splits = (["train"] * 16 + ["test"] * 8) * 3
    features = make_features(COUNTS, splits=splits if fixed == "splits" else None)
    other = make_features(COUNTS) if fixed == "another file" else None
    with pytest.raises(UsageError, match="same images each time"):
        train(features, test_features=other, runs=2)


def test_a_feature_that_leaks_the_group_is_of_no_use_where_groups_are_kept_together(make_features):
    # Ten views an image: the one telling column is the image's own, and says nothing of its class.
    rng = np.random.default_rng(0)
    image = np.repeat(np.arange(60), 10)
    labels = np.repeat(rng.integers(0, 2, 60), 10)
    labels[:10], labels[10:20] = 0, 1
    rows = (10 * np.eye(60)[image] + 0.1 * rng.normal(size=(600, 60))).astype(np.float32)
    given = {"features": rows, "labels": labels}
    apart = make_features({"a": 300, "b": 300}, **given)
    together = make_features({"a": 300, "b": 300}, groups=[f"image {i}" for i in image], **given)
    assert train(apart).scores.accuracy == 1
    assert train(together).scores.accuracy < 0.75
    assert max(t.mean for t in train(together).settings.grid) < 0.75


def numbered_content(start, count):
    return [f"digest {start + i}" for i in range(count)]


@pytest.mark.parametrize("on_disk", [False, True], ids=["in memory", "from its file"])
def test_images_that_trained_it_are_counted_and_the_others_scored_apart(
    make_features, tmp_path, on_disk
):
    features = make_features(COUNTS, noise=1.5, content=numbered_content(0, 72))
    classifier = train(features)
    if on_disk:
        classifier.save(tmp_path / "c.skops")
        classifier = load_classifier(tmp_path / "c.skops")
    found = evaluate(classifier, features)
    assert (found.trained, found.scores.images, found.apart.images) == (54, 72, 18)
    # The others are those that were held out, with the scores that training told.
    assert found.apart.accuracy == classifier.scores.accuracy
    assert found.apart.log_loss == pytest.approx(classifier.scores.log_loss)
    assert found.apart.log_loss > found.scores.log_loss


def test_an_image_is_known_by_its_bytes_and_not_by_its_name(make_features):
    features = make_features(COUNTS, content=numbered_content(0, 72))
    classifier = train(features, refit=True)
    renamed = dataclasses.replace(features, ids=[f"other/{i}.jpg" for i in range(72)])
    found = evaluate(classifier, renamed)
    assert (found.trained, found.apart) == (72, None)
    changed = dataclasses.replace(features, content=numbered_content(72, 72))
    found = evaluate(classifier, changed)
    assert (found.trained, found.apart) == (0, None)


def test_where_there_are_no_digests_nothing_is_claimed(make_features, tmp_path):
    with_digests = make_features(COUNTS, content=numbered_content(0, 72))
    assert evaluate(train(with_digests), make_features(COUNTS)).trained is None
    without = train(make_features(COUNTS))
    without.save(tmp_path / "old.skops")
    assert evaluate(load_classifier(tmp_path / "old.skops"), with_digests).trained is None


def test_near_duplicates_and_several_runs_leave_the_digests_those_of_the_first_run(make_features):
    features = make_features(COUNTS, noise=1.5, content=numbered_content(0, 72))
    classifier = train(features, runs=2, near_duplicates=0.9999)
    found = evaluate(classifier, features)
    assert (found.trained, found.apart.accuracy) == (54, classifier.scores.accuracy)


def test_images_of_several_labels_are_scored_apart_as_well(make_features):
    targets = np.eye(3, dtype=bool)[np.repeat(np.arange(3), 24)]
    targets[::2, 0] = True
    features = make_features(COUNTS, noise=1.5, targets=targets, content=numbered_content(0, 72))
    classifier = train(features)
    found = evaluate(classifier, features)
    assert found.trained == classifier.settings.train_images
    assert found.apart.mean_average_precision == classifier.scores.mean_average_precision


def test_an_image_of_the_test_file_does_not_train(make_features):
    features = make_features(COUNTS, content=numbered_content(0, 72))
    other = make_features(COUNTS, content=numbered_content(60, 72))  # twelve tulips are in both
    classifier = train(features, test_features=other)
    assert classifier.settings.train_images == 60
    assert classifier.settings.left_out == {"images that are in the test features as well": 12}
    assert evaluate(classifier, other).trained == 0
    same = train(features, test_features=features)
    assert same.scores.split == "another file, which holds every image that trained it"


def test_memory_does_not_grow_with_images_times_classes(make_features, monkeypatch):
    # All probabilities of these would be 7.7 MB; what is kept of an image is less than 150 bytes.
    images, classes = 12_000, 80
    features = make_features({f"class {k:02}": images // classes for k in range(classes)})
    monkeypatch.setattr(
        "penult.classify.evaluation.evaluate.read_blocks",
        partial(read_blocks, block_bytes=200 * 4 * features.features.shape[1]),
    )

    class Even:
        steps = (("classifier", SimpleNamespace(classes_=np.arange(classes))),)

        def predict_proba(self, rows):
            return np.full((len(rows), classes), 1 / classes)

    seen = np.zeros(0, np.uint64)
    told = []
    tracemalloc.start()
    try:
        found = evaluate_pipeline(
            Even(), features.label_names, features, split="", trained_on=seen, tell=told.append
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.scores.images == images
    assert found.scores.accuracy == 1 / classes
    assert peak < images * classes * 8 / 2
    assert [one.done for one in told] == [*range(0, images + 1, 200)]


def test_an_evaluation_of_images_that_all_trained_it_is_called_no_estimate(make_features):
    features = make_features(COUNTS)
    digests = [f"{k:032x}" for k in range(len(features))]
    features = dataclasses.replace(features, content=digests)
    found = evaluate(train(features, refit=True), features)
    assert found.apart is None
    assert "no estimate: all of them trained it" in repr(found)


def test_a_classifier_of_several_labels_is_scored_on_images_of_one_each(make_features):
    targets = np.eye(3, dtype=bool)[[0, 1, 2] * 24]
    classifier = train(make_features(COUNTS, targets=targets))
    one_each = make_features(COUNTS, seed=1)
    found = evaluate(classifier, one_each)
    several = evaluate(
        classifier,
        dataclasses.replace(one_each, targets=np.eye(3, dtype=bool)[one_each.labels]),
    )
    assert found.scores.images == 72
    assert found.scores == several.scores

"""Votes of neighbours: by hand, and beside scikit-learn's KNeighborsClassifier."""

from __future__ import annotations

import numpy as np
import pytest

import penult
from penult.records import Vote
from penult.retrieve.search.votes import distances, vote

pytestmark = pytest.mark.light


def voted(near, labels, several=False):
    return vote(np.array(near, float), [tuple(one.split()) for one in labels], several=several)


def test_each_row_votes_with_the_inverse_of_its_distance():
    # 1/0.5 for a; 1/1 + 1/2 for b.
    found = voted([0.5, 1, 2], ["a", "b", "b"])
    assert (found.label, found.labels) == ("a", None)
    assert found.confidence == pytest.approx(2 / 3.5)
    assert found.shares == (("a", pytest.approx(2 / 3.5)), ("b", pytest.approx(1.5 / 3.5)))


def test_rows_at_distance_zero_vote_alone():
    assert voted([0, 0, 0.001], ["a", "b", "b"]).shares == (("a", 0.5), ("b", 0.5))


def test_of_equal_votes_the_nearest_row_wins_and_not_the_alphabet():
    assert voted([1, 1], ["z", "a"]).label == "z"
    assert voted([1, 2, 2], ["b", "a", "a"]).label == "b"


def test_rows_without_a_label_do_not_vote():
    assert voted([0, 1, 1], ["", "a", "a"]) == Vote("a", 1.0, None, (("a", 1.0),))
    assert voted([1, 2], ["", ""]) is None


def test_labels_of_several_are_voted_on_one_by_one():
    found = voted([1, 1, 1, 1], ["red chair", "red", "chair", "blue chair"], several=True)
    assert found.shares == (("chair", 0.75), ("red", 0.5), ("blue", 0.25))
    assert (found.label, found.labels) == ("chair", ("chair",))  # half of the votes are not most


def test_a_tiny_distance_does_not_overflow():
    assert voted([1e-320, 1], ["a", "b"]).shares == (("a", 1.0), ("b", pytest.approx(0)))


def test_a_cosine_above_one_is_no_negative_distance():
    assert distances(np.array([1 + 1e-16, 1.0000001, -1]), "cosine").tolist() == [0, 0, 2]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_votes_are_those_of_scikit_learn(make_features, metric):
    from sklearn.neighbors import KNeighborsClassifier

    gallery = make_features({"a": 15, "b": 20, "c": 25}, noise=2.0)
    asked = make_features({"a": 10, "b": 10, "c": 10}, noise=2.0, seed=1).features
    found = penult.search(gallery, asked, k=7, metric=metric, vote=True)
    theirs = KNeighborsClassifier(7, weights="distance", metric=metric)
    theirs.fit(gallery.features.astype(np.float64), gallery.labels)
    shares = theirs.predict_proba(asked.astype(np.float64))
    assert len({one.vote.label for one in found}) == 3
    for one, expected in zip(found, shares, strict=True):
        assert one.vote.label == gallery.label_names[expected.argmax()]
        ours = [dict(one.vote.shares).get(name, 0) for name in gallery.label_names]
        assert ours == pytest.approx(expected, abs=1e-6)


def test_votes_on_several_labels_are_those_of_scikit_learn(make_features):
    from sklearn.neighbors import KNeighborsClassifier

    targets = np.random.default_rng(0).random((60, 3)) < 0.5
    targets[~targets.any(axis=1), 0] = True
    gallery = make_features({"a": 15, "b": 20, "c": 25}, noise=2.0, targets=targets)
    asked = make_features({"a": 10, "b": 10}, noise=2.0, seed=1).features
    found = penult.search(gallery, asked, k=6, vote=True)
    theirs = KNeighborsClassifier(6, weights="distance", metric="cosine")
    theirs.fit(gallery.features.astype(np.float64), targets.astype(int))
    said = theirs.predict(asked.astype(np.float64)).astype(bool)
    for one, expected in zip(found, said, strict=True):
        assert {*one.vote.labels} == {n for n, has in zip("abc", expected, strict=True) if has}


def test_a_gallery_without_labels_cannot_vote(file):
    gallery = file("g", {"a": ((1, 0),)})
    with pytest.raises(penult.UsageError, match=r"g\.h5 has no labels to vote for; leave out vote"):
        penult.search(gallery, np.array([[1.0, 0.0]]), vote=True)


def test_where_no_hit_has_a_label_there_is_no_vote(file):
    gallery = file("g", {"a": ((1, 0),), "b": ((0, 1), "chair")})
    (one,) = penult.search(gallery, np.array([[1.0, 0.0]]), k=1, vote=True)
    assert one.vote is None
    assert one.to_dict(vote=True)["vote"] is None


def test_a_vote_among_rows_of_one_label_is_noted(gallery, caplog):
    asked = np.array([[1.0, 0.0]])
    penult.search(gallery, asked, k=1, vote=True, filter=["label=sofa", "label=lamp"])
    penult.search(gallery, asked, k=1, filter="label=sofa")
    assert caplog.messages == []
    penult.search(gallery, asked, k=1, vote=True, filter="label=sofa")
    (line,) = caplog.messages
    assert line.endswith(
        "that the filter leaves have one label, sofa, which alone can be voted for"
    )

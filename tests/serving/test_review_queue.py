"""Which labels somebody should look at, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from index_rows import clustered
from serving_gallery import Said, gallery_of

from penult.content_keys import keys_of
from penult.errors import UsageError
from penult.retrieve.index import Index
from penult.retrieve.search.gallery import Gallery
from penult.retrieve.search.votes import distances, vote
from penult.serving.gallery import review as review_queue
from penult.serving.gallery.neighbour_votes import VOTERS, neighbour_votes
from penult.serving.gallery.review import make_review
from penult.serving.labels.corrected import CorrectedLabels

pytestmark = pytest.mark.light

# Of (1, 0), the cosines are 1, 0.8, 0.6, 0 and -1.
FURNITURE = {
    "chair/1.jpg": ((1, 0), "chair"),
    "chair/2.jpg": ((4, 3), "chair"),
    "sofa/1.jpg": ((3, 4), "sofa"),
    "sofa/2.jpg": ((0, 2), "sofa"),
    "lamp/1.jpg": ((-5, 0), "lamp"),
}
# Four equal rows of each, one of which has the label of the others.
TWO_KINDS = {f"a{k}.jpg": ((1, 0), "a") for k in range(4)} | {
    "b0.jpg": ((0, 1), "b"),
    "b1.jpg": ((0, 1), "b"),
    "b2.jpg": ((0, 1), "b"),
    "wrong.jpg": ((0, 1), "a"),
}


def votes_of(gallery, places=None):
    features = gallery.features
    places = np.arange(len(features)) if places is None else np.array(places)
    classes = len(features.label_names)
    return neighbour_votes(
        gallery.index, features, features.labels, places, classes, lambda _: None
    )


def review_of(gallery, classifier=None, said=None):
    return make_review(gallery, CorrectedLabels(gallery, said).now(), classifier, lambda _: None)


def ids_of(gallery, items):
    return [gallery.index.ids[one.place] for one in items]


@pytest.mark.parametrize("digests", [{}, dict.fromkeys(FURNITURE, "")], ids=["known", "unknown"])
def test_each_other_row_votes_by_the_inverse_of_its_distance(digests):
    # Distances 0.2, 0.4, 1 and 2: weights 1, 0.5, 0.2 and 0.1, of 1.8 together.
    found = votes_of(gallery_of(FURNITURE, digests=digests), [0])
    assert found.shares[0] == pytest.approx(np.array([1, 0.1, 0.7]) / 1.8)  # chair, lamp, sofa
    assert found.voters[0].tolist() == [0, 2, 2, 1] + [-1] * 6


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_it_is_the_vote_of_a_search(metric):
    names = ("a", "b", "c")
    rows = {
        f"{k}.jpg": (row, *(names[k % 3] if k % 5 else ()))
        for k, row in enumerate(clustered(120).tolist())
    }
    gallery = gallery_of(rows, metric=metric)
    found = votes_of(gallery)
    index, allowed = gallery.index, gallery.features.labels >= 0
    for place in range(120):
        near = index.search(
            index.rows[[place]], VOTERS, leave_out=np.array([place]), allowed=allowed
        )
        labels = [gallery.labels(one) for one in near.places[0]]
        wanted = dict(vote(distances(near.values[0], metric), labels, several=False).shares)
        said = {names[k]: share for k, share in enumerate(found.shares[place]) if share}
        assert said == pytest.approx(wanted)


def test_rows_at_no_distance_vote_alone():
    assert votes_of(gallery_of(TWO_KINDS)).shares[[0, 4, 7]] == pytest.approx(
        np.array([[1, 0], [1 / 3, 2 / 3], [0, 1]])
    )


@pytest.mark.parametrize(
    "together",
    [
        {"digests": {"chair/1.jpg": "same", "chair/2.jpg": "same"}},
        {"groups": {"chair/1.jpg": "same", "chair/2.jpg": "same"}},
    ],
)
def test_copies_and_rows_of_one_group_do_not_vote(together):
    # Weights 1, 0.4 and 0.2 of the other three: two sofas and a lamp.
    found = votes_of(gallery_of(FURNITURE, **together), [0])
    assert found.shares[0] == pytest.approx(np.array([0, 0.2, 1.4]) / 1.6)


def test_a_label_that_its_neighbours_do_not_have_is_likely_wrong():
    gallery = gallery_of(TWO_KINDS)
    review = review_of(gallery)
    (wrong,) = review.errors
    assert gallery.index.ids[wrong.place] == "wrong.jpg"
    assert (wrong.label, wrong.suggested, wrong.probability) == ("a", "b", 1.0)
    assert wrong.reason == "3 of the 3 images nearest to it are labelled b, none a"
    assert (review.judged, review.images, review.unsure) == (8, 8, ())


def test_a_label_that_was_corrected_votes_as_it_is_now():
    assert review_of(gallery_of(TWO_KINDS), said=Said({"wrong.jpg": "b"})).errors == ()


def test_what_somebody_has_looked_at_is_left_out():
    gallery = gallery_of(TWO_KINDS)
    review = review_of(gallery)
    nobody, somebody = (
        CorrectedLabels(gallery, Said(said)).now() for said in ({}, {"wrong.jpg": "a"})
    )
    assert ids_of(gallery, review.items("errors", nobody)) == ["wrong.jpg"]
    assert review.items("errors", somebody) == []


def test_an_image_between_two_labels_is_unsure_with_a_label_or_without():
    rows = TWO_KINDS | {"wrong.jpg": ((0, 1), "b"), "between.jpg": ((1, 1),)}
    gallery = gallery_of(rows)
    (unsure,) = review_of(gallery).unsure
    assert gallery.index.ids[unsure.place] == "between.jpg"
    assert (unsure.label, unsure.suggested) == (None, "a")
    assert unsure.probability == pytest.approx(0.5)
    assert unsure.reason == "a 50%, b 50%, by the images nearest to it"


def test_of_two_labels_as_probable_the_one_that_it_has_is_suggested():
    rows = TWO_KINDS | {"wrong.jpg": ((0, 1), "b"), "between.jpg": ((1, 1), "b")}
    gallery = gallery_of(rows)
    (unsure,) = review_of(gallery).unsure
    assert (unsure.label, unsure.suggested) == ("b", "b")
    assert unsure.reason.startswith("b 50%, a 50%")


def test_the_least_margin_comes_first():
    # At (5, 4) the votes are nearer to a's than at (1, 1); both are within 0.2.
    rows = TWO_KINDS | {
        "wrong.jpg": ((0, 1), "b"),
        "nearly.jpg": ((11, 10),),
        "between.jpg": ((1, 1),),
    }
    gallery = gallery_of(rows)
    assert ids_of(gallery, review_of(gallery).unsure) == ["between.jpg", "nearly.jpg"]


def test_one_file_under_two_labels_comes_first():
    rows = TWO_KINDS | {"c0.jpg": ((1, 0), "b")}
    gallery = gallery_of(rows, digests={"a0.jpg": "same", "c0.jpg": "same"})
    review = review_of(gallery)
    assert ids_of(gallery, review.errors) == ["c0.jpg", "wrong.jpg"]
    first = review.errors[0]
    assert (first.label, first.suggested, first.probability) == ("b", "a", 1.0)
    assert first.reason == (
        "the same file as a0.jpg, which is labelled a; a decision goes for both"
    )
    assert first.same == (gallery.place("a0.jpg"),)


def test_one_file_under_two_labels_is_listed_until_it_has_one():
    rows = TWO_KINDS | {"c0.jpg": ((1, 0), "b"), "c1.jpg": ((1, 0), "b")}
    gallery = gallery_of(rows, digests=dict.fromkeys(("a0.jpg", "c0.jpg", "c1.jpg"), "same"))
    review = review_of(gallery)
    assert review.errors[0].reason.startswith(
        "the same file as a0.jpg, which is labelled a, and as 1 more;"
    )

    def listed(said):
        items = review.items("errors", CorrectedLabels(gallery, said).now())
        return [(str(gallery.index.ids[one.place]), one.label) for one in items]

    def reason(said):
        first, *_ = review.items("errors", CorrectedLabels(gallery, Said(said)).now())
        return first.reason.partition(",")[0] + first.reason.partition("which")[2]

    assert (
        reason({"c1.jpg": "b"})
        == "the same file as a0.jpg is labelled a, and as 1 more; a decision goes for all"
    )
    assert reason({"a0.jpg": "c"}).startswith("the same file as a0.jpg is labelled c, and")
    assert reason({"a0.jpg": None, "c1.jpg": "d"}).startswith(
        "the same file as c1.jpg is labelled d"
    )
    wrong = ("wrong.jpg", "a")
    assert listed(None) == [("c0.jpg", "b"), wrong]
    assert listed(Said({"c0.jpg": "c"})) == [("c0.jpg", "c"), wrong]
    assert listed(Said({"a0.jpg": "b"})) == [wrong]
    assert listed(Said({"c0.jpg": "a", "c1.jpg": "a"})) == [wrong]


def test_a_file_under_two_labels_that_nothing_judges_has_its_most_frequent_label_suggested():
    rows = {"a.jpg": ((1, 0), "a"), "b.jpg": ((1, 0), "b"), "c.jpg": ((1, 0), "b")}
    gallery = gallery_of(rows, digests=dict.fromkeys(rows, "same"))
    (one,) = review_of(gallery).errors
    assert (one.label, one.suggested, one.probability) == ("a", "b", pytest.approx(2 / 3))


class Judge:
    """A classifier that says of each row what was said to it; it was trained on some images."""

    thresholds = None
    label_names = ("a", "b")

    def __init__(self, gallery, said, trained_on=()):
        self.recipe, self.said = gallery.recipe, said
        content = dict(zip(gallery.index.ids, gallery.features.content, strict=True))
        self.trained_on = keys_of([content[one] for one in trained_on])

    def predict_features(self, rows):
        return np.array([self.said[tuple(row)] for row in rows.tolist()])


SPREAD = {
    "a0.jpg": ((1, 0), "a"),
    "a1.jpg": ((4, 1), "a"),
    "a2.jpg": ((4, 2), "a"),
    "b0.jpg": ((0, 1), "b"),
    "b1.jpg": ((1, 4), "b"),
}
SAID = {
    (1, 0): (0.9, 0.1),
    (4, 1): (0.7, 0.3),
    (4, 2): (0.05, 0.95),
    (0, 1): (0.2, 0.8),
    (1, 4): (0.1, 0.9),
}


def test_a_classifier_judges_what_did_not_train_it():
    # Thresholds: of a the mean of 0.9, 0.7 and 0.05, of b that of 0.8 and 0.9, which 0.95 reaches.
    gallery = gallery_of(SPREAD)
    (wrong,) = review_of(gallery, Judge(gallery, SAID)).errors
    assert gallery.index.ids[wrong.place] == "a2.jpg"
    assert (wrong.label, wrong.suggested, wrong.probability) == ("a", "b", 0.95)
    assert wrong.reason == ("the classifier, which was not trained on it, gives b 95% and a 5%")


def test_images_that_trained_it_are_judged_by_their_neighbours():
    gallery = gallery_of(TWO_KINDS)
    believes = {(1, 0): (1.0, 0.0), (0, 1): (0.5, 0.5)}  # it has learnt the mistake
    judge = Judge(gallery, believes, trained_on=gallery.index.ids)
    assert review_of(gallery, judge).errors == review_of(gallery).errors
    assert review_of(gallery, judge).unsure == ()
    assert len(review_of(gallery, Judge(gallery, believes)).unsure) == 4


def test_a_classifier_of_other_labels_leaves_those_to_the_neighbours():
    rows = TWO_KINDS | {f"c{k}.jpg": ((-1, 0), "c") for k in range(3)}
    rows |= {"c3.jpg": ((1, 0), "c")}
    gallery = gallery_of(rows)
    judge = Judge(gallery, {(1, 0): (0.9, 0.1), (0, 1): (0.1, 0.9), (-1, 0): (1.0, 0.0)})
    review = review_of(gallery, judge)
    assert ids_of(gallery, review.errors) == ["c3.jpg", "wrong.jpg"]
    assert review.errors[0].reason == "4 of the 4 images nearest to it are labelled a, none c"


@pytest.mark.parametrize("change", [{"recipe": None}, {"thresholds": [0.5]}, {"trained_on": None}])
def test_a_classifier_that_cannot_judge_is_left_out(change):
    gallery = gallery_of(SPREAD)
    judge = Judge(gallery, {})  # which cannot say anything
    for name, value in change.items():
        setattr(judge, name, value)
    assert review_of(gallery, judge).errors == review_of(gallery).errors


def test_of_many_rows_a_random_part_is_judged(monkeypatch):
    monkeypatch.setattr(review_queue, "MOST_ROWS", 5)
    review = review_of(gallery_of(TWO_KINDS))
    assert (review.judged, review.images) == (5, 8)


def test_of_long_rows_no_more_are_judged_than_exact_search_takes_a_minute_for(monkeypatch):
    monkeypatch.setattr(review_queue, "_MOST_PRODUCTS", 8 * 2 * 3)
    assert review_of(gallery_of(TWO_KINDS)).judged == 3


def test_a_gallery_without_labels_has_nothing_to_review():
    review = review_of(gallery_of({"1.jpg": ((1, 0),), "2.jpg": ((0, 1),)}))
    assert (review.errors, review.unsure, review.judged) == ((), (), 2)


def test_it_is_refused_of_several_labels_and_of_plain_arrays():
    with pytest.raises(UsageError, match=r"g\.h5 may have several labels each"):
        review_of(gallery_of({"1.jpg": ((1, 0), "a", "b")}, several=True))
    plain = Gallery(Index.of(np.eye(2, dtype=np.float32), ["1", "2"]), "plain.index")
    with pytest.raises(UsageError, match=r"plain\.index is of plain arrays"):
        review_of(plain)

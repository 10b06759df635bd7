"""What a report says of rows without a classifier, worked out by hand."""

import dataclasses

import numpy as np
import pytest
from feature_files import recipe

from penult.errors import SearchError
from penult.partition.splits import Split
from penult.records import Features, HeldOut
from penult.reporting import nearest_rows
from penult.reporting.nearest_rows import NearestRows
from penult.reporting.steps.course import Course
from penult.retrieve.duplicates import stream

pytestmark = pytest.mark.light

# Angles in degrees: the first two rows have a cosine of cos 10° = 0.985, and so have the next two;
# all others are about at right angles, or further apart.
ROWS = {
    "rose/1.jpg": ("rose", 0),
    "rose/2.jpg": ("rose", 10),
    "tulip/1.jpg": ("tulip", 100),
    "tulip/2.jpg": ("tulip", 110),
    "weed/1.jpg": ("weed", 200),
    "none.jpg": (None, 290),
}


def parts(train, held_out):
    return Split(
        train=np.array(train), held_out=np.array(held_out), description="chosen", left_out={}
    )


def nearest(rows=ROWS, **changes):
    names = ("rose", "tulip", "weed")
    angles = np.radians([angle for _, angle in rows.values()])
    features = Features(
        features=np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32),
        ids=list(rows),
        labels=np.array([names.index(label) if label else -1 for label, _ in rows.values()]),
        label_names=names,
        recipe=recipe(),
    )
    held_out = HeldOut(
        ids=("rose/2.jpg", "tulip/2.jpg", "weed/1.jpg"),
        truth=("rose", "tulip", "weed"),
        predicted=("rose", "rose", "weed"),
        probability=(0.9, 0.9, 0.9),
    )
    given = {"features": features, "held_out": held_out, "split": parts([0, 2], [1, 3, 4])}
    return NearestRows(**given | changes)


def test_every_labelled_row_searches_the_others():
    scores = nearest().retrieval(lambda _: None)
    assert scores["hit@1"].value == 1  # the nearest of a rose is the other rose
    assert (scores.gallery, scores.queries, scores.skipped, scores.unlabelled) == (5, 4, 1, 1)
    assert scores.k == (1,)  # of five rows, none finds five others


def test_leaks_are_between_what_was_trained_on_and_what_was_held_out(caplog):
    found = nearest().duplicates()
    assert caplog.messages == []  # the report says itself that there are no pictures
    assert [(one.first, one.second, one.splits) for one in found.across_splits] == [
        ("rose/1.jpg", "rose/2.jpg", ("train", "test")),
        ("tulip/1.jpg", "tulip/2.jpg", ("train", "test")),
    ]
    leaks = found.leaks
    assert leaks.parts == {"train": 2, "test": 3}
    assert (leaks.held_out, leaks.near) == (3, 2)
    assert leaks.all_images == pytest.approx(2 / 3)  # rose and weed are right
    assert leaks.without == 1  # the weed alone


@pytest.mark.parametrize("drawn", [True, False])
def test_leaks_say_whether_chance_chose_the_parts(drawn):
    split = dataclasses.replace(parts([0, 2], [1, 3, 4]), drawn=drawn)
    assert nearest(split=split).duplicates().leaks.drawn is drawn


def test_rows_that_neither_trained_nor_were_held_out_are_in_no_part():
    held_out = HeldOut(ids=("rose/2.jpg",), truth=("rose",), predicted=("rose",), probability=(1,))
    found = nearest(split=parts([0, 4], [1]), held_out=held_out).duplicates()
    assert found.leaks.parts == {"train": 2, "test": 1}  # no tulip
    assert [one.first for one in found.across_splits] == ["rose/1.jpg"]
    assert found.leaks.without is None  # nothing is left to score


def test_images_identical_to_held_out_ones_have_not_trained():
    one = nearest(split=parts([2], [1, 3, 4]))  # as `hold_out` leaves the first rose out
    content = ["ab" * 16, "ab" * 16, *(f"{k:032x}" for k in range(4))]  # the two roses are one file
    found = dataclasses.replace(one, features=dataclasses.replace(one.features, content=content)).duplicates()  # fmt: skip
    assert [pair.first for pair in found.across_splits] == ["tulip/1.jpg"]
    assert (found.leaks.near, found.identical) == (1, 1)


def test_of_several_labels_an_image_the_leaks_are_found_and_their_scores_left_to_others():
    one = nearest()
    targets = np.eye(3, dtype=bool)[one.features.labels] & (one.features.labels >= 0)[:, None]
    targets[0, 1] = True  # the first rose is a tulip, too
    several = dataclasses.replace(one, features=dataclasses.replace(one.features, targets=targets))
    found = several.duplicates()
    assert found.leaks.parts == {"train": 2, "test": 3}
    assert (found.leaks.near, found.leaks.all_images) == (2, None)
    assert [one.labels for one in found.suspects] == [("rose|tulip", "rose")]
    scores = several.retrieval(lambda _: None)
    assert scores.any_label["hit@1"].value == 1


def test_of_too_many_rows_a_random_part_is_looked_at(monkeypatch):
    monkeypatch.setattr(nearest_rows, "MOST_SEARCHED", 5)
    monkeypatch.setattr(nearest_rows, "MOST_COMPARED", 4)
    looked_at = {nearest(seed=seed).duplicates().pairs for seed in range(8)}
    assert looked_at <= {0, 1, 2}
    assert len(looked_at) > 1  # another part for another seed
    assert nearest().duplicates().rows == 4
    scores = nearest().retrieval(lambda _: None)
    assert scores.gallery + scores.unlabelled == 5
    monkeypatch.setattr(nearest_rows, "MOST_BYTES", 3 * 2 * 4)  # three rows of two numbers
    assert nearest().duplicates().rows == 3


def test_where_nearly_all_rows_are_near_a_higher_cosine_is_taken(monkeypatch):
    assert nearest().duplicates().threshold == 0.95
    assert nearest(threshold=0.9).duplicates().threshold == 0.9
    monkeypatch.setattr(stream, "_MOST_PAIRS", 1)  # there are two of 0.985
    found = nearest().duplicates()
    assert found.threshold == 0.99
    assert found.pairs == 0


def test_rows_that_cannot_be_searched_leave_a_note():
    broken = nearest()
    rows = np.array(broken.features.features)
    rows[0] = np.nan
    broken = dataclasses.replace(
        broken, features=dataclasses.replace(broken.features, features=rows)
    )
    course = Course(lambda _: None)
    with course.noted("duplicates"):
        broken.duplicates()
    with course.noted("retrieval"):
        broken.retrieval(lambda _: None)
    assert course.notes.keys() == {"duplicates", "retrieval"}
    assert all("rose/1.jpg" in one for one in course.notes.values())
    assert not course.seconds
    with pytest.raises(SearchError):
        broken.duplicates()

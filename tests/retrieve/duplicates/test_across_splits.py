"""Pairs between parts, what they do to the score, and splits that are repaired."""

from __future__ import annotations

import csv
from collections import Counter

import numpy as np
import pytest
from feature_files import recipe, record, write

import penult
from penult.errors import SearchError
from penult.recipe import AugmentedRecipe
from penult.records import AugmentedRecord
from penult.retrieve.duplicates.repair import largest_shift, mend_parts

pytestmark = pytest.mark.light

LABELS = ("rose", "tulip")


def two_classes(angles, *, splits=True, **options):
    """Ten roses around 0 degrees and ten tulips around 90, 4 apart; the last two of each are tested.

    `tulip_8.jpg` is a copy of `rose_3.jpg`, but for half a degree, with the wrong label.
    """
    degrees = {
        f"{label}_{k}.jpg": 90 * c + 4 * k for c, label in enumerate(LABELS) for k in range(10)
    }
    degrees["tulip_8.jpg"] = degrees["rose_3.jpg"] + 0.5  # taken for a rose
    labels = {one: one.split("_")[0] for one in degrees}
    parts = {one: "test" if one[-5] in "89" else "train" for one in degrees}
    return angles(degrees, labels=labels, splits=parts if splits else {}, **options)


def test_pairs_between_parts_are_listed_and_the_score_without_them_is_told(angles):
    found = penult.duplicates(two_classes(angles), threshold=0.9999, across_splits=True)
    (pair,) = found.across_splits
    assert (pair.first, pair.second) == ("rose_3.jpg", "tulip_8.jpg")
    assert pair.splits == ("train", "test")
    assert found.across_total == 1
    leaks = found.leaks
    assert (dict(leaks.parts), leaks.drawn) == ({"train": 16, "test": 4}, False)
    assert leaks.description == "the file's own splits"
    assert (leaks.held_out, leaks.near, leaks.score) == (4, 1, "accuracy")
    assert (leaks.all_images, leaks.without) == (0.75, 1.0)  # the copy has the wrong label
    assert found.groups[0].splits == ("train", "test")


def test_without_pairs_between_parts_nothing_is_trained(angles, monkeypatch):
    monkeypatch.setattr("penult.tasks.duplicates.train", lambda *_, **__: pytest.fail("trained"))
    found = penult.duplicates(two_classes(angles), threshold=1, across_splits=True)
    assert (found.across_splits, found.leaks.near, found.leaks.held_out) == ((), 0, 4)


def test_where_the_file_names_no_parts_they_are_those_that_training_draws(angles):
    features = two_classes(angles, splits=False)
    found = penult.duplicates(features, threshold=0.9999, across_splits=True)
    trained = penult.train(features)
    assert found.leaks.drawn
    assert found.leaks.description.startswith("as penult.train() draws them: 25% held out")
    assert dict(found.leaks.parts) == {"train": 15, "test": 5}
    held_out = set(trained.held_out.ids)
    apart = ("rose_3.jpg" in held_out) != ("tulip_8.jpg" in held_out)
    assert len(found.across_splits) == apart
    assert found.groups[0].splits == tuple("test" if one in held_out else "train" for one in found.groups[0].ids)  # fmt: skip


def test_without_labels_pairs_are_listed_and_why_there_is_no_score(angles):
    features = angles({"a.jpg": 0, "b.jpg": 1, "c.jpg": 90}, splits={"a.jpg": "train", "b.jpg": "test"})  # fmt: skip
    found = penult.duplicates(features, across_splits=True)
    assert len(found.across_splits) == 1
    assert (found.leaks.held_out, found.leaks.all_images) == (0, None)
    assert "none of the 3 rows has a label" in found.leaks.why


def test_where_there_are_no_parts_that_is_said(angles):
    features = angles({"a.jpg": 0, "b.jpg": 1})
    with pytest.raises(
        SearchError, match="has no splits, and none can be drawn: none of the 2 rows"
    ):
        penult.duplicates(features, across_splits=True)
    alone = angles(
        {"a.jpg": 0, "b.jpg": 1}, splits=dict.fromkeys(("a.jpg", "b.jpg"), "test"), name="b"
    )
    with pytest.raises(SearchError, match="all rows of these features are in one split, 'test'"):
        penult.duplicates(alone, across_splits=True)


def test_rows_in_no_split_train_where_none_is_called_train(angles):
    features = angles({"a.jpg": 0, "b.jpg": 1, "c.jpg": 90}, splits={"b.jpg": "test"})
    (pair,) = penult.duplicates(features, across_splits=True).across_splits
    assert pair.splits == ("train", "test")
    named = angles({"a.jpg": 0, "b.jpg": 1, "c.jpg": 90}, splits={"b.jpg": "test", "c.jpg": "train"}, name="n")  # fmt: skip
    assert penult.duplicates(named, across_splits=True).across_splits == ()


def test_a_repaired_table_leaves_no_pair_between_parts(angles, tmp_path):
    features = two_classes(angles)
    found = penult.duplicates(features, threshold=0.9999, repair=tmp_path / "split.csv")
    with (tmp_path / "split.csv").open() as file:
        table = {row["id"]: row["split"] for row in csv.DictReader(file)}
    assert list(table) == list(features.ids)
    assert table["rose_3.jpg"] == table["tulip_8.jpg"]
    changed = [one for k, one in enumerate(features.ids) if table[one] != features.splits[k]]
    assert len(changed) == found.repaired.moved == 1
    assert found.repaired.path == str(tmp_path / "split.csv")
    assert found.repaired.splits == tuple(table.values())
    assert dict(found.repaired.before) == {"train": 16, "test": 4}
    assert dict(found.repaired.after) == dict(Counter(table.values()))


def test_a_repaired_file_has_all_that_the_file_had(tmp_path):
    records = [record(f"{k}.jpg", "rose" if k < 4 else "tulip", split="test" if k % 4 == 3 else "train", group=f"g{k}") for k in range(8)]  # fmt: skip
    rows = np.eye(8, dtype=np.float32)
    rows[3] = rows[0]
    layers = [recipe("pixels"), recipe("penultimate")]
    path = write(tmp_path / "f.h5", records, [rows * 2, rows], recipes=layers, dtype="float16", origin={"sources": ["x"]})  # fmt: skip
    penult.duplicates(path, repair=tmp_path / "new.h5")
    for layer in ("pixels", "penultimate"):
        before, after = penult.load(path, layer), penult.load(tmp_path / "new.h5", layer)
        assert np.array_equal(before.features[:], after.features[:])
        assert after.features.dtype == np.float16
        assert after.recipe == before.recipe
        for name in ("ids", "groups", "content", "label_names", "layers", "origin", "failures"):
            assert list(getattr(before, name)) == list(getattr(after, name)), name
        assert after.labels.tolist() == before.labels.tolist()
    assert after.splits[0] == after.splits[3]
    assert penult.duplicates(tmp_path / "new.h5", across_splits=True).across_splits == ()


def with_views(path):
    """Three photos, the first of which has a view."""
    photos = [record(f"{k}.jpg", split=part) for k, part in enumerate(("train", "test", "test"))]
    rows = np.array([[1, 0], [1, 0.01], [0, 1], [5, 5]], np.float32)
    augmented = [AugmentedRecipe(recipe(), "light", 7)]
    return write(
        path, [*photos, AugmentedRecord(photos[0], 1)], [rows], blocks=4, augmented=augmented
    )


@pytest.mark.parametrize("in_memory", [False, True])
def test_views_of_photos_go_with_them(in_memory, tmp_path):
    path = with_views(tmp_path / "f.h5")
    given = penult.load(path).take([0, 1, 2]) if in_memory else path
    penult.duplicates(given, repair=tmp_path / "new.h5")
    made = penult.load(tmp_path / "new.h5")
    assert made.splits[0] == made.splits[1]
    assert (made.augmented.of.tolist(), made.augmented.features[:].tolist()) == ([0], [[5, 5]])
    assert np.array_equal(made.features[:], penult.load(path).features[:])


def test_groups_of_the_file_stay_together_as_well(angles, tmp_path):
    degrees = {"a.jpg": 0, "b.jpg": 1, "c.jpg": 90, "d.jpg": 180, "e.jpg": 270}
    splits = dict(zip(degrees, ("train", "test", "test", "train", "test"), strict=True))
    groups = {"a.jpg": "1", "b.jpg": "2", "c.jpg": "2", "d.jpg": "3", "e.jpg": "4"}
    found = penult.duplicates(
        angles(degrees, splits=splits, groups=groups), repair=tmp_path / "s.csv"
    )
    assert len(set(found.repaired.splits[:3])) == 1
    assert found.repaired.splits[3:] == ("train", "test")


def test_what_is_divided_goes_where_most_of_it_is():
    parts = np.array([0] * 40 + [1] * 20)
    groups = np.arange(60)
    groups[[0, 1, 2, 50]] = 100  # three of it train
    mended = mend_parts(parts, groups, np.zeros(60, np.int64))
    assert np.flatnonzero(mended != parts).tolist() == [50]


def test_pairs_go_both_ways_so_that_sizes_and_classes_stay():
    labels = np.repeat([0, 1], 50)
    parts = np.tile([0, 0, 0, 1, 1], 20)
    groups = np.arange(100)
    train, test = (np.flatnonzero(parts == k) for k in (0, 1))
    for one, other in [
        *zip(train[:8], test[:8], strict=True),
        *zip(train[-8:], test[-8:], strict=True),
    ]:
        groups[one] = groups[other]
    mended = mend_parts(parts, groups, labels)
    assert (mended != parts).sum() == 16  # one of each pair
    assert np.bincount(mended).tolist() == [60, 40]
    assert largest_shift(parts, mended, labels) == 0


def test_of_many_classes_none_gains_or_loses_more_than_an_image(monkeypatch):
    monkeypatch.setattr("penult.retrieve.duplicates.repair._MOST_STARTS", 1)
    labels, parts = np.repeat(np.arange(15), 80), np.tile([0, 0, 0, 1], 300)
    groups = np.arange(1200)
    for k in range(15):
        for pair in range(k % 5):  # one of each trains, the other is tested
            groups[80 * k + 4 * pair] = groups[80 * k + 4 * pair + 3]
    mended = mend_parts(parts, groups, labels)
    assert (mended != parts).sum() == 30
    assert np.bincount(mended).tolist() == [900, 300]
    assert np.abs(np.bincount(labels[mended == 1]) - 20).max() == 1


def test_where_a_large_group_moves_others_make_up_for_it():
    labels = np.repeat([0, 1], 200)
    parts = np.tile([0, 0, 0, 1], 100)
    groups = np.arange(400)
    groups[:120] = 1000  # 90 of it train, 30 are tested
    mended = mend_parts(parts, groups, labels)
    assert len(np.unique(mended[:120])) == 1
    assert abs(np.bincount(mended)[1] - 100) <= 3
    assert largest_shift(parts, mended, labels) < 0.02
    assert (mended[120:] != parts[120:]).sum() <= 35  # not one more than what is missing


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_no_group_is_divided_whatever_the_groups(seed, several):
    rng = np.random.default_rng(seed)
    parts, groups = rng.integers(-1, 3, 200), rng.integers(0, 120, 200)
    labels = rng.random((200, 4)) < 0.4 if several else rng.integers(-1, 4, 200)
    mended = mend_parts(parts, groups, labels)
    assert np.array_equal(mended == -1, parts == -1)
    for group in np.unique(groups):
        assert len(np.unique(mended[(groups == group) & (mended >= 0)])) <= 1
    assert np.array_equal(mended, mend_parts(parts, groups, labels))
    assert largest_shift(parts, mended, labels) < 0.15


def test_parts_without_a_divided_group_stay_as_they_are():
    parts = np.array([0, 0, 1, 2, -1])
    assert mend_parts(parts, np.arange(5), np.full(5, -1)).tolist() == parts.tolist()

"""Which images train and which are held out: drawn once, the same for all that are compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from penult.comparison.splits import SplitOptions, Splits
from penult.errors import FileFormatError, TrainingError, UsageError
from penult.records import Failure

pytestmark = pytest.mark.light


@pytest.fixture
def drawn(make_features):
    features = make_features({"a": 10, "b": 10}, failures=(Failure("bad.jpg", "no image"),))
    return features, Splits.draw(features, SplitOptions())


def test_a_fifth_is_held_out_three_times_each_time_another(drawn):
    _, splits = drawn
    assert (splits.parts == 2).sum(axis=1).tolist() == [4, 4, 4]
    assert (splits.parts > 0).all()
    assert len({part.tobytes() for part in splits.parts}) == 3
    assert splits.description == "20% held out, stratified, seeds 0 to 2"
    assert splits.to_dict()["images"] == 20
    assert splits.to_dict()["classes"] == 2


def test_what_was_written_is_read_again(drawn, tmp_path):
    _, splits = drawn
    splits.write(tmp_path / "splits.csv", tmp_path / "splits.json")
    again = Splits.read(tmp_path / "splits.csv", tmp_path / "splits.json")
    assert again.digest == splits.digest
    assert (again.parts == splits.parts).all()
    assert again.to_dict() == splits.to_dict()
    assert again.failed == {"bad.jpg": "no image"}


@pytest.mark.parametrize("changed", ["trains", "test"])
def test_a_table_that_was_changed_by_hand_is_refused_with_what_to_do(drawn, tmp_path, changed):
    table, settings = tmp_path / "splits.csv", tmp_path / "splits.json"
    drawn[1].write(table, settings)
    table.write_text(table.read_text().replace("train", changed, 1))
    with pytest.raises(FileFormatError, match=r"splits\.csv .* give overwrite=True to begin anew"):
        Splits.read(table, settings)


def test_a_table_is_not_read_with_the_settings_of_another(drawn, make_features, tmp_path):
    # As a kill may leave them: the settings are written anew, and the table is not.
    table, settings = tmp_path / "splits.csv", tmp_path / "splits.json"
    drawn[1].write(table, settings)
    Splits.draw(drawn[0], SplitOptions(seed=7)).write(tmp_path / "other.csv", settings)
    with pytest.raises(FileFormatError, match="the one is not of the other"):
        Splits.read(table, settings)


def test_copies_and_groups_are_in_one_part_and_are_one_unit(make_features):
    content = [f"{k // 2}" for k in range(40)]  # each image twice
    features = make_features({"a": 20, "b": 20}, content=content)
    splits = Splits.draw(features, SplitOptions(runs=2))
    assert (splits.parts[:, ::2] == splits.parts[:, 1::2]).all()
    assert len(np.unique(splits.units)) == 20


def test_near_duplicates_are_one_unit_where_that_is_asked_for(make_features):
    features = make_features({"a": 20, "b": 20}, noise=1.0)
    features.features[1::2] = features.features[::2] * 1.001
    apart = Splits.draw(features, SplitOptions())
    together = Splits.draw(features, SplitOptions(near_duplicates=0.9999))
    assert len(np.unique(apart.units)) == 40
    assert len(np.unique(together.units)) == 20
    assert (together.parts[:, ::2] == together.parts[:, 1::2]).all()


def test_the_splits_of_the_images_themselves_are_one_run(make_features):
    parts = ["train"] * 7 + ["test"] * 3
    features = make_features({"a": 10, "b": 10}, splits=parts * 2)
    splits = Splits.draw(features, SplitOptions())
    assert splits.runs == 1
    assert [("", "train", "test")[one] for one in splits.parts[0]] == parts * 2
    with pytest.raises(UsageError, match="would hold out the same images each time"):
        Splits.draw(features, SplitOptions(runs=3))
    assert Splits.draw(features, SplitOptions(runs=2, ignore_splits=True)).runs == 2


def test_small_classes_are_in_neither_part(make_features):
    features = make_features({"a": 10, "b": 10, "c": 2})
    splits = Splits.draw(features, SplitOptions(min_per_class=5))
    assert (splits.parts[:, -2:] == 0).all()
    assert splits.left_out == {"class c has fewer than 5 images": 2}
    assert splits.to_dict()["classes"] == 2


def test_rows_of_a_run_carry_its_parts(drawn):
    features, splits = drawn
    shuffled = features.take([5, 3, 19])
    assert splits.of(shuffled, 1).splits == [
        ("", "train", "test")[splits.parts[1, k]] for k in (5, 3, 19)
    ]


def test_an_image_that_was_not_divided_is_in_no_part_and_like_no_other(drawn):
    features, splits = drawn
    more = replace(features.take([0, 1, 2]), ids=["a/000.jpg", "new.jpg", "other.jpg"])
    rows = splits.of(more, 0)
    assert rows.splits[1:] == ["", ""]
    assert len({*rows.content, *splits.of(features, 0).content[1:]}) == 22


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ids": [f"x/{k}" for k in range(20)]}, "20 images added"),
        ({"labels": np.array([1] + [0] * 9 + [1] * 10)}, "1 image relabelled (a/000.jpg)"),
        ({"content": ["other"] + [str(k) for k in range(19)]}, "20 images changed"),
    ],
)
def test_other_images_are_refused(make_features, tmp_path, change, said):
    features = make_features({"a": 10, "b": 10}, content=[f"{k:x}" for k in range(100, 120)])
    splits = Splits.draw(features, SplitOptions())
    splits.require_same(features, tmp_path)
    with pytest.raises(UsageError) as refusal:
        splits.require_same(replace(features, **change), tmp_path)
    assert said in str(refusal.value)
    assert "write to another folder" in str(refusal.value)


def test_an_image_that_another_network_has_no_row_of_is_no_other_image(drawn, tmp_path):
    features, splits = drawn
    lost = replace(features.take(list(range(19))), failures=(Failure("b/019.jpg", "not finite"),))
    splits.require_same(lost, tmp_path)
    with pytest.raises(UsageError, match=r"1 image gone \(b/019\.jpg\)"):
        splits.require_same(replace(lost, failures=()), tmp_path)


def test_what_has_its_default_was_not_asked_for(tmp_path):
    stored = SplitOptions(test_size=0.3, runs=5)
    SplitOptions().require_same(stored, tmp_path)
    SplitOptions(test_size=0.3).require_same(stored, tmp_path)
    with pytest.raises(UsageError, match=r"runs=4 was given.*divided with runs=5"):
        SplitOptions(runs=4).require_same(stored, tmp_path)


def test_too_few_images_are_refused(make_features):
    with pytest.raises(TrainingError):
        Splits.draw(make_features({"a": 10, "b": 1}), SplitOptions())


def test_a_table_may_be_saved_with_a_mark_and_other_line_ends(drawn, tmp_path):
    table, settings = tmp_path / "splits.csv", tmp_path / "splits.json"
    drawn[1].write(table, settings)
    text = table.read_bytes().decode().replace("\r\n", "\n")
    table.write_bytes(f"\ufeff{text}".encode())
    assert (Splits.read(table, settings).parts == drawn[1].parts).all()


@pytest.mark.parametrize(
    ("file", "was", "now"),
    [
        ("splits.csv", ",0,", ",99999999999999999999,"),
        ("splits.csv", "id,label", "label,id"),
        ("splits.csv", "a/000.jpg", "x" * 200_000),
        ("splits.json", '"runs": 3', '"runs": 300'),
        ("splits.json", "0.2", "NaN"),
        ("splits.json", "{", "["),
    ],
)
def test_what_was_damaged_is_refused_in_a_line(drawn, tmp_path, file, was, now):
    table, settings = tmp_path / "splits.csv", tmp_path / "splits.json"
    drawn[1].write(table, settings)
    text = (tmp_path / file).read_bytes().decode()
    assert was in text
    for damaged in (text.replace(was, now, 1), ""):
        (tmp_path / file).write_bytes(damaged.encode())
        with pytest.raises(FileFormatError, match="give overwrite=True to begin anew"):
            Splits.read(table, settings)

"""Near-duplicates are kept together, as identical images are."""

from __future__ import annotations

from dataclasses import replace

import h5py
import numpy as np
import pytest

from penult.classify.training.train import train
from penult.errors import TrainingError, UsageError
from penult.neighbors.pairs import least_memory
from penult.partition.near_duplicates import join_near_duplicates
from penult.partition.row_groups import content_numbers

PLENTY = 1 << 30


def directions(*degrees):
    """Rows of two numbers in these directions; of different lengths, which do not count."""
    angles = np.deg2rad(degrees)
    lengths = np.arange(1, len(degrees) + 1)[:, None]
    return (lengths * np.stack([np.cos(angles), np.sin(angles)], axis=1)).astype(np.float32)


def joined(make_features, rows, cosine, **fields):
    features = make_features({"daisy": len(rows)}, width=2, **fields)
    features.features[:] = rows
    numbers = content_numbers(join_near_duplicates(features, cosine, PLENTY))
    return [int(np.flatnonzero(numbers == number)[0]) for number in numbers]


def test_rows_of_a_small_angle_are_one_image_and_so_are_chains_of_them(make_features):
    rows = directions(0, 90, 10, 20, 180, 91)
    # The cosine of 10 degrees is 0.985, that of 20 is 0.940.
    assert joined(make_features, rows, 0.98) == [0, 1, 0, 0, 4, 1]
    assert joined(make_features, rows, 0.99) == [0, 1, 2, 3, 4, 1]


def test_a_cosine_of_one_joins_rows_of_one_direction_alone(make_features):
    # The second is twice as long as the first.
    assert joined(make_features, directions(33, 33, 33.01), 1.0) == [0, 0, 2]


def test_identical_images_stay_one_whatever_their_rows(make_features):
    content = ["a", "b", "a", "c"]
    assert joined(make_features, directions(0, 40, 80, 120), 0.99, content=content) == [0, 1, 0, 3]


def test_a_row_of_zeros_is_like_no_other(make_features):
    rows = directions(0, 0, 90)
    rows[1] = 0
    assert joined(make_features, rows, 0.5) == [0, 1, 2]


def test_near_duplicates_never_straddle_the_held_out_part(make_features):
    features = make_features({"daisy": 30, "rose": 30}, noise=1.0)
    rng = np.random.default_rng(0)
    # Every image stands in the file twice, once a little brighter.
    rows = features.features
    rows[1::2] = 1.1 * rows[::2] + rng.normal(0, 1e-4, rows[::2].shape)
    alone = train(features, grid={"C": [1]})
    together = train(features, grid={"C": [1]}, near_duplicates=0.999)
    assert together.settings.copies == 30
    for trained, divided in ((alone, True), (together, False)):
        held_out = {
            int(np.flatnonzero(np.asarray(features.ids) == i)[0]) for i in trained.held_out.ids
        }
        assert any(k ^ 1 not in held_out for k in held_out) is divided


def test_what_is_no_cosine_of_alike_rows_is_refused_in_one_line(make_features):
    features = make_features({"daisy": 4})
    for cosine in (0, -0.5, 1.5):
        with pytest.raises(UsageError, match=r"above 0 and up to 1, for example 0\.95"):
            join_near_duplicates(features, cosine, PLENTY)


def test_rows_of_a_file_that_do_not_fit_into_memory_are_joined_in_parts(make_features, tmp_path):
    features = make_features({"daisy": 300}, width=6000)
    rows = np.repeat(np.random.default_rng(0).normal(size=(100, 6000)), 3, axis=0)
    rows[1::3] += np.random.default_rng(1).normal(0, 0.01, (100, 6000))
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        stored = file.create_dataset("rows", data=rows.astype(np.float32))
        features = replace(features, features=stored)
        least = least_memory(stored)
        assert content_numbers(join_near_duplicates(features, 0.99, least)).tolist() == (
            np.unique(np.repeat(np.arange(100), 3).astype(str), return_inverse=True)[1].tolist()
        )


def test_memory_for_less_than_a_few_rows_is_refused_in_one_line(make_features):
    with pytest.raises(TrainingError, match=r"40 rows takes at least \d+ MB.*leave out near_dup"):
        join_near_duplicates(make_features({"daisy": 40}), 0.95, 1000)


def test_rows_that_are_no_numbers_are_named(make_features):
    features = make_features({"daisy": 4})
    features.features[2, 0] = np.nan
    with pytest.raises(TrainingError, match=f"1 row with NaN.*{features.ids[2]}"):
        join_near_duplicates(features, 0.95, PLENTY)

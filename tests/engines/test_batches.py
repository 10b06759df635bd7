"""As many images at once as pay and fit."""

from __future__ import annotations

import numpy as np
import pytest

from penult.engines.batches import OFTEN, PreparedSizes, in_batches
from penult.errors import EngineError


class Full(Exception):  # noqa: N818 - named as the tests read
    """The memory does not suffice."""


def machine(*, fits: int):
    """A run that gives each image's first byte, for no more than `fits` images at once."""
    sizes = []

    def run(images):
        if len(images) > fits:
            raise Full
        sizes.append(len(images))
        return [images[:, 0, 0, :1].astype(np.float32)]

    return run, sizes


IMAGES = np.arange(10, dtype=np.uint8).repeat(3).reshape(10, 1, 1, 3)


def test_the_last_smaller_batch_of_a_run_is_filled_up():
    sizes = PreparedSizes(64)
    assert [sizes.to_run(images) for images in (64, 64, 64, 17, 1)] == [64] * 5


def test_numbers_that_keep_coming_get_a_size_of_their_own():
    sizes = PreparedSizes(64)
    assert sizes.to_run(64) == 64
    assert [sizes.to_run(1) for _ in range(OFTEN + 2)] == [64] * OFTEN + [1] * 2
    assert sizes.to_run(64) == 64


def test_few_images_are_filled_up_to_a_power_of_two_but_to_no_more_than_a_batch():
    assert PreparedSizes(64).to_run(1) == 1
    assert PreparedSizes(64).to_run(20) == 32
    assert PreparedSizes(7).to_run(5) == 7


def test_what_does_not_fit_is_halved_until_it_does_and_the_rows_stay_in_order():
    run, sizes = machine(fits=3)
    (rows,), most = in_batches(run, IMAGES, 10, Full)
    assert rows[:, 0].tolist() == list(range(10))
    assert most == 3
    assert sizes == [3, 3, 3, 1]


def test_what_was_found_to_fit_is_kept_to():
    run, sizes = machine(fits=10)
    in_batches(run, IMAGES, 4, Full)
    assert sizes == [4, 4, 2]


def test_where_not_even_one_image_fits_one_line_says_so():
    run, _ = machine(fits=0)
    with pytest.raises(EngineError, match=r"not even one image .* give device='cpu'"):
        in_batches(run, IMAGES, 10, Full)


def test_another_error_is_not_taken_for_a_lack_of_memory():
    def run(_):
        raise RuntimeError("a kernel failed")

    with pytest.raises(RuntimeError, match="a kernel failed"):
        in_batches(run, IMAGES, 10, Full)

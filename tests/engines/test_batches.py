"""As many images at once as pay and fit."""

from __future__ import annotations

import numpy as np
import pytest

from penult.engines.batches import LARGEST, best_batch, in_batches
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


def test_a_batch_doubles_as_long_as_that_is_faster():
    rates = {8: 100.0, 16: 150.0, 32: 170.0, 64: 171.0, 128: 900.0}
    assert best_batch(rates.__getitem__, start=8) == 32


def test_a_batch_that_does_not_fit_is_not_taken():
    assert best_batch(lambda n: float(n) if n <= 100 else 0.0, start=8) == 64
    assert best_batch(lambda n: float(n) if n <= 3 else 0.0, start=32) == 2
    assert best_batch(lambda _: 0.0, start=32) == 1


def test_a_batch_stays_below_the_images_there_are_and_the_largest():
    assert best_batch(float, start=32, most=100) == 64
    assert best_batch(float, start=32) == LARGEST


def test_what_does_not_fit_is_halved_until_it_does_and_the_rows_stay_in_order():
    run, sizes = machine(fits=3)
    (rows,), most = in_batches(run, IMAGES, None, Full)
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
        in_batches(run, IMAGES, None, Full)


def test_another_error_is_not_taken_for_a_lack_of_memory():
    def run(_):
        raise RuntimeError("a kernel failed")

    with pytest.raises(RuntimeError, match="a kernel failed"):
        in_batches(run, IMAGES, None, Full)

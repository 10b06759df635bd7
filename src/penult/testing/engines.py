"""What penult relies on in an engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import numpy as np

from penult.engines.agreement import check_image, relative_error
from penult.engines.base import TOLERANCE, Engine
from penult.testing.expect import expect, expecting

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["check_engine"]

ROUNDS = 4
"""How often each thread runs."""


def check_engine(engine: Engine, reference: Engine, *, tolerance: float = TOLERANCE) -> None:
    """Check that an engine keeps what `penult.engines.base.Engine` promises.

    It is run on a few images: together, one by one, in another order, and from as many threads at
    once as it says it takes.

    Parameters
    ----------
    engine : Engine
        The engine, opened on some recipes.
    reference : Engine
        One that is trusted, opened on the same: that of torch, as a rule.
    tolerance : float, optional
        How far a row may be from the reference's: ‖a - b‖ / ‖b‖.

    Raises
    ------
    AssertionError
        If it does not; says what was expected.
    """
    with expecting("an engine has to keep what Engine promises, and raised"):
        _check(engine, reference, tolerance)


def _check(engine: Engine, reference: Engine, tolerance: float) -> None:
    with expecting("recipes have to be those that the engine was opened with"):
        recipes = tuple(engine.recipes)
    expect(engine.name and engine.device, "name and device have to be said")
    expect(engine.batch_size >= 1, f"batch_size has to be 1 or more, and is {engine.batch_size}")
    expect(engine.concurrency >= 1, f"concurrency has to be 1 or more, and is {engine.concurrency}")
    expect(
        recipes == tuple(reference.recipes),
        "recipes have to be those that the engine was opened with, in their order",
    )
    images = _images(recipes[0].preprocessing.input_size)
    given = images.copy()
    with expecting("the reference has to run"):
        expected = reference.run(images)
    with expecting("run() has to turn images into rows"):
        rows = engine.run(images)
    _check_arrays(rows, expected)
    _check_close(rows, expected, tolerance, "rows have to be those of the reference")
    expect((images == given).all(), "the images that were given have to stay as they are")
    kept = [one.copy() for one in rows]
    backwards = engine.run(images[::-1].copy())
    _check_close(
        [one[::-1] for one in backwards],
        expected,
        tolerance,
        "rows have to be in the order of images",
    )
    for k in range(len(images)):
        alone = engine.run(images[k : k + 1])
        theirs = [one[k : k + 1] for one in expected]
        _check_close(alone, theirs, tolerance, "a row must not depend on its neighbours")
    for one, before in zip(rows, kept, strict=True):
        expect(np.array_equal(one, before), "rows belong to the caller: a later call changed some")
        one.fill(0)
    _check_close(engine.run(images), expected, tolerance, "a caller that wrote into rows changed")
    _check_threads(engine, images, expected, tolerance)


def _check_threads(
    engine: Engine,
    images: NDArray[np.uint8],
    expected: list[NDArray[np.float32]],
    tolerance: float,
) -> None:
    """Give each thread images of its own, all at the same time."""
    n_threads = engine.concurrency
    start = Barrier(n_threads, timeout=60)

    def run(shift: int) -> list[NDArray[np.float32]]:
        start.wait()
        return engine.run(np.roll(images, shift, axis=0))

    with ThreadPoolExecutor(n_threads) as threads:
        for number, together in enumerate(threads.map(run, range(ROUNDS * n_threads))):
            _check_close(
                together,
                [np.roll(one, number, axis=0) for one in expected],
                tolerance,
                f"{n_threads} threads at once give other rows",
            )


def _images(size: tuple[int, int]) -> NDArray[np.uint8]:
    """Five pictures that are far from each other."""
    picture = check_image(size)
    noise = np.random.default_rng(0).integers(0, 256, picture.shape, np.uint8)
    return np.stack([picture, 255 - picture, noise, picture[::-1], np.full_like(picture, 60)])


def _check_arrays(rows: list[NDArray[np.float32]], expected: list[NDArray[np.float32]]) -> None:
    expect(
        len(rows) == len(expected),
        f"run() has to give an array a recipe, {len(expected)} of them, and gave {len(rows)}",
    )
    for one, other in zip(rows, expected, strict=True):
        expect(isinstance(one, np.ndarray), f"rows have to be NumPy arrays, and not {type(one)}")
        expect(one.dtype == np.float32, f"rows have to be float32, and are {one.dtype}")
        expect(one.shape == other.shape, f"rows have shape {one.shape} in place of {other.shape}")
        expect(one.flags.c_contiguous, "rows have to be C-contiguous")
        expect(one.flags.writeable, "rows belong to the caller, who may write into them")


def _check_close(
    rows: list[NDArray[np.float32]],
    expected: list[NDArray[np.float32]],
    tolerance: float,
    promise: str,
) -> None:
    for one, other in zip(rows, expected, strict=True):
        for k in range(len(other)):
            error = relative_error(one[k], other[k])
            expect(error <= tolerance, f"{promise}; image {k} is off by {error:.1e}")

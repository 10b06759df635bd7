"""The pictures of many images measured, each opened once and decoded by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import astuple, fields
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import PenultError
from penult.explore.outliers.picture_measures import PictureMeasures, measure_picture
from penult.machine import cores
from penult.progress import Tell
from penult.records import Failure, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MEASURES", "measure_pictures"]

MEASURES = tuple(one.name for one in fields(PictureMeasures))
"""The columns of what is measured."""


def measure_pictures(
    ids: Sequence[str], open_image: Callable[[str], bytes | None], tell: Tell
) -> tuple[NDArray[np.float64], tuple[Failure, ...]]:
    """Measure the pictures of images; so many files are in memory as threads are kept busy with.

    Parameters
    ----------
    ids : sequence of str, length N
    open_image : callable
        From an id to the image file's bytes, or None where it is gone or another by now.
    tell : callable
        Told of each.

    Returns
    -------
    measures : float64 array, shape (N, 7)
        Columns are `MEASURES`; NaN for pictures that could not be measured.
    failures : tuple of Failure
        Those, and why.
    """
    measures = np.full((len(ids), len(MEASURES)), np.nan)
    failures = []
    for place, found in enumerate(_measured(ids, open_image)):
        if isinstance(found, PictureMeasures):
            measures[place] = astuple(found)
        else:
            failures.append(Failure(str(ids[place]), found))
        tell(Progress(place + 1, len(ids), len(failures), stage="pictures"))
    return measures, tuple(failures)


def _measured(
    ids: Sequence[str], open_image: Callable[[str], bytes | None]
) -> Iterator[PictureMeasures | str]:
    threads = cores()
    waiting = deque[Future[PictureMeasures | str]]()
    pool = ThreadPoolExecutor(threads, "pictures")
    try:
        for one in ids:
            waiting.append(_begin(pool, open_image, str(one)))
            if len(waiting) > 4 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(
    pool: ThreadPoolExecutor, open_image: Callable[[str], bytes | None], image_id: str
) -> Future[PictureMeasures | str]:
    told = "is gone, or is another picture by now"
    try:
        # Archives and addresses are read in turn.
        data = open_image(image_id)
    except (OSError, PenultError) as error:
        data, told = None, f"cannot be read: {error}"
    if data is not None:
        return pool.submit(_measure, data)
    failed: Future[PictureMeasures | str] = Future()
    failed.set_result(told)
    return failed


def _measure(data: bytes) -> PictureMeasures | str:
    try:
        return measure_picture(data)
    except (OSError, PenultError) as error:
        return str(error)

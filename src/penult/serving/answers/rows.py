"""Rows of a request's photos, waited for as long as a client is made to wait."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from penult.errors import ImageError
from penult.serving.engine_queue import QueueClosedError, QueueFullError, Row
from penult.serving.problems import ProblemError, of_image

if TYPE_CHECKING:
    from penult.records import ImageRecord
    from penult.serving.engine_queue import Lane
    from penult.serving.service import Service

__all__ = ["rows_of"]


async def rows_of(
    service: Service, lane: Lane, photos: Sequence[ImageRecord]
) -> list[Row | ImageError]:
    """Turn photos into rows.

    Parameters
    ----------
    service : Service
    lane : Lane
        Whose rows.
    photos : sequence of ImageRecord

    Returns
    -------
    list of Row or ImageError
        In their order.

    Raises
    ------
    ProblemError
        503, if the queue is full, or the service stops, or no answer came in time; 422 if none of
        the photos can be read.
    """
    try:
        waiting = [asyncio.wrap_future(one) for one in service.queue.submit(photos, lane)]
    except QueueFullError as full:
        service.metrics.failure("full", len(photos))
        seconds = max(1, math.ceil(full.seconds))
        raise ProblemError(
            503,
            f"{len(service.queue)} photos wait already; try again in {seconds} s",
            {"Retry-After": str(seconds)},
        ) from None
    except QueueClosedError as closed:
        raise ProblemError(503, str(closed), {"Retry-After": "5"}) from None
    try:
        async with asyncio.timeout(service.options.timeout or None):
            found = await asyncio.gather(*waiting, return_exceptions=True)
    except TimeoutError:
        service.metrics.failure("timeout", len(photos))
        raise ProblemError(
            503,
            f"no answer within {service.options.timeout:g} seconds; try again later",
            {"Retry-After": "5"},
        ) from None
    rows: list[Row | ImageError] = []
    for one in found:
        if isinstance(one, BaseException) and not isinstance(one, ImageError):
            raise one
        rows.append(one)
    failed = [one for one in rows if isinstance(one, ImageError)]
    if failed:
        service.metrics.failure("image", len(failed))
    if len(failed) == len(rows) and failed:
        raise of_image(failed[0])
    return rows

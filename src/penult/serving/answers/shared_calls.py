"""Rows of many requests, put into a classifier or a gallery together."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Hashable
from time import perf_counter
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
from fastapi.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]

__all__ = ["SharedCalls"]

Answer = TypeVar("Answer")

_QUICK = 0.002
"""Seconds. A thread is not worth its while for less: to hand a call over, and to wait for the
interpreter's lock there, takes as long."""

_FEW = 16
"""Rows; more may take longer than the latest call did."""


class SharedCalls(Generic[Answer]):
    """Calls a function of rows once for all requests that wait for it.

    The network gives the rows of several requests at the same moment, and one call reads what they
    are compared with once, however many they are. While a call lasts, others wait for the next.
    It is used by the thread of the event loop alone, and makes a call in another thread unless the
    latest one was quick.

    Parameters
    ----------
    is_steady : bool
        Whether a call takes as long as the latest did. One that may have to wait, as for a disk or
        a database, is always made in another thread.
    """

    def __init__(self, *, is_steady: bool = False) -> None:
        self._is_steady, self._latest = is_steady, math.inf  # seconds
        self._waiting: dict[Hashable, list[tuple[Rows, asyncio.Future[list[Answer]]]]] = {}
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}

    async def __call__(
        self, key: Hashable, function: Callable[[Rows], list[Answer]], rows: Rows
    ) -> list[Answer]:
        """Call a function of rows, with those of others who give the same key.

        Parameters
        ----------
        key : hashable
            Equal for calls that may be put together.
        function : callable
            From rows to an answer for each.
        rows : float32 array, shape (n, D)

        Returns
        -------
        list of length n
            In the order of the rows.
        """
        future: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append((rows, future))
        if key not in self._tasks:
            # It begins after the others that have been waked already.
            self._tasks[key] = asyncio.ensure_future(self._work(key, function))
        return await future

    async def _work(self, key: Hashable, function: Callable[[Rows], list[Answer]]) -> None:
        try:
            while calls := self._waiting.pop(key, []):
                await self._answer(function, [one for one in calls if not one[1].done()])
        finally:
            del self._tasks[key]

    async def _answer(
        self,
        function: Callable[[Rows], list[Answer]],
        calls: list[tuple[Rows, asyncio.Future[list[Answer]]]],
    ) -> None:
        if not calls:
            return
        try:
            answers = iter(await self._call(function, np.concatenate([rows for rows, _ in calls])))
        except Exception as error:  # whatever it is, somebody waits for it
            for _, future in calls:
                if not future.done():
                    future.set_exception(error)
            return
        for rows, future in calls:
            own = [next(answers) for _ in rows]
            if not future.done():  # whoever asked may have gone
                future.set_result(own)

    async def _call(self, function: Callable[[Rows], list[Answer]], rows: Rows) -> list[Answer]:
        def timed() -> list[Answer]:
            begun = perf_counter()
            try:
                return function(rows)
            finally:
                self._latest = perf_counter() - begun

        if self._is_steady and self._latest < _QUICK and len(rows) <= _FEW:
            return timed()
        return await run_in_threadpool(timed)

"""Rows of many requests, put into a classifier or a gallery together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
from fastapi.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]

__all__ = ["SharedCalls"]

Answer = TypeVar("Answer")


class SharedCalls(Generic[Answer]):
    """Calls a function of rows once for all requests that wait for it, in a thread.

    The network gives the rows of several requests at the same moment, and one call reads what they
    are compared with once, however many they are. While a call lasts, others wait for the next.
    It is used by the thread of the event loop alone.
    """

    def __init__(self) -> None:
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
                await _answer(function, [one for one in calls if not one[1].done()])
        finally:
            del self._tasks[key]


async def _answer(
    function: Callable[[Rows], list[Answer]],
    calls: list[tuple[Rows, asyncio.Future[list[Answer]]]],
) -> None:
    if not calls:
        return
    try:
        answers = iter(
            await run_in_threadpool(function, np.concatenate([rows for rows, _ in calls]))
        )
    except Exception as error:  # whatever it is, somebody waits for it
        for _, future in calls:
            if not future.done():
                future.set_exception(error)
        return
    for rows, future in calls:
        own = [next(answers) for _ in rows]
        if not future.done():  # whoever asked may have gone
            future.set_result(own)

"""What a training is fed with: pixels, or what frozen blocks made of them once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.finetuning.pixels import PixelReader

__all__ = ["ArrayFeed", "Feed", "PixelFeed", "in_batches"]

Fed = tuple["NDArray[np.int64]", torch.Tensor]


class Feed(ABC):
    """Batches for a network, in an order that is given."""

    @abstractmethod
    def batches(
        self, batches: Iterable[NDArray[np.int64]], *, view: int | None = None
    ) -> Generator[Fed, None, None]:
        """Give each batch as the numbers of its rows, and what the network takes of them.

        Parameters
        ----------
        batches : iterable of int64 array
            Row numbers.
        view : int, optional
            Which view of each, to train on; by default what extraction sees.
        """


class PixelFeed(Feed):
    """Photos, read and perhaps changed at random.

    Parameters
    ----------
    reader : PixelReader
    """

    def __init__(self, reader: PixelReader) -> None:
        self._reader = reader

    def batches(
        self, batches: Iterable[NDArray[np.int64]], *, view: int | None = None
    ) -> Generator[Fed, None, None]:
        """See `Feed.batches`."""
        for batch in self._reader.batches(batches, view=view):
            yield batch.rows, torch.from_numpy(batch.pixels)


class ArrayFeed(Feed):
    """Rows or activations that were computed once.

    Parameters
    ----------
    array : float32 array, shape (N, ...)
        In memory, or mapped from a file; a view of a row is the row.
    """

    def __init__(self, array: NDArray[np.float32]) -> None:
        self._array = array

    def batches(
        self, batches: Iterable[NDArray[np.int64]], *, view: int | None = None
    ) -> Generator[Fed, None, None]:
        """See `Feed.batches`."""
        for rows in batches:
            yield rows, torch.from_numpy(self._array[rows])


def in_batches(rows: NDArray[np.int64], size: int) -> Sequence[NDArray[np.int64]]:
    """Cut rows into batches, the last one perhaps smaller."""
    return [rows[at : at + size] for at in range(0, len(rows), size)]

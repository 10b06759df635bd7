"""Rows of numbers, wherever they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Rows"]


class Rows(Protocol):
    """Rows in memory, an array; or in their file, from which slices are read."""

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array; the first is how many rows there are."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of their numbers."""

    def __len__(self) -> int: ...
    def __getitem__(self, rows: Any, /) -> NDArray[Any]: ...
    def __array__(self, *args: Any, **kwargs: Any) -> NDArray[Any]: ...

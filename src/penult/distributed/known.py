"""Which images have rows already, by the digests of their bytes: for workers that share it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KnownContent"]


@dataclass(frozen=True)
class KnownContent:
    """Digests of images, and where their rows are.

    Attributes
    ----------
    digests : bytes array, shape (k,)
        Sorted.
    rows : int64 array, shape (k,)
        Which row of the earlier file each has; of no use where the driver looks that up.
    """

    digests: NDArray[np.bytes_]
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, content: NDArray[np.bytes_]) -> KnownContent:
        """Sort the digests of the rows of a file."""
        order = np.argsort(content, kind="stable")
        return cls(content[order], order.astype(np.int64))

    @classmethod
    def none(cls) -> KnownContent:
        """No image has."""
        return cls(np.empty(0, "S32"), np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.digests)

    def row(self, content: str) -> int:
        """Which row an image has; -1 where it has none."""
        key = np.bytes_(content.encode())
        at = int(np.searchsorted(self.digests, key, "right")) - 1
        found = bool(content) and at >= 0 and bool(self.digests[at] == key)
        return int(self.rows[at]) if found else -1

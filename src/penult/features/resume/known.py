"""Rows that were computed before, found by the bytes of their images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from penult.features.resume.ledger import Ledger, RowSource

__all__ = ["KnownRows"]


class KnownRows:
    """Where the rows of images are that were computed before, by the digest of their bytes."""

    def __init__(self, ledger: Ledger, sources: Sequence[RowSource]) -> None:
        digests = [source.content for source in sources]
        counts = [len(content) for content in digests]
        self._ledger = ledger
        self._digests = np.concatenate([*digests, np.empty(0, "S32")])
        self._order = np.argsort(self._digests, kind="stable")
        numbers = [ledger.add_source(source) for source in sources]
        self._sources = np.repeat(np.array(numbers, np.int32), counts)
        self._rows = np.concatenate([np.arange(n, dtype=np.int32) for n in (*counts, 0)])
        self._settled = 0

    @property
    def digests(self) -> NDArray[np.bytes_]:
        """(k,) of the images whose rows are known, sorted; for a process that has not the rows."""
        return self._digests[self._order]

    @property
    def left(self) -> int:
        """How many of them were not asked for yet, if each is asked for once."""
        return max(0, len(self._rows) - self._settled)

    def _find(self, content: str) -> int | None:
        key = content.encode()
        at = np.searchsorted(self._digests, np.bytes_(key), "right", sorter=self._order) - 1
        return int(self._order[at]) if at >= 0 and self._digests[self._order[at]] == key else None

    def __contains__(self, content: str) -> bool:
        return bool(content) and self._find(content) is not None

    def settle(self, positions: NDArray[np.intp], digests: Sequence[str]) -> None:
        """Enter the rows of images with known digests in the ledger."""
        for position, digest in zip(positions, digests, strict=True):
            at = self._find(digest)
            self._ledger.settle(position, int(self._sources[at]), int(self._rows[at]))
        self._settled += len(digests)

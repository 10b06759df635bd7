"""Rows on their way to a table, or from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from penult.representation import short_repr

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Nearest", "Stored", "StoredRows"]


@short_repr
@dataclass(frozen=True)
class StoredRows:
    """Rows of a table, n of them, and what belongs to each.

    Attributes
    ----------
    ids : sequence of str, length n
        Each once.
    rows : float32 array, shape (n, D)
        Flat, whatever the shape of a row in its file.
    labels : sequence of tuple of str, length n
        Of each row none, one or several.
    splits, groups, content : sequence of str, length n
        As `penult.Features` has them; empty where there is none.
    positions : sequence of int, length n
        The place of each in the file that it came from.
    """

    ids: Sequence[str]
    rows: NDArray[np.float32]
    labels: Sequence[tuple[str, ...]]
    splits: Sequence[str]
    groups: Sequence[str]
    content: Sequence[str]
    positions: Sequence[int]

    def __len__(self) -> int:
        return len(self.ids)

    def digests(self) -> list[str]:
        """Make the digest of each row, and of all that belongs to it but its position.

        Returns
        -------
        list of str, length n
            Hex BLAKE2b-128 over id, content, split, group and labels, each with its length before
            it, and the row's little-endian bytes.
        """
        columns = (self.ids, self.content, self.splits, self.groups)
        # A row of -0.0 is one of 0.0, but it is written as it came: bytes are compared.
        rows = np.ascontiguousarray(self.rows, "<f4")
        found = []
        for k, labels in enumerate(self.labels):
            digest = blake2b(digest_size=16)
            for text in (*(column[k] for column in columns), *sorted(labels)):
                encoded = text.encode("utf-8", "surrogatepass")
                digest.update(len(encoded).to_bytes(4, "little"))
                digest.update(encoded)
            digest.update(rows[k].tobytes())
            found.append(digest.hexdigest())
        return found

    def take(self, places: Sequence[int] | NDArray[np.int64]) -> StoredRows:
        """Take some of them.

        Parameters
        ----------
        places : sequence of int
            Among the n.

        Returns
        -------
        StoredRows
            In the order asked for.
        """
        chosen = [int(place) for place in places]
        return StoredRows(
            ids=[self.ids[k] for k in chosen],
            rows=self.rows[chosen],
            labels=[self.labels[k] for k in chosen],
            splits=[self.splits[k] for k in chosen],
            groups=[self.groups[k] for k in chosen],
            content=[self.content[k] for k in chosen],
            positions=[self.positions[k] for k in chosen],
        )


class Stored(NamedTuple):
    """What a table says of a row that it has.

    Attributes
    ----------
    digest : str
        As `StoredRows.digests` made it when the row was written.
    position : int
        Its place in the file that it came from.
    """

    digest: str
    position: int


@short_repr
@dataclass(frozen=True)
class Nearest:
    """What is nearest to one query.

    Attributes
    ----------
    found : StoredRows
        At most k rows, nearest first; fewer only where the table has fewer that a filter leaves.
    values : float64 array, shape (n,)
        Cosine similarities or Euclidean distances of the rows as they were extracted, to the bit
        those that `penult.search` gives for the feature file.
    """

    found: StoredRows
    values: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

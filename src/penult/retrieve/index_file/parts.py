"""All that an index is made of, between the file and who searches it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from penult.representation import short_repr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.likeness import Likeness
    from penult.records import Features, Rows
    from penult.records.neighbors import Metric
    from penult.retrieve.index_file.sources import Source
    from penult.retrieve.structures.base import Effort, Structure

__all__ = ["Kind", "Parts", "Recall"]

Kind = Literal["flat", "hnsw", "ivfpq"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class Recall:
    """How much of what exact search finds an index finds, too.

    Attributes
    ----------
    value : float
        The share, in [0, 1], of rows among the first k that are as near as the k-th by exact
        search.
    k : int
        How many were asked for.
    queries : int
        Rows that were searched for, before they were added themselves.
    """

    value: float
    k: int
    queries: int


@dataclass(frozen=True, kw_only=True)
class Parts:
    """All that an index is made of.

    Attributes
    ----------
    rows : float32 or float16 array, shape (N, …)
    ids : sequence of str, length N
    metric : {"cosine", "euclidean"}
    features : Features or None
        What is known of the rows; None of plain arrays.
    lengths : float64 array, shape (N,)
        Of the rows.
    structure : Structure or None
        None for exact search.
    effort : Effort or None
        How much of the structure a search looks at.
    recall : Recall or None
    why : str
        Why it is of this kind, where that was chosen for the user.
    sources : tuple of Source
    removed : sequence of str
        Ids of rows that were taken out.
    stored_likeness : Likeness or None
        What tells rows like these from others, where it is known already.
    """

    rows: Rows
    ids: Sequence[str]
    metric: Metric
    features: Features | None
    lengths: NDArray[np.float64]
    structure: Structure | None = None
    effort: Effort | None = None
    recall: Recall | None = None
    why: str = ""
    sources: tuple[Source, ...] = ()
    removed: Sequence[str] = ()
    stored_likeness: Likeness | None = None

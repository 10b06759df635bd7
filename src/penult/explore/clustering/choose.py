"""How many clusters: what was asked for, and which of several numbers is the best."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from penult.errors import UsageError
from penult.explore.clustering.numbering import by_size
from penult.explore.clustering.silhouette import Silhouettes
from penult.interface import option
from penult.records import ClusterCount, Progress
from penult.representation import short_text
from penult.wording import count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.progress import Tell

__all__ = ["best_clusters", "numbers_of_clusters"]

_LEAST, _MOST = 2, 30
_NUMBER = re.compile(r"\d{1,18}")
_RANGE = re.compile(r"(\d{1,18})\s*:\s*(\d{1,18})")


def numbers_of_clusters(k: int | str | Sequence[int] | None, rows: int) -> range:
    """Read how many clusters are asked for.

    Parameters
    ----------
    k : int, str, sequence of int or None
        A number, ``"10"``, or both ends of a range, ``"2:30"`` or ``(2, 30)``, or all of it,
        ``range(2, 31)``; None for 2 to 30, or as many as there can be.
    rows : int
        How many rows there are, at least two.

    Returns
    -------
    range
        One number, or several to choose from.

    Raises
    ------
    UsageError
        If it is neither, or there are fewer rows.
    """
    if k is None:
        return range(_LEAST, max(_LEAST, min(_MOST, rows - 1)) + 1)
    text = str(k).strip() if isinstance(k, int | str) else _as_text(k)
    ends = _RANGE.fullmatch(text)
    if ends is None and _NUMBER.fullmatch(text) is None:
        raise UsageError(
            f"{option('k')} is {short_text(text)!r}; give how many clusters, 10, or the ends of a "
            "range to choose from, 2:30"
        )
    if ends is None:
        if not 1 <= int(text) <= rows:
            raise UsageError(
                f"{option('k')} is {int(text):,}; allowed for {count(rows, 'row')}: 1 to {rows:,}"
            )
        return range(int(text), int(text) + 1)
    first, last = int(ends[1]), int(ends[2])
    if not _LEAST <= first < last <= rows - 1:
        allowed = (
            f"allowed for {count(rows, 'row')}: a lower end of 2 or more and a higher one of "
            f"{rows - 1:,} at most"
            if rows > 3
            else f"{count(rows, 'row')} are too few to choose; give {option('k', 2)}"
        )
        if _LEAST <= last < first < rows:
            allowed = f"the lower end comes first; give {option('k', f'{last}:{first}')}"
        if first == last and 1 <= first <= rows:
            allowed = f"that is one number of clusters; give {option('k', first)}"
        raise UsageError(f"{option('k')} is {first:,}:{last:,}; {allowed}")
    return range(first, last + 1)


def _as_text(k: Sequence[int]) -> str:
    """The ends of a range as the command takes them; two numbers are such ends."""
    if len(k) < 2 or (len(k) > 2 and [*k] != [*range(k[0], k[0] + len(k))]):
        raise UsageError(
            f"{option('k')} is {short_text(str([*k]))}; give how many clusters, 10, or the ends of "
            "a range to choose from, (2, 30)"
        )
    return f"{k[0]}:{k[-1]}"


def best_clusters(
    make: Callable[[int], NDArray[np.int64]],
    numbers: Sequence[int],
    silhouettes: Silhouettes,
    tell: Tell,
) -> tuple[NDArray[np.int64], tuple[ClusterCount, ...]]:
    """Make clusters of each number, and keep those of the highest mean silhouette.

    Parameters
    ----------
    make : callable
        From k to the number of each row's cluster, int64, shape (N,).
    numbers : sequence of int
        The k to try, ascending.
    silhouettes : Silhouettes
        Measures all of them on the same rows.
    tell : callable
        Told of each k.

    Returns
    -------
    assignments : int64 array, shape (N,)
        Numbered by size; of equal silhouettes, those of the fewest clusters.
    curve : tuple of ClusterCount
        A silhouette for each k, or nothing where there was no choice.
    """
    curve = []
    best, highest = None, -2.0
    for place, k in enumerate(numbers):
        tell(Progress(place, len(numbers), 0, stage="cluster", unit="clusterings"))
        found = by_size(make(k))
        if len(numbers) == 1:
            best = found
            break
        silhouette = silhouettes.mean(found)
        curve.append(ClusterCount(k, silhouette))
        if best is None or (silhouette is not None and silhouette > highest):
            best, highest = found, -2.0 if silhouette is None else silhouette
    tell(Progress(len(numbers), len(numbers), 0, stage="cluster", unit="clusterings"))
    assert best is not None
    return best, tuple(curve)

"""Which rows each row is compared with: copies count once, and a row never with itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from penult.errors import UsageError
from penult.interface import option
from penult.neighbors.distinct import DistinctRows
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features
    from penult.records.neighbors import Metric

__all__ = ["NEIGHBORS", "ComparedPart", "Comparisons", "find_comparisons", "require_reference"]

ReferenceName = Literal["all", "class", "train"]

NEIGHBORS = 10
"""How many neighbours count where that is not said.

Breunig et al. (2000, section 6.2) advise 10 at least, for fewer make the factor noisy; with many
more, a class of a few dozen photos has no neighbourhoods.
"""


@dataclass(frozen=True, kw_only=True)
class ComparedPart:
    """Rows that are a reference, and those that are compared with it.

    Attributes
    ----------
    name : str
        The class; "" where there is one reference for all.
    reference : int64 array, shape (m,)
        Places of its rows, ascending, one of each that are equal. Each is compared with the others.
    others : int64 array, shape (q,)
        Places of rows that are no part of it and are compared with it, ascending; no two equal.
    rows : int64 array, shape (n,)
        Places of all rows, equal ones too.
    stands_for : int64 array, shape (n,)
        The place in `reference`, or in `others` counted on from its end, of the row that is equal
        to each.
    """

    name: str
    reference: NDArray[np.int64]
    others: NDArray[np.int64]
    rows: NDArray[np.int64]
    stands_for: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Comparisons:
    """All that is to be compared.

    Attributes
    ----------
    reference : {"all", "class", "train"}
    k : int
        How many neighbours count.
    parts : tuple of ComparedPart
        Each with more than k rows as its reference.
    lengths : float64 array, shape (N,)
        Of all rows.
    not_compared : dict of str to int
        Why rows are in no part, to how many.
    """

    reference: ReferenceName
    k: int
    parts: tuple[ComparedPart, ...]
    lengths: NDArray[np.float64]
    not_compared: dict[str, int] = field(default_factory=dict)


def require_reference(features: Features, reference: ReferenceName | None, k: int | None) -> None:
    """Refuse what cannot be compared, before any row is read.

    Raises
    ------
    UsageError
        If there is no such part, or k is too small.
    """
    if k is not None and k < 1:
        raise UsageError(f"{option('k')} is {k}; give 1 or more")
    if reference == "class" and not (features.labels >= 0).any():
        raise UsageError(
            f"{option('reference', 'class')} needs rows that have one label, and none has; give "
            f"{option('reference', 'all')}"
        )
    if reference == "train" and "train" not in map(str, features.splits or ()):
        raise UsageError(
            f"{option('reference', 'train')} needs rows of a training part, and the features name "
            f"none; give {option('reference', 'all')}"
        )


def find_comparisons(
    features: Features, reference: ReferenceName | None, k: int | None, metric: Metric
) -> Comparisons:
    """Find which rows each is compared with; all rows are read once, a block at a time.

    Copies would make the local outlier factor infinite, for they lie infinitely densely; so of
    rows that are equal one counts, as Breunig et al. (2000) propose (their k-distinct-distance).

    Parameters
    ----------
    features : Features
    reference : {"all", "class", "train"}, optional
        Without, the class where more than half of the rows are in classes that are large enough.
    k : int, optional
        `NEIGHBORS` by default, or as many as the largest reference has others.
    metric : {"cosine", "euclidean"}
        By cosine, rows of zeros are not compared.

    Raises
    ------
    UsageError
        If no reference has more than k different rows.
    SearchError
        If rows hold numbers that are not finite; names the ids.
    """
    distinct = DistinctRows.of(features.features, features.ids)
    numbers = np.full(len(features), -1)
    numbers[distinct.members] = np.repeat(np.arange(len(distinct)), distinct.sizes)
    lengths = np.zeros(len(features))
    lengths[distinct.members] = distinct.lengths[numbers[distinct.members]]
    if metric == "euclidean":
        numbers[numbers < 0] = len(distinct)  # those of zeros are equal, too
    chosen: ReferenceName = reference or "all"
    parts = []
    if reference in ("class", None):
        parts = [*_by_class(features, numbers)]
        large = [one for one in parts if len(one.reference) > (k or NEIGHBORS)]
        if reference is None and 2 * sum(len(one.rows) for one in large) > len(features):
            chosen = "class"
    if chosen != "class":
        parts = [_whole(features, numbers, train=chosen == "train")]
    most = max((len(one.reference) for one in parts), default=0) - 1
    k = min(NEIGHBORS, most) if k is None else k
    if k > most or most < 1:
        raise _too_few(chosen, k, most + 1)
    why = dict[str, int]()
    compared = [one for one in parts if len(one.reference) > k]
    for words, places in (
        ("of zeros, which has no cosine", numbers < 0),
        ("without one label", (numbers >= 0) & (features.labels < 0) & (chosen == "class")),
    ):
        if places.any():
            why[words] = int(places.sum())
    if small := sum(len(one.rows) for one in parts if len(one.reference) <= k):
        classes = count(len(parts) - len(compared), "class")
        why[f"in {classes} of {k} different rows or fewer"] = small
    return Comparisons(
        reference=chosen, k=k, parts=tuple(compared), lengths=lengths, not_compared=why
    )


def _by_class(features: Features, numbers: NDArray[np.int64]) -> Iterator[ComparedPart]:
    labels = np.where(numbers < 0, -1, features.labels)
    order = np.argsort(labels, kind="stable")
    ends = np.searchsorted(labels[order], np.arange(len(features.label_names) + 1))
    for label, name in enumerate(features.label_names):
        rows = order[ends[label] : ends[label + 1]]
        if len(rows):
            places, stands_for = _different(rows, numbers)
            none = np.empty(0, np.int64)
            yield ComparedPart(
                name=str(name), reference=places, others=none, rows=rows, stands_for=stands_for
            )


def _whole(features: Features, numbers: NDArray[np.int64], *, train: bool) -> ComparedPart:
    rows = np.flatnonzero(numbers >= 0)
    inside = np.ones(len(features), bool)
    if train:
        inside = np.array([str(one) == "train" for one in features.splits or ()])
    first, _ = _different(rows[inside[rows]], numbers)
    # A row that is equal to one of the training part is that one.
    left = rows[~np.isin(numbers[rows], numbers[first])]
    others, _ = _different(left, numbers)
    where = np.zeros(int(numbers.max(initial=-1)) + 1, np.int64)
    where[numbers[first]] = np.arange(len(first))
    where[numbers[others]] = len(first) + np.arange(len(others))
    return ComparedPart(
        name="", reference=first, others=others, rows=rows, stands_for=where[numbers[rows]]
    )


def _different(
    rows: NDArray[np.int64], numbers: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first of rows that are equal, ascending, and which of them each row is equal to."""
    _, first, which = np.unique(numbers[rows], return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rows[first[order]], rank[which]


def _too_few(reference: ReferenceName, k: int, most: int) -> UsageError:
    whose = {"all": "there are", "class": "the largest class has", "train": "the training part has"}
    if most < 2:
        if most == 1:
            whose["all"] = "there is"
        return UsageError(
            f"{whose[reference]} {count(most, 'different row')}, so there is nothing to compare"
        )
    advice = f", or {option('reference', 'all')}" if reference != "all" else ""
    return UsageError(
        f"{option('k')} is {k:,}, and {whose[reference]} {count(most, 'different row')}; give "
        f"{most - 1:,} or less{advice}"
    )

"""Who asks whom: which rows query, and which are the gallery that they search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import SearchError, TrainingError, UsageError
from penult.interface import option
from penult.partition.draw import draw_held_out
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.retrieve.evaluation.labelled_rows import LabelledRows

__all__ = [
    "Trial",
    "draw_trials",
    "leave_one_out",
    "require_k",
    "require_two_labels",
    "search_apart",
]


@dataclass(frozen=True)
class Trial:
    """Queries, and the gallery that each of them searches.

    Attributes
    ----------
    queries : int64 array, shape (Q,)
        Places of rows, ascending.
    gallery : int64 array, shape (M,)
        Places of rows, ascending. A query may be among them, and does not find itself.
    """

    queries: NDArray[np.int64]
    gallery: NDArray[np.int64]


def leave_one_out(rows: LabelledRows) -> list[Trial]:
    """Have each row search all others."""
    every = np.arange(len(rows))
    return [Trial(every, every)]


def search_apart(rows: LabelledRows) -> list[Trial]:
    """Have the rows of the one file search those of the other."""
    return [Trial(np.flatnonzero(rows.asking), np.flatnonzero(~rows.asking))]


def draw_trials(rows: LabelledRows, test_size: float, runs: int, seed: int) -> list[Trial]:
    """Draw a part of the rows to search the others, as often as `runs` says.

    The part has its share of every label, and no group of rows is divided
    (`penult.partition.draw`). Rows of a label that is in one group alone stay in the gallery: no
    row would be relevant to them.

    Parameters
    ----------
    rows : LabelledRows
        To be divided.
    test_size : float
        The part that queries, in (0, 1).
    runs : int
        How often a part is drawn, with seeds one apart.
    seed : int
        Of the first.

    Raises
    ------
    UsageError
        If no such part can be drawn.
    """
    if not 0 < test_size < 1:
        raise UsageError(
            f"{option('test_size', float(f'{test_size:g}'))} was given; give the part of the rows "
            "that queries, above 0 and below 1, for example 0.2"
        )
    may = np.flatnonzero(_may_query(rows))
    several = rows.labels.several
    sets = rows.labels.of[may]
    held_by = rows.labels.of_rows(may).toarray() > 0 if several else sets
    trials = []
    for run in range(runs):
        try:
            drawn = draw_held_out(
                held_by,
                rows.groups[may].astype(str) if rows.grouped else None,
                test_size=test_size,
                folds=1,
                seed=seed + run,
            )
        except (TrainingError, ValueError) as error:
            raise UsageError(
                f"{100 * test_size:.3g}% of {count(len(may), 'row')} of "
                f"{count(rows.labels_present, 'label')} cannot be drawn as queries so that every "
                f"label is among them and in the gallery; give another {option('test_size')}, or "
                "leave it out to have each row search all others"
            ) from error
        asking = np.zeros(len(rows), bool)
        asking[may[drawn]] = True
        trials.append(Trial(np.flatnonzero(asking), np.flatnonzero(~asking)))
    return trials


def _may_query(rows: LabelledRows) -> NDArray[np.bool_]:
    """Which rows share a label with another group."""
    from scipy.sparse import csr_array

    every = np.arange(len(rows))
    member = csr_array((np.ones(len(rows)), (rows.groups, every)))
    of_group = (member @ rows.labels.of_rows(every)) > 0
    groups_of_label = np.asarray(of_group.sum(axis=0)).reshape(-1)
    found: NDArray[np.bool_] = rows.labels.of_rows(every) @ (groups_of_label > 1).astype(int) > 0
    return found


def require_k(k: Sequence[int], trials: Sequence[Trial]) -> None:
    """Refuse lists that are longer than what a query can find.

    Raises
    ------
    UsageError
    """
    # In one of themselves, queries do not find themselves.
    least = min(
        len(trial.gallery) - bool(np.isin(trial.queries, trial.gallery).any()) for trial in trials
    )
    if max(k) > least:
        raise UsageError(
            f"{option('k', max(k))} was given, but a query finds no more than "
            f"{count(least, 'row')}; give at most {least}"
        )


def require_two_labels(rows: LabelledRows) -> None:
    """Refuse a gallery whose rows all have the same labels: every ranking of them is perfect.

    Raises
    ------
    SearchError
    """
    gallery = np.flatnonzero(~rows.asking)
    if len(np.unique(rows.labels.of[gallery])) < 2:
        label = " and ".join(rows.names(int(gallery[0])))
        raise SearchError(
            f"the rows that are searched are of one label only ({label}), so all of them are "
            "relevant, and any search would be perfect; give rows of two labels or more: of images "
            "in one folder a class, for example"
        )

"""Which rows a map is made of, and which of them it is fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from penult.errors import UsageError
from penult.interface import option
from penult.wording import count, listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["MapRows", "Part", "choose_rows", "fitted_on"]

Part = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class MapRows:
    """Rows of a map, by their places in the features.

    Attributes
    ----------
    shown : int64 array, shape (n,)
        Ascending.
    fitted : bool array, shape (n,)
        Which of them the map is fitted on; the others are placed on it.
    """

    shown: NDArray[np.int64]
    fitted: NDArray[np.bool_]


def choose_rows(
    features: Features, *, sample: int | None, seed: int, fit_on: Part | None
) -> MapRows:
    """Choose them: all, or a random part, each row as likely as any other.

    Parameters
    ----------
    features : Features
        With splits, where it is to be fitted on a part.
    sample : int or None
        How many at most; None for all.
    seed : int
        Of the choice.
    fit_on : {"train", "validation", "test"} or None
        The part that it is fitted on; None for all.

    Raises
    ------
    UsageError
        If there are no such rows.
    """
    shown = np.arange(len(features))
    if sample is not None:
        if sample < 2:
            raise UsageError(f"{option('sample')} is {sample:,}; give 2 or more")
        if sample < len(shown):
            chosen = np.random.default_rng(seed).choice(len(shown), sample, replace=False)
            shown = np.sort(chosen)
    fitted = fitted_on(features, shown, fit_on)
    if not fitted.any() and fit_on is not None:
        everywhere = np.arange(len(features))
        there = [one for one in get_args(Part) if fitted_on(features, everywhere, one).any()]
        has = f"the rows are in {listed(there)}"
        if not there:
            raise UsageError(
                f"{option('fit_on', fit_on)} fits the map on that part alone, but the rows have no "
                "splits; extract photos that lie in folders train/ and test/, or are listed in a "
                "table with a column split, or leave it out"
            )
        if fit_on in there:
            has = f"none of the {count(len(shown), 'row')} sampled is in it"
        raise UsageError(
            f"{option('fit_on', fit_on)} fits the map on that part alone, but {has}; leave it "
            "out, or give another"
        )
    return MapRows(shown, fitted)


def fitted_on(
    features: Features, shown: NDArray[np.int64], fit_on: Part | None
) -> NDArray[np.bool_]:
    """Say which of some rows a map that is fitted on a part is fitted on; all where that is None.

    Returns
    -------
    bool array, shape (n,)
    """
    if fit_on is None:
        return np.ones(len(shown), bool)
    splits = np.array([""] * len(features) if features.splits is None else [*features.splits], str)
    fitted: NDArray[np.bool_] = splits[shown] == fit_on
    return fitted

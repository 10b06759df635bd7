"""Scores of clusters against labels, and the names that labels give to clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.records import LabelAgreement

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["label_counts", "measure_agreement"]


def label_counts(assignments: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the labels in each cluster.

    Parameters
    ----------
    assignments : int64 array, shape (N,)
        Clusters from 0; -1 for noise.
    labels : int64 array, shape (N,)
        Labels from 0; -1 where there is not one.

    Returns
    -------
    int64 array, shape (K + 1, L)
        Rows that have a label; of noise in the last row.
    """
    clusters, classes = assignments.max(initial=-1) + 1, labels.max(initial=-1) + 1
    has = labels >= 0
    table = np.zeros((clusters + 1, classes), np.int64)
    np.add.at(table, (assignments[has], labels[has]), 1)
    return table


def measure_agreement(
    assignments: NDArray[np.int64], labels: NDArray[np.int64]
) -> LabelAgreement | None:
    """Score clusters against labels, over the rows that have one; noise is one more cluster.

    Parameters
    ----------
    assignments, labels : int64 arrays, shape (N,)
        As for `label_counts`.

    Returns
    -------
    LabelAgreement or None
        None where no row has a label.
    """
    from sklearn.metrics import (
        adjusted_rand_score,
        homogeneity_completeness_v_measure,
        normalized_mutual_info_score,
    )

    has = labels >= 0
    if not has.any():
        return None
    truth, found = labels[has], assignments[has]
    homogeneity, completeness, v_measure = homogeneity_completeness_v_measure(truth, found)
    return LabelAgreement(
        nmi=float(normalized_mutual_info_score(truth, found)),
        ari=float(adjusted_rand_score(truth, found)),
        purity=float(label_counts(assignments, labels).max(axis=1).sum() / has.sum()),
        homogeneity=float(homogeneity),
        completeness=float(completeness),
        v_measure=float(v_measure),
        labelled=int(has.sum()),
    )

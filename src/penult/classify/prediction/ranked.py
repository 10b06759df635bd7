"""Probabilities as predictions, the most probable class first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.records import Prediction

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ranked"]


def ranked(
    ids: Iterable[Any],
    probabilities: NDArray[np.float64],
    label_names: Sequence[str],
    *,
    top: int,
    thresholds: Sequence[float] | None,
    similarity: NDArray[np.float32] | None,
    unlike: NDArray[np.bool_] | None,
) -> list[Prediction]:
    """Turn probabilities into predictions.

    Parameters
    ----------
    ids : (N,)
    probabilities : (N, K)
    label_names : (K,)
    top : how many classes to list
    thresholds : (K,) from which a label is given; None where each row has one
    similarity, unlike : (N,) what is said of each; None where nothing is
    """
    # Stable: of equally probable classes the first of the label names comes first.
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
    result = []
    for place, (name, row, best) in enumerate(zip(ids, probabilities, order, strict=True)):
        listed = tuple((label_names[k], float(row[k])) for k in best)
        labels = None
        if thresholds is not None:
            above = np.flatnonzero(row >= np.array(thresholds))
            labels = tuple(label_names[k] for k in above[np.argsort(-row[above])])
        near = is_unlike = None
        if similarity is not None and unlike is not None:
            near, is_unlike = float(similarity[place]), bool(unlike[place])
        result.append(
            Prediction(
                str(name),
                *listed[0],
                top=listed,
                unlike=is_unlike,
                similarity=near,
                labels=labels,
            )
        )
    return result

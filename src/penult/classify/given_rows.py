"""Rows that a classifier is given, checked before it is applied to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import UsageError
from penult.representation import what_given
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["checked_rows"]


def checked_rows(given: Any, width: int) -> NDArray[np.float32]:
    """Take rows as a classifier of rows of `width` numbers has to have them.

    Parameters
    ----------
    given : array-like, shape (N, width) or (N, ...)
    width : int

    Returns
    -------
    float32 array, shape (N, width)

    Raises
    ------
    UsageError
        If they have another length, or hold NaN or infinite numbers.
    """
    try:
        rows = np.asarray(given, np.float32)
        rows.shape[0]
    except (TypeError, ValueError, IndexError) as error:
        raise UsageError(
            f"rows is {what_given(given)}; give an array of shape (N, D), or Features"
        ) from error
    rows = rows.reshape(len(rows), int(np.prod(rows.shape[1:])))
    if rows.shape[1] != width:
        raise UsageError(
            f"these rows have {count(rows.shape[1], 'number')} each, but the "
            f"classifier was trained on rows of {width}; extract them with its own recipe"
        )
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise UsageError(
            f"{count(int((~finite).sum()), 'row')} with NaN or infinite numbers, "
            f"the first is row {(~finite).argmax()}; extract these images again"
        )
    return rows

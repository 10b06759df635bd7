"""Which images trained a classifier, or the network below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.content_keys import is_among, keys_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["content_keys", "is_seen", "trained_any"]


def content_keys(features: Features, rows: NDArray[np.int64]) -> NDArray[np.uint64] | None:
    """Make the keys of some images; see `penult.content_keys`.

    Parameters
    ----------
    rows : (n,) of the features

    Returns
    -------
    (n,) uint64, 0 where there is no digest; or None where no row has one
    """
    if features.content is None:
        return None
    found = keys_of(np.asarray(features.content)[rows].tolist())
    return found if found.any() else None


def is_seen(
    features: Features, rows: NDArray[np.int64], trained_on: NDArray[np.uint64] | None
) -> NDArray[np.bool_] | None:
    """Whether the image of each row is one of those, (n,); None where that cannot be known.

    Parameters
    ----------
    rows : (n,) of the features
    trained_on : of `content_keys`, in any order
    """
    keys = None if trained_on is None else content_keys(features, rows)
    if keys is None or trained_on is None:
        return None
    return is_among(keys, trained_on)


def trained_any(
    features: Features, rows: NDArray[np.int64], trained_on: NDArray[np.uint64] | None
) -> NDArray[np.bool_] | None:
    """Whether the image of each row trained the classifier or the network that made the row.

    Parameters
    ----------
    rows, trained_on : as for `is_seen`

    Returns
    -------
    (n,) bool; None where neither is known
    """
    seen, network = is_seen(features, rows, trained_on), features.trained_network
    if network is None:
        return seen
    below = np.asarray(network, bool)[rows]
    return below if seen is None else seen | below

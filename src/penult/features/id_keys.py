"""Ids as keys of sixteen bytes, and where some keys stand among others; a million take 16 MB."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["find_places", "id_key"]


def id_key(text: str) -> bytes:
    """Sixteen bytes that stand for an id."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def find_places(wanted: NDArray[Any], among: NDArray[Any]) -> NDArray[np.int64]:
    """Find keys among others.

    Parameters
    ----------
    wanted : array, shape (n,)
    among : array, shape (m,)
        Each there once.

    Returns
    -------
    int64 array, shape (n,)
        Where each of the wanted is; -1 where it is not.
    """
    if not len(among):
        return np.full(len(wanted), -1, np.int64)
    order = np.argsort(among, kind="stable")
    place = order[np.searchsorted(among, wanted, sorter=order).clip(max=len(among) - 1)]
    return np.where(among[place] == wanted, place, -1)

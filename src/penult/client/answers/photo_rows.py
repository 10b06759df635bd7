"""The rows of photos."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penult.representation import short_repr

__all__ = ["PhotoFailure", "PhotoRows"]


@short_repr
@dataclass(frozen=True)
class PhotoFailure:
    """A photo that has no row.

    Attributes
    ----------
    photo : int
        Which one of those that were given, counted from 0.
    detail : str
        What is wrong with it.
    """

    photo: int
    detail: str


@short_repr
@dataclass(frozen=True, eq=False)
class PhotoRows:
    """The rows of photos.

    Attributes
    ----------
    features : ndarray of float32, shape (N, D)
        The rows of the photos that could be read, in the order in which they were given.
    recipe_sha256 : str
        The digest of their recipe: rows with equal digests may be compared.
    photos : tuple of int, length N
        Which of the photos that were given each row is of, counted from 0.
    failures : tuple of PhotoFailure
        Those that could not be read.
    """

    features: NDArray[np.float32]
    recipe_sha256: str
    photos: tuple[int, ...]
    failures: tuple[PhotoFailure, ...] = ()

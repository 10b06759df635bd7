"""UMAP, by umap-learn."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import UsageError
from penult.interface import option
from penult.progress import announce
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["choose_neighbors", "umap"]

_NEIGHBORS = 15
_START = 10.0  # standard deviation of the start along x, as umap-learn's own


def choose_neighbors(asked: int | None, rows: int) -> int:
    """Check how many neighbours each row is kept near to, or take 15, or all others.

    Raises
    ------
    UsageError
        If there are not so many.
    """
    if rows < 4:
        raise UsageError(
            f"UMAP of {count(rows, 'row')} has too few neighbours to keep; give 4 rows or more, "
            f"or {option('method', 'pca')}"
        )
    if asked is None:
        return min(_NEIGHBORS, rows - 1)
    if not 2 <= asked < rows:
        raise UsageError(
            f"{option('neighbors')} is {asked:,}; allowed for {count(rows, 'row')}: 2 to "
            f"{rows - 1:,}"
        )
    return asked


def umap(
    rows: NDArray[np.float32], fitted: NDArray[np.bool_], *, neighbors: int, seed: int
) -> NDArray[np.float32]:
    """Map rows by uniform manifold approximation and projection (McInnes et al., 2018).

    It starts from the first two principal components (Kobak and Linderman, 2021), and uses one
    thread, without which a seed would not count.

    Parameters
    ----------
    rows : float32 array, shape (n, k)
        Their principal components, most variance first.
    fitted : bool array, shape (n,)
        Which are mapped together. The others are then placed by UMAP's own ``transform``.
    neighbors : int
        How many nearest rows each is kept near to, itself among them.
    seed : int
        Of what chance decides.

    Returns
    -------
    float32 array, shape (n, 2)

    Raises
    ------
    MissingExtraError
        By `penult.extras.require_extra`, which is to be called first.
    """
    announce("loading UMAP")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from umap import UMAP

    learned = rows[fitted]
    start = learned[:, :2] * (_START / float(learned[:, 0].std()))
    if not start[:, 1].any():
        # UMAP stretches both axes to one length. Rows in a line have chance in place of the second.
        start[:, 1] = np.random.default_rng(seed).standard_normal(len(start))
    announce("UMAP")
    fit = UMAP(n_neighbors=neighbors, init=start, random_state=seed, transform_seed=seed, n_jobs=1)
    result = np.empty((len(rows), 2), np.float32)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        result[fitted] = fit.fit_transform(learned)
        if not fitted.all():
            announce("place other rows")
            result[~fitted] = fit.transform(rows[~fitted])
    return result

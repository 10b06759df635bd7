"""Inner products of the columns of rows that stay on disk, and what can be solved from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.classify.linear.passes import StoredRows, View
from penult.classify.preparation import make_pca, most_axes

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.decomposition import PCA

__all__ = ["inner_product_bytes", "inner_products", "principal_components", "scatter_of"]


def inner_product_bytes(width: int, folds: int) -> int:
    """Say how many bytes those of each fold take, those of all rows, and room to solve."""
    return (folds + 3) * 8 * width**2


def inner_products(
    rows: StoredRows,
    members: NDArray[np.bool_],
    targets: NDArray[np.float64] | None = None,
    weights: Sequence[NDArray[np.float64] | None] = (),
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Sum (row, 1)'(row, 1) and (row, 1)'target over the rows of each fit, in one pass.

    Parameters
    ----------
    rows : the rows
    members : (F + 1, n) bool; each row is left out by one of the first F, and is in the last
    targets : (n, C); none by default
    weights : (n,) of each fit; by default all rows count alike
    """
    if targets is None:
        targets = np.empty((len(rows), 0))
    products = [np.zeros((rows.width + 1,) * 2) for _ in members]
    crosses = [np.zeros((rows.width + 1, targets.shape[1])) for _ in members]
    weighted = any(each is not None for each in weights)
    for part, block in rows.blocks():
        extended = np.column_stack([block, np.ones(len(block))])
        for k, member in enumerate(members if weighted else members[:-1]):
            # Unless a row counts differently from fit to fit, the sums of each fit are those of all
            # less those of what it leaves out.
            mine = member[part] if weighted else ~member[part]
            own, counted = extended[mine], extended[mine]
            if weighted and (each := weights[k]) is not None:
                counted = own * each[part][mine, None]
            products[k] += counted.T @ own
            crosses[k] += counted.T @ targets[part][mine]
    if not weighted:
        for sums in (products, crosses):
            sums[-1] = np.sum(sums[:-1], axis=0)
            sums[:-1] = [sums[-1] - each for each in sums[:-1]]
    return products, crosses


def scatter_of(product: NDArray[np.float64], view: View) -> NDArray[np.float64]:
    """Scatter of the D columns around their means, scaled as a view does it."""
    means = product[-1, :-1] / product[-1, -1]
    scatter: NDArray[np.float64] = product[:-1, :-1] - product[-1, -1] * np.outer(means, means)
    scatter *= view.factor[:, None] * view.factor
    return scatter


def principal_components(product: NDArray[np.float64], view: View, count: int) -> PCA:
    """Make what fitting scikit-learn's ``PCA`` to rows as a view scales them would give.

    Parameters
    ----------
    product : (D + 1, D + 1), sum of (row, 1)'(row, 1)
    view : how rows are scaled
    count : components to keep; at most as many as the rows allow are
    """
    rows, width = int(product[-1, -1]), len(product) - 1
    pca = make_pca(min(count, most_axes(rows, width)), rows, width)
    variances, axes = np.linalg.eigh(scatter_of(product, view) / (rows - 1))
    variances, axes = variances[::-1].clip(0), axes.T[::-1]
    kept = pca.n_components
    # Of the two directions of an axis, as scikit-learn chooses it.
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    axes = axes * np.where(largest < 0, -1, 1)
    total = max(float(variances.sum()), np.finfo(float).tiny)
    rest = variances[kept : min(rows, width)]
    means = product[-1, :-1] / product[-1, -1]
    pca.components_ = np.ascontiguousarray(axes[:kept], np.float32)
    pca.mean_ = ((means - view.center) * view.factor).astype(np.float32)
    pca.explained_variance_ = variances[:kept].astype(np.float32)
    pca.explained_variance_ratio_ = (variances[:kept] / total).astype(np.float32)
    pca.singular_values_ = np.sqrt(variances[:kept] * (rows - 1)).astype(np.float32)
    pca.noise_variance_ = np.float32(rest.mean() if len(rest) else 0)
    pca.n_components_, pca.n_samples_, pca.n_features_in_ = kept, rows, width
    return pca

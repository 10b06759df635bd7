"""What is done to rows before a classifier sees them: scaled, and perhaps reduced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import UnknownNameError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SCALES", "Preparation", "Step", "make_pca", "make_scaler", "make_steps", "most_axes"]

SCALES = ("l2", "standard", "none")

Step = tuple[str, Any]
"""A name and a scikit-learn transformer."""


@dataclass(frozen=True, eq=False)
class Preparation:
    """Steps that are fitted.

    Attributes
    ----------
    steps : the first steps of a pipeline
    """

    steps: Sequence[Step]

    @classmethod
    def fit(
        cls, rows: NDArray[np.float32], scale: str, reduce: int | None = None
    ) -> tuple[Preparation, NDArray[np.float32]]:
        """Fit `make_steps` to (n, D) rows; return them, and the rows as they come out."""
        steps = make_steps(scale, reduce, rows.shape)
        with np.errstate(invalid="ignore"):  # of rows that are all the same, no share is explained
            for _, step in steps:
                rows = step.fit_transform(rows)
        return cls(steps), rows

    def transform(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Apply them to (m, D) rows."""
        for _, step in self.steps:
            rows = step.transform(rows)
        return rows


def make_steps(
    scale: str, reduce: int | None = None, shape: tuple[int, ...] = (0, 0)
) -> list[Step]:
    """Build the unfitted steps before a classifier.

    Parameters
    ----------
    scale : {'l2', 'standard', 'none'}
        See `make_scaler`.
    reduce : int, optional
        Numbers to reduce a row to, by principal component analysis.
    shape : (n, D)
        Of the rows to fit it on; fewer numbers are made of them if they allow no more.

    Raises
    ------
    UnknownNameError
        If there is no such scaling.
    """
    scaler = make_scaler(scale)
    steps: list[Step] = [] if scaler is None else [("scale", scaler)]
    if reduce is not None:
        steps.append(("reduce", make_pca(min(reduce, most_axes(*shape)), *shape)))
    return steps


def make_pca(n_components: int, n_rows: int, width: int) -> Any:
    """Build an unfitted PCA for (n_rows, width) rows, by the quicker of the exact solvers."""
    from sklearn.decomposition import PCA

    solver = "covariance_eigh" if n_rows > width else "full"
    return PCA(n_components, svd_solver=solver)


def most_axes(n_rows: int, width: int) -> int:
    """Count the axes that so many rows of so many numbers can span, centred; one at least."""
    return max(1, min(n_rows - 1, width))


def make_scaler(scale: str) -> Any:
    """Build an unfitted scaler.

    Parameters
    ----------
    scale : {'l2', 'standard', 'none'}
        ``"l2"`` scales each row to length one, ``"standard"`` each column to mean 0 and standard
        deviation 1 over the training rows.

    Returns
    -------
    scikit-learn transformer or None
        None for ``"none"``.

    Raises
    ------
    UnknownNameError
        If there is no such scaling.
    """
    from sklearn.preprocessing import Normalizer, StandardScaler

    if scale not in SCALES:
        raise UnknownNameError("scaling", scale, SCALES)
    return {"l2": Normalizer, "standard": StandardScaler, "none": lambda: None}[scale]()

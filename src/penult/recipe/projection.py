"""The arrays of a principal component analysis."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from penult.errors import FileFormatError
from penult.wording import percent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Projection"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Projection:
    """A principal component analysis that was fitted, and how rows go through it.

    ``(row - mean) @ components.T``, divided by the square root of `explained_variance` where
    whitened, as scikit-learn's ``PCA`` has it.

    Attributes
    ----------
    mean : float32 array, shape (D,)
    components : float32 array, shape (k, D)
        Rows of length one, most variance first.
    explained_variance : float32 array, shape (k,)
        The variance of the fitted rows along each component.
    total_variance : float
        The variance of the fitted rows, all D directions together.
    whiten : bool
        Whether each component is scaled to variance one.

    Raises
    ------
    FileFormatError
        If the arrays do not fit together, or hold what is no number.
    """

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    explained_variance: NDArray[np.float32]
    total_variance: float
    whiten: bool = False

    def __post_init__(self) -> None:
        import numpy as np

        for name in ("mean", "components", "explained_variance"):
            array = np.array(getattr(self, name), np.float32, order="C")
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        shape = self.components.shape
        if (
            len(shape) != 2
            or 0 in shape
            or self.mean.shape != shape[1:]
            or self.explained_variance.shape != shape[:1]
        ):
            raise FileFormatError(
                f"a projection has a mean of shape {self.mean.shape}, components of {shape} and "
                f"variances of {self.explained_variance.shape}, which do not fit together"
            )
        arrays = (self.mean, self.components, self.explained_variance)
        if not all(np.isfinite(array).all() for array in (*arrays, self.total_variance)):
            raise FileFormatError("a projection holds NaN or infinite numbers")
        if min(self.explained_variance.min(), self.total_variance) < 0:
            raise FileFormatError("a projection holds a negative variance")

    @cached_property
    def sha256(self) -> str:
        """Hex digest of what changes a row: the arrays' shape and bytes, and whether it whitens."""
        digest = hashlib.sha256(f"pca {self.components.shape} {self.whiten}\n".encode())
        for array in (self.mean, self.components, self.explained_variance):
            digest.update(array.astype("<f4", copy=False).tobytes())
        return digest.hexdigest()

    @property
    def explained_variance_ratio(self) -> float:
        """The share of the fitted rows' variance that is kept, between 0 and 1."""
        if not self.total_variance:
            return 1.0
        return min(1.0, float(self.explained_variance.sum(dtype="f8")) / self.total_variance)

    def apply(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Project rows.

        Parameters
        ----------
        rows : float32 array, shape (n, D)

        Returns
        -------
        float32 array, shape (n, k)
        """
        import numpy as np

        projected = np.asarray((rows - self.mean) @ self.components.T, np.float32)
        if self.whiten:
            projected /= self.scale
        return projected

    @property
    def scale(self) -> NDArray[np.float32]:
        """What each component is divided by where it is whitened, float32 (k,)."""
        import numpy as np

        # As scikit-learn: what has no variance is not divided by zero.
        return np.maximum(np.sqrt(self.explained_variance), np.finfo(np.float32).eps)

    def restore(self, projected: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn projected rows back into such as were projected, as far as the components tell.

        Parameters
        ----------
        projected : float32 array, shape (n, k)

        Returns
        -------
        float32 array, shape (n, D)
        """
        import numpy as np

        if self.whiten:
            projected = projected * self.scale
        return np.asarray(projected @ self.components + self.mean, np.float32)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Projection) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __repr__(self) -> str:
        k, width = self.components.shape
        kept = percent(self.explained_variance_ratio)
        return f"Projection({width} to {k} numbers, {kept} of the variance)"

"""Rows of augmented views of photos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from penult.records.rows import Rows
from penult.representation import short_repr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe import AugmentedRecipe

__all__ = ["AugmentedRows"]


@short_repr
@dataclass(frozen=True, kw_only=True, eq=False)
class AugmentedRows:
    """Rows of photos that were changed at random, to train with and for nothing else.

    They stand beside the rows of `Features` and are none of them, so that nothing scores, searches
    or divides them.

    Attributes
    ----------
    features : float32 or float16 array, shape (M, D), (M, C, H, W) or (M, T, D)
        The rows; of a file, an h5py dataset that is read where it is sliced.
    of : int64 array, shape (M,)
        The place of the photo's row that each belongs to, among those of the `Features`.
    view : int64 array, shape (M,)
        Which augmented view of the photo each is: 1, 2 and so on.
    recipe : AugmentedRecipe
        How they were made.
    """

    features: Rows
    of: NDArray[np.int64]
    view: NDArray[np.int64]
    recipe: AugmentedRecipe

    def __len__(self) -> int:
        """The number of augmented rows."""
        return len(self.of)

    def take(self, places: NDArray[np.intp]) -> AugmentedRows | None:
        """Take those of some photos.

        Parameters
        ----------
        places : int array, shape (n,)
            Of the photos' rows; where one is named twice, so are its augmented rows.

        Returns
        -------
        AugmentedRows or None
            In memory, in the order of the photos; `of` is counted among these n rows. None where
            the photos have none.
        """
        import numpy as np

        order = np.argsort(self.of, kind="stable")
        first, last = (np.searchsorted(self.of[order], places, side) for side in ("left", "right"))
        counts = last - first
        total = int(counts.sum())
        if not total:
            return None
        before = np.cumsum(counts) - counts  # rows of the photos before each
        picked = order[np.arange(total) + np.repeat(first - before, counts)]
        unique, back = np.unique(picked, return_inverse=True)  # as h5py wants them
        return AugmentedRows(
            features=self.features[unique][back],
            of=np.repeat(np.arange(len(places)), counts),
            view=self.view[picked],
            recipe=self.recipe,
        )

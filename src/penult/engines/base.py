"""The contract every engine keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe import Recipe

__all__ = ["TOLERANCE", "Engine"]

TOLERANCE = 1e-4
"""How far a float32 row may be from the torch engine's: ‖a - b‖ / ‖b‖."""


class Engine(ABC):
    """A backbone cut at some layers, ready to run on decoded images.

    Attributes
    ----------
    name : what to type after ``--engine``
    device : e.g. ``"cpu"``, ``"cuda:0"``
    recipes : one for each array that `run` returns
    batch_size : images a call that suit this device
    concurrency : how many threads may be inside `run` at once, and should be
    """

    name: str
    device: str
    recipes: Sequence[Recipe]
    batch_size: int = 32
    concurrency: int = 1

    @abstractmethod
    def run(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Turn decoded images into rows.

        Parameters
        ----------
        images : uint8 (N, H, W, 3), RGB, as `penult.images.pixels.transform` makes them; N >= 1

        Returns
        -------
        One float32 array (N, …) a recipe, C-contiguous, owned by the caller. A row does not depend
        on its neighbours in the batch, beyond `TOLERANCE`.
        """

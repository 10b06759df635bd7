"""The contract every engine keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe import BackboneRecipe

__all__ = ["HALF_TOLERANCES", "TOLERANCE", "Engine", "EngineSettings"]

TOLERANCE = 1e-4
"""How far a float32 row may be from the torch engine's: ‖a - b‖ / ‖b‖."""

HALF_TOLERANCES = {"bfloat16": 0.3, "float16": 0.04}
"""How far a row in half precision may be from one that another engine or processor gave.

Each rounds at places of its own, to 8 bits in bfloat16 and to 11 in float16. A bfloat16 row of
EfficientNet-Lite0 is up to 0.08 from float32's, by OpenVINO as on an H200, and the two up to 0.105
from each other (306 photos), of its first block 0.23; of ResNet50 0.003. A float16 row of
EfficientNet-Lite0 is up to 0.009 from float32's; one of ResNet50 0.0004 from that of a smaller
batch. On one machine, OpenVINO gives the same bits.
"""


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """How an engine is to run; none of it changes a row.

    Attributes
    ----------
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:N"`` or ``"mps"``.
    batch_size : int or None
        Images a call, and at a time; what suits the device by default.
    streams : int or None
        Images that are worked on at the same time, for an engine that has streams.
    images : int or None
        How many come first, where that is known: nothing is prepared for more before more come.
    fresh : bool
        Prepare the network anew, trusting nothing that is cached.
    """

    device: str = "auto"
    batch_size: int | None = None
    streams: int | None = None
    images: int | None = None
    fresh: bool = False


class Engine(ABC):
    """A backbone cut at some layers, ready to run on decoded images.

    An engine is a subclass in a module of its own, and a line of
    `penult.engines.registry.ENGINES`. It is made by ``Class(backbone, recipes, settings)``: the
    backbone is in a form that its line says it runs, and `EngineSettings` are for a device that it
    runs on; the recipes are of this backbone, and differ in layer, pooling and row normalization
    alone. Where it cannot run the network, or not here, that raises an `EngineError`: the next
    engine is tried, unless the user named this one.

    Attributes
    ----------
    name : str
        What to type after ``--engine``.
    device : str
        E.g. ``"cpu"``, ``"cuda:0"``.
    recipes : sequence of BackboneRecipe
        One for each array that `run` returns.
    batch_size : int
        Images a call that suit this device.
    concurrency : int
        How many threads may be inside `run` at once, and should be.
    """

    name: str
    device: str
    recipes: Sequence[BackboneRecipe]
    batch_size: int = 32
    concurrency: int = 1

    @cached_property
    def row_shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shape of one row of each recipe, found by running a black image."""
        import numpy as np

        black = np.zeros((1, *self.recipes[0].preprocessing.input_size, 3), np.uint8)
        return tuple(rows.shape[1:] for rows in self.run(black))

    @abstractmethod
    def run(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Turn decoded images into rows.

        Parameters
        ----------
        images : uint8 array, shape (N, H, W, 3)
            RGB, as `penult.images.pixels.transform` makes them; N >= 1, and need not be
            `batch_size`.

        Returns
        -------
        list of float32 array, shape (N, …)
            One a recipe, in their order, C-contiguous, owned by the caller. A row is that of the
            engine ``torch`` to within `TOLERANCE`, and does not depend on its neighbours in the
            batch beyond that.
        """

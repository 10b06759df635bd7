"""What all parts of a run have in common, as whoever writes one has to know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from penult.errors import UnknownNameError, UsageError
from penult.features.export import require_writable
from penult.features.parts.entry import PartFormat
from penult.features.projections import projections_of
from penult.interface import option

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.features.write import Columns
    from penult.recipe import AugmentedRecipe, Recipe

__all__ = ["MOST_IMAGES", "PART_IMAGES", "PartsHeader", "require_part_images"]

PART_IMAGES = 4096
"""Images a part, by default."""

MOST_IMAGES = 1 << 40
"""More than anybody has, and few enough to be counted in 64 bits."""

_FORMATS = ("h5", "parquet")


def require_part_images(number: int) -> None:
    """Refuse a number of images that no part can have.

    Raises
    ------
    UsageError
    """
    if not 1 <= number <= MOST_IMAGES:
        raise UsageError(
            f"{option('part_images')} of {number} was given; it must be 1 or more, and "
            f"{MOST_IMAGES:,} at the most"
        )


@dataclass(frozen=True, kw_only=True)
class PartsHeader:
    """What all parts of a run have in common; to be pickled.

    Attributes
    ----------
    run : str
        Eight hex digits that tell the run from any other, by what decides its outcome.
    created : str
        When the run began, ISO 8601, UTC; every part says the same.
    recipes : mapping of str to Recipe
        By the names of the sets of rows, in execution order.
    columns : Columns
        Those that the whole listing needs.
    dtype : {"float32", "float16"}
        Of the rows.
    origin : mapping
        Where the images came from, JSON-like.
    part_images : int
        Images a part: part k has the positions from (k - 1) * part_images on. Augmented views do
        not count; they are in the part of their photo.
    format : {"h5", "parquet"}
        Of the part files.
    augmented : tuple of AugmentedRecipe
        How rows of augmented views are made, one a set of rows, where there may be some.
    trained_on : tuple
        As `FeatureWriter` takes it.

    Raises
    ------
    UsageError
        If there is no such format, it cannot hold these rows, or its library is missing.
    """

    run: str
    created: str
    recipes: Mapping[str, Recipe]
    columns: Columns
    dtype: Literal["float32", "float16"] = "float32"
    origin: Mapping[str, Any] = field(default_factory=dict)
    part_images: int = PART_IMAGES
    format: PartFormat = "h5"
    augmented: tuple[AugmentedRecipe, ...] = ()
    trained_on: tuple[NDArray[np.uint64] | None, ...] = ()

    def __post_init__(self) -> None:
        if self.format not in _FORMATS:
            raise UnknownNameError("part format", self.format, _FORMATS)
        require_part_images(self.part_images)
        if self.format == "parquet":
            require_writable(".parquet")
            if self.augmented or projections_of([*self.recipes.values()]):
                what = "rows of augmented views" if self.augmented else "the arrays of a projection"
                raise UsageError(
                    f"Parquet parts cannot hold {what}; give {option('part_format', 'h5')}"
                )

    @property
    def names(self) -> tuple[str, ...]:
        """Of the sets of rows."""
        return tuple(self.recipes)

"""One photo, as networks see it, and what they give for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from penult.engines.photo_decoder import PhotoDecoder
from penult.errors import ImageError
from penult.extractor import Extractor, ExtractorSpec, RecipeRows
from penult.images.in_memory import as_records
from penult.records import ImageRecord

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe import BackboneRecipe, Preprocessing

__all__ = ["Looker", "SeenPhoto"]


@dataclass(frozen=True, eq=False)
class SeenPhoto:
    """What networks give for one photo.

    Attributes
    ----------
    id : str
        The photo.
    arrays : mapping of BackboneRecipe to float32 array
        What each recipe makes of it, without the axis of the photos.
    pixels : mapping of Preprocessing to uint8 array, shape (H, W, 3)
        What networks that see photos so see of it, RGB.
    """

    id: str
    arrays: Mapping[BackboneRecipe, NDArray[np.float32]]
    pixels: Mapping[Preprocessing, NDArray[np.uint8]]


class Looker:
    """Shows photos to networks that this process keeps open, and has them as they see them.

    Parameters
    ----------
    spec : ExtractorSpec
        Whose weights and engine are used.
    recipes : sequence of BackboneRecipe
        What is wanted of each photo.
    """

    def __init__(self, spec: ExtractorSpec, recipes: Sequence[BackboneRecipe]) -> None:
        self._recipes = tuple(dict.fromkeys(recipes))
        told = spec.rows.recipe_is if isinstance(spec.rows, RecipeRows) else spec.rows.told
        names = tuple(map(str, range(len(self._recipes))))
        rows = RecipeRows(self._recipes, told, names)
        self._extractor: Extractor = replace(spec, rows=rows).shared()

    def __call__(self, image: Any) -> SeenPhoto:
        """Show one photo.

        Parameters
        ----------
        image : path, bytes, Pillow image, uint8 array, binary file or ImageRecord

        Raises
        ------
        ImageError
            If it cannot be read; names it.
        EngineError, UsageError
            If the network cannot be run.
        """
        record = image if isinstance(image, ImageRecord) else as_records([image])[0]
        composition = self._extractor.engine_for(1)
        reading = self._extractor.spec.reading
        read = PhotoDecoder(
            composition,
            max_pixels=reading.max_pixels,
            allow_truncated=reading.allow_truncated,
        )
        ((outcome, pixels),) = read([record])
        if outcome.failure is not None or pixels is None:
            reason = "is known" if outcome.failure is None else outcome.failure.reason
            raise ImageError(f"{record.id}: {reason}")
        arrays = composition.run([pixels])
        return SeenPhoto(
            record.id,
            {one: rows[0] for one, rows in zip(self._recipes, arrays, strict=True)},
            {seen: views[0] for seen, views in pixels.items()},
        )

"""One photo, as networks see it, and what they give for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from penult.errors import ImageError
from penult.extractor import Extractor, ExtractorSpec, RecipeRows
from penult.images.in_memory import as_records
from penult.images.pixels.decode import MAX_PIXELS
from penult.images.read import read_image
from penult.recipe import View
from penult.records import ImageRecord
from penult.saliency.view_layout import lay_together, picture_of_views

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe import BackboneRecipe, Preprocessing, Recipe

__all__ = ["Looker", "SeenPhoto"]


@dataclass(frozen=True, eq=False)
class SeenPhoto:
    """What networks give for one photo.

    Attributes
    ----------
    id : str
        The photo.
    arrays : mapping of (BackboneRecipe, View) to float32 array
        What each network gives for each view of it, without the axis of the photos.
    pixels : mapping of Preprocessing to mapping of View to uint8 array, shape (h, w, 3)
        What networks that see photos so see of it, RGB.
    corners : mapping of Preprocessing to mapping of View to (int, int)
        Where each of these views lies, (x, y) on the resized photo.
    """

    id: str
    arrays: Mapping[tuple[BackboneRecipe, View], NDArray[np.float32]]
    pixels: Mapping[Preprocessing, Mapping[View, NDArray[np.uint8]]]
    corners: Mapping[Preprocessing, Mapping[View, tuple[int, int]]]

    def row(self, recipe: Recipe) -> NDArray[np.float32]:
        """The row that a recipe makes of what its networks give, float32 (D,)."""
        return recipe.rows(lambda leaf, view: self.arrays[leaf, view][None]).reshape(-1)

    def together(
        self, seen: Preprocessing, maps: Mapping[View, NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Lay maps of views together, float64 (H, W); see `lay_together`."""
        size = next(iter(self.pixels[seen].values())).shape
        return lay_together(maps, self.corners[seen], (size[0], size[1]))

    def picture(self, seen: Preprocessing, views: Iterable[View]) -> NDArray[np.uint8]:
        """What views show together, uint8 (H, W, 3); see `picture_of_views`."""
        return picture_of_views(
            {view: self.pixels[seen][view] for view in views}, self.corners[seen]
        )


class Looker:
    """Shows photos to networks that this process keeps open, and has them as they see them.

    Parameters
    ----------
    spec : ExtractorSpec
        Whose weights and engine are used.
    recipes : sequence of Recipe
        Whose networks' rows are wanted of each photo, before they are put together.
    """

    def __init__(self, spec: ExtractorSpec, recipes: Sequence[Recipe]) -> None:
        recipes = tuple(dict.fromkeys(recipes))
        told = spec.rows.recipe_is if isinstance(spec.rows, RecipeRows) else spec.rows.told
        rows = RecipeRows(recipes, told, tuple(map(str, range(len(recipes)))))
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
        preprocess = composition.preprocessor
        reading = self._extractor.spec.reading
        try:
            made, _ = read_image(
                record,
                lambda photo, _, sizes: (preprocess(photo, None, sizes), photo.size),
                max_pixels=reading.max_pixels or MAX_PIXELS,
                allow_truncated=reading.allow_truncated,
                at_least=preprocess.at_least,
            )
        except ImageError as error:
            raise ImageError(f"{record.id}: {error}") from error
        # Each way of seeing has the size of the image that it was made of, which may be a smaller
        # one of a large JPEG.
        seen = {how: (views, size) for some, size in made for how, views in some.items()}
        rows = composition.leaf_rows([{how: views for how, (views, _) in seen.items()}])
        transforms = preprocess.transforms
        return SeenPhoto(
            record.id,
            {key: array[0] for key, array in rows.items()},
            {
                how: dict(zip(transforms[how].views, views, strict=True))
                for how, (views, _) in seen.items()
            },
            {
                how: dict(zip(transforms[how].views, transforms[how].corners(size), strict=True))
                for how, (_, size) in seen.items()
            },
        )

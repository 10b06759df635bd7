"""Which regions make two photos alike to a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import UsageError
from penult.records import RegionSimilarity
from penult.saliency.places import Places

if TYPE_CHECKING:
    from penult.extractor import ExtractorSpec
    from penult.recipe import Recipe

__all__ = ["similar_regions"]


def similar_regions(spec: ExtractorSpec, recipe: Recipe, one: Any, other: Any) -> RegionSimilarity:
    """Divide the cosine of two photos' rows among the places of each.

    Parameters
    ----------
    spec : ExtractorSpec
        What opens the networks, of `recipe` alone.
    recipe : Recipe
        What makes the rows.
    one, other : path, bytes, Pillow image, uint8 array, binary file or ImageRecord
        The photos.

    Returns
    -------
    RegionSimilarity

    Raises
    ------
    UsageError
        If rows cannot be divided among places, or are zero.
    ImageError
        If a photo cannot be read.

    Notes
    -----
    Stylianou, Souvenir and Pless, "Visualizing Deep Similarity Networks", WACV 2019: with rows that
    are averages over places, the cosine is a sum over pairs of places, one of each photo; here, for
    each place, over all places of the other photo.
    """
    places = Places(spec, recipe)
    seen = [places.see(photo) for photo in (one, other)]
    rows = [photo.row(recipe).astype(np.float64) for photo in seen]
    lengths = [float(np.linalg.norm(row)) for row in rows]
    for photo, length in zip(seen, lengths, strict=True):
        if not length > 0:
            raise UsageError(f"the row of {photo.id} is zero, and has no direction to compare")
    scale = lengths[0] * lengths[1]
    # The other photo's row is the weights.
    (maps, rest), (others, others_rest) = (
        places.divide(photo, row / scale) for photo, row in zip(seen, rows[::-1], strict=True)
    )
    return RegionSimilarity(
        ids=(seen[0].id, seen[1].id),
        cosine=float(rows[0] @ rows[1]) / scale,
        constants=(rest, others_rest),
        maps=tuple(zip(maps, others, strict=True)),
    )

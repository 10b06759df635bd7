"""One augmented view of an image, which may become a row to train with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penult.records.image import ImageRecord
from penult.representation import short_repr

if TYPE_CHECKING:
    from penult.recipe import AugmentedRecipe

__all__ = ["AugmentedRecord", "augmented_content"]


@short_repr
@dataclass(frozen=True, slots=True, init=False)
class AugmentedRecord(ImageRecord):
    """A photo to be changed at random: its row is for training, and is no row of a photo.

    It has the bytes, the labels and the split of its photo, and belongs to the photo's group, so
    that nothing parts them.

    Attributes
    ----------
    photo : ImageRecord
        The photo that is changed.
    view : int
        Which augmented view of it this is: 1, 2 and so on.
    """

    photo: ImageRecord = field(kw_only=True)
    view: int = field(kw_only=True)

    def __init__(self, photo: ImageRecord, view: int) -> None:
        # Not super(): a dataclass with slots is another class than the one written here.
        ImageRecord.__init__(
            self,
            id=f"{photo.id} (augmented view {view})",
            open=photo.open,
            labels=photo.labels,
            split=photo.split,
            group=photo.group or photo.id,
            path=photo.path,
            stamp=photo.stamp,
        )
        object.__setattr__(self, "photo", photo)
        object.__setattr__(self, "view", view)


def augmented_content(content: str, recipe: AugmentedRecipe, view: int) -> str:
    """Tell augmented views apart as `ImageRecord`'s bytes do photos, by a digest.

    What is drawn for a view has to follow from this alone, so that rows that are known by it
    are those that would be made again.

    Parameters
    ----------
    content : str
        Hex BLAKE2b-128 digest of the photo's bytes.
    recipe : AugmentedRecipe
        Its policy and seed count; what makes rows of the changed image does not.
    view : int
        Which view of the photo.

    Returns
    -------
    str
        32 hex digits.
    """
    whole = f"{content} {recipe.policy} {recipe.seed} {view}"
    return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()

"""How many augmented views each photo gets, and how they are made."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from penult.arguments import require_seed, require_whole
from penult.errors import UnknownNameError, UsageError
from penult.images.pixels.augment import POLICIES
from penult.interface import option
from penult.recipe import AugmentedRecipe, Recipe
from penult.records import ImageRecord
from penult.wording import count

__all__ = ["AUGMENTATION_OPTIONS", "AugmentationOptions"]

AUGMENTATION_OPTIONS = ("augment", "augment_to", "augment_policy", "augment_seed")
"""What a feature file's origin calls them; one without augmentation has none of them."""

_MOST = 10_000  # views of one photo: a number with a zero too many is not a day's work
_TRAINED_ON = (None, "train")  # views of other splits would be used by nobody


@dataclass(frozen=True, kw_only=True)
class AugmentationOptions:
    """Which photos get augmented views, how many, and how they are made.

    Attributes
    ----------
    augment : int
        Views of each photo.
    augment_to : int or None
        Or as many as fill each class up to that many rows.
    augment_policy : {"light", "strong"}
        How photos are changed; see `penult.images.pixels.augment`.
    augment_seed : int
        What the changes are drawn from, with the photo's bytes and the number of the view.

    Raises
    ------
    UsageError, UnknownNameError
    """

    augment: int = 0
    augment_to: int | None = None
    augment_policy: Literal["light", "strong"] = "light"
    augment_seed: int = 0

    def __post_init__(self) -> None:
        require_whole("augment", self.augment)
        require_whole("the seed", self.augment_seed)
        if self.augment_policy not in POLICIES:
            raise UnknownNameError("augmentation policy", self.augment_policy, POLICIES)
        if not 0 <= self.augment <= _MOST:
            raise UsageError(
                f"{option('augment', self.augment)} was given; give a number of views from 0 to "
                f"{_MOST:,}"
            )
        require_seed(self.augment_seed, "augment_seed")
        if self.augment_to is not None:
            require_whole("augment_to", self.augment_to)
            if self.augment_to < 1:
                raise UsageError(
                    f"{option('augment_to', self.augment_to)} was given; give how many rows a "
                    "class is to have, 1 or more"
                )
            if self.augment:
                raise UsageError(
                    f"{option('augment', self.augment)} and {option('augment_to', self.augment_to)}"
                    " exclude each other: one gives each photo as many views, the other each class"
                )
        if not self.asked and (self.augment_policy, self.augment_seed) != ("light", 0):
            raise UsageError(
                f"a policy or a seed of augmentation was given, and no photo is augmented; give "
                f"{option('augment', 4)} or {option('augment_to', 80)} as well"
            )

    @property
    def asked(self) -> bool:
        """Whether photos are to get views at all."""
        return self.augment > 0 or self.augment_to is not None

    def to_origin(self) -> dict[str, Any]:
        """What a feature file notes of them, by `AUGMENTATION_OPTIONS`; empty for none."""
        chosen = asdict(self)
        del chosen["augment" if self.augment_to is not None else "augment_to"]
        return chosen if self.asked else {}

    def recipes(self, recipes: Iterable[Recipe]) -> tuple[AugmentedRecipe, ...]:
        """How rows of views are made, where those of photos are made by `recipes`."""
        return tuple(
            AugmentedRecipe(one, self.augment_policy, self.augment_seed) for one in recipes
        )

    def views(self, photos: Sequence[ImageRecord]) -> NDArray[np.int64]:
        """Count the views of each photo, (N,): none where it is in no training split.

        Parameters
        ----------
        photos : sequence of ImageRecord
            In the order of their ids, whose first get one view more where they do not come out
            even.

        Raises
        ------
        UsageError
            If classes are to be filled up and no photo has a label, or one photo would get more
            than 10,000 views.
        """
        eligible = (photo.split in _TRAINED_ON for photo in photos)
        if self.augment_to is None:
            return self.augment * np.fromiter(eligible, np.int64, len(photos))
        return self._filling(photos, self.augment_to)

    def _filling(self, photos: Sequence[ImageRecord], wanted: int) -> NDArray[np.int64]:
        """As many as fill each class up; of several labels, the one that needs most decides."""
        places: dict[str, array[int]] = {}  # eight bytes a photo
        for k, photo in enumerate(photos):
            if photo.split in _TRAINED_ON:
                for label in photo.labels:
                    places.setdefault(label, array("q")).append(k)
        if not places:
            raise UsageError(
                f"none of {count(len(photos), 'image')} to train with has a label, and "
                f"{option('augment_to', wanted)} fills up classes; give their labels, or "
                f"{option('augment', 4)}"
            )
        views = np.zeros(len(photos), np.int64)
        for label, where in places.items():
            each, more = divmod(max(0, wanted - len(where)), len(where))
            if each + (more > 0) > _MOST:
                raise UsageError(
                    f"{option('augment_to', wanted)} asks for {each:,} views of each photo of "
                    f"{label}, of which there are {len(where):,}; {_MOST:,} views of a photo are "
                    "the most"
                )
            own = each + (np.arange(len(where)) < more)
            these = np.frombuffer(where, np.int64)
            views[these] = np.maximum(views[these], own)
        return views

"""What a classifier file says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from penult.classify.settings import TrainingSettings
from penult.likeness import Likeness
from penult.recipe import Recipe
from penult.records import HeldOut, Scores
from penult.representation import short_repr

__all__ = ["Description"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class Description:
    """Everything a classifier file says of itself, without the pipeline; see `Classifier`."""

    label_names: tuple[str, ...]
    recipe: Recipe
    scores: Scores
    held_out: HeldOut
    versions: Mapping[str, str]
    settings: TrainingSettings
    likeness: Likeness | None = None

    @property
    def thresholds(self) -> tuple[float, ...] | None:
        """From which probability each label is predicted, (K,); None where an image has one."""
        return self.settings.thresholds

    @property
    def layer(self) -> str:
        """The name, in their feature file, of the rows that it was trained on."""
        return self.settings.layer or self.recipe.layer

    def images_per_class(self) -> dict[str, int]:
        """Count the training images of each class.

        Returns
        -------
        dict
            Class to number of images, in the order of `label_names`.
        """
        return {name: self.settings.classes.get(name, 0) for name in self.label_names}

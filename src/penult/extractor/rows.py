"""Which rows an extractor gives: those of a model's layers, or those of stored recipes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from penult.arguments import require_name
from penult.backbones.backbone import Backbone
from penult.backbones.recipe_selection import select
from penult.backbones.registry import DEFAULT_MODEL, as_recorded, require_recorded
from penult.backbones.weights.choice import WeightsChoice
from penult.errors import UnknownNameError, UsageError
from penult.images.pixels.fast_resize import require_fast
from penult.interface import option
from penult.recipe import Precision, Recipe
from penult.representation import what_given

__all__ = ["ModelRows", "RecipeRows", "layer_names"]


def layer_names(layer: str | Sequence[str]) -> tuple[str, ...]:
    """One name, or several, as a tuple."""
    if isinstance(layer, str) or not isinstance(layer, Iterable):
        return (layer,)  # whether it is a name is for `ModelRows` to say
    return tuple(layer)


@dataclass(frozen=True, kw_only=True)
class ModelRows:
    """Rows of a model's layers, as a user asks for them.

    Attributes
    ----------
    model : str
        Name of a backbone, as listed by ``penult models``.
    layers : tuple of str
        Names and globs.
    pooling : str or None
        What suits each layer by default.
    normalize : {"none", "l2"}
    decode : {"exact", "scaled"}
    resize : {"exact", "fast"}
    precision : {"float32", "float16", "bfloat16"}
    """

    model: str = DEFAULT_MODEL
    layers: tuple[str, ...] = ("penultimate",)
    pooling: str | None = None
    normalize: str = "none"
    decode: Literal["exact", "scaled"] = "exact"
    resize: Literal["exact", "fast"] = "exact"
    precision: Precision = "float32"
    recorded: ClassVar[Recipe | None] = None

    def __post_init__(self) -> None:
        require_name("model", self.model)
        if not self.layers:
            raise UsageError("no layer was given; give the name of one or more")
        for layer in self.layers:
            require_name("layer", layer)
        if not isinstance(self.pooling, str | None):
            raise UsageError(
                f"pooling is {what_given(self.pooling)}; give a name, or None for what suits the "
                "layer"
            )
        require_name("normalize", self.normalize)
        if self.normalize not in ("none", "l2"):
            raise UnknownNameError("normalisation", self.normalize, ("none", "l2"))
        if self.precision not in get_args(Precision):
            raise UnknownNameError("precision", self.precision, get_args(Precision))
        if self.decode not in ("exact", "scaled"):
            raise UnknownNameError("way to decode", self.decode, ("exact", "scaled"))
        if self.resize not in ("exact", "fast"):
            raise UnknownNameError("way to resize", self.resize, ("exact", "fast"))

    def named(self, choice: WeightsChoice) -> tuple[str, WeightsChoice]:
        """The name and the weights by which the backbone is opened."""
        return self.model, choice

    def recipes(self, backbone: Backbone) -> tuple[Recipe, ...]:
        """The recipe of each layer, in execution order.

        Raises
        ------
        UnknownNameError, UsageError
        """
        selected = select(backbone, self.layers, self.pooling, self.normalize)
        if self.resize == "fast":
            require_fast(option("resize", "fast"), backbone.preprocessing)
        return tuple(
            recipe.with_options(
                decode=self.decode, resampling=self.resize, precision=self.precision
            )
            for recipe in selected
        )


@dataclass(frozen=True)
class RecipeRows:
    """Rows as stored recipes say, all of one backbone.

    Attributes
    ----------
    stored : tuple of Recipe
    recipe_is : str
        What carries them, for messages, e.g. ``"flowers.skops"``.
    """

    stored: tuple[Recipe, ...]
    recipe_is: str

    @property
    def recorded(self) -> Recipe:
        """The recipe by which the backbone is opened."""
        return self.stored[-1]

    @property
    def model(self) -> str:
        """Name of the backbone, as it was when the recipes were made."""
        return self.stored[-1].network

    @property
    def layers(self) -> tuple[str, ...]:
        """Name of each recipe's layer."""
        return tuple(recipe.layer for recipe in self.stored)

    def named(self, choice: WeightsChoice) -> tuple[str, WeightsChoice]:
        """The name and the weights by which the backbone is opened.

        Raises
        ------
        WeightsError
            If the weights came from a file that is not there any more.
        """
        return as_recorded(self.stored[-1], self.recipe_is, choice)

    def recipes(self, backbone: Backbone) -> tuple[Recipe, ...]:
        """The recipes, if the backbone is the one they were made with.

        Raises
        ------
        RecipeMismatchError, MissingExtraError
        """
        require_recorded(backbone, self.stored[-1], self.recipe_is)
        if self.stored[-1].preprocessing.resampling == "fast":
            what = f"{self.recipe_is}, made with {option('resize', 'fast')},"
            require_fast(what, self.stored[-1].preprocessing)
        return self.stored

"""A recipe says how an image becomes a row; only rows of equal recipes may be compared.

A recipe is a tree. Its leaves are what single networks give (`BackboneRecipe`); above them, rows
are joined, averaged over views of an image, and projected onto fewer numbers.
"""

from __future__ import annotations

from penult.recipe.augmented import AugmentedRecipe
from penult.recipe.averaged import AveragedRecipe
from penult.recipe.backbone import BackboneRecipe, Pooling, Precision, network_name
from penult.recipe.base import Recipe
from penult.recipe.comparison import require_equal
from penult.recipe.joined import JoinedRecipe
from penult.recipe.preprocessing import Interpolation, Preprocessing
from penult.recipe.projected import ProjectedRecipe
from penult.recipe.projection import Projection
from penult.recipe.views import CENTER, VIEWS, Place, View, Views

__all__ = [
    "CENTER",
    "VIEWS",
    "AugmentedRecipe",
    "AveragedRecipe",
    "BackboneRecipe",
    "Interpolation",
    "JoinedRecipe",
    "Place",
    "Pooling",
    "Precision",
    "Preprocessing",
    "ProjectedRecipe",
    "Projection",
    "Recipe",
    "View",
    "Views",
    "network_name",
    "require_equal",
]

"""What recipes that are made of others have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from penult.recipe.base import Recipe
from penult.recipe.views import CENTER, View

if TYPE_CHECKING:
    from penult.recipe.backbone import BackboneRecipe
    from penult.recipe.projection import Projection

__all__ = ["CompositeRecipe"]


class CompositeRecipe(Recipe):
    """A recipe that is made of others; what is asked of all of it is asked of them."""

    kind = ""

    def needs(self, view: View = CENTER) -> tuple[tuple[BackboneRecipe, View], ...]:
        """Which rows of which leaves `rows` asks for, each once."""
        return tuple(dict.fromkeys(one for part in self.parts for one in part.needs(view)))

    @property
    def leaves(self) -> tuple[BackboneRecipe, ...]:
        """The recipes of its networks, each once, in order."""
        return tuple(dict.fromkeys(leaf for part in self.parts for leaf in part.leaves))

    @property
    def network(self) -> str:
        """What made the rows, as a person is told; several joined by ``" + "``."""
        return " + ".join(dict.fromkeys(leaf.network for leaf in self.leaves))

    @property
    def layer(self) -> str:
        """The layer captured; several joined by ``" + "``."""
        return " + ".join(dict.fromkeys(leaf.layer for leaf in self.leaves))

    @property
    def versions(self) -> Mapping[str, str]:
        """Library name to version, of the run that made the rows."""
        return {name: version for part in self.parts for name, version in part.versions.items()}

    @property
    def projections(self) -> dict[str, Projection]:
        """The arrays of its projections, by their SHA-256; raises where some are not there."""
        return {sha: one for part in self.parts for sha, one in part.projections.items()}

"""What every recipe can do, whatever it is made of."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from penult.errors import FileFormatError
from penult.parsing import read_json, to_record
from penult.recipe.views import CENTER, View
from penult.representation import html_table, one_line, short_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe.backbone import BackboneRecipe
    from penult.recipe.projection import Projection

    LeafRows = Callable[[BackboneRecipe, View], NDArray[np.float32]]

__all__ = ["Difference", "Recipe"]

Difference = tuple[str, Any, Any, "Recipe", "Recipe"]
"""A field, its value in either recipe, and the nodes of the trees that it belongs to."""


class Recipe(ABC):
    """How an image becomes a row; only rows of equal recipes may be compared.

    A recipe is a tree: a backbone's is a leaf, and the others are made of recipes. Equality and
    hash are over what changes a row. ``Recipe(…)`` makes a `BackboneRecipe`, which is what all
    recipes were before there were others, as pickles from then have it.

    Parameters
    ----------
    *args, **fields
        Those of the kind.

    Attributes
    ----------
    kind : str
        What it is in JSON.
    parts : tuple of Recipe
        What it is made of; a leaf has none.
    layer : str
        The layer captured; several joined by ``" + "``.
    versions : mapping of str to str
        Library name to version, of the run that made the rows.
    """

    kind: ClassVar[str]
    kinds: ClassVar[dict[str, type[Recipe]]] = {}

    def __init_subclass__(cls) -> None:
        if cls.kind:
            Recipe.kinds[cls.kind] = cls

    if not TYPE_CHECKING:  # which would take a call of any kind for one with these arguments

        def __new__(cls, *args: Any, **fields: Any) -> Recipe:
            """Make a leaf where no kind was named."""
            return super().__new__(Recipe.kinds["backbone"] if cls is Recipe else cls)

    if TYPE_CHECKING:
        # Fields of some kinds, and worked out by others.
        @property
        def parts(self) -> tuple[Recipe, ...]:
            """What it is made of."""

        @property
        def layer(self) -> str:
            """The layer captured, as a person is told."""

        @property
        def versions(self) -> Mapping[str, str]:
            """Library name to version, of the run that made the rows."""

    @property
    @abstractmethod
    def leaves(self) -> tuple[BackboneRecipe, ...]:
        """The recipes of its networks, each once, in order."""

    @property
    @abstractmethod
    def network(self) -> str:
        """What made the rows, as a person is told."""

    @property
    @abstractmethod
    def projections(self) -> dict[str, Projection]:
        """The arrays of its projections, by their SHA-256.

        Raises
        ------
        FileFormatError
            If those of one are not at hand: nobody could make such a row again.
        """

    @property
    @abstractmethod
    def outline(self) -> str:
        """The tree in a few words, e.g. ``"PCA 256 of flip views of bundled:…, penultimate"``."""

    @property
    @abstractmethod
    def default_name(self) -> str:
        """What rows are called where nothing else tells: the layer, ``"joined"``, ``"pca256"``."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What counts of this node alone, without its parts; JSON-like but for tuples."""

    @abstractmethod
    def to_data(self) -> dict[str, Any]:
        """Give it as what JSON can hold, its parts within."""

    @classmethod
    def from_data(cls, data: Mapping[str, Any], projections: Mapping[str, Projection]) -> Recipe:
        """Read what `to_data` gives.

        Parameters
        ----------
        data : mapping
            Without its kind; its parts are recipes already.
        projections : mapping of str to Projection
            The arrays of projections, by their SHA-256.

        Returns
        -------
        Recipe
            An equal one.

        Raises
        ------
        FileFormatError
            If settings are missing, unknown or of another type.
        """
        recipe: Recipe = to_record(cls, data)  # type: ignore[type-var]  # each kind is a dataclass
        return recipe

    @abstractmethod
    def needs(self, view: View = CENTER) -> tuple[tuple[BackboneRecipe, View], ...]:
        """Which rows of which leaves `rows` asks for.

        Parameters
        ----------
        view : View
            Which one to see, where this node does not say so itself.

        Returns
        -------
        tuple of (BackboneRecipe, View)
            Each pair once, in order.
        """

    @abstractmethod
    def rows(self, leaf_rows: LeafRows, view: View = CENTER) -> NDArray[np.float32]:
        """Make rows of what the networks give.

        Parameters
        ----------
        leaf_rows : callable
            From a leaf and a view to the rows of n images, float32 (n, …): see `needs`.
        view : View
            Which one to see, where this node does not say so itself.

        Returns
        -------
        float32 array, shape (n, …)
            A row an image.
        """

    @abstractmethod
    def row_shape(self, leaf_shape: Callable[[BackboneRecipe], tuple[int, ...]]) -> tuple[int, ...]:
        """Work out the shape of one row.

        Parameters
        ----------
        leaf_shape : callable
            From a leaf to the shape of its rows.

        Returns
        -------
        tuple of int
            Without the axis of the images.
        """

    @abstractmethod
    def with_leaves(self, leaves: Mapping[BackboneRecipe, BackboneRecipe]) -> Recipe:
        """Put other leaves in the place of some.

        Parameters
        ----------
        leaves : mapping of BackboneRecipe to BackboneRecipe
            From those that are there to those in their place.

        Returns
        -------
        Recipe
            The same tree otherwise.
        """

    @abstractmethod
    def facts(self) -> list[tuple[str, str | None]]:
        """What is told of it in one line: names and values."""

    def walk(self) -> Iterator[Recipe]:
        """Go through all nodes of the tree.

        Yields
        ------
        Recipe
            This one first, then those of each part.
        """
        yield self
        for part in self.parts:
            yield from part.walk()

    def to_json(self) -> str:
        """Write it as JSON.

        Returns
        -------
        str
            One line; `from_json` gives an equal recipe back. Of a projection it has the digest; its
            arrays are `projections`.
        """
        return json.dumps(self.to_data(), sort_keys=True)

    @classmethod
    def from_json(cls, text: str, projections: Mapping[str, Projection] | None = None) -> Recipe:
        """Read what `to_json` wrote.

        Parameters
        ----------
        text : str
            One recipe as JSON.
        projections : mapping of str to Projection, optional
            The arrays of its projections, by their SHA-256. Without them it is equal, but makes no
            rows.

        Returns
        -------
        Recipe
            An equal one.

        Raises
        ------
        FileFormatError
            If the text is no recipe, or one of a kind or with a field that this version lacks.
        """

        def read(data: Any) -> Recipe:
            data = dict(data) if isinstance(data, Mapping) else data
            kind = data.pop("kind", None) if isinstance(data, dict) else None
            kind = "backbone" if kind is None else kind
            if not isinstance(kind, str) or kind not in Recipe.kinds:
                raise FileFormatError(f"one of kind {str(kind)[:40]!r} needs a newer penult")
            if "part" in data:
                data["part"] = read(data["part"])
            if "parts" in data:
                data["parts"] = [read(part) for part in data["parts"]]
            return Recipe.kinds[kind].from_data(data, projections or {})

        try:
            return read(read_json(text))
        except (ValueError, TypeError) as error:
            raise FileFormatError(f"not a recipe that this penult can read: {error}") from error

    def difference(self, other: Recipe) -> dict[str, tuple[Any, Any]]:
        """Compare with another recipe.

        Parameters
        ----------
        other : Recipe
            The one to compare with.

        Returns
        -------
        dict
            Field name to (this one's value, the other's), for the fields that count and differ;
            where the trees have other forms, ``"recipe"`` to what each is in words.
        """
        return {name: (mine, theirs) for name, mine, theirs, *_ in self.differences(other)}

    def differences(self, other: Recipe, at: str = "") -> Iterator[Difference]:
        """Go through what `difference` gives, with the nodes that the values belong to.

        Parameters
        ----------
        other : Recipe
            The one to compare with.
        at : str
            Where in the tree these nodes are, before the names of fields.

        Yields
        ------
        tuple
            Field name, this one's value, the other's, this one's node, the other's.
        """
        if type(self) is not type(other) or len(self.parts) != len(other.parts):
            yield f"{at}recipe", self.outline, other.outline, self, other
            return
        mine, theirs = self.settings(), other.settings()
        for name in mine:
            if mine[name] != theirs[name]:
                yield f"{at}{name}", mine[name], theirs[name], self, other
        for number, (part, others) in enumerate(zip(self.parts, other.parts, strict=True), 1):
            inner = f"{at}part {number}: " if len(self.parts) > 1 else at
            yield from part.differences(others, inner)

    def __repr__(self) -> str:
        facts = [
            (name, None if value is None else short_text(value)) for name, value in self.facts()
        ]
        return one_line("Recipe", facts)

    def _repr_html_(self) -> str:
        return html_table("Recipe", self.facts())

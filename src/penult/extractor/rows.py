"""Which rows an extractor gives: those of models' layers, or those of stored recipes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from penult.arguments import require_name
from penult.backbones.backbone import Backbone
from penult.backbones.recipe_selection import select, select_of_each
from penult.backbones.registry import DEFAULT_MODEL, as_recorded, holds_weights, require_recorded
from penult.backbones.weights.choice import WeightsChoice
from penult.errors import FileFormatError, UnknownNameError, UsageError, WeightsError
from penult.images.pixels.fast_resize import require_fast
from penult.images.pixels.margin import require_views
from penult.interface import command, option
from penult.recipe import (
    VIEWS,
    AugmentedRecipe,
    AveragedRecipe,
    BackboneRecipe,
    JoinedRecipe,
    Precision,
    Recipe,
    Views,
)
from penult.representation import what_given

__all__ = [
    "ModelRows",
    "NetworkToOpen",
    "RecipeRows",
    "as_names",
    "by_network",
]


def as_names(given: str | Sequence[str]) -> tuple[str, ...]:
    """One name, of a model or a layer, or several, as a tuple."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        return (given,)  # whether it is a name is for `ModelRows` to say
    if isinstance(given, Set | Mapping):
        raise UsageError(
            f"names are given as a {type(given).__name__}, and their order is that of the row's "
            "numbers; give a list"
        )
    return tuple(given)


@dataclass(frozen=True)
class NetworkToOpen:
    """A network that an extractor needs.

    Attributes
    ----------
    name : str
        Of its backbone, as `open_backbone` takes it.
    choice : WeightsChoice
        Which weights it has.
    recorded : BackboneRecipe or None
        The stored recipe that it was found by.
    """

    name: str
    choice: WeightsChoice
    recorded: BackboneRecipe | None = None


@dataclass(frozen=True, kw_only=True)
class ModelRows:
    """Rows of models' layers, as a user asks for them.

    Attributes
    ----------
    models : tuple of str
        Names of backbones, as listed by ``penult models``.
    layers : tuple of str
        Names and globs.
    pooling : str or None
        What suits each layer by default.
    normalize : {"none", "l2"}
    views : {"flip", "five-crop", "ten-crop"} or None
        Views of each image whose rows are averaged.
    join : bool or None
        Whether the rows of all models and layers are joined to one; by default those of several
        models are.
    decode : {"exact", "scaled"}
    resize : {"exact", "fast"}
    precision : {"float32", "float16", "bfloat16"}
    """

    models: tuple[str, ...] = (DEFAULT_MODEL,)
    layers: tuple[str, ...] = ("penultimate",)
    pooling: str | None = None
    normalize: str = "none"
    views: Views | None = None
    join: bool | None = None
    decode: Literal["exact", "scaled"] = "exact"
    resize: Literal["exact", "fast"] = "exact"
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        if not self.models:
            raise UsageError("no model was given; give the name of one or more")
        for model in self.models:
            require_name("model", model)
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
        if self.views is not None:
            require_name("views", self.views)
            if self.views not in VIEWS:
                raise UnknownNameError("views", self.views, VIEWS)
        if not isinstance(self.join, bool | None):
            raise UsageError(f"join is {what_given(self.join)}; give True, False or None")
        if self.precision not in get_args(Precision):
            raise UnknownNameError("precision", self.precision, get_args(Precision))
        if self.decode not in ("exact", "scaled"):
            raise UnknownNameError("way to decode", self.decode, ("exact", "scaled"))
        if self.resize not in ("exact", "fast"):
            raise UnknownNameError("way to resize", self.resize, ("exact", "fast"))

    @property
    def told(self) -> str:
        """The models, as a person is told."""
        return " + ".join(self.models)

    @property
    def changed(self) -> dict[str, Any]:
        """The options but `models` and `layers` that are not the defaults."""
        named = ("models", "layers")
        options = {one.name: one.default for one in fields(self) if one.name not in named}
        given = {name: getattr(self, name) for name in options}
        return {name: value for name, value in given.items() if value != options[name]}

    def networks(self, choice: WeightsChoice) -> tuple[NetworkToOpen, ...]:
        """The networks to open, one a model.

        Raises
        ------
        UsageError
            If weights for one are given with several.
        """
        several = len(self.models) > 1
        for name, given in (("weights", choice.weights), ("architecture", choice.architecture)):
            if several and given not in (None, "random"):
                raise UsageError(
                    f"{option(name, str(given))} is for one model, and there are "
                    f"{len(self.models)}; name the file in its model's place: "
                    f"{option('model', 'checkpoint:PATH')}"
                )
        return tuple(NetworkToOpen(model, choice) for model in self.models)

    def leaves(self, backbone: Backbone) -> tuple[BackboneRecipe, ...]:
        """The recipe of each layer of one backbone, in execution order.

        Raises
        ------
        UnknownNameError, UsageError
        """
        return self._chosen(backbone, select(backbone, self.layers, self.pooling, self.normalize))

    def recipes(self, backbones: Sequence[Backbone]) -> dict[str, Recipe]:
        """The rows' names, and the recipe of each, in execution order.

        Parameters
        ----------
        backbones : sequence of Backbone
            One a model.

        Raises
        ------
        UnknownNameError, UsageError
        """
        if len(backbones) == 1:
            names = [""]
            leaves = [self.leaves(backbones[0])]
        else:
            names = [f"{name}/" for name in _short_names(backbones)]
            found = select_of_each(backbones, self.layers, self.pooling, self.normalize)
            leaves = [self._chosen(*pair) for pair in zip(backbones, found, strict=True)]
        named: dict[str, Recipe] = {}
        for name, backbone, own in zip(names, backbones, leaves, strict=True):
            for leaf in own:
                if self.views is None:
                    named[name + leaf.layer] = leaf
                else:
                    require_views(self.views, backbone.preprocessing)
                    named[name + leaf.layer] = AveragedRecipe(leaf, self.views)
        if not (self.join or (self.join is None and len(self.models) > 1)):
            return named
        if len(named) < 2:
            raise UsageError(
                f"there is one row to join, {next(iter(named))} of {self.told}; give more models "
                f"or layers, or leave out {option('join', True)}"
            )
        joined = JoinedRecipe(tuple(named.values()))
        return {joined.default_name: joined}

    def _chosen(
        self, backbone: Backbone, selected: Sequence[BackboneRecipe]
    ) -> tuple[BackboneRecipe, ...]:
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
    """Rows as stored recipes say.

    Attributes
    ----------
    stored : tuple of Recipe
    recipe_is : str
        What carries them, for messages, e.g. ``"flowers.skops"``.
    names : tuple of str
        Of the rows, one a recipe; by default those of their layers.
    """

    stored: tuple[Recipe, ...]
    recipe_is: str
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for recipe in self.stored:
            if isinstance(recipe, AugmentedRecipe):
                raise UsageError(
                    f"{self.recipe_is} is of augmented views, which follow from a photo's number "
                    "among them; give its part, which makes rows of photos as they are"
                )

    @property
    def told(self) -> str:
        """The models, as a person is told."""
        return " + ".join(dict.fromkeys(recipe.network for recipe in self.stored))

    @property
    def layers(self) -> tuple[str, ...]:
        """Name of each recipe's rows."""
        return self.names or tuple(recipe.default_name for recipe in self.stored)

    @property
    def changed(self) -> dict[str, Any]:
        """As `ModelRows.changed`, of the first recipe's network; which pooling suits is unknown."""
        leaf = self.stored[0].leaves[0]
        nodes = self.stored[0].walk()
        return ModelRows(
            normalize=leaf.normalize,
            views=next((node.views for node in nodes if isinstance(node, AveragedRecipe)), None),
            decode=leaf.preprocessing.decode,
            resize=leaf.preprocessing.resampling,
            precision=leaf.precision,
        ).changed

    def networks(self, choice: WeightsChoice) -> tuple[NetworkToOpen, ...]:
        """The networks to open, each once.

        Raises
        ------
        WeightsError
            If the weights came from a file that is not there any more, or those given are none of
            these networks'.
        UsageError
            If the arrays of a projection are not at hand.
        """
        for recipe in self.stored:
            try:
                _ = recipe.projections
            except FileFormatError as error:
                raise UsageError(
                    f"{self.recipe_is} makes no rows: {error}; a recipe has them where it was "
                    f"taken of a file: {command('load', 'FILE')}.recipe"
                ) from error
        leaves = [own[-1] for own in by_network(self.stored)]
        return tuple(
            NetworkToOpen(*as_recorded(leaf, self.recipe_is, own), leaf)
            for leaf, own in zip(leaves, self.choices(choice), strict=True)
        )

    def choices(self, choice: WeightsChoice) -> tuple[WeightsChoice, ...]:
        """Which of the files of weights that were given is that of each of `networks`.

        Raises
        ------
        WeightsError
            If one is that of none.
        """
        leaves = [own[-1] for own in by_network(self.stored)]
        if not choice.files or len(leaves) == len(choice.files) == 1:
            return (choice,) * len(leaves)  # one that is another's is refused field by field
        chosen = [WeightsChoice(offline=choice.offline)] * len(leaves)
        for file in choice.files:
            ours = [holds_weights(file, leaf) for leaf in leaves]
            if not any(ours):
                wanted = "; ".join(f"{leaf.network}: {leaf.weights_sha256}" for leaf in leaves)
                raise WeightsError(
                    f"{file} has the weights of none of the networks of {self.recipe_is}, whose "
                    f"SHA-256 are {wanted}"
                )
            own = replace(choice, weights=file, others=())
            chosen = [own if is_own else one for is_own, one in zip(ours, chosen, strict=True)]
        return tuple(chosen)

    def recipes(self, backbones: Sequence[Backbone]) -> dict[str, Recipe]:
        """The rows' names and recipes, if the backbones are those they were made with.

        Parameters
        ----------
        backbones : sequence of Backbone
            One for each of `networks`.

        Raises
        ------
        RecipeMismatchError, MissingExtraError
        """
        for backbone, own in zip(backbones, by_network(self.stored), strict=True):
            require_recorded(backbone, own[-1], self.recipe_is)
            if own[-1].preprocessing.resampling == "fast":
                what = f"{self.recipe_is}, made with {option('resize', 'fast')},"
                require_fast(what, own[-1].preprocessing)
        return dict(zip(self.layers, self.stored, strict=True))


def by_network(recipes: Iterable[Recipe]) -> list[list[BackboneRecipe]]:
    """The leaves of recipes, each once; those of one network that sees images alike together."""
    found: dict[object, list[BackboneRecipe]] = {}
    for leaf in dict.fromkeys(leaf for recipe in recipes for leaf in recipe.leaves):
        names = ("backbone", "architecture", "weights", "weights_sha256", "file")
        key = (*(getattr(leaf, n) for n in names), leaf.preprocessing, leaf.precision)
        found.setdefault(key, []).append(leaf)
    return list(found.values())


def _short_names(backbones: Sequence[Backbone]) -> list[str]:
    """What tells backbones apart in few letters: without source and folder, where that will do."""
    short = [Path(backbone.name.partition(":")[2] or backbone.name).name for backbone in backbones]
    full = [backbone.name for backbone in backbones]
    for name in full:
        if full.count(name) > 1:
            raise UsageError(f"the model {name} was given twice; give each once")
    return [one if short.count(one) == 1 else name for one, name in zip(short, full, strict=True)]

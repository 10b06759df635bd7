"""What to type to get a feature file again that one run, or several, made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from penult.backbones.layer import ENDS
from penult.features.origin import every_origin
from penult.features.parts.header import PART_IMAGES
from penult.interface import as_argument, shell_quote
from penult.recipe import AveragedRecipe, BackboneRecipe, JoinedRecipe, ProjectedRecipe, Recipe
from penult.reporting.commands import extract_command, recorded_name

__all__ = ["commands_again", "merged_again"]


def commands_again(
    recipes: Sequence[Recipe],
    names: Sequence[str],
    origin: Mapping[str, Any],
    *,
    output: str,
    dtype: str = "float32",
    poolings: Sequence[str] = (),
    maps: bool = False,
    part_images: int | None = None,
    part_format: str | None = None,
) -> tuple[str, ...]:
    """What to type to get a feature file again: one command, or several in their order.

    Parameters
    ----------
    recipes : of all of its rows
    names : of all of its rows
    origin : as `Features` has it
    output : the file
    dtype : of its rows
    poolings : of all of its layers
    maps : whether rows of one are whole maps or tokens
    part_images, part_format : of a folder of rows

    Returns
    -------
    tuple of str
        Empty where no commands are known that make such rows.
    """
    if _is_of_one_run(recipes) and "joined" not in origin:
        again = extract_command(
            recipes,
            names,
            origin,
            output=output,
            dtype=dtype,
            poolings=poolings,
            maps=maps or any(map(_has_maps, recipes)),
        )
        if part_images not in (None, PART_IMAGES):
            again += f" --part-images {part_images}"
        if part_format not in (None, "h5"):
            again += f" --part-format {part_format}"
        return (again,)
    steps = _Steps(origin, output, dtype)
    return tuple(steps.commands) if len(recipes) == 1 and steps.make(recipes[0], output) else ()


def merged_again(
    recipes: Sequence[Recipe],
    names: Sequence[str],
    origin: Mapping[str, Any],
    *,
    output: str,
    **options: Any,
) -> tuple[str, ...]:
    """Do as `commands_again` also of rows that were merged: those of each run, and the merging.

    Parameters
    ----------
    recipes, names, origin, output : as for `commands_again`
    **options : its others
    """
    runs = every_origin(origin)
    if len(runs) == 1:
        return commands_again(recipes, names, origin, output=output, **options)
    stem = output.rpartition(".")[0] or output
    files = [f"{stem}-{k}.h5" for k in range(1, len(runs) + 1)]
    made = [
        commands_again(recipes, names, run, output=file, **options)
        for run, file in zip(runs, files, strict=True)
    ]
    if not all(made):
        return ()
    words = ["merge", *map(as_argument, files), "-o", output]
    return (*chain.from_iterable(made), f"penult {' '.join(map(shell_quote, words))}")


@dataclass
class _Steps:
    origin: Mapping[str, Any]
    output: str
    dtype: str
    commands: list[str] = field(default_factory=list)
    files: int = 0

    def make(self, recipe: Recipe, output: str) -> bool:
        """Put down the commands that make such rows; whether they are known."""
        joined = self.origin.get("joined")
        if joined is not None and isinstance(recipe, JoinedRecipe):
            # Of files that were there, of which some rows may have been left out.
            if not joined["files"]:
                return False
            layers = [word for layer in joined["layers"] for word in ("--layer", layer)]
            files = map(as_argument, joined["files"])
            words = ["join", *files, "-o", output, *layers, *self._options(recipe)]
            self.commands.append(f"penult {' '.join(map(shell_quote, words))}")
            return True
        if _is_of_one_run([recipe]):
            names = [leaf.layer for leaf in recipe.leaves]
            maps = _has_maps(recipe)
            again = extract_command(
                [recipe], names, self.origin, output=output, dtype=self.dtype, maps=maps
            )
            self.commands.append(again)
            return True
        if not isinstance(recipe, JoinedRecipe | ProjectedRecipe):
            return False
        parts = [self._part() for _ in recipe.parts]
        if not all(map(self.make, recipe.parts, parts)):
            return False
        command = "join" if isinstance(recipe, JoinedRecipe) else "reduce"
        words = [command, *map(as_argument, parts), "-o", output, *self._options(recipe)]
        self.commands.append(f"penult {' '.join(map(shell_quote, words))}")
        return True

    def _part(self) -> str:
        self.files += 1
        return f"{Path(self.output).stem}_part{self.files}.h5"

    def _options(self, recipe: JoinedRecipe | ProjectedRecipe) -> Iterator[str]:
        if isinstance(recipe, JoinedRecipe):
            if set(recipe.weights) != {1.0}:
                for weight in recipe.weights:
                    yield from ("--weight", f"{weight:g}")
            return
        yield from ("--pca", str(recipe.components))
        if recipe.whiten:
            yield "--whiten"
        fitted = self.origin.get("reduced")
        if isinstance(fitted, Mapping) and isinstance(fitted.get("fit_on"), str):
            yield from ("--fit-on", fitted["fit_on"])


def _is_of_one_run(recipes: Sequence[Recipe]) -> bool:
    """Whether ``penult extract`` makes all of them at once, of options that it has."""
    (first, *others) = recipes
    parts: Sequence[Recipe] = recipes
    if isinstance(first, JoinedRecipe) and not others and set(first.weights) == {1.0}:
        parts = first.parts
    views = {part.views if isinstance(part, AveragedRecipe) else None for part in parts}
    leaves = [part.part if isinstance(part, AveragedRecipe) else part for part in parts]
    if len(views) > 1 or not all(isinstance(leaf, BackboneRecipe) for leaf in leaves):
        return False
    of_network: dict[tuple[str, object], list[BackboneRecipe]] = {}
    options = set()
    for leaf in leaves:
        assert isinstance(leaf, BackboneRecipe)
        how = leaf.preprocessing
        of_network.setdefault(recorded_name(leaf, ""), []).append(leaf)
        options.add((leaf.normalize, leaf.precision, how.decode, how.resampling))
    # One network's layers stand together, and each is asked of all networks that have it.
    together = [leaf for own in of_network.values() for leaf in own] == leaves
    layers = {frozenset(leaf.layer for leaf in own) for own in of_network.values()}
    # A file of weights is given with one network.
    weights = {weights for _, weights in of_network}
    fits = len(of_network) == 1 or (len(layers) == 1 and weights in ({None}, {"random"}))
    return together and fits and len(options) == 1


def _has_maps(recipe: Recipe) -> bool:
    """Whether maps or tokens were flattened into its rows, which have no shape to tell that."""
    return recipe.parts != () and any(
        leaf.pooling == "none" and leaf.layer not in ENDS for leaf in recipe.leaves
    )

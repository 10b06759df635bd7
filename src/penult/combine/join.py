"""Rows of several feature files, or of several sets of one, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.checking import checked
from penult.combine.labelled import beside_of_all
from penult.combine.matching import Match, in_words, match_rows
from penult.combine.views import joined_views
from penult.combine.writing import MadeOf, NewRows, named, require_output
from penult.errors import FileFormatError, UnknownNameError, UsageError
from penult.features.h5_file import find_rows
from penult.features.read import layer_recipes, load
from penult.images.augmentation_options import AUGMENTATION_OPTIONS
from penult.interface import command, option
from penult.neighbors.blocks import read_at
from penult.partition.rows import BLOCK_BYTES, not_finite
from penult.progress import ShowProgress, following
from penult.recipe import AugmentedRecipe, JoinedRecipe
from penult.records import Failure, Features, Progress
from penult.representation import html_table, one_line
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.progress import Tell
    from penult.recipe import Recipe
    from penult.records import Rows

__all__ = ["Joined", "join"]


@dataclass(frozen=True, kw_only=True)
class Joined:
    """What `join` made, and what it left out.

    Attributes
    ----------
    features : Features
        The joined rows.
    missing : mapping of str to tuple of str
        Ids of images that have no row in all, to the files in which they have none; images that
        failed in one of these are among ``features.failures`` instead.
    changed : tuple of str
        Ids whose images are not the same, by their bytes.
    views_left_out : str or None
        Why augmented rows that there are were left out.
    """

    features: Features
    missing: Mapping[str, tuple[str, ...]]
    changed: tuple[str, ...] = ()
    views_left_out: str | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """What was left out, a line each."""
        lines = []
        if self.missing:
            lines.append(in_words([*self.missing], "for they have no row in all files"))
        if self.changed:
            lines.append(in_words(self.changed, "for their bytes are not the same in all files"))
        if self.views_left_out:
            lines.append(f"augmented rows were left out: {self.views_left_out}")
        return tuple(lines)

    def __repr__(self) -> str:
        return one_line("Joined", self._facts())

    def _repr_html_(self) -> str:
        return html_table("Joined", self._facts())

    def _facts(self) -> list[tuple[str, str | None]]:
        return [("features", repr(self.features)), *(("left out", line) for line in self.lines)]


@checked
def join(
    features: Features | str | Path | Sequence[Features | str | Path],
    output: str | Path | None = None,
    *,
    layer: str | Sequence[str] | None = None,
    weights: Sequence[float] | None = None,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> Joined:
    """Join the rows of several feature files, image by image: one row of all their numbers.

    Each row is scaled to length one first, and multiplied by the weight of its file. Rows are
    matched by the id and the bytes of their image, never by their position, and are in the order of
    the first file. They are read and written a block at a time, so that files may be larger than
    the memory.

    Parameters
    ----------
    features : path, Features, or sequence of them
        Two or more; or one file, with several of its sets of rows as `layer`.
    output : path, optional
        Feature file to write, whole or not at all; without it, the rows stay in memory.
    layer : str or sequence of str, optional
        Sets of rows to take of each file, those that it has; by default the last of each.
    weights : sequence of float, optional
        One for each set of rows, from 0.001 to 1,000; all 1 by default.
    overwrite : bool, default=False
        Replace `output` if it exists; it must be none of the files read.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    Joined
        Its ``features`` are (n, D) rows called ``joined``, float16 where some of the files are, and
        float32 otherwise. An image has the labels of the first file in which it has any; splits,
        groups, and where the images came from are of the first file that has them. Images that
        failed in some file are failures. Augmented rows are joined where all files have some, of
        the same policy and seed: those of the same view of the same image.

    Raises
    ------
    UsageError
        If there are fewer than two sets of rows, two of one recipe, or not one weight each.
    UnknownNameError
        If no file has such a layer.
    SourceError
        If no image has a row in all; or if an image has one label in one file and another in
        another: names both.
    TrainingError
        If a row holds what is no number; names the images.
    PathNotFoundError, FeatureFileError, OutputExistsError, OutputError
        If a file cannot be read or written.
    """
    given = [features] if isinstance(features, Features | str | Path) else list(features)
    target = require_output(output, given, overwrite=overwrite)
    sets = _sets(given, [layer] if isinstance(layer, str) else layer)
    recipe = _recipe(sets, weights)
    match = match_rows(sets)
    beside = beside_of_all(sets, match.places)
    half = any(one.features.dtype == np.float16 for one in sets)
    views, why_not = joined_views(sets, match.places)
    augmented = None
    with following(progress) as tell:
        if views is not None:
            about = views.recipe
            augmented = MadeOf(
                of=views.of,
                view=views.view,
                recipe=AugmentedRecipe(recipe, about.policy, about.seed),
                blocks=_blocks(
                    recipe,
                    views.rows,
                    views.places,
                    [str(beside.ids[k]) for k in views.of.tolist()],
                    partial(_tell, tell, "join augmented rows"),
                ),
            )
        rows = NewRows(
            beside=beside,
            recipe=recipe,
            dtype="float16" if half else "float32",
            blocks=_blocks(
                recipe,
                [one.features for one in sets],
                match.places,
                beside.ids,
                partial(_tell, tell, "join"),
            ),
            augmented=augmented,
            failures=_failures(sets, match),
            origin={
                **_origin(sets[0].origin, augmented=augmented is not None),
                "joined": _joined_of(given, layer, match),
            },
        )
        made = rows.write(target, overwrite=overwrite)
    return Joined(
        features=made, missing=match.missing, changed=match.changed, views_left_out=why_not
    )


def _joined_of(
    given: Sequence[Features | str | Path], layer: str | Sequence[str] | None, match: Match
) -> dict[str, Any]:
    """What the file says of how it was joined; no files where some features were in memory."""
    files = [one for one in given if not isinstance(one, Features)]
    layers = [layer] if isinstance(layer, str) else list(layer or ())
    return {
        "files": [Path(one).name for one in files] if len(files) == len(given) else [],
        "layers": layers,
        "missing": len(match.missing),
        "changed": len(match.changed),
    }


def _sets(given: Sequence[Features | str | Path], layers: Sequence[str] | None) -> list[Features]:
    """The sets of rows to join."""
    sets, unknown = list[Features](), list(layers or ())
    offered: list[str] = []
    for one in given:
        if layers is None:
            sets.append(one if isinstance(one, Features) else load(one))
            continue
        recipes = _recipes_of(one)
        names = {asked: find_rows(asked, recipes) for asked in layers}
        chosen = dict.fromkeys(name for name in names.values() if name is not None)
        unknown = [asked for asked in unknown if names[asked] is None]
        offered += recipes
        if not chosen:
            file = named(one) if isinstance(one, Features) else str(one)
            raise UnknownNameError(f"layer in {file}", " or ".join(layers), recipes)
        sets += [one if isinstance(one, Features) else load(one, name) for name in chosen]
    if unknown:
        raise UnknownNameError("layer", unknown[0], dict.fromkeys(offered))
    if len(sets) < 2:
        raise UsageError(_one_alone(sets[0]))
    for a, b in combinations(sets, 2):
        if a.recipe == b.recipe:
            raise UsageError(
                f"{named(a)} and {named(b)} have one recipe: to join them would say the same "
                "twice, for a join puts rows of other networks or layers beside each other; to "
                f"have more images in one file, extract all: {command('extract', 'FOLDERS')}"
            )
    return sets


def _recipes_of(one: Features | str | Path) -> dict[str, Recipe]:
    if isinstance(one, Features):
        return {one.name: one.recipe}
    load(one)  # says what is wrong with it
    return {name: recipe for name, (recipe, _) in layer_recipes(one).items()}


def _one_alone(features: Features) -> str:
    others = [name for name in features.layers if name != features.name]
    if not others:
        return f"{named(features)} has one set of rows; give a second feature file to join it with"
    both = " and ".join(option("layer", name) for name in (others[-1], features.name))
    return (
        f"{named(features)} alone was given; give another feature file, or several of its sets of "
        f"rows, as {both}"
    )


def _recipe(sets: Sequence[Features], weights: Sequence[float] | None) -> JoinedRecipe:
    if weights is not None and len(weights) != len(sets):
        raise UsageError(
            f"{count(len(weights), 'weight')} for {count(len(sets), 'set')} of rows; give one for "
            "each, in their order"
        )
    try:
        return JoinedRecipe(tuple(one.recipe for one in sets), tuple(weights or ()))
    except FileFormatError as error:
        raise UsageError(str(error)) from error


def _origin(origin: Mapping[str, Any], *, augmented: bool) -> dict[str, Any]:
    """Where the images came from; nothing of augmentation where no augmented rows are left."""
    return {
        name: value
        for name, value in origin.items()
        if augmented or name not in AUGMENTATION_OPTIONS
    }


def _blocks(
    recipe: JoinedRecipe,
    parts: Sequence[Rows],
    places: Sequence[NDArray[np.intp]],
    ids: Sequence[str],
    told: Callable[[int, int], None],
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Joined rows, in blocks that take little memory; at the end, an error if some were none."""
    total = len(places[0])
    width = sum(int(np.prod(part.shape[1:])) for part in parts)
    step = max(1, BLOCK_BYTES // max(1, 4 * width))
    bad: list[str] = []
    told(0, total)
    for start in range(0, total, step):
        block = slice(start, min(start + step, total))
        read = [read_at(part, found[block]) for part, found in zip(parts, places, strict=True)]
        joined = recipe.join(read)
        finite = np.isfinite(joined).all(axis=1)
        bad += [str(ids[start + k]) for k in np.flatnonzero(~finite).tolist()]
        if not bad:
            yield block, joined
        told(block.stop, total)
    if bad:
        raise not_finite(bad)


def _tell(tell: Tell, stage: str, done: int, total: int) -> None:
    tell(Progress(done, total, 0, stage=stage, unit="rows"))


def _failures(sets: Sequence[Features], match: Match) -> list[Failure]:
    """Images that failed in some file, by id, each with the first reason."""
    found: dict[str, Failure] = {}
    with_row = set()
    failed = {failure.id for one in sets for failure in one.failures}
    if failed:
        first = sets[0].ids
        with_row = failed & {str(first[k]) for k in match.places[0].tolist()}
    for one in sets:
        for failure in one.failures:
            if failure.id not in with_row:
                found.setdefault(failure.id, failure)
    return sorted(found.values(), key=lambda failure: failure.id)

"""Rows of a feature file, projected onto their principal components."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from penult.checking import checked
from penult.combine.beside import Beside
from penult.combine.writing import Block, MadeOf, NewRows, named, require_output
from penult.errors import TrainingError, UsageError
from penult.features.read import one_set
from penult.interface import option
from penult.partition.augmented import augmented_as_rows
from penult.partition.rows import read_blocks, row_length
from penult.progress import ShowProgress, following
from penult.recipe import AugmentedRecipe, ProjectedRecipe
from penult.records import Features, Progress
from penult.reduction import fit_projection, require_components
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.progress import Tell
    from penult.recipe import Projection

__all__ = ["reduce"]

_HELD_OUT = ("test", "validation")


@checked
def reduce(
    features: Features | str | Path,
    output: str | Path | None = None,
    *,
    layer: str | None = None,
    pca: int = 256,
    whiten: bool = False,
    fit_on: Literal["train", "all"] | None = None,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> Features:
    """Project rows onto their principal components: shorter rows that say nearly the same.

    The components are those of scikit-learn's ``PCA(svd_solver="full")``, found from rows that are
    read a block at a time, so that a file may be larger than the memory. Their arrays are in the
    new file, and in every classifier trained on it, so that a photo's row is projected as these
    were.

    Parameters
    ----------
    features : Features or path
        The feature file, or rows. Maps and tokens are flattened.
    output : path, optional
        Feature file to write, whole or not at all; without it, the rows stay in memory.
    layer : str, optional
        Which of the file's sets of rows; the last by default.
    pca : int, default=256
        Numbers that are left of a row.
    whiten : bool, default=False
        Scale each of them to variance one, over the rows that the components are fitted on.
    fit_on : {"train", "all"}, optional
        Fit them on the training part of the file, which is what belongs to neither "test" nor
        "validation", or on all rows; by default on the training part, where the file has splits.
        Augmented rows are projected, but nothing is fitted on them.
    overwrite : bool, default=False
        Replace `output` if it exists; it must not be the file that is read.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    Features
        (N, pca) rows, called ``pca256`` or after what `pca` is, of the type that they had. Their
        ``recipe.projection`` has the components and ``explained_variance_ratio``, the share of the
        variance that is left.

    Raises
    ------
    UsageError
        If there cannot be so many components of so many rows, there are no such splits, or rows in
        memory are asked for another layer.
    TrainingError
        If the rows do not vary in so many directions, or hold what is no number; or if not even so
        many components fit into the memory.
    UnknownNameError
        If there is no such layer.
    PathNotFoundError, FeatureFileError, OutputExistsError, OutputError
        If a file cannot be read or written.
    """
    target = require_output(output, [features], overwrite=overwrite)
    features = one_set(features, layer)
    fitted_on, rows = _rows_to_fit(features, fit_on)
    width = row_length(features)
    if fitted_on == "train" and len(rows) < min(2, len(features)):
        raise UsageError(
            f"{named(features)} has {count(len(rows), 'training row')}, and components are fitted "
            f"on two or more; fit on all rows with {option('fit_on', 'all')}"
        )
    require_components(pca, len(rows), width)
    with following(progress) as tell:
        projection = fit_projection(
            lambda: _told(features, rows, tell, "principal components"),
            len(rows),
            width,
            pca,
            whiten=whiten,
        )
        recipe = ProjectedRecipe.of(features.recipe, projection)
        half = features.features.dtype == np.float16
        project = _fitting(projection, "float16") if half else projection.apply
        every = np.arange(len(features))
        new = NewRows(
            beside=Beside.of(features),
            recipe=recipe,
            dtype="float16" if half else "float32",
            blocks=_projected(features, every, project, tell, "project"),
            augmented=_augmented(features, recipe, project, tell),
            failures=features.failures,
            origin={
                **features.origin,
                "reduced": {"fit_on": fitted_on, "rows": len(rows)},
            },
        )
        return new.write(target, overwrite=overwrite)


def _rows_to_fit(
    features: Features, asked: Literal["train", "all"] | None
) -> tuple[Literal["train", "all"], NDArray[np.int64]]:
    """Which rows the components are fitted on: what that is called, and their places."""
    splits = None if features.splits is None else [str(one) for one in features.splits]
    divided = splits is not None and any(splits)
    if asked == "all" or (asked is None and not divided):
        return "all", np.arange(len(features))
    if splits is None or not divided:
        raise UsageError(
            f"{named(features)} has no splits, so no training part; leave out "
            f"{option('fit_on', 'train')}"
        )
    held_out = np.isin(splits, _HELD_OUT)
    if held_out.all():
        raise UsageError(
            f"{named(features)} has no training rows: all of them are test or validation; fit on "
            f"all rows with {option('fit_on', 'all')}"
        )
    return "train", np.flatnonzero(~held_out)


def _told(
    features: Features, rows: NDArray[np.int64], tell: Tell, stage: str
) -> Iterator[NDArray[np.float32]]:
    for _, block in _read(features, rows, tell, stage):
        yield block


def _read(features: Features, rows: NDArray[np.int64], tell: Tell, stage: str) -> Iterator[Block]:
    """Blocks of rows; each pass over them is told from the start."""
    tell(Progress(0, len(rows), 0, stage=stage, unit="rows"))
    for part, block in read_blocks(features, rows):
        yield part, block
        tell(Progress(part.stop, len(rows), 0, stage=stage, unit="rows"))


Project = Callable[["NDArray[np.float32]"], "NDArray[np.float32]"]


def _projected(
    features: Features, rows: NDArray[np.int64], project: Project, tell: Tell, stage: str
) -> Iterator[Block]:
    for part, block in _read(features, rows, tell, stage):
        yield part, project(block)


def _fitting(projection: Projection, dtype: str) -> Project:
    """Project, and refuse numbers that the type cannot hold."""

    def project(block: NDArray[np.float32]) -> NDArray[np.float32]:
        rows = projection.apply(block)
        if np.abs(rows).max(initial=0) > np.finfo(dtype).max:
            raise TrainingError(
                f"a projected row has numbers that {dtype} cannot hold; extract the rows with "
                f"{option('dtype', 'float32')}, or reduce them with {option('whiten', True)}"
            )
        return rows

    return project


def _augmented(
    features: Features, recipe: ProjectedRecipe, project: Project, tell: Tell
) -> MadeOf | None:
    stored = features.augmented
    if stored is None:
        return None
    return MadeOf(
        of=stored.of,
        view=stored.view,
        recipe=AugmentedRecipe(recipe, stored.recipe.policy, stored.recipe.seed),
        blocks=_projected(
            augmented_as_rows(features),
            np.arange(len(stored)),
            project,
            tell,
            "project augmented rows",
        ),
    )

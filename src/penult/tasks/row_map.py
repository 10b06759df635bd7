"""A map of the rows of a feature file: coordinates, pictures, a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

from penult.checking import checked
from penult.errors import UnknownNameError, UsageError
from penult.explore.row_map.columns import AddedColumns, Source, add_columns
from penult.explore.row_map.coordinates import write_coordinates
from penult.explore.row_map.known_tables import columns_of
from penult.explore.row_map.make import (
    make_map,
    map_of_coordinates,
    require_method,
    with_columns,
)
from penult.explore.tables import require_parquet
from penult.features.read import one_set
from penult.interface import option
from penult.output import check_output
from penult.progress import ShowProgress, following
from penult.records import (
    Clustering,
    Duplicates,
    Features,
    HeldOut,
    Outliers,
    Predictions,
    RowMap,
)
from penult.suffixes import MAP
from penult.wording import listed

__all__ = ["map"]


@checked
def map(
    features: Features | str | Path,
    output: str | Path | Sequence[str | Path] | None = None,
    *,
    method: Literal["pca", "tsne", "umap"] = "tsne",
    layer: str | None = None,
    metric: Literal["cosine", "euclidean"] | None = None,
    perplexity: float | None = None,
    neighbors: int | None = None,
    seed: int = 0,
    fit_on: Literal["train", "validation", "test"] | None = None,
    sample: int | None = None,
    coordinates: str | Path | RowMap | None = None,
    columns: str
    | Path
    | Mapping[str, Sequence[Any]]
    | Clustering
    | Duplicates
    | HeldOut
    | Outliers
    | Predictions
    | Sequence[
        str
        | Path
        | Mapping[str, Sequence[Any]]
        | Clustering
        | Duplicates
        | HeldOut
        | Outliers
        | Predictions
    ]
    | None = None,
    color_by: str | None = None,
    thumbnails: bool = False,
    images: str | Path | Sequence[str | Path] | None = None,
    offline: bool = False,
    escape_formulas: bool = False,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> RowMap:
    """Draw rows as points in two dimensions: images that look alike to the network lie together.

    Rows are scaled to length one, unless the metric is Euclidean, and turned onto their first 50
    principal components, from which t-SNE and UMAP start; PCA is the first two. How many of each
    row's neighbours a map keeps is measured in the full space and stands under it. See docs/map.md.

    Parameters
    ----------
    features : Features or path
        The feature file, or rows; those of more axes are flattened.
    output : path, or several, optional
        What to write, by suffix: coordinates (``.csv``, ``.parquet``), a picture (``.png``,
        ``.svg``), or a page to look around in (``.html``).
    method : {"tsne", "pca", "umap"}, default="tsne"
        t-SNE and UMAP show which rows are near to each other, PCA how they vary most. UMAP needs
        the extra ``penult[umap]``.
    layer : str, optional
        Which of the file's layers; the last by default.
    metric : {"cosine", "euclidean"}, optional
        By which rows are near; cosine by default.
    perplexity : float, optional
        Of t-SNE: how many neighbours, roughly, each row is kept near to; 30 by default, or a third
        of the other rows where they are few.
    neighbors : int, optional
        Of UMAP: how many nearest rows, itself among them, each row is kept near to; 15 by default.
    seed : int, default=0
        Of the sample and of what chance decides in UMAP. It gives the same map on the same machine;
        keep the coordinates to have it on another.
    fit_on : {"train", "validation", "test"}, optional
        The part of the file's splits that the map is made of; all other rows are then placed on it,
        each by itself.
    sample : int, optional
        Draw a random part of so many rows.
    coordinates : path or RowMap, optional
        A map that this returned, or a table with the columns ``id``, ``x`` and ``y``, as this
        writes it, to draw again in place of computing. Other options of the method cannot be given
        with it.
    columns : path, mapping, or a result, or several, optional
        What else may colour the map, and stands in its tables: CSV or Parquet files with a column
        ``id``, such as those of ``penult cluster``, ``predict``, ``duplicates``, ``outliers`` and
        ``held_out.csv``. A mapping of names to columns is such a table in memory; without ``id`` it
        has a value for each of the features' rows. What `cluster`, `duplicates`, `outliers` and
        `predict` return, and the ``held_out`` of scores, is the table of it. Floats are measured;
        texts, integers, True and False name. See docs/map.md.
    color_by : str, optional
        What colours stand for, and on a page do at first: ``"label"``, ``"split"``, ``"group"``,
        ``"none"``, or one of `columns`, also by the name that it has in its table; the label by
        default, where there are some.
    thumbnails : bool, default=False
        Show the photos themselves on a picture, as many as have room.
    images : path, str or sequence of them, optional
        Where the images are now, if they have moved.
    offline : bool, default=False
        Never touch the network, where images are at an address.
    escape_formulas : bool, default=False
        In CSV, also in what a page saves, put an apostrophe before names that a spreadsheet would
        run as a formula.
    overwrite : bool, default=False
        Replace what is written if it exists.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    RowMap
        The coordinates, what is known of each row, and how good the map is.

    Raises
    ------
    UsageError
        If options do not go together, there are too few rows, or a table of `columns` has none of
        their ids or contradicts itself.
    UnknownNameError
        If there is no such layer, method or column.
    MissingExtraError
        If the method or a format needs a library that is not installed.
    TrainingError
        If all rows are the same, or hold NaN or infinite numbers.
    PathNotFoundError, FeatureFileError, FileFormatError
        If the features, the tables or the images cannot be read.
    OutputExistsError, OutputError
        If something cannot be written.
    """
    targets = _targets(output)
    inputs = [] if isinstance(features, Features) else [Path(features)]
    if isinstance(coordinates, str | Path):
        inputs.append(Path(coordinates))
    sources = _sources(columns)
    inputs += [Path(one) for one in sources if isinstance(one, str | Path)]
    for target in targets:
        check_output(target, overwrite=overwrite, inputs=inputs, output=MAP)
        if target.suffix.lower() == ".parquet":
            require_parquet()
    pictures = [one for one in targets if one.suffix.lower() in (".png", ".svg")]
    if thumbnails and not pictures:
        raise UsageError(
            f"{option('thumbnails', True)} is for a picture; give {option('output', 'map.png')}"
        )
    if coordinates is not None:
        _require_alone(
            method=None if method == "tsne" else method,
            perplexity=perplexity,
            neighbors=neighbors,
            fit_on=fit_on,
            sample=sample,
            seed=seed or None,
        )
    else:
        require_method(method, perplexity=perplexity, neighbors=neighbors, seed=seed)
    shown = one_set(features, layer)
    added = add_columns(sources, shown)
    color_by = _color(shown, added, color_by)
    with following(progress) as tell:
        if coordinates is not None:
            given = coordinates if isinstance(coordinates, RowMap) else Path(coordinates)
            made = map_of_coordinates(shown, given, metric)
        else:
            made = make_map(
                shown,
                method=method,
                metric=metric or "cosine",
                perplexity=perplexity,
                neighbors=neighbors,
                seed=seed,
                fit_on=fit_on,
                sample=sample,
                tell=tell,
            )
        made = replace(with_columns(made, shown, added), picture=partial(_in_notebook, color_by))
        for target in targets:
            suffix = target.suffix.lower()
            if target in pictures:
                from penult.reporting.figures.row_map.write import write_map_figure

                write_map_figure(
                    made,
                    target,
                    color_by=color_by,
                    features=shown if thumbnails else None,
                    images=images,
                    offline=offline,
                    overwrite=overwrite,
                )
            elif suffix in (".csv", ".parquet"):
                write_coordinates(
                    made, target, escape_formulas=escape_formulas, overwrite=overwrite
                )
            else:
                from penult.reporting.map_page import write_map_page

                write_map_page(
                    made,
                    shown,
                    target,
                    color_by=color_by,
                    images=images,
                    offline=offline,
                    escape_formulas=escape_formulas,
                    overwrite=overwrite,
                )
    return made


def _targets(output: str | Path | Sequence[str | Path] | None) -> list[Path]:
    several = [] if output is None else [output] if isinstance(output, str | Path) else output
    targets = [Path(one) for one in several]
    for k, one in enumerate(targets):
        if one.resolve() in [other.resolve() for other in targets[:k]]:
            raise UsageError(f"{one} is given twice; give each output once")
    return targets


def _sources(columns: Source | Sequence[Source] | None) -> list[Source]:
    """The tables: one alone, which may be a list itself, as predictions are, or several."""
    if columns is None:
        return []
    if isinstance(columns, str | Path | Mapping) or columns_of(columns) is not None:
        return [cast("Source", columns)]
    return [*cast("Sequence[Source]", columns)]


def _require_alone(**options: object) -> None:
    for name, value in options.items():
        if value is not None:
            raise UsageError(
                f"{option('coordinates')} draws a map that is there already, so "
                f"{option(name)} has no effect; leave one out"
            )


def _color(features: Features, added: AddedColumns, asked: str | None) -> str | None:
    """The column that colours; None for none."""
    has = {
        "label": features.labelled > 0,
        "split": features.splits is not None,
        "group": features.groups is not None,
        **dict.fromkeys(added.values, True),
    }
    if asked is None:
        return "label" if has["label"] else None
    if asked == "none":
        return None
    there = [*(name for name in has if has[name]), "none"]
    if asked in has and not has[asked]:
        raise UsageError(
            f"{option('color_by', asked)}, but these rows have no {asked}; allowed: {listed(there)}"
        )
    if asked in has:
        return asked
    # As it is called in its table, if one alone is.
    if len(here := added.renamed.get(asked, ())) == 1:
        return here[0]
    hint = f"{option('columns', 'TABLE')} brings others"
    if here:
        hint = f"{listed(here)} are called {asked} in their tables; {hint}"
    every = f"there are {listed(there, 30)}"
    raise UnknownNameError("column", asked, there, hint, every=every)


def _in_notebook(color_by: str | None, row_map: RowMap) -> str:
    from penult.reporting.figures.row_map.write import map_as_html

    return map_as_html(row_map, color_by)

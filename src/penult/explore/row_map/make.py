"""Maps of the rows of features: computed, or put together from given coordinates."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from penult.arguments import require_seed
from penult.errors import UsageError
from penult.explore.components import COMPONENTS, find_components
from penult.explore.part import MapRows, Part, choose_rows, fitted_on
from penult.explore.row_map.coordinates import coordinates_of, read_coordinates
from penult.explore.row_map.quality import measure_quality
from penult.explore.row_map.tsne import EXAGGERATION, choose_perplexity, tsne
from penult.explore.row_map.umap import choose_neighbors, umap
from penult.extras import require_extra
from penult.interface import option
from penult.records import RowMap
from penult.tabular import text_columns
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.explore.row_map.columns import AddedColumns
    from penult.progress import Tell
    from penult.records import Features
    from penult.records.neighbors import Metric

__all__ = ["Method", "make_map", "map_of_coordinates", "require_method", "with_columns"]

Method = Literal["pca", "tsne", "umap"]

_LONG_ROWS = 200_000  # of t-SNE: more take an hour, and nobody sees them apart on a picture


def require_method(
    method: Method, *, perplexity: float | None, neighbors: int | None, seed: int
) -> None:
    """Refuse options of other methods than the one asked for, and a method that is not installed.

    Raises
    ------
    UsageError, MissingExtraError
    """
    for name, value, theirs in (
        ("perplexity", perplexity, "tsne"),
        ("neighbors", neighbors, "umap"),
    ):
        if value is not None and method != theirs:
            raise UsageError(
                f"{option(name)} is for {option('method', theirs)}, and {option('method', method)} "
                "has none; leave one out"
            )
    require_seed(seed)
    if method == "umap":
        require_extra(option("method", "umap"), "umap", "umap")


def make_map(
    features: Features,
    *,
    method: Method,
    metric: Metric,
    perplexity: float | None,
    neighbors: int | None,
    seed: int,
    fit_on: Part | None,
    sample: int | None,
    tell: Tell,
) -> RowMap:
    """Map rows, and measure how good the map is; see `penult.map`.

    Raises
    ------
    UsageError, TrainingError, MissingExtraError
    """
    rows = choose_rows(features, sample=sample, seed=seed, fit_on=fit_on)
    fitted = int(rows.fitted.sum())
    params: dict[str, Any] = {}
    if method == "tsne":
        perplexity = choose_perplexity(perplexity, fitted)
        if fitted > _LONG_ROWS:
            logging.getLogger("penult").warning(
                "penult: t-SNE of %s may take more than an hour; %s draws a random part of them, "
                "and %s takes minutes",
                *(count(fitted, "row"), option("sample", 20_000), option("method", "pca")),
            )
        params = {
            "perplexity": round(perplexity, 2),
            "early_exaggeration": EXAGGERATION,
            "seed": seed,
        }
    elif method == "umap":
        neighbors = choose_neighbors(neighbors, fitted)
        params = {"neighbors": neighbors, "seed": seed}
    found = find_components(features, rows, metric, 2 if method == "pca" else COMPONENTS, tell)
    if method == "tsne":
        assert perplexity is not None
        xy = tsne(found.rows, rows.fitted, perplexity=perplexity, seed=seed, tell=tell)
    elif method == "umap":
        assert neighbors is not None
        xy = umap(found.rows, rows.fitted, neighbors=neighbors, seed=seed)
    else:
        xy = found.rows
    return _put_together(
        features,
        rows,
        xy,
        method=method,
        params=params,
        metric=metric,
        fit_on=fit_on,
        explained_variance=found.explained if method == "pca" else None,
    )


def map_of_coordinates(features: Features, source: Path | RowMap, metric: Metric | None) -> RowMap:
    """Put a map together from a table of coordinates, and measure how good it is.

    Rows that have no coordinates are not on it; coordinates of other ids are left out, and a
    warning says how many.

    Parameters
    ----------
    features : Features
    source : path or RowMap
        The table, or a map.
    metric : {"cosine", "euclidean"} or None
        None for that by which the map was made, or cosine where the table does not say.

    Raises
    ------
    UsageError
        If no row has coordinates.
    PathNotFoundError, FileFormatError, MissingExtraError
        As `read_coordinates` does.
    """
    if isinstance(source, RowMap):
        given, name, hint = coordinates_of(source), "the map", "give the one"
    else:
        given, name, hint = read_coordinates(source), str(source), "give the table"
    ids = [str(one) for one in features.ids]
    # As a table has it whose formulas were escaped.
    at = [given.places.get(one, given.places.get(f"'{one}", -1)) for one in ids]
    places = np.array(at, np.int64)
    shown = np.flatnonzero(places >= 0)
    if not len(shown):
        example = next(iter(given.places))
        raise UsageError(
            f"{name} has coordinates of other images ({example}, say) than the features "
            f"({ids[0]}, say); {hint} that was made of them"
        )
    if others := len(given.places) - len(shown):
        logging.getLogger("penult").warning(
            "penult: %s has coordinates of %s that the features do not have; they are left out",
            *(name, count(others, "image")),
        )
    about = given.about
    fit_on = about.get("fit_on")
    fitted = fitted_on(features, shown, fit_on)
    if not fitted.any():  # the splits are others by now
        fit_on, fitted = None, np.ones(len(shown), bool)
    return _put_together(
        features,
        MapRows(shown, fitted),
        given.xy[places[shown]],
        method=about.get("method", "given"),
        params=about.get("params", {}),
        metric=metric or about.get("metric", "cosine"),
        fit_on=fit_on,
        explained_variance=_pair(about.get("explained_variance")),
    )


def with_columns(row_map: RowMap, features: Features, added: AddedColumns) -> RowMap:
    """Give a map further columns.

    Parameters
    ----------
    row_map : RowMap
    features : Features
        Of which rows it is.
    added : AddedColumns
        Of these features, with a value for each.

    Returns
    -------
    RowMap
        Without values of rows that are not on it.
    """
    place = {str(one): k for k, one in enumerate(features.ids)}
    shown = [place[str(one)] for one in row_map.ids]
    more = {name: tuple(values[k] for k in shown) for name, values in added.values.items()}
    return replace(
        row_map, columns={**row_map.columns, **more}, joined=row_map.joined | added.joined
    )


def _pair(value: Any) -> tuple[float, float] | None:
    fits = isinstance(value, list) and [*map(type, value)] == [float, float]
    return (value[0], value[1]) if fits else None


def _put_together(
    features: Features, rows: MapRows, xy: NDArray[np.float32], **about: Any
) -> RowMap:
    columns = text_columns(features)
    shown = rows.shown.tolist()
    ids = columns.pop("id")
    return RowMap(
        ids=tuple(str(ids[k]) for k in shown),
        xy=xy,
        columns={name: tuple(values[k] for k in shown) for name, values in columns.items()},
        joined=frozenset() if features.targets is None else frozenset({"label"}),
        layer=features.name,
        total=len(features),
        placed=None if rows.fitted.all() else ~rows.fitted,
        quality=measure_quality(features, rows.shown, xy, about["metric"]),
        **about,
    )

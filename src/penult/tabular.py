"""Records as the rows of tables, CSV and pandas'; their columns and cells are named here alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from penult.errors import MissingExtraError

if TYPE_CHECKING:
    from penult.records import (
        Clustering,
        ComparedModel,
        Comparison,
        Duplicates,
        Features,
        Finetuned,
        HeldOut,
        Outliers,
        Prediction,
        Predictions,
        RowMap,
        Scores,
        SearchResult,
        SearchResults,
        SearchScores,
        Summary,
    )
    from penult.records.neighbors import Metric

__all__ = [
    "DUPLICATE_COLUMNS",
    "VALUE_NAMES",
    "class_scores_to_dataframe",
    "clustering_to_dataframe",
    "comparison_table",
    "comparison_to_dataframe",
    "duplicate_cells",
    "duplicates_to_dataframe",
    "finetuned_to_dataframe",
    "held_out_to_dataframe",
    "kind_of",
    "outlier_columns",
    "outliers_to_dataframe",
    "prediction_cells",
    "predictions_to_dataframe",
    "row_map_columns",
    "row_map_to_dataframe",
    "search_cells",
    "search_columns",
    "search_scores_to_dataframe",
    "search_to_dataframe",
    "summary_columns",
    "summary_to_dataframe",
    "text_columns",
    "to_dataframe",
]


def text_columns(
    features: Features, start: int = 0, stop: int | None = None
) -> dict[str, list[str | None]]:
    """Return the columns of some rows, from one number up to another.

    Returns
    -------
    dict
        ``id``, ``label``, and ``split`` and ``group`` where the features have them; None where
        there is nothing, and several labels joined by ``|``, as a table of labels has them.
    """
    part = slice(start, len(features) if stop is None else stop)
    columns: dict[str, list[str | None]] = {
        "id": [str(one) for one in features.ids[part]],
        "label": _labels(features, part),
    }
    for name, values in (("split", features.splits), ("group", features.groups)):
        if values is not None:
            columns[name] = [str(one) or None for one in values[part]]
    return columns


def _labels(features: Features, part: slice) -> list[str | None]:
    names = [str(name) for name in features.label_names]
    if features.targets is None:
        return [names[k] if k >= 0 else None for k in features.labels[part].tolist()]
    rows = features.targets[part].tolist()
    return ["|".join(n for n, has in zip(names, row, strict=True) if has) or None for row in rows]


def to_dataframe(features: Features) -> Any:
    """Make a pandas DataFrame; see `Features.to_dataframe`.

    Raises
    ------
    MissingExtraError
    """
    pd = _pandas()
    rows = features.features[:]
    rows = rows.reshape(len(rows), -1)
    frame = pd.DataFrame(rows, columns=[f"f{k}" for k in range(rows.shape[1])])
    for place, (name, texts) in enumerate(text_columns(features).items()):
        frame.insert(place, name, pd.array(texts, dtype="string"))
    frame.attrs["recipe"] = features.recipe.to_json()
    return frame


def prediction_cells(prediction: Prediction) -> dict[str, Any]:
    """Return a row of a table of predictions: what `Prediction.to_dict` has, in cells."""
    cells = prediction.to_dict()
    for place, (label, probability) in enumerate(cells.pop("top")[1:], start=2):
        cells |= {f"label_{place}": label, f"probability_{place}": probability}
    if "labels" in cells:
        cells["labels"] = "|".join(cells["labels"])  # as a table of labels has them
    return cells


def predictions_to_dataframe(predictions: Predictions) -> Any:
    """Make a pandas DataFrame; see `Predictions.to_dataframe`.

    Raises
    ------
    MissingExtraError
    """
    pd = _pandas()
    first = ["id", "label", "probability", "unsure", "unlike", "similarity"]
    rows = [prediction_cells(one) for one in predictions]
    columns = [*dict.fromkeys([*first, *(name for row in rows for name in row)])]
    frame = pd.DataFrame(rows, columns=columns)
    kinds = {name: _KINDS.get(name.rpartition("_")[0] or name, "string") for name in columns}
    return frame.astype(kinds)


_KINDS = {
    "probability": "float64",
    "unsure": "boolean",
    "unlike": "boolean",
    "similarity": "float64",
}


VALUE_NAMES: Mapping[Metric, str] = {"cosine": "similarity", "euclidean": "distance"}
"""What the values of a metric are called in results and tables."""


def search_cells(result: SearchResult, *, vote: bool) -> list[dict[str, Any]]:
    """Return rows of a table of hits, one a hit; one without any where nothing was found.

    Parameters
    ----------
    result : SearchResult
    vote : bool
        Whether what the hits voted for is in it.
    """
    voted: dict[str, Any] = {}
    if vote and result.vote is not None:
        voted = {"vote": result.vote.label, "confidence": result.vote.confidence}
        if result.vote.labels is not None:
            voted["vote_labels"] = "|".join(result.vote.labels)
    rows = []
    for rank, hit in enumerate(result.hits, 1):
        cells = hit.to_dict()
        if "labels" in cells:
            cells["labels"] = "|".join(cells["labels"])  # as a table of labels has them
        rows.append({"query": result.query, "rank": rank, **cells, **voted})
    return rows or [{"query": result.query, **voted}]


def search_columns(metric: Metric, *, several: bool, vote: bool) -> list[str]:
    """Name the columns of a table of hits.

    Parameters
    ----------
    metric : {"cosine", "euclidean"}
    several : bool
        Whether rows may have several labels.
    vote : bool
        Whether what the hits voted for is in it.
    """
    columns = ["query", "rank", "id", VALUE_NAMES[metric], "label", *["labels"] * several]
    return columns + (["vote", "confidence", *["vote_labels"] * several] if vote else [])


def search_to_dataframe(results: SearchResults) -> Any:
    """Make a pandas DataFrame; see `SearchResults.to_dataframe`.

    Raises
    ------
    MissingExtraError
    """
    pd = _pandas()
    rows = [cells for one in results for cells in search_cells(one, vote=True)]
    several = any(hit.labels is not None for one in results for hit in one.hits)
    voted = any(one.vote is not None for one in results)
    columns = search_columns(results.metric, several=several, vote=voted)
    kinds = {"rank": "Int64"} | dict.fromkeys(("similarity", "distance", "confidence"), "float64")
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({name: kinds.get(name, "string") for name in columns})


DUPLICATE_COLUMNS = {
    "group": "int64",
    "id": "string",
    "keep": "bool",
    "cosine": "float64",
    "label": "string",
    "split": "string",
}
"""The columns of a table of duplicates, and the types that pandas has for them."""


def duplicate_cells(duplicates: Duplicates) -> Iterator[tuple[Any, ...]]:
    """Yield a row of a table of duplicates for each image of a group: see `DUPLICATE_COLUMNS`."""
    for number, group in enumerate(duplicates.groups, 1):
        columns = (group.ids, group.cosines, group.labels, group.splits)
        for one, cosine, label, split in zip(*columns, strict=True):
            yield number, one, one == group.keep, cosine, label, split


def duplicates_to_dataframe(duplicates: Duplicates) -> Any:
    """Make a pandas DataFrame; see `Duplicates.to_dataframe`.

    Raises
    ------
    MissingExtraError
    """
    frame = _pandas().DataFrame(duplicate_cells(duplicates), columns=list(DUPLICATE_COLUMNS))
    return frame.astype(DUPLICATE_COLUMNS)


def row_map_columns(row_map: RowMap) -> dict[str, Sequence[Any]]:
    """Return the columns of a table of coordinates: ``id``, ``x``, ``y``, ``label`` and others."""
    x, y = row_map.xy.T
    return {"id": [*map(str, row_map.ids)], "x": x, "y": y, **row_map.columns}


def row_map_to_dataframe(row_map: RowMap) -> Any:
    """Make a pandas DataFrame; see `RowMap.to_dataframe`.

    Raises
    ------
    MissingExtraError
    """
    pd = _pandas()
    columns = row_map_columns(row_map)
    named = {name: values for name, values in columns.items() if name not in ("x", "y")}
    return pd.DataFrame(
        columns
        | {
            name: pd.array([*values], dtype=_KIND_OF[kind_of(values)])
            for name, values in named.items()
        }
    )


_KIND_OF = {bool: "boolean", int: "Int64", float: "float64", str: "string"}


def kind_of(values: Sequence[Any]) -> type:
    """Say what the values of a column are, all but None: of columns without any, str."""
    return next((type(one) for one in values if one is not None), str)


def summary_columns(summary: Summary) -> dict[str, Sequence[Any]]:
    """Return the columns of a table of statistics, a row for each number of a feature vector."""
    numbers = summary.dimensions
    columns: dict[str, Sequence[Any]] = {"dimension": range(len(numbers))}
    for name in ("mean", "std", "min", "max", "zeros"):
        columns[name] = getattr(numbers, name)
    return columns


def summary_to_dataframe(summary: Summary) -> Any:
    """Make a pandas DataFrame; see `Summary.to_dataframe`.

    Raises
    ------
    MissingExtraError
    """
    return _pandas().DataFrame(summary_columns(summary))


def clustering_to_dataframe(clustering: Clustering) -> Any:
    """Make a pandas DataFrame; see `Clustering.to_dataframe`.

    Raises
    ------
    MissingExtraError
    """
    pd = _pandas()
    return pd.DataFrame(
        {
            "id": pd.array([*map(str, clustering.ids)], dtype="string"),
            "cluster": clustering.assignments,
            "distance": clustering.distances.astype("float64"),
        }
    )


def outlier_columns(outliers: Outliers) -> dict[str, list[Any]]:
    """Return the columns of outliers, the most unusual first; see `Outliers.to_dataframe`.

    Returns
    -------
    dict of str to list, length N
        Texts, "" for no label; numbers, None where a row was not compared, or its picture not
        measured.
    """
    rows = [*outliers]
    numbers = ("percentile", "distance", "lof", "distance_percentile", "lof_percentile")
    return {
        "id": [one.id for one in rows],
        "label": [one.label or "" for one in rows],
        "reasons": ["|".join(one.reasons) for one in rows],
        **{name: [getattr(one, name) for one in rows] for name in numbers},
        **{name: [one.values.get(name) for one in rows] for name in outliers.measures},
    }


def outliers_to_dataframe(outliers: Outliers) -> Any:
    """Make a pandas DataFrame; see `Outliers.to_dataframe`.

    Raises
    ------
    MissingExtraError
    """
    pd = _pandas()
    texts = ("id", "label", "reasons")
    columns = outlier_columns(outliers)
    columns["label"] = [name or None for name in columns["label"]]
    return pd.DataFrame(
        {
            name: pd.Series(values, dtype="string" if name in texts else "float64")
            for name, values in columns.items()
        }
    )


def finetuned_to_dataframe(finetuned: Finetuned) -> Any:
    """Make a pandas DataFrame; see `Finetuned.to_dataframe`.

    Raises
    ------
    MissingExtraError
    """
    return _pandas().DataFrame([one.to_dict() for one in finetuned.epochs])


def held_out_to_dataframe(held_out: HeldOut) -> Any:
    """Make a pandas DataFrame; see `HeldOut.to_dataframe`.

    Raises
    ------
    MissingExtraError
    """
    pd = _pandas()
    texts = {"id": held_out.ids, "label": held_out.truth, "predicted": held_out.predicted}
    columns: dict[str, Any] = {
        name: pd.array([*map(str, values)], dtype="string") for name, values in texts.items()
    }
    probability = pd.array([*held_out.probability], dtype="float64")
    return pd.DataFrame({**columns, "probability": probability, "run": 1})


def class_scores_to_dataframe(scores: Scores) -> Any:
    """Make a pandas DataFrame; see `Scores.to_dataframe`.

    Raises
    ------
    MissingExtraError
    """
    rows = scores.to_dict()["classes"]
    columns = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    return _pandas().DataFrame(rows, columns=columns)


def search_scores_to_dataframe(scores: SearchScores) -> Any:
    """Make a pandas DataFrame; see `SearchScores.to_dataframe`.

    Raises
    ------
    MissingExtraError
    """
    pd = _pandas()
    found = []
    for duplicates, one in (("kept", scores), ("collapsed", scores.without_duplicates)):
        for relevant, average, named in (
            ("same labels", "micro", one.scores),
            ("any label", "micro", one.any_label),
            ("same labels", "macro", one.macro),
            ("any label", "macro", one.macro_any_label),
        ):
            found += [
                (name, relevant, average, duplicates, score.value, score.low, score.high)
                for name, score in named.items()
            ]
    columns = ["score", "relevant", "average", "duplicates", "value", "low", "high"]
    frame = pd.DataFrame(found, columns=columns)
    kinds = dict.fromkeys(columns[:4], "string") | dict.fromkeys(columns[4:], "float64")
    return frame.astype(kinds)


def comparison_table(comparison: Comparison) -> tuple[list[str], list[list[Any]]]:
    """Return the rows of a comparison flat, as ``comparison.csv`` has them, best first.

    Returns
    -------
    columns : list of str
        As of `Comparison.to_dataframe`.
    rows : list of list
        A cell for each column: a text, a number, unrounded, or None where there is nothing.
    """
    rows = [_compared_cells(row) for row in comparison.rows]
    # A score that one of them lacks stays in its place among the others.
    longest = max(map(len, rows), default=0)
    ordered = sorted(rows, key=lambda row: len(row) < longest)
    columns = list(dict.fromkeys(name for row in ordered for name in row))
    return columns, [[row.get(name) for name in columns] for row in rows]


def _compared_cells(row: ComparedModel) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for name, value in row.to_dict().items():
        if name in row.scores:
            cells |= _score_cells(name, value)
        elif name == "any_label":
            for score, runs in value.items():
                cells |= _score_cells(f"{name}_{score}", runs)
        elif name == "input_size":
            cells[name] = "|".join(f"{height}x{width}" for height, width in value) or None
        elif name == "licence":
            cells[name] = "|".join(value) or None
        else:
            cells[name] = value
    return cells


def _score_cells(name: str, runs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: runs["mean"], f"{name}_std": runs["std"]}


_COMPARED_KINDS = dict.fromkeys(
    (
        "name", "model", "layer", "precision", "views", "file", "input_size", "licence", "engine",
        "device", "processor",
    ),
    "string",
) | dict.fromkeys(
    ("features", "images", "missing", "bytes", "parameters", "flops", "peak_memory", "threads"),
    "Int64",
)  # fmt: skip


def comparison_to_dataframe(comparison: Comparison) -> Any:
    """Make a pandas DataFrame; see `Comparison.to_dataframe`.

    Raises
    ------
    MissingExtraError
    """
    columns, rows = comparison_table(comparison)
    frame = _pandas().DataFrame(rows, columns=columns)
    return frame.astype({name: _COMPARED_KINDS.get(name, "float64") for name in columns})


def _pandas() -> Any:
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtraError("a DataFrame", "pandas") from error
    return pd

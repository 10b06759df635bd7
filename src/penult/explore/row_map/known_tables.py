"""Tables that penult itself writes, and what their columns are called on a map.

There, ``label`` is the features' own, so that what a classifier says has another name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from penult.records import Clustering, Duplicates, HeldOut, Outliers, Predictions
from penult.tabular import DUPLICATE_COLUMNS, duplicate_cells, outlier_columns, prediction_cells
from penult.wording import count

__all__ = ["KnownTable", "columns_of", "known_table"]


@dataclass(frozen=True)
class KnownTable:
    """A table whose columns say what they are.

    Attributes
    ----------
    columns : mapping of str to sequence
        With ``id``.
    joined : frozenset of str
        Those of whose values each may be several names, joined by ``|``.
    message : str
        What was left out, in a sentence; "" for nothing.
    renamed : mapping of str to str
        New names to those that the columns have in the table.
    """

    columns: Mapping[str, Sequence[Any]]
    joined: frozenset[str] = frozenset()
    message: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)


def columns_of(result: object) -> dict[str, Sequence[Any]] | None:
    """Return the columns of the table that penult writes of a result, if it has one of ids.

    Parameters
    ----------
    result : object
        A `Clustering`, `Duplicates`, `HeldOut`, `Outliers` or `Predictions`.

    Returns
    -------
    dict or None
        With ``id``; None of all else.
    """
    if isinstance(result, Clustering):
        ids = [*map(str, result.ids)]
        return {"id": ids, "cluster": result.assignments.tolist()}
    if isinstance(result, Outliers):
        return {**outlier_columns(result)}
    if isinstance(result, HeldOut):
        texts = {"id": result.ids, "label": result.truth, "predicted": result.predicted}
        return {**texts, "probability": result.probability}
    if isinstance(result, Predictions):
        cells = [prediction_cells(one) for one in result]
        names = dict.fromkeys(name for row in cells for name in row)
        return {name: [row.get(name) for row in cells] for name in ["id", *names]}
    if isinstance(result, Duplicates):
        columns = zip(*duplicate_cells(result), strict=True)
        empty: list[Sequence[Any]] = [[] for _ in DUPLICATE_COLUMNS]
        return dict(zip(DUPLICATE_COLUMNS, [*columns] or empty, strict=True))
    return None


def known_table(columns: Mapping[str, Sequence[Any]]) -> KnownTable:
    """Recognise a table by its columns; any other stays as it is.

    Parameters
    ----------
    columns : mapping of str to sequence

    Returns
    -------
    KnownTable
        Of ``held_out.csv``: ``truth``, ``predicted``, ``confidence`` and ``mistake``. Of
        predictions: ``predicted`` and ``confidence``, of several labels ``predicted_labels``. Of
        duplicates: ``duplicate_group``. Of outliers: ``outlier_percentile``, ``outlier_reasons``
        and ``outlier_distance``.
    """
    if columns.keys() >= {"id", "label", "predicted", "probability"}:
        return _held_out(columns)
    if columns.keys() >= {"id", "label", "probability", "unsure"}:
        names = {"label": "predicted", "probability": "confidence", "labels": "predicted_labels"}
        shown = {name: values for name, values in columns.items() if name != "copied_to"}
        return _renamed(shown, names, frozenset({"predicted_labels"}))
    if columns.keys() >= {"id", "group", "keep", "cosine"}:
        return _renamed(columns, {"group": "duplicate_group"})
    if columns.keys() >= {"id", "percentile", "reasons"}:
        names = {
            "percentile": "outlier_percentile",
            "reasons": "outlier_reasons",
            "distance": "outlier_distance",
        }
        return _renamed(columns, names, frozenset({"outlier_reasons"}))
    return KnownTable(columns)


def _held_out(columns: Mapping[str, Sequence[Any]]) -> KnownTable:
    """Of an image that was held out in several runs, the first of these counts."""
    ids, told = columns["id"], columns.get("run")
    runs = [str(run) for run in told or [1] * len(columns["id"])]
    first: dict[Any, str] = {}  # the run that counts
    for one, run in zip(ids, runs, strict=True):
        first.setdefault(one, run)
    # An image twice in one run is kept twice, for whoever reads the table to refuse.
    chosen = [k for k, one in enumerate(ids) if runs[k] == first[one]]
    again = len(ids) - len(chosen)
    kept = {name: [values[k] for k in chosen] for name, values in columns.items() if name != "run"}
    kept["mistake"] = [
        str(truth) != str(predicted)
        for truth, predicted in zip(kept["label"], kept["predicted"], strict=True)
    ]
    message = (
        f"of {count(len({*runs}), 'run')}, the first in which an image was held out counts; "
        f"{count(again, 'line')} left out"
    )
    names = {"label": "truth", "probability": "confidence"}
    return _renamed(kept, names, message=message if again else "")


def _renamed(
    columns: Mapping[str, Sequence[Any]],
    names: Mapping[str, str],
    joined: frozenset[str] = frozenset(),
    message: str = "",
) -> KnownTable:
    return KnownTable(
        {names.get(name, name): values for name, values in columns.items()},
        joined,
        message,
        {new: old for old, new in names.items()},
    )

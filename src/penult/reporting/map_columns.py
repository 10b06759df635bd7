"""What colours the map of a report: all that the report knows of each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from penult.partition.splits import Split
from penult.records import Clustering, Duplicates, Features, HeldOut, Outliers, RowMap
from penult.reporting.classified import Classified

__all__ = ["column_notes", "map_columns"]

_ORDER = (
    *("label", "predicted", "confidence", "mistake", "cluster"),
    *("outlier percentile", "duplicate group", "split"),
)


def map_columns(
    row_map: RowMap,
    made: Classified,
    *,
    clusters: Clustering | None = None,
    outliers: Outliers | None = None,
    duplicates: Duplicates | None = None,
) -> dict[str, Sequence[Any]]:
    """Give each row of a map a value of everything that is known, None where there is none.

    Parameters
    ----------
    row_map : RowMap
        Whose columns come first.
    made : Classified
        Of its rows, or more.
    clusters, outliers, duplicates : optional
        Of them, or of a part of them.

    Returns
    -------
    dict of str to sequence, length N
        ``label``, ``predicted``, ``confidence``, ``mistake``, ``cluster``, ``outlier percentile``,
        ``duplicate group``, ``split`` (``train``, ``held out``), and what else the map has: those
        that no row has a value of are left out.
    """
    known: dict[str, Mapping[str, Any]] = {}
    if made.split is not None:
        known["split"] = _parts(made.features, made.split)
    known |= _predicted(made)
    if clusters is not None:
        numbers = clusters.assignments.tolist()
        known["cluster"] = {one: k for one, k in zip(clusters.ids, numbers, strict=True) if k >= 0}
    if outliers is not None:
        percentiles = outliers.percentiles.tolist()
        known["outlier percentile"] = dict(zip(outliers.ids, percentiles, strict=True))
    if duplicates is not None:
        known["duplicate group"] = {
            one: number for number, group in enumerate(duplicates.groups, 1) for one in group.ids
        }
    columns: dict[str, Sequence[Any]] = dict(row_map.columns)
    columns |= {name: [has.get(one) for one in row_map.ids] for name, has in known.items()}
    order = [*_ORDER, *(name for name in columns if name not in _ORDER)]
    return {
        name: columns[name]
        for name in order
        if any(one is not None for one in columns.get(name, ()))
    }


def column_notes(made: Classified, columns: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    """Say which rows have no value, where some have none.

    Parameters
    ----------
    made : Classified
    columns : mapping of str to sequence
        Of `map_columns`.

    Returns
    -------
    dict of str to str
        Column to a sentence.
    """
    notes = {"duplicate group": "None: images without a near-duplicate."}
    if made.predictions is None:
        trained = "None: images that trained the classifier, or have no label."
        notes |= dict.fromkeys(("predicted", "confidence", "mistake"), trained)
    else:
        notes["mistake"] = (
            "None: images that were not scored, since they trained the classifier or have no label "
            "that it knows."
        )
    return {name: notes[name] for name in columns if name in notes and None in columns[name]}


def _parts(features: Features, split: Split) -> dict[str, str]:
    ids = features.ids
    return {
        **{str(ids[k]): "train" for k in split.train.tolist()},
        **{str(ids[k]): "held out" for k in split.held_out.tolist()},
    }


def _predicted(made: Classified) -> dict[str, Mapping[str, Any]]:
    """What a classifier says of images that did not train it, or of all where it was given."""
    held_out, said = made.held_out, made.predictions
    columns: dict[str, Mapping[str, Any]] = {}
    if said is not None:
        columns["predicted"] = {
            one.id: one.label if one.labels is None else "|".join(one.labels) or None
            for one in said
        }
        columns["confidence"] = {one.id: float(one.probability) for one in said}
    elif held_out is not None:
        columns["predicted"] = dict(zip(held_out.ids, held_out.predicted, strict=True))
        columns["confidence"] = dict(
            zip(held_out.ids, map(float, held_out.probability), strict=True)
        )
    if held_out is not None:
        columns["mistake"] = _mistakes(held_out)
    return columns


def _mistakes(held_out: HeldOut) -> dict[str, bool]:
    rows = zip(held_out.ids, held_out.truth, held_out.predicted, strict=True)
    return {one: truth != predicted for one, truth, predicted in rows}

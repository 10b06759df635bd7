"""Rows of features on their way to a table, and back to records."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from penult.content_keys import keys_of
from penult.databases.rows import StoredRows
from penult.databases.table_info import TableInfo
from penult.records import ImageRecord

if TYPE_CHECKING:
    from penult.records import Features

__all__ = ["info_of", "records_of", "stored_rows"]


def info_of(features: Features) -> TableInfo:
    """What a table is to say of all the rows of some features."""
    trained, content, keys = features.trained_network, features.content, None
    if trained is not None and content is not None:
        keys = np.unique(keys_of(str(content[k]) for k in np.flatnonzero(trained).tolist()))
    return TableInfo(
        recipe=features.recipe,
        name=features.name,
        shape=tuple(features.features.shape[1:]),
        dtype="float16" if features.features.dtype == np.float16 else "float32",
        label_names=tuple(map(str, features.label_names)),
        several=features.targets is not None,
        splits=features.splits is not None,
        groups=features.groups is not None,
        origin=features.origin,
        failures=tuple(features.failures),
        trained_on=keys,
        rows=len(features),
    )


def stored_rows(features: Features, batch: int) -> Iterator[StoredRows]:
    """Go through the rows of features, `batch` at a time.

    Yields
    ------
    StoredRows
        Flat, of float32, whatever they are in the file.
    """
    for start in range(0, len(features), batch):
        stop = min(start + batch, len(features))
        places = range(start, stop)
        block = np.asarray(features.features[start:stop], np.float32)
        yield StoredRows(
            ids=[str(features.ids[k]) for k in places],
            rows=block.reshape(len(block), -1),
            labels=[_labels(features, k) for k in places],
            splits=_texts(features.splits, places),
            groups=_texts(features.groups, places),
            content=_texts(features.content, places),
            positions=places,
        )


def records_of(rows: StoredRows) -> list[ImageRecord]:
    """Turn what a table gives into what `penult.features.write.FeatureWriter` takes."""
    columns = zip(rows.ids, rows.labels, rows.splits, rows.groups, strict=True)
    return [
        # Nobody opens the image again.
        ImageRecord(row_id, io.BytesIO, tuple(labels), split or None, group or None)
        for row_id, labels, split, group in columns
    ]


def _labels(features: Features, row: int) -> tuple[str, ...]:
    names = features.label_names
    if features.targets is not None:
        return tuple(str(names[k]) for k in np.flatnonzero(features.targets[row]).tolist())
    label = int(features.labels[row])
    return (str(names[label]),) if label >= 0 else ()


def _texts(column: object, places: range) -> list[str]:
    return [""] * len(places) if column is None else [str(column[k]) for k in places]  # type: ignore[index]

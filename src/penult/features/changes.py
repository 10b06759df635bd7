"""What an update changes in a feature file, beside the rows that it computes anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from penult.records import AugmentedRecord, Changes, Features, ImageRecord

__all__ = ["changes_of"]


def changes_of(old: Features, records: Sequence[ImageRecord]) -> Changes:
    """Compare a feature file with the images of now.

    Parameters
    ----------
    old : Features
        The file as it is.
    records : sequence of ImageRecord
        The images of now, each with its labels; augmented views of them do not count.

    Returns
    -------
    Changes
        By the images' ids: one that was moved is removed and added.
    """
    # 16 bytes an image, and the names of those alone that changed.
    places = np.fromiter(
        (k for k, record in enumerate(records) if not isinstance(record, AugmentedRecord)), np.int64
    )
    old_ids, new_ids = _hashes(old.ids), _hashes(records[k].id for k in places.tolist())
    labels = _hashes(frozenset(records[k].labels) for k in places.tolist())
    order = np.argsort(new_ids, kind="stable")
    at = np.searchsorted(new_ids, old_ids, sorter=order).clip(max=len(new_ids) - 1)
    there = order[at]
    same = new_ids[there] == old_ids
    differs = same & (labels[there] != _hashes(_labels(old)))
    return Changes(
        added=tuple(records[int(k)].id for k in places[~np.isin(new_ids, old_ids)]),
        removed=tuple(str(old.ids[int(k)]) for k in np.flatnonzero(~same)),
        relabelled=tuple(str(old.ids[int(k)]) for k in np.flatnonzero(differs)),
    )


def _hashes(values: Iterable[object]) -> NDArray[np.int64]:
    return np.fromiter((hash(value) for value in values), np.int64)


def _labels(features: Features) -> Iterator[frozenset[str]]:
    names = features.label_names
    if features.targets is not None:
        for row in features.targets:
            yield frozenset(names[k] for k in np.flatnonzero(row))
        return
    for label in features.labels:
        yield frozenset([names[label]] if label >= 0 else [])

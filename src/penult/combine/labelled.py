"""The labels, splits and groups of images that several feature files have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.combine.beside import Beside, taken, trained_keys
from penult.combine.writing import named
from penult.errors import SourceError
from penult.representation import short_text
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["beside_of_all"]

_SHOWN = 3


def beside_of_all(files: Sequence[Features], places: Sequence[NDArray[np.intp]]) -> Beside:
    """What stands beside the rows of all.

    An image has the labels that the first of the files in which it has any gives it. Splits and
    groups are those of the first file that has such; digests, too.

    Raises
    ------
    SourceError
        If an image has other labels in another file.
    """
    names, targets = _targets(files, places)
    several = any(one.targets is not None for one in files)
    alone = targets.sum(axis=1) == 1
    labels = np.where(alone, targets.argmax(axis=1) if names else 0, -1).astype(np.int64)
    columns = {
        name: next(
            (
                taken(column, found)
                for one, found in zip(files, places, strict=True)
                if (column := getattr(one, name)) is not None
            ),
            None,
        )
        for name in ("splits", "groups", "content")
    }
    return Beside(
        ids=taken(files[0].ids, places[0]),
        labels=labels,
        label_names=names,
        targets=targets if several else None,
        trained_on=trained_keys(files),
        **columns,
    )


def _targets(
    files: Sequence[Features], places: Sequence[NDArray[np.intp]]
) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
    """The names of all labels, and which of them each image has, (n, K) bool."""
    with_labels = [
        (one, found) for one, found in zip(files, places, strict=True) if one.label_names
    ]
    used = set(with_labels[0][0].label_names) if with_labels else set[str]()
    for one, found in with_labels[1:]:
        has = _rows(one, found).any(axis=0)
        used |= {one.label_names[k] for k in np.flatnonzero(has).tolist()}
    names = tuple(sorted(used))
    result = np.zeros((len(places[0]), len(names)), bool)
    given_by = np.full(len(result), -1)
    for number, (one, found) in enumerate(with_labels):
        own = _rows(one, found)
        kept = [k for k, name in enumerate(one.label_names) if name in used]
        here = np.zeros_like(result)
        here[:, [names.index(one.label_names[k]) for k in kept]] = own[:, kept]
        given = here.any(axis=1)
        other = given & (given_by >= 0) & (here != result).any(axis=1)
        if other.any():
            against = [with_labels[k][0] for k in given_by[other]]
            raise _contradiction(one, against, np.flatnonzero(other), (here, result), names, found)
        new = given & (given_by < 0)
        result[new], given_by[new] = here[new], number
    return names, result


def _rows(features: Features, places: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which labels each of some rows has, (n, K) bool."""
    if features.targets is not None:
        return np.asarray(features.targets, bool)[places]
    labels = np.asarray(features.labels)[places]
    rows = np.zeros((len(labels), len(features.label_names)), bool)
    has = labels >= 0
    rows[np.flatnonzero(has), labels[has]] = True
    return rows


def _contradiction(
    one: Features,
    against: Sequence[Features],
    rows: NDArray[np.intp],
    labels: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    names: Sequence[str],
    places: NDArray[np.intp],
) -> SourceError:
    def told(row: int) -> str:
        here, before = (
            "|".join(names[k] for k in np.flatnonzero(of[row]).tolist()) for of in labels
        )
        image = short_text(str(one.ids[int(places[row])]))
        return f"{image} ({short_text(before)} there, {short_text(here)} here)"

    few = ", ".join(told(int(row)) for row in rows[:_SHOWN])
    more = f" and {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else ""
    have = "has" if len(rows) == 1 else "have"
    return SourceError(
        f"{count(len(rows), 'image')} of {named(one)} {have} another label in {named(against[0])}: "
        f"{few}{more}; extract both with the same labels"
    )

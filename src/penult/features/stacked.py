"""Features one below the other, as one set of rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from penult.features.origin import joined_origin
from penult.texts import Texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features, Rows

__all__ = ["joined_texts", "stacked"]


def stacked(files: Sequence[Features], rows: Rows) -> Features:
    """Put features below each other, without their augmented rows.

    A label is the same by its name. Where only some have splits or groups, an image of the others
    has no split, and is a group of its own, as in a file that was extracted with them.

    Parameters
    ----------
    files : sequence of Features
        Of one recipe; one or more.
    rows : array-like, shape (n, …)
        The rows of all.

    Returns
    -------
    Features
        Called as the first are; which images trained the network is known where all know it.
    """
    first = files[0]
    names = tuple(sorted({name for one in files for name in one.label_names}))
    several = any(one.targets is not None for one in files)
    trained = [one.trained_network for one in files if one.trained_network is not None]
    failures = {failure for one in files for failure in one.failures}
    return dataclasses.replace(
        first,
        features=rows,
        ids=joined_texts(*(one.ids for one in files)),
        labels=np.concatenate([_labels(one, names) for one in files]),
        label_names=names,
        targets=np.concatenate([_targets(one, names) for one in files]) if several else None,
        splits=_column(files, "splits", lambda _: ""),
        groups=_column(files, "groups", str),
        content=_column(files, "content", lambda _: ""),
        failures=tuple(sorted(failures, key=lambda failure: failure.id)),
        origin=reduce(joined_origin, (one.origin for one in files)),
        augmented=None,
        trained_network=np.concatenate(trained) if len(trained) == len(files) else None,
    )


def joined_texts(*columns: Sequence[str]) -> Texts:
    """Put columns of texts one below the other."""
    texts = Texts()
    for column in columns:
        if isinstance(column, Texts):
            texts.extend(column)
            continue
        for text in column:
            texts.append(str(text).encode("utf-8", "backslashreplace"))
    return texts


def _labels(features: Features, names: Sequence[str]) -> NDArray[np.int64]:
    places = np.array([*(names.index(name) for name in features.label_names), -1], np.int64)
    return places[np.asarray(features.labels)]


def _targets(features: Features, names: Sequence[str]) -> NDArray[np.bool_]:
    found = np.zeros((len(features), len(names)), bool)
    if features.targets is not None:
        found[:, [names.index(name) for name in features.label_names]] = features.targets
        return found
    labels = _labels(features, names)
    found[np.flatnonzero(labels >= 0), labels[labels >= 0]] = True
    return found


def _column(files: Sequence[Features], name: str, missing: Callable[[str], str]) -> Texts | None:
    """A column of all; where one has none, what is missing is made of the ids."""
    columns = [getattr(one, name) for one in files]
    if all(column is None for column in columns):
        return None
    return joined_texts(
        *(
            [missing(str(one)) for one in of.ids] if column is None else column
            for of, column in zip(files, columns, strict=True)
        )
    )

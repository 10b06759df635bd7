"""What stands beside the rows of an index, where rows are added or removed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import SearchError
from penult.interface import call_or_command, option
from penult.records import Features
from penult.texts import Texts, positions
from penult.wording import count, listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Rows

__all__ = ["kept_features", "kept_texts", "new_places"]


def kept_texts(column: Sequence[str], places: NDArray[np.int64]) -> Texts:
    """Take some texts of a column."""
    texts = Texts()
    for place in places.tolist():
        texts.append(_encoded(column, place))
    return texts


def kept_features(features: Features, rows: Rows, places: NDArray[np.int64]) -> Features:
    """Take some rows of features.

    Parameters
    ----------
    rows : array-like, shape (m, …)
        Those rows.
    places : int64 array, shape (m,)
        Their places among all.
    """
    columns = {
        name: None if column is None else kept_texts(column, places)
        for name in ("ids", "splits", "groups", "content")
        for column in (getattr(features, name),)
    }
    return dataclasses.replace(
        features,
        features=rows,
        labels=np.asarray(features.labels)[places],
        targets=None if features.targets is None else np.asarray(features.targets)[places],
        augmented=None,
        trained_network=(
            None
            if features.trained_network is None
            else np.asarray(features.trained_network)[places]
        ),
        **columns,  # type: ignore[arg-type]
    )


def _encoded(column: Sequence[str], place: int) -> bytes:
    if isinstance(column, Texts):
        return column.raw(place)
    return str(column[place]).encode("utf-8", "backslashreplace")


def new_places(
    own: tuple[Sequence[str], Rows, Sequence[str] | None],
    more: tuple[Sequence[str], Rows, Sequence[str] | None],
    named: str,
    *,
    index: str = "the index",
) -> NDArray[np.int64]:
    """Which rows are not in an index yet.

    Parameters
    ----------
    own, more : ids, rows, and the digests of the images if they are known
        Of the index, and of what is to be added.
    named : str
        What the latter is called.
    index : str
        What the former is called.

    Returns
    -------
    int64 array
        Places in the latter.

    Raises
    ------
    SearchError
        If an id belongs to another image in the index, or is there twice among those to add.
    """
    ids = [str(one) for one in more[0]]
    if len(set(ids)) < len(ids):
        seen = set[str]()
        twice = [one for one in ids if one in seen or seen.add(one)]  # type: ignore[func-returns-value]
        raise SearchError(
            f"{named} cannot be added: {count(len(twice), 'id')} of it {_are(twice)} there twice: "
            f"{listed(twice, 5)}"
        )
    at = np.array(positions(ids, own[0]), np.int64)
    there = np.flatnonzero(at >= 0)
    others = [ids[k] for k in there.tolist() if not _is_same(own, int(at[k]), more, k)]
    if others:
        raise SearchError(
            f"{named} cannot be added: {count(len(others), 'id')} of it {_are(others)} in "
            f"{index} for another image: {listed(others, 5)}; to have the new {_image(others)} "
            f"instead, remove {_them(others)} from {index} first ({option('remove', 'ID')}, in a "
            f"{call_or_command()} of its own), and add {named} then with {option('restore', True)}"
        )
    return np.flatnonzero(at < 0)


def _is_same(
    own: tuple[Sequence[str], Rows, Sequence[str] | None],
    place: int,
    more: tuple[Sequence[str], Rows, Sequence[str] | None],
    number: int,
) -> bool:
    digests = [None if of[2] is None else str(of[2][k]) for of, k in ((own, place), (more, number))]
    if all(digests):
        return digests[0] == digests[1]
    return np.array_equal(own[1][place], more[1][number])


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _image(names: Sequence[str]) -> str:
    return "image" if len(names) == 1 else "images"


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"
